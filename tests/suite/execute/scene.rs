//! An application whose lost files are to be removed, on either store, and what a test looks at afterwards.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::Value;

use crate::support::s3::{ACCESS_KEY, About, SECRET_KEY, Server, days, insert_old_rows};
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::terminal;
use crate::support::tool::{Outcome, Tool};

const BUCKET: &str = "app-assets";
/// The last name of the local root, which is typed to confirm.
const ROOT: &str = "up loads";
/// Letters and digits of Crockford's base 32, and so of a ULID.
const ULID: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// An application, its store, and the tool that is configured for it.
pub struct Scene {
    pub tool: Tool,
    pub database: Sqlite,
    /// The files that no record names, in byte order.
    pub orphans: Vec<String>,
    pub store: Kept,
}

/// Where the files are kept.
pub enum Kept {
    S3(Server),
    Local(tempfile::TempDir),
}

/// The bytes of the file that [`Scene::put`] stores under a key.
pub fn bytes_of(key: &str) -> String {
    format!("the picture {key}")
}

/// What the file says of itself, where the store lets it.
pub fn about(key: &str) -> About {
    let metadata =
        HashMap::from([("origin".to_owned(), format!("upload {}", key.len())), ("k2".to_owned(), "v2".to_owned())]);
    About { content_type: Some("image/png".to_owned()), metadata, ..About::default() }
}

impl Scene {
    /// Forty assets with their files and three orphaned files, in a bucket.
    pub fn on_s3() -> Scene {
        Scene::with(Kept::S3(Server::start(BUCKET)), 40, 3)
    }

