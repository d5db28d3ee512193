//! The application's database: its keys in byte order, and its answers about single keys. sqlx lives in this folder and
//! (for the tool's own file) in `ledger`; nothing here knows of stores.

mod catalog;
mod connection;
mod date;
pub mod sample;
mod source;
mod spool;
mod stream;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use secrecy::ExposeSecret;

use crate::config::{self, Config, Engine};
use crate::finding::{Created, Record, Time};
use connection::{Connection, Parameter, Rows};
use source::Source;
pub use stream::MergedKeys;

/// Keys that one statement asks for, at most; and their bytes.
const BATCH_KEYS: usize = 4_000;
const BATCH_BYTES: usize = 4 << 20;

/// A database whose sources are checked, with a connection for questions about single keys.
pub struct Database {
    config: Arc<config::Database>,
    sources: Vec<Arc<Source>>,
    connection: Connection,
}

impl Database {
    /// Connects, and checks every table, column, condition and query of the configuration against the catalog.
    pub async fn open(config: &Config) -> Result<Self> {
        let mut connection = Connection::open(&config.database).await.context("connecting")?;
        connection.begin().await?;
        let sources = catalog::sources(&mut connection, config).await?;
        connection.end().await?;
        let shared = Arc::new(config::Database { engine: config.database.engine, url: config.database.url.clone() });
        let sources = sources.into_iter().map(Arc::new).collect();
        Ok(Database { config: shared, sources, connection })
    }

    /// Starts streaming every source's keys.
    pub fn keys(&self) -> MergedKeys {
        MergedKeys::start(&self.config, &self.sources)
    }

    /// Which of `keys` any source names now. `keys` may be many: what cannot be asked by key is streamed once a call.
    pub async fn wanted(&mut self, keys: &[&str]) -> Result<HashSet<String>> {
        let mut wanted = HashSet::new();
        let (asked, streamed): (Vec<_>, Vec<_>) =
            self.sources.iter().cloned().partition(|source| source.lookup_sql.is_some());
        for source in asked {
            for batch in batches(keys) {
                let rows = self.rows_of(&source, batch).await?;
                wanted.extend(rows.into_iter().map(|(key, _)| key));
            }
        }
        if !streamed.is_empty() {
            let asked_for: HashSet<&str> = keys.iter().copied().collect();
            let mut stream = MergedKeys::start(&self.config, &streamed);
            while let Some((key, _)) = stream.next().await? {
                if asked_for.contains(key) && !wanted.contains(key) {
                    wanted.insert(key.to_owned());
                }
            }
        }
        Ok(wanted)
    }

    /// The rows that own any of `keys` now.
    pub async fn records(&mut self, keys: &[&str]) -> Result<Vec<Record>> {
        let owners: Vec<_> = self.sources.iter().filter(|source| source.owns).cloned().collect();
        let mut records = Vec::new();
        for source in owners {
            for batch in batches(keys) {
                for (key, mut details) in self.rows_of(&source, batch).await? {
                    let created = match details.pop().flatten() {
                        _ if !source.dated => Created::Unconfigured,
                        Some(text) => date::parse(&text).map_or(Created::Unreadable, Created::At),
                        None => Created::Unreadable,
                    };
                    let id = details.pop().flatten().unwrap_or_default();
                    records.push(Record { table: source.name.clone(), id, key, created });
                }
            }
        }
        Ok(records)
    }

    /// The database's own time.
    pub async fn now(&mut self) -> Result<Time> {
        let rows = self.connection.fetch(source::now(self.config.engine), &[]).await?;
        let text = rows.into_iter().flatten().flatten().next().context("the database did not say what time it is")?;
        date::parse(&text).with_context(|| format!("the database says that it is {text}"))
    }

