//! Asks the database for the rows that earlier runs saw, and says whether it went back (I21); it decides nothing by itself.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::compare::SourceCounts;
use crate::config::Config;
use crate::database::{Database, Recent};
use crate::domain::{Found, MOST_SOURCES};
use crate::forward::{self, KnownRow, Memory, Now, Sign};
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
    pub found: &'a Found,
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

/// Holds the memory of every source against the database.
pub async fn at_memory(ledger: &mut Ledger, database: &Database, compared: &Compared<'_>) -> Result<Remembered> {
    let mut remembered = Remembered::default();
    for (place, name) in database.source_names().into_iter().enumerate() {
        let section = Some(place).filter(|place| *place < compared.config.records.len());
        let source = database.fingerprint(place);
        let before = ledger.memory(&source).await.context(LEDGER)?;
        let recent = match section {
            Some(section) => database.session().await?.recent(section).await.context("the database")?,
            None => Recent::default(),
        };
        let mut left = Vec::new();
        if let Some(before) = &before {
            let signs;
            (signs, left) = held_against(ledger, database, compared, (place, section), before, &recent).await?;
            for sign in signs {
                let told = if sign.refuses() { &mut remembered.refusals } else { &mut remembered.warnings };
                let sentence = sign.sentence(before);
                // Two sections of one table say the same of it.
                if !told.contains(&sentence) {
                    told.push(sentence);
                }
            }
        }
        let next = compared.next((place, section), (source, name), &before, (left, recent));
        remembered.memories.push(without_findings(ledger, section, next).await?);
    }
    Ok(remembered)
}

/// What speaks for it that the database went back, and the remembered rows that are still there.
async fn held_against(
    ledger: &mut Ledger,
    database: &Database,
    compared: &Compared<'_>,
    (place, section): (usize, Option<usize>),
    before: &Memory,
    recent: &Recent,
) -> Result<(Vec<Sign>, Vec<KnownRow>)> {
    let mut now = compared.now(place, section);
    now.newest = recent.newest;
    let Some(section) = section else { return Ok((forward::signs(before, &now), Vec::new())) };
    let table = &compared.config.records[section].name;
    let handles: Vec<&str> = before.sample.iter().map(|row| row.handle.as_str()).collect();
    let keys = database.session().await?.keys_of(section, &handles).await.context("the database")?;
    let (left, gone): (Vec<&KnownRow>, Vec<&KnownRow>) =
        before.sample.iter().partition(|row| keys.get(&row.handle) == Some(&row.key));
    let gone: Vec<&str> = gone.into_iter().map(|row| row.handle.as_str()).collect();
    let touched = match gone.is_empty() {
        true => 0,
        false => ledger.touched(table, &gone).await.context(LEDGER)?.len(),
    };
    (now.asked, now.gone) = (before.sample.len() - touched, gone.len() - touched);
    now.deleted = ledger.deleted_since(table, before.run).await.context(LEDGER)?;
    if forward::must_count(before, &now) {
        // Rows that name no object now, or own none, are there all the same.
        now.rows = Some(database.session().await?.count_all(section).await.context("the database")?);
    }
    Ok((forward::signs(before, &now), left.into_iter().cloned().collect()))
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
        (place, section): (usize, Option<usize>),
        (source, name): (String, String),
        before: &Option<Memory>,
        (left, recent): (Vec<KnownRow>, Recent),
    ) -> Memory {
        let now = self.now(place, section);
        let findings = section.map(|section| &self.config.records[section].name);
        let findings = findings.and_then(|table| self.found.tables.get(table)).copied().unwrap_or(0);
        let before = before.as_ref().map_or(&[][..], |before| &before.sample);
        Memory {
            source,
            name,
            run: self.run,
            // What a rule condemns goes, whoever removes it.
            rows: now.rows.map(|rows| rows.saturating_sub(findings)),
            had_rows: now.has_rows == Some(true),
            had_objects: now.has_objects == Some(true),
            newest: recent.newest,
            sample: forward::sample(before, left, recent.rows),
        }
    }
}

/// Leaves out rows that are findings: their removal, whoever makes it, is no sign.
async fn without_findings(ledger: &mut Ledger, section: Option<usize>, mut memory: Memory) -> Result<Memory> {
    let Some(section) = section else { return Ok(memory) };
    let handles: Vec<&str> = memory.sample.iter().map(|row| row.handle.as_str()).collect();
    let found = ledger.found_rows((&memory.name, section), &handles).await.context(LEDGER)?;
    memory.sample.retain(|row| !found.contains(&row.handle));
    Ok(memory)
}

const LEDGER: &str = "the ledger";
