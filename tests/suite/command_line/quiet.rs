//! `-q`: nothing is printed on a night without news, on either stream.

use crate::command_line::fixture::Small;
use crate::support::sqlite::run_sql;
use crate::support::tool::Outcome;

/// Ten pairs, and a file that is held, as it looks like the key of a row without a file.
fn with_a_held_file() -> Small {
    let small = Small::new();
    small.file("a/photo.png");
    small.record("A/Photo.png");
    small
}

fn night(small: &Small) -> Outcome {
    let outcome = small.tool.run(&["-q"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    outcome
}

fn expect_silence(small: &Small) {
    let outcome = night(small);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""), "{outcome:#?}");
}

fn expect_report(small: &Small, word: &str) {
    let outcome = night(small);
    assert!(outcome.stdout.contains(word), "{word:?}: {outcome:#?}");
}

fn pass_days(small: &Small, days: u32) {
    let ledger = format!("sqlite:{}", small.tool.path("ledger.db").display());
    let format = "%Y-%m-%dT%H:%M:%SZ";
    run_sql(&ledger, &format!("UPDATE runs SET started_at = strftime('{format}', started_at, '-{days} days')"));
}

/// `cleanup-assets -q` tells once of a finding that no run may act on, and again when another comes.
#[test]
fn a_held_finding_is_told_once() {
    let small = with_a_held_file();
    expect_report(&small, "a/photo.png");
    expect_silence(&small);
    small.file("b/photo.png");
    small.record("B/Photo.png");
    expect_report(&small, "b/photo.png");
    expect_silence(&small);
}

/// Every thirtieth day the report comes again while anything is held; silent nights between do not put it off.
#[test]
fn what_is_held_is_told_again_after_thirty_days() {
    let small = with_a_held_file();
    expect_report(&small, "a/photo.png");
    pass_days(&small, 29);
    expect_silence(&small);
    pass_days(&small, 1);
    expect_report(&small, "a/photo.png");
    expect_silence(&small);
}

/// A finding that may be removed is told every night; one that is only reported, the first.
#[test]
fn what_may_be_removed_is_told_every_night() {
    let small = Small::new();
    small.record("a/lost.png");
    expect_report(&small, "a/lost.png");
    expect_silence(&small);
    small.file("a/unknown.png");
    expect_report(&small, "a/unknown.png");
    expect_report(&small, "a/unknown.png");
}

/// A run that would be refused is told every night, though nothing was found.
#[test]
fn a_refusal_is_told_every_night() {
    let small = Small::new();
    small.sql("CREATE TABLE users (id INTEGER PRIMARY KEY, avatar TEXT)");
    small.configure("[[references]]\ntable = \"users\"\nkey = \"avatar\"\n");
    expect_report(&small, "users.avatar has no row");
    expect_report(&small, "users.avatar has no row");
}

/// A count that changes by more than a tenth is told; a warning about the configuration every night is none.
#[test]
fn counts_that_change_are_told() {
    let small = with_a_held_file();
    small.configure("[safety]\nmin_age = \"30m\"\n");
    expect_report(&small, "min_age is 30m");
    expect_silence(&small);
    std::fs::write(small.root().join("a/new.png"), "picture").expect("a young file");
    expect_report(&small, "Too young to judge: 1");
    expect_silence(&small);
}

/// A narrowed run is compared with runs that were narrowed in the same way.
#[test]
fn each_scope_has_news_of_its_own() {
    let small = with_a_held_file();
    small.file("b/0.png");
    small.record("b/0.png");
    expect_report(&small, "a/photo.png");
    assert_eq!(small.tool.run(&["-q", "--prefix", "b/"]).stdout, "");
    expect_silence(&small);
}
