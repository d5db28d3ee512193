//! PURE: whether, and what, a run may remove. Limits are counts that refuse before the first removal (I7), never
//! counters that stop half-way.

use std::fmt;

use crate::config::{Percent, Safety};
use crate::finding::{Time, Totals};
use crate::judge::WrongPair;

/// What a run has found that it could act on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Orphaned files that are not held.
    pub files: u64,
    pub file_bytes: u64,
    /// Trash that is due to go for good: removed by an earlier run, and counted towards no limit.
    pub due_files: u64,
    pub due_bytes: u64,
}

/// The limits of one run: the configuration's, unless the command line says otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub max_removals: u64,
    pub max_percent: f64,
}

impl Limits {
    pub fn new(safety: &Safety, max_removals: Option<u64>, max_percent: Option<f64>) -> Self {
        let Percent(configured) = safety.max_percent;
        Limits {
            max_removals: max_removals.unwrap_or(safety.max_removals),
            max_percent: max_percent.unwrap_or(configured),
        }
    }
}

/// What a run will remove, once it is confirmed. Only [`plan`] makes one, and `execute` consumes it.
#[derive(Debug, PartialEq, Eq)]
pub struct DeletionPlan {
    census: Census,
    due_before: Time,
}

impl DeletionPlan {
    pub fn census(&self) -> Census {
        self.census
    }

    /// Trash removed up to this time is due.
    pub fn due_before(&self) -> Time {
        self.due_before
    }

    pub fn is_empty(&self) -> bool {
        self.census.files == 0 && self.census.due_files == 0
    }
}

/// Why a run may remove nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refusal {
    WrongPair(WrongPair),
    /// More removals than `max_removals`.
    TooMany {
        removals: u64,
        limit: u64,
    },
    /// More of the objects than `max_percent`.
    TooLarge {
        removals: u64,
        objects: u64,
        limit: f64,
    },
}

/// Plans the removal of what `census` counts, with the trash of up to `due_before`; or refuses it whole.
pub fn plan(
    census: Census,
    due_before: Time,
    totals: &Totals,
    wrong_pair: Option<WrongPair>,
    limits: Limits,
) -> Result<DeletionPlan, Refusal> {
    if let Some(why) = wrong_pair {
        return Err(Refusal::WrongPair(why));
    }
    if census.files > limits.max_removals {
        return Err(Refusal::TooMany { removals: census.files, limit: limits.max_removals });
    }
    // Nothing to remove is no share of anything, and a store without objects is a wrong pair.
    if census.files as f64 * 100.0 > limits.max_percent * totals.objects as f64 {
        let (removals, objects, limit) = (census.files, totals.objects, limits.max_percent);
        return Err(Refusal::TooLarge { removals, objects, limit });
    }
    Ok(DeletionPlan { census, due_before })
}

impl Refusal {
    /// Which limit it was, for programs.
    pub fn limit(&self) -> &'static str {
        match self {
            Refusal::WrongPair(WrongPair::LowOverlap(_)) => "min_overlap",
            Refusal::WrongPair(_) => "wrong_pair",
            Refusal::TooMany { .. } => "max_removals",
            Refusal::TooLarge { .. } => "max_percent",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Refusal::WrongPair(WrongPair::NoRecords) => {
                f.write_str("the database knows no files at all: check the database, the table and the prefix")
            }
            Refusal::WrongPair(WrongPair::NoObjects) => {
                f.write_str("the storage holds no objects at all: check the bucket and the prefix")
            }
            Refusal::WrongPair(WrongPair::NoOverlap) => {
                f.write_str("no key is on both sides: check the bucket, the prefix, the database and the key column")
            }
            Refusal::WrongPair(WrongPair::LowOverlap(percent)) => write!(
                f,
                "only {percent:.1} % of the smaller side's keys are on both sides: check the bucket, the prefix and the \
                 database; if it is really meant, lower [safety] min_overlap in the configuration"
            ),
            Refusal::TooMany { removals, limit } => write!(
                f,
                "{removals} files would be removed, and max_removals is {limit}: if it is really meant, add \
                 --max-removals {removals}"
            ),
            Refusal::TooLarge { removals, objects, limit } => {
                let percent = (removals as f64 * 100.0 / objects.max(1) as f64).ceil();
                write!(
                    f,
                    "{removals} of {objects} files would be removed, and max_percent is {limit} %: if it is really meant, \
                     add --max-percent {percent}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::UNIX_EPOCH;
    const LIMITS: Limits = Limits { max_removals: 100, max_percent: 10.0 };

    fn files(files: u64) -> Census {
        Census { files, ..Census::default() }
    }

    fn objects(objects: u64) -> Totals {
        Totals { objects, ..Totals::default() }
    }

    #[test]
    fn each_limit_alone_is_enough_to_refuse() {
        assert!(plan(files(100), NOW, &objects(1000), None, LIMITS).is_ok());
        assert_eq!(
            plan(files(101), NOW, &objects(100_000), None, LIMITS),
            Err(Refusal::TooMany { removals: 101, limit: 100 })
        );
        assert_eq!(
            plan(files(11), NOW, &objects(109), None, LIMITS),
            Err(Refusal::TooLarge { removals: 11, objects: 109, limit: 10.0 })
        );
    }

    #[test]
    fn a_wrong_pair_refuses_whatever_the_limits() {
        let limits = Limits { max_removals: u64::MAX, max_percent: 100.0 };
        for why in [WrongPair::NoRecords, WrongPair::NoObjects, WrongPair::NoOverlap, WrongPair::LowOverlap(10.0)] {
            assert_eq!(plan(files(1), NOW, &objects(1000), Some(why), limits), Err(Refusal::WrongPair(why)));
        }
    }

    #[test]
    fn due_trash_counts_towards_no_limit() {
        let census = Census { due_files: 1_000_000, ..Census::default() };
        assert!(!plan(census, NOW, &objects(1), None, LIMITS).expect("a plan").is_empty());
    }

    #[test]
    fn a_refusal_says_what_to_type() {
        let refusal = Refusal::TooLarge { removals: 1, objects: 3, limit: 10.0 };
        assert!(refusal.to_string().ends_with("--max-percent 34"), "{refusal}");
        assert!(plan(files(1), NOW, &objects(3), None, Limits { max_removals: 1, max_percent: 34.0 }).is_ok());
    }
}
