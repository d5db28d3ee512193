//! The comparison from both sides to the findings: scan, look again, hold what is in doubt, keep what was found. It
//! changes nothing but the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};
use tokio::sync::mpsc::channel;
use tokio::try_join;
use ulid::Ulid;

use crate::compare::folders;
use crate::compare::scope::Scope;
use crate::compare::{Progress, Scan, Scanned, SourceCounts};
use crate::config::{Action, Config, Decides};
use crate::database::{Database, Strays};
use crate::domain::key::Printable;
use crate::domain::listed::Listed;
use crate::domain::{Found, Kind, MOST_SOURCES, Side, Time, Totals, row_id};
use crate::exit_code::Misconfigured;
use crate::forward;
use crate::judge::{self, Silence, WrongPair};
use crate::ledger::{Doubts, End, Ledger, Staged};
use crate::look_again::{self, Compared, Remembered};
use crate::only::Only;
use crate::plan;
use crate::storage::{self, Store, TrashListing};

/// Notes on their way from the scan to the ledger.
const NOTES_AHEAD: usize = 4;

/// What is compared, and what of it was asked for.
pub struct Inspection<'a> {
    pub config: &'a Config,
    pub scope: &'a Arc<Scope>,
    pub kinds: &'a [Kind],
    pub only: Option<&'a Only>,
    pub run: i64,
    /// Whether the run was narrowed to anything: what it does not see is not gone.
    pub is_narrowed: bool,
    /// Whether a person takes the database for right as it is now (I21).
    pub accepts_database: bool,
}

/// What a comparison that came to its end found; the findings themselves are in the ledger.
pub struct Inspected {
    pub totals: Totals,
    pub found: Found,
    /// Rows that were compared, by the table's place among the `[[records]]`.
    pub tables: Vec<u64>,
    /// The same by the table's name, each row once: several sections may compare it.
    pub rows: BTreeMap<String, u64>,
    pub doubts: plan::Doubts,
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
        let listed_at = Utc::now();
        let scan = self.scan(database, store.clone(), ledger, progress);
        let Scanned { mut totals, unknown, mut sources, strays } = scan.await?;

        ledger.add_folders(&unknown).await.context("the ledger")?;
        tracing::debug!("both sides are read; looking for what derived files belong to");
        let derived = look_again::at_derived(ledger, database).await?;
        totals.derived += derived.wanted;
        totals.oldest_known = totals.oldest_known.into_iter().chain(derived.oldest_wanted).min();
        totals.too_young += derived.young + derived.young_folders;
        totals.too_young_condemned += derived.young_folders;
        tracing::debug!("looking again at files");
        look_again::at_files(ledger, database, totals.known_keys + totals.outside_prefix).await?;
        tracing::debug!("looking again at folders");
        look_again::at_folders(ledger, database, self.scope, &self.config.safety.unknown_prefixes.set).await?;
        tracing::debug!("looking again at records");
        // A run that was narrowed to keys has nothing to say of rows without one.
        let with_keyless = self.scope.prefix == self.scope.root;
        let looked = look_again::at_records(ledger, database, &*store, (self.config, listed_at), with_keyless).await?;
        let (sides, allowed) = ((database, &*store), &self.config.safety.unknown_prefixes.set);
        let concurrency = self.config.storage.concurrency;
        look_again::at_missing_folders(ledger, sides, self.scope, allowed, concurrency).await?;
        totals.too_young += looked.young + looked.young_condemned;
        totals.too_young_records = looked.young;
        totals.too_young_condemned += looked.young_condemned;
        // Files follow the rows that were asked for, and only where files were asked for too.
        let rules = |kind: &Kind| kind.rule().is_some() && self.kinds.contains(&Kind::OrphanedFile);
        let kinds: Vec<&str> = self.kinds.iter().filter(|kind| rules(kind)).map(Kind::name).collect();
        totals.derived = totals.derived.saturating_sub(ledger.follow_owners(&kinds).await.context("the ledger")?);
        tracing::debug!("looking again at values that hold more than a key");
        let packed = look_again::at_packed(ledger, database, self.scope).await?;
        // What is packed in a value may be another name of a file, as a value may.
        let alias = look_again::at_aliases(ledger, &*store).await?;
        let links = look_again::at_links(ledger, &*store).await?;
        tracing::debug!("looking again at names");
        let removes_rows = self.config.records.iter().any(|records| records.missing_file != Action::Report);
        let has_folders = self.config.has_folders();
        let known = removes_rows.then_some((database, &**self.scope));
        let common = look_again::at_names(ledger, known, has_folders).await?;
        if removes_rows && (!self.config.derived.is_empty() || store.has_other_names()) {
            look_again::at_other_readings(ledger, &*store, has_folders, concurrency).await?;
        }
        let places = self.config.records.len() + self.config.references.len();
        sources.resize(places, SourceCounts::default());
        count_rows(database, &mut sources).await?;
        let undecoded = undecoded(database, &sources).await.context("the database")?;
        let mut silent = self.silent(&database.source_names(), &sources, &totals);
        silent.retain(|(name, _)| packed.iter().all(|packed| packed.source != *name));
        let compared: Vec<u64> = sources.iter().take(self.config.records.len()).map(|counts| counts.values).collect();
        let mut tables: Vec<u64> = sources.iter().take(self.config.records.len()).map(|counts| counts.values).collect();
        for (section, rows) in looked.keyless {
            tables[section] += rows;
        }

