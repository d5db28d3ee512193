//! Whether a database only follows another one, or takes no writes: what it knows may be behind, and rows cannot be removed.

use anyhow::{Context, Result};
use secrecy::ExposeSecret;

use crate::database::checked::Database;
use crate::database::connection::Connection;

impl Database {
    /// The databases of which nothing may be removed, each by its address, with why.
    pub async fn standbys(&self) -> Result<Vec<(String, String)>> {
        let mut standbys = Vec::new();
        for login in &self.logins {
            let mut connection = Connection::open(login).await.context("connecting")?;
            connection.begin().await?;
            let standby = login.driver.standby(&mut connection).await.context("asking whether it is a standby")?;
            connection.end().await?;
            if let Some(why) = standby {
                standbys.push((login.driver.address(login.url.expose_secret())?, why));
            }
        }
        Ok(standbys)
    }
}
