//! Killed while files are removed. Whatever step was taken last, the next run finishes the work; and a file that a row
//! names by then stays, or comes back from the trash.

use super::hold::{Hold, Moment, Row, Step, at_each, say_run};
use super::scene::{Mode, Scene, lost};
use crate::support::s3::hours_ago;

/// Two batches to trash, of a hundred and of the rest.
const TWO_BATCHES_TO_TRASH: usize = 120;
/// Two batches for good, of a thousand and of the rest.
const TWO_BATCHES_FOR_GOOD: usize = 1_010;
/// Keys that XML cannot carry, so that each has a DeleteObject of its own.
const SINGLE_DELETES: usize = 4;
/// More than are looked at one by one in any case.
const MANY: usize = 45;

fn run(mode: Mode, orphans: &[String], rows: &[Row]) {
    at_each(&format!("{mode:?}"), rows, |hold| cell(Scene::new(mode, orphans.to_vec()), hold));
}

/// The same where files are looked at one by one, as they lie far apart.
fn run_far_apart(mode: Mode, orphans: usize, rows: &[Row]) {
    let name = format!("{mode:?}, far apart");
    at_each(&name, rows, |hold| cell(Scene::far_apart(mode, lost(orphans)), hold));
}

fn cell(mut scene: Scene, hold: Hold) {
    hold.kill(&scene, &["--execute"]);
    scene.assert_nothing_is_lost();
    if let Some(key) = wanted_after_all(&scene, hold) {
        scene.want(&[key]);
    }
    scene.assert_next_run_converges();
}

/// The file of which a row is inserted while the tool is dead: of the batch that the kill has torn, and where there is no
/// trash, one that is still there.
fn wanted_after_all(scene: &Scene, hold: Hold) -> Option<String> {
    let settled = matches!(hold.step, Step::Failpoint("settle")) && hold.moment == Moment::After;
    if settled {
        // The batch is over; bringing a file back from it is what `restore` is for.
        return None;
    }
    let mut candidates = scene.orphans.clone();
    if hold.nth > 1 {
        candidates.reverse();
    }
    let files = scene.files();
    candidates.into_iter().find(|key| scene.has_trash() || files.contains_key(key))
}

/// `cleanup-assets --execute` on a bucket, killed at a call that copies or deletes.
#[test]
fn a_removal_to_trash_that_is_killed_at_a_call_is_finished_by_the_next_run() {
    let rows: [Row; 2] = [(Step::CopyToTrash, &[1, TWO_BATCHES_TO_TRASH]), (Step::DeleteMany, &[1, 2])];
    run(Mode::TrashInBucket, &lost(TWO_BATCHES_TO_TRASH), &rows);
    run_far_apart(Mode::TrashInBucket, TWO_BATCHES_TO_TRASH, &rows);
}

/// `cleanup-assets --execute` on a bucket, killed at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_removal_to_trash_that_is_killed_at_a_commit_is_finished_by_the_next_run() {
    let rows = ["intent", "outcome", "settle"].map(|commit| (Step::Failpoint(commit), [1, 2].as_slice()));
    run(Mode::TrashInBucket, &lost(TWO_BATCHES_TO_TRASH), &rows);
    run_far_apart(Mode::TrashInBucket, TWO_BATCHES_TO_TRASH, &rows);
}

/// `cleanup-assets --execute` without a trash, killed at a call that deletes one file.
#[test]
fn a_removal_for_good_that_is_killed_at_a_single_delete_is_finished_by_the_next_run() {
    let single = (0..SINGLE_DELETES).map(|number| format!("assets/{number:06}-\u{1}.png"));
    for others in [20, MANY] {
        let orphans: Vec<String> = single.clone().chain(lost(others)).collect();
        run(Mode::ForGoodInBucket, &orphans, &[(Step::Delete, &[1, SINGLE_DELETES])]);
    }
}

/// `cleanup-assets --execute` without a trash, killed at a call that deletes many files.
#[test]
fn a_removal_for_good_that_is_killed_at_a_call_is_finished_by_the_next_run() {
    let rows: [Row; 1] = [(Step::DeleteMany, &[1, 2])];
    run(Mode::ForGoodInBucket, &lost(TWO_BATCHES_FOR_GOOD), &rows);
    run_far_apart(Mode::ForGoodInBucket, MANY, &[(Step::DeleteMany, &[1])]);
}

/// `cleanup-assets --execute` without a trash, killed at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_removal_for_good_that_is_killed_at_a_commit_is_finished_by_the_next_run() {
    let rows = ["intent", "outcome", "settle"].map(|commit| (Step::Failpoint(commit), [1, 2].as_slice()));
    run(Mode::ForGoodInBucket, &lost(TWO_BATCHES_FOR_GOOD), &rows);
    let rows = ["intent", "outcome", "settle"].map(|commit| (Step::Failpoint(commit), [1].as_slice()));
    run_far_apart(Mode::ForGoodInBucket, MANY, &rows);
}

/// `cleanup-assets --execute` on a folder, killed when a file gets or loses a name.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_removal_in_a_folder_that_is_killed_at_a_file_is_finished_by_the_next_run() {
    let rows = ["move"].map(|step| (Step::Failpoint(step), [1, TWO_BATCHES_TO_TRASH].as_slice()));
    run(Mode::TrashInFolder, &lost(TWO_BATCHES_TO_TRASH), &rows);
}

