//! PURE: what one key's object and claims amount to, whether something is old enough to judge, and whether the two
//! sides look like a pair at all. Every doubt is decided for keeping.

use std::time::Duration;

use chrono::TimeDelta;

use crate::compare::merge::Joined;
use crate::domain::listed::Listed;
use crate::domain::{Created, Held, Hold, Mark, Object, Seen, Side, Time, Totals};

/// What a joined key amounts to, before it is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Both sides have it.
    Wanted,
    /// Nobody knows the object, and it is old enough to say so.
    OrphanedFile,
    /// Nobody knows the object yet; it is too young to judge.
    YoungFile,
    /// The same, for the time alone at which it came here.
    NewFile,
    /// Nobody knows the object, and it is only the marker of a folder.
    Marker,
    /// The database names an object that was not listed.
    MissingObject,
}

/// Judges one key, with the store's own clock at `now`.
pub fn verdict(joined: &Joined<'_>, now: Time, min_age: Duration) -> Verdict {
    match joined {
        Joined::Both(..) | Joined::Folder(..) => Verdict::Wanted,
        Joined::DatabaseOnly(..) => Verdict::MissingObject,
        Joined::StorageOnly(object) if object.is_marker() => Verdict::Marker,
        Joined::StorageOnly(object) if is_young(object.last_modified, now, min_age) => Verdict::YoungFile,
        Joined::StorageOnly(object) if object.is_new => Verdict::NewFile,
        Joined::StorageOnly(_) => Verdict::OrphanedFile,
    }
}

/// Whether a file is too young to judge.
pub fn is_young_file(object: Listed<'_>, now: Time, min_age: Duration) -> bool {
    object.is_new || is_young(object.last_modified, now, min_age)
}

/// Whether an object that was judged is the same at the last look (I8), and did not come here anew since.
pub fn is_still(judged: &Object, now: &Object) -> bool {
    is_unchanged(judged, now) && !now.is_new
}

/// Whether something dated `at` is younger than `min_age` (I5). A date that cannot be read, or lies in the future, is
/// young; a `min_age` of zero switches the test off.
pub fn is_young(at: Option<Time>, now: Time, min_age: Duration) -> bool {
    if min_age.is_zero() {
        return false;
    }
    match (at, TimeDelta::from_std(min_age)) {
        (Some(at), Ok(min_age)) => now.signed_duration_since(at) < min_age,
        _ => true,
    }
}

/// Whether a row is too young to be a finding, by the database's own clock at `now`. A row without a date that can be read
/// has no age, and so is a finding.
pub fn is_young_record(created: Created, now: Time, min_age: Duration) -> bool {
    created.at(now).time().is_some_and(|created| is_young(Some(created), now, min_age))
}

/// What a row that names an object, or none, amounts to by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Live,
    /// A rule would condemn it were it older.
    Young,
    /// The first rule that condemns it, by its place.
    Condemned(usize),
}

/// Judges a row by the rules of its table, whose clocks run for `clocks`, and by the database's own clock at `now`. A row
/// of a table without dates is as old as the clock of the rule, where that has one.
pub fn standing(created: Created, marks: &[Mark], clocks: &[Duration], now: Time, min_age: Duration) -> Standing {
    let condemning = marks.iter().zip(clocks).enumerate().find(|(_, (mark, after))| mark.condemns(**after, now));
    let Some((rule, (mark, _))) = condemning else { return Standing::Live };
    let is_young = match (created, mark) {
        (Created::Unconfigured, Mark::Since(start)) => is_young(Some(*start), now, min_age),
        (created, _) => is_young_record(created, now, min_age),
    };
    if is_young { Standing::Young } else { Standing::Condemned(rule) }
}

/// Why a row that was planned to go is to stay after all (I8), if so: as it is now, under `key`, condemned by `rule` or
/// without its object.
pub fn stays(
    seen: &Seen,
    (key, rule): (&str, Option<usize>),
    clocks: &[Duration],
    now: Time,
    min_age: Duration,
) -> Option<&'static str> {
    if seen.key != key {
        return Some("it names another key now");
    }
    if !seen.owns {
        return Some("it owns no file any more");
    }
    match (rule, standing(seen.created, &seen.marks, clocks, now, min_age)) {
        (Some(rule), Standing::Condemned(now)) if rule == now => None,
        (Some(_), Standing::Condemned(_)) => Some("another rule condemns it now"),
        (Some(_), Standing::Live | Standing::Young) => Some("no rule condemns it any more"),
        (None, _) if is_young_record(seen.created, now, min_age) => Some("it is too young"),
        (None, _) => None,
    }
}

