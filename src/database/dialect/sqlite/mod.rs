//! SQLite.

mod sql;

/// The engine.
#[derive(Debug)]
pub struct Sqlite;
