//! What is printed and written: the text, JSON and CSV reports, `-o`, and a reader that goes away.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::command_line::fixture::Small;

/// `cleanup-assets` prints the report in the pinned shape.
#[test]
fn the_text_report_has_its_shape() {
    let small = Small::with_findings();
    let outcome = small.tool.run(&[]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let expected = [
        "=== Storage Maintenance Report ===",
        "Timestamp: ",
        "Database: sqlite ",
        "Storage: local ",
        "=== DB → Storage Check ===",
        "⚠️  Found 1 orphaned record",
        "  - a/lost.png (assets id 12, created: ",
        "=== Storage → DB Check ===",
        "⚠️  Found 2 orphaned files:",
        "  - a/unknown.png (created: ",
        "  - b/unknown.png (created: ",
        "=== Summary ===",
        "Orphaned files: 2",
        "Orphaned records: 1",
    ];
    let mut rest = lines.iter();
    for start in expected {
        assert!(
            rest.any(|line| line.starts_with(start)),
            "{start:?} is missing or out of order in\n{}",
            outcome.stdout
        );
    }
    assert!(outcome.stdout.contains(", 7 B)"), "sizes are shown: {}", outcome.stdout);
}

/// `cleanup-assets` on two sides that agree says so.
#[test]
fn the_text_report_of_a_clean_night_counts_what_agrees() {
    let outcome = Small::new().tool.run(&[]);
    assert!(outcome.stdout.contains("✅ All 10 DB records have corresponding files"), "{outcome:#?}");
    assert!(outcome.stdout.contains("Orphaned files: 0") && outcome.stdout.contains("Orphaned records: 0"));
}

/// `cleanup-assets --format json` prints one document in the pinned shape.
#[test]
fn the_json_report_has_its_shape() {
    let report = Small::with_findings().tool.report();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["run"]["mode"], "dry-run");
    assert_eq!(report["run"]["outcome"], "findings");
    assert_eq!(report["database"]["engine"], "sqlite");
    assert_eq!(report["storage"]["kind"], "local");
    let totals = &report["totals"];
    assert_eq!((&totals["objects"], &totals["records"]), (&Value::from(13), &Value::from(12)));
    assert_eq!((&totals["orphaned_files"], &totals["orphaned_file_bytes"]), (&Value::from(2), &Value::from(14)));
    assert_eq!(totals["orphaned_records"], 1);
    let record = &report["findings"][2];
    assert_eq!((&record["kind"], &record["id"]), (&Value::from("orphaned-record"), &Value::from("12")));
    for key in ["requests", "refusal", "removals", "warnings"] {
        assert!(report.get(key).is_some(), "{key} is missing: {report:#}");
    }
    for time in
        [&report["run"]["started_at"], &report["run"]["finished_at"], &record["first_seen"], &record["created_at"]]
    {
        assert!(time.as_str().is_some_and(|time| time.ends_with('Z')), "{time} is not UTC");
    }
    assert_eq!(Small::new().tool.report()["run"]["outcome"], "clean");
}

