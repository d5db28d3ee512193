//! Whether a list of findings speaks of this pair at all: one of which no line names anything is of another application, or
//! was spoilt on its way.

use anyhow::{Context, Result};
use futures::StreamExt;

use crate::config::Config;
use crate::database::Database;
use crate::domain::Kind;
use crate::ledger::Ledger;
use crate::only::Only;
use crate::storage::{Presence, Store};

/// Keys that are asked for at once.
const BATCH: usize = 10_000;

/// Whether any line of `only` names what the ledger, the database or the store knows. A look that leaves that open counts.
pub async fn names_anything(
    only: &Only,
    ledger: &mut Ledger,
    database: &Database,
    store: &dyn Store,
    config: &Config,
) -> Result<bool> {
    let mut keys: Vec<&str> = only.names().iter().map(|name| name.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    // What is not there is not looked for: a list of nothing, and a row without a key.
    if keys.first().is_none_or(|key| key.is_empty()) {
        return Ok(true);
    }
    let rules = config.rules();
    let kinds: Vec<&str> = Kind::BUILT_IN.iter().map(Kind::name).chain(rules.iter().map(|name| &**name)).collect();
    for keys in keys.chunks(BATCH) {
        if ledger.knows_any(keys, &kinds).await.context("the ledger")? || is_named(database, keys, config).await? {
            return Ok(true);
        }
        let looks = keys.iter().map(|key| store.look(key));
        let mut looks = futures::stream::iter(looks).buffer_unordered(config.storage.concurrency);
        while let Some(look) = looks.next().await {
            if !matches!(look, Ok(Presence::Missing)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether any source names one of these keys. A row that owns a folder is listed without its last slash.
async fn is_named(database: &Database, keys: &[&str], config: &Config) -> Result<bool> {
    let folders: Vec<String> = match config.has_folders() {
        true => keys.iter().map(|key| format!("{key}/")).collect(),
        false => Vec::new(),
    };
    let keys: Vec<&str> = keys.iter().copied().chain(folders.iter().map(String::as_str)).collect();
    let named = async { database.session().await?.wanted(&keys).await };
    Ok(!named.await.context("the database")?.is_empty())
}
