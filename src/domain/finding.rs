//! PURE: one thing that the report lists.

use super::{Held, Kind, Time};

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
    pub held: Option<Held>,
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
    /// Whether it is a folder, of which each file is a finding of its own.
    pub is_folder: bool,
}

/// What a plan does without, as it was narrowed to a part of what belongs together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Rows of whose folders not every file was asked for.
    pub rows: u64,
    /// Files of rows that are not on the plan.
    pub files: u64,
}
