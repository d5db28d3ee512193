//! Small random worlds: some layouts beside each other, and up to three provocations, or none.

use std::collections::BTreeMap;

use super::keys::Layout;
use super::provoked::{Provocation, Share};
use super::random::Random;
use super::writers::Writer;
use super::{Fate, World};

/// Fewer files than these below a first folder of which nobody knows anything are no forgotten table.
const FEW: usize = 4;

pub fn world(random: &mut Random) -> World {
    let mut world = World { root: random.pick(&["", "", "media/"]), ..World::default() };
    let mut layouts = Vec::new();
    for _ in 0..random.pick(&[1, 1, 1, 2, 2, 3]) {
        // Of thumbnails that nobody tells of there are too few here to stand out.
        let layout = random.pick(&Layout::ALL[..Layout::ALL.len() - 1]);
        // The rule of the one would speak of the other's files too: a folder of two digits may be a hash or an id.
        let twins = [[Layout::SizesWithRows, Layout::SizesByRule], [Layout::Medialibrary, Layout::Hashed]];
        let is_twin =
            |other: &Layout| twins.iter().any(|twins| [layout, *other].iter().all(|layout| twins.contains(layout)));
        if !layouts.contains(&layout) && !layouts.iter().any(is_twin) {
            layouts.push(layout);
        }
    }
    let files = random.within(5, 61) as usize / layouts.len();
    for layout in layouts {
        let many = random.within(2, 5) as usize;
        let units = (files / layout.files(many)).max(3);
        let some = |random: &mut Random| random.below(units / 4 + 2);
        let lost = [some(random), some(random), some(random)];
        world.add(layout, units, lost, many, random);
    }
    world.be_up_to_date();
    world.scatter_orphans();
    if random.percent(30) {
        return world;
    }
    let mut provocations: Vec<Provocation> = Vec::new();
    for _ in 0..random.pick(&[1, 1, 2, 3]) {
        let provocation = provocation(world.root, random);
        // Values may be written in one way and then in another; all else happens once.
        let is_again = |before: &Provocation| std::mem::discriminant(before) == std::mem::discriminant(&provocation);
        if matches!(provocation, Provocation::Written(..)) || !provocations.iter().any(is_again) {
            provocations.push(provocation);
        }
    }
    // A copy is made of what is there, however it is written.
    let is_copy = |of: &Provocation| matches!(of, Provocation::StaleDatabase(_) | Provocation::StaleStorage(_));
    provocations.sort_by_key(is_copy);
    for provocation in provocations {
        world.provoke(provocation, random);
    }
    world.know_limits();
    world
}

impl World {
    /// Takes away orphans where so many lie below a first folder of which nobody knows anything that they look like the files
    /// of a forgotten table.
    fn scatter_orphans(&mut self) {
        let first = |key: &str| key.split_once('/').map(|(folder, _)| folder.to_owned());
        let mut orphans: BTreeMap<String, usize> = BTreeMap::new();
        let known: Vec<String> = self.rows.iter().filter_map(|row| first(&row.key)).collect();
        self.files.retain(|file| {
            let folder = first(&file.key).filter(|folder| file.fate == Fate::Orphan && !known.contains(folder));
            let Some(folder) = folder else { return true };
            let count = orphans.entry(folder).or_default();
            *count += 1;
            *count <= FEW
        });
    }
}

fn provocation(root: &str, random: &mut Random) -> Provocation {
    let share = random.pick(&[Share::All, Share::Some, Share::Some]);
    let hours = random.within(3 * 24, 60 * 24);
    match random.below(14) {
        0 => Provocation::JsonReference(share),
        1 => Provocation::EmptyReference,
        2 => Provocation::EmptyRecords,
        3 | 4 => Provocation::StaleDatabase(hours),
        5 | 6 => Provocation::StaleStorage(hours),
        7 | 8 => Provocation::ForgottenTable(random.within(1, 20) as usize),
        9 => Provocation::Link(share),
        10 if !root.is_empty() => Provocation::PrefixForgotten(share),
        _ => Provocation::Written(random.pick(&Writer::ALL), share),
    }
}
