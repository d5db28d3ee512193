//! `cleanup-assets --execute` and `cleanup-assets restore`: nothing is removed that is wanted, nothing without a word
//! typed at a terminal, and what was removed comes back.
//!
//! Every run of these tests is at a real terminal (`support::terminal`), on SQLite with the S3 server in the process
//! and with a local folder; whatever a run prints or remembers is searched for secrets (`scene`).
//!
//! Which guard each of these tests holds: `src/invariants.rs`.

mod aging;
mod confirm;
mod ending;
mod faults;
mod folders;
mod for_good;
mod in_folder;
mod ledger;
mod limited;
mod looks;
mod lost_ledger;
mod meanwhile;
mod only;
mod plan;
mod promises;
mod races;
pub mod real;
mod restore;
mod restore_many;
pub mod scene;
mod second_look;
mod secrets;
mod skipped;
mod trash;
mod tried;
