//! One at a time (I12), the deadline, the rate of deletes, and Ctrl-C (I14): a run ends tidily, and says what is left.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::scene::Scene;
use crate::support::postgres::Postgres;
use crate::support::s3::{Call, Fault, What};
use crate::support::servers::Database;
use crate::support::terminal::Terminal;
use crate::support::tool::keys_of;

const MANY: &str = "[trash]\nenabled = false\n[safety]\nmax_percent = 100\n";

/// A second `--execute` while the first is at its prompt exits with 11; a dry run needs no lock.
#[test]
fn a_second_run_is_locked_out() {
    for scene in Scene::on_both() {
        let mut first = Terminal::start(&scene.tool, &["--execute"]);
        assert!(first.prompt());
        let second = scene.run(&["--execute", "--format", "json"]);
        assert_eq!(second.code, 11, "{second:#?}");
        assert!(second.stderr.contains("lock"), "it says why: {second:#?}");
        let mut second = Terminal::start(&scene.tool, &["--execute"]);
        assert!(!second.prompt(), "no prompt for who is locked out");
        assert_eq!(second.end().code, 11);
        assert_eq!(scene.run(&[]).code, 0, "a dry run");
        assert_eq!(first.answer(scene.word()).code, 0);
        scene.expect_removed();
        assert_eq!(scene.run(&["--execute"]).code, 0, "the lock is free again");
    }
}

