//! An application some of whose rows are to go, on any engine, with its files in a bucket. Every file's content is its own
//! key, and the table as it was at first is remembered: whatever happens can be told from that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::s3::{ACCESS_KEY, Call, SECRET_KEY, Server, hours_ago};
use super::servers::Database;
use super::sqlite::Sqlite;
use super::tool::Tool;

/// What is typed to confirm.
pub const BUCKET: &str = "app-assets";
pub const TRASH: &str = ".trash/";
/// Rows and files that nobody condemns, so that the two sides are a pair.
const SETTLED: usize = 20;
/// The id of the first row that is to go.
const FIRST_ID: usize = 1_000;
const MONTH_HOURS: u64 = 30 * 24;

/// What is to become of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Their files are gone, and they are deleted.
    Deleted,
    /// Their files are gone, and they are marked.
    Marked,
    /// They are past their time: their files go, and they are marked.
    Expired,
    /// They are linked to nothing: they go, and so do their files.
    Unlinked,
}

pub const FATES: [Fate; 4] = [Fate::Deleted, Fate::Marked, Fate::Expired, Fate::Unlinked];

impl Fate {
    pub fn has_files(self) -> bool {
        matches!(self, Fate::Expired | Fate::Unlinked)
    }

    /// The status of rows that stay; `None`: they are deleted.
    fn status(self) -> Option<&'static str> {
        match self {
            Fate::Deleted | Fate::Unlinked => None,
            Fate::Marked => Some("missing"),
            Fate::Expired => Some("expired"),
        }
    }
}

/// A removal, as `history RUN --format json` tells of it.
#[derive(Debug)]
pub struct Removal {
    /// The row; `None`: a file.
    pub id: Option<String>,
    pub outcome: String,
    pub trash_key: Option<String>,
    pub in_trash: bool,
}

/// How the rows are told apart, and where they are: in the long form half of the fates are tried otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// By one column, in the database of `[database]`.
    Plain,
    /// By two columns, in one of `[[databases]]`.
    Other,
}

impl Shape {
    fn of(fate: Fate) -> Shape {
        let is_long = std::env::var_os("CLEANUP_ASSETS_TEST_WORLDS").is_some();
        match is_long && matches!(fate, Fate::Marked | Fate::Unlinked) {
            true => Shape::Other,
            false => Shape::Plain,
        }
    }
}

pub struct RowScene {
    /// The database of `[database]`, where that is not the one with the rows.
    first_database: Option<Sqlite>,
    pub tool: Tool,
    pub server: Server,
    pub database: Box<dyn Database>,
    pub fate: Fate,
    pub rows: usize,
    /// Each row as it was, by its id.
    pub first_rows: BTreeMap<String, Row>,
    pub first_files: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: String,
    pub status: String,
    /// All that there is.
    pub whole: String,
}

impl RowScene {
    pub fn new(fate: Fate, rows: usize) -> RowScene {
        RowScene::on(Box::new(Sqlite::new()), fate, rows)
    }

    /// Twenty rows with their files, and `rows` that are to go.
    pub fn on(database: Box<dyn Database>, fate: Fate, rows: usize) -> RowScene {
        let server = Server::start(BUCKET);
        let tool = Tool::new("").env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        database.run(
            "CREATE TABLE assets (id BIGINT PRIMARY KEY, storage_key VARCHAR(200), status VARCHAR(20) NOT NULL, \
             entity_id VARCHAR(20), expiry_at VARCHAR(40), title VARCHAR(40), created_at VARCHAR(40))",
        );
        let first_database = (Shape::of(fate) == Shape::Other).then(|| {
            let first = Sqlite::new();
            first.run("CREATE TABLE users (avatar TEXT)");
            first
        });
        let (first_rows, first_files) = (BTreeMap::new(), BTreeMap::new());
        let mut scene = RowScene { first_database, tool, server, database, fate, rows, first_rows, first_files };
        let settled = (0..SETTLED).map(|number| (number, format!("assets/{number:06}.png"), "'7', NULL", true));
        let columns = match fate {
            Fate::Deleted | Fate::Marked => "'7', NULL",
            Fate::Expired => "'7', '2020-01-01T00:00:00Z'",
            Fate::Unlinked => "NULL, NULL",
        };
        let going = (0..rows).map(|number| (FIRST_ID + number, key(number), columns, fate.has_files()));
        // As old as their files: else the database would seem to be behind.
        let made = DateTime::<Utc>::from(hours_ago(MONTH_HOURS)).to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut values = Vec::new();
        for (id, key, columns, has_file) in settled.chain(going) {
            values.push(format!("({id}, '{key}', 'ready', {columns}, 'a title', '{made}')"));
            if has_file {
                scene.server.bucket.put(&key, &key, hours_ago(MONTH_HOURS));
            }
        }
        scene.database.run(&format!("INSERT INTO assets VALUES {}", values.join(", ")));
        scene.configure(&scene.database.url(), "");
        (scene.first_rows, scene.first_files) = (scene.table(), scene.files());
        scene
    }

