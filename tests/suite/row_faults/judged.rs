//! What a row and a file amount to by themselves: every doubt keeps.

use std::time::Duration;

use cleanup_assets::domain::{Created, Image, Mark, Seen, Time};
use cleanup_assets::judge::{FileFate, Group, Standing, standing, stays};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn days(days: i64) -> Time {
    Time::from_timestamp(days * 24 * 3600, 0).expect("a time")
}

#[test]
fn a_file_goes_only_with_all_of_its_rows_and_where_nothing_refers_to_it() {
    let condemned = Group { has_object: true, condemned: 2, ..Group::default() };
    assert_eq!(condemned.file(), FileFate::Follows);
    assert_eq!(Group { live: 1, ..condemned }.file(), FileFate::Wanted);
    assert_eq!(Group { is_referenced: true, ..condemned }.file(), FileFate::Wanted);
    assert_eq!(Group { condemned: 0, ..condemned }.file(), FileFate::Orphaned);
    assert_eq!(Group { has_object: false, ..condemned }.file(), FileFate::Absent);
}

#[test]
fn a_row_is_condemned_by_the_first_rule_whose_clock_has_run_and_not_while_it_is_young() {
    let (now, clocks) = (days(100), [DAY * 7, Duration::ZERO]);
    let standing = |created, marks: [Mark; 2]| standing(created, &marks, &clocks, now, DAY);
    let old = Created::At(days(1));
    assert_eq!(standing(old, [Mark::Spared, Mark::Spared]), Standing::Live);
    assert_eq!(standing(old, [Mark::Since(days(94)), Mark::Spared]), Standing::Live);
    assert_eq!(standing(old, [Mark::Since(days(93)), Mark::Condemned]), Standing::Condemned(0));
    assert_eq!(standing(old, [Mark::Unreadable("?".to_owned()), Mark::Condemned]), Standing::Condemned(1));
    assert_eq!(standing(Created::At(days(100)), [Mark::Spared, Mark::Condemned]), Standing::Young);
    assert_eq!(standing(Created::Unreadable, [Mark::Spared, Mark::Condemned]), Standing::Young);
    assert_eq!(standing(Created::Unconfigured, [Mark::Spared, Mark::Condemned]), Standing::Condemned(1));
    assert_eq!(standing(Created::Unconfigured, [Mark::Spared, Mark::Since(days(100))]), Standing::Young);
}

#[test]
fn a_row_stays_that_is_not_what_was_planned_to_go() {
    let (now, clocks) = (days(100), [Duration::ZERO, Duration::ZERO]);
    let seen = |key: &str, owns, created, marks: [Mark; 2]| Seen {
        key: key.to_owned(),
        value: Some(key.to_owned()),
        owns,
        created,
        marks: marks.to_vec(),
        image: Image(Vec::new()),
    };
    let stays = |seen: &Seen, rule| stays(seen, ("a.png", rule), &clocks, now, DAY).is_some();
    let (old, second, none) = (Created::At(days(1)), [Mark::Spared, Mark::Condemned], [Mark::Spared, Mark::Spared]);
    assert!(!stays(&seen("a.png", true, old, second.clone()), Some(1)));
    assert!(stays(&seen("A.png", true, old, second.clone()), Some(1)), "another key");
    assert!(stays(&seen("a.png", false, old, second.clone()), Some(1)), "it owns nothing");
    assert!(stays(&seen("a.png", true, old, second.clone()), Some(0)), "another rule");
    assert!(stays(&seen("a.png", true, old, none.clone()), Some(1)), "no rule");
    assert!(stays(&seen("a.png", true, Created::At(days(100)), second), Some(1)), "young");
    assert!(!stays(&seen("a.png", true, old, none.clone()), None));
    assert!(stays(&seen("a.png", true, Created::At(days(100)), none), None), "young");
}
