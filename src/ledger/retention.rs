//! How long the ledger remembers: which keys a run removed, and rows as they were. What a run amounted to stays for ever.

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection};

use super::Ledger;
use super::history::{stamp, stands};
use super::state::{in_trash, open, open_rows};
use crate::domain::Time;

/// What format 6 adds.
pub const SCHEMA: &str = "
    ALTER TABLE runs ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0; -- removals that are remembered no longer
    CREATE INDEX removals_rows ON removals (pair, done_at) WHERE before IS NOT NULL;";

/// Whether a removal has come to its end, and nothing of it could be brought back from the trash.
macro_rules! is_over {
    () => {
        concat!("state NOT IN ", open!(), " AND state NOT IN ", open_rows!(), " AND state NOT IN ", in_trash!())
    };
}

impl Ledger {
    /// Forgets the single removals of runs that began before `runs_before`, and what was found then and has gone since; and
    /// of rows that were removed before `rows_before` all but their ids. What could still be put back from the trash stays.
    pub async fn drop_old(&mut self, runs_before: Time, rows_before: Time) -> Result<()> {
        self.try_drop_old(&stamp(runs_before), &stamp(rows_before)).await.context("the ledger could not be written")
    }

    async fn try_drop_old(&mut self, runs_before: &str, rows_before: &str) -> Result<()> {
        if !self.has_old(runs_before, rows_before).await? {
            return Ok(());
        }
        let old =
            concat!("pair = ?1 AND run IN (SELECT id FROM runs WHERE pair = ?1 AND started_at < ?2) AND ", is_over!());
        let is_whole = concat!("pair = ?1 AND before IS NOT NULL AND done_at < ?3 AND state NOT IN ", open_rows!());
        // What was deleted is overwritten: it may be of people.
        sqlx::raw_sql("PRAGMA main.secure_delete = ON").execute(&mut self.connection).await?;
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let stands = stands!();
        for sql in [
            format!(
                "UPDATE removals SET before = NULL, after = NULL, \
                     detail = iif(detail IS NULL, '', detail || '; ') || 'the row is kept no longer' WHERE {is_whole}"
            ),
            format!(
                "INSERT INTO run_kinds (run, kind, files, record_rows, removed_bytes) \
                 SELECT run, kind, count(*) FILTER (WHERE handle IS NULL), count(handle), coalesce(sum(size), 0) \
                 FROM removals WHERE {old} AND state IN {stands} GROUP BY run, kind \
                 ON CONFLICT DO UPDATE SET files = files + excluded.files, \
                     record_rows = record_rows + excluded.record_rows, \
                     removed_bytes = removed_bytes + excluded.removed_bytes"
            ),
            format!(
                "UPDATE runs SET dropped = dropped + gone.count FROM (SELECT run, count(*) AS count FROM removals \
                     WHERE {old} GROUP BY run) AS gone WHERE runs.id = gone.run"
            ),
            format!("DELETE FROM row_keys WHERE removal IN (SELECT id FROM removals WHERE {old})"),
            format!("DELETE FROM removals WHERE {old}"),
            "DELETE FROM sightings WHERE pair = ?1 AND resolved_at < ?2".to_owned(),
        ] {
            let query = sqlx::query(AssertSqlSafe(sql)).bind(self.pair).bind(runs_before).bind(rows_before);
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Whether there is anything to forget: most nights there is not, and nobody waits for a reader.
    async fn has_old(&mut self, runs_before: &str, rows_before: &str) -> Result<bool> {
        let sql = concat!(
            "SELECT EXISTS (SELECT 1 FROM removals WHERE pair = ?1 AND before IS NOT NULL AND done_at < ?3) \
                 OR EXISTS (SELECT 1 FROM runs WHERE pair = ?1 AND started_at < ?2 AND EXISTS \
                                (SELECT 1 FROM removals WHERE run = runs.id AND ",
            is_over!(),
            ")) OR EXISTS (SELECT 1 FROM sightings WHERE pair = ?1 AND resolved_at < ?2)"
        );
        let query = sqlx::query_scalar(sql).bind(self.pair).bind(runs_before).bind(rows_before);
        Ok(query.fetch_one(&mut self.connection).await?)
    }
}
