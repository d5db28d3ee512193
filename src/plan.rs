//! PURE: whether, and what, a run may remove. Limits are counts that refuse before the first removal (I7), never
//! counters that stop half-way.

use std::fmt;

use crate::config::{Percent, Safety};
use crate::domain::key::Printable;
use crate::domain::packed::Packing;
use crate::domain::{LeftOut, Time, Totals};
use crate::judge::{Silence, WrongPair};

/// What a run has found that it could act on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Orphaned files that are not held.
    pub files: u64,
    pub file_bytes: u64,
    /// Files that follow their rows.
    pub following_files: u64,
    pub following_bytes: u64,
    pub tables: Vec<TableCensus>,
    /// How often, at least, the sources must be read whole that cannot be asked by key.
    pub readings: u64,
    /// Trash that is due to go for good: removed by an earlier run, and counted towards no limit.
    pub due_files: u64,
    pub due_bytes: u64,
    /// What is not counted above, though nothing holds it.
    pub left_out: LeftOut,
}

/// Rows of one table that a run could act on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableCensus {
    pub table: String,
    pub deleted: u64,
    pub updated: u64,
    /// How many rows the table has in all.
    pub of: u64,
    /// What else deleting them would change.
    pub cascade: Option<String>,
    /// Whether that is allowed.
    pub allow_cascade: bool,
}

impl Census {
    /// Rows that would be deleted or updated.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.deleted + table.updated).sum()
    }

    /// Findings that would be removed.
    pub fn findings(&self) -> u64 {
        self.files + self.rows()
    }
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
    later: u64,
    due_before: Time,
}

impl DeletionPlan {
    /// Findings that could be removed and stay for a later run, as this one has a limit.
    pub fn later(&self) -> u64 {
        self.later
    }

    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Trash removed up to this time is due.
    pub fn due_before(&self) -> Time {
        self.due_before
    }

    pub fn is_empty(&self) -> bool {
        self.census.files == 0 && self.census.rows() == 0 && self.census.due_files == 0
    }
}

/// Why a run may remove nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    WrongPair(WrongPair),
    /// The database is older than it was (I21): the first sign of that.
    WentBack(String),
    /// A source of keys that gives nothing which is an object (I3).
    Source {
        /// As the configuration names it.
        name: String,
        silence: Silence,
    },
    /// A source of values that hold more than a key (I3).
    Packed(Packed),
    /// More removals than `max_removals`.
    TooMany {
        removals: u64,
        limit: u64,
    },
    /// More of the objects, or of a table's rows, than `max_percent`.
    TooLarge {
        removals: u64,
        of: u64,
        /// `files`, or `rows of TABLE`.
        what: String,
        limit: f64,
    },
    /// A database is a standby, or takes no writes.
    ReadOnly {
        /// Its address.
        database: String,
        /// With the server as `it`.
        why: String,
    },
    /// Rows of a table cannot be removed and brought back as they were (I11).
    NotWhole {
        table: String,
        /// With the table as `it`, and what to do.
        why: String,
    },
    /// Deleting rows would reach other tables (I19).
    Cascade {
        table: String,
        reaches: String,
    },
}

/// A source of which a value holds more than a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// As the configuration names it.
    pub source: String,
    /// Whether its rows own their objects.
    pub owns: bool,
    pub packing: Packing,
    /// A part of such a value that is an object's key.
    pub part: String,
    /// The query that gives the keys one by one, where there is a short one.
    pub query: Option<String>,
}

/// What is doubtful about the comparison as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Doubts {
    pub wrong_pair: Option<WrongPair>,
    /// What says that the database went back.
    pub went_back: Vec<String>,
    /// Sources of which values hold more than a key.
    pub packed: Vec<Packed>,
    /// Sources of keys that are in doubt, by their names.
    pub silent: Vec<(String, Silence)>,
    /// Databases that are standbys or take no writes, and why that is known.
    pub read_only: Vec<(String, String)>,
    /// Tables with findings whose rows could not be removed and brought back as they were, and why.
    pub obstacles: Vec<(String, String)>,
}

impl Doubts {
    /// Whether this may not be the database, or not its present state: what was removed may be wanted back.
    pub fn doubts_the_database(&self) -> bool {
        self.wrong_pair.is_some()
            || !self.went_back.is_empty()
            || self.silent.iter().any(|(_, silence)| silence.refuses())
    }

