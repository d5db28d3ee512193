//! Values that hold more than a key (I3): their parts, and what is asked of what a run has found about them.

use std::collections::HashSet;

use anyhow::Result;
use serde_json::json;

use super::staging::{MISSING, MISSING_REFERENCE, PART, Staged, YOUNG};
use super::{Ledger, Uncarried};
use crate::compare::Packed;
use crate::domain::Kind;
use crate::domain::packed::Packing;

pub const SCHEMA: &str = "
    -- Parts of values that are too long to be kept, by the place of their source.
    CREATE TEMP TABLE long_part (
        source INTEGER NOT NULL,
        text TEXT NOT NULL,
        packing INTEGER NOT NULL,
        PRIMARY KEY (source, text)
    ) WITHOUT ROWID;";

/// A part of a value that was too long to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongPart {
    /// The place of its source.
    pub source: usize,
    pub text: String,
    pub packing: Packing,
}

impl Staged {
    pub(super) fn packed(values: &[Packed]) -> Result<Self> {
        let sql = "INSERT OR IGNORE INTO temp.long_part SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)";
        let parts = values.iter().flat_map(|value| value.parts.iter().map(move |part| (value, part)));
        Staged::rows(sql, parts.map(|(value, part)| json!([value.source, part, value.packing as u8])))
    }
}

impl Ledger {
    /// Parts of values that were too long to be kept, after one of them.
    pub async fn long_parts_after(&mut self, after: Option<&LongPart>, limit: usize) -> Result<Vec<LongPart>> {
        let sql = "SELECT source, text, packing FROM temp.long_part WHERE (source, text) > (?, ?) \
                   ORDER BY source, text LIMIT ?";
        let (source, text) = after.map_or((-1, ""), |after| (after.source as i64, &after.text));
        let query = sqlx::query_as(sql).bind(source).bind(text).bind(limit as i64);
        let rows: Vec<(i64, String, u8)> = query.fetch_all(&mut self.connection).await?;
        let parts = rows.into_iter().filter_map(|(source, text, packing)| {
            Some(LongPart { source: usize::try_from(source).ok()?, text, packing: Packing::numbered(packing)? })
        });
        Ok(parts.collect())
    }

    /// Values without an object that may hold more than a key, after one of them.
    pub async fn packed_after(&mut self, after: Option<&Uncarried>, limit: usize) -> Result<Vec<Uncarried>> {
        // What stands between parts, or may once it is decoded; here, and not where they are taken apart, since most values
        // are one key.
        let sql = "SELECT side, key, sources FROM temp.unmatched
             WHERE (side, key) > (?1, ?2) AND side NOT IN (?3, ?4)
                 AND (key GLOB '*[],;|\"''<({[]*' OR key GLOB '*%[0-9A-Fa-f][0-9A-Fa-f]*' OR instr(key, char(10)) OR instr(key, char(13)) OR instr(key, char(9)))
             ORDER BY side, key LIMIT ?5";
        let (side, key) = after.map(Uncarried::place).unwrap_or_default();
        let query = sqlx::query_as(sql).bind(side).bind(key).bind(YOUNG).bind(PART).bind(limit as i64);
        let rows: Vec<(String, String, i64)> = query.fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().map(Uncarried::from).collect())
    }

    /// Which of these are objects that nobody carries, or that rules seem to condemn.
    pub async fn unknown_objects(&mut self, keys: &[&str]) -> Result<HashSet<String>> {
        let sql = "SELECT value FROM json_each(?1) AS asked
             WHERE EXISTS (SELECT 1 FROM temp.finding WHERE kind = ?2 AND key = asked.value)
                 OR EXISTS (SELECT 1 FROM temp.condemned WHERE key = asked.value)
                 OR EXISTS (SELECT 1 FROM temp.unmatched WHERE side = ?3 AND key = asked.value)";
        let query = sqlx::query_scalar(sql).bind(serde_json::to_string(keys)?);
        let found: Vec<String> =
            query.bind(Kind::OrphanedFile.name()).bind(YOUNG).fetch_all(&mut self.connection).await?;
        Ok(found.into_iter().collect())
    }

    /// Which of these keys of the database are not missing.
    pub async fn carried(&mut self, keys: &[String]) -> Result<HashSet<String>> {
        let sql = "SELECT value FROM json_each(?1) AS asked WHERE NOT EXISTS (
                 SELECT 1 FROM temp.unmatched WHERE side IN (?2, ?3) AND key = asked.value)";
        let query = sqlx::query_scalar(sql).bind(serde_json::to_string(keys)?).bind(MISSING).bind(MISSING_REFERENCE);
        let found: Vec<String> = query.fetch_all(&mut self.connection).await?;
        Ok(found.into_iter().collect())
    }

    /// Adds parts of values to the values without an object.
    pub async fn add_parts(&mut self, keys: &[&str]) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO temp.unmatched (side, key) SELECT ?1, value FROM json_each(?2)";
        let query = sqlx::query(sql).bind(PART).bind(serde_json::to_string(keys)?);
        query.execute(&mut self.connection).await?;
        Ok(())
    }
}
