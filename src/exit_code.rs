//! How a run ends, as the shell sees it; and the one error that means "what you typed or wrote is wrong".

use std::fmt;

/// Every exit code of the program. `--help` prints this table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done; a dry run with findings too.
    Done = 0,
    /// Failed: one side could not be read to its end, so nothing is known to be missing.
    Failed = 1,
    /// What was typed, or what the configuration says, is wrong.
    Usage = 2,
    /// Some removals failed, or were left when the time was over.
    Partial = 3,
    /// Not confirmed, or nobody there to confirm.
    Declined = 4,
    /// `--check` was given and there are findings that are not held.
    Findings = 10,
    /// Another run holds the lock.
    LockedOut = 11,
    /// Refused by a safety limit; nothing was removed.
    Refused = 12,
    /// Interrupted by Ctrl-C or a termination signal.
    Interrupted = 130,
}

/// The table that `--help` prints.
pub const HELP: &str = "\
Exit codes:
    0  done (a dry run with findings too)
    1  failed; nothing is known to be wrong with what was removed
    2  wrong usage or configuration
    3  some removals failed
    4  declined, or nobody there to confirm
   10  findings, under --check only
   11  another run holds the lock
   12  refused by a safety limit
  130  interrupted";

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

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

/// The exit code that an error stands for.
pub fn of_error(error: &anyhow::Error) -> ExitCode {
    let is_caused_by = |is: fn(&(dyn std::error::Error + 'static)) -> bool| error.chain().any(is);
    if is_caused_by(|cause| cause.is::<Misconfigured>()) {
        ExitCode::Usage
    } else if is_caused_by(|cause| cause.is::<LockedOut>()) {
        ExitCode::LockedOut
    } else {
        ExitCode::Failed
    }
}
