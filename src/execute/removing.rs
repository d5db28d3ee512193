//! Deleting, until each key's fate is known or cannot be learned. Nothing is tried again without a look (I13).

use std::time::Duration;

use super::Site;
use crate::domain::Object;
use crate::judge;
use crate::ledger::Removal;
use crate::storage::{Copies, Presence, Removed};

/// Attempts at a key whose fate stays open, the first included.
const ATTEMPTS: u32 = 4;

/// What a look says of a key whose answer was lost.
enum Learned {
    Settled(Removed),
    /// It is there, as it was: it may be tried again at once.
    Untouched,
    Nothing,
}

/// What a delete came to in the end.
pub(super) struct Answered {
    pub answer: Removed,
    /// Whether an attempt had no answer: the store may carry it out later.
    pub late: bool,
}

impl Site<'_> {
    /// Deletes the objects of `removals` and gives each one's answer, in their order.
    pub(super) async fn remove_surely(&self, copies: &dyn Copies, removals: &[Removal]) -> Vec<Answered> {
        let mut late = vec![false; removals.len()];
        let answers = self.answers(copies, removals, &mut late).await;
        answers.into_iter().zip(late).map(|(answer, late)| Answered { answer, late }).collect()
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
