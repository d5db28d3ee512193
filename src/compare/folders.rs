//! PURE: folders of which nothing is known (I18), and what their names look like.
//!
//! In byte order all keys below a folder stand together. So a folder holds a known key exactly where one of the two known
//! keys around an object lies in it: the topmost folder of an object that holds neither is the topmost of which nothing is
//! known. All orphaned files below such a folder stand together too, and a range need only remember the folder that it
//! begins in and the one that it ends in; what lies between is decided on the spot.

/// So many orphaned files below a deeper folder of which nothing is known are held.
const MANY: u64 = 20;

/// Where folders begin, and how many files below an unknown first folder are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Bytes of the configured prefix; the first folder begins behind it.
    pub root_bytes: usize,
    /// Bytes of the prefix that the run is narrowed to: outside it nothing is known of anything.
    pub prefix_bytes: usize,
    /// So many orphaned files below a first folder of which nothing is known are held.
    pub many_in_first: u64,
}

impl Rules {
    /// The topmost folder of `key` that holds neither of the known keys around it: `avatars/`, prefix included. `None`:
    /// the key lies in a known folder, or in none.
    pub fn unknown<'k>(&self, key: &'k str, before: Option<&str>, after: Option<&str>) -> Option<&'k str> {
        let near = [before, after].into_iter().flatten().map(|known| common_bytes(key, known)).max();
        let narrowed = if self.prefix_bytes > self.root_bytes { self.prefix_bytes - 1 } else { self.root_bytes };
        let from = near.unwrap_or(0).max(narrowed);
        let slash = key.as_bytes().get(from..)?.iter().position(|byte| *byte == b'/')?;
        key.get(..=from + slash)
    }

    fn is_first(&self, folder: &str) -> bool {
        let below = folder.get(self.root_bytes..).unwrap_or_default();
        below.find('/').is_some_and(|slash| slash + 1 == below.len())
    }

    fn is_forgotten(&self, folder: &Folder) -> bool {
        let many = if self.is_first(&folder.name) { self.many_in_first.min(MANY) } else { MANY };
        folder.known == 0 && folder.orphans >= many
    }
}

/// How many bytes two keys begin with.
fn common_bytes(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// What a folder's name looks like, where it looks like the id of something that comes and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Shape {
    Uuid = 1,
    Ulid,
    Date,
    Digits,
    Hex,
}

impl Shape {
    pub const ALL: [Shape; 5] = [Shape::Uuid, Shape::Ulid, Shape::Date, Shape::Digits, Shape::Hex];

    /// The shape of a folder's own name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.is_of(name))
    }

    /// Whether a folder's own name has this shape.
    pub fn is_of(self, name: &str) -> bool {
        let bytes = name.as_bytes();
        let all = |is: fn(&u8) -> bool| !bytes.is_empty() && bytes.iter().all(is);
        match self {
            Shape::Uuid => {
                bytes.len() == 36
                    && bytes.iter().enumerate().all(|(at, byte)| match at {
                        8 | 13 | 18 | 23 => *byte == b'-',
                        _ => byte.is_ascii_hexdigit(),
                    })
            }
            // Crockford's alphabet has no I, L, O and U; the first letter is at most 7.
            Shape::Ulid => {
                bytes.len() == 26
                    && (b'0'..=b'7').contains(&bytes[0])
                    && all(|byte| byte.is_ascii_alphanumeric() && !b"ILOUilou".contains(byte))
            }
            Shape::Date => {
                matches!(bytes.len(), 7 | 10)
                    && bytes.iter().enumerate().all(|(at, byte)| match at {
                        4 | 7 => b"-_.".contains(byte),
                        _ => byte.is_ascii_digit(),
                    })
            }
            Shape::Digits => all(u8::is_ascii_digit),
            Shape::Hex => bytes.len() >= 8 && all(u8::is_ascii_hexdigit),
        }
    }
}

/// A folder's parent and its own name: `a/` and `b` of `a/b/`.
pub fn split(folder: &str) -> (&str, &str) {
    let bare = folder.strip_suffix('/').unwrap_or(folder);
    let own = bare.rfind('/').map_or(0, |slash| slash + 1);
    bare.split_at(own)
}

/// What was seen of a folder that no known key lies in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Folder {
    name: String,
    orphans: u64,
    /// Objects that belong to wanted keys by a rule.
    known: u64,
}

/// How many folders of a shape lie in a parent without a known key in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Siblings {
    pub parent: String,
    pub shape: Shape,
    pub folders: u64,
}

