//! How the files of a batch are taken away: a store that moves files does it in one step; in a bucket each is copied,
//! the copy verified, and the original deleted.

use anyhow::Result;
use futures::StreamExt;

use super::batch::{Fate, Ready};
use super::removing::{Answered, Asked, SLOW};
use super::{Answer, Site};
use crate::domain::LOSES;
use crate::domain::removal::Removals;
use crate::judge;
use crate::ledger::{Removal, State, Step};
use crate::storage::{Copies, Kept, Moves, Presence, Removed, Taken};

/// Moves files, or removes them for good. Gives those that are gone.
fn take(moves: &dyn Moves, intents: Vec<Removal>, removals: &mut Removals, steps: &mut Vec<Step>) -> Vec<Removal> {
    let going: Vec<_> = intents.iter().map(|removal| (&removal.object, removal.trash_key.as_deref())).collect();
    let taken = moves.take(&going);
    let mut removed = Vec::new();
    for (removal, taken) in intents.into_iter().zip(taken) {
        let (state, reason) = match taken {
            Ok(Taken::Done) => {
                steps.push(gone(&removal, removals));
                removed.push(removal);
                continue;
            }
            Ok(Taken::Changed) => {
                removals.skip("it changed");
                steps.push(Step::because(removal.id, State::Skipped, "it changed"));
                continue;
            }
            Ok(Taken::Gone) => {
                removals.skip("it is gone already");
                steps.push(Step::because(removal.id, State::Skipped, "it is gone already"));
                continue;
            }
            // The intent stays open.
            Ok(Taken::Unknown(reason)) => {
                removals.fail(&removal.object.key, &format!("unknown: {reason}"));
                continue;
            }
            // The ledger must know what is in the trash.
            Ok(Taken::Left(reason)) if removal.trash_key.is_some() => (State::Trashed, reason),
            Ok(Taken::Left(reason)) => (State::Failed, reason),
            Ok(Taken::TargetTaken) => {
                let place = removal.trash_key.as_deref().unwrap_or("the place to which it would be moved");
                (State::Failed, format!("something is at {place} already"))
            }
            Err(error) => (State::Failed, format!("{error:#}")),
        };
        removals.fail(&removal.object.key, &reason);
        steps.push(Step::because(removal.id, state, reason));
    }
    removed
}

pub(super) const CHANGED: &str = "it changed";

/// Counts a file that is gone from its place.
fn gone(removal: &Removal, removals: &mut Removals) -> Step {
    removals.bytes += removal.object.size;
    let state = match removal.trash_key {
        Some(_) => {
            removals.files_trashed += 1;
            State::TrashedUnsettled
        }
        None => {
            removals.files_deleted += 1;
            State::DeletedUnsettled
        }
    };
    Step::to(removal.id, state).late(removal.late)
}

/// The same end of a removal, with its copy in the trash.
fn left(step: Step) -> Step {
    let state = if step.state == State::Skipped { State::SkippedLeft } else { State::FailedLeft };
    Step { state, ..step }
}

