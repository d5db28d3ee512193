//! What runs did, or meant to do: an intent committed before each removal, its outcome after it (I9).

use anyhow::{Context, Result};
use chrono::DateTime;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Row};

use super::Ledger;
use super::What;
use super::history::stamp;
use super::state::{State, open, open_rows};
use super::which::{Which, is_left_to_us};
use super::{places, trash_runs};
use crate::domain::{FolderRights, Image, Kind, Object, Time};
use crate::failpoint;

pub const SCHEMA: &str = "
    CREATE TABLE removals (
        id INTEGER PRIMARY KEY,
        pair INTEGER NOT NULL,
        run INTEGER NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        table_name TEXT NOT NULL DEFAULT '',
        record_id TEXT NOT NULL DEFAULT '',
        size INTEGER NOT NULL,
        last_modified INTEGER, -- microseconds since 1970
        etag TEXT,
        trash_key TEXT,        -- NULL: for good
        state TEXT NOT NULL,
        detail TEXT,
        intended_at TEXT NOT NULL,
        done_at TEXT
    ) STRICT;
    CREATE INDEX removals_run ON removals (run);
    CREATE INDEX removals_key ON removals (pair, key);
    CREATE INDEX removals_open ON removals (pair, state) WHERE state IN
        ('intended', 'trashed-unsettled', 'deleted-unsettled', 'purging', 'restoring', 'trashed');";

/// What format 3 adds: removals of rows.
pub const ROWS: &str = "
    ALTER TABLE removals ADD COLUMN handle TEXT;    -- a row's id, as its database finds it again
    ALTER TABLE removals ADD COLUMN before TEXT;    -- the whole row, as JSON
    ALTER TABLE removals ADD COLUMN after TEXT;     -- the same, of a row that was updated
    DROP INDEX removals_open;
    CREATE INDEX removals_open ON removals (pair, state) WHERE state IN
        ('intended', 'trashed-unsettled', 'deleted-unsettled', 'purging', 'restoring', 'trashed', 'row-deleting',
         'row-updating', 'row-deleted-unsettled', 'row-updated-unsettled', 'row-restoring');";

/// What format 4 adds: the other keys of rows that have several.
pub const KEYS: &str = "
    CREATE TABLE row_keys (key TEXT NOT NULL, removal INTEGER NOT NULL REFERENCES removals (id), PRIMARY KEY (key, removal))
        STRICT, WITHOUT ROWID;";

/// What format 5 adds: copies that stay in the trash beside their originals, and deletes that may come late.
pub const LATE: &str = "
    ALTER TABLE pairs ADD COLUMN heeds_conditions INTEGER; -- whether a delete heeds If-Match; NULL: it was not tried yet
    ALTER TABLE removals ADD COLUMN late INTEGER NOT NULL DEFAULT 0; -- a delete may still be on its way to the store
    DROP INDEX removals_open;
    CREATE INDEX removals_open ON removals (pair, state) WHERE state IN
        ('intended', 'trashed-unsettled', 'deleted-unsettled', 'purging', 'restoring', 'trashed', 'row-deleting',
         'row-updating', 'row-deleted-unsettled', 'row-updated-unsettled', 'row-restoring', 'skipped-left',
         'failed-left', 'put-back-left', 'restored-left');
    CREATE INDEX removals_failed ON removals (pair, key) WHERE state IN ('failed', 'failed-left');";

const WRITING: &str = "the ledger could not be written";

/// A removal, as the ledger has it.
#[derive(Debug, Clone)]
pub struct Removal {
    pub id: i64,
    pub kind: String,
    /// The object as it was when it was removed; of a row, only its key.
    pub object: Object,
    /// The row, where it is one that was removed.
    pub row: Option<RowRemoval>,
    pub trash_key: Option<String>,
    pub state: State,
    /// Whether a delete of it may still be on its way to the store: its copy stays in the trash then.
    pub late: bool,
    pub detail: Option<String>,
    pub intended_at: String,
    pub done_at: Option<String>,
}

/// A row, as it was when it was removed.
#[derive(Debug, Clone)]
pub struct RowRemoval {
    pub table: String,
    pub id: String,
    pub handle: String,
    pub before: Option<Image>,
    /// Of a row that was updated.
    pub after: Option<Image>,
}

