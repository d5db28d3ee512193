//! What is shipped to be read is true: the example configuration is a configuration, and shows every key.

use cleanup_assets::cli::ExitCode;
use cleanup_assets::config;

use crate::support::tool::Tool;

const EXAMPLE: &str = include_str!("../../config.example.toml");
const README: &str = include_str!("../../README.md");

fn lookup(name: &str) -> Option<String> {
    match name {
        name if name.ends_with("DATABASE_URL") => Some("postgres://localhost/app".to_owned()),
        _ => Some("value".to_owned()),
    }
}

#[test]
fn the_example_is_a_configuration() {
    config::parse(EXAMPLE, &lookup).expect("config.example.toml parses");
}

/// The example with its commented keys switched on, but for those that exclude others.
#[test]
fn every_commented_key_of_the_example_is_a_key() {
    let text: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key)
                if ["url_file", "root", "age_by", "remove_empty_folders", "folder", "key_sql", "created_at_sql"]
                    .iter()
                    .any(|name| key.starts_with(name)) =>
            {
                String::new()
            }
            Some(key) if key.starts_with("[[") || is_assignment(key) => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let config = config::parse(&text, &lookup).unwrap_or_else(|error| panic!("{error:?} in\n{text}"));
    assert_eq!(config.references.len(), 3);
}

#[test]
fn the_example_shows_every_key_that_an_unknown_key_is_told_of() {
    for section in [
        "database",
        "databases",
        "storage",
        "records",
        "records.rules",
        "references",
        "derived",
        "safety",
        "trash",
        "ledger",
    ] {
        let header = match section {
            "records.rules" => "[[records]]\n[[records.rules]]".to_owned(),
            "databases" | "records" | "references" | "derived" => format!("[[{section}]]"),
            _ => format!("[{section}]"),
        };
        let rest = "[database]\n[storage]\nkind = \"s3\"\n".replace(&format!("[{section}]\n"), "");
        let error = config::parse(&format!("{header}\nno_such_key = 1\n{rest}"), &lookup).expect_err("an unknown key");
        let (_, expected) = error.message.split_once("expected").expect("what would be right");
        let keys: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        assert!(!keys.is_empty(), "{error:?}");
        for key in keys {
            let is_shown = EXAMPLE.contains(&format!("{key} = ")) || EXAMPLE.contains(&format!("[[{section}.{key}]]"));
            assert!(is_shown, "{header} {key} is not in config.example.toml");
        }
    }
}

#[test]
fn the_readmes_configuration_is_one() {
    let (_, rest) = README.split_once("```toml\n").expect("a sample");
    let (sample, _) = rest.split_once("```").expect("its end");
    config::parse(sample, &lookup).expect("the README's sample parses");
}

/// The README, `--help` and the manual page say of each exit code what the enum says, and of no other.
#[test]
fn the_exit_codes_are_the_same_everywhere() {
    let rows = ExitCode::ALL.iter().map(|code| format!("| {} | {} |\n", code.number(), code.meaning()));
    let table = format!("| code | meaning |\n| --- | --- |\n{}", rows.collect::<String>());
    let (_, rest) = README.split_once("<!-- exit codes -->\n").expect("the beginning of the exit codes");
    let (shown, _) = rest.split_once("<!-- end of exit codes -->").expect("their end");
    assert_eq!(shown, table, "in README.md, between the marker comments");

    let tool = Tool::new("");
    let help = tool.run(&["--help"]).stdout;
    let (_, shown) = help.split_once("Exit codes:\n").expect("the exit codes");
    let lines = ExitCode::ALL.iter().map(|code| format!("  {:>3}  {}", code.number(), code.meaning()));
    assert_eq!(shown.trim_end().lines().collect::<Vec<_>>(), lines.collect::<Vec<_>>());

    let page = tool.run(&["man"]).stdout.replace("\\-", "-");
    let (_, rest) = page.split_once(".SH \"EXIT STATUS\"\n").expect("the section");
    let (shown, _) = rest.split_once(".SH ").expect("the next section");
    let items = ExitCode::ALL.iter().map(|code| format!(".TP\n\\fB{}\\fR\n{}\n", code.number(), code.meaning()));
    assert_eq!(shown, items.collect::<String>());
}

fn is_assignment(text: &str) -> bool {
    text.split_once(" = ").is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}
