//! How the program ends, as the shell sees it. What stands here is the manual: `--help`, the manual page and the README
//! print it word for word.

use crate::exit_code::{LockedOut, Misconfigured};

/// Makes the enum, with each code's doc comment as its meaning.
macro_rules! exit_codes {
    ($(#[doc = $meaning:literal] $name:ident = $code:literal,)+) => {
        /// Every exit code of the program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum ExitCode {
            $(#[doc = $meaning] $name = $code,)+
        }

        impl ExitCode {
            /// All of them, in order.
            pub const ALL: &[ExitCode] = &[$(ExitCode::$name),+];

            /// What it says of the run, for people.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(ExitCode::$name => $meaning.trim_ascii(),)+
                }
            }
        }
    };
}

exit_codes! {
    /// done; a dry run with findings too
    Done = 0,
    /// failed; nothing is known to be wrong with what was removed
    Failed = 1,
    /// wrong usage or configuration; a table or column that the database does not have is one
    Usage = 2,
    /// some removals or restores failed, or were left when max_runtime was over
    Partial = 3,
    /// declined, or nobody there to confirm
    Declined = 4,
    /// findings, under --check only
    Findings = 10,
    /// another run holds the lock
    LockedOut = 11,
    /// refused by a safety limit; nothing was removed
    Refused = 12,
    /// interrupted by Ctrl-C or a termination signal
    Interrupted = 130,
}

impl ExitCode {
    /// The number that the shell sees.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The table that `--help` prints.
    pub fn help() -> String {
        let lines = Self::ALL.iter().map(|code| format!("\n  {:>3}  {}", code.number(), code.meaning()));
        format!("Exit codes:{}", lines.collect::<String>())
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
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
