//! The same on PostgreSQL and MariaDB, at one item of each step: there the database outlives the tool, and rolls back what
//! it had not committed.

use super::{Hold, Moment, Row, Step, assert_next_run_converges, assert_restores, hold};
use crate::killed::hold::{at_each, say_run};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::row_scene::{FATES, Fate, RowScene};
use crate::support::servers::Database;

const FEW: usize = 4;
const OF_ROWS: [Row; 4] = [
    (Step::Failpoint("row-intent"), &[1]),
    (Step::Failpoint("row-commit"), &[1, FEW]),
    (Step::Failpoint("row-outcome"), &[1]),
    (Step::Failpoint("row-settle"), &[1]),
];
const OF_FILES: [Row; 1] = [(Step::Failpoint("outcome"), &[1])];

fn removal(database: Box<dyn Database>, fate: Fate, hold: Hold) {
    let scene = RowScene::on(database, fate, FEW);
    hold.kill_rows(&scene, &["--execute"]);
    assert_next_run_converges(&scene, &[]);
    assert_restores(&scene);
}

/// The first and the last file appear while the tool is dead, and the next run is killed as it puts their rows back.
fn put_back(database: Box<dyn Database>, fate: Fate, second: Hold) {
    let scene = RowScene::on(database, fate, FEW);
    hold("row-commit", Moment::After, FEW).kill_rows(&scene, &["--execute"]);
    let appeared = [0, FEW - 1];
    appeared.iter().for_each(|number| scene.appear(*number));
    second.kill_rows(&scene, &["--execute"]);
    assert_next_run_converges(&scene, &appeared);
    assert_eq!(scene.table().get(&scene.id(0)), scene.first_rows.get(&scene.id(0)));
}

fn restore(database: Box<dyn Database>, fate: Fate, moment: Moment) {
    let scene = RowScene::on(database, fate, FEW);
    assert_next_run_converges(&scene, &[]);
    let run = scene.runs()[1].to_string();
    hold("row-restore-outcome", moment, 1).kill_rows(&scene, &["restore", "--run", &run]);
    assert_restores(&scene);
}

fn on(engine: &str, database: impl Fn() -> Box<dyn Database>) {
    for fate in FATES {
        at_each(&format!("rows on {engine}, {fate:?}"), &OF_ROWS, |hold| removal(database(), fate, hold));
        if fate.has_files() {
            at_each(&format!("files of rows on {engine}, {fate:?}"), &OF_FILES, |hold| removal(database(), fate, hold));
        } else {
            let rows: [Row; 1] = [(Step::Failpoint("row-resume"), &[1])];
            at_each(&format!("rows put back on {engine}, {fate:?}"), &rows, |hold| put_back(database(), fate, hold));
        }
        for moment in [Moment::Before, Moment::After] {
            restore(database(), fate, moment);
        }
        say_run(2, &format!("restore of rows on {engine}, {fate:?}"));
    }
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn rows_in_postgres_that_a_run_which_is_killed_was_to_remove_are_removed_by_the_next() {
    on("PostgreSQL", || Box::new(Postgres::new()));
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn rows_in_mariadb_that_a_run_which_is_killed_was_to_remove_are_removed_by_the_next() {
    on("MariaDB", || Box::new(MariaDb::new()));
}
