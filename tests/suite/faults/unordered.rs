//! A store that lists its keys in no order: it is told so, and compared all the same where that is written.

use crate::support::s3::{Application, Call, Fault, Seen, What, found};

/// Each page has its own order, and pages come in none.
fn without_order() -> Application {
    let app = Application::small();
    app.server.page_size(7);
    app.server.lists_in_no_order();
    app
}

/// The error says what to write.
#[test]
fn a_store_without_order_is_told_what_to_write() {
    let outcome = without_order().expect_failure();
    assert!(
        outcome.stderr.contains("out of byte order") && outcome.stderr.contains("listing = \"unordered\""),
        "{outcome:#?}"
    );
}

/// `listing = "unordered"`: the same findings, and every page read once.
#[test]
fn a_store_without_order_is_compared_once_it_is_said_to_be_one() {
    let app = without_order();
    app.configure("listing = \"unordered\"", "");
    let report = app.tool.report();
    assert_eq!(found(&report), app.expected());
    assert_eq!(report["totals"]["objects"], 43);
    // And once more where its bucket is asked for.
    assert_eq!(report["requests"]["list"], 43_u64.div_ceil(7) + 1);
}

/// An ordered one may be listed so too.
#[test]
fn a_store_in_order_may_be_said_to_have_none() {
    let app = Application::small();
    app.configure("listing = \"unordered\"", "");
    assert_eq!(found(&app.tool.report()), app.expected());
}

/// A listing that goes in a circle, and one that gives nothing and says that more follows, are ended: nothing else would.
#[test]
fn a_listing_without_an_end_fails() {
    let goes_on = |seen: &Seen| seen.parameter("continuation-token").is_some_and(|token| token != "token:");
    for (fault, words) in [
        (Fault::on(Call::List, What::NextToken("token:")).when(goes_on).times(50), "the same continuation token twice"),
        (Fault::on(Call::List, What::EmptyPage).times(1100), "1000 empty pages"),
    ] {
        let app = without_order();
        app.configure("listing = \"unordered\"", "");
        app.server.fault(fault);
        let outcome = app.expect_failure();
        assert!(outcome.stderr.contains(words), "{outcome:#?}");
    }
}
