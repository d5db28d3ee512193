//! PURE: how many keys of the database a range should have, so that its objects fill a page of a listing: one request, and
//! little of the memory.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Objects that a range should have: a little under the 1,000 of a page, so that a few more do not cost another request.
const PAGE: f32 = 985.0;
/// How much of the estimate a range's own share becomes.
const WEIGHT: f32 = 0.1;

/// Objects to each key of the database, by the ranges that were listed last.
#[derive(Debug)]
pub struct Density(AtomicU32);

impl Default for Density {
    /// One to one, until it is known better.
    fn default() -> Self {
        Density(AtomicU32::new(1_f32.to_bits()))
    }
}

impl Density {
    /// Takes what a range had. One without keys of the database says nothing.
    pub fn note(&self, objects: u64, keys: usize) {
        if keys > 0 {
            // One dense run of objects that nobody knows says little of the others.
            let share = (objects as f32 / keys as f32).clamp(0.25, 4.0);
            let before = f32::from_bits(self.0.load(Relaxed));
            // Of two that do this at once one is forgotten, which is no loss.
            self.0.store((before * (1.0 - WEIGHT) + share * WEIGHT).to_bits(), Relaxed);
        }
    }

    /// Keys of the database that a range should have.
    pub fn keys(&self) -> usize {
        (PAGE / f32::from_bits(self.0.load(Relaxed))) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_fill_a_page() {
        let density = Density::default();
        assert_eq!(density.keys(), 985);
        density.note(0, 0);
        assert_eq!(density.keys(), 985);
        (0..100).for_each(|_| density.note(1200, 1000));
        assert!((820..=821).contains(&density.keys()), "{}", density.keys());
        (0..100).for_each(|_| density.note(u64::MAX, 1));
        assert!((246..=250).contains(&density.keys()), "{}", density.keys());
        (0..100).for_each(|_| density.note(0, 1000));
        assert!((3900..=3940).contains(&density.keys()), "{}", density.keys());
    }
}
