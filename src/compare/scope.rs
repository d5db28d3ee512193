//! PURE: which keys a comparison is about.

use globset::GlobSet;

use crate::domain::resemble::fold;

/// The keys that a run compares. Filters act on joined keys, never on one side before the join (I1).
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Where the configured storage begins; empty, or ends in `/`.
    pub root: String,
    /// Only keys that begin with it; it begins with `root`.
    pub prefix: String,
    /// Keys that are not looked at.
    pub ignore: GlobSet,
    /// Where removed files wait; never looked at.
    pub trash: Vec<String>,
    /// Where they waited in an earlier run: only the folders of runs are not looked at, for the place may have been another's.
    pub earlier_trash: Vec<String>,
}

impl Scope {
    /// Whether the key is below the prefix.
    pub fn holds(&self, key: &str) -> bool {
        begins(key, &self.prefix)
    }

    /// Whether a key outside the prefix may be another spelling of one inside. Outside the configured prefix any may be. In
    /// a run that is narrowed, the others are keys of other objects unless they read as if they were inside, or as a folder
    /// around it.
    pub fn may_hold_another_spelling(&self, outside: &str) -> bool {
        let key = outside;
        let mut inside = fold(&self.prefix);
        if self.prefix.ends_with('/') && !inside.is_empty() {
            inside.push('/');
        }
        let key = if key.ends_with('/') { fold(key) + "/" } else { fold(key) };
        !begins(outside, &self.root) || key.starts_with(&inside) || key.ends_with('/') && inside.starts_with(&key)
    }

    /// The globs that match a key, a bit each by their place; the last bit is that of all from the 64th on. `met` are those
    /// of other keys: where all of them were met, none is looked for.
    pub fn globs_met(&self, key: &str, met: u64) -> u64 {
        let all = if self.ignore.len() >= 64 { u64::MAX } else { (1 << self.ignore.len()) - 1 };
        if met == all {
            return met;
        }
        self.ignore.matches(key).into_iter().fold(met, |met, place| met | 1 << place.min(63))
    }

    /// The folder of a run in the trash that a key lies in, with its slash.
    pub fn trash_run<'k>(&self, key: &'k str) -> Option<&'k str> {
        let trash = self.trash.iter().find(|trash| begins(key, trash))?;
        let inside = &key[trash.len()..];
        let run = inside.find('/').filter(|_| begins_with_run(inside))?;
        Some(&key[..trash.len() + run + 1])
    }

    /// Whether all of the trash is below the prefix.
    pub fn meets_trash(&self) -> bool {
        !self.trash.is_empty() && self.trash.iter().all(|trash| self.holds(trash))
    }

    /// Whether a key below the prefix is to be left alone.
    pub fn ignores(&self, key: &str) -> bool {
        self.trash.iter().any(|trash| begins(key, trash))
            || self.earlier_trash.iter().any(|trash| begins(key, trash) && begins_with_run(&key[trash.len()..]))
            || !self.ignore.is_empty() && self.ignore.is_match(key)
    }
}

/// Whether a path begins with a run's own folder, which is called by a ULID.
fn begins_with_run(path: &str) -> bool {
    path.split_once('/').is_some_and(|(run, _)| ulid::Ulid::from_string(run).is_ok())
}

/// Whether `key` begins with `prefix`, byte by byte: it is asked of every key, and glibc's memcmp took 70 ns for the few
/// bytes of a prefix on a processor with AVX-512.
fn begins(key: &str, prefix: &str) -> bool {
    key.len() >= prefix.len() && key.bytes().zip(prefix.bytes()).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_beside_the_prefix_is_no_other_spelling_of_one_inside() {
        for (prefix, key, may) in [
            ("h/", "ha#sh", false),
            ("h/", "H//a.png", true),
            ("a/b-", "A/B-1.png", true),
            ("a/b-", "a/c.png", false),
            ("v/17/", "V//17/", true),
            ("v/17/", "/v/", true),
        ] {
            let scope = Scope { prefix: prefix.to_owned(), ..Scope::default() };
            assert_eq!(scope.may_hold_another_spelling(key), may, "{prefix} {key}");
        }
    }

    proptest! {
        #[test]
        fn a_prefix_is_what_a_key_starts_with(key in "[ab/\u{e9}]{0,6}", prefix in "[ab/\u{e9}]{0,4}") {
            prop_assert_eq!(begins(&key, &prefix), key.starts_with(&prefix));
        }
    }
}
