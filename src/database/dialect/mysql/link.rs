//! The connection of MySQL and MariaDB.

use std::str::FromStr;

use anyhow::Result;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, MySql};

use crate::database::chunks::Chunks;
use crate::database::dialect::link::{
    Access, Cells, Link, NameAndType, Parameter, described, read, readable_cell, send_rows, texts,
};

/// What every session is told. Keys of 1,023 bytes are mis-sorted under the default `max_sort_length`, should a query sort
/// them, and the default `net_write_timeout` of 60 s kills a stream whose reader is busy elsewhere. Under `sql_buffer_result`
/// the server copies every answer to a table before it gives any of it. MariaDB makes a table of another collation of a long
/// IN list unless it is told not to (error 1267); MySQL reads that as a comment.
macro_rules! session {
    () => {
        "SET SESSION sql_select_limit = 18446744073709551615, SESSION max_sort_length = 8192, \
         SESSION net_write_timeout = 86400, SESSION time_zone = '+00:00', SESSION lock_wait_timeout = 60, \
         SESSION sql_buffer_result = 0 \
         /*M! , SESSION in_predicate_conversion_threshold = 0 */; "
    };
}

/// Begins a transaction that only reads. A proxy may have given the session to another server, so it is told everything again.
pub const BEGIN: &str = concat!(
    session!(),
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY; START TRANSACTION READ ONLY"
);

/// The same of one that writes: a row that waits for a lock does not wait for long, and what is inserted is taken as it is, a
/// zero or a date that never was included.
pub const BEGIN_WRITING: &str = concat!(
    session!(),
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; \
     SET SESSION innodb_lock_wait_timeout = 10, \
     SESSION sql_mode = CONCAT(REPLACE(REPLACE(REPLACE(@@sql_mode, 'NO_ZERO_IN_DATE', 'STRICT_TRANS_TABLES'), \
         'NO_ZERO_DATE', 'STRICT_TRANS_TABLES'), 'TRADITIONAL', 'STRICT_TRANS_TABLES'), \
         ',STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'); START TRANSACTION READ WRITE"
);

/// Connects.
pub async fn connect(url: &str, access: Access) -> Result<Box<dyn Link>> {
    // As the application sees it: `||` is OR unless the server says otherwise.
    let options = read(MySqlConnectOptions::from_str(url))?.pipes_as_concat(false);
    let mut connection = options.disable_statement_logging().connect().await?;
    // What is asked outside of a transaction must not write either.
    connection
        .execute(sqlx::raw_sql(match access {
            Access::Read => "SET SESSION TRANSACTION READ ONLY",
            Access::Write => "SET SESSION TRANSACTION READ WRITE",
        }))
        .await?;
    Ok(Box::new(connection))
}

impl Link for MySqlConnection {
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
        texts::<MySql>(bound(sql, parameters).fetch(self), readable_cell::<MySql>)
    }

    fn send_keys<'a>(&'a mut self, sql: &'a str, chunks: &'a mut Chunks) -> BoxFuture<'a, Result<()>> {
        Box::pin(send_rows::<MySql>(self, sql, chunks))
    }

    fn columns<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, Result<Vec<NameAndType>, sqlx::Error>> {
        Box::pin(described::<MySql>(self, sql))
    }
}

/// A statement is kept prepared, unless a list of keys makes it one of its own: sqlx closes the others with a packet that
/// has no answer, and the next one then waits 40 ms for the server's delayed ACK of that (Nagle).
fn bound<'q>(sql: &str, parameters: &[Parameter<'q>]) -> Query<'q, MySql, MySqlArguments> {
    let has_list = parameters.iter().any(|parameter| matches!(parameter, Parameter::Keys(_)));
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(!has_list);
    parameters.iter().fold(query, |query, parameter| match *parameter {
        Parameter::Text(text) => query.bind(text),
        Parameter::Image(image) => query.bind(image),
        Parameter::Keys(keys) => keys.iter().fold(query, |query, key| query.bind(*key)),
    })
}
