//! Deleting, until each key's fate is known or cannot be learned. Nothing is tried again without a look (I13), and nothing is
//! deleted by a look, or by an answer of the sources, that has become too old (I8).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::batch::{Fate, Ready, WANTED};
use super::sight::{Found, Scene, fresh_until, singly};
use super::{ANSWER_LASTS, ASK, Answer, DELETE_BATCH, Pace, Site};
use crate::domain::Object;
use crate::judge;
use crate::ledger::Removal;
use crate::storage::{Copies, Removed};

/// Attempts at a key whose fate stays open, the first included.
const ATTEMPTS: u32 = 4;
/// Rounds in which nothing was tried and no part became smaller.
const MOST_IN_VAIN: u32 = 3;
const STOPPED: &str = "the run was stopped before it was deleted";
pub(super) const SLOW: &str =
    "the store answers so slowly that it may be another file by the time at which it would be deleted";

/// Until when these may be deleted, by when they were looked at; `None`: they may not.
fn until(ready: &[Ready]) -> Option<Instant> {
    fresh_until(ready.iter().map(|ready| ready.seen))
}

/// When the sources were asked about the files of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    by_key: Instant,
    /// How long that took.
    by_key_took: Duration,
    /// Those that are read whole to be asked, and how long that took.
    whole: Instant,
    took: Duration,
}

impl Asked {
    /// Those that are asked by key are asked now.
    pub fn now(answer: &Answer) -> Self {
        Asked { by_key: Instant::now(), by_key_took: Duration::ZERO, whole: answer.ended, took: answer.took }
    }

    /// The others were read once more.
    pub fn again_whole(self) -> Self {
        Asked { whole: Instant::now(), ..self }
    }

    /// Until when the answers last, each for ten seconds or as long as it took.
    fn until(&self, are_any_whole: bool) -> Instant {
        let by_key = self.by_key + self.by_key_took.max(ANSWER_LASTS);
        let whole = self.whole + self.took.max(ANSWER_LASTS);
        if are_any_whole { by_key.min(whole) } else { by_key }
    }
}

/// What a delete came to in the end. The removal is late where an attempt had no answer: the store may carry it out later.
pub(super) struct Answered {
    pub removal: Removal,
    pub answer: Removed,
}

/// What the attempts at the removals of a batch came to so far.
#[derive(Default)]
struct Tries {
    answered: Vec<Answered>,
    /// Those of which an attempt had no answer, and nobody knows more yet.
    open: Vec<Removal>,
    /// What the store said instead, by the removal's number.
    said: HashMap<i64, String>,
}

