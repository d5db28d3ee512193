//! Sorting on disk: entries of any number come back in the byte order of their keys, and no more of them are in the memory
//! than one run has. Runs are sorted, written one behind the other to a temporary file without a name, and merged as they
//! are read back. Nothing here knows what the entries are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};

/// Bytes of a run.
const RUN_BYTES: usize = 8 << 20;
/// Bytes read at once, of all runs together; of one run at most and at least.
const READ_BYTES: usize = 8 << 20;
const MOST_BYTES: usize = 256 << 10;
const LEAST_BYTES: usize = 4 << 10;
/// What stands before an entry: how long its key and the rest of it are.
const HEAD_BYTES: usize = 8;

/// Entries being gathered.
#[derive(Debug)]
pub struct Sorter {
    file: File,
    /// Entries as they are written, one behind the other.
    run: Vec<u8>,
    /// Where each of them begins.
    starts: Vec<usize>,
    /// Where the runs in the file begin and end.
    runs: Vec<(u64, u64)>,
    run_bytes: usize,
}

/// The same entries, in the byte order of their keys; those of one key in that of what stands behind it.
#[derive(Debug)]
pub struct Sorted {
    file: File,
    readers: Vec<Reader>,
    /// The next entry of each run.
    next: BinaryHeap<Reverse<(Entry, usize)>>,
}

/// A key, and what stands behind it.
pub type Entry = (String, Vec<u8>);

impl Sorter {
    pub fn new() -> Result<Self> {
        Sorter::with_runs_of(RUN_BYTES)
    }

    fn with_runs_of(run_bytes: usize) -> Result<Self> {
        let file = tempfile::tempfile().context("making a temporary file to sort in")?;
        Ok(Sorter { file, run: Vec::new(), starts: Vec::new(), runs: Vec::new(), run_bytes })
    }

    pub fn push(&mut self, key: &str, rest: &[u8]) -> Result<()> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_le_bytes).context("an entry of 4 GiB");
        self.starts.push(self.run.len());
        self.run.extend_from_slice(&length(key.as_bytes())?);
        self.run.extend_from_slice(&length(rest)?);
        self.run.extend_from_slice(key.as_bytes());
        self.run.extend_from_slice(rest);
        if self.run.len() + self.starts.len() * size_of::<usize>() >= self.run_bytes { self.write() } else { Ok(()) }
    }

    /// Sorts the run in the memory, and writes it.
    fn write(&mut self) -> Result<()> {
        let run = &self.run;
        self.starts.sort_unstable_by_key(|start| parts(&run[*start..]));
        let begin = self.runs.last().map_or(0, |(_, end)| *end);
        let mut end = begin;
        let mut sorted = Vec::with_capacity(MOST_BYTES);
        for (at, start) in self.starts.iter().enumerate() {
            let (key, rest) = parts(&run[*start..]);
            sorted.extend_from_slice(&run[*start..*start + HEAD_BYTES + key.len() + rest.len()]);
            if sorted.len() >= MOST_BYTES || at + 1 == self.starts.len() {
                self.file.write_all_at(&sorted, end).context("writing a temporary file to sort in")?;
                end += sorted.len() as u64;
                sorted.clear();
            }
        }
        self.runs.push((begin, end));
        self.run.clear();
        self.starts.clear();
        Ok(())
    }

    pub fn sorted(mut self) -> Result<Sorted> {
        if !self.starts.is_empty() {
            self.write()?;
        }
        let bytes = (READ_BYTES / self.runs.len().max(1)).clamp(LEAST_BYTES, MOST_BYTES);
        let readers = self.runs.into_iter().map(|(at, end)| Reader { at, end, bytes, buffer: Vec::new(), next: 0 });
        let mut sorted = Sorted { file: self.file, readers: readers.collect(), next: BinaryHeap::new() };
        for run in 0..sorted.readers.len() {
            sorted.refill(run)?;
        }
        Ok(sorted)
    }
}

