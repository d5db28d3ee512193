//! How long it takes to remove files for good from a bucket that answers each call after 50 ms, and what calls it takes:
//!
//! ```text
//! cargo bench --bench removal
//! CLEANUP_ASSETS_BENCH_ORPHANS=5000 cargo bench --profile dev --bench removal
//! ```
//!
//! 100,000 orphaned files, or as many as the variable says, lie among 3,000 wanted ones; the rows are in SQLite. The real
//! binary compares, asks at a pseudo-terminal and removes. It fails where a wanted file went, an orphaned one stayed, or
//! more than 1.2 calls that delete were made for a thousand keys.
//!
//! The bucket is the S3 server of the suite, in this process, and shares the machine with the tool. Beside each time of a
//! removal stands its floor: what the looks take, one at each file, at 50 ms and with as many in flight as are
//! configured. In a release build on two cores, 100,000 files took 99 s over a floor of 78 s, and both processes 15 % of
//! the two cores: it is not the machine that is waited for. With `--profile dev` it is in part.

// The suite uses all of it.
#[allow(unused)]
#[path = "../suite/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use support::s3::{Application, Call, Fault, What};
use support::terminal::Terminal;

const ORPHANS: usize = 100_000;
const WANTED: usize = 3_000;
const LATENCY: Duration = Duration::from_millis(50);
/// The tool's default.
const IN_FLIGHT: u32 = 64;
const CALLS: [Call; 8] =
    [Call::List, Call::Head, Call::Get, Call::Put, Call::Copy, Call::Delete, Call::DeleteMany, Call::Other];

fn main() {
    // `cargo test --all-targets` runs this as well; only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return println!("a benchmark: cargo bench --bench removal");
    }
    let orphans =
        std::env::var("CLEANUP_ASSETS_BENCH_ORPHANS").map_or(ORPHANS, |count| count.parse().expect("a count"));
    let (app, wanted) = application(orphans);
    CALLS.iter().for_each(|call| app.server.fault(Fault::on(*call, What::Delay(LATENCY))));

    let start = Instant::now();
    let mut terminal = Terminal::start(&app.tool, &["--execute", "--format", "json", "--no-progress"]);
    assert!(terminal.prompt(), "it asks for nothing: {}", terminal.shown);
    let compared = start.elapsed();
    let outcome = terminal.answer("app-assets");
    let removed = start.elapsed() - compared;

    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let removals = &outcome.json()["removals"];
    assert_eq!(removals["files_deleted"], orphans, "{removals:#}");
    assert!(app.server.bucket.keys().into_iter().eq(wanted), "other files are left than the wanted ones");

    let looks = u32::try_from(app.server.count(Call::Head)).expect("a count");
    let floor = LATENCY * looks.div_ceil(IN_FLIGHT);
    println!("{orphans} orphaned files among {WANTED} wanted ones, {LATENCY:?} a call");
    println!("compared in {compared:.1?}");
    println!("removed in {removed:.1?}; its looks alone take {floor:.1?} at {IN_FLIGHT} in flight");
    for call in CALLS {
        println!("{:>10} {:>8}", format!("{call:?}"), app.server.count(call));
    }
    let deletes = app.server.count(Call::Delete) + app.server.count(Call::DeleteMany);
    let per_thousand = deletes as f64 / orphans.div_ceil(1_000) as f64;
    println!("calls that delete, per 1,000 keys: {per_thousand:.2}");
    assert!(per_thousand <= 1.2);
}

/// The application, its limits raised so far that nothing refuses; and the keys that it wants.
fn application(orphans: usize) -> (Application, BTreeSet<String>) {
    let app = Application::empty();
    // Spread among each other.
    let orphaned = (0..orphans).map(|number| format!("assets/{:06}-{number}-lost.png", number * WANTED / orphans));
    orphaned.for_each(|key| app.put(&key));
    let wanted: BTreeSet<String> = (0..WANTED).map(|number| format!("assets/{number:06}.png")).collect();
    wanted.iter().for_each(|key| app.put(key));
    app.insert(&wanted);
    let safety = format!("[safety]\nmax_removals = {orphans}\nmax_percent = 100\n");
    app.configure(&format!("concurrency = {IN_FLIGHT}"), &format!("{safety}\n[trash]\nenabled = false"));
    (app, wanted)
}
