//! Applications whose two sides agree, but for what is truly lost on either.

use super::keys::{Layout, Unit};
use super::random::Random;
use super::{Fate, File, Limit, Row, Table, World};

/// How large a world is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Files, about.
    pub files: usize,
    /// Files of a video, a map or a tenant.
    pub many: usize,
}

/// The age of the newest wanted file and of its row, which show that neither side is behind.
const NEWEST: u64 = 30;
/// Nothing else is younger.
const YOUNGEST: u64 = 49;
const OLDEST: u64 = 400 * 24;

impl World {
    /// A healthy world of one layout. Every tenth unit is of a deleted owner, or an upload that failed as a whole; every
    /// twentieth has an upload that failed in its folder, and every twentieth row has lost its file. Some files are wanted
    /// by a reference alone.
    pub fn healthy(layout: Layout, root: &'static str, size: Size, random: &mut Random) -> World {
        let mut world = World { root, ..World::default() };
        let units = (size.files / layout.files(size.many)).max(4);
        world.add(layout, units, [units.div_ceil(10), units.div_ceil(20), units.div_ceil(20)], size.many, random);
        world.be_up_to_date();
        world
    }

    /// Adds that many units of a layout, and beside them units that are dead, uploads that failed, and rows that have lost
    /// their files.
    pub(super) fn add(
        &mut self,
        layout: Layout,
        units: usize,
        [dead, uploads, lost]: [usize; 3],
        many: usize,
        random: &mut Random,
    ) {
        self.layouts.push(layout);
        self.sections += &layout.derived(self.root);
        let mut live = Vec::new();
        // Some references more than make a silent one refuse.
        let by_reference = (units / 8).clamp(2, 20);
        for place in 0..units + dead + lost {
            let hours = random.within(YOUNGEST, OLDEST);
            self.units += 1;
            let unit = layout.unit(self.root, self.units, hours, many, random);
            match place {
                _ if place < units => {
                    self.add_live(&unit, place % by_reference == 0, hours);
                    live.push((unit, hours));
                }
                _ if place < units + dead => self.add_dead(&unit, hours),
                // The unit is whole and alive where it can be, and only one more row of it has lost its file.
                _ => {
                    self.add_row(Table::Assets, &lost_row(layout, self.root, &unit, &live, random), hours, Fate::Orphan)
                }
            }
        }
        for _ in 0..uploads {
            let (beside, _) = &live[random.below(live.len())];
            let hours = random.within(YOUNGEST, OLDEST);
            self.units += 1;
            match layout.upload(self.root, beside, self.units, random) {
                Some(key) => self.add_file(key, hours, Fate::Orphan, false),
                None => self.add_dead(&layout.unit(self.root, self.units, hours, many, random), hours),
            }
        }
    }

    fn add_live(&mut self, unit: &Unit, by_reference: bool, hours: u64) {
        for key in &unit.files {
            self.add_file(key.clone(), hours, Fate::Wanted, unit.untold.contains(key));
        }
        for (at, key) in unit.rows.iter().enumerate() {
            let table = if by_reference && at == 0 { Table::Users } else { Table::Assets };
            self.add_row(table, key, hours, Fate::Wanted);
        }
    }

    fn add_dead(&mut self, unit: &Unit, hours: u64) {
        for key in &unit.files {
            let fate = match unit.untold.contains(key) {
                true => Fate::Unknowable(Limit::ThumbOfNothing),
                false => Fate::Orphan,
            };
            self.add_file(key.clone(), hours, fate, false);
        }
    }

    pub(super) fn add_file(&mut self, key: String, hours: u64, fate: Fate, is_untold: bool) {
        self.files.push(File { key, hours, fate, is_untold, unit: self.units });
    }

    pub(super) fn add_row(&mut self, table: Table, key: &str, hours: u64, fate: Fate) {
        self.rows.push(Row { table, key: key.to_owned(), value: key.to_owned(), hours, fate, unit: self.units });
    }

    /// Makes the youngest wanted unit that has a row which owns files as young as something that was uploaded yesterday.
    pub(super) fn be_up_to_date(&mut self) {
        let owning = |row: &&Row| row.table == Table::Assets && row.fate == Fate::Wanted;
        let Some(unit) = self.rows.iter().filter(owning).min_by_key(|row| row.hours).map(|row| row.unit) else {
            return;
        };
        self.rows.iter_mut().filter(|row| row.unit == unit).for_each(|row| row.hours = NEWEST);
        self.files.iter_mut().filter(|file| file.unit == unit).for_each(|file| file.hours = NEWEST);
    }
}

/// The key of a row whose file is lost: one more in a folder that is alive, where units have folders with many rows.
fn lost_row(layout: Layout, root: &str, unit: &Unit, live: &[(Unit, u64)], random: &mut Random) -> String {
    let beside = &live[random.below(live.len())].0;
    match layout {
        Layout::Tiles | Layout::Tenants => {
            layout.upload(root, beside, 5000 + random.below(1_000_000), random).unwrap_or_else(|| unit.rows[0].clone())
        }
        _ => unit.rows[0].clone(),
    }
}
