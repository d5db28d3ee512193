//! Keys on disk, given back in byte order: for a source whose keys are made here, and so come out of order. The sorting is
//! SQLite's, in a temporary file.

use anyhow::{Context, Result};
use futures::TryStreamExt;
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Keys written at once.
const BATCH: usize = 2_000;
/// Batches on their way back.
const BATCHES_AHEAD: usize = 2;
/// Bytes of keys written at once, about.
const BATCH_BYTES: usize = 256 * 1024;

/// A file of keys, being filled.
pub struct Sorter {
    connection: SqliteConnection,
    batch: Vec<serde_json::Value>,
    bytes: usize,
    /// It goes with the sorter.
    _folder: tempfile::TempDir,
}

impl Sorter {
    pub async fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("making a temporary file for the keys")?;
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("keys.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .pragma("temp_store", "FILE")
            .pragma("locking_mode", "EXCLUSIVE");
        let mut connection = options.disable_statement_logging().connect().await.context(WRITING)?;
        connection.execute("CREATE TABLE keys (key TEXT NOT NULL, mark INTEGER NOT NULL)").await.context(WRITING)?;
        // Without a journal there is nothing to roll back, and one transaction is the fastest.
        connection.execute("BEGIN").await.context(WRITING)?;
        Ok(Sorter { connection, batch: Vec::new(), bytes: 0, _folder: folder })
    }

    /// Adds a key, and a mark on it.
    pub async fn push(&mut self, key: &str, mark: bool) -> Result<()> {
        self.bytes += key.len();
        self.batch.push(json!([key, mark]));
        if self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<()> {
        let rows = serde_json::to_string(&self.batch)?;
        self.batch.clear();
        self.bytes = 0;
        let sql = "INSERT INTO keys SELECT value ->> 0, value ->> 1 FROM json_each(?)";
        sqlx::query(sql).bind(rows).execute(&mut self.connection).await.context(WRITING)?;
        Ok(())
    }

    /// Every key in byte order, some at a time. The channel ends with an empty list where all were read.
    pub fn sorted(self) -> Receiver<Result<Vec<(String, bool)>>> {
        let (sender, receiver) = channel(BATCHES_AHEAD);
        tokio::spawn(async move {
            if let Err(error) = self.send(&sender).await {
                // Nobody left to tell means that the comparison has already failed elsewhere.
                let _ = sender.send(Err(error)).await;
            }
        });
        receiver
    }

    async fn send(mut self, sender: &Sender<Result<Vec<(String, bool)>>>) -> Result<()> {
        self.write().await?;
        self.connection.execute("COMMIT").await.context(WRITING)?;
        let mut keys = sqlx::query_as("SELECT key, mark FROM keys ORDER BY key").fetch(&mut self.connection);
        let mut batch = Vec::new();
        while let Some(key) = keys.try_next().await.context("reading keys back from a temporary file")? {
            batch.push(key);
            if batch.len() >= BATCH {
                sender.send(Ok(std::mem::take(&mut batch))).await?;
            }
        }
        if !batch.is_empty() {
            sender.send(Ok(batch)).await?;
        }
        Ok(sender.send(Ok(Vec::new())).await?)
    }
}

const WRITING: &str = "writing keys to a temporary file";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_in_comes_out_in_byte_order() {
        let mut sorter = Sorter::new().await.expect("a sorter");
        let mut keys: Vec<String> = (0..5_000).map(|n| format!("{}é/{n}\u{0}Z", (n * 7919) % 5_000)).collect();
        keys.push(String::new());
        for key in &keys {
            sorter.push(key, key.len() % 2 == 0).await.expect("room on the disk");
        }
        keys.sort();
        let mut back = Vec::new();
        let mut sorted = sorter.sorted();
        loop {
            let batch = sorted.recv().await.expect("an end").expect("keys");
            if batch.is_empty() {
                break;
            }
            assert!(batch.iter().all(|(key, mark)| *mark == (key.len() % 2 == 0)));
            back.extend(batch.into_iter().map(|(key, _)| key));
        }
        assert_eq!(back, keys);
    }
}
