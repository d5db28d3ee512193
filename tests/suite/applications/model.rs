//! What an application has in its tables and in its store, and which findings follow from that: two sets of keys and
//! their differences, with none of the machinery that the tool needs to find the same without holding either in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::stores::Stored;

/// All keys that the configuration names lie below this.
pub const PREFIX: &str = "app/";

/// What the configuration's glob `**/cache/**` ignores.
pub const IGNORED_FOLDER: &str = "/cache/";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    LastMonth,
    Now,
    /// The column is NULL.
    Unknown,
}

/// A row of one of the two tables that own objects.
pub struct Row {
    pub table: &'static str,
    pub id: String,
    /// As the column holds it.
    pub value: Option<String>,
    pub made: Made,
    /// NULL counts as owning; "expired" owns nothing.
    pub status: Option<&'static str>,
}

/// One line of a report, as far as it can be known beforehand: kind, key, table, id, and why it is held.
pub type Expected = (String, String, Option<String>, Option<String>, Option<String>);

#[derive(Default)]
pub struct Application {
    pub rows: Vec<Row>,
    /// `users.avatar_key`.
    pub avatars: Vec<Option<String>>,
    /// One JSON array a row of `posts.photos`.
    pub photos: Vec<Option<String>>,
    pub objects: Vec<(String, Stored)>,
    /// Keys that agree in all but their spelling.
    near_misses: BTreeMap<String, String>,
    references: Vec<String>,
    /// Hostile names that the store cannot hold.
    pub left_out: BTreeSet<&'static str>,
}

impl Application {
    pub fn object(&mut self, key: &str) {
        self.object_of(key, Stored::LastMonth);
    }

    pub fn object_of(&mut self, key: &str, stored: Stored) {
        self.objects.push((key.to_owned(), stored));
    }

    pub fn asset(&mut self, key: &str) {
        self.asset_of(Some(key), Made::LastMonth, Some("active"));
    }

    pub fn asset_of(&mut self, value: Option<&str>, made: Made, status: Option<&'static str>) {
        let id = (self.rows.len() + 1).to_string();
        self.rows.push(Row { table: "assets", id, value: value.map(str::to_owned), made, status });
    }

    /// The column lacks the prefix, which `key_prefix` puts back.
    pub fn document(&mut self, key: &str) {
        self.document_of(Some(key.strip_prefix(PREFIX).expect("a key below the prefix")), Made::LastMonth);
    }

    pub fn document_of(&mut self, value: Option<&str>, made: Made) {
        let id = format!("00000000-0000-4000-8000-{:012x}", self.rows.len() + 1);
        self.rows.push(Row { table: "documents", id, value: value.map(str::to_owned), made, status: None });
    }

    pub fn avatar(&mut self, key: &str) {
        self.avatars.push(Some(key.to_owned()));
        self.references.push(key.to_owned());
    }

    pub fn photo(&mut self, key: &str) {
        self.photos.push(Some(serde_json::json!([key, null, ""]).to_string()));
        self.references.push(key.to_owned());
    }

    /// Says that an object and a row or reference below `folder` are spelled alike but for details.
    pub fn near_miss(&mut self, object: &str, elsewhere: &str) {
        self.near_misses.insert(object.to_owned(), elsewhere.to_owned());
        self.near_misses.insert(elsewhere.to_owned(), object.to_owned());
    }

    /// Exactly the findings that a report must have. Without ages, nothing is young.
    pub fn expected(&self, has_ages: bool) -> BTreeSet<Expected> {
        let stored: BTreeSet<&str> = self.objects.iter().map(|(key, _)| key.as_str()).collect();
        let owned: BTreeSet<String> = self.rows.iter().filter_map(Row::key).collect();
        let used: BTreeSet<&str> = self.references.iter().map(String::as_str).collect();
        let held = |key: &str| self.near_misses.get(key).map(|other| format!("looks like {other}"));

        let files = self.objects.iter().filter(|(key, stored)| {
            is_judged(key)
                && !owned.contains(key)
                && !used.contains(key.as_str())
                && (!has_ages || *stored != Stored::Now)
        });
        let files = files.map(|(key, stored)| {
            let behind = (has_ages && *stored == Stored::ThreeDaysAgo)
                .then(|| "newer than anything the database knows".to_owned());
            // `.trash/`, a ULID and a slash are put in front; a folder's paths may be four times as long.
            let bytes = key.len() + 34;
            let too_long = (!has_ages && bytes > 1024)
                .then(|| format!("its key in the trash would have {bytes} bytes, and the store holds 1024"));
            ("orphaned-file".to_owned(), key.clone(), None, None, too_long.or(held(key)).or(behind))
        });

        let rows = self.rows.iter().filter(|row| !has_ages || row.made != Made::Now);
        let records = rows.filter_map(|row| {
            let key = row.key().filter(|key| is_judged(key) && !stored.contains(key.as_str()))?;
            let held = held(&key);
            Some(("orphaned-record".to_owned(), key, Some(row.table.to_owned()), Some(row.id.clone()), held))
        });
        files.chain(records).collect()
    }

    /// How many objects and rows would be findings were they older.
    pub fn too_young(&self, has_ages: bool) -> usize {
        self.expected(false).len() - self.expected(has_ages).len()
    }

    /// How many objects the comparison looks at.
    pub fn judged_objects(&self) -> usize {
        self.objects.iter().filter(|(key, _)| is_judged(key)).count()
    }

    /// How many rows name an object that the comparison looks at.
    pub fn judged_rows(&self) -> usize {
        self.rows.iter().filter_map(Row::key).filter(|key| is_judged(key)).count()
    }

    /// How many different keys there are on either side.
    pub fn keys(&self) -> usize {
        let stored = self.objects.iter().map(|(key, _)| key.clone());
        stored
            .chain(self.rows.iter().filter_map(Row::key))
            .chain(self.references.clone())
            .collect::<BTreeSet<_>>()
            .len()
    }
}

impl Row {
    /// The key of the object that the row owns.
    fn key(&self) -> Option<String> {
        let value = self.value.as_deref().filter(|value| !value.is_empty())?;
        match (self.table, self.status) {
            (_, Some("expired")) => None,
            ("documents", _) => Some(format!("{PREFIX}{value}")),
            _ => Some(value.to_owned()),
        }
    }
}

fn is_judged(key: &str) -> bool {
    key.starts_with(PREFIX) && !key.contains(IGNORED_FOLDER)
}
