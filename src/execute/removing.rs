//! Deleting, until each key's fate is known or cannot be learned. Nothing is tried again without a look (I13), and nothing is
//! deleted by a look, or by an answer of the sources, that has become too old (I8).

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::batch::{Fate, Ready, WANTED};
use super::sight::{Found, Scene, fresh_until, singly};
use super::{ANSWER_LASTS, ASK, Answer, DELETE_BATCH, Site};
use crate::domain::Object;
use crate::judge;
use crate::ledger::Removal;
use crate::storage::{Copies, Removed};

/// Attempts at a key whose fate stays open, the first included.
const ATTEMPTS: u32 = 4;
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
    /// Those that are read whole to be asked, and how long that took.
    whole: Instant,
    took: Duration,
}

impl Asked {
    /// Those that are asked by key are asked now.
    pub fn now(answer: &Answer) -> Self {
        Asked { by_key: Instant::now(), whole: answer.ended, took: answer.took }
    }

    /// The others were read once more.
    pub fn again_whole(self) -> Self {
        Asked { whole: Instant::now(), ..self }
    }

    fn is_old_by_key(&self) -> bool {
        self.by_key.elapsed() > ANSWER_LASTS
    }

    fn is_old_whole(&self) -> bool {
        self.whole.elapsed() > self.took.max(ANSWER_LASTS)
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
        while !ready.is_empty() {
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
            let may_be_old = part.len() == 1 && copies.heeds_conditions();
            if until(&part).is_none() && !part.is_empty() && !may_be_old {
                // Nobody could say of the others either what they are.
                part.append(&mut rest);
                return leave(part, tries, left, || Fate::Fail(SLOW.to_owned()));
            }
            match self.ask_anew(&part, asked).await {
                Ok(wanted) => {
                    let (kept, going): (Vec<_>, Vec<_>) =
                        part.into_iter().partition(|ready| wanted.contains(ready.key()));
                    left.extend(kept.into_iter().map(|ready| (ready.removal, Fate::Skip(WANTED.to_owned()))));
                    part = going;
                }
                Err(error) => {
                    part.append(&mut rest);
                    return leave(part, tries, left, || Fate::Fail(format!("{error:#}")));
                }
            }
            if until(&part).is_some() || may_be_old {
                let at_once = self.at_once;
                part = self.try_once(copies, part, tries).await;
                if was_fresh && self.at_once == at_once {
                    self.at_once = (2 * at_once).min(DELETE_BATCH);
                }
            }
            // What was not tried, as the question or the deletes before it took so long, is looked at again.
            part.append(&mut rest);
            ready = part;
        }
    }

    /// Sends the deletes of a part, as long as its looks last. Gives those that were not sent.
    async fn try_once(&mut self, copies: &dyn Copies, part: Vec<Ready>, tries: &mut Tries) -> Vec<Ready> {
        let until = until(&part).unwrap_or_else(Instant::now);
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

    /// Asks the sources about a part once more, where their answer has become too old. Gives what is wanted.
    async fn ask_anew(&mut self, part: &[Ready], asked: &mut Asked) -> Result<HashSet<String>> {
        let keys: Vec<&str> = part.iter().map(Ready::key).collect();
        let mut wanted = HashSet::new();
        if keys.is_empty() {
            return Ok(wanted);
        }
        if self.streams_again() && asked.is_old_whole() {
            let answer = self.stream(&keys).await?;
            wanted.extend(answer.wanted);
            (asked.whole, asked.took) = (answer.ended, answer.took);
        }
        if asked.is_old_by_key() {
            let begun = Instant::now();
            self.still_alone().await?;
            wanted.extend(self.wanted_now(&keys).await.context(ASK)?);
            asked.by_key = begun;
        }
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
