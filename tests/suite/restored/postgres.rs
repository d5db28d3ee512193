//! Every type of PostgreSQL, in a schema and a table whose names need quoting.

use futures::TryStreamExt;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::postgres_values::{TYPES, of_every_type};
use super::random::{Column, Random, name, values};
use super::trip::{CHANGED, CHANGED_ELSEWHERE, DOOMED, GONE, ID, KEY, ROWS, Trip, assert_same, sets};
use crate::support::postgres::Postgres;
use crate::support::servers::{Database, blocking};

const SCHEMA: &str = "A Schema";
const TABLE: &str = "rows of \"every\" type";

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn ten_thousand_rows_of_every_type_are_restored_identically() {
    let database = Postgres::new();
    let columns = of_every_type();
    let trip = Trip::of(&database, &[format!("{SCHEMA}.{TABLE}")], "\"delete\"");
    fill(&database, &columns, &trip, ROWS);
    println!("{} columns", columns.len());

    let before = (texts(&database), bytes(&database));
    assert_eq!(before.0.len(), ROWS + 10);
    let run = trip.there(ROWS, "records_deleted");
    assert_eq!(texts(&database).len(), 10, "the rows that nothing condemns");
    trip.back(&run, ROWS);
    assert_same(&before.0, &texts(&database));
    assert!(
        before.1 == bytes(&database),
        "the table in PostgreSQL's own binary format: {}",
        unlike(&database, &before.1)
    );
    trip.expect_files(0..ROWS);
}

/// A column that the rule of the next test does not set: an integer.
const OTHER: usize = 0;

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn updated_rows_get_their_old_values_unless_somebody_changed_them() {
    const UPDATED: usize = 300;
    let database = Postgres::new();
    let columns = of_every_type();
    let value = |column: &Column| match column.declaration.split(['(', ' ']).next().unwrap_or_default() {
        "smallint" => None,
        _ if column.declaration.ends_with("[]") => Some("'{}'"),
        "text" | "varchar" | "char" | "bpchar" | "citext" | "\"char\"" | "bytea" => Some("'x'"),
        "numeric" | "real" | "double" | "money" | "integer" | "bigint" => Some("5"),
        "boolean" => Some("true"),
        "timestamp" | "timestamptz" | "date" => Some("'2024-01-01'"),
        "json" | "jsonb" => Some("'{}'"),
        "integer[]" | "text[]" | "bpchar[]" | "int4multirange" | "words" => Some("'{}'"),
        "composite" => Some("'(,,,,,)'"),
        "interval" => Some("'1 mon'"),
        "uuid" => Some("'00000000-0000-0000-0000-000000000001'"),
        _ => None,
    };
    let trip = Trip::of(&database, &[format!("{SCHEMA}.{TABLE}")], &sets(&columns, value));
    fill(&database, &columns, &trip, UPDATED);
    let change = || {
        let (table, id) = (table(), quoted(ID));
        let other = quoted(&name(OTHER));
        database.run(&format!(
            "UPDATE {table} SET {DOOMED} = 7 WHERE {id} = {CHANGED};
                 UPDATE {table} SET {other} = -3 WHERE {id} = {CHANGED_ELSEWHERE};
                 DELETE FROM {table} WHERE {id} = {GONE}"
        ));
    };
    trip.undo(UPDATED, change, || texts(&database));
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn table() -> String {
    format!("{}.{}", quoted(SCHEMA), quoted(TABLE))
}

fn fill(database: &Postgres, columns: &[Column], trip: &Trip, many: usize) {
    let (id, key, table) = (quoted(ID), quoted(KEY), table());
    let numbered = columns.iter().enumerate();
    let declared: Vec<String> =
        numbered.clone().map(|(at, column)| format!("{} {}", quoted(&name(at)), column.declaration)).collect();
    let written = numbered.filter(|(_, column)| column.random.is_some()).map(|(at, _)| quoted(&name(at)));
    let written = written.collect::<Vec<_>>().join(", ");
    database.run(TYPES);
    database.run(&format!(
        "CREATE SCHEMA {};
         CREATE TABLE {table} ({id} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {key} text, {DOOMED} integer, gone integer, {});
         ALTER TABLE {table} DROP COLUMN gone",
        quoted(SCHEMA),
        // A column that was dropped leaves a gap.
        declared.join(", "),
    ));
    let mut random = Random(3);
    let mut row =
        |id: usize, key: &str, doomed: u8| format!("({id}, {key}, {doomed}, {})", values(columns, id, &mut random));
    let mut rows: Vec<String> = (0..many).map(|id| row(id, &trip.key(id), 1)).collect();
    rows.extend((0..10).map(|kept| row(many + kept, &format!("'kept-{kept}.png'"), 0)));
    let columns = format!("({id}, {key}, {DOOMED}, {written})");
    blocking(async {
        let mut connection = PgConnection::connect(&database.url()).await.expect("a connection");
        connection.execute("SET TimeZone = 'UTC'").await.expect("a zone");
        // A row at a time: VALUES of several rows settle on a type of their own for each column.
        for rows in rows.chunks(100) {
            let statements =
                rows.iter().map(|row| format!("INSERT INTO {table} {columns} OVERRIDING SYSTEM VALUE VALUES {row}"));
            let statements = statements.collect::<Vec<_>>().join(";\n");
            let done = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await;
            done.unwrap_or_else(|e| panic!("{e:?}"));
        }
    });
}

fn texts(database: &Postgres) -> Vec<String> {
    let table = table();
    database.texts(&format!("SELECT whole::text FROM {table} AS whole ORDER BY {}", quoted(ID)))
}

/// The whole table in PostgreSQL's own binary format.
fn bytes(database: &Postgres) -> Vec<u8> {
    copied(database, "*")
}

fn copied(database: &Postgres, columns: &str) -> Vec<u8> {
    let sql = format!("COPY (SELECT {columns} FROM {} ORDER BY {}) TO STDOUT (FORMAT binary)", table(), quoted(ID));
    blocking(async {
        let mut connection = PgConnection::connect(&database.url()).await.expect("a connection");
        let mut bytes = Vec::new();
        let mut copy = connection.copy_out_raw(&sql).await.expect("COPY");
        while let Some(chunk) = copy.try_next().await.expect("bytes") {
            bytes.extend_from_slice(&chunk);
        }
        bytes
    })
}

/// Where two copies part.
fn unlike(database: &Postgres, before: &[u8]) -> String {
    let after = bytes(database);
    let at = before.iter().zip(&after).position(|(was, is)| was != is).unwrap_or(before.len().min(after.len()));
    let around = |bytes: &[u8]| {
        format!("{:?}", String::from_utf8_lossy(&bytes[at.saturating_sub(60)..(at + 60).min(bytes.len())]))
    };
    format!("{} bytes and {}, from byte {at} on:\n{}\n{}", before.len(), after.len(), around(before), around(&after))
}
