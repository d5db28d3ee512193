//! The second look: what the scan found on one side only is asked of both sides once more before it is reported. What
//! changed meanwhile is no finding.

mod aliases;
mod derived;
mod folders;
mod links;
mod memory;
mod missing_folders;
mod only_list;
mod packed;
mod records;
mod resembling;

use anyhow::{Context, Result};

use crate::database::{Database, Named};
use crate::ledger::Ledger;

pub use aliases::at_aliases;
pub use derived::at_derived;
pub use folders::at_folders;
pub use links::at_links;
pub use memory::{Compared, Remembered, at_memory};
pub use missing_folders::at_missing_folders;
pub use only_list::names_anything;
pub use packed::at_packed;
pub use records::at_records;
pub use resembling::{at_names, at_other_readings};

/// Files asked for at once: a source that cannot be asked by key is streamed again for each window.
const WINDOW_KEYS: usize = 100_000;
/// Bytes of keys in a window, about.
const WINDOW_BYTES: usize = 16 << 20;

/// A database is read once more as a whole where its keys are fewer than so many times the orphaned files, which are many
/// then: to look each of them up takes longer.
const KEYS_TO_A_FILE: u64 = 5;
const MANY_FILES: u64 = 10_000;

/// Asks every source once more for the key of each orphaned file; the database gave so many at the first look.
pub async fn at_files(ledger: &mut Ledger, database: &Database, keys: u64) -> Result<()> {
    let files = ledger.count_orphans().await?;
    if files >= MANY_FILES && keys / KEYS_TO_A_FILE < files && !database.owns_folders() {
        return join_again(ledger, database).await;
    }
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

/// Streams every source's keys once more, beside the orphaned files in the same order.
async fn join_again(ledger: &mut Ledger, database: &Database) -> Result<()> {
    let mut keys = database.keys();
    let (mut window, mut next) = (Vec::new(), 0);
    let mut wanted: Vec<String> = Vec::new();
    while let Some(Named { key, .. }) = keys.next().await.context(ASK)? {
        while window.get(next).is_none_or(|file: &String| file.as_str() < key) {
            // The next file that is not before the key; the others were passed by.
            next = window.partition_point(|file| file.as_str() < key);
            if next < window.len() {
                break;
            }
            window = ledger.orphans_from(key, PAGE).await?;
            next = 0;
            if window.is_empty() {
                return ledger.forget_orphans(&wanted).await;
            }
        }
        if window.get(next).is_some_and(|file| file == key) {
            wanted.push(key.to_owned());
            next += 1;
        }
        if wanted.len() >= PAGE {
            ledger.forget_orphans(&std::mem::take(&mut wanted)).await?;
        }
    }
    ledger.forget_orphans(&wanted).await
}

/// Orphaned files read at once, beside a stream.
const PAGE: usize = 4_000;

const ASK: &str = "the database could not be asked once more";
