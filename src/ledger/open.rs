//! Finds, makes and opens the ledger's file.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor};

use super::{Ledger, Pair, network};
use crate::exit_code::Misconfigured;
use crate::failpoint;
use crate::scratch;

/// What the file's `user_version` says; a newer one was written by a newer program.
pub(super) const VERSION: i64 = 6;

/// What the name of a copy begins with that is not whole yet.
const PART: &str = ".cleanup-assets-copy-";

const SCHEMA: &str = "
    CREATE TABLE pairs (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pair INTEGER NOT NULL REFERENCES pairs (id),
        mode TEXT NOT NULL,
        outcome TEXT,
        started_at TEXT NOT NULL,
        finished_at TEXT,
        found INTEGER NOT NULL DEFAULT 0,
        removed INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE sightings (
        pair INTEGER NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        table_name TEXT NOT NULL,
        record_id TEXT NOT NULL,
        first_seen TEXT NOT NULL,
        last_seen TEXT NOT NULL,
        last_run INTEGER NOT NULL,
        resolved_at TEXT,
        PRIMARY KEY (pair, kind, key, table_name, record_id)
    ) STRICT, WITHOUT ROWID;";

/// The ledger's default place: `/var/lib` for root, else the state folder of the user.
pub fn default_path() -> PathBuf {
    let below = |folder: PathBuf| folder.join("cleanup-assets/ledger.db");
    if rustix::process::geteuid().is_root() {
        return below("/var/lib".into());
    }
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    match std::env::var_os("XDG_STATE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => below(folder.into()),
        None => below(home.join(".local/state")),
    }
}

impl Ledger {
    /// Whether it goes with the run, as its own place cannot be written.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Opens the ledger at `path`, making it where there is none, for a pair of database and store.
    pub async fn open(path: &Path, pair: &Pair) -> Result<Ledger> {
        open(path, pair, None).await.with_context(|| format!("the ledger {}", path.display()))
    }

    /// Opens the ledger at `path` or, where it cannot be written, one that goes with the run; the reason comes with it.
    pub async fn open_or_temporary(path: &Path, pair: &Pair) -> Result<(Ledger, Option<anyhow::Error>)> {
        match Ledger::open(path, pair).await {
            Ok(ledger) => Ok((ledger, None)),
            Err(reason) if reason.chain().any(|cause| cause.is::<Misconfigured>()) => Err(reason),
            Err(reason) => {
                let folder = tempfile::tempdir().with_context(scratch::making)?;
                let path = folder.path().join("ledger.db");
                Ok((open(&path, pair, Some(folder)).await?, Some(reason)))
            }
        }
    }
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

async fn open(path: &Path, pair: &Pair, temporary: Option<tempfile::TempDir>) -> Result<Ledger> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder_of(path))?;
    let place = if path.exists() { path } else { folder_of(path) };
    if let Some(kind) = network::file_system_of(place)? {
        bail!(Misconfigured(format!(
            "the ledger {} is on a network file system ({kind}), where its locks do not hold: move it to a disk of this \
             machine, and name its new place in [ledger] path; a new one would not know the trash of the old",
            path.display()
        )));
    }
    // Keys and rows are nobody else's business.
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(60));
    let mut connection = options.disable_statement_logging().connect().await?;
    bring_up_to_date(&mut connection, path).await?;
    let (number, kin) = super::pairs::look_up(&mut connection, pair).await?;
    connection.execute(super::staging::SCHEMA).await?;
    connection.execute(sqlx::raw_sql(super::derived::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::aliases::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::packed::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::holding::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::folders::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::resembling::SCHEMA)).await?;
    connection.execute(super::trash_runs::MET).await?;
    let pair_now = pair.clone();
    Ok(Ledger { connection, pair: number, pair_now, kin, kept_at: None, temporary })
}

