//! Arbitrary groups: an object or none, rows that any of several rules may condemn, references.

use std::time::Duration;

use chrono::{TimeDelta, TimeZone, Utc};
use cleanup_assets::domain::{Created, Image, Mark, Seen, Time};
use cleanup_assets::judge::{FileFate, Group, Standing, standing, stays};
use proptest::prelude::*;

/// What a rule says of a row. A clock started so many hours ago; in the future, where the number is negative.
#[derive(Debug, Clone, Copy)]
enum Says {
    Spared,
    Condemned,
    Clock(i64),
    Unreadable,
}

/// When a row was made.
#[derive(Debug, Clone, Copy)]
enum Made {
    HoursAgo(i64),
    Unreadable,
    Unconfigured,
}

#[derive(Debug, Clone)]
struct Row {
    made: Made,
    /// What each rule says.
    says: Vec<Says>,
}

/// What the model says of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Stays,
    TooYoung,
    Goes(usize),
}

fn row(rules: usize) -> impl Strategy<Value = Row> {
    let says = prop_oneof![
        2 => Just(Says::Spared),
        2 => Just(Says::Condemned),
        4 => (-30i64..60).prop_map(Says::Clock),
        1 => Just(Says::Unreadable),
    ];
    let made = prop_oneof![
        4 => (-30i64..60).prop_map(Made::HoursAgo),
        1 => Just(Made::Unreadable),
        1 => Just(Made::Unconfigured),
    ];
    (made, prop::collection::vec(says, rules)).prop_map(|(made, says)| Row { made, says })
}

/// Rules, by the hours that their clocks run; rows.
fn group() -> impl Strategy<Value = (Vec<i64>, Vec<Row>)> {
    prop::collection::vec(prop_oneof![Just(0i64), 1i64..48], 0..4)
        .prop_flat_map(|clocks| (Just(clocks.clone()), prop::collection::vec(row(clocks.len()), 0..5)))
}

/// The table of a single rule: does it condemn now?
fn condemns(says: Says, runs: i64) -> bool {
    match says {
        Says::Spared => false,
        Says::Condemned => true,
        Says::Clock(started) => started >= runs,
        Says::Unreadable => false,
    }
}

/// The table of a row.
fn fate(row: &Row, clocks: &[i64], min_age: i64) -> Fate {
    let Some(first) = (0..clocks.len()).find(|at| condemns(row.says[*at], clocks[*at])) else { return Fate::Stays };
    let is_young = match (row.made, row.says[first]) {
        _ if min_age == 0 => false,
        // What is still to come by more than a day says nothing.
        (Made::HoursAgo(..-24), _) => false,
        (Made::HoursAgo(hours), _) => hours < min_age,
        (Made::Unreadable, _) => false,
        (Made::Unconfigured, Says::Clock(hours)) => hours < min_age,
        (Made::Unconfigured, _) => false,
    };
    if is_young { Fate::TooYoung } else { Fate::Goes(first) }
}

/// The table of a file: whether it is there, whether it is referenced, whether a row stays, whether a row goes.
fn file(is_there: bool, is_referenced: bool, one_stays: bool, one_goes: bool) -> FileFate {
    match (is_there, is_referenced, one_stays, one_goes) {
        (false, _, _, _) => FileFate::Absent,
        (true, true, _, _) => FileFate::Wanted,
        (true, false, true, _) => FileFate::Wanted,
        (true, false, false, true) => FileFate::Follows,
        (true, false, false, false) => FileFate::Orphaned,
    }
}

fn now() -> Time {
    Utc.with_ymd_and_hms(2026, 1, 10, 0, 0, 0).single().expect("a time")
}

fn hours_ago(hours: i64) -> Time {
    now() - TimeDelta::hours(hours)
}

fn seen(row: &Row) -> (Created, Vec<Mark>) {
    let created = match row.made {
        Made::HoursAgo(hours) => Created::At(hours_ago(hours)),
        Made::Unreadable => Created::Unreadable,
        Made::Unconfigured => Created::Unconfigured,
    };
    let mark = |says: &Says| match says {
        Says::Spared => Mark::Spared,
        Says::Condemned => Mark::Condemned,
        Says::Clock(hours) => Mark::Since(hours_ago(*hours)),
        Says::Unreadable => Mark::Unreadable("soon".to_owned()),
    };
    (created, row.says.iter().map(mark).collect())
}

fn hours(hours: i64) -> Duration {
    Duration::from_secs(hours.unsigned_abs() * 3600)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_group_is_judged_as_the_tables_say(
        (clocks, rows) in group(),
        is_there: bool,
        is_referenced: bool,
        min_age in prop_oneof![Just(0i64), Just(24i64)],
    ) {
        let durations: Vec<Duration> = clocks.iter().map(|clock| hours(*clock)).collect();
        let mut judged = Group { has_object: is_there, is_referenced, ..Group::default() };
        let mut fates = Vec::new();
        for row in &rows {
            let (created, marks) = seen(row);
            let fate = fate(row, &clocks, min_age);
            let expected = match fate {
                Fate::Stays => Standing::Live,
                Fate::TooYoung => Standing::Young,
                Fate::Goes(rule) => Standing::Condemned(rule),
            };
            let standing = standing(created, &marks, &durations, now(), hours(min_age));
            prop_assert_eq!(standing, expected, "{:?}", row);
            match standing {
                Standing::Condemned(_) => judged.condemned += 1,
                Standing::Live | Standing::Young => judged.live += 1,
            }
            // The look before the removal lets go what the report condemned, by the same rule and no other.
            let seen = Seen { key: "k".to_owned(), value: Some("k".to_owned()), owns: true, created, marks, image: Image(Vec::new()) };
            for rule in 0..clocks.len() {
                let goes = stays(&seen, ("k", Some(rule)), &durations, now(), hours(min_age)).is_none();
                prop_assert_eq!(goes, fate == Fate::Goes(rule), "{:?} by rule {}", row, rule);
            }
            let elsewhere = Seen { owns: false, ..seen.clone() };
            prop_assert!(stays(&elsewhere, ("k", Some(0)), &durations, now(), hours(min_age)).is_some());
            prop_assert!(stays(&seen, ("other", Some(0)), &durations, now(), hours(min_age)).is_some());
            fates.push(fate);
        }
        let goes = |fate: &Fate| matches!(fate, Fate::Goes(_));
        let (one_goes, one_stays) = (fates.iter().any(goes), !fates.iter().all(goes));
        prop_assert_eq!(judged.file(), file(is_there, is_referenced, one_stays, one_goes));
    }
}
