//! PURE: what a comparison counted.

use std::collections::BTreeMap;

use super::{Kind, Time};

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
    /// Files that are young for the time at which they came here alone.
    pub new_files: u64,
    /// Objects that nobody knows, and whose time cannot be read.
    pub undated_files: u64,
    /// The newest object that the database knows.
    pub newest_known: Option<Time>,
    /// The oldest object that the database knows.
    pub oldest_known: Option<Time>,
    /// The newest object of all.
    pub newest_object: Option<Time>,
    /// The sources that name an object that is there: see [`Claims::sources`](super::Claims::sources).
    pub sources_with_objects: u64,
    /// The `ignore` globs that match an object or a row, a bit each by their place; the last bit is that of all from the
    /// 64th on.
    pub globs_met: u64,
    /// The same of `[[derived]]` rules that match an object without a row.
    pub rules_met: u64,
    /// Files whose names are not UTF-8: never findings.
    pub unreadable_names: u64,
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
        self.new_files += other.new_files;
        self.undated_files += other.undated_files;
        self.newest_known = self.newest_known.max(other.newest_known);
        self.oldest_known = self.oldest_known.into_iter().chain(other.oldest_known).min();
        self.newest_object = self.newest_object.max(other.newest_object);
        self.sources_with_objects |= other.sources_with_objects;
        self.globs_met |= other.globs_met;
        self.rules_met |= other.rules_met;
        self.unreadable_names += other.unreadable_names;
    }
}

/// What changes little from one night to the next, where nothing happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub warnings: u64,
    pub held: u64,
    /// Too young to judge.
    pub young: u64,
}

/// Findings of one kind, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    pub findings: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// How many no run may act on.
    pub held: u64,
    /// How many have no object.
    pub without_file: u64,
}

/// What a comparison found, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// By kind; one that is not here was not found.
    pub kinds: BTreeMap<Kind, Sum>,
    /// Findings about rows, by table.
    pub tables: BTreeMap<String, u64>,
}

impl Found {
    /// Findings of a kind.
    pub fn of(&self, kind: &Kind) -> Sum {
        self.kinds.get(kind).copied().unwrap_or_default()
    }

    /// Findings that rules are the reason for.
    pub fn condemned(&self) -> Sum {
        Self::sum(self.kinds.iter().filter(|(kind, _)| kind.rule().is_some()).map(|(_, sum)| *sum))
    }

    /// All findings.
    pub fn all(&self) -> Sum {
        Self::sum(self.kinds.values().copied())
    }

    fn sum(sums: impl Iterator<Item = Sum>) -> Sum {
        sums.fold(Sum::default(), |all, sum| Sum {
            findings: all.findings + sum.findings,
            bytes: all.bytes + sum.bytes,
            held: all.held + sum.held,
            without_file: all.without_file + sum.without_file,
        })
    }
}
