//! What became of rows: counted, recorded, and put back where their objects have appeared.

use anyhow::Result;
use futures::StreamExt;

use super::{Going, name_of};
use crate::database::{Back, Outcome, Writer};
use crate::domain::removal::Removals;
use crate::execute::Site;
use crate::ledger::{PlannedRow, State, Step};
use crate::storage::{Presence, look_for};

impl<'a> Site<'a> {
    /// Counts what became of a row. `None`: nobody knows, and the intent stays open for the next run.
    pub(super) fn conclude(
        &self,
        going: &Going<'_>,
        outcome: Result<Outcome>,
        removals: &mut Removals,
    ) -> Option<Step> {
        let (id, row) = (going.removal, going.row);
        let name = name_of(row);
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
                removals.skip("it changed");
                Some(Step::because(id, State::Skipped, "it changed"))
            }
            Ok(Outcome::Kept(reason)) => {
                removals.skip(&reason);
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
    pub(super) async fn settle_rows(
        &self,
        writer: &mut Writer<'a>,
        unsettled: &[&Going<'_>],
        steps: &[Step],
        removals: &mut Removals,
    ) -> Vec<Step> {
        let looks: Vec<_> = unsettled.iter().map(|going| self.any_has_appeared(going.row)).collect();
        let appeared: Vec<Option<bool>> = futures::stream::iter(looks).buffered(self.concurrency).collect().await;
        let mut settled = Vec::new();
        for (going, appeared) in unsettled.iter().zip(appeared) {
            let id = going.removal;
            let name = name_of(going.row);
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
                            removals.put_back("its file appeared as it was removed");
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

    /// Whether any of the objects of a row is there now that it had lost; `None`: that could not be looked at.
    async fn any_has_appeared(&self, row: &PlannedRow) -> Option<bool> {
        let mut appeared = Some(false);
        for row in row.all() {
            match self.has_appeared(row).await {
                Some(false) => {}
                Some(true) => return Some(true),
                None => appeared = None,
            }
        }
        appeared
    }

    /// Whether the object of a row that had lost it is there now; `None`: that could not be looked at.
    async fn has_appeared(&self, row: &PlannedRow) -> Option<bool> {
        let owns_folder = self.owns_folder(row);
        if row.key.is_empty() || row.object.is_some() || owns_folder && row.kind.rule().is_some() {
            return Some(false);
        }
        match look_for(self.store, &row.key, owns_folder).await {
            Ok(Presence::Present(_)) => Some(true),
            Ok(Presence::Missing) => Some(false),
            Ok(Presence::Unknown(_)) | Err(_) => None,
        }
    }
}

fn cannot_be_put_back(reason: &str) -> String {
    format!("its file appeared, and it could not be put back: {reason}")
}
