//! The way back out of the trash: for what became wanted while it was removed, and for `restore`. Nothing that exists
//! meanwhile is overwritten.

use anyhow::Result;
use chrono::Utc;
use futures::StreamExt;

use super::restoring::together;
use super::{Sight, Site, learn_kept};
use crate::config::Config;
use crate::domain::key::Printable;
use crate::domain::removal::Removals;
use crate::domain::{FolderRights, Object};
use crate::judge;
use crate::ledger::{Ledger, Removal, State, Step};
use crate::storage::{Copied, Copies, Hands, Presence, Removed, Returned, Store, Target};

/// What became of bringing one file back.
#[derive(Debug, PartialEq, Eq)]
pub enum Restored {
    Done,
    /// The same, and its copy stays in the trash: a delete of it may still be on its way.
    DoneLeft,
    /// Something else is at its key now, and was left alone.
    Taken,
    Failed(String),
}

impl Site<'_> {
    /// Puts a file back that became wanted as it was removed. `None`: it could not be done, and the removal stays open
    /// for the next run.
    pub(super) async fn give_back(&self, removal: &Removal, removals: &mut Removals) -> Option<Step> {
        let key = &removal.object.key;
        let step = |state, detail: &str| Some(Step::because(removal.id, state, detail));
        if removal.trash_key.is_none() {
            removals.fail(key, "it became wanted while it was deleted for good, and cannot be put back");
            return step(State::Deleted, "it became wanted as it was deleted");
        }
        match bring_back(self.store, removal, &[]).await {
            back @ (Restored::Done | Restored::DoneLeft) => {
                removals.put_back("it became wanted as it was removed");
                removals.files_trashed = removals.files_trashed.saturating_sub(1);
                removals.bytes = removals.bytes.saturating_sub(removal.object.size);
                let state = if back == Restored::Done { State::PutBack } else { State::PutBackLeft };
                step(state, "it became wanted as it was removed")
            }
            Restored::Taken => step(State::Trashed, "it became wanted, and something else is at its key now"),
            Restored::Failed(reason) => {
                removals.fail(key, &format!("it became wanted and could not be put back: {reason}"));
                None
            }
        }
    }
}

/// Where files are brought back.
pub struct Way<'a> {
    pub store: &'a dyn Store,
    pub config: &'a Config,
    pub sight: &'a mut Sight,
}

/// Brings files back from the trash, on record. What became of each is given in their order.
pub async fn restore(ledger: &mut Ledger, way: &mut Way<'_>, removals: &[Removal]) -> Result<Vec<Restored>> {
    let intents: Vec<Step> = removals.iter().map(|removal| Step::to(removal.id, State::Restoring)).collect();
    ledger.advance(&intents, "restore-intent", Utc::now()).await?;
    let rights = ledger.rights_above(removals.iter().map(|removal| removal.object.key.as_str())).await?;
    let restored = match way.store.hands() {
        Hands::Copies(copies) if way.sight.may_be_believed() => {
            if way.sight.is_trying() {
                way.sight.set_kept(learn_kept(ledger, copies, way.config).await?);
            }
            together(copies, way, removals).await
        }
        _ => one_by_one(way, removals, &rights).await,
    };
    // What was known of a copy that was left in the trash stays known.
    let stays = |state: State| if state.without_copy() == state { State::Trashed } else { state };
    let outcomes = removals.iter().zip(&restored).map(|(Removal { id, state, .. }, restored)| match restored {
        Restored::Done => Step::to(*id, State::Restored),
        Restored::DoneLeft => Step::to(*id, State::RestoredLeft),
        Restored::Taken => Step::to(*id, stays(*state)),
        Restored::Failed(reason) => Step::because(*id, stays(*state), reason.clone()),
    });
    ledger.advance(&outcomes.collect::<Vec<_>>(), "restore-outcome", Utc::now()).await?;
    Ok(restored)
}

pub(super) async fn one_by_one(way: &Way<'_>, removals: &[Removal], rights: &[FolderRights]) -> Vec<Restored> {
    let ways: Vec<_> = removals.iter().map(|removal| bring_back(way.store, removal, rights)).collect();
    futures::stream::iter(ways).buffered(way.config.storage.concurrency).collect().await
}

