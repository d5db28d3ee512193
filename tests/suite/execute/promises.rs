//! What stores promise, and what they do: conditions on deletes, copies that lose something, old versions.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use super::scene::{Scene, about, bytes_of};
use crate::support::s3::{About, Call, Fault, What, days, hours_ago};
use crate::support::terminal;

/// A store that heeds `If-Match` deletes nothing that was stored after the last look.
#[test]
fn what_was_stored_just_before_the_delete_stays_where_a_delete_heeds_a_condition() {
    let scene = Scene::on_s3();
    let (bucket, key) = (Arc::clone(&scene.server().bucket), scene.orphans[0].clone());
    bucket.heeds_if_match.store(true, Ordering::Relaxed);
    let (replaced, old) = (key.clone(), SystemTime::now() - days(90));
    scene.server().before(Call::Delete, move |seen| {
        if seen.key == replaced {
            bucket.put(&replaced, "stored meanwhile", old);
        }
    });
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!((&report["removals"]["skipped"], &report["removals"]["failed"]), (&1.into(), &0.into()), "{report:#}");
    let all = scene.everything();
    assert_eq!(all.get(&key).map(Vec::as_slice), Some(b"stored meanwhile".as_slice()), "{outcome:#?}");
    assert!(scene.orphans[1..].iter().all(|other| !all.contains_key(other)), "{outcome:#?}");
}

/// Where a listing writes etags in another way than a condition wants them, and where a store does not know its own etag.
#[test]
fn a_condition_that_is_not_met_by_an_unchanged_file_is_no_change() {
    for weak in [true, false] {
        let scene = Scene::on_s3();
        scene.server().bucket.heeds_if_match.store(true, Ordering::Relaxed);
        scene.server().bucket.lists_weak_etags.store(weak, Ordering::Relaxed);
        if !weak {
            scene.server().fault(Fault::on(Call::Delete, What::Status(412, "PreconditionFailed")).times(1));
        }
        let report = scene.executed();
        assert_eq!(report["removals"]["files_trashed"], 3, "{report:#}");
        assert_eq!(scene.server().count(Call::Delete), if weak { 3 } else { 4 });
        assert_eq!(scene.server().count(Call::Copy), 3);
        scene.expect_removed();
    }
}

/// Whether it does is tried once, and nothing of the try is left.
#[test]
fn conditions_are_tried_once_for_each_pair() {
    for heeds in [false, true] {
        let scene = Scene::on_s3();
        scene.server().bucket.heeds_if_match.store(heeds, Ordering::Relaxed);
        scene.executed();
        scene.put("assets/000001-again.png");
        scene.executed();
        let tries = scene.server().tries();
        let puts: Vec<_> = tries.iter().filter(|seen| seen.call == Call::Put).collect();
        assert_eq!(puts.len(), 1, "{tries:#?}");
        assert_eq!(scene.server().count(Call::DeleteMany), if heeds { 0 } else { 1 });
        assert!(!scene.everything().contains_key(&puts[0].key), "{tries:#?}");
    }
}

/// How often the tool has tried it.
fn tries(scene: &Scene) -> usize {
    scene.server().tries().iter().filter(|seen| seen.call == Call::Put).count()
}

/// What is no answer is not remembered, and the next run tries again; nor is an answer that turns out to be wrong.
#[test]
fn an_odd_answer_to_a_try_is_no_answer() {
    let faults = [
        (Fault::on(Call::Delete, What::Status(400, "InvalidArgument")).times(1), 2),
        (Fault::on(Call::Delete, What::Status(412, "PreconditionFailed")).after(1).times(1), 2),
        (Fault::on(Call::Delete, What::Status(501, "NotImplemented")).times(1), 1),
    ];
    for (fault, expected) in faults {
        let scene = Scene::on_s3();
        scene.server().bucket.heeds_if_match.store(true, Ordering::Relaxed);
        scene.server().fault_in_tries(fault);
        scene.executed();
        scene.put("assets/000001-again.png");
        scene.executed();
        assert_eq!(tries(&scene), expected);
        assert!(!scene.everything().keys().any(|key| key.ends_with(".if-match")));
    }
    for status in [400, 501] {
        let scene = Scene::on_s3();
        scene.server().bucket.heeds_if_match.store(true, Ordering::Relaxed);
        scene.server().fault(Fault::on(Call::Delete, What::Status(status, "NotImplemented")).times(1));
        assert_eq!(scene.executed()["removals"]["files_trashed"], 3);
        scene.put("assets/000001-again.png");
        scene.executed();
        assert_eq!(tries(&scene), 2, "{status}");
    }
}

