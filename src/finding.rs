//! The domain's words as types. Pure: no database, no store, no clock.

use std::fmt;

use chrono::{DateTime, Utc};

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

/// How many rows name a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claims {
    /// Rows of tables that own objects.
    pub records: u32,
    /// Other places that use the key.
    pub references: u32,
}

/// A row that names an object, as it was when it was last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The table, as the configuration names it.
    pub table: String,
    pub id: String,
    pub key: String,
    pub created: Created,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    OrphanedFile,
    OrphanedRecord,
}

impl Kind {
    /// Every kind, in the order of their names, which is the order of reports.
    pub const ALL: [Kind; 2] = [Kind::OrphanedFile, Kind::OrphanedRecord];

    pub fn name(self) -> &'static str {
        match self {
            Kind::OrphanedFile => "orphaned-file",
            Kind::OrphanedRecord => "orphaned-record",
        }
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
    pub key: String,
    pub subject: Subject,
    /// When a run first saw it, by the ledger.
    pub first_seen: Time,
    /// Why no run may act on it, if so.
    pub held: Option<String>,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    File { size: u64, last_modified: Option<Time>, etag: Option<String> },
    Record { table: String, id: String, created_at: Option<Time> },
}

impl Finding {
    pub fn kind(&self) -> Kind {
        match self.subject {
            Subject::File { .. } => Kind::OrphanedFile,
            Subject::Record { .. } => Kind::OrphanedRecord,
        }
    }
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
    /// Rows and references whose key lies outside the prefix.
    pub outside_prefix: u64,
    /// Objects and rows that would be findings were they older.
    pub too_young: u64,
    /// How many of those are rows.
    pub too_young_records: u64,
    /// The newest object that the database knows.
    pub newest_known: Option<Time>,
    /// Files whose names are not UTF-8: never findings.
    pub unreadable_names: u64,
    /// Findings, by what they are.
    pub orphaned_files: u64,
    pub orphaned_file_bytes: u64,
    pub orphaned_records: u64,
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
        self.outside_prefix += other.outside_prefix;
        self.too_young += other.too_young;
        self.too_young_records += other.too_young_records;
        self.newest_known = self.newest_known.max(other.newest_known);
        self.unreadable_names += other.unreadable_names;
        self.orphaned_files += other.orphaned_files;
        self.orphaned_file_bytes += other.orphaned_file_bytes;
        self.orphaned_records += other.orphaned_records;
        self.held += other.held;
    }

    /// How many findings there are.
    pub fn findings(&self) -> u64 {
        self.orphaned_files + self.orphaned_records
    }
}
