//! Deleting, until each key's fate is known or cannot be learned. Nothing is tried again without a look (I13).

use std::time::Duration;

use super::Site;
use crate::judge;
use crate::ledger::Removal;
use crate::storage::{Presence, Removed};

/// Attempts at a key whose fate stays open, the first included.
const ATTEMPTS: u32 = 4;

impl Site<'_> {
    /// Deletes the objects of `removals` and gives each one's answer, in their order.
    pub(super) async fn remove_surely(&self, removals: &[Removal]) -> Vec<Removed> {
        let mut answers = vec![Removed::Unknown("it was not tried".to_owned()); removals.len()];
        let mut open: Vec<usize> = (0..removals.len()).collect();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
            }
            for chunk in open.chunks(self.chunk()) {
                self.pace(chunk.len()).await;
                let keys: Vec<&str> = chunk.iter().map(|&at| removals[at].object.key.as_str()).collect();
                for (&at, answer) in chunk.iter().zip(self.store.remove(&keys).await) {
                    answers[at] = answer;
                }
            }
            let mut still_open = Vec::new();
            for at in open {
                if let Removed::Unknown(reason) = answers[at].clone() {
                    answers[at] = self.learn(&removals[at], reason).await;
                    if matches!(answers[at], Removed::Unknown(_)) {
                        still_open.push(at);
                    }
                }
            }
            open = still_open;
            if open.is_empty() {
                break;
            }
        }
        answers
    }

    /// Looks up what became of a key whose answer was lost. What is still there, unchanged, may be tried again.
    async fn learn(&self, removal: &Removal, reason: String) -> Removed {
        match self.store.look(&removal.object.key).await {
            Ok(Presence::Missing) => match self.store.is_there().await {
                Ok(()) => Removed::Gone,
                Err(_) => Removed::Unknown(reason),
            },
            Ok(Presence::Present(now)) if judge::is_unchanged(&removal.object, &now) => Removed::Unknown(reason),
            Ok(Presence::Present(_)) => Removed::Refused("it changed".to_owned()),
            Ok(Presence::Unknown(_)) | Err(_) => Removed::Unknown(reason),
        }
    }

    /// Keys deleted at once: no more than a second's worth.
    fn chunk(&self) -> usize {
        match self.max_deletes_per_second {
            0 => usize::MAX,
            limit => limit as usize,
        }
    }
}
