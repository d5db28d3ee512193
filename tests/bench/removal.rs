//! How long it takes to remove files from a bucket that answers each call after 50 ms, and what calls it takes: for good
//! and to the trash, where the files lie so close together that listings answer for them, and where they do not:
//!
//! ```text
//! cargo bench --bench removal
//! CLEANUP_ASSETS_BENCH_ORPHANS=2000 cargo bench --profile dev --bench removal
//! ```
//!
//! So many orphaned files lie among wanted ones; the rows are in SQLite. The real binary compares, asks at a
//! pseudo-terminal and removes. It fails where a wanted file went, an orphaned one stayed, or it took more calls a file
//! than are promised.
//!
//! The bucket is the S3 server of the suite, in this process, and shares the machine with the tool: the counts are the
//! tool's own, the times are not.

// The suite uses all of it.
#[allow(unused)]
#[path = "../suite/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use support::s3::{Application, Call, Fault, What};
use support::terminal::Terminal;

const ORPHANS: usize = 20_000;
const LATENCY: Duration = Duration::from_millis(50);
/// The tool's default.
const IN_FLIGHT: u32 = 64;
const CALLS: [Call; 8] =
    [Call::List, Call::Head, Call::Get, Call::Put, Call::Copy, Call::Delete, Call::DeleteMany, Call::Other];

/// How the files lie, and what calls each may take for good, and to the trash.
struct Lie {
    name: &'static str,
    /// Wanted files for each orphaned one.
    wanted: usize,
    page: usize,
    calls: [f64; 2],
}

const LIES: [Lie; 2] = [
    Lie { name: "close together", wanted: 1, page: 1_000, calls: [0.04, 1.1] },
    // A page holds ten of them.
    Lie { name: "far apart", wanted: 4, page: 50, calls: [1.2, 2.5] },
];

fn main() {
    // `cargo test --all-targets` runs this as well; only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return println!("a benchmark: cargo bench --bench removal");
    }
    let orphans =
        std::env::var("CLEANUP_ASSETS_BENCH_ORPHANS").map_or(ORPHANS, |count| count.parse().expect("a count"));
    for lie in LIES {
        for (trash, most) in [false, true].into_iter().zip(lie.calls) {
            let calls = remove(&lie, orphans, trash);
            // What the first files and the trial cost counts little among many.
            let beside = 200.0 / orphans as f64;
            assert!(calls <= most + beside, "{calls:.3} calls a file, and not {most}");
        }
    }
}

/// Removes the orphaned files, and gives how many calls each has taken.
fn remove(lie: &Lie, orphans: usize, trash: bool) -> f64 {
    let (app, wanted) = application(lie, orphans, trash);
    CALLS.iter().for_each(|call| app.server.fault(Fault::on(*call, What::Delay(LATENCY))));
    let mut terminal = Terminal::start(&app.tool, &["--execute", "--format", "json", "--no-progress"]);
    assert!(terminal.prompt(), "it asks for nothing: {}", terminal.shown);
    app.server.forget_calls();
    let start = Instant::now();
    let outcome = terminal.answer("app-assets");
    let removed = start.elapsed();

    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let removals = &outcome.json()["removals"];
    assert_eq!(removals[if trash { "files_trashed" } else { "files_deleted" }], orphans, "{removals:#}");
    let left = app.server.bucket.keys().into_iter().filter(|key| !key.starts_with(".trash/"));
    assert!(left.eq(wanted), "other files are left than the wanted ones");

    let way = if trash { "to the trash" } else { "for good" };
    println!("{orphans} files {}, {way}, {LATENCY:?} a call: {removed:.1?}", lie.name);
    for call in CALLS.iter().filter(|call| app.server.count(**call) > 0) {
        println!("{:>12} {:>8}", format!("{call:?}"), app.server.count(*call));
    }
    let calls = app.server.calls().len() as f64 / orphans as f64;
    println!("{:>12} {calls:>8.3}", "a file");
    calls
}

/// The application, its limits raised so far that nothing refuses; and the keys that it wants.
fn application(lie: &Lie, orphans: usize, trash: bool) -> (Application, BTreeSet<String>) {
    let app = Application::empty();
    app.server.page_size(lie.page);
    (0..orphans).for_each(|number| app.put(&format!("assets/{:06}-lost.png", number * lie.wanted)));
    let wanted: BTreeSet<String> = (0..orphans * lie.wanted).map(|number| format!("assets/{number:06}.png")).collect();
    wanted.iter().for_each(|key| app.put(key));
    app.insert(&wanted);
    let trash = if trash { "" } else { "\n[trash]\nenabled = false" };
    let safety = format!("[safety]\nmax_removals = {orphans}\nmax_percent = 100\n{trash}");
    app.configure(&format!("concurrency = {IN_FLIGHT}"), &safety);
    (app, wanted)
}
