//! Cuts the merged stream of the database's keys into slices: each is the database's half of one range of the key space.
//! So the database itself supplies the split points for listing ranges beside each other.

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::mpsc::Sender;

use crate::compare::density::Density;
use crate::compare::scope::Scope;
use crate::compare::slice::{Pool, Slice, SliceBuilder};
use crate::compare::{Inside, Note, Packed, Progress, Scan, Unmatched};
use crate::database::{MergedKeys, Named, Strays};
use crate::domain::{Claim, MOST_SOURCES, Totals, packed};

/// Bytes of keys in a slice, about, as long as it fills a page of the listing; a key may be 1,024 bytes long. Each range that
/// is listed holds one.
const SLICE_BYTES: usize = 224 * 1024;
/// The same of a slice that fills no page.
const MOST_SLICE_BYTES: usize = 512 * 1024;
/// Pages that the keys of a slice fill.
const SLICE_PAGES: usize = 4;
/// Keys in a note to the ledger.
pub(super) const NOTE_KEYS: usize = 1_000;
/// The same of keys that may be of any length.
const IMPOSSIBLE_KEYS: usize = 16;
/// A value that is longer is not a key in any spelling: percent-encoding three times makes nine bytes of one, and there is a
/// host or a path in front.
const LONGEST_SPELLING_BYTES: usize = 16 * 1024;
/// Parts of longer values that are looked at, of one source: where so many are no object's key, the values are not packed.
const MOST_PARTS: usize = 200_000;
/// Keys in a folder that are told of: its own row may name them, and rarely names more.
const MOST_INSIDE: usize = 8;
/// Keys after which whoever shows the progress is told.
const TOLD_KEYS: usize = 256;

pub struct Slicer {
    keys: MergedKeys,
    scope: Arc<Scope>,
    notes: Sender<Note>,
    progress: Arc<Progress>,
    /// Keys read that `progress` was not told of yet: a count that other cores look at is dear.
    untold: usize,
    /// The slice that will be given next.
    filling: SliceBuilder,
    pool: Pool,
    density: Arc<Density>,
    /// Keys that it is to have.
    most: usize,
    outside: Vec<Unmatched>,
    outside_packed: Vec<Unmatched>,
    /// Keys that are too long for the store to hold: no range ends with one, and no object has one. First those of records,
    /// then those that only references have.
    impossible: [Vec<Unmatched>; 2],
    /// Values that are longer than any spelling of a key.
    packed: Vec<Packed>,
    /// How many parts of such values each source gave.
    parts: Vec<usize>,
    /// The last folder of a row that a rule seems to condemn, where rows own folders, and how many keys in it were noted.
    folder: Option<(String, usize)>,
    owns_folders: bool,
    shared_folders: Vec<Inside>,
    longest_key_bytes: usize,
    complete: bool,
    totals: Totals,
    sources: Vec<SourceCounts>,
}

impl Slicer {
    pub fn new(keys: MergedKeys, scan: &Scan, notes: Sender<Note>) -> Self {
        Slicer {
            scope: scan.scope.clone(),
            progress: scan.progress.clone(),
            untold: 0,
            longest_key_bytes: scan.store.longest_key_bytes(),
            keys: keys.keeping_undecoded(),
            notes,
            filling: SliceBuilder::default(),
            pool: Pool::default(),
            most: scan.density.keys(),
            density: scan.density.clone(),
            outside: Vec::new(),
            outside_packed: Vec::new(),
            impossible: Default::default(),
            packed: Vec::new(),
            folder: None,
            owns_folders: scan.owns_folders,
            shared_folders: Vec::new(),
            parts: Vec::new(),
            complete: false,
            totals: Totals::default(),
            sources: Vec::new(),
        }
    }

