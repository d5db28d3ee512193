//! The second look at rows: those that seem to have lost their objects, those that rules seem to condemn, and those that
//! name no object at all.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};

use super::{ASK, WINDOW_KEYS};
use crate::compare::folders::Shape;
use crate::config::{Action, Config, Key, Records};
use crate::database::{Database, Ownerless, Session};
use crate::domain::key::Printable;
use crate::domain::{Created, Held, Hold, Kind, Mark, Object, Record, Time};
use crate::domain::{derived, row_id};
use crate::judge::{self, FileFate, Group, Standing};
use crate::ledger::{Ledger, NewRecord, Waits};
use crate::storage::{Presence, Store, look_for};

/// Objects looked at, and their rows read, at once.
const KEYS: usize = 4_000;
/// Rows handed to the ledger at once.
const ROWS: usize = 1_000;
/// Rows whose dates cannot be read that are named one by one.
const NAMED: usize = 20;

/// What the second look at rows counted, beside the findings that it left in the ledger.
#[derive(Debug, Default)]
pub struct Looked {
    /// Rows without their object that are too young to be findings.
    pub young: u64,
    /// Rows that a rule would condemn were they older.
    pub young_condemned: u64,
    /// Rows that name no object, of each table with rules, by its place.
    pub keyless: Vec<(usize, u64)>,
    /// What people should know of rules that could not be applied.
    pub warnings: Vec<String>,
}

/// Looks again at rows; the listing began at `listed_at`. `with_keyless`: also at those that name no object.
pub async fn at_records(
    ledger: &mut Ledger,
    database: &Database,
    store: &dyn Store,
    (config, listed_at): (&Config, Time),
    with_keyless: bool,
) -> Result<Looked> {
    let mut looking = Looking {
        ledger,
        database,
        store,
        config,
        listed_at,
        looked: Looked::default(),
        unreadable: BTreeMap::new(),
        records: Vec::new(),
    };
    looking.at_missing().await?;
    if with_keyless {
        looking.count_keyless().await.context(ASK)?;
    }
    if config.records.iter().any(|records| !records.rules.is_empty()) {
        looking.at_condemned().await?;
        looking.at_shared_folders().await.context(ASK)?;
        looking.at_strangers().await.context(ASK)?;
        looking.at_ownerless().await.context(ASK)?;
        if with_keyless {
            looking.at_keyless().await.context(ASK)?;
        }
    }
    let mut looked = looking.looked;
    looked.warnings.extend(looking.unreadable.iter().map(|(place, dates)| dates.warning(place)));
    Ok(looked)
}

struct Looking<'a> {
    ledger: &'a mut Ledger,
    database: &'a Database,
    store: &'a dyn Store,
    config: &'a Config,
    listed_at: Time,
    looked: Looked,
    /// Dates that cannot be read.
    unreadable: BTreeMap<DatePlace, Unreadable>,
    /// On their way to the ledger.
    records: Vec<NewRecord>,
}

