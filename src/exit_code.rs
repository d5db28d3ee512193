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
    /// `--check` was given and there are findings that are not held.
    Findings = 10,
    /// Interrupted by Ctrl-C or a termination signal.
    Interrupted = 130,
}

/// The table that `--help` prints.
pub const HELP: &str = "\
Exit codes:
    0  done (a dry run with findings too)
    1  failed; nothing was reported as missing that was not proven to be
    2  wrong usage or configuration
   10  findings, under --check only
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
    match error.chain().any(|cause| cause.is::<Misconfigured>()) {
        true => ExitCode::Usage,
        false => ExitCode::Failed,
    }
}
