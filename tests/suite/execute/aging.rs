//! What a delete rests on grows old while others are deleted, looked at, or asked about: by then it is looked at, or asked
//! about, once more (I8).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::looks::{FOR_GOOD, close_together, counted, execute_with, expect_left};
use super::scene::Scene;
use crate::support::s3::{Call, Fault, Seen, What, days, insert_old_rows};

/// Longer than a look lasts.
const SLOW: Duration = Duration::from_secs(6);
const NEW: &str = "stored meanwhile";

/// Does something some time after the first call of a kind.
fn some_time_after(scene: &Scene, call: Call, time: Duration, what: impl Fn() + Clone + Send + Sync + 'static) {
    let once = AtomicBool::new(false);
    scene.server().before(call, move |_: &Seen| {
        if !once.swap(true, Ordering::SeqCst) {
            let what = what.clone();
            std::thread::spawn(move || {
                std::thread::sleep(time);
                what();
            });
        }
    });
}

/// Stores other bytes under a key some time after the first call of a kind.
fn replaced_after(scene: &Scene, call: Call, time: Duration, key: &str) {
    let (bucket, key) = (Arc::clone(&scene.server().bucket), key.to_owned());
    some_time_after(scene, call, time, move || bucket.put(&key, NEW, SystemTime::now() - days(90)));
}

/// Many deletes have no answer: all are looked up before they are tried again, and the first of these looks is not too old
/// by then.
#[test]
fn what_had_no_answer_is_looked_up_just_before_it_is_tried_again() {
    let scene = close_together(FOR_GOOD);
    let key = scene.orphans[0].clone();
    let outcome = execute_with(&scene, || {
        let is_tried = Arc::new(AtomicBool::new(false));
        let is_slow = Arc::clone(&is_tried);
        let delay = Fault::on(Call::Head, What::Delay(Duration::from_millis(300)));
        scene.server().fault(delay.when(move |_| is_slow.load(Ordering::SeqCst)));
        scene.server().fault(Fault::on(Call::DeleteMany, What::ErrorsInside).times(1));
        scene.server().before(Call::DeleteMany, move |_| is_tried.store(true, Ordering::SeqCst));
        replaced_after(&scene, Call::DeleteMany, Duration::from_secs(8), &key);
    });
    std::thread::sleep(Duration::from_secs(9));
    assert_eq!((outcome.code, counted(&outcome)[2]), (0, 0), "{outcome:#?}");
    expect_left(&scene, &outcome, &[(&key, NEW)]);
}

/// Where looks take so long that they are made again and again, a row that was inserted meanwhile keeps its file.
#[test]
fn the_sources_are_asked_again_where_looks_take_long() {
    let scene = Scene::many_on_s3(40, 8);
    scene.configure(FOR_GOOD);
    let key = scene.orphans[3].clone();
    let outcome = execute_with(&scene, || {
        scene.server().fault(Fault::on(Call::Head, What::DelayAfterwards(SLOW)).times(16));
        let (file, key) = (scene.database.file(), key.clone());
        some_time_after(&scene, Call::Head, Duration::from_secs(8), move || {
            insert_old_rows(file.clone(), std::slice::from_ref(&key))
        });
    });
    assert!(scene.server().every_fault_was_played());
    assert_eq!((outcome.code, counted(&outcome)), (0, [7, 1, 0]), "{outcome:#?}");
    assert!(scene.everything().contains_key(&key));
}

/// A store that deletes one object at a time takes so long for many that the look at the last one is too old.
#[test]
fn single_deletes_rest_on_no_old_look() {
    let scene = close_together(FOR_GOOD);
    let key = scene.orphans[59].clone();
    let outcome = execute_with(&scene, || {
        scene.server().fault(Fault::on(Call::DeleteMany, What::Status(501, "NotImplemented")));
        scene.server().fault(Fault::on(Call::Delete, What::Delay(Duration::from_millis(1_800))));
        replaced_after(&scene, Call::DeleteMany, Duration::from_millis(4_500), &key);
    });
    assert_eq!((outcome.code, counted(&outcome)), (0, [59, 1, 0]), "{outcome:#?}");
    expect_left(&scene, &outcome, &[(&key, NEW)]);
}

/// What waits while others are deleted is asked about again, once the answer about it has become too old.
#[test]
fn what_waits_for_other_deletes_rests_on_no_old_answer() {
    let scene = close_together(FOR_GOOD);
    let key = scene.orphans[59].clone();
    let outcome = execute_with(&scene, || {
        scene.server().fault(Fault::on(Call::DeleteMany, What::Status(501, "NotImplemented")));
        scene.server().fault(Fault::on(Call::Delete, What::Delay(Duration::from_secs(4))));
        let (file, key) = (scene.database.file(), key.clone());
        some_time_after(&scene, Call::DeleteMany, Duration::from_secs(9), move || {
            insert_old_rows(file.clone(), std::slice::from_ref(&key))
        });
    });
    assert_eq!((outcome.code, counted(&outcome)), (0, [59, 1, 0]), "{outcome:#?}");
    assert!(scene.everything().contains_key(&key));
}

/// After a moment in which the store was slow, more and more files are deleted at once again.
#[test]
fn a_store_that_was_slow_for_a_moment_is_not_taken_for_slow() {
    let scene = Scene::many_on_s3(120, 120);
    scene.configure(&format!("{FOR_GOOD}\nmax_deletes_per_second = 30"));
    let outcome = execute_with(&scene, || {
        scene.server().fault(Fault::on(Call::Head, What::DelayAfterwards(SLOW)).times(1));
        scene.server().fault(Fault::on(Call::List, What::DelayAfterwards(SLOW)).after(1).times(1));
    });
    assert!(scene.server().every_fault_was_played());
    assert_eq!((outcome.code, counted(&outcome)), (0, [120, 0, 0]), "{outcome:#?}");
    assert_eq!(scene.server().count(Call::DeleteMany), 6, "15, 15, 15, 30, 30, 15");
}

/// A delete that heeds a condition says itself what is to go: it is not refused for a look that is too old.
#[test]
fn a_slow_store_that_heeds_conditions_deletes() {
    let scene = Scene::many_on_s3(40, 1);
    scene.configure(FOR_GOOD);
    scene.server().bucket.heeds_if_match.store(true, Ordering::Relaxed);
    let outcome = execute_with(&scene, || scene.server().fault(Fault::on(Call::Head, What::DelayAfterwards(SLOW))));
    assert_eq!((outcome.code, counted(&outcome)), (0, [1, 0, 0]), "{outcome:#?}");
}
