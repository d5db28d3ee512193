//! PostgreSQL, and what speaks its protocol and its SQL.

mod copied;
mod link;
mod sql;

use std::str::FromStr;

use anyhow::Result;
use futures::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;

use crate::database::connection::Driver;
use crate::database::dialect::link::{Access, Link, address, read};

/// The engine.
#[derive(Debug)]
pub struct Postgres;

impl Driver for Postgres {
    /// What may be done is told to each transaction.
    fn connect<'a>(&'a self, url: &'a str, _access: Access) -> BoxFuture<'a, Result<Box<dyn Link>>> {
        Box::pin(link::connect(url))
    }

    fn address(&self, url: &str) -> Result<String> {
        let options = read(PgConnectOptions::from_str(url))?;
        let name = options.get_database().unwrap_or(options.get_username());
        Ok(address(options.get_socket(), options.get_host(), options.get_port(), name))
    }
}
