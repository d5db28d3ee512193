//! What a run did about its findings, in figures. Pure: values only.

/// Errors that are named one by one.
const ERRORS: usize = 100;

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
}

/// Whether a store keeps what is deleted, as an old version of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Versions {
    #[default]
    None,
    Kept,
    /// It could not be asked.
    Unknown,
}

impl From<Option<bool>> for Versions {
    fn from(keeps: Option<bool>) -> Self {
        match keeps {
            Some(true) => Versions::Kept,
            Some(false) => Versions::None,
            None => Versions::Unknown,
        }
    }
}

/// Why a run stopped before its plan was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    Interrupted,
    OutOfTime,
}

impl Removals {
    /// Counts a removal that failed, and why.
    pub fn fail(&mut self, key: &str, reason: &str) {
        self.failed += 1;
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
            (Versions::Unknown, _) => None,
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
