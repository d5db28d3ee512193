//! PostgreSQL, and what speaks its protocol and its SQL.

mod catalog;
mod copied;
mod link;
mod sql;

use std::str::FromStr;

use anyhow::Result;
use futures::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;

use crate::database::column::{ColumnFacts, Table};
use crate::database::connection::{Connection, Driver, Server};
use crate::database::dialect::link::{Access, Link, address, read};
use crate::database::dialect::sql::Dialect;

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

    fn identity<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(catalog::identity(connection))
    }

    fn server<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, Result<Server>> {
        Box::pin(catalog::server(connection))
    }

    fn columns<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Vec<ColumnFacts>>> {
        Box::pin(catalog::columns(connection, self.table(table)))
    }

    fn obstacle<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(catalog::obstacle(connection, self.table(table)))
    }

    fn reach_of_deletes<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(catalog::reach_of_deletes(connection, self.table(table)))
    }

    fn sorted_rows<'a>(
        &'a self,
        connection: &'a mut Connection,
        sql: &'a str,
        _table: Option<&'a Table>,
    ) -> BoxFuture<'a, Result<Option<f64>>> {
        Box::pin(catalog::sorted_rows(connection, sql))
    }

    fn standby<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(catalog::standby(connection))
    }

    fn lock<'a>(&'a self, connection: &'a mut Connection, number: i64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(catalog::lock(connection, number))
    }

    fn is_locked<'a>(&'a self, connection: &'a mut Connection, _number: i64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(catalog::is_locked(connection))
    }
}
