//! PURE: a row that names an object: whose it is, how old it is, what rules say of it, and what it holds.

use std::time::Duration;

use chrono::TimeDelta;

use super::Time;

/// What a row that names a key is to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It owns the object.
    Record,
    /// The same, and a rule seems to condemn it.
    Condemned,
    /// It only uses the key.
    Reference,
}

/// How many rows name a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claims {
    /// Rows of tables that own objects.
    pub records: u32,
    /// How many of those a rule seems to condemn.
    pub condemned: u32,
    /// Other places that use the key.
    pub references: u32,
    /// The sources that name it, a bit each by their place; the last bit is that of all from [`MOST_SOURCES`] on.
    pub sources: u64,
}

/// Sources that are told apart.
pub const MOST_SOURCES: usize = 63;

impl Claims {
    /// Counts one more row, of the source at this place.
    pub fn count(&mut self, claim: Claim, source: usize) {
        self.sources |= 1 << source.min(MOST_SOURCES);
        let counts: &mut [&mut u32] = match claim {
            Claim::Record => &mut [&mut self.records],
            Claim::Condemned => &mut [&mut self.records, &mut self.condemned],
            Claim::Reference => &mut [&mut self.references],
        };
        counts.iter_mut().for_each(|count| **count = count.saturating_add(1));
    }
}

/// A row that names an object, as it was when it was last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The table, as the configuration names it.
    pub table: String,
    /// Which of the configuration's `[[records]]` it is of.
    pub section: usize,
    pub id: String,
    /// The id, written so that the database finds the very row again.
    pub handle: String,
    /// Empty for a row that names no object.
    pub key: String,
    /// When it was made or last changed.
    pub created: Created,
    /// Whether it says when it was last changed.
    pub says_change: bool,
    /// What each rule of the table says of it, in their order.
    pub marks: Vec<Mark>,
}

/// A row as it is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The storage key that it names; empty where it names none.
    pub key: String,
    /// What its key column, or what stands for one, holds.
    pub value: Option<String>,
    /// Whether its table's condition lets it own an object.
    pub owns: bool,
    pub created: Created,
    pub marks: Vec<Mark>,
    pub image: Image,
}

/// The columns of a row that can be written, each as text from which its database makes the same value again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Image(pub Vec<(String, Option<String>)>);

impl Image {
    /// The columns whose values are others in `after`.
    pub fn changes<'a>(&'a self, after: &'a Image) -> impl Iterator<Item = &'a (String, Option<String>)> {
        self.0.iter().filter(|column| !after.0.contains(column))
    }

    /// This row with what those of its columns that are `named` hold in `now`.
    pub fn with(&self, now: &Image, named: impl Fn(&str) -> bool) -> Image {
        let columns = self.0.iter().map(|(name, value)| {
            let value = now.get(name).filter(|_| named(name)).unwrap_or(value);
            (name.clone(), value.clone())
        });
        Image(columns.collect())
    }

    /// What a column holds.
    pub fn get(&self, column: &str) -> Option<&Option<String>> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, value)| value)
    }
}

/// What a rule says of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// Its conditions do not hold, or its clock was never started.
    Spared,
    /// Its conditions hold, and it has no clock.
    Condemned,
    /// Its conditions hold, and its clock started then.
    Since(Time),
    /// Its conditions hold, and nobody can tell when its clock started.
    Unreadable(String),
}

impl Mark {
    /// Whether the row is condemned at `now`, where the clock runs for `after`.
    pub fn condemns(&self, after: Duration, now: Time) -> bool {
        match self {
            Mark::Condemned => true,
            Mark::Since(start) => {
                let end = TimeDelta::from_std(after).ok().and_then(|after| start.checked_add_signed(after));
                end.is_some_and(|end| end <= now)
            }
            Mark::Spared | Mark::Unreadable(_) => false,
        }
    }
}

/// When a row was made or last changed, by the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    At(Time),
    /// NULL, or a value that is not a date of our time: the row has no age.
    Unreadable,
    /// The configuration names no column: the row has no age.
    Unconfigured,
}

impl Created {
    /// The same at `now`: what is still to come by more than a day says nothing.
    pub fn at(self, now: Time) -> Self {
        let latest = now.checked_add_signed(TimeDelta::days(1));
        match self {
            Created::At(time) if latest.is_some_and(|latest| time > latest) => Created::Unreadable,
            created => created,
        }
    }

    /// The time, where there is one to show.
    pub fn time(self) -> Option<Time> {
        match self {
            Created::At(time) => Some(time),
            Created::Unreadable | Created::Unconfigured => None,
        }
    }
}
