//! Every storage class in every affinity, in STRICT tables and in those WITHOUT ROWID.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, Row, Sqlite as Engine, TypeInfo, ValueRef};

use super::random::{Column, Random, name, values};
use super::sqlite_values::{of_every_affinity, strict};
use super::trip::{CHANGED, CHANGED_ELSEWHERE, DOOMED, GONE, ID, KEY, ROWS, Trip, assert_same, sets};
use crate::support::servers::{Database, blocking};
use crate::support::sqlite::Sqlite;

/// A table, how its id is declared, its columns, what stands behind them, and how many rows it has.
struct Table {
    name: &'static str,
    id: &'static str,
    columns: Vec<Column>,
    options: &'static str,
    rows: usize,
}

#[test]
fn ten_thousand_rows_of_every_type_are_restored_identically() {
    let database = Sqlite::new();
    let tables = [
        Table {
            name: "every \"affinity\"",
            id: "INTEGER PRIMARY KEY AUTOINCREMENT",
            columns: of_every_affinity(),
            options: "",
            rows: ROWS * 6 / 10,
        },
        Table { name: "strict", id: "INTEGER PRIMARY KEY", columns: strict(), options: "STRICT", rows: ROWS / 10 },
        Table {
            name: "without rowid",
            id: "TEXT PRIMARY KEY",
            columns: of_every_affinity(),
            options: "WITHOUT ROWID",
            rows: ROWS * 2 / 10,
        },
        Table {
            name: "Strict without rowid",
            id: "BLOB PRIMARY KEY",
            columns: strict(),
            options: "STRICT, WITHOUT ROWID",
            rows: ROWS / 10,
        },
    ];
    let names: Vec<String> = tables.iter().enumerate().map(|(at, table)| named(at, table.name)).collect();
    // A transaction a row: each is flushed once, and not three times.
    database.run("PRAGMA journal_mode = WAL");
    let trip = Trip::of(&database, &names, "\"delete\"");
    tables.iter().for_each(|table| fill(&database, table, &trip));

    let before: Vec<Vec<String>> = tables.iter().map(|table| everything(&database, table.name)).collect();
    let run = trip.there(ROWS, "records_deleted");
    for table in &tables {
        assert_eq!(everything(&database, table.name).len(), 10, "the rows that nothing condemns");
    }
    trip.back(&run, ROWS);
    for (table, before) in tables.iter().zip(&before) {
        assert_eq!(before.len(), table.rows + 10);
        assert_same(before, &everything(&database, table.name));
    }
    tables.iter().for_each(|table| trip.expect_files(0..table.rows));
}

#[test]
fn updated_rows_get_their_old_values_unless_somebody_changed_them() {
    const UPDATED: usize = 300;
    let database = Sqlite::new();
    let table = Table {
        name: "rows",
        id: "INT PRIMARY KEY",
        columns: of_every_affinity(),
        options: "WITHOUT ROWID",
        rows: UPDATED,
    };
    // The first column is left as it is.
    let value = |column: &Column| Some("7").filter(|_| !column.declaration.starts_with("INTEGER"));
    let trip = Trip::of(&database, &["rows".to_owned()], &sets(&table.columns, value));
    fill(&database, &table, &trip);
    let change = || {
        let (id, other) = (quoted(ID), quoted(&name(0)));
        database.run(&format!(
            "UPDATE rows SET {DOOMED} = 7 WHERE {id} = {CHANGED};
             UPDATE rows SET {other} = 'changed' WHERE {id} = {CHANGED_ELSEWHERE};
             DELETE FROM rows WHERE {id} = {GONE}"
        ));
    };
    trip.undo(UPDATED, change, || everything(&database, table.name));
}

/// With the schema in front, and without.
fn named(at: usize, table: &str) -> String {
    if at.is_multiple_of(2) { format!("main.{table}") } else { table.to_owned() }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn fill(database: &Sqlite, table: &Table, trip: &Trip) {
    let (id, key, name_of_table) = (quoted(ID), quoted(KEY), quoted(table.name));
    let columns = table.columns.iter().enumerate();
    let declared: Vec<String> =
        columns.clone().map(|(at, column)| format!("{} {}", quoted(&name(at)), column.declaration)).collect();
    let written = columns.filter(|(_, column)| column.random.is_some()).map(|(at, _)| quoted(&name(at)));
    let written: Vec<String> = written.collect();
    database.run(&format!(
        "CREATE TABLE {name_of_table} ({id} {}, {key} TEXT, {DOOMED} INT, {}) {}",
        table.id,
        declared.join(", "),
        table.options
    ));
    let mut random = Random(1);
    let id_of = |row: usize| match table.id.split(' ').next() {
        Some("TEXT") => format!("'{row} it''s '"),
        Some("BLOB") => format!("x'00{row:06}'"),
        Some("INT") => row.to_string(),
        _ => {
            if row.is_multiple_of(2) {
                row.to_string()
            } else {
                format!("-{row}000000000000")
            }
        }
    };
    let rows = (0..table.rows)
        .map(|row| format!("({}, {}, 1, {})", id_of(row), trip.key(row), values(&table.columns, row, &mut random)));
    let mut rows: Vec<String> = rows.collect();
    let kept = (0..10).map(|kept| {
        format!("({}, 'kept-{kept}.png', 0, {})", id_of(table.rows + kept), values(&table.columns, kept, &mut random))
    });
    rows.extend(kept);
    for rows in rows.chunks(500) {
        let (written, rows) = (written.join(", "), rows.join(", "));
        database.run(&format!("INSERT INTO {name_of_table} ({id}, {key}, {DOOMED}, {written}) VALUES {rows}"));
    }
}

/// Every row as SQLite's own functions give its values: storage class and bytes, of numbers their bits.
fn everything(database: &Sqlite, table: &str) -> Vec<String> {
    let rows = blocking(async {
        let mut connection = SqliteConnection::connect(&database.url()).await?;
        let sql = format!("SELECT * FROM {} ORDER BY {}", quoted(table), quoted(ID));
        sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await
    });
    rows.expect("rows").iter().map(|row| (0..row.len()).map(|at| cell(row, at) + " | ").collect()).collect()
}

fn cell(row: &SqliteRow, at: usize) -> String {
    let value = row.try_get_raw(at).expect("a value");
    let class = value.type_info().name().to_owned();
    let decoded = match class.as_str() {
        "NULL" => String::new(),
        "INTEGER" => format!("{}", <i64 as sqlx::Decode<Engine>>::decode(value).expect("a number")),
        "REAL" => format!("{:016x}", <f64 as sqlx::Decode<Engine>>::decode(value).expect("a number").to_bits()),
        _ => format!("{:02x?}", <Vec<u8> as sqlx::Decode<Engine>>::decode(value).expect("bytes")),
    };
    format!("{class} {decoded}")
}
