//! The second look at names (I4): a value that no object carries may be another spelling of an object's key. Each name is
//! compared by the numbers of its ends, so that no name is compared with each other one, and what shares a number is
//! confirmed from the text.

use anyhow::{Context, Result};
use futures::StreamExt;

use super::ASK;
use crate::compare::scope::Scope;
use crate::database::{Database, Named};
use crate::domain::key::Printable;
use crate::domain::resemble::{
    Filter, folds_of_key, folds_of_value, keys_of_value, leads, may_begin, resembles, suffixes, suffixes_of_key,
    whole_hash,
};
use crate::domain::{derived, packed};
use crate::ledger::{Candidates, KeyAndName, Ledger, Name, Near, Shared, Uncarried, What};
use crate::storage::{Presence, Store, look_for};

/// Names read from the ledger at once.
const PAGE: usize = 2_000;
/// The same of numbers.
const NUMBERS: usize = 50_000;
/// A value of one segment that resembles more objects than this is too common to vouch for any.
const COMMON: usize = 10;
/// Readings of a value that are looked at.
const MOST_READINGS: usize = 200;
/// Values that are too common and are named one by one.
const NAMED: usize = 20;

/// Finds out which objects and values resemble each other, and leaves it in the ledger. `known`: rows may be removed, and
/// so the values of records are compared with the keys that the database knows too. `has_folders`: values may name the
/// folders around objects. Gives what people should know.
pub async fn at_names(
    ledger: &mut Ledger,
    known: Option<(&Database, &Scope)>,
    has_folders: bool,
) -> Result<Vec<String>> {
    let needles = Needles::gather(ledger).await?;
    if needles.is_empty() {
        return Ok(Vec::new());
    }
    for what in [What::File, What::Condemned, What::Young, What::Trashed] {
        search(ledger, &needles, what, has_folders).await?;
    }
    if let Some((database, scope)) = known.filter(|_| !needles.records.is_empty()) {
        search_known(ledger, database, scope, &needles).await?;
    }
    let has_leads = needles.leads.is_some();
    drop(needles);
    let near = near(ledger).await?;
    if near.is_empty() {
        return Ok(Vec::new());
    }
    vouch(ledger, &near, has_leads).await?;
    confirm(ledger).await
}

/// Bytes of a set of numbers, at most.
const FILTER_BYTES: usize = 4 << 20;
/// Ends are several times as many as whole values.
const ENDS_BYTES: usize = 8 << 20;

/// The numbers of the values that no object carries. There may be millions: what these sets let through is confirmed.
struct Needles {
    /// Those of whole values.
    wholes: Filter,
    /// Those of their ends.
    ends: Filter,
    /// Those of whole values that records name.
    records: Filter,
    /// Those of beginnings of values, where files belong to all that begins so.
    leads: Option<Filter>,
}

