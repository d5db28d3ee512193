//! SQLite's connection; and numbers that no text of SQLite's is exact for.

use std::future::ready;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt, once};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Decode, Executor, Row, Sqlite, TypeInfo, ValueRef};

use crate::database::chunks::Chunks;
use crate::database::dialect::link::{
    Access, Cells, Link, NameAndType, Parameter, described, read, readable_cell, texts,
};
use crate::database::dialect::sqlite::pages;

/// Opens the file.
pub async fn connect(url: &str, access: Access) -> Result<Box<dyn Link>> {
    let options = read(SqliteConnectOptions::from_str(url))?.create_if_missing(false);
    let options = match access {
        Access::Read => options.read_only(true),
        Access::Write => options.busy_timeout(Duration::from_secs(30)),
    };
    let location = pages::location(options.get_filename(), url);
    let connection = options.disable_statement_logging().connect().await?;
    Ok(Box::new(SqliteLink { connection, location }))
}

/// A connection, and where another one to the same file is opened, which does nothing but read keys.
struct SqliteLink {
    connection: SqliteConnection,
    location: PathBuf,
}

impl Link for SqliteLink {
    fn send(&mut self, sql: &'static str) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.connection.execute(sqlx::raw_sql(sql)).await?;
            Ok(())
        })
    }

    fn change<'a>(&'a mut self, sql: &'a str, parameters: &'a [Parameter<'a>]) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { Ok(bound(sql, parameters)?.execute(&mut self.connection).await?.rows_affected()) })
    }

    fn rows<'a>(&'a mut self, sql: &'a str, parameters: &'a [Parameter<'a>]) -> BoxStream<'a, Result<Cells>> {
        match bound(sql, parameters) {
            Ok(query) => texts::<Sqlite>(query.fetch(&mut self.connection), text_or_image),
            Err(error) => once(ready(Err(error))).boxed(),
        }
    }

    fn send_keys<'a>(&'a mut self, sql: &'a str, chunks: &'a mut Chunks) -> BoxFuture<'a, Result<()>> {
        Box::pin(pages::send(&self.location, sql, chunks))
    }

    fn columns<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, Result<Vec<NameAndType>, sqlx::Error>> {
        Box::pin(described::<Sqlite>(&mut self.connection, sql))
    }
}

fn bound<'q>(sql: &str, parameters: &[Parameter<'_>]) -> Result<Query<'q, Sqlite, SqliteArguments>> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false);
    parameters.iter().try_fold(query, |query, parameter| {
        Ok(match *parameter {
            Parameter::Text(text) => query.bind(text.to_owned()),
            Parameter::Image(image) => match image.and_then(real_of) {
                Some(real) => query.bind(real),
                None => query.bind(image.map(str::to_owned)),
            },
            Parameter::Keys(keys) => query.bind(serde_json::to_string(keys)?),
        })
    })
}

/// A cell that is text, or a number that is none yet: only images are read as they are.
fn text_or_image(row: &SqliteRow, at: usize) -> Result<Option<String>, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    match value.type_info().name() {
        "REAL" => <f64 as Decode<Sqlite>>::decode(value).map(|real| Some(image_of(real))).map_err(sqlx::Error::Decode),
        _ => readable_cell::<Sqlite>(row, at),
    }
}

/// A REAL as an image. Its bits: SQLite writes numbers as text that it does not read back exactly.
fn image_of(real: f64) -> String {
    format!("r{:016x}", real.to_bits())
}

fn real_of(image: &str) -> Option<f64> {
    u64::from_str_radix(image.strip_prefix('r')?, 16).ok().map(f64::from_bits)
}
