//! MySQL and MariaDB.

mod catalog;
mod link;
mod sql;

use std::str::FromStr;

use anyhow::Result;
use futures::future::BoxFuture;
use sqlx::mysql::MySqlConnectOptions;

use crate::database::column::{ColumnFacts, Table};
use crate::database::connection::{Connection, Driver};
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

    fn identity<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(catalog::identity(connection))
    }

    fn columns<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Vec<ColumnFacts>>> {
        Box::pin(catalog::columns(connection, table))
    }

    fn obstacle<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(catalog::obstacle(connection, table))
    }

    fn reach_of_deletes<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(catalog::reach_of_deletes(connection, table))
    }

    fn standby<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(catalog::standby(connection))
    }

    fn lock<'a>(&'a self, connection: &'a mut Connection, number: i64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(catalog::lock(connection, number))
    }

    fn is_locked<'a>(&'a self, connection: &'a mut Connection, number: i64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(catalog::is_locked(connection, number))
    }
}