impl Needles {
    async fn gather(ledger: &mut Ledger) -> Result<Self> {
        let values = ledger.count_uncarried().await?;
        let mut needles = Needles {
            wholes: Filter::new(values * 3, FILTER_BYTES),
            ends: Filter::new(values * 12, ENDS_BYTES),
            records: Filter::new(values * 3, FILTER_BYTES),
            leads: ledger.has_prefix_owners().await?.then(|| Filter::new(values * 24, ENDS_BYTES)),
        };
        let mut after: Option<Uncarried> = None;
        loop {
            let page = ledger.uncarried_after(after.as_ref(), PAGE).await?;
            page.iter().for_each(|uncarried| needles.add(uncarried));
            match page.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => return Ok(needles),
            }
        }
    }

    fn add(&mut self, uncarried: &Uncarried) {
        for fold in folds_of_value(&uncarried.value) {
            if let Some(numbers) = &mut self.leads {
                leads(&fold, |number| numbers.insert(number));
            }
            for suffix in suffixes(&fold) {
                let numbers = if suffix.is_whole { &mut self.wholes } else { &mut self.ends };
                numbers.insert(suffix.hash);
                if suffix.is_whole && uncarried.is_record {
                    self.records.insert(suffix.hash);
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.wholes.is_empty()
    }

    /// The numbers that an object's name may share with a value: one ends with the other.
    fn shared(&self, name: &str, shared: &mut Vec<(u64, bool)>) {
        suffixes_of_key(name, |suffix| {
            let is_end = || suffix.is_whole && self.ends.may_hold(suffix.hash);
            if self.wholes.may_hold(suffix.hash) || is_end() {
                shared.push((suffix.hash, suffix.is_whole));
            }
        });
        shared.sort_unstable();
        shared.dedup();
    }
}

async fn search(ledger: &mut Ledger, needles: &Needles, what: What, has_folders: bool) -> Result<()> {
    let mut after = String::new();
    let mut shared = Vec::new();
    loop {
        let page = ledger.names_after(what, &after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        let mut near = Vec::new();
        for (key, owners) in page {
            let mut names = vec![key.clone()];
            let owners = match owners.as_deref() {
                Some(owners) => crate::ledger::owners_of(owners)?,
                None if has_folders => derived::folders_of(&key),
                None => Vec::new(),
            };
            for owner in owners {
                names.push(owner.text().to_owned());
                let Some(leads) = needles.leads.as_ref().filter(|_| owner.is_prefix()) else { continue };
                let numbers = folds_of_key(owner.text()).into_iter().map(|fold| whole_hash(&fold));
                near.extend(numbers.filter(|hash| leads.may_hold(*hash)).map(|hash| Near {
                    hash,
                    is_whole: true,
                    is_lead: true,
                    what,
                    key: key.clone(),
                    name: owner.text().to_owned(),
                }));
            }
            for name in names {
                needles.shared(&name, &mut shared);
                near.extend(shared.drain(..).map(|(hash, is_whole)| Near {
                    hash,
                    is_whole,
                    is_lead: false,
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
            if suffix.is_whole && needles.records.may_hold(suffix.hash) {
                let (key, name) = (key.to_owned(), key.to_owned());
                near.push(Near { hash: suffix.hash, is_whole: true, is_lead: false, what: What::Known, key, name });
            }
        });
        if near.len() >= PAGE {
            ledger.add_near(&std::mem::take(&mut near)).await?;
        }
    }
    ledger.add_near(&near).await
}

/// The numbers of the names that may share one with a value.
async fn near(ledger: &mut Ledger) -> Result<Filter> {
    let mut numbers = Filter::new(ledger.count_near().await?, FILTER_BYTES);
    let mut after = 0;
    loop {
        let page = ledger.near_after(after, NUMBERS).await?;
        let Some((last, _)) = page.last() else { return Ok(numbers) };
        after = *last;
        page.iter().for_each(|(_, number)| numbers.insert(*number));
    }
}

/// Notes the values that may share a number with a name.
async fn vouch(ledger: &mut Ledger, near: &Filter, has_leads: bool) -> Result<()> {
    let mut after: Option<Uncarried> = None;
    loop {
        let page = ledger.uncarried_after(after.as_ref(), PAGE).await?;
        let mut vouching = Vec::new();
        for uncarried in &page {
            let folds = folds_of_value(&uncarried.value);
            let numbers = folds.iter().flat_map(|fold| {
                let is_single = !fold.contains('/');
                suffixes(fold).map(move |suffix| {
                    let (is_whole, is_single) = (suffix.is_whole, suffix.is_whole && is_single);
                    Shared { hash: suffix.hash, is_whole, is_single, is_lead: false }
                })
            });
            let mut shared: Vec<Shared> = numbers.filter(|shared| near.may_hold(shared.hash)).collect();
            for fold in folds.iter().filter(|_| has_leads) {
                leads(fold, |hash| {
                    if near.may_hold(hash) {
                        shared.push(Shared { hash, is_whole: true, is_single: false, is_lead: true });
                    }
                });
            }
            shared.sort_unstable();
            shared.dedup();
            vouching.extend(shared.into_iter().map(|number| (number, uncarried)));
        }
        ledger.add_vouching(&vouching).await?;
        match page.into_iter().next_back() {
            Some(last) => after = Some(last),
            None => return ledger.pair(COMMON).await,
        }
    }
}

/// Looks for objects at the keys that the values of rows may stand for: what belongs to others by a rule is known to nobody
/// by its name, and what lies behind a link is not listed.
pub async fn at_other_readings(
    ledger: &mut Ledger,
    store: &dyn Store,
    has_folders: bool,
    concurrency: usize,
) -> Result<()> {
    let mut after = String::new();
    loop {
        let page = ledger.missing_rows_after(&after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        // A value may hold several names, each in a reading of its own.
        let has_links = store.has_other_names();
        let keys = page.iter().flat_map(|(value, _)| {
            let parts = packed::unpack(value).map_or(Vec::new(), |(_, parts)| parts);
            let of_parts: Vec<String> = parts.iter().flat_map(|part| keys_of_value(part)).collect();
            let readings = keys_of_value(value).into_iter().chain(parts).chain(of_parts);
            // Behind a link there may be more path in front: what lies there is in no listing that would show it.
            let ends = |key: &str| match has_links {
                true => key.match_indices('/').map(|(slash, _)| key[slash + 1..].to_owned()).collect(),
                false => Vec::new(),
            };
            let ends_of_value = ends(value);
            let readings = readings.flat_map(move |key| ends(&key).into_iter().chain([key]));
            readings.chain(ends_of_value).take(MOST_READINGS).map(move |key| (value, key))
        });
        let keys = keys.filter(|(_, key)| !key.is_empty() && key.len() <= store.longest_key_bytes());
        let looks = futures::stream::iter(keys).map(|(value, key)| async move {
            // What cannot be looked at, as a link or what the store refuses, may be there.
            let mut is_there = !matches!(store.look(&key).await, Ok(Presence::Missing));
            if !is_there && has_folders && value.ends_with('/') {
                is_there = !matches!(look_for(store, &format!("{key}/"), true).await, Ok(Presence::Missing));
            }
            is_there.then_some((value, key))
        });
        let there: Vec<_> = looks.buffer_unordered(concurrency).collect().await;
        let there: Vec<_> = there.iter().flatten().map(|(value, key)| (value.as_str(), key.as_str())).collect();
        ledger.add_resembling(&[], &there).await?;
    }
}

/// Confirms what shares a number, and keeps what resembles. Gives what people should know.
async fn confirm(ledger: &mut Ledger) -> Result<Vec<String>> {
    let mut after = 0;
    loop {
        let (page, last) = ledger.names_to_confirm(after, PAGE).await?;
        let objects = page.iter().filter_map(|candidates| {
            let Name { what, key, name, is_lead } = &candidates.of;
            let is_near = |value: &String| if *is_lead { may_begin(name, value) } else { resembles(name, value) };
            Some((*what, key.as_str(), confirmed(candidates, is_near)?.as_str()))
        });
        ledger.add_resembling(&objects.collect::<Vec<_>>(), &[]).await?;
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    for known in [false, true] {
        let mut after = 0;
        loop {
            let (page, last) = ledger.values_to_confirm(known, after, PAGE).await?;
            let values = page.iter().filter_map(|candidates| {
                let value = &candidates.of;
                // An object that the database knows is carried, and more path in front makes another name.
                let is_near =
                    |(_, name): &KeyAndName| if known { is_same_name(name, value) } else { resembles(name, value) };
                Some((value.as_str(), confirmed(candidates, is_near)?.0.as_str()))
            });
            ledger.add_resembling(&[], &values.collect::<Vec<_>>()).await?;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    let (named, common) = ledger.common_values(NAMED).await?;
    let more = common.saturating_sub(named.len() as u64);
    let named = named.into_iter().map(|(value, files)| {
        let value = Printable(&value);
        format!("{value}: the database names it, and {files} orphaned files end with it: it holds none of them")
    });
    let rest = (more > 0).then(|| format!("{more} more values are as common, and hold no file"));
    Ok(named.chain(rest).collect())
}

/// One that resembles. Where so many share a number that not all were given, none of which does, they are in doubt.
fn confirmed<T, O>(candidates: &Candidates<T, O>, is_near: impl Fn(&O) -> bool) -> Option<&O> {
    let near = candidates.others.iter().find(|other| is_near(other));
    near.or_else(|| candidates.others.first().filter(|_| candidates.more))
}

/// Whether the two are spellings of one name, with nothing in front of either.
fn is_same_name(name: &str, value: &str) -> bool {
    let keys = folds_of_key(name);
    folds_of_value(value).iter().any(|fold| keys.contains(fold))
}
