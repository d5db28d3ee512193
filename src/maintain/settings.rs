//! What the command line and the configuration together mean for a run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::compare::scope::Scope;
use crate::config::{Config, Storage, TrashPlace};
use crate::database;
use crate::domain::Kind;
use crate::exit_code::{self, Misconfigured};
use crate::ledger::{self, Ledger, Pair, SEPARATOR, Side};
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
    Ok(Scope { root, prefix, ignore: config.storage.ignore.clone(), trash, earlier_trash: Vec::new() })
}

/// Adds the places to which earlier runs moved what they removed: the configuration may have named another then.
pub(super) async fn add_earlier_trash(scope: &mut Scope, config: &Config, ledger: &mut Ledger) -> Result<()> {
    let whole = Storage { prefix: String::new(), ..config.storage.clone() };
    let (kind, address) = storage::address(&whole);
    let address = format!("{kind} {}", address.trim_end_matches('/'));
    let places = ledger.trash_places(&Side { address, identity: storage::identity(&whole) }).await?;
    let places = places.into_iter().filter_map(|place| storage::key_below_root(&config.storage, &place));
    scope.earlier_trash = places.filter(|place| !scope.trash.contains(place)).collect();
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

/// What of the configuration people should know.
pub(super) fn warning_of_settings(config: &Config) -> Option<String> {
    let min_age = config.safety.min_age;
    (min_age.0 < std::time::Duration::from_secs(3600))
        .then(|| format!("[safety] min_age is {min_age}: uploads that are still under way can look like orphans"))
}

/// Where the ledger lies.
pub fn ledger_path(config: &Config) -> PathBuf {
    config.ledger.path.clone().unwrap_or_else(ledger::default_path)
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