    /// Writes the configuration again, with more lines in `[[records]]`.
    pub fn configure(&self, url: &str, more: &str) {
        let missing = if self.fate == Fate::Marked { "{ set = { status = \"missing\" } }" } else { "\"delete\"" };
        let (databases, rows) = match &self.first_database {
            None => (format!("[database]\nurl = {url:?}\n"), "id = \"id\"\n"),
            Some(first) => (
                format!("[database]\nurl = {:?}\n[[databases]]\nname = \"other\"\nurl = {url:?}\n", first.url()),
                "database = \"other\"\nid = [\"created_at\", \"id\"]\n",
            ),
        };
        self.tool.configure(&format!(
            "{databases}\n{}\n[[records]]\ntable = \"assets\"\n{rows}key = \"storage_key\"\n\
             created_at = \"created_at\"\nupdated_at = \"created_at\"\nwhere = \"status NOT IN ('expired', 'missing')\"\nmissing_file = {missing}\n{more}\n\n\
             [[records.rules]]\nname = \"unlinked\"\nwhere = \"entity_id IS NULL\"\n\n\
             [[records.rules]]\nname = \"expired\"\nsince = \"expiry_at\"\nthen = {{ set = {{ status = \"expired\" }} }}\n\n\
             [safety]\nmax_percent = 100\n",
            self.server.storage_section(""),
        ));
    }

    /// The id of the row that is to go as the how-manieth, counted from 0.
    pub fn id(&self, number: usize) -> String {
        (FIRST_ID + number).to_string()
    }

    /// Every row, by its id.
    pub fn table(&self) -> BTreeMap<String, Row> {
        let whole = "concat_ws('|', id, storage_key, status, coalesce(entity_id, '-'), coalesce(expiry_at, '-'), title, \
                     created_at)";
        let rows = self.database.texts(&format!("SELECT {whole} FROM assets"));
        let rows = rows.into_iter().map(|whole| {
            let cells: Vec<&str> = whole.split('|').collect();
            (cells[0].to_owned(), Row { key: cells[1].to_owned(), status: cells[2].to_owned(), whole: whole.clone() })
        });
        rows.collect()
    }

    /// Every file, those in the trash included, with its content.
    pub fn files(&self) -> BTreeMap<String, String> {
        let bucket = &self.server.bucket;
        let found = bucket.keys().into_iter().filter_map(|key| Some((bucket.get(&key)?.body, key)));
        found.map(|(body, key)| (key, String::from_utf8(body.to_vec()).expect("a text"))).collect()
    }

    /// Stores the file that a row had lost, as the tool looks at it for the how-manieth time.
    pub fn appear_at_look(&self, number: usize, look: usize) {
        let (bucket, looks) = (self.server.bucket.clone(), AtomicUsize::new(0));
        self.server.before(Call::Head, move |seen| {
            if seen.key == key(number) && looks.fetch_add(1, Ordering::SeqCst) + 1 == look {
                bucket.put(&seen.key, &seen.key, hours_ago(MONTH_HOURS));
            }
        });
    }

    /// Stores it now.
    pub fn appear(&self, number: usize) {
        self.server.bucket.put(&key(number), &key(number), hours_ago(MONTH_HOURS));
    }

    /// Whatever has happened: a row that owns a file that was there has it, and each file is at its place or in the trash.
    pub fn assert_nothing_is_lost(&self) {
        let files = self.files();
        for (id, row) in self.table() {
            let owns = !["expired", "missing"].contains(&row.status.as_str());
            if owns && self.first_files.contains_key(&row.key) {
                assert_eq!(
                    files.get(&row.key),
                    Some(&row.key),
                    "row {id} points at nothing; there are {:#?}",
                    files.keys()
                );
            }
        }
        for key in self.first_files.keys() {
            let copies = files.iter().filter(|(name, content)| name.starts_with(TRASH) && *content == key);
            assert!(files.contains_key(key) || copies.count() > 0, "{key} is lost; there are {:#?}", files.keys());
        }
    }

    /// Every row that is to go has gone, or is marked, and so has its file; but for `kept` and its file.
    pub fn assert_all_went(&self, kept: &[usize]) {
        let (table, files) = (self.table(), self.files());
        for number in 0..self.rows {
            let (id, key, now) = (self.id(number), key(number), table.get(&self.id(number)));
            if kept.contains(&number) {
                assert_eq!(files.get(&key), Some(&key), "the file of row {id}, which stays: {:#?}", files.keys());
                assert_eq!(now.map(|row| row.status.as_str()), Some("ready"), "row {id} was to stay");
                continue;
            }
            assert_eq!(now.map(|row| row.status.as_str()), self.fate.status(), "row {id}");
            assert!(!files.contains_key(&key), "{key} is still there");
            let copies = files.iter().filter(|(name, content)| name.starts_with(TRASH) && **content == key);
            assert_eq!(copies.count(), usize::from(self.fate.has_files()), "copies of {key} in the trash");
        }
        for (id, row) in self.first_rows.iter().filter(|(id, _)| id.len() < 4) {
            assert_eq!(table.get(id), Some(row), "nobody condemned it");
            assert_eq!(files.get(&row.key), Some(&row.key), "nobody condemned it");
        }
    }

