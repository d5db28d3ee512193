//! Everything that can be typed wrong, and what is said of it.

use super::{document, expect, told};
use crate::command_line::fixture::{Small, expect_usage_error};
use crate::support::tool::Tool;

/// Where an option does not belong.
const MISPLACED: &[&[&str]] = &[
    &["--only", "keys.txt", "history"],
    &["history", "--only", "keys.txt"],
    &["--max-percent", "5", "history"],
    &["history", "--max-percent", "5"],
    &["history", "--max-removals", "5"],
    &["history", "--check"],
    &["history", "-o", "report.json"],
    &["--format", "json", "history"],
    &["history", "--format", "csv"],
    &["--execute", "restore", "a.png"],
    &["restore", "--execute", "a.png"],
    &["restore", "--prefix=a/", "a.png"],
    &["restore", "--kind", "orphaned-file", "a.png"],
    &["restore", "--output", "report.json", "a.png"],
    &["--run", "3", "restore"],
    &["--execute", "demo"],
    &["demo", "--execute"],
    &["demo", "--only", "keys.txt"],
    &["demo", "--prefix", "a/"],
    &["demo", "--kind", "orphaned-file"],
    &["--check", "demo"],
    &["-o", "report.json", "demo"],
    &["completions", "--format", "json", "bash"],
    &["--prefix", "a/", "completions", "bash"],
    &["man", "--format", "json"],
    &["man", "--check"],
    &["--kind", "orphaned-file", "man"],
];

/// What is no option, no command, or no value of one.
const WRONG: &[&[&str]] = &[
    &["--chek"],
    &["--yes", "--execute"],
    &["hstory"],
    &["report"],
    &["--execute", "--check"],
    &["--format", "yaml"],
    &["--log-format", "xml"],
    &["--color", "red"],
    &["--max-removals", "many"],
    &["--max-removals", "-1"],
    &["--max-percent", "101"],
    &["--max-percent", "half"],
    &["--config"],
    &["--only"],
    &["--prefix", "a/", "--prefix", "b/"],
    &["history", "last-week"],
    &["history", "1", "2"],
    &["restore"],
    &["restore", "--run", "1", "a.png"],
    &["restore", "--run", "first"],
    &["restore", "--format", "csv", "a.png"],
    &["demo", "one", "two"],
    &["completions"],
    &["completions", "tcsh"],
    &["man", "history"],
    &["help", "hstory"],
    &["history", "--version"],
];

/// What only the configuration, a file or the ledger shows to be wrong.
const REFUSED: &[&[&str]] = &[
    &["--prefix", "b/"],
    &["--kind", "lost"],
    &["--kind", ""],
    &["--only", "nowhere.txt"],
    &["--only", "other.json"],
    &["--only", "other.csv"],
    &["-o", "report.pdf"],
    &["-o", "report"],
    &["-o", "no/such/folder/report.json"],
    &["-c", "nowhere.toml"],
    &["-c", "nowhere.toml", "history"],
    &["history", "-c", "nowhere.toml"],
    &["history", "999"],
    &["history", "999", "--format", "json"],
    &["restore", "--run", "999"],
    &["restore", "--run", "999", "--format", "json"],
    &["restore", "never.png"],
    &["-c", "fresh.toml", "restore", "--run", "1"],
    &["demo", "full"],
    &["demo", "config.toml"],
    &["demo", "${HOME}"],
    &["demo", "new", "-o", "report.pdf"],
];

/// The configuration is below `a/`, and one run has been.
fn scene() -> Tool {
    let small = Small::new();
    small.tool.configure(&small.config("").replace("kind =", "prefix = \"a/\"\nkind ="));
    small.tool.report();
    let config = small.config(&format!("[ledger]\npath = {:?}", small.tool.path("fresh.db")));
    let files = [
        ("fresh.toml", config.as_str()),
        ("other.json", "{\"rows\": []}"),
        ("other.csv", "kind,key,size,last_modified,table,id\norphaned-file,,,,,\n"),
        ("full/letter.txt", "mine"),
    ];
    std::fs::create_dir(small.tool.path("full")).expect("a folder");
    for (name, text) in files {
        std::fs::write(small.tool.path(name), text).expect("a file");
    }
    small.tool
}

#[test]
fn every_usage_error_is_the_golden_one() {
    let tool = scene();
    let before = names(&tool);
    let cases = [MISPLACED, WRONG, REFUSED].concat();
    let mut pieces: Vec<String> = cases.iter().map(|arguments| error(&tool, arguments)).collect();
    assert_eq!(names(&tool), before, "a usage error makes nothing");
    std::fs::remove_file(tool.path("config.toml")).expect("a configuration");
    pieces.push(error(&tool, &[]));
    let head = "What is typed wrong: the command line, the exit code, and what is said on standard error.";
    expect("usage_errors.out", document(head, pieces));
}

/// What is said of a command line, which prints nothing on standard output.
fn error(tool: &Tool, arguments: &[&str]) -> String {
    let outcome = tool.run(arguments);
    expect_usage_error(&outcome, &["error: "]);
    told(tool, arguments, &outcome)
}

/// What is in the tool's folder, but for the configuration, the ledger's other files and the lock that a restore takes.
fn names(tool: &Tool) -> Vec<String> {
    let entries = std::fs::read_dir(tool.home()).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name != "config.toml" && !name.starts_with("ledger.")).collect();
    names.sort_unstable();
    names
}
