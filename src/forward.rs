//! PURE: whether the database goes forward (I21): what a complete run remembers of each source, and what a later run
//! makes of it. Knows neither the database nor the ledger.

use crate::domain::Time;
use crate::domain::key::Printable;

/// Rows that are remembered of a table, at most.
pub const MOST_ROWS: usize = 200;
/// So many rows must be gone for a database to have gone back, and so many must be new to be remembered by themselves.
const FEWEST_ROWS: usize = 5;
/// A table with fewer rows than these loses a tenth of them without a word.
const MANY_ROWS: u64 = 50;

/// A row that a complete run saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRow {
    /// Its id, as the database finds it again.
    pub handle: String,
    /// A hash of its key.
    pub key: String,
    /// Where it stands in the order in which rows are made; `None`: nothing says that.
    pub place: Option<i64>,
}

/// What a complete run remembers of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// What the source is, as a hash: where its configuration changes it is another.
    pub source: String,
    /// As people know it.
    pub name: String,
    pub run: i64,
    /// The rows of its table that no run was to remove; `None` for a reference.
    pub rows: Option<u64>,
    pub had_rows: bool,
    /// Whether any of its values was an object.
    pub had_objects: bool,
    /// When the newest row was made.
    pub newest: Option<Time>,
    pub sample: Vec<KnownRow>,
}

/// What of a [`Memory`] is still so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Now {
    /// Rows of the table; `None` for a reference, and where not all were compared.
    pub rows: Option<u64>,
    /// Rows that runs of this tool have deleted since.
    pub deleted: u64,
    /// `None`: a narrowed run does not know.
    pub has_rows: Option<bool>,
    pub has_objects: Option<bool>,
    pub newest: Option<Time>,
    /// Rows of the sample that no run of this tool has touched, ...
    pub asked: usize,
    /// ... and those of them that are missing or have another key.
    pub gone: usize,
}

/// A sign that the database went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// Most of the rows that were new are missing, or have other keys.
    NewRowsGone { gone: usize, of: usize },
    /// Half of all rows are gone.
    HalfGone { before: u64, now: u64 },
    /// A source had rows, and has none.
    NoRows,
    /// Values of a source were objects, and none is.
    NoObjects,
    /// Many rows are gone.
    FewerRows { before: u64, now: u64 },
    /// The newest row is older than the newest one was.
    OlderNewest { before: Time, now: Time },
}

impl Sign {
    /// Whether nothing may be removed until a person accepts the database as it is.
    pub fn refuses(&self) -> bool {
        !matches!(self, Sign::FewerRows { .. } | Sign::OlderNewest { .. })
    }

    /// What it says.
    pub fn sentence(&self, memory: &Memory) -> String {
        let (name, run) = (Printable(&memory.name), memory.run);
        match self {
            Sign::NewRowsGone { gone, of } => format!(
                "the database went back: {gone} of the {of} newest rows of {name} that run {run} saw are gone, or have other \
                 keys"
            ),
            Sign::HalfGone { before, now } => {
                format!("the database went back: {name} had {before} rows in run {run}, and has {now}")
            }
            Sign::NoRows => format!("the database went back: {name} had rows in run {run}, and has none"),
            Sign::NoObjects => {
                format!("the database went back: {name} named objects in run {run}, and names none that is there")
            }
            Sign::FewerRows { before, now } => format!(
                "{name} had {before} rows in run {run}, and has {now}: if an older copy of the database was restored, remove \
                 nothing"
            ),
            Sign::OlderNewest { before, now } => {
                let [before, now] = [before, now].map(|time| time.format("%Y-%m-%d %H:%M:%S UTC"));
                format!(
                    "the newest row of {name} was made {before} when run {run} looked, and now {now}: if an older copy of the \
                     database was restored, remove nothing"
                )
            }
        }
    }
}

/// What to say to a person of signs that refuse.
pub const WHAT_TO_DO: &str = "Was an older copy of it restored, or is this another database? If it is right as it is now, \
     run once with --accept-database";

/// What speaks for it that a database went back, the gravest first.
pub fn signs(before: &Memory, now: &Now) -> Vec<Sign> {
    let mut signs = Vec::new();
    if now.gone >= FEWEST_ROWS && now.gone * 2 > now.asked {
        signs.push(Sign::NewRowsGone { gone: now.gone, of: now.asked });
    }
    if let (Some(rows_before), Some(rows)) = (before.rows, now.rows) {
        let expected = rows_before.saturating_sub(now.deleted);
        let gone = expected.saturating_sub(rows);
        if gone >= FEWEST_ROWS as u64 && gone * 2 >= expected {
            signs.push(Sign::HalfGone { before: expected, now: rows });
        } else if expected >= MANY_ROWS && gone * 10 > expected {
            signs.push(Sign::FewerRows { before: expected, now: rows });
        }
    }
    // Rows that this tool has deleted are no reason to doubt the others.
    if before.had_rows && now.has_rows == Some(false) && now.deleted == 0 {
        signs.push(Sign::NoRows);
    } else if before.had_objects && now.has_objects == Some(false) && now.deleted == 0 {
        signs.push(Sign::NoObjects);
    }
    if let (Some(before), Some(now)) = (before.newest, now.newest)
        && now < before
    {
        signs.push(Sign::OlderNewest { before, now });
    }
    signs
}

