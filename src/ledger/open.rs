//! Finds, makes and opens the ledger's file.

use std::fs::OpenOptions;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor};

use super::{Ledger, Pair};

/// What the file's `user_version` says; a newer one was written by a newer program.
const VERSION: i64 = 6;

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
    /// Opens the ledger at `path`, making it where there is none, for a pair of database and store.
    pub async fn open(path: &Path, pair: &Pair) -> Result<Ledger> {
        open(path, pair, None).await.with_context(|| format!("the ledger {}", path.display()))
    }

    /// Opens the ledger at `path` or, where it cannot be written, one that goes with the run; the reason comes with it.
    pub async fn open_or_temporary(path: &Path, pair: &Pair) -> Result<(Ledger, Option<anyhow::Error>)> {
        match Ledger::open(path, pair).await {
            Ok(ledger) => Ok((ledger, None)),
            Err(reason) => {
                let folder = tempfile::tempdir().context("making a temporary ledger")?;
                let path = folder.path().join("ledger.db");
                Ok((open(&path, pair, Some(folder)).await?, Some(reason)))
            }
        }
    }
}

async fn open(path: &Path, pair: &Pair, temporary: Option<tempfile::TempDir>) -> Result<Ledger> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // Keys and rows are nobody else's business.
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(60));
    let mut connection = options.disable_statement_logging().connect().await?;
    migrate(&mut connection).await?;
    let (number, kin) = super::pairs::look_up(&mut connection, pair).await?;
    connection.execute(super::staging::SCHEMA).await?;
    connection.execute(sqlx::raw_sql(super::derived::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::aliases::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::packed::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::holding::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::folders::SCHEMA)).await?;
    connection.execute(sqlx::raw_sql(super::resembling::SCHEMA)).await?;
    let pair_now = pair.clone();
    Ok(Ledger { connection, pair: number, pair_now, kin, kept_at: None, _temporary: temporary })
}

async fn migrate(connection: &mut SqliteConnection) -> Result<()> {
    // Two first runs may meet here; the second finds the tables made.
    connection.execute("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    if version > VERSION {
        bail!("it was written by a newer version of cleanup-assets (format {version}, this one knows {VERSION})");
    }
    if version < 1 {
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
        connection.execute(sqlx::raw_sql(super::copies::SCHEMA)).await?;
        connection.execute("PRAGMA user_version = 6").await?;
    }
    connection.execute("COMMIT").await?;
    Ok(())
}
