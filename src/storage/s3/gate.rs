//! How many requests are under way at once: as many as make it faster, below the configured number, and half as many where
//! the store asks for less.
//!
//! The number is doubled while that brings more answers in the same time. Where it does not, it was too much, and half of it
//! may be, too: a thin link or a busy store only makes everybody wait longer. It is tried again later. Answers that say
//! "slow down" halve it, once for all that were under way together, and it comes back once there are none.

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
        let mut state = self.state();
        state.level.sent(Instant::now(), is_free);
        Pass { gate: self.clone(), permit, round: state.level.round }
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
    /// The answer is there, or will never be; `slow_down`: the store has asked for less.
    pub fn answered(&self, slow_down: bool) {
        let mut state = self.gate.state();
        match slow_down {
            true => state.level.refused(self.round),
            false => state.level.answered(Instant::now(), self.round),
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
    /// The first round of requests that tell what less brings.
    since_less: u64,
    answers: usize,
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
            since_less: 0,
            answers: 0,
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

    /// Takes an answer to a request that was sent in `round`.
    fn answered(&mut self, now: Instant, round: u64) {
        if round < self.since_less {
            return;
        }
        self.answers += 1;
        // On the way back from a refusal a part of a round is enough.
        let enough = if self.at < self.ceiling { self.at.div_ceil(4) } else { self.at };
        let Some(began) = self.began.filter(|_| self.answers >= enough) else { return };
        let seconds = now.saturating_duration_since(began).max(Duration::from_micros(1)).as_secs_f64();
        let rate = self.answers as f64 / seconds;
        let is_wanted = self.is_wanted;
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
            true => {
                self.trial = Some(Trial::Less(rate));
                // What is under way would be answered as before.
                (self.since_less, self.began) = (self.round, None);
            }
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
        self.answers = 0;
        self.began = began;
        self.is_wanted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store that answers so many requests a second at most, each after a time of its own at least, and refuses one in
    /// `refuses`.
    struct Far {
        seconds: fn(f64) -> f64,
        a_second: f64,
        refuses: usize,
    }

    const STEADY: Far = Far { seconds: |_| 0.05, a_second: f64::INFINITY, refuses: 0 };

    impl Far {
        /// Where a level comes to in so many rounds, and how many answers a second there were.
        fn settled(&self, mut level: Level, rounds: usize) -> (Vec<usize>, f64) {
            let (start, mut now, mut free, mut random, mut answers) = (Instant::now(), 0.0_f64, 0.0_f64, 1_u64, 0);
            let mut levels = Vec::new();
            // When each request is answered, and in which round it was sent; for each answer another one is.
            let mut under_way: Vec<(f64, u64)> = Vec::new();
            while levels.len() < rounds {
                while under_way.len() < level.at {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    level.sent(start + Duration::from_secs_f64(now), false);
                    free = free.max(now) + 1.0 / self.a_second;
                    let seconds = (self.seconds)((random >> 33) as f64 / (1_u64 << 31) as f64);
                    under_way.push(((now + seconds).max(free), level.round));
                }
                under_way.sort_by(|a, b| b.0.total_cmp(&a.0));
                let Some((at, round)) = under_way.pop() else { break };
                (now, answers) = (at, answers + 1);
                let before = level.round;
                match self.refuses > 0 && answers % self.refuses == 0 {
                    true => level.refused(round),
                    false => level.answered(start + Duration::from_secs_f64(now), round),
                }
                if level.round != before {
                    levels.push(level.at);
                }
            }
            (levels, answers as f64 / now)
        }
    }

    #[test]
    fn it_grows_while_that_makes_it_faster_and_no_further() {
        for most in [64, 40, 4] {
            assert_eq!(STEADY.settled(Level::new(most), 6).0.last(), Some(&most));
        }
        let (thin, _) = Far { a_second: 200.0, ..STEADY }.settled(Level::new(64), 100);
        assert!(thin.iter().filter(|at| **at <= 16).count() >= 90, "{thin:?}");
    }

    #[test]
    fn it_gives_as_much_as_there_is_where_answers_vary() {
        let stores: [fn(f64) -> f64; 5] = [
            |_| 0.05,
            |random| 0.025 + 0.05 * random,
            |random| 0.02 + 0.28 * random,
            |random| 0.02 - 0.04 * (1.0 - random).ln(),
            |random| if random < 0.02 { 0.012 } else { 0.1 },
        ];
        for (number, seconds) in stores.into_iter().enumerate() {
            for limit in [100.0, 200.0, 320.0, 400.0, f64::INFINITY] {
                let (mean, all) = ((0..1000).map(|at| seconds(f64::from(at) / 1000.0)).sum::<f64>() / 1000.0, 64.0);
                let (levels, rate) = Far { seconds, a_second: limit, refuses: 0 }.settled(Level::new(64), 400);
                let most = limit.min(all / mean);
                assert!(rate >= 0.9 * most, "store {number}: {rate:.0} of {most:.0} a second: {levels:?}");
            }
        }
    }

    #[test]
    fn less_is_given_up_where_it_brings_less() {
        let mut level = Level::new(64);
        level.try_less(320.0, 16);
        assert_eq!(STEADY.settled(level, 4).0, [16, 16, 16, 16]);
    }

    #[test]
    fn a_refusal_halves_it_and_it_comes_back() {
        let (refused, _) = Far { refuses: 20, ..STEADY }.settled(Level::new(64), 200);
        assert!(refused.iter().any(|at| *at <= 16) && refused.iter().any(|at| *at >= 32), "{refused:?}");
        let (refused, _) = Far { refuses: 1000, ..STEADY }.settled(Level::new(64), 200);
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
        first.answered(true);
        drop(first);
        assert!(!gate.has_room(), "one may be under way, and one is");
        drop(second);
        assert!(gate.has_room());
        let _only = gate.pass().await;
        assert!(!gate.has_room());
    }
}
