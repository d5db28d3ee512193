//! One connection to the application's database, whichever the engine: the only room in which a statement is sent.
//!
//! A connection reads only: PostgreSQL in READ ONLY transactions, MySQL in a READ ONLY session, SQLite with `mode=ro`.
//! Nothing may filter a table behind our back (I1): `row_security` is off, so that a filtered read is an error, and
//! `sql_select_limit` is lifted.

use std::str::FromStr;

use anyhow::{Context, Result};
use futures::TryStreamExt;
use secrecy::ExposeSecret;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{
    AssertSqlSafe, Column, ColumnIndex, ConnectOptions, Decode, Executor, IntoArguments, MySql, Postgres, Row,
    SqlSafeStr, Sqlite, Statement, TypeInfo,
};

use crate::config::{Database, Engine};
use crate::database::stream::Chunks;
use crate::exit_code::Misconfigured;

/// Everything that a PostgreSQL transaction of ours needs to be told. LOCAL, so that it works behind a pooler.
const POSTGRES_BEGIN: &str = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY; \
     SET LOCAL row_security = off; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; \
     SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'";

/// Keys of 1,023 bytes are mis-sorted under the default `max_sort_length`, and the default `net_write_timeout` of 60 s
/// kills a stream whose reader is busy elsewhere.
const MYSQL_SESSION: &str = "SET SESSION sql_select_limit = 18446744073709551615, SESSION max_sort_length = 8192, \
     SESSION net_write_timeout = 86400, SESSION time_zone = '+00:00', SESSION lock_wait_timeout = 60";

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

/// A row whose every column is text or NULL.
pub type Cells = Vec<Option<String>>;

impl Connection {
    pub async fn open(config: &Database) -> Result<Self> {
        let url = config.url.expose_secret();
        Ok(match config.engine {
            Engine::Postgres => {
                let options = read(PgConnectOptions::from_str(url))?.application_name("cleanup-assets");
                // A pooler may refuse a start-up parameter that it does not know.
                let options = options.extra_float_digits(None);
                // Nothing is kept prepared: a pooler may hand the next transaction to another server.
                let options = options.statement_cache_capacity(0).disable_statement_logging();
                Connection::Postgres(options.connect().await?)
            }
            Engine::MySql => {
                // As the application sees it: `||` is OR unless the server says otherwise.
                let options = read(MySqlConnectOptions::from_str(url))?.pipes_as_concat(false);
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
                let options = read(SqliteConnectOptions::from_str(url))?.read_only(true).create_if_missing(false);
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
    pub async fn fetch(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Cells>> {
        let mut rows = Vec::new();
        self.fetch_each(sql, parameters, &mut async |row| {
            rows.push(row);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// Fetches the rows of a statement one by one.
    pub async fn fetch_each(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        sink: &mut impl AsyncFnMut(Cells) -> Result<()>,
    ) -> Result<()> {
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
                each::<Postgres>(connection, query, sink).await
            }
            Connection::MySql(connection) => {
                let mut query = sqlx::query(sql).persistent(false);
                for parameter in parameters {
                    query = match *parameter {
                        Parameter::Text(text) => query.bind(text),
                        Parameter::Keys(keys) => keys.iter().fold(query, |query, key| query.bind(*key)),
                    };
                }
                each::<MySql>(connection, query, sink).await
            }
            Connection::Sqlite(connection) => {
                let mut query = sqlx::query(sql).persistent(false);
                for parameter in parameters {
                    query = match *parameter {
                        Parameter::Text(text) => query.bind(text.to_owned()),
                        Parameter::Keys(keys) => query.bind(serde_json::to_string(keys)?),
                    };
                }
                each::<Sqlite>(connection, query, sink).await
            }
        }
    }

    /// The names and types of the columns that `sql` would give, without running it.
    pub async fn columns(&mut self, sql: &str) -> Result<Vec<(String, String)>, sqlx::Error> {
        fn described<C: Column>(columns: &[C]) -> Vec<(String, String)> {
            columns.iter().map(|column| (column.name().to_owned(), column.type_info().name().to_owned())).collect()
        }
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        Ok(match self {
            Connection::Postgres(connection) => described(connection.prepare(sql).await?.columns()),
            Connection::MySql(connection) => described(connection.prepare(sql).await?.columns()),
            Connection::Sqlite(connection) => described(connection.prepare(sql).await?.columns()),
        })
    }
}

/// What a URL says, or that it cannot be read.
pub fn read<T>(options: Result<T, sqlx::Error>) -> Result<T> {
    options.map_err(|error| {
        let reason = match error {
            sqlx::Error::Configuration(reason) => reason.to_string(),
            other => other.to_string(),
        };
        Misconfigured(format!("[database] url cannot be read: {reason}")).into()
    })
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

async fn each<DB>(
    connection: &mut DB::Connection,
    query: Query<'_, DB, DB::Arguments>,
    sink: &mut impl AsyncFnMut(Cells) -> Result<()>,
) -> Result<()>
where
    DB: sqlx::Database,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'r> Option<String>: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    let mut rows = query.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let cells = (0..row.len()).map(|at| {
            let value = row.try_get_raw(at)?;
            <Option<String> as Decode<DB>>::decode(value).map_err(sqlx::Error::Decode)
        });
        sink(cells.collect::<Result<_, _>>()?).await?;
    }
    Ok(())
}
