//! One connection to the application's database, whichever the engine: the only room in which a statement is sent.
//!
//! A connection reads only, unless it was opened to write: PostgreSQL in READ ONLY transactions, MySQL in a READ ONLY
//! session, SQLite with `mode=ro`. Nothing may filter a table behind our back (I1): `row_security` is off, so that a
//! filtered read is an error, and `sql_select_limit` is lifted.

use std::future::ready;
use std::path::PathBuf;

use anyhow::{Context, Result};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};

use crate::database::chunks::Chunks;
use crate::database::column::{ColumnFacts, Table};
use crate::database::date;
use crate::database::dialect::link::{Access, Cells, Link, NameAndType, Parameter};
use crate::database::dialect::sql::Dialect;
use crate::domain::Time;

/// What an engine must be able to do, beside writing its SQL: to connect, and to ask its catalog.
pub trait Driver: Dialect {
    /// Connects, and tells the session whatever holds for all of it.
    fn connect<'a>(&'a self, url: &'a str, access: Access) -> BoxFuture<'a, Result<Box<dyn Link>>>;

    /// The address in a URL, as reports name it: never a secret.
    fn address(&self, url: &str) -> Result<String>;

    /// What the database is, by whatever name it is reached; `None`: the server does not say, or not to this role.
    fn identity<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, Result<Option<String>>>;

    /// The file that it is, where no server has it.
    fn file(&self, _url: &str) -> Result<Option<PathBuf>> {
        Ok(None)
    }

    /// What holds for every source of the database.
    fn server<'a>(&'a self, _connection: &'a mut Connection) -> BoxFuture<'a, Result<Server>> {
        Box::pin(ready(Ok(Server::default())))
    }

    /// The columns of a table, in their order; none where there is no such table.
    fn columns<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Vec<ColumnFacts>>>;

    /// Whether a column that was declared to hold text holds nothing else: for an engine whose columns may.
    fn holds_text_alone<'a>(
        &'a self,
        _connection: &'a mut Connection,
        _table: &'a Table,
        _column: &'a str,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(ready(Ok(true)))
    }

    /// Why rows of a table cannot be removed and brought back as they were, in words, with the table as `it`; `None`: they
    /// can.
    fn obstacle<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Option<String>>>;

    /// What deleting rows of a table would change elsewhere (I19): foreign keys that cascade or set, and triggers, in words.
    fn reach_of_deletes<'a>(
        &'a self,
        connection: &'a mut Connection,
        table: &'a Table,
    ) -> BoxFuture<'a, Result<Vec<String>>>;

    /// How many rows the database expects to sort before `sql` streams keys of the table, if it sorts any and says so.
    fn sorted_rows<'a>(
        &'a self,
        _connection: &'a mut Connection,
        _sql: &'a str,
        _table: Option<&'a Table>,
    ) -> BoxFuture<'a, Result<Option<f64>>> {
        Box::pin(ready(Ok(None)))
    }

    /// Why nothing may be removed by what this server says, with the server as `it`: a standby, or one that takes no writes;
    /// `None`: it may.
    fn standby<'a>(&'a self, _connection: &'a mut Connection) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(ready(Ok(None)))
    }

    /// Takes the lock with this number, which ends with the connection or its transaction; `false`: somebody else has it.
    /// An engine without such locks has nothing to take.
    fn lock<'a>(&'a self, _connection: &'a mut Connection, _number: i64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(ready(Ok(true)))
    }

    /// Whether this connection has the lock that it took.
    fn is_locked<'a>(&'a self, _connection: &'a mut Connection, _number: i64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(ready(Ok(true)))
    }
}

/// What holds for every source of a database.
#[derive(Debug, Clone, Copy)]
pub struct Server {
    /// Whether a stream must be read to its end before anything else happens, because its cursor locks writers out.
    pub must_be_spooled: bool,
    /// Whether rows can be asked for by any key.
    pub answers_for_any_key: bool,
}

impl Default for Server {
    fn default() -> Self {
        Server { must_be_spooled: false, answers_for_any_key: true }
    }
}

/// Where connections are made to.
#[derive(Debug)]
pub struct Login {
    pub driver: &'static dyn Driver,
    pub url: SecretString,
}

/// A connection.
pub struct Connection {
    driver: &'static dyn Driver,
    link: Box<dyn Link>,
}

impl Connection {
    /// Connects to read.
    pub async fn open(login: &Login) -> Result<Self> {
        Self::open_for(login, Access::Read).await
    }

    /// Connects to remove rows, and to bring them back.
    pub async fn open_to_write(login: &Login) -> Result<Self> {
        Self::open_for(login, Access::Write).await
    }

    async fn open_for(login: &Login, access: Access) -> Result<Self> {
        let link = login.driver.connect(login.url.expose_secret(), access).await?;
        Ok(Connection { driver: login.driver, link })
    }

    /// Begins a transaction that sees what is committed now.
    pub async fn begin(&mut self) -> Result<()> {
        match self.driver.begin() {
            Some(sql) => self.link.send(sql).await,
            None => Ok(()),
        }
    }

    /// Ends the transaction.
    pub async fn end(&mut self) -> Result<()> {
        if self.driver.begin().is_some() { self.roll_back().await } else { Ok(()) }
    }

    /// Begins a transaction that may write.
    pub async fn begin_writing(&mut self) -> Result<()> {
        self.link.send(self.driver.begin_writing()).await
    }

    /// Commits it. After an error nobody knows whether it was.
    pub async fn commit(&mut self) -> Result<()> {
        self.link.send("COMMIT").await
    }

    /// Gives it up.
    pub async fn roll_back(&mut self) -> Result<()> {
        self.link.send("ROLLBACK").await
    }

    /// Runs a statement, and gives how many rows it has changed.
    pub async fn change(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64> {
        self.link.change(sql, parameters).await
    }

    /// Sends every row of `sql` into `chunks`.
    pub async fn send_keys(&mut self, sql: &str, chunks: &mut Chunks) -> Result<()> {
        self.link.send_keys(sql, chunks).await
    }

    /// Fetches all rows of a statement whose answer is known to be small.
    pub async fn fetch(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Cells>> {
        self.link.rows(sql, parameters).try_collect().await
    }

    /// Every cell of such an answer that is not NULL.
    pub async fn texts(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<String>> {
        Ok(self.fetch(sql, parameters).await?.into_iter().flatten().flatten().collect())
    }

    /// The first of them.
    pub async fn text(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Option<String>> {
        Ok(self.texts(sql, parameters).await?.into_iter().next())
    }

    /// Fetches the rows of a statement one by one.
    pub async fn fetch_each(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        sink: &mut impl AsyncFnMut(Cells) -> Result<()>,
    ) -> Result<()> {
        let mut rows = self.link.rows(sql, parameters);
        while let Some(row) = rows.try_next().await? {
            sink(row).await?;
        }
        Ok(())
    }

    /// The database's own time.
    pub async fn now(&mut self) -> Result<Time> {
        let text = self.text(self.driver.now(), &[]).await?.unwrap_or_default();
        date::parse(&text, chrono_tz::Tz::UTC).with_context(|| format!("the database says that it is {text}"))
    }

    /// The names and types of the columns that `sql` would give, without running it.
    pub async fn columns(&mut self, sql: &str) -> Result<Vec<NameAndType>, sqlx::Error> {
        self.link.columns(sql).await
    }
}
