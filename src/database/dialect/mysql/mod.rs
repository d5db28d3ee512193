//! MySQL and MariaDB.

mod sql;

/// The engine.
#[derive(Debug)]
pub struct MySql;
