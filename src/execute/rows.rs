//! Rows of the plan, batch by batch: their objects are looked at; each row is read whole, judged once more and recorded;
//! it is deleted or updated in a short transaction of its own; the outcome is recorded; and where an object was missing
//! it is looked for once more, for one that appeared puts its row back. Files follow the last of their rows (I10).

use anyhow::{Context, Result};
use chrono::Utc;
use futures::StreamExt;

use super::{ASK, Pace, Site};
use crate::config::Action;
use crate::database::{Aim, Back, Database, How, Outcome, Writer};
use crate::finding::{Image, Kind, Object, Seen};
use crate::judge;
use crate::ledger::{FileToGo, NewRemoval, PlannedRow, RowRemoval, State, Step};
use crate::removal::Removals;
use crate::storage::Presence;

/// Rows between two commits to the ledger.
const BATCH: usize = 100;
/// Rows whose files are removed together, where every source can be asked by key.
const WINDOW: usize = 500;
/// The same where a source is read whole to be asked, once before and once after.
const STREAMED_WINDOW: usize = 10_000;

/// A row that is being removed: its intent is on record.
struct Going<'p> {
    row: &'p PlannedRow,
    seen: Seen,
    removal: i64,
}

/// A file's rows, of which so many are gone.
#[derive(Default)]
struct Following {
    key: String,
    gone: u64,
}

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
                files.extend(batch.iter().zip(removed).filter_map(|(row, removed)| following.file_of(row, removed)));
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
        let (going, left) = self.judge(&mut writer, batch, looks, removals).await?;
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

    /// Looks at the object of each row: why the row must stay because of it, if so.
    async fn look_at_objects(&self, batch: &[PlannedRow]) -> Vec<Option<String>> {
        let looks: Vec<_> = batch.iter().map(|row| self.look_at_object(row)).collect();
        futures::stream::iter(looks).buffered(self.concurrency).collect().await
    }

    async fn look_at_object(&self, row: &PlannedRow) -> Option<String> {
        if row.key.is_empty() || row.object.is_some() && row.rivals == 0 {
            return None;
        }
        match (&row.object, self.store.look(&row.key).await) {
            (Some(object), Ok(Presence::Present(now))) if judge::is_unchanged(object, &now) => None,
            (Some(_), Ok(Presence::Present(_))) => Some("its file changed".to_owned()),
            (None, Ok(Presence::Present(_))) => Some("its file is there now".to_owned()),
            (_, Ok(Presence::Missing)) => None,
            (_, Ok(Presence::Unknown(reason))) => Some(reason),
            (_, Err(error)) => Some(format!("its file could not be looked at: {error:#}")),
        }
    }

    /// Reads each row and judges it once more (I8). What is to stay is given apart, to be recorded.
    async fn judge<'p>(
        &mut self,
        writer: &mut Writer<'a>,
        batch: &'p [PlannedRow],
        looks: Vec<Option<String>>,
        removals: &mut Removals,
    ) -> Result<(Vec<(&'p PlannedRow, Seen)>, Vec<NewRemoval>)> {
        let now = writer.now().await.context(ASK)?;
        let (mut going, mut left) = (Vec::new(), Vec::new());
        for (row, look) in batch.iter().zip(looks) {
            let records = &self.config.records[row.section];
            let clocks: Vec<_> = records.rules.iter().map(|rule| rule.after()).collect();
            let rule = self.rule_of(row);
            let seen = writer.see(row.section, &row.handle).await.context(ASK)?;
            let stays = |seen: &Seen| judge::stays(seen, (&row.key, rule), &clocks, now, self.config.safety.min_age.0);
            let reason = match (&seen, look) {
                (_, Some(reason)) => Some(reason),
                (None, None) => Some("it is gone already".to_owned()),
                (Some(seen), None) => stays(seen).map(str::to_owned),
            };
            match (seen, reason) {
                (Some(seen), None) => going.push((row, seen)),
                (_, reason) => {
                    removals.skipped += 1;
                    left.push(NewRemoval { row: row_of(row, None), ..removal_of(row, State::Skipped, reason) });
                }
            }
        }
        Ok((going, left))
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
                NewRemoval { row: row_of(row, Some(seen.image.clone())), ..removal_of(row, state, None) }
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

    /// Counts what became of a row. `None`: nobody knows, and the intent stays open for the next run.
    fn conclude(&self, going: &Going<'_>, outcome: Result<Outcome>, removals: &mut Removals) -> Option<Step> {
        let (id, row) = (going.removal, going.row);
        let name = format!("{} id {}", row.table, row.id);
        match outcome {
            Ok(Outcome::Deleted) => {
                removals.records_deleted += 1;
                Some(Step::to(id, State::RowDeletedUnsettled))
            }
            Ok(Outcome::Updated(after)) => {
                removals.records_updated += 1;
                Some(Step { after: Some(after), ..Step::to(id, State::RowUpdatedUnsettled) })
            }
            Ok(Outcome::Changed) => {
                removals.skipped += 1;
                Some(Step::because(id, State::Skipped, "it changed"))
            }
            Ok(Outcome::Kept(reason)) => {
                removals.skipped += 1;
                Some(Step::because(id, State::Skipped, reason))
            }
            Ok(Outcome::Failed(reason)) => {
                removals.fail(&name, &reason);
                Some(Step::because(id, State::Failed, reason))
            }
            // The connection went before the commit, and the transaction with it.
            Err(error) => {
                let reason = format!("{error:#}");
                removals.fail(&name, &reason);
                Some(Step::because(id, State::Failed, reason))
            }
            Ok(Outcome::Unknown(reason)) => {
                removals.fail(&name, &format!("unknown: {reason}"));
                None
            }
        }
    }

    /// Looks once more for objects that were missing: one that appeared puts its row back.
    async fn settle_rows(
        &self,
        writer: &mut Writer<'a>,
        unsettled: &[&Going<'_>],
        steps: &[Step],
        removals: &mut Removals,
    ) -> Vec<Step> {
        let looks: Vec<_> = unsettled.iter().map(|going| self.has_appeared(going.row)).collect();
        let appeared: Vec<Option<bool>> = futures::stream::iter(looks).buffered(self.concurrency).collect().await;
        let mut settled = Vec::new();
        for (going, appeared) in unsettled.iter().zip(appeared) {
            let id = going.removal;
            let name = format!("{} id {}", going.row.table, going.row.id);
            let Some(step) = steps.iter().find(|step| step.id == id) else { continue };
            let done = if step.after.is_some() { State::RowUpdated } else { State::RowDeleted };
            match appeared {
                Some(false) => settled.push(Step::to(id, done)),
                // The next run looks again.
                None => removals.fail(&name, "whether its file appeared meanwhile could not be looked at"),
                Some(true) => {
                    let (section, handle) = (going.row.section, &going.row.handle);
                    let back = match &step.after {
                        Some(after) => writer.undo(section, handle, &going.seen.image, after).await,
                        None => writer.insert(section, handle, &going.seen.image).await,
                    };
                    match back {
                        Ok(Back::Done) => {
                            removals.put_back += 1;
                            match &step.after {
                                Some(_) => removals.records_updated = removals.records_updated.saturating_sub(1),
                                None => removals.records_deleted = removals.records_deleted.saturating_sub(1),
                            }
                            settled.push(Step::because(id, State::PutBack, "its file appeared as it was removed"));
                        }
                        Ok(Back::Taken(reason)) => settled.push(Step::because(id, done, reason)),
                        Ok(Back::Failed(reason)) => removals.fail(&name, &cannot_be_put_back(&reason)),
                        Err(error) => removals.fail(&name, &cannot_be_put_back(&format!("{error:#}"))),
                    }
                }
            }
        }
        settled
    }

    /// Whether the object of a row that had lost it is there now; `None`: that could not be looked at.
    async fn has_appeared(&self, row: &PlannedRow) -> Option<bool> {
        if row.key.is_empty() || row.object.is_some() {
            return Some(false);
        }
        match self.store.look(&row.key).await {
            Ok(Presence::Present(_)) => Some(true),
            Ok(Presence::Missing) => Some(false),
            Ok(Presence::Unknown(_)) | Err(_) => None,
        }
    }

    fn action_of(&self, row: &PlannedRow) -> &Action {
        self.config.records[row.section].action(&row.kind)
    }

    /// The rule that condemns a row, by its place.
    fn rule_of(&self, row: &PlannedRow) -> Option<usize> {
        let Kind::Rule(name) = &row.kind else { return None };
        self.config.records[row.section].rules.iter().position(|rule| rule.name == *name)
    }
}

impl Following {
    /// Counts a row; the last one that had to go gives the file.
    fn file_of(&mut self, row: &PlannedRow, is_gone: bool) -> Option<FileToGo> {
        if row.rivals == 0 || !is_gone {
            return None;
        }
        if self.key != row.key {
            *self = Following { key: row.key.clone(), gone: 0 };
        }
        self.gone += 1;
        let object = row.object.clone().filter(|_| self.gone == row.rivals)?;
        Some(FileToGo { object, kind: row.kind.clone(), owners: Vec::new() })
    }
}

fn cannot_be_put_back(reason: &str) -> String {
    format!("its file appeared, and it could not be put back: {reason}")
}

fn row_of(row: &PlannedRow, before: Option<Image>) -> Option<RowRemoval> {
    let PlannedRow { table, id, handle, .. } = row;
    Some(RowRemoval { table: table.clone(), id: id.clone(), handle: handle.clone(), before, after: None })
}

/// What the ledger keeps of a row beside the row itself: its object, where that was there, whose bytes are not the row's.
fn removal_of(row: &PlannedRow, state: State, detail: Option<String>) -> NewRemoval {
    let none =
        Object { key: row.key.clone(), size: 0, last_modified: None, etag: None, archived: false, opaque_etag: false };
    NewRemoval {
        kind: row.kind.clone(),
        object: row.object.clone().map_or(none, |object| Object { size: 0, ..object }),
        row: None,
        trash_key: None,
        state,
        detail,
    }
}
