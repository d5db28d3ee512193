//! The second look at names (I4): a value that no object carries may be another spelling of an object's key. Each name is
//! compared by the numbers of its ends, so that no name is compared with each other one, and what shares a number is
//! confirmed from the text.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::ASK;
use crate::compare::scope::Scope;
use crate::database::{Database, Named};
use crate::domain::key::Printable;
use crate::domain::resemble::{folds_of_key, folds_of_value, resembles, suffixes, suffixes_of_key};
use crate::ledger::{Ledger, Near, Pair, Uncarried, What};

/// Names read from the ledger at once.
const PAGE: usize = 2_000;
/// A value of one segment that resembles more objects than this is too common to vouch for any.
const COMMON: usize = 10;
/// Values that are too common and are named one by one.
const NAMED: usize = 20;

/// Finds out which objects and values resemble each other, and leaves it in the ledger. `known`: rows may be removed, and
/// so the values of records are compared with the keys that the database knows too. Gives what people should know.
pub async fn at_names(ledger: &mut Ledger, known: Option<(&Database, &Scope)>) -> Result<Vec<String>> {
    let needles = Needles::gather(ledger).await?;
    if needles.is_empty() {
        return Ok(Vec::new());
    }
    for what in [What::File, What::Condemned, What::Young, What::Trashed] {
        search(ledger, &needles, what).await?;
    }
    if let Some((database, scope)) = known.filter(|_| !needles.records.is_empty()) {
        search_known(ledger, database, scope, &needles).await?;
    }
    let hashes = ledger.near_hashes().await?;
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    vouch(ledger, &hashes).await?;
    confirm(ledger).await
}

/// The numbers of the values that no object carries, each in order.
#[derive(Default)]
struct Needles {
    /// Those of whole values.
    wholes: Vec<u64>,
    /// Those of their ends.
    ends: Vec<u64>,
    /// Those of whole values that records name.
    records: Vec<u64>,
}

