//! What complete runs remember of each source, so that a later one sees that the database went back (I21).

use std::collections::HashSet;

use anyhow::Result;
use chrono::DateTime;
use sqlx::Connection;

use super::Ledger;
use crate::forward::{KnownRow, Memory};

/// What format 6 adds.
pub const SCHEMA: &str = "
    CREATE TABLE source_memory (
        pair INTEGER NOT NULL,
        source TEXT NOT NULL,       -- a hash of what the configuration says of it
        name TEXT NOT NULL,
        run INTEGER NOT NULL,
        row_count INTEGER,          -- NULL: a reference
        had_rows INTEGER NOT NULL,
        had_objects INTEGER NOT NULL,
        newest INTEGER,             -- microseconds since 1970
        PRIMARY KEY (pair, source)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE known_rows (
        pair INTEGER NOT NULL,
        source TEXT NOT NULL,
        handle TEXT NOT NULL,
        key TEXT NOT NULL,          -- a hash
        place INTEGER,
        PRIMARY KEY (pair, source, handle)
    ) STRICT, WITHOUT ROWID;";

type Row = (String, String, i64, Option<i64>, bool, bool, Option<i64>);

impl Ledger {
    /// What earlier complete runs of this pair remember of a source.
    pub async fn memory(&mut self, source: &str) -> Result<Option<Memory>> {
        let sql = "SELECT source, name, run, row_count, had_rows, had_objects, newest FROM source_memory \
                   WHERE pair = ? AND source = ?";
        let row: Option<Row> =
            sqlx::query_as(sql).bind(self.pair).bind(source).fetch_optional(&mut self.connection).await?;
        let Some((source, name, run, rows, had_rows, had_objects, newest)) = row else { return Ok(None) };
        let sql = "SELECT handle, key, place FROM known_rows WHERE pair = ? AND source = ?";
        let sample: Vec<(String, String, Option<i64>)> =
            sqlx::query_as(sql).bind(self.pair).bind(&source).fetch_all(&mut self.connection).await?;
        let sample = sample.into_iter().map(|(handle, key, place)| KnownRow { handle, key, place }).collect();
        let (rows, newest) = (rows.map(i64::unsigned_abs), newest.and_then(DateTime::from_timestamp_micros));
        Ok(Some(Memory { source, name, run, rows, had_rows, had_objects, newest, sample }))
    }

    /// Remembers sources as they are now. What a source once had it had for ever: `forget` says that a person took its loss
    /// for right.
    pub async fn remember(&mut self, memories: &[Memory], forget: bool) -> Result<()> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for Memory { source, name, run, rows, had_rows, had_objects, newest, sample } in memories {
            let sql = "INSERT INTO source_memory (pair, source, name, run, row_count, had_rows, had_objects, newest) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET name = ?3, run = ?4, \
                           row_count = ?5, had_rows = ?6 OR (had_rows AND NOT ?9), \
                           had_objects = ?7 OR (had_objects AND NOT ?9), newest = ?8";
            sqlx::query(sql)
                .bind(self.pair)
                .bind(source)
                .bind(name)
                .bind(run)
                .bind(rows.map(|rows| rows as i64))
                .bind(had_rows)
                .bind(had_objects)
                .bind(newest.map(|newest| newest.timestamp_micros()))
                .bind(forget)
                .execute(&mut *transaction)
                .await?;
            let sql = "DELETE FROM known_rows WHERE pair = ? AND source = ?";
            sqlx::query(sql).bind(self.pair).bind(source).execute(&mut *transaction).await?;
            let rows: Vec<_> = sample.iter().map(|row| (&row.handle, &row.key, row.place)).collect();
            let sql = "INSERT OR IGNORE INTO known_rows (pair, source, handle, key, place) \
                       SELECT ?1, ?2, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?3)";
            let query = sqlx::query(sql).bind(self.pair).bind(source).bind(serde_json::to_string(&rows)?);
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Which of these rows of a table runs have removed, or changed, or may have.
    pub async fn touched(&mut self, table: &str, handles: &[&str]) -> Result<HashSet<String>> {
        let sql = "SELECT handle FROM removals WHERE pair IN (SELECT value FROM json_each(?1)) AND table_name = ?2 \
                       AND handle IN (SELECT value FROM json_each(?3)) AND state LIKE 'row-%' AND state <> 'row-restored'";
        let query = sqlx::query_scalar(sql).bind(&self.kin.of_database).bind(table);
        let handles: Vec<String> = query.bind(serde_json::to_string(handles)?).fetch_all(&mut self.connection).await?;
        Ok(handles.into_iter().collect())
    }

    /// How many rows of a table runs have deleted since the run `since`, that one included.
    pub async fn deleted_since(&mut self, table: &str, since: i64) -> Result<u64> {
        let sql = "SELECT count(*) FROM removals WHERE pair IN (SELECT value FROM json_each(?1)) AND table_name = ?2 \
                       AND run >= ?3 AND state IN ('row-deleting', 'row-deleted', 'row-deleted-unsettled')";
        let query = sqlx::query_scalar(sql).bind(&self.kin.of_database).bind(table).bind(since);
        let count: i64 = query.fetch_one(&mut self.connection).await?;
        Ok(count.unsigned_abs())
    }

    /// Which of these rows of a table, which is of one of the `[[records]]`, are findings of this run.
    pub async fn found_rows(&mut self, (table, section): (&str, usize), handles: &[&str]) -> Result<HashSet<String>> {
        let sql = "SELECT handle FROM temp.finding INDEXED BY finding_rows \
                   WHERE is_row AND table_name = ? AND section = ? AND handle IN (SELECT value FROM json_each(?))";
        let query = sqlx::query_scalar(sql).bind(table).bind(section as i64).bind(serde_json::to_string(handles)?);
        let handles: Vec<String> = query.fetch_all(&mut self.connection).await?;
        Ok(handles.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, at};
    use super::*;

    fn memory(run: i64, had: bool, handles: &[&str]) -> Memory {
        let row = |handle: &&str| KnownRow { handle: (*handle).to_owned(), key: "k".to_owned(), place: Some(1) };
        Memory {
            source: "s".to_owned(),
            name: "assets".to_owned(),
            run,
            rows: Some(3),
            had_rows: had,
            had_objects: had,
            newest: Some(at(run.unsigned_abs())),
            sample: handles.iter().map(row).collect(),
        }
    }

    #[tokio::test]
    async fn the_last_run_is_remembered_and_what_a_source_had_until_it_is_forgotten() {
        let mut fixture = Fixture::new().await;
        let ledger = &mut fixture.ledger;
        assert_eq!(ledger.memory("s").await.expect("a ledger"), None);
        for (next, forget, had) in [
            (memory(1, true, &["1", "2"]), false, true),
            (memory(2, false, &["3"]), false, true),
            (memory(3, false, &[]), true, false),
        ] {
            ledger.remember(std::slice::from_ref(&next), forget).await.expect("room");
            let kept = ledger.memory("s").await.expect("a ledger").expect("a memory");
            assert_eq!(kept, Memory { had_rows: had, had_objects: had, ..next });
        }
    }
}
