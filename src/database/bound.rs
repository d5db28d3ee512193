//! Statements with the values that are bound to them, for each engine; and numbers that no text of SQLite's is exact for.

use anyhow::Result;
use sqlx::mysql::MySqlArguments;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, MySql, Postgres, Sqlite};

/// A value bound to a statement.
#[derive(Clone, Copy)]
pub enum Parameter<'a> {
    Text(&'a str),
    /// A value as [`image`](crate::database::image) reads it.
    Image(Option<&'a str>),
    /// A batch of keys: an array for PostgreSQL, a JSON array for SQLite, a list of values for MySQL.
    Keys(&'a [&'a str]),
}

pub fn postgres<'q>(sql: &str, parameters: &[Parameter<'q>]) -> Query<'q, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false);
    parameters.iter().fold(query, |query, parameter| match *parameter {
        Parameter::Text(text) => query.bind(text),
        Parameter::Image(image) => query.bind(image),
        Parameter::Keys(keys) => query.bind(keys),
    })
}

/// A statement is kept prepared, unless a list of keys makes it one of its own: sqlx closes the others with a packet that
/// has no answer, and the next one then waits 40 ms for the server's delayed ACK of that (Nagle).
pub fn mysql<'q>(sql: &str, parameters: &[Parameter<'q>]) -> Query<'q, MySql, MySqlArguments> {
    let has_list = parameters.iter().any(|parameter| matches!(parameter, Parameter::Keys(_)));
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(!has_list);
    parameters.iter().fold(query, |query, parameter| match *parameter {
        Parameter::Text(text) => query.bind(text),
        Parameter::Image(image) => query.bind(image),
        Parameter::Keys(keys) => keys.iter().fold(query, |query, key| query.bind(*key)),
    })
}

pub fn sqlite<'q>(sql: &str, parameters: &[Parameter<'_>]) -> Result<Query<'q, Sqlite, SqliteArguments>> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false);
    parameters.iter().try_fold(query, |query, parameter| {
        Ok(match *parameter {
            Parameter::Text(text) => query.bind(text.to_owned()),
            Parameter::Image(image) => match image.and_then(real_of) {
                Some(real) => query.bind(real),
                None => query.bind(image.map(str::to_owned)),
            },
            Parameter::Keys(keys) => query.bind(serde_json::to_string(keys)?),
        })
    })
}

/// A REAL of SQLite's as an image. Its bits: SQLite writes numbers as text that it does not read back exactly.
pub fn image_of(real: f64) -> String {
    format!("r{:016x}", real.to_bits())
}

fn real_of(image: &str) -> Option<f64> {
    u64::from_str_radix(image.strip_prefix('r')?, 16).ok().map(f64::from_bits)
}
