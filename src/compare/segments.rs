//! PURE: first path segments of which the database knows nothing (I18).
//!
//! In byte order all keys below one segment stand together, so a range need only remember the segment that it begins in
//! and the one that it ends in; what lies between is decided on the spot.

/// More orphaned files than this, below a segment that nobody knows, are held.
const MANY: u64 = 20;

/// The first path segment of a key below the prefix, prefix included: `avatars/`, or "" for keys without a `/`.
pub fn first<'k>(key: &'k str, prefix: &str) -> &'k str {
    match key.get(prefix.len()..).and_then(|rest| rest.find('/')) {
        Some(slash) => &key[..prefix.len() + slash + 1],
        None => "",
    }
}

/// What was seen below one first path segment: `avatars/`, or "" for keys without a `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Segment {
    name: String,
    orphans: u64,
    known: u64,
}

impl Segment {
    fn is_forgotten(&self) -> bool {
        self.known == 0 && self.orphans > MANY
    }
}

/// The segments of one range, in byte order.
#[derive(Debug, Default)]
pub struct Segments {
    /// Where the configured prefix ends, and the first segment begins.
    prefix_bytes: usize,
    /// The segment that the range began in; it may have begun before.
    head: Option<Segment>,
    /// The segment that the range is in; it may go on after.
    tail: Option<Segment>,
    /// Keys without a `/` do not stand together and are counted for themselves.
    top: Segment,
    /// Segments that began and ended here, that nobody knows.
    forgotten: Vec<String>,
}

impl Segments {
    pub fn new(prefix: &str) -> Self {
        Segments { prefix_bytes: prefix.len(), ..Segments::default() }
    }

    /// Counts a key that the database knows.
    pub fn known(&mut self, key: &str) {
        self.at(key).known += 1;
    }

    /// Counts an orphaned file.
    pub fn orphan(&mut self, key: &str) {
        self.at(key).orphans += 1;
    }

    /// Appends the segments of the range that follows this one.
    pub fn append(&mut self, mut next: Segments) {
        self.top.orphans += next.top.orphans;
        self.top.known += next.top.known;
        self.forgotten.append(&mut next.forgotten);
        for segment in [next.head, next.tail].into_iter().flatten() {
            self.add(segment);
        }
    }

    /// The segments, prefix included, of which nobody knows anything; "" stands for keys without a `/`.
    pub fn finish(mut self) -> Vec<String> {
        let ends = [self.head.take(), self.tail.take(), Some(self.top)];
        self.forgotten.extend(ends.into_iter().flatten().filter(Segment::is_forgotten).map(|segment| segment.name));
        self.forgotten
    }

    fn at(&mut self, key: &str) -> &mut Segment {
        let Some(slash) = key.get(self.prefix_bytes..).and_then(|rest| rest.find('/')) else { return &mut self.top };
        let name = &key[..self.prefix_bytes + slash + 1];
        let current = self.tail.as_ref().or(self.head.as_ref());
        if current.is_none_or(|segment| segment.name != name) {
            self.add(Segment { name: name.to_owned(), ..Segment::default() });
        }
        match (&mut self.tail, &mut self.head) {
            (Some(tail), _) => tail,
            (None, head) => head.get_or_insert_default(),
        }
    }

