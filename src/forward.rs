//! PURE: whether the database goes forward (I21): what a complete run remembers of each source, and what a later run
//! makes of it. Knows neither the database nor the ledger.

use std::collections::HashSet;

use crate::domain::Time;
use crate::domain::key::Printable;

/// Rows that are remembered of a table, at most.
pub const MOST_ROWS: usize = 200;
/// So many rows must be gone for a database to have gone back, and so many must be new to be remembered by themselves.
const FEWEST_ROWS: usize = 5;
/// A table with fewer rows than these loses a tenth of them without a word.
const MANY_ROWS: u64 = 50;

/// So many times a person must have accepted that a table lost its new rows, and so many runs in a row it must have done so,
/// before that is how the table is. One restored dump that was accepted is no habit.
const HABIT: u32 = 2;

/// A row that a complete run saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRow {
    /// Its id, as the database finds it again.
    pub handle: String,
    /// A hash of its key.
    pub key: String,
    pub place: Place,
}

/// Where a row stands in the order in which rows are made. What is known of no row says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was made, in microseconds since 1970.
    pub made: Option<i64>,
    /// Its id, where ids grow.
    pub number: Option<i64>,
}

impl Place {
    /// Whether all that is known says that its row was made later: a date may be anyone's, and a number may be random.
    fn is_surely_after(self, other: Place) -> bool {
        let is_as_known =
            self.made.is_some() == other.made.is_some() && self.number.is_some() == other.number.is_some();
        self != other && is_as_known && self.made >= other.made && self.number >= other.number
    }
}

/// What became of a row that was remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    There,
    Missing,
    /// It has another key.
    Changed,
}

/// What a complete run remembers of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// What the source is, as a hash: where its configuration changes it is another.
    pub source: String,
    /// As people know it.
    pub name: String,
    pub run: i64,
    /// The rows of its table that name an object, ...
    pub rows: Option<u64>,
    /// ... and all of them, whatever they name; `None` for a reference.
    pub all_rows: Option<u64>,
    /// Rows of its table that a rule condemned, or that the run was to delete: they go, whoever removes them.
    pub leaving: u64,
    /// Rows of its own that named an object, findings left out; `None` for a reference.
    pub objects: Option<u64>,
    pub had_rows: bool,
    /// Whether any of its values was an object.
    pub had_objects: bool,
    /// When the newest row was made.
    pub newest: Option<Time>,
    /// The rows that are asked about.
    pub sample: Vec<KnownRow>,
    /// The newest rows when the sample was chosen, [so many](MOST_ROWS) or all.
    pub window: Vec<KnownRow>,
    /// By what the places of these rows are known.
    pub placed_by: String,
    /// In how many runs, the last ones, nearly all of the sample was missing while new rows had come.
    pub emptied: u32,
}

/// What of a [`Memory`] is still so.
#[derive(Debug, Clone, Default)]
pub struct Now {
    /// Rows of the table that name an object; `None` for a reference, and where not all were compared.
    pub rows: Option<u64>,
    pub all_rows: Option<u64>,
    /// Rows that runs of this tool have deleted since, that one included.
    pub deleted: u64,
    /// `None`: a narrowed run does not know.
    pub has_rows: Option<bool>,
    pub has_objects: Option<bool>,
    pub newest: Option<Time>,
    /// The rows of the sample that no run of this tool has touched.
    pub asked: Vec<(Place, Fate)>,
    /// Rows that have come since the sample was chosen.
    pub fresh: usize,
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
    /// Nearly all of the rows that were new are missing, as always.
    Emptied { gone: usize, of: usize },
    /// The newest row is older than the newest one was.
    OlderNewest { before: Time, now: Time },
}

