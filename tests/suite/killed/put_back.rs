//! Killed while a file that became wanted is put back: in the run that moved it to the trash, and in the next one, which
//! finds it in a batch that a kill has torn.

use super::hold::{Hold, Moment, Row, Step, at_each, say_run};
use super::scene::{Mode, Scene, lost};

const ORPHANS: usize = 12;
/// More than are looked at one by one in any case.
const MANY: usize = 45;

/// The first and the last of the batch.
fn wanted_after_all(scene: &Scene) -> Vec<String> {
    [0, scene.orphans.len() - 1].map(|number| scene.orphans[number].clone()).to_vec()
}

/// Rows appear between the last look and the delete; the run that deleted is killed as it puts the files back.
fn in_the_same_run(hold: Hold) {
    let few = Scene::new(Mode::TrashInBucket, lost(ORPHANS));
    for mut scene in
        [few, Scene::new(Mode::TrashInBucket, lost(MANY)), Scene::far_apart(Mode::TrashInBucket, lost(MANY))]
    {
        killed_in_the_same_run(&mut scene, hold);
    }
}

fn killed_in_the_same_run(scene: &mut Scene, hold: Hold) {
    let keys = wanted_after_all(scene);
    scene.want_when_deleting(&keys);
    hold.kill(scene, &["--execute"]);
    scene.assert_nothing_is_lost();
    scene.assert_next_run_converges();
}

/// A run is killed with its files in the trash, rows appear, and the next run is killed as it puts the files back.
fn in_the_next_run(mode: Mode, first: Step, hold: Hold) {
    let mut scene = Scene::new(mode, lost(ORPHANS));
    Hold { step: first, moment: Moment::After, nth: 1 }.kill(&scene, &["--execute"]);
    let keys = wanted_after_all(&scene);
    scene.want(&keys);
    hold.kill(&scene, &["--execute"]);
    scene.assert_nothing_is_lost();
    scene.assert_next_run_converges();
}

/// `cleanup-assets --execute` on a bucket, killed at a call as it puts back what it has just moved away.
#[test]
fn a_put_back_that_is_killed_at_a_call_is_finished_by_the_next_run() {
    let rows: [Row; 2] = [(Step::CopyFromTrash, &[1, 2]), (Step::DeleteInTrash, &[1, 2])];
    at_each("put-back in the same run", &rows, in_the_same_run);
}

/// The same, killed at the commit that says so.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_put_back_that_is_killed_at_a_commit_is_finished_by_the_next_run() {
    at_each("put-back in the same run", &[(Step::Failpoint("settle"), &[1])], in_the_same_run);
}

/// `cleanup-assets --execute` on a bucket after a run that was killed, killed at a call of its own.
#[test]
fn a_put_back_by_the_next_run_that_is_killed_too_is_finished_by_the_one_after() {
    // Its copy stays in the trash: there is no delete to be killed at.
    let rows: [Row; 1] = [(Step::CopyFromTrash, &[1, 2])];
    at_each("put-back in the next run", &rows, |hold| in_the_next_run(Mode::TrashInBucket, Step::DeleteMany, hold));
}

/// The same on a folder, killed when a file gets or loses a name, and at the commit.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_put_back_in_a_folder_that_is_killed_is_finished_by_the_next_run() {
    let rows: [Row; 2] = [(Step::Failpoint("move"), &[1, 2]), (Step::Failpoint("resume"), &[1])];
    at_each("put-back in a folder", &rows, |hold| {
        in_the_next_run(Mode::TrashInFolder, Step::Failpoint("outcome"), hold)
    });
}

/// The commit by which a run that resumes another's work says what became of it.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_put_back_by_the_next_run_that_is_killed_at_its_commit_is_finished_by_the_one_after() {
    let rows: [Row; 1] = [(Step::Failpoint("resume"), &[1])];
    at_each("put-back in the next run", &rows, |hold| in_the_next_run(Mode::TrashInBucket, Step::DeleteMany, hold));
}

/// A row that comes and goes: its file was put back by the run that was killed, and is not in the trash any more.
#[test]
fn a_file_that_was_put_back_and_is_unwanted_again_is_not_called_trashed() {
    let mut scene = Scene::new(Mode::TrashInBucket, lost(ORPHANS));
    let keys = wanted_after_all(&scene);
    scene.want_when_deleting(&keys);
    Hold { step: Step::DeleteInTrash, moment: Moment::After, nth: 2 }.kill(&scene, &["--execute"]);
    scene.want_no_more(&keys);
    scene.run_once_more();
    scene.assert_nothing_is_lost();
    scene.assert_trash_agrees();
    say_run(1, "put-back and unwanted again");
}
