//! What a run is asked for, as values: whoever starts one has read them from somewhere.

use std::path::PathBuf;

use crate::report::Format;

/// A run as it was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration; `None`: the first of the usual places that has one.
    pub config: Option<PathBuf>,
    /// Whether it goes on after the report, to the confirmation and the removal.
    pub execute: bool,
    /// The file that names what alone is meant.
    pub only: Option<PathBuf>,
    pub prefix: Option<String>,
    /// The kinds of finding; none: all.
    pub kinds: Vec<String>,
    /// The report on standard output.
    pub format: Format,
    /// Where the report is also written.
    pub output: Option<PathBuf>,
    /// How many findings are removed at most; the others stay for a later run.
    pub limit: Option<u64>,
    pub max_removals: Option<u64>,
    pub max_percent: Option<f64>,
    /// Whether the database is right as it is, though it seems to have gone back.
    pub accept_database: bool,
    /// Whether findings that are not held have an exit code of their own.
    pub check: bool,
    /// Whether the report is printed only where there is something to report.
    pub quiet: bool,
    pub no_progress: bool,
}
