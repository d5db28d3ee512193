//! Killed while files are brought back from the trash: a second `restore` brings back the rest, and overwrites nothing.

use super::hold::{Hold, Moment, Row, Step, at_each, say_run};
use super::scene::{Mode, Scene, TRASH, lost};

const ORPHANS: usize = 12;
/// Files whose way back takes two batches, and so two commits of each kind.
const TWO_BATCHES: usize = 101;

const COMMITS: [Row; 2] = [(Step::Failpoint("restore-intent"), &[1, 2]), (Step::Failpoint("restore-outcome"), &[1, 2])];

fn run(mode: Mode, orphans: usize, rows: &[Row]) {
    at_each(&format!("restore, {mode:?}"), rows, |hold| cell(trashed(mode, orphans), hold));
}

/// The same of files that lie too far apart for listings.
fn run_far_apart(orphans: usize, rows: &[Row]) {
    let scene = || all_trashed(Scene::far_apart(Mode::TrashInBucket, lost(orphans)));
    at_each("restore, far apart", rows, |hold| cell(scene(), hold));
}

/// A scene whose orphans are all in the trash, and the number of the run that moved them there.
fn trashed(mode: Mode, orphans: usize) -> (Scene, String) {
    all_trashed(Scene::new(mode, lost(orphans)))
}

fn all_trashed(scene: Scene) -> (Scene, String) {
    scene.assert_next_run_converges();
    let run = scene.runs()[0].to_string();
    (scene, run)
}

fn cell((scene, run): (Scene, String), hold: Hold) {
    hold.kill(&scene, &["restore", "--run", &run]);
    scene.assert_nothing_is_lost();

    assert_restored(&scene, &run);
}

/// Restores a run, and expects all of it to be back.
fn assert_restored(scene: &Scene, run: &str) {
    let outcome = scene.run(&["restore", "--run", run]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let files = scene.files();
    for key in &scene.orphans {
        assert_eq!(files.get(key), Some(key), "there are {:#?} after {outcome:#?}", files.keys());
    }
    scene.assert_wanted_files_are_there();
    scene.assert_ledger_agrees();
}

/// What somebody stored at a restored file's place while the tool was dead stays as it is, and so does the trash's copy.
fn nothing_is_overwritten(mode: Mode, orphans: usize, step: Step) {
    let (scene, run) = trashed(mode, orphans);
    Hold { step, moment: Moment::Before, nth: 1 }.kill(&scene, &["restore", "--run", &run]);
    let files = scene.files();
    let taken = scene.orphans.iter().find(|key| !files.contains_key(*key)).expect("one that is not back yet").clone();
    scene.put(&taken, "stored meanwhile");

    let outcome = scene.run(&["restore", "--run", &run]);
    assert!([0, 3].contains(&outcome.code), "{outcome:#?}");
    let files = scene.files();
    assert_eq!(files[&taken], "stored meanwhile", "{outcome:#?}");
    let copy = files.iter().find(|(key, content)| key.starts_with(TRASH) && **content == taken);
    assert!(copy.is_some(), "{taken} is in the trash no more: {outcome:#?}");
    say_run(1, &format!("restore over something, {mode:?}"));
}

/// `cleanup-assets restore --run RUN` on a bucket, killed at a call.
#[test]
fn a_restore_that_is_killed_at_a_call_is_finished_by_the_next() {
    let rows: [Row; 2] = [(Step::CopyFromTrash, &[1, ORPHANS]), (Step::DeleteInTrash, &[1, ORPHANS])];
    run(Mode::TrashInBucket, ORPHANS, &rows);
    // Many are looked at by listing, and their copies go together.
    let rows: [Row; 2] = [(Step::CopyFromTrash, &[1, 100]), (Step::DeleteMany, &[1])];
    run(Mode::TrashInBucket, TWO_BATCHES, &rows);
    run_far_apart(TWO_BATCHES, &rows);
}

/// The same, killed at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_restore_that_is_killed_at_a_commit_is_finished_by_the_next() {
    run(Mode::TrashInBucket, TWO_BATCHES, &COMMITS);
    run_far_apart(TWO_BATCHES, &COMMITS);
}

/// The same on a folder, killed when a file gets or loses a name, and at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_restore_in_a_folder_that_is_killed_is_finished_by_the_next() {
    let rows: [Row; 1] = [(Step::Failpoint("move"), &[1, ORPHANS])];
    run(Mode::TrashInFolder, ORPHANS, &rows);
    run(Mode::TrashInFolder, TWO_BATCHES, &COMMITS);
}

/// `cleanup-assets restore --run RUN` once more, where a file was stored meanwhile.
#[test]
fn a_restore_that_was_killed_overwrites_nothing_when_it_is_repeated() {
    nothing_is_overwritten(Mode::TrashInBucket, ORPHANS, Step::CopyFromTrash);
    nothing_is_overwritten(Mode::TrashInBucket, TWO_BATCHES, Step::CopyFromTrash);
}

/// The same on a folder.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_restore_in_a_folder_that_was_killed_overwrites_nothing_when_it_is_repeated() {
    nothing_is_overwritten(Mode::TrashInFolder, ORPHANS, Step::Failpoint("move"));
}

/// `cleanup-assets restore --run RUN` of a run that was killed when its files were in the trash and it had not said so:
/// the ledger's intents are enough to bring them back.
#[test]
fn the_files_of_a_run_that_was_killed_can_be_restored() {
    let scene = Scene::new(Mode::TrashInBucket, lost(ORPHANS));
    Hold { step: Step::DeleteMany, moment: Moment::After, nth: 1 }.kill(&scene, &["--execute"]);
    assert_restored(&scene, &scene.runs()[0].to_string());
    say_run(1, "restore of a run that was killed");
}