/// All rows and references of one key, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Group {
    /// Whether its object is there.
    pub has_object: bool,
    /// Rows that no rule condemns, or not yet.
    pub live: u64,
    pub condemned: u64,
    pub is_referenced: bool,
}

/// What becomes of the object of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFate {
    /// There is none.
    Absent,
    Wanted,
    /// Nobody knows it.
    Orphaned,
    /// It goes with its rows, all of which are condemned (I6).
    Follows,
}

impl Group {
    pub fn file(&self) -> FileFate {
        if !self.has_object {
            FileFate::Absent
        } else if self.live > 0 || self.is_referenced {
            FileFate::Wanted
        } else if self.condemned > 0 {
            FileFate::Follows
        } else {
            FileFate::Orphaned
        }
    }
}

/// The newest time at which something may have been made before it speaks of another side that is behind (I17), whose
/// newest thing is of the time `newest`: later by more than `min_age` and a day. `None`: no time is so late.
pub fn newest_believable(newest: Time, min_age: Duration) -> Option<Time> {
    newest.checked_add_signed(margin(min_age)?)
}

/// By how much one side may be newer than the other; `None`: by any time.
pub fn margin(min_age: Duration) -> Option<TimeDelta> {
    TimeDelta::from_std(min_age.max(Duration::from_secs(24 * 3600))).ok()
}

/// Why no run may act on a file, as far as the object by itself shows. Asked of every file that may become a finding, or
/// follow one (`Side::Row`). `trash` is where removed files go, if they do not go for good.
pub fn held(object: Listed<'_>, side: Side, trash: Option<&str>, longest_key_bytes: usize) -> Option<Held> {
    let cannot_be_trashed = cannot_be_trashed(object, trash, longest_key_bytes);
    cannot_be_trashed.or_else(|| if side == Side::File { is_of_the_server(object) } else { None })
}

/// Whether a file that nobody knows is one by which a web server is told what to serve, or by which a folder is kept: they
/// have no rows, and an upload folder is open without them.
fn is_of_the_server(object: Listed<'_>) -> Option<Held> {
    let name = object.key.rsplit('/').next().unwrap_or(object.key);
    let is_guard = GUARDS.contains(&name) && object.size <= MOST_GUARD_BYTES;
    let reason =
        || format!("{name} is a file of the web server, or keeps its folder: applications have no rows for such");
    (is_guard || SERVER_FILES.contains(&name)).then(|| Held::new(Hold::ServerFile, reason()))
}

const SERVER_FILES: [&str; 4] = [".htaccess", "web.config", ".gitkeep", ".gitignore"];
/// Index files that show a visitor nothing, where the folder's list would be shown without them.
const GUARDS: [&str; 2] = ["index.html", "index.php"];
/// With the licence that some have in front.
const MOST_GUARD_BYTES: u64 = 2048;

/// Why a file could never be moved to the trash, where removed files go below `trash` (I11), in a store that
/// holds keys of up to `longest_key_bytes`.
fn cannot_be_trashed(object: Listed<'_>, trash: Option<&str>, longest_key_bytes: usize) -> Option<Held> {
    let trash = trash?;
    if object.archived {
        return Some(Held::new(Hold::Archived, "archived: it must be restored before it can be moved to the trash"));
    }
    // The run's ULID and a slash stand between.
    let bytes = trash.len() + 27 + object.key.len();
    let reason = || format!("its key in the trash would have {bytes} bytes, and the store holds {longest_key_bytes}");
    (bytes > longest_key_bytes).then(|| Held::new(Hold::KeyTooLong, reason()))
}

