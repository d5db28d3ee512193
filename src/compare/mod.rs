//! The scan: the database's keys and the store's listing, joined range by range.
//!
//! Each slice of the database's keys is a range `(after, through]` of the key space; a task lists it and joins the two,
//! page by page, while other ranges run beside it. One that turns out to be long gives its upper parts away ([`split`]);
//! in the end the ranges must cover all keys without a gap ([`part`]). Memory is tasks × (slice + page), whatever the number
//! of objects: what may be a finding leaves for the ledger at once. An error on either side ends everything, and nothing is a
//! finding (I1).

mod cursor;
pub mod density;
pub mod folders;
pub mod merge;
pub mod owners;
pub mod part;
mod range;
pub mod scope;
pub mod slice;
mod slicer;
pub mod split;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Sender, channel, unbounded_channel};
use tokio::task::JoinSet;

use crate::database::{MergedKeys, Strays};
use crate::domain::derived::{DerivedRule, Owner};
use crate::domain::listed::Objects;
use crate::domain::packed::Packing;
use crate::domain::{Object, Totals};
use crate::storage::Store;
use cursor::Cursor;
use density::Density;
pub use folders::Unknown;
use part::Parts;
use range::{Placed, Sharing};
use scope::Scope;
use slicer::Slicer;
pub use slicer::SourceCounts;

/// What the scan tells the ledger of keys that only one side has.
#[derive(Debug)]
pub enum Note {
    /// Objects that nobody knows.
    Orphans(Objects),
    /// Objects without a row that belong to other keys.
    Derived(Vec<DerivedObject>),
    /// Objects with a record that a rule seems to condemn.
    Condemned(Vec<Object>),
    /// Folders of rows that a rule seems to condemn; they may turn out to be empty.
    CondemnedFolders(Vec<String>),
    /// Folders of such rows in which another row names something too.
    SharedFolders(Vec<Inside>),
    /// Keys of objects that nobody knows and that are too young to judge.
    Young(Vec<String>),
    /// Keys that records name and that were not listed.
    Missing(Vec<Unmatched>),
    /// Keys that only references name and that were not listed.
    MissingReferences(Vec<Unmatched>),
    /// Keys of the database that may be misspelt keys below the prefix.
    Outside(Vec<Unmatched>),
    /// Keys outside of it that hold several, and may name one inside.
    OutsidePacked(Vec<Unmatched>),
    /// Values, and names of files, that are not UTF-8, as they would be in Latin-1.
    Undecoded(Vec<String>),
    /// Values that are too long to be a key, in any spelling, and hold several.
    Packed(Vec<Packed>),
    /// Folders of which nothing is known.
    Folders(Unknown),
    /// Folders of runs in the trash.
    TrashRuns(Vec<String>),
}

/// A key that the database names, and which of its sources do: see [`Claims::sources`](crate::domain::Claims::sources).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    pub key: String,
    pub sources: u64,
}

/// A key in a folder that a condemned row owns.
#[derive(Debug)]
pub struct Inside {
    pub folder: String,
    /// `None`: more are there than are told of.
    pub key: Option<String>,
}

/// A value that holds more than a key, and its parts.
#[derive(Debug)]
pub struct Packed {
    /// The place of its source.
    pub source: usize,
    pub packing: Packing,
    pub parts: Vec<String>,
}

/// An object that belongs to other keys, of which nothing is known yet.
#[derive(Debug)]
pub struct DerivedObject {
    pub object: Object,
    /// The nearest first.
    pub owners: Vec<Owner>,
    pub is_young: bool,
    /// The topmost folder around it of which nothing is known, unless it is wanted: "" where it lies in none. `None`: its
    /// folder is known.
    pub folder: Option<String>,
}

/// How far a scan has come; read by whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    objects: AtomicU64,
    records: AtomicU64,
}

impl Progress {
    /// Objects and database keys so far.
    pub fn so_far(&self) -> (u64, u64) {
        (self.objects.load(Relaxed), self.records.load(Relaxed))
    }

    fn add_records(&self, count: usize) {
        self.records.fetch_add(count as u64, Relaxed);
    }

    fn add_objects(&self, count: usize) {
        self.objects.fetch_add(count as u64, Relaxed);
    }
}

/// What a scan is done with.
#[derive(Clone)]
pub struct Scan {
    pub store: Arc<dyn Store>,
    pub scope: Arc<Scope>,
    pub min_age: Duration,
    pub derived: Arc<[DerivedRule]>,
    /// Ranges listed beside each other, at most.
    pub concurrency: usize,
    pub progress: Arc<Progress>,
    pub density: Arc<Density>,
    /// Which folders are to be told of.
    pub folders: folders::Rules,
    /// Whether any row owns a folder, and not an object.
    pub owns_folders: bool,
}

