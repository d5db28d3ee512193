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
    CREATE INDEX removals_rows ON removals (pair, done_at) WHERE before IS NOT NULL;
    CREATE INDEX sightings_resolved ON sightings (pair, resolved_at) WHERE resolved_at IS NOT NULL;";

/// What is forgotten between two commits: another run may be waiting to write.
const BATCH: i64 = 5_000;

/// Whether a removal has come to its end, and nothing of it could be brought back: not from the trash, and no row.
macro_rules! is_over {
    () => {
        concat!(
            "before IS NULL AND state NOT IN ",
            open!(),
            " AND state NOT IN ",
            open_rows!(),
            " AND state NOT IN ",
            in_trash!()
        )
    };
}

impl Ledger {
    /// Forgets of rows that were removed before `rows_before` all but their ids; the single removals of runs that began
    /// before `runs_before`, and what was found then and has gone since. What could still be brought back stays.
    pub async fn drop_old(&mut self, runs_before: Time, rows_before: Time) -> Result<()> {
        let (runs, rows) = (stamp(runs_before), stamp(rows_before));
        self.try_drop_old(&runs, &rows).await.context("the ledger could not forget what is old")
    }

    async fn try_drop_old(&mut self, runs_before: &str, rows_before: &str) -> Result<()> {
        // Most nights there is nothing, and nobody waits for a reader.
        if !self.has_old(runs_before, rows_before).await? {
            return Ok(());
        }
        // What was deleted is overwritten: it may be of people.
        sqlx::raw_sql("PRAGMA main.secure_delete = ON").execute(&mut self.connection).await?;
        while self.drop_rows(rows_before).await? {}
        while self.drop_removals(runs_before).await? {}
        while self.drop_sightings(runs_before).await? {}
        Ok(())
    }

    /// Forgets some rows; whether there may be more.
    async fn drop_rows(&mut self, before: &str) -> Result<bool> {
        let sql = concat!(
            "UPDATE removals SET before = NULL, after = NULL, \
                 detail = iif(detail IS NULL, '', detail || '; ') || 'the row is kept no longer' \
             WHERE id IN (SELECT id FROM removals WHERE pair = ?1 AND before IS NOT NULL AND done_at < ?2 \
                          AND state NOT IN ",
            open_rows!(),
            " LIMIT ?3)"
        );
        let query = sqlx::query(sql).bind(self.pair).bind(before).bind(BATCH);
        Ok(query.execute(&mut self.connection).await?.rows_affected() > 0)
    }

    /// Forgets some removals, and adds them to what their runs amounted to; whether there may be more.
    async fn drop_removals(&mut self, before: &str) -> Result<bool> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let sql = concat!(
            "SELECT json_group_array(id) FROM (SELECT id FROM removals WHERE pair = ?1 \
                 AND run IN (SELECT id FROM runs WHERE pair = ?1 AND started_at < ?2) AND ",
            is_over!(),
            " LIMIT ?3)"
        );
        let query = sqlx::query_scalar(sql).bind(self.pair).bind(before).bind(BATCH);
        let old: String = query.fetch_one(&mut *transaction).await?;
        if old == "[]" {
            return Ok(false);
        }
        let these = "id IN (SELECT value FROM json_each(?))";
        let stands = stands!();
        for sql in [
            format!(
                "INSERT INTO run_kinds (run, kind, files, record_rows, removed_bytes) \
                 SELECT run, kind, count(*) FILTER (WHERE handle IS NULL), count(handle), coalesce(sum(size), 0) \
                 FROM removals WHERE {these} AND state IN {stands} GROUP BY run, kind \
                 ON CONFLICT DO UPDATE SET files = files + excluded.files, \
                     record_rows = record_rows + excluded.record_rows, \
                     removed_bytes = removed_bytes + excluded.removed_bytes"
            ),
            format!(
                "UPDATE runs SET dropped = dropped + gone.count FROM (SELECT run, count(*) AS count FROM removals \
                     WHERE {these} GROUP BY run) AS gone WHERE runs.id = gone.run"
            ),
            "DELETE FROM row_keys WHERE removal IN (SELECT value FROM json_each(?))".to_owned(),
            format!("DELETE FROM removals WHERE {these}"),
        ] {
            sqlx::query(AssertSqlSafe(sql)).bind(&old).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Forgets some sightings of what has gone since; whether there may be more.
    async fn drop_sightings(&mut self, before: &str) -> Result<bool> {
        let sql = "DELETE FROM sightings WHERE (pair, kind, key, table_name, record_id) IN ( \
                       SELECT pair, kind, key, table_name, record_id FROM sightings \
                       WHERE pair = ?1 AND resolved_at < ?2 LIMIT ?3)";
        let query = sqlx::query(sql).bind(self.pair).bind(before).bind(BATCH);
        Ok(query.execute(&mut self.connection).await?.rows_affected() > 0)
    }

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

    /// How many removals of a run are remembered no longer.
    pub async fn dropped_of(&mut self, run: i64) -> Result<u64> {
        let sql = "SELECT coalesce(sum(dropped), 0) FROM runs WHERE id = ?";
        let dropped: i64 = sqlx::query_scalar(sql).bind(run).fetch_one(&mut self.connection).await?;
        Ok(dropped.unsigned_abs())
    }
}
