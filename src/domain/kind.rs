//! PURE: what a finding can be. A kind is data: its side, its name and its texts stand here.
//!
//! A new kind is an entry here ([`Kind::facts`] and the two lists), and whoever finds it: of a file, `compare::part` and
//! `ledger::staging`; of a row, `look_again::records`, and what a run does with it, `config::Records::action`. Files of
//! other kinds are not asked of the database once more by `look_again::at_files`, nor compared by name, unless these are
//! told to.

use std::fmt;
use std::sync::Arc;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// An object of the store.
    File,
    /// A row of the database.
    Row,
}

/// What a finding is. The words are those of reports, of `--kind` and of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    OrphanedFile,
    OrphanedRecord,
    /// A record that the rule of this name condemns.
    Rule(Arc<str>),
}

/// Everything that is said of a kind.
struct Facts {
    side: Side,
    name: &'static str,
    /// What its section of the text report is called.
    heading: &'static str,
    /// One finding of it; more have an `s`.
    noun: &'static str,
    /// Its line in the summary.
    label: &'static str,
    /// What the log says of each, before the key.
    log: &'static str,
    /// Whether the text has a section and a summary line of it even where nothing was found.
    is_always_told: bool,
}

const ORPHANED_FILE: Facts = Facts {
    side: Side::File,
    name: "orphaned-file",
    heading: "Storage → DB Check",
    noun: "orphaned file",
    label: "Orphaned files",
    log: "File exists but no DB record",
    is_always_told: true,
};

const ORPHANED_RECORD: Facts = Facts {
    side: Side::Row,
    name: "orphaned-record",
    heading: "DB → Storage Check",
    noun: "orphaned record",
    label: "Orphaned records",
    log: "Asset record exists but file missing",
    is_always_told: true,
};

impl Kind {
    /// The kinds that need no rule, in the order of the summary.
    pub const BUILT_IN: [Kind; 2] = [Kind::OrphanedFile, Kind::OrphanedRecord];

    /// The kinds that are about files, in the order in which a run removes them.
    pub const OF_FILES: [Kind; 1] = [Kind::OrphanedFile];

    /// The facts of a kind that needs no rule.
    fn facts(&self) -> Result<&'static Facts, &Arc<str>> {
        match self {
            Kind::OrphanedFile => Ok(&ORPHANED_FILE),
            Kind::OrphanedRecord => Ok(&ORPHANED_RECORD),
            Kind::Rule(name) => Err(name),
        }
    }

    pub fn name(&self) -> &str {
        match self.facts() {
            Ok(facts) => facts.name,
            Err(rule) => rule,
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Self {
        Self::BUILT_IN.into_iter().find(|kind| kind.name() == name).unwrap_or_else(|| Kind::Rule(name.into()))
    }

    pub fn side(&self) -> Side {
        self.facts().map_or(Side::Row, |facts| facts.side)
    }

    /// The name of the rule that it comes from, if so: the row is condemned, and its object goes with it where nobody else
    /// wants it.
    pub fn rule(&self) -> Option<&Arc<str>> {
        self.facts().err()
    }

    /// What its section of the text report is called.
    pub fn heading(&self) -> String {
        match self.facts() {
            Ok(facts) => facts.heading.to_owned(),
            Err(rule) => format!("Rule: {rule}"),
        }
    }

    /// What one finding of it is called; more have an `s`.
    pub fn noun(&self) -> String {
        match self.facts() {
            Ok(facts) => facts.noun.to_owned(),
            Err(rule) => format!("{rule} record"),
        }
    }

    /// What its line in the summary is called.
    pub fn label(&self) -> &str {
        match self.facts() {
            Ok(facts) => facts.label,
            Err(rule) => rule,
        }
    }

    /// What the log says of a finding of it, before the key.
    pub fn log(&self) -> String {
        match self.facts() {
            Ok(facts) => facts.log.to_owned(),
            Err(rule) => format!("Record condemned by rule {rule}"),
        }
    }

    /// Whether the text has a section and a summary line of it even where nothing was found.
    pub fn is_always_told(&self) -> bool {
        self.facts().is_ok_and(|facts| facts.is_always_told)
    }

    /// Its place in the text report: the database's side first, and rules last, as they are written.
    pub fn place_in_text(&self) -> u8 {
        match (self.rule(), self.side()) {
            (None, Side::Row) => 0,
            (None, Side::File) => 1,
            (Some(_), _) => 2,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_stands_on_the_list_of_its_side() {
        for kind in Kind::BUILT_IN {
            assert_eq!(Kind::named(kind.name()), kind);
            assert_eq!(Kind::OF_FILES.contains(&kind), kind.side() == Side::File, "{kind}");
        }
        let rule = Kind::named("expired");
        assert_eq!((rule.side(), rule.rule().map(|name| &**name)), (Side::Row, Some("expired")));
    }

    #[test]
    fn names_are_told_apart() {
        let names: std::collections::BTreeSet<String> =
            Kind::BUILT_IN.iter().flat_map(|kind| [kind.name().to_owned(), kind.heading(), kind.noun()]).collect();
        assert_eq!(names.len(), 3 * Kind::BUILT_IN.len());
    }
}
