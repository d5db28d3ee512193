//! `cleanup-assets demo [DIR]`: an application to try the tool on.

use crate::command_line::fixture::expect_usage_error;
use crate::support::tool::Tool;

/// A text report from the first check on: what is before it tells the time.
fn checks(report: &str) -> &str {
    &report[report.find("=== DB").unwrap_or_else(|| panic!("no report in {report}"))..]
}

/// A folder without a configuration of its own.
fn nowhere() -> Tool {
    let tool = Tool::new("");
    std::fs::remove_file(tool.path("config.toml")).expect("a configuration");
    tool
}

/// `cleanup-assets demo DIR` makes an application and shows the dry run on it; a dry run with its configuration then
/// finds the same.
#[test]
fn demo_makes_an_application_that_can_be_checked_again() {
    let tool = nowhere();
    let demo = tool.run(&["demo", "try"]);
    assert_eq!(demo.code, 0, "{demo:#?}");
    assert!(demo.stdout.contains("=== Storage Maintenance Report ==="), "{demo:#?}");
    assert!(demo.stdout.contains("orphaned file") && demo.stdout.contains("orphaned record"), "{demo:#?}");
    let again = tool.run(&["-c", "try/config.toml"]);
    assert_eq!(again.code, 0, "{again:#?}");
    // What the demo says after its report is not part of the report.
    assert!(checks(&demo.stdout).starts_with(checks(&again.stdout).trim_end()), "{demo:#?}\n{again:#?}");
    assert_eq!(tool.run(&["-c", "try/config.toml", "--check"]).code, 10);
}

/// `cleanup-assets demo` in a folder that is not empty touches nothing.
#[test]
fn demo_refuses_a_folder_that_is_not_empty() {
    let tool = nowhere();
    std::fs::create_dir(tool.path("mine")).expect("a folder");
    std::fs::write(tool.path("mine/letter.txt"), "mine").expect("a file");
    expect_usage_error(&tool.run(&["demo", "mine"]), &["mine", "empty"]);
    let names: Vec<_> =
        std::fs::read_dir(tool.path("mine")).expect("a folder").map(|entry| entry.expect("a file")).collect();
    assert_eq!(names.len(), 1);
}

/// `cleanup-assets demo DIR` takes an empty folder that is already there.
#[test]
fn demo_takes_an_empty_folder() {
    let tool = nowhere();
    std::fs::create_dir(tool.path("empty")).expect("a folder");
    let outcome = tool.run(&["demo", "empty"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert!(tool.path("empty/config.toml").exists());
}

/// `cleanup-assets demo` without a folder says where it made one.
#[test]
fn demo_without_a_folder_names_the_one_it_made() {
    let tool = nowhere();
    let outcome = tool.run(&["demo"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let made = |text: &str| text.contains("config.toml") || text.contains("-c ");
    assert!(made(&outcome.stdout) || made(&outcome.stderr), "{outcome:#?}");
}