    /// The rows of a source whose key is in `batch`, byte for byte: the key, and the other columns.
    async fn rows_of(&mut self, source: &Source, batch: &[&str]) -> Result<Vec<(String, Vec<Option<String>>)>> {
        let values: HashMap<&str, &str> = batch
            .iter()
            .filter_map(|key| Some((key.strip_prefix(source.key_prefix.as_str())?, *key)))
            // What PostgreSQL's text cannot hold, it does not hold.
            .filter(|(value, _)| !value.is_empty() && !value.contains('\0'))
            .collect();
        let Some(sql) = source.lookup_sql.as_deref().filter(|_| !values.is_empty()) else { return Ok(Vec::new()) };
        let list: Vec<&str> = values.keys().copied().collect();
        let sql = match self.config.engine {
            Engine::MySql => sql.replacen("?*", &vec!["?"; list.len()].join(","), 1),
            Engine::Postgres | Engine::Sqlite => sql.to_owned(),
        };
        self.connection.begin().await?;
        let rows: Rows = self
            .connection
            .fetch(&sql, &[Parameter::Keys(&list)])
            .await
            .with_context(|| format!("looking rows of {} up", source.name))?;
        self.connection.end().await?;
        // A collation may have taken `Case.PNG` for `case.png`: only bytes count.
        Ok(rows
            .into_iter()
            .filter_map(|mut row| {
                let value = if row.is_empty() { None } else { row.remove(0) }?;
                values.get(value.as_str()).map(|key| ((*key).to_owned(), row))
            })
            .collect())
    }
}

/// Cuts `keys` into what one statement may carry.
fn batches<'k, 'a>(keys: &'k [&'a str]) -> impl Iterator<Item = &'k [&'a str]> {
    let mut rest = keys;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest
            .iter()
            .take(BATCH_KEYS)
            .take_while(|key| {
                bytes += key.len();
                bytes <= BATCH_BYTES
            })
            .count();
        let (batch, after) = rest.split_at_checked(fitting.max(1))?;
        rest = after;
        Some(batch)
    })
}

/// The engine and the address of the configured database, as reports name them: never a secret.
pub fn address(config: &config::Database) -> String {
    let url = config.url.expose_secret();
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    if config.engine == Engine::Sqlite {
        return rest.trim_start_matches("//").split('?').next().unwrap_or_default().to_owned();
    }
    let rest = rest.trim_start_matches("//");
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).split('?').next().unwrap_or_default();
    let port = if scheme.starts_with("postgres") { 5432 } else { 3306 };
    let has_port =
        host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let host = if has_port { host.to_owned() } else { format!("{host}:{port}") };
    format!("{host}/{}", path.split('?').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_secret() {
        for (url, engine, expected) in [
            ("postgres://u:p%40ss@db.example.com/app?sslmode=require", Engine::Postgres, "db.example.com:5432/app"),
            ("postgres://u:p@ss@db.example.com:6432/app", Engine::Postgres, "db.example.com:6432/app"),
            ("mysql://root@127.0.0.1/shop", Engine::MySql, "127.0.0.1:3306/shop"),
            ("sqlite:///srv/app.db?mode=rw", Engine::Sqlite, "/srv/app.db"),
            ("sqlite:app.db", Engine::Sqlite, "app.db"),
        ] {
            assert_eq!(address(&config::Database { engine, url: url.to_owned().into() }), expected);
        }
    }

    #[test]
    fn batches_are_cut_by_count_and_by_bytes_and_lose_nothing() {
        let long = "x".repeat(BATCH_BYTES - 1);
        let keys = ["a", &long, "b", &long, &long];
        assert_eq!(batches(&keys).map(<[&str]>::len).collect::<Vec<_>>(), [2, 2, 1]);
        let many = vec!["a"; BATCH_KEYS + 1];
        assert_eq!(batches(&many).map(<[&str]>::len).collect::<Vec<_>>(), [BATCH_KEYS, 1]);
        let too_long = "x".repeat(BATCH_BYTES + 1);
        assert_eq!(batches(&[too_long.as_str(), "a"]).count(), 2);
    }
}
