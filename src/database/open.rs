//! Opens the configured database.

use std::sync::Arc;

use anyhow::{Context, Result};
use secrecy::ExposeSecret;

use crate::config::{self, Config};
use crate::database::checked::Database;
use crate::database::connection::{Connection, Login};
use crate::database::session::Session;
use crate::database::{advice, catalog, dialect};

impl Database {
    /// Connects, and checks every table, column, condition and query of the configuration against the catalog, and that
    /// rows can be looked up.
    pub async fn open(config: &Config) -> Result<Self> {
        let driver = dialect::of(config.database.engine);
        let login = Arc::new(Login { driver, url: config.database.url.clone() });
        let mut connection = Connection::open(&login).await.context("connecting")?;
        connection.begin().await?;
        let sources = catalog::sources(driver, &mut connection, config).await?;
        advice::log(driver, &mut connection, &sources).await;
        connection.end().await?;
        let database = Database { login, sources: sources.into_iter().map(Arc::new).collect() };
        Session::new(&database, connection).try_look_up().await?;
        Ok(database)
    }
}

/// The address of the configured database, as reports name it: never a secret.
///
/// # Errors
/// [`Misconfigured`](crate::exit_code::Misconfigured) for a URL that cannot be read.
pub fn address(config: &config::Database) -> Result<String> {
    dialect::of(config.engine).address(config.url.expose_secret())
}
