//! One batch of files: looked at again, recorded, copied, deleted, recorded, asked about once more.

use std::collections::HashSet;

use anyhow::{Context, Result};
use chrono::Utc;
use futures::StreamExt;

use super::removing::Answered;
use super::{ASK, Answer, Site};
use crate::domain::Object;
use crate::domain::removal::Removals;
use crate::judge;
use crate::ledger::{FileToGo, NewRemoval, Removal, State, Step};
use crate::storage::{Copied, Presence, Removed, Store, Target};

const WANTED: &str = "a record or reference names it now, or what it belongs to";

/// What the look before a removal says.
enum Fate {
    Go,
    Skip(String),
    Fail(String),
    /// What is at its place in the trash is not ours.
    Taken(String),
}

impl Site<'_> {
    /// Removes the files of one batch that may still go. Those that are removed, and that a streamed source may yet
    /// claim, are added to `unsettled`.
    pub(super) async fn batch(
        &mut self,
        files: &[FileToGo],
        answer: &Answer,
        removals: &mut Removals,
        unsettled: &mut Vec<Removal>,
    ) -> Result<()> {
        self.still_alone().await?;
        let going = self.look_again(files, &answer.wanted, removals).await?;
        let intents = self.intend(going).await?;
        let (deletable, mut left) = self.copy_to_trash(intents).await;
        let deletable = self.still_unwanted(deletable, answer, &mut left).await?;
        let mut steps = Vec::new();
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
            steps.extend(self.give_up(&removal, state, reason).await);
        }
        let answers = self.remove_surely(&deletable).await;
        let mut removed = Vec::new();
        for (removal, Answered { answer, late }) in deletable.into_iter().zip(answers) {
            let removal = Removal { late, ..removal };
            match answer {
                Removed::Gone => {
                    let state = match removal.trash_key {
                        Some(_) => State::TrashedUnsettled,
                        None => State::DeletedUnsettled,
                    };
                    steps.push(Step::to(removal.id, state).late(late));
                    removals.bytes += removal.object.size;
                    match removal.trash_key {
                        Some(_) => removals.files_trashed += 1,
                        None => removals.files_deleted += 1,
                    }
                    removed.push(removal);
                }
                Removed::Refused(reason) => {
                    removals.fail(&removal.object.key, &reason);
                    steps.extend(self.give_up(&removal, State::Failed, reason).await);
                }
                // The intent stays open: the next run looks it up.
                Removed::Unknown(reason) => removals.fail(&removal.object.key, &format!("unknown: {reason}")),
            }
        }
        self.ledger.advance(&steps, "outcome", Utc::now()).await?;
        self.ask_once_more(removed, removals, unsettled).await
    }

    /// Asks every source and looks at every object (I8); what may not go is recorded and left.
    async fn look_again(
        &mut self,
        files: &[FileToGo],
        streamed: &HashSet<String>,
        removals: &mut Removals,
    ) -> Result<Vec<FileToGo>> {
        let keys: Vec<&str> = files.iter().map(|file| file.object.key.as_str()).collect();
        let wanted = self.wanted_now(&keys).await.context(ASK)?;
        let store = self.store;
        let looks: Vec<_> = files.iter().map(|file| look(store, &file.object)).collect();
        let fates: Vec<Fate> = futures::stream::iter(looks).buffered(self.concurrency).collect().await;
        let (mut going, mut left) = (Vec::new(), Vec::new());
        for (file, fate) in files.iter().zip(fates) {
            let FileToGo { object, kind, .. } = file;
            let fate = match wanted.contains(&object.key) || streamed.contains(&object.key) {
                true => Fate::Skip(WANTED.to_owned()),
                false => fate,
            };
            let (state, detail) = match fate {
                Fate::Go => {
                    going.push(file.clone());
                    continue;
                }
                Fate::Skip(reason) => {
                    removals.skip(&reason);
                    (State::Skipped, reason)
                }
                Fate::Fail(reason) | Fate::Taken(reason) => {
                    removals.fail(&object.key, &reason);
                    (State::Failed, reason)
                }
            };
            left.push(NewRemoval {
                kind: kind.clone(),
                object: object.clone(),
                row: None,
                also: Vec::new(),
                trash_key: None,
                state,
                detail: Some(detail),
            });
        }
        if !left.is_empty() {
            self.ledger.record(self.run, &left, "left", Utc::now()).await?;
        }
        Ok(going)
    }

    /// Copying takes its time: where the answer of streamed sources is too old by now, they are asked once more.
    async fn still_unwanted(
        &self,
        deletable: Vec<Removal>,
        answer: &Answer,
        left: &mut Vec<(Removal, Fate)>,
    ) -> Result<Vec<Removal>> {
        if deletable.is_empty() || !self.is_old(answer) {
            return Ok(deletable);
        }
        let keys: Vec<&str> = deletable.iter().map(|removal| removal.object.key.as_str()).collect();
        let now = self.stream(&keys).await?.wanted;
        let (kept, going): (Vec<_>, Vec<_>) =
            deletable.into_iter().partition(|removal| now.contains(&removal.object.key));
        left.extend(kept.into_iter().map(|removal| (removal, Fate::Skip(WANTED.to_owned()))));
        Ok(going)
    }

    /// Commits what is about to be done (I9).
    async fn intend(&mut self, files: Vec<FileToGo>) -> Result<Vec<Removal>> {
        let intents: Vec<NewRemoval> = files
            .into_iter()
            .map(|FileToGo { object, kind, .. }| {
                let trash_key = self.trash.as_ref().map(|folder| format!("{folder}{}", object.key));
                NewRemoval {
                    kind,
                    object,
                    row: None,
                    also: Vec::new(),
                    trash_key,
                    state: State::Intended,
                    detail: None,
                }
            })
            .collect();
        if intents.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.ledger.record(self.run, &intents, "intent", Utc::now()).await?;
        let recorded = ids.into_iter().zip(intents).map(|(id, intent)| Removal {
            id,
            kind: intent.kind.name().to_owned(),
            object: intent.object,
            row: None,
            trash_key: intent.trash_key,
            state: State::Intended,
            late: false,
            detail: None,
            intended_at: String::new(),
            done_at: None,
        });
        Ok(recorded.collect())
    }

    /// Copies each file to the trash and verifies the copy (I11). Gives those that may now be deleted, and the
    /// others with their fates.
    async fn copy_to_trash(&self, removals: Vec<Removal>) -> (Vec<Removal>, Vec<(Removal, Fate)>) {
        let copies: Vec<_> = removals.iter().map(|removal| self.copy_one(removal)).collect();
        let fates: Vec<Fate> = futures::stream::iter(copies).buffered(self.concurrency).collect().await;
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

    async fn copy_one(&self, removal: &Removal) -> Fate {
        let (object, Some(trash_key)) = (&removal.object, &removal.trash_key) else { return Fate::Go };
        match self.store.copy(object, trash_key, Target::Own).await {
            Ok(Copied::Done) => {}
            Ok(Copied::SourceChanged) => return Fate::Skip("it changed".to_owned()),
            Ok(Copied::TargetTaken) => return Fate::Taken(format!("something is at {trash_key} already")),
            Err(error) => return Fate::Fail(format!("{error:#}")),
        }
        match self.store.look(trash_key).await {
            Ok(Presence::Present(copy)) if judge::is_copy(object, &copy) => Fate::Go,
            Ok(_) => Fate::Fail("its copy in the trash is not what was copied".to_owned()),
            Err(error) => Fate::Fail(format!("its copy in the trash could not be looked at: {error:#}")),
        }
    }

    /// Ends a removal whose original stays: its copy is taken out of the trash again, unless a delete may still be on its
    /// way. `None`: that could not be done, and
    /// the removal stays open for the next run.
    async fn give_up(&self, removal: &Removal, state: State, reason: String) -> Option<Step> {
        let step = Some(Step::because(removal.id, state, reason));
        let Some(trash_key) = &removal.trash_key else { return step };
        match self.store.look(trash_key).await {
            Ok(Presence::Missing) => return step,
            Ok(Presence::Present(_)) => {}
            Ok(Presence::Unknown(_)) | Err(_) => return None,
        }
        if removal.late {
            let state = if state == State::Skipped { State::SkippedLeft } else { State::FailedLeft };
            return step.map(|step| Step { state, late: true, ..step });
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
        let answers = self.store.remove(&[trash_key]).await;
        step.filter(|_| answers.iter().all(|answer| *answer == Removed::Gone))
    }

    /// Asks the sources about what was just removed; puts back what is wanted, and settles the rest, unless a source that
    /// must be streamed has still to be asked.
    async fn ask_once_more(
        &mut self,
        removed: Vec<Removal>,
        removals: &mut Removals,
        unsettled: &mut Vec<Removal>,
    ) -> Result<()> {
        if removed.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = removed.iter().map(|removal| removal.object.key.as_str()).collect();
        let wanted = self.wanted_now(&keys).await.context(ASK)?;
        if !self.streams_again() {
            return self.settle(&removed, &wanted, removals).await;
        }
        let (back, rest): (Vec<_>, Vec<_>) =
            removed.into_iter().partition(|removal| wanted.contains(&removal.object.key));
        unsettled.extend(rest);
        self.settle(&back, &wanted, removals).await
    }
}

/// Whether the object is still the one that was listed.
async fn look(store: &dyn Store, object: &Object) -> Fate {
    match store.look(&object.key).await {
        Ok(Presence::Present(now)) if judge::is_still(object, &now) => Fate::Go,
        Ok(Presence::Present(_)) => Fate::Skip("it changed".to_owned()),
        Ok(Presence::Missing) => Fate::Skip("it is gone already".to_owned()),
        Ok(Presence::Unknown(reason)) => Fate::Fail(reason),
        Err(error) => Fate::Fail(format!("it could not be looked at again: {error:#}")),
    }
}