impl Site<'_> {
    /// Moves files to the trash, or removes them for good. Gives those that are gone.
    pub(super) async fn move_away(
        &self,
        moves: &dyn Moves,
        intents: Vec<Ready>,
        answer: &Answer,
        removals: &mut Removals,
        steps: &mut Vec<Step>,
    ) -> Result<Vec<Removal>> {
        let mut kept = Vec::new();
        let going = self.still_unwanted(intents, answer, &mut kept).await?;
        for (removal, fate) in kept {
            // Nothing of it was moved yet.
            if let Fate::Skip(reason) = fate {
                removals.skip(&reason);
                steps.push(Step::because(removal.id, State::Skipped, reason));
            }
        }
        Ok(take(moves, going.into_iter().map(|ready| ready.removal).collect(), removals, steps))
    }

    /// Copies files to the trash, where there is one, and deletes them. Gives those that are gone.
    pub(super) async fn copy_and_delete(
        &mut self,
        copies: &dyn Copies,
        intents: Vec<Ready>,
        (answer, asked): (&Answer, Asked),
        removals: &mut Removals,
        steps: &mut Vec<Step>,
    ) -> Result<Vec<Removal>> {
        let (deletable, mut left) = self.copy_to_trash(copies, intents).await;
        let is_believed = self.sight.kept() > Kept::Unknown;
        if is_believed && left.iter().any(|(_, fate)| matches!(fate, Fate::Fail(reason) if reason.starts_with(LOSES))) {
            // What was found out of copies may be wrong: the next run finds out anew.
            self.ledger.remember_copies(None).await?;
        }
        let asked = if self.is_old(answer) { asked.again_whole() } else { asked };
        let deletable = self.still_unwanted(deletable, answer, &mut left).await?;
        let answers = self.remove_fresh(copies, deletable, asked, &mut left).await;
        let mut removed = Vec::new();
        for Answered { removal, answer } in answers {
            match answer {
                Removed::Gone => {
                    steps.push(gone(&removal, removals));
                    removed.push(removal);
                }
                Removed::Changed => left.push((removal, Fate::Skip(CHANGED.to_owned()))),
                Removed::Refused(reason) => left.push((removal, Fate::Fail(reason))),
                Removed::NotTried => left.push((removal, Fate::Fail(SLOW.to_owned()))),
                // The intent stays open: the next run looks it up.
                Removed::Unknown(reason) => removals.fail(&removal.object.key, &format!("unknown: {reason}")),
            }
        }
        steps.extend(self.leave(copies, left, removals).await);
        self.sight.removed(removed.iter().map(|removal| &removal.object).max_by(|a, b| a.key.cmp(&b.key)).cloned());
        Ok(removed)
    }

    /// Ends removals whose originals stay where they are, and counts them. What cannot be ended stays open.
    async fn leave(&self, copies: &dyn Copies, left: Vec<(Removal, Fate)>, removals: &mut Removals) -> Vec<Step> {
        let mut ends = Vec::new();
        for (removal, fate) in left {
            match fate {
                Fate::Go => {}
                Fate::Skip(reason) => {
                    removals.skip(&reason);
                    ends.push((removal, State::Skipped, reason, true));
                }
                Fate::Fail(reason) => {
                    removals.fail(&removal.object.key, &reason);
                    ends.push((removal, State::Failed, reason, true));
                }
                // What is in the trash is not ours.
                Fate::Taken(reason) => {
                    removals.fail(&removal.object.key, &reason);
                    ends.push((removal, State::Failed, reason, false));
                }
            }
        }
        let ways: Vec<_> = ends
            .into_iter()
            .map(async |(removal, state, reason, has_copy)| match has_copy {
                true => self.give_up(copies, &removal, state, reason).await,
                false => Some(Step::because(removal.id, state, reason)),
            })
            .collect();
        let steps: Vec<Option<Step>> = futures::stream::iter(ways).buffered(self.concurrency).collect().await;
        steps.into_iter().flatten().collect()
    }

    /// Ends a removal whose original stays: its copy is taken out of the trash again, unless a delete may still be on its
    /// way. `None`: that could not be done, and the removal stays open for the next run.
    async fn give_up(&self, copies: &dyn Copies, removal: &Removal, state: State, reason: String) -> Option<Step> {
        let step = Some(Step::because(removal.id, state, reason));
        let Some(trash_key) = &removal.trash_key else { return step };
        let copy = match self.store.look(trash_key).await {
            Ok(Presence::Missing) => return step,
            Ok(Presence::Present(copy)) => copy,
            Ok(Presence::Unknown(_)) | Err(_) => return None,
        };
        if removal.late {
            return step.map(|step| left(step).late(true));
        }
        // The copy may be the last one.
        match self.store.look(&removal.object.key).await {
            Ok(Presence::Present(now)) if judge::is_still(&removal.object, &now) => {}
            // The same bytes, stored once more: they are where they belong.
            Ok(Presence::Present(now)) if judge::is_surely_copy(&now, &copy) => {}
            // Something else is there now: what was copied is nowhere but in the trash, which the ledger must know.
            Ok(Presence::Present(_)) => {
                return Some(Step::because(removal.id, State::Trashed, "it was replaced"));
            }
            _ => return None,
        }
        match copies.remove(&[trash_key]).await.first() {
            Some(Removed::Gone) => step,
            // It stays, and goes when it is due, or by hand.
            Some(Removed::Refused(_) | Removed::Changed | Removed::NotTried) => step.map(left),
            Some(Removed::Unknown(_)) | None => None,
        }
    }
}
