//! Small applications of two tables with rules, and references: what the report says, what a run leaves, and that a
//! second run finds no more of it.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::Value;

use super::model::{Found, Stored, When, World, key, world};
use crate::support::local::{Folder, everything_below};
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::stores::Store;
use crate::support::terminal;
use crate::support::tool::Tool;

/// Both tables have a row of it, which no rule condemns.
const ANCHOR: &str = "anchor.png";

const SECTIONS: &str = r#"
[[records]]
table = "assets"
id = "id"
key = "storage_key"
created_at = "created_at"
updated_at = "created_at"
where = "status <> 'expired'"
missing_file = "delete"

[[records.rules]]
name = "unlinked"
where = "entity_id IS NULL"
after = "24h"

[[records.rules]]
name = "soft-deleted"
since = "deleted_at"
after = "7d"

[[records.rules]]
name = "flagged"
where = "flagged"

[[records.rules]]
name = "expired"
since = "expires_at"
then = { set = { status = "expired" } }

[[records]]
table = "downloads"
id = "id"
key = "file_key"
where = "state <> 'done'"

[[records.rules]]
name = "downloaded"
since = "fetched_at"
after = "7d"

[[records.rules]]
name = "stale"
since = "stale_at"
after = "1d"
then = { set = { state = "done" } }

[[references]]
table = "users"
key = "avatar_key"

[safety]
max_percent = 100
min_overlap = 0
"#;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 30, failure_persistence: None, max_shrink_iters: 80, ..ProptestConfig::default()
    })]

    #[test]
    fn small_applications_come_out_as_the_model_says(world in world()) {
        let (database, folder) = (Sqlite::new(), Folder::new());
        lay_out(&world, &database, &folder);
        let tool = Tool::new(&format!(
            "[database]\nurl = {:?}\n{}{SECTIONS}", database.url(), folder.configuration()
        ));

        prop_assert_eq!(findings(&tool.report()), world.expected(), "the dry run");

        let root = folder.root().file_name().and_then(|name| name.to_str()).expect("a name");
        let outcome = terminal::run(&tool, &["--execute", "--format", "json"], root);
        prop_assert_eq!(outcome.code, 0, "{:#?}", outcome);
        prop_assert_eq!(rows(&database, "assets", "status"), world.assets_left());
        prop_assert_eq!(rows(&database, "downloads", "state"), world.downloads_left());
        prop_assert_eq!(files(&folder), world.files_left());

        prop_assert_eq!(findings(&without_held(tool.report())), world.expected_again(), "the second run");
    }
}

fn lay_out(world: &World, database: &Sqlite, folder: &Folder) {
    let key_of = |number: &Option<usize>| number.map_or("NULL".to_owned(), |number| format!("'{}'", key(number)));
    let text = |text: Option<&str>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
    let assets = world.assets.iter().enumerate().map(|(id, asset)| {
        format!(
            "({id}, {}, {}, {}, {}, {}, {}, {})",
            key_of(&asset.key),
            date(asset.made),
            text(asset.status),
            if asset.is_linked { "1" } else { "NULL" },
            date(asset.deleted),
            asset.flagged.map_or("NULL".to_owned(), |is| u8::from(is).to_string()),
            date(asset.expires),
        )
    });
    let downloads = world.downloads.iter().enumerate().map(|(id, download)| {
        let (key, state) = (key_of(&download.key), text(download.state));
        format!("({id}, {key}, {state}, {}, {})", date(download.fetched), date(download.stale))
    });
    let anchor = format!("(1000, '{ANCHOR}', datetime('now', '-2 days'), 'active', 1, NULL, 0, NULL)");
    let assets = assets.chain([anchor]).collect::<Vec<_>>().join(", ");
    let downloads = downloads.chain([format!("(1000, '{ANCHOR}', 'new', NULL, NULL)")]).collect::<Vec<_>>().join(", ");
    let users = world.references.iter().map(|number| format!("('{}')", key(*number)));
    let users = users.chain(["(NULL)".to_owned()]).collect::<Vec<_>>().join(", ");
    database.run(&format!(
        "CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT, status TEXT, entity_id INT,
                              deleted_at TEXT, flagged INT, expires_at TEXT);
         CREATE TABLE downloads (id INTEGER PRIMARY KEY, file_key TEXT, state TEXT, fetched_at TEXT, stale_at TEXT);
         CREATE TABLE users (avatar_key TEXT);
         INSERT INTO assets VALUES {assets}; INSERT INTO downloads VALUES {downloads}; INSERT INTO users VALUES {users}"
    ));
    put(folder, ANCHOR, SystemTime::now());
    for (number, stored) in world.files.iter().enumerate() {
        match stored {
            Stored::Absent => {}
            Stored::Old => put(folder, &key(number), SystemTime::now() - Duration::from_secs(30 * 24 * 3600)),
            Stored::Young => put(folder, &key(number), SystemTime::now()),
        }
    }
}

fn put(folder: &Folder, key: &str, modified: SystemTime) {
    let path = folder.root().join(key);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, key).expect("a file");
    fs::File::options().write(true).open(&path).expect("the file").set_modified(modified).expect("its age");
}

fn date(when: When) -> &'static str {
    match when {
        When::Never => "NULL",
        When::Junk => "'soon'",
        When::LongAgo => "datetime('now', '-30 days')",
        When::AnHourAgo => "datetime('now', '-1 hour')",
        When::Tomorrow => "datetime('now', '+1 day')",
    }
}

/// The report's findings, none of which is held but for those without an age.
fn findings(report: &Value) -> BTreeSet<Found> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let text = |finding: &Value, name: &str| finding[name].as_str().map(str::to_owned);
    let found: Vec<Found> = findings
        .inspect(|finding| {
            let is_right = finding["held"].is_null() || finding["held_by"] == "undated";
            assert!(is_right, "{finding:#}");
        })
        .map(|finding| {
            let (kind, key) = (text(finding, "kind").expect("a kind"), text(finding, "key").unwrap_or_default());
            (kind, key, text(finding, "table"), text(finding, "id"), finding["shared"].as_bool())
        })
        .collect();
    let set: BTreeSet<Found> = found.iter().cloned().collect();
    assert_eq!(set.len(), found.len(), "listed twice: {found:#?}");
    set
}

/// The rows of a table but the anchor's: id and state.
fn rows(database: &Sqlite, table: &str, column: &str) -> BTreeSet<String> {
    let sql = format!("SELECT id || ' ' || coalesce({column}, 'NULL') FROM {table} WHERE id < 1000");
    database.texts(&sql).into_iter().collect()
}

/// The files but the anchor's and the trash.
fn files(folder: &Folder) -> BTreeSet<String> {
    let below = everything_below(folder.root()).into_iter().filter(|(_, (_, content))| content.is_some());
    let key = |path: String| path.strip_prefix(&format!("{}/", folder.root().display())).map(str::to_owned);
    let keys: BTreeSet<String> = below.filter_map(|(path, _)| key(path)).collect();
    assert!(keys.contains(ANCHOR), "the anchor is gone");
    keys.into_iter().filter(|key| key != ANCHOR && !key.starts_with(".trash/")).collect()
}

fn without_held(mut report: Value) -> Value {
    let findings = report["findings"].as_array_mut().expect("findings");
    findings.retain(|finding| finding["held"].is_null());
    report
}
