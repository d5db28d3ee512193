//! What a run that died left open is resolved before the next run's first removal: looked up, never guessed (I10).

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::Utc;
use tokio::sync::OnceCell;

use super::put_back::bring_back;
use super::wanted::wanted;
use super::{ASK, Restored};
use crate::database::Database;
use crate::domain::Object;
use crate::domain::derived::DerivedRule;
use crate::judge;
use crate::ledger::{Ledger, Removal, State, Step, Which};
use crate::storage::{Copies, Hands, Moves, Presence, Removed, Returned, Store};

/// A run that was killed may have sent a delete that the store has not carried out yet: a look now would find the object,
/// and its copy would be taken out of the trash just before the object goes.
const SETTLING: Duration = Duration::from_secs(if cfg!(feature = "failpoints") { 0 } else { 10 });
/// Removals resolved at once.
const BATCH: usize = 1_000;

/// Resolves every open removal, and gives how many there were. A look that cannot be taken is an error: nothing is
/// removed then. `derived`: by what rules files belong to others.
pub async fn resume(
    ledger: &mut Ledger,
    database: Option<&Database>,
    derived: &[DerivedRule],
    store: &dyn Store,
) -> Result<u64> {
    let mut resolved = 0;
    let mut after = 0;
    loop {
        let open = ledger.removals(Which::Open, after, BATCH).await?;
        let Some(last) = open.last() else { return Ok(resolved) };
        after = last.id;
        wait_for_the_last_requests().await;
        store.is_there().await?;
        let mut unsettled = Vec::new();
        let mut steps = Vec::new();
        for removal in open {
            let (state, detail) = resolution(store, &removal).await?;
            match state {
                State::TrashedUnsettled | State::DeletedUnsettled => unsettled.push(Removal { state, ..removal }),
                state => steps.push(Step::because(removal.id, state, detail)),
            }
            resolved += 1;
        }
        steps.extend(settle(database, derived, store, &unsettled).await?);
        ledger.advance(&steps, "resume", Utc::now()).await?;
    }
}

/// Waits, once, for what a run that was killed may still have under way.
pub(super) async fn wait_for_the_last_requests() {
    static WAITED: OnceCell<()> = OnceCell::const_new();
    let wait = async || {
        if !SETTLING.is_zero() {
            tracing::warn!("an earlier run was cut off; waiting {} s for its last requests", SETTLING.as_secs());
            tokio::time::sleep(SETTLING).await;
        }
    };
    WAITED.get_or_init(wait).await;
}

/// What became of an open removal.
async fn resolution(store: &dyn Store, removal: &Removal) -> Result<(State, &'static str)> {
    match store.hands() {
        Hands::Copies(copies) => of_copies(store, copies, removal).await,
        Hands::Moves(moves) => of_moves(store, moves, removal).await,
    }
}

/// The same where files are moved: nothing is deleted from the trash. What was taken and is not what was judged goes
/// back; the rest of the trash waits until it is due.
async fn of_moves(store: &dyn Store, moves: &dyn Moves, removal: &Removal) -> Result<(State, &'static str)> {
    let key = &removal.object.key;
    if removal.state == State::Intended && removal.trash_key.is_none() {
        moves.bring_back_from_hand(key)?;
    }
    let original = at(store, key).await?;
    let taken = match &removal.trash_key {
        Some(trash_key) => present(trash_key, moves.look_in_trash(trash_key)?)?,
        None => None,
    };
    Ok(match (removal.state, original, taken, &removal.trash_key) {
        (State::Intended, Some(_), None, _) => (State::Skipped, "the run ended before it was removed"),
        (State::Intended, None, None, None) => (State::DeletedUnsettled, ""),
        (State::Intended, None, None, Some(_)) => (State::Failed, "it was gone, and is not in the trash"),
        (State::Intended, None, Some(taken), _) if judge::is_surely_copy(&removal.object, &taken) => {
            (State::TrashedUnsettled, "")
        }
        (State::Intended, None, Some(_), Some(trash_key)) => match moves.give_back(trash_key, key, &[])? {
            Returned::Done => (State::Skipped, "it was replaced as it was taken, and is back"),
            Returned::TargetTaken => (State::Trashed, "it was replaced as it was taken, and once more since"),
            Returned::NotThere => (State::Failed, "it was in the trash, and is not any more"),
        },
        (State::Intended, Some(_), Some(_), _) => (State::Trashed, "something else is at its key now"),
        (State::TrashedUnsettled, Some(_), None, _) => (State::PutBack, "the run ended as it was put back"),
        (State::TrashedUnsettled | State::Restoring, None, None, _) => {
            (State::Failed, "it was in the trash, and is not any more")
        }
        (State::Restoring, Some(_), None, _) => (State::Restored, "the run ended while it was restored"),
        (State::Restoring | State::Purging, _, Some(_), _) => (State::Trashed, "the run ended before that"),
        (State::Purging, _, None, _) => (State::Purged, "the run ended while its trash was removed"),
        (state, ..) => (state, ""),
    })
}

