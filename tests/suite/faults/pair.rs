//! Signs that the two sides do not belong together, or not entirely: warnings, and findings that are held.

use serde_json::Value;

use crate::support::s3::{Application, found, hours_ago};

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

/// `cleanup-assets` holds a file and a record where one names the other with more path in front: a path-style URL, an
/// absolute path, a forgotten prefix.
#[test]
fn more_path_in_front_is_held() {
    let app = Application::small();
    let pairs = [
        ("https://s3.example.com/app-assets/path/style.png", "path/style.png"),
        ("/srv/app/uploads/absolute/path.png", "absolute/path.png"),
        ("prefix/forgotten.png", "media/prefix/forgotten.png"),
        ("https://cdn.example.com/lossy/a%2Bb.png?v=2#top", "lossy/a b.png"),
    ];
    app.insert(&pairs.map(|(record, _)| record.to_owned()));
    pairs.iter().for_each(|(_, file)| app.put(file));
    app.put("path/another-style.png");
    let report = app.tool.report();
    let mut files: Vec<_> = pairs.map(|(record, file)| (file.to_owned(), format!("looks like {record}"))).into();
    let mut records: Vec<_> = pairs.map(|(record, file)| (record.to_owned(), format!("looks like {file}"))).into();
    files.sort();
    records.sort();
    assert_eq!(held(&report, "orphaned-file"), files);
    assert_eq!(held(&report, "orphaned-record"), records);
}

/// `cleanup-assets` holds a record that is another spelling of a file that others know, where records may be removed.
#[test]
fn a_row_like_a_known_file_is_held() {
    let app = Application::small();
    app.insert(&["/assets/000007.png", "ASSETS/000008.PNG", "more/assets/000009.png"].map(str::to_owned));
    app.configure("", "");
    assert_eq!(held(&app.tool.report(), "orphaned-record"), [], "nothing is removed that could be wanted");
    app.configure_records("missing_file = \"delete\"");
    let expected = [("/assets/000007.png", "assets/000007.png"), ("ASSETS/000008.PNG", "assets/000008.png")];
    let expected = expected.map(|(record, file)| (record.to_owned(), format!("looks like {file}")));
    assert_eq!(held(&app.tool.report(), "orphaned-record"), expected);
}

/// `cleanup-assets` holds no file for a name of one segment that ends too many keys, but for the very name, and says so.
#[test]
fn a_common_name_holds_no_file() {
    for (files, is_common) in [(10, false), (11, true)] {
        let app = Application::small();
        app.insert(&["logo.png".to_owned()]);
        (0..files).for_each(|number| app.put(&format!("assets/{number:02}/logo.png")));
        app.put("Logo.png");
        let report = app.tool.report();
        let held = held(&report, "orphaned-file");
        assert_eq!(held.len(), if is_common { 1 } else { 1 + files }, "{report:#}");
        assert_eq!(report["warnings"].as_array().map(Vec::len), Some(usize::from(is_common)), "{report:#}");
    }
}

/// `cleanup-assets` holds a file below the prefix that a value outside it may be a spelling of.
#[test]
fn a_value_outside_the_prefix_may_be_a_spelling_of_a_key_inside() {
    let app = Application::small();
    app.insert(&["/assets/url.png", "forgotten.png", "other/app.png"].map(str::to_owned));
    ["assets/url.png", "assets/forgotten.png", "assets/app.png"].iter().for_each(|key| app.put(key));
    app.configure("prefix = \"assets/\"\n", "");
    let held = held(&app.tool.report(), "orphaned-file");
    assert_eq!(held.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), ["assets/forgotten.png", "assets/url.png"]);
}

/// `cleanup-assets` holds what lies below a folder of which nobody knows anything, if it is much: five files below a first
/// folder, twenty below a deeper one.
#[test]
fn many_files_below_an_unknown_folder_are_held() {
    let app = Application::small();
    let below = |folder: &str, files: usize| -> Vec<String> {
        (0..files).map(|number| format!("{folder}{number:02}.png")).collect()
    };
    let (few, much) =
        ([below("banners/", 4), below("assets/thumbs/", 19)], [below("avatars/", 5), below("assets/old/", 20)]);
    few.iter().chain(&much).flatten().for_each(|key| app.put(key));
    let why = |key: &String| {
        format!(
            "nothing below {} is known to the database (see unknown_prefixes)",
            &key[..=key.rfind('/').unwrap_or(0)]
        )
    };
    let mut expected: Vec<_> = much.iter().flatten().map(|key| (key.clone(), why(key))).collect();
    expected.sort();
    assert_eq!(held(&app.tool.report(), "orphaned-file"), expected);

    for globs in ["\"avatars/\", \"assets/old/\"", "\"avatars\", \"assets/*\"", "\"*\""] {
        app.configure("", &format!("[safety]\nunknown_prefixes = [{globs}]"));
        assert_eq!(held(&app.tool.report(), "orphaned-file"), [], "unknown_prefixes = [{globs}] lifts it");
    }
    app.configure("", "[safety]\nunknown_folder_files = 6");
    assert_eq!(held(&app.tool.report(), "orphaned-file").len(), 20, "five below avatars/ are few enough");
}

