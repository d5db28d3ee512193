//! Sorting on disk: entries of any number come back in the byte order of their keys, and no more of them are in the memory
//! than one run has. Runs are sorted, written one behind the other to a temporary file without a name, and merged as they
//! are read back. Nothing here knows what the entries are.

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};

use crate::scratch;

/// Bytes of a run, and at least where several sorters share them.
const RUN_BYTES: usize = 8 << 20;
const LEAST_RUN_BYTES: usize = 1 << 20;
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
    /// Where each of them begins, behind its [lead](lead) once the run is whole.
    starts: Vec<(u64, usize)>,
    /// How many bytes all keys of the run begin with alike.
    alike: usize,
    /// Where the runs in the file begin and end.
    runs: Vec<(u64, u64)>,
    entries: u64,
    run_bytes: usize,
    read_bytes: usize,
}

/// The same entries, in the byte order of their keys; those of one key in that of what stands behind it.
#[derive(Debug)]
pub struct Sorted {
    file: File,
    readers: Vec<Reader>,
    /// The readers that have an entry left, as a heap: the first of them has the least.
    heap: Vec<usize>,
    /// Whether the entry of the first of them was given.
    is_given: bool,
    /// Entries that are still to come.
    left: u64,
}

/// A key, and what stands behind it.
pub type Entry = (String, Vec<u8>);

impl Sorter {
    pub fn new() -> Result<Self> {
        Sorter::one_of(1)
    }

    /// One of so many that are at work at once: all together take little more memory than one alone.
    pub fn one_of(sorters: usize) -> Result<Self> {
        let share = |bytes: usize| bytes / sorters.max(1);
        Sorter::with(share(RUN_BYTES).max(LEAST_RUN_BYTES), share(READ_BYTES))
    }

