//! A SQLite database in a folder of its own.

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use super::servers::{Database, blocking};

pub struct Sqlite {
    folder: tempfile::TempDir,
}

impl Sqlite {
    pub fn new() -> Sqlite {
        Sqlite { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The folder, which holds the database and whatever else SQLite puts beside it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self) -> PathBuf {
        self.folder().join("app.db")
    }

    async fn open(&self) -> sqlx::Result<SqliteConnection> {
        let options = SqliteConnectOptions::new().filename(self.file()).create_if_missing(true);
        SqliteConnection::connect_with(&options).await
    }
}

impl Database for Sqlite {
    fn url(&self) -> String {
        format!("sqlite:{}", self.file().display())
    }

    fn run(&self, sql: &str) {
        let done = blocking(async {
            let mut connection = self.open().await?;
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
            connection.close().await
        });
        done.unwrap_or_else(|e| panic!("{e}: {sql:.500}"));
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        let rows = blocking(async {
            let mut connection = self.open().await?;
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await
        });
        rows.unwrap_or_else(|e| panic!("{e}: {sql}"))
    }
}

/// Runs a statement on a SQLite database, also from within a hook, which has no database at hand.
pub fn run_sql(url: &str, statement: &str) {
    blocking(async {
        let mut connection = SqliteConnection::connect(url).await.expect("the database");
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.expect("the statement");
    });
}