impl Looking<'_> {
    /// How many keys are asked for at once: what must be read whole to be asked is read once a window.
    fn window(&self) -> usize {
        if self.database.streams_again() { WINDOW_KEYS } else { KEYS }
    }

    /// Looks at the object of each row that seems to have lost it, and reads the row once more.
    async fn at_missing(&mut self) -> Result<()> {
        let keys = self.window();
        let mut after = String::new();
        loop {
            let window = self.ledger.missing_after(&after, keys).await?;
            let Some(last) = window.last() else { return Ok(()) };
            let concurrency = self.config.storage.concurrency;
            let store = self.store;
            let has_folders = self.config.has_folders();
            let looks = looks(store, &window, has_folders, concurrency).await.context(LOOK)?;
            let here: Vec<&Object> = looks.values().filter_map(Look::object).collect();
            if self.config.has_folders() {
                let folders = here.iter().map(|object| &object.key).filter(|key| key.ends_with('/'));
                self.ledger.add_condemned_folders(&folders.collect::<Vec<_>>()).await?;
            }
            self.ledger.found_missing(&here.iter().map(|object| object.key.clone()).collect::<Vec<_>>()).await?;
            // What was stored since the listing began is just new.
            let is_old = |object: &&Object| object.last_modified < Some(self.listed_at) && !object.is_new;
            let unlisted = here.into_iter().filter(is_old);
            self.ledger.add_unlisted(&unlisted.collect::<Vec<_>>()).await?;

            let gone: Vec<&str> =
                looks.iter().filter(|(_, look)| look.object().is_none()).map(|(key, _)| *key).collect();
            let ask = async {
                let mut session = self.database.session().await?;
                let now = session.now().await?;
                let mut take = async |record: Record| {
                    let held = match looks.get(record.key.as_str()) {
                        Some(Look::Unknown(reason)) => Some(Held::new(Hold::Forbidden, reason.clone())),
                        _ => None,
                    };
                    self.take(record, now, true, held).await.map(|_| ())
                };
                session.records(&gone, &mut take).await?;
                self.flush().await
            };
            let ask = async { ask.await.context(ASK) };
            // A 404 or a 400 to a HEAD has no body: they are also what a bucket that is gone, or credentials that have
            // expired, would answer (I2).
            let bucket = async {
                let is_there = if gone.is_empty() { Ok(()) } else { store.is_there().await };
                is_there.context(LOOK)
            };
            futures::try_join!(ask, bucket)?;
            after.clone_from(last);
        }
    }

    /// Reads all rows of each object that a rule seems to condemn: the object goes only with all of them (I6).
    async fn at_condemned(&mut self) -> Result<()> {
        let rules = self.config.rules();
        let kinds: Vec<&str> = rules.iter().map(|name| &**name).collect();
        let keys = self.window();
        let mut after = String::new();
        loop {
            let window = self.ledger.condemned_after(&after, keys).await?;
            let Some(last) = window.last() else { return Ok(()) };
            let mut groups: HashMap<&str, Group> = HashMap::new();
            let ask = async {
                let mut session = self.database.session().await?;
                let now = session.now().await?;
                let keys: Vec<&str> = window.iter().map(String::as_str).collect();
                for key in session.referenced(&keys).await? {
                    if let Ok(at) = window.binary_search(&key) {
                        groups.entry(&window[at]).or_default().is_referenced = true;
                    }
                }
                if self.config.has_folders() {
                    let around = self.live_folders(&mut session, &keys, now).await?;
                    for key in &window {
                        // What lies in the folder of another row is that row's too.
                        if derived::folders_of(key).iter().any(|folder| around.contains(folder.text())) {
                            groups.entry(key).or_default().is_referenced = true;
                        }
                    }
                }
                let mut take = async |record: Record| {
                    let group = window.binary_search(&record.key).map(|at| groups.entry(&window[at]).or_default());
                    let standing = self.take(record, now, false, None).await?;
                    match (group, standing) {
                        (Ok(group), Standing::Condemned(_)) => group.condemned += 1,
                        (Ok(group), Standing::Live | Standing::Young) => group.live += 1,
                        (Err(_), _) => {}
                    }
                    Ok(())
                };
                session.records(&keys, &mut take).await?;
                self.flush().await
            };
            ask.await.context(ASK)?;
            let settled: Vec<(String, bool, u64)> = groups
                .into_iter()
                .map(|(key, group)| {
                    let fate = Group { has_object: true, ..group }.file();
                    (key.to_owned(), fate != FileFate::Follows, group.condemned)
                })
                .collect();
            for groups in settled.chunks(ROWS) {
                self.ledger.settle_groups(groups, &kinds).await?;
            }
            after.clone_from(last);
        }
    }

    /// Forgets keys in folders of condemned rows that the folder's own row names, and nothing else: a poster beside a stream.
    async fn at_shared_folders(&mut self) -> Result<()> {
        let mut after = (String::new(), String::new());
        loop {
            let page = self.ledger.keys_inside_after(&after, KEYS / 4).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(last);
            let keys: BTreeSet<&str> = page.iter().flat_map(|(folder, inside)| [folder.as_str(), inside]).collect();
            let keys: Vec<&str> = keys.into_iter().filter(|key| !key.is_empty()).collect();
            let mut session = self.database.session().await?;
            let referenced = session.referenced(&keys).await?;
            let mut rows: HashMap<String, BTreeSet<(String, String)>> = HashMap::new();
            let mut note = async |record: Record| {
                rows.entry(record.key).or_default().insert((record.table, record.handle));
                Ok(())
            };
            session.records(&keys, &mut note).await?;
            let is_own = |(folder, inside): &&(String, String)| {
                let of_folder = rows.get(folder);
                !referenced.contains(inside)
                    && rows.get(inside).is_some_and(|rows| of_folder.is_some_and(|folder| rows.is_subset(folder)))
            };
            self.ledger.forget_inside(&page.iter().filter(is_own).collect::<Vec<_>>()).await?;
        }
    }

    /// The folders around these keys that a row owns which no rule condemns, or not yet.
    async fn live_folders(&self, session: &mut Session<'_>, keys: &[&str], now: Time) -> Result<HashSet<String>> {
        let folders: BTreeSet<String> =
            keys.iter().flat_map(|key| derived::folders_of(key)).map(|folder| folder.text().to_owned()).collect();
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        let mut live = HashSet::new();
        let mut note = async |record: Record| {
            let section = &self.config.records[record.section];
            let clocks: Vec<_> = section.rules.iter().map(|rule| rule.after()).collect();
            let min_age = self.config.safety.min_age.0;
            let standing = judge::standing(record.created, &record.marks, &clocks, now, min_age);
            if section.owns_folders() && !matches!(standing, Standing::Condemned(_)) {
                live.insert(record.key);
            }
            Ok(())
        };
        session.records(&folders, &mut note).await?;
        Ok(live)
    }

    /// Counts rows that name no object, and tells of those of which an expression should have made a key.
    async fn count_keyless(&mut self) -> Result<()> {
        for (section, rows) in self.database.session().await?.keyless_counts().await? {
            let records = &self.config.records[section];
            if let (Key::Sql(_), 1..) = (&records.key, rows) {
                let plural = if rows == 1 { "row gives" } else { "rows give" };
                self.looked.warnings.push(format!(
                    "{}: {rows} {plural} no key: key_sql is NULL or empty there, and protects nothing",
                    records.name
                ));
            }
            if !records.rules.is_empty() {
                self.looked.keyless.push((section, rows));
            }
        }
        Ok(())
    }

    /// Reads rows that name no object: a rule may condemn them too.
    async fn at_keyless(&mut self) -> Result<()> {
        let mut session = self.database.session().await?;
        let now = session.now().await?;
        session.keyless(&mut async |record| self.take(record, now, false, None).await.map(|_| ())).await?;
        self.flush().await
    }

    /// Counts the rows that a rule keeps because it does not know where to look for their owner.
    async fn at_strangers(&mut self) -> Result<()> {
        let strangers = self.database.session().await?.strangers().await?;
        let more = strangers.len().saturating_sub(NAMED);
        for stranger in strangers.into_iter().take(NAMED) {
            let crate::database::Stranger { table, rule, type_column, type_name, rows } = stranger;
            let plural = if rows == 1 { "row is" } else { "rows are" };
            self.looked.warnings.push(format!(
                "{table}: {rows} {plural} kept, as {type_column} is {type_name:?} and rule {rule} names no table for it"
            ));
        }
        if more > 0 {
            self.looked.warnings.push(format!("rows of {more} more types are kept, as no rule names a table for them"));
        }
        Ok(())
    }

    /// Notes the rows that rules condemn for owners whose table has no row: it may have been restored in part (I3).
    async fn at_ownerless(&mut self) -> Result<()> {
        let (ledger, warnings) = (&mut *self.ledger, &mut self.looked.warnings);
        let mut rows = Vec::new();
        let mut last = None;
        let mut note = async |(table, section): (&str, usize), ownerless: &Ownerless, handle: String| {
            let Ownerless { rule, type_name, owners, .. } = ownerless;
            if last.as_ref() != Some(&(section, rule.clone(), type_name.clone())) {
                warnings.push(format!(
                    "{table}: {owners}, where rule {rule} looks for the owners of type {type_name}, has no row: what it condemns \
                     for that is held; if it is really meant, add may_be_empty = [{type_name:?}] to the rule's entity"
                ));
                last = Some((section, rule.clone(), type_name.clone()));
            }
            let reason = format!("its owner would be in {owners}, which has no row (see may_be_empty)");
            rows.push((rule.clone(), table.to_owned(), handle, reason));
            if rows.len() >= ROWS { ledger.add_ownerless(&std::mem::take(&mut rows)).await } else { Ok(()) }
        };
        self.database.session().await?.ownerless(&mut note).await?;
        self.ledger.add_ownerless(&rows).await
    }

    /// Judges a row, and makes a finding of it where it is one. `is_missing`: its object is not there.
    async fn take(&mut self, record: Record, now: Time, is_missing: bool, held: Option<Held>) -> Result<Standing> {
        let (section, min_age) = (&self.config.records[record.section], self.config.safety.min_age.0);
        self.note_unreadable(section, &record, now);
        let clocks: Vec<_> = section.rules.iter().map(|rule| rule.after()).collect();
        let standing = judge::standing(record.created, &record.marks, &clocks, now, min_age);
        let (kind, has_clock) = match standing {
            Standing::Condemned(rule) => {
                (Kind::Rule(section.rules[rule].name.clone()), section.rules[rule].clock.is_some())
            }
            Standing::Young => {
                self.looked.young_condemned += 1;
                return Ok(standing);
            }
            Standing::Live if !is_missing => return Ok(standing),
            Standing::Live if judge::is_young_record(record.created, now, min_age) => {
                self.looked.young += 1;
                return Ok(standing);
            }
            Standing::Live => (Kind::OrphanedRecord, false),
        };
        let held = held.or_else(|| of_folder(self.config, (section, &kind), &record.key, is_missing));
        let acts = *section.action(&kind) != Action::Report && !min_age.is_zero();
        let waits = match record.created.at(now) {
            Created::Unreadable => Waits::Undated,
            Created::Unconfigured if !has_clock => Waits::Undated,
            // Its key may have been changed a moment ago, and its file may be on its way.
            _ if kind == Kind::OrphanedRecord && !record.says_change => Waits::NewlyMissing,
            _ => Waits::No,
        };
        let waits = if acts { waits } else { Waits::No };
        self.records.push(NewRecord { kind, record, waits, held });
        if self.records.len() >= ROWS {
            self.flush().await?;
        }
        Ok(standing)
    }

    /// Counts dates that cannot be read, by their column.
    fn note_unreadable(&mut self, section: &Records, record: &Record, now: Time) {
        if record.created.at(now) == Created::Unreadable {
            let columns = section.created_at.iter().map(|column| column.name());
            let columns: Vec<&str> = columns.chain(section.updated_at.as_deref()).collect();
            let place = (record.table.clone(), columns.join(" or "), None);
            self.unreadable
                .entry(place)
                .or_default()
                .note(record.created.time().map(|time| time.to_string()), row_id::shown(&record.id));
        }
        for (rule, mark) in section.rules.iter().zip(&record.marks) {
            let (Mark::Unreadable(text), Some(clock)) = (mark, &rule.clock) else { continue };
            let place = (record.table.clone(), clock.since.name().to_owned(), Some(rule.name.to_string()));
            self.unreadable.entry(place).or_default().note(Some(text.clone()), row_id::shown(&record.id));
        }
    }

    async fn flush(&mut self) -> Result<()> {
        self.ledger.add_records(&std::mem::take(&mut self.records)).await.context("the ledger")
    }
}

