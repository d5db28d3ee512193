//! The second look: what the scan found on one side only is asked of both sides once more before it is reported. What
//! changed meanwhile is no finding.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};

use crate::database::Database;
use crate::finding::Record;
use crate::judge;
use crate::ledger::{Ledger, NewRecord};
use crate::storage::{Presence, Store};

/// Orphaned files asked for at once: a source that cannot be asked by key is streamed again for each window.
const WINDOW_KEYS: usize = 100_000;
/// Bytes of keys in a window, about.
const WINDOW_BYTES: usize = 16 << 20;
/// Missing objects looked at, and their rows read, at once.
const MISSING_KEYS: usize = 4_000;
/// Rows handed to the ledger at once.
const RECORDS: usize = 1_000;

/// Asks every source once more for the key of each orphaned file.
pub async fn at_files(ledger: &mut Ledger, database: &Database) -> Result<()> {
    let mut after = String::new();
    loop {
        let window = ledger.orphans_after(&after, WINDOW_KEYS, WINDOW_BYTES).await?;
        let Some(last) = window.last() else { return Ok(()) };
        let keys: Vec<&str> = window.iter().map(String::as_str).collect();
        let wanted = async { database.session().await?.wanted(&keys).await };
        let wanted = wanted.await.context("the database could not be asked once more")?;
        ledger.forget_orphans(&wanted.into_iter().collect::<Vec<_>>()).await?;
        after.clone_from(last);
    }
}

/// Looks at the object of each record that seems to have lost it, and reads its rows once more. Gives the number of rows
/// that are too young to be findings.
pub async fn at_records(
    ledger: &mut Ledger,
    database: &Database,
    store: &dyn Store,
    min_age: Duration,
    concurrency: usize,
) -> Result<u64> {
    let mut young = 0;
    let mut after = String::new();
    loop {
        let window = ledger.missing_after(&after, MISSING_KEYS).await?;
        let Some(last) = window.last() else { return Ok(young) };
        let looks = looks(store, &window, concurrency).await.context("the storage could not be looked at once more")?;
        let here: Vec<String> =
            looks.iter().filter(|(_, look)| **look == Look::Here).map(|(key, _)| (*key).to_owned()).collect();
        ledger.found_missing(&here).await?;

        let gone: Vec<&str> = looks.iter().filter(|(_, look)| **look != Look::Here).map(|(key, _)| *key).collect();
        let ask = async {
            let mut session = database.session().await?;
            let now = session.now().await?;
            let mut records = Vec::new();
            let mut take = async |record: Record| {
                if judge::is_young_record(record.created, now, min_age) {
                    young += 1;
                    return Ok(());
                }
                let held = match looks.get(record.key.as_str()) {
                    Some(Look::Unknown(reason)) => Some(reason.clone()),
                    _ => None,
                };
                records.push(NewRecord { record, held });
                if records.len() >= RECORDS {
                    ledger.add_records(&std::mem::take(&mut records)).await?;
                }
                Ok(())
            };
            session.records(&gone, &mut take).await?;
            ledger.add_records(&records).await
        };
        ask.await.context("the database could not be asked once more")?;
        after.clone_from(last);
    }
}

#[derive(PartialEq)]
enum Look {
    Here,
    Gone,
    Unknown(String),
}

async fn looks<'k>(store: &dyn Store, keys: &'k [String], concurrency: usize) -> Result<HashMap<&'k str, Look>> {
    let looks: HashMap<&str, Look> = futures::stream::iter(keys)
        .map(|key| async move {
            let look = match store.look(key).await? {
                Presence::Present(_) => Look::Here,
                Presence::Missing => Look::Gone,
                Presence::Unknown(reason) => Look::Unknown(reason),
            };
            anyhow::Ok((key.as_str(), look))
        })
        .buffer_unordered(concurrency)
        .try_collect()
        .await?;
    // A 404 or a 400 to a HEAD has no body: they are also what a bucket that is gone, or credentials that have expired,
    // would answer (I2).
    if looks.values().any(|look| *look != Look::Here) {
        store.is_there().await?;
    }
    Ok(looks)
}