/// `cleanup-assets` takes a folder whose name is an id, beside many of which half are known, for what it is: a tenant that
/// was deleted.
#[test]
fn a_deleted_tenant_is_no_forgotten_table() {
    for (known, deleted, is_held) in [(6, 6, false), (5, 6, true), (5, 4, true), (6, 4, false)] {
        let app = Application::small();
        let file = |tenant: usize, number: usize| format!("tenants/{tenant}/{number:02}.png");
        let known: Vec<String> = (0..known).map(|tenant| file(1000 + tenant, 0)).collect();
        app.insert(&known);
        known.iter().for_each(|key| app.put(key));
        (0..deleted).flat_map(|tenant| (0..20).map(move |number| (tenant, number))).for_each(|(tenant, number)| {
            app.put(&file(2000 + tenant, number));
        });
        let held = held(&app.tool.report(), "orphaned-file").len();
        assert_eq!(held, if is_held { 20 * deleted } else { 0 }, "{} of {}", known.len(), known.len() + deleted);
    }
}

/// `cleanup-assets` holds everything that is newer than the newest object that the database knows, where something is so by
/// more than a day or `min_age`.
#[test]
fn files_newer_than_the_database_are_held() {
    let app = Application::small();
    let put = |key: &str, hours| app.server.bucket.put(key, "x", hours_ago(hours));
    put("assets/000007.png", 60 * 24);
    // The rows go on.
    app.sql("INSERT INTO assets (storage_key, created_at) VALUES ('assets/000007.png', datetime('now'))");
    put("assets/within-a-day.png", 60 * 24 - 23);
    assert_eq!(held(&app.tool.report(), "orphaned-file"), [], "a day may lie between");
    put("assets/newer.png", 60 * 24 - 25);
    let newer = held(&app.tool.report(), "orphaned-file");
    assert_eq!(
        newer.iter().map(|(key, _)| &**key).collect::<Vec<_>>(),
        ["assets/newer.png", "assets/within-a-day.png"]
    );
    assert!(newer.iter().all(|(_, why)| why.starts_with("newer than anything the database knows, of ")), "{newer:?}");

    app.configure("", "[safety]\nmin_age = \"3d\"");
    assert_eq!(held(&app.tool.report(), "orphaned-file"), [], "min_age is the larger margin");
}

/// `cleanup-assets` holds files that are newer than the newest row of any table: last month's dump knows of no file that
/// came after it, whatever else it knows.
#[test]
fn files_newer_than_the_newest_row_are_held() {
    let app = Application::small();
    // A known file was stored again since.
    app.server.bucket.put("assets/000007.png", "x", hours_ago(24));
    app.server.bucket.put("assets/newer.png", "x", hours_ago(48));
    let newer = held(&app.tool.report(), "orphaned-file");
    assert!(newer.iter().any(|(key, _)| key == "assets/newer.png"), "{newer:?}");
    assert!(newer.iter().all(|(_, why)| why.starts_with("newer than the newest row of assets, of ")), "{newer:?}");
}

/// `cleanup-assets` holds rows that are newer than anything in the store, where one of them is so by more than a day: the
/// store may be a copy that has ended.
#[test]
fn rows_newer_than_the_storage_are_held() {
    let app = Application::small();
    app.sql("INSERT INTO assets (storage_key, created_at) VALUES ('assets/a.png', datetime('now', '-89 days', '-10 minutes'))");
    assert_eq!(held(&app.tool.report(), "orphaned-record"), [], "a day may lie between");
    app.sql("INSERT INTO assets (storage_key, created_at) VALUES ('assets/b.png', datetime('now', '-48 hours'))");
    let newer = held(&app.tool.report(), "orphaned-record");
    assert_eq!(newer.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), ["assets/a.png", "assets/b.png"]);
    assert!(newer.iter().all(|(_, why)| why.starts_with("newer than the newest object, of ")), "{newer:?}");
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

/// `cleanup-assets` warns of a source of keys that gives nothing which is an object.
#[test]
fn a_silent_source_is_a_warning() {
    let app = Application::small();
    app.sql("CREATE TABLE users (avatar TEXT)");
    let reference = "[[references]]\ntable = \"users\"\nkey = \"avatar\"\n";
    app.configure("", reference);
    assert!(expect_warning(&app).contains("users.avatar has no row"));
    app.sql("INSERT INTO users VALUES (NULL)");
    assert_eq!(app.tool.report()["warnings"], Value::Array(Vec::new()), "a row that names nothing is a row");
    app.sql("INSERT INTO users VALUES ('assets/a.png')");
    assert!(expect_warning(&app).contains("users.avatar has one value"));
    app.sql("INSERT INTO users VALUES ('assets/b.png'), ('assets/c.png'), ('assets/d.png'), ('assets/e.png')");
    let warning = expect_warning(&app);
    assert!(warning.contains("5 values") && warning.contains("would remove no file"), "{warning}");
    app.configure("", &format!("{reference}may_be_empty = true\n"));
    assert_eq!(app.tool.report()["warnings"], Value::Array(Vec::new()));
    app.configure("", reference);
    app.sql("INSERT INTO users VALUES ('assets/000007.png')");
    assert_eq!(app.tool.report()["warnings"], Value::Array(Vec::new()), "one that is an object is enough");
}
