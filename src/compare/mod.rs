//! The scan: the database's keys and the store's listing, joined range by range.
//!
//! Each slice of the database's keys is a range `(after, through]` of the key space; a task lists it and joins the two,
//! page by page, while other ranges run beside it. Memory is tasks × (slice + page), whatever the number of objects:
//! what may be a finding leaves for the ledger at once. An error on either side ends everything, and nothing is a
//! finding (I1).

mod cursor;
pub mod merge;
pub mod owners;
pub mod scope;
pub mod segments;
pub mod slice;
mod slicer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

use crate::database::{MergedKeys, Strays};
use crate::derived::{self, DerivedRule, Owner};
use crate::finding::{Object, Totals};
use crate::judge::{self, Verdict};
use crate::storage::Store;
use cursor::Cursor;
use merge::{Join, Joined};
use scope::Scope;
use segments::Segments;
use slice::Slice;
use slicer::Slicer;

/// What the scan tells the ledger of keys that only one side has.
#[derive(Debug)]
pub enum Note {
    /// Objects that nobody knows.
    Orphans(Vec<Object>),
    /// Objects without a row that belong to other keys.
    Derived(Vec<DerivedObject>),
    /// Objects with a record that a rule seems to condemn.
    Condemned(Vec<Object>),
    /// Keys of objects that nobody knows and that are too young to judge.
    Young(Vec<String>),
    /// Keys that records name and that were not listed.
    Missing(Vec<String>),
    /// Keys that only references name and that were not listed.
    MissingReferences(Vec<String>),
    /// Keys of the database that may be misspelt keys below the prefix.
    Outside(Vec<String>),
}

/// An object that belongs to other keys, of which nothing is known yet.
#[derive(Debug)]
pub struct DerivedObject {
    pub object: Object,
    /// The nearest first.
    pub owners: Vec<Owner>,
    pub is_young: bool,
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

    fn record(&self) {
        self.records.fetch_add(1, Relaxed);
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
}

/// What a scan that came to its end has counted.
pub struct Scanned {
    pub totals: Totals,
    /// First path segments of which the database knows nothing (I18).
    pub forgotten: Vec<String>,
    /// Rows that were compared, by the source's place.
    pub tables: Vec<u64>,
    /// Sources with values that are no URLs below their base.
    pub strays: Vec<(String, Strays)>,
}

impl Scan {
    /// Joins the database's keys with the store's objects; whatever only one side has goes to `notes`.
    pub async fn run(self, keys: MergedKeys, notes: Sender<Note>) -> Result<Scanned> {
        let mut slicer = Slicer::new(keys, &self, notes.clone());
        let mut parts = match self.store.lists_ranges() {
            true => self.ranges_beside_each_other(&mut slicer, &notes).await?,
            false => self.ranges_in_turn(&mut slicer, &notes).await?,
        };
        parts.totals.add(&slicer.totals());
        parts.totals.unreadable_names = self.store.unreadable_names();
        let (tables, strays) = slicer.finish();
        Ok(Scanned { totals: parts.totals, forgotten: parts.segments.finish(), tables, strays })
    }

    async fn ranges_beside_each_other(&self, slicer: &mut Slicer, notes: &Sender<Note>) -> Result<Parts> {
        let mut parts = Parts::new(&self.scope);
        let mut tasks = JoinSet::new();
        let mut slices = 0..;
        let mut more = true;
        loop {
            while more && tasks.len() < self.concurrency {
                let Some(slice) = slicer.next().await.context(DATABASE_FAILED)? else {
                    more = false;
                    break;
                };
                let (scan, notes, at) = (self.clone(), notes.clone(), slices.next().unwrap_or(usize::MAX));
                tasks.spawn(async move {
                    let mut cursor = scan.cursor(slice.after.as_deref());
                    let part = scan.range(&mut cursor, &slice, &notes).await?;
                    anyhow::Ok((at, part))
                });
            }
            match tasks.join_next().await {
                Some(part) => {
                    let (at, part) = part.context("a task of the comparison broke off")??;
                    parts.add(at, part);
                }
                None => return Ok(parts),
            }
        }
    }

    async fn ranges_in_turn(&self, slicer: &mut Slicer, notes: &Sender<Note>) -> Result<Parts> {
        let mut parts = Parts::new(&self.scope);
        let mut cursor = self.cursor(None);
        let mut at = 0;
        while let Some(slice) = slicer.next().await.context(DATABASE_FAILED)? {
            parts.add(at, self.range(&mut cursor, &slice, notes).await?);
            at += 1;
        }
        Ok(parts)
    }

    fn cursor(&self, after: Option<&str>) -> Cursor {
        Cursor::new(self.store.listing(after), &self.scope.prefix, after)
    }

    /// Lists one range to its end and joins it with its slice.
    async fn range(&self, cursor: &mut Cursor, slice: &Slice, notes: &Sender<Note>) -> Result<Part> {
        let mut part = Part::new(&self.scope);
        let mut join = Join::new(slice);
        while let Some(page) = cursor.next_through(slice.through.as_deref()).await.context(STORAGE_FAILED)? {
            self.progress.objects.fetch_add(page.objects.len() as u64, Relaxed);
            join.page(&page.objects, |joined| {
                let verdict = judge::verdict(&joined, page.now, self.min_age);
                if part.derive(self, slice, &joined, verdict) {
                    return;
                }
                part.take(&self.scope, &joined, verdict);
                part.condemn(&self.scope, &joined, judge::is_young(joined.last_modified(), page.now, self.min_age));
            });
            part.send(notes).await?;
        }
        join.finish(|joined| part.take(&self.scope, &joined, Verdict::MissingObject));
        part.send(notes).await?;
        Ok(part)
    }
}

const DATABASE_FAILED: &str = "the database could not be read to its end";
const STORAGE_FAILED: &str = "the storage could not be listed to its end";

/// What one range amounts to.
struct Part {
    totals: Totals,
    segments: Segments,
    orphans: Vec<Object>,
    derived: Vec<DerivedObject>,
    condemned: Vec<Object>,
    young: Vec<String>,
    missing: Vec<String>,
    missing_references: Vec<String>,
}

impl Part {
    fn new(scope: &Scope) -> Self {
        Part {
            totals: Totals::default(),
            segments: Segments::new(&scope.root),
            orphans: Vec::new(),
            derived: Vec::new(),
            condemned: Vec::new(),
            young: Vec::new(),
            missing: Vec::new(),
            missing_references: Vec::new(),
        }
    }

