//! The list of engines: what a fourth one adds itself to. [`sql`] says what it must write, [`link`] and
//! [`Driver`] what it must do; [`owners`] and [`link`] help it.

pub mod link;
mod mysql;
pub mod owners;
mod postgres;
pub mod sql;
mod sqlite;

use crate::config::Engine;
use crate::database::connection::Driver;

/// What drives the engine.
pub fn of(engine: Engine) -> &'static dyn Driver {
    match engine {
        Engine::Postgres => &postgres::Postgres,
        Engine::MySql => &mysql::MySql,
        Engine::Sqlite => &sqlite::Sqlite,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_secret() {
        for (url, engine, expected) in [
            ("postgres://u:p%40ss@db.example.com/app?sslmode=require", Engine::Postgres, "db.example.com:5432/app"),
            ("postgres:///app?host=db1&port=6432", Engine::Postgres, "db1:6432/app"),
            ("mysql://root@127.0.0.1/shop", Engine::MySql, "127.0.0.1:3306/shop"),
            ("sqlite:///srv/app.db?mode=rw", Engine::Sqlite, "/srv/app.db"),
            ("sqlite:app.db", Engine::Sqlite, "app.db"),
        ] {
            assert_eq!(of(engine).address(url).expect("an address"), expected);
        }
    }
}
