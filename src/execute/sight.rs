//! Looks at many objects at once, just before something rests on what they are (I8): by a listing where it is believed and
//! they lie close together, by a HEAD each elsewhere.
//!
//! A listing is believed only after the run's first candidates were the same both ways, and only as long as it tells the
//! truth: it must not name what was just removed, and what it lacks is looked at by itself, so that nothing is called
//! missing for its sake.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::StreamExt;

use super::batch::Fate;
use super::spans::{Density, Part, Span, just_before};
use crate::domain::Object;
use crate::domain::key::Printable;
use crate::judge;
use crate::storage::{Copies, Hands, Kept, Presence, Store};

/// Candidates that must be the same both ways before a listing is believed.
const FIRST: usize = 20;
/// Of fewer candidates each is looked at by itself: what a listing could spare is not worth the trial.
const FEWEST: u64 = 2 * FIRST as u64;
/// No delete rests on a look that is older than this.
const LASTS: Duration = Duration::from_secs(5);

/// Whether what the listing says is believed, just before a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// It is being tried: so many candidates were the same both ways.
    Trying(usize),
    Believed,
    Never,
}

/// What a look at one key has found, and when it was begun.
#[derive(Debug)]
pub(super) struct Look {
    pub at: Instant,
    pub found: Found,
}

#[derive(Debug)]
pub(super) enum Found {
    Present(Object),
    Missing,
    /// Nobody knows, and why.
    Unknown(String),
    /// It was not looked at yet.
    Unlooked,
}

impl Look {
    /// What becomes of the removal of an object, which is still the one that was judged, or is not.
    pub fn fate(&self, object: &Object) -> Fate {
        match &self.found {
            Found::Present(now) if judge::is_still(object, now) => Fate::Go,
            Found::Present(_) => Fate::Skip("it changed".to_owned()),
            Found::Missing => Fate::Skip("it is gone already".to_owned()),
            Found::Unknown(reason) => Fate::Fail(reason.clone()),
            // Nothing is deleted before it is.
            Found::Unlooked => Fate::Go,
        }
    }
}

impl Look {
    /// When it was begun; `None`: there was none.
    pub fn at(&self) -> Option<Instant> {
        (!matches!(self.found, Found::Unlooked)).then_some(self.at)
    }

    /// Whether the object has nothing that a copy would lose that is told nothing, as far as it was looked at.
    pub fn is_plain(&self) -> bool {
        match &self.found {
            Found::Present(now) => now.is_plain,
            found => matches!(found, Found::Unlooked),
        }
    }
}

/// Until when deletes may rest on looks that were begun at these times; `None`: they may not.
pub(super) fn fresh_until(looks: impl Iterator<Item = Option<Instant>>) -> Option<Instant> {
    let oldest = looks.collect::<Option<Vec<_>>>()?.into_iter().min()?;
    Some(oldest + LASTS).filter(|until| *until > Instant::now())
}

/// What is looked at.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub store: &'a dyn Store,
    /// What the listing is asked for begins with this.
    pub below: &'a str,
    /// Requests in flight at most.
    pub concurrency: usize,
}

/// The looks of a run.
#[derive(Debug)]
pub struct Sight {
    trust: Trust,
    density: Density,
    /// How close together the copies of this run lie in the trash.
    in_trash: Density,
    /// The last object that was removed: a listing that still names it lags.
    removed: Option<Object>,
    /// What copies keep, by what was tried, and by the first files.
    kept: Kept,
    /// Whether one of the first files has what a copy keeps only where it is told: so may many others.
    has_rare: bool,
}

/// Whether everything is to be looked at, or, where a copy needs no look at the file, only what a listing answers for: the rest
/// is looked at before it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    Every,
    Listed,
}

/// What a page says, or why it says nothing; and when it was asked for.
type Paged = (Instant, Result<Span>);