/// Why a row that a rule condemns must not go with the folder that it owns, as far as the folder's name and what lies in it
/// say.
fn of_folder(config: &Config, (section, kind): (&Records, &Kind), folder: &str, is_empty: bool) -> Option<Held> {
    if kind.rule().is_none() || !section.owns_folders() || folder.is_empty() {
        return None;
    }
    if is_empty {
        return Some(Held::new(Hold::MissingFolder, "its folder is empty"));
    }
    let root = config.storage.prefix.as_str();
    let allowed = &config.safety.unknown_prefixes.set;
    let below = folder.strip_prefix(root).unwrap_or(folder);
    let own = below.strip_suffix('/').unwrap_or(below);
    // A folder that is named by an id is one of many, wherever it lies.
    let is_first = !own.contains('/') && Shape::of(own).is_none();
    let is_common = folder == root || config.records.iter().any(|records| records.key_prefix == folder);
    let may_go = allowed.is_match(own) || allowed.is_match(folder.strip_suffix('/').unwrap_or(folder));
    let reason = "a folder at the top may hold more than what is its row's (see unknown_prefixes)";
    (is_common || is_first && !may_go).then(|| Held::new(Hold::SharedFolder, reason))
}

/// A table, its column of dates, and the rule whose clock starts there; without one, that of the creation times.
type DatePlace = (String, String, Option<String>);

