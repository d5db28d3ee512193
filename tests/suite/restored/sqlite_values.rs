//! What SQLite's columns may hold: a value of any storage class in any of them, unless the table is STRICT.

use super::random::{Column, Random, column, computed};

/// Columns of every affinity, by the words of the documentation.
pub fn of_every_affinity() -> Vec<Column> {
    let mut columns: Vec<Column> = [
        "INTEGER",
        "TINYINT",
        "UNSIGNED BIG INT",
        "INT8",
        "CHARACTER(20)",
        "VARCHAR(255)",
        "NATIVE CHARACTER(70)",
        "TEXT",
        "CLOB",
        "BLOB",
        "",
        "REAL",
        "DOUBLE PRECISION",
        "FLOAT",
        "NUMERIC",
        "DECIMAL(10,5)",
        "BOOLEAN",
        "DATE",
        "DATETIME",
        "CHARINT",
        "FLOATING POINT",
        "STRING",
        "JSON",
        "TEXT COLLATE NOCASE",
        "ANY",
    ]
    .into_iter()
    .map(anything)
    .collect();
    columns.push(Column { extremes: Vec::new(), ..anything("TEXT DEFAULT 'a default' NOT NULL") });
    columns.push(computed("GENERATED ALWAYS AS (typeof(\"c 0\") || 'x') VIRTUAL"));
    columns.push(computed("TEXT GENERATED ALWAYS AS (upper(\"c 0\")) STORED"));
    columns
}

/// Columns of every type that a STRICT table may have.
pub fn strict() -> Vec<Column> {
    vec![
        column("INT", INTEGERS, |random| random.signed(64)),
        column("INTEGER", INTEGERS, |random| random.signed(40)),
        column("REAL", REALS, Random::double),
        column("TEXT", TEXTS, text),
        column("BLOB", BLOBS, blob),
        anything("ANY"),
        computed("TEXT GENERATED ALWAYS AS (typeof(\"c 5\")) VIRTUAL"),
        computed("INT GENERATED ALWAYS AS (1) STORED"),
    ]
}

const INTEGERS: [&str; 8] =
    ["0", "1", "-1", "9223372036854775807", "(-9223372036854775807 - 1)", "2147483648", "-128", "281474976710656"];

/// The largest, the smallest normal, the smallest of all, the first whole number that no longer counts by one, infinities.
const REALS: [&str; 14] = [
    "0.0",
    "-0.0",
    "0.1",
    "-1.5",
    "1.7976931348623157e308",
    "-1.7976931348623157e308",
    "2.2250738585072014e-308",
    "5e-324",
    "9e999",
    "-9e999",
    "9007199254740993.0",
    "1e15",
    "123456789012345678.0",
    "0.30000000000000004",
];

const TEXTS: [&str; 10] = [
    "''",
    "' '",
    "'it''s \"quoted\" \\ '",
    "char(10, 13, 9, 0, 65)",
    "char(0)",
    "'12'",
    "' 12 '",
    "'1e3'",
    "'nan'",
    // No UTF-8 at all.
    "CAST(x'ff00fe41' AS TEXT)",
];

const BLOBS: [&str; 5] = ["x''", "x'00'", "zeroblob(300)", "x'27225c0a'", "x'ff'"];

fn anything(declaration: &'static str) -> Column {
    let extremes = INTEGERS.iter().chain(&REALS).chain(&TEXTS).chain(&BLOBS).map(|literal| (*literal).to_owned());
    Column { declaration, extremes: extremes.collect(), random: Some(any) }
}

fn any(random: &mut Random) -> String {
    match random.below(4) {
        0 => random.signed(64),
        1 => random.double(),
        2 => text(random),
        _ => blob(random),
    }
}

fn text(random: &mut Random) -> String {
    format!("'{}'", random.text(12).replace('\'', "''"))
}

fn blob(random: &mut Random) -> String {
    format!("x'{}'", random.hex(20))
}