impl Needles {
    async fn gather(ledger: &mut Ledger) -> Result<Self> {
        let mut needles = Needles::default();
        let mut after: Option<Uncarried> = None;
        loop {
            let page = ledger.uncarried_after(after.as_ref(), PAGE).await?;
            page.iter().for_each(|uncarried| needles.add(uncarried));
            match page.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        for numbers in [&mut needles.wholes, &mut needles.ends, &mut needles.records] {
            numbers.sort_unstable();
            numbers.dedup();
        }
        Ok(needles)
    }

    fn add(&mut self, uncarried: &Uncarried) {
        for fold in folds_of_value(&uncarried.value) {
            for suffix in suffixes(&fold) {
                let numbers = if suffix.is_whole { &mut self.wholes } else { &mut self.ends };
                numbers.push(suffix.hash);
                if suffix.is_whole && uncarried.is_record {
                    self.records.push(suffix.hash);
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.wholes.is_empty()
    }

    /// The numbers that an object's name shares with a value: one ends with the other.
    fn shared(&self, name: &str, shared: &mut Vec<(u64, bool)>) {
        suffixes_of_key(name, |suffix| {
            let is_in = |numbers: &[u64]| numbers.binary_search(&suffix.hash).is_ok();
            if is_in(&self.wholes) || suffix.is_whole && is_in(&self.ends) {
                shared.push((suffix.hash, suffix.is_whole));
            }
        });
        shared.sort_unstable();
        shared.dedup();
    }
}

async fn search(ledger: &mut Ledger, needles: &Needles, what: What) -> Result<()> {
    let mut after = String::new();
    let mut shared = Vec::new();
    loop {
        let page = ledger.names_after(what, &after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        let mut near = Vec::new();
        for (key, owners) in page {
            let mut names = vec![key.clone()];
            for owner in owners.as_deref().map(crate::ledger::owners_of).transpose()?.into_iter().flatten() {
                names.push(owner.text().to_owned());
            }
            for name in names {
                needles.shared(&name, &mut shared);
                near.extend(shared.drain(..).map(|(hash, is_whole)| Near {
                    hash,
                    is_whole,
                    what,
                    key: key.clone(),
                    name: name.clone(),
                }));
            }
        }
        if !near.is_empty() {
            ledger.add_near(&near).await?;
        }
    }
}

/// Compares the keys that the database knows with the values of records: a missing record may be another spelling of them.
async fn search_known(ledger: &mut Ledger, database: &Database, scope: &Scope, needles: &Needles) -> Result<()> {
    let mut keys = database.keys();
    let mut last = String::new();
    let mut near = Vec::new();
    while let Some(Named { key, .. }) = keys.next().await.context(ASK)? {
        // A run that is narrowed does not know whether there is an object: in doubt there is.
        if key == last || !key.starts_with(scope.root.as_str()) || scope.ignores(key) {
            continue;
        }
        key.clone_into(&mut last);
        suffixes_of_key(key, |suffix| {
            if suffix.is_whole && needles.records.binary_search(&suffix.hash).is_ok() {
                let (key, name) = (key.to_owned(), key.to_owned());
                near.push(Near { hash: suffix.hash, is_whole: true, what: What::Known, key, name });
            }
        });
        if near.len() >= PAGE {
            ledger.add_near(&std::mem::take(&mut near)).await?;
        }
    }
    ledger.add_near(&near).await
}

/// Notes the values that share a number with a name.
async fn vouch(ledger: &mut Ledger, hashes: &[u64]) -> Result<()> {
    let mut after: Option<Uncarried> = None;
    loop {
        let page = ledger.uncarried_after(after.as_ref(), PAGE).await?;
        let mut vouching = Vec::new();
        for uncarried in &page {
            let folds = folds_of_value(&uncarried.value);
            let numbers = folds.iter().flat_map(|fold| suffixes(fold)).map(|suffix| (suffix.hash, suffix.is_whole));
            let shared = numbers.filter(|(hash, _)| hashes.binary_search(hash).is_ok());
            let mut shared: Vec<(u64, bool)> = shared.collect();
            shared.sort_unstable();
            shared.dedup();
            vouching.extend(shared.into_iter().map(|hash| (hash, uncarried)));
        }
        ledger.add_vouching(&vouching).await?;
        match page.into_iter().next_back() {
            Some(last) => after = Some(last),
            None => return ledger.pair().await,
        }
    }
}

/// Confirms what shares a number, and keeps what resembles.
async fn confirm(ledger: &mut Ledger) -> Result<Vec<String>> {
    let mut common = Common::default();
    // Twice: how often a value resembles something is known only at the end.
    for keep in [false, true] {
        let mut after: Option<Pair> = None;
        loop {
            let page = ledger.pairs_after(after.as_ref(), PAGE).await?;
            let resembling: Vec<&Pair> = page.iter().filter(|pair| is_confirmed(pair)).collect();
            match keep {
                false => resembling.iter().for_each(|pair| common.count(pair)),
                true => keep_pairs(ledger, &resembling, &common).await?,
            }
            match page.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => break,
            }
        }
    }
    Ok(common.warnings())
}

async fn keep_pairs(ledger: &mut Ledger, pairs: &[&Pair], common: &Common) -> Result<()> {
    let objects =
        pairs.iter().filter(|pair| pair.what != What::Known && (is_same_name(pair) || !common.has(&pair.value)));
    let objects: Vec<_> = objects.map(|pair| (pair.what, pair.key.as_str(), pair.value.as_str())).collect();
    // A row whose file is in our trash is held for that.
    let rows = pairs.iter().filter(|pair| pair.is_record && pair.what != What::Trashed);
    let values = rows.map(|pair| (pair.value.as_str(), pair.key.as_str()));
    ledger.add_resembling(&objects, &values.collect::<Vec<_>>()).await
}

/// Whether the two resemble each other for sure. Of an object that the database knows only the same name counts: it is
/// carried, and more path in front makes another name.
fn is_confirmed(pair: &Pair) -> bool {
    match pair.what {
        What::Known => pair.name != pair.value && is_same_name(pair),
        What::File | What::Condemned | What::Young | What::Trashed => resembles(&pair.name, &pair.value),
    }
}

/// Whether the two are spellings of one name, with nothing in front of either.
fn is_same_name(pair: &Pair) -> bool {
    let keys = folds_of_key(&pair.name);
    folds_of_value(&pair.value).iter().any(|fold| keys.contains(fold))
}

/// Values of one segment that resemble too many orphaned files, with how many.
#[derive(Default)]
struct Common {
    common: HashMap<String, usize>,
    /// The value that is being counted, its files so far, and the last of them: pairs of one value follow each other, and
    /// so do those of one file.
    counting: Option<(String, usize, String)>,
}

impl Common {
    fn count(&mut self, pair: &Pair) {
        if pair.what != What::File || is_same_name(pair) {
            return;
        }
        match &mut self.counting {
            Some((value, count, last)) if *value == pair.value => {
                *count += usize::from(*last != pair.key);
                pair.key.clone_into(last);
                if *count > COMMON {
                    self.common.insert(value.clone(), *count);
                }
            }
            counting => {
                let is_one_segment = folds_of_value(&pair.value).iter().all(|fold| !fold.contains('/'));
                *counting = is_one_segment.then(|| (pair.value.clone(), 1, pair.key.clone()));
            }
        }
    }

    fn has(&self, value: &str) -> bool {
        self.common.contains_key(value)
    }

    fn warnings(&self) -> Vec<String> {
        let mut common: Vec<_> = self.common.iter().collect();
        common.sort();
        let more = common.len().saturating_sub(NAMED);
        let named = common.iter().take(NAMED).map(|(value, count)| {
            let value = Printable(value);
            format!("{value}: the database names it, and {count} orphaned files end with it: it holds none of them")
        });
        let rest = (more > 0).then(|| format!("{more} more values are as common, and hold no file"));
        named.chain(rest).collect()
    }
}
