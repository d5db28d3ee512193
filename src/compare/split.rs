//! PURE: where to cut a range that turns out to be long, so that others list its upper parts beside it.
//!
//! Where the database knows keys between, its keys are the cuts. Where it knows none, the keys seen so far say what the
//! others may look like: the letter in which a page's keys begin to differ, and each letter before it, raised to the next
//! one that pages of this range have used. A guess that finds nothing costs one request, and so there are no more of them
//! than pages that were full.

use crate::compare::slice::Slice;
use crate::domain::listed::Objects;

/// Objects that a part should have where the database's keys say how many there are; and in the end, when who lists a page
/// alone is done soonest.
const PART: u64 = 4_000;
const LAST_PART: u64 = 985;
/// Full pages without a key of the database, after which guesses begin; one where a cut has found its own letter right.
const PAGES: usize = 2;
/// Parts that are given away at once, at most.
const PARTS: usize = 16;
/// One in so many keys of a page is looked at for its letters.
const SAMPLE: usize = 16;

/// Where a range is cut: what lies above belongs to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The last key, or none that there is, of the lower part.
    pub at: String,
    /// The place of the letter that was raised to make it.
    pub letter: Option<usize>,
}

/// How much may be given away.
#[derive(Debug, Clone, Copy)]
pub struct Spare {
    /// Others that have nothing to do.
    pub places: usize,
    /// Guesses that may find nothing.
    pub guesses: usize,
    /// Whether nobody will have anything else to do.
    pub is_sliced: bool,
}

/// A range whose listing has just given a full page, and says that more follows.
pub struct Unfinished<'a> {
    pub page: &'a Objects,
    /// The database's keys around it; those from `next` up to `end` are in the range, and were not met yet.
    pub slice: &'a Slice,
    pub next: usize,
    pub end: usize,
    pub through: Option<&'a str>,
    /// No key of the listing is shorter than its prefix.
    pub prefix_bytes: usize,
}

/// What a range's pages have shown so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// Objects and met keys of the database, of the last page and of the one before it.
    recent: [(u64, u64); 2],
    /// Full pages since the range began, or was cut.
    pages: usize,
    letter: Option<usize>,
}

impl Seen {
    /// Nothing yet, of a range that begins at a cut.
    pub fn from(cut: Option<usize>) -> Self {
        Seen { letter: cut, ..Seen::default() }
    }

    /// Notes a full page on which so many of the database's keys were met.
    pub fn page(&mut self, objects: usize, met: usize) {
        self.recent = [(objects as u64, met as u64), self.recent[0]];
        self.pages += 1;
    }

    /// Where to cut the rest of the range, in byte order, and how many of the cuts are guesses.
    pub fn cuts(&mut self, range: &Unfinished<'_>, spare: Spare) -> (Vec<Cut>, usize) {
        let places = spare.places.min(PARTS);
        let Some(last) = range.page.last().filter(|_| places > 0) else { return (Vec::new(), 0) };
        let met: u64 = self.recent.iter().map(|(_, met)| met).sum();
        let (cuts, guesses) = if met > 0 {
            (self.between_known_keys(range, met, places, if spare.is_sliced { LAST_PART } else { PART }), 0)
        } else if self.pages >= PAGES || self.pages > 0 && self.letter.is_some() {
            let next = range.slice.key(range.next).filter(|_| range.next < range.end);
            let bound = next.or(range.through);
            let guesses = places.min(spare.guesses);
            let mut cuts = guesses_after(last.key, range, bound, (self.letter, guesses));
            let guesses = cuts.len();
            // Beyond the next known key, keys are known again.
            cuts.extend(
                next.filter(|next| range.through != Some(*next)).map(|next| Cut { at: next.to_owned(), letter: None }),
            );
            cuts.truncate(places.max(1));
            (cuts, guesses)
        } else {
            (Vec::new(), 0)
        };
        if !cuts.is_empty() {
            self.pages = 0;
        }
        let guesses = guesses.min(cuts.len());
        (cuts, guesses)
    }

