//! One connection to the application's database, whichever the engine: the only room in which a statement is sent.
//!
//! A connection reads only, unless it was opened to write: PostgreSQL in READ ONLY transactions, MySQL in a READ ONLY session, SQLite with `mode=ro`.
//! Nothing may filter a table behind our back (I1): `row_security` is off, so that a filtered read is an error, and
//! `sql_select_limit` is lifted.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::TryStreamExt;
use secrecy::ExposeSecret;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column, ColumnIndex, ConnectOptions, Decode, Executor, IntoArguments, MySql, Postgres, Row,
    SqlSafeStr, Sqlite, Statement, TypeInfo, ValueRef,
};

use crate::config::{Database, Engine};
use crate::database::bound::{self, Parameter};
use crate::database::stream::Chunks;
use crate::database::{copied, date, dialect};
use crate::domain::Time;
use crate::exit_code::Misconfigured;

/// Everything that a PostgreSQL transaction of ours needs to be told. LOCAL, so that it works behind a pooler. Plans are
/// not compiled, where the server could (from 11 on): that takes longer than it saves.
const POSTGRES_BEGIN: &str = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY; \
     SET LOCAL row_security = off; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; \
     SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; \
     SELECT set_config('jit', 'off', true) WHERE current_setting('jit', true) IS NOT NULL";

/// The same for one that writes; and how values are written as text, so that they can be read back.
const POSTGRES_BEGIN_WRITING: &str = "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; \
     SET LOCAL row_security = off; SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '10s'; \
     SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; \
     SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 3";

/// How a MySQL session that writes differs: a row that waits for a lock does not wait for long, and what is inserted is
/// taken as it is, a zero or a date that never was included.
const MYSQL_WRITING: &str = "SET SESSION innodb_lock_wait_timeout = 10, \
     SESSION sql_mode = CONCAT(REPLACE(REPLACE(REPLACE(@@sql_mode, 'NO_ZERO_IN_DATE', 'STRICT_TRANS_TABLES'), \
         'NO_ZERO_DATE', 'STRICT_TRANS_TABLES'), 'TRADITIONAL', 'STRICT_TRANS_TABLES'), \
         ',STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES')";

/// Keys of 1,023 bytes are mis-sorted under the default `max_sort_length`, and the default `net_write_timeout` of 60 s
/// kills a stream whose reader is busy elsewhere.
const MYSQL_SESSION: &str = "SET SESSION sql_select_limit = 18446744073709551615, SESSION max_sort_length = 8192, \
     SESSION net_write_timeout = 86400, SESSION time_zone = '+00:00', SESSION lock_wait_timeout = 60";

pub enum Connection {
    Postgres(PgConnection),
    MySql(MySqlConnection),
    Sqlite(SqliteConnection),
}