impl Sight {
    /// Of a run that is to remove so many files.
    pub fn new(store: &dyn Store, candidates: u64) -> Self {
        let may_be_believed = matches!(store.hands(), Hands::Copies(_)) && store.lists_ranges();
        let is_tried = may_be_believed && candidates >= FEWEST;
        let trust = if is_tried { Trust::Trying(0) } else { Trust::Never };
        let density = Density::default();
        Sight { trust, density, in_trash: density, removed: None, kept: Kept::Unknown, has_rare: false }
    }

    /// Whether it may come to be believed.
    pub(super) fn is_trying(&self) -> bool {
        matches!(self.trust, Trust::Trying(_))
    }

    /// Believes none from the start: what has changed is not listed at once, or nobody knows.
    pub(super) fn believe_none(&mut self) {
        tracing::info!("each file is looked at by itself, as it could not be tried that changes are listed at once");
        self.trust = Trust::Never;
    }

    /// Whether it is believed, or may come to be.
    pub(super) fn may_be_believed(&self) -> bool {
        self.trust != Trust::Never
    }

    /// Notes what copies keep.
    pub(super) fn set_kept(&mut self, kept: Kept) {
        self.kept = kept;
    }

    /// What copies keep, as far as they can be looked at by a listing.
    pub(super) fn kept(&self) -> Kept {
        if self.trust == Trust::Believed { self.kept } else { Kept::Unknown }
    }

    /// Looks at copies that were just made in the trash, below `scene.below`. One that the listing lacks shows that it lags.
    pub(super) async fn look_in_trash(&mut self, scene: Scene<'_>, keys: &[&str]) -> Vec<Look> {
        let mut sight = Sight { density: self.in_trash, removed: None, ..*self };
        let looks = sight.look(scene, keys, Effort::Every).await;
        (self.trust, self.in_trash, self.kept) = (sight.trust, sight.density, sight.kept);
        looks
    }

    /// Notes an object that was just removed, the last one in byte order.
    pub fn removed(&mut self, object: Option<Object>) {
        self.removed = object;
    }

