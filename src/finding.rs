//! The domain's words as types. Pure: no database, no store, no clock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// A point in time, always UTC.
pub type Time = DateTime<Utc>;

/// One stored file, as a listing or a look-up gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The full name in the bucket, or the path below the local root, `/`-separated.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// By the store's own clock; `None` where the store gave none that can be read, which counts as young.
    pub last_modified: Option<Time>,
    /// As the store gave it, quotes included; `None` where a store has none.
    pub etag: Option<String>,
    /// Whether it lies in a storage class that must be restored before it can be copied.
    pub archived: bool,
    /// Whether the etag is known to say nothing of the bytes: under SSE-KMS and SSE-C, a copy has another one.
    pub opaque_etag: bool,
}

/// What a row that names a key is to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It owns the object.
    Record,
    /// The same, and a rule seems to condemn it.
    Condemned,
    /// It only uses the key.
    Reference,
}

/// How many rows name a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claims {
    /// Rows of tables that own objects.
    pub records: u32,
    /// How many of those a rule seems to condemn.
    pub condemned: u32,
    /// Other places that use the key.
    pub references: u32,
}

impl Claims {
    /// Counts one more row.
    pub fn count(&mut self, claim: Claim) {
        let counts: &mut [&mut u32] = match claim {
            Claim::Record => &mut [&mut self.records],
            Claim::Condemned => &mut [&mut self.records, &mut self.condemned],
            Claim::Reference => &mut [&mut self.references],
        };
        counts.iter_mut().for_each(|count| **count = count.saturating_add(1));
    }
}

/// A row that names an object, as it was when it was last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The table, as the configuration names it.
    pub table: String,
    /// Which of the configuration's `[[records]]` it is of.
    pub section: usize,
    pub id: String,
    /// The id, written so that the database finds the very row again.
    pub handle: String,
    /// Empty for a row that names no object.
    pub key: String,
    pub created: Created,
    /// What each rule of the table says of it, in their order.
    pub marks: Vec<Mark>,
}

/// A row as it is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The storage key that it names; empty where it names none.
    pub key: String,
    /// What its key column, or what stands for one, holds.
    pub value: Option<String>,
    /// Whether its table's condition lets it own an object.
    pub owns: bool,
    pub created: Created,
    pub marks: Vec<Mark>,
    pub image: Image,
}

/// The columns of a row that can be written, each as text from which its database makes the same value again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Image(pub Vec<(String, Option<String>)>);

impl Image {
    /// The columns whose values are others in `after`.
    pub fn changes<'a>(&'a self, after: &'a Image) -> impl Iterator<Item = &'a (String, Option<String>)> {
        self.0.iter().filter(|column| !after.0.contains(column))
    }

    /// This row with what those of its columns that are `named` hold in `now`.
    pub fn with(&self, now: &Image, named: impl Fn(&str) -> bool) -> Image {
        let columns = self.0.iter().map(|(name, value)| {
            let value = now.get(name).filter(|_| named(name)).unwrap_or(value);
            (name.clone(), value.clone())
        });
        Image(columns.collect())
    }

    /// What a column holds.
    pub fn get(&self, column: &str) -> Option<&Option<String>> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, value)| value)
    }
}

/// What a rule says of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// Its conditions do not hold, or its clock was never started.
    Spared,
    /// Its conditions hold, and it has no clock.
    Condemned,
    /// Its conditions hold, and its clock started then.
    Since(Time),
    /// Its conditions hold, and nobody can tell when its clock started.
    Unreadable(String),
}

impl Mark {
    /// Whether the row is condemned at `now`, where the clock runs for `after`.
    pub fn condemns(&self, after: Duration, now: Time) -> bool {
        match self {
            Mark::Condemned => true,
            Mark::Since(start) => {
                let end = TimeDelta::from_std(after).ok().and_then(|after| start.checked_add_signed(after));
                end.is_some_and(|end| end <= now)
            }
            Mark::Spared | Mark::Unreadable(_) => false,
        }
    }
}

/// When a row was made, by the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    At(Time),
    /// NULL, or a value that is no date: the row counts as young.
    Unreadable,
    /// The configuration names no column: the row has no age.
    Unconfigured,
}

