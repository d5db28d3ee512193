//! What changes while files are removed, between the last look and the end: what became wanted comes back, and what was
//! stored meanwhile stays (I8, I11).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::scene::{Scene, about, bytes_of};
use super::second_look::{FOR_GOOD, expect_skipped};
use crate::support::s3::{Call, Fault, What, days, insert_old_rows};
use crate::support::servers::Database;
use crate::support::sqlite::run_sql;
use crate::support::tool::Outcome;

/// Runs `hook` once, before the first call of a kind of which `fits` is true.
fn once_before(
    scene: &Scene,
    call: Call,
    fits: impl Fn(&str) -> bool + Send + Sync + 'static,
    hook: impl Fn() + Send + Sync + 'static,
) {
    let once = AtomicBool::new(false);
    scene.server().before(call, move |seen| {
        if fits(&seen.key) && !once.swap(true, Ordering::SeqCst) {
            hook();
        }
    });
}

/// Expects that `key` was put back as it was, out of the trash, and that the report and the history say so.
fn expect_put_back(scene: &Scene, outcome: &Outcome, key: &str) {
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    let removals = &report["removals"];
    assert_eq!(removals["files_trashed"], 2, "{report:#}");
    let back = removals["put_back"].as_u64().unwrap_or(0) + removals["skipped"].as_u64().unwrap_or(0);
    assert_eq!(back, 1, "it is counted: {report:#}");
    let stored = scene.server().bucket.get(key).unwrap_or_else(|| panic!("{key} is wanted, and gone"));
    assert_eq!(stored.body, bytes_of(key));
    assert_eq!(stored.about, about(key));
    assert_eq!(scene.trashed(key), None);
    assert_eq!(scene.removals(&report["run"]["id"])[key], "put-back");
    scene.expect_wanted_untouched(40);
}

/// A row that starts to name the file between the copy and the delete, or as it is deleted: the file is put back.
#[test]
fn a_row_that_appears_during_the_removal_brings_its_file_back() {
    for call in [Call::Copy, Call::DeleteMany] {
        let scene = Scene::on_s3();
        let (key, database) = (scene.orphans[1].clone(), scene.database.file());
        let named = key.clone();
        once_before(&scene, call, |_| true, move || insert_old_rows(database.clone(), std::slice::from_ref(&named)));
        let outcome = scene.execute(&["--format", "json"]);
        expect_put_back(&scene, &outcome, &key);
    }
}

/// The same of a reference that must be streamed again.
#[test]
fn a_streamed_reference_that_appears_during_the_removal_brings_its_file_back() {
    let scene = Scene::on_s3();
    scene.configure("[[references]]\nquery = \"SELECT '' || storage_key FROM late\"\nmay_be_empty = true");
    scene.database.run("CREATE TABLE late (storage_key TEXT)");
    let (key, database) = (scene.orphans[1].clone(), scene.database.url());
    let statement = format!("INSERT INTO late VALUES ('{key}')");
    once_before(&scene, Call::DeleteMany, |_| true, move || run_sql(&database, &statement));
    let outcome = scene.execute(&["--format", "json"]);
    expect_put_back(&scene, &outcome, &key);
}

/// What the application uploaded itself, after the delete and before it was put back, is not written over.
#[test]
fn putting_back_overwrites_nothing() {
    let scene = Scene::on_s3();
    let (key, database) = (scene.orphans[1].clone(), scene.database.file());
    let named = key.clone();
    once_before(
        &scene,
        Call::DeleteMany,
        |_| true,
        move || insert_old_rows(database.clone(), std::slice::from_ref(&named)),
    );
    let (bucket, uploaded, wanted) = (Arc::clone(&scene.server().bucket), key.clone(), key.clone());
    once_before(
        &scene,
        Call::Copy,
        move |target| target == wanted,
        move || {
            bucket.put(&uploaded, "the application's own", SystemTime::now());
        },
    );
    let outcome = scene.execute(&["--format", "json"]);
    assert!([0, 3].contains(&outcome.code), "{outcome:#?}");
    let all = scene.everything();
    assert_eq!(all[&key], b"the application's own", "{outcome:#?}");
    let place = scene.trashed(&key).expect("what was removed is still in the trash");
    assert_eq!(all[&place], bytes_of(&key).into_bytes());
}

