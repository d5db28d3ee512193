//! PURE: the join of two ordered sequences, the keys that the database knows and the objects that the store lists.

use crate::compare::slice::{Keys, Slice};
use crate::finding::{Claims, Time};
use crate::listed::{Listed, Objects};

/// A key, by the sides that have it.
#[derive(Debug, PartialEq)]
pub enum Joined<'a> {
    DatabaseOnly(&'a str, Claims),
    StorageOnly(Listed<'a>),
    Both(Claims, Listed<'a>),
}

impl Joined<'_> {
    /// When the object was stored, if there is one.
    pub fn last_modified(&self) -> Option<Time> {
        match self {
            Joined::DatabaseOnly(..) => None,
            Joined::StorageOnly(object) | Joined::Both(_, object) => object.last_modified,
        }
    }
}

/// One slice of the database's keys, being joined with the pages of the same range.
pub struct Join<'a> {
    keys: std::iter::Peekable<Keys<'a>>,
}

impl<'a> Join<'a> {
    pub fn new(slice: &'a Slice) -> Self {
        Join { keys: slice.keys().peekable() }
    }

    /// Joins the next page. Its objects must follow those of the page before; what the database knows beyond its last
    /// object waits for the next page.
    pub fn page(&mut self, objects: &Objects, mut emit: impl FnMut(Joined<'_>)) {
        for object in objects.iter() {
            while let Some((key, claims)) = self.keys.next_if(|(key, _)| *key < object.key) {
                emit(Joined::DatabaseOnly(key, claims));
            }
            match self.keys.next_if(|(key, _)| *key == object.key) {
                Some((_, claims)) => emit(Joined::Both(claims, object)),
                None => emit(Joined::StorageOnly(object)),
            }
        }
    }

    /// Joins what is left once the range was listed to its end. Never called for a listing that failed: that absence
    /// would not be proven (I1).
    pub fn finish(self, mut emit: impl FnMut(Joined<'_>)) {
        for (key, claims) in self.keys {
            emit(Joined::DatabaseOnly(key, claims));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::compare::slice::SliceBuilder;
    use crate::finding::{Claim, Object};

    fn object(key: &str) -> Object {
        Object { key: key.to_owned(), size: 1, last_modified: None, etag: None, archived: false, opaque_etag: false }
    }

    type Sides = (BTreeMap<String, Claims>, BTreeMap<String, Claims>, BTreeSet<String>);

    /// Cuts the key space after every `cut` of the database's rows, lists each range in pages, and gathers the sides.
    fn joined_by_ranges(rows: &[(String, Claim)], objects: &BTreeSet<String>, cut: usize, page: usize) -> Sides {
        let (mut database, mut both, mut storage) = Sides::default();
        let mut builder = SliceBuilder::new(None);
        let mut slices = Vec::new();
        for (key, claim) in rows {
            if builder.count() >= cut && builder.last() != Some(key) {
                let through = builder.last().map(str::to_owned);
                slices.push(std::mem::replace(&mut builder, SliceBuilder::new(through.clone())).finish(through));
            }
            builder.push(key, *claim);
        }
        slices.push(builder.finish(None));
        for slice in &slices {
            let in_range: Vec<Object> = objects.iter().filter(|key| slice.covers(key)).map(|key| object(key)).collect();
            let mut gather = |joined: Joined<'_>| match joined {
                Joined::DatabaseOnly(key, claims) => assert!(database.insert(key.to_owned(), claims).is_none()),
                Joined::Both(claims, object) => assert!(both.insert(object.key.to_owned(), claims).is_none()),
                Joined::StorageOnly(object) => assert!(storage.insert(object.key.to_owned())),
            };
            let mut join = Join::new(slice);
            in_range
                .chunks(page)
                .for_each(|page| join.page(&page.iter().map(Object::as_listed).collect(), &mut gather));
            join.finish(&mut gather);
        }
        (database, both, storage)
    }

    proptest! {
        #[test]
        fn the_join_agrees_with_sets_whatever_the_pages_and_the_cuts(
            mut rows in prop::collection::vec(("[ab/\u{e9}]{0,4}", prop::sample::select(vec![Claim::Record, Claim::Condemned, Claim::Reference])), 0..60),
            objects in prop::collection::btree_set("[ab/\u{e9}]{1,4}", 0..60),
            cut in 1_usize..20,
            page in 1_usize..10,
        ) {
            rows.sort();
            let mut known: BTreeMap<String, Claims> = BTreeMap::new();
            for (key, claim) in &rows {
                let claims = known.entry(key.clone()).or_default();
                claims.records += u32::from(*claim != Claim::Reference);
                claims.condemned += u32::from(*claim == Claim::Condemned);
                claims.references += u32::from(*claim == Claim::Reference);
            }
            let (database, both, storage) = joined_by_ranges(&rows, &objects, cut, page);
            let (shared, lost): (BTreeMap<_, _>, BTreeMap<_, _>) =
                known.clone().into_iter().partition(|(key, _)| objects.contains(key));
            prop_assert_eq!(database, lost);
            prop_assert_eq!(both, shared);
            prop_assert_eq!(storage, objects.into_iter().filter(|key| !known.contains_key(key)).collect());
        }
    }
}
