//! The newest rows of a table, and what such rows hold later: by these it shows whether the database went back (I21).

use std::collections::HashMap;

use anyhow::{Context, Result};
use md5::{Digest, Md5};

use super::checked::Database;
use super::dialect::link::{Cells, Parameter};
use super::session::Session;
use super::source::Source;
use super::writer::images;
use crate::domain::{Time, row_id};
use crate::forward::{KnownRow, MOST_ROWS};

/// Rows that one statement asks for.
const BATCH: usize = 50;

/// The newest rows of a table.
#[derive(Debug, Default)]
pub struct Recent {
    /// When the newest of them was made.
    pub newest: Option<Time>,
    pub rows: Vec<KnownRow>,
}

impl Database {
    /// What the source at this place is, as a hash: it changes where its configuration does.
    pub fn fingerprint(&self, place: usize) -> String {
        let Some(source) = self.sources.get(place) else { return String::new() };
        let Source { name, stream, key_prefix, url_base, file, .. } = source.as_ref();
        let stream_sql = &stream.sql;
        let rows = source.rows.as_ref().map(|rows| rows.recent_sql(MOST_ROWS));
        hash(&format!("{name}\0{stream_sql}\0{key_prefix}\0{url_base:?}\0{file:?}\0{rows:?}"))
    }
}

impl Session<'_> {
    /// The newest rows of one of the `[[records]]` that name an object.
    pub async fn recent(&mut self, section: usize) -> Result<Recent> {
        let (source, rows) = self.database.section(section)?;
        let found = self.read_rows(source, &rows.recent_sql(MOST_ROWS), &[]).await?;
        let mut recent = Recent::default();
        for mut row in found {
            anyhow::ensure!(row.len() > 3, "a row of {} came without its id", source.name);
            let (value, made, id) = (row.remove(0).unwrap_or_default(), row.remove(0), row.remove(0));
            let made = rows.created.as_ref().zip(made).and_then(|(created, made)| created.read(&made));
            let handle = row_id::joined(row);
            let place = match rows.has_growing_ids() {
                true => id.and_then(|id| id.parse().ok()),
                false => made.map(|made| made.timestamp_micros()),
            };
            recent.newest = recent.newest.max(made);
            recent.rows.push(KnownRow { handle, key: hash(&value), place });
        }
        Ok(recent)
    }

    /// A hash of the key of each of these rows that is there.
    pub async fn keys_of(&mut self, section: usize, handles: &[&str]) -> Result<HashMap<String, String>> {
        let (source, rows) = self.database.section(section)?;
        let mut keys = HashMap::new();
        for batch in handles.chunks(BATCH) {
            let mut values = Vec::new();
            for handle in batch {
                values.extend(rows.handle_values(handle)?);
            }
            let found = self.read_rows(source, &rows.values_sql(batch.len()), &images(&values)).await?;
            for mut row in found {
                anyhow::ensure!(row.len() > 1, "a row of {} came without its id", source.name);
                let value = row.remove(0).unwrap_or_default();
                keys.insert(row_id::joined(row), hash(&value));
            }
        }
        Ok(keys)
    }

    /// How many rows a table has in all, whatever they name.
    pub async fn count_all(&mut self, section: usize) -> Result<u64> {
        let (source, rows) = self.database.section(section)?;
        let found = self.read_rows(source, &rows.count_sql("1 = 1"), &[]).await?;
        let count = found.into_iter().flatten().flatten().next();
        count.and_then(|count| count.parse().ok()).with_context(|| format!("{} gave no count of its rows", source.name))
    }

    async fn read_rows(&mut self, source: &Source, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Cells>> {
        let connection = self.connections.at(source.at).await?;
        connection.begin().await?;
        let found = connection.fetch(sql, parameters).await;
        let found = found.with_context(|| format!("asking for the newest rows of {}", source.name))?;
        connection.end().await?;
        Ok(found)
    }
}

/// Keys and statements are remembered as hashes alone: they are compared, and never read.
fn hash(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
