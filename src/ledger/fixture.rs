//! What the ledger's unit tests work with: a ledger in a temporary folder, and short words for what a scan tells it.
#![cfg(test)]

use std::time::Duration;

use tempfile::TempDir;

use super::{Doubts, Ledger, NewRecord, Pair, Position, Staged, Waits};
use crate::compare::{Note, Unmatched};
use crate::config::Decides;
use crate::domain::{Created, Held, Hold, Kind, Object, Record, Time};

/// A ledger, and the folder that it lies in.
pub struct Fixture {
    pub ledger: Ledger,
    _folder: TempDir,
}

/// A time in seconds after 2026 began.
pub fn at(seconds: u64) -> Time {
    "2026-01-01T00:00:00Z".parse::<Time>().expect("a time") + Duration::from_secs(seconds)
}

/// A file of one byte, stored when 2026 began.
pub fn object(key: &str) -> Object {
    let (key, last_modified) = (key.to_owned(), Some(at(0)));
    Object {
        key,
        size: 1,
        last_modified,
        etag: None,
        archived: false,
        opaque_etag: false,
        is_new: false,
        is_plain: false,
    }
}

/// The row `id` of the table `assets`, which names `key`.
pub fn record(key: &str, id: &str) -> Record {
    let (table, key, id) = ("assets".to_owned(), key.to_owned(), id.to_owned());
    Record {
        table,
        section: 0,
        handle: id.clone(),
        id,
        key,
        created: Created::At(at(0)),
        says_change: true,
        marks: Vec::new(),
    }
}

pub fn rule(name: &str) -> Kind {
    Kind::Rule(name.into())
}

impl Fixture {
    pub async fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.db"), &Pair::default()).await.expect("a ledger");
        Fixture { ledger, _folder: folder }
    }

    /// The next run of the same pair, with nothing found yet.
    pub async fn next_run(self) -> Self {
        let Fixture { ledger, _folder: folder } = self;
        drop(ledger);
        let ledger = Ledger::open(&folder.path().join("ledger.db"), &Pair::default()).await.expect("a ledger");
        Fixture { ledger, _folder: folder }
    }

    pub async fn note(&mut self, note: Note) {
        let archived = |archived: bool| archived.then(|| Held::new(Hold::Archived, "archived"));
        let staged = Staged::new(&note, |object, _| archived(object.archived)).expect("a note");
        self.ledger.add(staged).await.expect("room on the disk");
    }

    pub async fn orphans(&mut self, objects: &[Object]) {
        self.note(Note::Orphans(objects.iter().map(Object::as_listed).collect())).await;
    }

    /// Keys that records name and that were not listed.
    pub async fn missing(&mut self, keys: &[&str]) {
        self.note(Note::Missing(keys.iter().map(|key| unmatched(key)).collect())).await;
    }

    /// The same of references.
    pub async fn missing_references(&mut self, keys: &[&str]) {
        self.note(Note::MissingReferences(keys.iter().map(|key| unmatched(key)).collect())).await;
    }

    /// Rows that are findings of this kind.
    pub async fn rows(&mut self, kind: &Kind, records: &[Record]) {
        let new =
            |record: &Record| NewRecord { kind: kind.clone(), record: record.clone(), waits: Waits::No, held: None };
        self.ledger.add_records(&records.iter().map(new).collect::<Vec<_>>()).await.expect("room on the disk");
    }

    /// Holds what is in doubt, and keeps the findings as the run's.
    pub async fn keep(&mut self, doubts: &Doubts<'_>, kinds: &[Kind], run: i64, now: Time) {
        self.ledger.hold(doubts).await.expect("holds");
        self.ledger.keep_sightings(run, Some(&Decides::default()), (kinds, true, ""), now).await.expect("sightings");
    }

    /// The findings of a kind: the key, the id of the row, and which hold holds it.
    pub async fn findings(&mut self, kind: &Kind) -> Vec<(String, Option<Hold>)> {
        let mut found = Vec::new();
        let mut position = Position::default();
        loop {
            let page = self.ledger.findings(kind, &position, 2).await.expect("a page");
            found.extend(page.read().expect("findings").into_iter().map(|finding| {
                let held = finding.held.map(|held| held.by);
                (finding.key, held)
            }));
            match page.last() {
                Some(last) => position = last.clone(),
                None => return found,
            }
        }
    }

    /// When each finding of a kind was first seen.
    pub async fn first_seen(&mut self, kind: &Kind) -> Vec<(String, Time)> {
        let page = self.ledger.findings(kind, &Position::default(), 1000).await.expect("a page");
        page.read().expect("findings").into_iter().map(|finding| (finding.key, finding.first_seen)).collect()
    }
}

fn unmatched(key: &str) -> Unmatched {
    Unmatched { key: key.to_owned(), sources: 1 }
}
