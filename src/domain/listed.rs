//! PURE: objects as a listing gives them, many in one buffer: no allocation an object. A page that is compared and put
//! away costs what its bytes cost.

use crate::domain::{Object, Time};

/// One stored file, borrowed from the page that names it. What its fields mean, [`Object`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    pub key: &'a str,
    /// Bytes.
    pub size: u64,
    pub last_modified: Option<Time>,
    pub etag: Option<&'a str>,
    pub archived: bool,
    pub opaque_etag: bool,
    pub is_new: bool,
    pub is_plain: bool,
}

impl Listed<'_> {
    /// Whether it stands for a folder, as consoles and mounts of a bucket make them: it holds nothing.
    pub fn is_marker(&self) -> bool {
        self.size == 0 && self.key.ends_with('/')
    }

    /// The same, on its own.
    pub fn to_object(self) -> Object {
        Object {
            key: self.key.to_owned(),
            size: self.size,
            last_modified: self.last_modified,
            etag: self.etag.map(str::to_owned),
            archived: self.archived,
            opaque_etag: self.opaque_etag,
            is_new: self.is_new,
            is_plain: self.is_plain,
        }
    }
}

impl Object {
    /// The object as a listing would give it.
    pub fn as_listed(&self) -> Listed<'_> {
        Listed {
            key: &self.key,
            size: self.size,
            last_modified: self.last_modified,
            etag: self.etag.as_deref(),
            archived: self.archived,
            opaque_etag: self.opaque_etag,
            is_new: self.is_new,
            is_plain: self.is_plain,
        }
    }
}

/// Objects that follow each other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Objects {
    /// What every object is compared by lies close together.
    keys: String,
    etags: String,
    entries: Vec<Entry>,
    /// How many objects at the beginning are in byte order, and no two of them the same.
    ordered: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// Where the key ends, and where the etag does; each begins where the one before it ends.
    key_end: usize,
    etag_end: usize,
    size: u64,
    last_modified: Option<Time>,
    has_etag: bool,
    archived: bool,
    opaque_etag: bool,
    is_new: bool,
    is_plain: bool,
}

impl Objects {
    /// Room for so many objects, and bytes of their keys and of their etags.
    pub fn with_capacity(objects: usize, keys: usize, etags: usize) -> Self {
        let (keys, etags) = (String::with_capacity(keys), String::with_capacity(etags));
        Objects { keys, etags, entries: Vec::with_capacity(objects), ordered: 0 }
    }

    pub fn push(&mut self, object: Listed<'_>) {
        // Both keys are at hand here, and nowhere else.
        if self.is_ordered() && self.last().is_none_or(|last| last.key < object.key) {
            self.ordered += 1;
        }
        self.keys.push_str(object.key);
        self.etags.push_str(object.etag.unwrap_or_default());
        self.entries.push(Entry {
            key_end: self.keys.len(),
            etag_end: self.etags.len(),
            size: object.size,
            last_modified: object.last_modified,
            has_etag: object.etag.is_some(),
            archived: object.archived,
            opaque_etag: object.opaque_etag,
            is_new: object.is_new,
            is_plain: object.is_plain,
        });
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the objects are in byte order, and no two the same.
    pub fn is_ordered(&self) -> bool {
        self.ordered == self.entries.len()
    }

    /// The first object that does not come after the one before it, with that one.
    pub fn misplaced(&self) -> Option<(Listed<'_>, Listed<'_>)> {
        Some((self.get(self.ordered.checked_sub(1)?)?, self.get(self.ordered)?))
    }

    pub fn get(&self, at: usize) -> Option<Listed<'_>> {
        let entry = self.entries.get(at)?;
        let (key, etag) =
            at.checked_sub(1).map_or((0, 0), |before| (self.entries[before].key_end, self.entries[before].etag_end));
        Some(Listed {
            key: &self.keys[key..entry.key_end],
            size: entry.size,
            last_modified: entry.last_modified,
            etag: entry.has_etag.then(|| &self.etags[etag..entry.etag_end]),
            archived: entry.archived,
            opaque_etag: entry.opaque_etag,
            is_new: entry.is_new,
            is_plain: entry.is_plain,
        })
    }

    pub fn last(&self) -> Option<Listed<'_>> {
        self.get(self.len().checked_sub(1)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = Listed<'_>> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// How many objects at the beginning have keys up to and with `through`; the objects are in byte order.
    pub fn count_through(&self, through: &str) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(|object| object.key <= through) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Takes the objects from `at` on.
    pub fn split_off(&mut self, at: usize) -> Objects {
        let mut rest = Objects::default();
        (at..self.len()).filter_map(|at| self.get(at)).for_each(|object| rest.push(object));
        self.truncate(at);
        rest
    }

    /// Drops the objects from `at` on.
    pub fn truncate(&mut self, at: usize) {
        self.entries.truncate(at);
        self.keys.truncate(self.entries.last().map_or(0, |entry| entry.key_end));
        self.etags.truncate(self.entries.last().map_or(0, |entry| entry.etag_end));
        self.ordered = self.ordered.min(self.len());
    }
}

impl<'a> FromIterator<Listed<'a>> for Objects {
    fn from_iter<I: IntoIterator<Item = Listed<'a>>>(objects: I) -> Self {
        let mut all = Objects::default();
        objects.into_iter().for_each(|object| all.push(object));
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_pushed_is_got_back_whatever_is_cut(
            objects in prop::collection::vec(("\\PC{0,4}", any::<u32>(), prop::option::of("\\PC{0,4}"), any::<bool>()), 0..20),
            cut in 0_usize..24,
        ) {
            let objects: Vec<Object> = objects.into_iter().map(|(key, size, etag, archived)| Object {
                key, size: size.into(), last_modified: None, etag, archived, opaque_etag: !archived, is_new: archived, is_plain: false,
            }).collect();
            let mut all: Objects = objects.iter().map(Object::as_listed).collect();
            prop_assert_eq!(all.len(), objects.len());
            let (first, second) = objects.split_at(cut.min(objects.len()));
            let rest = all.split_off(cut);
            let back = |objects: &Objects| objects.iter().map(Listed::to_object).collect::<Vec<_>>();
            prop_assert_eq!(back(&all), first);
            prop_assert_eq!(back(&rest), second);
            prop_assert_eq!(all.is_ordered(), first.is_sorted_by(|a, b| a.key < b.key));
            prop_assert_eq!(rest.is_ordered(), second.is_sorted_by(|a, b| a.key < b.key));
            let misplaced = first.windows(2).find(|two| two[0].key >= two[1].key).map(|two| (&*two[0].key, &*two[1].key));
            prop_assert_eq!(all.misplaced().map(|(last, next)| (last.key, next.key)), misplaced);
            prop_assert_eq!(all.last().map(Listed::to_object), first.last().cloned());
            let mut sorted = objects.clone();
            sorted.sort_by(|a, b| a.key.cmp(&b.key));
            let all: Objects = sorted.iter().map(Object::as_listed).collect();
            for object in &sorted {
                prop_assert_eq!(all.count_through(&object.key), sorted.partition_point(|other| other.key <= object.key));
            }
        }
    }
}