/// The folders of one range that no known key lies in, in byte order.
#[derive(Debug, Default)]
pub struct Folders {
    rules: Rules,
    /// The folder that the range began in; it may have begun before.
    head: Option<Folder>,
    /// The folder that the range is in; it may go on after.
    tail: Option<Folder>,
    /// Keys without a `/` do not stand together and are counted for themselves.
    top: Folder,
    found: Unknown,
}

/// What is unknown, as it is handed on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// Folders that are to be held, prefix included; "" stands for keys without a `/`.
    pub folders: Vec<String>,
    /// Those whose names are ids, counted, however little lies in them.
    pub siblings: Vec<Siblings>,
}

impl Unknown {
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.siblings.is_empty()
    }

    fn append(&mut self, mut next: Unknown) {
        self.folders.append(&mut next.folders);
        self.siblings.append(&mut next.siblings);
    }

    fn count_sibling(&mut self, folder: &str) {
        let (parent, own) = split(folder);
        let Some(shape) = Shape::of(own) else { return };
        match self.siblings.last_mut().filter(|last| last.parent == parent && last.shape == shape) {
            Some(siblings) => siblings.folders += 1,
            None => self.siblings.push(Siblings { parent: parent.to_owned(), shape, folders: 1 }),
        }
    }
}

impl Folders {
    pub fn new(rules: Rules) -> Self {
        Folders { rules, ..Folders::default() }
    }

    /// Counts a key that the database knows.
    pub fn known(&mut self, key: &str) {
        if !self.has_folder(key) {
            self.top.known += 1;
        }
    }

    /// Counts an orphaned file, between two known keys.
    pub fn orphan(&mut self, key: &str, before: Option<&str>, after: Option<&str>) {
        if let Some(folder) = self.at(key, before, after) {
            folder.orphans += 1;
        }
    }

    /// Counts an object that belongs to a wanted key by a rule: its folder is a known one.
    pub fn wanted(&mut self, key: &str, before: Option<&str>, after: Option<&str>) {
        if let Some(folder) = self.at(key, before, after) {
            folder.known += 1;
        }
    }

    /// The folder that such an object makes a known one: "" for a key without a `/`, `None` where it is known already.
    pub fn name(&self, key: &str, before: Option<&str>, after: Option<&str>) -> Option<String> {
        match self.has_folder(key) {
            true => self.rules.unknown(key, before, after).map(str::to_owned),
            false => Some(String::new()),
        }
    }

    /// Appends the folders of the range that follows this one.
    pub fn append(&mut self, next: Folders) {
        self.top.orphans += next.top.orphans;
        self.top.known += next.top.known;
        self.found.append(next.found);
        for folder in [next.head, next.tail].into_iter().flatten() {
            self.add(folder);
        }
    }

    /// What is known by now, where that is enough to be handed on.
    pub fn take(&mut self) -> Option<Unknown> {
        // The last count may go on.
        let last = self.found.siblings.pop();
        let taken = std::mem::take(&mut self.found);
        self.found.siblings.extend(last);
        (!taken.is_empty()).then_some(taken)
    }

    /// The rest.
    pub fn finish(mut self) -> Unknown {
        let ends = [self.head.take(), self.tail.take()];
        ends.into_iter().flatten().for_each(|folder| self.close(folder));
        // Above the first folder nothing is counted on less.
        if self.top.known == 0 && self.top.orphans >= MANY {
            self.found.folders.push(String::new());
        }
        self.found
    }

    fn has_folder(&self, key: &str) -> bool {
        key.as_bytes().get(self.rules.root_bytes..).is_some_and(|rest| rest.contains(&b'/'))
    }

    /// The folder of a key that nothing is known of; `None`: something is.
    fn at(&mut self, key: &str, before: Option<&str>, after: Option<&str>) -> Option<&mut Folder> {
        if !self.has_folder(key) {
            return Some(&mut self.top);
        }
        let name = self.rules.unknown(key, before, after)?;
        let current = self.tail.as_ref().or(self.head.as_ref());
        if current.is_none_or(|folder| folder.name != name) {
            self.add(Folder { name: name.to_owned(), ..Folder::default() });
        }
        self.tail.as_mut().or(self.head.as_mut())
    }

    fn add(&mut self, folder: Folder) {
        let current = self.tail.as_mut().or(self.head.as_mut());
        match current {
            Some(current) if current.name == folder.name => {
                current.orphans += folder.orphans;
                current.known += folder.known;
            }
            Some(_) => {
                let ended = self.tail.replace(folder);
                ended.into_iter().for_each(|folder| self.close(folder));
            }
            None => self.head = Some(folder),
        }
    }