    /// The next slice; the last one's range is open to the end. `None` after it.
    pub async fn next(&mut self) -> Result<Option<Slice>> {
        if self.complete {
            return Ok(None);
        }
        loop {
            while !self.keys.fill().await? {
                self.note_undecoded().await?;
            }
            self.note_undecoded().await?;
            if self.shared_folders.len() >= NOTE_KEYS {
                self.send_notes(NOTE_KEYS).await?;
            }
            let Some(Named { key, claim, source }) = self.keys.next().await? else { break };
            let owns = claim != Claim::Reference;
            if self.owns_folders {
                // What lies in a folder comes right after it.
                if let Some((folder, noted)) = &mut self.folder
                    && key != folder.as_str()
                    && key.starts_with(folder.as_str())
                    && *noted <= MOST_INSIDE
                {
                    *noted += 1;
                    let key = (*noted <= MOST_INSIDE).then(|| key.to_owned());
                    self.shared_folders.push(Inside { folder: folder.clone(), key });
                }
                if claim == Claim::Condemned && key.ends_with('/') {
                    let is_same = self.folder.as_ref().is_some_and(|(folder, _)| folder == key);
                    self.folder = Some((key.to_owned(), 0)).filter(|_| !is_same).or(self.folder.take());
                }
            }
            let counts = of_source(&mut self.sources, source);
            counts.rows += 1;
            let is_outside = !self.scope.holds(key);
            self.totals.outside_prefix += u64::from(is_outside);
            if !is_outside {
                self.untold += 1;
                if self.untold == TOLD_KEYS {
                    self.progress.add_records(std::mem::take(&mut self.untold));
                }
                // What is ignored is compared on neither side, and makes no folder a known one.
                if self.scope.ignores(key) {
                    self.totals.globs_met = self.scope.globs_met(key, self.totals.globs_met);
                    continue;
                }
                counts.values += 1;
            }
            if is_outside || key.len() > self.longest_key_bytes {
                if !is_outside {
                    let count = if owns { &mut self.totals.records } else { &mut self.totals.references };
                    *count += 1;
                    self.totals.known_keys += 1;
                }
                let unmatched = Unmatched { key: key.to_owned(), sources: 1 << source.min(MOST_SOURCES) };
                self.note_apart(unmatched, (source, owns, is_outside)).await?;
                continue;
            }
            let is_full = is_full((self.filling.count(), self.filling.bytes()), self.most);
            // A key that several rows name stays in one slice.
            let cut = self.filling.last().filter(|last| is_full && *last != key).map(str::to_owned);
            if let Some(cut) = cut {
                self.most = self.density.keys();
                let mut next = self.pool.slice(Some(cut.clone()));
                next.push(key, claim, source);
                return Ok(Some(std::mem::replace(&mut self.filling, next).finish(Some(cut))));
            }
            self.filling.push(key, claim, source);
        }
        self.note_undecoded().await?;
        self.complete = true;
        self.progress.add_records(std::mem::take(&mut self.untold));
        self.send_notes(1).await?;
        Ok(Some(std::mem::take(&mut self.filling).finish(None)))
    }

    /// Notes what is not UTF-8: it is the key of no object, and what resembles it may be its file.
    async fn note_undecoded(&mut self) -> Result<()> {
        if !self.keys.has_undecoded() {
            return Ok(());
        }
        let undecoded = self.keys.take_undecoded();
        for (source, _) in &undecoded {
            let counts = of_source(&mut self.sources, *source);
            counts.rows += 1;
            counts.undecoded += 1;
        }
        Ok(self.notes.send(Note::Undecoded(undecoded.into_iter().map(|(_, value)| value).collect())).await?)
    }

    /// Notes a key that is in no slice: outside the prefix, or too long for any object to have it.
    async fn note_apart(
        &mut self,
        unmatched: Unmatched,
        (source, owns, is_outside): (usize, bool, bool),
    ) -> Result<()> {
        if unmatched.key.len() > LONGEST_SPELLING_BYTES {
            self.take_apart(&unmatched.key, source);
        }
        match (is_outside, owns) {
            // A row is a finding however long its value is.
            (false, true) => self.impossible[0].push(unmatched),
            _ if unmatched.key.len() > LONGEST_SPELLING_BYTES => {}
            (false, false) => self.impossible[1].push(unmatched),
            (true, _) if self.scope.may_hold_another_spelling(&unmatched.key) => self.outside.push(unmatched),
            // What holds more than a key may name one inside, wherever it is itself.
            (true, _) if packed::unpack(&unmatched.key).is_some() => self.outside_packed.push(unmatched),
            (true, _) => {}
        }
        self.send_notes(NOTE_KEYS).await
    }

