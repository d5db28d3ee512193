//! How many requests are under way at once: as many as make it faster, below the configured number, and half as many where
//! the store asks for less.
//!
//! The number is doubled while that brings more answers in the same time. Where it does not, it was too much, and half of it
//! may be, too: a thin link or a busy store only makes everybody wait longer. It is tried again later. Where pages come much
//! later than they could, there are too many already, and less is tried at once. Answers that say "slow down" halve it, once
//! for all that were under way together, and it comes back once there are none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests at once, to begin with.
const START: usize = 16;
/// Twice as many requests must bring so much more, or they are too many.
const GAIN: f64 = 1.2;
/// Fewer than this are never tried for being enough: what a few requests bring is a matter of luck.
const FEW: usize = 4;
/// Half as many must bring so much of it, or they are too few.
const LOSS: f64 = 0.93;
/// Pages that take so many times as long as the quickest one wait for each other, and not for the store.
const CROWDED: f64 = 8.0;
/// Rounds after which more is tried once more.
const PATIENCE: u32 = 20;

/// Lets requests pass.
#[derive(Debug, Clone)]
pub struct Gate {
    passes: Arc<Semaphore>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    level: Level,
    /// Passes in the semaphore and with requests.
    passes: usize,
}

/// A request under way; dropped when its answer is there.
#[derive(Debug)]
pub struct Pass {
    gate: Gate,
    permit: Option<OwnedSemaphorePermit>,
    round: u64,
    sent: Instant,
}

/// What a request was answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A page of a listing, to its end. One takes about as long as another.
    Page,
    /// The store asks for less.
    SlowDown,
    Other,
}

impl Gate {
    /// At most so many requests at once.
    pub fn new(most: usize) -> Self {
        let level = Level::new(most);
        let passes = level.at;
        Gate { passes: Arc::new(Semaphore::new(passes)), state: Arc::new(Mutex::new(State { level, passes })) }
    }

    /// Waits until one more request may be sent.
    pub async fn pass(&self) -> Pass {
        let is_free = self.passes.available_permits() > 0;
        // It is never closed.
        let permit = self.passes.clone().acquire_owned().await.ok();
        let (mut state, sent) = (self.state(), Instant::now());
        state.level.sent(sent, is_free);
        Pass { gate: self.clone(), permit, round: state.level.round, sent }
    }

    /// Waits until one more request could be sent at once.
    pub async fn room(&self) {
        if !self.has_room() {
            self.state().level.is_wanted = true;
            drop(self.passes.acquire().await);
        }
    }

