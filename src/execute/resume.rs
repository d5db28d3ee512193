//! What a run that died left open is resolved before the next run's first removal: looked up, never guessed (I10).
//!
//! A delete that the dead run sent may be carried out only now, or later: nothing here takes a copy out of the trash. What
//! stays there beside its original goes when it is due.

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
use crate::domain::key::Printable;
use crate::judge;
use crate::ledger::{Ledger, Removal, State, Step, Which};
use crate::storage::{Hands, Moves, Presence, Returned, Store};

/// A run that was killed may have sent a delete that the store has not carried out yet: it is given some time to do so.
const SETTLING: Duration = Duration::from_secs(if cfg!(feature = "failpoints") { 0 } else { 10 });
/// Removals that are named one by one where they stay open.
const NAMED: usize = 20;
/// Removals resolved at once.
const BATCH: usize = 1_000;

/// What became of the removals that a run which died left open.
#[derive(Debug, Default)]
pub struct Resumed {
    pub resolved: u64,
    /// What is still open, and why, the first of it: nothing else waits for it.
    open: Vec<String>,
    /// How many more there are.
    more: u64,
}

impl Resumed {
    /// What to say of what is still open.
    pub fn told(self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("{} more removals are still open", self.more));
        self.open.into_iter().chain(more)
    }

    /// Notes a removal that cannot be resolved now.
    pub(super) fn leave_open(&mut self, name: &str, why: &anyhow::Error) {
        if self.open.len() >= NAMED {
            self.more += 1;
            return;
        }
        let name = Printable(name);
        self.open
            .push(format!("{name}: what became of its removal is still open, as it could not be looked at: {why:#}"));
    }

    /// Notes a file that is wanted and could not be put back.
    fn leave_away(&mut self, removal: &Removal, why: &str) {
        let (key, trash_key) = (&removal.object.key, removal.trash_key.as_deref().unwrap_or_default());
        let (key, trash_key) = (Printable(key), Printable(trash_key));
        self.open.push(format!("{key} is wanted, is not at its place, and lies at {trash_key}: {why}"));
    }
}

/// Resolves every open removal. What cannot be looked at stays open. `derived`: by what rules files belong to others.
///
/// # Errors
/// The bucket itself, or the database, does not answer: nothing is removed then.
pub async fn resume(
    ledger: &mut Ledger,
    database: Option<&Database>,
    derived: &[DerivedRule],
    store: &dyn Store,
) -> Result<Resumed> {
    let mut resumed = Resumed { open: of_others(ledger).await?, ..Resumed::default() };
    let mut after = 0;
    loop {
        let open = ledger.removals(Which::Open, after, BATCH).await?;
        let Some(last) = open.last() else { return Ok(resumed) };
        after = last.id;
        // A delete that was sent may still be on its way; a move is over with the run that made it.
        let may_be_late = matches!(store.hands(), Hands::Copies(_));
        if may_be_late {
            wait_for_the_last_requests().await;
        }
        store.is_there().await?;
        let mut unsettled = Vec::new();
        let mut steps = Vec::new();
        for removal in open {
            let late = removal.late || may_be_late && removal.state == State::Intended;
            match resolution(store, &removal).await {
                Ok((state @ (State::TrashedUnsettled | State::DeletedUnsettled), _)) => {
                    unsettled.push(Removal { state, late, ..removal });
                }
                Ok((state, detail)) => {
                    resumed.resolved += 1;
                    steps.push(Step::because(removal.id, state, detail).late(late));
                }
                Err(error) => resumed.leave_open(&removal.object.key, &error),
            }
        }
        steps.extend(settle(database, derived, store, &unsettled, &mut resumed).await?);
        ledger.advance(&steps, "resume", Utc::now()).await?;
    }
}