    fn add(&mut self, segment: Segment) {
        let current = self.tail.as_mut().or(self.head.as_mut());
        match current {
            Some(current) if current.name == segment.name => {
                current.orphans += segment.orphans;
                current.known += segment.known;
            }
            Some(_) => {
                let ended = self.tail.replace(segment);
                self.forgotten.extend(ended.filter(Segment::is_forgotten).map(|segment| segment.name));
            }
            None => self.head = Some(segment),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn twenty_are_an_accident_and_twenty_one_are_a_forgotten_table() {
        for (orphans, forgotten) in [(20, vec![]), (21, vec!["avatars/".to_owned()])] {
            let mut segments = Segments::new("");
            (0..orphans).for_each(|i| segments.orphan(&format!("avatars/{i}")));
            segments.known("uploads/1");
            assert_eq!(segments.finish(), forgotten);
        }
    }

    proptest! {
        #[test]
        fn cuts_between_ranges_change_nothing(
            mut keys in prop::collection::vec(("[abc]/[x/]{0,2}|[abc]", prop::bool::weighted(0.02), 1_u8..12), 0..120),
            cut in 1_usize..40,
        ) {
            keys.sort();
            let mut model: BTreeMap<String, (u64, bool)> = BTreeMap::new();
            for (key, known, times) in &keys {
                let name = key.split_once('/').map_or(String::new(), |(segment, _)| format!("{segment}/"));
                let seen = model.entry(name).or_default();
                seen.0 += if *known { 0 } else { u64::from(*times) };
                seen.1 |= known;
            }
            let mut whole = Segments::new("");
            for range in keys.chunks(cut) {
                let mut part = Segments::new("");
                for (key, known, times) in range {
                    (0..*times).for_each(|_| if *known { part.known(key) } else { part.orphan(key) });
                }
                whole.append(part);
            }
            let mut forgotten = whole.finish();
            forgotten.sort();
            let expected: Vec<String> =
                model.into_iter().filter(|(_, (orphans, known))| *orphans > MANY && !known).map(|(name, _)| name).collect();
            prop_assert_eq!(forgotten, expected);
        }
    }

    fn orphans(segments: &mut Segments, folder: &str, count: usize) {
        (0..count).for_each(|number| segments.orphan(&format!("{folder}{number:02}")));
    }

    #[test]
    fn the_first_segment_ends_with_the_first_slash_below_the_prefix() {
        for (key, prefix, segment) in [
            ("avatars/a/b.png", "", "avatars/"),
            ("avatars/", "", "avatars/"),
            ("/a.png", "", "/"),
            ("a.png", "", ""),
            ("", "", ""),
            ("app/avatars/a.png", "app/", "app/avatars/"),
            ("app/a.png", "app/", ""),
            ("über/日本/a.png", "über/", "über/日本/"),
            ("ü", "long/", ""),
        ] {
            assert_eq!(first(key, prefix), segment, "{key} below {prefix:?}");
        }
    }

    #[test]
    fn one_key_that_is_known_makes_its_segment_known_wherever_it_stands() {
        for known in ["avatars/!", "avatars/05x", "avatars/~"] {
            let mut segments = Segments::new("");
            let mut keys: Vec<String> = (0..50).map(|number| format!("avatars/{number:02}")).collect();
            keys.push(known.to_owned());
            keys.sort();
            keys.iter().for_each(|key| if key == known { segments.known(key) } else { segments.orphan(key) });
            assert!(segments.finish().is_empty(), "{known}");
        }
    }

    #[test]
    fn a_segment_goes_on_in_the_next_range_and_in_the_one_after() {
        let mut whole = Segments::new("");
        for part in ["a/0", "a/1", "a/2"] {
            let mut range = Segments::new("");
            orphans(&mut range, part, 7);
            whole.append(range);
        }
        assert_eq!(whole.finish(), ["a/"], "seven in each of three ranges are 21");
    }

    #[test]
    fn keys_without_a_slash_are_one_segment_though_others_stand_between_them() {
        for (last, expected) in [(10, vec![]), (11, vec![String::new()])] {
            let (mut first, mut second) = (Segments::new("app/"), Segments::new("app/"));
            orphans(&mut first, "app/a", 10);
            first.known("app/b/known");
            orphans(&mut second, "app/c", last);
            first.append(second);
            assert_eq!(first.finish(), expected);
        }
    }

    #[test]
    fn a_segment_is_named_with_its_prefix_and_neighbours_are_counted_apart() {
        let mut segments = Segments::new("app/");
        orphans(&mut segments, "app/a-b/", 21);
        orphans(&mut segments, "app/a/", 20);
        orphans(&mut segments, "app/a/deeper/", 1);
        orphans(&mut segments, "app/aa/", 20);
        let mut forgotten = segments.finish();
        forgotten.sort();
        assert_eq!(forgotten, ["app/a-b/", "app/a/"]);
    }

    #[test]
    fn a_range_without_keys_changes_nothing() {
        let mut segments = Segments::new("");
        orphans(&mut segments, "a/0", 20);
        segments.append(Segments::new(""));
        orphans(&mut segments, "a/1", 1);
        assert_eq!(segments.finish(), ["a/"]);
        assert!(Segments::new("").finish().is_empty());
    }
}