impl Site<'_> {
    /// Deletes objects that were looked at a moment ago, and gives each one's answer. What had no answer is looked up, and
    /// goes the same way once more where it is as it was.
    pub(super) async fn remove_fresh(
        &mut self,
        copies: &dyn Copies,
        ready: Vec<Ready>,
        mut asked: Asked,
        left: &mut Vec<(Removal, Fate)>,
    ) -> Vec<Answered> {
        let mut tries = Tries::default();
        self.remove_in_parts(copies, ready, &mut asked, &mut tries, left).await;
        for attempt in 1..ATTEMPTS {
            if tries.open.is_empty() {
                break;
            }
            // The wait comes before the looks, and nothing between a look and the next attempt.
            tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
            let open = std::mem::take(&mut tries.open).into_iter();
            let ready = open.map(|removal| Ready { removal, seen: None, is_plain: true }).collect();
            self.remove_in_parts(copies, ready, &mut asked, &mut tries, left).await;
        }
        let untouched = self.look_up(std::mem::take(&mut tries.open), &mut tries).await;
        tries.open.extend(untouched.into_iter().map(|ready| ready.removal));
        let Tries { mut answered, open, mut said } = tries;
        answered.extend(open.into_iter().map(|removal| {
            let reason = said.remove(&removal.id).unwrap_or_else(|| "it was not tried".to_owned());
            Answered { removal, answer: Removed::Unknown(reason) }
        }));
        answered
    }

    /// Tries each of these once. Those of which the look has become too old are looked at again, and so many of them at once
    /// as can be looked at and deleted in that time; more again where there is time.
    async fn remove_in_parts(
        &mut self,
        copies: &dyn Copies,
        mut ready: Vec<Ready>,
        asked: &mut Asked,
        tries: &mut Tries,
        left: &mut Vec<(Removal, Fate)>,
    ) {
        let (mut is_first, mut rounds_in_vain) = (true, 0);
        while !ready.is_empty() {
            // The batch in hand is finished, unless the store is too slow for that.
            let may_stop = self.pace == Pace::UntilStopped && !std::mem::replace(&mut is_first, false);
            if may_stop && self.must_stop().is_some() {
                return leave(ready, tries, left, || Fate::Fail(STOPPED.to_owned()));
            }
            if rounds_in_vain > MOST_IN_VAIN {
                return leave(ready, tries, left, || Fate::Fail(SLOW.to_owned()));
            }
            let before = (ready.len(), self.at_once);
            let mut rest = ready.split_off(self.at_once.min(ready.len()));
            let mut part = std::mem::take(&mut ready);
            let was_fresh = until(&part).is_some();
            if !was_fresh {
                part = self.look_anew(part, tries, left).await;
                if until(&part).is_none() && part.len() > 1 {
                    self.at_once = part.len().div_ceil(2);
                    part.append(&mut rest);
                    ready = part;
                    continue;
                }
            }
            // One alone goes where the delete itself says what it is to be, however old the look at it is.
            let has_condition = |ready: &Ready| ready.removal.object.bare_etag().is_some();
            let may_be_old = part.len() == 1 && copies.heeds_conditions() && part.iter().all(has_condition);
            if until(&part).is_none() && !part.is_empty() && !may_be_old {
                // Nobody could say of the others either what they are.
                part.append(&mut rest);
                return leave(part, tries, left, || Fate::Fail(SLOW.to_owned()));
            }
            match self.ask_anew([&mut part, &mut rest], asked, tries).await {
                Ok(wanted) => left.extend(wanted.into_iter().map(|removal| (removal, Fate::Skip(WANTED.to_owned())))),
                Err(error) => {
                    part.append(&mut rest);
                    return leave(part, tries, left, || Fate::Fail(format!("{error:#}")));
                }
            }
            let answers_last = asked.until(self.streams_again());
            let looks_last = if may_be_old { Some(answers_last) } else { until(&part) };
            if let (Some(looks_last), false) = (looks_last, part.is_empty()) {
                let (at_once, did_heed) = (self.at_once, copies.heeds_conditions());
                part = self.try_once(copies, part, looks_last.min(answers_last), tries).await;
                if was_fresh && self.at_once == at_once {
                    self.at_once = (2 * at_once).min(DELETE_BATCH);
                }
                if did_heed && !copies.heeds_conditions() {
                    // Nobody has tried whether its listing lags.
                    self.sight.believe_none();
                    rest.iter_mut().for_each(|ready| ready.seen = None);
                }
            }
            // What was not tried, as the question or the deletes before it took so long, is looked at again.
            part.append(&mut rest);
            ready = part;
            rounds_in_vain = if (ready.len(), self.at_once) == before { rounds_in_vain + 1 } else { 0 };
        }
    }

    /// Sends the deletes of a part until then. Gives those that were not sent.
    async fn try_once(
        &mut self,
        copies: &dyn Copies,
        part: Vec<Ready>,
        until: Instant,
        tries: &mut Tries,
    ) -> Vec<Ready> {
        let objects: Vec<&Object> = part.iter().map(|ready| &ready.removal.object).collect();
        let answers = copies.remove_unchanged(&objects, until).await;
        let (asked, mut untried) = (part.len(), Vec::new());
        for (ready, answer) in part.into_iter().zip(answers) {
            match answer {
                Removed::NotTried => untried.push(Ready { seen: None, ..ready }),
                Removed::Unknown(reason) => {
                    tries.said.insert(ready.removal.id, reason);
                    tries.open.push(Removal { late: true, ..ready.removal });
                }
                answer => tries.answered.push(Answered { removal: ready.removal, answer }),
            }
        }
        if !untried.is_empty() {
            self.at_once = (asked - untried.len()).max(1);
        }
        untried
    }

    /// Looks at the objects of a part again. Gives those that are as they were.
    async fn look_anew(&mut self, part: Vec<Ready>, tries: &mut Tries, left: &mut Vec<(Removal, Fate)>) -> Vec<Ready> {
        let (late, first): (Vec<_>, Vec<_>) = part.into_iter().partition(|ready| ready.removal.late);
        let mut unchanged = self.look_once_more(first, left).await;
        unchanged.extend(self.look_up(late.into_iter().map(|ready| ready.removal).collect(), tries).await);
        unchanged
    }

    /// Looks up removals of which an attempt had no answer; gives those whose objects are there as they were.
    async fn look_up(&self, open: Vec<Removal>, tries: &mut Tries) -> Vec<Ready> {
        let keys: Vec<&str> = open.iter().map(|removal| removal.object.key.as_str()).collect();
        let scene = Scene { store: self.store, below: &self.config.storage.prefix, concurrency: self.concurrency };
        let looks = singly(scene, &keys).await;
        // Looks that answered "missing" mean nothing where the bucket is gone.
        let is_any_missing = looks.iter().any(|look| matches!(look.found, Found::Missing));
        let are_missing = is_any_missing && self.store.is_there().await.is_ok();
        let mut untouched = Vec::new();
        for (removal, look) in open.into_iter().zip(looks) {
            match look.found {
                Found::Missing if are_missing => tries.answered.push(Answered { removal, answer: Removed::Gone }),
                Found::Present(now) if judge::is_unchanged(&removal.object, &now) => {
                    untouched.push(Ready { removal, seen: Some(look.at), is_plain: now.is_plain });
                }
                Found::Present(_) => tries.answered.push(Answered { removal, answer: Removed::Changed }),
                Found::Missing | Found::Unknown(_) | Found::Unlooked => tries.open.push(removal),
            }
        }
        untouched
    }

    /// Asks the sources once more about all that is left, where their answer has become too old. Gives what is wanted; of
    /// what is wanted and late nobody knows what becomes.
    async fn ask_anew(
        &mut self,
        parts: [&mut Vec<Ready>; 2],
        asked: &mut Asked,
        tries: &mut Tries,
    ) -> Result<Vec<Removal>> {
        if Instant::now() <= asked.until(self.streams_again()) {
            return Ok(Vec::new());
        }
        let ready = parts.iter().flat_map(|part| part.iter().map(Ready::key));
        let keys: Vec<&str> = ready.chain(tries.open.iter().map(|removal| removal.object.key.as_str())).collect();
        self.still_alone().await?;
        let answer = self.stream(&keys).await?;
        let begun = Instant::now();
        let mut wanted = self.wanted_now(&keys).await.context(ASK)?;
        // Both have answered, about every file that may yet go.
        *asked = Asked { by_key: Instant::now(), by_key_took: begun.elapsed(), whole: answer.ended, took: answer.took };
        wanted.extend(answer.wanted);
        let mut found: Vec<Removal> = Vec::new();
        for part in parts {
            found.extend(part.extract_if(.., |ready| wanted.contains(ready.key())).map(|ready| ready.removal));
        }
        found.extend(tries.open.extract_if(.., |removal| wanted.contains(&removal.object.key)));
        let (late, wanted): (Vec<_>, Vec<_>) = found.into_iter().partition(|removal| removal.late);
        tries.answered.extend(late.into_iter().map(|removal| Answered {
            removal,
            answer: Removed::Unknown(format!("a delete without an answer may still be carried out, and {WANTED}")),
        }));
        Ok(wanted)
    }
}

/// Leaves files where they are. Where an attempt had no answer, nobody knows that yet: it stays open.
fn leave(ready: Vec<Ready>, tries: &mut Tries, left: &mut Vec<(Removal, Fate)>, fate: impl Fn() -> Fate) {
    for Ready { removal, .. } in ready {
        match removal.late {
            true => tries.open.push(removal),
            false => left.push((removal, fate())),
        }
    }
}
