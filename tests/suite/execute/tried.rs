//! What is tried before listings, and copies that nobody looks at, are relied on; and what of that is not known.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use super::looks::{
    FIRST, FOR_GOOD, ORPHANS, TO_TRASH, close_together, counted, execute_with, expect_left, far_apart, looks, requests,
    with_rare,
};
use super::scene::{Scene, bytes_of};
use crate::support::s3::{About, Call, Fault, What, days};

const PLACE: &str = ".trash/.kept";

/// A listing that lags names the first files as they are: none of those was replaced.
#[test]
fn a_listing_that_lags_is_not_believed_for_the_first_files() {
    for sections in [FOR_GOOD, TO_TRASH] {
        let scene = close_together(sections);
        let key = scene.orphans[40].clone();
        let outcome = execute_with(&scene, || {
            scene.server().bucket.list_no_changes();
            scene.put_bytes(&key, "stored meanwhile", SystemTime::now() - days(90));
        });
        assert_eq!((outcome.code, counted(&outcome)), (0, [59, 1, 0]), "{outcome:#?}");
        expect_left(&scene, &outcome, &[(&key, "stored meanwhile")]);
        assert!(!scene.everything().keys().any(|key| key.starts_with(".trash/.")), "nothing of the try is left");
    }
}

/// Expects that a file goes to the trash with what it has of its own.
fn expect_kept(scene: &Scene, rare: &About) {
    let key = with_rare(scene, rare);
    let outcome = execute_with(scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{outcome:#?}");
    let trashed = scene.trashed(&key).expect("a copy");
    assert_eq!(scene.server().bucket.get(&trashed).expect("the copy").about, *rare);
}

/// A store that has keys, and takes none that is not named: that says nothing of its etags.
#[test]
fn a_store_that_wants_its_keys_named_is_not_taken_for_one_without() {
    let scene = close_together(TO_TRASH);
    scene.server().bucket.names_by_bytes_alone.store(true, Ordering::Relaxed);
    let is_try = |seen: &crate::support::s3::Seen| seen.key == format!("{PLACE}.copy");
    scene.server().fault(Fault::on(Call::Put, What::Status(400, "InvalidArgument")).when(is_try));
    let own = Some("arn:aws:kms:us-east-1:111122223333:key/own".to_owned());
    expect_kept(&scene, &About { kms_key: own, ..About::default() });
}

/// What of a try is refused is left out by itself, and the rest is tried all the same.
#[test]
fn what_a_store_refuses_of_a_try_says_nothing_of_the_rest() {
    let scene = close_together(TO_TRASH);
    scene.server().bucket.is_website.store(true, Ordering::Relaxed);
    let is_try = |seen: &crate::support::s3::Seen| seen.key == PLACE;
    scene.server().fault(Fault::on(Call::Put, What::Status(403, "AccessDenied")).when(is_try).times(3));
    expect_kept(&scene, &About { redirect: Some("/elsewhere.png".to_owned()), ..About::default() });
    assert!(scene.server().every_fault_was_played());
}

/// Where nothing can be put, nothing is tried, nothing taken away, and each copy is looked at.
#[test]
fn where_nothing_can_be_put_nothing_is_taken_away() {
    let scene = close_together(TO_TRASH);
    let is_try = |seen: &crate::support::s3::Seen| seen.key.starts_with(PLACE);
    scene.server().fault(Fault::on(Call::Put, What::Status(403, "AccessDenied")).when(is_try));
    let outcome = execute_with(&scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{outcome:#?}");
    let calls = scene.server().calls();
    let deletes: Vec<_> = calls.iter().filter(|seen| seen.call == Call::Delete && is_try(seen)).collect();
    assert!(deletes.is_empty(), "{deletes:?}");
    assert!(!outcome.stderr.contains("taking away"), "{outcome:#?}");
}

/// Files of a class of their own that lie far apart are copied once, with their class.
#[test]
fn sparse_files_of_another_class_are_copied_once() {
    let scene = far_apart(TO_TRASH);
    let rare = About { class: Some("STANDARD_IA".to_owned()), ..About::default() };
    for key in &scene.orphans {
        scene.server().bucket.put_as(key, &bytes_of(key), SystemTime::now() - days(90), rare.clone());
    }
    let outcome = execute_with(&scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (0, [60, 0, 0]), "{outcome:#?}");
    assert_eq!(requests(&scene)[2], ORPHANS, "{:?}", requests(&scene));
    for key in &scene.orphans {
        let place = scene.trashed(key).expect("a copy");
        assert_eq!(scene.server().bucket.get(&place).expect("the copy").about, rare);
    }
}

/// The page that also answers for what was just removed ends before the next files: they are listed by another one.
#[test]
fn files_a_page_apart_from_the_last_removed_are_listed_too() {
    let mut scene = close_together(&format!("{FOR_GOOD}\nmax_deletes_per_second = 60"));
    let wanted: Vec<String> = (0..300).map(|number| format!("assets/m{number:03}.png")).collect();
    let lost: Vec<String> = (0..ORPHANS).map(|number| format!("assets/z{number:03}.png")).collect();
    wanted.iter().chain(&lost).for_each(|key| scene.put(key));
    scene.insert(&wanted);
    scene.orphans.extend(lost);
    scene.server().page_size(150);
    let outcome = execute_with(&scene, || ());
    assert_eq!((outcome.code, counted(&outcome)), (0, [2 * ORPHANS as u64, 0, 0]), "{outcome:#?}");
    assert!(looks(&scene) <= FIRST, "{} looks", looks(&scene));
    expect_left(&scene, &outcome, &[]);
}

/// What copies keep is tried once for each pair; what is restored knows it too.
#[test]
fn copies_are_tried_once_for_each_pair() {
    let scene = close_together(TO_TRASH);
    let before = scene.everything();
    let tries = |scene: &Scene| {
        let calls = scene.server().calls();
        calls.iter().filter(|seen| seen.call == Call::Put && seen.key.starts_with(PLACE)).count()
    };
    let outcome = execute_with(&scene, || ());
    assert_eq!((counted(&outcome), tries(&scene) > 0), ([60, 0, 0], true), "{outcome:#?}");
    scene.server().forget_calls();
    let run = outcome.json()["run"]["id"].to_string();
    assert_eq!(scene.run(&["restore", "--run", &run]).code, 0);
    assert_eq!((scene.everything(), tries(&scene)), (before, 0));
    scene.orphans.iter().for_each(|key| scene.put(key));
    let outcome = execute_with(&scene, || ());
    assert_eq!((counted(&outcome), tries(&scene)), ([60, 0, 0], 0), "{outcome:#?}");
    assert!(requests(&scene)[1] <= FIRST, "{:?}", requests(&scene));
}
