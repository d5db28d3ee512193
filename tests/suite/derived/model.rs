//! Random rules, keys and files against a model: a file that the database does not name is wanted while anything that it
//! belongs to, however many steps away, is named.
//!
//! Each case is run twice. Compared whole, owners lie beside their files and are settled while these are listed; compared
//! below a prefix, many owners lie outside of it and are asked for afterwards.

use std::collections::BTreeSet;

use proptest::prelude::*;
use regex::Regex;

use super::orphans;
use crate::command_line::fixture::Small;

/// Rules as they are written: a pattern and an owner. They make chains and cycles with each other, and cross folders.
const RULES: [(&str, &str); 9] = [
    ("^(.+)a$", "${1}b"),
    ("^(.+)b$", "${1}c"),
    ("^(.+)c$", "${1}a"),
    ("^(.*/)(.+)\\.(.)$", "$1$2"),
    ("^s/(.+)$", "t/$1"),
    ("^t/(.+)c$", "s/$1"),
    ("^(.+)\\.b$", "$1*"),
    ("^s/(.)(.*)$", "t/$1*"),
    ("^(.+)/(.)[.c]*$", "$1/$2.*"),
];

/// One rule, written once more for the model.
struct Rule {
    pattern: Regex,
    owner: &'static str,
    is_prefix: bool,
}

/// Whether anything that `key` belongs to is named, in as many steps as it takes.
fn is_wanted(rules: &[Rule], named: &BTreeSet<String>, key: &str) -> bool {
    let mut open = vec![key.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(key) = open.pop() {
        if named.contains(&key) {
            return true;
        }
        if !seen.insert(key.clone()) {
            continue;
        }
        for rule in rules {
            if !rule.pattern.is_match(&key) {
                continue;
            }
            let owner = rule.pattern.replace(&key, rule.owner).into_owned();
            match rule.is_prefix {
                true if named.iter().any(|named| named.starts_with(&owner)) => return true,
                true => {}
                false => open.push(owner),
            }
        }
    }
    false
}

/// Runs the tool and gives the orphaned files that it finds.
fn found(small: &Small, rules: &str, prefix: &str) -> BTreeSet<String> {
    let config = small.config(&format!("{rules}\n[safety]\nmin_overlap = 0\n"));
    small.tool.configure(&config.replacen("kind = \"local\"\n", &format!("kind = \"local\"\n{prefix}"), 1));
    orphans(&small.tool.report()).into_keys().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_are_judged_as_the_model_says(
        chosen in prop::sample::subsequence(RULES.to_vec(), 1..=RULES.len()),
        files in prop::collection::btree_set("[st]/[abc][abc.]{0,2}", 1..25),
        named in prop::collection::btree_set("[st]/[abc][abc.]{0,2}", 0..6),
        references in prop::collection::vec(any::<bool>(), 6),
    ) {
        let small = Small { tool: crate::support::tool::Tool::new("") };
        std::fs::create_dir(small.root()).expect("the uploads");
        small.sql("CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT)");
        files.iter().for_each(|key| small.file(key));
        for (key, is_reference) in named.iter().zip(&references) {
            match is_reference {
                true => small.sql(&format!("CREATE TABLE IF NOT EXISTS more (path TEXT); INSERT INTO more VALUES ('{key}')")),
                false => small.record(key),
            }
        }
        small.sql("CREATE TABLE IF NOT EXISTS more (path TEXT)");
        let written: String = chosen.iter()
            .map(|(pattern, owner)| format!("[[derived]]\npattern = '{pattern}'\nowner = '{owner}'\n"))
            .chain(["[[references]]\ntable = \"more\"\nkey = \"path\"\nmay_be_empty = true\n".to_owned()])
            .collect();
        let rules: Vec<Rule> = chosen.iter().map(|(pattern, owner)| Rule {
            pattern: Regex::new(pattern).expect("a pattern"),
            owner: owner.trim_end_matches('*'),
            is_prefix: owner.ends_with('*'),
        }).collect();
        let expected: BTreeSet<String> = files.iter().filter(|key| !is_wanted(&rules, &named, key)).cloned().collect();
        prop_assert_eq!(&found(&small, &written, ""), &expected);
        let below: BTreeSet<String> = expected.into_iter().filter(|key| key.starts_with("s/")).collect();
        prop_assert_eq!(&found(&small, &written, "prefix = \"s/\"\n"), &below);
    }
}
