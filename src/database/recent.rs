//! The newest rows of a table, and what such rows hold later: by these it shows whether the database went back (I21).

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use chrono::TimeDelta;
use md5::{Digest, Md5};

use super::checked::Database;
use super::dialect::link::{Cells, Parameter};
use super::rows::Rows;
use super::session::Session;
use super::source::Source;
use super::writer::images;
use crate::domain::{Time, row_id};
use crate::forward::{self, KnownRow, MOST_ROWS, Memory, Place};

/// Rows that one statement asks for.
const BATCH: usize = 50;

/// The newest rows of a table.
#[derive(Debug, Default)]
pub struct Recent {
    /// When the newest of them was made.
    pub newest: Option<Time>,
    pub rows: Vec<KnownRow>,
    /// By what their places are known.
    pub placed_by: String,
}

impl Database {
    /// What the source at this place is, as a hash: where the configuration says the same of what its rows are and where their
    /// keys lie, it is the same one, whatever else is said of it.
    pub fn fingerprint(&self, place: usize) -> String {
        let what = |source: &Source| {
            let Source { at, name, stream, file, any_row_sql, .. } = source;
            match (&source.rows, any_row_sql, file) {
                (Some(rows), ..) => {
                    let ids: Vec<&str> = rows.ids.iter().map(|id| id.name.as_str()).collect();
                    format!("rows\0{at}\0{name}\0{ids:?}\0{}\0{:?}", rows.key.name, rows.key.expression)
                }
                (None, Some(_), _) => format!("reference\0{at}\0{name}"),
                (None, None, Some(file)) => format!("file\0{file:?}"),
                // Of a query only its text is known.
                (None, None, None) => format!("query\0{at}\0{}", stream.sql),
            }
        };
        let Some(source) = self.sources.get(place) else { return String::new() };
        let source = what(source);
        // Several may be of the same column.
        let same = self.sources[..place].iter().filter(|other| what(other) == source).count();
        hash(&format!("{source}\0{same}"))
    }
}

impl Session<'_> {
    /// The newest rows of one of the `[[records]]` that name an object. A date that is still to come counts for none; dates are
    /// looked for only where the greatest ids do not show what is new since `before`.
    pub async fn recent(&mut self, section: usize, before: Option<&Memory>) -> Result<Recent> {
        let latest = self.now().await?.checked_add_signed(TimeDelta::days(1)).unwrap_or(Time::MAX_UTC);
        let (source, rows) = self.database.section(section)?;
        let (mut newest, mut found) = (None, BTreeMap::new());
        let mut recent = Vec::new();
        for sql in rows.recent_sql() {
            for row in self.read_rows(source, &sql, &[]).await? {
                let (made, mut row) = known_row(source, rows, row)?;
                match made {
                    // It says nothing of when the row was made.
                    Some(made) if made > latest => row.place.made = None,
                    made => newest = newest.max(made),
                }
                found.insert((row.place, row.handle.clone()), row);
            }
            recent = found.values().rev().take(MOST_ROWS).cloned().collect();
            if forward::shows_enough(before, &recent, newest) {
                break;
            }
        }
        Ok(Recent { newest, rows: recent, placed_by: rows.placed_by() })
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

/// A row that was read, and when it was made.
fn known_row(source: &Source, rows: &Rows, mut row: Cells) -> Result<(Option<Time>, KnownRow)> {
    anyhow::ensure!(row.len() > 3, "a row of {} came without its id", source.name);
    let (value, made, id) = (row.remove(0).unwrap_or_default(), row.remove(0), row.remove(0));
    let made = rows.created.as_ref().zip(made).and_then(|(created, made)| created.read(&made));
    let number = id.filter(|_| rows.has_growing_ids()).and_then(|id| id.parse().ok());
    let place = Place { made: made.map(|made| made.timestamp_micros()), number };
    Ok((made, KnownRow { handle: row_id::joined(row), key: hash(&value), place }))
}

/// Keys and statements are remembered as hashes alone: they are compared, and never read.
fn hash(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
