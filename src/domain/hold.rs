//! PURE: why no run may act on a finding. A hold is data: a code that programs can rely on, and its place in the order of
//! all holds. `ledger/holding` applies them, one after the other.

/// What holds a finding. Where several would, the first of [`Hold::IN_ORDER`] is the one that is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// The file lies in a storage class from which it cannot be moved to the trash.
    Archived,
    /// Its key in the trash would be longer than the store allows.
    KeyTooLong,
    /// The store did not say whether the row's object is there.
    Forbidden,
    /// Its key resembles one of the other side that has no partner either (I4).
    Resembles,
    /// The row's file is in our own trash.
    Trashed,
    /// The file is newer than anything that the database knows (I17).
    NewerThanDatabase,
    /// The database knows of nothing in the file's folder (I18).
    UnknownFolder,
    /// Only its first sighting says how old it is, and that was not long ago.
    Undated,
}

impl Hold {
    /// Every hold. Doubts about the finding itself come before doubts about the whole, since they say more.
    pub const IN_ORDER: [Hold; 8] = [
        Hold::Archived,
        Hold::KeyTooLong,
        Hold::Forbidden,
        Hold::Resembles,
        Hold::Trashed,
        Hold::NewerThanDatabase,
        Hold::UnknownFolder,
        Hold::Undated,
    ];

    /// The word for programs: `held_by` in JSON and CSV. It never changes.
    pub fn code(self) -> &'static str {
        match self {
            Hold::Archived => "archived",
            Hold::KeyTooLong => "key-too-long",
            Hold::Forbidden => "forbidden",
            Hold::Resembles => "resembles",
            Hold::Trashed => "trashed",
            Hold::NewerThanDatabase => "newer-than-database",
            Hold::UnknownFolder => "unknown-folder",
            Hold::Undated => "undated",
        }
    }

    /// The hold of this code.
    pub fn coded(code: &str) -> Option<Self> {
        Self::IN_ORDER.into_iter().find(|hold| hold.code() == code)
    }
}

/// That a finding is held, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub by: Hold,
    /// For people.
    pub reason: String,
}

impl Held {
    pub fn new(by: Hold, reason: impl Into<String>) -> Self {
        Held { by, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_has_every_hold_once_and_no_two_share_a_code() {
        assert!(Hold::IN_ORDER.is_sorted_by(|a, b| a < b));
        let codes: std::collections::BTreeSet<_> = Hold::IN_ORDER.iter().map(|hold| hold.code()).collect();
        assert_eq!(codes.len(), Hold::IN_ORDER.len());
    }
}