    /// Notes what may be keys in a value that is no spelling of one.
    fn take_apart(&mut self, value: &str, source: usize) {
        if self.parts.len() <= source {
            self.parts.resize(source + 1, 0);
        }
        if self.parts[source] >= MOST_PARTS {
            return;
        }
        let value = value.strip_prefix(self.keys.key_prefix(source)).unwrap_or(value);
        let Some((packing, mut parts)) = packed::unpack(value) else { return };
        parts.retain(|part| part.len() <= LONGEST_SPELLING_BYTES);
        self.parts[source] += parts.len();
        self.packed.push(Packed { source, packing, parts });
    }

    /// Sends what was noted, as soon as there are so many keys.
    async fn send_notes(&mut self, keys: usize) -> Result<()> {
        let of_any_length = keys.min(IMPOSSIBLE_KEYS);
        if self.outside.len() >= keys {
            self.notes.send(Note::Outside(std::mem::take(&mut self.outside))).await?;
        }
        if self.outside_packed.len() >= keys {
            self.notes.send(Note::OutsidePacked(std::mem::take(&mut self.outside_packed))).await?;
        }
        let [records, references] = &mut self.impossible;
        if records.len() >= of_any_length {
            self.notes.send(Note::Missing(std::mem::take(records))).await?;
        }
        if references.len() >= of_any_length {
            self.notes.send(Note::MissingReferences(std::mem::take(references))).await?;
        }
        if self.shared_folders.len() >= keys {
            self.notes.send(Note::SharedFolders(std::mem::take(&mut self.shared_folders))).await?;
        }
        if self.packed.len() >= of_any_length {
            self.notes.send(Note::Packed(std::mem::take(&mut self.packed))).await?;
        }
        Ok(())
    }

    /// What was counted of keys that are in no slice.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// What each source gave, by its place; and what sources gave that are no URLs.
    pub fn finish(self) -> (Vec<SourceCounts>, Vec<(String, Strays)>) {
        (self.sources, self.keys.strays())
    }
}

/// Whether a slice of so many keys and bytes is full that is to have `most` keys. Long keys fill fewer pages, but whole ones:
/// what begins a page is asked for as dearly as a full one.
fn is_full((count, bytes): (usize, usize), most: usize) -> bool {
    let page = most.div_ceil(SLICE_PAGES).max(1);
    let is_page_full = count > 0 && count % page == 0;
    count >= most || bytes >= MOST_SLICE_BYTES || is_page_full && bytes + bytes / (count / page) > SLICE_BYTES
}

/// What one source gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Rows with a value; or, where there is none, whether there are rows at all.
    pub rows: u64,
    /// Those whose key is compared: below the prefix, and not ignored.
    pub values: u64,
    /// Those whose value is not UTF-8.
    pub undecoded: u64,
}

fn of_source(counts: &mut Vec<SourceCounts>, at: usize) -> &mut SourceCounts {
    if counts.len() <= at {
        counts.resize(at + 1, SourceCounts::default());
    }
    &mut counts[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_of_long_keys_ends_with_a_page() {
        let keys = |bytes| (1..).find(|count| is_full((*count, count * bytes), 3_950)).expect("an end");
        assert_eq!([40, 55].map(keys), [3_950; 2]);
        assert_eq!([70, 100, 200].map(keys), [2_964, 1_976, 988]);
        assert_eq!(keys(1_024), 512, "a page of these would be too much");
        assert!(is_full((1, 10), 1) && !is_full((0, 0), 1));
    }
}
