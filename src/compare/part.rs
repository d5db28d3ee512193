//! PURE: what ranges amount to: each for itself, and put together again in the order of their keys.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::compare::folders::{self, Folders, Unknown};
use crate::compare::merge::Joined;
use crate::compare::scope::Scope;
use crate::compare::slice::Slice;
use crate::compare::{DerivedObject, Note, Unmatched};
use crate::domain::derived::{self, DerivedRule, Owned, Owner};
use crate::domain::listed::Objects;
use crate::domain::{Object, Time, Totals};
use crate::judge::Verdict;

/// Where a key was met.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The database's keys of its range.
    pub slice: &'a Slice,
    /// Where in it the next key that the database knows is.
    pub next: usize,
    /// The store's own time; `None` without an object.
    pub now: Option<Time>,
}

impl Place<'_> {
    /// A time at which an object was stored, unless it is still to come: then it says nothing of how new a side is.
    fn past(&self, time: Option<Time>) -> Option<Time> {
        // A store says its own time in whole seconds, and Swift gives that of an object as the next whole one.
        time.filter(|time| self.now.is_some_and(|now| time.timestamp() <= now.timestamp() + 1))
    }
}

/// What one range amounts to so far, and what of it was not sent on yet.
pub struct Part {
    totals: Totals,
    folders: Folders,
    orphans: Objects,
    derived: Vec<DerivedObject>,
    condemned: Vec<Object>,
    condemned_folders: Vec<String>,
    young: Vec<String>,
    missing: Vec<Unmatched>,
    missing_references: Vec<Unmatched>,
    trash_runs: Vec<String>,
    /// The last of them, also where it was sent on.
    last_trash_run: String,
}

impl Part {
    pub fn new(rules: folders::Rules) -> Self {
        Part {
            totals: Totals::default(),
            folders: Folders::new(rules),
            orphans: Objects::default(),
            derived: Vec::new(),
            condemned: Vec::new(),
            condemned_folders: Vec::new(),
            young: Vec::new(),
            missing: Vec::new(),
            missing_references: Vec::new(),
            trash_runs: Vec::new(),
            last_trash_run: String::new(),
        }
    }

    /// Takes a key that one side or both have.
    pub fn take(&mut self, scope: &Scope, place: Place<'_>, joined: &Joined<'_>, verdict: Verdict) {
        let (key, claims, object) = match *joined {
            Joined::DatabaseOnly(key, claims) | Joined::Folder(key, claims) => (key, Some(claims), None),
            Joined::StorageOnly(object) => (object.key, None, Some(object)),
            Joined::Both(claims, object) => (object.key, Some(claims), Some(object)),
        };
        if scope.ignores(key) {
            self.totals.globs_met = scope.globs_met(key, self.totals.globs_met);
            self.trash_run(scope, object.map(|object| object.key));
            return;
        }
        if let Some(claims) = claims {
            self.totals.records += u64::from(claims.records);
            self.totals.references += u64::from(claims.references);
            self.totals.known_keys += 1;
            self.folders.known(key);
        }
        if let Some(object) = object {
            self.totals.objects += 1;
            self.totals.object_bytes += object.size;
            if verdict != Verdict::Marker {
                self.totals.newest_object = self.totals.newest_object.max(place.past(object.last_modified));
            }
        }
        match (verdict, object) {
            (Verdict::OrphanedFile, Some(object)) => {
                let (before, after) = place.slice.around(place.next);
                self.folders.orphan(key, before, after);
                self.orphans.push(object);
            }
            (Verdict::YoungFile | Verdict::NewFile, _) => {
                self.totals.too_young += 1;
                self.totals.new_files += u64::from(verdict == Verdict::NewFile);
                let is_undated = object.is_some_and(|object| object.last_modified.is_none());
                self.totals.undated_files += u64::from(is_undated);
                self.young.push(key.to_owned());
            }
            // It is counted, and there is nothing else to say of it.
            (Verdict::Marker, _) => {}
            (Verdict::Wanted, Some(object)) => {
                self.totals.shared_keys += 1;
                self.totals.sources_with_objects |= claims.map_or(0, |claims| claims.sources);
                self.known_at(place.past(object.last_modified));
            }
            // A folder that is not empty.
            (Verdict::Wanted, None) => {
                self.totals.shared_keys += 1;
                self.totals.sources_with_objects |= claims.map_or(0, |claims| claims.sources);
            }
            (_, None) => {
                let claims = claims.unwrap_or_default();
                let missing = if claims.records > 0 { &mut self.missing } else { &mut self.missing_references };
                missing.push(Unmatched { key: key.to_owned(), sources: claims.sources });
            }
            // An object and a row of the database: there is nothing to say of it.
            (Verdict::MissingObject, Some(_)) => {}
        }
    }

