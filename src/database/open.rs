//! Opens the configured database.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use secrecy::ExposeSecret;

use crate::config::{self, Config};
use crate::database::catalog::Catalog;
use crate::database::checked::Database;
use crate::database::connection::{Connection, Login};
use crate::database::connections::Connections;
use crate::database::session::Session;
use crate::database::{catalog, dialect};

impl Database {
    /// Connects, and checks every table, column, condition and query of the configuration against the catalog, and that
    /// rows can be looked up.
    pub async fn open(config: &Config) -> Result<Self> {
        let logins = config
            .all_databases()
            .map(|database| Arc::new(Login { driver: dialect::of(database.engine), url: database.url.clone() }));
        let logins: Vec<Arc<Login>> = logins.collect();
        let mut catalogs = Vec::new();
        for (at, login) in logins.iter().enumerate() {
            let opened = Catalog::open(login, at).await;
            catalogs.push(match at {
                0 => opened?,
                _ => opened.with_context(|| format!("the database {}", config.databases[at - 1].name))?,
            });
        }
        let sources = catalog::sources(&mut catalogs, config).await?;
        let mut connections = Vec::new();
        for catalog in catalogs {
            connections.push(catalog.close(&sources).await?);
        }
        let database = Database { logins, sources: sources.into_iter().map(Arc::new).collect() };
        let connections = Connections::opened(&database.logins, connections);
        Session::new(&database, connections).try_look_up().await?;
        Ok(database)
    }
}

impl Database {
    /// What the databases are, by whatever names they are reached, each as its own server says; `None` where one does not.
    pub async fn identities(&self) -> Vec<Option<String>> {
        let mut identities = Vec::new();
        for login in &self.logins {
            identities.push(identity(login).await);
        }
        identities
    }
}

/// What the configured databases are, asked before anything else is.
pub async fn identities(config: &Config) -> Vec<Option<String>> {
    let mut identities = Vec::new();
    for database in config.all_databases() {
        let login = Login { driver: dialect::of(database.engine), url: database.url.clone() };
        identities.push(identity(&login).await);
    }
    identities
}

/// Asked on a connection of its own: where the question fails, so does the transaction around it.
async fn identity(login: &Login) -> Option<String> {
    let identity = async {
        let mut connection = Connection::open(login).await?;
        login.driver.identity(&mut connection).await
    };
    identity.await.unwrap_or_else(|error: anyhow::Error| {
        tracing::debug!("what the database is could not be asked: {error:#}");
        None
    })
}

/// The address of the configured database, as reports name it: never a secret.
///
/// # Errors
/// [`Misconfigured`](crate::exit_code::Misconfigured) for a URL that cannot be read.
pub fn address(config: &config::Database) -> Result<String> {
    dialect::of(config.engine).address(config.url.expose_secret())
}

/// The file that the configured database is; `None`: a server has it.
///
/// # Errors
/// [`Misconfigured`](crate::exit_code::Misconfigured) for a URL that cannot be read.
pub fn file(config: &config::Database) -> Result<Option<PathBuf>> {
    dialect::of(config.engine).file(config.url.expose_secret())
}
