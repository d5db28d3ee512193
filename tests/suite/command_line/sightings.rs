//! When a finding was first seen, over several runs.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use crate::command_line::fixture::Small;

/// A report's findings with their first sightings.
fn first_seen(small: &Small, arguments: &[&str]) -> BTreeMap<String, String> {
    let report = small.tool.run(&[&["--format", "json"], arguments].concat()).json();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| (text(&finding["key"]), text(&finding["first_seen"]))).collect()
}

/// Times are told to the second.
fn a_second_later() {
    sleep(Duration::from_millis(1100));
}

/// `cleanup-assets` twice: the first sighting is that of the first run.
#[test]
fn a_first_sighting_is_stable() {
    let small = Small::with_findings();
    let first = first_seen(&small, &[]);
    assert_eq!(first.len(), 3);
    a_second_later();
    assert_eq!(first_seen(&small, &[]), first);
}

/// `cleanup-assets` on a finding that vanished and came back: it is seen for the first time again.
#[test]
fn a_finding_that_came_back_is_seen_anew() {
    let small = Small::with_findings();
    let first = first_seen(&small, &[]);
    small.remove("a/unknown.png");
    first_seen(&small, &[]);
    small.file("a/unknown.png");
    a_second_later();
    let third = first_seen(&small, &[]);
    assert!(third["a/unknown.png"] > first["a/unknown.png"], "{first:?} {third:?}");
    assert_eq!(third["b/unknown.png"], first["b/unknown.png"], "that one was there all the time");
}

/// `cleanup-assets --prefix` resolves nothing outside its scope.
#[test]
fn a_narrowed_run_forgets_nothing_outside_its_scope() {
    let small = Small::with_findings();
    let first = first_seen(&small, &[]);
    a_second_later();
    assert_eq!(first_seen(&small, &["--prefix", "b/"])["b/unknown.png"], first["b/unknown.png"]);
    first_seen(&small, &["--kind", "orphaned-record"]);
    assert_eq!(first_seen(&small, &[]), first);
}

/// A failed run neither sees nor forgets anything.
#[test]
fn a_failed_run_forgets_nothing() {
    let small = Small::with_findings();
    let first = first_seen(&small, &[]);
    let elsewhere = small.tool.path("elsewhere");
    std::fs::rename(small.root(), &elsewhere).expect("the uploads go away");
    assert_ne!(small.tool.run(&[]).code, 0);
    std::fs::rename(&elsewhere, small.root()).expect("the uploads come back");
    a_second_later();
    assert_eq!(first_seen(&small, &[]), first);
}

/// One ledger serves several configurations, and keeps them apart.
#[test]
fn configurations_that_share_a_ledger_do_not_forget_for_each_other() {
    let small = Small::with_findings();
    let ledger = format!("[ledger]\npath = {:?}", small.tool.path("ledger.db"));
    let first = first_seen(&small, &[]);
    let other = Small::new();
    other.configure(&ledger);
    assert_eq!(other.tool.report()["findings"].as_array().map(Vec::len), Some(0));
    a_second_later();
    assert_eq!(first_seen(&small, &[]), first);
}
