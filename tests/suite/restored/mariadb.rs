//! Every type of MariaDB, in several character sets and collations.

use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use super::mariadb_values::of_every_type;
use super::random::{Column, Random, name, values};
use super::trip::{CHANGED, CHANGED_ELSEWHERE, DOOMED, GONE, ID, KEY, ROWS, Trip, assert_same, sets};
use crate::support::mariadb::MariaDb;
use crate::support::servers::{Database, blocking};

const TABLE: &str = "rows of `every` type";

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn ten_thousand_rows_of_every_type_are_restored_identically() {
    let database = MariaDb::new();
    let columns = of_every_type();
    let schema = database.url().rsplit('/').next().expect("a name").to_owned();
    let trip = Trip::of(&database, &[format!("{schema}.{TABLE}")], "\"delete\"");
    fill(&database, &columns, &trip, ROWS);
    println!("{} columns", columns.len());

    let before = (everything(&database, &columns), checksum(&database));
    assert_eq!(before.0.len(), ROWS + 10);
    let run = trip.there(ROWS, "records_deleted");
    assert_eq!(everything(&database, &columns).len(), 10, "the rows that nothing condemns");
    assert_ne!(before.1, checksum(&database));
    trip.back(&run, ROWS);
    assert_same(&before.0, &everything(&database, &columns));
    assert_eq!(before.1, checksum(&database), "the checksum of the table's bytes");
    trip.expect_files(0..ROWS);
}

/// A column that the rule of the next test does not set: a number.
const OTHER: usize = 0;

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn updated_rows_get_their_old_values_unless_somebody_changed_them() {
    const UPDATED: usize = 300;
    let database = MariaDb::new();
    let columns = of_every_type();
    let value = |column: &Column| match kind(column) {
        "SMALLINT" | "INT" | "BIGINT" | "DECIMAL" | "FLOAT" | "DOUBLE" | "BOOLEAN" => Some("1"),
        "CHAR" | "VARCHAR" | "TEXT" | "LONGTEXT" | "VARBINARY" | "BLOB" | "BINARY" => Some("'x'"),
        "DATE" | "DATETIME" => Some("'2024-01-01'"),
        "TIME" => Some("'01:02:03'"),
        "SET" | "ENUM" => Some("'b'"),
        "JSON" => Some("'{}'"),
        _ => None,
    };
    let value = |column: &Column| value(column).filter(|_| !column.declaration.contains("('a',"));
    let schema = database.url().rsplit('/').next().expect("a name").to_owned();
    let trip = Trip::of(&database, &[format!("{schema}.{TABLE}")], &sets(&columns, value));
    fill(&database, &columns, &trip, UPDATED);
    let change = || {
        let (table, id) = (quoted(TABLE), quoted(ID));
        let other = quoted(&name(OTHER));
        // Else the row was changed since in what the removal has changed too.
        let touched = columns.iter().position(|column| column.declaration.contains("ON UPDATE"));
        let touched = quoted(&name(touched.expect("a column")));
        database.run(&format!(
            "UPDATE {table} SET {DOOMED} = 7 WHERE {id} = {CHANGED};
                 UPDATE {table} SET {other} = -3, {touched} = {touched} WHERE {id} = {CHANGED_ELSEWHERE};
                 DELETE FROM {table} WHERE {id} = {GONE}"
        ));
    };
    trip.undo(UPDATED, change, || everything(&database, &columns));
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn fill(database: &MariaDb, columns: &[Column], trip: &Trip, many: usize) {
    let (id, key, table) = (quoted(ID), quoted(KEY), quoted(TABLE));
    let numbered = columns.iter().enumerate();
    let declared: Vec<String> =
        numbered.clone().map(|(at, column)| format!("{} {}", quoted(&name(at)), column.declaration)).collect();
    let written = numbered.filter(|(_, column)| column.random.is_some()).map(|(at, _)| quoted(&name(at)));
    let written = written.collect::<Vec<_>>().join(", ");
    database.run(&format!(
        "CREATE TABLE {table} ({id} BIGINT AUTO_INCREMENT PRIMARY KEY, {key} VARCHAR(200), {DOOMED} BOOLEAN, {})",
        declared.join(", ")
    ));
    let mut random = Random(2);
    let mut row =
        |id: usize, key: &str, doomed: u8| format!("({id}, {key}, {doomed}, {})", values(columns, id, &mut random));
    // An id of zero is one that AUTO_INCREMENT would make up.
    let mut rows: Vec<String> = (0..many).map(|id| row(id, &trip.key(id), 1)).collect();
    rows.extend((0..10).map(|kept| row(many + kept, &format!("'kept-{kept}.png'"), 0)));
    let statements = rows
        .chunks(200)
        .map(|rows| format!("INSERT INTO {table} ({id}, {key}, {DOOMED}, {written}) VALUES {}", rows.join(", ")));
    blocking(async {
        let mut connection = MySqlConnection::connect(&database.url()).await.expect("a connection");
        let mode = "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00'";
        connection.execute(mode).await.expect("a mode");
        for statement in statements {
            let done = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut connection).await;
            done.unwrap_or_else(|e| panic!("{e}: {statement:.3000}"));
        }
    });
}

