//! `cleanup-assets` on an application of 10,000 keys finds exactly what is orphaned, on every engine and every store.
//!
//! The same application is laid out each time; what must be found comes from two sets of keys in memory. Whatever name
//! a store cannot hold is left out there by name, never silently.

mod columns;
mod generator;
mod model;
mod names;
mod near_misses;
mod schema;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::garage::Garage;
use crate::support::local::Folder;
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::stores::Store;
use crate::support::tool::Tool;
use model::{Application, Expected};
use schema::{MARIADB, POSTGRES, SQLITE, Schema};

#[test]
fn sqlite_and_a_local_folder() {
    in_a_folder(&Sqlite::new(), &SQLITE);
}

#[test]
#[ignore = "needs Garage: run tests/run"]
fn sqlite_and_garage() {
    on_garage(&Sqlite::new(), &SQLITE);
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn postgres_and_a_local_folder() {
    in_a_folder(&Postgres::new(), &POSTGRES);
}

#[test]
#[ignore = "needs PostgreSQL and Garage: run tests/run"]
fn postgres_and_garage() {
    on_garage(&Postgres::new(), &POSTGRES);
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn mariadb_and_a_local_folder() {
    in_a_folder(&MariaDb::new(), &MARIADB);
}

#[test]
#[ignore = "needs MariaDB and Garage: run tests/run"]
fn mariadb_and_garage() {
    on_garage(&MariaDb::new(), &MARIADB);
}

#[test]
fn the_names_that_a_folder_cannot_hold_are_the_only_ones_left_out() {
    let impossible = names::IMPOSSIBLE_IN_A_FOLDER.iter().inspect(|(name, reason)| println!("{name}: {reason}"));
    assert_eq!(generator::application(true).left_out, impossible.map(|(name, _)| *name).collect::<BTreeSet<_>>());
    assert_eq!(generator::application(false).left_out, BTreeSet::new());
}

fn in_a_folder(database: &dyn Database, schema: &Schema) {
    let application = generator::application(true);
    let folder = Folder::new();
    folder.put(&application.objects);
    finds_exactly_what_is_orphaned(database, schema, &folder, &application);
}

/// Uploading takes longer than all the rest, and a dry run changes nothing: one bucket serves every engine.
fn on_garage(database: &dyn Database, schema: &Schema) {
    static FILLED: OnceLock<Garage> = OnceLock::new();
    let application = generator::application(false);
    let garage = FILLED.get_or_init(|| {
        let garage = Garage::new();
        garage.put(&application.objects);
        garage
    });
    finds_exactly_what_is_orphaned(database, schema, garage, &application);
}

fn finds_exactly_what_is_orphaned(
    database: &dyn Database,
    schema: &Schema,
    store: &dyn Store,
    application: &Application,
) {
    assert!(application.keys() >= 10_000, "{} keys", application.keys());
    schema.install(database, application);
    let mut tool = Tool::new(&configuration(database, schema, store));
    for (name, value) in store.environment() {
        tool = tool.env(name, &value);
    }

    let report = tool.report();
    let expected = application.expected(store.has_ages());
    assert_same(&expected, &findings(&report));
    assert_in_order(&report);
    assert_totals(&report, application, &expected, store.has_ages());
    assert_plain_text(&tool.run(&[]).stdout);
}

fn configuration(database: &dyn Database, schema: &Schema, store: &dyn Store) -> String {
    // Everything in a bucket was stored just now: "0s" switches the age test off.
    let min_age = if store.has_ages() { "24h" } else { "0s" };
    format!(
        r#"
[database]
url = "{url}"

{storage}
prefix = "{prefix}"
ignore = ["**/cache/**"]

[[records]]
table = "assets"
id = "id"
key = "storage_key"
created_at = "created_at"
updated_at = "created_at"
where = "status <> 'expired'"

[[records]]
table = "documents"
id = "id"
key = "path"
key_prefix = "{prefix}"
created_at = "uploaded_at"
updated_at = "uploaded_at"

[[references]]
table = "users"
key = "avatar_key"

[[references]]
query = "{photos}"

[safety]
min_age = "{min_age}"
"#,
        url = database.url(),
        storage = store.configuration(),
        prefix = model::PREFIX,
        photos = schema.photos,
    )
}

/// The report's findings as the model writes them. A finding that is listed twice is a failure of its own.
fn findings(report: &Value) -> BTreeSet<Expected> {
    let mut seen = BTreeSet::new();
    for finding in report["findings"].as_array().expect("findings") {
        let text = |name: &str| finding[name].as_str().map(str::to_owned);
        let kind = text("kind").expect("a kind");
        let key = text("key").expect("a key");
        // Of a side that is behind the reason says since when.
        let held = text("held").map(|held| held.split(", of 20").next().unwrap_or_default().to_owned());
        let line = (kind, key, text("table"), text("id"), held);
        assert!(seen.insert(line), "listed twice: {finding}");
    }
    seen
}

/// Two sets of hundreds of lines are unreadable beside each other: only what differs is shown.
fn assert_same(expected: &BTreeSet<Expected>, found: &BTreeSet<Expected>) {
    let missing: Vec<_> = expected.difference(found).collect();
    let surplus: Vec<_> = found.difference(expected).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "not found: {missing:#?}\nnot expected: {surplus:#?}");
}

fn assert_in_order(report: &Value) {
    let findings = report["findings"].as_array().expect("findings");
    let order =
        |finding: &Value| (finding["kind"].as_str().map(str::to_owned), finding["key"].as_str().map(str::to_owned));
    let unsorted = findings.windows(2).find(|pair| order(&pair[0]) > order(&pair[1]));
    assert_eq!(unsorted, None, "findings are sorted by kind, then by key in byte order");
}

fn assert_totals(report: &Value, application: &Application, expected: &BTreeSet<Expected>, has_ages: bool) {
    let of = |kind: &str| expected.iter().filter(|finding| finding.0 == kind).count();
    let totals = &report["totals"];
    assert_eq!(totals["orphaned_files"], of("orphaned-file"));
    assert_eq!(totals["orphaned_records"], of("orphaned-record"));
    assert_eq!(totals["held"], expected.iter().filter(|finding| finding.4.is_some()).count());
    assert_eq!(totals["too_young"], application.too_young(has_ages));
    assert_eq!(totals["objects"], application.judged_objects());
    assert_eq!(totals["records"], application.judged_rows());
    assert_eq!(report["run"]["outcome"], "findings");
}

/// The text report shows the hostile keys, and nothing in it moves the cursor or turns the text around.
fn assert_plain_text(text: &str) {
    for stem in ["new", "tab", "carriage", "control", "right-to-left", "zero"] {
        for folder in ["stray", "lost", "lost-document"] {
            let key = format!("app/00-names/{folder}/{stem}");
            assert!(text.contains(&key), "{key} is not among the findings that the text lists:\n{text}");
        }
    }
    let acts = |c: &char| {
        c.is_control() && *c != '\n'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    assert_eq!(text.chars().find(acts), None, "{text:?}");
    let broken_line = text.lines().find(|line| line.starts_with("line.png"));
    assert_eq!(broken_line, None, "a newline in a key is escaped");
}
