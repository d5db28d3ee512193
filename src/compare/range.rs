//! One range of keys: listed, joined with the database's half of it, and shared with others where it turns out to be long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use anyhow::{Context, Result};
use tokio::sync::mpsc::{Sender, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::compare::cursor::Cursor;
use crate::compare::merge::{Join, Joined};
use crate::compare::part::{Bounds, Part, Place};
use crate::compare::slice::Slice;
use crate::compare::slicer::NOTE_KEYS;
use crate::compare::split::{Seen, Spare, Unfinished};
use crate::compare::{Note, Scan};
use crate::judge::{self, Verdict};

/// A range of keys, with the slice of the database's keys that it lies in.
pub struct Range {
    pub slice: Arc<Slice>,
    pub bounds: Bounds,
    /// The place of the letter that was raised to make its beginning, where that was guessed.
    pub letter: Option<usize>,
}

impl From<Slice> for Range {
    fn from(slice: Slice) -> Self {
        let bounds = Bounds { after: slice.after.clone(), through: slice.through.clone() };
        Range { slice: Arc::new(slice), bounds, letter: None }
    }
}

/// A range that somebody may begin with at once.
pub struct Placed {
    pub range: Range,
    /// Its place among those that are listed beside each other; given back when it is done.
    pub place: OwnedSemaphorePermit,
}

/// How ranges share their work.
pub struct Sharing {
    /// How many more ranges may be listed beside each other.
    pub places: Arc<Semaphore>,
    /// How many guesses may yet find nothing: one for each full page, and the price of each that was right.
    guesses: AtomicUsize,
    /// Where parts go that were given away.
    given: UnboundedSender<Placed>,
    /// Whether the database has given its last key: whoever is free will have nothing else to do.
    is_sliced: AtomicBool,
}

impl Sharing {
    pub fn new(places: usize, given: UnboundedSender<Placed>) -> Self {
        Sharing {
            places: Arc::new(Semaphore::new(places)),
            guesses: AtomicUsize::new(0),
            given,
            is_sliced: AtomicBool::new(false),
        }
    }

    /// There will be no more slices.
    pub fn sliced(&self) {
        self.is_sliced.store(true, Relaxed);
    }

    /// Gives upper parts of a range away, if anybody is free to take them; the range ends below them then.
    fn share(&self, range: &mut Range, seen: &mut Seen, page: &Unfinished<'_>) {
        let spare = Spare {
            places: self.places.available_permits(),
            guesses: self.guesses.load(Relaxed),
            is_sliced: self.is_sliced.load(Relaxed),
        };
        let (cuts, guesses) = seen.cuts(page, spare);
        // Others may have been quicker to take places and guesses: then it stays whole.
        let Ok(mut places) = self.places.clone().try_acquire_many_owned(u32::try_from(cuts.len()).unwrap_or(u32::MAX))
        else {
            return;
        };
        if self.guesses.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(guesses)).is_err() {
            return;
        }
        for cut in cuts.into_iter().rev() {
            let Some(place) = places.split(1) else { return };
            let through = range.bounds.through.clone();
            let bounds = Bounds { after: Some(cut.at.clone()), through };
            let part = Range { slice: range.slice.clone(), bounds, letter: cut.letter };
            if self.given.send(Placed { range: part, place }).is_err() {
                return;
            }
            range.bounds.through = Some(cut.at);
        }
    }
}

impl Scan {
    /// Lists one range to its end and joins it with its slice. Says where it ended after all, and what it amounts to.
    pub async fn range(
        &self,
        cursor: &mut Cursor,
        mut range: Range,
        sharing: Option<&Sharing>,
        notes: &Sender<Note>,
    ) -> Result<(Bounds, Part)> {
        let mut part = Part::new(self.folders);
        let slice = range.slice.clone();
        let mut join = Join::new(&slice, range.bounds.after.as_deref(), range.bounds.through.as_deref());
        let mut seen = Seen::from(range.letter);
        let mut is_guess = range.letter.is_some();
        let (first, mut listed) = (join.left().0, 0);
        while let Some(page) = cursor.next_through(range.bounds.through.as_deref()).await.context(STORAGE_FAILED)? {
            self.progress.add_objects(page.objects.len());
            let met = join.left().0;
            listed += page.objects.len() as u64;
            join.page(&page.objects, |joined, next| {
                let joined = if self.owns_folders { joined } else { joined.of_objects() };
                let verdict = judge::verdict(&joined, page.now, self.min_age);
                let place = Place { slice: &slice, next, now: Some(page.now) };
                if part.derive((&self.scope, &self.derived), place, &joined, verdict) {
                    return;
                }
                part.take(&self.scope, place, &joined, verdict);
                if matches!(joined, Joined::Folder(..)) {
                    part.condemn_folder(&self.scope, &joined);
                }
                part.condemn(&self.scope, &joined, || {
                    joined.object().is_some_and(|object| judge::is_young_file(object, page.now, self.min_age))
                });
            });
            if let Some(sharing) = sharing.filter(|_| page.more && !cursor.is_beyond()) {
                let (next, end) = join.left();
                seen.page(page.objects.len(), next - met);
                sharing.guesses.fetch_add(1 + usize::from(std::mem::take(&mut is_guess)), Relaxed);
                if self.store.has_room() {
                    let through = range.bounds.through.clone();
                    let prefix_bytes = self.scope.prefix.len();
                    let (page, through) = (&page.objects, through.as_deref());
                    let unfinished = Unfinished { page, slice: &slice, next, end, through, prefix_bytes };
                    sharing.share(&mut range, &mut seen, &unfinished);
                    range.bounds.through.iter().for_each(|through| join.narrow(through));
                }
            }
            // The ledger may be busy, and many ranges may wait for it.
            drop(page);
            for note in part.notes() {
                notes.send(note).await?;
            }
        }
        self.density.note(listed, join.left().1 - first);
        // Where no object is, a slice's keys are all missing: many ranges would wait with them for the ledger.
        while join.finish(NOTE_KEYS, |joined, next| {
            part.take(&self.scope, Place { slice: &slice, next, now: None }, &joined, Verdict::MissingObject);
            // What lies in the last folder may lie in the next range.
            let is_open = |key: &str| range.bounds.through.as_deref().is_some_and(|through| through.starts_with(key));
            if let Joined::DatabaseOnly(key, _) = joined
                && self.owns_folders
                && key.ends_with('/')
                && is_open(key)
            {
                part.condemn_folder(&self.scope, &joined);
            }
        }) {
            for note in part.notes() {
                notes.send(note).await?;
            }
        }
        for note in part.notes() {
            notes.send(note).await?;
        }
        Ok((range.bounds, part))
    }
}

const STORAGE_FAILED: &str = "the storage could not be listed to its end";