/// Dates of one column that cannot be read.
#[derive(Debug, Default)]
struct Unreadable {
    count: u64,
    /// The first of them, and the id of its row; `None`: NULL.
    first: Option<(Option<String>, String)>,
}

impl Unreadable {
    fn note(&mut self, text: Option<String>, id: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| (text.map(|text| text.chars().take(60).collect()), id.to_owned()));
    }

    fn warning(&self, (table, column, rule): &DatePlace) -> String {
        let rows = if self.count == 1 { "row has" } else { "rows have" };
        let such = match &self.first {
            Some((Some(text), id)) => format!(", such as {} (id {})", Printable(text), Printable(id)),
            Some((None, id)) => format!(", such as that of id {}", Printable(id)),
            None => String::new(),
        };
        let what = match rule {
            Some(rule) => format!("rule {rule} does not condemn them"),
            None => "they are held until they were first seen min_age ago".to_owned(),
        };
        format!("{table}: {} {rows} a date in {column} that cannot be read{such}: {what}", self.count)
    }
}

enum Look {
    Here(Object),
    Gone,
    Unknown(String),
}

impl Look {
    fn object(&self) -> Option<&Object> {
        match self {
            Look::Here(object) => Some(object),
            Look::Gone | Look::Unknown(_) => None,
        }
    }
}

