//! What the command line and the configuration together mean for a run.

use std::path::PathBuf;

use anyhow::Result;

use crate::compare::scope::Scope;
use crate::config::Config;
use crate::database;
use crate::domain::Kind;
use crate::exit_code::{self, Misconfigured};
use crate::ledger::{self, Ledger, Pair, SEPARATOR, Side};
use crate::storage;

pub(super) fn scope(config: &Config, narrowed: Option<&str>) -> Result<Scope> {
    let root = config.storage.prefix.clone();
    let prefix = narrowed.unwrap_or(&root).to_owned();
    if !prefix.starts_with(&root) {
        let message = format!("--prefix {prefix}: it must begin with the configured prefix {root}");
        return Err(Misconfigured(message).into());
    }
    Ok(Scope { root, prefix, ignore: config.storage.ignore.clone(), trash: config.trash.prefix.clone() })
}

/// The kinds of finding that were asked for: all, or those that are named.
pub(super) fn kinds(names: &[String], config: &Config) -> Result<Vec<Kind>> {
    let all: Vec<Kind> = Kind::BUILT_IN.into_iter().chain(config.rules().into_iter().map(Kind::Rule)).collect();
    if names.is_empty() {
        return Ok(all);
    }
    let mut kinds = Vec::new();
    for name in names {
        let Some(kind) = all.iter().find(|kind| kind.name() == name) else {
            let known = all.iter().map(Kind::name).collect::<Vec<_>>().join(", ");
            return Err(Misconfigured(format!("--kind {name}: there is no such kind; there are {known}")).into());
        };
        if !kinds.contains(kind) {
            kinds.push(kind.clone());
        }
    }
    Ok(kinds)
}

/// What of the configuration people should know.
pub(super) fn warning_of_settings(config: &Config) -> Option<String> {
    let min_age = config.safety.min_age;
    (min_age.0 < std::time::Duration::from_secs(3600))
        .then(|| format!("[safety] min_age is {min_age}: uploads that are still under way can look like orphans"))
}

/// Where the ledger lies.
pub fn ledger_path(config: &Config) -> PathBuf {
    config.ledger.clone().unwrap_or_else(ledger::default_path)
}

/// The ledger; or a temporary one where it cannot be written, with what to say of that.
pub(super) async fn open_ledger(config: &Config) -> Result<(Ledger, Option<String>)> {
    let path = ledger_path(config);
    let (ledger, problem) = Ledger::open_or_temporary(&path, &pair(config)?).await?;
    let temporary = problem.map(|problem| {
        format!("{}; this run uses a temporary one, and no sighting is remembered", exit_code::sentence(&problem))
    });
    Ok((ledger, temporary))
}

/// The pair of database and store, by where they are, and by what the store is; more databases belong to the first. What
/// the databases are they must be asked.
pub fn pair(config: &Config) -> Result<Pair> {
    let (kind, address) = storage::address(&config.storage);
    let mut databases = vec![format!("{} {}", config.database.engine, database::address(&config.database)?)];
    for other in &config.databases {
        let (engine, address) = (&other.database.engine, database::address(&other.database)?);
        databases.push(format!("{} {engine} {address}", other.name));
    }
    Ok(Pair {
        database: Side { address: databases.join(SEPARATOR), identity: None },
        store: Side { address: format!("{kind} {address}"), identity: storage::identity(&config.storage) },
    })
}

/// What all databases are, as a pair has it; `None` where one does not say.
pub fn joined(identities: Vec<Option<String>>) -> Option<String> {
    identities.into_iter().collect::<Option<Vec<_>>>().map(|identities| identities.join(SEPARATOR))
}
