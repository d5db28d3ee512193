//! The comparison from both sides to the findings: scan, look again, hold what is in doubt, keep what was found. It
//! changes nothing but the ledger.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};
use tokio::sync::mpsc::channel;
use tokio::try_join;

use crate::compare::scope::Scope;
use crate::compare::segments;
use crate::compare::{Progress, Scan, Scanned};
use crate::config::Config;
use crate::database::{Database, Strays};
use crate::domain::listed::Listed;
use crate::domain::{Found, Kind, Time, Totals};
use crate::judge::{self, WrongPair};
use crate::ledger::{Doubts, Ledger, Staged};
use crate::look_again;
use crate::only::Only;
use crate::storage::Store;

/// Notes on their way from the scan to the ledger.
const NOTES_AHEAD: usize = 4;

/// What is compared, and what of it was asked for.
pub struct Inspection<'a> {
    pub config: &'a Config,
    pub scope: &'a Arc<Scope>,
    pub kinds: &'a [Kind],
    pub only: Option<&'a Only>,
    pub run: i64,
}

/// What a comparison that came to its end found; the findings themselves are in the ledger.
pub struct Inspected {
    pub totals: Totals,
    pub found: Found,
    /// Rows that were compared, by the table's place among the `[[records]]`.
    pub tables: Vec<u64>,
    pub wrong_pair: Option<WrongPair>,
    /// What people should know of rules that could not be applied.
    pub warnings: Vec<String>,
}

