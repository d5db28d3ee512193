//! Findings as they are kept: when each was first and last seen, and when it was seen no more.

use std::borrow::Cow;

use anyhow::{Context, Result, ensure};
use chrono::DateTime;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use sqlx::Connection;

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
        // One value and not a row for each finding: rows come from SQLite's own thread one by one, and a column at a time.
        let sql = match kind {
            Kind::OrphanedFile => {
                "SELECT json_group_array(json_array(key, '', '', size, last_modified, etag, NULL, held, 0, first_seen, \
                                                    owners ->> 0 ->> 0 || iif(owners ->> 0 ->> 1, '*', ''))) FROM ( \
                     SELECT f.key, f.size, f.last_modified, f.etag, f.held, f.owners, s.first_seen \
                     FROM temp.finding AS f CROSS JOIN sightings AS s \
                       ON s.pair = ?1 AND s.kind = ?2 AND s.key = f.key AND s.table_name = '' AND s.record_id = '' \
                     WHERE f.kind = ?2 AND f.key > ?3 ORDER BY f.key LIMIT ?6)"
            }
            Kind::OrphanedRecord | Kind::Rule(_) => {
                "SELECT json_group_array(json_array(key, table_name, record_id, size, NULL, NULL, created_at, held, \
                                                    shared, first_seen, NULL)) FROM ( \
                     SELECT f.*, s.first_seen FROM temp.finding AS f CROSS JOIN sightings AS s \
                       ON s.pair = ?1 AND s.kind = f.kind AND s.key = f.key AND s.table_name = f.table_name \
                      AND s.record_id = f.record_id \
                     WHERE f.kind = ?2 AND (f.key, f.table_name, f.record_id) > (?3, ?4, ?5) \
                     ORDER BY f.key, f.table_name, f.record_id LIMIT ?6)"
            }
        };
        let page: String = sqlx::query_scalar(sql)
            .bind(self.pair)
            .bind(kind.name())
            .bind(&after.key)
            .bind(&after.table)
            .bind(&after.id)
            .bind(limit as i64)
            .fetch_one(&mut self.connection)
            .await?;
        let rows: Vec<Row> = serde_json::from_str(&page)?;
        let is_before = |a: &Row, b: &Row| (&a.key, &a.table, &a.id) <= (&b.key, &b.table, &b.id);
        ensure!(rows.is_sorted_by(is_before), "SQLite gave rows out of order");
        rows.into_iter().map(|row| row.finding(kind)).collect()
    }
}

/// A finding as it is stored: an array, in this order.
#[derive(Deserialize)]
struct Row {
    key: String,
    table: String,
    id: String,
    size: Option<i64>,
    last_modified: Option<i64>,
    etag: Option<String>,
    created_at: Option<i64>,
    held: Option<String>,
    shared: i64,
    #[serde(deserialize_with = "first_seen")]
    first_seen: Time,
    derived_from: Option<String>,
}

impl Row {
    fn finding(self, kind: &Kind) -> Result<Finding> {
        let time = |microseconds: Option<i64>| microseconds.and_then(DateTime::from_timestamp_micros);
        let size = self.size.map(i64::unsigned_abs);
        let subject = match kind {
            Kind::OrphanedFile => Subject::File {
                size: size.context("an orphaned file without a size")?,
                last_modified: time(self.last_modified),
                etag: self.etag,
                derived_from: self.derived_from,
            },
            Kind::OrphanedRecord | Kind::Rule(_) => Subject::Record {
                table: self.table,
                id: self.id,
                created_at: time(self.created_at),
                file: match kind {
                    Kind::Rule(_) => Some(CondemnedFile { size, shared: self.shared != 0 }),
                    _ => None,
                },
            },
        };
        Ok(Finding { key: self.key, kind: kind.clone(), subject, first_seen: self.first_seen, held: self.held })
    }
}

fn first_seen<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
    <Cow<'de, str>>::deserialize(from)?.parse().map_err(D::Error::custom)
}
