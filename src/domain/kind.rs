//! PURE: what a finding can be.

use std::fmt;
use std::sync::Arc;

/// What a finding is. The words are those of reports, of `--kind` and of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    OrphanedFile,
    OrphanedRecord,
    /// A record that the rule of this name condemns.
    Rule(Arc<str>),
}

impl Kind {
    /// The kinds that need no rule.
    pub const BUILT_IN: [Kind; 2] = [Kind::OrphanedFile, Kind::OrphanedRecord];

    pub fn name(&self) -> &str {
        match self {
            Kind::OrphanedFile => "orphaned-file",
            Kind::OrphanedRecord => "orphaned-record",
            Kind::Rule(name) => name,
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Self {
        Self::BUILT_IN.into_iter().find(|kind| kind.name() == name).unwrap_or_else(|| Kind::Rule(name.into()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