    /// Looks at these keys; the answers are in their order.
    pub(super) async fn look(&mut self, scene: Scene<'_>, keys: &[&str], effort: Effort) -> Vec<Look> {
        let Hands::Copies(copies) = scene.store.hands() else { return singly(scene, keys).await };
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|at| keys[*at]);
        let sorted: Vec<&str> = order.iter().map(|at| keys[*at]).collect();
        let tried = match self.trust {
            Trust::Trying(agreed) => sorted.len().min(FIRST - agreed),
            _ => 0,
        };
        let mut looks = match tried {
            0 => Vec::new(),
            _ => self.both_ways(copies, scene, &sorted, tried).await,
        };
        looks.extend(match self.trust {
            Trust::Believed => {
                let effort = if self.kept == Kept::All && !self.has_rare { effort } else { Effort::Every };
                self.by_listing(copies, scene, &sorted[tried..], effort).await
            }
            _ => singly(scene, &sorted[tried..]).await,
        });
        let mut looks: Vec<(usize, Look)> = order.into_iter().zip(looks).collect();
        looks.sort_unstable_by_key(|(at, _)| *at);
        looks.into_iter().map(|(_, look)| look).collect()
    }

    /// Looks at the first `tried` of these keys both ways, and gives what the HEADs say.
    async fn both_ways(&mut self, copies: &dyn Copies, scene: Scene<'_>, keys: &[&str], tried: usize) -> Vec<Look> {
        let listed = self.listed(copies, scene, keys, tried).await;
        let looks = singly(scene, &keys[..tried]).await;
        let Some(listed) = listed else {
            self.trust = Trust::Never;
            return looks;
        };
        for ((key, look), listed) in keys.iter().zip(&looks).zip(listed) {
            match (&look.found, listed) {
                (Found::Present(now), Some(listed)) if judge::is_listed_as(&listed, now) => {
                    self.has_rare |= !now.is_plain;
                    // It has what only a look shows: so may others have.
                    if listed.is_plain && !now.is_plain {
                        self.kept = self.kept.min(Kept::Told);
                    }
                    if let Trust::Trying(agreed) = &mut self.trust {
                        *agreed += 1;
                    }
                }
                // Nothing is there, or nobody knows what: that is no sign of either.
                (Found::Missing, None) | (Found::Unknown(_), _) => {}
                _ => self.doubt(key, "the listing says something else of it than a look at it"),
            }
        }
        if self.trust == Trust::Trying(FIRST) {
            self.trust = Trust::Believed;
        }
        looks
    }

    /// What the listing says of the first `tried` of these keys; `None`: it does not answer for them.
    async fn listed(
        &mut self,
        copies: &dyn Copies,
        scene: Scene<'_>,
        keys: &[&str],
        tried: usize,
    ) -> Option<Vec<Option<Object>>> {
        let mut listed = Vec::new();
        while listed.len() < tried {
            let rest = &keys[listed.len()..];
            let (_, span) = page(copies, scene, just_before(rest[0])).await;
            let span = span.inspect_err(|error| tracing::info!("each file is looked at by itself: {error:#}")).ok()?;
            let held = rest.iter().take_while(|key| span.answers(key)).count();
            if held == 0 {
                return None;
            }
            self.density.learn(held, held == rest.len());
            listed.extend(rest[..held.min(tried - listed.len())].iter().map(|key| span.find(key)));
        }
        Some(listed)
    }

    /// Looks at these keys by the listing, where they lie close together. What it lacks is looked at singly.
    async fn by_listing(&mut self, copies: &dyn Copies, scene: Scene<'_>, keys: &[&str], effort: Effort) -> Vec<Look> {
        let mut looks: Vec<Option<Look>> = keys.iter().map(|_| None).collect();
        let mut parts = self.density.parts(0..keys.len());
        let (mut unseen, mut lacking) = (Vec::new(), Vec::new());
        while !parts.is_empty() {
            let (listed, rest) = split(parts);
            unseen.extend(rest.into_iter().flatten());
            let pages: Vec<_> = listed.iter().map(|part| page(copies, scene, self.begin(keys, part))).collect();
            let pages: Vec<Paged> = futures::stream::iter(pages).buffered(scene.concurrency).collect().await;
            parts = Vec::new();
            for (part, (at, span)) in listed.into_iter().zip(pages) {
                match span {
                    Ok(span) => parts.extend(self.take((at, span), keys, part, &mut looks, &mut lacking)),
                    // No removal rests on a listing that fails: these files stay.
                    Err(error) => {
                        let reason = format!("it could not be looked at again: {error:#}");
                        self.doubt(keys[part.start], "the listing failed");
                        part.for_each(|key| looks[key] = Some(Look { at, found: Found::Unknown(reason.clone()) }));
                    }
                }
            }
        }
        self.look_at_lacking(scene, keys, lacking, &mut looks).await;
        if self.trust == Trust::Never {
            // Nothing that it said is believed any more.
            let is_said = |look: &Look| !matches!(look.found, Found::Unknown(_));
            let said = looks.iter().enumerate().filter(|(_, look)| look.as_ref().is_some_and(is_said));
            unseen.extend(said.map(|(key, _)| key).collect::<Vec<_>>());
        } else if effort == Effort::Listed {
            let unlooked = || Look { at: Instant::now(), found: Found::Unlooked };
            unseen.drain(..).for_each(|key| looks[key] = Some(unlooked()));
        }
        fill(scene, keys, unseen, &mut looks).await;
        let never = || Look { at: Instant::now(), found: Found::Unknown("it was not looked at".to_owned()) };
        looks.into_iter().map(|look| look.unwrap_or_else(never)).collect()
    }

    /// Looks singly at what a page should name and does not. One that is there all the same shows a listing that lags, or
    /// that ended early.
    async fn look_at_lacking(
        &mut self,
        scene: Scene<'_>,
        keys: &[&str],
        lacking: Vec<usize>,
        looks: &mut [Option<Look>],
    ) {
        fill(scene, keys, lacking.clone(), looks).await;
        let is_there = |key: &&usize| matches!(&looks[**key], Some(Look { found: Found::Present(_), .. }));
        if let Some(key) = lacking.iter().find(is_there) {
            self.doubt(keys[*key], "the listing does not name it, and it is there");
        }
    }

    /// Takes what a page says of the keys of a part; gives how the rest of it is to be looked at.
    fn take(
        &mut self,
        (at, span): (Instant, Span),
        keys: &[&str],
        part: Range<usize>,
        looks: &mut [Option<Look>],
        lacking: &mut Vec<usize>,
    ) -> Vec<Part> {
        let removed = self.removed.take_if(|removed| span.answers(&removed.key));
        let is_for_removed = removed.as_ref().is_some_and(|removed| part.start == 0 && removed.key.as_str() < keys[0]);
        if let Some(removed) = removed
            && span.find(&removed.key).is_some_and(|listed| judge::is_unchanged(&removed, &listed))
        {
            self.doubt(&removed.key, "the listing still names it, and it was just removed");
        }
        let held = keys[part.start..].iter().take_while(|key| span.answers(key)).count();
        if held == 0 && is_for_removed {
            // It ended between what was removed and the first of these, of which it says nothing.
            return vec![Part::Listed(part)];
        }
        for key in part.start..(part.start + held).min(part.end) {
            match span.find(keys[key]) {
                Some(object) => looks[key] = Some(Look { at, found: Found::Present(object) }),
                None => lacking.push(key),
            }
        }
        self.density.rest(part.clone(), held, part.start + held == keys.len())
    }

    /// After what the listing of a part begins: the first one also answers for what was just removed.
    fn begin(&self, keys: &[&str], part: &Range<usize>) -> String {
        let first = keys[part.start];
        let removed = self.removed.as_ref().map(|removed| removed.key.as_str());
        just_before(removed.filter(|removed| part.start == 0 && *removed < first).unwrap_or(first))
    }

    /// Believes the listing no more.
    fn doubt(&mut self, key: &str, why: &str) {
        if self.trust != Trust::Never {
            tracing::warn!("{}: {why}; from now on each file is looked at by itself", Printable(key));
            self.trust = Trust::Never;
        }
    }
}

