//! Rules that are written wrong: exit 2, with the line and what would be right.

use crate::command_line::fixture::{Small, expect_usage_error};

fn refused(section: &str, words: &[&str]) {
    let small = Small::new();
    small.configure(&format!("[safety]\nmin_age = \"24h\"\n{section}"));
    expect_usage_error(&small.tool.run(&[]), words);
}

#[test]
fn an_unknown_group_is_named_with_its_line() {
    let first = "[[derived]]\npattern = '^(.+)_preview$'\nowner = '$1.png'\n";
    for (owner, group) in
        [("$2.png", "${2}"), ("$1_orig.png", "${1_orig}"), ("${stem}.png", "${stem}"), ("$2*", "${2}")]
    {
        let wrong = format!("{first}[[derived]]\npattern = '^(.+)_small$'\nowner = '{owner}'\n");
        refused(&wrong, &["config.toml", "line 19", "_small", group, "no such group", "${1}"]);
    }
}

#[test]
fn a_pattern_that_is_no_regular_expression_is_named_with_its_line() {
    refused(
        "[[derived]]\npattern = '^(.+_preview$'\nowner = '$1'\n",
        &["config.toml", "line 16", "regular expression"],
    );
}

#[test]
fn an_owner_of_everything_is_refused() {
    for owner in ["", "*"] {
        let wrong = format!("[[derived]]\npattern = '^(.+)$'\nowner = '{owner}'\n");
        refused(&wrong, &["config.toml", "line 16", "own everything"]);
    }
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    refused("[[derived]]\npattern = 'a'\n", &["config.toml", "line 16", "owner"]);
    refused("[[derived]]\nowner = 'a'\n", &["config.toml", "line 16", "pattern"]);
    refused("[[derived]]\npattern = 'a'\nowner = 'b'\nowners = 'b'\n", &["config.toml", "line 19", "owners", "owner"]);
}

/// In this section `${name}` is a group; nothing comes from the environment, whatever is set there.
#[test]
fn nothing_comes_from_the_environment() {
    for value in [None, Some("assets/0")] {
        let small = Small::new();
        let small = match value {
            Some(value) => Small { tool: small.tool.env("stem", value).env("HOME_OF_ALL", value) },
            None => small,
        };
        small.configure("[[derived]]\npattern = '^(?P<stem>.+)_preview\\.png$'\nowner = '${stem}.png'\n");
        for key in ["a/1_preview.png", "a/gone_preview.png"] {
            small.file(key);
        }
        let report = small.tool.report();
        assert_eq!(super::orphans(&report).into_keys().collect::<Vec<_>>(), ["a/gone_preview.png"], "{report:#}");
    }
    refused("[[derived]]\npattern = '^(.+)$'\nowner = '${HOME:-x}'\n", &["line 16", "no such group"]);
}

/// Only this section is left as it is: a column that happens to be called so takes its value from the environment.
#[test]
fn a_column_of_that_name_takes_its_value_from_the_environment() {
    let small = Small::new();
    small.configure(
        "[[records.rules]]\nname = \"old\"\nwhere = \"1 = 1\"\nthen = { set = { derived = \"${NO_SUCH_NAME}\" } }\n",
    );
    expect_usage_error(&small.tool.run(&[]), &["config.toml", "line 17", "NO_SUCH_NAME", "not set"]);
}
