//! The house stays easy to see: each room touches only what its head says.

use std::fs;
use std::path::{Path, PathBuf};

/// Every source file below `src`, with its text up to its unit tests.
fn rooms() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of src") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&src, &mut files);
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = code.split("#![cfg(test)]").next().unwrap_or_default();
            let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let name = path.strip_prefix(&src).expect("below src").display().to_string();
            (name, code.join("\n"))
        })
        .collect()
}

fn assert_none(rooms: &[(String, String)], words: &[&str], allowed: impl Fn(&str) -> bool) {
    for (name, code) in rooms.iter().filter(|(name, _)| !allowed(name)) {
        for word in words {
            assert!(!code.contains(word), "src/{name} has `{word}`");
        }
    }
}

#[test]
fn pure_rooms_touch_no_database_store_terminal_clock_or_environment() {
    let pure = |name: &str| {
        ["judge.rs", "news.rs", "plan.rs"].contains(&name)
            || name.starts_with("domain/")
            || ["column", "key_column", "source", "rows", "rules", "date", "url"]
                .iter()
                .any(|room| name == format!("database/{room}.rs"))
            || ["owners", "postgres/copied"].iter().any(|room| name == format!("database/dialect/{room}.rs"))
            || name.starts_with("database/dialect/") && name.ends_with("/sql.rs")
            || ["density", "folders", "merge", "owners", "part", "scope", "slice", "split"]
                .iter()
                .any(|room| name == format!("compare/{room}.rs"))
            || ["page", "scan"].iter().any(|room| name == format!("storage/s3/{room}.rs"))
            || name.starts_with("report/")
    };
    let rooms = rooms();
    assert!(rooms.iter().filter(|(name, _)| pure(name)).count() >= 41);
    let words = [
        "sqlx",
        "aws_",
        "clap",
        "tokio",
        "Utc::now",
        "SystemTime::now",
        "Instant::now",
        "std::env",
        "std::fs",
        "async ",
    ];
    assert_none(&rooms, &words, |name| !pure(name));
}

#[test]
fn each_library_lives_in_its_own_room() {
    let rooms = rooms();
    assert_none(&rooms, &["sqlx::", "use sqlx"], |name| name.starts_with("database/") || name.starts_with("ledger/"));
    assert_none(&rooms, &["rusqlite"], |name| name == "database/dialect/sqlite/pages.rs");
    assert_none(&rooms, &["aws_"], |name| name.starts_with("storage/s3/"));
    assert_none(&rooms, &["clap"], |name| name.starts_with("cli/") || name.starts_with("commands/"));
    assert_none(&rooms, &["indicatif"], |name| name == "cli/progress.rs");
}

/// A command names clap for its arguments alone, and what is made of the whole program is made in two files.
#[test]
fn a_command_knows_of_clap_only_its_arguments() {
    let mut commands = rooms();
    commands.retain(|(name, _)| name.starts_with("commands/"));
    assert!(commands.len() >= 7);
    for (name, code) in &mut commands {
        let of_its_own = match name.as_str() {
            "commands/mod.rs" => ["use clap::{CommandFactory, Parser, Subcommand};", "fn program() -> clap::Command {"],
            "commands/completions.rs" => ["use clap_complete::Shell;", "clap_complete::generate("],
            "commands/man.rs" => ["use clap_mangen::Man;", ""],
            _ => ["", ""],
        };
        for words in of_its_own.into_iter().chain(["use clap::Args;"]).filter(|words| !words.is_empty()) {
            *code = code.replacen(words, "", 1);
        }
    }
    assert_none(&commands, &["clap"], |_| false);
}

/// Below the commands and the comparison's entry nobody knows what can be typed; the one exception ends the program.
#[test]
fn nothing_below_the_commands_knows_the_command_line() {
    let above = |name: &str| ["cli/", "commands/", "maintain/"].iter().any(|room| name.starts_with(room));
    assert_none(&rooms(), &["cli::", "commands::"], |name| above(name) || ["main.rs", "interrupt.rs"].contains(&name));
    let in_cli = |name: &str| !name.starts_with("cli/");
    assert_none(&rooms(), &["commands::", "maintain::"], in_cli);
}

#[test]
fn an_engine_is_known_where_engines_are_listed() {
    let lists = |name: &str| name.starts_with("database/dialect/") || name.starts_with("config/");
    assert_none(&rooms(), &["Engine::"], lists);
}

#[test]
fn database_and_storage_do_not_know_each_other() {
    let rooms = rooms();
    assert_none(&rooms, &["storage::"], |name| !name.starts_with("database/"));
    assert_none(&rooms, &["database::"], |name| !name.starts_with("storage/"));
}

/// Calls that change what is stored.
const DELETES: [&str; 10] = [
    "copies.remove(",
    "copies.remove_unchanged(",
    "copies.copy(",
    "moves.take(",
    "moves.give_back(",
    "moves.discard(",
    "moves.remove_emptied(",
    ".hands(",
    ".remove_file(",
    ".delete_object",
];

#[test]
fn only_execute_deletes() {
    let rooms = rooms();
    let owns = |name: &str| name.starts_with("execute/") || name.starts_with("storage/");
    assert_none(&rooms, &DELETES, owns);
    let writes = |name: &str| name.starts_with("execute/") || name.starts_with("database/");
    assert_none(&rooms, &["writer.remove(", ".writer()", "open_to_write", "begin_writing"], writes);
    // The token is made where it is typed, and nowhere else.
    assert_none(&rooms, &["Confirmed("], |name| name == "confirm.rs");
}

#[test]
fn nothing_panics_on_what_comes_from_outside_and_nothing_asks_whether_it_is_a_dry_run() {
    assert_none(&rooms(), &[".unwrap()", ".expect(", "panic!(", "todo!(", "dry_run: bool"], |_| false);
}

#[test]
fn every_room_says_what_it_is_for() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (name, _) in rooms() {
        let text = fs::read_to_string(src.join(&name)).expect("a source file");
        assert!(text.starts_with("//!"), "src/{name} has no head");
    }
}
