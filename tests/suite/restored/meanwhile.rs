//! What happened between a run and its restore: an id that is taken again, a value that must be the only one of its kind,
//! columns that came and went, rows that were removed twice.

use serde_json::Value;

use super::trip::{DOOMED, ID, KEY, Trip};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::tool::Outcome;

const DOOMED_ROWS: usize = 40;

/// What a test needs to know of an engine: its database, and what surrounds a name.
type Engine = (Box<dyn Database>, char);

fn sqlite() -> Engine {
    (Box::new(Sqlite::new()), '"')
}

fn postgres() -> Engine {
    (Box::new(Postgres::new()), '"')
}

fn mariadb() -> Engine {
    (Box::new(MariaDb::new()), '`')
}

/// Forty rows that go and ten that stay, and the run that deleted the forty.
struct Scene {
    database: Box<dyn Database>,
    quote: char,
    trip: Trip,
    run: Value,
}

impl Scene {
    fn after_a_run((database, quote): Engine) -> Scene {
        let trip = Trip::of(&*database, &["notes".to_owned()], "\"delete\"");
        let mut scene = Scene { database, quote, trip, run: Value::Null };
        let (id, key) = (scene.quoted(ID), scene.quoted(KEY));
        let row = |id: usize, key: String, doomed: u8| format!("({id}, {key}, {doomed}, 'note {id}', 'u{id}')");
        let rows = (0..DOOMED_ROWS).map(|id| row(id, scene.trip.key(id), 1));
        let kept = (0..10).map(|number| row(100 + number, format!("'kept-{number}.png'"), 0));
        let rows: Vec<String> = rows.chain(kept).collect();
        scene.database.run(&format!(
            "CREATE TABLE notes ({id} int PRIMARY KEY, {key} varchar(100), {DOOMED} int, note varchar(100), alone varchar(50) UNIQUE);
             INSERT INTO notes VALUES {}",
            rows.join(", ")
        ));
        scene.run = scene.trip.there(DOOMED_ROWS, "records_deleted");
        scene
    }

    fn quoted(&self, name: &str) -> String {
        let doubled = name.replace(self.quote, &format!("{0}{0}", self.quote));
        format!("{0}{doubled}{0}", self.quote)
    }

    fn restore(&self) -> Outcome {
        self.trip.tool.run(&["restore", "--run", &self.run.to_string()])
    }

    fn notes(&self) -> Vec<String> {
        self.database.texts(&format!("SELECT note FROM notes WHERE {DOOMED} = 1 ORDER BY {}", self.quoted(ID)))
    }

    fn notes_of(rows: impl Iterator<Item = usize>) -> Vec<String> {
        rows.map(|id| format!("note {id}")).collect()
    }
}

fn what_is_taken_again_is_left_alone(engine: Engine) {
    let scene = Scene::after_a_run(engine);
    scene.database.run("INSERT INTO notes VALUES (7, NULL, 5, 'a new one', 'new')");
    scene.database.run("INSERT INTO notes VALUES (1000, NULL, 5, 'with the same', 'u9')");
    let outcome = scene.restore();
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(outcome.stderr.contains("notes id 7: a row with its id is there; it was left alone"), "{outcome:#?}");
    assert!(
        outcome.stderr.lines().any(|line| line.starts_with("notes id 9: ") && line.ends_with("it was left alone")),
        "{outcome:#?}"
    );
    assert!(outcome.stdout.contains("38 rows"), "{outcome:#?}");
    assert_eq!(scene.notes(), Scene::notes_of((0..DOOMED_ROWS).filter(|id| ![7, 9].contains(id))));
    let others = format!("SELECT note FROM notes WHERE {DOOMED} = 5 ORDER BY note");
    assert_eq!(scene.database.texts(&others), ["a new one", "with the same"]);

    // Once they are out of the way, the rows come back.
    scene.database.run(&format!("DELETE FROM notes WHERE {DOOMED} = 5"));
    let outcome = scene.restore();
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.notes(), Scene::notes_of(0..DOOMED_ROWS));
}

#[test]
fn what_is_taken_again_is_left_alone_in_sqlite() {
    what_is_taken_again_is_left_alone(sqlite());
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn what_is_taken_again_is_left_alone_in_postgres() {
    what_is_taken_again_is_left_alone(postgres());
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn what_is_taken_again_is_left_alone_in_mariadb() {
    what_is_taken_again_is_left_alone(mariadb());
}

fn a_column_that_is_gone_is_told_of_once(engine: Engine) {
    let scene = Scene::after_a_run(engine);
    scene.database.run("ALTER TABLE notes DROP COLUMN note");
    scene.database.run("ALTER TABLE notes ADD COLUMN added int DEFAULT 3");
    let outcome = scene.restore();
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    let told = outcome.stderr.lines().filter(|line| line.starts_with("notes id ")).count();
    assert_eq!(told, 1, "{outcome:#?}");
    assert!(outcome.stderr.contains("there is no column note any more"), "{outcome:#?}");
    assert!(outcome.stderr.contains("39 more rows"), "{outcome:#?}");
    assert!(outcome.stdout.contains("Failed: 40"), "{outcome:#?}");

    // With the column, they come back; one that was added since has its default.
    scene.database.run("ALTER TABLE notes ADD COLUMN note varchar(100)");
    let outcome = scene.restore();
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.notes(), Scene::notes_of(0..DOOMED_ROWS));
    let added = format!("SELECT note FROM notes WHERE {DOOMED} = 1 AND added = 3");
    assert_eq!(scene.database.texts(&added).len(), DOOMED_ROWS);
}

#[test]
fn a_column_that_is_gone_is_told_of_once_in_sqlite() {
    a_column_that_is_gone_is_told_of_once(sqlite());
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_column_that_is_gone_is_told_of_once_in_postgres() {
    a_column_that_is_gone_is_told_of_once(postgres());
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn a_column_that_is_gone_is_told_of_once_in_mariadb() {
    a_column_that_is_gone_is_told_of_once(mariadb());
}

/// Of a row that was removed more than once, a restore by its key brings back the last.
#[test]
fn a_key_brings_back_the_last_of_each_row() {
    let scene = Scene::after_a_run(sqlite());
    let (id, key) = (scene.quoted(ID), scene.quoted(KEY));
    let again = (0..DOOMED_ROWS).map(|id| format!("({id}, 'missing/6.png', 1, 'later {id}', 'u{id}')"));
    let again = again.collect::<Vec<_>>().join(", ");
    scene.database.run(&format!("INSERT INTO notes ({id}, {key}, {DOOMED}, note, alone) VALUES {again}"));
    scene.trip.there(DOOMED_ROWS, "records_deleted");
    let outcome = scene.trip.tool.run(&["restore", "missing/6.png"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert!(outcome.stdout.contains(&format!(" {DOOMED_ROWS} rows")), "{outcome:#?}");
    assert_eq!(scene.notes(), (0..DOOMED_ROWS).map(|id| format!("later {id}")).collect::<Vec<_>>());
}
