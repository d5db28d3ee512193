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
            Owner::Key(key) | Owner::Folder(key) => key == owner.text(),
            Owner::Prefix(prefix) => owner.text().starts_with(prefix.as_str()),
        });
        self.open.push((number, owner, None));
    }

    /// Takes the next key; tells of each owner that it is, or begins with, unless that was told before.
    pub fn key(&mut self, key: &str, wanted: Wanted, mut tell: impl FnMut(i64, Wanted)) {
        self.open.retain(|(_, owner, _)| match owner {
            Owner::Key(owner) | Owner::Folder(owner) => owner == key,
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
                    Owner::Key(owner) | Owner::Folder(owner) => owner == key,
                    Owner::Prefix(prefix) => key.starts_with(prefix.as_str()),
                };
                let best = keys.iter().filter(|(key, _)| is_owner(key)).map(|(_, condemned)| wanted(condemned)).max();
                Some((number as i64, best?))
            }).collect();
            prop_assert_eq!(told, expected);
        }
    }

    fn key(text: &str) -> Owner {
        Owner::Key(text.to_owned())
    }

    fn prefix(text: &str) -> Owner {
        Owner::Prefix(text.to_owned())
    }

    /// What a join tells of these owners and keys, both in order.
    fn told(owners: &[Owner], keys: &[(&str, Wanted)]) -> Vec<(i64, Wanted)> {
        let (mut join, mut told) = (OwnerJoin::default(), Vec::new());
        let mut waiting = (0..).zip(owners).peekable();
        for (key, wanted) in keys {
            while let Some((number, owner)) = waiting.next_if(|(_, owner)| owner.text() <= *key) {
                join.owner(number, owner.clone());
            }
            join.key(key, *wanted, |number, wanted| told.push((number, wanted)));
        }
        told
    }

    #[test]
    fn an_owner_that_is_a_key_is_that_key_alone() {
        let yes = Wanted::Yes;
        assert_eq!(told(&[key("a.png")], &[("a.png", yes)]), [(0, yes)]);
        assert_eq!(told(&[key("a.png")], &[("a.png.bak", yes)]), []);
        assert_eq!(told(&[key("a.png")], &[("A.png", yes), ("b.png", yes)]), []);
    }

    #[test]
    fn an_owner_that_is_a_prefix_is_any_key_that_begins_with_it_also_itself() {
        let yes = Wanted::Yes;
        for found in ["a.", "a.png", "a./x"] {
            assert_eq!(told(&[prefix("a.")], &[(found, yes)]), [(0, yes)], "{found}");
        }
        assert_eq!(told(&[prefix("a.")], &[("a", yes), ("a-.png", yes), ("b", yes)]), []);
        let both = [key("a"), prefix("a")];
        assert_eq!(told(&both, &[("a", yes), ("ab", yes)]), [(0, yes), (1, yes)]);
        assert_eq!(told(&both, &[("ab", yes)]), [(1, yes)]);
    }

    #[test]
    fn prefixes_within_prefixes_are_told_of_together_and_end_with_their_last_key() {
        let (yes, owners) = (Wanted::Yes, [prefix("a"), prefix("ab"), key("abc"), prefix("b")]);
        assert_eq!(told(&owners, &[("abc", yes)]), [(0, yes), (1, yes), (2, yes)]);
        assert_eq!(told(&owners, &[("ac", yes), ("c", yes)]), [(0, yes)]);
        assert_eq!(told(&owners, &[("aa", yes), ("abd", yes), ("bz", yes)]), [(0, yes), (1, yes), (3, yes)]);
    }

    #[test]
    fn an_owner_is_told_of_again_only_where_it_is_wanted_more_strongly() {
        let (weak, yes) = (Wanted::ByCondemned, Wanted::Yes);
        let owners = [prefix("a")];
        assert_eq!(told(&owners, &[("a1", weak), ("a2", weak), ("a3", yes), ("a4", yes)]), [(0, weak), (0, yes)]);
        assert_eq!(told(&owners, &[("a1", yes), ("a2", weak)]), [(0, yes)]);
        assert_eq!(told(&[key("a")], &[("a", weak), ("a", yes)]), [(0, weak), (0, yes)], "a key that two rows name");
    }

    #[test]
    fn a_row_that_a_rule_seems_to_condemn_wants_less_than_any_other() {
        assert_eq!(Wanted::from(Claim::Condemned), Wanted::ByCondemned);
        assert_eq!([Claim::Record, Claim::Reference].map(Wanted::from), [Wanted::Yes; 2]);
        assert!(Wanted::ByCondemned < Wanted::Yes);
    }
}
