//! The lock in the database itself (I12): two hosts, each with a ledger of its own, still run one at a time.

use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::database::checked::Database;
use crate::database::connection::{Connection, Login};
use crate::domain::key::number_of;
use crate::exit_code::LockedOut;

/// The lock, on a connection of its own; it ends with the connection. Not every engine has one.
pub struct Advisory {
    login: Arc<Login>,
    connection: Connection,
    number: i64,
}

impl Database {
    /// Takes the lock for what `name` says.
    ///
    /// # Errors
    /// [`LockedOut`] where another run holds it.
    pub async fn lock(&self, name: &str) -> Result<Advisory> {
        let login = self.login.clone();
        let mut connection = Connection::open(&login).await.context("connecting")?;
        let number = number_of(name);
        connection.begin().await?;
        match login.driver.lock(&mut connection, number).await? {
            true => Ok(Advisory { login, connection, number }),
            false => Err(LockedOut("the lock in the database".to_owned()).into()),
        }
    }
}

impl Advisory {
    /// Makes sure that the lock is still held.
    pub async fn check(&mut self) -> Result<()> {
        if !self.login.driver.is_locked(&mut self.connection, self.number).await? {
            bail!("the lock in the database was lost");
        }
        Ok(())
    }
}