    /// Takes an object that no row names and that a rule derives from other keys; `false`: it is not one.
    pub fn derive(
        &mut self,
        (scope, rules): (&Scope, &[DerivedRule]),
        place: Place<'_>,
        joined: &Joined<'_>,
        verdict: Verdict,
    ) -> bool {
        let Joined::StorageOnly(object) = *joined else { return false };
        if verdict == Verdict::Marker || rules.is_empty() || scope.ignores(object.key) {
            return false;
        }
        let Owned { owners, rules_met, has_more } = derived::owners(rules, object.key);
        self.totals.rules_met |= rules_met;
        if owners.is_empty() {
            return false;
        }
        self.totals.objects += 1;
        self.totals.object_bytes += object.size;
        self.totals.newest_object = self.totals.newest_object.max(place.past(object.last_modified));
        let (before, after) = place.slice.around(place.next);
        // Most lie near what they belong to.
        // What is ignored is somebody else's: nothing can be said of what belongs to it.
        let is_ignored = |owner: &Owner| !owner.is_prefix() && scope.ignores(owner.text());
        if has_more || owners.iter().any(|owner| place.slice.wants(owner) || is_ignored(owner)) {
            self.totals.derived += 1;
            self.folders.wanted(object.key, before, after);
            let is_owned = |owner: &Owner| owner.text().ends_with('/') && place.slice.wants(owner);
            if owners.iter().any(is_owned) {
                self.known_at(place.past(object.last_modified));
            }
        } else {
            let is_young = matches!(verdict, Verdict::YoungFile | Verdict::NewFile);
            // Until it is known better: one that turns out to be wanted makes its folder a known one.
            if !is_young {
                self.folders.orphan(object.key, before, after);
            }
            let folder = self.folders.name(object.key, before, after);
            self.derived.push(DerivedObject { object: object.to_object(), owners, is_young, folder });
        }
        true
    }

    /// Takes note of the folder of a run in the trash, once while its files follow each other.
    fn trash_run(&mut self, scope: &Scope, object: Option<&str>) {
        let Some(folder) = object.and_then(|key| scope.trash_run(key)) else { return };
        if folder != self.last_trash_run {
            self.last_trash_run = folder.to_owned();
            self.trash_runs.push(folder.to_owned());
        }
    }

    /// Notes when an object was stored that the database knows.
    fn known_at(&mut self, time: Option<Time>) {
        self.totals.newest_known = self.totals.newest_known.max(time);
        self.totals.oldest_known = self.totals.oldest_known.into_iter().chain(time).min();
    }

    /// Takes the object of a record that a rule seems to condemn; one that is too young is not judged.
    pub fn condemn(&mut self, scope: &Scope, joined: &Joined<'_>, is_young: impl FnOnce() -> bool) {
        let Joined::Both(claims, object) = *joined else { return };
        if claims.condemned == 0 || scope.ignores(object.key) {
            return;
        }
        match is_young() {
            true => {
                self.totals.too_young += u64::from(claims.condemned);
                self.totals.too_young_condemned += u64::from(claims.condemned);
            }
            false => self.condemned.push(object.to_object()),
        }
    }

    /// Takes the folder of a record that a rule seems to condemn, unless it is an object itself.
    pub fn condemn_folder(&mut self, scope: &Scope, joined: &Joined<'_>) {
        let (Joined::Folder(key, claims) | Joined::DatabaseOnly(key, claims)) = *joined else { return };
        if claims.condemned > 0 && !scope.ignores(key) {
            self.condemned_folders.push(key.to_owned());
        }
    }

