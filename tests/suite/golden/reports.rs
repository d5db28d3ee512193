//! A report in each format, and what `history` and `restore` print in JSON. Times and paths, which vary, are replaced.

use regex::Regex;
use serde_json::Value;

use super::expect;
use crate::command_line::fixture::Small;
use crate::support::terminal;
use crate::support::tool::Outcome;

/// Ten pairs and one of each finding, one of them held, and a rule's.
fn scene() -> Small {
    let small = Small::with_findings();
    small.file("a/Twice.png");
    small.record("a/twice.png");
    small.pair("b/expired.png");
    small.sql("ALTER TABLE assets ADD COLUMN status TEXT");
    small.sql("UPDATE assets SET status = 'expired' WHERE storage_key = 'b/expired.png'");
    small.configure(RULE);
    small
}

const RULE: &str = "[[records.rules]]\nname = \"expired\"\nwhere = \"status = 'expired'\"";

/// What was printed, without what differs from run to run.
fn steady(small: &Small, text: &str) -> String {
    let text = text.replace(&small.tool.home().display().to_string(), "[HOME]");
    let replaced = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"\d{4}-\d\d-\d\d", "[DATE]"),
        (r#""etag":"[^"]*""#, r#""etag":"[ETAG]""#),
        (r"[0-9A-HJKMNP-TV-Z]{26}", "[ULID]"),
    ];
    replaced
        .into_iter()
        .fold(text, |text, (pattern, by)| Regex::new(pattern).expect("a pattern").replace_all(&text, by).into_owned())
}

fn expect_printed(name: &str, small: &Small, outcome: &Outcome) {
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    expect(name, steady(small, &outcome.stdout));
}

/// `cleanup-assets --format text|json|csv`, each as the first run of a ledger.
#[test]
fn a_report_in_each_format_is_the_golden_one() {
    for (format, name) in [("text", "report.txt"), ("json", "report.json"), ("csv", "report.csv")] {
        let small = scene();
        expect_printed(name, &small, &small.tool.run(&["--format", format]));
    }
}

/// `cleanup-assets restore --format json`, with files that are back, and a file, a row and a key that are not.
#[test]
fn what_a_restore_prints_in_json_is_the_golden_one() {
    let small = scene();
    let removed = terminal::run(&small.tool, &["--execute", "--max-percent", "100"], "uploads");
    assert_eq!(removed.code, 0, "{removed:#?}");
    small.file("b/unknown.png");
    small.sql("INSERT INTO assets (id, storage_key) VALUES (14, 'b/other.png')");
    let keys = ["a/unknown.png", "b/unknown.png", "b/expired.png", "never.png"];
    let outcome = small.tool.run(&[&["restore", "--format", "json"], &keys[..]].concat());
    assert_eq!((outcome.code, &outcome.json()["schema"]), (3, &Value::from(1)), "{outcome:#?}");
    expect("restore.json", steady(&small, &outcome.stdout));
    expect_printed("history.json", &small, &small.tool.run(&["history", "1", "--format", "json"]));
}
