//! Connections to the database that are lost at a statement.

use super::{BROKEN, ROWS, assert_converges, assert_nothing_happened, assert_one_failed, execute, gone, reported, say};
use crate::support::cutter::{Cut, Cutter};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::row_scene::{FATES, Fate, RowScene};
use crate::support::servers::Database;

/// An engine's words, as they cross the wire.
struct Words {
    /// What reads every key.
    stream: &'static [u8],
    /// What reads rows by their keys.
    by_key: &'static [u8],
    begin: &'static [u8],
    commit: &'static [u8],
    /// Whether a statement on a row crosses the wire once, and by its number after that.
    stays_prepared: bool,
}

const POSTGRES: Words = Words {
    stream: b"ORDER BY",
    by_key: b"unnest(",
    begin: b"READ COMMITTED READ WRITE",
    // Of the simple protocol, where a text ends in a zero.
    commit: b"COMMIT\0",
    stays_prepared: false,
};
const MARIADB: Words = Words {
    stream: b"ORDER BY",
    by_key: b" IN (",
    begin: b"START TRANSACTION READ WRITE",
    commit: b"\x03COMMIT",
    stays_prepared: true,
};

fn through_a_proxy(database: Box<dyn Database>, fate: Fate) -> (RowScene, Cutter) {
    let cutter = Cutter::before(&database.url());
    let scene = RowScene::on(database, fate, ROWS);
    scene.configure(&cutter.url, "");
    (scene, cutter)
}

fn change(fate: Fate) -> &'static [u8] {
    if matches!(fate, Fate::Deleted | Fate::Unlinked) { b"DELETE FROM" } else { b"UPDATE " }
}

/// Before anything was removed: nothing is.
fn before_anything(words: &Words, database: impl Fn() -> Box<dyn Database>) {
    let mut cells = 0;
    for fate in FATES {
        for (statement, nth) in [(words.stream, 1), (words.by_key, 1), (words.begin, 1), (words.begin, ROWS)] {
            for how in [Cut::Before, Cut::Answer] {
                let (scene, cutter) = through_a_proxy(database(), fate);
                cutter.cut(statement, nth, how);
                let outcome = execute(&scene);
                assert!(cutter.was_cut(), "nobody sent {:?}: {outcome:#?}", String::from_utf8_lossy(statement));
                assert_nothing_happened(&scene, &outcome);
                assert_converges(&scene);
                cells += 1;
            }
        }
    }
    say(cells, "connections lost before anything was removed");
}

/// In the transaction of one row: that row fails, and the others go.
fn in_the_transaction(words: &Words, database: impl Fn() -> Box<dyn Database>) {
    let mut cells = 0;
    for fate in FATES {
        // Each row was read before, in a transaction of its own.
        let begin = (words.begin, ROWS + 1 + BROKEN);
        let statements = [begin, (b"FOR UPDATE".as_slice(), 1 + BROKEN), (change(fate), 1 + BROKEN)];
        for (statement, nth) in statements.into_iter().take(if words.stays_prepared { 1 } else { 3 }) {
            for how in [Cut::Before, Cut::Answer] {
                let (scene, cutter) = through_a_proxy(database(), fate);
                // What marks a row reads it twice under a lock.
                let twice = statement == b"FOR UPDATE" && change(fate) == b"UPDATE ";
                cutter.cut(statement, if twice { 2 * nth - 1 } else { nth }, how);
                let outcome = execute(&scene);
                assert!(cutter.was_cut(), "nobody sent {:?}: {outcome:#?}", String::from_utf8_lossy(statement));
                assert_one_failed(&scene, &outcome);
                assert_converges(&scene);
                cells += 1;
            }
        }
    }
    say(cells, "connections lost in a row's transaction");
}

/// At its commit: what became of it is looked up, and never guessed.
fn at_the_commit(words: &Words, database: impl Fn() -> Box<dyn Database>) {
    let mut cells = 0;
    for fate in FATES {
        for how in [Cut::Before, Cut::Answer, Cut::Late, Cut::Down] {
            let (scene, cutter) = through_a_proxy(database(), fate);
            cutter.cut(words.commit, 1 + BROKEN, how);
            let outcome = execute(&scene);
            assert!(cutter.was_cut(), "nobody sent a commit: {outcome:#?}");
            match how {
                Cut::Before => assert_one_failed(&scene, &outcome),
                Cut::Answer | Cut::Late => {
                    assert_eq!(outcome.code, 0, "{how:?}: {outcome:#?}");
                    assert_eq!((reported(&outcome.json()), gone(&scene)), (ROWS as u64, ROWS as u64), "{outcome:#?}");
                    scene.assert_all_went(&[]);
                    scene.assert_ledger_agrees();
                }
                Cut::Down => {
                    assert!([1, 3].contains(&outcome.code), "{outcome:#?}");
                    // The second is gone, and the tool cannot know it.
                    assert_eq!((reported(&outcome.json()), gone(&scene)), (1, 2), "{outcome:#?}");
                    let open = scene.removals().iter().filter(|removal| removal.outcome == "open").count();
                    assert!(open > 0, "a row whose end nobody knows is open: {:#?}", scene.removals());
                    cutter.up();
                }
            }
            scene.assert_nothing_is_lost();
            assert_converges(&scene);
            cells += 1;
        }
    }
    say(cells, "connections lost at a row's commit");
}

/// `restore`, cut at the commit of one row: what became of it is looked up by the next, and never guessed.
fn at_the_commit_of_a_restore(words: &Words, database: impl Fn() -> Box<dyn Database>) {
    let mut cells = 0;
    for fate in FATES {
        for how in [Cut::Before, Cut::Answer] {
            let (scene, cutter) = through_a_proxy(database(), fate);
            assert_eq!(execute(&scene).code, 0);
            let run = scene.runs()[0].to_string();
            cutter.cut(words.commit, 1 + BROKEN, how);
            let outcome = scene.tool.run(&["restore", "--run", &run]);
            assert!(cutter.was_cut() && outcome.code == 3, "{outcome:#?}");
            let outcome = scene.tool.run(&["restore", "--run", &run]);
            assert_eq!(outcome.code, 0, "{how:?}: {outcome:#?}");
            scene.assert_all_is_back();
            scene.assert_ledger_agrees();
            cells += 1;
        }
    }
    say(cells, "connections lost at the commit of a restore");
}

#[test]
#[ignore = "needs PostgreSQL and MariaDB: run tests/run"]
fn a_connection_lost_at_the_commit_of_a_restore_is_looked_up() {
    at_the_commit_of_a_restore(&POSTGRES, || Box::new(Postgres::new()));
    at_the_commit_of_a_restore(&MARIADB, || Box::new(MariaDb::new()));
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_postgres_connection_lost_before_anything_is_removed_fails() {
    before_anything(&POSTGRES, || Box::new(Postgres::new()));
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_postgres_connection_lost_in_a_rows_transaction_fails_that_row_alone() {
    in_the_transaction(&POSTGRES, || Box::new(Postgres::new()));
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_postgres_connection_lost_at_a_rows_commit_is_looked_up() {
    at_the_commit(&POSTGRES, || Box::new(Postgres::new()));
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_mariadb_connection_lost_before_anything_is_removed_fails() {
    before_anything(&MARIADB, || Box::new(MariaDb::new()));
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_mariadb_connection_lost_in_a_rows_transaction_fails_that_row_alone() {
    in_the_transaction(&MARIADB, || Box::new(MariaDb::new()));
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_mariadb_connection_lost_at_a_rows_commit_is_looked_up() {
    at_the_commit(&MARIADB, || Box::new(MariaDb::new()));
}
