//! Sorting on disk: entries of any number come back in the byte order of their keys, and no more of them are in the memory
//! than one run has. Runs are sorted, written one behind the other to a temporary file without a name, and merged as they
//! are read back; where so many cannot be read at once, some are merged into a longer one first. Nothing here knows what the
//! entries are.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustix::fs::FallocateFlags;

use crate::scratch;

/// Bytes of a run in the memory, and of all runs that are read back at once; at least, where several sorters share them.
const BYTES: usize = 8 << 20;
const LEAST_BYTES: usize = 256 << 10;
/// Bytes read or written at once, at most and at least.
const MOST_AT_ONCE: usize = 256 << 10;
const LEAST_AT_ONCE: usize = 4 << 10;
/// Runs that are read back at once, at least, however long their entries are.
const LEAST_RUNS: usize = 4;
/// What stands before an entry: how long its key and the rest of it are.
const HEAD_BYTES: usize = 8;

/// Entries being gathered.
#[derive(Debug)]
pub struct Sorter {
    file: Arc<File>,
    /// Entries as they are written, one behind the other.
    run: Vec<u8>,
    /// Where each of them begins, behind its [lead](lead) once the run is whole.
    starts: Vec<(u64, usize)>,
    /// How many bytes all keys of the run begin with alike.
    alike: usize,
    /// In the order of the file.
    runs: Vec<Run>,
    entries: u64,
    bytes: usize,
}

/// Sorted entries in the file.
#[derive(Debug, Clone, Copy)]
struct Run {
    at: u64,
    end: u64,
    entries: u64,
    /// Bytes of its longest entry.
    longest: usize,
}

/// The same entries, in the byte order of their keys; those of one key in that of what stands behind it.
#[derive(Debug)]
pub struct Sorted {
    file: Arc<File>,
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

    /// One of so many that are at work at once: up to 32 of them take about as much memory together as one alone, and more
    /// of them a quarter of a MiB each. Where entries are longer than that, each sorter holds up to four.
    pub fn one_of(sorters: usize) -> Result<Self> {
        Sorter::with((BYTES / sorters.max(1)).max(LEAST_BYTES))
    }

    fn with(bytes: usize) -> Result<Self> {
        let file = Arc::new(scratch::file()?);
        let (run, starts, runs) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Sorter { file, run, starts, alike: 0, runs, entries: 0, bytes })
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
        let is_full = self.run.len() + self.starts.len() * size_of::<(u64, usize)>() >= self.bytes;
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
        let mut writer = self.new_run();
        for (_, start) in &self.starts {
            writer.push(whole(&run[*start..]))?;
        }
        let run = writer.finish()?;
        self.runs.push(run);
        self.run.clear();
        self.starts.clear();
        Ok(())
    }

    /// A run behind the others.
    fn new_run(&self) -> Writer<'_> {
        let at = self.runs.last().map_or(0, |run| run.end);
        let at_once = (self.bytes / 8).clamp(LEAST_AT_ONCE, MOST_AT_ONCE);
        let run = Run { at, end: at, entries: 0, longest: 0 };
        Writer { file: &self.file, run, buffer: Vec::with_capacity(at_once), at_once }
    }

    pub fn sorted(mut self) -> Result<Sorted> {
        if !self.starts.is_empty() {
            self.write()?;
        }
        // Its room is that of what is read back now.
        (self.run, self.starts) = (Vec::new(), Vec::new());
        while let Some(first) = first_to_merge(&self.runs, self.bytes) {
            self.merge(first)?;
        }
        Sorted::of(self.file, &self.runs, self.entries, self.bytes)
    }

    /// Makes one run of so many of the first.
    fn merge(&mut self, first: usize) -> Result<()> {
        let entries = self.runs[..first].iter().map(|run| run.entries).sum();
        let mut sorted = Sorted::of(self.file.clone(), &self.runs[..first], entries, self.bytes)?;
        let mut writer = self.new_run();
        while let Some(entry) = sorted.next_whole()? {
            writer.push(entry)?;
        }
        let merged = writer.finish()?;
        let (begin, end) = (self.runs[0].at, self.runs[first - 1].end);
        self.runs.drain(..first);
        self.runs.push(merged);
        // Their room on the disk is free again. Where the file system cannot do that, it is when all were read back.
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let _ = rustix::fs::fallocate(&*self.file, flags, begin, end - begin);
        Ok(())
    }
}

