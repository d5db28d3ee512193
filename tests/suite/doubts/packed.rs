//! Values that hold more than a key: a list, or a text with links. What they name is not removed, and the query that the
//! program proposes takes them apart, on each engine.

use serde_json::Value;

use super::scene::{Scene, held, warnings};
use crate::support::local::Folder;
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::stores::{Store, Stored};
use crate::support::tool::{Tool, keys_of};

const POSTS: &str = "[[references]]\ntable = \"posts\"\nkey = \"photos\"\n";

/// Two files in one value, in every way that is told apart.
const VALUES: [(&str, &str); 7] = [
    ("a JSON list", r#"["a/1.png","a/you & me.png"]"#),
    ("a JSON object", r#"{"src":"a/1.png","thumb":"a/you & me.png"}"#),
    ("a list with commas", "a/1.png, a/you & me.png"),
    ("several lines", "a/1.png\r\na/you & me.png"),
    ("a text with links", r#"<p><img src="a/1.png"> and <a href="a/you & me.png">this</a></p>"#),
    ("a text with links", "<p>one link alone: <a href=\"a/you & me.png\">this</a></p>"),
    ("a JSON list", r#"["a/you & me.png"]"#),
];

/// What a packed value names stays, whether it is read by a reference or by the table that owns the files, and rows are not
/// deleted for it.
#[test]
fn what_a_packed_value_names_is_not_removed() {
    for (noun, value) in VALUES {
        for by_reference in [true, false] {
            let scene = Scene::new("CREATE TABLE posts (photos TEXT)", "");
            // Most of its values are keys.
            scene.database.run("INSERT INTO posts VALUES ('a/2.png'), ('a/3.png')");
            scene.put("a/you & me.png");
            let (sql, sections) = match by_reference {
                true => ("INSERT INTO posts VALUES", POSTS.to_owned()),
                false => ("INSERT INTO assets (storage_key) VALUES", format!("missing_file = \"delete\"\n{POSTS}")),
            };
            scene.database.run(&format!("{sql} ('{}')", value.replace('\'', "''")));
            scene.configure(&sections);
            let report = scene.tool.report();
            let said = warnings(&report);
            let source = if by_reference { "posts.photos" } else { "assets" };
            let expected = format!("a value of {source} is {noun}");
            assert!(said.iter().any(|warning| warning.contains(&expected)), "{value}: {said:?}");
            assert!(keys_of(&report, "orphaned-file").is_empty() || !held(&report).is_empty(), "{report:#}");
            let outcome = scene.remove();
            assert!(scene.has("a/you & me.png"), "{value}: {outcome:#?}");
            assert!(!by_reference || outcome.code == 0 || outcome.code == 12, "{outcome:#?}");
            assert_eq!(
                scene.database.texts("SELECT count(*) || '' FROM assets"),
                [if by_reference { "60" } else { "61" }]
            );
        }
    }
}

/// A source whose values hold more than a key refuses the removal of every file.
#[test]
fn a_packed_source_refuses_the_removal_of_files() {
    let scene = Scene::new("CREATE TABLE posts (photos TEXT)", POSTS);
    scene.put("a/orphan.png");
    scene.database.run("INSERT INTO posts VALUES ('a/1.png,a/2.png')");
    let outcome = scene.remove();
    assert_eq!(outcome.code, 12, "{outcome:#?}");
    let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(report["refusal"]["limit"], "packed");
    assert!(scene.has("a/orphan.png"));
    // A name with a comma is a name.
    scene.database.run("UPDATE posts SET photos = 'a/1, or 2.png'");
    scene.put("a/1, or 2.png");
    let outcome = scene.remove();
    assert!(outcome.code == 0 && !scene.has("a/orphan.png") && scene.has("a/1, or 2.png"), "{outcome:#?}");
}

/// A run that is narrowed to keys knows of values that hold some of them, wherever these are themselves.
#[test]
fn a_narrowed_run_refuses_too() {
    let scene = Scene::new("CREATE TABLE posts (photos TEXT)", POSTS);
    scene.put("a/orphan.png");
    scene.database.run(r#"INSERT INTO posts VALUES ('a/2.png'), ('["a/1.png","a/orphan.png"]')"#);
    let root = scene.folder.root().file_name().and_then(|name| name.to_str()).expect("a name");
    let arguments = ["--execute", "--format", "json", "--max-percent", "100", "--prefix", "a/"];
    let outcome = crate::support::terminal::run(&scene.tool, &arguments, root);
    assert!(outcome.code == 12 || outcome.code == 0, "{outcome:#?}");
    assert!(scene.has("a/orphan.png"), "{outcome:#?}");
}

/// A text is taken apart however long it is.
#[test]
fn a_long_text_is_taken_apart_too() {
    for kib in [3, 30, 300] {
        let scene = Scene::new("CREATE TABLE posts (photos TEXT)", POSTS);
        scene.put("a/orphan.png");
        let body = format!("{}<img src=\"a/1.png\">", "All work and no play. ".repeat(kib * 1024 / 22));
        scene.database.run(&format!("INSERT INTO posts VALUES ('a/2.png'), ('{body}')"));
        let outcome = scene.remove();
        assert_eq!(outcome.code, 12, "{kib} KiB: {outcome:#?}");
        assert!(outcome.stdout.contains("a text with links"), "{outcome:#?}");
    }
}

/// The query that the warning proposes gives every key, and others as they are.
fn the_proposed_query_takes_values_apart(database: &dyn Database, text: &str) {
    for (noun, value) in VALUES {
        let folder = Folder::new();
        let known: Vec<String> = (1..=40).map(|number| format!("a/{number}.png")).collect();
        let files = known.iter().cloned().chain(["a/you & me.png", "a/plain.png", "a/orphan.png"].map(str::to_owned));
        folder.put(&files.map(|key| (key, Stored::LastMonth)).collect::<Vec<_>>());
        let rows: Vec<String> = known.iter().zip(1..).map(|(key, id)| format!("({id}, '{key}')")).collect();
        database.run("DROP TABLE IF EXISTS packed_posts");
        database.run("DROP TABLE IF EXISTS packed_assets");
        database.run(&format!("CREATE TABLE packed_posts (photos {text})"));
        database.run("CREATE TABLE packed_assets (id INTEGER PRIMARY KEY, storage_key VARCHAR(200))");
        database.run(&format!("INSERT INTO packed_assets VALUES {}", rows.join(", ")));
        let quoted = value.replace('\'', "''");
        let others = if noun == "a text with links" { "<img src=\"a/plain.png\">" } else { "a/plain.png" };
        let values = match noun {
            // A line's end, whatever a backslash means to the server.
            "several lines" => value.split("\r\n").map(str::to_owned).collect::<Vec<_>>().join("\r\n"),
            _ => quoted,
        };
        database.run(&format!("INSERT INTO packed_posts VALUES ('{values}'), ('{others}')"));
        let configuration = |reference: &str| {
            format!(
                "[database]\nurl = {:?}\n{}[[records]]\ntable = \"packed_assets\"\nid = \"id\"\nkey = \"storage_key\"\n{reference}",
                database.url(),
                folder.configuration()
            )
        };
        let tool = Tool::new(&configuration("[[references]]\ntable = \"packed_posts\"\nkey = \"photos\"\n"));
        let said = warnings(&tool.report());
        let warning = said.iter().find(|warning| warning.contains(noun)).unwrap_or_else(|| panic!("{noun}: {said:?}"));
        let (_, proposal) = warning.split_once("query = ").unwrap_or_else(|| panic!("no query: {warning}"));
        tool.configure(&configuration(&format!("[[references]]\nquery = {proposal}\n")));
        let report = tool.report();
        assert_eq!(keys_of(&report, "orphaned-file"), ["a/orphan.png"], "{value}: {proposal}: {report:#}");
        assert_eq!(warnings(&report), [] as [String; 0], "{proposal}");
    }
}

#[test]
fn the_proposed_query_takes_values_apart_in_sqlite() {
    the_proposed_query_takes_values_apart(&Sqlite::new(), "TEXT");
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn the_proposed_query_takes_values_apart_in_postgres() {
    the_proposed_query_takes_values_apart(&Postgres::new(), "TEXT");
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn the_proposed_query_takes_values_apart_in_mariadb() {
    the_proposed_query_takes_values_apart(&MariaDb::new(), "TEXT");
}
