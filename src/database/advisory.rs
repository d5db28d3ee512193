//! The lock in the database itself (I12): two hosts, each with a ledger of its own, still run one at a time.

use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::database::checked::Database;
use crate::database::connection::{Connection, Login};
use crate::domain::key::number_of;
use crate::exit_code::LockedOut;

/// The lock, on a connection of its own; it ends with the connection. Not every engine has one.
pub struct Advisory {
    /// In each of the databases.
    held: Vec<(Arc<Login>, Connection, i64)>,
}

impl Database {
    /// Takes the lock for what `name` says.
    ///
    /// # Errors
    /// [`LockedOut`] where another run holds it.
    pub async fn lock(&self, name: &str) -> Result<Advisory> {
        let number = number_of(name);
        let mut held = Vec::new();
        for (at, login) in self.logins.iter().enumerate() {
            // Two may be on one server, where the lock of the first would keep the second out.
            let number = if at == 0 { number } else { number_of(&format!("{name} {at}")) };
            let mut connection = Connection::open(login).await.context("connecting")?;
            connection.begin().await?;
            if !login.driver.lock(&mut connection, number).await? {
                return Err(LockedOut("the lock in the database".to_owned()).into());
            }
            held.push((login.clone(), connection, number));
        }
        Ok(Advisory { held })
    }
}

impl Advisory {
    /// Makes sure that the lock is still held.
    pub async fn check(&mut self) -> Result<()> {
        for (login, connection, number) in &mut self.held {
            if !login.driver.is_locked(connection, *number).await? {
                bail!("the lock in the database was lost");
            }
        }
        Ok(())
    }
}