async fn looks<'k>(
    store: &dyn Store,
    keys: &'k [String],
    has_folders: bool,
    concurrency: usize,
) -> Result<HashMap<&'k str, Look>> {
    let (refused, allowed) = (AtomicUsize::new(0), allowed_refusals(keys.len()));
    futures::stream::iter(keys)
        .map(|key| async {
            let look = match look_for(store, key, has_folders).await {
                Ok(Presence::Present(object)) => Look::Here(object),
                Ok(Presence::Missing) => Look::Gone,
                Ok(Presence::Unknown(reason)) => Look::Unknown(reason),
                // 403, a fault of the server, a timeout: nobody knows.
                Err(error) if refused.fetch_add(1, Relaxed) < allowed => Look::Unknown(format!("{error:#}")),
                Err(error) => return Err(error.context(format!("more than {allowed} of {} looks failed", keys.len()))),
            };
            anyhow::Ok((key.as_str(), look))
        })
        .buffer_unordered(concurrency)
        .try_collect()
        .await
}

/// How many of so many looks may fail: what they leave open is held. More is no matter of single keys: a policy, a whole
/// prefix, a store that is down. One in a hundred; of few looks up to 10, but no more than half, and always one.
fn allowed_refusals(looks: usize) -> usize {
    (looks / 100).max(FEW_REFUSALS.min(looks / 2)).max(1)
}

/// So many looks may fail though they are more than one in a hundred.
const FEW_REFUSALS: usize = 10;

pub(super) const LOOK: &str = "the storage could not be looked at once more";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_look_may_always_fail_and_many_never() {
        let allowed = [(1, 1), (2, 1), (4, 2), (20, 10), (40, 10), (1_000, 10), (4_000, 40)];
        assert!(allowed.iter().all(|(looks, refusals)| allowed_refusals(*looks) == *refusals), "{allowed:?}");
    }
}
