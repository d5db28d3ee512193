//! SQLite.

mod link;
mod sql;

use std::str::FromStr;

use anyhow::Result;
use futures::future::BoxFuture;
use sqlx::sqlite::SqliteConnectOptions;

use crate::database::connection::Driver;
use crate::database::dialect::link::{Access, Link, read};

/// The engine.
#[derive(Debug)]
pub struct Sqlite;

impl Driver for Sqlite {
    fn connect<'a>(&'a self, url: &'a str, access: Access) -> BoxFuture<'a, Result<Box<dyn Link>>> {
        Box::pin(link::connect(url, access))
    }

    fn address(&self, url: &str) -> Result<String> {
        Ok(read(SqliteConnectOptions::from_str(url))?.get_filename().display().to_string())
    }
}