/// The same in a bucket.
async fn of_copies(store: &dyn Store, copies: &dyn Copies, removal: &Removal) -> Result<(State, &'static str)> {
    let original = at(store, &removal.object.key).await?;
    let copy = match &removal.trash_key {
        Some(trash_key) => at(store, trash_key).await?,
        None => None,
    };
    Ok(match (removal.state, original, copy) {
        // Something else was stored there meanwhile; the copy is of what was to be removed.
        (State::Intended, Some(original), Some(copy))
            if !judge::is_unchanged(&removal.object, &original) && judge::is_copy(&removal.object, &copy) =>
        {
            (State::TrashedUnsettled, "")
        }
        (State::Intended, Some(_), copy) => {
            if let (Some(_), Some(trash_key)) = (copy, &removal.trash_key) {
                take_out(copies, trash_key).await?;
            }
            (State::Skipped, "the run ended before it was removed")
        }
        (State::Intended, None, Some(_)) => (State::TrashedUnsettled, ""),
        (State::Intended, None, None) if removal.trash_key.is_none() => (State::DeletedUnsettled, ""),
        (State::Intended, None, None) => (State::Failed, "it was gone, and is not in the trash"),
        (State::TrashedUnsettled, Some(_), None) => (State::PutBack, "the run ended as it was put back"),
        (State::TrashedUnsettled, None, None) => (State::Failed, "it was in the trash, and is not any more"),
        // Its way back ended between the copy and the end.
        (State::Restoring, Some(original), Some(copy)) if judge::is_surely_copy(&copy, &original) => {
            if let Some(trash_key) = &removal.trash_key {
                take_out(copies, trash_key).await?;
            }
            (State::Restored, "the run ended while it was restored")
        }
        (State::Restoring, Some(_), None) => (State::Restored, "the run ended while it was restored"),
        (State::Restoring | State::Purging, _, Some(_)) => (State::Trashed, "the run ended before that"),
        (State::Restoring, None, None) => (State::Failed, "it was in the trash, and is not any more"),
        (State::Purging, _, None) => (State::Purged, "the run ended while its trash was removed"),
        (state, ..) => (state, ""),
    })
}

/// Asks the sources about what was removed: what they want goes back.
async fn settle(
    database: Option<&Database>,
    derived: &[DerivedRule],
    store: &dyn Store,
    removed: &[Removal],
) -> Result<Vec<Step>> {
    // Without a database nothing can be settled; that it was removed is known all the same.
    let Some(database) = database.filter(|_| !removed.is_empty()) else {
        return Ok(removed.iter().map(|removal| Step::to(removal.id, removal.state)).collect());
    };
    let wanted = wanted(database, derived, removed).await.context(ASK)?;
    let mut steps = Vec::new();
    for removal in removed {
        let in_trash = removal.trash_key.is_some();
        let gone = if in_trash { State::Trashed } else { State::Deleted };
        let (state, detail) = match wanted.contains(&removal.object.key) {
            false => (gone, "the run ended as it was removed"),
            true if !in_trash => (gone, "it became wanted as it was deleted for good"),
            true => match bring_back(store, removal, &[]).await {
                Restored::Done => (State::PutBack, "it became wanted as it was removed"),
                Restored::Taken => (State::Trashed, "it became wanted, and something else is at its key now"),
                Restored::Failed(reason) => {
                    // Put back already, by the run that died?
                    match at(store, &removal.object.key).await? {
                        Some(_) => (State::PutBack, "it became wanted as it was removed"),
                        None => {
                            anyhow::bail!("{} became wanted and could not be put back: {reason}", removal.object.key)
                        }
                    }
                }
            },
        };
        // Two steps in one: done_at is when it was removed.
        let unsettled = if in_trash { State::TrashedUnsettled } else { State::DeletedUnsettled };
        steps.push(Step::to(removal.id, unsettled));
        steps.push(Step::because(removal.id, state, detail));
    }
    Ok(steps)
}

async fn take_out(copies: &dyn Copies, trash_key: &str) -> Result<()> {
    for answer in copies.remove(&[trash_key]).await {
        if let Removed::Refused(reason) | Removed::Unknown(reason) = answer {
            anyhow::bail!("a copy in the trash could not be removed: {reason}");
        }
    }
    Ok(())
}

/// The object at a key, if it is there.
async fn at(store: &dyn Store, key: &str) -> Result<Option<Object>> {
    present(key, store.look(key).await?)
}

fn present(key: &str, presence: Presence) -> Result<Option<Object>> {
    match presence {
        Presence::Present(object) => Ok(Some(object)),
        Presence::Missing => Ok(None),
        Presence::Unknown(reason) => anyhow::bail!("{}: {reason}", crate::domain::key::Printable(key)),
    }
}
