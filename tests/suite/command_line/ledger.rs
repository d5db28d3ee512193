//! A ledger that cannot be written stops no dry run.

use crate::command_line::fixture::Small;
use crate::support::tool::keys_of;

/// `cleanup-assets` with a ledger that it cannot write warns, and reports all the same.
#[test]
fn an_unwritable_ledger_is_a_warning() {
    let small = Small::with_findings();
    // A path below a file cannot be made by anyone, root included.
    small.configure(&format!("[ledger]\npath = {:?}", small.tool.path("config.toml").join("ledger.db")));
    let outcome = small.tool.run(&["--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(keys_of(&outcome.json(), "orphaned-file"), ["a/unknown.png", "b/unknown.png"]);
    assert!(outcome.stderr.contains("ledger"), "{outcome:#?}");
}

/// `cleanup-assets` with a ledger that is something else warns too, and leaves it as it is.
#[test]
fn a_ledger_that_is_no_ledger_is_left_alone() {
    let small = Small::with_findings();
    let path = small.tool.path("ledger.db");
    std::fs::write(&path, "somebody's letters, and no database at all\n".repeat(200)).expect("a file");
    let outcome = small.tool.run(&["--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert!(outcome.stderr.contains("ledger"), "{outcome:#?}");
    assert!(std::fs::read_to_string(&path).expect("the file").starts_with("somebody's letters"));
}

/// `cleanup-assets` makes the folders of a ledger that is to lie deeper.
#[test]
fn the_folder_of_a_ledger_is_made() {
    let small = Small::with_findings();
    let path = small.tool.path("state/cleanup/ledger.db");
    small.configure(&format!("[ledger]\npath = {path:?}"));
    let outcome = small.tool.run(&[]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
    assert!(path.exists());
}
