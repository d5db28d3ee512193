//! A small application on a SQLite database and a local folder.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::support::tool::{Outcome, Tool};

/// A long time ago: older than any `min_age` of these tests.
const AGE: Duration = Duration::from_secs(90 * 24 * 3600);

/// Ten files with their records, `a/0.png` to `a/9.png`.
pub struct Small {
    pub tool: Tool,
}

impl Small {
    pub fn new() -> Small {
        let small = Small { tool: Tool::new("") };
        std::fs::create_dir(small.root()).expect("the uploads");
        small.sql("CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT)");
        (0..10).for_each(|number| small.pair(&format!("a/{number}.png")));
        small.configure("");
        small
    }

    /// Ten pairs, the orphaned files `a/unknown.png` and `b/unknown.png`, and the orphaned record `a/lost.png`.
    pub fn with_findings() -> Small {
        let small = Small::new();
        small.pair("b/0.png");
        small.file("a/unknown.png");
        small.file("b/unknown.png");
        small.record("a/lost.png");
        small
    }

    pub fn root(&self) -> PathBuf {
        self.tool.path("uploads")
    }

    /// The configuration, with more sections after it.
    pub fn config(&self, sections: &str) -> String {
        format!(
            "[database]\nurl = \"sqlite:{}\"\n\n[storage]\nkind = \"local\"\nroot = {:?}\nage_by = \"modified\"\n[[records]]\ntable = \"assets\"\n\
             id = \"id\"\nkey = \"storage_key\"\ncreated_at = \"created_at\"\n\n{sections}\n",
            self.tool.path("app.db").display(),
            self.root(),
        )
    }

    pub fn configure(&self, sections: &str) {
        self.tool.configure(&self.config(sections));
    }

    pub fn pair(&self, key: &str) {
        self.file(key);
        self.record(key);
    }

    /// An old file.
    pub fn file(&self, key: &str) {
        let path = self.root().join(key);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, "picture").expect("a file");
        File::options()
            .write(true)
            .open(&path)
            .expect("a file")
            .set_modified(SystemTime::now() - AGE)
            .expect("its age");
    }

    pub fn remove(&self, key: &str) {
        std::fs::remove_file(self.root().join(key)).expect("a file to remove");
    }

    /// An old row.
    pub fn record(&self, key: &str) {
        let key = key.replace('\'', "''");
        self.sql(&format!(
            "INSERT INTO assets (storage_key, created_at) VALUES ('{key}', datetime('now', '-90 days'))"
        ));
    }

    pub fn sql(&self, statement: &str) {
        let options = SqliteConnectOptions::new().filename(self.tool.path("app.db")).create_if_missing(true);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut connection = options.disable_statement_logging().connect().await.expect("the database");
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("the statement");
            connection.close().await.expect("a closed database");
        });
    }
}

/// Expects exit 2, and each of these words on standard error, and nothing on standard output.
pub fn expect_usage_error(outcome: &Outcome, words: &[&str]) {
    assert_eq!(outcome.code, 2, "{outcome:#?}");
    assert_eq!(outcome.stdout, "", "a usage error is no report: {outcome:#?}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    for word in words {
        assert!(outcome.stderr.contains(word), "{word:?} is not in the message: {outcome:#?}");
    }
}