impl Sorted {
    /// The next entry; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let Some(Reverse((entry, run))) = self.next.pop() else { return Ok(None) };
        self.refill(run)?;
        Ok(Some(entry))
    }

    fn refill(&mut self, run: usize) -> Result<()> {
        let entry = self.readers[run].next_entry(&self.file)?;
        self.next.extend(entry.map(|entry| Reverse((entry, run))));
        Ok(())
    }
}

/// One run being read back.
#[derive(Debug)]
struct Reader {
    /// Where in the file the rest of it begins and ends.
    at: u64,
    end: u64,
    /// Bytes read at once.
    bytes: usize,
    buffer: Vec<u8>,
    next: usize,
}

impl Reader {
    fn next_entry(&mut self, file: &File) -> Result<Option<Entry>> {
        if self.at == self.end && self.next == self.buffer.len() {
            return Ok(None);
        }
        self.fill(file, HEAD_BYTES)?;
        let (key, rest) = lengths(&self.buffer[self.next..]);
        self.fill(file, HEAD_BYTES + key + rest)?;
        let (key, rest) = parts(&self.buffer[self.next..]);
        let entry = (String::from_utf8(key.to_vec()).context(READING)?, rest.to_vec());
        self.next += HEAD_BYTES + entry.0.len() + entry.1.len();
        Ok(Some(entry))
    }

    /// Makes sure that so many bytes are in the memory.
    fn fill(&mut self, file: &File, bytes: usize) -> Result<()> {
        let left = self.buffer.len() - self.next;
        if left >= bytes {
            return Ok(());
        }
        self.buffer.drain(..self.next);
        self.next = 0;
        let more = u64::max((bytes - left) as u64, self.bytes as u64).min(self.end - self.at);
        self.buffer.resize(left + usize::try_from(more)?, 0);
        file.read_exact_at(&mut self.buffer[left..], self.at).context(READING)?;
        self.at += more;
        anyhow::ensure!(self.buffer.len() >= bytes, "{READING}: it was cut off");
        Ok(())
    }
}

/// How long the key of the entry is that begins here, and the rest of it.
fn lengths(entry: &[u8]) -> (usize, usize) {
    let length = |at: usize| entry[at..at + 4].iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
    (length(0), length(4))
}

fn parts(entry: &[u8]) -> (&[u8], &[u8]) {
    let (key, rest) = lengths(entry);
    entry[HEAD_BYTES..HEAD_BYTES + key + rest].split_at(key)
}

const READING: &str = "reading back a temporary file to sort in";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_byte_order(
            entries in prop::collection::vec((".{0,9}", prop::collection::vec(any::<u8>(), 0..9)), 0..200),
            run_bytes in 1_usize..4_000,
        ) {
            let mut sorter = Sorter::with_runs_of(run_bytes).expect("a file");
            for (key, rest) in &entries {
                sorter.push(key, rest).expect("room on the disk");
            }
            let mut sorted = sorter.sorted().expect("the entries");
            let back: Vec<Entry> = std::iter::from_fn(|| sorted.next_entry().expect("an entry")).collect();
            let mut expected = entries;
            expected.sort();
            prop_assert_eq!(back, expected);
        }
    }

    #[test]
    fn a_long_entry_is_read_over_many_buffers() {
        let mut sorter = Sorter::new().expect("a file");
        let long = vec![7; 3 * MOST_BYTES];
        for key in ["b", "a"] {
            sorter.push(key, &long).expect("room on the disk");
        }
        let mut sorted = sorter.sorted().expect("the entries");
        assert_eq!(sorted.next_entry().expect("an entry"), Some(("a".to_owned(), long.clone())));
        assert_eq!(sorted.next_entry().expect("an entry"), Some(("b".to_owned(), long)));
        assert_eq!(sorted.next_entry().expect("the end"), None);
    }
}
