//! Rows, and the files that follow them, killed at every step that leaves a mark. After the kill no row points at a file
//! that the tool removed, and no file is lost; the next run ends the work, and says what became of each row; and `restore`
//! brings everything back.
//!
//! | step | SQLite | PostgreSQL, MariaDB |
//! | --- | --- | --- |
//! | `row-intent`, `row-outcome`, `row-settle`: commits of the ledger, of the first and the last batch | `removal` | `engines` |
//! | `row-commit`: the database's own commit, of the first and the last row | `removal` | `engines` |
//! | `row-left`: the commit that says which rows stay, in a run in which the application links rows again | `removal` | |
//! | `intent`, `outcome`, `settle`: commits about the files that follow | `removal` | `engines` |
//! | `row-resume`: the next run's commit about what was left open | `resume` | `engines` |
//! | `row-settle` and `row-resume`, as a row is put back whose file appeared | `put_back` | `engines` |
//! | `row-restore-intent`, `row-restore-outcome` | `restore` | `engines` |
//!
//! Each for rows that are deleted or marked as their files are gone, and for rows that are deleted or marked with their
//! files, where that makes a difference.

mod engines;
mod put_back;
mod removal;
mod restore;
mod resume;

use super::hold::{Hold, Moment, Row, Step};
use super::process::Process;
use crate::support::row_scene::{BUCKET, RowScene};
use crate::support::tool::Outcome;

/// Rows of two batches, of a hundred and of the rest.
const TWO_BATCHES: usize = 103;

/// The steps of rows, and of the files that follow them.
const OF_ROWS: [Row; 4] = [
    (Step::Failpoint("row-intent"), &[1, 2]),
    (Step::Failpoint("row-commit"), &[1, TWO_BATCHES]),
    (Step::Failpoint("row-outcome"), &[1, 2]),
    (Step::Failpoint("row-settle"), &[1, 2]),
];
const OF_FILES: [Row; 3] =
    [(Step::Failpoint("intent"), &[1, 2]), (Step::Failpoint("outcome"), &[1, 2]), (Step::Failpoint("settle"), &[1, 2])];

impl Hold {
    fn kill_rows(self, scene: &RowScene, arguments: &[&str]) {
        self.kill_at_failpoint(&scene.tool, arguments, BUCKET);
        scene.assert_nothing_is_lost();
    }
}

fn hold(name: &'static str, moment: Moment, nth: usize) -> Hold {
    Hold { step: Step::Failpoint(name), moment, nth }
}

fn run(scene: &RowScene, arguments: &[&str]) -> Outcome {
    Process::start(&scene.tool, arguments, &[], BUCKET).end()
}

/// The next run ends well and says what it found open; then everything went, `kept` apart, and the run after it finds
/// nothing to do.
fn assert_next_run_converges(scene: &RowScene, kept: &[usize]) {
    let open = scene.removals().iter().filter(|removal| removal.outcome == "open").count();
    let outcome = run(scene, &["--execute"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    if open > 0 {
        assert!(outcome.stdout.contains(&format!("Resolved {open} removal")), "{open} were open: {outcome:#?}");
    }
    scene.assert_nothing_is_lost();
    scene.assert_all_went(kept);
    scene.assert_ledger_agrees();
    let known = scene.removals().len();
    let outcome = run(scene, &["--execute"]);
    assert_eq!((outcome.code, scene.removals().len()), (0, known), "there was nothing left to do: {outcome:#?}");
}

/// Restores every run, the newest first, as often as it takes: each must end well.
fn restore_all(scene: &RowScene) {
    for number in scene.runs() {
        let outcome = run(scene, &["restore", "--run", &number.to_string()]);
        // Of a run that was killed before anything went there is nothing to restore.
        let nothing = outcome.code == 2 && outcome.stderr.contains("nothing of run");
        assert!(outcome.code == 0 || nothing, "{outcome:#?}");
    }
}

fn assert_restores(scene: &RowScene) {
    restore_all(scene);
    scene.assert_all_is_back();
    scene.assert_ledger_agrees();
}