impl Created {
    /// The time, where there is one to show.
    pub fn time(self) -> Option<Time> {
        match self {
            Created::At(time) => Some(time),
            Created::Unreadable | Created::Unconfigured => None,
        }
    }
}

/// What a finding is. The words are those of reports, of `--kind` and of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    OrphanedFile,
    OrphanedRecord,
    /// A record that the rule of this name condemns.
    Rule(Arc<str>),
}

impl Kind {
    /// The kinds that need no rule.
    pub const BUILT_IN: [Kind; 2] = [Kind::OrphanedFile, Kind::OrphanedRecord];

    pub fn name(&self) -> &str {
        match self {
            Kind::OrphanedFile => "orphaned-file",
            Kind::OrphanedRecord => "orphaned-record",
            Kind::Rule(name) => name,
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Self {
        Self::BUILT_IN.into_iter().find(|kind| kind.name() == name).unwrap_or_else(|| Kind::Rule(name.into()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that the report lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Empty for a record that names no object.
    pub key: String,
    pub kind: Kind,
    pub subject: Subject,
    /// When a run first saw it, by the ledger.
    pub first_seen: Time,
    /// Why no run may act on it, if so.
    pub held: Option<String>,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    File {
        size: u64,
        last_modified: Option<Time>,
        etag: Option<String>,
        /// The key that it belonged to, by a rule; or what that key begins with, and a `*`.
        derived_from: Option<String>,
    },
    Record {
        table: String,
        id: String,
        created_at: Option<Time>,
        file: Option<CondemnedFile>,
    },
}

/// The object of a record that a rule condemns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CondemnedFile {
    /// Bytes; `None` where there is no object.
    pub size: Option<u64>,
    /// Whether other rows or references want it, so that it stays.
    pub shared: bool,
}

/// What a comparison counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Objects below the prefix that are not ignored.
    pub objects: u64,
    pub object_bytes: u64,
    /// Rows that name a key below the prefix that is not ignored.
    pub records: u64,
    /// The same of references.
    pub references: u64,
    /// Distinct keys that the database knows.
    pub known_keys: u64,
    /// Distinct keys that are on both sides.
    pub shared_keys: u64,
    /// Objects without a row that belong to wanted keys.
    pub derived: u64,
    /// Rows and references whose key lies outside the prefix.
    pub outside_prefix: u64,
    /// Objects and rows that would be findings were they older.
    pub too_young: u64,
    /// How many of those are rows.
    pub too_young_records: u64,
    /// How many are rows that rules would condemn.
    pub too_young_condemned: u64,
    /// The newest object that the database knows.
    pub newest_known: Option<Time>,
    /// Files whose names are not UTF-8: never findings.
    pub unreadable_names: u64,
    /// Findings, by what they are.
    pub orphaned_files: u64,
    pub orphaned_file_bytes: u64,
    pub orphaned_records: u64,
    /// Records that rules condemn.
    pub condemned_records: u64,
    /// How many of those have no object.
    pub condemned_without_file: u64,
    /// Findings that no run may act on.
    pub held: u64,
}

/// Requests sent to a store, retries included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    pub list: u64,
    pub head: u64,
    pub copy: u64,
    pub delete: u64,
}

impl Totals {
    /// Adds what another part of the same comparison counted.
    pub fn add(&mut self, other: &Totals) {
        self.objects += other.objects;
        self.object_bytes += other.object_bytes;
        self.records += other.records;
        self.references += other.references;
        self.known_keys += other.known_keys;
        self.shared_keys += other.shared_keys;
        self.derived += other.derived;
        self.outside_prefix += other.outside_prefix;
        self.too_young += other.too_young;
        self.too_young_records += other.too_young_records;
        self.too_young_condemned += other.too_young_condemned;
        self.newest_known = self.newest_known.max(other.newest_known);
        self.unreadable_names += other.unreadable_names;
        self.orphaned_files += other.orphaned_files;
        self.orphaned_file_bytes += other.orphaned_file_bytes;
        self.orphaned_records += other.orphaned_records;
        self.condemned_records += other.condemned_records;
        self.condemned_without_file += other.condemned_without_file;
        self.held += other.held;
    }

    /// How many findings there are.
    pub fn findings(&self) -> u64 {
        self.orphaned_files + self.orphaned_records + self.condemned_records
    }
}
