//! The second look at values that hold more than a key (I3): a list, or a text with links, of which a part is an object's
//! key. As it is, such a value protects none of what it names.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result};

use super::ASK;
use crate::compare::scope::Scope;
use crate::database::Database;
use crate::domain::packed::Packing;
use crate::ledger::{Ledger, LongPart, Uncarried};
use crate::plan;

/// Values read from the ledger at once.
const PAGE: usize = 2_000;
/// Parts asked for at once: what cannot be asked by key is streamed once for each window.
const WINDOW: usize = 50_000;

/// Finds the sources whose values hold more than a key. Rows with such a value are noted as resembling what it names, and
/// its parts as values that no object carries: what resembles them is held.
pub async fn at_packed(ledger: &mut Ledger, database: &Database, scope: &Scope) -> Result<Vec<plan::Packed>> {
    let mut looking = Looking { ledger, database, scope, window: Vec::new(), found: BTreeMap::new() };
    looking.at_long().await?;
    looking.at_values().await?;
    looking.settle().await?;
    let names = database.source_names();
    let packed = looking.found.into_iter().filter_map(|(place, (packing, part))| {
        let (source, query) = (names.get(place)?.clone(), database.unpacking(place, packing));
        Some(plan::Packed { source, owns: database.owns(place), packing, part, query })
    });
    Ok(packed.collect())
}

/// A part of a value, as the key that it would be.
struct Part {
    key: String,
    source: usize,
    packing: Packing,
    /// The value of the record that it is of.
    record: Option<String>,
}

struct Looking<'a> {
    ledger: &'a mut Ledger,
    database: &'a Database,
    scope: &'a Scope,
    window: Vec<Part>,
    /// By the place of its source, how a value is packed, and a part of it that is an object's key.
    found: BTreeMap<usize, (Packing, String)>,
}

impl Looking<'_> {
    /// Values that were too long to be kept: their parts were.
    async fn at_long(&mut self) -> Result<()> {
        let mut after: Option<LongPart> = None;
        loop {
            let page = self.ledger.long_parts_after(after.as_ref(), PAGE).await?;
            for part in &page {
                let key = self.database.key_of(part.source, &part.text);
                self.window.push(Part { key, source: part.source, packing: part.packing, record: None });
            }
            self.settle_full().await?;
            match page.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }

    async fn at_values(&mut self) -> Result<()> {
        let mut after: Option<Uncarried> = None;
        loop {
            let page = self.ledger.packed_after(after.as_ref(), PAGE).await?;
            for uncarried in &page {
                for source in uncarried.sources() {
                    let Some((packing, keys)) = self.database.unpack(source, &uncarried.value) else { continue };
                    let record = uncarried.is_record.then(|| uncarried.value.clone());
                    self.window.extend(keys.into_iter().map(|key| Part {
                        key,
                        source,
                        packing,
                        record: record.clone(),
                    }));
                }
            }
            self.settle_full().await?;
            match page.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }

    async fn settle_full(&mut self) -> Result<()> {
        if self.window.len() >= WINDOW { self.settle().await } else { Ok(()) }
    }

    /// Finds out which parts of the window are objects' keys.
    async fn settle(&mut self) -> Result<()> {
        let window = std::mem::take(&mut self.window);
        let keys: HashSet<&str> = window.iter().map(|part| part.key.as_str()).collect();
        let keys: Vec<&str> =
            keys.into_iter().filter(|key| self.scope.holds(key) && !self.scope.ignores(key)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let mut objects = self.ledger.unknown_objects(&keys).await?;
        let others: Vec<&str> = keys.iter().copied().filter(|key| !objects.contains(*key)).collect();
        let named = async { self.database.session().await?.wanted(&others).await };
        let named: Vec<String> = named.await.context(ASK)?.into_iter().collect();
        objects.extend(self.ledger.carried(&named).await?);

        let mut rows = Vec::new();
        for part in window.iter().filter(|part| objects.contains(&part.key)) {
            self.found.entry(part.source).or_insert_with(|| (part.packing, part.key.clone()));
            if let Some(value) = &part.record {
                rows.push((value.as_str(), part.key.as_str()));
            }
        }
        self.ledger.add_resembling(&[], &rows).await?;
        self.ledger.add_parts(&keys).await
    }
}
