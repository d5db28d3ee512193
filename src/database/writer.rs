//! Removes rows, one short transaction each. What a row is to be removed for was judged before: here
//! it is only made sure that it is still the row that was judged.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::config::Value;
use crate::database::checked::Database;
use crate::database::connection::Connection;
use crate::database::connections::Connections;
use crate::database::dialect::link::Access;
use crate::database::dialect::link::Cells;
use crate::database::dialect::link::Parameter;
use crate::database::rows::Rows;
use crate::database::source::Source;
use crate::domain::{Image, Seen, Time};
use crate::failpoint;

/// Attempts at a row that others lock, or that a deadlock has thrown out, the first included.
const ATTEMPTS: u32 = 3;

/// A connection that removes rows.
pub struct Writer<'a> {
    pub(super) database: &'a Database,
    connections: Connections,
}

/// A row that is to be removed.
#[derive(Debug, Clone, Copy)]
pub struct Aim<'a> {
    /// Which of the `[[records]]` it is of.
    pub section: usize,
    pub handle: &'a str,
    /// The storage key; empty for a row that names no object.
    pub key: &'a str,
    /// The rule that condemns it, by its place; `None`: it has lost its object.
    pub rule: Option<usize>,
}

/// What is done with it.
#[derive(Debug, Clone, Copy)]
pub enum How<'a> {
    Delete,
    /// It stays, with these columns set. `lets_go`: its file is to go, and so it must not own it any more.
    Set {
        columns: &'a BTreeMap<String, Value>,
        lets_go: bool,
    },
}

/// What became of it.
#[derive(Debug)]
pub enum Outcome {
    Deleted,
    /// The row as it is now.
    Updated(Image),
    /// It is not what it was.
    Changed,
    /// There is nothing to do, and why.
    Kept(String),
    /// Nothing was changed, and why.
    Failed(String),
    /// The answer to the commit was lost: it must be looked up.
    Unknown(String),
}

impl Database {
    /// Connects to remove rows.
    pub async fn writer(&self) -> Result<Writer<'_>> {
        let mut connections = Connections::new(&self.logins, Access::Write);
        connections.at(0).await?;
        Ok(Writer { database: self, connections })
    }
}