impl Sign {
    /// Whether nothing may be removed until a person accepts the database as it is.
    pub fn refuses(&self) -> bool {
        !matches!(self, Sign::Emptied { .. } | Sign::FewerRows { .. } | Sign::OlderNewest { .. })
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
            Sign::Emptied { gone, of } => format!(
                "{gone} of the {of} newest rows of {name} that run {run} saw are gone, as a person accepted before: this table \
                 cannot show whether the database went back"
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
    let is_habit = before.emptied >= HABIT && now.is_emptied();
    if now.has_lost_new_rows() {
        let (gone, of) = (now.asked.len() - now.with(Fate::There), now.asked.len());
        signs.push(if is_habit { Sign::Emptied { gone, of } } else { Sign::NewRowsGone { gone, of } });
    }
    if let Some((gone, expected)) = lost(before, now) {
        let (before, now) = (expected, expected - gone);
        if gone >= FEWEST_ROWS as u64 && gone * 2 >= expected {
            signs.push(Sign::HalfGone { before, now });
        } else if expected >= MANY_ROWS && gone * 10 > expected {
            signs.push(Sign::FewerRows { before, now });
        }
    }
    // Rows that were to go explain a loss only where they are as many.
    let left = before.left(now);
    let explains = |removed: u64, had: Option<u64>| had.is_some_and(|had| had <= removed);
    if before.had_rows && now.has_rows == Some(false) && !explains(left, before.all_rows) {
        signs.push(Sign::NoRows);
    } else if before.had_objects && now.has_objects == Some(false) && !explains(left - before.leaving, before.objects) {
        signs.push(Sign::NoObjects);
    }
    if let (Some(before), Some(now)) = (before.newest, now.newest)
        && now < before
    {
        signs.push(Sign::OlderNewest { before, now });
    }
    signs
}

/// How many rows of a table are gone, and of how many that were to stay. A row that names no object now, or owns none, is
/// there all the same: only so many count as have left the table. And rows that named none before hide no loss.
fn lost(before: &Memory, now: &Now) -> Option<(u64, u64)> {
    let left = before.left(now);
    let expected = before.rows?.saturating_sub(left);
    let named = expected.saturating_sub(now.rows?);
    let all = before.all_rows?.saturating_sub(left).saturating_sub(now.all_rows?);
    Some((named.min(all), expected))
}

impl Now {
    fn with(&self, fate: Fate) -> usize {
        self.asked.iter().filter(|(_, other)| *other == fate).count()
    }

    /// Whether the rows that were new are gone as they are where an older dump was restored: that lacks the youngest, and has
    /// all that are older than it. A missing row with younger ones beside it was deleted by somebody, and says nothing. A few
    /// younger ones prove nothing: somebody put them back, or their ids were never in order.
    ///
    /// It cannot tell users who delete just the newest rows from a dump, even where rows with greater ids have come since: a
    /// table that is restored by itself, and a counter that is set ahead to be safe, look the same. There it refuses. Nor does
    /// it see a dump where both dates and numbers of rows have nothing to do with when they were made.
    fn has_lost_new_rows(&self) -> bool {
        let is_most = |rows: usize| rows >= FEWEST_ROWS && rows * 2 > self.asked.len();
        let enough = FEWEST_ROWS.max(self.asked.len() / 10);
        let is_deleted = |place: Place| {
            let younger = |(other, fate): &&(Place, Fate)| *fate == Fate::There && other.is_surely_after(place);
            self.asked.iter().filter(younger).count() >= enough
        };
        let gone = self.asked.iter().filter(|(place, fate)| *fate != Fate::There && !is_deleted(*place)).count();
        // Ids that are used again are those of new rows in an older database.
        is_most(gone) || is_most(self.with(Fate::Changed))
    }

    /// Whether nearly all of the sample is missing, and as many new rows have come as make one: so it is each night where rows
    /// live for hours.
    fn is_emptied(&self) -> bool {
        let missing = self.with(Fate::Missing);
        missing >= FEWEST_ROWS && missing * 10 >= self.asked.len() * 9 && self.fresh >= FEWEST_ROWS
    }
}

impl Memory {
    /// In how many runs in a row the sample was [emptied](Now::is_emptied), once a person has accepted the database as it is
    /// now, or nothing refuses. A run that has too little to go by counts for neither side.
    pub fn emptied(&self, now: &Now) -> u32 {
        match now.has_lost_new_rows() || now.asked.len() < FEWEST_ROWS {
            true => self.emptied.saturating_add(u32::from(now.is_emptied())),
            false => 0,
        }
    }

    /// Rows of its table that this tool, or what it found, accounts for. What it deleted it had found: both are not added.
    fn left(&self, now: &Now) -> u64 {
        self.leaving.max(now.deleted)
    }
}

/// The rows that have come since a window was. Which are new no single row decides, however far ahead of its time it is: a
/// row is new where it is none of the window, and would have been one.
pub fn fresh(window: &[KnownRow], recent: &[KnownRow]) -> Vec<KnownRow> {
    // An id with another key is that of a new row: an older database gives ids once more.
    let known: HashSet<(&str, &str)> = window.iter().map(|row| (row.handle.as_str(), row.key.as_str())).collect();
    // A table with fewer rows had no others.
    let least = window.iter().map(|row| row.place).min().filter(|_| window.len() >= MOST_ROWS);
    let is_fresh = |row: &&KnownRow| {
        !known.contains(&(row.handle.as_str(), row.key.as_str())) && least.is_none_or(|least| row.place > least)
    };
    recent.iter().filter(is_fresh).cloned().collect()
}

/// Whether the greatest ids show what is new, and nobody must look for the newest dates.
pub fn shows_enough(before: Option<&Memory>, recent: &[KnownRow], newest: Option<Time>) -> bool {
    before.is_none_or(|before| fresh(&before.window, recent).len() >= FEWEST_ROWS && newest >= before.newest)
}

/// The sample and the window of the next run: the rows that are new, where they are enough; else those of the sample that are
/// still there, until they are. `recent` are the newest rows, `left` those of the sample that are still there.
pub fn sample(
    before: Option<&Memory>,
    left: Vec<KnownRow>,
    recent: Vec<KnownRow>,
    placed_by: &str,
) -> (Vec<KnownRow>, Vec<KnownRow>) {
    let Some(before) = before.filter(|before| before.placed_by == placed_by && !placed_by.is_empty()) else {
        return (recent.clone(), recent);
    };
    let fresh = fresh(&before.window, &recent);
    match () {
        () if fresh.len() >= FEWEST_ROWS => (fresh, recent),
        () if left.len() >= FEWEST_ROWS => (left, before.window.clone()),
        () => (recent.clone(), recent),
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
            all_rows: Some(rows),
            leaving: 0,
            objects: Some(rows),
            had_rows: true,
            had_objects: true,
            newest: None,
            sample: Vec::new(),
            window: Vec::new(),
            placed_by: "number".to_owned(),
            emptied: 0,
        }
    }

    /// Rows of these numbers.
    fn rows(numbers: impl IntoIterator<Item = i64>) -> Vec<KnownRow> {
        let row = |number: i64| KnownRow {
            handle: number.to_string(),
            key: "k".to_owned(),
            place: Place { made: None, number: Some(number) },
        };
        numbers.into_iter().map(row).collect()
    }

    /// So many rows in the order of their numbers, and what became of each.
    fn asked(of: usize, fate: impl Fn(usize) -> Fate) -> Vec<(Place, Fate)> {
        (0..of).map(|row| (Place { made: None, number: Some(row as i64) }, fate(row))).collect()
    }

    fn refuses(before: &Memory, now: &Now) -> bool {
        signs(before, now).iter().any(Sign::refuses)
    }

    fn now(rows: u64) -> Now {
        Now {
            rows: Some(rows),
            all_rows: Some(rows),
            has_rows: Some(rows > 0),
            has_objects: Some(rows > 0),
            ..Now::default()
        }
    }

    #[test]
    fn most_of_the_new_rows_and_at_least_five_must_be_gone() {
        for (gone, of, expected) in [(4, 4, false), (5, 5, true), (5, 10, false), (6, 10, true), (100, 200, false)] {
            for fate in [Fate::Missing, Fate::Changed] {
                let asked = asked(of, |row| if row >= of - gone { fate } else { Fate::There });
                assert_eq!(refuses(&memory(1000), &Now { asked, ..now(1000) }), expected, "{gone} of {of}: {fate:?}");
            }
        }
    }

    #[test]
    fn a_missing_row_with_younger_ones_beside_it_was_deleted() {
        let missing =
            |is_gone: fn(usize) -> bool| asked(200, |row| if is_gone(row) { Fate::Missing } else { Fate::There });
        let refuses = |asked: Vec<(Place, Fate)>| refuses(&memory(1000), &Now { asked, ..now(1000) });
        // Of what comes half is refused by somebody; old rows go; a dump lacks the youngest.
        assert!(!refuses(missing(|row| row % 5 < 3)));
        assert!(!refuses(missing(|row| row < 150)));
        assert!(refuses(missing(|row| row >= 80)));
        // A few that are ahead of their time hide nothing, ...
        assert!(refuses(missing(|row| (80..190).contains(&row))));
        // ... nor do random numbers where dates are in order, and other keys speak for themselves.
        let random = missing(|row| row >= 80).into_iter().enumerate();
        let random = random
            .map(|(row, (_, fate))| (Place { made: Some(row as i64), number: Some((row as i64 * 7919) % 200) }, fate));
        assert!(refuses(random.collect()));
        assert!(refuses(asked(200, |row| if row % 5 < 3 { Fate::Changed } else { Fate::There })));
        let unplaced = missing(|row| row % 5 < 3).into_iter().map(|(_, fate)| (Place::default(), fate));
        assert!(refuses(unplaced.collect()));
    }

    #[test]
    fn a_table_that_is_emptied_each_night_refuses_until_that_was_accepted_twice() {
        let emptied = Now { asked: asked(200, |_| Fate::Missing), fresh: 200, ..now(120) };
        let mut before = memory(200);
        for accepted in 0..2 {
            assert!(refuses(&before, &emptied), "{accepted}");
            before.emptied = before.emptied(&emptied);
        }
        let told = signs(&before, &emptied);
        assert_eq!(told, [Sign::Emptied { gone: 200, of: 200 }, Sign::FewerRows { before: 200, now: 120 }]);
        // Half of all rows are no habit, whichever they are.
        assert!(refuses(&before, &Now { rows: Some(100), all_rows: Some(100), ..emptied.clone() }));
        assert_eq!(before.emptied(&emptied), 3);
        // Where no rows have come, or ids are used again, or older rows are there, it is no habit.
        assert!(refuses(&before, &Now { fresh: 0, ..emptied.clone() }));
        assert!(refuses(&before, &Now { asked: asked(200, |_| Fate::Changed), ..emptied.clone() }));
        let cut = asked(200, |row| if row >= 80 { Fate::Missing } else { Fate::There });
        assert!(refuses(&before, &Now { asked: cut, ..emptied.clone() }));
        // It ends with the first run that finds its rows.
        assert_eq!(before.emptied(&Now { asked: asked(200, |_| Fate::There), ..emptied.clone() }), 0);
        assert_eq!(before.emptied(&Now { asked: Vec::new(), ..emptied }), 2);
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
        // What was found and what was deleted are the same rows.
        let found = Memory { leaving: 60, ..memory(100) };
        for deleted in [0, 60] {
            assert!(signs(&found, &Now { deleted, ..now(40) }).is_empty());
            assert_eq!(signs(&found, &Now { deleted, ..now(20) })[0], Sign::HalfGone { before: 40, now: 20 });
        }
    }

    #[test]
    fn rows_that_name_no_object_neither_go_nor_hide_a_loss() {
        let before = Memory { all_rows: Some(100_000), ..memory(40_000) };
        for (rows, all_rows, refuses) in [(20_000, 50_000, true), (20_000, 100_000, false), (40_000, 50_000, false)] {
            let signs = signs(&before, &Now { all_rows: Some(all_rows), ..now(rows) });
            assert_eq!(signs.iter().any(Sign::refuses), refuses, "{rows} of {all_rows}: {signs:?}");
        }
    }

    #[test]
    fn a_deletion_explains_no_more_than_itself() {
        let none = |deleted| Now { deleted, has_objects: Some(false), ..now(10_000) };
        // One row without an object was found, and deleted.
        let found = Memory { leaving: 1, objects: Some(9_999), ..memory(10_000) };
        assert_eq!(signs(&found, &none(1)), [Sign::NoObjects]);
        assert_eq!(signs(&memory(6), &Now { deleted: 3, ..now(0) }), [Sign::NoRows]);
        let half = Memory { leaving: 5_000, objects: Some(5_000), ..memory(10_000) };
        assert_eq!(signs(&half, &Now { rows: Some(5_000), ..none(5_000) }), [Sign::NoObjects]);
        // All that named an object were condemned, or have been deleted since by a run that remembered nothing.
        let condemned = Memory { leaving: 3, objects: Some(0), ..memory(10_000) };
        assert!(signs(&condemned, &none(3)).is_empty());
        let few = Memory { objects: Some(3), ..memory(10_000) };
        assert!(signs(&few, &none(3)).is_empty());
    }

    #[test]
    fn a_source_that_gave_something_and_gives_nothing_refuses() {
        let reference = Memory { rows: None, all_rows: None, objects: None, ..memory(0) };
        let now = |has_rows, has_objects| Now { has_rows, has_objects, ..Now::default() };
        assert_eq!(signs(&reference, &now(Some(false), Some(false))), [Sign::NoRows]);
        assert_eq!(signs(&reference, &now(Some(true), Some(false))), [Sign::NoObjects]);
        assert!(signs(&reference, &now(None, None)).is_empty());
        let never = Memory { had_rows: false, had_objects: false, ..reference };
        assert!(signs(&never, &now(Some(false), Some(false))).is_empty());
    }

    #[test]
    fn the_sample_goes_on_once_enough_rows_are_new() {
        let before = |sample: Vec<KnownRow>| Memory { window: sample.clone(), sample, ..memory(9) };
        let next = |left, recent| sample(Some(&before(rows(0..9))), left, recent, "number");
        assert_eq!(sample(None, Vec::new(), rows(0..9), "number"), (rows(0..9), rows(0..9)));
        // They add up until they are enough.
        assert_eq!(next(rows(0..9), rows(0..13)), (rows(0..9), rows(0..9)));
        assert_eq!(next(rows(0..9), rows(0..14)), (rows(9..14), rows(0..14)));
        // Rows that went away one by one leave too few to speak for the others.
        assert_eq!(next(rows(0..4), rows(0..4)), (rows(0..4), rows(0..4)));
        // Nothing says which are new, or something else does.
        for placed_by in ["", "created_at"] {
            let unplaced = Memory { placed_by: String::new(), ..before(rows(0..9)) };
            assert_eq!(sample(Some(&unplaced), rows(0..9), rows(3..40), placed_by), (rows(3..40), rows(3..40)));
        }
    }

    #[test]
    fn a_row_ahead_of_its_time_hides_no_new_ones() {
        let window = |from: i64| rows((from..from + 199).chain([999_999_999]));
        let before = Memory { window: window(0), sample: window(0), ..memory(200) };
        assert_eq!(sample(Some(&before), window(0), window(6), "number"), (rows(199..205), window(6)));
        // Rows that move up as others go are not new.
        assert!(fresh(&window(50), &window(20)).is_empty());
        assert!(shows_enough(Some(&before), &window(6), None) && shows_enough(None, &window(6), None));
        assert!(!shows_enough(Some(&before), &window(0), None));
    }
}
