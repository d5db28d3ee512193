//! Values of the database, and names of files, that are not UTF-8: nothing ends, nothing that may be meant goes, and the rest
//! goes as ever.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::scene::{Scene, age, held, warnings};
use crate::support::servers::Database;

/// `a/caf\u{e9}.png`, in Latin-1.
const VALUE: &str = "X'612f636166e92e706e67'";

fn not_utf8(key: &str) -> (String, String) {
    (key.to_owned(), "not-utf8".to_owned())
}

#[test]
fn a_value_holds_the_file_that_it_may_be_meant_for() {
    for value in [format!("CAST({VALUE} AS TEXT)"), VALUE.to_owned()] {
        for by_reference in [false, true] {
            let reference = "[[references]]\ntable = \"users\"\nkey = \"avatar\"\n";
            let sql = "CREATE TABLE users (avatar TEXT); INSERT INTO users VALUES ('a/1.png')";
            let scene = Scene::new(sql, reference);
            let (table, column) = if by_reference { ("users", "avatar") } else { ("assets", "storage_key") };
            scene.database.run(&format!("INSERT INTO {table} ({column}) VALUES ({value})"));
            ["a/caf\u{e9}.png", "a/stray.png"].iter().for_each(|key| scene.put(key));
            let report = scene.tool.report();
            assert_eq!(held(&report), [not_utf8("a/caf\u{e9}.png")], "{value}");
            let said = warnings(&report);
            let is_named = |warning: &&String| warning.contains("1 value is not UTF-8");
            let warning = said.iter().find(is_named).unwrap_or_else(|| panic!("{said:?}"));
            assert_eq!(warning.contains("\"a/caf\\xe9.png\" of id 61"), !by_reference, "{warning}");
            let outcome = scene.remove();
            assert_eq!(outcome.code, 0, "{outcome:#?}");
            assert!(scene.has("a/caf\u{e9}.png") && !scene.has("a/stray.png"), "{value}");
        }
    }
}

/// A row whose file has a name in Latin-1 is held, and a row that has lost its file goes.
#[test]
fn a_file_holds_the_row_that_it_may_be_meant_by() {
    let scene = Scene::new("", "missing_file = \"delete\"\n");
    let path = scene.path("a").join(std::ffi::OsStr::from_bytes(b"caf\xe9.png"));
    fs::write(&path, "x").expect("a file");
    age(&path, 10);
    scene.own(&["a/caf\u{e9}.png", "a/lost.png"]);
    let report = scene.tool.report();
    assert_eq!(held(&report), [not_utf8("a/caf\u{e9}.png")]);
    assert_eq!(report["totals"]["unreadable_names"], 1);
    let outcome = scene.remove();
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let left = scene.database.texts("SELECT storage_key FROM assets WHERE id > 60");
    assert_eq!(left, ["a/caf\u{e9}.png"]);
    assert!(path.exists());
}

/// Nor does a value in a column of URLs, or in an expression, end anything.
#[test]
fn values_that_are_made_here_may_be_anything() {
    for key in ["key = \"link\"\nurl_base = \"/\"\n", "key_sql = \"link\"\n"] {
        let sql = format!(
            "CREATE TABLE links (id INTEGER PRIMARY KEY, link TEXT, made TEXT DEFAULT (datetime('now', '-10 days')), dead INTEGER);
             INSERT INTO links VALUES (1, CAST({VALUE} AS TEXT), datetime('now', '-10 days'), 0);
             INSERT INTO links VALUES (2, 'a/dead.png', datetime('now', '-10 days'), 1);"
        );
        let rule = "[[records.rules]]\nname = \"dead\"\nwhere = \"dead = 1\"\n";
        let section = format!("[[records]]\ntable = \"links\"\nid = \"id\"\n{key}created_at = \"made\"\n{rule}");
        let scene = Scene::new(&sql, &section);
        ["a/caf\u{e9}.png", "a/dead.png"].iter().for_each(|key| scene.put(key));
        let outcome = scene.remove();
        assert_eq!(outcome.code, 0, "{key}: {outcome:#?}");
        assert!(scene.has("a/caf\u{e9}.png") && !scene.has("a/dead.png"), "{key}");
        assert_eq!(scene.database.texts("SELECT CAST(id AS TEXT) FROM links"), ["1"], "{key}");
    }
}
