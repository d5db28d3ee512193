//! The tool's own SQLite file: runs, and findings with their first and last sighting.
//!
//! A run gathers what it finds in temporary tables, on disk but private to its connection, and writes them to the file
//! in one transaction when it has come to its end: a run that failed leaves no sightings, and a bucket with ten million
//! orphans needs no memory for them. Every row belongs to a pair of database and store, so that one ledger can serve
//! many configurations.

mod aliases;
mod copies;
mod derived;
pub mod fixture;
mod folders;
mod history;
mod holding;
mod limited;
mod memory;
mod network;
mod open;
mod packed;
mod pairs;
mod places;
mod planned;
mod removals;
mod resembling;
mod retention;
mod sightings;
mod staging;
mod state;
mod trash_runs;
mod which;

use sqlx::sqlite::SqliteConnection;

use crate::domain::Time;

pub use derived::{Resolved, owners_of};
pub use history::{Run, RunTotals, stamp};
pub use holding::{Doubts, End};
pub use open::default_path;
pub use packed::LongPart;
use pairs::Kin;
pub use pairs::{Pair, SEPARATOR, Side};
pub use planned::{Acting, FileToGo, PlannedRow, Rows};
pub use removals::{NewRemoval, Removal, RowRemoval, Step};
pub use resembling::{Candidates, KeyAndName, Name, Near, Shared, Uncarried, What};
pub use sightings::{FindingsPage, Position};
pub use staging::{NewRecord, Staged, Waits};
pub use state::State;
pub use trash_runs::Stray;
pub use which::Which;

/// An open ledger, in a run for one pair.
pub struct Ledger {
    connection: SqliteConnection,
    /// The row of the pair of database and store, 0 before its first run, ...
    pair: i64,
    /// ... what it is now, ...
    pair_now: Pair,
    /// ... and the pairs of that store.
    kin: Kin,
    /// When this run's findings were kept as sightings, to the second.
    kept_at: Option<Time>,
    /// The file of a ledger that could not be written where it should; it goes with the run.
    temporary: Option<tempfile::TempDir>,
}
