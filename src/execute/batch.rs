//! One batch of files: looked at again, recorded, taken away, recorded, asked about once more.

use std::collections::{BTreeSet, HashSet};

use anyhow::{Context, Result};
use chrono::Utc;
use futures::StreamExt;

use super::{ASK, Answer, Site};
use crate::domain::removal::Removals;
use crate::domain::{FolderRights, Object};
use crate::judge;
use crate::ledger::{FileToGo, NewRemoval, Removal, State};
use crate::storage::{Hands, Presence, Store};

const WANTED: &str = "a record or reference names it now, or what it belongs to";

/// What the look before a removal says.
pub(super) enum Fate {
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
        let mut steps = Vec::new();
        let removed = match self.store.hands() {
            Hands::Moves(moves) => self.move_away(moves, intents, answer, removals, &mut steps).await?,
            Hands::Copies(copies) => self.copy_and_delete(copies, intents, answer, removals, &mut steps).await?,
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

    /// Looks and copies take their time: where the answer of streamed sources is too old by now, they are asked once more.
    pub(super) async fn still_unwanted(
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
        Ok(recorded.collect())
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

/// Whether the object is still the one that was listed.
pub(super) async fn look(store: &dyn Store, object: &Object) -> Fate {
    match store.look(&object.key).await {
        Ok(Presence::Present(now)) if judge::is_still(object, &now) => Fate::Go,
        Ok(Presence::Present(_)) => Fate::Skip("it changed".to_owned()),
        Ok(Presence::Missing) => Fate::Skip("it is gone already".to_owned()),
        Ok(Presence::Unknown(reason)) => Fate::Fail(reason),
        Err(error) => Fate::Fail(format!("it could not be looked at again: {error:#}")),
    }
}
