//! The lock in the database itself (I12): two hosts, each with a ledger of its own, still run one at a time.

use anyhow::{Context, Result};

use crate::config::Engine;
use crate::database::Database;
use crate::database::connection::Connection;
use crate::database::dialect::link::Parameter;
use crate::domain::key::fold_hash;
use crate::exit_code::LockedOut;

/// The lock, on a connection of its own; it ends with the connection. SQLite has no such lock.
pub struct Advisory {
    connection: Connection,
    engine: Engine,
    name: String,
}

impl Database {
    /// Takes the lock for what `name` says.
    ///
    /// # Errors
    /// [`LockedOut`] where another run holds it.
    pub async fn lock(&self, name: &str) -> Result<Advisory> {
        let mut connection = Connection::open(&self.login).await.context("connecting")?;
        let engine = self.engine;
        let number = fold_hash(name);
        let name = format!("cleanup-assets-{number:x}");
        // A transaction's lock: a session's would be left behind by a pooler.
        connection.begin().await?;
        let rows = match engine {
            Engine::Postgres => {
                connection.fetch(&format!("SELECT pg_try_advisory_xact_lock({number})::text"), &[]).await?
            }
            Engine::MySql => {
                connection.fetch("SET SESSION wait_timeout = 86400", &[]).await?;
                connection.fetch("SELECT CAST(GET_LOCK(?, 0) AS CHAR)", &[Parameter::Text(&name)]).await?
            }
            Engine::Sqlite => vec![vec![Some("true".to_owned())]],
        };
        match rows.into_iter().flatten().flatten().next().as_deref() {
            Some("true" | "1") => Ok(Advisory { connection, engine, name }),
            _ => Err(LockedOut("the lock in the database".to_owned()).into()),
        }
    }
}

impl Advisory {
    /// Makes sure that the lock is still held.
    pub async fn check(&mut self) -> Result<()> {
        let held = match self.engine {
            // The transaction holds the lock; were it over, this would be another connection's answer, or none.
            Engine::Postgres => {
                let sql = "SELECT (count(*) > 0)::text FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()";
                self.connection.fetch(sql, &[]).await?
            }
            Engine::MySql => {
                let sql = "SELECT CAST(IS_USED_LOCK(?) = CONNECTION_ID() AS CHAR)";
                self.connection.fetch(sql, &[Parameter::Text(&self.name)]).await?
            }
            Engine::Sqlite => return Ok(()),
        };
        match held.into_iter().flatten().flatten().next().as_deref() {
            Some("true" | "1") => Ok(()),
            _ => Err(anyhow::anyhow!("the lock in the database was lost")),
        }
    }
}
