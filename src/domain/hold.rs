//! PURE: why no run may act on a finding. A hold is one entry of one list: what it is, and a code that programs can rely
//! on. A *held* finding is reported and never acted on; what lies in the trash already goes by its age all the same.
//!
//! Where a hold is found:
//!
//! - What an object by itself shows is found in `judge::held`, as the scan tells of it: files that follow their rows are
//!   held too.
//! - What a look at one row shows is found in `look_again::records`.
//! - What needs all findings is found in `ledger::holding`, which applies every hold in the order of this list.
//!
//! A new hold is an entry here, and its arm in `ledger::holding`, without which the program does not compile; the README
//! lists its code, and `invariants` its guard.

/// Makes the enum, the order and the codes of one list.
macro_rules! holds {
    ($($(#[$meaning:meta])* $hold:ident = $code:literal,)*) => {
        /// What holds a finding. Where several would, the first of [`Hold::IN_ORDER`] is the one that is named.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Hold {
            $($(#[$meaning])* $hold,)*
        }

        impl Hold {
            /// Every hold, in the order in which they are applied: first those that come with the finding, then what its
            /// name says, then what the sides as a whole say, and last what passes by itself.
            pub const IN_ORDER: &[Hold] = &[$(Hold::$hold,)*];

            /// The word for programs: `held_by` in JSON and CSV. It never changes.
            pub fn code(self) -> &'static str {
                match self {
                    $(Hold::$hold => $code,)*
                }
            }
        }
    };
}

holds! {
    /// The file lies in a storage class from which it cannot be moved to the trash.
    Archived = "archived",
    /// Its key in the trash would be longer than the store allows.
    KeyTooLong = "key-too-long",
    /// An earlier run's copy of it lost something that is stored with it, so that it could not go to the trash.
    Metadata = "metadata",
    /// A web server or a version control reads it, or keeps a folder by it: no application has a row for it.
    ServerFile = "server-file",
    /// The store did not say whether the row's object is there.
    Forbidden = "forbidden",
    /// Its name resembles one of the other side that is not UTF-8 (I4).
    NotUtf8 = "not-utf8",
    /// Its name resembles one of the other side that has no partner either (I4).
    Resembles = "resembles",
    /// The store gives the file under another name too, which the database uses (I4).
    Alias = "alias",
    /// The row's file is in our own trash.
    Trashed = "trashed",
    /// The table where the row's owner would be has no row (I3).
    Owner = "owner",
    /// The file is newer than anything that the database knows (I17).
    NewerThanDatabase = "newer-than-database",
    /// The row is newer than any object of the store (I17).
    NewerThanStorage = "newer-than-storage",
    /// The database knows of nothing in the file's folder (I18).
    UnknownFolder = "unknown-folder",
    /// No object is in the row's folder (I18).
    MissingFolder = "missing-folder",
    /// The folder that the row owns holds, or may hold, more than what is its own.
    SharedFolder = "shared-folder",
    /// Only its first sighting says how old it is, and that was not long ago.
    Undated = "undated",
    /// The row's file was first seen to be missing not long ago, and nothing says when the row was changed.
    NewlyMissing = "newly-missing",
}

/// How a removal says that the copy lost something, which follows. The ledger knows by it what to hold from then on.
pub const LOSES: &str = "a copy of it in this store loses its ";

impl Hold {
    /// The hold of this code.
    pub fn coded(code: &str) -> Option<Self> {
        Self::IN_ORDER.iter().copied().find(|hold| hold.code() == code)
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
    fn every_hold_is_found_by_its_code() {
        for hold in Hold::IN_ORDER {
            assert_eq!(Hold::coded(hold.code()), Some(*hold));
        }
        assert_eq!(Hold::coded("no-such-hold"), None);
    }
}
