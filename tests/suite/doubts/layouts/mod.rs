//! Small applications by the layout of their keys: what they store, what they want of it, and what nobody wants any more.
//!
//! Values in, values out: `healthy` makes an application whose sides agree but for true orphans, `provoked` then makes one
//! side say something else than the application means, `random` is the chance, `written` puts it where the tool finds it,
//! and `judged` holds what would go against what is wanted. The suite, a benchmark and a test in the library use it.

use std::fmt;

pub mod faults;
mod healthy;
mod judged;
mod keys;
mod provoked;
mod random;
mod small;
mod writers;
mod written;

pub use healthy::Size;
pub use judged::{Gone, Judged};
pub use keys::Layout;
pub use provoked::{Provocation, Share};
pub use random::Random;
pub use writers::Writer;

/// What may become of a file, or a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The application still finds it, or still needs it: it must stay.
    Wanted,
    /// Nobody does: in a healthy world it must go.
    Orphan,
    /// Both are right, as no tool can know from what it is given.
    Unknowable(Limit),
}

/// Why nothing can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// A thumbnail of nothing, and nobody says what it is a thumbnail of.
    ThumbOfNothing,
    /// Fewer files of a forgotten table than make a folder stand out: they look like failed uploads.
    FewOfAForgottenTable,
    /// The dump is older than the newest file by a day at most: what came between looks like failed uploads.
    HardlyBehind,
}

#[derive(Debug, Clone)]
pub struct File {
    pub key: String,
    /// How long ago it was stored.
    pub hours: u64,
    pub fate: Fate,
    /// Whether no row and no rule tells of it, though it is wanted.
    pub is_untold: bool,
    /// What it belongs to; rows of the same belong to it too.
    pub unit: usize,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub table: Table,
    /// The file that the application means.
    pub key: String,
    /// What the column holds.
    pub value: String,
    pub hours: u64,
    pub fate: Fate,
    pub unit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// `assets.storage_key`: it owns its files.
    Assets,
    /// `users.avatar`: it refers to files.
    Users,
}

impl Table {
    pub const ALL: [Table; 2] = [Table::Assets, Table::Users];

    pub fn name(self) -> &'static str {
        match self {
            Table::Assets => "assets",
            Table::Users => "users",
        }
    }
}

/// An application, and what is on either side of it.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub layouts: Vec<Layout>,
    pub provocations: Vec<Provocation>,
    /// What every key begins with: "", or a folder.
    pub root: &'static str,
    pub files: Vec<File>,
    pub rows: Vec<Row>,
    /// Symbolic links: where they are, and where they lead, both below the store's root.
    pub links: Vec<(String, String)>,
    /// The sections of the configuration that the layouts need.
    pub sections: String,
    /// Units so far.
    units: usize,
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} below {:?}, provoked by {:?}", self.layouts, self.root, self.provocations)?;
        for File { key, hours, fate, .. } in &self.files {
            writeln!(f, "  file {key:?}, {hours} hours old: {fate:?}")?;
        }
        for (id, Row { table, key, value, hours, fate, .. }) in self.rows.iter().enumerate() {
            let meant = if value == key { String::new() } else { format!(", by which {key:?} is meant") };
            writeln!(f, "  row {id} of {}: {value:?}{meant}, {hours} hours old: {fate:?}", table.name())?;
        }
        self.links.iter().try_for_each(|(link, target)| writeln!(f, "  link {link} to {target}"))
    }
}

impl World {
    /// A small random world; the same for the same seed.
    pub fn random(seed: u64) -> World {
        small::world(&mut Random::new(seed))
    }

    pub fn is_healthy(&self) -> bool {
        self.provocations.is_empty()
    }
}
