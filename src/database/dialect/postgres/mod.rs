//! PostgreSQL, and what speaks its protocol and its SQL.

mod sql;

/// The engine.
#[derive(Debug)]
pub struct Postgres;