    /// Whether one more request could be sent at once.
    pub fn has_room(&self) -> bool {
        self.passes.available_permits() > 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The answer is there.
    pub fn answered(&self, answer: Answer) {
        let (mut state, now) = (self.gate.state(), Instant::now());
        match answer {
            Answer::SlowDown => state.level.refused(self.round),
            Answer::Page => state.level.page(now, now.saturating_duration_since(self.sent)),
            Answer::Other => state.level.answered(now),
        }
        let (level, passes) = (state.level.at, state.passes);
        if level > passes {
            self.gate.passes.add_permits(level - passes);
            state.passes = level;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        if state.passes > state.level.at {
            state.passes -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

/// A round on another level, and how many answers a second there were before it.
#[derive(Debug, Clone, Copy)]
enum Trial {
    More(f64),
    Less(f64),
}

/// How many at once, found by what it brings. Pure: it is told what happens, and when.
#[derive(Debug)]
struct Level {
    at: usize,
    most: usize,
    /// Whether anybody had to wait in this round: otherwise it says nothing of what more would bring.
    is_wanted: bool,
    /// A round is as many answers as there may be requests at once.
    round: u64,
    /// The first round of requests that were sent since the last refusal was taken.
    since_refusal: u64,
    answers: usize,
    /// How many of those were pages.
    pages: usize,
    /// The time that the quickest page took.
    quickest: Option<Duration>,
    began: Option<Instant>,
    /// What this round tries, if anything.
    trial: Option<Trial>,
    /// The level of the last refusal, up to which no trial is needed.
    ceiling: usize,
    /// Rounds to wait before more is tried.
    patience: u32,
}

impl Level {
    fn new(most: usize) -> Self {
        let at = most.min(START);
        Level {
            at,
            most,
            is_wanted: false,
            round: 0,
            since_refusal: 0,
            answers: 0,
            pages: 0,
            quickest: None,
            began: None,
            trial: None,
            ceiling: 0,
            patience: 0,
        }
    }

    fn sent(&mut self, now: Instant, at_once: bool) {
        self.began.get_or_insert(now);
        self.is_wanted |= !at_once;
    }

    /// Takes a page that took so long.
    fn page(&mut self, now: Instant, took: Duration) {
        self.pages += 1;
        self.quickest = Some(self.quickest.map_or(took, |quickest| quickest.min(took)));
        self.answered(now);
    }

    fn answered(&mut self, now: Instant) {
        self.answers += 1;
        // On the way back from a refusal a part of a round is enough.
        let enough = if self.at < self.ceiling { self.at.div_ceil(4) } else { self.at };
        let Some(began) = self.began.filter(|_| self.answers >= enough) else { return };
        let seconds = now.saturating_duration_since(began).max(Duration::from_micros(1)).as_secs_f64();
        let rate = self.answers as f64 / seconds;
        let is_wanted = self.is_wanted;
        // Requests at once, divided by answers a second, are the seconds that each takes.
        let is_crowded = self.pages == self.answers
            && self.quickest.is_some_and(|quickest| self.at as f64 / rate > quickest.as_secs_f64() * CROWDED);
        self.next_round(Some(now));
        if !is_wanted {
            self.trial = None;
            return;
        }
        match self.trial.take() {
            // More brought nothing; perhaps less is enough, too. Where the store refuses, rates say little.
            Some(Trial::More(before)) if rate < before * GAIN => {
                self.at = (self.at / 2).max(1);
                match self.ceiling {
                    0 => self.try_less(before, self.at),
                    _ => self.patience = PATIENCE,
                }
            }
            Some(Trial::Less(before)) if rate < before * LOSS => {
                self.at = (self.at * 2).min(self.most);
                self.patience = PATIENCE;
            }
            Some(Trial::Less(_)) => self.try_less(rate, self.at),
            _ if self.at < self.ceiling => self.at = (self.at * 2).min(self.ceiling),
            _ if self.patience > 0 => self.patience -= 1,
            _ if is_crowded => self.try_less(rate, self.at),
            _ if self.at < self.most => {
                self.trial = Some(Trial::More(rate));
                self.at = (self.at * 2).min(self.most);
            }
            _ => {}
        }
    }

    /// Goes below a level that gave this rate.
    fn try_less(&mut self, rate: f64, level: usize) {
        self.at = (level / 2).max(FEW).min(level);
        match self.at < level {
            true => self.trial = Some(Trial::Less(rate)),
            false => self.patience = PATIENCE,
        }
    }

    /// Takes a refusal of a request that was sent in `round`.
    fn refused(&mut self, round: u64) {
        if round >= self.since_refusal {
            // It comes back as soon as a round has none.
            self.ceiling = self.at.max(self.ceiling - self.ceiling / 4);
            self.at = (self.at / 2).max(1);
            self.trial = None;
            self.patience = PATIENCE / 4;
            self.next_round(None);
            self.since_refusal = self.round;
        }
    }

    fn next_round(&mut self, began: Option<Instant>) {
        self.round += 1;
        (self.answers, self.pages) = (0, 0);
        self.began = began;
        self.is_wanted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `Level` comes to in so many rounds, at a store that answers so many requests a second, each after 50 ms at
    /// least, and refuses one in `refuses`.
    fn settled(most: usize, a_second: f64, refuses: usize, rounds: usize) -> Vec<usize> {
        settled_at(0.05, most, a_second, refuses, rounds)
    }

    /// The same, of one whose answers take as many seconds at least.
    fn settled_at(quickest: f64, most: usize, a_second: f64, refuses: usize, rounds: usize) -> Vec<usize> {
        let mut level = Level::new(most);
        let (start, mut seconds, mut answers) = (Instant::now(), 0.0_f64, 0);
        let mut levels = Vec::new();
        // When each request is answered, when it was sent, and in which round; for each answer another one is.
        let mut under_way = std::collections::VecDeque::<(f64, f64, u64)>::new();
        while levels.len() < rounds {
            while under_way.len() < level.at {
                level.sent(start + Duration::from_secs_f64(seconds), false);
                let last = under_way.back().map_or(0.0, |(at, ..)| *at);
                under_way.push_back(((seconds + quickest).max(last + 1.0 / a_second), seconds, level.round));
            }
            let Some((at, sent, round)) = under_way.pop_front() else { break };
            seconds = at;
            answers += 1;
            let before = level.round;
            match refuses > 0 && answers % refuses == 0 {
                true => level.refused(round),
                false => level.page(start + Duration::from_secs_f64(seconds), Duration::from_secs_f64(seconds - sent)),
            }
            if level.round != before {
                levels.push(level.at);
            }
        }
        levels
    }

    #[test]
    fn it_grows_while_that_makes_it_faster_and_no_further() {
        assert_eq!(settled(64, f64::INFINITY, 0, 6).last(), Some(&64));
        assert_eq!(settled(40, f64::INFINITY, 0, 6).last(), Some(&40));
        assert_eq!(settled(4, f64::INFINITY, 0, 6).last(), Some(&4));
        let thin = settled(64, 200.0, 0, 100);
        assert!(thin.iter().filter(|at| **at <= 16).count() >= 90, "{thin:?}");
    }

    #[test]
    fn a_store_that_is_near_is_not_crowded() {
        let near = settled_at(0.0005, 64, 1500.0, 0, 100);
        assert!(near.iter().all(|at| *at <= 16) && near.iter().filter(|at| **at <= 8).count() >= 90, "{near:?}");
        assert_eq!(settled_at(0.0005, 64, f64::INFINITY, 0, 6).last(), Some(&64), "it answers as many as are asked");
        // One that is quick now and then, and needs four times as long mostly, is not crowded.
        let mut level = Level::new(64);
        let (start, mut seconds) = (Instant::now(), 0.0);
        level.sent(start, false);
        for answer in 0..200 {
            seconds += 0.08 / level.at as f64;
            level.sent(start, false);
            level.page(
                start + Duration::from_secs_f64(seconds),
                Duration::from_millis(if answer == 0 { 20 } else { 80 }),
            );
        }
        assert_eq!(level.at, 64);
    }

    #[test]
    fn a_refusal_halves_it_and_it_comes_back() {
        let refused = settled(64, f64::INFINITY, 20, 200);
        assert!(refused.iter().any(|at| *at <= 16) && refused.iter().any(|at| *at >= 32), "{refused:?}");
        let refused = settled(64, f64::INFINITY, 1000, 200);
        assert!(refused.iter().filter(|at| **at == 64).count() >= 100, "{refused:?}");
        let mut level = Level::new(64);
        (0..100).for_each(|_| level.refused(level.round));
        assert_eq!(level.at, 1);
        let round = level.round;
        level.at = 16;
        level.refused(round);
        level.refused(round);
        assert_eq!(level.at, 8, "those that were under way together count once");
    }

    #[tokio::test]
    async fn no_more_pass_than_there_may_be() {
        let gate = Gate::new(2);
        let (first, second) = (gate.pass().await, gate.pass().await);
        assert!(!gate.has_room());
        first.answered(Answer::SlowDown);
        drop(first);
        assert!(!gate.has_room(), "one may be under way, and one is");
        drop(second);
        assert!(gate.has_room());
        let _only = gate.pass().await;
        assert!(!gate.has_room());
    }
}