    /// Whether no file may be removed.
    pub fn refuses_files(&self) -> bool {
        self.wrong_pair.is_some()
            || !self.went_back.is_empty()
            || !self.read_only.is_empty()
            || !self.packed.is_empty()
            || self.silent.iter().any(|(_, silence)| silence.refuses())
    }
}

/// Plans the removal of what `census` counts, with the trash of up to `due_before`; or refuses it whole. `found` counts all
/// that could be removed: a run with a limit of its own removes less, and is judged by all of it all the same, but for the
/// limits on how much may go.
pub fn plan(
    found: &Census,
    census: Census,
    due_before: Time,
    totals: &Totals,
    doubts: &Doubts,
    limits: Limits,
) -> Result<DeletionPlan, Refusal> {
    if let Some(why) = doubts.wrong_pair {
        return Err(Refusal::WrongPair(why));
    }
    if let Some(sign) = doubts.went_back.first() {
        return Err(Refusal::WentBack(sign.clone()));
    }
    if let Some((database, why)) = doubts.read_only.first() {
        return Err(Refusal::ReadOnly { database: database.clone(), why: why.clone() });
    }
    let removes_files = found.files + found.following_files > 0;
    if let Some(packed) = doubts.packed.first().filter(|_| removes_files) {
        return Err(Refusal::Packed(packed.clone()));
    }
    if let Some((name, silence)) = doubts.silent.iter().find(|(_, silence)| silence.refuses())
        && removes_files
    {
        return Err(Refusal::Source { name: name.clone(), silence: *silence });
    }
    let removals = census.findings();
    if removals > limits.max_removals {
        return Err(Refusal::TooMany { removals, limit: limits.max_removals });
    }
    let files = (census.files + census.following_files, totals.objects, "files".to_owned());
    let rows =
        census.tables.iter().map(|table| (table.deleted + table.updated, table.of, format!("rows of {}", table.table)));
    for (removals, of, what) in std::iter::once(files).chain(rows) {
        // Nothing to remove is no share of anything, and a store without objects is a wrong pair.
        if removals as f64 * 100.0 > limits.max_percent * of as f64 {
            return Err(Refusal::TooLarge { removals, of, what, limit: limits.max_percent });
        }
    }
    if let Some((table, why)) = doubts.obstacles.first() {
        return Err(Refusal::NotWhole { table: table.clone(), why: why.clone() });
    }
    for table in found.tables.iter().filter(|table| table.deleted > 0 && !table.allow_cascade) {
        if let Some(reaches) = &table.cascade {
            return Err(Refusal::Cascade { table: table.table.clone(), reaches: reaches.clone() });
        }
    }
    Ok(DeletionPlan { later: found.findings().saturating_sub(census.findings()), census, due_before })
}

/// What to say of what a narrowed plan does without.
pub fn left_out_warnings(left_out: LeftOut) -> impl Iterator<Item = String> {
    let rows = match left_out.rows {
        0 => None,
        1 => Some("1 row stays: not every file of its folder was asked for".to_owned()),
        rows => Some(format!("{rows} rows stay: not every file of their folders was asked for")),
    };
    let files = match left_out.files {
        0 => None,
        1 => Some("1 file stays: this run does not remove the row that owns it".to_owned()),
        files => Some(format!("{files} files stay: this run does not remove the rows that own them")),
    };
    rows.into_iter().chain(files)
}

impl Refusal {
    /// Which limit it was, for programs.
    pub fn limit(&self) -> &'static str {
        match self {
            Refusal::WrongPair(WrongPair::LowOverlap(_)) => "min_overlap",
            Refusal::WrongPair(_) => "wrong_pair",
            Refusal::WentBack(_) => "accept_database",
            Refusal::Source { .. } => "may_be_empty",
            Refusal::Packed(_) => "packed",
            Refusal::TooMany { .. } => "max_removals",
            Refusal::TooLarge { .. } => "max_percent",
            Refusal::ReadOnly { .. } => "read_only",
            Refusal::NotWhole { .. } => "whole_rows",
            Refusal::Cascade { .. } => "allow_cascade",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
            Refusal::WentBack(sign) => f.write_str(sign),
            Refusal::Source { name, silence } => write!(
                f,
                "{}: no file is removed, as it may be one of its files. {MAY_BE_EMPTY}",
                silent(name, *silence)
            ),
            Refusal::Packed(packed) => write!(f, "no file is removed, as it may be one that is named there: {packed}"),
            Refusal::TooMany { removals, limit: 0 } => write!(
                f,
                "{removals} findings would be removed, and max_removals is 0: if that is really meant, add \
                 --max-removals {removals}"
            ),
            Refusal::TooMany { removals, limit } => write!(
                f,
                "{removals} findings would be removed, and max_removals is {limit}: --limit {limit} removes the first of \
                 them, and the next run the others; if all are really meant, add --max-removals {removals}"
            ),
            Refusal::TooLarge { removals, of, what, limit } => {
                let percent = (*removals as f64 * 100.0 / (*of).max(1) as f64).ceil().min(100.0);
                write!(
                    f,
                    "{removals} of {of} {what} would be removed, and max_percent is {limit} %: if it is really meant, \
                     add --max-percent {percent}"
                )
            }
            Refusal::ReadOnly { database, why } => f.write_str(&read_only(database, why)),
            Refusal::NotWhole { table, why } => f.write_str(&not_whole(table, why)),
            Refusal::Cascade { table, reaches } => write!(
                f,
                "deleting rows of {table} would reach further: {reaches}. If it is really meant, set allow_cascade = true \
                 in its [[records]] section"
            ),
        }
    }
}

