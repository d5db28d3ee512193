//! The command line, the configuration and what is printed: on a SQLite database and a local folder, no server needed.

mod arguments;
mod configuration;
mod demo;
pub mod fixture;
mod history;
mod ledger;
mod migrated;
mod output;
mod quiet;
mod retention;
mod sightings;

pub use fixture::expect_usage_error;
