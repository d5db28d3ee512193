//! Rows on their way back: those that a run which died left open, and those that `restore` brings back.

use anyhow::{Context, Result};
use chrono::Utc;

use super::ASK;
use super::resume::{Resumed, wait_for_the_last_requests};
use crate::config::{Action, Config};
use crate::database::{Back, Database, Writer};
use crate::domain::row_id;
use crate::domain::{Image, Kind};
use crate::ledger::{Ledger, Removal, RowRemoval, State, Step, Which};
use crate::storage::{Presence, Store, look_for};

/// Rows resolved, or brought back, between two commits to the ledger.
const BATCH: usize = 100;

/// Whether a run that died left rows open.
pub async fn has_open_rows(ledger: &mut Ledger) -> Result<bool> {
    Ok(!ledger.removals(Which::OpenRows, 0, 1).await?.is_empty())
}

/// Resolves every open row. One whose object cannot be looked at stays open.
///
/// # Errors
/// The bucket itself, or the database, does not answer: nothing is removed then.
pub async fn resume_rows(
    ledger: &mut Ledger,
    config: &Config,
    database: &Database,
    store: &dyn Store,
) -> Result<Resumed> {
    let (mut resumed, mut after) = (Resumed::default(), 0);
    loop {
        let open = ledger.removals(Which::OpenRows, after, BATCH).await?;
        let Some(last) = open.last() else { return Ok(resumed) };
        after = last.id;
        wait_for_the_last_requests().await;
        store.is_there().await?;
        let mut writer = database.writer().await.context(ASK)?;
        let mut steps = Vec::new();
        for removal in &open {
            match resolve(&mut writer, config, database, store, removal).await? {
                Ok(resolved) => {
                    steps.extend(resolved);
                    resumed.resolved += 1;
                }
                Err(unseen) => resumed.leave_open(&removal.object.key, &unseen),
            }
        }
        ledger.advance(&steps, "row-resume", Utc::now()).await?;
    }
}

/// What became of an open row; the inner error: its object could not be looked at.
async fn resolve(
    writer: &mut Writer<'_>,
    config: &Config,
    database: &Database,
    store: &dyn Store,
    removal: &Removal,
) -> Result<Result<Vec<Step>>> {
    let id = removal.id;
    let Some((row, before)) = removal.row.as_ref().and_then(|row| Some((row, row.before.as_ref()?))) else {
        return Ok(Ok(vec![Step::because(id, State::Failed, "the ledger does not hold the row")]));
    };
    let section = database.section_of(&row.table);
    let Some(section) = section else {
        tracing::warn!(
            "{} id {} is left open: its table is not configured any more",
            row.table,
            row_id::shown(&row.id)
        );
        return Ok(Ok(Vec::new()));
    };
    // What the rule set, if it still is one.
    let set = match config.records[section].action(&Kind::named(&removal.kind)) {
        Action::Set(columns) if removal.state == State::RowUpdating => Some(columns),
        _ => None,
    };
    let now = writer.look_up(section, &row.handle, set).await.context(ASK)?;
    let (now, is_set) = now.map_or((None, false), |(seen, is_set)| (Some(seen.image), is_set));
    const ENDED: &str = "the run ended before it was removed";
    let (state, after) = match (removal.state, now) {
        (State::RowDeleting, Some(_)) => return Ok(Ok(vec![Step::because(id, State::Skipped, ENDED)])),
        (State::RowDeleting, None) => (State::RowDeletedUnsettled, None),
        (State::RowUpdating, Some(now)) if now != *before => match set {
            None => (State::RowUpdatedUnsettled, Some(now)),
            // What else was changed was not changed by us.
            Some(set) if is_set => (State::RowUpdatedUnsettled, Some(before.with(&now, |name| set.contains_key(name)))),
            Some(_) => return Ok(Ok(vec![Step::because(id, State::Skipped, ENDED)])),
        },
        (State::RowUpdating, _) => return Ok(Ok(vec![Step::because(id, State::Skipped, ENDED)])),
        (State::RowDeletedUnsettled, Some(_)) => {
            return Ok(Ok(vec![Step::because(id, State::PutBack, "the run ended as it was put back")]));
        }
        (State::RowUpdatedUnsettled, Some(now)) if now == *before => {
            return Ok(Ok(vec![Step::because(id, State::PutBack, "the run ended as it was put back")]));
        }
        (State::RowRestoring, now) => {
            let is_back = match (&row.after, &now) {
                (None, now) => now.is_some(),
                (Some(after), Some(now)) => before.changes(after).all(|(name, value)| now.get(name) == Some(value)),
                (Some(_), None) => false,
            };
            let removed = if row.after.is_some() { State::RowUpdated } else { State::RowDeleted };
            let state = if is_back { State::Restored } else { removed };
            return Ok(Ok(vec![Step::because(id, state, "the run ended while it was restored")]));
        }
        (state, _) => (state, row.after.clone()),
    };
    let removed = if state == State::RowUpdatedUnsettled { State::RowUpdated } else { State::RowDeleted };
    let mut steps = vec![Step { after: after.clone(), ..Step::to(id, state) }];
    // Of an object that was there when its row was removed, that it is there says nothing.
    let was_missing = removal.object.last_modified.is_none();
    // Of several sections of a table one may own folders.
    let of_table = config.records.iter().filter(|records| records.name == row.table);
    let owns_folder = removal.object.key.ends_with('/') && of_table.into_iter().any(|records| records.owns_folders());
    // A folder whose row a rule condemned was never missing.
    let was_missing = was_missing && !(owns_folder && Kind::named(&removal.kind).rule().is_some());
    let key = &removal.object.key;
    let has_appeared = match was_missing && !key.is_empty() {
        true => match is_at(store, key, owns_folder).await {
            Ok(is_at) => is_at,
            Err(unseen) => return Ok(Err(unseen)),
        },
        false => false,
    };
    let back = match has_appeared {
        true => bring_back(writer, section, row, before, after.as_ref()).await?,
        false => Back::Taken("the run ended as it was removed".to_owned()),
    };
    steps.push(match back {
        Back::Done => Step::because(id, State::PutBack, "its file appeared as it was removed"),
        Back::Taken(reason) => Step::because(id, removed, reason),
        // It stays on record, for `restore`: no later run is held up by it.
        Back::Failed(reason) => {
            tracing::warn!("{} id {} could not be put back: {reason}", row.table, row_id::shown(&row.id));
            Step::because(id, removed, format!("its file appeared, and it could not be put back: {reason}"))
        }
    });
    Ok(Ok(steps))
}

