//! An open connection of an engine: what each engine can do with its own, and what those of sqlx have in common.

use std::path::PathBuf;

use anyhow::{Context, Result};
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use sqlx::{
    AssertSqlSafe, Column, ColumnIndex, Database, Decode, Executor, Row, SqlSafeStr, Statement, TypeInfo, ValueRef,
};

use crate::database::chunks::Chunks;
use crate::exit_code::Misconfigured;

/// A connection, whichever the engine.
pub trait Link: Send {
    /// Sends a text of one or more statements, whose rows nobody needs.
    fn send(&mut self, sql: &'static str) -> BoxFuture<'_, Result<()>>;

    /// Runs a statement, and gives how many rows it has changed.
    fn change<'a>(&'a mut self, sql: &'a str, parameters: &'a [Parameter<'a>]) -> BoxFuture<'a, Result<u64>>;

    /// The rows of a statement whose every column is text or NULL.
    fn rows<'a>(&'a mut self, sql: &'a str, parameters: &'a [Parameter<'a>]) -> BoxStream<'a, Result<Cells>>;

    /// Sends every row of `sql` into `chunks`. One call for all: there may be millions.
    fn send_keys<'a>(&'a mut self, sql: &'a str, chunks: &'a mut Chunks) -> BoxFuture<'a, Result<()>>;

    /// The names and types of the columns that `sql` would give, without running it.
    fn columns<'a>(&'a mut self, sql: &'a str) -> BoxFuture<'a, Result<Vec<NameAndType>, sqlx::Error>>;
}

/// A row whose every column is text or NULL.
pub type Cells = Vec<Option<String>>;

/// Such a row where NULL means the same as nothing.
pub fn cells<const N: usize>(row: Cells) -> [String; N] {
    let mut cells = row.into_iter();
    std::array::from_fn(|_| cells.next().flatten().unwrap_or_default())
}

/// A column of a statement, as the server describes it.
pub type NameAndType = (String, String);

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// A value bound to a statement.
#[derive(Clone, Copy)]
pub enum Parameter<'a> {
    Text(&'a str),
    /// A value as [`image`](crate::database::dialect::sql::Dialect::image) reads it.
    Image(Option<&'a str>),
    /// A batch of keys, bound as the dialect's [list](crate::database::dialect::sql::Dialect::key_list) says.
    Keys(&'a [&'a str]),
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

/// The address of a server, for [`Driver::address`](crate::database::connection::Driver::address).
pub fn address(socket: Option<&PathBuf>, host: &str, port: u16, name: &str) -> String {
    let host = socket.map_or(host.to_owned(), |socket| socket.display().to_string());
    format!("{host}:{port}/{name}")
}

/// Sends every row of `sql` into `chunks`.
pub async fn send_rows<DB>(connection: &mut DB::Connection, sql: &str, chunks: &mut Chunks) -> Result<()>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'r> &'r str: Decode<'r, DB>,
    for<'r> &'r [u8]: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    let columns = chunks.columns();
    let mut rows = connection.fetch(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())));
    while let Some(row) = rows.try_next().await? {
        let Some(key) = bytes::<DB>(&row, 0).context("a key that is neither text nor bytes")? else { continue };
        let Ok(key) = std::str::from_utf8(key) else {
            chunks.push_undecoded(key).await?;
            continue;
        };
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
    DB: Database,
    for<'r> &'r str: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    let value = row.try_get_raw(at)?;
    match value.is_null() {
        true => Ok(None),
        false => <&str as Decode<DB>>::decode(value).map(Some).map_err(sqlx::Error::Decode),
    }
}

/// The bytes of a column, if it is not NULL.
fn bytes<DB>(row: &DB::Row, at: usize) -> Result<Option<&[u8]>, sqlx::Error>
where
    DB: Database,
    for<'r> &'r [u8]: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    let value = row.try_get_raw(at)?;
    match value.is_null() {
        true => Ok(None),
        false => <&[u8] as Decode<DB>>::decode(value).map(Some).map_err(sqlx::Error::Decode),
    }
}

/// A cell that is text; what is not UTF-8 is nothing. For engines whose [images] are all of letters that UTF-8 has.
///
/// [images]: crate::database::dialect::sql::Dialect::image
pub fn readable_cell<DB>(row: &DB::Row, at: usize) -> Result<Option<String>, sqlx::Error>
where
    DB: Database,
    for<'r> &'r [u8]: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    Ok(bytes::<DB>(row, at)?.and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::to_owned))
}

/// What sqlx gives for a statement.
pub type SqlxRows<'a, DB> = BoxStream<'a, Result<<DB as Database>::Row, sqlx::Error>>;

/// These rows, their cells as `cell` reads them.
pub fn texts<'a, DB: Database>(
    rows: SqlxRows<'a, DB>,
    cell: fn(&DB::Row, usize) -> Result<Option<String>, sqlx::Error>,
) -> BoxStream<'a, Result<Cells>> {
    let cells = move |row: DB::Row| (0..row.len()).map(|at| cell(&row, at)).collect::<Result<Cells, _>>();
    rows.map(move |row| Ok(cells(row?)?)).boxed()
}

/// A cell that is text.
pub fn cell<DB>(row: &DB::Row, at: usize) -> Result<Option<String>, sqlx::Error>
where
    DB: Database,
    for<'r> Option<String>: Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    <Option<String> as Decode<DB>>::decode(row.try_get_raw(at)?).map_err(sqlx::Error::Decode)
}

/// The names and types of the columns that `sql` would give.
pub async fn described<DB>(connection: &mut DB::Connection, sql: &str) -> Result<Vec<NameAndType>, sqlx::Error>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let statement = connection.prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await?;
    let columns = statement.columns().iter();
    Ok(columns.map(|column| (column.name().to_owned(), column.type_info().name().to_owned())).collect())
}
