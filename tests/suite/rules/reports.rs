//! What rules find and remove, in every form of the report, and the way back in by `--only` and `--kind`.

use std::fs;

use super::scene::{Engine, NO_LIMITS, Scene, expect};
use crate::support::terminal;

const RULES: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n\
                     [[records.rules]]\nname = \"=over\"\nsince = \"ended_at\"\n\
                     [[records.rules]]\nname = \"idle\"\nwhere = \"status = 'idle'\"\n";

/// Rows of two of three rules: one with its file, one with none, one of a shared file, one without a key; and an
/// orphaned file and record.
fn scene() -> Scene {
    let scene = Scene::of_assets(Engine::Sqlite, RULES);
    scene.asset(4, "dead.png", "dead", "NULL");
    scene.asset(5, "lost.png", "dead", "NULL");
    scene.asset(6, "live/1.png", "dead", "NULL");
    scene.run("INSERT INTO assets VALUES (7, NULL, {ago 90d}, 'live', {ago 25h})");
    scene.asset(8, "orphaned.png", "live", "NULL");
    ["dead.png", "live/unknown.png"].iter().for_each(|key| scene.put(key));
    scene
}

#[test]
fn a_section_and_a_line_of_the_summary_for_each_rule_that_finds_something() {
    let scene = scene();
    let outcome = scene.tool.run(&[]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let text = &outcome.stdout;
    let lines: Vec<&str> = text.lines().collect();
    let at =
        |line: &str| lines.iter().position(|other| *other == line).unwrap_or_else(|| panic!("no {line:?}: {text}"));
    let dead = at("=== Rule: dead ===");
    assert_eq!(lines[dead + 1], "⚠️  Found 3 dead records:");
    let day = (chrono::Utc::now() - chrono::TimeDelta::days(90)).format("%Y-%m-%d");
    assert_eq!(lines[dead + 2], format!("  - dead.png (assets id 4, created: {day}, 17 B)"));
    assert_eq!(lines[dead + 3], format!("  - live/1.png (assets id 6, created: {day}; others want its file)"));
    assert_eq!(lines[dead + 4], format!("  - lost.png (assets id 5, created: {day}, no file)"));
    let over = at("=== Rule: =over ===");
    assert_eq!(lines[over + 1], "⚠️  Found 1 =over record:");
    assert!(lines[over + 2].starts_with("  - (no key) (assets id 7, "), "{text}");
    let summary = at("=== Summary ===");
    assert!(at("=== DB → Storage Check ===") < dead && dead < over && over < summary, "{text}");
    assert!(summary < at("dead: 3") && at("dead: 3") < at("=over: 1"), "{text}");
    at("Orphaned files: 1");
    at("Orphaned records: 1");
    assert!(!text.contains("idle"), "a rule that finds nothing has no section: {text}");
}

/// What a run would do with rows stands in the sentence that is to be confirmed, and what it did in the report.
#[test]
fn the_prompt_and_the_removals_tell_of_rows() {
    let scene = scene();
    let outcome = terminal::run(&scene.tool, &["--execute"], "uploads");
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let words = ["DELETE 4 rows of assets", "2 files", "trash", "app.db", "uploads"];
    words.iter().for_each(|word| assert!(outcome.stderr.contains(word), "{word:?}: {outcome:#?}"));
    for line in ["Files moved to the trash: 2", "Records deleted: 4"] {
        assert!(outcome.stdout.lines().any(|other| other == line), "{line:?}: {outcome:#?}");
    }
    let history = scene.tool.run(&["history", "1"]).stdout;
    for words in [["assets id 4", "dead.png"], ["assets id 7", ""]] {
        let line = history.lines().find(|line| words.iter().all(|word| line.contains(word)));
        assert!(line.is_some(), "{words:?}: {history}");
    }
}

#[test]
fn history_tells_of_rows() {
    let scene = scene();
    let run = scene.executed()["run"]["id"].to_string();
    let runs = scene.tool.run(&["history", "--format", "json"]).json();
    assert_eq!((&runs["runs"][0]["removed"], &runs["runs"][0]["found"]), (&6.into(), &6.into()), "{runs:#}");
    assert_eq!(runs["runs"][0]["bytes"], 17 + 25, "a row has no bytes of its own");
    let history = scene.tool.run(&["history", &run, "--format", "json"]).json();
    let removals = history["runs"][0]["removals"].as_array().expect("removals").iter();
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut told: Vec<[String; 5]> =
        removals.map(|removal| ["kind", "key", "table", "id", "outcome"].map(|name| word(&removal[name]))).collect();
    told.sort();
    let expected = [
        ["=over", "", "assets", "7", "row-deleted"],
        ["dead", "dead.png", "", "", "trashed"],
        ["dead", "dead.png", "assets", "4", "row-deleted"],
        ["dead", "live/1.png", "assets", "6", "row-deleted"],
        ["dead", "lost.png", "assets", "5", "row-deleted"],
        ["orphaned-file", "live/unknown.png", "", "", "trashed"],
    ];
    assert_eq!(told, expected.map(|line| line.map(str::to_owned)));
}

/// Each line of a CSV is a finding that `--only` reads back: also one of a rule that a spreadsheet would run, and one of
/// a row without a key.
#[test]
fn a_csv_names_rows_and_is_read_back() {
    let scene = scene();
    assert_eq!(scene.tool.run(&["-o", "report.csv"]).code, 0);
    let csv = fs::read_to_string(scene.tool.path("report.csv")).expect("a report");
    let cells = |id: &str| -> Vec<String> {
        let line = csv.lines().find(|line| line.split(',').nth(5) == Some(id)).unwrap_or_else(|| panic!("{csv}"));
        line.split(',').map(str::to_owned).collect()
    };
    assert_eq!(cells("4")[..6], ["dead", "dead.png", "17", "", "assets", "4"]);
    assert_eq!(cells("5")[..6], ["dead", "lost.png", "", "", "assets", "5"]);
    assert_eq!(cells("7")[..6], ["'=over", "", "", "", "assets", "7"]);
    assert_eq!(csv.lines().count(), 7, "{csv}");
    for (ids, gone) in [(vec!["7"], 1), (vec!["4", "5"], 2)] {
        let header = csv.lines().next().expect("a header").to_owned();
        let lines: Vec<String> = std::iter::once(header).chain(ids.iter().map(|id| cells(id).join(","))).collect();
        fs::write(scene.tool.path("only.csv"), lines.join("\n")).expect("a list");
        let outcome = scene.execute(&["--only", "only.csv"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(outcome.json()["removals"]["records_deleted"], gone, "{outcome:#?}");
        assert!(ids.iter().all(|id| !scene.ids("assets").contains(&(*id).to_owned())));
    }
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "6", "8"]);
}

/// The same of a report in JSON, with null for a key.
#[test]
fn a_json_is_read_back() {
    let scene = scene();
    assert_eq!(scene.tool.run(&["--kind", "=over", "-o", "report.json"]).code, 0);
    let outcome = scene.execute(&["--only", "report.json"]);
    expect(&outcome.json(), &[("=over", "", "assets", "7")]);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "4", "5", "6", "8"]);
}