/// Whether an object is still the one that was listed (I8): the same size, the same etag where both are known, and the
/// same time to the second, since a listing carries milliseconds and a look cannot. Some stores round one up and the other
/// down: with the same etag the times may be a second apart.
pub fn is_unchanged(listed: &Object, now: &Object) -> bool {
    let second = |object: &Object| object.last_modified.map(|time| time.timestamp());
    let are_near = || match (listed.last_modified, now.last_modified) {
        (Some(listed), Some(now)) => (listed - now).abs() <= TimeDelta::seconds(1),
        _ => false,
    };
    let same = match (listed.bare_etag(), now.bare_etag()) {
        (Some(listed_etag), Some(etag)) => listed_etag == etag && (second(listed) == second(now) || are_near()),
        _ => second(listed) == second(now),
    };
    listed.key == now.key && listed.size == now.size && same
}

/// Whether a listing and a look say the same of an object: size, etag, and the time to the second, as a look has it. Who
/// rounds it otherwise, or gives no etag, is not believed for it.
pub fn is_listed_as(listed: &Object, looked_at: &Object) -> bool {
    let second = |object: &Object| object.last_modified.map(|time| time.timestamp());
    let same_etag = listed.bare_etag().is_some() && listed.bare_etag() == looked_at.bare_etag();
    let same_time = listed.last_modified.is_some() && second(listed) == second(looked_at);
    listed.key == looked_at.key && listed.size == looked_at.size && same_etag && same_time
}

/// Whether `copy` holds what `object` held: the same size, and the same etag where both are of one part (that of a copy
/// in parts is another).
pub fn is_copy(object: &Object, copy: &Object) -> bool {
    let is_opaque = object.opaque_etag || copy.opaque_etag;
    let whole = |etag: Option<&str>| etag.filter(|etag| !is_opaque && !etag.contains('-')).map(str::to_owned);
    let same_etag = match (whole(object.bare_etag()), whole(copy.bare_etag())) {
        (Some(object), Some(copy)) => object == copy,
        _ => true,
    };
    object.size == copy.size && same_etag
}

/// Whether two objects are the same bytes for sure: the same size, and the same etag of one part; or, in a store without
/// etags, the same time to the microsecond, which a copy keeps there.
pub fn is_surely_copy(object: &Object, copy: &Object) -> bool {
    let microseconds = |object: &Object| object.last_modified.map(|time| time.timestamp_micros());
    let same = match (object.bare_etag(), copy.bare_etag()) {
        (Some(etag), Some(other)) => etag == other && !etag.contains('-') && !object.opaque_etag && !copy.opaque_etag,
        (None, None) => object.last_modified.is_some() && microseconds(object) == microseconds(copy),
        _ => false,
    };
    same && object.size == copy.size
}

/// Why the two sides do not look like a pair (I3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WrongPair {
    NoRecords,
    NoObjects,
    /// No key is on both sides.
    NoOverlap,
    /// The percentage of the smaller side's keys that are on both sides.
    LowOverlap(f64),
}

/// Whether the two sides look like a wrong bucket, prefix or database. `owners` says whether any table owns objects;
/// without one, references alone must be there.
pub fn wrong_pair(totals: &Totals, owners: bool, min_overlap: f64) -> Option<WrongPair> {
    let known = if owners { totals.records } else { totals.references };
    if known == 0 {
        return Some(WrongPair::NoRecords);
    }
    if totals.objects == 0 {
        return Some(WrongPair::NoObjects);
    }
    if totals.shared_keys == 0 {
        return Some(WrongPair::NoOverlap);
    }
    let smaller = totals.objects.min(totals.known_keys).max(1);
    let overlap = totals.shared_keys as f64 * 100.0 / smaller as f64;
    (overlap < min_overlap).then_some(WrongPair::LowOverlap(overlap))
}

/// Why a source of keys is in doubt (I3): a partial restore, a wrong column, or values that hold more than a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It gave no row at all.
    NoRow,
    /// It gave so many values that are compared, and not one of them is an object.
    NoObject(u64),
}

/// So many values of which not one is an object are no accident.
const MANY_VALUES: u64 = 5;

impl Silence {
    /// What a source that gave so many `rows`, and `values` that are compared, is to be doubted for.
    pub fn of(rows: u64, values: u64, has_object: bool) -> Option<Self> {
        match (rows, values) {
            (0, _) => Some(Silence::NoRow),
            (_, 1..) if !has_object => Some(Silence::NoObject(values)),
            _ => None,
        }
    }

