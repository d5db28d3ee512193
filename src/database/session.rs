//! Questions about single keys: who names them now, and what the rows hold that do. What protects a file is asked here, so
//! each answer is the database's own, byte for byte.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::TimeDelta;

use super::checked::Database;
use super::connection::Connection;
use super::dialect::link::Cells;
use super::dialect::link::Parameter;
use super::rows::{Ownerless, Rows};
use super::source::Source;
use crate::domain::{Record, Time, row_id};

/// Keys that one statement asks for, at most; and their bytes.
const BATCH_KEYS: usize = 4_000;
const BATCH_BYTES: usize = 4 << 20;

/// A connection for questions about single keys. It lives no longer than the questions: an idle one is cut off by
/// servers and networks.
pub struct Session<'a> {
    database: &'a Database,
    /// One to each of the databases, once it was asked.
    connections: Vec<Option<Connection>>,
}

impl Database {
    /// Connects for questions about single keys.
    pub async fn session(&self) -> Result<Session<'_>> {
        let mut session = Session::new(self, Vec::new());
        session.on(0).await?;
        Ok(session)
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(database: &'a Database, connections: Vec<Option<Connection>>) -> Self {
        Session { database, connections }
    }

    /// The connection to one of the databases.
    async fn on(&mut self, at: usize) -> Result<&mut Connection> {
        if self.connections.len() <= at {
            self.connections.resize_with(at + 1, || None);
        }
        let login = self.database.logins.get(at).context("a database that is not configured")?;
        match &mut self.connections[at] {
            Some(connection) => Ok(connection),
            empty => Ok(empty.insert(Connection::open(login).await.context("connecting")?)),
        }
    }

