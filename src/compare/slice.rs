//! PURE: a run of the database's keys in byte order, and the range of the key space that it cuts out.

use crate::derived::Owner;
use crate::finding::{Claim, Claims};

/// The distinct keys of one range, each with its claims: one buffer, no allocation a key.
#[derive(Debug, Default)]
pub struct Slice {
    text: String,
    entries: Vec<Entry>,
    /// The range begins after this key; `None`: at the beginning.
    pub after: Option<String>,
    /// The range ends with this key; `None`: at the end of everything.
    pub through: Option<String>,
}

#[derive(Debug)]
struct Entry {
    /// Where the key ends in `text`; it begins where the one before ends.
    end: usize,
    claims: Claims,
}

impl Slice {
    /// Distinct keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The key at a place, in byte order.
    pub fn key(&self, at: usize) -> Option<&str> {
        self.entry(at).map(|(key, _)| key)
    }

    /// The same, with the claims on it.
    pub fn entry(&self, at: usize) -> Option<(&str, Claims)> {
        let entry = self.entries.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.entries[before].end);
        Some((&self.text[start..entry.end], entry.claims))
    }

    /// How many of its keys are not after `key`.
    pub fn count_through(&self, key: &str) -> usize {
        self.count(|other| other <= key)
    }

    /// How many of its keys come before the first that is not so. A binary search by hand: an entry does not know where it
    /// begins.
    fn count(&self, is_before: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle).is_some_and(&is_before) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Whether a row that no rule condemns, or a reference, names the owner. Of what lies outside the range nothing is
    /// known here.
    pub fn wants(&self, owner: &Owner) -> bool {
        let key = |at: usize| self.key(at).unwrap_or_default();
        let low = self.count(|key| key < owner.text());
        let is_live = |at: usize| {
            let claims = self.entries[at].claims;
            claims.references > 0 || claims.records > claims.condemned
        };
        match owner {
            Owner::Key(text) => low < self.entries.len() && key(low) == text && is_live(low),
            Owner::Prefix(prefix) => {
                (low..self.entries.len()).take_while(|at| key(*at).starts_with(prefix.as_str())).any(is_live)
            }
        }
    }
}

/// A slice being filled with keys in byte order.
#[derive(Default)]
pub struct SliceBuilder {
    slice: Slice,
}

impl SliceBuilder {
    /// A slice whose range begins after the key `after`.
    pub fn new(after: Option<String>) -> Self {
        SliceBuilder { slice: Slice { after, ..Slice::default() } }
    }

    /// Adds a row's key, which must not be smaller than the one before; an equal one adds to the claims on it.
    pub fn push(&mut self, key: &str, claim: Claim) {
        if self.last() != Some(key) {
            self.slice.text.push_str(key);
            self.slice.entries.push(Entry { end: self.slice.text.len(), claims: Claims::default() });
        }
        if let Some(entry) = self.slice.entries.last_mut() {
            entry.claims.count(claim);
        }
    }

    /// The last key so far.
    pub fn last(&self) -> Option<&str> {
        let (last, before) = self.slice.entries.split_last()?;
        Some(&self.slice.text[before.last().map_or(0, |entry| entry.end)..last.end])
    }

    /// Distinct keys so far.
    pub fn count(&self) -> usize {
        self.slice.entries.len()
    }

    /// Bytes of keys so far.
    pub fn bytes(&self) -> usize {
        self.slice.text.len()
    }

    /// The slice, its range ending with the key `through`.
    pub fn finish(mut self, through: Option<String>) -> Slice {
        self.slice.through = through;
        self.slice
    }
}
