//! `cleanup-assets history` and `cleanup-assets history RUN`.

use serde_json::Value;

use crate::command_line::fixture::{Small, expect_usage_error};

/// `cleanup-assets history --format json` lists past runs, newest first.
#[test]
fn history_lists_runs_newest_first() {
    let small = Small::new();
    let first = small.tool.report()["run"]["id"].clone();
    small.file("a/unknown.png");
    let second = small.tool.report()["run"]["id"].clone();
    let history = small.tool.run(&["history", "--format", "json"]);
    assert_eq!(history.code, 0, "{history:#?}");
    let history = history.json();
    assert_eq!(history["schema"], 1);
    let runs = history["runs"].as_array().expect("runs");
    assert_eq!(runs.iter().map(|run| &run["id"]).collect::<Vec<_>>(), [&second, &first]);
    assert_eq!((&runs[0]["outcome"], &runs[1]["outcome"]), (&Value::from("findings"), &Value::from("clean")));
    assert_eq!((&runs[0]["found"], &runs[1]["found"]), (&Value::from(1), &Value::from(0)));
    for key in ["mode", "started_at", "finished_at", "removed", "bytes"] {
        assert!(runs[0].get(key).is_some(), "{key} is missing: {}", runs[0]);
    }
}

/// `cleanup-assets history` prints the same as a table.
#[test]
fn history_prints_a_table() {
    let small = Small::with_findings();
    let id = small.tool.report()["run"]["id"].to_string();
    let outcome = small.tool.run(&["history"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let line = outcome.stdout.lines().find(|line| line.contains("findings")).expect("the run");
    assert!(line.contains(&id) && line.contains("dry-run") && line.contains('3'), "{outcome:#?}");
}

/// `cleanup-assets history` before the first run says that there is none, and is no error.
#[test]
fn history_of_nothing_is_empty() {
    let small = Small::new();
    let outcome = small.tool.run(&["history"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let json = small.tool.run(&["history", "--format", "json"]).json();
    assert_eq!(json["runs"], Value::Array(Vec::new()));
}

/// `cleanup-assets history RUN` shows one run, with what it removed: nothing, for a dry run.
#[test]
fn history_of_one_run_adds_its_removals() {
    let small = Small::with_findings();
    let id = small.tool.report()["run"]["id"].to_string();
    small.tool.report();
    let text = small.tool.run(&["history", &id]);
    assert_eq!(text.code, 0, "{text:#?}");
    assert!(text.stdout.contains(&id), "{text:#?}");
    let json = small.tool.run(&["history", &id, "--format", "json"]).json();
    let run = json["runs"].get(0).or(json.get("run")).unwrap_or(&json);
    assert_eq!(run["id"].to_string(), id, "{json:#}");
    let removals = run.get("removals").or(json.get("removals")).expect("removals");
    assert_eq!(removals, &Value::Array(Vec::new()));
}

/// `cleanup-assets history 999` says that there is no such run.
#[test]
fn a_run_that_never_was_is_refused() {
    let small = Small::new();
    small.tool.report();
    let outcome = small.tool.run(&["history", "999"]);
    assert!(outcome.code == 1 || outcome.code == 2, "{outcome:#?}");
    assert!(outcome.stderr.contains("999"), "{outcome:#?}");
    expect_usage_error(&small.tool.run(&["history", "last-week"]), &["last-week"]);
}

/// A failed run is in the history too.
#[test]
fn a_failed_run_is_remembered() {
    let small = Small::new();
    small.tool.report();
    std::fs::rename(small.root(), small.tool.path("elsewhere")).expect("the uploads go away");
    let failed = small.tool.run(&["--format", "json"]);
    assert!(failed.code == 1 || failed.code == 2, "{failed:#?}");
    if failed.code == 1 {
        let history = small.tool.run(&["history", "--format", "json"]).json();
        assert_eq!(history["runs"][0]["outcome"], "failed");
    }
}
