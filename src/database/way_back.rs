//! Brings rows back that were removed: deleted ones as they were, updated ones with their old values. Nothing is
//! overwritten.

use anyhow::{Context, Result};

use crate::database::column::ColumnFacts;
use crate::database::dialect::link::Parameter;
use crate::database::rows::Rows;
use crate::database::writer::{Writer, images};
use crate::domain::{Image, row_id};

/// What became of bringing a row back.
#[derive(Debug, PartialEq, Eq)]
pub enum Back {
    Done,
    /// Something else is in its place, and was left alone.
    Taken(String),
    Failed(String),
}

impl Writer<'_> {
    /// Inserts a row that was deleted, as it was.
    pub async fn insert(&mut self, section: usize, handle: &str, image: &Image) -> Result<Back> {
        self.of(section).await?.begin_writing().await?;
        let inserted = self.try_insert(section, handle, image).await;
        self.settle(section, inserted).await
    }

    async fn try_insert(&mut self, section: usize, handle: &str, image: &Image) -> Result<Back> {
        if !self.is_of(section, handle, image)? {
            return Ok(Back::Failed(OTHER_ID.to_owned()));
        }
        if self.read(section, handle, true).await?.is_some() {
            return Ok(Back::Taken("a row with its id is there".to_owned()));
        }
        let rows = &self.database.section(section)?.1;
        let columns = named(rows, image.0.iter().map(|(name, _)| name))?;
        let cells: Vec<_> = image.0.iter().map(|(_, value)| Parameter::Image(value.as_deref())).collect();
        match self.of(section).await?.change(&rows.insert_sql(&columns), &cells).await {
            Ok(_) => {}
            Err(error) if is_taken(&error) => return Ok(Back::Taken(format!("{error:#}"))),
            Err(error) => return Err(error),
        }
        self.is_as_it_was(section, handle, image).await
    }

    /// Gives columns that were set their old values, unless somebody has changed them since.
    pub async fn undo(&mut self, section: usize, handle: &str, before: &Image, after: &Image) -> Result<Back> {
        self.of(section).await?.begin_writing().await?;
        let undone = self.try_undo(section, handle, before, after).await;
        self.settle(section, undone).await
    }

    async fn try_undo(&mut self, section: usize, handle: &str, before: &Image, after: &Image) -> Result<Back> {
        if !self.is_of(section, handle, before)? {
            return Ok(Back::Failed(OTHER_ID.to_owned()));
        }
        let Some(now) = self.read(section, handle, true).await? else {
            return Ok(Back::Taken("the row is gone".to_owned()));
        };
        let changes: Vec<_> = before.changes(after).collect();
        if let Some((name, _)) = changes.iter().find(|(name, _)| now.image.get(name) != after.get(name)) {
            return Ok(Back::Taken(format!("{name} was changed since")));
        }
        if changes.is_empty() {
            return Ok(Back::Done);
        }
        let rows = &self.database.section(section)?.1;
        let columns = named(rows, changes.iter().map(|(name, _)| name))?;
        let mut cells: Vec<_> = changes.iter().map(|(_, value)| Parameter::Image(value.as_deref())).collect();
        let values = rows.handle_values(handle)?;
        cells.extend(images(&values));
        self.of(section).await?.change(&rows.unset_sql(&columns), &cells).await?;
        // What else changes with it, such as the time of the last change, is the database's own business.
        self.is_as_it_was(section, handle, &Image(changes.into_iter().cloned().collect())).await
    }

    fn is_of(&self, section: usize, handle: &str, image: &Image) -> Result<bool> {
        self.database.section(section)?.1.is_of(image, handle)
    }

    async fn is_as_it_was(&mut self, section: usize, handle: &str, image: &Image) -> Result<Back> {
        let now = self.read(section, handle, true).await?.map(|seen| seen.image);
        let Some(now) = now else { return Ok(Back::Failed("it was inserted, and is not there".to_owned())) };
        // A trigger that keeps the time of the last change must not keep the row away.
        for (name, _) in image.changes(&now) {
            let table = &self.database.section(section)?.0.name;
            tracing::warn!(
                "{table} id {} is back, and the database has set its {name} to another value",
                row_id::shown(handle)
            );
        }
        Ok(Back::Done)
    }

    async fn settle(&mut self, section: usize, back: Result<Back>) -> Result<Back> {
        match back {
            Ok(Back::Done) => self.of(section).await?.commit().await.map(|()| Back::Done),
            Ok(other) => self.of(section).await?.roll_back().await.map(|()| other),
            Err(error) => match self.of(section).await?.roll_back().await {
                Ok(()) => Ok(Back::Failed(format!("{error:#}"))),
                Err(_) => Err(error),
            },
        }
    }
}

const OTHER_ID: &str = "it is known by other columns than [[records]] id names now";

fn named(rows: &Rows, names: impl Iterator<Item = impl AsRef<str>>) -> Result<Vec<&ColumnFacts>> {
    let find = |name: &str| rows.columns.iter().find(|facts| facts.name == name);
    names
        .map(|name| find(name.as_ref()).with_context(|| format!("there is no column {} any more", name.as_ref())))
        .collect()
}

fn is_taken(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| match cause.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(error)) => error.is_unique_violation(),
        _ => false,
    })
}
