//! When a finding was first seen, over several runs.

use std::collections::{BTreeMap, BTreeSet};
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
    a_second_later();
    assert_eq!(first_seen(&small, &[])["b/unknown.png"], first["b/unknown.png"], "what is gone stands between");
    small.file("a/unknown.png");
    a_second_later();
    let third = first_seen(&small, &[]);
    assert!(third["a/unknown.png"] > first["a/unknown.png"], "{first:?} {third:?}");
    assert_eq!(third["b/unknown.png"], first["b/unknown.png"], "that one was there all the time");
}

/// Thousands of findings of two runs beside each other, rows that share a key among them: each is told with its own first
/// sighting, wherever pages of the ledger end.
#[test]
fn each_of_thousands_of_findings_has_its_own_first_sighting() {
    const MANY: u64 = 3300;
    let small = Small::new();
    small.configure("[safety]\nunknown_prefixes = [\"many\"]\n");
    let is_old = |number: u64| !number.is_multiple_of(3);
    let add = |is_added: &dyn Fn(u64) -> bool| {
        let numbers: Vec<u64> = (0..MANY).filter(|number| is_added(*number)).collect();
        numbers.iter().for_each(|number| small.file(&format!("many/{number:05}.png")));
        // Seven rows name each key that is lost: pages end between them, too.
        let rows =
            numbers.iter().map(|number| format!("({}, 'lost/{:05}.png', '2020-01-01')", number + 100, number / 7));
        let rows: Vec<String> = rows.collect();
        small.sql(&format!("INSERT INTO assets VALUES {}", rows.join(", ")));
    };
    let seen = || -> BTreeMap<String, String> {
        let report = small.tool.report();
        let findings = report["findings"].as_array().expect("findings");
        let told = |finding: &serde_json::Value| {
            let number = match finding["id"].as_str() {
                Some(id) => id.parse::<u64>().expect("an id") - 100,
                None => finding["key"].as_str().expect("a key")[5..10].parse().expect("a number"),
            };
            (format!("{} {number}", finding["kind"]), finding["first_seen"].as_str().expect("a time").to_owned())
        };
        findings.iter().map(told).collect()
    };
    add(&is_old);
    let first = seen();
    a_second_later();
    add(&|number| !is_old(number));
    let second = seen();
    assert_eq!(second.len() as u64, 2 * MANY);
    let times: BTreeSet<&String> = first.values().collect();
    assert_eq!((first.len() as u64, times.len()), (2 * (0..MANY).filter(|number| is_old(*number)).count() as u64, 1));
    for (finding, time) in &second {
        match first.get(finding) {
            Some(first) => assert_eq!(time, first, "{finding}"),
            None => assert!(!times.contains(time), "{finding}"),
        }
    }
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