    fn with(run_bytes: usize, read_bytes: usize) -> Result<Self> {
        let file = scratch::file()?;
        let (run, starts, runs) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Sorter { file, run, starts, alike: 0, runs, entries: 0, run_bytes, read_bytes })
    }

    pub fn push(&mut self, key: &str, rest: &[u8]) -> Result<()> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_le_bytes).context("an entry of 4 GiB");
        self.alike = match self.starts.is_empty() {
            true => key.len(),
            false => alike(&parts(&self.run).0[..self.alike], key.as_bytes()),
        };
        self.starts.push((0, self.run.len()));
        self.run.extend_from_slice(&length(key.as_bytes())?);
        self.run.extend_from_slice(&length(rest)?);
        self.run.extend_from_slice(key.as_bytes());
        self.run.extend_from_slice(rest);
        self.entries += 1;
        let is_full = self.run.len() + self.starts.len() * size_of::<(u64, usize)>() >= self.run_bytes;
        if is_full { self.write() } else { Ok(()) }
    }

    /// Sorts the run in the memory, and writes it.
    fn write(&mut self) -> Result<()> {
        let (run, alike) = (&self.run, self.alike);
        for (lead_of, start) in &mut self.starts {
            *lead_of = lead(&parts(&run[*start..]).0[alike..]);
        }
        self.starts.sort_unstable_by(|(lead, start), (other_lead, other)| {
            lead.cmp(other_lead).then_with(|| parts(&run[*start..]).cmp(&parts(&run[*other..])))
        });
        let begin = self.runs.last().map_or(0, |(_, end)| *end);
        let mut end = begin;
        let mut sorted = Vec::with_capacity(MOST_BYTES);
        for (at, (_, start)) in self.starts.iter().enumerate() {
            let (key, rest) = parts(&run[*start..]);
            sorted.extend_from_slice(&run[*start..*start + HEAD_BYTES + key.len() + rest.len()]);
            if sorted.len() >= MOST_BYTES || at + 1 == self.starts.len() {
                self.file.write_all_at(&sorted, end).with_context(scratch::writing)?;
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
        // Its room is that of the readers now.
        (self.run, self.starts) = (Vec::new(), Vec::new());
        let bytes = (self.read_bytes / self.runs.len().max(1)).clamp(LEAST_BYTES, MOST_BYTES);
        let readers = self.runs.into_iter().map(|(at, end)| Reader { at, end, bytes, buffer: Vec::new(), next: 0 });
        let mut readers: Vec<Reader> = readers.collect();
        for reader in &mut readers {
            reader.fill_with_entry(&self.file)?;
        }
        // No run is without an entry.
        let heap = (0..readers.len()).collect();
        let mut sorted = Sorted { file: self.file, readers, heap, is_given: false, left: self.entries };
        for at in (0..sorted.heap.len() / 2).rev() {
            sorted.sink(at);
        }
        Ok(sorted)
    }
}

impl Sorted {
    /// The next entry; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        Ok(self.next_borrowed()?.map(|(key, rest)| (key.to_owned(), rest.to_vec())))
    }

    /// The same where it stands.
    pub fn next_borrowed(&mut self) -> Result<Option<(&str, &[u8])>> {
        if std::mem::take(&mut self.is_given) {
            self.move_on()?;
        }
        let Some(first) = self.heap.first() else {
            ensure!(self.left == 0, "{READING}: {} entries are missing", self.left);
            return Ok(None);
        };
        self.is_given = true;
        self.left = self.left.checked_sub(1).context("more entries are in a temporary file than were sorted")?;
        let (key, rest) = self.readers[*first].entry();
        Ok(Some((std::str::from_utf8(key).context(READING)?, rest)))
    }

    /// Leaves the entry that was given.
    fn move_on(&mut self) -> Result<()> {
        let Some(first) = self.heap.first() else { return Ok(()) };
        if !self.readers[*first].move_on(&self.file)? {
            self.heap.swap_remove(0);
        }
        self.sink(0);
        Ok(())
    }

    /// Brings the reader at this place of the heap behind those that stand before it.
    fn sink(&mut self, mut at: usize) {
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.heap.len() && self.entry(child) < self.entry(least) {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    fn entry(&self, at: usize) -> (&[u8], &[u8]) {
        self.readers[self.heap[at]].entry()
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
    /// Where in the buffer its entry begins.
    next: usize,
}

impl Reader {
    /// The entry that it stands at.
    fn entry(&self) -> (&[u8], &[u8]) {
        parts(&self.buffer[self.next..])
    }

    /// Goes to the next entry; `false`: there is none.
    fn move_on(&mut self, file: &File) -> Result<bool> {
        let (key, rest) = self.entry();
        self.next += HEAD_BYTES + key.len() + rest.len();
        if self.at == self.end && self.next == self.buffer.len() {
            return Ok(false);
        }
        self.fill_with_entry(file)?;
        Ok(true)
    }

    /// Makes sure that the whole entry is in the memory.
    fn fill_with_entry(&mut self, file: &File) -> Result<()> {
        self.fill(file, HEAD_BYTES)?;
        let (key, rest) = lengths(&self.buffer[self.next..]);
        self.fill(file, HEAD_BYTES + key + rest)
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
        ensure!(self.buffer.len() >= bytes, "{READING}: it was cut off");
        Ok(())
    }
}

/// How long the key of the entry is that begins here, and the rest of it.
fn lengths(entry: &[u8]) -> (usize, usize) {
    let length = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    (length(entry.first_chunk()), length(entry[4..].first_chunk()))
}

fn parts(entry: &[u8]) -> (&[u8], &[u8]) {
    let (key, rest) = lengths(entry);
    entry[HEAD_BYTES..HEAD_BYTES + key + rest].split_at(key)
}

/// How many bytes two keys begin with alike.
fn alike(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// The first bytes of a key as a number: of two keys the one with the lesser number is the lesser, and most comparisons
/// need no more. A key that ends among them goes on in zeros, which no other byte is less than.
fn lead(key: &[u8]) -> u64 {
    let mut bytes = [0; size_of::<u64>()];
    bytes.iter_mut().zip(key).for_each(|(lead, byte)| *lead = *byte);
    u64::from_be_bytes(bytes)
}

const READING: &str = "reading back a temporary file to sort in";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_byte_order(
            // Many begin alike, and some end where others hold a NUL.
            entries in prop::collection::vec(
                (prop_oneof![".{0,9}", "same/same/[a\\x00]{0,12}"], prop::collection::vec(any::<u8>(), 0..9)), 0..200,
            ),
            run_bytes in 1_usize..4_000,
        ) {
            let mut sorter = Sorter::with(run_bytes, READ_BYTES).expect("a file");
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

    #[test]
    fn many_sorters_take_no_more_room_than_one() {
        let [one, eight] = [1, 8].map(|sorters| Sorter::one_of(sorters).expect("a file"));
        assert!(8 * eight.run_bytes <= one.run_bytes && 8 * eight.read_bytes <= one.read_bytes);
    }

    #[test]
    fn a_disk_without_room_is_told_where() {
        let mut sorter = Sorter::new().expect("a file");
        sorter.file = File::open("/dev/null").expect("a file that cannot be written");
        sorter.push("a", b"").expect("room in the memory");
        let error = format!("{:#}", sorter.sorted().expect_err("an error"));
        assert!(error.contains("TMPDIR") && error.contains(&*std::env::temp_dir().to_string_lossy()), "{error}");
    }

    #[test]
    fn an_entry_that_is_lost_is_an_error_and_so_is_one_too_many() {
        for (runs, expected) in [(&[][..], "2 entries are missing"), (&[0, 0][..], "more entries")] {
            let mut sorter = Sorter::new().expect("a file");
            sorter.push("a", b"").and_then(|()| sorter.push("b", b"")).and_then(|()| sorter.write()).expect("room");
            sorter.runs = runs.iter().map(|at| sorter.runs[*at]).collect();
            let mut sorted = sorter.sorted().expect("the entries");
            let error = loop {
                match sorted.next_entry() {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("the end"),
                    Err(error) => break format!("{error:#}"),
                }
            };
            assert!(error.contains(expected), "{error}");
        }
    }
}
