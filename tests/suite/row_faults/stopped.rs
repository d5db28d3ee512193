//! Statements that are cancelled, as a timeout does, and sessions that are ended, while they wait for a lock that the
//! application holds.

use super::{
    BROKEN, ROWS, WAITING, WAITING_FOR_ROW, assert_converges, assert_nothing_happened, assert_one_failed, at_prompt,
    say, wait_for,
};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::row_scene::{BUCKET, FATES, RowScene};
use crate::support::servers::Database;
use crate::support::session::Session;
use crate::support::terminal::Terminal;

/// What waits, and how it is stopped: `{}` is its number.
struct Engine {
    lock_table: &'static str,
    waiting_for_table: &'static str,
    waiting_for_row: &'static str,
    unlock: &'static str,
    stops: [&'static str; 2],
}

const POSTGRES: Engine = Engine {
    lock_table: "BEGIN; LOCK TABLE assets IN ACCESS EXCLUSIVE MODE",
    waiting_for_table: WAITING,
    waiting_for_row: WAITING,
    unlock: "ROLLBACK",
    stops: ["SELECT pg_cancel_backend({})", "SELECT pg_terminate_backend({})"],
};
const MARIADB: Engine = Engine {
    lock_table: "LOCK TABLES assets WRITE",
    waiting_for_table: "SELECT CAST(id AS CHAR) FROM information_schema.processlist WHERE db = DATABASE() \
         AND state LIKE 'Waiting for table%'",
    waiting_for_row: WAITING_FOR_ROW,
    unlock: "ROLLBACK; UNLOCK TABLES",
    stops: ["KILL QUERY {}", "KILL {}"],
};

fn on(engine: &Engine, database: impl Fn() -> Box<dyn Database>) {
    let mut cells = 0;
    for fate in FATES {
        for stop in engine.stops {
            let stopped = |scene: &RowScene, waiting: &str, mut session: Session, terminal: Terminal| {
                let number = wait_for(&*scene.database, waiting);
                scene.database.run(&stop.replace("{}", &number));
                // What was stopped is no more, and another may wait in its place by now.
                session.run(engine.unlock);
                terminal.end()
            };

            // The stream of keys.
            let scene = RowScene::on(database(), fate, ROWS);
            let mut session = Session::to(&scene.database.url());
            session.run(engine.lock_table);
            let terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
            assert_nothing_happened(&scene, &stopped(&scene, engine.waiting_for_table, session, terminal));
            assert_converges(&scene);

            // The second look, just before the rows go.
            let scene = RowScene::on(database(), fate, ROWS);
            let mut terminal = at_prompt(&scene);
            let mut session = Session::to(&scene.database.url());
            session.run(engine.lock_table);
            terminal.type_line(BUCKET);
            assert_nothing_happened(&scene, &stopped(&scene, engine.waiting_for_table, session, terminal));
            assert_converges(&scene);

            // The row's transaction.
            let scene = RowScene::on(database(), fate, ROWS);
            let mut terminal = at_prompt(&scene);
            let mut session = Session::to(&scene.database.url());
            session.run(&format!("BEGIN; SELECT id FROM assets WHERE id = {} FOR UPDATE", scene.id(BROKEN)));
            terminal.type_line(BUCKET);
            assert_one_failed(&scene, &stopped(&scene, engine.waiting_for_row, session, terminal));
            assert_converges(&scene);
            cells += 3;
        }
    }
    say(cells, "statements cancelled and sessions ended");
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn what_is_stopped_in_postgres_removes_nothing() {
    on(&POSTGRES, || Box::new(Postgres::new()));
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn what_is_stopped_in_mariadb_removes_nothing() {
    on(&MARIADB, || Box::new(MariaDb::new()));
}
