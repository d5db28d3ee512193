//! A run is killed as it deletes, and the store carries the delete out later: after a `restore`, or after somebody has
//! inserted the row. The file is at its place then, or at least in the trash. And what cannot be looked at any more stays
//! open, and stops nothing else.

use std::sync::{Arc, Once};
use std::time::SystemTime;

use super::hold::{Hold, Moment, Step};
use super::scene::{Mode, Scene, lost};
use crate::support::s3::{Call, Fault, Seen, What};

/// A run that was killed as it deleted: before the store has carried that out, or afterwards.
fn killed_as_it_deletes(moment: Moment) -> (Scene, String) {
    let scene = Scene::new(Mode::TrashInBucket, lost(4));
    Hold { step: Step::DeleteMany, moment, nth: 1 }.kill(&scene, &["--execute"]);
    let key = scene.orphans[0].clone();
    (scene, key)
}

/// The delete comes late; `restore` brings the file back whenever it does.
fn delete_late_and_restore(scene: &Scene, key: &str) {
    for _ in 0..2 {
        scene.server().bucket.remove(key);
        assert!(scene.is_in_trash(key), "{key} is lost: {:#?}", scene.files().keys());
        let outcome = scene.run(&["restore", key]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(scene.files().get(key).map(String::as_str), Some(key), "{outcome:#?}");
    }
}

/// `cleanup-assets restore KEY` before the delete, or between two attempts at it.
#[test]
fn a_file_that_was_restored_before_a_late_delete_is_in_the_trash_all_the_same() {
    for moment in [Moment::Before, Moment::After] {
        let (mut scene, key) = killed_as_it_deletes(moment);
        scene.want(std::slice::from_ref(&key));
        let outcome = scene.run(&["restore", &key]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(scene.files().get(&key), Some(&key), "{outcome:#?}");
        delete_late_and_restore(&scene, &key);
    }
}

/// `cleanup-assets --execute` once the row is there.
#[test]
fn a_file_that_became_wanted_before_a_late_delete_is_in_the_trash_all_the_same() {
    for moment in [Moment::Before, Moment::After] {
        let (mut scene, key) = killed_as_it_deletes(moment);
        scene.want(std::slice::from_ref(&key));
        scene.run_once_more();
        assert_eq!(scene.files().get(&key), Some(&key));
        delete_late_and_restore(&scene, &key);
    }
}

/// It became wanted, and as it is put back the application stores its own file there: what was removed stays known.
#[test]
fn what_is_not_what_was_put_back_leaves_the_copy_known() {
    let (mut scene, key) = killed_as_it_deletes(Moment::After);
    scene.want(std::slice::from_ref(&key));
    let (bucket, stored, once) = (Arc::clone(&scene.server().bucket), key.clone(), Once::new());
    scene.server().before(Call::Head, move |seen| {
        if seen.key == stored && bucket.get(&stored).is_some() {
            once.call_once(|| bucket.put(&stored, "the application's own", SystemTime::now()));
        }
    });
    scene.run_once_more();
    assert_eq!(scene.files().get(&key).map(String::as_str), Some("the application's own"));
    scene.server().bucket.remove(&key);
    delete_late_and_restore(&scene, &key);
}

/// It was put back, and could not be looked at: the delete may yet come.
#[test]
fn a_file_that_was_put_back_and_not_looked_at_stays_in_the_trash_too() {
    let (mut scene, key) = killed_as_it_deletes(Moment::After);
    scene.want(std::slice::from_ref(&key));
    let (bucket, fits) = (Arc::clone(&scene.server().bucket), key.clone());
    let is_back = move |seen: &Seen| seen.key == fits && bucket.get(&fits).is_some();
    scene.server().fault(Fault::on(Call::Head, What::Status(403, "AccessDenied")).when(is_back).times(1));
    scene.run_once_more();
    assert!(scene.server().every_fault_was_played());
    assert_eq!(scene.files().get(&key), Some(&key));
    delete_late_and_restore(&scene, &key);
}

/// It became wanted and cannot be put back: that is said, and it does not count as resolved.
#[test]
fn a_wanted_file_that_cannot_be_put_back_is_named_with_its_place() {
    let (mut scene, key) = killed_as_it_deletes(Moment::After);
    scene.want(std::slice::from_ref(&key));
    let fits = key.clone();
    let fault = Fault::on(Call::Copy, What::Status(403, "AccessDenied")).when(move |seen| seen.key == fits);
    scene.server().fault(fault);
    let outcome = scene.run(&["--execute"]);
    let said = format!("{key} is wanted, is not at its place, and lies at .trash/");
    assert!(outcome.stdout.contains(&said) && outcome.stdout.contains("Resolved 3 removals"), "{outcome:#?}");
    scene.server().no_more_faults();
    scene.run_once_more();
    assert_eq!(scene.files().get(&key), Some(&key));
}

/// A trash that is kept for no time keeps such a copy for a day.
#[test]
fn a_copy_that_a_late_delete_may_need_is_not_due_at_once() {
    let (mut scene, key) = killed_as_it_deletes(Moment::Before);
    scene.want(std::slice::from_ref(&key));
    scene.keep_trash("0s");
    scene.run_once_more();
    scene.run_once_more();
    scene.server().bucket.remove(&key);
    assert!(scene.is_in_trash(&key), "{key} is lost: {:#?}", scene.files().keys());
}

/// A live run whose delete had no answer, tried it again, and put the file back: the first delete may yet come.
#[test]
fn a_file_that_was_put_back_after_a_delete_without_an_answer_stays_in_the_trash_too() {
    let mut scene = Scene::new(Mode::TrashInBucket, lost(4));
    let key = scene.orphans[0].clone();
    scene.want_when_deleting(std::slice::from_ref(&key));
    scene.server().fault(Fault::on(Call::DeleteMany, What::Reset).times(1));
    let outcome = scene.run(&["--execute"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.files().get(&key), Some(&key), "{outcome:#?}");
    delete_late_and_restore(&scene, &key);
}

/// A server's fault, told of one key inside an answer of 200, refuses nothing: the delete may be carried out yet.
#[test]
fn a_file_of_which_a_delete_met_a_servers_fault_stays_in_the_trash_too() {
    let scene = Scene::new(Mode::TrashInBucket, lost(4));
    let key = scene.orphans[0].clone();
    scene.server().fault(Fault::on(Call::DeleteMany, What::ErrorsInside));
    let outcome = scene.run(&["--execute"]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    scene.server().no_more_faults();
    delete_late_and_restore(&scene, &key);
}

/// One of the keys answers 403 to everybody from then on: it is named and stays open, and everything else goes on.
#[test]
fn what_cannot_be_looked_at_stays_open_and_stops_nothing_else() {
    for (status, code) in [(403, "AccessDenied"), (500, "InternalError")] {
        let (scene, key) = killed_as_it_deletes(Moment::Before);
        let fits = key.clone();
        scene.server().fault(Fault::on(Call::Head, What::Status(status, code)).when(move |seen| seen.key == fits));
        let outcome = scene.run(&["--execute"]);
        assert_eq!(outcome.code, 3, "one failed: {outcome:#?}");
        assert!(outcome.stdout.contains(&format!("{key}: what became of its removal is still open")), "{outcome:#?}");
        let files = scene.files();
        assert!(files.contains_key(&key), "{outcome:#?}");
        assert!(scene.orphans[1..].iter().all(|other| !files.contains_key(other)), "{outcome:#?}");
        let other = scene.orphans[1].clone();
        let outcome = scene.run(&["restore", &other]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert!(outcome.stderr.contains(&key) && scene.files().contains_key(&other), "{outcome:#?}");
        scene.server().no_more_faults();
        scene.run_once_more();
        assert!(!scene.files().contains_key(&key));
    }
}
