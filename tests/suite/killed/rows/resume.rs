//! Killed once more, as the next run says what became of rows that a kill left open; and what an application does to such
//! rows while the tool is dead.

use super::{Hold, Moment, Row, Step, TWO_BATCHES, assert_next_run_converges, assert_restores, hold, restore_all, run};
use crate::killed::hold::{at_each, say_run};
use crate::support::row_scene::{FATES, Fate, RowScene, key};

const FEW: usize = 5;

fn cell(fate: Fate, first: Hold, second: Hold) {
    let scene = RowScene::new(fate, TWO_BATCHES);
    first.kill_rows(&scene, &["--execute"]);
    second.kill_rows(&scene, &["--execute"]);
    assert_next_run_converges(&scene, &[]);
    assert_restores(&scene);
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_run_that_resumes_rows_and_is_killed_is_finished_by_the_one_after() {
    let rows: [Row; 1] = [(Step::Failpoint("row-resume"), &[1])];
    for fate in FATES {
        for first in [hold("row-commit", Moment::After, 2), hold("row-outcome", Moment::After, 2)] {
            at_each(&format!("rows that are resumed, {fate:?}"), &rows, |second| cell(fate, first, second));
        }
    }
}

/// A row that was to be marked and was not, or was, and that the application changes before the next run: that change is
/// not taken for the tool's, and `restore` does not take it back.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn what_an_application_changes_while_the_tool_is_dead_is_not_taken_back() {
    let mut cells = 0;
    for fate in [Fate::Marked, Fate::Expired] {
        for moment in [Moment::Before, Moment::After] {
            let mut scene = RowScene::new(fate, FEW);
            hold("row-commit", moment, 1).kill_rows(&scene, &["--execute"]);
            let id = scene.id(0);
            scene.database.run(&format!("UPDATE assets SET title = 'another' WHERE id = {id}"));
            assert_next_run_converges(&scene, &[]);
            let row = scene.first_rows.get_mut(&id).expect("the first row");
            row.whole = row.whole.replace("a title", "another");
            assert_restores(&scene);
            cells += 1;
        }
    }
    say_run(cells, "rows that are changed while the tool is dead");
}

/// A row that the kill left unmarked, and that the application lets live before the next run: it was never removed.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_row_that_was_not_marked_and_lives_again_is_not_taken_for_one_that_was() {
    let scene = RowScene::new(Fate::Expired, FEW);
    hold("row-commit", Moment::Before, 1).kill_rows(&scene, &["--execute"]);
    let id = scene.id(0);
    scene.database.run(&format!("UPDATE assets SET expiry_at = NULL, status = 'renewed' WHERE id = {id}"));
    let renewed = scene.table()[&id].clone();
    let outcome = run(&scene, &["--execute"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.files().get(&key(0)), Some(&key(0)), "its file: {outcome:#?}");
    restore_all(&scene);
    assert_eq!(scene.table().get(&id), Some(&renewed), "the application's own change was taken back");
    let words: Vec<_> = scene.removals().into_iter().filter(|removal| removal.id.as_ref() == Some(&id)).collect();
    assert!(words.iter().all(|removal| removal.outcome == "skipped"), "{words:#?}");
    say_run(1, "a row that lives again while the tool is dead");
}

/// A row that was deleted, and that the application inserts again before the next run, with its file: both stay.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_row_that_is_inserted_again_while_the_tool_is_dead_keeps_its_file() {
    for step in ["row-commit", "row-outcome", "row-settle", "outcome"] {
        let scene = RowScene::new(Fate::Unlinked, FEW);
        hold(step, Moment::After, 1).kill_rows(&scene, &["--execute"]);
        let id = scene.id(0);
        let key = key(0);
        scene.database.run(&format!(
            "INSERT INTO assets VALUES ({id}, '{key}', 'ready', '9', NULL, 'new', '2020-01-01T00:00:00Z')"
        ));
        let inserted = scene.table()[&id].clone();
        let outcome = run(&scene, &["--execute"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        scene.assert_nothing_is_lost();
        assert_eq!(scene.table().get(&id), Some(&inserted));
        scene.assert_all_went(&[0]);
    }
    say_run(4, "rows that are inserted again while the tool is dead");
}