/// Where no delete is allowed nothing is copied; where that is seen only later, the copies stay on record, and the next
/// run copies nothing.
#[test]
fn where_deletes_are_refused_no_copies_heap_up() {
    let denied = || What::Status(403, "AccessDenied");
    let scene = Scene::on_s3();
    scene.server().fault_in_tries(Fault::on(Call::Delete, denied()));
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!((outcome.code, scene.server().count(Call::Copy)), (1, 0), "{outcome:#?}");
    assert!(outcome.stderr.contains("s3:DeleteObject"), "{outcome:#?}");

    let scene = Scene::on_s3();
    let deny =
        |scene: &Scene| [Call::Delete, Call::DeleteMany].map(|call| scene.server().fault(Fault::on(call, denied())));
    deny(&scene);
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!((outcome.code, scene.server().count(Call::Copy)), (3, 3), "{outcome:#?}");
    let said = scene.removals(&outcome.json()["run"]["id"]);
    assert!(scene.orphans.iter().all(|key| said[key] == "failed"), "{said:#?}");
    assert!(scene.orphans.iter().all(|key| scene.copies(key).len() == 1), "{outcome:#?}");
    scene.server().fault_in_tries(Fault::on(Call::Delete, denied()));
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!((outcome.code, scene.server().count(Call::Copy)), (1, 3), "{outcome:#?}");
    scene.server().no_more_faults();
    scene.executed();
    scene.expect_removed();
}

