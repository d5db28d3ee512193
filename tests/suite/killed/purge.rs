//! Killed while trash that is due is removed for good. Nothing of it is ever put back; the next run says what is gone,
//! and one for which the rest is due removes that.

use super::hold::{Hold, Row, Step, at_each};
use super::scene::{Mode, Scene, TRASH, lost};

/// Keys that XML cannot carry, so that each has a DeleteObject of its own.
const SINGLE_DELETES: usize = 3;
const ORPHANS: usize = 12;
/// Two batches, of a thousand and of the rest.
const TWO_BATCHES: usize = 1_010;
/// The first of the second batch.
const SECOND_BATCH: usize = 1_001;

/// Kills the purge of so many files, and in a bucket of those that are deleted singly, at each of these steps.
fn run(mode: Mode, orphans: usize, rows: &[Row]) {
    let mut orphans = lost(orphans);
    if mode == Mode::TrashInBucket {
        // Behind all others, and so in the last batch.
        orphans.extend((0..SINGLE_DELETES).map(|number| format!("assets/9{number:05}-\u{1}.png")));
    }
    let name = format!("due trash, {mode:?}, {} files", orphans.len());
    let scene = Scene::new(mode, orphans);
    scene.assert_next_run_converges();
    scene.keep_trash("0s");
    let due = scene.now();
    at_each(&name, rows, |hold| {
        scene.come_back_to(&due);
        cell(&scene, hold);
    });
}

fn cell(scene: &Scene, hold: Hold) {
    hold.kill(scene, &["--execute"]);
    scene.assert_wanted_files_are_there();

    // Of a run for which nothing is due, what the ledger says must be true as well.
    scene.keep_trash("30d");
    scene.run_once_more();
    scene.assert_ledger_agrees();

    scene.keep_trash("0s");
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
    run(Mode::TrashInBucket, ORPHANS, &rows);
}

/// The same, killed at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_purge_that_is_killed_at_a_commit_is_finished_by_the_next_run() {
    let rows: [Row; 2] = [(Step::Failpoint("purge-intent"), &[1]), (Step::Failpoint("purge-outcome"), &[1])];
    run(Mode::TrashInBucket, ORPHANS, &rows);
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
    run(Mode::TrashInFolder, ORPHANS, &rows);
}

/// `cleanup-assets --execute` with so much due trash in a bucket that it goes in two batches, killed at a call of the
/// second.
#[test]
fn a_second_batch_of_a_purge_that_is_killed_at_a_call_is_finished_by_the_next_run() {
    let rows: [Row; 2] = [(Step::DeleteMany, &[2]), (Step::DeleteInTrash, &[1, SINGLE_DELETES])];
    run(Mode::TrashInBucket, TWO_BATCHES, &rows);
}

/// The same, killed at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_second_batch_of_a_purge_that_is_killed_at_a_commit_is_finished_by_the_next_run() {
    let rows: [Row; 2] = [(Step::Failpoint("purge-intent"), &[2]), (Step::Failpoint("purge-outcome"), &[2])];
    run(Mode::TrashInBucket, TWO_BATCHES, &rows);
}

/// The same on a folder, killed when a file loses its name, and at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_second_batch_of_a_purge_in_a_folder_that_is_killed_is_finished_by_the_next_run() {
    let rows: [Row; 3] = [
        (Step::Failpoint("unlink"), &[SECOND_BATCH, TWO_BATCHES]),
        (Step::Failpoint("purge-intent"), &[2]),
        (Step::Failpoint("purge-outcome"), &[2]),
    ];
    run(Mode::TrashInFolder, TWO_BATCHES, &rows);
}
