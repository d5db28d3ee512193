//! A table `files` on some engine, its files in a bucket, and the tool.

use std::collections::BTreeSet;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::support::s3::{ACCESS_KEY, SECRET_KEY, Server, days};
use crate::support::servers::Database;
use crate::support::terminal::{self, Terminal};
use crate::support::tool::{Outcome, Tool};

const BUCKET: &str = "app-assets";

pub struct Scene<'d> {
    pub database: &'d dyn Database,
    pub server: Server,
    pub tool: Tool,
}

impl<'d> Scene<'d> {
    /// An empty table `files` (id, name, url, note, created_at), and an empty bucket. `records` are more lines of its
    /// section, and sections after it.
    pub fn new(database: &'d dyn Database, records: &str) -> Scene<'d> {
        database.run(
            "CREATE TABLE files (id integer PRIMARY KEY, name varchar(200), url varchar(400), note varchar(20), \
             created_at varchar(30))",
        );
        let tool = Tool::new("").env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let scene = Scene { database, server: Server::start(BUCKET), tool };
        scene.configure(records);
        scene
    }

    pub fn configure(&self, records: &str) {
        self.tool.configure(&format!(
            "[database]\nurl = {:?}\n\n{}\n[safety]\nmax_percent = 100\nmin_overlap = 0\n\n[[records]]\ntable = \"files\"\n\
             id = \"id\"\ncreated_at = \"created_at\"\nupdated_at = \"created_at\"\n{records}\n",
            self.database.url(),
            self.server.storage_section(""),
        ));
    }

    /// Inserts old rows: an id, a name, a URL.
    pub fn insert(&self, rows: &[(u32, Option<&str>, Option<&str>)]) {
        let text = |value: Option<&str>| value.map_or("NULL".to_owned(), |value| self.database.literal(value));
        let made = DateTime::<Utc>::from(SystemTime::now() - days(90)).format("%Y-%m-%d %H:%M:%S");
        let rows = rows.iter().map(|(id, name, url)| format!("({id}, {}, {}, '', '{made}')", text(*name), text(*url)));
        self.database.run(&format!("INSERT INTO files VALUES {}", rows.collect::<Vec<_>>().join(", ")));
    }

    /// The same of rows that have only a URL.
    pub fn insert_urls(&self, urls: &[(u32, &str)]) {
        self.insert(&urls.iter().map(|(id, url)| (*id, None, Some(*url))).collect::<Vec<_>>());
    }

    pub fn put(&self, keys: &[&str]) {
        keys.iter().for_each(|key| self.server.bucket.put(key, key, SystemTime::now() - days(90)));
    }

    /// The findings of a dry run: the kind, the key and a row's id. Nothing is held.
    pub fn found(&self) -> BTreeSet<(String, String, String)> {
        found(&self.tool.report())
    }

    pub fn executed(&self) -> Value {
        let outcome = terminal::run(&self.tool, &["--execute", "--format", "json"], BUCKET);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        outcome.json()
    }

    /// Runs `--execute`; `meanwhile` happens while the prompt waits.
    pub fn executed_with(&self, meanwhile: impl FnOnce()) -> Outcome {
        let mut terminal = Terminal::start(&self.tool, &["--execute", "--format", "json"]);
        assert!(terminal.prompt(), "{}", terminal.shown);
        meanwhile();
        terminal.answer(BUCKET)
    }

    /// The ids of the rows that are there.
    pub fn ids(&self) -> Vec<String> {
        let text = if self.database.url().starts_with("mysql") { "CHAR" } else { "text" };
        self.database.texts(&format!("SELECT CAST(id AS {text}) FROM files ORDER BY id"))
    }

    /// Every key outside the trash.
    pub fn keys(&self) -> Vec<String> {
        self.server.bucket.keys().into_iter().filter(|key| !key.starts_with(".trash/")).collect()
    }

    /// The engine's own way to write `a || b`.
    pub fn concat(&self, parts: &[&str]) -> String {
        match self.database.url().starts_with("mysql") {
            true => format!("CONCAT({})", parts.join(", ")),
            false => parts.join(" || "),
        }
    }
}

pub fn found(report: &Value) -> BTreeSet<(String, String, String)> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let found = findings.map(|finding| {
        assert_eq!(finding["held"], Value::Null, "{report:#}");
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        (text("kind"), text("key"), text("id"))
    });
    found.collect()
}

pub fn file(key: &str) -> (String, String, String) {
    ("orphaned-file".to_owned(), key.to_owned(), String::new())
}

pub fn record(key: &str, id: &str) -> (String, String, String) {
    ("orphaned-record".to_owned(), key.to_owned(), id.to_owned())
}
