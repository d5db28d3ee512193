//! What is typed: wrong usage ends in exit 2 with a message that says what would be right; options narrow and change
//! what is printed.

use crate::command_line::fixture::{Small, expect_usage_error};
use crate::support::tool::keys_of;

/// `cleanup-assets --help` prints the exit codes and the commands.
#[test]
fn help_prints_every_exit_code_and_command() {
    let outcome = Small::new().tool.run(&["--help"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let help = outcome.stdout.to_lowercase();
    let codes = help.split_once("exit codes").expect("the exit codes").1;
    for code in ["0", "1", "2", "10", "130"] {
        assert!(codes.split(|c: char| !c.is_ascii_digit()).any(|number| number == code), "{code}: {codes}");
    }
    for word in ["--config", "--check", "--format", "--prefix", "--kind", "--quiet", "demo", "history"] {
        assert!(help.contains(word), "{word} is not in the help");
    }
}

/// `cleanup-assets -h` is short, `--version` is one line.
#[test]
fn version_is_one_line() {
    let outcome = Small::new().tool.run(&["--version"]);
    assert_eq!(outcome.code, 0);
    assert_eq!(outcome.stdout, format!("cleanup-assets {}\n", env!("CARGO_PKG_VERSION")));
}

/// `cleanup-assets --format yaml` names the formats that there are.
#[test]
fn an_unknown_format_names_the_known_ones() {
    let outcome = Small::new().tool.run(&["--format", "yaml"]);
    expect_usage_error(&outcome, &["yaml", "text", "json", "csv"]);
}

/// `cleanup-assets --kind lost` names the kinds that there are.
#[test]
fn an_unknown_kind_names_the_known_ones() {
    let outcome = Small::new().tool.run(&["--kind", "lost"]);
    expect_usage_error(&outcome, &["lost", "orphaned-file", "orphaned-record"]);
}

/// `cleanup-assets --chek` is not taken for anything else.
#[test]
fn a_misspelt_option_is_refused() {
    expect_usage_error(&Small::new().tool.run(&["--chek"]), &["--chek", "--check"]);
}

/// `cleanup-assets -o report.pdf` names the extensions that it can write, before it compares anything.
#[test]
fn an_unknown_extension_names_the_known_ones() {
    let small = Small::new();
    let outcome = small.tool.run(&["-o", "report.pdf"]);
    expect_usage_error(&outcome, &["report.pdf", ".json", ".csv", ".txt"]);
    assert!(!small.tool.path("report.pdf").exists());
}

/// `cleanup-assets --check` exits 10 where there are findings, and 0 where there are none.
#[test]
fn check_tells_findings_by_the_exit_code() {
    let small = Small::new();
    assert_eq!(small.tool.run(&["--check"]).code, 0);
    small.file("a/unknown.png");
    let outcome = small.tool.run(&["--check"]);
    assert_eq!(outcome.code, 10, "{outcome:#?}");
    assert!(outcome.stdout.contains("a/unknown.png"), "the report is printed all the same");
    assert_eq!(small.tool.run(&[]).code, 0, "without --check, findings are no error");
}

/// `cleanup-assets -q` prints nothing on a clean night, and the report on another.
#[test]
fn quiet_prints_only_findings() {
    let small = Small::new();
    let clean = small.tool.run(&["-q"]);
    assert_eq!((clean.code, clean.stdout.as_str(), clean.stderr.as_str()), (0, "", ""));
    small.file("a/unknown.png");
    let outcome = small.tool.run(&["-q"]);
    assert!(outcome.stdout.contains("a/unknown.png"), "{outcome:#?}");
}

/// `cleanup-assets --prefix b/` compares only what lies below.
#[test]
fn prefix_narrows_the_comparison() {
    let small = Small::with_findings();
    let outcome = small.tool.run(&["--prefix", "b/", "--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(keys_of(&report, "orphaned-file"), ["b/unknown.png"]);
    assert_eq!(keys_of(&report, "orphaned-record"), [""; 0]);
    assert_eq!(report["totals"]["objects"], 2);
}

/// `cleanup-assets --kind orphaned-record` reports only that kind; the option may be repeated.
#[test]
fn kind_narrows_the_report() {
    let small = Small::with_findings();
    let report = small.tool.run(&["--kind", "orphaned-record", "--format", "json"]).json();
    assert_eq!(keys_of(&report, "orphaned-file"), [""; 0]);
    assert_eq!(keys_of(&report, "orphaned-record"), ["a/lost.png"]);
    let both = ["--kind", "orphaned-record", "--kind", "orphaned-file", "--format", "json"];
    assert_eq!(small.tool.run(&both).json()["findings"].as_array().map(Vec::len), Some(3));
}

/// `cleanup-assets --check --kind orphaned-record` does not count the other kind.
#[test]
fn a_narrowed_check_counts_only_what_it_reports() {
    let small = Small::new();
    small.file("a/unknown.png");
    assert_eq!(small.tool.run(&["--check", "--kind", "orphaned-record"]).code, 0);
    assert_eq!(small.tool.run(&["--check", "--prefix", "b/"]).code, 0);
    assert_eq!(small.tool.run(&["--check", "--kind", "orphaned-file"]).code, 10);
}

/// The options that are global.
const GLOBAL: [&[&str]; 8] = [
    &["-c", "config.toml"],
    &["--config", "config.toml"],
    &["-v"],
    &["-q"],
    &["--quiet"],
    &["--color", "never"],
    &["--log-format", "json"],
    &["--no-progress"],
];

/// `cleanup-assets -q history` and `cleanup-assets history -q`: global options stand before and after every command.
#[test]
fn global_options_work_before_and_after_every_command() {
    let small = Small::new();
    small.tool.report();
    for command in [&["history"][..], &["completions", "bash"], &["man"]] {
        let plain = small.tool.run(command);
        assert_eq!(plain.code, 0, "{command:?}: {plain:#?}");
        for option in GLOBAL {
            for words in [[option, command].concat(), [command, option].concat()] {
                let outcome = small.tool.run(&words);
                assert_eq!((outcome.code, &outcome.stdout), (0, &plain.stdout), "{words:?}: {outcome:#?}");
            }
        }
    }
    // What a command prints otherwise says that the option came to it, wherever it stood.
    for words in [["-c", "nowhere.toml", "restore", "a.png"], ["restore", "a.png", "-c", "nowhere.toml"]] {
        expect_usage_error(&small.tool.run(&words), &["nowhere.toml"]);
    }
    assert_eq!(small.tool.run(&["-q", "demo", "one"]).code, 0);
    assert_eq!(small.tool.run(&["demo", "two", "-q"]).code, 0);
}

/// The options of the comparison, and with which commands each may stand as well.
const OF_THE_COMPARISON: [(&[&str], &[&str]); 9] = [
    (&["--execute"], &[]),
    (&["--only", "keys.txt"], &[]),
    (&["--prefix", "a/"], &[]),
    (&["--kind", "orphaned-file"], &[]),
    (&["--format", "json"], &["demo", "history", "restore"]),
    (&["--output", "report.json"], &["demo"]),
    (&["--check"], &["demo"]),
    (&["--max-removals", "5"], &[]),
    (&["--max-percent", "5"], &[]),
];

/// `cleanup-assets history --only x` is a usage error, and so is `cleanup-assets --only x history`: an option stands with
/// the commands that act on it, and after them.
#[test]
fn an_option_stands_only_with_the_commands_that_act_on_it() {
    let small = Small::new();
    small.tool.report();
    for (option, takes) in OF_THE_COMPARISON {
        for command in [&["demo", "new"][..], &["history"], &["restore", "a.png"], &["completions", "bash"], &["man"]] {
            let before = small.tool.run(&[option, command].concat());
            expect_usage_error(&before, &[option[0], command[0]]);
            if !takes.contains(&command[0]) {
                let after = small.tool.run(&[command, option].concat());
                expect_usage_error(&after, &[option[0], command[0], "comparison"]);
            }
        }
    }
    assert!(!small.tool.path("new").exists(), "a usage error makes nothing");
    for option in [&["--format", "json"][..], &["-o", "report.json"], &["--check"]] {
        let name = option[0].trim_start_matches('-');
        let outcome = small.tool.run(&[&["demo", name], option].concat());
        assert_eq!(outcome.code, if name == "check" { 10 } else { 0 }, "{outcome:#?}");
    }
    assert!(small.tool.path("report.json").exists());
    assert_eq!(small.tool.run(&["history", "--format", "json"]).code, 0);
}