/// Whether there is what a row names.
async fn is_at(store: &dyn Store, key: &str, is_folder: bool) -> Result<bool> {
    match look_for(store, key, is_folder).await? {
        Presence::Present(_) => Ok(true),
        Presence::Missing => Ok(false),
        Presence::Unknown(reason) => anyhow::bail!(reason),
    }
}

/// Brings rows back that were deleted or updated, on record. What became of each is given in their order.
pub async fn restore_rows(ledger: &mut Ledger, database: &Database, removals: &[Removal]) -> Result<Vec<Back>> {
    let intents: Vec<Step> = removals.iter().map(|removal| Step::to(removal.id, State::RowRestoring)).collect();
    ledger.advance(&intents, "row-restore-intent", Utc::now()).await?;
    let mut writer = database.writer().await.context(ASK)?;
    let (mut backs, mut steps) = (Vec::new(), Vec::new());
    for removal in removals {
        let back = match restore_row(&mut writer, database, removal).await {
            Ok(back) => back,
            // The answer to a commit may be what was lost: it stays open, and is looked up before anything else is done.
            Err(error) => {
                writer = database.writer().await.context(ASK)?;
                backs.push(Back::Failed(format!("{error:#}")));
                continue;
            }
        };
        let updated = removal.state == State::RowUpdated || removal.row.as_ref().is_some_and(|row| row.after.is_some());
        let removed = if updated { State::RowUpdated } else { State::RowDeleted };
        steps.push(match &back {
            Back::Done => Step::to(removal.id, State::Restored),
            Back::Taken(_) => Step::to(removal.id, removed),
            Back::Failed(reason) => Step::because(removal.id, removed, reason.clone()),
        });
        backs.push(back);
    }
    ledger.advance(&steps, "row-restore-outcome", Utc::now()).await?;
    Ok(backs)
}

async fn restore_row(writer: &mut Writer<'_>, database: &Database, removal: &Removal) -> Result<Back> {
    let Some((row, before)) = removal.row.as_ref().and_then(|row| Some((row, row.before.as_ref()?))) else {
        return Ok(Back::Failed("the ledger keeps the row no longer: see [ledger] keep_rows".to_owned()));
    };
    match database.section_of(&row.table) {
        Some(section) => bring_back(writer, section, row, before, row.after.as_ref()).await,
        None => Ok(Back::Failed(format!("the table {} is not configured any more", row.table))),
    }
}

async fn bring_back(
    writer: &mut Writer<'_>,
    section: usize,
    row: &RowRemoval,
    before: &Image,
    after: Option<&Image>,
) -> Result<Back> {
    match after {
        Some(after) => writer.undo(section, &row.handle, before, after).await,
        None => writer.insert(section, &row.handle, before).await,
    }
}
