//! PostgreSQL's connection. Nothing is kept prepared: a pooler may hand the next transaction to another server.

use std::str::FromStr;

use anyhow::Result;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Executor, Postgres, Row, TypeInfo};

use crate::database::chunks::Chunks;
use crate::database::dialect::link::{Cells, Link, NameAndType, Parameter, cell, read, texts};
use crate::database::dialect::postgres::copied;

/// Connects.
pub async fn connect(url: &str) -> Result<Box<dyn Link>> {
    let options = read(PgConnectOptions::from_str(url))?.application_name("cleanup-assets");
    // A pooler may refuse a start-up parameter that it does not know.
    let options = options.extra_float_digits(None);
    let options = options.statement_cache_capacity(0).disable_statement_logging();
    Ok(Box::new(options.connect().await?))
}

impl Link for PgConnection {
    fn send(&mut self, sql: &'static str) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.execute(sqlx::raw_sql(sql)).await?;
            Ok(())
        })
    }

    fn change<'a>(&'a mut self, sql: &'a str, parameters: &'a [Parameter<'a>]) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { Ok(bound(sql, parameters).execute(self).await?.rows_affected()) })
    }

    fn rows<'a>(&'a mut self, sql: &'a str, parameters: &'a [Parameter<'a>]) -> BoxStream<'a, Result<Cells>> {
        // Without parameters it is one message: nothing is prepared that another server of a pool would not know.
        match parameters.is_empty() {
            true => texts::<Postgres>(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch(self), cell::<Postgres>),
            false => texts::<Postgres>(bound(sql, parameters).fetch(self), cell::<Postgres>),
        }
    }

    fn send_keys<'a>(&'a mut self, sql: &'a str, chunks: &'a mut Chunks) -> BoxFuture<'a, Result<()>> {
        Box::pin(copy_out(self, sql, chunks))
    }

    fn columns<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, Result<Vec<NameAndType>, sqlx::Error>> {
        Box::pin(described(self, sql))
    }
}

/// The columns that `sql` would give. sqlx can only describe what it prepares under a name, and in a pool another client may
/// have left one of the same name: so they are those of a row without values, for which the server runs nothing.
async fn described(connection: &mut PgConnection, sql: &str) -> Result<Vec<NameAndType>, sqlx::Error> {
    let nothing = format!("SELECT t.* FROM (SELECT 1) AS one LEFT JOIN (\n{sql}\n) AS t ON false");
    let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(nothing))).await?;
    Ok(row.columns().iter().map(|column| (column.name().to_owned(), column.type_info().name().to_owned())).collect())
}

fn bound<'q>(sql: &str, parameters: &[Parameter<'q>]) -> Query<'q, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false);
    parameters.iter().fold(query, |query, parameter| match *parameter {
        Parameter::Text(text) => query.bind(text),
        Parameter::Image(image) => query.bind(image),
        Parameter::Keys(keys) => query.bind(keys),
    })
}

/// Sends every row into `chunks` through COPY, whose rows are lines of text: half of what rows of a SELECT cost. One that
/// ends without saying so is an error of sqlx's.
async fn copy_out(connection: &mut PgConnection, sql: &str, chunks: &mut Chunks) -> Result<()> {
    let columns = chunks.columns();
    let mut lines = connection.copy_out_raw(&format!("COPY (\n{sql}\n) TO STDOUT")).await?;
    let mut reader = copied::Line::default();
    while let Some(line) = lines.try_next().await? {
        if let (1, Some(key)) = (columns, copied::plain(&line)) {
            chunks.push(key, &[]).await?;
            continue;
        }
        if std::str::from_utf8(&line).is_err() {
            // In a database without an encoding anything may stand. The key is the first of its columns.
            let key = line.split(|byte| matches!(byte, b'\t' | b'\n')).next().unwrap_or_default();
            chunks.push_undecoded(key).await?;
            continue;
        }
        if let Some((Some(key), marks)) = reader.read(&line, columns)?.split_first() {
            chunks.push(key, marks).await?;
        }
    }
    Ok(())
}
