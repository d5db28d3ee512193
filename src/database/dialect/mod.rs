//! The list of engines: what a fourth one adds itself to. [`sql`] says what it must write, [`owners`] helps it.

mod mysql;
pub mod owners;
mod postgres;
pub mod sql;
mod sqlite;

use crate::config::Engine;
use sql::Dialect;

/// The engine's dialect.
pub fn of(engine: Engine) -> &'static dyn Dialect {
    match engine {
        Engine::Postgres => &postgres::Postgres,
        Engine::MySql => &mysql::MySql,
        Engine::Sqlite => &sqlite::Sqlite,
    }
}
