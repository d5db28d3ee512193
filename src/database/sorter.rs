//! Keys on disk, given back in byte order: for a source whose keys are made here, and so come out of order.

use anyhow::Result;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::sorted;

/// Keys given back at once.
const BATCH: usize = 2_000;
/// Batches on their way back.
const BATCHES_AHEAD: usize = 2;

/// Keys being gathered.
pub struct Sorter(sorted::Sorter);

impl Sorter {
    pub fn new() -> Result<Self> {
        Ok(Sorter(sorted::Sorter::new()?))
    }

    /// Adds a key, and a mark on it.
    pub fn push(&mut self, key: &str, mark: bool) -> Result<()> {
        self.0.push(key, &[u8::from(mark)])
    }

    /// Every key in byte order, some at a time. The channel ends with an empty list where all were read.
    pub fn sorted(self) -> Receiver<Result<Vec<(String, bool)>>> {
        let (sender, receiver) = channel(BATCHES_AHEAD);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = self.send(&sender) {
                // Nobody left to tell means that the comparison has already failed elsewhere.
                let _ = sender.blocking_send(Err(error));
            }
        });
        receiver
    }

    fn send(self, sender: &Sender<Result<Vec<(String, bool)>>>) -> Result<()> {
        let mut keys = self.0.sorted()?;
        let mut batch = Vec::new();
        while let Some((key, mark)) = keys.next_entry()? {
            batch.push((key, mark != [0]));
            if batch.len() >= BATCH {
                sender.blocking_send(Ok(std::mem::take(&mut batch)))?;
            }
        }
        if !batch.is_empty() {
            sender.blocking_send(Ok(batch))?;
        }
        Ok(sender.blocking_send(Ok(Vec::new()))?)
    }
}