    /// Which of `keys` any source names now. `keys` may be many: what cannot be asked by key is streamed once a call.
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
                if !lookup.may_be_empty() {
                    // Rights are checked when a statement is prepared.
                    return self
                        .on(source.at)
                        .await?
                        .columns(&lookup.of(1))
                        .await
                        .map(drop)
                        .map_err(anyhow::Error::from);
                }
                self.on(source.at).await?.begin().await?;
                self.on(source.at).await?.fetch(&lookup.of(0), &[Parameter::Keys(&[])]).await?;
                self.on(source.at).await?.end().await
            };
            tried.await.with_context(|| format!("looking rows of {} up", source.name))?;
        }
        Ok(())
    }

    async fn look_up(&mut self, sources: &[Arc<Source>], keys: &[&str]) -> Result<HashSet<String>> {
        let mut wanted = HashSet::new();
        for source in sources {
            for batch in batches(keys) {
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

    /// Gives the rows that name no object and that a rule may condemn to `sink`.
    pub async fn keyless(&mut self, sink: &mut impl AsyncFnMut(Record) -> Result<()>) -> Result<()> {
        for source in &self.database.sources {
            let Some(rows) = &source.rows else { continue };
            let Some(sql) = rows.keyless_sql() else { continue };
            let mut note = async |mut row: Cells| {
                row.remove(0);
                sink(record(source, rows, "", row)).await
            };
            self.on(source.at).await?.begin().await?;
            let fetched = self.on(source.at).await?.fetch_each(&sql, &[], &mut note).await;
            fetched.with_context(|| format!("reading rows of {} without a key", source.name))?;
            self.on(source.at).await?.end().await?;
        }
        Ok(())
    }

    /// How many rows of each table with rules, or with an expression for a key, name no object, by the table's place among
    /// the `[[records]]`.
    pub async fn keyless_counts(&mut self) -> Result<Vec<(usize, u64)>> {
        let mut counts = Vec::new();
        for source in &self.database.sources {
            let Some(rows) = &source.rows else { continue };
            if !rows.rules.is_empty() || rows.key.expression.is_some() {
                self.on(source.at).await?.begin().await?;
                let sql = rows.keyless_count_sql();
                let count = self.on(source.at).await?.text(&sql, &[]).await?;
                self.on(source.at).await?.end().await?;
                counts.push((rows.section, count.and_then(|count| count.parse().ok()).unwrap_or(0)));
            }
        }
        Ok(counts)
    }

    /// How many rows of each table that several of the `[[records]]` are of name an object by any of them, by the place of the
    /// first.
    pub async fn rows_of_several(&mut self) -> Result<Vec<(usize, u64)>> {
        let mut counts = Vec::new();
        for source in &self.database.sources {
            let Some(first) = &source.rows else { continue };
            let of_table = self.database.sources.iter().filter(|other| other.name == source.name);
            let rows: Vec<&Rows> = of_table.filter_map(|other| other.rows.as_ref()).collect();
            if rows.len() < 2 || rows.iter().any(|rows| rows.section < first.section) {
                continue;
            }
            let named = rows.iter().map(|rows| rows.names_an_object());
            let sql = first.count_sql(&named.collect::<Vec<_>>().join(" OR "));
            self.on(source.at).await?.begin().await?;
            let count = self.on(source.at).await?.text(&sql, &[]).await.context("counting rows")?;
            self.on(source.at).await?.end().await?;
            counts.push((first.section, count.and_then(|count| count.parse().ok()).unwrap_or(0)));
        }
        Ok(counts)
    }

    /// Rows that a rule keeps because it does not know where to look for their owner.
    pub async fn strangers(&mut self) -> Result<Vec<Stranger>> {
        let mut strangers = Vec::new();
        for source in &self.database.sources {
            for asked in source.rows.iter().flat_map(|rows| &rows.strangers) {
                self.on(source.at).await?.begin().await?;
                let found = self.on(source.at).await?.fetch(&asked.sql, &[]).await;
                for mut row in found.with_context(|| format!("counting rows of {}", source.name))? {
                    let count = row.pop().flatten().unwrap_or_default();
                    strangers.push(Stranger {
                        table: source.name.clone(),
                        rule: asked.rule.clone(),
                        type_column: asked.type_column.clone(),
                        type_name: row.pop().flatten().unwrap_or_default(),
                        rows: count.parse().unwrap_or(0),
                    });
                }
                self.on(source.at).await?.end().await?;
            }
        }
        Ok(strangers)
    }

    /// Gives the rows that rules condemn for owners whose table has no row to `sink`: their table and its place among the
    /// `[[records]]`, why, and the row's [handle](Record::handle).
    pub async fn ownerless(
        &mut self,
        sink: &mut impl AsyncFnMut((&str, usize), &Ownerless, String) -> Result<()>,
    ) -> Result<()> {
        for source in &self.database.sources {
            let Some(rows) = &source.rows else { continue };
            for ownerless in &rows.ownerless {
                self.on(source.at).await?.begin().await?;
                let owners = self.on(source.at).await?.fetch(&ownerless.any_owner_sql, &[]).await;
                let has_owners = owners
                    .with_context(|| format!("looking for a row of {}", ownerless.owners))
                    .map(|rows| !rows.is_empty())?;
                self.on(source.at).await?.end().await?;
                if has_owners {
                    continue;
                }
                let mut note =
                    async |row: Cells| sink((&source.name, rows.section), ownerless, row_id::joined(row)).await;
                self.on(source.at).await?.begin().await?;
                let fetched = self.on(source.at).await?.fetch_each(&ownerless.handles_sql, &[], &mut note).await;
                fetched.with_context(|| format!("reading rows of {}", source.name))?;
                self.on(source.at).await?.end().await?;
            }
        }
        Ok(())
    }

    /// A row of the source at this place whose value is not UTF-8: its id, and the value as people can read it. `None`: its rows
    /// own nothing.
    pub async fn undecoded_row(&mut self, place: usize) -> Result<Option<(String, String)>> {
        let source = self.database.sources.get(place);
        let Some((source, rows)) = source.and_then(|source| Some((source, source.rows.as_ref()?))) else {
            return Ok(None);
        };
        let mut found = None;
        let mut note = async |mut row: Cells| {
            let hex = row.pop().flatten().unwrap_or_default();
            let digits = hex.as_bytes().chunks(2).filter_map(|digits| std::str::from_utf8(digits).ok());
            let bytes: Vec<u8> = digits.filter_map(|digits| u8::from_str_radix(digits, 16).ok()).collect();
            if found.is_none() && std::str::from_utf8(&bytes).is_err() {
                found = Some((row_id::joined(row), bytes.escape_ascii().to_string()));
            }
            Ok(())
        };
        self.on(source.at).await?.begin().await?;
        let read = self.on(source.at).await?.fetch_each(&rows.bytes_sql(), &[], &mut note).await;
        read.with_context(|| format!("reading rows of {}", source.name))?;
        self.on(source.at).await?.end().await?;
        Ok(found)
    }

    /// Whether the table of the source at this place has any row, whatever its key column holds. Of a query only its keys
    /// are known.
    pub async fn has_row(&mut self, place: usize) -> Result<bool> {
        let source = self.database.sources.get(place);
        let Some((source, sql)) = source.and_then(|source| Some((source, source.any_row_sql.as_ref()?))) else {
            return Ok(false);
        };
        self.on(source.at).await?.begin().await?;
        let rows = self
            .on(source.at)
            .await?
            .fetch(sql, &[])
            .await
            .with_context(|| format!("looking for a row of {}", source.name))?;
        self.on(source.at).await?.end().await?;
        Ok(!rows.is_empty())
    }

    /// The table whose rows go furthest, and when its newest row was made; the first row that is not older than `enough` will
    /// do. What cannot be read, and what is still to come, says nothing.
    pub async fn newest_row(&mut self, enough: Time) -> Result<Option<(String, Time)>> {
        let latest = self.now().await?.checked_add_signed(TimeDelta::days(1)).unwrap_or(Time::MAX_UTC);
        let mut newest: Option<(String, Time)> = None;
        let statements =
            self.database.sources.iter().filter_map(|source| Some((source, source.rows.as_ref()?.newest_sql())));
        // What costs little is asked of every table first.
        let mut statements: Vec<_> = statements
            .flat_map(|(source, sql)| sql.into_iter().enumerate().map(move |(at, sql)| (at, source, sql)))
            .collect();
        statements.sort_by_key(|(at, _, _)| *at);
        for (_, source, sql) in statements {
            self.on(source.at).await?.begin().await?;
            let rows = self.on(source.at).await?.fetch(&sql, &[]).await;
            let rows = rows.with_context(|| format!("asking for the newest rows of {}", source.name))?;
            self.on(source.at).await?.end().await?;
            let created = source.rows.as_ref().and_then(|rows| rows.created.as_ref());
            let made = rows.into_iter().flatten().flatten().filter_map(|text| created?.read(&text));
            let Some(made) = made.filter(|made| *made <= latest).max() else { continue };
            if newest.as_ref().is_none_or(|(_, before)| *before < made) {
                newest = Some((source.name.clone(), made));
            }
            if made >= enough {
                break;
            }
        }
        Ok(newest)
    }

    /// The database's own time.
    pub async fn now(&mut self) -> Result<Time> {
        // A row is no older than any of them says.
        let mut earliest = self.on(0).await?.now().await?;
        for at in 1..self.database.logins.len() {
            earliest = earliest.min(self.on(at).await?.now().await?);
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
        let sql = rows.key_column().scan(&rows.details());
        let mut named = async |mut row: Cells| {
            let value = if row.is_empty() { None } else { row.remove(0) };
            let (key, _) = source.key_of(&value.unwrap_or_default());
            if keys.contains(key.as_str()) { sink(&key, row).await } else { Ok(()) }
        };
        self.on(source.at).await?.begin().await?;
        let scanned = self.on(source.at).await?.fetch_each(&sql, &[], &mut named).await;
        scanned.with_context(|| format!("reading rows of {}", source.name))?;
        self.on(source.at).await?.end().await
    }

    /// The rows of a source whose key is in `batch`, byte for byte: the key, and the other columns.
    async fn rows_of(
        &mut self,
        source: &Source,
        batch: &[&str],
        sink: &mut impl AsyncFnMut(&str, Cells) -> Result<()>,
    ) -> Result<()> {
        let dialect = source.login.driver;
        let values: HashMap<&str, &str> = batch
            .iter()
            .filter_map(|key| Some((key.strip_prefix(source.key_prefix.as_str())?, *key)))
            .filter(|(value, _)| !value.is_empty() && dialect.can_hold(value))
            .collect();
        let list: Vec<&str> = values.keys().copied().collect();
        let Some(lookup) = source.lookup.as_ref().filter(|_| !list.is_empty()) else { return Ok(()) };
        let sql = lookup.of(list.len());
        self.on(source.at).await?.begin().await?;
        let mut exact = async |mut row: Cells| {
            let value = if row.is_empty() { None } else { row.remove(0) };
            // A collation may have taken `Case.PNG` for `case.png`: only bytes count.
            match value.and_then(|value| values.get(value.as_str())) {
                Some(key) => sink(key, row).await,
                None => Ok(()),
            }
        };
        let looked_up = self.on(source.at).await?.fetch_each(&sql, &[Parameter::Keys(&list)], &mut exact).await;
        looked_up.with_context(|| format!("looking rows of {} up", source.name))?;
        self.on(source.at).await?.end().await
    }
}

/// Rows of a type that a rule names no table for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    pub table: String,
    pub rule: Arc<str>,
    pub type_column: String,
    pub type_name: String,
    pub rows: u64,
}

/// A row, from its [details](Rows::details).
fn record(source: &Source, rows: &Rows, key: &str, details: Cells) -> Record {
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
