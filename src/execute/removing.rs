//! Deleting, until each key's fate is known or cannot be learned. Nothing is tried again without a look (I13).

use std::time::Duration;

use super::Site;
use super::batch::{Fate, Ready};
use super::sight::is_fresh;
use crate::domain::Object;
use crate::judge;
use crate::ledger::Removal;
use crate::storage::{Copies, Presence, Removed};

/// Attempts at a key whose fate stays open, the first included.
const ATTEMPTS: u32 = 4;
const SLOW: &str = "the store answers so slowly that it may be another file by the time at which it would be deleted";

/// Whether a delete may rest on what these were when they were looked at.
fn are_fresh(ready: &[Ready]) -> bool {
    ready.iter().all(|ready| is_fresh(ready.seen))
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
            let rest = ready.split_off(self.at_once.min(ready.len()));
            let mut part = std::mem::replace(&mut ready, rest);
            if !are_fresh(&part) {
                part = self.look_once_more(part, left).await;
            }
            if are_fresh(&part) {
                answered.extend(self.remove_surely(copies, part).await);
                continue;
            }
            if part.len() == 1 {
                // Nobody could say of the others either what they are.
                part.append(&mut ready);
                left.extend(part.into_iter().map(|ready| (ready.removal, Fate::Fail(SLOW.to_owned()))));
                break;
            }
            self.at_once = part.len().div_ceil(2);
            part.append(&mut ready);
            ready = part;
        }
        answered
    }

    async fn remove_surely(&self, copies: &dyn Copies, ready: Vec<Ready>) -> Vec<Answered> {
        let removals: Vec<Removal> = ready.into_iter().map(|ready| ready.removal).collect();
        let mut late = vec![false; removals.len()];
        let answers = self.answers(copies, &removals, &mut late).await;
        let answered = removals.into_iter().zip(answers).zip(late);
        answered.map(|((removal, answer), late)| Answered { removal: Removal { late, ..removal }, answer }).collect()
    }

    async fn answers(&self, copies: &dyn Copies, removals: &[Removal], late: &mut [bool]) -> Vec<Removed> {
        let mut answers = vec![Removed::Unknown("it was not tried".to_owned()); removals.len()];
        let mut trying: Vec<usize> = (0..removals.len()).collect();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                // The wait comes before the look, and nothing between the look and the next attempt.
                tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
                trying = self.untouched(removals, &mut answers).await;
            }
            let objects: Vec<&Object> = trying.iter().map(|&at| &removals[at].object).collect();
            for (&at, answer) in trying.iter().zip(copies.remove_unchanged(&objects).await) {
                late[at] |= matches!(answer, Removed::Unknown(_));
                answers[at] = answer;
            }
            if !answers.iter().any(|answer| matches!(answer, Removed::Unknown(_))) {
                return answers;
            }
        }
        self.untouched(removals, &mut answers).await;
        answers
    }

    /// Looks up every key whose fate is open, and gives those that are still there as they were.
    async fn untouched(&self, removals: &[Removal], answers: &mut [Removed]) -> Vec<usize> {
        let mut untouched = Vec::new();
        for (at, answer) in answers.iter_mut().enumerate().filter(|(_, answer)| matches!(answer, Removed::Unknown(_))) {
            match self.learn(&removals[at]).await {
                Learned::Settled(settled) => *answer = settled,
                Learned::Untouched => untouched.push(at),
                Learned::Nothing => {}
            }
        }
        untouched
    }

    async fn learn(&self, removal: &Removal) -> Learned {
        match self.store.look(&removal.object.key).await {
            Ok(Presence::Missing) => match self.store.is_there().await {
                Ok(()) => Learned::Settled(Removed::Gone),
                Err(_) => Learned::Nothing,
            },
            Ok(Presence::Present(now)) if judge::is_unchanged(&removal.object, &now) => Learned::Untouched,
            Ok(Presence::Present(_)) => Learned::Settled(Removed::Changed),
            Ok(Presence::Unknown(_)) | Err(_) => Learned::Nothing,
        }
    }
}
