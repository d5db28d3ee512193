//! Questions about whole tables: which rows name nothing, how many there are, how new they are, and what of them cannot be
//! judged.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::TimeDelta;

use crate::database::dialect::link::{Cells, Parameter};
use crate::database::rows::{Ownerless, Rows};
use crate::database::session::{Session, record};
use crate::database::source::Source;
use crate::domain::{Record, Time, row_id};

/// Rows of a type that a rule names no table for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    pub table: String,
    pub rule: Arc<str>,
    pub type_column: String,
    pub type_name: String,
    pub rows: u64,
}

impl Session<'_> {
    /// Gives the rows that name no object and that a rule may condemn to `sink`.
    pub async fn keyless(&mut self, sink: &mut impl AsyncFnMut(Record) -> Result<()>) -> Result<()> {
        for source in &self.database.sources {
            let Some(rows) = &source.rows else { continue };
            let Some(sql) = rows.keyless_sql() else { continue };
            let mut note = async |mut row: Cells| {
                row.remove(0);
                sink(record(source, rows, "", row)).await
            };
            let connection = self.connections.at(source.at).await?;
            connection.begin().await?;
            let fetched = connection.fetch_each(&sql, &[], &mut note).await;
            fetched.with_context(|| format!("reading rows of {} without a key", source.name))?;
            connection.end().await?;
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
                let connection = self.connections.at(source.at).await?;
                connection.begin().await?;
                let sql = rows.keyless_count_sql();
                let count = connection.text(&sql, &[]).await?;
                connection.end().await?;
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
            let connection = self.connections.at(source.at).await?;
            connection.begin().await?;
            let count = connection.text(&sql, &[]).await.context("counting rows")?;
            connection.end().await?;
            counts.push((first.section, count.and_then(|count| count.parse().ok()).unwrap_or(0)));
        }
        Ok(counts)
    }

    /// Rows that a rule keeps because it does not know where to look for their owner.
    pub async fn strangers(&mut self) -> Result<Vec<Stranger>> {
        let mut strangers = Vec::new();
        for source in &self.database.sources {
            for asked in source.rows.iter().flat_map(|rows| &rows.strangers) {
                let connection = self.connections.at(source.at).await?;
                connection.begin().await?;
                let found = connection.fetch(&asked.sql, &[]).await;
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
                connection.end().await?;
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
                let connection = self.connections.at(source.at).await?;
                connection.begin().await?;
                let owners = connection.fetch(&ownerless.any_owner_sql, &[]).await;
                let has_owners = owners
                    .with_context(|| format!("looking for a row of {}", ownerless.owners))
                    .map(|rows| !rows.is_empty())?;
                connection.end().await?;
                if has_owners {
                    continue;
                }
                let mut note =
                    async |row: Cells| sink((&source.name, rows.section), ownerless, row_id::joined(row)).await;
                let connection = self.connections.at(source.at).await?;
                connection.begin().await?;
                let fetched = connection.fetch_each(&ownerless.handles_sql, &[], &mut note).await;
                fetched.with_context(|| format!("reading rows of {}", source.name))?;
                connection.end().await?;
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
        let connection = self.connections.at(source.at).await?;
        connection.begin().await?;
        let read = connection.fetch_each(&rows.bytes_sql(), &[], &mut note).await;
        read.with_context(|| format!("reading rows of {}", source.name))?;
        connection.end().await?;
        Ok(found)
    }

    /// Whether the table of the source at this place has any row, whatever its key column holds. Of a query only its keys
    /// are known.
    pub async fn has_row(&mut self, place: usize) -> Result<bool> {
        let source = self.database.sources.get(place);
        let Some((source, sql)) = source.and_then(|source| Some((source, source.any_row_sql.as_ref()?))) else {
            return Ok(false);
        };
        let connection = self.connections.at(source.at).await?;
        connection.begin().await?;
        let rows = connection.fetch(sql, &[]).await.with_context(|| format!("looking for a row of {}", source.name))?;
        connection.end().await?;
        Ok(!rows.is_empty())
    }

    /// Whether the dates of a table's rows, one of which is this one, say when they were made: where all rows have the same,
    /// it is the one that a column was given when it was added, or a default.
    async fn is_clock(&mut self, source: &Source, date: &str) -> Result<bool> {
        let Some(sql) = source.rows.as_ref().and_then(Rows::dates_sql) else { return Ok(false) };
        let connection = self.connections.at(source.at).await?;
        connection.begin().await?;
        let other = sql;
        let asking = || format!("asking for the dates of {}", source.name);
        let other = connection.fetch(&other, &[Parameter::Text(date)]).await.with_context(asking)?;
        connection.end().await?;
        Ok(!other.is_empty())
    }

    /// The table whose rows go furthest, and when its newest row was made; the first row that is not older than `enough` will
    /// do. What cannot be read, and what is still to come, says nothing; nor does the one date of all rows of a table where
    /// it lies before that of the oldest object that the database knows.
    pub async fn newest_row(&mut self, enough: Time, oldest_object: Option<Time>) -> Result<Option<(String, Time)>> {
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
            let connection = self.connections.at(source.at).await?;
            connection.begin().await?;
            let rows = connection.fetch(&sql, &[]).await;
            let rows = rows.with_context(|| format!("asking for the newest rows of {}", source.name))?;
            connection.end().await?;
            let created = source.rows.as_ref().and_then(|rows| rows.created.as_ref());
            let made = rows.into_iter().flatten().flatten().filter_map(|text| Some((created?.read(&text)?, text)));
            let Some((made, text)) = made.filter(|(made, _)| *made <= latest).max() else { continue };
            let is_newer = newest.as_ref().is_none_or(|(_, before)| *before < made);
            if is_newer && (oldest_object.is_none_or(|oldest| made >= oldest) || self.is_clock(source, &text).await?) {
                newest = Some((source.name.clone(), made));
            }
            if made >= enough {
                break;
            }
        }
        Ok(newest)
    }
}