/// A row whose every column is text or NULL.
pub type Cells = Vec<Option<String>>;

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl Connection {
    /// Connects to read.
    pub async fn open(config: &Database) -> Result<Self> {
        Self::open_for(config, Access::Read).await
    }

    /// Connects to remove rows, and to bring them back.
    pub async fn open_to_write(config: &Database) -> Result<Self> {
        Self::open_for(config, Access::Write).await
    }

    async fn open_for(config: &Database, access: Access) -> Result<Self> {
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
                connection
                    .execute(match access {
                        Access::Read => "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
                        Access::Write => "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
                    })
                    .await?;
                if access == Access::Write {
                    connection.execute(MYSQL_WRITING).await?;
                }
                let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut connection).await?;
                if version.contains("MariaDB") {
                    // Else a long IN list becomes a table of another collation (error 1267).
                    connection.execute("SET SESSION in_predicate_conversion_threshold = 0").await?;
                }
                Connection::MySql(connection)
            }
            Engine::Sqlite => {
                let options = read(SqliteConnectOptions::from_str(url))?.create_if_missing(false);
                let options = match access {
                    Access::Read => options.read_only(true),
                    Access::Write => options.busy_timeout(Duration::from_secs(30)),
                };
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

    /// Begins a transaction that may write.
    pub async fn begin_writing(&mut self) -> Result<()> {
        match self {
            Connection::Postgres(connection) => {
                connection.execute(sqlx::raw_sql(POSTGRES_BEGIN_WRITING)).await?;
            }
            Connection::MySql(connection) => {
                connection.execute(sqlx::raw_sql("START TRANSACTION")).await?;
            }
            Connection::Sqlite(connection) => {
                connection.execute("BEGIN IMMEDIATE").await?;
            }
        }
        Ok(())
    }

    /// Commits it. After an error nobody knows whether it was.
    pub async fn commit(&mut self) -> Result<()> {
        self.finish("COMMIT").await
    }

    /// Gives it up.
    pub async fn roll_back(&mut self) -> Result<()> {
        self.finish("ROLLBACK").await
    }

    async fn finish(&mut self, word: &'static str) -> Result<()> {
        match self {
            Connection::Postgres(connection) => connection.execute(sqlx::raw_sql(word)).await.map(|_| ())?,
            Connection::MySql(connection) => connection.execute(sqlx::raw_sql(word)).await.map(|_| ())?,
            Connection::Sqlite(connection) => connection.execute(word).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Runs a statement, and gives how many rows it has changed.
    pub async fn change(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64> {
        Ok(match self {
            Connection::Postgres(connection) => {
                bound::postgres(sql, parameters).execute(connection).await?.rows_affected()
            }
            Connection::MySql(connection) => bound::mysql(sql, parameters).execute(connection).await?.rows_affected(),
            Connection::Sqlite(connection) => {
                bound::sqlite(sql, parameters)?.execute(connection).await?.rows_affected()
            }
        })
    }

    /// Sends every row of `sql` into `chunks`.
    pub async fn send_keys(&mut self, sql: &str, chunks: &mut Chunks) -> Result<()> {
        match self {
            Connection::Postgres(connection) => copy_out(connection, sql, chunks).await,
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
        match self {
            Connection::Postgres(connection) => {
                each(connection, bound::postgres(sql, parameters), cell::<Postgres>, sink).await
            }
            Connection::MySql(connection) => each(connection, bound::mysql(sql, parameters), cell::<MySql>, sink).await,
            Connection::Sqlite(connection) => {
                each(connection, bound::sqlite(sql, parameters)?, sqlite_cell, sink).await
            }
        }
    }

    /// The database's own time.
    pub async fn now(&mut self, engine: Engine) -> Result<Time> {
        let question = sqlx::query_scalar(dialect::of(engine).now()).persistent(false);
        let text: String = match self {
            Connection::Postgres(connection) => question.fetch_one(connection).await?,
            Connection::MySql(connection) => {
                sqlx::query_scalar(dialect::of(engine).now()).fetch_one(connection).await?
            }
            Connection::Sqlite(connection) => {
                sqlx::query_scalar(dialect::of(engine).now()).fetch_one(connection).await?
            }
        };
        date::parse(&text).with_context(|| format!("the database says that it is {text}"))
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
        if let Some((Some(key), marks)) = reader.read(&line, columns)?.split_first() {
            chunks.push(key, marks).await?;
        }
    }
    Ok(())
}

async fn send<DB>(connection: &mut DB::Connection, sql: &str, chunks: &mut Chunks) -> Result<()>
where
    DB: sqlx::Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'r> &'r str: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    let columns = chunks.columns();
    let mut rows = connection.fetch(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())));
    while let Some(row) = rows.try_next().await? {
        let key = text::<DB>(&row, 0).context("a key that is no text")?;
        let Some(key) = key else { continue };
        if columns == 1 {
            chunks.push(key, &[]).await?;
            continue;
        }
        let marks = (1..columns).map(|at| text::<DB>(&row, at));
        chunks.push(key, &marks.collect::<Result<Vec<_>, _>>()?).await?;
    }
    Ok(())
}

/// A column as text, if it is not NULL.
fn text<DB>(row: &DB::Row, at: usize) -> Result<Option<&str>, sqlx::Error>
where
    DB: sqlx::Database,
    for<'r> &'r str: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    let value = row.try_get_raw(at)?;
    match value.is_null() {
        true => Ok(None),
        false => <&str as Decode<DB>>::decode(value).map(Some).map_err(sqlx::Error::Decode),
    }
}

/// Gives each row of a statement to `sink`, its cells as `cell` reads them.
async fn each<DB>(
    connection: &mut DB::Connection,
    query: Query<'_, DB, DB::Arguments>,
    cell: impl Fn(&DB::Row, usize) -> Result<Option<String>, sqlx::Error>,
    sink: &mut impl AsyncFnMut(Cells) -> Result<()>,
) -> Result<()>
where
    DB: sqlx::Database,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let mut rows = query.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        sink((0..row.len()).map(|at| cell(&row, at)).collect::<Result<_, _>>()?).await?;
    }
    Ok(())
}

fn cell<DB>(row: &DB::Row, at: usize) -> Result<Option<String>, sqlx::Error>
where
    DB: sqlx::Database,
    for<'r> Option<String>: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    <Option<String> as Decode<DB>>::decode(row.try_get_raw(at)?).map_err(sqlx::Error::Decode)
}

/// The same, but for a number that is no text yet: only images are read as they are.
fn sqlite_cell(row: &SqliteRow, at: usize) -> Result<Option<String>, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    match value.type_info().name() {
        "REAL" => {
            <f64 as Decode<Sqlite>>::decode(value).map(|real| Some(bound::image_of(real))).map_err(sqlx::Error::Decode)
        }
        _ => cell::<Sqlite>(row, at),
    }
}
