//! PURE: a set of numbers in little memory, however many they are: it may say yes of a number that it was not given, and never
//! no of one that it was. What it lets through is confirmed elsewhere.

/// Bits that are set for a number.
const BITS_A_NUMBER: u32 = 4;
const FEWEST_BITS: u64 = 1 << 12;

/// A Bloom filter (Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970).
#[derive(Debug)]
pub struct Filter {
    words: Vec<u64>,
    /// Its bits less one; these are a power of two.
    mask: u64,
    is_empty: bool,
}

impl Filter {
    /// An empty filter for about so many numbers, of at most `bytes`: with more numbers it lets more through.
    pub fn new(numbers: u64, bytes: usize) -> Self {
        let most = (bytes as u64 * 8).max(FEWEST_BITS).next_power_of_two();
        let bits = numbers.saturating_mul(12).clamp(FEWEST_BITS, most).next_power_of_two().min(most);
        Filter { words: vec![0; (bits / 64) as usize], mask: bits - 1, is_empty: true }
    }

    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    pub fn insert(&mut self, number: u64) {
        self.is_empty = false;
        for bit in self.bits(number) {
            self.words[(bit / 64) as usize] |= 1 << (bit % 64);
        }
    }

    /// Whether it may have been given the number.
    pub fn may_hold(&self, number: u64) -> bool {
        self.bits(number).all(|bit| self.words[(bit / 64) as usize] & 1 << (bit % 64) != 0)
    }

    fn bits(&self, number: u64) -> impl Iterator<Item = u64> + use<> {
        // The finalizer of MurmurHash3: every bit of the number changes about half of the bits.
        let mixed = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let mixed = (mixed ^ mixed >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        let (mixed, mask) = (mixed ^ mixed >> 33, self.mask);
        let step = mixed.rotate_left(32) | 1;
        (0..u64::from(BITS_A_NUMBER)).map(move |nth| mixed.wrapping_add(step.wrapping_mul(nth)) & mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_held_and_little_else() {
        for (numbers, bytes, most_wrong) in
            [(0, 1 << 20, 0), (1_000, 1 << 20, 200), (50_000, 1 << 20, 200), (50_000, 1 << 14, 60_000)]
        {
            let mut filter = Filter::new(numbers, bytes);
            assert!(filter.is_empty());
            (0..numbers).for_each(|number| filter.insert(number * 7));
            assert_eq!(filter.is_empty(), numbers == 0);
            assert!((0..numbers).all(|number| filter.may_hold(number * 7)), "{numbers} {bytes}");
            let wrong = (0..60_000).filter(|number| filter.may_hold(number * 7 + 3)).count();
            assert!(wrong <= most_wrong, "{wrong} of 60,000 others, with {numbers} in {bytes} bytes");
            assert!(filter.words.len() * 8 <= bytes);
        }
    }
}
