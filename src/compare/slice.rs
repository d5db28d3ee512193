//! PURE: a run of the database's keys in byte order, and the range of the key space that it cuts out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::derived::Owner;
use crate::domain::{Claim, Claims};

/// The distinct keys of one range, each with its claims: one buffer, no allocation a key.
#[derive(Debug, Default)]
pub struct Slice {
    room: Room,
    /// Where its room goes when it is done.
    pool: Pool,
    /// The range begins after this key; `None`: at the beginning.
    pub after: Option<String>,
    /// The range ends with this key; `None`: at the end of everything.
    pub through: Option<String>,
}

/// What a slice's keys lie in.
#[derive(Debug, Default)]
struct Room {
    text: String,
    entries: Vec<Entry>,
    /// Claims of keys that more than one row names.
    several: Vec<Claims>,
}

#[derive(Debug)]
struct Entry {
    /// Where the key ends in `text`; it begins where the one before ends.
    end: usize,
    claims: Of,
}

/// The claims on a key, in few bytes.
#[derive(Debug, Clone, Copy)]
enum Of {
    /// That of one row, and the place of its source, of which the last stands for all that follow.
    One(Claim, u8),
    /// By their place among those of several rows.
    Several(u32),
}

/// The room of slices that are done, for those to come: they are large, and many at once.
#[derive(Debug, Clone, Default)]
pub struct Pool(Arc<Mutex<Vec<Room>>>);

impl Pool {
    fn rooms(&self) -> MutexGuard<'_, Vec<Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slice whose range begins after the key `after`, to be filled.
    pub fn slice(&self, after: Option<String>) -> SliceBuilder {
        let room = self.rooms().pop().unwrap_or_default();
        SliceBuilder { slice: Slice { room, pool: self.clone(), after, through: None } }
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        let mut room = std::mem::take(&mut self.room);
        room.text.clear();
        room.entries.clear();
        room.several.clear();
        if room.text.capacity() > 0 {
            self.pool.rooms().push(room);
        }
    }
}

impl Slice {
    /// Distinct keys.
    pub fn len(&self) -> usize {
        self.room.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.room.entries.is_empty()
    }

    /// The key at a place, in byte order.
    pub fn key(&self, at: usize) -> Option<&str> {
        self.entry(at).map(|(key, _)| key)
    }

    /// The same, with the claims on it.
    pub fn entry(&self, at: usize) -> Option<(&str, Claims)> {
        let Room { text, entries, several } = &self.room;
        let entry = entries.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| entries[before].end);
        Some((&text[start..entry.end], entry.claims.among(several)))
    }

    /// The keys that the database knows on both sides of an object that it does not: the one at this place, and the one
    /// before it. The range of a slice begins after a key that is known too.
    pub fn around(&self, next: usize) -> (Option<&str>, Option<&str>) {
        let before = next.checked_sub(1).map_or(self.after.as_deref(), |before| self.key(before));
        (before, self.key(next))
    }

    /// How many of its keys are not after `key`.
    pub fn count_through(&self, key: &str) -> usize {
        self.count(|other| other <= key)
    }

    /// How many of its keys come before the first that is not so. A binary search by hand: an entry does not know where it
    /// begins.
    fn count(&self, is_before: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.room.entries.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle).is_some_and(&is_before) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Whether a row that no rule condemns, or a reference, names the owner. Of what lies outside the slice nothing is
    /// known here.
    pub fn wants(&self, owner: &Owner) -> bool {
        let key = |at: usize| self.key(at).unwrap_or_default();
        let low = self.count(|key| key < owner.text());
        let is_live = |at: usize| {
            let claims = self.entry(at).map_or(Claims::default(), |(_, claims)| claims);
            claims.references > 0 || claims.records > claims.condemned
        };
        match owner {
            Owner::Key(text) | Owner::Folder(text) => low < self.room.entries.len() && key(low) == text && is_live(low),
            Owner::Prefix(prefix) => {
                (low..self.room.entries.len()).take_while(|at| key(*at).starts_with(prefix.as_str())).any(is_live)
            }
        }
    }
}

impl Of {
    fn among(self, several: &[Claims]) -> Claims {
        match self {
            Of::One(claim, source) => {
                let mut claims = Claims::default();
                claims.count(claim, source.into());
                claims
            }
            // A place that was never given would protect its key.
            Of::Several(at) => {
                several.get(at as usize).copied().unwrap_or(Claims { references: 1, ..Claims::default() })
            }
        }
    }

    fn count(&mut self, claim: Claim, source: usize, several: &mut Vec<Claims>) {
        if let Of::One(..) = *self {
            let first = self.among(&[]);
            *self = Of::Several(u32::try_from(several.len()).unwrap_or(u32::MAX));
            several.push(first);
        }
        if let Some(claims) = several.last_mut() {
            claims.count(claim, source);
        }
    }
}

/// A slice being filled with keys in byte order.
#[derive(Default)]
pub struct SliceBuilder {
    slice: Slice,
}

impl SliceBuilder {
    /// Adds the key of a row of the source at this place. It must not be smaller than the one before; an equal one adds to
    /// the claims on it.
    pub fn push(&mut self, key: &str, claim: Claim, source: usize) {
        let is_known = self.last() == Some(key);
        let Room { text, entries, several } = &mut self.slice.room;
        match entries.last_mut().filter(|_| is_known) {
            Some(entry) => entry.claims.count(claim, source, several),
            None => {
                text.push_str(key);
                entries
                    .push(Entry { end: text.len(), claims: Of::One(claim, u8::try_from(source).unwrap_or(u8::MAX)) });
            }
        }
    }

    /// The last key so far.
    pub fn last(&self) -> Option<&str> {
        let (last, before) = self.slice.room.entries.split_last()?;
        Some(&self.slice.room.text[before.last().map_or(0, |entry| entry.end)..last.end])
    }

    /// Distinct keys so far.
    pub fn count(&self) -> usize {
        self.slice.len()
    }

    /// Bytes of keys so far.
    pub fn bytes(&self) -> usize {
        self.slice.room.text.len()
    }

    /// The slice, its range ending with the key `through`.
    pub fn finish(mut self, through: Option<String>) -> Slice {
        self.slice.through = through;
        self.slice
    }
}
