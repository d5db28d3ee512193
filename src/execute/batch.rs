//! One batch of files: looked at again, recorded, taken away, recorded, asked about once more.

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

use anyhow::{Context, Result};
use chrono::Utc;

use super::removing::Asked;
use super::sight::{Effort, Look, Scene};
use super::{ASK, Answer, Site};
use crate::domain::FolderRights;
use crate::domain::removal::Removals;
use crate::ledger::{FileToGo, NewRemoval, Removal, State};
use crate::storage::Hands;

pub(super) const WANTED: &str = "a record or reference names it now, or what it belongs to";

/// What the look before a removal says.
pub(super) enum Fate {
    Go,
    Skip(String),
    Fail(String),
    /// What is at its place in the trash is not ours.
    Taken(String),
}

/// A removal that is on record.
pub(super) struct Ready {
    pub removal: Removal,
    /// When its object was last looked at; `None`: not since the plan.
    pub seen: Option<Instant>,
    /// Whether a copy that is told nothing lacks nothing of it, as far as was looked.
    pub is_plain: bool,
}

impl Ready {
    pub fn key(&self) -> &str {
        &self.removal.object.key
    }
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
        let asked = Asked::now(answer);
        let going = self.look_again(files, &answer.wanted, removals).await?;
        let intents = self.intend(going).await?;
        let mut steps = Vec::new();
        let removed = match self.store.hands() {
            Hands::Moves(moves) => self.move_away(moves, intents, answer, removals, &mut steps).await?,
            Hands::Copies(copies) => {
                self.copy_and_delete(copies, intents, (answer, asked), removals, &mut steps).await?
            }
        };
        self.ledger.advance(&steps, "outcome", Utc::now()).await?;
        self.doubt_conditions().await?;
        self.ask_once_more(removed, removals, unsettled).await
    }

    /// Asks every source and looks at every object (I8); what may not go is recorded and left.
    async fn look_again(
        &mut self,
        files: &[FileToGo],
        streamed: &HashSet<String>,
        removals: &mut Removals,
    ) -> Result<Vec<(FileToGo, Look)>> {
        let keys: Vec<&str> = files.iter().map(|file| file.object.key.as_str()).collect();
        let wanted = self.wanted_now(&keys).await.context(ASK)?;
        // What is copied is looked at once more afterwards: one look is enough where it costs a request.
        let effort = if self.trash.is_some() { Effort::Listed } else { Effort::Every };
        let looks = self.look_at(&keys, effort).await;
        let (mut going, mut left) = (Vec::new(), Vec::new());
        for (file, look) in files.iter().zip(looks) {
            let FileToGo { object, kind, .. } = file;
            let fate = match wanted.contains(&object.key) || streamed.contains(&object.key) {
                true => Fate::Skip(WANTED.to_owned()),
                false => look.fate(object),
            };
            let (state, detail) = match fate {
                Fate::Go => {
                    going.push((file.clone(), look));
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

    /// Looks and copies take their time: where the answer of streamed sources is too old by now, they are asked once more.
    pub(super) async fn still_unwanted(
        &self,
        deletable: Vec<Ready>,
        answer: &Answer,
        left: &mut Vec<(Removal, Fate)>,
    ) -> Result<Vec<Ready>> {
        if deletable.is_empty() || !self.is_old(answer) {
            return Ok(deletable);
        }
        let keys: Vec<&str> = deletable.iter().map(Ready::key).collect();
        let now = self.stream(&keys).await?.wanted;
        let (kept, going): (Vec<_>, Vec<_>) = deletable.into_iter().partition(|ready| now.contains(ready.key()));
        left.extend(kept.into_iter().map(|ready| (ready.removal, Fate::Skip(WANTED.to_owned()))));
        Ok(going)
    }

    /// Looks at objects of the store.
    pub(super) async fn look_at(&mut self, keys: &[&str], effort: Effort) -> Vec<Look> {
        let scene = Scene { store: self.store, below: &self.config.storage.prefix, concurrency: self.concurrency };
        self.sight.look(scene, keys, effort).await
    }

    /// Commits what is about to be done (I9).
    async fn intend(&mut self, files: Vec<(FileToGo, Look)>) -> Result<Vec<Ready>> {
        let (files, looks): (Vec<_>, Vec<_>) = files.into_iter().unzip();
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
        let rights = self.rights_above(&intents);
        let ids = self.ledger.record_with(self.run, &intents, &rights, "intent", Utc::now()).await?;
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
        let ready = |(removal, look): (_, Look)| Ready { removal, seen: look.at(), is_plain: look.is_plain() };
        Ok(recorded.zip(looks).map(ready).collect())
    }

    /// Whose the folders are that files are about to leave, so that `restore` can make them again; of those that the window
    /// has not met yet.
    fn rights_above(&mut self, intents: &[NewRemoval]) -> Vec<FolderRights> {
        let Hands::Moves(moves) = self.store.hands() else { return Vec::new() };
        let folders = intents.iter().filter_map(|intent| intent.object.key.rsplit_once('/')).map(|(folder, _)| folder);
        let new: BTreeSet<&str> = folders.filter(|folder| !self.met.contains(*folder)).collect();
        self.met.extend(new.iter().map(|folder| (*folder).to_owned()));
        let keys: Vec<String> = new.into_iter().map(|folder| format!("{folder}/")).collect();
        moves.rights_above(&keys.iter().map(String::as_str).collect::<Vec<_>>())
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
