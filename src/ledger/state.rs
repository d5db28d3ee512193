//! PURE: how far a removal has come, and the SQL for those that have come equally far.

/// States of a file that has a copy in the trash, and of which no step is under way.
macro_rules! in_trash {
    () => {
        "('trashed', 'trashed-unsettled', 'skipped-left', 'failed-left', 'put-back-left', 'restored-left')"
    };
}
/// States of files of which a step may be under way.
macro_rules! open {
    () => {
        "('intended', 'trashed-unsettled', 'deleted-unsettled', 'purging', 'restoring')"
    };
}

/// The same of rows.
macro_rules! open_rows {
    () => {
        "('row-deleting', 'row-updating', 'row-deleted-unsettled', 'row-updated-unsettled', 'row-restoring')"
    };
}
pub(super) use {in_trash, open, open_rows};

/// How far a removal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The call may have been made.
    Intended,
    /// In the trash; whether it became wanted meanwhile was not asked yet.
    TrashedUnsettled,
    /// Gone for good; the same.
    DeletedUnsettled,
    Trashed,
    Deleted,
    /// Left alone: it changed, or is wanted after all.
    Skipped,
    /// Left alone: the store or the database did not do what was asked.
    Failed,
    /// The same three as without `Left`, and a copy stays in the trash until it is due: a delete that was sent may still be
    /// carried out.
    SkippedLeft,
    FailedLeft,
    PutBackLeft,
    /// It became wanted while it was removed, and is back.
    PutBack,
    /// Its trash is being removed for good.
    Purging,
    Purged,
    /// It is being brought back.
    Restoring,
    Restored,
    /// The same, and a copy stays in the trash until it is due.
    RestoredLeft,
    /// The row may have been deleted.
    RowDeleting,
    RowUpdating,
    /// The row is deleted; whether its object appeared meanwhile was not looked at yet.
    RowDeletedUnsettled,
    RowUpdatedUnsettled,
    RowDeleted,
    RowUpdated,
    RowRestoring,
}

impl State {
    pub(super) const ALL: [State; 23] = [
        State::Intended,
        State::TrashedUnsettled,
        State::DeletedUnsettled,
        State::Trashed,
        State::Deleted,
        State::Skipped,
        State::Failed,
        State::SkippedLeft,
        State::FailedLeft,
        State::PutBackLeft,
        State::PutBack,
        State::Purging,
        State::Purged,
        State::Restoring,
        State::Restored,
        State::RestoredLeft,
        State::RowDeleting,
        State::RowUpdating,
        State::RowDeletedUnsettled,
        State::RowUpdatedUnsettled,
        State::RowDeleted,
        State::RowUpdated,
        State::RowRestoring,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            State::Intended => "intended",
            State::TrashedUnsettled => "trashed-unsettled",
            State::DeletedUnsettled => "deleted-unsettled",
            State::Trashed => "trashed",
            State::Deleted => "deleted",
            State::Skipped => "skipped",
            State::Failed => "failed",
            State::SkippedLeft => "skipped-left",
            State::FailedLeft => "failed-left",
            State::PutBackLeft => "put-back-left",
            State::PutBack => "put-back",
            State::Purging => "purging",
            State::Purged => "purged",
            State::Restoring => "restoring",
            State::Restored => "restored",
            State::RestoredLeft => "restored-left",
            State::RowDeleting => "row-deleting",
            State::RowUpdating => "row-updating",
            State::RowDeletedUnsettled => "row-deleted-unsettled",
            State::RowUpdatedUnsettled => "row-updated-unsettled",
            State::RowDeleted => "row-deleted",
            State::RowUpdated => "row-updated",
            State::RowRestoring => "row-restoring",
        }
    }

    /// The word for people and programs: what is not settled is open.
    pub fn outcome(self) -> &'static str {
        match self {
            State::Intended
            | State::TrashedUnsettled
            | State::DeletedUnsettled
            | State::Purging
            | State::Restoring
            | State::RowDeleting
            | State::RowUpdating
            | State::RowDeletedUnsettled
            | State::RowUpdatedUnsettled
            | State::RowRestoring => "open",
            settled => settled.without_copy().name(),
        }
    }

    /// Whether a copy of the file is in the trash, and no step of it is under way.
    pub fn is_in_trash(self) -> bool {
        matches!(self, State::Trashed | State::TrashedUnsettled) || self.without_copy() != self
    }

    /// What is left to say of a removal once its copy has gone from the trash.
    pub fn without_copy(self) -> State {
        match self {
            State::SkippedLeft => State::Skipped,
            State::FailedLeft => State::Failed,
            State::PutBackLeft => State::PutBack,
            State::RestoredLeft => State::Restored,
            state => state,
        }
    }
}
