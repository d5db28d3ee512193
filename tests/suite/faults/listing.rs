//! Faults in the middle of a listing. Either the tool retries and finds what it finds without them, or the run fails and
//! finds nothing.

use std::time::Duration;

use crate::support::s3::{Application, Call, Fault, Seen, What, found};

/// Enough keys for several ranges, on pages so small that every range has many.
fn application() -> Application {
    let app = Application::with_assets(12_000);
    app.server.page_size(300);
    app
}

/// Plays a fault from the fifth page on, for ever, and expects a failure that names the storage.
fn fails_for_ever(what: What) {
    let app = application();
    // A call for a single key, which asks whether the bucket is there, is answered: it must not be what fails the run.
    let is_page = |seen: &Seen| seen.parameter("max-keys").as_deref() != Some("1");
    app.server.fault(Fault::on(Call::List, what.clone()).when(is_page).after(4));
    let outcome = app.expect_failure();
    assert!(app.server.every_fault_was_played(), "{what:?} never came");
    let stderr = outcome.stderr.to_lowercase();
    assert!(stderr.contains("storage") || stderr.contains("bucket"), "{what:?}: {outcome:#?}");
    assert!(!stderr.contains("panicked"), "{what:?}: {outcome:#?}");
}

/// Plays a fault some times in the middle of the listing and expects the findings of a run without it.
fn is_mended(what: What, times: usize) {
    let app = application();
    app.server.fault(Fault::on(Call::List, what.clone()).after(4).times(times));
    finds_the_same(&app, &what);
}

/// Expects that a fault came, and the findings of a run without it.
pub fn finds_the_same(app: &Application, what: &What) {
    let report = app.tool.report();
    assert!(app.server.every_fault_was_played(), "{what:?} never came");
    assert_eq!(found(&report), app.expected(), "{what:?} changed the findings");
}

/// `cleanup-assets` on several ranges of many pages each finds what is spread over all of them.
#[test]
fn many_small_pages_in_several_ranges_give_the_same_findings_as_one() {
    let app = application();
    let report = app.tool.report();
    assert_eq!(found(&report), app.expected());
    assert_eq!(report["totals"]["objects"], 12_003);
    assert_eq!(report["totals"]["records"], 12_002);
}

/// `cleanup-assets` on a store that answers every later page with 500 fails and finds nothing.
#[test]
fn an_internal_error_for_ever_fails_and_finds_nothing() {
    fails_for_ever(What::Status(500, "InternalError"));
}

/// `cleanup-assets` on a store that never stops asking for less fails and finds nothing.
#[test]
fn slow_down_for_ever_fails_and_finds_nothing() {
    fails_for_ever(What::Status(503, "SlowDown"));
}

/// `cleanup-assets` on a page that is forbidden fails and finds nothing.
#[test]
fn a_page_that_is_forbidden_fails_and_finds_nothing() {
    fails_for_ever(What::Status(403, "AccessDenied"));
}

/// `cleanup-assets` on a bucket that is gone in mid-listing fails and finds nothing.
#[test]
fn a_bucket_that_goes_away_fails_and_finds_nothing() {
    fails_for_ever(What::Status(404, "NoSuchBucket"));
}

/// `cleanup-assets` on connections that are closed before an answer fails and finds nothing.
#[test]
fn resets_for_ever_fail_and_find_nothing() {
    fails_for_ever(What::Reset);
}

/// `cleanup-assets` on connections that are closed in the middle of a page fails and finds nothing.
#[test]
fn resets_in_the_body_for_ever_fail_and_find_nothing() {
    fails_for_ever(What::ResetInBody);
}

/// `cleanup-assets` on pages that end between two elements fails: the SDK's own parser takes them for whole.
#[test]
fn pages_cut_between_elements_for_ever_fail_and_find_nothing() {
    fails_for_ever(What::CutAfterElement);
}

/// `cleanup-assets` on pages that end within an element fails and finds nothing.
#[test]
fn pages_cut_within_an_element_for_ever_fail_and_find_nothing() {
    fails_for_ever(What::CutInElement);
}

/// `cleanup-assets` on answers of 200 without a body fails and finds nothing.
#[test]
fn empty_answers_for_ever_fail_and_find_nothing() {
    fails_for_ever(What::EmptyBody);
}

/// `cleanup-assets` on a page whose keys are not in byte order fails: the join would go wrong.
#[test]
fn a_page_out_of_order_fails_and_finds_nothing() {
    fails_for_ever(What::OutOfOrder);
}

/// `cleanup-assets` on a continuation token that comes back fails: the listing would never end.
#[test]
fn a_repeated_token_fails_and_finds_nothing() {
    fails_for_ever(What::RepeatedToken);
}

/// `cleanup-assets` on a page that says that there is more, and not where, fails.
#[test]
fn a_truncated_page_without_a_token_fails_and_finds_nothing() {
    fails_for_ever(What::TruncatedWithoutToken);
}

/// `cleanup-assets` on a page that names a key from before its range fails.
#[test]
fn a_key_from_before_the_range_fails_and_finds_nothing() {
    fails_for_ever(What::StrayFirst("!before-everything.png"));
}

/// `cleanup-assets` with a prefix fails on a page that names a key outside of it.
#[test]
fn a_key_outside_the_prefix_fails_and_finds_nothing() {
    let app = application();
    app.configure("prefix = \"assets/\"", "");
    app.server.fault(Fault::on(Call::List, What::StrayLast("zzz/outside.png")).after(4));
    app.expect_failure();
}

/// `cleanup-assets` on a single page that is cut short after its first objects fails too: there is no second page whose
/// absence could betray it.
#[test]
fn a_last_page_cut_between_elements_fails_and_finds_nothing() {
    let app = Application::small();
    app.server.fault(Fault::on(Call::List, What::CutAfterElement));
    app.expect_failure();
}

/// `cleanup-assets` mends one or two internal errors.
#[test]
fn internal_errors_that_pass_change_nothing() {
    is_mended(What::Status(500, "InternalError"), 2);
}

/// `cleanup-assets` slows down when asked to, and goes on.
#[test]
fn slow_downs_that_pass_change_nothing() {
    is_mended(What::Status(503, "SlowDown"), 2);
}

/// `cleanup-assets` opens a new connection for one that was closed.
#[test]
fn resets_that_pass_change_nothing() {
    is_mended(What::Reset, 2);
}

/// `cleanup-assets` asks again for a page of which half arrived.
#[test]
fn a_reset_in_the_body_that_passes_changes_nothing() {
    is_mended(What::ResetInBody, 1);
}

/// `cleanup-assets` asks again for a page that ended between two elements.
#[test]
fn a_page_cut_between_elements_once_changes_nothing() {
    is_mended(What::CutAfterElement, 1);
}

/// `cleanup-assets` asks again for a page that ended within an element.
#[test]
fn a_page_cut_within_an_element_once_changes_nothing() {
    is_mended(What::CutInElement, 2);
}

/// `cleanup-assets` waits for a page that comes late.
#[test]
fn a_page_that_comes_late_changes_nothing() {
    is_mended(What::Delay(Duration::from_secs(2)), 1);
}
