//! What deleting a row of a table would change elsewhere, by the catalog (I19).

use anyhow::{Context, Result};

use crate::database::checked::Database;
use crate::database::connection::Connection;

/// Foreign keys and triggers that are named; a table may have many.
const NAMED: usize = 5;

impl Database {
    /// What deleting rows of a table would change elsewhere, in words; `None`: nothing.
    pub async fn reach_of_deletes(&self, section: usize) -> Result<Option<String>> {
        let (source, rows) = self.section(section)?;
        let mut connection = Connection::open(&source.login).await.context("connecting")?;
        connection.begin().await?;
        let mut reached = source.login.driver.reach_of_deletes(&mut connection, &rows.table).await?;
        connection.end().await?;
        if reached.is_empty() {
            return Ok(None);
        }
        let more = reached.len().saturating_sub(NAMED);
        reached.truncate(NAMED);
        if more > 0 {
            reached.push(format!("{more} more"));
        }
        Ok(Some(reached.join(", ")))
    }
}
