//! Killed while trash that is due is removed for good. Nothing of it is ever put back, and the next run removes the rest.

use super::hold::{Hold, Row, Step, at_each};
use super::scene::{Mode, Scene, TRASH, lost};

/// Keys that XML cannot carry, so that each has a DeleteObject of its own.
const SINGLE_DELETES: usize = 3;
const ORPHANS: usize = 12;

fn run(mode: Mode, rows: &[Row]) {
    at_each(&format!("due trash, {mode:?}"), rows, |hold| cell(mode, hold));
}

fn cell(mode: Mode, hold: Hold) {
    let mut orphans = lost(ORPHANS);
    if mode == Mode::TrashInBucket {
        orphans.extend((0..SINGLE_DELETES).map(|number| format!("assets/{number:06}-\u{1}.png")));
    }
    let scene = Scene::new(mode, orphans);
    scene.assert_next_run_converges();
    scene.keep_trash("0s");
    hold.kill(&scene, &["--execute"]);
    scene.assert_wanted_files_are_there();

    let outcome = scene.run_once_more();
    scene.assert_wanted_files_are_there();
    let left: Vec<String> = scene.files().into_keys().filter(|key| key.starts_with(TRASH)).collect();
    assert!(left.is_empty(), "left in the trash: {left:#?} after {outcome:#?}");
    scene.assert_ledger_agrees();
}

/// `cleanup-assets --execute` with due trash in a bucket, killed at a call that deletes.
#[test]
fn a_purge_that_is_killed_at_a_call_is_finished_by_the_next_run() {
    let rows: [Row; 2] = [(Step::DeleteMany, &[1]), (Step::DeleteInTrash, &[1, SINGLE_DELETES])];
    run(Mode::TrashInBucket, &rows);
}

/// The same, killed at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_purge_that_is_killed_at_a_commit_is_finished_by_the_next_run() {
    let rows: [Row; 2] = [(Step::Failpoint("purge-intent"), &[1]), (Step::Failpoint("purge-outcome"), &[1])];
    run(Mode::TrashInBucket, &rows);
}

/// The same on a folder, killed when a file loses its name, and at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_purge_in_a_folder_that_is_killed_is_finished_by_the_next_run() {
    let rows: [Row; 3] = [
        (Step::Failpoint("unlink"), &[1, ORPHANS]),
        (Step::Failpoint("purge-intent"), &[1]),
        (Step::Failpoint("purge-outcome"), &[1]),
    ];
    run(Mode::TrashInFolder, &rows);
}
