//! Asks the database for the rows that earlier runs saw, and says whether it went back (I21); it decides nothing by itself.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::compare::SourceCounts;
use crate::config::{Action, Config};
use crate::database::{Database, Recent};
use crate::domain::MOST_SOURCES;
use crate::forward::{self, Fate, KnownRow, Memory, Now};
use crate::ledger::Ledger;

/// What this run's comparison says of the sources.
pub struct Compared<'a> {
    pub config: &'a Config,
    pub run: i64,
    /// By the place of each source.
    pub sources: &'a [SourceCounts],
    /// Of which sources any value is an object, a bit each.
    pub with_objects: u64,
    /// Rows of each table, each once.
    pub rows: &'a BTreeMap<String, u64>,
    /// Whether all keys were compared, and not only those below a prefix.
    pub is_whole: bool,
}

/// What earlier runs remember, held against the database as it is.
#[derive(Default)]
pub struct Remembered {
    /// Each sign that the database went back, as it is told.
    pub refusals: Vec<String>,
    pub warnings: Vec<String>,
    /// What the next run shall remember.
    pub memories: Vec<Memory>,
}

/// Holds the memory of every source against the database: where this pair has none, that of another database of the store.
pub async fn at_memory(ledger: &mut Ledger, database: &Database, compared: &Compared<'_>) -> Result<Remembered> {
    let mut remembered = Remembered::default();
    for (place, name) in database.source_names().into_iter().enumerate() {
        let section = Some(place).filter(|place| *place < compared.config.records.len());
        let source = database.fingerprint(place);
        let mut before = ledger.memory(&source).await.context(LEDGER)?;
        let is_own = before.is_some();
        if !is_own {
            before = ledger.memory_of_kin(&source).await.context(LEDGER)?;
        }
        let mut now = compared.now(place, section);
        let (mut recent, mut left) = (Recent::default(), Vec::new());
        if let Some(section) = section {
            recent = look(database, compared, section, before.as_ref(), &mut now).await.context("the database")?;
            if let Some(before) = &before {
                left = ask(ledger, database, (section, &name), before, &mut now).await?;
            }
        }
        if let Some(before) = &before {
            remembered.tell(before, &now, is_own);
        }
        let next = compared.next((source, name), before.as_ref().filter(|_| is_own), now, (left, recent));
        remembered.memories.push(with_findings(ledger, compared, (place, section), next).await?);
    }
    Ok(remembered)
}

impl Remembered {
    /// Adds what speaks for it that the database went back.
    fn tell(&mut self, before: &Memory, now: &Now, is_own: bool) {
        for sign in forward::signs(before, now) {
            let sentence = sign.sentence(before);
            let (told, sentence) = match (is_own, sign.refuses()) {
                (true, true) => (&mut self.refusals, sentence),
                (true, false) => (&mut self.warnings, sentence),
                // Two databases may well share a store.
                (false, true) => (&mut self.warnings, format!("{ANOTHER}: {sentence}")),
                (false, false) => continue,
            };
            // Two sections of one table say the same of it.
            if !told.contains(&sentence) {
                told.push(sentence);
            }
        }
    }
}

/// Looks at a table as it is now, and gives its newest rows.
async fn look(
    database: &Database,
    compared: &Compared<'_>,
    section: usize,
    before: Option<&Memory>,
    now: &mut Now,
) -> Result<Recent> {
    let mut session = database.session().await?;
    let recent = session.recent(section, before).await?;
    now.newest = recent.newest;
    now.fresh = before.map_or(0, |before| forward::fresh(&before.window, &recent.rows).len());
    if compared.is_whole {
        now.all_rows = Some(session.count_all(section).await?);
    }
    Ok(recent)
}

/// Asks what became of the rows of a sample, and gives those that are still there.
async fn ask(
    ledger: &mut Ledger,
    database: &Database,
    (section, table): (usize, &str),
    before: &Memory,
    now: &mut Now,
) -> Result<Vec<KnownRow>> {
    let handles: Vec<&str> = before.sample.iter().map(|row| row.handle.as_str()).collect();
    let keys = database.session().await?.keys_of(section, &handles).await.context("the database")?;
    let fate = |row: &KnownRow| match keys.get(&row.handle) {
        Some(key) if *key == row.key => Fate::There,
        Some(_) => Fate::Changed,
        None => Fate::Missing,
    };
    let (left, gone): (Vec<&KnownRow>, Vec<&KnownRow>) = before.sample.iter().partition(|row| fate(row) == Fate::There);
    let gone: Vec<&str> = gone.into_iter().map(|row| row.handle.as_str()).collect();
    let touched = match gone.is_empty() {
        true => Default::default(),
        false => ledger.touched(table, &gone).await.context(LEDGER)?,
    };
    let untouched = before.sample.iter().filter(|row| !touched.contains(&row.handle));
    now.asked = untouched.map(|row| (row.place, fate(row))).collect();
    now.deleted = ledger.deleted_since(table, before.run).await.context(LEDGER)?;
    Ok(left.into_iter().cloned().collect())
}

impl Compared<'_> {
    fn now(&self, place: usize, section: Option<usize>) -> Now {
        let counts = self.sources.get(place).copied().unwrap_or_default();
        let table = section.map(|section| &self.config.records[section].name);
        Now {
            rows: table.and_then(|table| self.rows.get(table)).copied().filter(|_| self.is_whole),
            has_rows: self.is_whole.then_some(counts.rows > 0),
            has_objects: self.is_whole.then(|| self.with_objects & 1 << place.min(MOST_SOURCES) != 0),
            ..Now::default()
        }
    }

    /// What the next run shall remember of a source; `left` are the remembered rows that are still there.
    fn next(
        &self,
        (source, name): (String, String),
        before: Option<&Memory>,
        now: Now,
        (left, recent): (Vec<KnownRow>, Recent),
    ) -> Memory {
        let (sample, window) = forward::sample(before, left, recent.rows, &recent.placed_by);
        Memory {
            source,
            name,
            run: self.run,
            rows: now.rows,
            all_rows: now.all_rows,
            leaving: 0,
            objects: None,
            had_rows: now.has_rows == Some(true),
            had_objects: now.has_objects == Some(true),
            newest: recent.newest,
            sample,
            window,
            placed_by: recent.placed_by,
            emptied: before.map_or(0, |before| before.emptied(&now)),
        }
    }

    /// Sections that delete rows that name no object.
    fn deleting(&self) -> Vec<usize> {
        let sections = self.config.records.iter().enumerate();
        sections.filter(|(_, records)| records.missing_file == Action::Delete).map(|(section, _)| section).collect()
    }
}

/// Says which of the rows are findings, and asks about none of them: their removal, whoever makes it, is no sign.
async fn with_findings(
    ledger: &mut Ledger,
    compared: &Compared<'_>,
    (place, section): (usize, Option<usize>),
    mut memory: Memory,
) -> Result<Memory> {
    let Some(section) = section else { return Ok(memory) };
    let (leaving, own) = ledger.leaving((&memory.name, section), &compared.deleting()).await.context(LEDGER)?;
    let named = compared.sources.get(place).map(|counts| counts.values);
    (memory.leaving, memory.objects) = (leaving, named.map(|named| named.saturating_sub(own)));
    let handles: Vec<&str> = memory.sample.iter().map(|row| row.handle.as_str()).collect();
    let found = ledger.found_rows((&memory.name, section), &handles).await.context(LEDGER)?;
    memory.sample.retain(|row| !found.contains(&row.handle));
    Ok(memory)
}

const LEDGER: &str = "the ledger";
const ANOTHER: &str = "another database had this store before, and this one may be an older copy of it";
