//! Questions about single keys: who names them now, and what the rows hold that do. What protects a file is asked here, so
//! each answer is the database's own, byte for byte.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::checked::Database;
use super::connections::Connections;
use super::dialect::link::Access;
use super::dialect::link::Cells;
use super::dialect::link::Parameter;
use super::rows::Rows;
use super::source::Source;
use crate::domain::{Record, Time, derived, row_id};

/// Keys that one statement asks for, at most; and their bytes.
const BATCH_KEYS: usize = 4_000;
const BATCH_BYTES: usize = 4 << 20;

/// A connection for questions about single keys. It lives no longer than the questions: an idle one is cut off by
/// servers and networks.
pub struct Session<'a> {
    pub(super) database: &'a Database,
    pub(super) connections: Connections,
}

impl Database {
    /// Connects for questions about single keys.
    pub async fn session(&self) -> Result<Session<'_>> {
        let mut connections = Connections::new(&self.logins, Access::Read);
        connections.at(0).await?;
        Ok(Session::new(self, connections))
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(database: &'a Database, connections: Connections) -> Self {
        Session { database, connections }
    }

    /// Which of `keys` any source names now, or owns as a part of a folder. `keys` may be many: what cannot be asked by key is streamed once a call.
    pub async fn wanted(&mut self, keys: &[&str]) -> Result<HashSet<String>> {
        let mut wanted = self.wanted_by_key(keys).await?;
        wanted.extend(self.database.wanted_by_stream(keys).await?);
        Ok(wanted)
    }

    /// The same, of those sources that can be asked by key.
    pub async fn wanted_by_key(&mut self, keys: &[&str]) -> Result<HashSet<String>> {
        let asked: Vec<_> = self.database.sources.iter().filter(|source| source.can_be_asked()).cloned().collect();
        self.look_up(&asked, keys).await
    }

    /// Makes sure that rows can be looked up: rights to a column that only the second look reads are better missed now than
    /// after the scan.
    pub(super) async fn try_look_up(&mut self) -> Result<()> {
        for source in &self.database.sources {
            // To look for a key takes as long as for a thousand, where no index serves the column: none is looked for.
            let Some(lookup) = &source.lookup else { continue };
            let tried = async {
                let connection = self.connections.at(source.at).await?;
                if !lookup.may_be_empty() {
                    // Rights are checked when a statement is prepared.
                    return connection.columns(&lookup.of(1)).await.map(drop).map_err(anyhow::Error::from);
                }
                connection.begin().await?;
                connection.fetch(&lookup.of(0), &[Parameter::Keys(&[])]).await?;
                connection.end().await
            };
            tried.await.with_context(|| format!("looking rows of {} up", source.name))?;
        }
        Ok(())
    }

    async fn look_up(&mut self, sources: &[Arc<Source>], keys: &[&str]) -> Result<HashSet<String>> {
        let mut wanted = HashSet::new();
        for source in sources {
            for batch in batches(keys) {
                if source.owns_folders {
                    wanted.extend(self.in_folders(source, batch).await?);
                    continue;
                }
                let mut note = async |key: &str, _| {
                    if !wanted.contains(key) {
                        wanted.insert(key.to_owned());
                    }
                    Ok(())
                };
                self.rows_of(source, batch, &mut note).await?;
            }
        }
        Ok(wanted)
    }

    /// Which of `keys` lie in a folder that the source owns, or have the folder's own name.
    async fn in_folders(&mut self, source: &Source, keys: &[&str]) -> Result<HashSet<String>> {
        let mut inside: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for key in keys {
            derived::folders_of(key)
                .iter()
                .for_each(|folder| inside.entry(folder.text().to_owned()).or_default().push(key));
            if key.ends_with('/') {
                inside.entry((*key).to_owned()).or_default().push(key);
            }
        }
        let folders: Vec<&str> = inside.keys().map(String::as_str).collect();
        let mut wanted = HashSet::new();
        let mut note = async |folder: &str, _| {
            wanted.extend(inside.get(folder).into_iter().flatten().map(|key| (*key).to_owned()));
            Ok(())
        };
        for batch in batches(&folders) {
            self.rows_of(source, batch, &mut note).await?;
        }
        Ok(wanted)
    }

    /// Gives the rows that own any of `keys` now to `sink`, one by one: a key may have any number of them.
    pub async fn records(&mut self, keys: &[&str], sink: &mut impl AsyncFnMut(Record) -> Result<()>) -> Result<()> {
        for source in &self.database.sources {
            let Some(rows) = &source.rows else { continue };
            let mut note = async |key: &str, details: Cells| sink(record(source, rows, key, details)).await;
            // No index serves an expression: one reading is better than many.
            if source.lookup.is_none() || rows.key.expression.is_some() && keys.len() > BATCH_KEYS {
                self.scan_rows(source, rows, keys, &mut note).await?;
                continue;
            }
            for batch in batches(keys) {
                self.rows_of(source, batch, &mut note).await?;
            }
        }
        Ok(())
    }