impl fmt::Display for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Packed { source, owns, packing, part, query } = self;
        let (noun, part) = (packing.noun(), Printable(part));
        write!(
            f,
            "a value of {source} is {noun}, and names {part}, which is an object: taken for one key it protects nothing. "
        )?;
        match (query, owns) {
            (Some(query), true) => {
                write!(
                    f,
                    "Leave such rows out with `where`, and if all are like this, add [[references]] query = '''{query}'''"
                )
            }
            (Some(query), false) => {
                write!(f, "Instead of the column, and if all are like this, write [[references]] query = '''{query}'''")
            }
            (None, true) => f.write_str(
                "Leave such rows out with `where`, and add a [[references]] query that gives the keys one by one",
            ),
            (None, false) => f.write_str("Write a [[references]] query that gives all of its keys one by one"),
        }
    }
}

/// What to say of a source of which values hold more than a key, before anything is planned.
pub fn packed_warning(packed: &Packed) -> String {
    format!("`--execute` would remove no file: {packed}")
}

/// What to say of a table whose rows could not be brought back as they were.
fn not_whole(table: &str, why: &str) -> String {
    format!("rows of {table} cannot be removed and brought back: {why}")
}

/// The same before anything is planned.
pub fn not_whole_warning(table: &str, why: &str) -> String {
    format!("`--execute` would be refused: {}", not_whole(table, why))
}

fn read_only(database: &str, why: &str) -> String {
    format!("nothing may be removed by what {database} says: {why}. Name the primary server in its url")
}

/// The same before anything is planned.
pub fn read_only_warning(database: &str, why: &str) -> String {
    format!("`--execute` would be refused: {}", read_only(database, why))
}

const MAY_BE_EMPTY: &str =
    "Check its table, column, key_prefix and url_base; if it is really meant, set may_be_empty = true in its section";

/// What a source that is in doubt gave.
fn silent(name: &str, silence: Silence) -> String {
    match silence {
        Silence::NoRow => format!("{name} has no row"),
        Silence::NoObject(1) => format!("{name} has one value that is compared, and it is not an object"),
        Silence::NoObject(values) => format!("{name} has {values} values that are compared, and not one is an object"),
    }
}