/// A removal that is about to be recorded.
pub struct NewRemoval {
    pub kind: Kind,
    pub object: Object,
    pub row: Option<RowRemoval>,
    /// The other keys of a row, whose files go with it.
    pub also: Vec<String>,
    pub trash_key: Option<String>,
    pub state: State,
    pub detail: Option<String>,
}

/// Where a removal has come to.
pub struct Step {
    pub id: i64,
    pub state: State,
    pub detail: Option<String>,
    /// A row that was updated, as it is now.
    pub after: Option<Image>,
    /// Whether a delete may still be on its way; what was late stays so.
    pub late: bool,
}

impl Step {
    pub fn to(id: i64, state: State) -> Self {
        Step { id, state, detail: None, after: None, late: false }
    }

    pub fn because(id: i64, state: State, detail: impl Into<String>) -> Self {
        Step { detail: Some(detail.into()), ..Step::to(id, state) }
    }

    /// The same, of a file of which a delete may still be on its way.
    pub fn late(self, late: bool) -> Self {
        Step { late, ..self }
    }
}

impl Ledger {
    /// Records removals in one transaction, and gives their numbers. `step` names the commit for tests.
    pub async fn record(&mut self, run: i64, removals: &[NewRemoval], step: &str, now: Time) -> Result<Vec<i64>> {
        self.record_with(run, removals, &[], step, now).await
    }

    /// The same, with whose the folders above them are.
    pub async fn record_with(
        &mut self,
        run: i64,
        removals: &[NewRemoval],
        rights: &[FolderRights],
        step: &str,
        now: Time,
    ) -> Result<Vec<i64>> {
        self.try_record(run, removals, rights, step, now).await.context(WRITING)
    }

    async fn try_record(
        &mut self,
        run: i64,
        removals: &[NewRemoval],
        rights: &[FolderRights],
        step: &str,
        now: Time,
    ) -> Result<Vec<i64>> {
        let mut ids = Vec::with_capacity(removals.len());
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        places::add_trash(&mut transaction, self.pair, removals).await?;
        trash_runs::add(&mut transaction, self.pair, removals).await?;
        places::add_rights(&mut transaction, self.pair, rights).await?;
        for NewRemoval { kind, object, row, also, trash_key, state, detail } in removals {
            let is_open = matches!(state, State::Intended | State::RowDeleting | State::RowUpdating);
            let done_at = (!is_open).then(|| stamp(now));
            let text = |of: fn(&RowRemoval) -> &str| row.as_ref().map(of);
            let before = row.as_ref().and_then(|row| row.before.as_ref());
            let done = sqlx::query(
                "INSERT INTO removals (pair, run, kind, key, size, last_modified, etag, trash_key, state, detail, \
                                       intended_at, done_at, table_name, record_id, handle, before) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(self.pair)
            .bind(run)
            .bind(kind.name())
            .bind(&object.key)
            .bind(object.size as i64)
            .bind(object.last_modified.map(|time| time.timestamp_micros()))
            .bind(&object.etag)
            .bind(trash_key)
            .bind(state.name())
            .bind(detail)
            .bind(stamp(now))
            .bind(done_at)
            .bind(text(|row| &row.table).unwrap_or_default())
            .bind(text(|row| &row.id).unwrap_or_default())
            .bind(text(|row| &row.handle))
            .bind(before.map(serde_json::to_string).transpose()?)
            .execute(&mut *transaction)
            .await?;
            let id = done.last_insert_rowid();
            for key in also {
                let sql = "INSERT OR IGNORE INTO row_keys (key, removal) VALUES (?, ?)";
                sqlx::query(sql).bind(key).bind(id).execute(&mut *transaction).await?;
            }
            ids.push(id);
        }
        failpoint::before(step);
        transaction.commit().await?;
        failpoint::after(step);
        Ok(ids)
    }

    /// Records how far removals have come, in one transaction. The time of a removal itself stays what it was.
    pub async fn advance(&mut self, steps: &[Step], step: &str, now: Time) -> Result<()> {
        self.try_advance(steps, step, now).await.context(WRITING)
    }

    async fn try_advance(&mut self, steps: &[Step], step: &str, now: Time) -> Result<()> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for Step { id, state, detail, after, late } in steps {
            let removes = matches!(
                state,
                State::TrashedUnsettled
                    | State::DeletedUnsettled
                    | State::RowDeletedUnsettled
                    | State::RowUpdatedUnsettled
            );
            sqlx::query(
                "UPDATE removals SET state = ?2, detail = coalesce(?3, detail), after = coalesce(?6, after), \
                 done_at = iif(?4 OR done_at IS NULL, ?5, done_at), late = late OR ?7 WHERE id = ?1",
            )
            .bind(id)
            .bind(state.name())
            .bind(detail)
            .bind(removes)
            .bind(stamp(now))
            .bind(after.as_ref().map(serde_json::to_string).transpose()?)
            .bind(late)
            .execute(&mut *transaction)
            .await?;
        }
        failpoint::before(step);
        transaction.commit().await?;
        failpoint::after(step);
        Ok(())
    }

