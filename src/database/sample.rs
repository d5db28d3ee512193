//! Makes the small SQLite application that `demo` shows: the one place that writes a database, and only a new one.

use std::path::Path;

use anyhow::{Context, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor};

use crate::domain::Time;

/// Creates a database at `path` with a table `assets` of these keys.
pub async fn create(path: &Path, keys: &[String], created_at: Time) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection =
        SqliteConnection::connect_with(&options).await.with_context(|| format!("creating {}", path.display()))?;
    connection
        .execute(
            "CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT NOT NULL, created_at TEXT NOT NULL); \
             CREATE INDEX assets_storage_key ON assets (storage_key)",
        )
        .await?;
    let mut transaction = connection.begin().await?;
    for key in keys {
        sqlx::query("INSERT INTO assets (storage_key, created_at) VALUES (?, ?)")
            .bind(key)
            .bind(created_at.to_rfc3339())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}