    /// Cuts among the database's keys, as many as there are parts of so many objects by what the last pages have held.
    fn between_known_keys(&self, range: &Unfinished<'_>, met: u64, places: usize, part: u64) -> Vec<Cut> {
        let known = range.end.saturating_sub(range.next);
        let objects: u64 = self.recent.iter().map(|(objects, _)| objects).sum();
        let parts = usize::try_from((known as u64 * objects / met + part / 2) / part).unwrap_or(usize::MAX);
        let parts = parts.min(places + 1).min(known);
        let at = |part: usize| range.slice.key(range.next + part * known / parts - 1);
        let cuts = (1..parts).filter_map(at).filter(|key| range.through != Some(*key));
        cuts.map(|key| Cut { at: key.to_owned(), letter: None }).collect()
    }
}

/// At most so many keys between `last` and `bound`, in byte order, below which there may be many.
fn guesses_after(
    last: &str,
    range: &Unfinished<'_>,
    bound: Option<&str>,
    (own, most): (Option<usize>, usize),
) -> Vec<Cut> {
    let first = range.page.get(0).map_or(last, |object| object.key);
    let differ = first.bytes().zip(last.bytes()).take_while(|(first, last)| first == last).count();
    let letters = Letters::of(range.page, differ);
    let raised = |at: usize, letter: u8| {
        let cut = Cut { at: format!("{}{}", &last[..at], char::from(letter)), letter: Some(at) };
        bound.is_none_or(|bound| cut.at.as_str() < bound).then_some(cut)
    };
    // From the letter that changes from key to key to the first, each raised by one: how far does this go on?
    let is_place = |at: &usize| *at >= range.prefix_bytes && last.is_char_boundary(*at);
    let scale = (0..=differ.min(last.len().saturating_sub(1))).rev().filter(is_place).filter_map(|at| {
        let letter = letters.after(last.as_bytes()[at]).filter(|_| last.as_bytes()[at].is_ascii_alphanumeric())?;
        raised(at, letter)
    });
    let Some(own) = own.filter(|own| *own <= differ && *own < last.len() && is_place(own)) else {
        return in_order(scale.take(most).collect());
    };
    // This range began where a letter was raised, and was right: its other letters are as likely.
    let (coarser, finer): (Vec<Cut>, Vec<Cut>) = scale.partition(|cut| cut.letter.is_some_and(|at| at < own));
    let mut cuts = coarser;
    cuts.truncate(most);
    let siblings: Vec<Cut> = letters.all_after(last.as_bytes()[own]).filter_map(|letter| raised(own, letter)).collect();
    cuts.extend(spread(siblings, most.saturating_sub(cuts.len())));
    let finer = finer.into_iter().filter(|cut| cut.letter != Some(own));
    let left = most.saturating_sub(cuts.len());
    cuts.extend(finer.take(left));
    in_order(cuts)
}

fn in_order(mut cuts: Vec<Cut>) -> Vec<Cut> {
    cuts.sort_by(|a, b| a.at.cmp(&b.at));
    cuts.dedup_by(|a, b| a.at == b.at);
    cuts
}

/// At most so many of them, evenly.
fn spread(cuts: Vec<Cut>, most: usize) -> Vec<Cut> {
    let all = cuts.len();
    if all <= most {
        return cuts;
    }
    cuts.into_iter()
        .enumerate()
        .filter(|(at, _)| at * most / all != (at + 1) * most / all)
        .map(|(_, cut)| cut)
        .collect()
}

/// The ASCII letters that keys are written in, one bit each.
#[derive(Debug, Clone, Copy)]
struct Letters(u128);

impl Letters {
    /// Those that a page's keys have from the byte `from` on. What ends a name is no part of where names go on, nor are
    /// signs, which mostly stand between what does.
    fn of(page: &Objects, from: usize) -> Self {
        let mut letters = 0;
        for object in page.iter().step_by(SAMPLE) {
            let rest = object.key.as_bytes().get(from..).unwrap_or_default();
            let name = memchr::memrchr(b'.', rest).map_or(rest, |dot| &rest[..dot]);
            name.iter().filter(|byte| byte.is_ascii_alphanumeric()).for_each(|byte| letters |= 1 << byte);
        }
        Letters(letters)
    }

    /// The next one after `letter`, in byte order.
    fn after(self, letter: u8) -> Option<u8> {
        self.all_after(letter).next()
    }

