//! What the command line and the configuration together mean for a run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::compare::scope::Scope;
use crate::config::{Config, TrashPlace};
use crate::database;
use crate::domain::Kind;
use crate::exit_code::{self, Misconfigured};
use crate::ledger::{self, Ledger};
use crate::lock::Lock;
use crate::storage;

pub(super) fn scope(config: &Config, narrowed: Option<&str>) -> Result<Scope> {
    let root = config.storage.prefix.clone();
    let prefix = narrowed.unwrap_or(&root).to_owned();
    if !prefix.starts_with(&root) {
        let message = format!("--prefix {prefix}: it must begin with the configured prefix {root}");
        return Err(Misconfigured(message).into());
    }
    let trash = match &config.trash.place {
        TrashPlace::Prefix(prefix) => vec![prefix.clone()],
        TrashPlace::Folder(_) => Vec::new(),
    };
    Ok(Scope { root, prefix, ignore: config.storage.ignore.clone(), trash })
}

/// Adds the places to which earlier runs moved what they removed: the configuration may have named another then.
pub(super) async fn add_earlier_trash(scope: &mut Scope, config: &Config, ledger: &mut Ledger) -> Result<()> {
    let (kind, address) = storage::address(&config.storage);
    let store = address.strip_suffix(config.storage.prefix.trim_end_matches('/')).unwrap_or(&address);
    let places = ledger.trash_places(&format!(" | {kind} {}", store.trim_end_matches('/'))).await?;
    let places = places.into_iter().filter_map(|place| storage::key_below_root(&config.storage, &place));
    scope.trash.extend(places);
    scope.trash.sort_unstable();
    scope.trash.dedup();
    Ok(())
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

pub(super) fn warn_of_settings(config: &Config) {
    let min_age = config.safety.min_age;
    if min_age.0 < std::time::Duration::from_secs(3600) {
        tracing::warn!("[safety] min_age is {min_age}: uploads that are still under way can look like orphans");
    }
}

/// Where the ledger lies.
pub fn ledger_path(config: &Config) -> PathBuf {
    config.ledger.clone().unwrap_or_else(ledger::default_path)
}

/// The files of ours, and those that we were told to use, which are never candidates (I16): the configuration and what it
/// names, each SQLite database and the ledger with what SQLite puts beside them, the lock, and what was `typed`.
pub fn own_files<'a>(config: &Config, typed: impl IntoIterator<Item = &'a PathBuf>) -> Result<Vec<PathBuf>> {
    let ledger = ledger_path(config);
    let mut own = vec![Lock::path_beside(&ledger)];
    own.extend(with_its_beside(&ledger));
    for database in config.all_databases() {
        own.extend(database::file(database)?.iter().flat_map(|file| with_its_beside(file)));
    }
    own.extend(config.files.iter().cloned());
    own.extend(typed.into_iter().cloned());
    Ok(own)
}

/// A database of SQLite's, and the files that SQLite makes beside it. Where it is a link, they lie beside what it leads to.
fn with_its_beside(file: &Path) -> Vec<PathBuf> {
    let places = [Some(file.to_owned()), file.canonicalize().ok()].into_iter().flatten();
    let beside = |place: &PathBuf, end: &str| {
        let mut name = OsString::from(place);
        name.push(end);
        PathBuf::from(name)
    };
    places.flat_map(|place| ["", "-wal", "-shm", "-journal"].map(|end| beside(&place, end))).collect()
}

pub(super) async fn open_ledger(config: &Config) -> Result<Ledger> {
    let path = ledger_path(config);
    let (ledger, problem) = Ledger::open_or_temporary(&path, &fingerprint(config)?).await?;
    if let Some(problem) = problem {
        tracing::warn!(
            "{}; this run uses a temporary one, and no sighting is remembered",
            exit_code::sentence(&problem)
        );
    }
    Ok(ledger)
}

/// What names the pair of database and store in a ledger; more databases belong to the first.
pub fn fingerprint(config: &Config) -> Result<String> {
    let (kind, address) = storage::address(&config.storage);
    let mut databases = format!("{} {}", config.database.engine, database::address(&config.database)?);
    for other in &config.databases {
        let (engine, address) = (&other.database.engine, database::address(&other.database)?);
        databases.push_str(&format!(" + {} {engine} {address}", other.name));
    }
    Ok(format!("{databases} | {kind} {address}"))
}
