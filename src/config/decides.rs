//! PURE: what of the configuration decides that something is wanted, and whether another one protects as much.

use std::collections::BTreeSet;

use super::{Config, Place, Records};
use crate::domain::derived::DerivedRule;

/// What decides that a file or a row is wanted, as the ledger keeps it from one run to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decides {
    /// What is compared, and how: whatever changes here may change any finding.
    compared: Vec<String>,
    /// What only protects: more of it makes no finding.
    protects: BTreeSet<String>,
    /// The reverse: less of it makes no finding.
    exposes: BTreeSet<String>,
    /// Nothing younger is a finding, in seconds.
    min_age: u64,
}

impl Decides {
    /// What this configuration decides by.
    pub fn of(config: &Config) -> Self {
        let Config { storage, records, references, derived, safety, databases, .. } = config;
        // What a run does about a finding decides nothing of whether it is one.
        let compared = |records: &Records| {
            let Records {
                name,
                database,
                id,
                key,
                owns,
                key_prefix,
                url_base,
                created_at,
                updated_at,
                zone,
                r#where,
                ..
            } = records;
            format!(
                "{name} {database} {id:?} {key:?} {owns:?} {key_prefix:?} {url_base:?} {created_at:?} {updated_at:?} {zone} \
                 {where:?}"
            )
        };
        let rules = records.iter().flat_map(|records| records.rules.iter().map(move |rule| (&records.name, rule)));
        let rules = rules.map(|(table, rule)| format!("{table} {rule:?}"));
        let databases = databases.iter().map(|other| format!("{} {}", other.name, other.database.engine));
        let references = references.iter().map(|reference| format!("{reference:?}"));
        let globs = storage.ignore_patterns.iter().map(|glob| format!("ignore {glob}"));
        let derived = derived.iter().map(|rule| match rule {
            DerivedRule::Pattern { pattern, owner, is_prefix } => format!("derived {pattern} {owner} {is_prefix}"),
            DerivedRule::Folders => "derived folders".to_owned(),
        });
        let age_by = match &storage.place {
            Place::Local { age_by, .. } => format!("{age_by:?}"),
            Place::S3 { .. } => String::new(),
        };
        Decides {
            compared: records.iter().map(compared).chain(databases).chain([storage.prefix.clone(), age_by]).collect(),
            protects: references.chain(globs).chain(derived).collect(),
            exposes: rules
                .chain(safety.unknown_prefixes.patterns.iter().map(|glob| format!("unknown {glob}")))
                .collect(),
            min_age: safety.min_age.0.as_secs(),
        }
    }

    #[cfg(test)]
    pub fn of_min_age(min_age: u64) -> Self {
        Decides { min_age, ..Decides::default() }
    }

    /// Whether it protects everything that `before` protected.
    pub fn protects_as_much_as(&self, before: &Decides) -> bool {
        self.compared == before.compared
            && self.protects.is_superset(&before.protects)
            && self.exposes.is_subset(&before.exposes)
            && self.min_age >= before.min_age
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIMPLEST: &str = "[database]\nurl = \"sqlite:app.db\"\n[storage]\nkind = \"local\"\nroot = \"up\"\n\
                            IGNORE\n[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"k\"\n";

    fn decides(config: &str, ignore: &str) -> Decides {
        let text = config.replace("IGNORE", ignore);
        Decides::of(&super::super::parse(&text, &|_| None).expect("a configuration"))
    }

    #[test]
    fn only_what_protects_more_protects_as_much() {
        let before = decides(SIMPLEST, "");
        for (more, ignore, as_much) in [
            ("", "", true),
            ("missing_file = \"delete\"\n", "", true),
            ("may_be_empty = true\n", "", true),
            ("where = \"x = 1\"\n", "", false),
            ("key_prefix = \"a/\"\n", "", false),
            ("[[references]]\ntable = \"users\"\nkey = \"avatar\"\n", "", true),
            ("", "ignore = [\"logs/**\"]", true),
            ("", "prefix = \"a/\"", false),
            ("[[derived]]\npattern = '^(.+)_s$'\nowner = '$1'\n", "", true),
            ("[[records.rules]]\nname = \"old\"\nwhere = \"x\"\n", "", false),
            ("[safety]\nunknown_prefixes = [\"a\"]\n", "", false),
            ("[safety]\nmin_age = \"48h\"\n", "", true),
            ("[safety]\nmin_age = \"2h\"\n", "", false),
            ("[safety]\nmax_removals = 3\n", "", true),
        ] {
            let now = decides(&format!("{SIMPLEST}{more}"), ignore);
            assert_eq!(now.protects_as_much_as(&before), as_much, "{more}{ignore}");
            // What protects more does less on the way back, unless nothing changed.
            let is_same = now == before;
            assert!(!(as_much && !is_same && before.protects_as_much_as(&now)), "{more}{ignore}");
        }
    }
}
