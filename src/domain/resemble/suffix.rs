//! PURE: a number for each end of a fold that begins at a segment, so that millions of names can be compared without
//! comparing each with each: A ends with B at a `/` where the number of the whole of B is among those of A, and but for
//! collisions only there.

use super::folds_of_key;

/// An end of a fold that begins at a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Suffix {
    pub hash: u64,
    /// Whether it is the whole fold.
    pub is_whole: bool,
}

/// Calls `each` with every end of every fold of an object's key. Nearly all keys are read where they are, without a fold.
pub fn suffixes_of_key(key: &str, mut each: impl FnMut(Suffix)) {
    if is_plain(key) {
        return suffixes(key).for_each(each);
    }
    for fold in folds_of_key(key) {
        suffixes(&fold).for_each(&mut each);
    }
}

/// The number of a whole fold.
pub fn whole_hash(fold: &str) -> u64 {
    let mut blocks = Blocks::new(fold);
    blocks.hash_from(0)
}

/// Every end of a fold, the shortest first. An empty one has none.
pub fn suffixes(fold: &str) -> Suffixes<'_> {
    Suffixes { blocks: Blocks::new(fold), fold, start: fold.len() }
}

/// See [`suffixes`].
#[derive(Debug, Clone)]
pub struct Suffixes<'a> {
    fold: &'a str,
    blocks: Blocks<'a>,
    /// Where the end begins that was given last.
    start: usize,
}

impl Iterator for Suffixes<'_> {
    type Item = Suffix;

    #[inline]
    fn next(&mut self) -> Option<Suffix> {
        let before = self.start.checked_sub(1)?;
        self.start = memchr::memrchr(b'/', &self.fold.as_bytes()[..before]).map_or(0, |slash| slash + 1);
        Some(Suffix { hash: self.blocks.hash_from(self.start), is_whole: self.start == 0 })
    }
}

/// Bytes of a block.
const BLOCK: usize = 8;

/// A text that is hashed from its end, in blocks that are counted from there: so all that end alike share their state.
#[derive(Debug, Clone)]
struct Blocks<'a> {
    rest: &'a [u8],
    state: u64,
}

impl<'a> Blocks<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes(), state: 0xcbf2_9ce4_8422_2325 }
    }

    /// The number of what begins at `start`, which is never more than it was before.
    #[inline]
    fn hash_from(&mut self, start: usize) -> u64 {
        while let Some((before, block)) = self.rest.split_last_chunk::<BLOCK>()
            && before.len() > start
        {
            self.state = mixed(self.state, lower(u64::from_le_bytes(*block)));
            self.rest = before;
        }
        // What is left of it, as if zeros stood before the text.
        let length = self.rest.len() - start;
        let word = match self.rest.last_chunk::<BLOCK>() {
            Some(block) => u64::from_le_bytes(*block) >> (8 * (BLOCK - length)),
            None => self.rest[start..].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        finished(mixed(self.state, lower(word)) ^ length as u64)
    }
}

/// The state with one more block before what it stands for.
#[inline]
fn mixed(state: u64, block: u64) -> u64 {
    let product = (state ^ block).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

/// A state as a number each bit of which depends on all of it (the finaliser of MurmurHash3).
#[inline]
fn finished(state: u64) -> u64 {
    let state = (state ^ state >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let state = (state ^ state >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    state ^ state >> 33
}

/// A block with the capitals of ASCII as small letters, all at once: nothing changes in a fold, and a plain key is folded.
#[inline]
fn lower(block: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // The highest bit of a byte says "at least A", "beyond Z", and "not ASCII"; no sum carries into the next byte.
    let low = block & (0x7f * EACH);
    let at_least = low + (0x80 - b'A' as u64) * EACH;
    let beyond = low + (0x7f - b'Z' as u64) * EACH;
    let capitals = at_least & !beyond & !block & (0x80 * EACH);
    block | capitals >> 2
}

/// What each byte says of a plain key: in the lower half what it is, in the upper half which of these may not come next.
const RULES: [u8; 256] = {
    const STRANGE: u8 = 1;
    const SLASH: u8 = 2;
    const BEGINS_NOTHING: u8 = 4;
    let mut rules = [STRANGE | STRANGE << 4; 256];
    let mut byte = b' ';
    while byte < 0x7f {
        rules[byte as usize] = match byte {
            b'%' | b'&' | b'\\' | b':' => STRANGE | STRANGE << 4,
            b'/' => SLASH | BEGINS_NOTHING | (STRANGE | BEGINS_NOTHING) << 4,
            b' ' | b'"' | b'\'' | b'`' => BEGINS_NOTHING | (STRANGE | SLASH) << 4,
            b'.' => BEGINS_NOTHING | STRANGE << 4,
            _ => STRANGE << 4,
        };
        byte += 1;
    }
    rules
};

/// Whether the only fold of a key is itself in lower case: ASCII, with nothing to decode or to take away. Some other
/// keys are so too; these are nearly all of them, and quickly told.
#[inline]
pub fn is_plain(key: &str) -> bool {
    // The ends of the text are ends of segments: as if a `/` stood there.
    let mut previous = RULES[usize::from(b'/')];
    let mut broken = 0;
    for byte in key.bytes() {
        let this = RULES[usize::from(byte)];
        broken |= previous >> 4 & this;
        previous = this;
    }
    broken | previous >> 4 & RULES[usize::from(b'/')] == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_keys_are_told_from_others() {
        for key in ["a/b.png", "IMG 1 (2).JPG", "it's.png", "a+b?#.png", "x/y..z./w", "a"] {
            assert!(is_plain(key), "{key}");
        }
        for key in [
            "/a", "a/", "a//b", "./a", "a/./b", ".a", " a", "a ", "a /b", "a/ b", "'a'", "a%b", "a&b", "c:/a", "a\\b",
            "é", "a\n", "a\u{7f}", "", "/",
        ] {
            assert!(!is_plain(key), "{key:?}");
        }
    }

    #[test]
    fn capitals_are_lowered_in_all_bytes_at_once() {
        for byte in 0..=255_u8 {
            let block = [byte, 0xff, byte, 0, byte, b'Z', byte, b'@'];
            let right = block.map(|byte| byte.to_ascii_lowercase());
            assert_eq!(lower(u64::from_le_bytes(block)).to_le_bytes(), right);
        }
    }

    #[test]
    fn each_end_has_the_number_that_it_has_alone() {
        let fold = "segments/of/very-different-lengths/0123456/01234567/012345678/é/x/a.png";
        let ends: Vec<_> = suffixes(fold).collect();
        let starts = fold.match_indices('/').map(|(slash, _)| slash + 1).rev().chain([0]);
        let alone: Vec<_> = starts.map(|start| whole_hash(&fold[start..])).collect();
        assert_eq!(ends.iter().map(|end| end.hash).collect::<Vec<_>>(), alone);
        assert_eq!(ends.iter().filter(|end| end.is_whole).count(), 1);
        assert!(ends.last().is_some_and(|end| end.is_whole));
        assert_eq!(suffixes("").count(), 0);
    }
}