/// Brings a file back from the trash to where it was; `rights` are those of folders as they were.
pub(super) async fn bring_back(store: &dyn Store, removal: &Removal, rights: &[FolderRights]) -> Restored {
    let Some(trash_key) = &removal.trash_key else { return Restored::Failed("it is not in the trash".to_owned()) };
    match store.hands() {
        Hands::Copies(copies) => copy_back(store, copies, removal, trash_key).await,
        Hands::Moves(moves) => match moves.give_back(trash_key, &removal.object.key, rights) {
            Ok(Returned::Done) => Restored::Done,
            Ok(Returned::TargetTaken) => Restored::Taken,
            Ok(Returned::NotThere) => Restored::Failed(NOT_THERE.to_owned()),
            Err(error) => Restored::Failed(format!("{error:#}")),
        },
    }
}

pub(super) const NOT_THERE: &str = "it is not in the trash any more";

/// Copies a file from the trash to where it was, verifies it, and takes it out of the trash, unless a delete of it may still
/// be on its way.
async fn copy_back(store: &dyn Store, copies: &dyn Copies, removal: &Removal, trash_key: &str) -> Restored {
    let trashed = match store.look(trash_key).await {
        Ok(Presence::Present(trashed)) => trashed,
        Ok(_) => return Restored::Failed(NOT_THERE.to_owned()),
        Err(error) => return failed("the trash could not be looked at", &error),
    };
    let copied = copies.copy(&trashed, &removal.object.key, Target::MustBeFree).await;
    if let Some(end) = end(store, removal, &trashed, copied).await {
        return end;
    }
    if removal.late {
        return Restored::DoneLeft;
    }
    for answer in copies.remove(&[trash_key]).await {
        warn_of_left(trash_key, &answer);
    }
    Restored::Done
}

fn failed(what: &str, error: &anyhow::Error) -> Restored {
    Restored::Failed(format!("{what}: {error:#}"))
}

pub(super) fn warn_of_left(trash_key: &str, answer: &Removed) {
    if *answer != Removed::Gone {
        tracing::warn!("a copy is left at {}", Printable(trash_key));
    }
}

/// What a copy back came to; `None`: the file is at its place, and its copy may go.
pub(super) async fn end(
    store: &dyn Store,
    removal: &Removal,
    trashed: &Object,
    copied: Result<Copied>,
) -> Option<Restored> {
    let key = &removal.object.key;
    Some(match copied {
        Ok(Copied::Done(back)) if judge::is_surely_copy(trashed, &back) => return None,
        // The etag of a copy in parts, or of an encrypted one, is another; it was made a moment ago.
        Ok(Copied::Done(back)) if trashed.etag.is_some() && judge::is_copy(trashed, &back) => return None,
        Ok(Copied::Done(_)) => Restored::Failed("what was copied is not what is there".to_owned()),
        Ok(Copied::Made) => Restored::Failed("nobody has looked at what was copied".to_owned()),
        // The file is back; the copy in the trash has more than it.
        Ok(Copied::Lost(what)) => {
            tracing::warn!("{} is back without its {what}; its copy stays in the trash", Printable(key));
            Restored::DoneLeft
        }
        Ok(Copied::SourceChanged) => Restored::Failed("it changed in the trash".to_owned()),
        Ok(Copied::TargetTaken) => match store.look(key).await {
            Ok(Presence::Present(there)) if judge::is_surely_copy(trashed, &there) => return None,
            // Neither encrypted objects nor those of several parts have etags by which two could be told apart.
            Ok(Presence::Present(there)) if judge::is_copy(trashed, &there) => {
                tracing::warn!("{}: a file of the same size is there; its copy stays in the trash", Printable(key));
                Restored::DoneLeft
            }
            // Something else was stored there meanwhile.
            Ok(Presence::Present(_)) => Restored::Taken,
            Ok(_) => Restored::Failed("something was at its key, and is gone again".to_owned()),
            Err(error) => failed("it could not be looked at", &error),
        },
        Err(error) => failed("it could not be copied", &error),
    })
}
