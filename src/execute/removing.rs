//! Deleting, until each key's fate is known or cannot be learned. Nothing is tried again without a look (I13).

use std::time::{Duration, Instant};

use futures::StreamExt;

use super::Site;
use super::batch::{Fate, Ready};
use super::sight::fresh_until;
use crate::domain::Object;
use crate::judge;
use crate::ledger::Removal;
use crate::storage::{Copies, Presence, Removed};

/// Attempts at a key whose fate stays open, the first included.
const ATTEMPTS: u32 = 4;
pub(super) const SLOW: &str =
    "the store answers so slowly that it may be another file by the time at which it would be deleted";

/// Until when these may be deleted, by when they were looked at; `None`: they may not.
fn until(ready: &[Ready]) -> Option<Instant> {
    fresh_until(ready.iter().map(|ready| ready.seen))
}

/// What a look says of a key whose answer was lost.
enum Learned {
    Settled(Removed),
    /// It is there, as it was: it may be tried again at once.
    Untouched,
    Nothing,
}

/// What a delete came to in the end. The removal is late where an attempt had no answer: the store may carry it out later.
pub(super) struct Answered {
    pub removal: Removal,
    pub answer: Removed,
}

impl Site<'_> {
    /// Deletes objects that were looked at a moment ago, and gives each one's answer. Those of which the look has become
    /// too old are looked at again, and so many of them at once as can be looked at and deleted in that time.
    pub(super) async fn remove_fresh(
        &mut self,
        copies: &dyn Copies,
        mut ready: Vec<Ready>,
        left: &mut Vec<(Removal, Fate)>,
    ) -> Vec<Answered> {
        let mut answered = Vec::new();
        while !ready.is_empty() {
            let mut rest = ready.split_off(self.at_once.min(ready.len()));
            if until(&ready).is_none() {
                ready = self.look_once_more(ready, left).await;
            }
            let (asked, half) = (ready.len(), ready.len().div_ceil(2));
            let mut untried = match until(&ready) {
                Some(until) => self.remove_surely(copies, ready, until, &mut answered).await,
                None => ready,
            };
            if asked > 0 && untried.len() == asked {
                self.at_once = half;
            }
            let is_hopeless = asked == 1 && untried.len() == 1;
            untried.append(&mut rest);
            ready = untried;
            if is_hopeless {
                // Nobody could say of the others either what they are.
                left.extend(ready.drain(..).map(|ready| (ready.removal, Fate::Fail(SLOW.to_owned()))));
            }
        }
        answered
    }

    /// Deletes as many as can be asked for until then, and gives the others, of which another look is due.
    async fn remove_surely(
        &self,
        copies: &dyn Copies,
        ready: Vec<Ready>,
        until: Instant,
        answered: &mut Vec<Answered>,
    ) -> Vec<Ready> {
        let (removals, plain): (Vec<Removal>, Vec<bool>) =
            ready.into_iter().map(|ready| (ready.removal, ready.is_plain)).unzip();
        let mut late = vec![false; removals.len()];
        let answers = self.answers(copies, &removals, until, &mut late).await;
        let mut untried = Vec::new();
        for (((removal, answer), late), is_plain) in removals.into_iter().zip(answers).zip(late).zip(plain) {
            match answer {
                Removed::NotTried => untried.push(Ready { removal, seen: None, is_plain }),
                answer => answered.push(Answered { removal: Removal { late, ..removal }, answer }),
            }
        }
        untried
    }

    async fn answers(
        &self,
        copies: &dyn Copies,
        removals: &[Removal],
        mut until: Instant,
        late: &mut [bool],
    ) -> Vec<Removed> {
        let mut answers = vec![Removed::NotTried; removals.len()];
        let mut trying: Vec<usize> = (0..removals.len()).collect();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                // The wait comes before the look, and nothing between the look and the next attempt.
                tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
                (trying, until) = self.untouched(removals, &mut answers).await;
            }
            let objects: Vec<&Object> = trying.iter().map(|&at| &removals[at].object).collect();
            for (&at, answer) in trying.iter().zip(copies.remove_unchanged(&objects, until).await) {
                late[at] |= matches!(answer, Removed::Unknown(_));
                // What was tried once is not untried for it.
                if answer != Removed::NotTried {
                    answers[at] = answer;
                }
            }
            if !answers.iter().any(|answer| matches!(answer, Removed::Unknown(_))) {
                return answers;
            }
        }
        self.untouched(removals, &mut answers).await;
        answers
    }

    /// Looks up every key whose fate is open. Gives those that are still there as they were, and until when they may be
    /// deleted for that; none of which the look is too old by the time of the last.
    async fn untouched(&self, removals: &[Removal], answers: &mut [Removed]) -> (Vec<usize>, Instant) {
        let is_open = |at: &usize| matches!(answers[*at], Removed::Unknown(_));
        let open: Vec<usize> = (0..answers.len()).filter(is_open).collect();
        let ways: Vec<_> = open.iter().map(|at| self.learn(&removals[*at])).collect();
        let learned: Vec<(Instant, Learned)> = futures::stream::iter(ways).buffered(self.concurrency).collect().await;
        let mut untouched = Vec::new();
        for (at, (seen, learned)) in open.into_iter().zip(learned) {
            match learned {
                Learned::Settled(settled) => answers[at] = settled,
                Learned::Untouched => untouched.push((at, seen)),
                Learned::Nothing => {}
            }
        }
        untouched.retain(|(_, seen)| fresh_until(std::iter::once(Some(*seen))).is_some());
        let until = fresh_until(untouched.iter().map(|(_, seen)| Some(*seen))).unwrap_or_else(Instant::now);
        (untouched.into_iter().map(|(at, _)| at).collect(), until)
    }

    /// What became of a key, and when it was looked up.
    async fn learn(&self, removal: &Removal) -> (Instant, Learned) {
        let begun = Instant::now();
        let learned = match self.store.look(&removal.object.key).await {
            Ok(Presence::Missing) => match self.store.is_there().await {
                Ok(()) => Learned::Settled(Removed::Gone),
                Err(_) => Learned::Nothing,
            },
            Ok(Presence::Present(now)) if judge::is_unchanged(&removal.object, &now) => Learned::Untouched,
            Ok(Presence::Present(_)) => Learned::Settled(Removed::Changed),
            Ok(Presence::Unknown(_)) | Err(_) => Learned::Nothing,
        };
        (begun, learned)
    }
}