impl Inspection<'_> {
    /// Reads both sides to their ends, and leaves the findings in the ledger.
    pub async fn inspect(
        &self,
        database: &Database,
        store: Arc<dyn Store>,
        ledger: &mut Ledger,
        progress: Arc<Progress>,
    ) -> Result<Inspected> {
        tracing::debug!("comparing");
        let Scanned { mut totals, mut forgotten, mut tables, strays } =
            self.scan(database, store.clone(), ledger, progress).await?;

        tracing::debug!("both sides are read; looking for what derived files belong to");
        let derived = look_again::at_derived(ledger, database).await?;
        totals.derived += derived.wanted;
        totals.too_young += derived.young;
        forgotten.retain(|segment| !derived.segments.contains(segment));
        tracing::debug!("looking again at files");
        look_again::at_files(ledger, database, totals.known_keys + totals.outside_prefix).await?;
        tracing::debug!("looking again at records");
        // A run that was narrowed to keys has nothing to say of rows without one.
        let with_keyless = self.scope.prefix == self.scope.root;
        let looked = look_again::at_records(ledger, database, &*store, self.config, with_keyless).await?;
        totals.too_young += looked.young + looked.young_condemned;
        totals.too_young_records = looked.young;
        totals.too_young_condemned += looked.young_condemned;
        // Files follow the rows that were asked for, and only where files were asked for too.
        let rules = |kind: &Kind| kind.rule().is_some() && self.kinds.contains(&Kind::OrphanedFile);
        let kinds: Vec<&str> = self.kinds.iter().filter(|kind| rules(kind)).map(Kind::name).collect();
        totals.derived = totals.derived.saturating_sub(ledger.follow_owners(&kinds).await.context("the ledger")?);
        tables.resize(self.config.records.len(), 0);
        for (section, rows) in looked.keyless {
            tables[section] += rows;
        }

        let min_overlap = self.config.safety.min_overlap.0;
        let wrong_pair = judge::wrong_pair(&totals, !self.config.records.is_empty(), min_overlap);
        let found = self.keep(ledger, &totals, wrong_pair, &forgotten).await.context("the ledger")?;
        let mut warnings: Vec<String> = strays.iter().map(|(table, strays)| no_urls(table, strays)).collect();
        warnings.extend(looked.warnings);
        Ok(Inspected { totals, found, tables, wrong_pair, warnings })
    }

    async fn scan(
        &self,
        database: &Database,
        store: Arc<dyn Store>,
        ledger: &mut Ledger,
        progress: Arc<Progress>,
    ) -> Result<Scanned> {
        let longest_key_bytes = store.longest_key_bytes();
        let scan = Scan {
            store,
            scope: self.scope.clone(),
            min_age: self.config.safety.min_age.0,
            derived: self.config.derived.clone().into(),
            concurrency: self.config.storage.concurrency,
            progress,
            density: Arc::default(),
        };
        let trash = self.config.trash.enabled.then_some(self.config.trash.prefix.as_str());
        let (notes, mut noted) = channel(NOTES_AHEAD);
        let hold = |object: Listed<'_>| judge::cannot_be_trashed(object, trash, longest_key_bytes);
        let segment = |key: &str| segments::first(key, &self.scope.root).to_owned();
        let gather = async {
            let mut ready: Option<Staged> = None;
            loop {
                // The ledger works in a thread of its own: the next note is made ready beside it.
                let add = async {
                    match ready {
                        Some(staged) => ledger.add(staged).await.context("the ledger"),
                        None => Ok(()),
                    }
                };
                let next = async {
                    let note = noted.recv().await;
                    note.map(|note| Staged::new(&note, hold, segment)).transpose().context("the ledger")
                };
                (_, ready) = try_join!(add, next)?;
                if ready.is_none() {
                    return Ok(());
                }
            }
        };
        let (scanned, ()) = try_join!(scan.run(database.keys(), notes), gather)?;
        Ok(scanned)
    }

    async fn keep(
        &self,
        ledger: &mut Ledger,
        totals: &Totals,
        wrong_pair: Option<WrongPair>,
        forgotten: &[String],
    ) -> Result<Found> {
        tracing::debug!("holding what is in doubt");
        let rules = self.config.rules();
        let mut doubts = Doubts {
            root: &self.scope.root,
            has_urls: self.config.records.iter().any(|records| records.url_base.is_some()),
            seen_before: self.seen_before(),
            rules: rules.iter().map(|name| &**name).collect(),
            ..Doubts::default()
        };
        // A wrong pair is refused as a whole; what it finds is not held one by one.
        if wrong_pair.is_none() {
            doubts.newest_believable = self.newest_believable(totals);
            doubts.unknown_segments = self.unknown_segments(forgotten);
        }
        ledger.hold(&doubts).await?;
        tracing::debug!("keeping what was found");
        ledger.keep_kinds(self.kinds).await?;
        if let Some(only) = self.only {
            ledger.keep_only(only).await?;
        }
        // A run that looks at a list of findings says nothing of the others.
        let resolved = if self.only.is_some() { &[] } else { self.kinds };
        ledger.keep_sightings(self.run, resolved, &self.scope.prefix, Utc::now()).await?;
        tracing::debug!("counting");
        ledger.count_findings().await
    }

    /// How new a file may be before the database is behind (I17), and what to say of one that is newer.
    fn newest_believable(&self, totals: &Totals) -> Option<(Time, String)> {
        let newest = judge::newest_believable(totals.newest_known, self.config.safety.min_age.0)?;
        // A narrowed run has only seen what the database knows there.
        let reason = match self.scope.prefix == self.scope.root {
            true => "newer than anything the database knows".to_owned(),
            false => format!("newer than anything the database knows below {}", self.scope.prefix),
        };
        Some((newest, reason))
    }

    /// The first path segments that nobody knows (I18) but for those that the configuration lets go.
    fn unknown_segments<'f>(&self, forgotten: &'f [String]) -> Vec<&'f str> {
        let is_allowed = |segment: &str| {
            let name = segment.trim_end_matches('/');
            let below_root = name.strip_prefix(&self.scope.root).unwrap_or(name);
            let allowed = self.config.safety.unknown_prefixes.iter().map(|prefix| prefix.trim_end_matches('/'));
            allowed.into_iter().any(|prefix| prefix == name || prefix == below_root)
        };
        forgotten.iter().map(String::as_str).filter(|segment| !is_allowed(segment)).collect()
    }

    /// When a row without an age must have been seen to be removed, and what to say of one that was not.
    fn seen_before(&self) -> Option<(Time, String)> {
        let min_age = self.config.safety.min_age;
        let newest = TimeDelta::from_std(min_age.0).ok().and_then(|min_age| Utc::now().checked_sub_signed(min_age));
        let reason = format!("its table has no created_at, and it was first seen less than {min_age} ago");
        Some((newest.unwrap_or_default(), reason))
    }
}

/// What to say of a table whose column of URLs holds something else.
fn no_urls(table: &str, strays: &Strays) -> String {
    let plural = if strays.count == 1 { "value does" } else { "values do" };
    format!(
        "{table}: {} {plural} not begin with its url_base, or cannot be decoded, such as {:?}: each protects the key that \
         it would name, taken literally",
        strays.count, strays.sample
    )
}
