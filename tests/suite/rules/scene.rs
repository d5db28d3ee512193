//! An application whose rows are to go, on any of the three engines, and what a test looks at afterwards.
//!
//! SQL is written once for all engines: `{id}`, `{text}` and `{time}` stand for types of columns, `{ago 25h}` and
//! `{in 5m}` for moments.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::s3::{ACCESS_KEY, SECRET_KEY, Server, days};
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::terminal;
use crate::support::tool::{Outcome, Tool};

/// The last name of the local root and the bucket's name, which are typed to confirm.
pub const NAME: &str = "uploads";

/// Limits that a handful of rows would meet at once are off.
pub const NO_LIMITS: &str = "[safety]\nmax_percent = 100\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
    MariaDb,
}

/// What a finding says: kind, key, table, id.
pub type Line<'a> = (&'a str, &'a str, &'a str, &'a str);

pub struct Scene {
    pub tool: Tool,
    pub engine: Engine,
    pub database: Box<dyn Database>,
    /// The bucket, where the files are not in a folder.
    pub server: Option<Server>,
}

impl Engine {
    fn database(self) -> Box<dyn Database> {
        match self {
            Engine::Sqlite => Box::new(Sqlite::new()),
            Engine::Postgres => Box::new(Postgres::new()),
            Engine::MariaDb => Box::new(MariaDb::new()),
        }
    }

    /// `text` as one of three, by the engine.
    pub fn one<'a>(self, sqlite: &'a str, postgres: &'a str, mariadb: &'a str) -> &'a str {
        match self {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
            Engine::MariaDb => mariadb,
        }
    }

    /// A moment as a literal.
    fn moment(self, time: DateTime<Utc>) -> String {
        let zone = self.one("", "+00", "");
        format!("'{}{zone}'", time.format("%Y-%m-%d %H:%M:%S"))
    }

    /// SQL with what stands for types and moments filled in.
    pub fn sql(self, text: &str) -> String {
        let types = text
            .replace("{id}", self.one("integer PRIMARY KEY", "bigint PRIMARY KEY", "bigint PRIMARY KEY"))
            .replace("{text}", self.one("text", "text", "varchar(500)"))
            .replace("{time}", self.one("text", "timestamptz", "datetime"));
        let mut sql = String::new();
        let mut rest = types.as_str();
        while let Some(at) = rest.find("{ago ").into_iter().chain(rest.find("{in ")).min() {
            let (before, marked) = rest.split_at(at);
            let (inside, after) = marked[1..].split_once('}').expect("a moment ends");
            let (word, span) = inside.split_once(' ').expect("a moment has a span");
            let span = humantime::parse_duration(span).expect("a duration");
            let now = Utc::now();
            sql.push_str(before);
            sql.push_str(&self.moment(if word == "ago" { now - span } else { now + span }));
            rest = after;
        }
        sql + rest
    }
}

impl Scene {
    /// An empty application with its files in a folder.
    pub fn new(engine: Engine) -> Scene {
        let scene = Scene { tool: Tool::new(""), engine, database: engine.database(), server: None };
        fs::create_dir(scene.tool.path(NAME)).expect("the root");
        scene
    }

    /// The same in a bucket.
    pub fn on_s3(engine: Engine) -> Scene {
        let tool = Tool::new("").env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        Scene { tool, engine, database: engine.database(), server: Some(Server::start(NAME)) }
    }

    /// A table `assets` of id, storage_key, created_at, status and ended_at, with three old rows that are live (ids 1 to
    /// 3) and their files; `rules` are lines of its `[[records]]` section and sections after it.
    pub fn of_assets(engine: Engine, rules: &str) -> Scene {
        let scene = Scene::new(engine);
        scene.run(
            "CREATE TABLE assets (id {id}, storage_key {text}, created_at {time}, status {text}, ended_at {time})",
        );
        for id in 1..=3 {
            scene.asset(id, &format!("live/{id}.png"), "live", "NULL");
            scene.put(&format!("live/{id}.png"));
        }
        scene.configure_assets(rules, NO_LIMITS);
        scene
    }

    /// Writes the configuration of [`Scene::of_assets`].
    pub fn configure_assets(&self, rules: &str, sections: &str) {
        let records = "[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\ncreated_at = \"created_at\"\nupdated_at = \"created_at\"";
        self.configure(&format!("{records}\n{rules}\n{sections}"));
    }

    /// Inserts an old row of `assets`. `ended_at` is SQL.
    pub fn asset(&self, id: u32, key: &str, status: &str, ended_at: &str) {
        let key = self.database.literal(key);
        self.run(&format!("INSERT INTO assets VALUES ({id}, {key}, {{ago 90d}}, '{status}', {ended_at})"));
    }

