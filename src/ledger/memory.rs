//! What complete runs remember of each source, so that a later one sees that the database went back (I21).

use std::collections::HashSet;

use anyhow::Result;
use chrono::DateTime;
use sqlx::Connection;

use super::Ledger;
use crate::domain::Kind;
use crate::forward::{KnownRow, Memory, Place};

/// What format 6 adds.
pub const SCHEMA: &str = "
    CREATE TABLE source_memory (
        pair INTEGER NOT NULL,
        source TEXT NOT NULL,       -- a hash of what it is
        name TEXT NOT NULL,
        run INTEGER NOT NULL,
        row_count INTEGER,          -- NULL: a reference
        all_rows INTEGER,
        leaving INTEGER NOT NULL,
        objects INTEGER,
        had_rows INTEGER NOT NULL,
        had_objects INTEGER NOT NULL,
        newest INTEGER,             -- microseconds since 1970
        placed_by TEXT NOT NULL,
        emptied INTEGER NOT NULL,
        PRIMARY KEY (pair, source)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE known_rows (
        pair INTEGER NOT NULL,
        source TEXT NOT NULL,
        handle TEXT NOT NULL,
        key TEXT NOT NULL,          -- a hash
        made INTEGER,               -- microseconds since 1970
        number INTEGER,
        is_asked INTEGER NOT NULL,  -- 1: it is one of the sample; 0: one of the window
        PRIMARY KEY (pair, source, is_asked, handle)
    ) STRICT, WITHOUT ROWID;";

type Row = (i64, String, i64, Option<i64>, Option<i64>, i64, Option<i64>, bool, bool, Option<i64>, String, u32);

impl Ledger {
    /// What earlier complete runs of this pair remember of a source.
    pub async fn memory(&mut self, source: &str) -> Result<Option<Memory>> {
        let pair = serde_json::json!([self.pair]).to_string();
        self.newest_memory(source, &pair).await
    }

    /// What the last complete run with another database of this store remembers of a source that is called the same.
    pub async fn memory_of_kin(&mut self, source: &str) -> Result<Option<Memory>> {
        let pairs = self.kin.of_store.clone();
        self.newest_memory(source, &pairs).await
    }

    async fn newest_memory(&mut self, source: &str, pairs: &str) -> Result<Option<Memory>> {
        let sql = "SELECT pair, name, run, row_count, all_rows, leaving, objects, had_rows, had_objects, newest, \
                       placed_by, emptied \
                   FROM source_memory WHERE source = ? AND pair IN (SELECT value FROM json_each(?)) \
                   ORDER BY run DESC LIMIT 1";
        let query = sqlx::query_as(sql).bind(source).bind(pairs);
        let row: Option<Row> = query.fetch_optional(&mut self.connection).await?;
        let Some((
            pair,
            name,
            run,
            rows,
            all_rows,
            leaving,
            objects,
            had_rows,
            had_objects,
            newest,
            placed_by,
            emptied,
        )) = row
        else {
            return Ok(None);
        };
        let [rows, all_rows, objects] = [rows, all_rows, objects].map(|count| count.map(i64::unsigned_abs));
        Ok(Some(Memory {
            source: source.to_owned(),
            name,
            run,
            rows,
            all_rows,
            leaving: leaving.unsigned_abs(),
            objects,
            had_rows,
            had_objects,
            newest: newest.and_then(DateTime::from_timestamp_micros),
            sample: self.known_rows((pair, source), true).await?,
            window: self.known_rows((pair, source), false).await?,
            placed_by,
            emptied,
        }))
    }

    async fn known_rows(&mut self, (pair, source): (i64, &str), is_asked: bool) -> Result<Vec<KnownRow>> {
        let sql = "SELECT handle, key, made, number FROM known_rows WHERE pair = ? AND source = ? AND is_asked = ?";
        let query = sqlx::query_as(sql).bind(pair).bind(source).bind(is_asked);
        let rows: Vec<(String, String, Option<i64>, Option<i64>)> = query.fetch_all(&mut self.connection).await?;
        let row = |(handle, key, made, number)| KnownRow { handle, key, place: Place { made, number } };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Remembers sources as they are now. What a source once had it had for ever: `forget` says that a person took its loss
    /// for right.
    pub async fn remember(&mut self, memories: &[Memory], forget: bool) -> Result<()> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for memory in memories {
            let sql = "INSERT INTO source_memory (pair, source, name, run, row_count, all_rows, leaving, objects, \
                           had_rows, had_objects, newest, placed_by, emptied) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
                       ON CONFLICT DO UPDATE SET name = ?3, run = ?4, row_count = ?5, all_rows = ?6, leaving = ?7, \
                           objects = ?8, had_rows = ?9 OR (had_rows AND NOT ?14), \
                           had_objects = ?10 OR (had_objects AND NOT ?14), newest = ?11, placed_by = ?12, emptied = ?13";
            sqlx::query(sql)
                .bind(self.pair)
                .bind(&memory.source)
                .bind(&memory.name)
                .bind(memory.run)
                .bind(memory.rows.map(|rows| rows as i64))
                .bind(memory.all_rows.map(|rows| rows as i64))
                .bind(memory.leaving as i64)
                .bind(memory.objects.map(|objects| objects as i64))
                .bind(memory.had_rows)
                .bind(memory.had_objects)
                .bind(memory.newest.map(|newest| newest.timestamp_micros()))
                .bind(&memory.placed_by)
                .bind(memory.emptied)
                .bind(forget)
                .execute(&mut *transaction)
                .await?;
            let sql = "DELETE FROM known_rows WHERE pair = ? AND source = ?";
            sqlx::query(sql).bind(self.pair).bind(&memory.source).execute(&mut *transaction).await?;
            for (rows, is_asked) in [(&memory.sample, true), (&memory.window, false)] {
                let rows: Vec<_> =
                    rows.iter().map(|row| (&row.handle, &row.key, row.place.made, row.place.number)).collect();
                let sql = "INSERT OR IGNORE INTO known_rows (pair, source, handle, key, made, number, is_asked) \
                           SELECT ?1, ?2, value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?4 FROM json_each(?3)";
                let query = sqlx::query(sql).bind(self.pair).bind(&memory.source).bind(serde_json::to_string(&rows)?);
                query.bind(is_asked).execute(&mut *transaction).await?;
            }
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

    /// The findings of this run about rows of a table: how many of those rows go, whoever removes them, as a rule condemns
    /// them, or they are of one of the sections that are `deleting` what names no object; and how many are of `section`.
    pub async fn leaving(&mut self, (table, section): (&str, usize), deleting: &[usize]) -> Result<(u64, u64)> {
        let sql = "SELECT count(*) FILTER (WHERE kind <> ?3 OR \
                              (held IS NULL AND section IN (SELECT value FROM json_each(?4)))), \
                          count(*) FILTER (WHERE section = ?2) \
                   FROM temp.finding INDEXED BY finding_rows WHERE is_row AND table_name = ?1";
        let query = sqlx::query_as(sql).bind(table).bind(section as i64).bind(Kind::OrphanedRecord.name());
        let query = query.bind(serde_json::to_string(deleting)?);
        let (leaving, own): (i64, i64) = query.fetch_one(&mut self.connection).await?;
        Ok((leaving.unsigned_abs(), own.unsigned_abs()))
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
        let place = Place { made: None, number: Some(run) };
        let row = |handle: &&str| KnownRow { handle: (*handle).to_owned(), key: "k".to_owned(), place };
        Memory {
            source: "s".to_owned(),
            name: "assets".to_owned(),
            run,
            rows: Some(3),
            all_rows: Some(4),
            leaving: 1,
            objects: None,
            had_rows: had,
            had_objects: had,
            newest: Some(at(run.unsigned_abs())),
            sample: handles.iter().map(row).collect(),
            window: handles.iter().take(1).map(row).collect(),
            placed_by: "number".to_owned(),
            emptied: 2,
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
