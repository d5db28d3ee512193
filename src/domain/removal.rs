//! What a run did about its findings, in figures. Pure: values only.

use std::collections::BTreeMap;

/// Errors that are named one by one.
const ERRORS: usize = 100;
/// Reasons that are told apart.
const REASONS: usize = 50;
const OTHER_REASONS: &str = "other reasons";

/// What was removed, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removals {
    pub files_trashed: u64,
    pub files_deleted: u64,
    /// Bytes of both.
    pub bytes: u64,
    pub records_deleted: u64,
    pub records_updated: u64,
    /// Left alone, as they changed or are wanted after all.
    pub skipped: u64,
    /// Became wanted while they were removed, and are back.
    pub put_back: u64,
    pub failed: u64,
    /// Old trash that is gone for good.
    pub purged: u64,
    pub purged_bytes: u64,
    /// Whether what is deleted stays as an old version.
    pub versions: Versions,
    /// What was planned and not reached.
    pub left: u64,
    pub stopped: Option<Stopped>,
    /// What went wrong, the first of it.
    pub errors: Vec<String>,
    /// Why things were not removed, and how many each.
    pub reasons: BTreeMap<String, u64>,
}

/// Whether a store keeps what is deleted, as an old version of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Versions {
    #[default]
    None,
    Kept,
    /// What was stored before they were suspended stays, and what was stored since goes for good.
    Suspended,
    /// It could not be asked.
    Unknown,
}

/// Why a run stopped before its plan was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    Interrupted,
    OutOfTime,
}

impl Removals {
    /// Counts what was left alone as it changed or is wanted after all, and why.
    pub fn skip(&mut self, reason: &str) {
        self.skipped += 1;
        self.count(reason);
    }

    /// Counts what is back, as it became wanted while it was removed.
    pub fn put_back(&mut self, reason: &str) {
        self.put_back += 1;
        self.count(reason);
    }

    fn count(&mut self, reason: &str) {
        let has_room = self.reasons.len() < REASONS || self.reasons.contains_key(reason);
        *self.reasons.entry(if has_room { reason } else { OTHER_REASONS }.to_owned()).or_default() += 1;
    }

    /// Counts a removal that failed, and why.
    pub fn fail(&mut self, key: &str, reason: &str) {
        self.failed += 1;
        self.count(reason);
        if self.errors.len() < ERRORS {
            self.errors.push(format!("{key}: {reason}"));
        }
    }

    /// Files removed, to the trash or for good, old trash and rows included.
    pub fn removed(&self) -> u64 {
        self.files_trashed + self.files_deleted + self.purged + self.records()
    }

    /// Bytes that were deleted, trash that was due included: of a run's files all go to the trash, or all for good.
    fn deleted_bytes(&self) -> u64 {
        self.purged_bytes + if self.files_deleted > 0 { self.bytes } else { 0 }
    }

    /// Bytes that the store need not keep any more; `None`: it may keep them as old versions.
    pub fn freed_bytes(&self) -> Option<u64> {
        match (self.versions, self.deleted_bytes()) {
            (Versions::None, bytes) => Some(bytes),
            (Versions::Kept, _) | (_, 0) => Some(0),
            (Versions::Suspended | Versions::Unknown, _) => None,
        }
    }

    /// Bytes that are freed later: when the trash is due, or when old versions expire.
    pub fn later_bytes(&self) -> u64 {
        let trashed = if self.files_deleted > 0 { 0 } else { self.bytes };
        trashed + if self.versions == Versions::Kept { self.deleted_bytes() } else { 0 }
    }

    /// Rows deleted or updated.
    pub fn records(&self) -> u64 {
        self.records_deleted + self.records_updated
    }

    /// Whether everything that was planned was done, or rightly left.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.left == 0 && self.stopped.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_counted_and_very_many_are_not_told_apart() {
        let mut removals = Removals::default();
        removals.skip("it changed");
        removals.skip("it changed");
        removals.put_back("it became wanted");
        (0..REASONS).for_each(|number| removals.fail("a", &format!("no {number}")));
        assert_eq!((removals.skipped, removals.put_back, removals.failed), (2, 1, REASONS as u64));
        assert_eq!((removals.reasons["it changed"], removals.reasons[OTHER_REASONS]), (2, 2));
        assert_eq!(removals.reasons.len(), REASONS + 1);
        assert_eq!(removals.reasons.values().sum::<u64>(), 3 + REASONS as u64);
    }
}
