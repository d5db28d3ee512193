//! PURE: which keys of a batch a listing answers, and which are looked at one by one; and what a page of a listing says of
//! keys. A page is paid like a dozen looks: it is worth it where many of the keys lie in it, which only a page can tell.

use std::ops::Range;

use anyhow::{Result, ensure};

use crate::domain::Object;
use crate::domain::key::Printable;
use crate::domain::listed::{Listed, Objects};
use crate::storage::Page;

/// So many keys in a page are worth its listing: a LIST costs about as much as 12 HEADs, and now and then one is in vain.
pub(super) const DENSE: usize = 16;
/// Keys for which one page is tried where nobody knows how close together they lie.
const TRIED_FOR: usize = 250;
/// As often as this twice as many where pages have held too few.
const DOUBLINGS: u32 = 2;
/// So many keys in a page are no accident: pages of what follows are asked for beside each other.
const SURELY_DENSE: usize = 4 * DENSE;

/// How some keys of a batch, which follow each other, are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// By a page that begins with the first of them.
    Listed(Range<usize>),
    Singly(Range<usize>),
}

/// How close together the keys lie, by the pages so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Density {
    /// Keys in the last page.
    in_page: usize,
    /// Pages in a row that held too few.
    misses: u32,
}

impl Density {
    /// How `keys` are to be looked at, as far as is known.
    pub fn parts(self, keys: Range<usize>) -> Vec<Part> {
        let stride = match self.in_page {
            // A page may hold some fewer than the one before it.
            SURELY_DENSE.. => self.in_page * 9 / 10,
            DENSE.. => TRIED_FOR,
            _ => TRIED_FOR << self.misses.min(DOUBLINGS),
        };
        let mut parts = Vec::new();
        let mut start = keys.start;
        while keys.end - start >= DENSE {
            let left = keys.end - start;
            // Too few for a page of their own are tried in the one before them.
            let length = if left < stride + DENSE { left } else { stride };
            parts.push(Part::Listed(start..start + length));
            start += length;
        }
        if start < keys.end {
            parts.push(Part::Singly(start..keys.end));
        }
        parts
    }

    /// What is left of a part that was listed, and how that is to be looked at, where its page answers for `held` keys from
    /// the first on, whether they are of the part or follow it; `are_all`: it answers for all of the batch.
    pub fn rest(&mut self, part: Range<usize>, held: usize, are_all: bool) -> Vec<Part> {
        let left = (part.start + held).min(part.end)..part.end;
        self.learn(held, are_all);
        if left.is_empty() {
            return Vec::new();
        }
        match held {
            SURELY_DENSE.. => self.parts(left),
            DENSE.. if left.len() >= DENSE => vec![Part::Listed(left)],
            _ => vec![Part::Singly(left)],
        }
    }

    /// Takes what a page held; where it held the last key it could have held more.
    pub fn learn(&mut self, held: usize, are_all: bool) {
        match held {
            _ if are_all => self.in_page = self.in_page.max(held),
            DENSE.. => *self = Density { in_page: held, misses: 0 },
            _ => *self = Density { in_page: held, misses: self.misses + 1 },
        }
    }
}

/// A text after which a listing begins so that it begins with `key`, or a few keys before it.
pub(super) fn just_before(key: &str) -> String {
    let mut before = key.to_owned();
    // What a listing is to begin after must be a text that any store takes.
    if let Some(last @ '"'..='~') = before.pop() {
        before.extend(char::from_u32(u32::from(last) - 1));
        before.push('~');
    }
    before
}

/// What one page of a listing says: of each key between its ends, whether it is there, and as what.
#[derive(Debug)]
pub(super) struct Span {
    below: String,
    after: String,
    /// The last key that it speaks of; `None`: it speaks of all that follow.
    through: Option<String>,
    objects: Objects,
}

impl Span {
    /// A page of what is below `below` and comes after `after`.
    ///
    /// # Errors
    /// It is out of order, or names what was not asked for: of no key can it be believed.
    pub fn of(page: Option<Page>, below: &str, after: String) -> Result<Self> {
        let Some(Page { objects, more, .. }) = page else {
            return Ok(Span { below: below.to_owned(), after, through: None, objects: Objects::default() });
        };
        ensure!(objects.is_ordered(), "the listing is out of byte order");
        let is_asked_for = |object: &Listed<'_>| object.key > after.as_str() && object.key.starts_with(below);
        if let Some(object) = objects.iter().find(|object| !is_asked_for(object)) {
            anyhow::bail!("the listing names {}, which was not asked for", Printable(object.key));
        }
        let last = objects.last().map_or_else(|| after.clone(), |last| last.key.to_owned());
        Ok(Span { below: below.to_owned(), through: more.then_some(last), after, objects })
    }

    /// Whether it says of this key if it is there.
    pub fn answers(&self, key: &str) -> bool {
        let is_asked_for = key > self.after.as_str() && key.starts_with(&self.below);
        is_asked_for && self.through.as_deref().is_none_or(|through| key <= through)
    }

