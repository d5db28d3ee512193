//! An application whose orphaned files are about to be removed: a SQLite table, and its files in a bucket or a folder.
//! Every file's content is its own key, so that what was put back or restored can be told from anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Once;

use super::process::Process;
use crate::support::local::{Folder, everything_below};
use crate::support::s3::{ACCESS_KEY, Call, SECRET_KEY, Server, hours_ago, insert_old_rows};
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::stores::{Store, Stored};
use crate::support::tool::{Outcome, Tool};

pub const TRASH: &str = ".trash/";
const BUCKET: &str = "app-assets";
const MONTH_HOURS: u64 = 30 * 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    TrashInBucket,
    ForGoodInBucket,
    TrashInFolder,
    ForGoodInFolder,
}

enum Place {
    Bucket(Server),
    Folder(Folder),
}

/// The files and the ledger of a scene, as they were.
pub struct Past {
    files: BTreeMap<String, String>,
    ledger: BTreeMap<PathBuf, Vec<u8>>,
}

pub struct Scene {
    pub tool: Tool,
    pub orphans: Vec<String>,
    mode: Mode,
    place: Place,
    database: Sqlite,
    /// What a row names.
    wanted: BTreeSet<String>,
}

/// Keys of orphaned files, in byte order. They lie where the database knows files too.
pub fn lost(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("assets/{number:06}-lost.png")).collect()
}

impl Scene {
    /// Twenty wanted files beside the orphaned ones, all of them old.
    pub fn new(mode: Mode, orphans: Vec<String>) -> Scene {
        let place = match mode {
            Mode::TrashInFolder | Mode::ForGoodInFolder => Place::Folder(Folder::new()),
            Mode::TrashInBucket | Mode::ForGoodInBucket => Place::Bucket(Server::start(BUCKET)),
        };
        let database = Sqlite::new();
        database.run("CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT)");
        let tool = Tool::new("").env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let wanted: Vec<String> = (0..20).map(|number| format!("assets/{number:06}.png")).collect();
        let mut scene = Scene { tool, orphans, mode, place, database, wanted: BTreeSet::new() };
        for key in wanted.iter().chain(&scene.orphans) {
            scene.put(key, key);
        }
        scene.want(&wanted);
        scene.keep_trash("30d");
        scene
    }

    /// The same with a wanted file for each of the orphaned ones, and with pages of the listing that hold few of either.
    pub fn far_apart(mode: Mode, orphans: Vec<String>) -> Scene {
        let wanted: Vec<String> = orphans.iter().map(|key| key.replace("-lost", "")).collect();
        let mut scene = Scene::new(mode, orphans);
        let more: Vec<String> = wanted.into_iter().filter(|key| !scene.wanted.contains(key)).collect();
        more.iter().for_each(|key| scene.put(key, key));
        scene.want(&more);
        scene.server().page_size(20);
        scene
    }

    /// Writes the configuration again, with another `[trash] keep`.
    pub fn keep_trash(&self, keep: &str) {
        let storage = match &self.place {
            Place::Bucket(server) => server.storage_section(""),
            Place::Folder(folder) => folder.configuration(),
        };
        self.tool.configure(&format!(
            "[database]\nurl = \"{}\"\n\n{storage}\n[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n\
             created_at = \"created_at\"\nupdated_at = \"created_at\"\n\n[safety]\nmax_percent = 100\n\n[trash]\nenabled = {}\nkeep = {keep:?}\n",
            self.database.url(),
            self.has_trash(),
        ));
    }

    pub fn has_trash(&self) -> bool {
        !matches!(self.mode, Mode::ForGoodInBucket | Mode::ForGoodInFolder)
    }

    /// The test server, of a scene in a bucket.
    pub fn server(&self) -> &Server {
        match &self.place {
            Place::Bucket(server) => server,
            Place::Folder(_) => panic!("a folder has no server"),
        }
    }