/// How many of the first runs are to become one, because all of them cannot be read at once in so many bytes.
fn first_to_merge(runs: &[Run], bytes: usize) -> Option<usize> {
    let all: usize = runs.iter().map(Run::room).sum();
    if all <= bytes || runs.len() <= LEAST_RUNS {
        return None;
    }
    let (mut room, mut of_merged) = (0, 0);
    let first = runs.iter().enumerate().take_while(|(at, run)| {
        let (fits, is_enough) = (room + run.room() <= bytes, all - room + of_merged <= bytes);
        (room, of_merged) = (room + run.room(), of_merged.max(run.room()));
        *at < 2 || !is_enough && (*at < LEAST_RUNS || fits)
    });
    Some(first.count())
}

impl Run {
    /// Bytes of the memory that it takes to be read back, at least.
    fn room(&self) -> usize {
        self.longest + LEAST_AT_ONCE
    }
}

/// A run being written.
struct Writer<'f> {
    file: &'f File,
    run: Run,
    buffer: Vec<u8>,
    at_once: usize,
}

impl Writer<'_> {
    fn push(&mut self, entry: &[u8]) -> Result<()> {
        self.run.entries += 1;
        self.run.longest = self.run.longest.max(entry.len());
        if self.buffer.len() + entry.len() > self.at_once {
            self.flush()?;
        }
        if entry.len() > self.at_once {
            return self.write(entry);
        }
        self.buffer.extend_from_slice(entry);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.write(&buffer)?;
        buffer.clear();
        self.buffer = buffer;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all_at(bytes, self.run.end).with_context(scratch::writing)?;
        self.run.end += bytes.len() as u64;
        Ok(())
    }

    fn finish(mut self) -> Result<Run> {
        self.flush()?;
        Ok(self.run)
    }
}

impl Sorted {
    fn of(file: Arc<File>, runs: &[Run], entries: u64, bytes: usize) -> Result<Self> {
        let longest: usize = runs.iter().map(|run| run.longest).sum();
        let at_once = (bytes.saturating_sub(longest) / runs.len().max(1)).clamp(LEAST_AT_ONCE, MOST_AT_ONCE);
        let reader = |run: &Run| Reader { at: run.at, end: run.end, at_once, buffer: Vec::new(), next: 0 };
        let mut readers: Vec<Reader> = runs.iter().map(reader).collect();
        for reader in &mut readers {
            reader.fill_with_entry(&file)?;
        }
        // No run is without an entry.
        let heap = (0..readers.len()).collect();
        let mut sorted = Sorted { file, readers, heap, is_given: false, left: entries };
        for at in (0..sorted.heap.len() / 2).rev() {
            sorted.sink(at);
        }
        Ok(sorted)
    }

    /// The next entry; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        Ok(self.next_borrowed()?.map(|(key, rest)| (key.to_owned(), rest.to_vec())))
    }

    /// The same where it stands.
    pub fn next_borrowed(&mut self) -> Result<Option<(&str, &[u8])>> {
        let Some(entry) = self.next_whole()? else { return Ok(None) };
        let (key, rest) = parts(entry);
        Ok(Some((std::str::from_utf8(key).context(READING)?, rest)))
    }

    /// The same as it is written.
    fn next_whole(&mut self) -> Result<Option<&[u8]>> {
        if std::mem::take(&mut self.is_given) {
            self.move_on()?;
        }
        let Some(first) = self.heap.first() else {
            ensure!(self.left == 0, "{READING}: {} entries are missing", self.left);
            return Ok(None);
        };
        self.is_given = true;
        self.left = self.left.checked_sub(1).context("more entries are in a temporary file than were sorted")?;
        Ok(Some(whole(self.readers[*first].rest())))
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
        parts(self.readers[self.heap[at]].rest())
    }
}

/// One run being read back.
#[derive(Debug)]
struct Reader {
    /// Where in the file the rest of it begins and ends.
    at: u64,
    end: u64,
    /// Bytes read at once.
    at_once: usize,
    buffer: Vec<u8>,
    /// Where in the buffer its entry begins.
    next: usize,
}

impl Reader {
    /// The entry that it stands at, and what was read behind it.
    fn rest(&self) -> &[u8] {
        &self.buffer[self.next..]
    }

    /// Goes to the next entry; `false`: there is none.
    fn move_on(&mut self, file: &File) -> Result<bool> {
        self.next += whole(self.rest()).len();
        if self.at == self.end && self.next == self.buffer.len() {
            return Ok(false);
        }
        self.fill_with_entry(file)?;
        Ok(true)
    }

