//! How much of what is orphaned a healthy application keeps all the same, and whether anything that is wanted would go where
//! one side is not what it seems, by the layout of the keys:
//!
//! ```text
//! cargo bench --bench doubts
//! CLEANUP_ASSETS_BENCH_FILES=500 cargo bench --profile dev --bench doubts
//! ```
//!
//! Each layout has 3,000 files, or as many as the variable says. The real binary plans on each, with SQLite and a folder, and
//! is not confirmed. Of the healthy application the table says which share of the orphaned files, and of the rows that have
//! lost their file, is held or refused: at most 1 % and 2 %. Under each provocation it says how many wanted files and rows
//! would go: none. It fails where one cell is missed, but for the faults that are known, which it marks and names.

// The suite uses all of it.
#[allow(unused)]
#[path = "../suite/doubts/layouts/mod.rs"]
mod layouts;
#[path = "../suite/doubts/planned.rs"]
mod planned;
#[allow(unused)]
#[path = "../suite/support/mod.rs"]
mod support;

use layouts::faults::{KNOWN, reason};
use layouts::{Layout, Provocation, Random, Size, World};
use planned::{folder, gone};

const FILES: usize = 3_000;
const MANY: usize = 40;
const SEED: u64 = 7;
const MOST_FILES_HELD: f64 = 1.0;
const MOST_ROWS_HELD: f64 = 2.0;

fn main() {
    // `cargo test --all-targets` runs this as well; only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return println!("a benchmark: cargo bench --bench doubts");
    }
    let files = std::env::var("CLEANUP_ASSETS_BENCH_FILES").map_or(FILES, |count| count.parse().expect("a count"));
    let provocations = Provocation::table();
    println!("held of what is orphaned, in percent; and what of the wanted would go under each provocation:");
    for (number, provocation) in provocations.iter().enumerate() {
        println!("{:>4}: {provocation:?}", number + 1);
    }
    print!("\n{:>16} | {:>12} {:>12} |", "layout", "files", "rows");
    (1..=provocations.len()).for_each(|number| print!(" {number:>5}"));
    println!();
    let mut missed = Vec::new();
    for layout in Layout::ALL {
        missed.extend(row(layout, Size { files, many: MANY }, &provocations));
    }
    println!("\n* a fault that is known:");
    for (layout, provocation, reason) in KNOWN {
        let layout = layout.map_or("each layout".to_owned(), |layout| format!("{layout:?}"));
        println!("  {layout}, {}: {reason}", name(provocation));
    }
    missed.iter().for_each(|what| println!("MISSED: {what}"));
    if !missed.is_empty() {
        std::process::exit(1);
    }
}

/// Prints a layout's line, and gives the goals that it misses.
fn row(layout: Layout, size: Size, provocations: &[Provocation]) -> Vec<String> {
    let mut missed = Vec::new();
    let mut goal = |provocation: Option<Provocation>, is_met: bool, what: String| {
        let known = reason(layout, provocation);
        if is_met == known.is_some() {
            let fault = if is_met { "right again, and still a known fault" } else { &*what };
            missed.push(format!("{layout:?}, {}: {fault}", name(provocation)));
        }
        if known.is_some() { "*" } else { " " }
    };
    let world = World::healthy(layout, "", size, &mut Random::new(SEED));
    let healthy = folder(&world);
    let gone_of_healthy = gone(&world, &healthy);
    let wanted = world.wanted_in(&gone_of_healthy);
    let (files, rows) = (world.files_kept(&gone_of_healthy), world.rows_kept(&gone_of_healthy));
    let is_met = wanted.is_empty() && files.percent() <= MOST_FILES_HELD && rows.percent() <= MOST_ROWS_HELD;
    let refusal = gone_of_healthy.refusal.as_deref().unwrap_or("not refused");
    let some = |kept: &[String]| kept.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let what = format!(
        "{refusal}; kept {} files ({}) and {} rows ({}); of the wanted {} would go ({})",
        files.kept.len(),
        some(&files.kept),
        rows.kept.len(),
        some(&rows.kept),
        wanted.len(),
        some(&wanted)
    );
    let mark = goal(None, is_met, what);
    let share = |percent: f64, of: usize| format!("{percent:.1} of {of}");
    print!(
        "{:>16} | {:>12} {:>11}{mark} |",
        format!("{layout:?}"),
        share(files.percent(), files.of),
        share(rows.percent(), rows.of)
    );
    for provocation in provocations {
        let mut random = Random::new(SEED);
        let mut world = World::healthy(layout, provocation.root(), size, &mut random);
        world.provoke(*provocation, &mut random);
        let own = provocation.is_of_files().then(|| folder(&world));
        let wanted = world.wanted_in(&gone(&world, own.as_ref().unwrap_or(&healthy)));
        let what = format!("{} of the wanted would go ({})", wanted.len(), some(&wanted));
        let mark = goal(Some(*provocation), wanted.is_empty(), what);
        print!(" {:>4}{mark}", wanted.len());
    }
    println!();
    missed
}

fn name(provocation: Option<Provocation>) -> String {
    provocation.map_or("healthy".to_owned(), |provocation| format!("{provocation:?}"))
}