    /// Whether files may not be removed because of it; else it is only told.
    pub fn refuses(self) -> bool {
        match self {
            Silence::NoRow => true,
            Silence::NoObject(values) => values >= MANY_VALUES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Claims, Image};

    fn object(size: u64, modified: &str, etag: Option<&str>) -> Object {
        Object {
            key: "a.png".to_owned(),
            size,
            last_modified: Some(at(modified)),
            etag: etag.map(str::to_owned),
            archived: false,
            opaque_etag: false,
            is_new: false,
            is_plain: false,
        }
    }

    #[test]
    fn an_object_is_unchanged_while_size_etag_and_second_are_the_same() {
        let listed = object(1, "2026-01-10T00:00:00.123Z", Some("\"a\""));
        assert!(is_unchanged(&listed, &object(1, "2026-01-10T00:00:00Z", Some("\"a\""))));
        assert!(is_unchanged(&listed, &object(1, "2026-01-10T00:00:00Z", None)));
        assert!(is_unchanged(&listed, &object(1, "2026-01-10T00:00:01Z", Some("W/\"a\""))));
        assert!(is_unchanged(&listed, &object(1, "2026-01-10T00:00:00Z", Some("a"))));
        assert!(!is_unchanged(&listed, &object(1, "2026-01-10T00:00:02Z", Some("\"a\""))));
        assert!(!is_unchanged(&listed, &object(1, "2026-01-10T00:00:01Z", None)));
        assert!(!is_unchanged(&listed, &object(1, "2026-01-10T00:00:00Z", Some("\"b\""))));
        assert!(!is_unchanged(&listed, &object(2, "2026-01-10T00:00:00Z", Some("\"a\""))));
    }

    #[test]
    fn a_listing_is_the_same_as_a_look_in_size_etag_and_second() {
        let looked_at = object(1, "2026-01-10T00:00:00Z", Some("\"a\""));
        assert!(is_listed_as(&object(1, "2026-01-10T00:00:00.999Z", Some("W/\"a\"")), &looked_at));
        for (size, modified, etag) in [
            (2, "2026-01-10T00:00:00Z", Some("\"a\"")),
            (1, "2026-01-10T00:00:01Z", Some("\"a\"")),
            (1, "2026-01-10T00:00:00Z", Some("\"b\"")),
            (1, "2026-01-10T00:00:00Z", None),
        ] {
            assert!(!is_listed_as(&object(size, modified, etag), &looked_at), "{size} {modified} {etag:?}");
        }
        let undated = Object { last_modified: None, ..looked_at.clone() };
        let nameless = Object { etag: None, ..looked_at };
        assert!(!is_listed_as(&undated, &undated) && !is_listed_as(&nameless, &nameless));
    }

    #[test]
    fn a_copy_has_the_size_and_where_it_says_anything_the_etag() {
        let original = object(1, "2026-01-10T00:00:00Z", Some("\"a\""));
        let now = "2026-02-01T00:00:00Z";
        assert!(is_copy(&original, &object(1, now, Some("\"a\""))));
        assert!(is_copy(&original, &object(1, now, Some("\"b-2\""))));
        assert!(is_copy(&original, &Object { opaque_etag: true, ..object(1, now, Some("\"b\"")) }));
        assert!(!is_copy(&original, &object(1, now, Some("\"b\""))));
        assert!(!is_copy(&original, &object(2, now, Some("\"a\""))));
    }

    #[test]
    fn only_a_whole_etag_or_the_very_time_says_that_bytes_are_the_same() {
        let (then, now) = ("2026-01-10T00:00:00Z", "2026-02-01T00:00:00Z");
        let original = object(1, then, Some("\"a\""));
        assert!(is_surely_copy(&original, &object(1, now, Some("\"a\""))));
        let opaque = Object { opaque_etag: true, ..object(1, now, Some("\"a\"")) };
        assert!(!is_surely_copy(&original, &opaque));
        assert!(!is_surely_copy(&object(1, then, Some("\"a-2\"")), &object(1, now, Some("\"a-2\""))));
        assert!(is_surely_copy(&object(1, then, None), &object(1, then, None)));
        assert!(!is_surely_copy(&object(1, then, None), &object(1, now, None)));
    }

    #[test]
    fn an_archived_file_and_one_whose_key_would_grow_too_long_cannot_be_trashed() {
        let small = object(1, "2026-01-10T00:00:00Z", None);
        assert_eq!(cannot_be_trashed(small.as_listed(), Some(".trash/"), 1024), None);
        assert!(
            cannot_be_trashed(Object { archived: true, ..small.clone() }.as_listed(), Some(".trash/"), 1024).is_some()
        );
        let fits = Object { key: "x".repeat(990), ..small.clone() };
        assert_eq!(cannot_be_trashed(fits.as_listed(), Some(".trash/"), 1024), None);
        let long = Object { key: "x".repeat(991), ..small };
        assert!(cannot_be_trashed(long.as_listed(), Some(".trash/"), 1024).is_some());
        assert_eq!(cannot_be_trashed(long.as_listed(), None, 1024), None);
    }

    #[test]
    fn files_of_the_web_server_are_held_where_nobody_knows_them() {
        let by = |key: &str, size: u64, side: Side| {
            let object = Object { key: key.to_owned(), ..object(size, "2026-01-10T00:00:00Z", None) };
            held(object.as_listed(), side, None, 1024).map(|held| held.by)
        };
        for name in [".htaccess", "web.config", ".gitkeep", ".gitignore", "index.html", "index.php"] {
            for key in [name.to_owned(), format!("uploads/2026/{name}")] {
                assert_eq!(by(&key, 28, Side::File), Some(Hold::ServerFile), "{key}");
                assert_eq!(by(&key, 28, Side::Row), None, "{key}: it goes with its row");
            }
            assert_eq!(by(&format!("a/{name}x"), 0, Side::File), None);
            assert_eq!(by(&format!("{name}/a.png"), 0, Side::File), None);
        }
        assert_eq!(by("a/index.html", MOST_GUARD_BYTES, Side::File), Some(Hold::ServerFile));
        assert_eq!(by("a/index.html", MOST_GUARD_BYTES + 1, Side::File), None, "a page of its own");
        assert_eq!(by("a/.htaccess", 100_000, Side::File), Some(Hold::ServerFile));
    }

    fn at(text: &str) -> Time {
        text.parse().expect("a time")
    }

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_date_that_is_missing_or_in_the_future_is_young() {
        let now = at("2026-01-10T00:00:00Z");
        assert!(is_young(None, now, DAY));
        assert!(is_young(Some(at("2027-01-01T00:00:00Z")), now, DAY));
        assert!(is_young(Some(at("2026-01-09T00:00:01Z")), now, DAY));
        assert!(!is_young(Some(at("2026-01-09T00:00:00Z")), now, DAY));
        assert!(!is_young(None, now, Duration::ZERO));
        assert!(is_young(Some(at("2020-01-01T00:00:00Z")), now, Duration::MAX));
    }

    #[test]
    fn a_row_without_a_date_that_can_be_read_is_a_finding() {
        let now = at("2026-01-10T00:00:00Z");
        assert!(!is_young_record(Created::Unconfigured, now, DAY));
        assert!(!is_young_record(Created::Unreadable, now, DAY));
        assert!(is_young_record(Created::At(now + DAY), now, DAY));
        assert!(!is_young_record(Created::At(now + DAY + Duration::from_secs(1)), now, DAY), "it says nothing");
    }

    #[test]
    fn a_wrong_pair_shows_in_zeroes_and_in_a_low_overlap() {
        let totals = |objects, records, shared_keys| Totals {
            objects,
            records,
            known_keys: records,
            shared_keys,
            ..Totals::default()
        };
        assert_eq!(wrong_pair(&totals(10, 0, 0), true, 50.0), Some(WrongPair::NoRecords));
        assert_eq!(wrong_pair(&totals(0, 10, 0), true, 50.0), Some(WrongPair::NoObjects));
        assert_eq!(wrong_pair(&totals(10, 10, 4), true, 50.0), Some(WrongPair::LowOverlap(40.0)));
        assert_eq!(wrong_pair(&totals(10, 10, 0), true, 0.0), Some(WrongPair::NoOverlap));
        assert_eq!(wrong_pair(&totals(1000, 10, 5), true, 50.0), None);
    }

    fn days(days: i64) -> Time {
        Time::from_timestamp(days * 24 * 3600, 0).expect("a time")
    }

    #[test]
    fn a_key_is_judged_by_the_sides_that_have_it_and_by_the_age_of_its_object() {
        let claims = Claims { records: 1, ..Claims::default() };
        let (young, old) = (object(1, "2026-01-09T00:00:01Z", None), object(1, "2026-01-09T00:00:00Z", None));
        let verdict = |joined| verdict(&joined, at("2026-01-10T00:00:00Z"), DAY);
        assert_eq!(verdict(Joined::StorageOnly(old.as_listed())), Verdict::OrphanedFile);
        assert_eq!(verdict(Joined::StorageOnly(young.as_listed())), Verdict::YoungFile);
        assert_eq!(verdict(Joined::Both(claims, young.as_listed())), Verdict::Wanted);
        assert_eq!(verdict(Joined::DatabaseOnly("a.png", claims)), Verdict::MissingObject);
    }

    #[test]
    fn a_file_goes_only_with_all_of_its_rows_and_where_nothing_refers_to_it() {
        let condemned = Group { has_object: true, condemned: 2, ..Group::default() };
        assert_eq!(condemned.file(), FileFate::Follows);
        assert_eq!(Group { live: 1, ..condemned }.file(), FileFate::Wanted);
        assert_eq!(Group { is_referenced: true, ..condemned }.file(), FileFate::Wanted);
        assert_eq!(Group { condemned: 0, ..condemned }.file(), FileFate::Orphaned);
        assert_eq!(Group { condemned: 0, live: 1, ..condemned }.file(), FileFate::Wanted);
        assert_eq!(Group { condemned: 0, is_referenced: true, ..condemned }.file(), FileFate::Wanted);
        for live in [0, 1] {
            assert_eq!(Group { has_object: false, live, ..condemned }.file(), FileFate::Absent);
        }
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
        assert_eq!(standing(Created::Unreadable, [Mark::Spared, Mark::Condemned]), Standing::Condemned(1));
    }

    #[test]
    fn a_row_without_an_age_is_as_old_as_the_clock_that_condemns_it() {
        let (now, clocks) = (days(100), [Duration::ZERO, Duration::ZERO]);
        let standing = |marks: [Mark; 2]| standing(Created::Unconfigured, &marks, &clocks, now, DAY);
        assert_eq!(standing([Mark::Spared, Mark::Condemned]), Standing::Condemned(1), "a rule without a clock");
        assert_eq!(standing([Mark::Spared, Mark::Since(days(99))]), Standing::Condemned(1));
        assert_eq!(standing([Mark::Spared, Mark::Since(days(100))]), Standing::Young);
        assert_eq!(standing([Mark::Since(days(100)), Mark::Condemned]), Standing::Young, "the first rule decides");
    }

    #[test]
    fn a_row_is_young_until_the_very_moment_at_which_it_is_min_age_old() {
        let second = TimeDelta::seconds(1);
        let standing = |created| standing(Created::At(created), &[Mark::Condemned], &[Duration::ZERO], days(100), DAY);
        assert_eq!(standing(days(99)), Standing::Condemned(0));
        assert_eq!(standing(days(99) + second), Standing::Young);
        assert_eq!(standing(days(101)), Standing::Young, "in the future");
        let clock = |start| super::standing(Created::At(days(1)), &[Mark::Since(start)], &[DAY], days(100), DAY);
        assert_eq!(clock(days(99)), Standing::Condemned(0));
        assert_eq!(clock(days(99) + second), Standing::Live, "its clock has not run out");
        let never = [Duration::MAX];
        assert_eq!(
            super::standing(Created::At(days(1)), &[Mark::Since(days(1))], &never, days(100), DAY),
            Standing::Live
        );
    }

    fn seen(key: &str, owns: bool, created: Created, marks: [Mark; 2]) -> Seen {
        let (key, value, marks) = (key.to_owned(), Some(key.to_owned()), marks.to_vec());
        Seen { key, value, owns, created, marks, image: Image(Vec::new()) }
    }

    #[test]
    fn a_row_stays_that_is_not_what_was_planned_to_go() {
        let clocks = [Duration::ZERO, Duration::ZERO];
        let stays = |seen: &Seen, rule| stays(seen, ("a.png", rule), &clocks, days(100), DAY);
        let (old, young) = (Created::At(days(1)), Created::At(days(100)));
        let (second, none) = ([Mark::Spared, Mark::Condemned], [Mark::Spared, Mark::Spared]);
        assert_eq!(stays(&seen("a.png", true, old, second.clone()), Some(1)), None);
        let another_key = stays(&seen("A.png", true, old, second.clone()), Some(1));
        assert_eq!(another_key, Some("it names another key now"));
        let owns_nothing = stays(&seen("a.png", false, old, second.clone()), Some(1));
        assert_eq!(owns_nothing, Some("it owns no file any more"));
        let another_rule = stays(&seen("a.png", true, old, second.clone()), Some(0));
        assert_eq!(another_rule, Some("another rule condemns it now"));
        let no_rule = Some("no rule condemns it any more");
        assert_eq!(stays(&seen("a.png", true, old, none.clone()), Some(1)), no_rule);
        assert_eq!(stays(&seen("a.png", true, young, second), Some(1)), no_rule, "young");
    }

    #[test]
    fn a_row_without_its_object_stays_while_it_is_young_whatever_rules_say() {
        let clocks = [Duration::ZERO, Duration::ZERO];
        let stays = |seen: &Seen| stays(seen, ("a.png", None), &clocks, days(100), DAY);
        let none = [Mark::Spared, Mark::Spared];
        for created in [Created::At(days(99)), Created::Unconfigured, Created::Unreadable] {
            assert_eq!(stays(&seen("a.png", true, created, none.clone())), None);
            assert_eq!(stays(&seen("a.png", true, created, [Mark::Condemned, Mark::Spared])), None);
        }
        for created in [Created::At(days(99) + TimeDelta::seconds(1)), Created::At(days(101))] {
            assert_eq!(stays(&seen("a.png", true, created, none.clone())), Some("it is too young"));
        }
        assert_eq!(stays(&seen("", true, Created::At(days(1)), none)), Some("it names another key now"));
    }

    #[test]
    fn a_file_is_believed_for_a_day_or_min_age_after_the_newest_that_is_known() {
        let newest = days(100);
        assert_eq!(newest_believable(newest, Duration::ZERO), Some(days(101)), "a day at least");
        assert_eq!(newest_believable(newest, DAY), Some(days(101)));
        assert_eq!(newest_believable(newest, DAY + Duration::from_secs(1)), Some(days(101) + TimeDelta::seconds(1)));
        assert_eq!(newest_believable(newest, DAY * 3), Some(days(103)));
        assert_eq!(newest_believable(newest, Duration::MAX), None, "there is no such time");
        assert_eq!(newest_believable(Time::MAX_UTC, DAY), None);
    }

    #[test]
    fn an_overlap_is_measured_by_the_smaller_side_and_may_be_as_low_as_it_is_allowed() {
        let totals = |objects, known_keys, shared_keys| {
            let (records, references) = (known_keys, known_keys);
            Totals { objects, records, references, known_keys, shared_keys, ..Totals::default() }
        };
        assert_eq!(wrong_pair(&totals(1000, 10, 5), true, 50.0), None, "exactly");
        assert_eq!(wrong_pair(&totals(1000, 10, 5), true, 50.1), Some(WrongPair::LowOverlap(50.0)));
        assert_eq!(wrong_pair(&totals(10, 1000, 5), true, 50.1), Some(WrongPair::LowOverlap(50.0)));
        assert_eq!(wrong_pair(&totals(1, 1, 1), true, 100.0), None);
        assert_eq!(wrong_pair(&totals(0, 0, 0), true, 0.0), Some(WrongPair::NoRecords), "before what else is wrong");
        let references = Totals { records: 0, ..totals(10, 10, 10) };
        assert_eq!(wrong_pair(&references, true, 50.0), Some(WrongPair::NoRecords), "references own nothing");
        assert_eq!(wrong_pair(&references, false, 50.0), None, "where no table owns anything they must do");
        let records = Totals { references: 0, ..totals(10, 10, 10) };
        assert_eq!(wrong_pair(&records, false, 50.0), Some(WrongPair::NoRecords));
    }
}