    /// The object at a key, if it was listed.
    pub fn find(&self, key: &str) -> Option<Object> {
        let at = self.objects.count_through(key).checked_sub(1)?;
        self.objects.get(at).filter(|object| object.key == key).map(Listed::to_object)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn page(keys: &[&str], more: bool) -> Option<Page> {
        let listed = |key| Listed {
            key,
            size: 1,
            last_modified: None,
            etag: None,
            archived: false,
            opaque_etag: false,
            is_new: false,
            is_plain: false,
        };
        let objects = keys.iter().map(|key| listed(*key)).collect();
        Some(Page { objects, more, now: DateTime::UNIX_EPOCH })
    }

    #[test]
    fn a_page_answers_for_what_lies_between_its_ends_and_for_nothing_else() {
        let span = Span::of(page(&["a/2", "a/4"], true), "a/", "a/1".to_owned()).expect("a page");
        let answers = ["a/1", "a/11", "a/2", "a/3", "a/4", "a/40", "b"].map(|key| span.answers(key));
        assert_eq!(answers, [false, true, true, true, true, false, false]);
        assert_eq!((span.find("a/2").map(|object| object.key), span.find("a/3")), (Some("a/2".to_owned()), None));
        let last = Span::of(page(&["a/2"], false), "a/", "a/1".to_owned()).expect("a page");
        assert!(last.answers("a/5") && last.find("a/5").is_none() && !last.answers("b"));
        let empty = Span::of(page(&[], true), "a/", "a/1".to_owned()).expect("a page");
        assert!(!empty.answers("a/2"), "it says that more follows, and not from where on");
        assert!(Span::of(None, "a/", "a/1".to_owned()).expect("the end").answers("a/2"));
    }

    #[test]
    fn a_page_that_is_not_what_was_asked_for_is_an_error() {
        for keys in [&["a/3", "a/2"][..], &["a/2", "a/2"], &["a/1", "a/2"], &["a/0"], &["a/2", "b/1"]] {
            assert!(Span::of(page(keys, false), "a/", "a/1".to_owned()).is_err(), "{keys:?}");
        }
    }

    /// Looks at keys that lie at these places of a bucket, as pages of a thousand answer; gives how often each was
    /// answered, and how many pages were listed.
    fn walked(density: &mut Density, places: &[usize]) -> (Vec<usize>, usize, usize) {
        let (mut answered, mut pages, mut singly) = (vec![0; places.len()], 0, 0);
        let mut parts = density.parts(0..places.len());
        while let Some(part) = parts.pop() {
            match part {
                Part::Singly(keys) => {
                    singly += keys.len();
                    keys.for_each(|key| answered[key] += 1);
                }
                Part::Listed(keys) => {
                    pages += 1;
                    let end = places.partition_point(|place| *place < places[keys.start] + 1_000);
                    (keys.start..end.min(keys.end)).for_each(|key| answered[key] += 1);
                    parts.extend(density.rest(keys.clone(), end - keys.start, end == places.len()));
                }
            }
        }
        (answered, pages, singly)
    }

    proptest! {
        #[test]
        fn every_key_is_answered_once_and_pages_are_few(
            gaps in prop::collection::vec((1_usize..40, 0_usize..300), 1..20),
            batches in 1_usize..4,
        ) {
            let mut density = Density::default();
            for _ in 0..batches {
                let mut place = 0;
                let places: BTreeSet<usize> = gaps.iter().flat_map(|(count, gap)| vec![*gap + 1; *count * 3])
                    .map(|gap| { place += gap; place }).collect();
                let places: Vec<usize> = places.into_iter().collect();
                let (answered, pages, _) = walked(&mut density, &places);
                prop_assert!(answered.iter().all(|times| *times == 1), "{answered:?}");
                // One in vain for 16 keys at most, beside those that were worth it.
                prop_assert!(pages <= places.len() / DENSE * 2 + 1, "{pages} pages for {} keys", places.len());
            }
        }

        #[test]
        fn a_listing_begins_with_the_key_and_not_behind_it(key in "\\PC{1,6}") {
            prop_assert!(just_before(&key) < key);
        }
    }

    #[test]
    fn close_keys_are_listed_and_others_are_not() {
        let batch = |gap: usize| (0..1_000).map(|at| at * gap).collect::<Vec<_>>();
        let mut dense = Density::default();
        assert_eq!((walked(&mut dense, &batch(2)).1, walked(&mut dense, &batch(2)).1), (4, 3));
        let mut sparse = Density::default();
        let tried: Vec<(usize, usize)> =
            (0..3).map(|_| walked(&mut sparse, &batch(100))).map(|(_, a, b)| (a, b)).collect();
        assert_eq!(tried, [(4, 960), (1, 990), (1, 990)]);
        // Just dense enough.
        let (_, pages, singly) = walked(&mut Density::default(), &batch(50));
        assert!(pages <= 52 && singly < 4 * DENSE, "{pages} {singly}");
        // One folder of them among others.
        let mixed: Vec<usize> = (0..500).chain((1..500).map(|at| 1_000 + at * 1_000)).collect();
        let (_, pages, singly) = walked(&mut Density::default(), &mixed);
        assert!(pages <= 4 && singly >= 490, "{pages} {singly}");
        assert_eq!(Density::default().parts(0..15), [Part::Singly(0..15)]);
    }

    #[test]
    fn a_listing_begins_a_little_before_its_key() {
        let begins = [("a/b2.png", "a/b2.pnf~"), ("a/b0", "a/b/~"), ("a/ä", "a/"), ("a\0", "a"), ("!", "")];
        begins.into_iter().for_each(|(key, before)| assert_eq!(just_before(key), before));
    }
}