    fn all_after(self, letter: u8) -> impl Iterator<Item = u8> {
        (letter.saturating_add(1)..128).filter(move |letter| self.0 >> letter & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compare::slice::Pool;
    use crate::domain::{Claim, Object};

    /// One range of a listing in the memory.
    struct Range {
        slice: std::rc::Rc<Slice>,
        seen: Seen,
        /// The next object, by its place.
        at: usize,
        next: usize,
        through: Option<String>,
        is_guess: bool,
    }

    /// What listing so many objects with so many requests at once has cost.
    #[derive(Debug)]
    struct Cost {
        requests: usize,
        rounds: usize,
    }

    /// Lists `objects` in ranges between the `known` keys, a page of each range at a time.
    fn list(objects: &[String], known: &[String], places: usize) -> Cost {
        let mut slices = Vec::new();
        let mut builder = Pool::default().slice(None);
        for key in known {
            if builder.count() == 3950 {
                let cut = builder.last().map(str::to_owned);
                slices.push(std::mem::replace(&mut builder, Pool::default().slice(cut.clone())).finish(cut));
            }
            builder.push(key, Claim::Record, 0);
        }
        slices.push(builder.finish(None));
        let start = |after: Option<&str>| after.map_or(0, |after| objects.partition_point(|key| key.as_str() <= after));
        let mut waiting = slices.into_iter();
        let mut ranges: Vec<Range> = Vec::new();
        let (mut cost, mut listed, mut guesses) = (Cost { requests: 0, rounds: 0 }, 0, 0);
        loop {
            while ranges.len() < places
                && let Some(slice) = waiting.next()
            {
                let (at, through) = (start(slice.after.as_deref()), slice.through.clone());
                ranges.push(Range {
                    slice: slice.into(),
                    seen: Seen::default(),
                    at,
                    next: 0,
                    through,
                    is_guess: false,
                });
            }
            if ranges.is_empty() {
                break;
            }
            cost.rounds += 1;
            let mut born = Vec::new();
            let mut free = places - ranges.len();
            ranges.retain_mut(|range| {
                cost.requests += 1;
                let end = range.through.as_ref().map_or(objects.len(), |end| start(Some(end)));
                let to = objects.len().min(range.at + 1000);
                let more = to < end;
                let page: Vec<&String> = objects[range.at..to.min(end).max(range.at)].iter().collect();
                listed += page.len();
                if !more {
                    return false;
                }
                let page: Objects = page
                    .into_iter()
                    .map(|key| Object {
                        key: key.clone(),
                        size: 0,
                        last_modified: None,
                        etag: None,
                        archived: false,
                        opaque_etag: false,
                        is_new: false,
                        is_plain: false,
                    })
                    .collect::<Vec<_>>()
                    .iter()
                    .map(Object::as_listed)
                    .collect();
                range.at = to;
                let met = range.slice.count_through(page.last().expect("a key").key) - range.next;
                range.next += met;
                guesses += 1 + usize::from(std::mem::take(&mut range.is_guess));
                range.seen.page(page.len(), met);
                let end = range.through.as_deref().map_or(range.slice.len(), |end| range.slice.count_through(end));
                let unfinished = Unfinished {
                    page: &page,
                    slice: &range.slice,
                    next: range.next,
                    end,
                    through: range.through.as_deref(),
                    prefix_bytes: 0,
                };
                let (cuts, guessed) =
                    range.seen.cuts(&unfinished, Spare { places: free, guesses, is_sliced: waiting.len() == 0 });
                assert!(guessed <= guesses && cuts.len() <= free);
                assert!(cuts.is_sorted_by(|a, b| a.at < b.at));
                assert!(cuts.iter().all(|cut| cut.at.as_str() > page.last().expect("a key").key));
                assert!(cuts.iter().all(|cut| range.through.as_ref().is_none_or(|end| cut.at < *end)));
                guesses -= guessed;
                free -= cuts.len();
                let mut through = range.through.clone();
                for cut in cuts.into_iter().rev() {
                    born.push(Range {
                        slice: range.slice.clone(),
                        seen: Seen::from(cut.letter),
                        at: start(Some(&cut.at)),
                        next: range.slice.count_through(&cut.at),
                        through: through.replace(cut.at),
                        is_guess: cut.letter.is_some(),
                    });
                }
                range.through = through;
                true
            });
            ranges.append(&mut born);
        }
        assert_eq!(listed, objects.len());
        cost
    }

    fn mixed(n: u64) -> u64 {
        let n = (n ^ n >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let n = (n ^ n >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        n ^ n >> 31
    }

    /// Keys as applications make them.
    fn layouts(count: u64) -> Vec<(&'static str, Vec<String>)> {
        let all = |key: &dyn Fn(u64) -> String| {
            let mut keys: Vec<String> = (0..count).map(key).collect();
            keys.sort();
            keys.dedup();
            keys
        };
        let base62 = |n: u64| {
            (0..10)
                .fold((n, String::new()), |(n, text), _| {
                    (
                        n / 62,
                        text + &char::from(
                            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(n % 62) as usize],
                        )
                        .to_string(),
                    )
                })
                .1
        };
        vec![
            ("uuid", all(&|n| format!("uploads/{:016x}.jpg", mixed(n + 1)))),
            ("uuid at the top", all(&|n| format!("{:016x}", mixed(n + 1)))),
            ("base62", all(&|n| format!("u/{}", base62(mixed(n + 1))))),
            ("serial", all(&|n| format!("logs/2026/{n:012}.log.gz"))),
            (
                "dated",
                all(&|n| {
                    format!(
                        "assets/{}/{:02}/{:02}/{n:010}.jpg",
                        2023 + n * 2 / count,
                        n * 24 / count % 12 + 1,
                        n * 720 / count % 30 + 1
                    )
                }),
            ),
            (
                "tenants",
                all(&|n| {
                    format!(
                        "tenants/t{:04}/{:016x}",
                        if mixed(n) % 10 < 7 { 137 } else { mixed(n + 9) % 500 },
                        mixed(n + 1)
                    )
                }),
            ),
            (
                "nested",
                all(&|n| format!("{:02x}/{:02x}/{:016x}", mixed(n + 1) >> 56, mixed(n + 1) >> 48 & 255, mixed(n + 1))),
            ),
            ("not ascii", all(&|n| format!("фото/{:06}-é.jpg", mixed(n) % 1_000_000))),
        ]
    }

    #[test]
    fn a_bucket_that_nobody_knows_is_listed_by_many_at_once() {
        for (name, keys) in layouts(300_000) {
            let pages = keys.len().div_ceil(1000);
            let cost = list(&keys, &[], 64);
            eprintln!("{name}: {pages} pages, {cost:?}");
            assert!(cost.requests <= 2 * pages + 20, "{name}: {pages} pages took {} requests", cost.requests);
            assert!(cost.rounds <= pages / 8, "{name}: {pages} pages took {} rounds", cost.rounds);
        }
    }

    #[test]
    fn what_is_known_of_a_bucket_says_where_to_cut() {
        for (name, keys) in layouts(300_000) {
            let known: Vec<String> = keys.iter().step_by(10).cloned().collect();
            let pages = keys.len().div_ceil(1000);
            let cost = list(&keys, &known, 64);
            eprintln!("{name}: {pages} pages, {cost:?}");
            assert!(cost.requests <= pages * 8 / 5, "{name}: {pages} pages took {} requests", cost.requests);
            assert!(cost.rounds <= pages / 16, "{name}: {pages} pages took {} rounds", cost.rounds);
        }
    }

    #[test]
    fn a_dense_run_among_known_keys_is_cut_too() {
        for (name, foreign) in layouts(200_000) {
            let mut known = layouts(100_000).swap_remove(0).1;
            known.iter_mut().for_each(|key| key.insert(0, 'm'));
            let mut keys: Vec<String> = foreign.into_iter().chain(known.iter().cloned()).collect();
            keys.sort();
            let pages = keys.len().div_ceil(1000);
            let cost = list(&keys, &known, 64);
            eprintln!("{name}: {pages} pages, {cost:?}");
            assert!(cost.requests <= 2 * pages, "{name}: {pages} pages took {} requests", cost.requests);
            assert!(cost.rounds <= pages / 8, "{name}: {pages} pages took {} rounds", cost.rounds);
        }
    }

    proptest! {
        /// `list` checks every cut, and that every object is listed once.
        #[test]
        fn nothing_is_listed_twice_or_not_at_all(
            objects in prop::collection::btree_set("[ab\u{e9}/z]{0,3}[a-c]{4,8}", 0..6000), step in 1_usize..2000, places in 1_usize..40,
        ) {
            let objects: Vec<String> = objects.into_iter().collect();
            let known: Vec<String> = objects.iter().step_by(step).cloned().collect();
            list(&objects, &known, places);
            list(&objects, &[], places);
        }
    }
}
