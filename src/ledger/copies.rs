//! What a store's copies keep of what is stored beside the bytes, as was tried once for each pair.

use anyhow::{Context, Result};

use super::Ledger;
use crate::storage::Keeps;

/// What format 6 adds.
pub const SCHEMA: &str = "
    ALTER TABLE pairs ADD COLUMN keeps_in_copies TEXT; -- 'all', 'all-but-redirects' or 'told'; NULL: it was not tried yet";

const ALL: &str = "all";
const ALL_BUT_REDIRECTS: &str = "all-but-redirects";
const TOLD: &str = "told";

impl Ledger {
    /// What copies of the pair's store keep; `None`: that was not tried yet.
    pub async fn keeps_in_copies(&mut self) -> Result<Option<Keeps>> {
        let query = sqlx::query_scalar("SELECT keeps_in_copies FROM pairs WHERE id = ?").bind(self.pair);
        let word: Option<Option<String>> = query.fetch_optional(&mut self.connection).await?;
        Ok(match word.flatten().as_deref() {
            Some(ALL) => Some(Keeps::All),
            Some(ALL_BUT_REDIRECTS) => Some(Keeps::AllButRedirects),
            Some(TOLD) => Some(Keeps::Told),
            _ => None,
        })
    }

    /// Remembers it; `None`: it is to be tried anew.
    pub async fn remember_copies(&mut self, keeps: Option<Keeps>) -> Result<()> {
        let word = keeps.map(|keeps| match keeps {
            Keeps::All => ALL,
            Keeps::AllButRedirects => ALL_BUT_REDIRECTS,
            Keeps::Told => TOLD,
        });
        let query = sqlx::query("UPDATE pairs SET keeps_in_copies = ? WHERE id = ?").bind(word).bind(self.pair);
        query.execute(&mut self.connection).await.context("the ledger could not be written")?;
        Ok(())
    }
}
