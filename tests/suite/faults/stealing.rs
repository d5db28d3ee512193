//! A bucket that holds far more than the database knows is listed in ranges that others take the upper parts of. Faults in
//! those parts: either the tool retries and finds what it finds without them, or the run fails and finds nothing.

use std::collections::BTreeSet;

use super::listing::finds_the_same;
use crate::support::s3::{Application, Call, Fault, Seen, What, found};

/// Files that nobody knows, in one dense run, before those that have rows.
const LOGS: usize = 4_000;
/// Objects of a page: every range has many of them.
const PAGE: usize = 50;

fn application() -> Application {
    let mut app = Application::small();
    let logs: Vec<String> = (0..LOGS).map(|number| format!("a/logs/2026/{number:09}.log")).collect();
    logs.iter().for_each(|key| app.put(key));
    app.orphaned_files.splice(0..0, logs);
    app.server.page_size(PAGE);
    app
}

/// Where parts begin that were given away: no row has these keys.
fn stolen(calls: &[Seen]) -> BTreeSet<String> {
    calls.iter().filter_map(|call| call.parameter("start-after")).filter(|after| after.starts_with("a/logs")).collect()
}

/// The first page of a part that was given away.
fn is_stolen(seen: &Seen) -> bool {
    seen.parameter("start-after").is_some_and(|after| after.starts_with("a/logs"))
}

/// Plays a fault on every part that is given away, for ever, and expects a failure.
fn fails_for_ever(what: What) {
    let app = application();
    app.server.fault(Fault::on(Call::List, what.clone()).when(is_stolen).after(2));
    let outcome = app.expect_failure();
    assert!(app.server.every_fault_was_played(), "{what:?} never came");
    assert!(outcome.stderr.contains("the storage could not be listed to its end"), "{what:?}: {outcome:#?}");
}

/// Plays a fault on some of the parts that are given away and expects the findings of a run without it.
fn is_mended(what: What, times: usize) {
    let app = application();
    app.server.fault(Fault::on(Call::List, what.clone()).when(is_stolen).times(times));
    finds_the_same(&app, &what);
}

/// `cleanup-assets` lists a run of files that nobody knows in many parts, finds each file once, and asks for few pages more
/// than there are.
#[test]
fn a_dense_run_of_unknown_files_is_listed_in_parts() {
    let app = application();
    let report = app.tool.report();
    assert_eq!(found(&report), app.expected());
    assert_eq!(report["totals"]["objects"], LOGS + 43);
    let parts = stolen(&app.server.calls());
    assert!(parts.len() >= 10, "{parts:?}");
    let pages = LOGS.div_ceil(PAGE);
    let lists = app.server.count(Call::List);
    assert!(lists <= 2 * pages + 10, "{lists} requests for {pages} pages");
}

/// `cleanup-assets` with one request at a time gives nothing away, and finds the same.
#[test]
fn one_request_at_a_time_finds_the_same() {
    let app = application();
    app.configure("concurrency = 1", "");
    assert_eq!(found(&app.tool.report()), app.expected());
    assert_eq!(stolen(&app.server.calls()), BTreeSet::new());
}

/// `cleanup-assets` with a prefix makes no guess outside of it.
#[test]
fn parts_begin_below_the_prefix() {
    let app = application();
    app.configure("prefix = \"a/logs/\"", "");
    let report = app.tool.report();
    assert_eq!(found(&report).0, app.orphaned_files[..LOGS]);
    let parts = stolen(&app.server.calls());
    assert!(!parts.is_empty() && parts.iter().all(|after| after.starts_with("a/logs/")), "{parts:?}");
}

/// `cleanup-assets` finds everything where keys are of any kind of letters, and guesses find nothing.
#[test]
fn keys_that_nobody_could_guess_are_found_too() {
    let mut app = Application::small();
    let keys: BTreeSet<String> = (0..1_500_usize)
        .map(|number| match number % 5 {
            0 => format!("фото/{}", number * 7919 % 1000),
            1 => format!("{}~{number}", "z".repeat(number % 40)),
            2 => format!("a b/{number:x}/%2F+"),
            3 => format!("{}", char::from_u32(0x4e00 + number as u32).expect("a character")),
            _ => format!("\u{1}{number:o}"),
        })
        .collect();
    keys.iter().for_each(|key| app.put(key));
    app.orphaned_files = keys.into_iter().chain(std::mem::take(&mut app.orphaned_files)).collect();
    app.orphaned_files.sort();
    app.server.page_size(20);
    assert_eq!(found(&app.tool.report()), app.expected());
}

/// `cleanup-assets` fails where a part that was given away cannot be listed: its files would be missing.
#[test]
fn a_part_that_cannot_be_listed_fails_the_run() {
    fails_for_ever(What::Status(403, "AccessDenied"));
    fails_for_ever(What::Status(500, "InternalError"));
    fails_for_ever(What::Reset);
}

/// `cleanup-assets` fails where pages of such a part break off.
#[test]
fn a_part_whose_pages_break_off_fails_the_run() {
    fails_for_ever(What::ResetInBody);
    fails_for_ever(What::CutAfterElement);
    fails_for_ever(What::EmptyBody);
}

/// `cleanup-assets` fails where such a part names keys that are not in it, or in no order.
#[test]
fn a_part_that_names_other_keys_fails_the_run() {
    fails_for_ever(What::StrayFirst("a/logs/2026/000000000.log"));
    fails_for_ever(What::OutOfOrder);
    fails_for_ever(What::TruncatedWithoutToken);
}

/// `cleanup-assets` asks again for pages of such parts that did not come.
#[test]
fn faults_in_parts_that_pass_change_nothing() {
    is_mended(What::Status(500, "InternalError"), 2);
    is_mended(What::Status(503, "SlowDown"), 6);
    is_mended(What::Reset, 2);
    is_mended(What::ResetInBody, 1);
    is_mended(What::CutAfterElement, 1);
    is_mended(What::CutInElement, 1);
}

/// `cleanup-assets` on a store that asks one time in four for less finds everything.
#[test]
fn a_store_that_keeps_asking_for_less_is_listed_to_its_end() {
    let app = application();
    for page in 0..20 {
        app.server.fault(Fault::on(Call::List, What::Status(503, "SlowDown")).after(4 * page).times(1));
    }
    assert_eq!(found(&app.tool.report()), app.expected());
}