/// A copy that was left beside its original, and is the last one when it is due, is told of as any other trash.
#[test]
fn a_copy_that_turned_out_to_be_the_last_is_called_purged() {
    let scene = Scene::on_s3();
    for call in [Call::Delete, Call::DeleteMany] {
        scene.server().fault(Fault::on(call, What::Status(403, "AccessDenied")));
    }
    let run = scene.execute(&["--format", "json"]).json()["run"]["id"].clone();
    scene.server().no_more_faults();
    scene.server().bucket.remove(&scene.orphans[0]);
    scene.put_bytes(&scene.orphans[1], "another file", hours_ago(1));
    scene.insert(&scene.orphans[1..]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    scene.configure("[trash]\nkeep = \"0s\"");
    let unseen = scene.orphans[2].clone();
    // It is wanted, and looked at once for that.
    let fault = Fault::on(Call::Head, What::Status(403, "AccessDenied")).when(move |seen| seen.key == unseen);
    scene.server().fault(fault.after(1));
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!((outcome.code, outcome.json()["removals"]["purged"].clone()), (3, 2.into()), "{outcome:#?}");
    assert_eq!(scene.orphans.iter().map(|key| scene.copies(key).len()).collect::<Vec<_>>(), [0, 0, 1]);
    scene.server().no_more_faults();
    assert_eq!(scene.executed()["removals"]["purged"], 1);
    let said = scene.removals(&run);
    assert_eq!(scene.orphans.iter().map(|key| said[key].as_str()).collect::<Vec<_>>(), ["purged", "purged", "failed"]);
}

/// An orphan of which a copy loses something unless it is told.
fn with_rare_metadata() -> (Scene, String, About) {
    let scene = Scene::on_s3();
    let key = scene.orphans[0].clone();
    let rare = About {
        cache_control: Some("max-age=31536000".to_owned()),
        redirect: Some("/elsewhere.png".to_owned()),
        kms_key: Some("arn:aws:kms:us-east-1:111122223333:key/of-the-application".to_owned()),
        ..about(&key)
    };
    scene.server().bucket.put_as(&key, &bytes_of(&key), SystemTime::now() - days(90), rare.clone());
    (scene, key, rare)
}

/// To the trash and back, a file keeps its encryption, its redirect and its headers.
#[test]
fn what_a_copy_would_lose_comes_back_with_the_file() {
    let (scene, key, rare) = with_rare_metadata();
    scene.executed();
    let trashed = scene.trashed(&key).expect("the file is in the trash");
    assert_eq!(scene.server().bucket.get(&trashed).expect("a copy").about, rare);
    let outcome = scene.run(&["restore", &key]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.server().bucket.get(&key).expect("the file").about, rare);
}

/// A file that came back by half, and whose etag tells nothing, is no other file; its copy stays in the trash.
#[test]
fn a_file_that_is_back_already_is_not_called_something_else() {
    let (scene, key, rare) = with_rare_metadata();
    scene.executed();
    let old = SystemTime::now() - days(90);
    scene.server().bucket.put_as(&key, &bytes_of(&key), old, rare.clone());
    let outcome = scene.run(&["restore", &key]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert!(outcome.stderr.contains("a file of the same size is there; its copy stays in the trash"), "{outcome:#?}");
    assert!(scene.trashed(&key).is_some(), "{outcome:#?}");
    // One of another size is something else.
    scene.server().bucket.put_as(&key, "other", old, rare);
    assert_eq!(scene.run(&["restore", &key]).code, 3);
    scene.server().bucket.remove(&key);
    assert_eq!(scene.run(&["restore", &key]).code, 0);
    assert_eq!(scene.everything()[&key], bytes_of(&key).into_bytes());
}

/// Where the store's copy loses something all the same, the file stays, and the reason is told.
#[test]
fn a_file_stays_of_which_a_copy_loses_something() {
    let (scene, key, _) = with_rare_metadata();
    scene.server().bucket.loses_cache_control.store(true, Ordering::Relaxed);
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    let errors = outcome.json()["removals"]["errors"].to_string();
    assert!(errors.contains(&key) && errors.contains("loses its Cache-Control"), "{errors}");
    assert!(scene.everything().contains_key(&key) && scene.trashed(&key).is_none(), "{outcome:#?}");
}

/// So does one with nothing but what every file has; later runs hold it, as long as it is this very file.
#[test]
fn a_file_of_which_a_copy_lost_something_is_held_from_then_on() {
    let scene = Scene::on_s3();
    scene.server().bucket.loses_metadata.store(true, Ordering::Relaxed);
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(outcome.json()["removals"]["errors"].to_string().contains("loses its metadata"), "{outcome:#?}");
    assert!(scene.orphans.iter().all(|key| scene.trashed(key).is_none()), "{outcome:#?}");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    let findings = report["findings"].as_array().expect("findings");
    assert!(findings.iter().all(|finding| finding["held_by"] == "metadata"), "{report:#}");
    assert_eq!((findings.len(), scene.everything().len()), (3, 43), "{report:#}");
    // Without a trash nothing is copied.
    scene.configure("[trash]\nenabled = false");
    let report = scene.run(&["--format", "json"]).json();
    assert_eq!(report["totals"]["held"], 0, "{report:#}");
    scene.configure("");
    scene.server().bucket.loses_metadata.store(false, Ordering::Relaxed);
    scene.put_bytes(&scene.orphans[0], &bytes_of(&scene.orphans[0]), hours_ago(90 * 24 - 1));
    assert_eq!(scene.executed()["removals"]["files_trashed"], 1);
}

/// A bucket that encrypts by itself since a file was stored gives its copy more than the file has: it goes, and comes back.
#[test]
fn a_file_goes_whose_copy_has_more_than_it() {
    let (scene, key, rare) = with_rare_metadata();
    let plain = About { kms_key: None, ..rare };
    scene.server().bucket.put_as(&key, &bytes_of(&key), SystemTime::now() - days(90), plain.clone());
    scene.server().bucket.encrypts.store(true, Ordering::Relaxed);
    scene.executed();
    assert_eq!(scene.run(&["restore", &key]).code, 0);
    assert_eq!(scene.server().bucket.get(&key).expect("the file").about, About { is_encrypted: true, ..plain });
}

/// A store that does not know the etag that it gave, and one that does not find what is there.
#[test]
fn a_refused_copy_of_an_unchanged_file_is_no_change() {
    let scene = Scene::on_s3();
    scene.server().fault(Fault::on(Call::Copy, What::Status(412, "PreconditionFailed")).times(1));
    scene.executed();
    scene.expect_removed();
    let scene = Scene::on_s3();
    let lost = scene.orphans[0].clone();
    let fits = lost.clone();
    let is_of = move |seen: &crate::support::s3::Seen| seen.key.ends_with(&fits);
    scene.server().fault(Fault::on(Call::Copy, What::Status(404, "NoSuchKey")).when(is_of));
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!((&report["removals"]["skipped"], &report["removals"]["failed"]), (&0.into(), &1.into()), "{report:#}");
    assert!(report["removals"]["errors"].to_string().contains("404 NoSuchKey"), "{report:#}");
}

/// Only what is deleted for good, in a bucket without versions, frees anything now.
#[test]
fn what_is_freed_now_and_later_is_told_apart() {
    let bytes: u64 = Scene::on_s3().orphans.iter().map(|key| bytes_of(key).len() as u64).sum();
    let good = "[trash]\nenabled = false";
    let cells = [
        ("", None, (Some(0), bytes, "none")),
        (good, None, (Some(bytes), 0, "none")),
        ("", Some("Enabled"), (Some(0), bytes, "kept")),
        (good, Some("Enabled"), (Some(0), bytes, "kept")),
        ("", Some("Suspended"), (Some(0), bytes, "suspended")),
        (good, Some("Suspended"), (None, 0, "suspended")),
    ];
    for (trash, versioning, (freed, later, versions)) in cells {
        let scene = Scene::on_s3();
        scene.configure(trash);
        *scene.server().bucket.versioning.lock().expect("the versioning") = versioning;
        let removals = scene.executed()["removals"].clone();
        assert_eq!(removals["bytes"], bytes);
        let said =
            (removals["bytes_freed"].as_u64(), removals["bytes_later"].as_u64(), removals["old_versions"].as_str());
        assert_eq!(said, (freed, Some(later), Some(versions)), "{trash} {versioning:?}");
    }
    let scene = Scene::on_s3();
    scene.configure(good);
    let asks = |seen: &crate::support::s3::Seen| seen.parameter("versioning").is_some();
    scene.server().fault(Fault::on(Call::Other, What::Status(403, "AccessDenied")).when(asks));
    let removals = scene.executed()["removals"].clone();
    assert_eq!((removals["bytes_freed"].as_u64(), removals["old_versions"].as_str()), (None, Some("unknown")));
}

/// The text says so too.
#[test]
fn a_bucket_that_keeps_old_versions_is_told_of() {
    let scene = Scene::on_s3();
    *scene.server().bucket.versioning.lock().expect("the versioning") = Some("Suspended");
    let outcome = scene.execute(&[]);
    assert!(outcome.stdout.contains("versioning is suspended"), "{outcome:#?}");
    let scene = Scene::on_s3();
    *scene.server().bucket.versioning.lock().expect("the versioning") = Some("Enabled");
    let outcome = scene.execute(&[]);
    for words in ["Bytes freed: 0 B", "Bytes freed later: ", "The bucket keeps old versions"] {
        assert!(outcome.stdout.contains(words), "{words}: {outcome:#?}");
    }
    assert!(!outcome.stdout.contains("Bytes removed"), "{outcome:#?}");
}
