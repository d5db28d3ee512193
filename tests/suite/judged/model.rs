//! A small application, and what must be found in it, by tables.

use std::collections::BTreeSet;

use proptest::prelude::*;

/// A date in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    Never,
    Junk,
    LongAgo,
    AnHourAgo,
    Tomorrow,
}

/// The file of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stored {
    Absent,
    Old,
    Young,
}

/// A row of `assets`.
#[derive(Debug, Clone)]
pub struct Asset {
    pub key: Option<usize>,
    pub made: When,
    pub status: Option<&'static str>,
    pub is_linked: bool,
    pub deleted: When,
    pub flagged: Option<bool>,
    pub expires: When,
}

/// A row of `downloads`, which has no date of creation.
#[derive(Debug, Clone)]
pub struct Download {
    pub key: Option<usize>,
    pub state: Option<&'static str>,
    pub fetched: When,
    pub stale: When,
}

#[derive(Debug, Clone)]
pub struct World {
    pub files: Vec<Stored>,
    pub assets: Vec<Asset>,
    pub downloads: Vec<Download>,
    /// Keys that another table uses.
    pub references: BTreeSet<usize>,
}

/// Kind, key, table and id, and of what a rule condemns whether its file stays.
pub type Found = (String, String, Option<String>, Option<String>, Option<bool>);

const KEYS: usize = 6;

pub fn key(number: usize) -> String {
    format!("k{number}/picture-{number}.png")
}

fn when() -> impl Strategy<Value = When> {
    prop::sample::select(vec![When::Never, When::Junk, When::LongAgo, When::LongAgo, When::AnHourAgo, When::Tomorrow])
}

/// A date that is mostly none, so that rules do not condemn everything.
fn seldom() -> impl Strategy<Value = When> {
    prop_oneof![3 => Just(When::Never), 1 => when()]
}

fn some_key() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![1 => Just(None), 8 => (0..KEYS).prop_map(Some)]
}

pub fn world() -> impl Strategy<Value = World> {
    let status = prop::sample::select(vec![None, Some("active"), Some("active"), Some("expired")]);
    let flagged = prop::sample::select(vec![None, Some(false), Some(false), Some(true)]);
    let made = prop_oneof![2 => Just(When::LongAgo), 1 => when()];
    let asset = (some_key(), made, status, prop::bool::weighted(0.7), seldom(), flagged, seldom()).prop_map(
        |(key, made, status, is_linked, deleted, flagged, expires)| Asset {
            key,
            made,
            status,
            is_linked,
            deleted,
            flagged,
            expires,
        },
    );
    let state = prop::sample::select(vec![None, Some("new"), Some("done")]);
    let download = (some_key(), state, seldom(), seldom()).prop_map(|(key, state, fetched, stale)| Download {
        key,
        state,
        fetched,
        stale,
    });
    let stored = prop::sample::select(vec![Stored::Absent, Stored::Old, Stored::Old, Stored::Young]);
    (
        prop::collection::vec(stored, KEYS),
        prop::collection::vec(asset, 0..9),
        prop::collection::vec(download, 0..5),
        prop::collection::btree_set(0..KEYS, 0..2),
    )
        .prop_map(|(files, assets, downloads, references)| World { files, assets, downloads, references })
}