    /// Table and store are as they were at first. Where a delete may come late the ledger knows of a copy that was left.
    pub fn assert_all_is_back(&self) {
        let (table, mut files) = (self.table(), self.files());
        for removal in self.removals().iter().filter(|removal| removal.in_trash && removal.outcome != "trashed") {
            files.remove(removal.trash_key.as_deref().unwrap_or_default());
        }
        for (id, row) in &self.first_rows {
            assert_eq!(table.get(id), Some(row), "row {id}");
        }
        assert_eq!((table.len(), files), (self.first_rows.len(), self.first_files.clone()));
    }

    /// Nothing is open, and the ledger's last word on each row and file is true. So is that every change has its word.
    pub fn assert_ledger_agrees(&self) {
        let (table, files, removals) = (self.table(), self.files(), self.removals());
        let open: Vec<_> = removals.iter().filter(|removal| removal.outcome == "open").collect();
        assert!(open.is_empty(), "left open: {open:#?}");
        let rows = removals.iter().filter_map(|removal| Some((removal.id.clone()?, removal)));
        // The last word on each.
        let rows: BTreeMap<String, &Removal> = rows.collect();
        for (id, removal) in &rows {
            let now = table.get(id);
            let marked = now.is_some_and(|row| Some(row.status.as_str()) == self.fate.status());
            match removal.outcome.as_str() {
                "row-deleted" => assert!(now.is_none(), "{now:?}, and {removal:#?}"),
                "row-updated" => assert!(marked, "{now:?}, and {removal:#?}"),
                "put-back" | "restored" => assert!(now.is_some() && !marked, "{now:?}, and {removal:#?}"),
                "skipped" | "failed" => assert!(now == self.first_rows.get(id) || !marked, "{now:?}, and {removal:#?}"),
                other => panic!("{other}: {removal:#?}"),
            }
        }
        for (id, row) in &self.first_rows {
            let (now, word) = (table.get(id), rows.get(id).map(|removal| removal.outcome.as_str()));
            match now {
                None => assert_eq!(word, Some("row-deleted"), "row {id} is gone"),
                Some(now) if now.status != row.status => assert_eq!(word, Some("row-updated"), "row {id} is marked"),
                Some(_) => {}
            }
        }
        let copies = removals.iter().filter_map(|removal| Some((removal.trash_key.as_ref()?, removal)));
        let copies: BTreeMap<&String, &Removal> = copies.collect();
        for (trash_key, removal) in &copies {
            assert_eq!(files.contains_key(*trash_key), removal.in_trash, "{trash_key}, and {removal:#?}");
        }
        let in_trash: BTreeSet<&String> = files.keys().filter(|key| key.starts_with(TRASH)).collect();
        assert!(in_trash.iter().all(|key| copies.contains_key(*key)), "unknown to the ledger: {in_trash:#?}");
    }

    /// The runs that were to remove something, newest first.
    pub fn runs(&self) -> Vec<i64> {
        let history = self.history(&["history", "--format", "json"]);
        let runs = history["runs"].as_array().expect("runs").iter().filter(|run| run["mode"] == "execute");
        runs.map(|run| run["id"].as_i64().expect("a number")).collect()
    }

    /// Every removal that the ledger knows, oldest run first.
    pub fn removals(&self) -> Vec<Removal> {
        let mut removals = Vec::new();
        for run in self.runs().into_iter().rev() {
            let history = self.history(&["history", &run.to_string(), "--format", "json"]);
            for removal in history["runs"][0]["removals"].as_array().expect("removals") {
                let text = |name: &str| removal[name].as_str().map(str::to_owned);
                let several = removal["id"].as_array().and_then(|id| id.last()?.as_str());
                removals.push(Removal {
                    id: text("id").or(several.map(str::to_owned)),
                    outcome: text("outcome").expect("an outcome"),
                    trash_key: text("trash_key"),
                    in_trash: removal["in_trash"] == true,
                });
            }
        }
        removals
    }

    fn history(&self, arguments: &[&str]) -> Value {
        let outcome = self.tool.run(arguments);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        outcome.json()
    }
}

/// The key of the row that is to go as the how-manieth.
pub fn key(number: usize) -> String {
    format!("assets/{number:06}-going.png")
}