fn kind(column: &Column) -> &'static str {
    column.declaration.split(['(', ' ']).next().unwrap_or_default()
}

/// Every row as the server's own functions give its bytes; numbers with a fraction as their bits.
fn everything(database: &MariaDb, columns: &[Column]) -> Vec<String> {
    let cells = columns.iter().enumerate().map(|(at, column)| {
        let quoted = quoted(&name(at));
        match kind(column) {
            "FLOAT" | "DOUBLE" => quoted,
            "INT" | "BIGINT" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "BOOLEAN" | "BIT" => format!("HEX({quoted})"),
            "DECIMAL" | "DATE" | "TIME" | "DATETIME" | "TIMESTAMP" | "YEAR" => format!("HEX(CONCAT({quoted}))"),
            "ENUM" | "SET" => format!("CONCAT({quoted} + 0, ' ', HEX({quoted}))"),
            _ => format!("HEX({quoted})"),
        }
    });
    let (id, key) = (quoted(ID), quoted(KEY));
    let sql = format!(
        "SELECT CAST({id} AS CHAR), HEX({key}), {} FROM {} ORDER BY {id}",
        cells.collect::<Vec<_>>().join(", "),
        quoted(TABLE)
    );
    let rows = blocking(async {
        let mut connection = MySqlConnection::connect(&database.url()).await?;
        connection.execute("SET time_zone = '+00:00'").await?;
        sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await
    });
    let rows = rows.expect("rows");
    let cell = |row: &MySqlRow, at: usize| match at.checked_sub(2).map(|at| kind(&columns[at])) {
        Some("FLOAT") => {
            row.try_get::<Option<f32>, _>(at).map(|value| value.map(|value| format!("{:08x}", value.to_bits())))
        }
        Some("DOUBLE") => {
            row.try_get::<Option<f64>, _>(at).map(|value| value.map(|value| format!("{:016x}", value.to_bits())))
        }
        _ => row.try_get::<Option<String>, _>(at),
    };
    let text = |row: &MySqlRow, at: usize| {
        let value = cell(row, at).unwrap_or_else(|e| panic!("column {at}: {e}"));
        format!("{at}={} ", value.unwrap_or_else(|| "NULL".to_owned()))
    };
    rows.iter().map(|row| (0..row.len()).map(|at| text(row, at)).collect()).collect()
}

/// The server's own checksum of the table's bytes.
fn checksum(database: &MariaDb) -> i64 {
    blocking(async {
        let mut connection = MySqlConnection::connect(&database.url()).await.expect("a connection");
        let sql = format!("CHECKSUM TABLE {} EXTENDED", quoted(TABLE));
        let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&mut connection).await.expect("a checksum");
        row.try_get_unchecked::<i64, _>(1).expect("a number")
    })
}