/// What to say of removals that runs of another database left open: it alone can say what became wanted meanwhile.
async fn of_others(ledger: &mut Ledger) -> Result<Vec<String>> {
    let open = ledger.open_of_others().await?.into_iter();
    let open = open.map(|(database, count)| {
        let (removals, are) = if count == 1 { ("removal", "is") } else { ("removals", "are") };
        format!(
            "{count} {removals} by a run of another database ({database}) {are} still open: its own configuration resolves \
             them, with `--execute` or `restore`"
        )
    });
    Ok(open.collect())
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
        Hands::Copies(_) => of_copies(store, removal).await,
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
    let taken = match removal.trash_key.as_ref().map(|trash_key| moves.look_in_trash(trash_key).and_then(present)) {
        Some(Ok(taken)) => taken,
        None => None,
        // A trash that was taken away, or may not be read: the same is tried again when it is due, or restored.
        Some(Err(_)) if matches!(removal.state, State::Purging | State::Restoring) => {
            return Ok((State::Trashed, "the run ended before that, and its trash could not be looked at"));
        }
        // The sources are asked about it all the same; what they want stays open.
        Some(Err(_)) if removal.state == State::TrashedUnsettled => return Ok((State::TrashedUnsettled, "")),
        // What is as it was judged was not moved.
        Some(Err(_)) if original.as_ref().is_some_and(|original| judge::is_surely_copy(&removal.object, original)) => {
            return Ok((State::Skipped, "the run ended before it was removed"));
        }
        Some(Err(error)) => return Err(error),
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
        // One file has both names where its way back was a link.
        (State::Intended, Some(_), Some(_), Some(trash_key)) => match moves.give_back(trash_key, key, &[])? {
            Returned::Done => (State::Skipped, "it was replaced as it was taken, and is back"),
            Returned::TargetTaken => (State::Trashed, "something else is at its key now"),
            Returned::NotThere => (State::Skipped, "it was replaced as it was taken"),
        },
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
async fn of_copies(store: &dyn Store, removal: &Removal) -> Result<(State, &'static str)> {
    let original = at(store, &removal.object.key).await?;
    let copy = in_trash(store, removal).await?;
    Ok(match (removal.state, original, copy) {
        // Something else was stored there meanwhile; the copy is of what was to be removed.
        (State::Intended, Some(original), Some(copy))
            if !judge::is_unchanged(&removal.object, &original) && judge::is_copy(&removal.object, &copy) =>
        {
            (State::TrashedUnsettled, "")
        }
        (State::Intended, Some(_), Some(_)) => {
            (State::SkippedLeft, "the run ended before it was removed; a copy stays in the trash until it is due")
        }
        (State::Intended, Some(_), None) => (State::Skipped, "the run ended before it was removed"),
        (State::Intended, None, Some(_)) => (State::TrashedUnsettled, ""),
        (State::Intended, None, None) if removal.trash_key.is_none() => (State::DeletedUnsettled, ""),
        (State::Intended, None, None) => (State::Failed, "it was gone, and is not in the trash"),
        (State::TrashedUnsettled, Some(_), None) => (State::PutBack, "the run ended as it was put back"),
        (State::TrashedUnsettled, None, None) => (State::Failed, "it was in the trash, and is not any more"),
        // Its way back ended between the copy and the end.
        (State::Restoring, Some(original), Some(copy)) if judge::is_surely_copy(&copy, &original) => {
            (State::RestoredLeft, "the run ended while it was restored; a copy stays in the trash until it is due")
        }
        (State::Restoring, Some(_), None) => (State::Restored, "the run ended while it was restored"),
        (State::Restoring | State::Purging, _, Some(_)) => (State::Trashed, "the run ended before that"),
        (State::Restoring, None, None) => (State::Failed, "it was in the trash, and is not any more"),
        (State::Purging, _, None) => (State::Purged, "the run ended while its trash was removed"),
        (state, ..) => (state, ""),
    })
}

/// Asks the sources about what was removed: what they want goes back. What cannot go back stays open.
async fn settle(
    database: Option<&Database>,
    derived: &[DerivedRule],
    store: &dyn Store,
    removed: &[Removal],
    resumed: &mut Resumed,
) -> Result<Vec<Step>> {
    // Without a database nothing can be settled; that it was removed is known all the same.
    let Some(database) = database.filter(|_| !removed.is_empty()) else {
        return Ok(removed.iter().map(|removal| Step::to(removal.id, removal.state).late(removal.late)).collect());
    };
    let wanted = wanted(database, derived, removed).await.context(ASK)?;
    let mut steps = Vec::new();
    for removal in removed {
        let in_trash = removal.trash_key.is_some();
        let gone = if in_trash { State::Trashed } else { State::Deleted };
        let (state, detail) = match wanted.contains(&removal.object.key) {
            false => (gone, "the run ended as it was removed"),
            true if !in_trash => (gone, "it became wanted as it was deleted for good"),
            true => match put_back(store, removal, resumed).await {
                Ok(settled) => settled,
                Err(error) => {
                    resumed.leave_open(&removal.object.key, &error);
                    (removal.state, "")
                }
            },
        };
        // Two steps in one: done_at is when it was removed.
        let unsettled = if in_trash { State::TrashedUnsettled } else { State::DeletedUnsettled };
        steps.push(Step::to(removal.id, unsettled).late(removal.late));
        if state != unsettled {
            resumed.resolved += 1;
            steps.push(Step::because(removal.id, state, detail));
        }
    }
    Ok(steps)
}

/// Puts back what became wanted.
async fn put_back(store: &dyn Store, removal: &Removal, resumed: &mut Resumed) -> Result<(State, &'static str)> {
    const BACK: &str = "it became wanted as it was removed";
    match bring_back(store, removal, &[]).await {
        Restored::Done => Ok((State::PutBack, BACK)),
        Restored::DoneLeft => Ok((State::PutBackLeft, BACK)),
        Restored::Taken => Ok((State::Trashed, "it became wanted, and something else is at its key now")),
        Restored::Failed(reason) => match at(store, &removal.object.key).await? {
            // Put back already, by the run that died? While a copy is in the trash, the ledger must know it: what is at the
            // key may be something else, or be deleted by a request that comes late.
            Some(_) if in_trash(store, removal).await?.is_some() => Ok((State::PutBackLeft, BACK)),
            Some(_) => Ok((State::PutBack, BACK)),
            None => {
                resumed.leave_away(removal, &reason);
                Ok((removal.state, ""))
            }
        },
    }
}

/// What the trash holds of a removal, if anything.
async fn in_trash(store: &dyn Store, removal: &Removal) -> Result<Option<Object>> {
    let Some(trash_key) = &removal.trash_key else { return Ok(None) };
    match store.hands() {
        Hands::Copies(_) => at(store, trash_key).await,
        Hands::Moves(moves) => present(moves.look_in_trash(trash_key)?),
    }
}

/// The object at a key, if it is there.
async fn at(store: &dyn Store, key: &str) -> Result<Option<Object>> {
    present(store.look(key).await?)
}

fn present(presence: Presence) -> Result<Option<Object>> {
    match presence {
        Presence::Present(object) => Ok(Some(object)),
        Presence::Missing => Ok(None),
        Presence::Unknown(reason) => anyhow::bail!(reason),
    }
}
