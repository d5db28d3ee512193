//! A column that holds URLs, or keys in another spelling: every file would look orphaned and every row too. Both sides
//! of such a pair are listed, and held.

use std::collections::BTreeSet;

use super::{findings, schema};
use crate::support::local::Folder;
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::stores::{Store, Stored};
use crate::support::tool::Tool;

/// An object's key, and what the column says instead.
const PAIRS: [(&str, &str); 8] = [
    ("pictures/cat.png", "https://cdn.example.com/pictures/cat.png"),
    ("pictures/lion.png", "/pictures/lion.png"),
    ("pictures/two words.png", "pictures/two%20words.png"),
    ("pictures/plus+plus.png", "https://cdn.example.com/pictures/plus%2Bplus.png"),
    ("pictures/caf\u{e9}.png", "pictures/cafe\u{301}.png"),
    ("pictures/Zebra.PNG", "pictures/zebra.png"),
    ("pictures/日本.png", "https://cdn.example.com/pictures/%E6%97%A5%E6%9C%AC.png"),
    ("pictures/AU LAIT \u{c9}.png", "/pictures/au%20lait%20e%CC%81.png"),
];

#[test]
fn other_spellings_in_sqlite_are_held() {
    assert_both_sides_are_held(&Sqlite::new(), schema::SQLITE.tables);
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn other_spellings_in_postgres_are_held() {
    assert_both_sides_are_held(&Postgres::new(), schema::POSTGRES.tables);
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn other_spellings_in_mariadb_are_held() {
    assert_both_sides_are_held(&MariaDb::new(), schema::MARIADB.tables);
}

fn assert_both_sides_are_held(database: &dyn Database, tables: &str) {
    let folder = Folder::new();
    let keys = PAIRS.map(|(object, _)| object).into_iter().chain(["pictures/kept.png", "pictures/stray.png"]);
    folder.put(&keys.map(|key| (key.to_owned(), Stored::LastMonth)).collect::<Vec<_>>());
    let named = PAIRS.map(|(_, named)| named).into_iter().chain(["pictures/kept.png", "pictures/lost.png"]);
    let rows: Vec<String> =
        named.enumerate().map(|(id, key)| format!("({id}, {}, '2020-01-01')", database.literal(key))).collect();
    database.run(tables);
    database.run(&format!("INSERT INTO assets (id, storage_key, created_at) VALUES {}", rows.join(", ")));

    let tool = Tool::new(&format!(
        "[database]\nurl = \"{}\"\n{}\n[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n",
        database.url(),
        folder.configuration(),
    ));
    let found = findings(&tool.report()).into_iter().map(|(_, key, _, _, held)| (key, held));
    let looks_like = |other: &str| Some(format!("looks like {other}"));
    let mut expected =
        BTreeSet::from([("pictures/stray.png".to_owned(), None), ("pictures/lost.png".to_owned(), None)]);
    for (object, named) in PAIRS {
        expected.extend([(object.to_owned(), looks_like(named)), (named.to_owned(), looks_like(object))]);
    }
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}