/// Makes the tables that are missing. Of a ledger that an older program wrote a copy is kept until that is done.
async fn bring_up_to_date(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    let before = version(connection).await?;
    if !(1..VERSION).contains(&before) {
        migrate(connection).await?;
        // Whoever brought it up to date may have died before this.
        return (1..VERSION).try_for_each(|before| remove_file(&copy_of(path, before)));
    }
    let copy = copy_of(path, before);
    keep_copy(connection, &copy)
        .await
        .with_context(|| format!("copying it to {} before it is changed", copy.display()))?;
    failpoint::before("migration");
    migrate(connection).await?;
    failpoint::after("migration");
    remove_file(&copy)
}

/// Copies the ledger. Two runs may do so at once: each writes a file of its own, and only a whole one gets the name.
async fn keep_copy(connection: &mut SqliteConnection, copy: &Path) -> Result<()> {
    remove_parts(folder_of(copy))?;
    // It is nobody else's business, and goes where the copy fails.
    let own = tempfile::Builder::new().prefix(PART).tempfile_in(folder_of(copy))?.into_temp_path();
    let to = own.to_str().context("a path that is not UTF-8")?;
    sqlx::query("VACUUM INTO ?").bind(to).execute(connection).await?;
    std::fs::File::open(&own)?.sync_all()?;
    own.persist(copy)?;
    Ok(())
}

/// Removes what copies left that were killed. One that is under way was written to just now.
fn remove_parts(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(PART.as_bytes()) {
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age > Duration::from_secs(3600) {
                remove_file(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// Where the copy of a ledger of this format is kept.
fn copy_of(path: &Path, format: i64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".format-{format}"));
    name.into()
}

fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context(format!("removing {}", path.display())),
        _ => Ok(()),
    }
}

async fn version(connection: &mut SqliteConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await?)
}

async fn migrate(connection: &mut SqliteConnection) -> Result<()> {
    // Two first runs may meet here; the second finds the tables made.
    connection.execute("BEGIN IMMEDIATE").await?;
    let version = version(connection).await?;
    if version > VERSION {
        bail!("it was written by a newer version of cleanup-assets (format {version}, this one knows {VERSION})");
    }
    if version < 1 {
        expect_nothing(connection).await?;
        connection.execute(sqlx::raw_sql(SCHEMA)).await?;
    }
    if version < 2 {
        connection.execute(sqlx::raw_sql(super::removals::SCHEMA)).await?;
    }
    if version < 3 {
        connection.execute(sqlx::raw_sql(super::removals::ROWS)).await?;
    }
    if version < 4 {
        connection.execute(sqlx::raw_sql(super::removals::KEYS)).await?;
    }
    if version < 5 {
        connection.execute(sqlx::raw_sql(super::removals::LATE)).await?;
        connection.execute(sqlx::raw_sql(super::pairs::SIDES)).await?;
        connection.execute(sqlx::raw_sql(super::history::COUNTS)).await?;
        connection.execute(sqlx::raw_sql(super::places::SCHEMA)).await?;
    }
    if version < 6 {
        connection.execute(sqlx::raw_sql(super::memory::SCHEMA)).await?;
        connection.execute(sqlx::raw_sql(super::history::TOTALS)).await?;
        connection.execute(sqlx::raw_sql(super::retention::SCHEMA)).await?;
        connection.execute(sqlx::raw_sql(super::trash_runs::SCHEMA)).await?;
        connection.execute(sqlx::raw_sql(super::sightings::IDENTITY)).await?;
        connection.execute(sqlx::raw_sql(super::copies::SCHEMA)).await?;
        connection.execute("PRAGMA user_version = 6").await?;
    }
    failpoint::before("migrated");
    connection.execute("COMMIT").await?;
    Ok(())
}

/// A database that somebody else made is not filled with tables of ours.
async fn expect_nothing(connection: &mut SqliteConnection) -> Result<()> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' LIMIT 1";
    let table: Option<String> = sqlx::query_scalar(sql).fetch_optional(connection).await?;
    match table {
        Some(table) => {
            bail!(Misconfigured(format!(
                "it is another program's database, and holds the table {table}: name a file of its own in [ledger] path"
            )))
        }
        None => Ok(()),
    }
}