    /// Makes sure that the whole entry is in the memory.
    fn fill_with_entry(&mut self, file: &File) -> Result<()> {
        self.fill(file, HEAD_BYTES)?;
        let (key, rest) = lengths(self.rest());
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
        let more = u64::max((bytes - left) as u64, self.at_once as u64).min(self.end - self.at);
        // A Vec that grows by itself would take twice the room.
        self.buffer.reserve_exact(usize::try_from(more)?);
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

/// The entry that begins here.
fn whole(entry: &[u8]) -> &[u8] {
    let (key, rest) = lengths(entry);
    &entry[..HEAD_BYTES + key + rest]
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
    use std::os::unix::fs::MetadataExt;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_byte_order(
            // Many begin alike, and some end where others hold a NUL.
            entries in prop::collection::vec(
                (prop_oneof![".{0,9}", "same/same/[a\\x00]{0,12}"], prop::collection::vec(any::<u8>(), 0..9)), 0..200,
            ),
            // Few of them hold more than four runs at once.
            bytes in prop_oneof![1_usize..4_000, 20_000_usize..30_000],
            small_bytes in 1_usize..4_000,
        ) {
            let mut sorter = Sorter::with(small_bytes).expect("a file");
            for (key, rest) in &entries {
                sorter.push(key, rest).expect("room on the disk");
            }
            sorter.bytes = bytes;
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
        let long = vec![7; 3 * MOST_AT_ONCE];
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
        for (sorters, room) in [(1, BYTES), (8, BYTES), (32, BYTES), (60, 15 << 20)] {
            let sorter = Sorter::one_of(sorters).expect("a file");
            assert!(sorters * sorter.bytes <= room, "{sorters}");
        }
    }

    /// Each run has one long entry, and the runs are many more than can be read at once.
    fn long_entries(bytes: usize) -> Sorter {
        let mut sorter = Sorter::with(bytes).expect("a file");
        for number in (0..RUNS).rev() {
            sorter.push(&format!("{number:04}"), &vec![7; bytes / 8]).expect("room on the disk");
            sorter.push(&format!("{number:04} is short"), b"").expect("room on the disk");
            sorter.write().expect("room on the disk");
        }
        sorter
    }

    const RUNS: usize = 200;

    #[test]
    fn long_entries_are_read_back_in_the_same_room() {
        let bytes = 512 << 10;
        let mut sorted = long_entries(bytes).sorted().expect("the entries");
        let mut number = 0;
        while let Some((key, _)) = sorted.next_borrowed().expect("an entry") {
            assert_eq!(key, format!("{:04}{}", number / 2, [" is short", ""][1 - number % 2]));
            let room: usize = sorted.readers.iter().map(|reader| reader.buffer.capacity()).sum();
            assert!(room <= bytes + sorted.readers.len() * HEAD_BYTES, "{room}");
            number += 1;
        }
        assert_eq!(number, 2 * RUNS);
    }

    #[test]
    fn what_was_merged_takes_no_room_on_the_disk() {
        let sorter = long_entries(256 << 10);
        let file = sorter.file.clone();
        let room = || file.metadata().expect("a file").blocks() * 512;
        let before = room();
        let sorted = sorter.sorted().expect("the entries");
        let written = file.metadata().expect("a file").len();
        assert!(written > 2 * before && room() < before / 2 * 3, "{written} {} {before}", room());
        drop(sorted);
    }

    #[test]
    fn no_more_runs_are_merged_than_must_be_and_fit() {
        let runs = |longest: &[usize]| -> Vec<Run> {
            longest.iter().map(|longest| Run { at: 0, end: 0, entries: 1, longest: *longest }).collect()
        };
        let room = 10 * LEAST_AT_ONCE;
        for (longest, expected) in [
            (vec![0; 10], None),
            (vec![0; 11], Some(2)),
            (vec![0; 15], Some(6)),
            (vec![0; 1_000], Some(10)),
            // Four are read at once however long they are, and so they need not become fewer.
            (vec![1 << 20; 4], None),
            (vec![1 << 20; 9], Some(4)),
            (vec![3 * LEAST_AT_ONCE, 0, 0, 0, 0, 0, 0, 0], Some(2)),
            (vec![5 * LEAST_AT_ONCE, 0, 0, 5 * LEAST_AT_ONCE, 0, 0, 0, 0], Some(4)),
        ] {
            assert_eq!(first_to_merge(&runs(&longest), room), expected, "{longest:?}");
        }
    }

    #[test]
    fn a_disk_without_room_is_told_where() {
        let mut sorter = Sorter::new().expect("a file");
        sorter.file = Arc::new(File::open("/dev/null").expect("a file that cannot be written"));
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