    /// Which of `keys` a reference names now.
    pub async fn referenced(&mut self, keys: &[&str]) -> Result<HashSet<String>> {
        let references = self.database.sources.iter().filter(|source| !source.owns).cloned();
        let (asked, streamed): (Vec<_>, Vec<_>) = references.partition(|source| source.can_be_asked());
        let mut referenced = self.look_up(&asked, keys).await?;
        referenced.extend(self.database.streamed(&streamed, keys).await?);
        Ok(referenced)
    }

    /// The database's own time.
    pub async fn now(&mut self) -> Result<Time> {
        // A row is no older than any of them says.
        let mut earliest = self.connections.at(0).await?.now().await?;
        for at in 1..self.connections.len() {
            earliest = earliest.min(self.connections.at(at).await?.now().await?);
        }
        Ok(earliest)
    }

    /// The rows of a source that cannot be looked up: all are read, and those whose key is in `keys` are given.
    async fn scan_rows(
        &mut self,
        source: &Source,
        rows: &Rows,
        keys: &[&str],
        sink: &mut impl AsyncFnMut(&str, Cells) -> Result<()>,
    ) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let keys: HashSet<&str> = keys.iter().copied().collect();
        let sql = rows.key_column().scan(&rows.details()).sql;
        let mut named = async |mut row: Cells| {
            let value = if row.is_empty() { None } else { row.remove(0) };
            let (key, _) = source.key_of(&value.unwrap_or_default());
            if keys.contains(key.as_str()) { sink(&key, row).await } else { Ok(()) }
        };
        let connection = self.connections.at(source.at).await?;
        connection.begin().await?;
        let scanned = connection.fetch_each(&sql, &[], &mut named).await;
        scanned.with_context(|| format!("reading rows of {}", source.name))?;
        connection.end().await
    }

    /// The rows of a source whose key is in `batch`, byte for byte: the key, and the other columns.
    async fn rows_of(
        &mut self,
        source: &Source,
        batch: &[&str],
        sink: &mut impl AsyncFnMut(&str, Cells) -> Result<()>,
    ) -> Result<()> {
        let dialect = source.login.driver;
        let values = batch.iter().flat_map(|key| source.values_of(key).map(move |value| (value, *key)));
        let values: HashMap<&str, &str> = values.filter(|(value, _)| dialect.can_hold(value)).collect();
        let list: Vec<&str> = values.keys().copied().collect();
        let Some(lookup) = source.lookup.as_ref().filter(|_| !list.is_empty()) else { return Ok(()) };
        let sql = lookup.of(list.len());
        let connection = self.connections.at(source.at).await?;
        connection.begin().await?;
        let mut exact = async |mut row: Cells| {
            let value = if row.is_empty() { None } else { row.remove(0) };
            // A collation may have taken `Case.PNG` for `case.png`: only bytes count.
            match value.and_then(|value| values.get(value.as_str())) {
                Some(key) => sink(key, row).await,
                None => Ok(()),
            }
        };
        let looked_up = connection.fetch_each(&sql, &[Parameter::Keys(&list)], &mut exact).await;
        looked_up.with_context(|| format!("looking rows of {} up", source.name))?;
        connection.end().await
    }
}

/// A row, from its [details](Rows::details).
pub(super) fn record(source: &Source, rows: &Rows, key: &str, details: Cells) -> Record {
    let mut details = details.into_iter();
    let mut next = || details.next().flatten();
    let id = row_id::joined(rows.ids.iter().map(|_| next()).collect());
    let (created, updated) = (next(), next());
    let handle = row_id::joined(rows.ids.iter().map(|_| next()).collect());
    let (created, says_change) = rows.age(created.as_deref(), updated.as_deref());
    let marks = (0..rows.rules.len()).map(|rule| rows.mark(rule, next().as_deref())).collect();
    Record {
        table: source.name.clone(),
        section: rows.section,
        id,
        handle,
        key: key.to_owned(),
        created,
        says_change,
        marks,
    }
}

/// Cuts `keys` into what one statement may carry.
fn batches<'k, 'a>(keys: &'k [&'a str]) -> impl Iterator<Item = &'k [&'a str]> {
    let mut rest = keys;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest
            .iter()
            .take(BATCH_KEYS)
            .take_while(|key| {
                bytes += key.len();
                bytes <= BATCH_BYTES
            })
            .count();
        let (batch, after) = rest.split_at_checked(fitting.max(1))?;
        rest = after;
        Some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_cut_by_count_and_by_bytes_and_lose_nothing() {
        let long = "x".repeat(BATCH_BYTES - 1);
        let keys = ["a", &long, "b", &long, &long];
        assert_eq!(batches(&keys).map(<[&str]>::len).collect::<Vec<_>>(), [2, 2, 1]);
        let many = vec!["a"; BATCH_KEYS + 1];
        assert_eq!(batches(&many).map(<[&str]>::len).collect::<Vec<_>>(), [BATCH_KEYS, 1]);
        let too_long = "x".repeat(BATCH_BYTES + 1);
        assert_eq!(batches(&[too_long.as_str(), "a"]).count(), 2);
    }
}
