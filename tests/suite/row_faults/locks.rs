//! Locks of an application that the tool waits for in vain, and deadlocks with it.

use super::{
    BROKEN, ROWS, WAITING, WAITING_FOR_ROW, assert_converges, assert_one_failed, at_prompt, execute, gone, reported,
    say, wait_for,
};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::row_scene::{BUCKET, FATES, Fate, RowScene};
use crate::support::servers::Database;
use crate::support::session::Session;

/// Deleting may set a trigger off that writes elsewhere.
const ALLOWED: &str = "allow_cascade = true";

/// A row that somebody keeps locked for longer than the tool waits.
fn kept_locked(database: Box<dyn Database>, fate: Fate) {
    let scene = RowScene::on(database, fate, ROWS);
    let mut session = Session::to(&scene.database.url());
    session.run(&format!("BEGIN; SELECT id FROM assets WHERE id = {} FOR UPDATE", scene.id(BROKEN)));
    assert_one_failed(&scene, &execute(&scene));
    session.run("ROLLBACK");
    assert_converges(&scene);
}

#[test]
#[ignore = "needs PostgreSQL and MariaDB: run tests/run"]
fn a_row_that_stays_locked_fails_alone() {
    for fate in [Fate::Deleted, Fate::Expired] {
        kept_locked(Box::new(Postgres::new()), fate);
        kept_locked(Box::new(MariaDb::new()), fate);
    }
    say(4, "rows that stay locked");
}

/// Deadlocks that the database makes up, of which the tool is the victim: so many times, for one row.
fn victim(fate: Fate, times: usize) -> RowScene {
    let scene = RowScene::on(Box::new(Postgres::new()), fate, ROWS);
    let id = scene.id(BROKEN);
    scene.database.run(&format!(
        "CREATE SEQUENCE tried;
         CREATE FUNCTION deadlock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF OLD.id = {id} AND nextval('tried') <= {times} THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF;
             IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER deadlock BEFORE DELETE OR UPDATE ON assets FOR EACH ROW EXECUTE FUNCTION deadlock()"
    ));
    scene.configure(&scene.database.url(), ALLOWED);
    scene
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_row_that_deadlocks_is_tried_again_and_fails_alone_in_the_end() {
    for fate in FATES {
        let scene = victim(fate, 2);
        let outcome = execute(&scene);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        scene.assert_all_went(&[]);
        scene.assert_ledger_agrees();

        let scene = victim(fate, 1_000_000);
        assert_one_failed(&scene, &execute(&scene));
        scene.database.run("DROP TRIGGER deadlock ON assets");
        assert_converges(&scene);
    }
    say(2 * FATES.len(), "deadlocks that are made up");
}

/// A deadlock as it happens: the application has a counter locked that a trigger counts with, and wants the row that the
/// tool has locked. It commits its change in the end, or does not.
fn deadlock(database: Box<dyn Database>, trigger: &str, waiting: &str, patient: &str, end: &str) {
    let scene = RowScene::on(database, Fate::Unlinked, ROWS);
    scene.database.run("CREATE TABLE counters (id INT PRIMARY KEY, n INT); INSERT INTO counters VALUES (1, 0)");
    scene.database.run("CREATE TABLE work (n INT)");
    scene.database.run(trigger);
    scene.configure(&scene.database.url(), ALLOWED);
    let mut terminal = at_prompt(&scene);
    let mut session = Session::to(&scene.database.url());
    session.run(patient);
    // One that has done more than the tool is not the victim.
    let work = vec!["(1)"; 1_000].join(", ");
    session.run(&format!("BEGIN; INSERT INTO work VALUES {work}; UPDATE counters SET n = n + 1"));
    terminal.type_line(BUCKET);
    wait_for(&*scene.database, waiting);
    session.run(&format!("UPDATE assets SET title = 'wanted', entity_id = '9' WHERE id = {}", scene.id(0)));
    session.run(end);
    let outcome = terminal.end();
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let kept: &[usize] = if end == "COMMIT" { &[0] } else { &[] };
    let expected = (ROWS - kept.len()) as u64;
    assert_eq!(reported(&outcome.json()), expected, "{outcome:#?}");
    assert!(gone(&scene) == expected, "{:#?}", scene.table());
    scene.assert_nothing_is_lost();
    scene.assert_all_went(kept);
    scene.assert_ledger_agrees();
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_deadlock_in_postgres_is_tried_again_and_the_row_judged_again() {
    for end in ["ROLLBACK", "COMMIT"] {
        let database = Postgres::new();
        let name = database.texts("SELECT current_database()::text").remove(0);
        database.run(&format!("ALTER DATABASE {name} SET deadlock_timeout = '2s'"));
        let trigger = "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 UPDATE counters SET n = n + 1; RETURN OLD; END $$;
             CREATE TRIGGER counted BEFORE DELETE ON assets FOR EACH ROW EXECUTE FUNCTION counted()";
        deadlock(Box::new(database), trigger, WAITING, "SET deadlock_timeout = '10min'", end);
    }
    say(2, "deadlocks in PostgreSQL");
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_deadlock_in_mariadb_is_tried_again_and_the_row_judged_again() {
    for end in ["ROLLBACK", "COMMIT"] {
        let trigger = "CREATE TRIGGER counted BEFORE DELETE ON assets FOR EACH ROW UPDATE counters SET n = n + 1";
        deadlock(Box::new(MariaDb::new()), trigger, WAITING_FOR_ROW, "DO 1", end);
    }
    say(2, "deadlocks in MariaDB");
}
