//! The folders of runs in the trash: which of them this ledger knows, and what the trash itself can tell of those that it does
//! not.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use sqlx::{Connection, SqliteConnection};

use super::history::stamp;
use super::{Ledger, NewRemoval};
use crate::domain::{Object, Time};

/// The bytes of a run's own folder in the trash, with its slash: a ULID.
pub(super) const RUN_BYTES: usize = 27;

/// What format 6 adds.
pub const SCHEMA: &str = "
    CREATE TABLE trash_runs (
        pair INTEGER NOT NULL,
        folder TEXT NOT NULL,       -- PLACE/<a ULID>/
        PRIMARY KEY (pair, folder)
    ) STRICT, WITHOUT ROWID;
    INSERT OR IGNORE INTO trash_runs
        SELECT DISTINCT pair, substr(trash_key, 1, length(trash_key) - length(key)) FROM removals
        WHERE length(trash_key) > length(key) + 27;";

/// Those that a scan met.
pub const MET: &str = "CREATE TEMP TABLE trash_run (folder TEXT PRIMARY KEY) WITHOUT ROWID;";

/// A file in the trash of which the ledger knows nothing.
#[derive(Debug, Clone)]
pub struct Stray {
    /// As it lies in the trash.
    pub object: Object,
    /// Its key before.
    pub key: String,
}

/// Remembers the folders to which these removals go.
pub(super) async fn add(connection: &mut SqliteConnection, pair: i64, removals: &[NewRemoval]) -> Result<()> {
    let folders = removals.iter().filter_map(|removal| {
        let folder = removal.trash_key.as_deref()?.strip_suffix(removal.object.key.as_str())?;
        (folder.len() >= RUN_BYTES).then_some(folder)
    });
    for folder in folders.collect::<BTreeSet<_>>() {
        let sql = "INSERT OR IGNORE INTO trash_runs (pair, folder) VALUES (?, ?)";
        sqlx::query(sql).bind(pair).bind(folder).execute(&mut *connection).await?;
    }
    Ok(())
}

impl Ledger {
    /// How many folders of runs the scan met in the trash that no pair of this ledger knows, and the first of them.
    pub async fn strange_trash(&mut self) -> Result<Option<(u64, String)>> {
        let sql =
            "SELECT count(*), min(folder) FROM temp.trash_run WHERE folder NOT IN (SELECT folder FROM trash_runs)";
        let (count, first): (i64, Option<String>) = sqlx::query_as(sql).fetch_one(&mut self.connection).await?;
        Ok(first.map(|first| (count.unsigned_abs(), first)))
    }

    /// Which of these files in the trash the ledger knows, by whichever pair: several configurations may share a trash.
    pub async fn known_in_trash(&mut self, strays: &[Stray]) -> Result<BTreeSet<String>> {
        let keys: Vec<_> = strays.iter().map(|stray| (&stray.key, &stray.object.key)).collect();
        let sql = "SELECT r.trash_key FROM json_each(?1) AS k CROSS JOIN pairs AS p CROSS JOIN removals AS r \
                   WHERE r.pair = p.id AND r.key = k.value ->> 0 AND r.trash_key = k.value ->> 1";
        let query = sqlx::query_scalar(sql).bind(serde_json::to_string(&keys)?);
        let known: Vec<String> = query.fetch_all(&mut self.connection).await?;
        Ok(known.into_iter().collect())
    }

    /// The runs of this pair of which only their folders in the trash were left, the last one first.
    pub async fn rebuilt_runs(&mut self) -> Result<Vec<i64>> {
        let sql = "SELECT id FROM runs WHERE pair = ? AND outcome = 'rebuilt' ORDER BY started_at DESC, id DESC";
        Ok(sqlx::query_scalar(sql).bind(self.pair).fetch_all(&mut self.connection).await?)
    }

    /// Takes note of folders in the trash that the scan does not meet.
    pub async fn meet_trash(&mut self, folders: &BTreeSet<String>) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO temp.trash_run SELECT value FROM json_each(?)";
        sqlx::query(sql).bind(serde_json::to_string(folders)?).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Begins the record of a run of which only its folder in the trash is left.
    pub async fn rebuild_run(&mut self, began: Time) -> Result<i64> {
        let run = self.begin("execute", began).await?;
        let sql = "UPDATE runs SET outcome = 'rebuilt', finished_at = started_at WHERE id = ?";
        sqlx::query(sql).bind(run).execute(&mut self.connection).await?;
        Ok(run)
    }

    /// Records files of a run that are in the trash. How long they have been there nobody knows: they are due as if they had
    /// been removed now. Nor does anybody know whether a delete of them is still on its way, and so their copies stay.
    pub async fn rebuild(&mut self, run: i64, strays: &[Stray], now: Time) -> Result<()> {
        self.try_rebuild(run, strays, now).await.context("the ledger could not be written")
    }

    async fn try_rebuild(&mut self, run: i64, strays: &[Stray], now: Time) -> Result<()> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for Stray { object, key } in strays {
            let sql = "INSERT INTO removals (pair, run, kind, key, size, last_modified, etag, trash_key, state, detail, \
                                             intended_at, done_at, late) \
                       VALUES (?1, ?2, 'orphaned-file', ?3, ?4, ?5, ?6, ?7, 'trashed', 'rebuilt from the trash', ?8, ?8, 1)";
            sqlx::query(sql)
                .bind(self.pair)
                .bind(run)
                .bind(key)
                .bind(object.size as i64)
                .bind(object.last_modified.map(|time| time.timestamp_micros()))
                .bind(&object.etag)
                .bind(&object.key)
                .bind(stamp(now))
                .execute(&mut *transaction)
                .await?;
            let sql =
                "INSERT OR IGNORE INTO trash_runs (pair, folder) VALUES (?1, substr(?2, 1, length(?2) - length(?3)))";
            sqlx::query(sql).bind(self.pair).bind(&object.key).bind(key).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