/// Whether so few rows are left that it is worth counting them one by one.
pub fn must_count(before: &Memory, now: &Now) -> bool {
    signs(before, now).iter().any(|sign| matches!(sign, Sign::HalfGone { .. } | Sign::FewerRows { .. }))
}

/// The rows that the next run asks about: those that are new since the last that were remembered, where they are enough;
/// else those that are left of these. `recent` are the newest rows, `left` those of `before` that are still there.
pub fn sample(before: &[KnownRow], left: Vec<KnownRow>, recent: Vec<KnownRow>) -> Vec<KnownRow> {
    let Some(last) = before.iter().filter_map(|row| row.place).max() else { return recent };
    let fresh: Vec<KnownRow> = recent.iter().filter(|row| row.place > Some(last)).cloned().collect();
    match () {
        () if fresh.len() >= FEWEST_ROWS => fresh,
        () if left.len() >= FEWEST_ROWS => left,
        () => recent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(rows: u64) -> Memory {
        Memory {
            source: "s".to_owned(),
            name: "assets".to_owned(),
            run: 7,
            rows: Some(rows),
            had_rows: true,
            had_objects: true,
            newest: None,
            sample: Vec::new(),
        }
    }

    fn now(rows: u64) -> Now {
        Now { rows: Some(rows), has_rows: Some(rows > 0), has_objects: Some(rows > 0), ..Now::default() }
    }

    #[test]
    fn most_of_the_new_rows_and_at_least_five_must_be_gone() {
        for (gone, asked, refuses) in [(4, 4, false), (5, 5, true), (5, 10, false), (6, 10, true), (100, 200, false)] {
            let signs = signs(&memory(1000), &Now { gone, asked, ..now(1000) });
            assert_eq!(signs.iter().any(Sign::refuses), refuses, "{gone} of {asked}: {signs:?}");
        }
    }

    #[test]
    fn half_of_all_rows_refuse_and_a_tenth_is_worth_a_word() {
        for (before, after, expected) in [
            (100, 100, None),
            (100, 90, None),
            (100, 89, Some(false)),
            (100, 51, Some(false)),
            (100, 50, Some(true)),
            (49, 40, None),
            (10, 5, Some(true)),
            (8, 4, None),
            (100, 200, None),
        ] {
            let signs = signs(&memory(before), &now(after));
            assert_eq!(signs.first().map(Sign::refuses), expected, "{before} to {after}: {signs:?}");
        }
    }

    #[test]
    fn what_this_tool_deleted_is_not_gone() {
        assert!(signs(&memory(100), &Now { deleted: 60, ..now(40) }).is_empty());
        assert!(signs(&memory(100), &Now { deleted: 60, ..now(20) }).iter().any(Sign::refuses));
        assert!(signs(&memory(1), &Now { deleted: 1, ..now(0) }).is_empty());
    }

    #[test]
    fn a_source_that_gave_something_and_gives_nothing_refuses() {
        let reference = Memory { rows: None, ..memory(0) };
        let now = |has_rows, has_objects| Now { has_rows, has_objects, ..Now::default() };
        assert_eq!(signs(&reference, &now(Some(false), Some(false))), [Sign::NoRows]);
        assert_eq!(signs(&reference, &now(Some(true), Some(false))), [Sign::NoObjects]);
        assert!(signs(&reference, &now(None, None)).is_empty());
        let never = Memory { had_rows: false, had_objects: false, ..reference };
        assert!(signs(&never, &now(Some(false), Some(false))).is_empty());
    }

    #[test]
    fn the_sample_goes_on_once_enough_rows_are_new() {
        let rows = |places: std::ops::Range<i64>| -> Vec<KnownRow> {
            places
                .map(|place| KnownRow { handle: place.to_string(), key: "k".to_owned(), place: Some(place) })
                .collect()
        };
        assert_eq!(sample(&[], Vec::new(), rows(0..9)), rows(0..9));
        assert_eq!(sample(&rows(0..9), rows(0..9), rows(0..13)), rows(0..9));
        assert_eq!(sample(&rows(0..9), rows(0..9), rows(0..14)), rows(9..14));
        // Rows that went away one by one leave too few to speak for the others.
        assert_eq!(sample(&rows(0..9), rows(0..4), rows(0..4)), rows(0..4));
        // Nothing says which are new.
        let unplaced = vec![KnownRow { handle: "a".to_owned(), key: "k".to_owned(), place: None }];
        assert_eq!(sample(&unplaced, unplaced.clone(), rows(3..4)), rows(3..4));
    }
}