    /// What the tool asks to be typed.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Bucket(_) => BUCKET.to_owned(),
            Place::Folder(folder) => {
                let name = folder.root().file_name().expect("a folder's name");
                name.to_str().expect("a name in UTF-8").to_owned()
            }
        }
    }

    /// Runs the tool to its end, at a terminal where its question is answered.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Process::start(&self.tool, arguments, &[], &self.name()).end()
    }

    /// Stores an old file.
    pub fn put(&self, key: &str, content: &str) {
        match &self.place {
            Place::Bucket(server) => server.bucket.put(key, content, hours_ago(MONTH_HOURS)),
            Place::Folder(folder) => {
                let path = folder.root().join(key);
                fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
                fs::write(&path, content).expect("a file");
                let file = File::options().write(true).open(&path).expect("the file just written");
                file.set_modified(Stored::LastMonth.time()).expect("a time of modification");
            }
        }
    }

    /// Gives a file in the folder one more name.
    pub fn link(&self, key: &str, also: &str) {
        let Place::Folder(folder) = &self.place else { panic!("a bucket has no links") };
        fs::hard_link(folder.root().join(key), folder.root().join(also)).expect("a link");
    }

    /// What it takes to come back to now. Many cells can begin where one long run has led.
    pub fn now(&self) -> Past {
        let ledger = self.ledger_files().map(|path| (path.clone(), fs::read(path).expect("a file of the ledger")));
        Past { files: self.files(), ledger: ledger.collect() }
    }

    /// Stores again what was taken away since then, and forgets what the ledger has learned.
    pub fn come_back_to(&self, past: &Past) {
        let files = self.files();
        past.files
            .iter()
            .filter(|(key, _)| !files.contains_key(*key))
            .for_each(|(key, content)| self.put(key, content));
        self.ledger_files().for_each(|path| fs::remove_file(path).expect("a file of the ledger"));
        past.ledger.iter().for_each(|(path, bytes)| fs::write(path, bytes).expect("a file of the ledger"));
    }

    /// The ledger, and what SQLite and the tool keep beside it.
    fn ledger_files(&self) -> impl Iterator<Item = PathBuf> {
        let files = fs::read_dir(self.tool.home()).expect("the tool's folder");
        let paths = files.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.file_stem().is_some_and(|name| name == "ledger"))
    }

    /// Inserts rows: from now on these keys are wanted.
    pub fn want(&mut self, keys: &[String]) {
        insert_old_rows(self.database.file(), keys);
        // As old as their files: else the database would seem to be behind.
        self.database.run("UPDATE assets SET created_at = datetime('now', '-30 days')");
        self.wanted.extend(keys.iter().cloned());
    }

    /// Deletes the rows of these keys.
    pub fn want_no_more(&mut self, keys: &[String]) {
        for key in keys {
            self.database.run(&format!("DELETE FROM assets WHERE storage_key = {}", self.database.literal(key)));
            self.wanted.remove(key);
        }
    }

    /// As [`Scene::want`], at the moment when the server is asked to delete.
    pub fn want_when_deleting(&mut self, keys: &[String]) {
        let (database, rows, once) = (self.database.file(), keys.to_vec(), Once::new());
        self.server().before(Call::DeleteMany, move |_| once.call_once(|| insert_old_rows(database.clone(), &rows)));
        self.wanted.extend(keys.iter().cloned());
    }

    /// Every file, those in the trash included, with its content.
    pub fn files(&self) -> BTreeMap<String, String> {
        match &self.place {
            Place::Bucket(server) => {
                let bucket = &server.bucket;
                let found = bucket.keys().into_iter().filter_map(|key| Some((bucket.get(&key)?.body, key)));
                found.map(|(body, key)| (key, String::from_utf8(body.to_vec()).expect("a text"))).collect()
            }
            Place::Folder(folder) => {
                let root = format!("{}/", folder.root().display());
                let found = everything_below(folder.root()).into_iter();
                found
                    .filter_map(|(path, (_, content))| {
                        let key = path.strip_prefix(&root)?.to_owned();
                        Some((key, String::from_utf8(content?).expect("a text")))
                    })
                    .collect()
            }
        }
    }

    pub fn wanted(&self) -> &BTreeSet<String> {
        &self.wanted
    }

    /// The orphans that are still nobody's.
    pub fn unwanted(&self) -> Vec<String> {
        self.orphans.iter().filter(|key| !self.wanted.contains(*key)).cloned().collect()
    }
}
