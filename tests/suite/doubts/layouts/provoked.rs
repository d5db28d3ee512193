//! What makes one of the sides say something else than the application means, though all that is wanted stays wanted.

use super::random::Random;
use super::writers::Writer;
use super::{Fate, Limit, Row, Table, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provocation {
    /// Values are written in another way than keys are.
    Written(Writer, Share),
    /// Values lack the folder that every key begins with.
    PrefixForgotten(Share),
    /// The column of a reference holds lists of keys, in JSON.
    JsonReference(Share),
    /// The table of a reference has no row.
    EmptyReference,
    /// The table that owns files has no row.
    EmptyRecords,
    /// The database is a dump of so many hours ago.
    StaleDatabase(u64),
    /// The store is a copy of so many hours ago.
    StaleStorage(u64),
    /// So many files of a table that the configuration does not name lie in a folder of their own.
    ForgottenTable(usize),
    /// Rows name their files through a symbolic link.
    Link(Share),
}

/// How many of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    All,
    /// Every tenth, or one.
    Some,
}

impl Share {
    /// The places, of so many, that it takes.
    fn of(self, places: Vec<usize>, random: &mut Random) -> Vec<usize> {
        match self {
            Share::All => places,
            Share::Some => {
                let count = places.len().div_ceil(10);
                let first = random.below(10.min(places.len()));
                places.into_iter().skip(first).step_by(10).take(count).collect()
            }
        }
    }
}

/// Where the files of the table lie that nobody named.
const FORGOTTEN: &str = "avatars/";
/// Another name of a folder.
const LINK: &str = "linked/";

impl World {
    pub fn provoke(&mut self, provocation: Provocation, random: &mut Random) {
        self.provocations.push(provocation);
        match provocation {
            Provocation::Written(writer, share) => {
                self.rewrite(share, random, |row| Some(writer.write(&row.value)));
            }
            Provocation::PrefixForgotten(share) => {
                let root = self.root;
                assert!(!root.is_empty(), "a world without a folder around it has none to forget");
                self.rewrite(share, random, |row| row.value.strip_prefix(root).map(str::to_owned));
            }
            Provocation::JsonReference(share) => self.list_references(share, random),
            Provocation::EmptyReference => self.rows.retain(|row| row.table != Table::Users),
            Provocation::EmptyRecords => self.rows.retain(|row| row.table != Table::Assets),
            Provocation::StaleDatabase(hours) => self.rows.retain(|row| row.hours > hours),
            Provocation::StaleStorage(hours) => self.files.retain(|file| file.hours > hours),
            Provocation::ForgottenTable(files) => {
                self.units += 1;
                for number in 0..files {
                    let hours = random.within(49, 400 * 24);
                    self.add_file(format!("{FORGOTTEN}{number}.png"), hours, Fate::Wanted, true);
                }
            }
            Provocation::Link(share) => self.link(share, random),
        }
    }

    /// Makes a link to the first folder of some row, and lets rows name what lies there through it. Where there is no folder
    /// it leads to where it lies.
    fn link(&mut self, share: Share, random: &mut Random) {
        let plain = |row: &&Row| row.fate == Fate::Wanted && row.value == row.key;
        let keys: Vec<&str> = self.rows.iter().filter(plain).map(|row| row.key.as_str()).collect();
        if keys.is_empty() {
            return;
        }
        let key = random.pick(&keys);
        let folder = match key[self.root.len()..].split_once('/') {
            Some((first, _)) => format!("{}{first}/", self.root),
            None => self.root.to_owned(),
        };
        let target = if folder.is_empty() { "." } else { folder.trim_end_matches('/') };
        self.links.push((LINK.trim_end_matches('/').to_owned(), target.to_owned()));
        let through = |row: &Row| {
            let below = row.key.strip_prefix(&folder).filter(|_| row.value == row.key)?;
            Some(format!("{LINK}{below}"))
        };
        let linked = (0..self.rows.len()).filter(|at| plain(&&self.rows[*at]) && through(&self.rows[*at]).is_some());
        let linked = share.of(linked.collect(), random);
        for at in linked {
            if let Some(value) = through(&self.rows[at]) {
                self.rows[at].value = value;
            }
        }
    }

    /// Writes values of wanted rows anew.
    fn rewrite(&mut self, share: Share, random: &mut Random, write: impl Fn(&Row) -> Option<String>) {
        let wanted = (0..self.rows.len()).filter(|at| self.rows[*at].fate == Fate::Wanted).collect();
        for at in share.of(wanted, random) {
            if let Some(value) = write(&self.rows[at]) {
                self.rows[at].value = value;
            }
        }
    }

