//! Trash that is due: what the ledger says was removed long enough ago, never by the file's own time, and never an
//! object that the ledger does not know (I11).

use anyhow::{Context, Result};
use chrono::Utc;
use futures::StreamExt;

use super::wanted::wanted;
use super::{ASK, DELETE_BATCH, Site};
use crate::domain::Time;
use crate::domain::key::Printable;
use crate::domain::removal::Removals;
use crate::judge;
use crate::ledger::{Removal, State, Step, Which};
use crate::storage::{Hands, Presence, Removed};

const NOT_THERE: &str = "it is not in the trash any more";

/// Removes trash of before `before` for good, at most `planned` files.
pub(super) async fn purge(site: &mut Site<'_>, before: Time, planned: u64, removals: &mut Removals) -> Result<()> {
    let mut left = usize::try_from(planned).unwrap_or(usize::MAX);
    let mut after = 0;
    while left > 0 {
        if let Some(reason) = site.must_stop() {
            removals.stopped = Some(reason);
            return Ok(());
        }
        site.still_alone().await?;
        let batch = site.ledger.removals(Which::Due(before), after, site.paced(DELETE_BATCH).min(left)).await?;
        let Some(last) = batch.last() else { return Ok(()) };
        after = last.id;
        left -= batch.len();
        site.hold_pace(batch.len()).await;
        purge_batch(site, &batch, removals).await?;
        removals.left = removals.left.saturating_sub(batch.len() as u64);
    }
    Ok(())
}

impl Site<'_> {
    /// Leaves out trash that a row or reference names again, or what it belongs to, while nothing is at its key: it is the
    /// last copy.
    async fn unwanted(&self, batch: &[Removal], removals: &mut Removals) -> Result<Vec<Removal>> {
        let wanted = wanted(self.database, &self.config.derived, batch).await.context(ASK)?;
        let mut unwanted = Vec::new();
        for removal in batch {
            let key = &removal.object.key;
            if wanted.contains(key) && !matches!(self.store.look(key).await, Ok(Presence::Present(_))) {
                removals.skip("it is wanted again, and its trash is kept");
                let key = Printable(key);
                tracing::warn!("{key} is wanted again, and its trash is kept: `cleanup-assets restore {key}`");
            } else {
                unwanted.push(removal.clone());
            }
        }
        Ok(unwanted)
    }

    /// A copy that was left beside its original may have turned out to be the last one: it goes on record as any other
    /// trash. Where that cannot be looked up it stays.
    async fn as_last_ones(&self, batch: Vec<Removal>, removals: &mut Removals) -> Vec<Removal> {
        let look = async |removal: Removal| {
            let original = if is_left(&removal) { Some(self.store.look(&removal.object.key).await) } else { None };
            (removal, original)
        };
        let looks: Vec<_> = batch.into_iter().map(look).collect();
        let looks: Vec<_> = futures::stream::iter(looks).buffered(self.concurrency).collect().await;
        let mut due = Vec::new();
        for (removal, original) in looks {
            match original {
                None => due.push(removal),
                Some(Ok(Presence::Present(now))) if judge::is_copy(&removal.object, &now) => due.push(removal),
                Some(Ok(Presence::Present(_) | Presence::Missing)) => {
                    due.push(Removal { state: State::Trashed, ..removal });
                }
                Some(Ok(Presence::Unknown(why))) => removals.fail(&removal.object.key, &unseen(&why)),
                Some(Err(error)) => removals.fail(&removal.object.key, &unseen(&format!("{error:#}"))),
            }
        }
        due
    }
}

fn unseen(why: &str) -> String {
    format!("its trash stays, as whether it is the last copy could not be looked up: {why}")
}

/// Whether it is a copy that was left beside its original.
fn is_left(removal: &Removal) -> bool {
    removal.state.without_copy() != removal.state
}

async fn purge_batch(site: &mut Site<'_>, batch: &[Removal], removals: &mut Removals) -> Result<()> {
    let batch = site.unwanted(batch, removals).await?;
    let batch = &site.as_last_ones(batch, removals).await;
    // A copy that was left beside its original is nothing but that: what else is known of the file stays as it is.
    let purged = batch.iter().filter(|removal| !is_left(removal));
    let intents: Vec<Step> = purged.map(|removal| Step::to(removal.id, State::Purging)).collect();
    site.ledger.advance(&intents, "purge-intent", Utc::now()).await?;
    let keys: Vec<&str> = batch.iter().filter_map(|removal| removal.trash_key.as_deref()).collect();
    let answers = match site.store.hands() {
        Hands::Copies(copies) => copies.remove(&keys).await.into_iter().map(Some).collect(),
        Hands::Moves(moves) => moves.discard(&keys),
    };
    let mut steps = Vec::new();
    for (removal, answer) in batch.iter().zip(answers) {
        let ended = if is_left(removal) { removal.state.without_copy() } else { State::Purged };
        let state = match answer {
            // Somebody took it away: this run frees nothing by it.
            None => {
                removals.skip(NOT_THERE);
                steps.push(Step::because(removal.id, ended, NOT_THERE));
                continue;
            }
            Some(Removed::Gone) => {
                removals.purged += 1;
                removals.purged_bytes += removal.object.size;
                ended
            }
            Some(Removed::Changed) => {
                removals.fail(&removal.object.key, "its trash changed, and stays");
                if is_left(removal) { removal.state } else { State::Trashed }
            }
            Some(Removed::Refused(reason)) => {
                removals.fail(&removal.object.key, &format!("its trash could not be removed: {reason}"));
                if is_left(removal) { removal.state } else { State::Trashed }
            }
            // It is due the next time.
            Some(Removed::NotTried) => continue,
            // The next run looks it up.
            Some(Removed::Unknown(reason)) => {
                removals.fail(&removal.object.key, &format!("its trash may not be removed: {reason}"));
                continue;
            }
        };
        steps.push(Step::to(removal.id, state));
    }
    site.ledger.advance(&steps, "purge-outcome", Utc::now()).await
}