/// The lock in the database is lost while the prompt waits: another host may be at work, and nothing is removed.
#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_lock_in_the_database_that_was_lost_removes_nothing() {
    let (scene, database) = (Scene::on_local(), Postgres::new());
    database.run(
        "CREATE TABLE assets AS SELECT n AS id, 'assets/' || lpad(n::text, 6, '0') || '.png' AS storage_key
         FROM generate_series(0, 39) AS n",
    );
    scene.tool.configure(&format!(
        "[database]\nurl = {:?}\n\n[storage]\nkind = \"local\"\nage_by = \"modified\"\nroot = {:?}\n\n[[records]]\ntable = \"assets\"\n\
         id = \"id\"\nkey = \"storage_key\"\n",
        database.url(),
        scene.root(),
    ));
    let before = scene.everything();
    let mut terminal = Terminal::start(&scene.tool, &["--execute"]);
    assert!(terminal.prompt(), "{}", terminal.shown);
    database.run(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database =
             (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    let outcome = terminal.answer(scene.word());
    assert_eq!(outcome.code, 1, "{outcome:#?}");
    assert_eq!(scene.everything(), before);
}

/// `max_runtime` is over in the middle: the batch in hand is finished, the rest is left and said, exit 3.
#[test]
fn a_deadline_ends_after_the_batch_in_hand() {
    let scene = Scene::many_on_s3(100, 2_500);
    scene.configure_with("concurrency = 1", &format!("{MANY}max_runtime = \"3s\""));
    scene.server().fault(Fault::on(Call::DeleteMany, What::DelayAfterwards(Duration::from_secs(4))).times(1));
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    let report = outcome.json();
    assert_eq!(report["run"]["outcome"], "partial", "{:#}", report["run"]);
    let deleted = report["removals"]["files_deleted"].as_u64().expect("a number");
    assert!((1..2_500).contains(&deleted), "{deleted}");
    let left = scene.everything().len() as u64 - 100;
    assert_eq!(deleted + left, 2_500, "the report agrees with the bucket");
    let said = format!("{}{}", outcome.stderr, report["removals"]);
    assert!(said.contains(&left.to_string()), "it says that {left} are left: {said}");
    scene.expect_wanted_untouched(100);
    scene.configure(MANY);
    assert_eq!(scene.executed()["removals"]["files_deleted"], left);
}

/// Ctrl-C while the two sides are compared: the run ends at once, with exit 130, and nothing is known to be missing.
#[test]
fn ctrl_c_ends_a_comparison_at_once() {
    let scene = Scene::on_s3();
    scene.server().fault(Fault::on(Call::List, What::Delay(Duration::from_secs(50))));
    let start = Instant::now();
    let terminal = Terminal::start(&scene.tool, &["--format", "json"]);
    while scene.server().count(Call::List) == 0 {
        assert!(start.elapsed() < Duration::from_secs(40), "it never began to list");
        std::thread::sleep(Duration::from_millis(20));
    }
    terminal.ctrl_c()();
    let outcome = terminal.end();
    assert!(start.elapsed() < Duration::from_secs(45), "it waited for the listing");
    assert_eq!(outcome.code, 130, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!((&report["run"]["outcome"], &report["findings"]), (&"interrupted".into(), &serde_json::json!([])));
}

/// Ctrl-C while the first batch is being deleted: the batch is finished and on record, the rest is left, exit 130.
#[test]
fn ctrl_c_finishes_the_batch_in_hand() {
    let scene = Scene::many_on_s3(100, 2_500);
    scene.configure(MANY);
    let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
    assert!(terminal.prompt());
    let (ctrl_c, once) = (terminal.ctrl_c(), AtomicBool::new(false));
    scene.server().before(Call::DeleteMany, move |_| {
        if !once.swap(true, Ordering::SeqCst) {
            ctrl_c();
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    let outcome = terminal.answer(scene.word());
    assert_eq!(outcome.code, 130, "{}", outcome.stderr);
    let left = scene.everything().len() - 100;
    assert_eq!(left, 1_500, "one batch, and no more");
    assert!(
        outcome.stderr.contains("1500") || outcome.stdout.contains("1500"),
        "it says what is left: {}",
        outcome.stderr
    );
    let history = scene.run(&["history", "--format", "json"]).json();
    let run = &history["runs"][0];
    assert_eq!((&run["outcome"], &run["removed"]), (&"interrupted".into(), &1_000.into()), "{run:#}");
    assert_eq!(scene.removals(&run["id"]).values().filter(|outcome| *outcome == "deleted").count(), 1_000);
    assert_eq!(scene.executed()["removals"]["files_deleted"], 1_500);
    scene.expect_wanted_untouched(100);
}

/// The same on the way to the trash: whatever was begun is finished, and nothing is in two places or in none.
#[test]
fn ctrl_c_on_the_way_to_the_trash_loses_nothing() {
    let scene = Scene::many_on_s3(300, 250);
    scene.configure("[safety]\nmax_percent = 100");
    let mut terminal = Terminal::start(&scene.tool, &["--execute"]);
    assert!(terminal.prompt());
    let (ctrl_c, once) = (terminal.ctrl_c(), AtomicBool::new(false));
    scene.server().before(Call::Copy, move |_| {
        if !once.swap(true, Ordering::SeqCst) {
            ctrl_c();
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    let outcome = terminal.answer(scene.word());
    assert_eq!(outcome.code, 130, "{outcome:#?}");
    let all = scene.everything();
    let trashed = scene.orphans.iter().filter(|key| scene.trashed(key).is_some()).count();
    let left = scene.orphans.iter().filter(|key| all.contains_key(*key)).count();
    assert_eq!((trashed + left, all.len()), (250, 550));
    assert!(left > 0, "it stopped in the middle");
    let report = scene.run(&["--format", "json"]).json();
    assert_eq!(keys_of(&report, "orphaned-file").len(), left);
    assert_eq!(scene.executed()["removals"]["files_trashed"], left);
}

/// `max_deletes_per_second` holds, about: 40 keys at 20 a second take more than a second.
#[test]
fn deletes_keep_to_their_rate() {
    let scene = Scene::many_on_s3(100, 60);
    let time = |rate: u32| {
        scene.configure(&format!("{MANY}max_deletes_per_second = {rate}"));
        let mut terminal = Terminal::start(&scene.tool, &["--execute"]);
        assert!(terminal.prompt());
        let start = Instant::now();
        assert_eq!(terminal.answer(scene.word()).code, 0);
        start.elapsed()
    };
    let limited = time(20);
    // Sixty keys, of which the first second's worth may go at once.
    assert!(limited >= Duration::from_millis(1_900), "{limited:?}");
    scene.orphans.iter().for_each(|key| scene.put(key));
    let unlimited = time(0);
    assert!(unlimited < limited, "{unlimited:?} without a limit, {limited:?} with one");
    scene.expect_wanted_untouched(100);
}
