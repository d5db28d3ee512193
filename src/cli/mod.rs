//! What every command shares of the command line and of the terminal: how typed words are read, the global options, the
//! formats, the log, the progress line and the exit codes. A command's own options stand beside it, in
//! [`crate::commands`]; nothing here knows one, and nothing below the commands knows clap.

mod exit_code;
mod formats;
mod global;
pub mod log;
mod print;
pub mod progress;
mod typed;

pub use exit_code::{ExitCode, of_error};
pub use formats::{ReportFormat, TextOrJson};
pub use global::Global;
pub use print::print;
pub use typed::read;
