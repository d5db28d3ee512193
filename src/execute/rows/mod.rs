//! Rows of the plan, batch by batch: their objects are looked at; each row is read whole, judged once more and recorded;
//! it is deleted or updated in a short transaction of its own; the outcome is recorded; and where an object was missing
//! it is looked for once more, for one that appeared puts its row back. Files follow the last of their rows (I10).

mod looking;
mod settling;

use std::collections::HashMap;

use anyhow::{Context, Result};
use chrono::Utc;

use super::{ASK, Pace, Site};
use crate::config::Action;
use crate::database::{Aim, Database, How, Outcome, Writer};
use crate::domain::removal::Removals;
use crate::domain::row_id;
use crate::domain::{Image, Object, Seen};
use crate::ledger::{FileToGo, NewRemoval, PlannedRow, RowRemoval, State, Step};

/// Rows between two commits to the ledger.
const BATCH: usize = 100;
/// Rows whose files are removed together, where every source can be asked by key.
const WINDOW: usize = 500;
/// The same where a source is read whole to be asked, once before and once after.
pub const STREAMED_WINDOW: usize = 10_000;

/// A row that is being removed: its intent is on record.
struct Going<'p> {
    row: &'p PlannedRow,
    seen: Seen,
    removal: i64,
}

/// How many of a file's rows are gone, by its key; until all are.
#[derive(Default)]
struct Following(HashMap<String, u64>);

impl<'a> Site<'a> {
    /// Removes the rows of the plan, at most `planned`, and the files that follow them.
    pub(super) async fn remove_rows(&mut self, planned: u64, removals: &mut Removals) -> Result<()> {
        let window = if self.database.streams_again() { STREAMED_WINDOW } else { WINDOW };
        let mut left = usize::try_from(planned).unwrap_or(usize::MAX);
        let (mut place, mut following) = (0, Following::default());
        while left > 0 && removals.stopped.is_none() {
            let mut files = Vec::new();
            let mut rows = 0;
            while rows < window && left > 0 {
                removals.stopped = self.must_stop();
                if removals.stopped.is_some() {
                    break;
                }
                let batch = self.ledger.planned_after(place, BATCH.min(left)).await?;
                let Some(last) = batch.last() else {
                    left = 0;
                    break;
                };
                place = last.place;
                (left, rows) = (left - batch.len(), rows + batch.len());
                let removed = self.remove_batch(&batch, removals).await?;
                removals.left = removals.left.saturating_sub(batch.len() as u64);
                let gone = batch.iter().zip(removed).filter(|(_, is_gone)| *is_gone).map(|(row, _)| row);
                files.extend(gone.flat_map(PlannedRow::all).filter_map(|row| following.file_of(row)));
            }
            if !files.is_empty() {
                // Their rows are gone: whatever stops the run, these files are of the batches in hand.
                self.remove_window(&files, Pace::ToItsEnd, removals).await?;
            }
        }
        Ok(())
    }

    /// Removes rows, and says of each whether it is gone.
    async fn remove_batch(&mut self, batch: &[PlannedRow], removals: &mut Removals) -> Result<Vec<bool>> {
        self.still_alone().await?;
        let looks = self.look_at_objects(batch).await;
        // What is missing from a bucket that is gone is not proven to be missing (I2).
        self.store.is_there().await.context("the storage could not be looked at once more")?;
        let database: &'a Database = self.database;
        let mut writer = database.writer().await.context(ASK)?;
        let (going, left) = self.judge_rows(&mut writer, batch, looks, removals).await?;
        if !left.is_empty() {
            self.ledger.record(self.run, &left, "row-left", Utc::now()).await?;
        }
        let going = self.intend_rows(going).await?;
        let mut removed = vec![false; batch.len()];
        let mut steps = Vec::new();
        let mut unsettled = Vec::new();
        for going in &going {
            let outcome = self.remove_row(&mut writer, going).await;
            let step = self.conclude(going, outcome, removals);
            if let Some(Step { state: State::RowDeletedUnsettled | State::RowUpdatedUnsettled, .. }) = step {
                if let Ok(at) = batch.binary_search_by_key(&going.row.place, |row| row.place) {
                    removed[at] = true;
                }
                unsettled.push(going);
            }
            steps.extend(step);
        }
        self.ledger.advance(&steps, "row-outcome", Utc::now()).await?;
        let settled = self.settle_rows(&mut writer, &unsettled, &steps, removals).await;
        self.ledger.advance(&settled, "row-settle", Utc::now()).await?;
        Ok(removed)
    }

