//! A small application for tests: a SQLite table of assets, their files in an S3 bucket, and a few that have lost each
//! other, all of them old enough to be findings.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::{ACCESS_KEY, SECRET_KEY, Server};
use crate::support::tool::{Outcome, Tool, keys_of};

const BUCKET: &str = "app-assets";
const BODY: &str = "picture";

/// That many days, as a duration.
pub const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 3600)
}

/// The age of everything that is not said to be of another age.
const AGE: Duration = days(90);

/// The application, its server, and the tool that is configured for it.
pub struct Application {
    pub server: Server,
    pub tool: Tool,
    /// The files that no record names, in byte order.
    pub orphaned_files: Vec<String>,
    /// The keys of the records without a file, in byte order.
    pub orphaned_records: Vec<String>,
}

impl Application {
    /// Forty assets with their files, three orphaned files and two orphaned records.
    pub fn small() -> Application {
        Application::with_assets(40)
    }

    /// `assets` rows with their files; the orphans are spread over the whole space of keys.
    pub fn with_assets(assets: usize) -> Application {
        let app = Application {
            orphaned_files: [1, 3, 5].map(|sixth| format!("assets/{:06}-unknown.png", assets * sixth / 6)).to_vec(),
            orphaned_records: [2, 4].map(|sixth| format!("assets/{:06}-lost.png", assets * sixth / 6)).to_vec(),
            ..Application::empty()
        };
        let keys: Vec<String> = (0..assets).map(|number| format!("assets/{number:06}.png")).collect();
        for key in keys.iter().chain(&app.orphaned_files) {
            app.put(key);
        }
        app.insert(keys.iter().chain(&app.orphaned_records));
        app
    }

    /// An empty table and an empty bucket.
    pub fn empty() -> Application {
        let server = Server::start(BUCKET);
        let tool = Tool::new("").env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let app = Application { server, tool, orphaned_files: Vec::new(), orphaned_records: Vec::new() };
        app.sql("CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT)");
        app.sql("CREATE INDEX assets_by_key ON assets (storage_key)");
        app.configure("", "");
        app
    }

    /// Writes the configuration again, with more lines in `[[records]]`.
    pub fn configure_records(&self, lines: &str) {
        // What follows created_at belongs to the same section.
        self.configure("", lines);
    }

    /// Writes the configuration again, with more lines in `[storage]` and more sections after `[[records]]`.
    pub fn configure(&self, storage: &str, sections: &str) {
        let config = format!(
            "[database]\nurl = \"sqlite:{}\"\n\n{}\n[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n\
             created_at = \"created_at\"\nupdated_at = \"created_at\"\n\n{sections}\n",
            self.database().display(),
            self.server.storage_section(storage),
        );
        self.tool.configure(&config);
    }

    pub fn database(&self) -> PathBuf {
        self.tool.path("app.db")
    }

    /// Puts an old file into the bucket.
    pub fn put(&self, key: &str) {
        self.server.bucket.put(key, BODY, SystemTime::now() - AGE);
    }

    /// Inserts old rows with these keys.
    pub fn insert<'k>(&self, keys: impl IntoIterator<Item = &'k String>) {
        insert_old_rows(self.database(), &keys.into_iter().cloned().collect::<Vec<_>>());
    }

    /// Runs one SQL statement on the application's database.
    pub fn sql(&self, statement: &str) {
        run_sql(self.database(), statement.to_owned());
    }

    /// What a dry run finds, as (orphaned files, orphaned records).
    pub fn expected(&self) -> (Vec<String>, Vec<String>) {
        (self.orphaned_files.clone(), self.orphaned_records.clone())
    }

    /// Runs the dry run in JSON and expects it to fail, with nothing found and nothing changed.
    pub fn expect_failure(&self) -> Outcome {
        let outcome = self.tool.run(&["--format", "json"]);
        assert_eq!(outcome.code, 1, "{outcome:#?}");
        let report = outcome.json();
        assert_eq!(report["run"]["outcome"], "failed", "{report:#}");
        assert_eq!(report["findings"], Value::Array(Vec::new()), "absence was not proven");
        assert_eq!(self.server.writing_calls().len(), 0, "a dry run writes nothing, whatever happens");
        outcome
    }
}

/// The keys that a report lists, as (orphaned files, orphaned records).
pub fn found(report: &Value) -> (Vec<String>, Vec<String>) {
    (keys_of(report, "orphaned-file"), keys_of(report, "orphaned-record"))
}

/// Inserts old rows into the table of a database file: also from within a hook, which has no application at hand.
pub fn insert_old_rows(database: PathBuf, keys: &[String]) {
    let created_at = DateTime::<Utc>::from(SystemTime::now() - AGE).to_rfc3339_opts(SecondsFormat::Secs, true);
    let keys = serde_json::to_string(keys).expect("JSON").replace('\'', "''");
    let rows = format!("SELECT value, '{created_at}' FROM json_each('{keys}')");
    run_sql(database, format!("INSERT INTO assets (storage_key, created_at) {rows}"));
}

fn run_sql(database: PathBuf, statement: String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let options =
            SqliteConnectOptions::new().filename(database).create_if_missing(true).disable_statement_logging();
        let mut connection = options.connect().await.expect("the application's database");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("the statement");
        connection.close().await.expect("a closed database");
    });
}