    /// Gathers the keys that references name into lists of up to three.
    fn list_references(&mut self, share: Share, random: &mut Random) {
        let references = (0..self.rows.len()).filter(|at| self.rows[*at].table == Table::Users).collect();
        let listed = share.of(references, random);
        // Five lists or more, where there is so much to list.
        for places in listed.chunks((listed.len() / 5).clamp(1, 3)) {
            let values: Vec<String> = places.iter().map(|at| self.rows[*at].value.clone()).collect();
            let list = serde_json::to_string(&values).expect("JSON");
            // One row holds them all, and the others are as if they had never been.
            self.rows[places[0]].value = list;
            places[1..].iter().for_each(|at| self.rows[*at].value.clear());
        }
        self.rows.retain(|row| !row.value.is_empty());
    }

    /// Says of what is wanted where no tool can know it.
    pub fn know_limits(&mut self) {
        let forgotten = |key: &str| key.starts_with(FORGOTTEN);
        let is_few = self.files.iter().filter(|file| forgotten(&file.key)).count() < 5;
        for file in self.files.iter_mut().filter(|file| is_few && forgotten(&file.key)) {
            file.fate = Fate::Unknowable(Limit::FewOfAForgottenTable);
        }
        let copied = self.provocations.iter().filter_map(|provocation| match provocation {
            Provocation::StaleStorage(hours) => Some(*hours),
            _ => None,
        });
        if let Some(hours) = copied.max() {
            // A day may lie between the newest file and the newest row that has lost its own.
            let newest_file = self.files.iter().map(|file| file.hours).min();
            let has_file = |key: &str| self.files.iter().any(|file| file.key == key);
            let newest_lost = self.rows.iter().filter(|row| !has_file(&row.key)).map(|row| row.hours).min();
            let is_behind = newest_file.zip(newest_lost).is_none_or(|(file, row)| row + 24 < file);
            for row in self.rows.iter_mut().filter(|row| !is_behind && row.hours <= hours) {
                if row.fate == Fate::Wanted {
                    row.fate = Fate::Unknowable(Limit::HardlyBehind);
                }
            }
        }
        let stale = self.provocations.iter().filter_map(|provocation| match provocation {
            Provocation::StaleDatabase(hours) => Some(*hours),
            _ => None,
        });
        let Some(hours) = stale.max() else { return };
        // A day may lie between the newest row and the newest file of which it knows nothing.
        let newest_row = self.rows.iter().filter(|row| row.table == Table::Assets).map(|row| row.hours).min();
        let named = |key: &str| self.rows.iter().any(|row| row.key == key);
        let newest_unknown = self.files.iter().filter(|file| !named(&file.key)).map(|file| file.hours).min();
        let is_behind = newest_row.zip(newest_unknown).is_none_or(|(row, file)| file + 24 < row);
        for file in self.files.iter_mut().filter(|file| !is_behind && file.hours <= hours) {
            if file.fate == Fate::Wanted {
                file.fate = Fate::Unknowable(Limit::HardlyBehind);
            }
        }
    }
}

impl Provocation {
    /// Those that each layout is held against: all values written in another way, and some.
    pub fn table() -> Vec<Provocation> {
        const DAYS: u64 = 30 * 24;
        let writers = [
            Writer::Url,
            Writer::Percent,
            Writer::PercentSlashes,
            Writer::Upper,
            Writer::LeadingSlash,
            Writer::TrailingSpace,
        ];
        let shares = |of: fn(Share) -> Provocation| [of(Share::All), of(Share::Some)];
        let written = writers
            .into_iter()
            .flat_map(|writer| [Share::All, Share::Some].map(|share| Provocation::Written(writer, share)));
        let shared = [Provocation::PrefixForgotten, Provocation::JsonReference, Provocation::Link].map(shares);
        let whole = [
            Provocation::EmptyReference,
            Provocation::StaleDatabase(DAYS),
            Provocation::StaleStorage(DAYS),
            Provocation::ForgottenTable(40),
        ];
        written.chain(shared.into_iter().flatten()).chain(whole).collect()
    }

    /// Whether the files, or what is beside them, are others than in the healthy world.
    pub fn is_of_files(self) -> bool {
        !matches!(
            self,
            Provocation::Written(..)
                | Provocation::JsonReference(_)
                | Provocation::EmptyReference
                | Provocation::EmptyRecords
                | Provocation::StaleDatabase(_)
        )
    }

    /// What every key must begin with for it to be provoked.
    pub fn root(self) -> &'static str {
        match self {
            Provocation::PrefixForgotten(_) => "media/",
            _ => "",
        }
    }
}
