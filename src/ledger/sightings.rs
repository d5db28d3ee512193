//! Findings as they are kept: when each was first and last seen, and when it was seen no more.

use anyhow::Result;
use chrono::DateTime;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row};

use super::Ledger;
use super::history::stamp;
use crate::finding::{CondemnedFile, Finding, Kind, Subject, Time};

/// Where a page of findings begins: after this key, table and id.
#[derive(Debug, Clone, Default)]
pub struct Position {
    key: String,
    table: String,
    id: String,
}

impl Position {
    /// After `finding`.
    pub fn after(finding: &Finding) -> Self {
        let (table, id) = match &finding.subject {
            Subject::File { .. } => Default::default(),
            Subject::Record { table, id, .. } => (table.clone(), id.clone()),
        };
        Position { key: finding.key.clone(), table, id }
    }
}

impl Ledger {
    /// Writes the run's findings as sightings, and resolves what was seen before and is no more: within `kinds` and
    /// below `prefix`, for a narrowed run says nothing of the rest.
    pub async fn keep_sightings(&mut self, run: i64, kinds: &[Kind], prefix: &str, now: Time) -> Result<()> {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO sightings (pair, kind, key, table_name, record_id, first_seen, last_seen, last_run) \
             SELECT ?1, kind, key, table_name, record_id, ?2, ?2, ?3 FROM temp.finding WHERE true \
             ON CONFLICT DO UPDATE SET \
                 first_seen = iif(resolved_at IS NULL, first_seen, excluded.first_seen), \
                 last_seen = excluded.last_seen, last_run = excluded.last_run, resolved_at = NULL",
        )
        .bind(self.pair)
        .bind(stamp(now))
        .bind(run)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE sightings SET resolved_at = ?2 WHERE pair = ?1 AND resolved_at IS NULL AND last_run <> ?3 \
             AND kind IN (SELECT value FROM json_each(?4)) AND substr(key, 1, length(?5)) = ?5",
        )
        .bind(self.pair)
        .bind(stamp(now))
        .bind(run)
        .bind(serde_json::to_string(&names)?)
        .bind(prefix)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The run's findings of one kind after a position, in byte order of their keys.
    pub async fn findings(&mut self, kind: &Kind, after: &Position, limit: usize) -> Result<Vec<Finding>> {
        let rows = sqlx::query(
            "SELECT f.key, f.table_name, f.record_id, f.size, f.last_modified, f.etag, f.created_at, f.held, f.shared, s.first_seen, \
                    f.owners ->> 0 ->> 0 || iif(f.owners ->> 0 ->> 1, '*', '') AS derived_from \
             FROM temp.finding AS f JOIN sightings AS s \
               ON s.pair = ?1 AND s.kind = f.kind AND s.key = f.key AND s.table_name = f.table_name AND s.record_id = f.record_id \
             WHERE f.kind = ?2 AND (f.key, f.table_name, f.record_id) > (?3, ?4, ?5) \
             ORDER BY f.key, f.table_name, f.record_id LIMIT ?6",
        )
        .bind(self.pair)
        .bind(kind.name())
        .bind(&after.key)
        .bind(&after.table)
        .bind(&after.id)
        .bind(limit as i64)
        .fetch_all(&mut self.connection)
        .await?;
        rows.iter().map(|row| finding(kind, row)).collect()
    }
}

fn finding(kind: &Kind, row: &SqliteRow) -> Result<Finding> {
    let time = |column: &str| -> Result<Option<Time>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.and_then(DateTime::from_timestamp_micros))
    };
    let subject = match kind {
        Kind::OrphanedFile => Subject::File {
            size: row.try_get::<i64, _>("size")?.unsigned_abs(),
            last_modified: time("last_modified")?,
            etag: row.try_get("etag")?,
            derived_from: row.try_get("derived_from")?,
        },
        Kind::OrphanedRecord | Kind::Rule(_) => Subject::Record {
            table: row.try_get("table_name")?,
            id: row.try_get("record_id")?,
            created_at: time("created_at")?,
            file: match kind {
                Kind::Rule(_) => Some(CondemnedFile {
                    size: row.try_get::<Option<i64>, _>("size")?.map(i64::unsigned_abs),
                    shared: row.try_get("shared")?,
                }),
                _ => None,
            },
        },
    };
    Ok(Finding {
        key: row.try_get("key")?,
        kind: kind.clone(),
        subject,
        first_seen: row.try_get::<String, _>("first_seen")?.parse()?,
        held: row.try_get("held")?,
    })
}