/// What a row is by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// It names no file of its own.
    Strange,
    Lives,
    /// A rule would condemn it, and it is too young.
    Young,
    Goes(&'static str),
    /// The same, and nothing says how old it is: it is held.
    Waits(&'static str),
}

impl Asset {
    pub fn fate(&self) -> Fate {
        let rule = match self {
            Asset { status: Some("expired"), .. } => return Fate::Strange,
            Asset { is_linked: false, made: When::LongAgo, .. } => "unlinked",
            Asset { deleted: When::LongAgo, .. } => "soft-deleted",
            Asset { flagged: Some(true), .. } => "flagged",
            // Without an `after`, it is time at once.
            Asset { expires: When::LongAgo | When::AnHourAgo, .. } => "expired",
            _ => return Fate::Lives,
        };
        match self.made {
            When::LongAgo => Fate::Goes(rule),
            When::Never | When::Junk => Fate::Waits(rule),
            When::AnHourAgo | When::Tomorrow => Fate::Young,
        }
    }

    /// Whether nothing says how old it is.
    pub fn waits(&self) -> bool {
        matches!(self.made, When::Never | When::Junk)
    }
}

impl Download {
    pub fn fate(&self) -> Fate {
        match self {
            Download { state: Some("done"), .. } => Fate::Strange,
            Download { fetched: When::LongAgo, .. } => Fate::Goes("downloaded"),
            Download { stale: When::LongAgo, .. } => Fate::Goes("stale"),
            _ => Fate::Lives,
        }
    }
}

impl World {
    /// The fates of all rows of a key, of both tables.
    fn rows_of(&self, key: usize) -> Vec<Fate> {
        let assets = self.assets.iter().filter(|asset| asset.key == Some(key)).map(Asset::fate);
        let downloads = self.downloads.iter().filter(|download| download.key == Some(key)).map(Download::fate);
        assets.chain(downloads).filter(|fate| *fate != Fate::Strange).collect()
    }

    /// Whether a file goes with the rows that name it.
    pub fn follows(&self, key: usize) -> bool {
        self.would_follow(key) && self.rows_of(key).iter().all(|fate| matches!(fate, Fate::Goes(_)))
    }

    /// Whether it would if none of them were held.
    fn would_follow(&self, key: usize) -> bool {
        let rows = self.rows_of(key);
        let all_go = !rows.is_empty() && rows.iter().all(|fate| matches!(fate, Fate::Goes(_) | Fate::Waits(_)));
        self.files[key] == Stored::Old && all_go && !self.references.contains(&key)
    }

    pub fn is_orphan(&self, key: usize) -> bool {
        self.files[key] == Stored::Old && self.rows_of(key).is_empty() && !self.references.contains(&key)
    }

    /// The finding that a row is, if it is one.
    fn finding(&self, table: &str, id: usize, key: Option<usize>, fate: Fate, is_old: bool) -> Option<Found> {
        let stored = key.map_or(Stored::Absent, |key| self.files[key]);
        let (kind, shared) = match (fate, stored) {
            // A file that is too young is not judged, nor are its rows.
            (_, Stored::Young) => return None,
            (Fate::Goes(rule) | Fate::Waits(rule), Stored::Old) => {
                (rule, Some(key.is_some_and(|key| !self.would_follow(key))))
            }
            (Fate::Goes(rule) | Fate::Waits(rule), Stored::Absent) => (rule, Some(false)),
            (Fate::Lives, Stored::Absent) if key.is_some() && is_old => ("orphaned-record", None),
            _ => return None,
        };
        let key = key.map(self::key).unwrap_or_default();
        Some((kind.to_owned(), key, Some(table.to_owned()), Some(id.to_string()), shared))
    }

    pub fn asset_finding(&self, at: usize) -> Option<Found> {
        let asset = &self.assets[at];
        self.finding("assets", at, asset.key, asset.fate(), asset.made == When::LongAgo || asset.waits())
    }

    pub fn download_finding(&self, at: usize) -> Option<Found> {
        let download = &self.downloads[at];
        self.finding("downloads", at, download.key, download.fate(), true)
    }

    pub fn expected(&self) -> BTreeSet<Found> {
        let orphans = (0..KEYS).filter(|key| self.is_orphan(*key));
        let orphans = orphans.map(|number| ("orphaned-file".to_owned(), key(number), None, None, None));
        let assets = (0..self.assets.len()).filter_map(|at| self.asset_finding(at));
        let downloads = (0..self.downloads.len()).filter_map(|at| self.download_finding(at));
        orphans.chain(assets).chain(downloads).collect()
    }
}
