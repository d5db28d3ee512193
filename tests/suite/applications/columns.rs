//! Key columns of the types, collations and character sets that applications have: whatever a column takes for equal,
//! and whatever it could not hold, the findings are the same.

use std::collections::BTreeSet;

use super::findings;
use crate::support::local::Folder;
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::stores::{Store, Stored};
use crate::support::tool::Tool;

/// Rows whose object is there; all fit into latin1, the poorest character set tried.
const KEPT: [&str; 4] = ["Lion.PNG", "two words.png", "caf\u{e9}.png", "trailing.png"];

/// A row without its object, like one of the others to a collation that ignores case.
const LOST: &str = "TWO words.png";

/// Objects without a row: like others to a collation, or of characters that the column's character set lacks.
const STRAY: [&str; 6] = ["lion.png", "cafe.png", "日本.png", "😀.png", "x\u{1}y.png", "stray.png"];

#[test]
fn sqlite_columns() {
    for column in ["text", "varchar(200)", "text COLLATE NOCASE", "text COLLATE RTRIM", ""] {
        assert_finds_what_is_orphaned(&Sqlite::new(), column, "");
    }
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn postgres_columns() {
    let collations = "
        CREATE EXTENSION citext;
        CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false)";
    for column in ["text", "varchar(200)", "char(60)", "text COLLATE \"C\"", "text COLLATE folded", "citext", "name"] {
        for index in ["", "CREATE INDEX ON assets (storage_key)", "CREATE INDEX ON assets (storage_key COLLATE \"C\")"]
        {
            assert_finds_what_is_orphaned(&Postgres::new(), column, &format!("{collations}; {{}} {index}"));
        }
    }
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn mariadb_columns() {
    for column in [
        "varchar(200) CHARACTER SET latin1",
        "varchar(200) CHARACTER SET latin1 COLLATE latin1_bin",
        "varchar(200) CHARACTER SET utf8mb3",
        "varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        "varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
        "varchar(200) CHARACTER SET utf16",
        "char(100)",
        "text",
    ] {
        for index in ["", "CREATE INDEX storage_key ON assets (storage_key(50))"] {
            assert_finds_what_is_orphaned(&MariaDb::new(), column, index);
        }
    }
}

/// `statements` may say with `{}` where the table is made; otherwise they follow it.
fn assert_finds_what_is_orphaned(database: &dyn Database, column: &str, statements: &str) {
    let table = format!("CREATE TABLE assets (id integer PRIMARY KEY, storage_key {column});");
    match statements.contains("{}") {
        true => database.run(&statements.replace("{}", &table)),
        false => database.run(&format!("{table} {statements}")),
    }
    let rows = KEPT.into_iter().chain([LOST]).enumerate();
    let rows: Vec<String> = rows.map(|(id, key)| format!("({id}, {})", database.literal(key))).collect();
    database.run(&format!("INSERT INTO assets VALUES {}", rows.join(", ")));
    let folder = Folder::new();
    folder.put(&KEPT.iter().chain(&STRAY).map(|key| (key.to_string(), Stored::LastMonth)).collect::<Vec<_>>());

    let tool = Tool::new(&format!(
        "[database]\nurl = \"{}\"\n{}\n[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n",
        database.url(),
        folder.configuration(),
    ));
    let outcome = tool.run(&["--format", "json"]);
    assert_eq!(outcome.code, 0, "{column}: {outcome:#?}");
    let found = findings(&outcome.json()).into_iter().map(|(kind, key, _, _, held)| (kind, key, held));
    let files = STRAY.map(|key| ("orphaned-file".to_owned(), key.to_owned(), None));
    let expected = files.into_iter().chain([("orphaned-record".to_owned(), LOST.to_owned(), None)]);
    assert_eq!(found.collect::<BTreeSet<_>>(), expected.collect(), "{column}, {statements}");
}