        let min_overlap = self.config.safety.min_overlap.0;
        let wrong_pair = judge::wrong_pair(&totals, !self.config.records.is_empty(), min_overlap);
        let mut doubts = plan::Doubts { wrong_pair, packed, silent, ..plan::Doubts::default() };
        doubts.read_only = database.standbys().await.context("the database")?;
        let rows = self.rows_once(database, &mut totals, (&compared, &tables)).await.context("the database")?;
        let newest_row = self.newest_row(ledger, database, &totals).await?;
        let found = self.keep(ledger, (database, &*store), &totals, wrong_pair, newest_row).await?;
        doubts.obstacles = self.obstacles(ledger, database).await?;
        let strange = self.strange_trash(ledger, &*store).await?;
        let compared = Compared {
            config: self.config,
            run: self.run,
            sources: &sources,
            with_objects: totals.sources_with_objects,
            rows: &rows,
            is_whole: self.scope.prefix == self.scope.root,
        };
        let forward = self.went_back(ledger, database, &compared, &mut doubts).await?;
        let mut warnings = doubts.went_back.clone();
        warnings.extend(forward);
        warnings.extend(strays.iter().map(|(table, strays)| no_urls(table, strays)));
        warnings.extend(new_files(&totals));
        warnings.extend(undated_files(&totals));
        warnings.extend(self.unmet(&totals));
        warnings.extend(looked.warnings);
        undecoded.iter().for_each(|warning| tracing::warn!("{warning}"));
        warnings.extend(undecoded);
        warnings.extend(strange);
        warnings.extend(alias);
        warnings.extend(links);
        warnings.extend(common);
        warnings.extend(doubts.packed.iter().map(plan::packed_warning));
        warnings.extend(doubts.silent.iter().map(|(name, silence)| plan::warning(name, *silence)));
        warnings.extend(doubts.read_only.iter().map(|(database, why)| plan::read_only_warning(database, why)));
        warnings.extend(doubts.obstacles.iter().map(|(table, why)| plan::not_whole_warning(table, why)));
        tracing::debug!("remembering");
        self.keep_sightings(ledger, &doubts).await?;
        Ok(Inspected { totals, found, tables, rows, doubts, warnings })
    }

    /// What to say of trash that the ledger does not know: it was lost, or the trash is another tool's.
    async fn strange_trash(&self, ledger: &mut Ledger, store: &dyn Store) -> Result<Option<String>> {
        if ledger.is_temporary() {
            return Ok(None);
        }
        if self.config.trash.enabled && !self.is_narrowed && !self.scope.meets_trash() {
            match first_of_trash(self.config, store).await {
                Ok(met) => ledger.meet_trash(&met).await.context(LEDGER)?,
                // Whoever only reads may not be allowed to.
                Err(error) => tracing::debug!("the trash could not be listed: {error:#}"),
            }
        }
        let Some((count, folder)) = ledger.strange_trash().await.context(LEDGER)? else { return Ok(None) };
        let folder = Printable(&folder);
        Ok(Some(match count {
            1 => format!("{folder} holds files of a run that this ledger does not know: {FROM_TRASH}"),
            _ => format!(
                "the trash holds files of {count} runs that this ledger does not know, such as {folder}: {FROM_TRASH}"
            ),
        }))
    }

    /// Whether the database went back since the last complete run (I21); what is only worth a word is given. A complete run
    /// remembers what it saw, unless something says that this is not the database that it was.
    async fn went_back(
        &self,
        ledger: &mut Ledger,
        database: &Database,
        compared: &Compared<'_>,
        doubts: &mut plan::Doubts,
    ) -> Result<Vec<String>> {
        let Remembered { refusals, mut warnings, memories } = look_again::at_memory(ledger, database, compared).await?;
        let is_right = refusals.is_empty() || self.accepts_database;
        match self.accepts_database {
            true => warnings.extend(refusals.into_iter().map(|sign| format!("{ACCEPTED}: {sign}"))),
            false => {
                let told = |sign: String| format!("{sign}. {}", forward::WHAT_TO_DO);
                doubts.went_back = refusals.into_iter().map(told).collect();
            }
        }
        if is_right && !self.is_narrowed && doubts.wrong_pair.is_none() {
            ledger.remember(&memories, self.accepts_database).await.context(LEDGER)?;
        }
        Ok(warnings)
    }

    /// The tables with findings by which rows are to be removed, or changed, and cannot be brought back. Held ones count:
    /// better now than when they are not.
    async fn obstacles(&self, ledger: &mut Ledger, database: &Database) -> Result<Vec<(String, String)>> {
        let mut acting = Vec::new();
        for (section, records) in self.config.records.iter().enumerate() {
            let of_records = (records.missing_file != Action::Report).then(|| Kind::OrphanedRecord.name().to_owned());
            let kinds = records.rules.iter().map(|rule| rule.name.to_string()).chain(of_records);
            acting.extend(kinds.map(|kind| (section, kind)));
        }
        let mut obstacles: Vec<(String, String)> = Vec::new();
        for section in ledger.sections_with(&acting).await.context("the ledger")? {
            let table = &self.config.records[section].name;
            if obstacles.iter().all(|(other, _)| other != table) {
                let obstacle = database.obstacle(section).await.context("the database")?;
                obstacles.extend(obstacle.map(|why| (table.clone(), why)));
            }
        }
        Ok(obstacles)
    }

    /// How many rows of each table were compared, each once; and counts them so in `totals`. By section there are those that
    /// name an object, and all that were compared.
    async fn rows_once(
        &self,
        database: &Database,
        totals: &mut Totals,
        (compared, tables): (&[u64], &[u64]),
    ) -> Result<BTreeMap<String, u64>> {
        let names = || self.config.records.iter().map(|records| &records.name);
        let mut rows: BTreeMap<String, u64> = BTreeMap::new();
        for (name, compared) in names().zip(tables) {
            let rows = rows.entry(name.clone()).or_default();
            *rows = (*rows).max(*compared);
        }
        // Of a part of the keys only so much is known.
        if self.scope.prefix.is_empty() && self.scope.ignore.is_empty() {
            for (section, exact) in database.session().await?.rows_of_several().await? {
                rows.insert(self.config.records[section].name.clone(), exact);
            }
        }
        for (table, rows) in &rows {
            let of_table = names().zip(compared).filter(|(name, _)| *name == table);
            let of_table: Vec<u64> = of_table.map(|(_, compared)| *compared).collect();
            if of_table.len() > 1 {
                totals.records = totals.records.saturating_sub(of_table.iter().sum()) + rows;
            }
        }
        Ok(rows)
    }

    /// What of the configuration spoke of nothing, and so may be misspelt. A narrowed run does not know.
    fn unmet(&self, totals: &Totals) -> Vec<String> {
        if self.scope.prefix != self.scope.root {
            return Vec::new();
        }
        let is_unmet = |met: u64, place: usize| met & 1 << place.min(63) == 0;
        let globs = self.config.storage.ignore_patterns.iter().enumerate();
        let globs = globs.filter(|(place, _)| is_unmet(totals.globs_met, *place)).map(|(_, glob)| {
            format!("[storage] ignore: {glob:?} matches no object and no row; globs are on the full key, as in \"backups/**\"")
        });
        let rules = self.config.derived.iter().enumerate();
        let rules = rules.filter(|(place, _)| is_unmet(totals.rules_met, *place));
        let rules = rules.filter_map(|(_, rule)| rule.pattern()).map(|pattern| {
            format!("[[derived]] pattern {pattern:?} matches no object without a row; it is on the full key")
        });
        globs.chain(rules).collect()
    }

    /// The sources that give nothing which is an object, but for those that may.
    fn silent(&self, names: &[String], sources: &[SourceCounts], totals: &Totals) -> Vec<(String, Silence)> {
        let sources = names.iter().zip(sources).zip(self.config.may_be_empty()).enumerate();
        let doubted = sources.filter(|(_, (_, may_be_empty))| !may_be_empty);
        let silent = doubted.filter_map(|(place, ((name, counts), _))| {
            let has_object = totals.sources_with_objects & 1 << place.min(MOST_SOURCES) != 0;
            Some((name.clone(), Silence::of(counts.rows, counts.values + counts.undecoded, has_object)?))
        });
        silent.collect()
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
            folders: self.folder_rules(),
            owns_folders: self.config.has_folders(),
        };
        let trash = self.config.trash.enabled.then_some(self.config.trash.beginning());
        let (notes, mut noted) = channel(NOTES_AHEAD);
        let hold = |object: Listed<'_>, side: Side| judge::held(object, side, trash, longest_key_bytes);
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
                    note.map(|note| Staged::new(&note, hold)).transpose().context("the ledger")
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
        (database, store): (&Database, &dyn Store),
        totals: &Totals,
        wrong_pair: Option<WrongPair>,
        newest_row: Option<(String, Time)>,
    ) -> Result<Found> {
        tracing::debug!("holding what is in doubt");
        let rules = self.config.rules();
        let mut doubts = Doubts {
            root: &self.scope.root,
            has_urls: self.config.records.iter().any(|records| records.url_base.is_some())
                || self.config.references.iter().any(|reference| reference.url_base.is_some()),
            has_trash: self.config.trash.enabled,
            undated: self.seen_before("it has no created_at, and no updated_at, that can be read, and"),
            newly_missing: self.seen_before("no updated_at says when it was changed, and its file"),
            rules: rules.iter().map(|name| &**name).collect(),
            ..Doubts::default()
        };
        // A wrong pair is refused as a whole; what it finds is not held one by one.
        if wrong_pair.is_none() {
            doubts.database_ends = self.database_ends(totals, newest_row);
            let newest = totals.newest_object.filter(|_| self.scope.prefix == self.scope.root);
            doubts.storage_ends = newest.and_then(|newest| self.end(newest, "newer than the newest object"));
            doubts.has_unknown_folders = true;
        }
        ledger.hold(&doubts).await.context(LEDGER)?;
        tracing::debug!("keeping what was found");
        ledger.keep_kinds(self.kinds).await.context(LEDGER)?;
        if let Some(only) = self.only {
            ledger.keep_only(only, self.config.has_folders()).await.context(LEDGER)?;
            if !ledger.has_findings().await.context(LEDGER)?
                && !look_again::names_anything(only, ledger, database, store, self.config).await?
            {
                return Err(Misconfigured(NAMES_NOTHING.to_owned()).into());
            }
        }
        tracing::debug!("counting");
        ledger.count_findings().await.context(LEDGER)
    }

    /// Remembers what was found, once all is known that a run may fail in. A run that was narrowed, or that is refused as
    /// the database may not be the right one, says nothing of how long a finding has been one.
    async fn keep_sightings(&self, ledger: &mut Ledger, doubts: &plan::Doubts) -> Result<()> {
        // A run that looks at a list of findings says nothing of the others.
        let resolved = if self.only.is_some() { &[] } else { self.kinds };
        let mut rules = self.config.records.iter().flat_map(|records| &records.rules);
        let are_all =
            rules.all(|rule| self.kinds.iter().any(|kind| kind.rule().is_some_and(|name| *name == rule.name)));
        let decides = Some(Decides::of(self.config)).filter(|_| !self.is_narrowed && !doubts.doubts_the_database());
        let scope = (resolved, are_all, &*self.scope.prefix);
        ledger.keep_sightings(self.run, decides.as_ref(), scope, Utc::now()).await.context(LEDGER)
    }

    /// The newest row, as far as it matters to the files that were found.
    async fn newest_row(
        &self,
        ledger: &mut Ledger,
        database: &Database,
        totals: &Totals,
    ) -> Result<Option<(String, Time)>> {
        let newest_file = ledger.newest_file().await.context("the ledger")?;
        let margin = judge::margin(self.config.safety.min_age.0);
        let enough = newest_file.zip(margin).and_then(|(newest, margin)| newest.checked_sub_signed(margin));
        let Some(enough) = enough else { return Ok(None) };
        let oldest = totals.oldest_known.zip(margin).and_then(|(oldest, margin)| oldest.checked_sub_signed(margin));
        let newest_row = async { database.session().await?.newest_row(enough, oldest).await };
        newest_row.await.context("the database")
    }

    /// Where the database seems to end (I17): at the newest object that it knows, and at its newest row.
    fn database_ends(&self, totals: &Totals, newest_row: Option<(String, Time)>) -> Vec<End> {
        // A narrowed run has only seen what the database knows there.
        let below = match self.scope.prefix == self.scope.root {
            true => String::new(),
            false => format!(" below {}", self.scope.prefix),
        };
        let known =
            totals.newest_known.map(|newest| (newest, format!("newer than anything the database knows{below}")));
        let row = newest_row.map(|(table, newest)| (newest, format!("newer than the newest row of {table}")));
        known.into_iter().chain(row).filter_map(|(newest, reason)| self.end(newest, &reason)).collect()
    }

    fn end(&self, newest: Time, what: &str) -> Option<End> {
        let believable = judge::newest_believable(newest, self.config.safety.min_age.0)?;
        let reason = format!("{what}, of {}", newest.format("%Y-%m-%d %H:%M:%S UTC"));
        Some(End { newest, believable, reason })
    }

    /// Which folders the scan is to tell of (I18).
    fn folder_rules(&self) -> folders::Rules {
        folders::Rules {
            root_bytes: self.scope.root.len(),
            prefix_bytes: self.scope.prefix.len(),
            many_in_first: self.config.safety.unknown_folder_files,
        }
    }

    /// When a row that waits must have been seen to be removed, and what to say of one that was not: `why` it waits.
    fn seen_before(&self, why: &str) -> Option<(Time, String)> {
        let min_age = self.config.safety.min_age;
        let newest = TimeDelta::from_std(min_age.0).ok().and_then(|min_age| Utc::now().checked_sub_signed(min_age));
        Some((newest.unwrap_or_default(), format!("{why} was first seen less than {min_age} ago")))
    }
}