/// A row that is a finding of another kind by now is not what the list names.
#[test]
fn only_matches_the_kind_too() {
    let scene = scene();
    fs::write(scene.tool.path("only.csv"), "kind,key,table,id\nidle,dead.png,assets,4\n").expect("a list");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--only", "only.csv"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.ids("assets").len(), 8);
}

#[test]
fn kind_narrows_to_a_rule() {
    let scene = scene();
    let report = scene.tool.run(&["--kind", "dead", "--format", "json"]).json();
    assert_eq!(report["totals"]["rules"], serde_json::json!({ "dead": 3 }));
    let text = scene.tool.run(&["--kind", "dead"]).stdout;
    assert!(text.contains("=== Rule: dead ===") && !text.contains("=over") && !text.contains("orphaned"), "{text}");
    let outcome = scene.execute(&["--kind", "dead"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "7", "8"]);
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png", "live/unknown.png"]);
}

/// Narrowed to a kind, a file stays whose other row is a finding of another kind.
#[test]
fn kind_leaves_a_file_that_another_rule_condemns_too() {
    let scene = scene();
    scene.asset(9, "dead.png", "live", "{ago 25h}");
    let outcome = scene.execute(&["--kind", "dead"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert!(scene.files().contains("dead.png"));
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "7", "8", "9"]);
    assert_eq!(scene.execute(&["--kind", "=over"]).code, 0);
    assert!(!scene.files().contains("dead.png"));
}

/// Held findings are none for `--check`, and the text says why they are held.
#[test]
fn check_counts_rows_that_are_not_held() {
    let scene = Scene::of_assets(Engine::Sqlite, RULES);
    assert_eq!(scene.tool.run(&["--check"]).code, 0);
    let records = "[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n";
    scene.configure(&format!("{records}{RULES}{NO_LIMITS}"));
    scene.asset(4, "live/1.png", "dead", "NULL");
    let outcome = scene.tool.run(&["--check"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let line = outcome.stdout.lines().find(|line| line.starts_with("  - live/1.png")).expect("the finding");
    assert!(line.contains("[held: ") && line.contains("created_at"), "{line}");
    scene.configure_assets(RULES, NO_LIMITS);
    assert_eq!(scene.tool.run(&["--check"]).code, 10);
}