    /// Whether the pair's store heeds conditions on deletes; `None`: that was not tried yet.
    pub async fn heeds_conditions(&mut self) -> Result<Option<bool>> {
        let query = sqlx::query_scalar("SELECT heeds_conditions FROM pairs WHERE id = ?").bind(self.pair);
        Ok(query.fetch_one(&mut self.connection).await?)
    }

    pub async fn remember_conditions(&mut self, are_heeded: Option<bool>) -> Result<()> {
        let query = sqlx::query("UPDATE pairs SET heeds_conditions = ? WHERE id = ?").bind(are_heeded).bind(self.pair);
        query.execute(&mut self.connection).await.context(WRITING)?;
        Ok(())
    }

    /// Removals after the number `after`, in the order in which they were made; of rows that a run removed, the last first,
    /// and from the end where `after` is 0. Files are those of this store, whatever its database was called; rows are those
    /// of this database.
    pub async fn removals(&mut self, which: Which<'_>, after: i64, limit: usize) -> Result<Vec<Removal>> {
        // Rows come back in the order in which they could have gone: what points at another last of all.
        let (after_it, order) = match which {
            Which::RowsOfRun(_) | Which::Expected => ("(?2 = 0 OR id < ?2)", "DESC"),
            _ => ("id > ?2", "ASC"),
        };
        let condition = which.condition();
        let sql = format!(
            "SELECT * FROM removals WHERE pair IN (SELECT value FROM json_each(?1)) AND {after_it} AND {condition} ORDER BY id {order} LIMIT ?4"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(self.kin.of_removals(which)).bind(after);
        let query = match which {
            Which::OfRun(run)
            | Which::TrashedByRun(run)
            | Which::NeverRestoredOfRun(run)
            | Which::RestoredOfRun(run)
            | Which::RowsOfRun(run) => query.bind(run),
            Which::TrashedAt(key) | Which::LastRowsOf(key) => query.bind(key.to_owned()),
            Which::Open | Which::OpenRows | Which::Expected => query.bind(0),
            Which::Due(time) => query.bind(stamp(time)),
        };
        query
            .bind(limit as i64)
            .bind(&self.kin.of_database)
            .fetch_all(&mut self.connection)
            .await?
            .iter()
            .map(removal)
            .collect()
    }

    /// A key, and the other keys of the rows that were removed last with it.
    pub async fn keys_beside(&mut self, key: &str) -> Result<Vec<String>> {
        let rows = Which::LastRowsOf(key).condition();
        let sql = format!(
            "WITH gone AS (SELECT id, key FROM removals WHERE pair IN (SELECT value FROM json_each(?1)) AND {rows})
             SELECT ?3 UNION SELECT key FROM gone WHERE key <> '' UNION SELECT key FROM row_keys WHERE removal IN (SELECT id FROM gone)"
        );
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&self.kin.of_database).bind(0).bind(key);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    /// Of each other database of this store, where it is, and how many removals its runs left open: they are its own to
    /// resolve.
    pub async fn open_of_others(&mut self) -> Result<Vec<(String, u64)>> {
        let sql = concat!(
            "SELECT database_address, count(*) FROM removals JOIN pairs ON pairs.id = removals.pair
             WHERE pair IN (SELECT value FROM json_each(?1))
                 AND (pair NOT IN (SELECT value FROM json_each(?2)) AND state IN ",
            open!(),
            " OR pair NOT IN (SELECT value FROM json_each(?3)) AND state IN ",
            open_rows!(),
            ") GROUP BY pair ORDER BY pair"
        );
        let query = sqlx::query_as(sql).bind(&self.kin.of_store).bind(&self.kin.not_of_others);
        let query = query.bind(&self.kin.of_database);
        let open: Vec<(String, i64)> = query.fetch_all(&mut self.connection).await?;
        Ok(open.into_iter().map(|(database, count)| (database, count.unsigned_abs())).collect())
    }

    /// Of each other database of this store, where it is, and how many rows are its own that a run removed, or that were
    /// removed with a key.
    pub async fn rows_of_others(&mut self, which: Which<'_>) -> Result<Vec<(String, u64)>> {
        let (chosen, run, key) = match which {
            Which::RowsOfRun(run) => ("run = ?3 AND ?4 = ''", run, ""),
            Which::LastRowsOf(key) => (
                "(removals.key IN (?4, ?4 || '/') OR removals.id IN (SELECT removal FROM row_keys WHERE key IN (?4, ?4 || '/'))) AND ?3 = 0",
                0,
                key,
            ),
            _ => return Ok(Vec::new()),
        };
        let sql = format!(
            "SELECT database_address, count(*) FROM removals JOIN pairs ON pairs.id = removals.pair
             WHERE pair IN (SELECT value FROM json_each(?1)) AND pair NOT IN (SELECT value FROM json_each(?2))
                 AND state IN ('row-deleted', 'row-updated') AND {chosen} GROUP BY pair ORDER BY pair"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(&self.kin.of_store).bind(&self.kin.of_database);
        let query = query.bind(run).bind(key);
        let rows: Vec<(String, i64)> = query.fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().map(|(database, count)| (database, count.unsigned_abs())).collect())
    }

    /// How many files, and bytes, of trash are due.
    pub async fn due(&mut self, before: Time) -> Result<(u64, u64)> {
        let condition = Which::Due(before).condition();
        let sql = format!(
            "SELECT count(*), coalesce(sum(size), 0) FROM removals WHERE pair IN (SELECT value FROM json_each(?1)) AND {condition}"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql))
            .bind(&self.kin.of_store)
            .bind(0)
            .bind(stamp(before))
            .bind(0)
            .bind(&self.kin.of_database);
        let (files, bytes): (i64, i64) = query.fetch_one(&mut self.connection).await?;
        Ok((files.unsigned_abs(), bytes.unsigned_abs()))
    }

    /// How many files of due trash stay because they resemble a value that no object carries, and one of them with its value.
    pub async fn due_in_doubt(&mut self, before: Time) -> Result<Option<(u64, String, String)>> {
        let sql =
            concat!("SELECT count(*), min(removals.key), named FROM removals JOIN temp.resembling AS r ON r.key = removals.key
             WHERE what = ?2 AND pair IN (SELECT value FROM json_each(?1)) AND state = 'trashed' AND done_at <= ?3 AND ", is_left_to_us!(), " HAVING count(*) > 0");
        let query = sqlx::query_as(sql)
            .bind(&self.kin.of_store)
            .bind(What::Trashed as u8)
            .bind(stamp(before))
            .bind(0)
            .bind(&self.kin.of_database);
        let first: Option<(i64, String, String)> = query.fetch_optional(&mut self.connection).await?;
        Ok(first.map(|(count, key, named)| (count.unsigned_abs(), key, named)))
    }
}

fn image(row: &SqliteRow, column: &str) -> Result<Option<Image>> {
    let text: Option<String> = row.try_get(column)?;
    Ok(text.as_deref().map(serde_json::from_str).transpose()?)
}

fn removal(row: &SqliteRow) -> Result<Removal> {
    let state: String = row.try_get("state")?;
    let last_modified: Option<i64> = row.try_get("last_modified")?;
    Ok(Removal {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        object: Object {
            key: row.try_get("key")?,
            size: row.try_get::<i64, _>("size")?.unsigned_abs(),
            last_modified: last_modified.and_then(DateTime::from_timestamp_micros),
            etag: row.try_get("etag")?,
            archived: false,
            opaque_etag: false,
            is_new: false,
            is_plain: false,
        },
        row: match row.try_get::<Option<String>, _>("handle")? {
            Some(handle) => Some(RowRemoval {
                table: row.try_get("table_name")?,
                id: row.try_get("record_id")?,
                handle,
                before: image(row, "before")?,
                after: image(row, "after")?,
            }),
            None => None,
        },
        trash_key: row.try_get("trash_key")?,
        // A state that this program does not know is one that it must not act on.
        state: State::ALL.into_iter().find(|known| known.name() == state).unwrap_or(State::Failed),
        late: row.try_get("late")?,
        detail: row.try_get("detail")?,
        intended_at: row.try_get("intended_at")?,
        done_at: row.try_get("done_at")?,
    })
}