    /// Writes the configuration: the two sides, and these sections.
    pub fn configure(&self, sections: &str) {
        let store = match &self.server {
            Some(server) => server.storage_section(""),
            None => format!("[storage]\nkind = \"local\"\nage_by = \"modified\"\nroot = {:?}\n", self.tool.path(NAME)),
        };
        self.tool.configure(&format!("[database]\nurl = {:?}\n\n{store}\n{sections}\n", self.database.url()));
    }

    pub fn run(&self, sql: &str) {
        self.database.run(&self.engine.sql(sql));
    }

    /// Stores an old file.
    pub fn put(&self, key: &str) {
        self.put_at(key, SystemTime::now() - days(90));
    }

    pub fn put_at(&self, key: &str, modified: SystemTime) {
        let bytes = format!("the file {key}");
        match &self.server {
            Some(server) => server.bucket.put(key, &bytes, modified),
            None => {
                let path = self.tool.path(NAME).join(key);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(&path, bytes).expect("a file");
                File::options().write(true).open(&path).expect("the file").set_modified(modified).expect("its age");
            }
        }
    }

    /// The files of the store, trash left out.
    pub fn files(&self) -> BTreeSet<String> {
        let mut files: BTreeSet<String> = match &self.server {
            Some(server) => server.bucket.keys().into_iter().collect(),
            None => files_below(&self.tool.path(NAME)),
        };
        files.retain(|key| !key.starts_with(".trash/"));
        files
    }

    /// The ids of a table, in their order.
    pub fn ids(&self, table: &str) -> Vec<String> {
        self.texts(&format!("SELECT {} FROM {table} ORDER BY {table}.id", self.as_text("id")))
    }

    pub fn texts(&self, sql: &str) -> Vec<String> {
        self.database.texts(sql)
    }

    /// A column as text, in SQL.
    pub fn as_text(&self, column: &str) -> String {
        format!("CAST({column} AS {})", self.engine.one("TEXT", "text", "CHAR"))
    }

    /// Runs `--execute` at a terminal, and confirms.
    pub fn execute(&self, arguments: &[&str]) -> Outcome {
        terminal::run(&self.tool, &[&["--execute", "--format", "json"], arguments].concat(), NAME)
    }

    /// The same, and expects exit 0; gives the report.
    pub fn executed(&self) -> Value {
        let outcome = self.execute(&[]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        outcome.json()
    }

    /// A run that removes is refused with exit 12 and these words, before it asks; nothing is changed.
    pub fn expect_refused(&self, limit: &str, words: &[&str]) {
        let (files, rows) = (self.files(), self.ids("assets"));
        let arguments = ["--execute", "--format", "json"];
        let outcome = terminal::run_without_prompt(&self.tool, &arguments);
        assert_eq!(outcome.code, 12, "{outcome:#?}");
        let report = outcome.json();
        assert_eq!(report["refusal"]["limit"], limit, "{report:#}");
        let message = report["refusal"]["message"].as_str().expect("a message");
        words.iter().for_each(|word| assert!(message.contains(word), "{word:?} is not in {message:?}"));
        assert_eq!((self.files(), self.ids("assets")), (files, rows));
    }

    /// A second run finds nothing, warns of nothing, and asks for nothing.
    pub fn expect_nothing_left(&self) {
        let report = self.tool.report();
        expect(&report, &[]);
        assert_eq!(report["run"]["outcome"], "clean", "{report:#}");
        let outcome = terminal::run_without_prompt(&self.tool, &["--execute"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
    }

    /// The files are these.
    pub fn expect_files(&self, keys: &[&str]) {
        assert_eq!(self.files(), keys.iter().map(|key| (*key).to_owned()).collect());
    }
}

/// The report's findings are these, in any order.
pub fn expect(report: &Value, expected: &[Line<'_>]) {
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("findings").iter();
    let mut found: Vec<_> = findings.map(|f| ["kind", "key", "table", "id"].map(|name| word(f, name))).collect();
    let mut expected: Vec<_> =
        expected.iter().map(|(kind, key, table, id)| [kind, key, table, id].map(|word| (*word).to_owned())).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{report:#}");
}

/// The finding of this table and id.
pub fn finding<'r>(report: &'r Value, table: &str, id: &str) -> &'r Value {
    let mut findings = report["findings"].as_array().expect("findings").iter();
    let found = findings.find(|finding| finding["table"] == table && finding["id"] == id);
    found.unwrap_or_else(|| panic!("no finding of {table} id {id}: {report:#}"))
}

/// The report's warnings.
pub fn warnings(report: &Value) -> Vec<String> {
    let warnings = report["warnings"].as_array().expect("warnings").iter();
    warnings.map(|warning| warning.as_str().expect("words").to_owned()).collect()
}

fn files_below(root: &std::path::Path) -> BTreeSet<String> {
    let (mut files, mut open) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            match entry.is_dir() {
                true => open.push(entry),
                false => {
                    let key = entry.strip_prefix(root).expect("a path below");
                    files.insert(key.display().to_string());
                }
            }
        }
    }
    files
}