    /// Commits what is about to be done, with the rows whole (I9).
    async fn intend_rows<'p>(&mut self, going: Vec<(&'p PlannedRow, Seen)>) -> Result<Vec<Going<'p>>> {
        if going.is_empty() {
            return Ok(Vec::new());
        }
        let intents: Vec<NewRemoval> = going
            .iter()
            .map(|(row, seen)| {
                let state = match self.action_of(row) {
                    Action::Set(_) => State::RowUpdating,
                    Action::Delete | Action::Report => State::RowDeleting,
                };
                let also = row.also.iter().map(|other| other.key.clone()).collect();
                NewRemoval { row: row_of(row, Some(seen.image.clone())), also, ..removal_of(row, state, None) }
            })
            .collect();
        let ids = self.ledger.record(self.run, &intents, "row-intent", Utc::now()).await?;
        let recorded = going.into_iter().zip(ids);
        Ok(recorded.map(|((row, seen), removal)| Going { row, seen, removal }).collect())
    }

    /// Removes one row; a connection that was lost is made anew for the next.
    async fn remove_row(&self, writer: &mut Writer<'a>, going: &Going<'_>) -> Result<Outcome> {
        let row = going.row;
        let how = match self.action_of(row) {
            Action::Delete => How::Delete,
            Action::Set(columns) => How::Set { columns, lets_go: row.rivals > 0 },
            Action::Report => return Ok(Outcome::Failed("it is only to be reported".to_owned())),
        };
        let aim = Aim { section: row.section, handle: &row.handle, key: &row.key, rule: self.rule_of(row) };
        let outcome = writer.remove(aim, &going.seen, how).await;
        let reason = match outcome {
            Ok(Outcome::Unknown(reason)) => reason,
            Ok(outcome) => return Ok(outcome),
            Err(error) => {
                // Where that fails the next row fails, and not this one once more.
                if let Ok(anew) = self.database.writer().await {
                    *writer = anew;
                }
                return Err(error);
            }
        };
        // What cannot be looked up now is left for the next run, and never guessed.
        match self.learn_of_row(writer, going, how).await {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => Ok(Outcome::Failed(reason)),
            Err(error) => Ok(Outcome::Unknown(format!("{reason}; and it could not be looked up: {error:#}"))),
        }
    }

    /// Looks up, on a connection of its own, what a commit did whose answer was lost. `None`: nothing.
    async fn learn_of_row(&self, writer: &mut Writer<'a>, going: &Going<'_>, how: How<'_>) -> Result<Option<Outcome>> {
        let database: &'a Database = self.database;
        *writer = database.writer().await?;
        let columns = match how {
            How::Delete => None,
            How::Set { columns, .. } => Some(columns),
        };
        Ok(match (columns, writer.look_up(going.row.section, &going.row.handle, columns).await?) {
            (None, None) => Some(Outcome::Deleted),
            (_, Some((now, _))) if now == going.seen => None,
            (Some(columns), Some((now, true))) => {
                Some(Outcome::Updated(going.seen.image.with(&now.image, |name| columns.contains_key(name))))
            }
            _ => Some(Outcome::Changed),
        })
    }

    fn action_of(&self, row: &PlannedRow) -> &Action {
        self.config.records[row.section].action(&row.kind)
    }

    /// Whether a row owns a folder, and not an object.
    fn owns_folder(&self, row: &PlannedRow) -> bool {
        self.config.records[row.section].owns_folders()
    }

    /// The rule that condemns a row, by its place.
    fn rule_of(&self, row: &PlannedRow) -> Option<usize> {
        let name = row.kind.rule()?;
        self.config.records[row.section].rules.iter().position(|rule| rule.name == *name)
    }
}

impl Following {
    /// Counts a row that is gone; the last one that had to go gives the file.
    fn file_of(&mut self, row: &PlannedRow) -> Option<FileToGo> {
        let object = row.object.clone().filter(|_| row.rivals > 0)?;
        if row.rivals > 1 {
            let gone = self.0.entry(row.key.clone()).or_default();
            *gone += 1;
            if *gone < row.rivals {
                return None;
            }
            self.0.remove(&row.key);
        }
        Some(FileToGo { object, kind: row.kind.clone(), owners: Vec::new() })
    }
}

fn row_of(row: &PlannedRow, before: Option<Image>) -> Option<RowRemoval> {
    let PlannedRow { table, id, handle, .. } = row;
    Some(RowRemoval { table: table.clone(), id: id.clone(), handle: handle.clone(), before, after: None })
}

/// What the ledger keeps of a row beside the row itself: its object, where that was there, whose bytes are not the row's.
fn removal_of(row: &PlannedRow, state: State, detail: Option<String>) -> NewRemoval {
    let none = Object {
        key: row.key.clone(),
        size: 0,
        last_modified: None,
        etag: None,
        archived: false,
        opaque_etag: false,
        is_new: false,
        is_plain: false,
    };
    NewRemoval {
        kind: row.kind.clone(),
        object: row.object.clone().map_or(none, |object| Object { size: 0, ..object }),
        row: None,
        also: Vec::new(),
        trash_key: None,
        state,
        detail,
    }
}

/// A row, as messages name it.
fn name_of(row: &PlannedRow) -> String {
    format!("{} id {}", row.table, row_id::shown(&row.id))
}
