//! Signs that the two sides do not belong together, or not entirely: warnings, and findings that are held.

use std::time::SystemTime;

use serde_json::Value;

use crate::support::s3::{Application, days, found, hours_ago};

/// The findings of one kind that are held, as (key, why).
fn held(report: &Value, kind: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["kind"] == kind && !finding["held"].is_null())
        .map(|finding| (text(&finding["key"]), text(&finding["held"])))
        .collect()
}

/// Expects a warning in JSON, and the same above the findings of the text report.
fn expect_warning(app: &Application) -> String {
    let report = app.tool.report();
    let warnings = report["warnings"].as_array().expect("an array of warnings");
    let warning = warnings.first().and_then(Value::as_str).unwrap_or_else(|| panic!("no warning: {report:#}"));
    let text = app.tool.run(&[]);
    assert_eq!(text.code, 0, "{text:#?}");
    // The words may be wrapped or marked there, so its first ones must do.
    let start = warning.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    let at = text.stdout.find(&start).unwrap_or_else(|| panic!("{warning:?} is not in {text:#?}"));
    assert!(at < text.stdout.find("Check ===").expect("the checks"), "the warning comes late: {text:#?}");
    warning.to_lowercase()
}

/// `cleanup-assets` with an empty table warns that this looks like the wrong pair.
#[test]
fn no_records_at_all_is_a_warning() {
    let app = Application::empty();
    ["a.png", "b.png"].iter().for_each(|key| app.put(key));
    let warning = expect_warning(&app);
    assert!(warning.contains("wrong") || warning.contains("record"), "{warning}");
}

/// `cleanup-assets` with an empty bucket warns that this looks like the wrong pair.
#[test]
fn no_objects_at_all_is_a_warning() {
    let app = Application::empty();
    app.insert(&["a.png", "b.png"].map(str::to_owned));
    let warning = expect_warning(&app);
    assert!(warning.contains("wrong") || warning.contains("object"), "{warning}");
}

/// `cleanup-assets` on two sides that share few keys warns that this looks like the wrong pair.
#[test]
fn a_low_overlap_is_a_warning() {
    let app = Application::empty();
    (0..10).for_each(|number| app.put(&format!("files/{number}.png")));
    app.insert(&(0..8).map(|number| format!("other/{number}.png")).collect::<Vec<_>>());
    app.insert(&["files/1.png", "files/2.png"].map(str::to_owned));
    let warning = expect_warning(&app);
    assert!(warning.contains("20"), "the overlap is 20 %: {warning}");
}

/// `cleanup-assets` on a pair that fits warns of nothing.
#[test]
fn a_pair_that_fits_is_no_warning() {
    assert_eq!(Application::small().tool.report()["warnings"], Value::Array(Vec::new()));
}

/// `cleanup-assets` holds a file and a record whose keys differ only in how they are written.
#[test]
fn near_misses_are_held_on_both_sides() {
    let app = Application::small();
    let pairs = [
        ("https://cdn.example.com/a/B.png", "a/b.png"),
        ("/leading/slash.png", "leading/slash.png"),
        ("per%20cent.png", "per cent.png"),
        ("nfc/\u{e9}.png", "nfc/e\u{301}.png"),
    ];
    app.insert(&pairs.map(|(record, _)| record.to_owned()));
    pairs.iter().for_each(|(_, file)| app.put(file));
    let report = app.tool.report();

    let mut files: Vec<_> = pairs.map(|(record, file)| (file.to_owned(), format!("looks like {record}"))).into();
    let mut records: Vec<_> = pairs.map(|(record, file)| (record.to_owned(), format!("looks like {file}"))).into();
    files.sort();
    records.sort();
    assert_eq!(held(&report, "orphaned-file"), files);
    assert_eq!(held(&report, "orphaned-record"), records);
    assert_eq!(report["totals"]["held"], 8);
}

/// `cleanup-assets` holds what lies below a first path segment in which nobody knows anything, if it is much.
#[test]
fn many_files_below_an_unknown_segment_are_held() {
    let app = Application::small();
    let avatars: Vec<String> = (0..25).map(|number| format!("avatars/{number:02}.png")).collect();
    avatars.iter().for_each(|key| app.put(key));
    (0..20).for_each(|number| app.put(&format!("banners/{number:02}.png")));
    let report = app.tool.report();
    let why = "nothing below avatars/ is known to the database".to_owned();
    let expected: Vec<_> = avatars.iter().map(|key| (key.clone(), why.clone())).collect();
    assert_eq!(held(&report, "orphaned-file"), expected, "twenty below banners/ are few enough");

    app.configure("", "[safety]\nunknown_prefixes = [\"avatars/\"]");
    assert_eq!(held(&app.tool.report(), "orphaned-file"), [], "unknown_prefixes lifts it");
}

/// `cleanup-assets` holds a file that is newer than anything the database knows, by more than a day or `min_age`.
#[test]
fn files_newer_than_the_database_are_held() {
    let app = Application::small();
    let newest = days(60);
    app.server.bucket.put("assets/000007.png", "x", SystemTime::now() - newest);
    app.server.bucket.put("assets/within-a-day.png", "x", hours_ago(60 * 24 - 23));
    app.server.bucket.put("assets/newer.png", "x", hours_ago(60 * 24 - 25));
    let report = app.tool.report();
    let expected = [("assets/newer.png".to_owned(), "newer than anything the database knows".to_owned())];
    assert_eq!(held(&report, "orphaned-file"), expected);

    app.configure("", "[safety]\nmin_age = \"3d\"");
    assert_eq!(held(&app.tool.report(), "orphaned-file"), [], "min_age is the larger margin");
}

/// `cleanup-assets --check` does not count what is held.
#[test]
fn findings_that_are_all_held_do_not_fail_a_check() {
    let app = Application::empty();
    (0..10).for_each(|number| app.put(&format!("a/{number}.png")));
    app.insert(&(0..10).map(|number| format!("a/{number}.png")).collect::<Vec<_>>());
    app.insert(&["https://cdn.example.com/a/x.png".to_owned()]);
    app.put("a/x.png");
    let (files, records) = found(&app.tool.report());
    assert_eq!((files.len(), records.len()), (1, 1));
    assert_eq!(app.tool.run(&["--check"]).code, 0);
    app.put("a/unknown.png");
    assert_eq!(app.tool.run(&["--check"]).code, 10);
}