impl Writer<'_> {
    /// The connection to the database of one of the `[[records]]`.
    pub(super) async fn of(&mut self, section: usize) -> Result<&mut Connection> {
        let at = self.database.section(section)?.0.at;
        self.connections.at(at).await
    }

    /// The own time of the database of one of the `[[records]]`.
    pub async fn now(&mut self, section: usize) -> Result<Time> {
        self.of(section).await?.now().await
    }

    /// The row as it is now; `None`: it is gone.
    pub async fn see(&mut self, section: usize, handle: &str) -> Result<Option<Seen>> {
        self.of(section).await?.begin_writing().await?;
        let seen = self.read(section, handle, false).await;
        self.of(section).await?.roll_back().await?;
        seen
    }

    /// The same once whoever changes it has ended, be it a commit of ours whose answer was lost; and whether it holds what
    /// these columns were to be set to.
    pub async fn look_up(
        &mut self,
        section: usize,
        handle: &str,
        set: Option<&BTreeMap<String, Value>>,
    ) -> Result<Option<(Seen, bool)>> {
        self.of(section).await?.begin_writing().await?;
        let found = self.try_look_up(section, handle, set).await;
        self.of(section).await?.roll_back().await?;
        found
    }

    async fn try_look_up(
        &mut self,
        section: usize,
        handle: &str,
        set: Option<&BTreeMap<String, Value>>,
    ) -> Result<Option<(Seen, bool)>> {
        let Some(seen) = self.read(section, handle, true).await? else { return Ok(None) };
        let Some(columns) = set else { return Ok(Some((seen, false))) };
        let rows = self.database.section(section)?.1;
        let sql = rows.is_set_sql(&assignments(rows, columns)?);
        let texts: Vec<String> = columns.values().map(|value| rows.dialect.set_text(value)).collect();
        let mut parameters: Vec<Parameter> = texts.iter().map(|text| Parameter::Text(text)).collect();
        let handle = rows.handle_values(handle)?;
        parameters.extend(images(&handle));
        let is_set = self.of(section).await?.text(&sql, &parameters).await?.as_deref() == Some("1");
        Ok(Some((seen, is_set)))
    }

    pub(super) async fn read(&mut self, section: usize, handle: &str, lock: bool) -> Result<Option<Seen>> {
        let database = self.database;
        let (source, rows) = database.section(section)?;
        let sql = rows.read_sql(lock);
        let handle = rows.handle_values(handle)?;
        let mut found = self.of(section).await?.fetch(&sql, &images(&handle)).await?;
        let row = found.pop();
        anyhow::ensure!(
            found.is_empty(),
            "[[records]] id of {} does not tell rows apart: two have the same",
            source.name
        );
        Ok(row.map(|row| seen(source, rows, row)))
    }

    /// Removes the row in a transaction of its own, if it is still what was `seen`.
    pub async fn remove(&mut self, aim: Aim<'_>, seen: &Seen, how: How<'_>) -> Result<Outcome> {
        let mut attempt = 1;
        loop {
            self.of(aim.section).await?.begin_writing().await?;
            match self.change(aim, seen, how).await {
                Ok(Outcome::Deleted) => return Ok(self.commit(aim.section, Outcome::Deleted).await),
                Ok(Outcome::Updated(image)) => return Ok(self.commit(aim.section, Outcome::Updated(image)).await),
                Ok(unchanged) => {
                    self.of(aim.section).await?.roll_back().await?;
                    return Ok(unchanged);
                }
                // A connection that is lost takes its transaction with it; the caller connects anew.
                Err(error) => match self.of(aim.section).await?.roll_back().await {
                    Err(_) => return Err(error),
                    Ok(()) if attempt < ATTEMPTS && self.is_worth_another_attempt(aim.section, &error) => attempt += 1,
                    Ok(()) => return Ok(Outcome::Failed(format!("{error:#}"))),
                },
            }
        }
    }

    fn is_worth_another_attempt(&self, section: usize, error: &anyhow::Error) -> bool {
        let source = self.database.section(section).map(|(source, _)| source);
        code_of(error)
            .zip(source.ok())
            .is_some_and(|(code, source)| source.login.driver.is_worth_another_attempt(&code))
    }

    async fn commit(&mut self, section: usize, outcome: Outcome) -> Outcome {
        failpoint::before("row-commit");
        let committed = match self.of(section).await {
            Ok(connection) => connection.commit().await,
            Err(error) => Err(error),
        };
        failpoint::after("row-commit");
        match committed {
            Ok(()) => outcome,
            Err(error) => Outcome::Unknown(format!("{error:#}")),
        }
    }

    async fn change(&mut self, aim: Aim<'_>, seen: &Seen, how: How<'_>) -> Result<Outcome> {
        if self.read(aim.section, aim.handle, true).await?.as_ref() != Some(seen) {
            return Ok(Outcome::Changed);
        }
        let rows = self.database.section(aim.section)?.1;
        let value = seen.value.as_deref().filter(|value| !value.is_empty());
        let mut cells = Vec::new();
        let texts: Vec<String>;
        let sql = match how {
            How::Delete => rows.delete_sql(value.is_none(), aim.rule),
            How::Set { columns, .. } => {
                texts = columns.values().map(|value| rows.dialect.set_text(value)).collect();
                cells.extend(texts.iter().map(|text| Parameter::Text(text)));
                rows.set_sql(&assignments(rows, columns)?, value.is_none(), aim.rule)
            }
        };
        let handle = rows.handle_values(aim.handle)?;
        cells.extend(images(&handle));
        cells.extend(value.map(Parameter::Text));
        match self.of(aim.section).await?.change(&sql, &cells).await? {
            1 => {}
            0 => return Ok(Outcome::Failed("the database left it as it was: a trigger may have kept it".to_owned())),
            changed => return Ok(Outcome::Failed(format!("{changed} rows would have changed, and not one"))),
        }
        match how {
            How::Delete => Ok(Outcome::Deleted),
            How::Set { lets_go, .. } => self.after(aim, seen, lets_go).await,
        }
    }

    /// Looks at what was set.
    async fn after(&mut self, aim: Aim<'_>, before: &Seen, lets_go: bool) -> Result<Outcome> {
        let Some(after) = self.read(aim.section, aim.handle, true).await? else {
            return Ok(Outcome::Failed("its id would have changed".to_owned()));
        };
        if lets_go && after.owns && after.key == aim.key {
            let reason = "it would still own its file: [[records]] needs a where that is FALSE for what then sets";
            return Ok(Outcome::Failed(reason.to_owned()));
        }
        if after.image == before.image {
            return Ok(Outcome::Kept("it holds these values already".to_owned()));
        }
        Ok(Outcome::Updated(after.image))
    }
}

/// What a row's handle binds.
pub(super) fn images(handle: &[Option<String>]) -> Vec<Parameter<'_>> {
    handle.iter().map(|value| Parameter::Image(value.as_deref())).collect()
}

fn seen(source: &Source, rows: &Rows, row: Cells) -> Seen {
    let mut cells = row.into_iter();
    let mut next = || cells.next().flatten();
    let value = next();
    let key = source.key_of(value.as_deref().unwrap_or_default()).0;
    let (owns, created, updated) = (next().as_deref() == Some("1"), next(), next());
    let (created, _) = rows.age(created.as_deref(), updated.as_deref());
    let marks = (0..rows.rules.len()).map(|rule| rows.mark(rule, next().as_deref())).collect();
    let image = rows.columns.iter().map(|facts| (facts.name.clone(), next())).collect();
    Seen { key, value, owns, created, marks, image: Image(image) }
}

/// Columns that are to be set, each with the SQL of its value, which are the first parameters.
fn assignments<'c>(rows: &Rows, columns: &'c BTreeMap<String, Value>) -> Result<Vec<(&'c str, String)>> {
    let set = columns.iter().enumerate().map(|(at, (name, value))| {
        let facts = rows.columns.iter().find(|facts| facts.name == *name);
        let facts = facts.with_context(|| format!("column {name} cannot be set"))?;
        Ok((name.as_str(), rows.dialect.set(facts, value, &rows.dialect.placeholder(at + 1))))
    });
    set.collect()
}

/// What the database calls an error of its own.
fn code_of(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| match cause.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(error)) => error.code().map(|code| code.into_owned()),
        _ => None,
    })
}
