//! The help of the program and of every command, and the manual page.

use super::{document, expect, transcript};
use crate::support::tool::Tool;

const COMMANDS: [&str; 5] = ["demo", "history", "restore", "completions", "man"];

/// `cleanup-assets --help`, and that of each command; `-h` says the same.
#[test]
fn every_help_text_is_the_golden_one() {
    let tool = Tool::new("");
    let mut pieces = vec![transcript(&tool, &["--help"])];
    assert_eq!(tool.run(&["-h"]).stdout, tool.run(&["--help"]).stdout);
    for command in COMMANDS {
        pieces.push(transcript(&tool, &[command, "--help"]));
        assert_eq!(tool.run(&[command, "-h"]).stdout, tool.run(&[command, "--help"]).stdout, "{command}");
    }
    let help = tool.run(&["--help"]).stdout;
    let listed = help.split_once("Commands:\n").expect("the commands").1.lines().take_while(|line| !line.is_empty());
    let listed: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, [&COMMANDS[..], &["help"]].concat(), "every command is in the golden file");
    expect("help.out", document("The help of the program and of each command; -h says the same.", pieces));
}

/// `cleanup-assets man`.
#[test]
fn the_manual_page_is_the_golden_one() {
    let outcome = Tool::new("").run(&["man"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
    expect("cleanup-assets.1", outcome.stdout.replace(env!("CARGO_PKG_VERSION"), "[VERSION]"));
}
