//! The file of a row appears between the look that missed it and the row's end: the row is put back, by the run that
//! removed it or by the next one, each of which is killed as it does.

use super::{Hold, Moment, Row, Step, TWO_BATCHES, assert_next_run_converges, hold, run};
use crate::killed::hold::{at_each, say_run};
use crate::support::row_scene::{Fate, RowScene};

const FATES: [Fate; 2] = [Fate::Deleted, Fate::Marked];
/// The first and the last row.
const APPEARED: [usize; 2] = [0, TWO_BATCHES - 1];

/// Looked at in the comparison, before the row goes, and after.
const LOOK_AFTER: usize = 3;

fn assert_rows_are_as_they_were(scene: &RowScene) {
    let table = scene.table();
    for id in APPEARED.map(|number| scene.id(number)) {
        assert_eq!(table.get(&id), scene.first_rows.get(&id), "row {id}, whose file appeared");
    }
}

fn in_the_same_run(fate: Fate, hold: Hold) {
    let scene = RowScene::new(fate, TWO_BATCHES);
    APPEARED.iter().for_each(|number| scene.appear_at_look(*number, LOOK_AFTER));
    hold.kill_rows(&scene, &["--execute"]);
    // One that was not reached has its file by now in the same way.
    APPEARED.iter().for_each(|number| scene.appear(*number));
    assert_next_run_converges(&scene, &APPEARED);
    assert_rows_are_as_they_were(&scene);
}

#[test]
fn a_row_whose_file_appears_as_it_is_removed_is_put_back() {
    for fate in FATES {
        let scene = RowScene::new(fate, TWO_BATCHES);
        APPEARED.iter().for_each(|number| scene.appear_at_look(*number, LOOK_AFTER));
        let outcome = run(&scene, &["--execute", "--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        let removals = outcome.json()["removals"].take();
        let changed = if fate == Fate::Deleted { "records_deleted" } else { "records_updated" };
        assert_eq!(removals[changed], TWO_BATCHES - APPEARED.len(), "{removals:#}");
        scene.assert_all_went(&APPEARED);
        assert_rows_are_as_they_were(&scene);
        scene.assert_ledger_agrees();
    }
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_row_that_is_put_back_by_a_run_that_is_killed_stays_put_back() {
    let rows: [Row; 1] = [(Step::Failpoint("row-settle"), &[1, 2])];
    for fate in FATES {
        at_each(&format!("rows put back, {fate:?}"), &rows, |hold| in_the_same_run(fate, hold));
    }
}

/// A run is killed with its rows gone, the files of two appear, and the next run is killed as it puts these rows back.
fn in_the_next_run(fate: Fate, first: Hold, second: Hold) {
    let scene = RowScene::new(fate, TWO_BATCHES);
    first.kill_rows(&scene, &["--execute"]);
    APPEARED.iter().for_each(|number| scene.appear(*number));
    second.kill_rows(&scene, &["--execute"]);
    assert_next_run_converges(&scene, &APPEARED);
    assert_rows_are_as_they_were(&scene);
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_row_that_is_put_back_by_the_next_run_which_is_killed_too_stays_put_back() {
    let rows: [Row; 1] = [(Step::Failpoint("row-resume"), &[1])];
    for fate in FATES {
        for first in [hold("row-commit", Moment::After, 1), hold("row-outcome", Moment::After, 1)] {
            let name = format!("rows put back by the next run, {fate:?}");
            at_each(&name, &rows, |second| in_the_next_run(fate, first, second));
        }
    }
}

/// Of a row whose file was there and went with it, that something is there now says nothing: the row is not put back.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_row_whose_file_was_there_is_not_put_back_for_it() {
    for fate in [Fate::Expired, Fate::Unlinked] {
        let scene = RowScene::new(fate, TWO_BATCHES);
        hold("row-outcome", Moment::After, 1).kill_rows(&scene, &["--execute"]);
        assert_next_run_converges(&scene, &[]);
        let put_back = scene.removals().iter().filter(|removal| removal.outcome == "put-back").count();
        assert_eq!(put_back, 0, "{:#?}", scene.removals());
    }
    say_run(2, "rows whose files were there");
}