    fn close(&mut self, folder: Folder) {
        if folder.known > 0 || folder.orphans == 0 {
            return;
        }
        self.found.count_sibling(&folder.name);
        if self.rules.is_forgotten(&folder) {
            self.found.folders.push(folder.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules { root_bytes: 0, prefix_bytes: 0, many_in_first: 5 };

    #[test]
    fn the_topmost_folder_without_a_known_key_is_found() {
        let unknown = |key, before, after| RULES.unknown(key, before, after);
        assert_eq!(unknown("a/b/c/x", None, None), Some("a/"));
        assert_eq!(unknown("a/b/c/x", Some("a/a"), None), Some("a/b/"));
        assert_eq!(unknown("a/b/c/x", Some("a/a"), Some("a/b/d")), Some("a/b/c/"));
        assert_eq!(unknown("a/b/c/x", Some("a/b/c/w"), Some("a/b/d")), None);
        assert_eq!(unknown("a/bc/x", Some("a/b/x"), None), Some("a/bc/"), "a folder's name is not a part of another");
        assert_eq!(unknown("x", None, None), None);
        let below = Rules { root_bytes: 2, prefix_bytes: 2, ..RULES };
        assert_eq!(below.unknown("r/a/x", None, None), Some("r/a/"));
        let narrowed = Rules { root_bytes: 0, prefix_bytes: 4, ..RULES };
        assert_eq!(narrowed.unknown("r/a/b/x", None, None), Some("r/a/"), "outside it nothing is known");
    }

    #[test]
    fn names_that_are_ids_are_told_from_others() {
        for (name, shape) in [
            ("2f1b0c9e-8a77-4d3c-9a10-0a3c5e1d7f42", Some(Shape::Uuid)),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", Some(Shape::Ulid)),
            ("2024-01-31", Some(Shape::Date)),
            ("2024-01", Some(Shape::Date)),
            ("17", Some(Shape::Digits)),
            ("deadbeef01", Some(Shape::Hex)),
            ("avatars", None),
            ("dead", None),
            ("", None),
            ("v2", None),
        ] {
            assert_eq!(Shape::of(name), shape, "{name}");
        }
        assert_eq!(split("a/b/"), ("a/", "b"));
        assert_eq!(split("b/"), ("", "b"));
    }

    proptest! {
        #[test]
        fn cuts_between_ranges_change_nothing(
            keys in prop::collection::btree_map("([ab]|12|34){1}(/([ab]|56|78)){0,2}/?[xyz]{1,3}", prop::bool::weighted(0.2), 0..150),
            cut in 1_usize..40,
        ) {
            let known: BTreeSet<&str> = keys.iter().filter(|(_, known)| **known).map(|(key, _)| key.as_str()).collect();
            let mut model: BTreeMap<&str, u64> = BTreeMap::new();
            let mut top = 0;
            for (key, _) in keys.iter().filter(|(_, known)| !**known) {
                let folders = key.match_indices('/').map(|(slash, _)| &key[..=slash]);
                let unknown = folders.into_iter().find(|folder| !known.iter().any(|key| key.starts_with(folder)));
                top += u64::from(!key.contains('/'));
                unknown.into_iter().for_each(|folder| *model.entry(folder).or_default() += 1);
            }
            let mut expected: Vec<&str> = model
                .iter()
                .filter(|(folder, orphans)| **orphans >= if folder.matches('/').count() == 1 { 5 } else { 20 })
                .map(|(folder, _)| *folder)
                .collect();
            if top >= 20 && known.iter().all(|key| key.contains('/')) {
                expected.insert(0, "");
            }
            let mut siblings: BTreeMap<(String, Shape), u64> = BTreeMap::new();
            for folder in model.keys() {
                let (parent, own) = split(folder);
                if let Some(shape) = Shape::of(own) {
                    *siblings.entry((parent.to_owned(), shape)).or_default() += 1;
                }
            }

            let all: Vec<(&String, &bool)> = keys.iter().collect();
            let mut whole = Folders::new(RULES);
            let mut handed_on = Unknown::default();
            for range in all.chunks(cut) {
                let mut part = Folders::new(RULES);
                for (key, is_known) in range {
                    let before = known.range(..key.as_str()).next_back().copied();
                    let after = known.range(key.as_str()..).next().copied();
                    if **is_known { part.known(key) } else { part.orphan(key, before, after) }
                }
                part.take().into_iter().for_each(|unknown| handed_on.append(unknown));
                whole.append(part);
            }
            handed_on.append(whole.finish());
            handed_on.folders.sort();
            prop_assert_eq!(handed_on.folders, expected);
            let mut counted: BTreeMap<(String, Shape), u64> = BTreeMap::new();
            for Siblings { parent, shape, folders } in handed_on.siblings {
                *counted.entry((parent, shape)).or_default() += folders;
            }
            prop_assert_eq!(counted, siblings);
        }
    }
}