const LEDGER: &str = "the ledger";
const FROM_TRASH: &str = "another one may, such as that of another user or host. If the ledger was lost, \
     `cleanup-assets restore --from-trash` brings them back";
const ACCEPTED: &str = "accepted as it is by --accept-database";
const NAMES_NOTHING: &str = "--only: no line of the file names anything that the storage, the database or the ledger knows: \
     is it a report of this pair, and was it saved with other separators or in another encoding?";

/// The folders of runs that the first page of the trash shows, as the ledger writes them. Their names begin with the time
/// of the run, and the runs of a ledger that was lost are older than those of the next one.
async fn first_of_trash(config: &Config, store: &dyn Store) -> Result<BTreeSet<String>> {
    let TrashListing { mut listing, place } = match storage::trash_listing(config, store) {
        Ok(listing) => listing,
        // Nothing was ever removed.
        Err(_) => return Ok(BTreeSet::new()),
    };
    let Some(page) = listing.next_page().await? else { return Ok(BTreeSet::new()) };
    let folders = page.objects.iter().filter_map(|object| {
        let run = object.key.strip_prefix(&place.below)?.split_once('/')?.0;
        Ulid::from_string(run).is_ok().then(|| format!("{}{}{run}/", place.outside, place.below))
    });
    Ok(folders.collect())
}

