//! How the files of a batch are taken away: a store that moves files does it in one step; in a bucket each is copied,
//! the copy verified, and the original deleted.

use anyhow::Result;
use futures::StreamExt;

use super::batch::{Fate, look};
use super::removing::Answered;
use super::{Answer, Site};
use crate::domain::LOSES;
use crate::domain::removal::Removals;
use crate::judge;
use crate::ledger::{Removal, State, Step};
use crate::storage::{Copied, Copies, Moves, Presence, Removed, Taken, Target};

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

const CHANGED: &str = "it changed";

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
        intents: Vec<Removal>,
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
        Ok(take(moves, going, removals, steps))
    }

    /// Copies files to the trash, where there is one, and deletes them. Gives those that are gone.
    pub(super) async fn copy_and_delete(
        &self,
        copies: &dyn Copies,
        intents: Vec<Removal>,
        answer: &Answer,
        removals: &mut Removals,
        steps: &mut Vec<Step>,
    ) -> Result<Vec<Removal>> {
        let (deletable, mut left) = self.copy_to_trash(copies, intents).await;
        let deletable = self.still_unwanted(deletable, answer, &mut left).await?;
        for (removal, fate) in left {
            let (state, reason) = match fate {
                Fate::Skip(reason) => {
                    removals.skip(&reason);
                    (State::Skipped, reason)
                }
                Fate::Fail(reason) => {
                    removals.fail(&removal.object.key, &reason);
                    (State::Failed, reason)
                }
                Fate::Taken(reason) => {
                    removals.fail(&removal.object.key, &reason);
                    steps.push(Step::because(removal.id, State::Failed, reason));
                    continue;
                }
                Fate::Go => continue,
            };
            steps.extend(self.give_up(copies, &removal, state, reason).await);
        }
        let answers = self.remove_surely(copies, &deletable).await;
        let mut removed = Vec::new();
        for (removal, Answered { answer, late }) in deletable.into_iter().zip(answers) {
            let removal = Removal { late, ..removal };
            match answer {
                Removed::Gone => {
                    steps.push(gone(&removal, removals));
                    removed.push(removal);
                }
                Removed::Changed => {
                    removals.skip(CHANGED);
                    steps.extend(self.give_up(copies, &removal, State::Skipped, CHANGED.to_owned()).await);
                }
                Removed::Refused(reason) => {
                    removals.fail(&removal.object.key, &reason);
                    steps.extend(self.give_up(copies, &removal, State::Failed, reason).await);
                }
                // The intent stays open: the next run looks it up.
                Removed::Unknown(reason) => removals.fail(&removal.object.key, &format!("unknown: {reason}")),
            }
        }
        Ok(removed)
    }

    /// Copies each file to the trash and verifies the copy (I11). Gives those that may now be deleted, and the
    /// others with their fates.
    async fn copy_to_trash(&self, copies: &dyn Copies, removals: Vec<Removal>) -> (Vec<Removal>, Vec<(Removal, Fate)>) {
        let ways: Vec<_> = removals.iter().map(|removal| self.copy_one(copies, removal)).collect();
        let fates: Vec<Fate> = futures::stream::iter(ways).buffered(self.concurrency).collect().await;
        let (mut deletable, mut left) = (Vec::new(), Vec::new());
        for (removal, fate) in removals.into_iter().zip(fates) {
            match fate {
                Fate::Go => deletable.push(removal),
                fate => left.push((removal, fate)),
            }
        }
        if self.trash.is_none() {
            return (deletable, left);
        }
        // Copying takes its time; what was stored meanwhile must not go with the old. All copies are made by now.
        let looks: Vec<_> = deletable.iter().map(|removal| look(self.store, &removal.object)).collect();
        let fates: Vec<Fate> = futures::stream::iter(looks).buffered(self.concurrency).collect().await;
        let mut unchanged = Vec::new();
        for (removal, fate) in deletable.into_iter().zip(fates) {
            match fate {
                Fate::Go => unchanged.push(removal),
                fate => left.push((removal, fate)),
            }
        }
        (unchanged, left)
    }

    async fn copy_one(&self, copies: &dyn Copies, removal: &Removal) -> Fate {
        let (object, Some(trash_key)) = (&removal.object, &removal.trash_key) else { return Fate::Go };
        match copies.copy(object, trash_key, Target::Own).await {
            Ok(Copied::Done(copy)) if judge::is_copy(object, &copy) => Fate::Go,
            Ok(Copied::Done(_)) => Fate::Fail("its copy in the trash is not what was copied".to_owned()),
            Ok(Copied::Lost(what)) => Fate::Fail(format!("{LOSES}{what}")),
            Ok(Copied::SourceChanged) => Fate::Skip(CHANGED.to_owned()),
            Ok(Copied::TargetTaken) => Fate::Taken(format!("something is at {trash_key} already")),
            Err(error) => Fate::Fail(format!("{error:#}")),
        }
    }

    /// Ends a removal whose original stays: its copy is taken out of the trash again, unless a delete may still be on its
    /// way. `None`: that could not be done, and the removal stays open for the next run.
    async fn give_up(&self, copies: &dyn Copies, removal: &Removal, state: State, reason: String) -> Option<Step> {
        let step = Some(Step::because(removal.id, state, reason));
        let Some(trash_key) = &removal.trash_key else { return step };
        match self.store.look(trash_key).await {
            Ok(Presence::Missing) => return step,
            Ok(Presence::Present(_)) => {}
            Ok(Presence::Unknown(_)) | Err(_) => return None,
        }
        if removal.late {
            return step.map(|step| left(step).late(true));
        }
        // The copy may be the last one.
        match self.store.look(&removal.object.key).await {
            Ok(Presence::Present(now)) if judge::is_still(&removal.object, &now) => {}
            // Something else is there now: what was copied is nowhere but in the trash, which the ledger must know.
            Ok(Presence::Present(_)) => {
                return Some(Step::because(removal.id, State::Trashed, "it was replaced"));
            }
            _ => return None,
        }
        match copies.remove(&[trash_key]).await.first() {
            Some(Removed::Gone) => step,
            // It stays, and goes when it is due, or by hand.
            Some(Removed::Refused(_) | Removed::Changed) => step.map(left),
            Some(Removed::Unknown(_)) | None => None,
        }
    }
}