/// `cleanup-assets --format csv` writes cells that no spreadsheet runs.
#[test]
fn csv_cells_are_no_formulas() {
    let small = Small::new();
    let keys =
        ["=cmd().png", "+1.png", "-1.png", "@sum.png", "'quoted.png", "with,comma \"and\" quotes.png", "plain.png"];
    keys.iter().for_each(|key| small.file(key));
    let outcome = small.tool.run(&["--format", "csv"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let mut reader = csv::Reader::from_reader(outcome.stdout.as_bytes());
    let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    assert_eq!(header, ["kind", "key", "size", "last_modified", "table", "id", "created_at", "held", "held_by"]);
    let cells: Vec<String> = reader.records().map(|row| row.expect("a row")[1].to_owned()).collect();
    let expected = [
        "''quoted.png",
        "'+1.png",
        "'-1.png",
        "'=cmd().png",
        "'@sum.png",
        "plain.png",
        "with,comma \"and\" quotes.png",
    ];
    assert_eq!(cells, expected, "in the byte order of the keys");
}

/// `cleanup-assets -o FILE` writes the report in the format of the extension, and prints it too.
#[test]
fn output_writes_a_file_in_the_format_of_its_extension() {
    let small = Small::with_findings();
    for name in ["report.json", "report.csv", "report.txt"] {
        let outcome = small.tool.run(&["-o", name]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert!(outcome.stdout.contains("=== Summary ==="), "the report is printed as well: {outcome:#?}");
        let written = std::fs::read_to_string(small.tool.path(name)).expect("the report");
        match name {
            "report.json" => {
                let report: Value = serde_json::from_str(&written).expect("JSON");
                assert_eq!(report["findings"].as_array().map(Vec::len), Some(3));
            }
            "report.csv" => assert!(written.starts_with("kind,key,size") && written.lines().count() == 4, "{written}"),
            _ => assert!(written.contains("Found 2 orphaned files"), "{written}"),
        }
    }
}

/// `cleanup-assets -o` into a folder that is not there fails with its name.
#[test]
fn an_output_that_cannot_be_written_is_named() {
    let outcome = Small::with_findings().tool.run(&["-o", "no/such/folder/report.json"]);
    assert!(outcome.code == 1 || outcome.code == 2, "{outcome:#?}");
    assert!(outcome.stderr.contains("no/such/folder/report.json"), "{outcome:#?}");
}

/// The text report lists a hundred findings and says how to get the others.
#[test]
fn the_text_report_lists_a_hundred_and_says_how_many_more() {
    let small = Small::new();
    (0..130).for_each(|number| small.file(&format!("a/unknown-{number:03}.png")));
    let outcome = small.tool.run(&[]);
    assert_eq!(outcome.stdout.lines().filter(|line| line.starts_with("  - a/unknown-")).count(), 100);
    assert!(outcome.stdout.contains("30 more"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("json") || outcome.stdout.contains("csv"), "{}", outcome.stdout);
    assert_eq!(small.tool.report()["findings"].as_array().map(Vec::len), Some(130));
}

/// Names from outside cannot write to the terminal.
#[test]
fn keys_are_escaped_on_the_terminal() {
    let small = Small::new();
    let odd = "a/\u{1b}[31mred\u{202e}gnp.\u{200b}png";
    small.file(odd);
    let outcome = small.tool.run(&[]);
    let raw = |c: char| ['\u{1b}', '\u{202e}', '\u{200b}'].contains(&c);
    assert!(!outcome.stdout.contains(raw) && !outcome.stderr.contains(raw), "{outcome:#?}");
    assert!(outcome.stdout.contains("gnp."), "{outcome:#?}");
    assert_eq!(small.tool.report()["findings"][0]["key"], odd, "JSON carries the key itself");
}

/// `cleanup-assets -v` logs each finding in the pinned words, on standard error.
#[test]
fn the_log_names_each_finding() {
    let small = Small::with_findings();
    assert_eq!(small.tool.run(&[]).stderr, "", "nothing to log below -v");
    let outcome = small.tool.run(&["-v"]);
    assert!(outcome.stderr.contains("Asset record exists but file missing: a/lost.png"), "{outcome:#?}");
    assert!(outcome.stderr.contains("File exists but no DB record: a/unknown.png"), "{outcome:#?}");
    let outcome = small.tool.run(&["-v", "--log-format", "json"]);
    assert!(outcome.stderr.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{outcome:#?}");
}

/// `cleanup-assets --format json | head -c 10`: a reader that goes away is no panic.
#[test]
fn a_closed_standard_output_does_not_panic() {
    let small = Small::new();
    (0..2_000).for_each(|number| small.file(&format!("a/unknown-{number:04}.png")));
    for format in ["json", "csv", "text"] {
        let mut command = small.tool.command(&["--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the tool starts");
        let mut stdout = child.stdout.take().expect("its output");
        stdout.read_exact(&mut [0; 10]).expect("the beginning of the report");
        drop(stdout);
        let output = child.wait_with_output().expect("the end");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            !stderr.contains("panicked") && output.status.code() != Some(101),
            "{format}: {:?} {stderr}",
            output.status
        );
    }
}
