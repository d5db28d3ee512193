//! What would go, against what is wanted.

use std::collections::BTreeSet;

use super::{Fate, World};

/// What a run would remove: nothing, where it refuses.
#[derive(Debug, Clone, Default)]
pub struct Gone {
    pub files: BTreeSet<String>,
    /// Ids of rows of `assets`.
    pub rows: BTreeSet<usize>,
    /// Why it refuses.
    pub refusal: Option<String>,
}

impl Gone {
    /// Reads a report of `--execute` that could not be confirmed, or was refused.
    pub fn of_report(report: &serde_json::Value) -> Gone {
        if let Some(limit) = report["refusal"]["limit"].as_str() {
            return Gone { refusal: Some(limit.to_owned()), ..Gone::default() };
        }
        assert!(report["refusal"].is_null(), "a refusal without a limit: {report:#}");
        let mut gone = Gone::default();
        let findings = report["findings"].as_array().expect("findings").iter();
        for finding in findings.filter(|finding| finding["held"].is_null()) {
            let text = |name: &str| finding[name].as_str().unwrap_or_default();
            match text("kind") {
                "orphaned-file" => drop(gone.files.insert(text("key").to_owned())),
                "orphaned-record" => drop(gone.rows.insert(text("id").parse().expect("a number"))),
                other => panic!("no rule is configured: {other}"),
            }
        }
        gone
    }
}

/// How many there are in all, and which of them stay.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    pub of: usize,
    pub kept: Vec<String>,
}

impl Kept {
    pub fn percent(&self) -> f64 {
        self.kept.len() as f64 * 100.0 / self.of.max(1) as f64
    }
}

/// What is wrong with what would go of a random world.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    pub wrong: Vec<String>,
    /// Orphans that go.
    pub orphans: usize,
}

impl World {
    /// Nothing wanted goes; and of a healthy world every orphan does.
    pub fn judge(&self, gone: &Gone) -> Judged {
        let mut wrong = self.wanted_in(gone);
        let (files, rows) = (self.files_kept(gone), self.rows_kept(gone));
        let orphans = files.of + rows.of - files.kept.len() - rows.kept.len();
        if self.is_healthy() {
            wrong.extend(gone.refusal.as_ref().map(|limit| format!("a healthy world is refused: {limit}")));
            wrong.extend(files.kept.into_iter().map(|key| format!("an orphaned file stays: {key:?}")));
            wrong.extend(rows.kept.into_iter().map(|value| format!("an orphaned row stays: {value:?}")));
        }
        Judged { wrong, orphans }
    }

    /// What goes though it is wanted: files by their keys, rows by their values.
    pub fn wanted_in(&self, gone: &Gone) -> Vec<String> {
        let files = self.files.iter().filter(|file| file.fate == Fate::Wanted && gone.files.contains(&file.key));
        let rows = self.rows.iter().enumerate().filter(|(id, row)| row.fate == Fate::Wanted && gone.rows.contains(id));
        let rows = rows.map(|(id, row)| format!("row {id} of {}: {:?}", row.table.name(), row.value));
        files.map(|file| format!("file {:?}", file.key)).chain(rows).collect()
    }

    /// The orphaned files that stay.
    pub fn files_kept(&self, gone: &Gone) -> Kept {
        let orphans = || self.files.iter().filter(|file| file.fate == Fate::Orphan).map(|file| &file.key);
        Kept { of: orphans().count(), kept: orphans().filter(|key| !gone.files.contains(*key)).cloned().collect() }
    }

    /// The rows that have lost their files and stay.
    pub fn rows_kept(&self, gone: &Gone) -> Kept {
        let orphans = || self.rows.iter().enumerate().filter(|(_, row)| row.fate == Fate::Orphan);
        let kept = orphans().filter(|(id, _)| !gone.rows.contains(id)).map(|(_, row)| row.value.clone());
        Kept { of: orphans().count(), kept: kept.collect() }
    }
}