/// What to say of values that are not UTF-8, with a row that has one.
async fn undecoded(database: &Database, sources: &[SourceCounts]) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    for (place, counts) in sources.iter().enumerate().filter(|(_, counts)| counts.undecoded > 0) {
        let name = &database.source_names()[place];
        let such = match database.session().await?.undecoded_row(place).await? {
            Some((id, value)) => format!(", such as \"{value}\" of id {}", row_id::shown(&id)),
            None => String::new(),
        };
        let (values, are) = if counts.undecoded == 1 { ("value", "is") } else { ("values", "are") };
        warnings.push(format!(
            "{name}: {} {values} {are} not UTF-8{such}: such rows are kept, and so is every file whose name looks like \
             theirs. Correct them, or convert them with key_sql",
            counts.undecoded
        ));
    }
    Ok(warnings)
}

/// A table whose rows name nothing is not an empty one.
async fn count_rows(database: &Database, sources: &mut [SourceCounts]) -> Result<()> {
    let silent = sources.iter_mut().enumerate().filter(|(_, counts)| counts.rows == 0);
    for (place, counts) in silent {
        let has_row = async { database.session().await?.has_row(place).await };
        counts.rows = u64::from(has_row.await.context("the database")?);
    }
    Ok(())
}

/// What to say where many files came here a short time ago.
fn new_files(totals: &Totals) -> Option<String> {
    let Totals { new_files, objects, .. } = *totals;
    (new_files * MANY_NEW > objects).then(|| {
        format!(
            "{new_files} of {objects} files came here less than min_age ago, whatever their modification times say, and are too \
             young to judge: were they unpacked, copied or restored? [storage] age_by = \"modified\" goes by these times alone"
        )
    })
}

/// What to say of files whose time cannot be read.
fn undated_files(totals: &Totals) -> Option<String> {
    let count = totals.undated_files;
    let are = if count == 1 { "file has" } else { "files have" };
    (count > 0).then(|| {
        format!(
            "{count} {are} no LastModified that can be believed, or one from before S3 existed: such files are taken for too \
             young to judge"
        )
    })
}

/// One in so many files that are new is worth a word.
const MANY_NEW: u64 = 5;

/// What to say of a table whose column of URLs holds something else.
fn no_urls(table: &str, strays: &Strays) -> String {
    let plural = if strays.count == 1 { "value does" } else { "values do" };
    format!(
        "{table}: {} {plural} not begin with its url_base, or cannot be decoded, such as {:?}: each protects the key that \
         it would name, taken literally",
        strays.count, strays.sample
    )
}
