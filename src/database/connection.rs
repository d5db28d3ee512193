//! One connection to the application's database, whichever the engine: the only room in which a statement is sent.
//!
//! A connection reads only: PostgreSQL in READ ONLY transactions, MySQL in a READ ONLY session, SQLite with `mode=ro`.
//! Nothing may filter a table behind our back (I1): `row_security` is off, so that a filtered read is an error, and
//! `sql_select_limit` is lifted.

use std::str::FromStr;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};
use secrecy::ExposeSecret;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{
    AssertSqlSafe, Column, ColumnIndex, ConnectOptions, Decode, Executor, IntoArguments, MySql, Postgres, Row, Sqlite,
    Statement,
};

use crate::config::{Database, Engine};
use crate::database::stream::Chunks;

/// Everything that a PostgreSQL transaction of ours needs to be told. LOCAL, so that it works behind a pooler.
const POSTGRES_BEGIN: &str = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY; \
     SET LOCAL row_security = off; SET LOCAL statement_timeout = 0; \
     SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'";

/// Keys of 1,023 bytes are mis-sorted under the default `max_sort_length`, and the default `net_write_timeout` of 60 s
/// kills a stream whose reader is busy elsewhere.
const MYSQL_SESSION: &str = "SET SESSION sql_select_limit = 18446744073709551615, SESSION max_sort_length = 8192, \
     SESSION net_write_timeout = 86400, SESSION time_zone = '+00:00'";

pub enum Connection {
    Postgres(PgConnection),
    MySql(MySqlConnection),
    Sqlite(SqliteConnection),
}

/// A value bound to a statement.
#[derive(Clone, Copy)]
pub enum Parameter<'a> {
    Text(&'a str),
    /// A batch of keys: an array for PostgreSQL, a JSON array for SQLite, a list of values for MySQL.
    Keys(&'a [&'a str]),
}

/// Rows whose every column is text or NULL.
pub type Rows = Vec<Vec<Option<String>>>;

impl Connection {
    pub async fn open(config: &Database) -> Result<Self> {
        let url = config.url.expose_secret();
        Ok(match config.engine {
            Engine::Postgres => {
                let options = PgConnectOptions::from_str(url)?.application_name("cleanup-assets");
                // Nothing is kept prepared: a pooler may hand the next transaction to another server.
                let options = options.statement_cache_capacity(0).disable_statement_logging();
                Connection::Postgres(options.connect().await?)
            }
            Engine::MySql => {
                // As the application sees it: `||` is OR unless the server says otherwise.
                let options = MySqlConnectOptions::from_str(url)?.pipes_as_concat(false);
                let mut connection = options.disable_statement_logging().connect().await?;
                connection.execute(MYSQL_SESSION).await?;
                connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY").await?;
                let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut connection).await?;
                if version.contains("MariaDB") {
                    // Else a long IN list becomes a table of another collation (error 1267).
                    connection.execute("SET SESSION in_predicate_conversion_threshold = 0").await?;
                }
                Connection::MySql(connection)
            }
            Engine::Sqlite => {
                let options = SqliteConnectOptions::from_str(url)?.read_only(true).create_if_missing(false);
                Connection::Sqlite(options.disable_statement_logging().connect().await?)
            }
        })
    }

    /// Begins a transaction that sees what is committed now.
    pub async fn begin(&mut self) -> Result<()> {
        if let Connection::Postgres(connection) = self {
            connection.execute(sqlx::raw_sql(POSTGRES_BEGIN)).await?;
        }
        Ok(())
    }

    /// Ends the transaction.
    pub async fn end(&mut self) -> Result<()> {
        if let Connection::Postgres(connection) = self {
            connection.execute("ROLLBACK").await?;
        }
        Ok(())
    }

    /// Sends the first column of every row of `sql` into `chunks`.
    pub async fn send_keys(&mut self, sql: &str, chunks: &mut Chunks) -> Result<()> {
        match self {
            Connection::Postgres(connection) => send::<Postgres>(connection, sql, chunks).await,
            Connection::MySql(connection) => send::<MySql>(connection, sql, chunks).await,
            Connection::Sqlite(connection) => send::<Sqlite>(connection, sql, chunks).await,
        }
    }

    /// Fetches all rows of a statement whose answer is known to be small.
    pub async fn fetch(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Rows> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Connection::Postgres(connection) => {
                let mut query = sqlx::query(sql).persistent(false);
                for parameter in parameters {
                    query = match *parameter {
                        Parameter::Text(text) => query.bind(text),
                        Parameter::Keys(keys) => query.bind(keys),
                    };
                }
                fetch::<Postgres>(connection, query).await
            }
            Connection::MySql(connection) => {
                let mut query = sqlx::query(sql).persistent(false);
                for parameter in parameters {
                    query = match *parameter {
                        Parameter::Text(text) => query.bind(text),
                        Parameter::Keys(keys) => keys.iter().fold(query, |query, key| query.bind(*key)),
                    };
                }
                fetch::<MySql>(connection, query).await
            }
            Connection::Sqlite(connection) => {
                let mut query = sqlx::query(sql).persistent(false);
                for parameter in parameters {
                    query = match *parameter {
                        Parameter::Text(text) => query.bind(text.to_owned()),
                        Parameter::Keys(keys) => query.bind(serde_json::to_string(keys)?),
                    };
                }
                fetch::<Sqlite>(connection, query).await
            }
        }
    }

    /// The names of the columns that `sql` would give, without running it.
    pub async fn columns(&mut self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        fn names<C: Column>(columns: &[C]) -> Vec<String> {
            columns.iter().map(|column| column.name().to_owned()).collect()
        }
        Ok(match self {
            Connection::Postgres(connection) => {
                names(connection.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await?.columns())
            }
            Connection::MySql(connection) => {
                names(connection.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await?.columns())
            }
            Connection::Sqlite(connection) => {
                names(connection.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await?.columns())
            }
        })
    }
}

async fn send<DB>(connection: &mut DB::Connection, sql: &str, chunks: &mut Chunks) -> Result<()>
where
    DB: sqlx::Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'r> &'r str: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    let mut rows = connection.fetch(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())));
    while let Some(row) = rows.try_next().await? {
        let value = row.try_get_raw(0)?;
        let key = <&str as Decode<DB>>::decode(value).map_err(sqlx::Error::Decode).context("a key that is no text")?;
        chunks.push(key).await?;
    }
    Ok(())
}

async fn fetch<DB>(connection: &mut DB::Connection, query: Query<'_, DB, DB::Arguments>) -> Result<Rows>
where
    DB: sqlx::Database,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'r> Option<String>: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    let mut rows = query.fetch(connection);
    let mut fetched = Vec::new();
    while let Some(row) = rows.next().await {
        let row = row?;
        let cells = (0..row.len()).map(|at| {
            let value = row.try_get_raw(at)?;
            <Option<String> as Decode<DB>>::decode(value).map_err(sqlx::Error::Decode)
        });
        fetched.push(cells.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(fetched)
}
