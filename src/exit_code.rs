//! The errors that have an exit code of their own, and an error as one sentence.

use std::fmt;

/// Wrong usage or configuration: one sentence that names the thing and says what would be right. Ends in exit 2.
#[derive(Debug)]
pub struct Misconfigured(pub String);

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misconfigured {}

/// Another run holds the lock. Ends in exit 11.
#[derive(Debug)]
pub struct LockedOut(pub String);

impl fmt::Display for LockedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another run holds {}; wait until it has ended", self.0)
    }
}

impl std::error::Error for LockedOut {}

/// An error and its causes as one line. Some libraries repeat a cause in their own words, and it is said once.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text = if text.is_empty() { words } else { format!("{text}: {words}") };
        }
    }
    text
}