/// The parts that are listed, and the others.
fn split(parts: Vec<Part>) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (mut listed, mut singly) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Listed(keys) => listed.push(keys),
            Part::Singly(keys) => singly.push(keys),
        }
    }
    (listed, singly)
}

/// Looks singly at those of the keys that stand at these places.
async fn fill(scene: Scene<'_>, keys: &[&str], places: Vec<usize>, looks: &mut [Option<Look>]) {
    let asked: Vec<&str> = places.iter().map(|key| keys[*key]).collect();
    for (key, look) in places.into_iter().zip(singly(scene, &asked).await) {
        looks[key] = Some(look);
    }
}

/// Lists one page.
async fn page(copies: &dyn Copies, scene: Scene<'_>, after: String) -> Paged {
    let at = Instant::now();
    let page = copies.page(scene.below, &after).await;
    (at, page.and_then(|page| Span::of(page, scene.below, after)))
}

/// Looks at each key by itself.
pub(super) async fn singly(scene: Scene<'_>, keys: &[&str]) -> Vec<Look> {
    let looks: Vec<_> = keys.iter().map(|key| one(scene.store, key)).collect();
    futures::stream::iter(looks).buffered(scene.concurrency).collect().await
}

async fn one(store: &dyn Store, key: &str) -> Look {
    let at = Instant::now();
    let found = match store.look(key).await {
        Ok(Presence::Present(now)) => Found::Present(now),
        Ok(Presence::Missing) => Found::Missing,
        Ok(Presence::Unknown(reason)) => Found::Unknown(reason),
        Err(error) => Found::Unknown(format!("it could not be looked at again: {error:#}")),
    };
    Look { at, found }
}
