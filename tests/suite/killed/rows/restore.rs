//! Killed while rows are brought back: a second `restore` brings back the rest, and overwrites nothing.

use super::{Hold, Moment, Row, Step, TWO_BATCHES, assert_next_run_converges, assert_restores, hold, run};
use crate::killed::hold::{at_each, say_run};
use crate::support::row_scene::{FATES, Fate, RowScene};

const ROWS: [Row; 2] =
    [(Step::Failpoint("row-restore-intent"), &[1, 2]), (Step::Failpoint("row-restore-outcome"), &[1, 2])];

/// A scene whose rows went, and the number of the run that removed them.
fn removed(fate: Fate) -> (RowScene, String) {
    let scene = RowScene::new(fate, TWO_BATCHES);
    assert_next_run_converges(&scene, &[]);
    let run = scene.runs()[1].to_string();
    (scene, run)
}

fn cell(fate: Fate, hold: Hold) {
    let (scene, run) = removed(fate);
    hold.kill_rows(&scene, &["restore", "--run", &run]);
    assert_restores(&scene);
}

#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn rows_that_are_restored_by_a_command_that_is_killed_are_restored_by_the_next() {
    for fate in FATES {
        at_each(&format!("restore of rows, {fate:?}"), &ROWS, |hold| cell(fate, hold));
    }
}

/// The run after a restore that was killed, and not another restore, says what became of the rows.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_restore_that_was_killed_is_resolved_by_the_next_run() {
    for fate in FATES {
        for (step, moment) in [("row-restore-intent", Moment::After), ("row-restore-outcome", Moment::Before)] {
            let (scene, run_number) = removed(fate);
            hold(step, moment, 1).kill_rows(&scene, &["restore", "--run", &run_number]);
            // Nobody confirms: what is open is resolved, and nothing removed.
            let outcome = super::Process::start(&scene.tool, &["--execute"], &[], "no").end();
            assert!([0, 4].contains(&outcome.code), "{outcome:#?}");
            scene.assert_ledger_agrees();
            scene.assert_nothing_is_lost();
        }
    }
    say_run(FATES.len() * 2, "restore of rows, resolved by a run");
}

/// What an application did to rows while a restore was dead stays as it is.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn rows_that_an_application_took_up_meanwhile_are_left_alone() {
    for fate in FATES {
        let (scene, run_number) = removed(fate);
        hold("row-restore-intent", Moment::After, 1).kill_rows(&scene, &["restore", "--run", &run_number]);
        let id = scene.id(0);
        scene.database.run(&match fate {
            Fate::Deleted | Fate::Unlinked => {
                format!("INSERT INTO assets VALUES ({id}, 'assets/other.png', 'new', '9', NULL, 'new', '2026-01-01')")
            }
            Fate::Marked | Fate::Expired => format!("UPDATE assets SET status = 'new' WHERE id = {id}"),
        });
        let taken = scene.table()[&id].clone();
        let outcome = run(&scene, &["restore", "--run", &run_number]);
        assert!([0, 3].contains(&outcome.code), "{outcome:#?}");
        let table = scene.table();
        assert_eq!(table.get(&id), Some(&taken), "{outcome:#?}");
        for (id, row) in scene.first_rows.iter().filter(|(other, _)| **other != id) {
            assert_eq!(table.get(id), Some(row), "{outcome:#?}");
        }
    }
    say_run(FATES.len(), "restore of rows that were taken up");
}