    fn take(&mut self, scope: &Scope, joined: &Joined<'_>, verdict: Verdict) {
        let (key, claims, object) = match *joined {
            Joined::DatabaseOnly(key, claims) => (key, Some(claims), None),
            Joined::StorageOnly(object) => (object.key, None, Some(object)),
            Joined::Both(claims, object) => (object.key, Some(claims), Some(object)),
        };
        if scope.ignores(key) {
            return;
        }
        if let Some(claims) = claims {
            self.totals.records += u64::from(claims.records);
            self.totals.references += u64::from(claims.references);
            self.totals.known_keys += 1;
            self.segments.known(key);
        }
        if let Some(object) = object {
            self.totals.objects += 1;
            self.totals.object_bytes += object.size;
        }
        match (verdict, object) {
            (Verdict::OrphanedFile, Some(object)) => {
                self.segments.orphan(key);
                self.orphans.push(object.to_object());
            }
            (Verdict::YoungFile, _) => {
                self.totals.too_young += 1;
                self.young.push(key.to_owned());
            }
            (Verdict::Wanted, Some(object)) => {
                self.totals.shared_keys += 1;
                self.totals.newest_known = self.totals.newest_known.max(object.last_modified);
            }
            _ if claims.is_some_and(|claims| claims.records > 0) => self.missing.push(key.to_owned()),
            _ => self.missing_references.push(key.to_owned()),
        }
    }

    /// Takes an object that no row names and that a rule derives from other keys; `false`: it is not one.
    fn derive(&mut self, scan: &Scan, slice: &Slice, joined: &Joined<'_>, verdict: Verdict) -> bool {
        let Joined::StorageOnly(object) = *joined else { return false };
        if scan.derived.is_empty() || scan.scope.ignores(object.key) {
            return false;
        }
        let owners = derived::owners(&scan.derived, object.key);
        if owners.is_empty() {
            return false;
        }
        self.totals.objects += 1;
        self.totals.object_bytes += object.size;
        // Most lie near what they belong to.
        // What is ignored is somebody else's: nothing can be said of what belongs to it.
        let is_ignored = |owner: &Owner| !owner.is_prefix() && scan.scope.ignores(owner.text());
        if owners.iter().any(|owner| slice.wants(owner) || is_ignored(owner)) {
            self.totals.derived += 1;
            self.segments.known(object.key);
        } else {
            let is_young = verdict == Verdict::YoungFile;
            // Until it is known better: one that turns out to be wanted makes its folder a known one.
            if !is_young {
                self.segments.orphan(object.key);
            }
            self.derived.push(DerivedObject { object: object.to_object(), owners, is_young });
        }
        true
    }

    /// Takes the object of a record that a rule seems to condemn; one that is too young is not judged.
    fn condemn(&mut self, scope: &Scope, joined: &Joined<'_>, is_young: bool) {
        let Joined::Both(claims, object) = *joined else { return };
        if claims.condemned == 0 || scope.ignores(object.key) {
            return;
        }
        match is_young {
            true => {
                self.totals.too_young += u64::from(claims.condemned);
                self.totals.too_young_condemned += u64::from(claims.condemned);
            }
            false => self.condemned.push(object.to_object()),
        }
    }

    async fn send(&mut self, notes: &Sender<Note>) -> Result<()> {
        if !self.orphans.is_empty() {
            notes.send(Note::Orphans(std::mem::take(&mut self.orphans))).await?;
        }
        if !self.derived.is_empty() {
            notes.send(Note::Derived(std::mem::take(&mut self.derived))).await?;
        }
        if !self.condemned.is_empty() {
            notes.send(Note::Condemned(std::mem::take(&mut self.condemned))).await?;
        }
        let lists = [
            (&mut self.young, Note::Young as fn(Vec<String>) -> Note),
            (&mut self.missing, Note::Missing),
            (&mut self.missing_references, Note::MissingReferences),
        ];
        for (keys, note) in lists {
            if !keys.is_empty() {
                notes.send(note(std::mem::take(keys))).await?;
            }
        }
        Ok(())
    }
}

/// The ranges so far, put together in the order of their keys.
struct Parts {
    totals: Totals,
    segments: Segments,
    /// Ranges that ended before one on their left did.
    waiting: BTreeMap<usize, Segments>,
    next: usize,
}

impl Parts {
    fn new(scope: &Scope) -> Self {
        let segments = Segments::new(&scope.root);
        Parts { totals: Totals::default(), segments, waiting: BTreeMap::new(), next: 0 }
    }

    fn add(&mut self, at: usize, part: Part) {
        self.totals.add(&part.totals);
        self.waiting.insert(at, part.segments);
        while let Some(segments) = self.waiting.remove(&self.next) {
            self.segments.append(segments);
            self.next += 1;
        }
    }
}
