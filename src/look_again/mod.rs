//! The second look: what the scan found on one side only is asked of both sides once more before it is reported. What
//! changed meanwhile is no finding.

mod derived;
mod records;

use anyhow::{Context, Result};

use crate::database::Database;
use crate::ledger::Ledger;

pub use derived::at_derived;
pub use records::at_records;

/// Files asked for at once: a source that cannot be asked by key is streamed again for each window.
const WINDOW_KEYS: usize = 100_000;
/// Bytes of keys in a window, about.
const WINDOW_BYTES: usize = 16 << 20;

/// Asks every source once more for the key of each orphaned file.
pub async fn at_files(ledger: &mut Ledger, database: &Database) -> Result<()> {
    let mut after = String::new();
    loop {
        let window = ledger.orphans_after(&after, WINDOW_KEYS, WINDOW_BYTES).await?;
        let Some(last) = window.last() else { return Ok(()) };
        let keys: Vec<&str> = window.iter().map(String::as_str).collect();
        let wanted = async { database.session().await?.wanted(&keys).await };
        let wanted = wanted.await.context(ASK)?;
        ledger.forget_orphans(&wanted.into_iter().collect::<Vec<_>>()).await?;
        after.clone_from(last);
    }
}

const ASK: &str = "the database could not be asked once more";