/// Other bytes uploaded while the copy was made: neither they nor the old ones are lost.
#[test]
fn a_file_uploaded_during_the_copy_stays() {
    let scene = Scene::on_s3();
    let key = scene.orphans[1].clone();
    let (bucket, uploaded, fits) = (Arc::clone(&scene.server().bucket), key.clone(), key.clone());
    let old = SystemTime::now() - days(90);
    once_before(
        &scene,
        Call::Copy,
        move |target| target.ends_with(&fits),
        move || bucket.put(&uploaded, "new bytes", old),
    );
    let outcome = scene.execute(&["--format", "json"]);
    expect_skipped(&scene, &outcome, &key, "new bytes");
}

/// Other bytes uploaded after the copy was made, and before the delete: they stay, and so does the copy of the old.
#[test]
fn a_file_uploaded_after_the_copy_stays() {
    let scene = Scene::on_s3();
    let key = scene.orphans[1].clone();
    let (bucket, uploaded, fits) = (Arc::clone(&scene.server().bucket), key.clone(), format!("/{key}"));
    once_before(
        &scene,
        Call::Head,
        move |looked_at| looked_at.starts_with(".trash/") && looked_at.ends_with(&fits),
        move || bucket.put(&uploaded, "new bytes", SystemTime::now()),
    );
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let all = scene.everything();
    assert_eq!(all.get(&key).map(Vec::as_slice), Some(b"new bytes".as_slice()), "{outcome:#?}");
    let place = scene.trashed(&key).expect("the old bytes are nowhere else");
    assert_eq!(all[&place], bytes_of(&key).into_bytes());
    assert_eq!(scene.all_removals()[&key], ["trashed"], "the ledger knows them");
}

/// An original that somebody else removes after it was copied: the copy is the last one, and stays.
#[test]
fn the_copy_of_a_file_that_is_gone_stays() {
    let scene = Scene::on_s3();
    let key = scene.orphans[1].clone();
    let (bucket, removed, fits) = (Arc::clone(&scene.server().bucket), key.clone(), format!("/{key}"));
    once_before(
        &scene,
        Call::Head,
        move |looked_at| looked_at.starts_with(".trash/") && looked_at.ends_with(&fits),
        move || drop(bucket.remove(&removed)),
    );
    let outcome = scene.execute(&[]);
    assert!(scene.trashed(&key).is_some(), "{outcome:#?}");
}

/// A copy that holds something else than the original is none: the original stays.
#[test]
fn a_copy_that_is_not_verified_deletes_nothing() {
    for bytes in ["cut short".to_owned(), bytes_of("assets/000013-unknown-1.png").replace("picture", "PICTURE")] {
        let scene = Scene::on_s3();
        let key = scene.orphans[1].clone();
        let (bucket, spoilt) = (Arc::clone(&scene.server().bucket), key.clone());
        scene.server().before(Call::Head, move |seen| {
            if seen.key.starts_with(".trash/") && seen.key.ends_with(&spoilt) {
                bucket.put(&seen.key, &bytes, SystemTime::now());
            }
        });
        let outcome = scene.execute(&["--format", "json"]);
        assert_eq!(outcome.code, 3, "{outcome:#?}");
        assert_eq!(scene.everything()[&key], bytes_of(&key).into_bytes());
        assert_eq!(outcome.json()["removals"]["failed"], 1, "{outcome:#?}");
    }
}

