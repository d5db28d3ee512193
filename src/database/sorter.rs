//! Keys on disk, given back in byte order: for a source whose keys are made here, or that the server sorts slowly.

use anyhow::Result;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::sorted;

/// Keys given back at once, and their bytes; one key may go over these.
const BATCH_KEYS: usize = 2_000;
const BATCH_BYTES: usize = 64 << 10;
/// Batches on their way back.
const BATCHES_AHEAD: usize = 2;

/// Keys being gathered.
pub struct Sorter(sorted::Sorter);

/// Keys that follow each other, in one buffer, each with its mark.
#[derive(Default)]
pub struct Batch {
    text: String,
    ends: Vec<(usize, bool)>,
}

impl Sorter {
    /// One of so many that are at work at once.
    pub fn one_of(sorters: usize) -> Result<Self> {
        Ok(Sorter(sorted::Sorter::one_of(sorters)?))
    }

    /// Adds a key, and a mark on it.
    pub fn push(&mut self, key: &str, mark: bool) -> Result<()> {
        self.0.push(key, &[u8::from(mark)])
    }

    /// Every key in byte order, some at a time. The channel ends with an empty batch where all were read.
    pub fn sorted(self) -> Receiver<Result<Batch>> {
        let (sender, receiver) = channel(BATCHES_AHEAD);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = self.send(&sender) {
                // Nobody left to tell means that the comparison has already failed elsewhere.
                let _ = sender.blocking_send(Err(error));
            }
        });
        receiver
    }

    fn send(self, sender: &Sender<Result<Batch>>) -> Result<()> {
        let mut keys = self.0.sorted()?;
        let mut batch = Batch::default();
        while let Some((key, mark)) = keys.next_borrowed()? {
            batch.text.push_str(key);
            batch.ends.push((batch.text.len(), mark != [0]));
            if batch.ends.len() >= BATCH_KEYS || batch.text.len() >= BATCH_BYTES {
                sender.blocking_send(Ok(std::mem::take(&mut batch)))?;
            }
        }
        if !batch.is_empty() {
            sender.blocking_send(Ok(batch))?;
        }
        Ok(sender.blocking_send(Ok(Batch::default()))?)
    }
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Its keys, each with its mark.
    pub fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        let mut start = 0;
        self.ends.iter().map(move |(end, mark)| {
            let key = &self.text[start..*end];
            start = *end;
            (key, *mark)
        })
    }
}