/// What to say of a source that is in doubt before anything is planned.
pub fn warning(name: &str, silence: Silence) -> String {
    let consequence = if silence.refuses() { " `--execute` would remove no file." } else { "" };
    format!("{}.{consequence} {MAY_BE_EMPTY}", silent(name, silence))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::UNIX_EPOCH;
    const LIMITS: Limits = Limits { max_removals: 100, max_percent: 10.0 };

    /// A plan without a limit of its own.
    fn plan(
        census: Census,
        due_before: Time,
        totals: &Totals,
        doubts: &Doubts,
        limits: Limits,
    ) -> Result<DeletionPlan, Refusal> {
        super::plan(&census.clone(), census, due_before, totals, doubts, limits)
    }

    fn files(files: u64) -> Census {
        Census { files, ..Census::default() }
    }

    fn rows(deleted: u64, of: u64) -> Census {
        let table = TableCensus { table: "assets".to_owned(), deleted, of, ..TableCensus::default() };
        Census { tables: vec![table], ..Census::default() }
    }

    fn objects(objects: u64) -> Totals {
        Totals { objects, ..Totals::default() }
    }

    #[test]
    fn rows_that_could_not_be_brought_back_refuse_a_plan() {
        let obstacle = ("assets".to_owned(), "it is a view. Name the table".to_owned());
        let doubts = Doubts { obstacles: vec![obstacle.clone()], ..Doubts::default() };
        let refusal = Refusal::NotWhole { table: obstacle.0, why: obstacle.1 };
        assert_eq!(plan(rows(1, 100), NOW, &objects(100), &doubts, LIMITS), Err(refusal));
        assert!(plan(rows(1, 100), NOW, &objects(100), &Doubts::default(), LIMITS).is_ok());
    }

    #[test]
    fn each_limit_alone_is_enough_to_refuse() {
        assert!(plan(files(100), NOW, &objects(1000), &Doubts::default(), LIMITS).is_ok());
        assert_eq!(
            plan(files(101), NOW, &objects(100_000), &Doubts::default(), LIMITS),
            Err(Refusal::TooMany { removals: 101, limit: 100 })
        );
        assert_eq!(
            plan(files(11), NOW, &objects(109), &Doubts::default(), LIMITS),
            Err(Refusal::TooLarge { removals: 11, of: 109, what: "files".to_owned(), limit: 10.0 })
        );
    }

    #[test]
    fn rows_count_towards_the_limits_of_their_table() {
        assert!(plan(rows(10, 100), NOW, &objects(1000), &Doubts::default(), LIMITS).is_ok());
        let refusal = plan(rows(11, 109), NOW, &objects(1000), &Doubts::default(), LIMITS).expect_err("a refusal");
        assert_eq!((refusal.limit(), refusal.to_string().contains("11 of 109 rows of assets")), ("max_percent", true));
        let both = Census { files: 60, ..rows(60, 1000) };
        let refusal = plan(both, NOW, &objects(1000), &Doubts::default(), LIMITS).expect_err("a refusal");
        assert_eq!(refusal, Refusal::TooMany { removals: 120, limit: 100 });
        let following = Census { following_files: 11, ..rows(10, 1000) };
        let refusal = plan(following, NOW, &objects(109), &Doubts::default(), LIMITS).expect_err("a refusal");
        assert_eq!(refusal.limit(), "max_percent");
    }

    #[test]
    fn a_cascade_refuses_deletes_and_not_updates() {
        let mut census = rows(1, 100);
        census.tables[0].cascade = Some("comments".to_owned());
        assert_eq!(
            plan(census.clone(), NOW, &objects(100), &Doubts::default(), LIMITS).expect_err("a refusal").limit(),
            "allow_cascade"
        );
        (census.tables[0].deleted, census.tables[0].updated) = (0, 1);
        assert!(plan(census, NOW, &objects(100), &Doubts::default(), LIMITS).is_ok());
    }

    #[test]
    fn a_wrong_pair_refuses_whatever_the_limits() {
        let limits = Limits { max_removals: u64::MAX, max_percent: 100.0 };
        for why in [WrongPair::NoRecords, WrongPair::NoObjects, WrongPair::NoOverlap, WrongPair::LowOverlap(10.0)] {
            assert_eq!(
                plan(files(1), NOW, &objects(1000), &Doubts { wrong_pair: Some(why), ..Doubts::default() }, limits),
                Err(Refusal::WrongPair(why))
            );
        }
    }

    #[test]
    fn due_trash_counts_towards_no_limit() {
        let census = Census { due_files: 1_000_000, ..Census::default() };
        assert!(!plan(census, NOW, &objects(1), &Doubts::default(), LIMITS).expect("a plan").is_empty());
    }

    #[test]
    fn a_refusal_says_what_to_type() {
        let refusal = Refusal::TooLarge { removals: 1, of: 3, what: "files".to_owned(), limit: 10.0 };
        assert!(refusal.to_string().ends_with("--max-percent 34"), "{refusal}");
        assert!(
            plan(files(1), NOW, &objects(3), &Doubts::default(), Limits { max_removals: 1, max_percent: 34.0 }).is_ok()
        );
    }

    #[test]
    fn a_database_that_went_back_refuses_everything() {
        let doubts = Doubts { went_back: vec!["the database went back: x".to_owned()], ..Doubts::default() };
        assert!(doubts.refuses_files());
        let totals = Totals { objects: 1000, ..Totals::default() };
        for census in
            [Census::default(), Census { files: 1, ..Census::default() }, Census { due_files: 1, ..Census::default() }]
        {
            let refusal = plan(census.clone(), Time::UNIX_EPOCH, &totals, &doubts, LIMITS).expect_err("a refusal");
            assert_eq!(
                (refusal.limit(), refusal.to_string()),
                ("accept_database", "the database went back: x".to_owned())
            );
        }
    }

    #[test]
    fn a_silent_source_refuses_files_and_not_rows() {
        let doubts = |silence| Doubts { silent: vec![("users.avatar".to_owned(), silence)], ..Doubts::default() };
        let refusal = |census, silence| plan(census, NOW, &objects(1000), &doubts(silence), LIMITS).err();
        let (none, few, many) = (Silence::NoRow, Silence::NoObject(4), Silence::NoObject(5));
        for (census, silence, refuses) in [
            (files(1), none, true),
            (files(1), many, true),
            (files(1), few, false),
            (Census { following_files: 1, ..rows(1, 100) }, many, true),
            (rows(1, 100), many, false),
        ] {
            let refused = refusal(census, silence).map(|refusal| refusal.limit());
            assert_eq!(refused, refuses.then_some("may_be_empty"), "{silence:?}");
        }
    }

    const FREE: Limits = Limits { max_removals: u64::MAX, max_percent: 100.0 };

    fn table(name: &str, deleted: u64, updated: u64, of: u64) -> TableCensus {
        TableCensus { table: name.to_owned(), deleted, updated, of, ..TableCensus::default() }
    }

    fn refused(census: Census, of: u64, limits: Limits) -> Refusal {
        plan(census, NOW, &objects(of), &Doubts::default(), limits).expect_err("a refusal")
    }

    fn fits(census: Census, of: u64, limits: Limits) -> bool {
        plan(census, NOW, &objects(of), &Doubts::default(), limits).is_ok()
    }

    #[test]
    fn exactly_a_limit_is_allowed_and_one_more_is_not() {
        assert!(fits(Census { files: 60, ..rows(40, 1000) }, 1000, LIMITS));
        assert_eq!(
            refused(Census { files: 61, ..rows(40, 1000) }, 1000, LIMITS),
            Refusal::TooMany { removals: 101, limit: 100 }
        );
        assert!(fits(files(10), 100, LIMITS));
        assert_eq!(refused(files(11), 100, LIMITS).limit(), "max_percent");
        let half = Limits { max_percent: 0.5, ..LIMITS };
        assert!(fits(files(1), 200, half));
        assert!(!fits(files(1), 199, half) && !fits(files(2), 200, half));
        assert!(fits(files(100), 100, Limits { max_percent: 100.0, ..LIMITS }));
    }

    #[test]
    fn limits_of_zero_let_nothing_go_but_due_trash() {
        let none = Limits { max_removals: 0, max_percent: 0.0 };
        let due = Census { due_files: 7, tables: vec![table("assets", 0, 0, 0)], ..Census::default() };
        assert!(fits(due, 0, none));
        assert_eq!(refused(files(1), 1000, none), Refusal::TooMany { removals: 1, limit: 0 });
        assert_eq!(refused(files(1), 1_000_000, Limits { max_percent: 0.0, ..FREE }).limit(), "max_percent");
    }

    /// What comes first is what people should mend first: the pair, then the counts, then what rows would reach.
    #[test]
    fn refusals_have_an_order() {
        let reaching = TableCensus { cascade: Some("comments".to_owned()), ..table("assets", 90, 0, 100) };
        let census = || Census { files: 90, tables: vec![reaching.clone()], ..Census::default() };
        let silent = Doubts { silent: vec![("users.avatar".to_owned(), Silence::NoRow)], ..Doubts::default() };
        let pair = Doubts { wrong_pair: Some(WrongPair::NoOverlap), ..silent.clone() };
        let none = Doubts::default();
        let refusal = |limits, doubts| plan(census(), NOW, &objects(100), doubts, limits).expect_err("a refusal");
        assert_eq!(refusal(LIMITS, &pair).limit(), "wrong_pair");
        assert_eq!(refusal(LIMITS, &silent).limit(), "may_be_empty");
        assert_eq!(refusal(LIMITS, &none).limit(), "max_removals");
        let of_files = refusal(Limits { max_removals: 180, ..LIMITS }, &none);
        assert!(matches!(&of_files, Refusal::TooLarge { what, .. } if what == "files"), "{of_files}");
        let few = Census { files: 1, tables: vec![reaching.clone()], ..Census::default() };
        let of_rows = refused(few, 100, LIMITS);
        assert!(matches!(&of_rows, Refusal::TooLarge { what, .. } if what == "rows of assets"), "{of_rows}");
        assert_eq!(refusal(FREE, &none).limit(), "allow_cascade");
    }

    #[test]
    fn each_table_is_measured_against_its_own_rows() {
        let census = |tables: &[TableCensus]| Census { tables: tables.to_vec(), ..Census::default() };
        let (large, small) = (table("assets", 4, 6, 100), table("downloads", 1, 1, 20));
        let both = census(&[large.clone(), small.clone()]);
        assert_eq!(both.rows(), 12);
        assert!(fits(both, 1, LIMITS), "rows are no share of the objects");
        let more = table("downloads", 1, 2, 20);
        assert_eq!(
            refused(census(&[large.clone(), more]), 1000, LIMITS),
            Refusal::TooLarge { removals: 3, of: 20, what: "rows of downloads".to_owned(), limit: 10.0 }
        );
        let first = refused(census(&[table("assets", 6, 5, 100), table("downloads", 20, 0, 20)]), 1000, LIMITS);
        assert!(first.to_string().starts_with("11 of 100 rows of assets"), "{first}");
        let unknown = refused(census(&[small, table("gone", 1, 0, 0)]), 1000, FREE);
        assert!(unknown.to_string().starts_with("1 of 0 rows of gone"), "{unknown}");
    }

    /// They are files of the store, and no findings of their own.
    #[test]
    fn files_that_follow_count_for_the_share_and_not_for_the_number() {
        let census = |files| Census { files, following_files: 50, ..rows(50, 1000) };
        assert!(fits(census(50), 1000, LIMITS));
        assert_eq!(refused(census(51), 10_000, LIMITS), Refusal::TooMany { removals: 101, limit: 100 });
        let refusal = refused(census(50), 999, LIMITS);
        assert!(matches!(refusal, Refusal::TooLarge { removals: 100, of: 999, .. }), "{refusal}");
    }

    #[test]
    fn a_cascade_is_refused_of_any_table_that_deletes_and_does_not_allow_it() {
        let reaching = |name: &str, allow_cascade| TableCensus {
            cascade: Some(format!("{name}_log")),
            allow_cascade,
            ..table(name, 1, 0, 100)
        };
        let census = |tables: &[TableCensus]| Census { tables: tables.to_vec(), ..Census::default() };
        assert!(fits(census(&[reaching("assets", true), table("downloads", 1, 0, 100)]), 1, LIMITS));
        let refusal = refused(census(&[reaching("assets", true), reaching("downloads", false)]), 1, LIMITS);
        let expected = Refusal::Cascade { table: "downloads".to_owned(), reaches: "downloads_log".to_owned() };
        assert_eq!(refusal, expected);
        assert!(refusal.to_string().contains("rows of downloads would reach further: downloads_log"), "{refusal}");
        let updating = TableCensus { deleted: 0, updated: 1, ..reaching("downloads", false) };
        assert!(fits(census(&[updating]), 1, LIMITS));
    }

    #[test]
    fn a_plan_is_empty_where_no_file_no_row_and_no_trash_goes() {
        let is_empty = |census| plan(census, NOW, &objects(100), &Doubts::default(), FREE).expect("a plan").is_empty();
        assert!(is_empty(Census { tables: vec![table("assets", 0, 0, 100)], file_bytes: 9, ..Census::default() }));
        assert!(!is_empty(files(1)));
        assert!(!is_empty(rows(1, 100)));
        assert!(!is_empty(Census { tables: vec![table("assets", 0, 1, 100)], ..Census::default() }));
        assert!(!is_empty(Census { due_files: 1, ..Census::default() }));
    }

    #[test]
    fn a_plan_holds_what_was_counted_and_until_when_trash_is_due() {
        let census = Census { files: 3, due_files: 2, ..rows(1, 100) };
        let plan = plan(census.clone(), NOW, &objects(100), &Doubts::default(), LIMITS).expect("a plan");
        assert_eq!((plan.census(), plan.due_before()), (&census, NOW));
    }

    #[test]
    fn what_to_type_is_never_more_than_all_of_it() {
        let typed = |removals, of| {
            let refusal = Refusal::TooLarge { removals, of, what: "files".to_owned(), limit: 0.0 };
            refusal.to_string().rsplit(' ').next().map(str::to_owned)
        };
        assert_eq!(typed(1, 1000).as_deref(), Some("1"));
        assert_eq!(typed(1000, 1000).as_deref(), Some("100"));
        assert_eq!(typed(3, 0).as_deref(), Some("100"), "a table without rows");
    }
}
