//! Killed while rows are removed, and while the files follow that were theirs.

use super::{Hold, OF_FILES, OF_ROWS, Row, Step, TWO_BATCHES, assert_next_run_converges, assert_restores};
use crate::killed::hold::at_each;
use crate::support::row_scene::{FATES, Fate, RowScene, key};
use crate::support::s3::Call;
use crate::support::servers::Database;
use crate::support::sqlite::{Sqlite, run_sql};

fn cell(fate: Fate, hold: Hold) {
    let scene = RowScene::new(fate, TWO_BATCHES);
    hold.kill_rows(&scene, &["--execute"]);
    assert_next_run_converges(&scene, &[]);
    assert_restores(&scene);
}

fn run(fate: Fate, rows: &[Row]) {
    at_each(&format!("rows, {fate:?}"), rows, |hold| cell(fate, hold));
}

/// `cleanup-assets --execute` with `missing_file = "delete"`, killed at each commit.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn rows_without_files_that_are_deleted_by_a_run_that_is_killed_are_deleted_by_the_next() {
    run(Fate::Deleted, &OF_ROWS);
}

/// The same with `missing_file = { set = … }`.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn rows_without_files_that_are_marked_by_a_run_that_is_killed_are_marked_by_the_next() {
    run(Fate::Marked, &OF_ROWS);
}

/// The same with a rule whose `then` sets columns: the file follows.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn rows_that_are_marked_with_their_files_gone_by_a_run_that_is_killed_are_by_the_next() {
    run(Fate::Expired, &OF_ROWS);
    run(Fate::Expired, &OF_FILES);
}

/// The same with a rule whose `then` is delete: row and file.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn rows_and_files_that_are_removed_by_a_run_that_is_killed_are_removed_by_the_next() {
    run(Fate::Unlinked, &OF_ROWS);
    run(Fate::Unlinked, &OF_FILES);
}

/// The application takes the first and the last row up again after they were found, as their files are looked at: they
/// stay, and the commit that says so is where the tool is killed.
fn left(fate: Fate, hold: Hold) {
    let database = Sqlite::new();
    let url = database.url();
    let scene = RowScene::on(Box::new(database), fate, TWO_BATCHES);
    let kept = [0, TWO_BATCHES - 1];
    for number in kept {
        match fate {
            // Looked at once in the comparison.
            Fate::Deleted | Fate::Marked => scene.appear_at_look(number, 2),
            Fate::Expired | Fate::Unlinked => {
                let (url, id) = (url.clone(), scene.id(number));
                scene.server.before(Call::Head, move |seen| {
                    if seen.key == key(number) {
                        let sql = format!("UPDATE assets SET entity_id = '8', expiry_at = NULL WHERE id = {id}");
                        run_sql(&url, &sql);
                    }
                });
            }
        }
    }
    hold.kill_rows(&scene, &["--execute"]);
    assert_next_run_converges(&scene, &kept);
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn rows_that_are_taken_up_again_before_a_kill_stay() {
    let rows: [Row; 1] = [(Step::Failpoint("row-left"), &[1, 2])];
    for fate in FATES {
        at_each(&format!("rows that stay, {fate:?}"), &rows, |hold| left(fate, hold));
    }
}
