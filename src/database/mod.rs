//! The application's database: its keys in byte order, and its answers about single keys ([`Session`]). sqlx lives in this
//! folder and (for the tool's own file) in `ledger`; nothing here knows of stores.

mod advice;
mod advisory;
mod cascades;
mod catalog;
mod chunks;
mod column;
mod columns;
mod connection;
mod date;
mod dialect;
mod key_column;
mod rows;
mod rules;
pub mod sample;
mod session;
mod sorter;
mod source;
mod spool;
mod stream;
mod url;
mod way_back;
mod writer;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use secrecy::ExposeSecret;

use crate::compare::owners::{OwnerJoin, Wanted};
use crate::config::{self, Config, Engine};
use crate::domain::derived::Owner;
pub use advisory::Advisory;
pub use chunks::Strays;
use connection::{Connection, Login};
pub use session::{Session, Stranger};
use source::Source;
pub use stream::{MergedKeys, Named};
pub use way_back::Back;
pub use writer::{Aim, How, Outcome, Writer};

/// A database whose sources are checked.
pub struct Database {
    engine: Engine,
    login: Arc<Login>,
    sources: Vec<Arc<Source>>,
}

impl Database {
    /// Connects, and checks every table, column, condition and query of the configuration against the catalog, and that
    /// rows can be looked up.
    pub async fn open(config: &Config) -> Result<Self> {
        let engine = config.database.engine;
        let login = Arc::new(Login { driver: dialect::of(engine), url: config.database.url.clone() });
        let mut connection = Connection::open(&login).await.context("connecting")?;
        connection.begin().await?;
        let sources = catalog::sources(&mut connection, config).await?;
        advice::log(&mut connection, engine, &sources).await;
        connection.end().await?;
        let database = Database { engine, login, sources: sources.into_iter().map(Arc::new).collect() };
        Session::new(&database, connection).try_look_up().await?;
        Ok(database)
    }

    /// Every source's keys.
    pub fn keys(&self) -> MergedKeys {
        MergedKeys::start(&self.login, &self.sources)
    }

    /// Whether any source must be streamed again to be asked.
    pub fn streams_again(&self) -> bool {
        self.sources.iter().any(|source| !source.can_be_asked())
    }

    /// Which of `keys` is named by a source that cannot be asked by key: each such source is streamed once.
    pub async fn wanted_by_stream(&self, keys: &[&str]) -> Result<HashSet<String>> {
        let streamed: Vec<_> = self.sources.iter().filter(|source| !source.can_be_asked()).cloned().collect();
        self.streamed(&streamed, keys).await
    }

    async fn streamed(&self, streamed: &[Arc<Source>], keys: &[&str]) -> Result<HashSet<String>> {
        let mut wanted = HashSet::new();
        if streamed.is_empty() || keys.is_empty() {
            return Ok(wanted);
        }
        let asked_for: HashSet<&str> = keys.iter().copied().collect();
        let mut stream = MergedKeys::start(&self.login, streamed);
        while let Some(Named { key, .. }) = stream.next().await? {
            if asked_for.contains(key) && !wanted.contains(key) {
                wanted.insert(key.to_owned());
            }
        }
        Ok(wanted)
    }

    /// Which of these prefixes any source has a key below: every source is streamed once, unless there are none.
    pub async fn prefixes_in_use(&self, prefixes: &BTreeSet<&Owner>) -> Result<HashSet<Owner>> {
        let mut used = HashSet::new();
        if prefixes.is_empty() {
            return Ok(used);
        }
        let mut join = OwnerJoin::default();
        let mut waiting = (0..).zip(prefixes).peekable();
        let mut told = HashSet::new();
        let mut keys = self.keys();
        while let Some(Named { key, .. }) = keys.next().await? {
            while let Some((number, prefix)) = waiting.next_if(|(_, prefix)| prefix.text() <= key) {
                join.owner(number, (*prefix).clone());
            }
            join.key(key, Wanted::Yes, |number, _| {
                told.insert(number);
            });
        }
        used.extend(
            (0..).zip(prefixes).filter(|(number, _)| told.contains(number)).map(|(_, prefix)| (*prefix).clone()),
        );
        Ok(used)
    }

    /// Connects for questions about single keys.
    pub async fn session(&self) -> Result<Session<'_>> {
        let connection = Connection::open(&self.login).await.context("connecting")?;
        Ok(Session::new(self, connection))
    }
}

/// The address of the configured database, as reports name it: never a secret.
///
/// # Errors
/// [`Misconfigured`](crate::exit_code::Misconfigured) for a URL that cannot be read.
pub fn address(config: &config::Database) -> Result<String> {
    dialect::of(config.engine).address(config.url.expose_secret())
}
