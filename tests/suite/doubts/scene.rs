//! A small application: tables in SQLite, a folder of old files, and sixty of them known.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::local::Folder;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::stores::Store;
use crate::support::terminal;
use crate::support::tool::{Outcome, Tool};

pub struct Scene {
    pub database: Sqlite,
    pub folder: Folder,
    pub tool: Tool,
}

/// The table that owns the files.
pub const ASSETS: &str = "[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\ncreated_at = \"created_at\"\nupdated_at = \"created_at\"\n";

impl Scene {
    /// Sixty known files below `a/`, and `more` SQL and sections.
    pub fn new(sql: &str, sections: &str) -> Scene {
        let database = Sqlite::new();
        database.run(
            "CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT DEFAULT (datetime('now', '-10 days')))",
        );
        let scene = Scene { database, folder: Folder::new(), tool: Tool::new("") };
        let known: Vec<String> = (0..60).map(|number| format!("a/{number}.png")).collect();
        known.iter().for_each(|key| scene.put(key));
        scene.own(&known.iter().map(String::as_str).collect::<Vec<_>>());
        if !sql.is_empty() {
            scene.database.run(sql);
        }
        scene.configure(sections);
        scene
    }

    /// Writes the configuration again.
    pub fn configure(&self, sections: &str) {
        self.configure_storage("", sections);
    }

    /// The same, with more lines in `[storage]`.
    pub fn configure_storage(&self, storage: &str, sections: &str) {
        self.tool.configure(&format!(
            "[database]\nurl = {:?}\n{}{storage}{ASSETS}{sections}",
            self.database.url(),
            self.folder.configuration()
        ));
    }

    /// Rows that own these keys.
    pub fn own(&self, keys: &[&str]) {
        let values: Vec<String> = keys.iter().map(|key| format!("('{}')", key.replace('\'', "''"))).collect();
        self.database.run(&format!("INSERT INTO assets (storage_key) VALUES {}", values.join(", ")));
    }

    pub fn path(&self, key: &str) -> std::path::PathBuf {
        self.folder.root().join(key)
    }

    /// A file that is ten days old and a half, and so older than its row by less than a day.
    pub fn put(&self, key: &str) {
        let path = self.path(key);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, key).expect("a file");
        age_hours(&path, 10 * 24 + 12);
    }

    pub fn has(&self, key: &str) -> bool {
        self.path(key).exists()
    }

    /// Removes what may go.
    pub fn remove(&self) -> Outcome {
        let root = self.folder.root().file_name().and_then(|name| name.to_str()).expect("a name");
        terminal::run(&self.tool, &["--execute", "--format", "json", "--max-percent", "100"], root)
    }

    /// The findings that are held, as (key, code).
    pub fn held(&self) -> Vec<(String, String)> {
        held(&self.tool.report())
    }
}

pub fn held(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("findings").iter();
    let held = findings.filter(|finding| !finding["held"].is_null());
    held.map(|finding| (text(&finding["key"]), text(&finding["held_by"]))).collect()
}

pub fn warnings(report: &Value) -> Vec<String> {
    let warnings = report["warnings"].as_array().expect("warnings").iter();
    warnings.map(|warning| warning.as_str().expect("a text").to_owned()).collect()
}

pub fn age(path: &Path, days: u64) {
    age_hours(path, days * 24);
}

fn age_hours(path: &Path, hours: u64) {
    let modified = SystemTime::now() - Duration::from_secs(hours * 3600);
    let file = fs::File::options().write(true).open(path).expect("the file");
    file.set_modified(modified).expect("its age");
}