    /// What is to be sent to the ledger by now.
    pub fn notes(&mut self) -> impl Iterator<Item = Note> {
        let notes = [
            (!self.orphans.is_empty()).then(|| Note::Orphans(std::mem::take(&mut self.orphans))),
            list(&mut self.derived, Note::Derived),
            list(&mut self.condemned, Note::Condemned),
            list(&mut self.condemned_folders, Note::CondemnedFolders),
            list(&mut self.young, Note::Young),
            list(&mut self.missing, Note::Missing),
            list(&mut self.missing_references, Note::MissingReferences),
            self.folders.take().map(Note::Folders),
            list(&mut self.trash_runs, Note::TrashRuns),
        ];
        notes.into_iter().flatten()
    }
}

fn list<T>(list: &mut Vec<T>, note: fn(Vec<T>) -> Note) -> Option<Note> {
    (!list.is_empty()).then(|| note(std::mem::take(list)))
}

/// Where a range begins and ends: after a key, and with a key; `None`: at the beginning and at the end of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    pub after: Option<String>,
    pub through: Option<String>,
}

/// The ranges that came to their ends, in any order. Those that touch become one; in the end there must be one alone, from
/// the beginning to the end: no key lies in a range that was not listed (I1).
#[derive(Default)]
pub struct Parts {
    totals: Totals,
    /// By where they begin: where they end, and what was seen between.
    ranges: BTreeMap<Option<String>, (Option<String>, Folders)>,
}

impl Parts {
    pub fn add(&mut self, bounds: Bounds, part: Part) {
        self.totals.add(&part.totals);
        let (mut after, mut through, mut folders) = (bounds.after, bounds.through, part.folders);
        let before = self.ranges.range(..after.clone()).next_back();
        if let Some(start) =
            before.filter(|(_, (end, _))| *end == after && end.is_some()).map(|(start, _)| start.clone())
            && let Some((_, mut left)) = self.ranges.remove(&start)
        {
            left.append(folders);
            (after, folders) = (start, left);
        }
        if through.is_some()
            && let Some((end, right)) = self.ranges.remove(&through)
        {
            folders.append(right);
            through = end;
        }
        self.ranges.insert(after, (through, folders));
    }

    /// What all of them amount to, and the folders of which nothing is known, as far as no note told of them.
    ///
    /// # Errors
    /// A gap between them.
    pub fn finish(mut self) -> Result<(Totals, Unknown)> {
        match (self.ranges.pop_first(), self.ranges.is_empty()) {
            (Some((None, (None, folders))), true) => Ok((self.totals, folders.finish())),
            _ => bail!("not every range of keys was listed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(ranges: &[(Option<&str>, Option<&str>)]) -> Parts {
        let mut parts = Parts::default();
        for (after, through) in ranges {
            let bounds = Bounds { after: after.map(str::to_owned), through: through.map(str::to_owned) };
            parts.add(bounds, Part::new(folders::Rules::default()));
        }
        parts
    }

    #[test]
    fn ranges_that_touch_are_one_in_whatever_order_they_end() {
        let (first, second, third) = ((None, Some("a")), (Some("a"), Some("b")), (Some("b"), None));
        for ranges in [[first, second, third], [third, second, first], [first, third, second], [second, first, third]] {
            assert!(parts(&ranges).finish().is_ok(), "{ranges:?}");
        }
        assert!(parts(&[(None, None)]).finish().is_ok());
    }

    #[test]
    fn a_gap_between_ranges_is_an_error() {
        for ranges in [
            &[][..],
            &[(None, Some("a"))],
            &[(Some("a"), None)],
            &[(None, Some("a")), (Some("b"), None)],
            &[(None, Some("a")), (Some("a"), Some("b"))],
            &[(None, Some("a")), (Some("b"), Some("c")), (Some("c"), None)],
        ] {
            assert!(parts(ranges).finish().is_err(), "{ranges:?}");
        }
    }
}
