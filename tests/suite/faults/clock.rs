//! Age is judged by the storage's own clock: its `Date` against an object's last modification, and never by ours.

use std::time::{Duration, SystemTime};

use crate::support::s3::{Application, found};

const HOUR_SECONDS: u64 = 3600;

/// An application whose storage runs `skew_hours` ahead of us, and whose unknown files have these ages there.
fn application(skew_hours: i64, ages_hours: &[(&str, i64)]) -> Application {
    let app = Application::small();
    app.server.skew_clock(skew_hours * 3600);
    for (key, age_hours) in ages_hours {
        let ours = skew_hours - age_hours;
        let distance = Duration::from_secs(ours.unsigned_abs() * HOUR_SECONDS);
        let modified = if ours < 0 { SystemTime::now() - distance } else { SystemTime::now() + distance };
        app.server.bucket.put(key, "x", modified);
    }
    // The newest object that the database knows is as new as anything, so that none is held for being newer.
    app.server.bucket.put("assets/000001.png", "x", SystemTime::now() + Duration::from_secs(72 * HOUR_SECONDS));
    app
}

fn unknown(app: &Application) -> Vec<String> {
    let (files, _) = found(&app.tool.report());
    files.into_iter().filter(|key| !app.orphaned_files.contains(key)).collect()
}

/// `cleanup-assets` on a storage whose clock is ten minutes ahead: what it stored a day and five minutes ago is old, though
/// by our clock it is five minutes short of a day.
#[test]
fn a_storage_clock_ahead_of_ours_decides() {
    let app = Application::small();
    app.server.skew_clock(600);
    let ago = |minutes: u64| SystemTime::now() - Duration::from_secs(minutes * 60);
    app.server.bucket.put("assets/old.png", "x", ago(24 * 60 - 5));
    app.server.bucket.put("assets/young.png", "x", ago(24 * 60 - 15));
    assert_eq!(unknown(&app), ["assets/old.png"]);
}

/// `cleanup-assets` does not believe a clock that is two days ahead: a proxy's, or that of one node. What was stored 12
/// hours ago by ours is young.
#[test]
fn a_storage_clock_that_is_far_ahead_is_not_believed() {
    let app = Application::small();
    app.server.skew_clock(48 * HOUR_SECONDS as i64);
    app.server.bucket.put("assets/old.png", "x", crate::support::s3::hours_ago(36));
    app.server.bucket.put("assets/young.png", "x", crate::support::s3::hours_ago(12));
    assert_eq!(unknown(&app), ["assets/old.png"]);
}

/// `cleanup-assets` on a storage whose clock is two days behind: what it stored 12 hours ago (60 hours, by our clock)
/// is young.
#[test]
fn a_storage_clock_behind_ours_decides() {
    let app = application(-48, &[("assets/old.png", 36), ("assets/young.png", 12)]);
    assert_eq!(unknown(&app), ["assets/old.png"]);
}

/// `cleanup-assets` takes a file from the future for young.
#[test]
fn a_file_from_the_future_is_young() {
    let app = application(0, &[("assets/future.png", -5), ("assets/old.png", 25)]);
    let report = app.tool.report();
    assert_eq!(report["totals"]["too_young"], 1);
    assert_eq!(unknown(&app), ["assets/old.png"]);
}

/// A store that knows no time of an object may say 1970: the file is taken for too young, and the run says so once.
#[test]
fn a_time_before_s3_existed_is_no_age() {
    let app = Application::small();
    for key in ["assets/epoch-1.png", "assets/epoch-2.png"] {
        app.server.bucket.put(key, "x", SystemTime::UNIX_EPOCH + Duration::from_secs(HOUR_SECONDS));
    }
    let report = app.tool.report();
    let (files, _) = found(&report);
    assert!(files.iter().all(|key| !key.contains("epoch")), "{files:?}");
    let warnings = report["warnings"].as_array().expect("warnings").iter().filter_map(|warning| warning.as_str());
    let told: Vec<&str> = warnings.filter(|warning| warning.contains("before S3 existed")).collect();
    assert!(told.len() == 1 && told[0].starts_with("2 files have"), "{told:?}");
}