/// `cleanup-assets --execute` on a folder, killed at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_removal_in_a_folder_that_is_killed_at_a_commit_is_finished_by_the_next_run() {
    let rows = ["intent", "outcome", "settle"].map(|commit| (Step::Failpoint(commit), [1, 2].as_slice()));
    run(Mode::TrashInFolder, &lost(TWO_BATCHES_TO_TRASH), &rows);
}

/// `cleanup-assets --execute` on a folder without a trash, killed when a file loses its name.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_removal_for_good_in_a_folder_that_is_killed_at_a_file_is_finished_by_the_next_run() {
    let rows = ["move", "unlink"].map(|step| (Step::Failpoint(step), [1, TWO_BATCHES_FOR_GOOD].as_slice()));
    run(Mode::ForGoodInFolder, &lost(TWO_BATCHES_FOR_GOOD), &rows);
}

/// `cleanup-assets --execute` on a folder without a trash, killed at a commit of the ledger.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_removal_for_good_in_a_folder_that_is_killed_at_a_commit_is_finished_by_the_next_run() {
    let rows = ["intent", "outcome", "settle"].map(|commit| (Step::Failpoint(commit), [1, 2].as_slice()));
    run(Mode::ForGoodInFolder, &lost(TWO_BATCHES_FOR_GOOD), &rows);
}

/// The same where the file system cannot rename without writing over.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_removal_that_is_killed_where_files_are_renamed_over_others_is_finished_by_the_next_run() {
    for mode in [Mode::TrashInFolder, Mode::ForGoodInFolder] {
        at_each(&format!("{mode:?}, by links"), &[(Step::Failpoint("move"), &[1, 4])], |hold| {
            let mut scene = Scene::new(mode, lost(4));
            scene.tool = scene.tool.env("CLEANUP_ASSETS_WITHOUT", "rename-noreplace,openat2,mount-id");
            hold.kill(&scene, &["--execute"]);
            scene.assert_nothing_is_lost();
            if let Some(key) = wanted_after_all(&scene, hold) {
                scene.want(&[key]);
            }
            scene.assert_next_run_converges();
        });
    }
}

/// A run is killed as it has taken a file that was replaced in that moment: what it took is not what was judged, and goes
/// back, unless something else was stored there since. Nothing is deleted from the trash.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn what_a_killed_run_took_and_nobody_judged_goes_back() {
    for is_stored_again in [false, true] {
        let scene = Scene::new(Mode::TrashInFolder, lost(4));
        Hold { step: Step::Failpoint("move"), moment: Moment::After, nth: 1 }.kill(&scene, &["--execute"]);
        let key = &scene.orphans[0];
        let place = scene.files().into_keys().find(|place| place.ends_with(&format!("/{key}")) && place != key);
        let place = place.expect("it is in the trash");
        scene.put(&place, "stored in that moment");
        if is_stored_again {
            scene.put(key, "stored since");
        }
        // Any command that acts resolves it first; this one has nothing else to do.
        let outcome = scene.run(&["restore", "no-such-key"]);
        let files = scene.files();
        let (at_key, in_trash) = (files.get(key).map(String::as_str), files.get(&place).map(String::as_str));
        match is_stored_again {
            false => assert_eq!((at_key, in_trash), (Some("stored in that moment"), None), "{outcome:#?}"),
            true => {
                assert_eq!((at_key, in_trash), (Some("stored since"), Some("stored in that moment")), "{outcome:#?}")
            }
        }
    }
    say_run(2, "replaced as it was taken");
}

/// The way back was a link, and the run was killed before the other name went: one file is at both, and is back.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn what_has_both_names_is_back() {
    let scene = Scene::new(Mode::TrashInFolder, lost(4));
    Hold { step: Step::Failpoint("move"), moment: Moment::After, nth: 1 }.kill(&scene, &["--execute"]);
    let key = &scene.orphans[0];
    let place =
        scene.files().into_keys().find(|place| place.ends_with(&format!("/{key}"))).expect("it is in the trash");
    scene.put(&place, "stored in that moment");
    scene.link(&place, key);
    let outcome = scene.run(&["restore", "no-such-key"]);
    let files = scene.files();
    assert_eq!(files.get(key).map(String::as_str), Some("stored in that moment"), "{outcome:#?}");
    assert!(!files.contains_key(&place), "{outcome:#?}");
    say_run(1, "both names");
}

/// What an application stores at the key of a file that was just removed stays as it is; the old file stays in the trash.
#[test]
fn a_file_stored_at_the_same_key_while_the_tool_was_dead_stays_beside_the_old_one_in_the_trash() {
    for is_wanted in [true, false] {
        let mut scene = Scene::new(Mode::TrashInBucket, lost(4));
        Hold { step: Step::DeleteMany, moment: Moment::After, nth: 1 }.kill(&scene, &["--execute"]);
        let key = scene.orphans[0].clone();
        scene.server().bucket.put(&key, "stored meanwhile", hours_ago(0));
        if is_wanted {
            scene.want(std::slice::from_ref(&key));
        }
        let outcome = scene.run_once_more();
        assert_eq!(scene.files()[&key], "stored meanwhile", "{outcome:#?}");
        assert!(scene.is_in_trash(&key), "the old {key} is lost: {outcome:#?}");
        scene.assert_trash_agrees();
    }
    say_run(2, "stored meanwhile");
}