    /// The same in a local folder.
    pub fn on_local() -> Scene {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join(ROOT)).expect("the root");
        Scene::with(Kept::Local(folder), 40, 3)
    }

    pub fn on_both() -> [Scene; 2] {
        [Scene::on_s3(), Scene::on_local()]
    }

    /// A bucket of `assets` files with their rows and of `orphans` files without, spread among each other. Limits are
    /// off where there are many.
    pub fn many_on_s3(assets: usize, orphans: usize) -> Scene {
        Scene::with(Kept::S3(Server::start(BUCKET)), assets, orphans)
    }

    fn with(store: Kept, assets: usize, orphans: usize) -> Scene {
        let tool = Tool::new("").env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let lost =
            (0..orphans).map(|number| format!("assets/{:06}-unknown-{number}.png", number * assets / orphans.max(1)));
        let mut lost: Vec<String> = lost.collect();
        lost.sort();
        let scene = Scene { tool, database: Sqlite::new(), orphans: lost, store };
        scene.database.run("CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT)");
        scene.database.run("CREATE INDEX assets_by_key ON assets (storage_key)");
        let keys: Vec<String> = (0..assets).map(|number| format!("assets/{number:06}.png")).collect();
        keys.iter().chain(&scene.orphans).for_each(|key| scene.put(key));
        scene.insert(&keys);
        scene.configure("");
        scene
    }

    /// Writes the configuration again, with these sections after `[[records]]`.
    pub fn configure(&self, sections: &str) {
        self.configure_with("", sections);
    }

    /// The same, with more lines in `[storage]`.
    pub fn configure_with(&self, storage: &str, sections: &str) {
        let store = match &self.store {
            Kept::S3(server) => server.storage_section(storage),
            Kept::Local(_) => {
                format!("[storage]\nkind = \"local\"\nage_by = \"modified\"\nroot = {:?}\n{storage}\n", self.root())
            }
        };
        self.tool.configure(&format!(
            "[database]\nurl = {:?}\n\n{store}\n[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n\
             created_at = \"created_at\"\nupdated_at = \"created_at\"\n\n{sections}\n",
            self.database.url(),
        ));
    }

    /// The same scene with a variable in the tool's environment.
    pub fn env(self, name: &str, value: &str) -> Scene {
        Scene { tool: self.tool.env(name, value), ..self }
    }

    pub fn server(&self) -> &Server {
        match &self.store {
            Kept::S3(server) => server,
            Kept::Local(_) => panic!("this scene is in a folder"),
        }
    }

    /// The root of the local store.
    pub fn root(&self) -> PathBuf {
        match &self.store {
            Kept::S3(_) => panic!("this scene is in a bucket"),
            Kept::Local(folder) => folder.path().join(ROOT),
        }
    }

    /// The word that confirms.
    pub fn word(&self) -> &'static str {
        match &self.store {
            Kept::S3(_) => BUCKET,
            Kept::Local(_) => ROOT,
        }
    }

    /// Stores an old file.
    pub fn put(&self, key: &str) {
        self.put_bytes(key, &bytes_of(key), SystemTime::now() - days(90));
    }

    pub fn put_bytes(&self, key: &str, bytes: &str, modified: SystemTime) {
        match &self.store {
            Kept::S3(server) => server.bucket.put_as(key, bytes, modified, about(key)),
            Kept::Local(_) => {
                let path = self.root().join(key);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(&path, bytes).expect("a file");
                File::options().write(true).open(&path).expect("the file").set_modified(modified).expect("its age");
            }
        }
    }

    /// Inserts old rows with these keys.
    pub fn insert(&self, keys: &[String]) {
        insert_old_rows(self.database.file(), keys);
    }

    /// Everything in the store, trash and all: each key with its bytes.
    pub fn everything(&self) -> BTreeMap<String, Vec<u8>> {
        match &self.store {
            Kept::S3(server) => {
                let keys = server.bucket.keys().into_iter();
                keys.filter_map(|key| server.bucket.get(&key).map(|stored| (key, stored.body.to_vec()))).collect()
            }
            Kept::Local(_) => files_below(self.root()),
        }
    }

    /// Where `key` is in the trash: `.trash/<the run's ULID>/key`.
    pub fn trashed(&self, key: &str) -> Option<String> {
        let copies = self.copies(key);
        assert!(copies.len() <= 1, "{key} is in the trash twice");
        copies.into_iter().next()
    }

    /// The same, where a delete without an answer may have left one copy more.
    pub fn copies(&self, key: &str) -> Vec<String> {
        let places = self.everything().into_keys().filter(|place| {
            let inside = place.strip_prefix(".trash/").and_then(|rest| rest.split_once('/'));
            inside.is_some_and(|(run, rest)| rest == key && is_ulid(run))
        });
        places.collect()
    }

    /// Runs `--execute` with more arguments, confirms, and searches for secrets.
    pub fn execute(&self, arguments: &[&str]) -> Outcome {
        let outcome = terminal::run(&self.tool, &[&["--execute"], arguments].concat(), self.word());
        self.expect_no_secret(&outcome);
        outcome
    }

    /// Runs `--execute` in JSON, confirms, expects exit 0, and gives the report.
    pub fn executed(&self) -> Value {
        let outcome = self.execute(&["--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        outcome.json()
    }

    /// Runs the tool without a terminal, and searches for secrets.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.tool.run(arguments);
        self.expect_no_secret(&outcome);
        outcome
    }

    /// Nothing that was printed or remembered holds a secret.
    pub fn expect_no_secret(&self, outcome: &Outcome) {
        expect_no_secret(&self.tool, outcome, &[SECRET_KEY]);
    }

    /// What the history of a run says became of each key.
    pub fn removals(&self, run: &Value) -> BTreeMap<String, String> {
        let outcome = self.run(&["history", &run.to_string(), "--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        let json = outcome.json();
        let removals = json.get("removals").or(json["runs"][0].get("removals")).expect("removals");
        let word =
            |removal: &Value, name: &str| removal[name].as_str().unwrap_or_else(|| panic!("{removal:#}")).to_owned();
        let removals = removals.as_array().expect("an array of removals").iter();
        removals.map(|removal| (word(removal, "key"), word(removal, "outcome"))).collect()
    }

    /// What the history of every run says became of each key.
    pub fn all_removals(&self) -> BTreeMap<String, Vec<String>> {
        let history = self.run(&["history", "--format", "json"]).json();
        let runs = history["runs"].as_array().expect("runs").iter();
        let mut words: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, outcome) in runs.flat_map(|run| self.removals(&run["id"])) {
            words.entry(key).or_default().push(outcome);
        }
        words
    }

    /// Every orphan is gone from its place, and every other file is as it was.
    pub fn expect_removed(&self) {
        let all = self.everything();
        assert!(self.orphans.iter().all(|key| !all.contains_key(key)), "orphans are left: {:?}", all.keys());
        self.expect_wanted_untouched(40);
    }

    /// The files of the first `assets` rows are as they were.
    pub fn expect_wanted_untouched(&self, assets: usize) {
        let all = self.everything();
        for key in (0..assets).map(|number| format!("assets/{number:06}.png")) {
            assert_eq!(all.get(&key).map(Vec::as_slice), Some(bytes_of(&key).as_bytes()), "{key} is wanted");
        }
    }
}

/// Nothing that was printed, and no byte of the tool's folder beside its configuration, holds one of `secrets`.
pub fn expect_no_secret(tool: &Tool, outcome: &Outcome, secrets: &[&str]) {
    let mut remembered = files_below(tool.home().to_owned());
    remembered.remove("config.toml");
    remembered.insert("standard output".to_owned(), outcome.stdout.clone().into());
    remembered.insert("standard error".to_owned(), outcome.stderr.clone().into());
    for (place, bytes) in remembered {
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{place} holds a secret");
        }
    }
}

/// Every file below a folder, by its path there.
pub fn files_below(folder: PathBuf) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.clone()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            match entry.is_dir() {
                true => open.push(entry),
                false => {
                    let key = entry.strip_prefix(&folder).expect("a path below").display().to_string();
                    files.insert(key, fs::read(&entry).expect("a file"));
                }
            }
        }
    }
    files
}

fn is_ulid(text: &str) -> bool {
    text.len() == 26 && text.chars().all(|c| ULID.contains(c.to_ascii_uppercase()))
}
