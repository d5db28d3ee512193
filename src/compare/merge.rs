//! PURE: the join of two ordered sequences, the keys that the database knows and the objects that the store lists.

use std::cmp::Ordering;

use crate::compare::slice::Slice;
use crate::domain::Claims;
use crate::domain::listed::{Listed, Objects};

/// A key, by the sides that have it.
#[derive(Debug, PartialEq)]
pub enum Joined<'a> {
    DatabaseOnly(&'a str, Claims),
    /// A key that ends in `/`, with an object below it: if it is a folder that is owned, that is what it names.
    Folder(&'a str, Claims),
    StorageOnly(Listed<'a>),
    Both(Claims, Listed<'a>),
}

impl<'a> Joined<'a> {
    /// The object, if there is one.
    pub fn object(&self) -> Option<Listed<'a>> {
        match *self {
            Joined::DatabaseOnly(..) | Joined::Folder(..) => None,
            Joined::StorageOnly(object) | Joined::Both(_, object) => Some(object),
        }
    }

    /// The same where nobody owns folders: a key is a key.
    pub fn of_objects(self) -> Self {
        match self {
            Joined::Folder(key, claims) => Joined::DatabaseOnly(key, claims),
            joined => joined,
        }
    }
}

/// The database's keys of one range, being joined with the pages of the same range.
pub struct Join<'a> {
    slice: &'a Slice,
    /// The first of the slice's keys that was not met yet, and where those of the range end.
    next: usize,
    end: usize,
}

impl<'a> Join<'a> {
    /// The join of the slice's keys after `after`, up to and with `through`.
    pub fn new(slice: &'a Slice, after: Option<&str>, through: Option<&str>) -> Self {
        let next = after.map_or(0, |after| slice.count_through(after));
        let mut join = Join { slice, next, end: slice.len() };
        through.into_iter().for_each(|through| join.narrow(through));
        join
    }

    /// Ends the range with the key `through`: what lies beyond is joined elsewhere. No page may have reached beyond it.
    pub fn narrow(&mut self, through: &str) {
        self.end = self.end.min(self.slice.count_through(through));
    }

    /// The places in the slice of the keys that were not met yet.
    pub fn left(&self) -> (usize, usize) {
        (self.next, self.end)
    }

    /// Joins the next page. Its objects must follow those of the page before; what the database knows beyond its last
    /// object waits for the next page. Each is given with the place in the slice of the next key that the database knows.
    pub fn page(&mut self, objects: &Objects, mut emit: impl FnMut(Joined<'_>, usize)) {
        let mut waiting = self.waiting();
        for object in objects.iter() {
            loop {
                let Some((key, claims)) = waiting else { break emit(Joined::StorageOnly(object), self.next) };
                let order = key.cmp(object.key);
                if order == Ordering::Greater {
                    break emit(Joined::StorageOnly(object), self.next);
                }
                self.next += 1;
                waiting = self.waiting();
                if order == Ordering::Equal {
                    break emit(Joined::Both(claims, object), self.next);
                }
                // All that lies below a folder follows it, before any other object.
                let is_folder = key.ends_with('/') && object.key.starts_with(key);
                emit(
                    if is_folder { Joined::Folder(key, claims) } else { Joined::DatabaseOnly(key, claims) },
                    self.next,
                );
            }
        }
    }

    fn waiting(&self) -> Option<(&'a str, Claims)> {
        self.slice.entry(self.next).filter(|_| self.next < self.end)
    }

    /// Joins at most so many of the keys that are left once the range was listed to its end, and says whether there were any.
    /// Never called for a listing that failed: that absence would not be proven (I1).
    pub fn finish(&mut self, most: usize, mut emit: impl FnMut(Joined<'_>, usize)) -> bool {
        let before = self.next;
        while let Some((key, claims)) = self.waiting().filter(|_| self.next < before + most) {
            emit(Joined::DatabaseOnly(key, claims), self.next);
            self.next += 1;
        }
        self.next > before
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::compare::slice::Pool;
    use crate::domain::{Claim, Object};

    fn object(key: &str) -> Object {
        Object {
            key: key.to_owned(),
            size: 1,
            last_modified: None,
            etag: None,
            archived: false,
            opaque_etag: false,
            is_new: false,
            is_plain: false,
        }
    }

    type Sides = (BTreeMap<String, Claims>, BTreeMap<String, Claims>, BTreeSet<String>);

    /// Cuts the key space after every `cut` of the database's rows, lists each range in pages, gives its part above
    /// `given` away once it comes there, and gathers the sides.
    fn joined_by_ranges(
        rows: &[(String, Claim)],
        objects: &BTreeSet<String>,
        (cut, page): (usize, usize),
        given: &str,
    ) -> Sides {
        let (mut database, mut both, mut storage) = Sides::default();
        let mut builder = Pool::default().slice(None);
        let mut slices = Vec::new();
        for (key, claim) in rows {
            if builder.count() >= cut && builder.last() != Some(key) {
                let through = builder.last().map(str::to_owned);
                slices.push(std::mem::replace(&mut builder, Pool::default().slice(through.clone())).finish(through));
            }
            builder.push(key, *claim, 3);
        }
        slices.push(builder.finish(None));
        for slice in &slices {
            let (after, through) = (slice.after.as_deref(), slice.through.as_deref());
            let in_range = |after: Option<&str>, through: Option<&str>| -> Vec<Object> {
                let covers = |key: &&String| {
                    after.is_none_or(|after| key.as_str() > after)
                        && through.is_none_or(|through| key.as_str() <= through)
                };
                objects.iter().filter(covers).map(|key| object(key)).collect()
            };
            let mut gather = |joined: Joined<'_>, _| match joined {
                Joined::DatabaseOnly(key, claims) | Joined::Folder(key, claims) => {
                    assert!(database.insert(key.to_owned(), claims).is_none())
                }
                Joined::Both(claims, object) => assert!(both.insert(object.key.to_owned(), claims).is_none()),
                Joined::StorageOnly(object) => assert!(storage.insert(object.key.to_owned())),
            };
            let mut join = Join::new(slice, after, through);
            let mut kept = None;
            for page in in_range(after, through).chunks(page) {
                let is_inside =
                    after.is_none_or(|after| given > after) && through.is_none_or(|through| given < through);
                if kept.is_none() && is_inside && page.iter().any(|object| object.key.as_str() > given) {
                    join.narrow(given);
                    kept = Some(given);
                }
                let page = page.iter().filter(|object| kept.is_none_or(|end| object.key.as_str() <= end));
                join.page(&page.map(Object::as_listed).collect(), &mut gather);
            }
            while join.finish(2, &mut gather) {}
            if kept.is_some() {
                let mut join = Join::new(slice, kept, through);
                let page = in_range(kept, through);
                join.page(&page.iter().map(Object::as_listed).collect(), &mut gather);
                while join.finish(usize::MAX >> 1, &mut gather) {}
            }
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
            given in "[ab/\u{e9}]{1,4}",
        ) {
            rows.sort();
            let mut known: BTreeMap<String, Claims> = BTreeMap::new();
            for (key, claim) in &rows {
                let claims = known.entry(key.clone()).or_default();
                claims.records += u32::from(*claim != Claim::Reference);
                claims.condemned += u32::from(*claim == Claim::Condemned);
                claims.references += u32::from(*claim == Claim::Reference);
                claims.sources = 1 << 3;
            }
            let (database, both, storage) = joined_by_ranges(&rows, &objects, (cut, page), &given);
            let (shared, lost): (BTreeMap<_, _>, BTreeMap<_, _>) =
                known.clone().into_iter().partition(|(key, _)| objects.contains(key));
            prop_assert_eq!(database, lost);
            prop_assert_eq!(both, shared);
            prop_assert_eq!(storage, objects.into_iter().filter(|key| !known.contains_key(key)).collect());
        }
    }
}
