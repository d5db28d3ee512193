//! What is found is looked at again before it is reported: an answer that leaves it open fails the run, and what has
//! come to be in the meantime is no finding.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::s3::{Application, Call, Fault, Seen, What, found, hours_ago, insert_old_rows};

/// `cleanup-assets` does not take 403 for "missing" when it looks at an orphaned record's file again.
#[test]
fn a_forbidden_second_look_fails_and_finds_nothing() {
    let app = Application::small();
    app.server.fault(Fault::on(Call::Head, What::Status(403, "AccessDenied")));
    app.expect_failure();
    assert!(app.server.every_fault_was_played());
}

/// `cleanup-assets` does not take 500 for "missing" either.
#[test]
fn a_second_look_that_never_succeeds_fails_and_finds_nothing() {
    let app = Application::small();
    app.server.fault(Fault::on(Call::Head, What::Status(500, "InternalError")));
    app.expect_failure();
}

/// `cleanup-assets` does not take a closed connection for "missing" either.
#[test]
fn a_second_look_on_dead_connections_fails_and_finds_nothing() {
    let app = Application::small();
    app.server.fault(Fault::on(Call::Head, What::Reset));
    app.expect_failure();
}

/// `cleanup-assets` where one of the looks is left open: that record is held and says why, and the other is a finding.
#[test]
fn a_record_is_held_whose_file_may_not_be_looked_at() {
    for (status, code) in [(403, "AccessDenied"), (500, "InternalError")] {
        let app = Application::small();
        let (odd, fits) = (app.orphaned_records[1].clone(), app.orphaned_records[1].clone());
        app.server.fault(Fault::on(Call::Head, What::Status(status, code)).when(move |seen| seen.key == fits));
        let report = app.tool.report();
        assert_eq!(found(&report), app.expected());
        let findings = report["findings"].as_array().expect("findings").iter();
        let held: Vec<_> = findings.filter(|finding| !finding["held"].is_null()).collect();
        assert_eq!(held.len(), 1, "{report:#}");
        assert_eq!((held[0]["key"].as_str(), held[0]["held_by"].as_str()), (Some(odd.as_str()), Some("forbidden")));
        let why = held[0]["held"].as_str().expect("a reason");
        assert!(why.contains(&status.to_string()) && why.contains("127.0.0.1:"), "{why}");
    }
}

/// `cleanup-assets` on a bucket that is gone after the listing: a 404 for each object proves nothing then.
#[test]
fn a_bucket_that_is_gone_at_the_second_look_fails_and_finds_nothing() {
    let app = Application::small();
    app.server.fault(Fault::on(Call::Head, What::Status(404, "NoSuchBucket")));
    let asks_for_the_bucket = |seen: &Seen| seen.parameter("max-keys").as_deref() == Some("1");
    app.server.fault(Fault::on(Call::List, What::Status(404, "NoSuchBucket")).when(asks_for_the_bucket));
    app.expect_failure();
    assert!(app.server.every_fault_was_played());
}

/// `cleanup-assets` on a store that has no answer for one key (400): that record is held, and names why.
#[test]
fn a_record_is_held_for_whose_file_the_store_does_not_answer() {
    let app = Application::small();
    let (odd, fits) = (app.orphaned_records[0].clone(), app.orphaned_records[0].clone());
    app.server.fault(Fault::on(Call::Head, What::Status(400, "BadRequest")).when(move |seen| seen.key == fits));
    let report = app.tool.report();
    assert_eq!(found(&report), app.expected());
    let held = report["findings"].as_array().expect("findings").iter().filter(|finding| !finding["held"].is_null());
    let held: Vec<_> = held.map(|finding| (finding["key"].as_str(), finding["held"].as_str())).collect();
    assert_eq!(held, [(Some(odd.as_str()), Some("the store does not answer for this key (400)"))]);
}

/// `cleanup-assets` looks once more where a look met an internal error.
#[test]
fn a_second_look_that_fails_once_is_repeated() {
    let app = Application::small();
    app.server.fault(Fault::on(Call::Head, What::Status(500, "InternalError")).times(1));
    assert_eq!(found(&app.tool.report()), app.expected());
    assert!(app.server.every_fault_was_played());
}

/// `cleanup-assets` does not report the record of a file that was uploaded after the listing had passed it.
#[test]
fn a_file_that_appears_after_the_listing_is_no_orphaned_record() {
    let app = Application::small();
    let (bucket, late) = (Arc::clone(&app.server.bucket), app.orphaned_records[0].clone());
    let uploaded = late.clone();
    app.server.before(Call::Head, move |seen| {
        if seen.key == uploaded {
            bucket.put(&uploaded, "here after all", hours_ago(0));
        }
    });
    let (files, records) = found(&app.tool.report());
    assert_eq!(files, app.orphaned_files);
    assert_eq!(records, app.orphaned_records[1..], "{late} is there");
}

fn a_row_that_appears(app: &Application) {
    let (database, late) = (app.database(), app.orphaned_files[0].clone());
    let (inserted, once) = (late.clone(), AtomicBool::new(false));
    app.server.before(Call::List, move |_| {
        if !once.swap(true, Ordering::Relaxed) {
            insert_old_rows(database.clone(), std::slice::from_ref(&inserted));
        }
    });
    let (files, records) = found(&app.tool.report());
    assert_eq!(files, app.orphaned_files[1..], "{late} is wanted");
    assert_eq!(records, app.orphaned_records);
}

/// `cleanup-assets` does not report a file whose row was inserted after the keys had been read.
#[test]
fn a_file_whose_row_appears_during_the_listing_is_no_orphaned_file() {
    a_row_that_appears(&Application::small());
}

/// The same on a SQLite database in WAL mode, where the keys are read from a snapshot that does not see the row.
#[test]
fn a_file_whose_row_appears_during_the_listing_is_no_orphaned_file_under_wal() {
    let app = Application::small();
    app.sql("PRAGMA journal_mode = WAL");
    a_row_that_appears(&app);
}
