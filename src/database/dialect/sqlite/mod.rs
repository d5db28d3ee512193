//! SQLite.

mod catalog;
mod link;
mod pages;
mod sql;

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Result;
use futures::future::BoxFuture;
use sqlx::sqlite::SqliteConnectOptions;

use crate::database::column::{ColumnFacts, Table};
use crate::database::connection::{Connection, Driver, Server};
use crate::database::dialect::link::{Access, Link, read};
use crate::database::dialect::sql::Dialect;

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

    fn identity<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(catalog::identity(connection))
    }

    fn file(&self, url: &str) -> Result<Option<PathBuf>> {
        Ok(Some(read(SqliteConnectOptions::from_str(url))?.get_filename().to_owned()))
    }

    fn server<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, Result<Server>> {
        Box::pin(catalog::server(connection))
    }

    fn columns<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Vec<ColumnFacts>>> {
        Box::pin(catalog::columns(connection, table))
    }

    fn holds_text_alone<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
        column: &'a str,
    ) -> BoxFuture<'a, Result<bool>> {
        let (table, column) = (self.table(table), self.column(table, column));
        Box::pin(catalog::holds_text_alone(connection, table, column))
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
        Box::pin(catalog::reach_of_deletes(connection, table, self.table(table)))
    }

    fn sorted_rows<'a>(
        &'a self,
        connection: &'a mut Connection,
        sql: &'a str,
        table: Option<&'a Table>,
    ) -> BoxFuture<'a, Result<Option<f64>>> {
        Box::pin(catalog::sorted_rows(connection, sql, table.map(|table| self.table(table))))
    }
}