/// Deletes that are slow because they are told to be do not widen the gap after the last look: a row that appears while
/// the first file goes saves the last.
#[test]
fn a_slow_rate_leaves_no_gap_after_the_last_look() {
    let scene = Scene::on_s3();
    scene.configure(&format!("{FOR_GOOD}\n[safety]\nmax_deletes_per_second = 1"));
    let (key, database) = (scene.orphans[2].clone(), scene.database.file());
    let named = key.clone();
    let first = scene.orphans[0].clone();
    once_before(
        &scene,
        Call::Delete,
        move |deleted| deleted == first,
        move || insert_old_rows(database.clone(), std::slice::from_ref(&named)),
    );
    let outcome = scene.execute(&["--format", "json"]);
    expect_skipped(&scene, &outcome, &key, &bytes_of(&key));
}

/// What the rate makes wait is waited for before the last look at a file, and not between that and its delete.
#[test]
fn a_slow_rate_waits_before_the_last_look() {
    let scene = Scene::on_s3();
    scene.configure(&format!("{FOR_GOOD}\n[safety]\nmax_deletes_per_second = 1"));
    let (looks, gaps) = (Arc::new(Mutex::new(BTreeMap::new())), Arc::new(Mutex::new(Vec::new())));
    let (looked, measured) = (Arc::clone(&looks), Arc::clone(&gaps));
    scene.server().before(Call::Head, move |seen| {
        looked.lock().expect("the looks").insert(seen.key.clone(), Instant::now());
    });
    scene.server().before(Call::Delete, move |seen| {
        let look = looks.lock().expect("the looks")[&seen.key];
        measured.lock().expect("the gaps").push(look.elapsed());
    });
    let outcome = scene.execute(&[]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let gaps = gaps.lock().expect("the gaps");
    assert_eq!(gaps.len(), 3);
    // A machine may be slow once; a wait of a second would be in each of them.
    assert!(gaps.iter().any(|gap| *gap < Duration::from_millis(900)), "{gaps:?}");
}

/// A delete whose answer was lost, and other bytes at its key when it is looked up: it is not tried again.
#[test]
fn a_file_uploaded_after_a_lost_answer_stays() {
    let scene = Scene::on_s3();
    scene.configure(FOR_GOOD);
    let key = scene.orphans[1].clone();
    let (bucket, uploaded) = (Arc::clone(&scene.server().bucket), key.clone());
    once_before(&scene, Call::DeleteMany, |_| true, move || bucket.put(&uploaded, "new bytes", SystemTime::now()));
    scene.server().fault(Fault::on(Call::DeleteMany, What::Reset).times(1));
    let outcome = scene.execute(&[]);
    assert_eq!(scene.everything().get(&key).map(Vec::as_slice), Some(b"new bytes".as_slice()), "{outcome:#?}");
}

/// Deletes whose answers were lost, and a bucket that is gone when they are looked up: nothing is called deleted.
#[test]
fn a_bucket_that_is_gone_deletes_nothing() {
    let scene = Scene::on_s3();
    scene.configure(FOR_GOOD);
    let gone = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&gone);
    scene.server().before(Call::DeleteMany, move |_| now.store(true, Ordering::SeqCst));
    scene.server().fault(Fault::on(Call::DeleteMany, What::Reset));
    for call in [Call::Head, Call::List] {
        let gone = Arc::clone(&gone);
        let fault = Fault::on(call, What::Status(404, "NoSuchBucket"));
        scene.server().fault(fault.when(move |_| gone.load(Ordering::SeqCst)));
    }
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert_eq!(outcome.json()["removals"]["files_deleted"], 0, "{outcome:#?}");
}

/// A file that became wanted as it was deleted for good cannot be put back: the run says so, and is no success.
#[test]
fn what_went_for_good_and_became_wanted_is_said() {
    let scene = Scene::on_s3();
    scene.configure(FOR_GOOD);
    let (key, database) = (scene.orphans[1].clone(), scene.database.file());
    let named = key.clone();
    once_before(
        &scene,
        Call::DeleteMany,
        |_| true,
        move || insert_old_rows(database.clone(), std::slice::from_ref(&named)),
    );
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(outcome.json()["removals"]["errors"].to_string().contains(&key), "{outcome:#?}");
}