/// What a scan that came to its end has counted.
pub struct Scanned {
    pub totals: Totals,
    /// Folders of which nothing is known, beside those that notes told of.
    pub unknown: Unknown,
    /// What each source gave, by its place.
    pub sources: Vec<SourceCounts>,
    /// Sources with values that are no URLs below their base.
    pub strays: Vec<(String, Strays)>,
}

impl Scan {
    /// Joins the database's keys with the store's objects; whatever only one side has goes to `notes`.
    pub async fn run(self, keys: MergedKeys, notes: Sender<Note>) -> Result<Scanned> {
        let slicer = Slicer::new(keys, &self, notes.clone());
        let (parts, slicer) = match self.store.lists_ranges() {
            true => self.ranges_beside_each_other(slicer, &notes).await?,
            false => self.ranges_in_turn(slicer, &notes).await?,
        };
        let (mut totals, unknown) = parts.finish()?;
        totals.add(&slicer.totals());
        let unreadable = self.store.unreadable_names();
        totals.unreadable_names = unreadable.len() as u64;
        if !unreadable.is_empty() {
            notes.send(Note::Undecoded(unreadable)).await?;
        }
        let (sources, strays) = slicer.finish();
        Ok(Scanned { totals, unknown, sources, strays })
    }

    /// Slices that the database cuts, and parts that ranges give away, as many at once as there are places.
    async fn ranges_beside_each_other(&self, slicer: Slicer, notes: &Sender<Note>) -> Result<(Parts, Slicer)> {
        let (given, mut parts_given) = unbounded_channel();
        let sharing = Arc::new(Sharing::new(self.concurrency, given));
        let (slices, mut cut) = channel(1);
        let mut slicing = JoinSet::new();
        slicing.spawn(cut_slices(slicer, self.store.clone(), sharing.places.clone(), slices));
        let mut parts = Parts::default();
        let mut tasks = JoinSet::new();
        let mut sliced = None;
        // What is given away is sent before the task that gave it ends.
        while sliced.is_none() || !cut.is_empty() || !tasks.is_empty() || !parts_given.is_empty() {
            let placed = tokio::select! {
                // What was given away first: its slice is in the memory already. The slicer last, after its slices.
                biased;
                Some(placed) = parts_given.recv() => placed,
                Some(listed) = tasks.join_next() => {
                    let (bounds, part) = listed.context(BROKE_OFF)??;
                    parts.add(bounds, part);
                    continue;
                }
                Some(placed) = cut.recv() => placed,
                Some(slicer) = slicing.join_next() => {
                    sharing.sliced();
                    sliced = Some(slicer.context(BROKE_OFF)?.context(DATABASE_FAILED)?);
                    continue;
                }
            };
            let (scan, sharing, notes) = (self.clone(), sharing.clone(), notes.clone());
            tasks.spawn(async move {
                let Placed { range, place } = placed;
                let mut cursor = scan.cursor(range.bounds.after.as_deref());
                let listed = scan.range(&mut cursor, range, Some(&sharing), &notes).await;
                drop(place);
                listed
            });
        }
        Ok((parts, sliced.context(BROKE_OFF)?))
    }

    async fn ranges_in_turn(&self, mut slicer: Slicer, notes: &Sender<Note>) -> Result<(Parts, Slicer)> {
        let mut parts = Parts::default();
        let mut cursor = self.cursor(None);
        while let Some(slice) = slicer.next().await.context(DATABASE_FAILED)? {
            let (bounds, part) = self.range(&mut cursor, slice.into(), None, notes).await?;
            parts.add(bounds, part);
        }
        Ok((parts, slicer))
    }

    fn cursor(&self, after: Option<&str>) -> Cursor {
        Cursor::new(self.store.listing(after), &self.scope.prefix, after)
    }
}

/// Cuts every slice, each as soon as there is a place for its range, and gives the slicer back at the end.
async fn cut_slices(
    mut slicer: Slicer,
    store: Arc<dyn Store>,
    places: Arc<Semaphore>,
    slices: Sender<Placed>,
) -> Result<Slicer> {
    loop {
        let place = places.clone().acquire_owned().await?;
        // A range that could only wait would keep its slice in the memory.
        store.room().await;
        let Some(slice) = slicer.next().await? else { return Ok(slicer) };
        slices.send(Placed { range: slice.into(), place }).await?;
    }
}

const DATABASE_FAILED: &str = "the database could not be read to its end";
const BROKE_OFF: &str = "a task of the comparison broke off";
