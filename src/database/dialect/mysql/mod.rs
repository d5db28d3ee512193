//! MySQL and MariaDB.

mod link;
mod sql;

use std::str::FromStr;

use anyhow::Result;
use futures::future::BoxFuture;
use sqlx::mysql::MySqlConnectOptions;

use crate::database::connection::Driver;
use crate::database::dialect::link::{Access, Link, address, read};

/// The engine.
#[derive(Debug)]
pub struct MySql;

impl Driver for MySql {
    fn connect<'a>(&'a self, url: &'a str, access: Access) -> BoxFuture<'a, Result<Box<dyn Link>>> {
        Box::pin(link::connect(url, access))
    }

    fn address(&self, url: &str) -> Result<String> {
        let options = read(MySqlConnectOptions::from_str(url))?;
        let name = options.get_database().unwrap_or_default();
        Ok(address(options.get_socket(), options.get_host(), options.get_port(), name))
    }
}
