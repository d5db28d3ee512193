//! PURE: the join of owners, sorted by their text, with the keys that the database knows, in byte order.

use crate::domain::Claim;
use crate::domain::derived::Owner;

/// How strongly the database wants what an owner stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// Only rows that rules seem to condemn name it.
    ByCondemned,
    Yes,
}

impl From<Claim> for Wanted {
    fn from(claim: Claim) -> Self {
        match claim {
            Claim::Condemned => Wanted::ByCondemned,
            Claim::Record | Claim::Reference => Wanted::Yes,
        }
    }
}

/// The join, fed with owners and keys in order. An owner has a number, by which it is told of.
#[derive(Default)]
pub struct OwnerJoin {
    /// Owners that a key to come may be, or begin with: a prefix begins with each one before it.
    open: Vec<(i64, Owner, Option<Wanted>)>,
}

impl OwnerJoin {
    /// Adds an owner, which sorts after those before it, and not after the next key.
    pub fn owner(&mut self, number: i64, owner: Owner) {
        self.open.retain(|(_, open, _)| match open {
            Owner::Key(key) => key == owner.text(),
            Owner::Prefix(prefix) => owner.text().starts_with(prefix.as_str()),
        });
        self.open.push((number, owner, None));
    }

    /// Takes the next key; tells of each owner that it is, or begins with, unless that was told before.
    pub fn key(&mut self, key: &str, wanted: Wanted, mut tell: impl FnMut(i64, Wanted)) {
        self.open.retain(|(_, owner, _)| match owner {
            Owner::Key(owner) => owner == key,
            Owner::Prefix(prefix) => key.starts_with(prefix.as_str()),
        });
        for (number, _, told) in &mut self.open {
            if *told < Some(wanted) {
                *told = Some(wanted);
                tell(*number, wanted);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_join_agrees_with_a_search_of_every_key(
            mut keys in prop::collection::vec(("[ab.]{1,4}", any::<bool>()), 0..30),
            owners in prop::collection::btree_set(("[ab.]{1,3}", any::<bool>()), 0..20),
        ) {
            keys.sort();
            let owners: Vec<Owner> = owners.into_iter()
                .map(|(text, prefix)| if prefix { Owner::Prefix(text) } else { Owner::Key(text) })
                .collect();
            let wanted = |is_condemned: &bool| if *is_condemned { Wanted::ByCondemned } else { Wanted::Yes };
            let mut told: BTreeMap<i64, Wanted> = BTreeMap::new();
            let mut join = OwnerJoin::default();
            let mut waiting = owners.iter().enumerate().peekable();
            for (key, is_condemned) in &keys {
                while let Some((number, owner)) = waiting.next_if(|(_, owner)| owner.text() <= key.as_str()) {
                    join.owner(number as i64, owner.clone());
                }
                join.key(key, wanted(is_condemned), |number, wanted| { told.insert(number, wanted); });
            }
            let expected: BTreeMap<i64, Wanted> = owners.iter().enumerate().filter_map(|(number, owner)| {
                let is_owner = |key: &str| match owner {
                    Owner::Key(owner) => owner == key,
                    Owner::Prefix(prefix) => key.starts_with(prefix.as_str()),
                };
                let best = keys.iter().filter(|(key, _)| is_owner(key)).map(|(_, condemned)| wanted(condemned)).max();
                Some((number as i64, best?))
            }).collect();
            prop_assert_eq!(told, expected);
        }
    }
}
