//! PURE: what a comparison counted.

use super::Time;

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
