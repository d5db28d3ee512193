//! A ledger that was lost: a run tells of the trash that it left, and `restore --from-trash` brings that back.

use std::fs;

use crate::execute::scene::{Kept, Scene};
use crate::rules::scene::warnings;

/// Removes the ledger, and what SQLite puts beside it.
fn lose(scene: &Scene) {
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _gone = fs::remove_file(scene.tool.path(name));
    }
}

fn told(scene: &Scene) -> Vec<String> {
    warnings(&scene.tool.report()).into_iter().filter(|told| told.contains("does not know")).collect()
}

#[test]
fn what_is_in_a_trash_that_no_ledger_knows_comes_back() {
    for scene in Scene::on_both() {
        let before = scene.everything();
        scene.executed();
        assert!(told(&scene).is_empty());
        lose(&scene);
        let told_of = told(&scene);
        assert!(told_of.len() == 1 && told_of[0].contains("restore --from-trash"), "{told_of:?}");
        let outcome = scene.tool.run(&["restore", "--from-trash"]);
        assert!(outcome.code == 0 && outcome.stdout.starts_with("Restored: 3 files"), "{outcome:#?}");
        let mut after = scene.everything();
        let copies = after.keys().filter(|key| key.starts_with(".trash/")).count();
        assert_eq!(copies, if matches!(scene.store, Kept::S3(_)) { 3 } else { 0 });
        // Whether a delete in a bucket is still on its way nobody knows: the copies stay, and are known from now on.
        after.retain(|key, _| !key.starts_with(".trash/"));
        assert_eq!(after, before);
        assert!(told(&scene).is_empty());
        let runs = scene.tool.run(&["history", "--format", "json"]).json();
        let rebuilt = runs["runs"].as_array().expect("runs").iter().find(|run| run["outcome"] == "rebuilt");
        assert_eq!(rebuilt.map(|run| run["removed"].as_i64()), Some(Some(3)), "{runs:#}");
        let again = scene.tool.run(&["restore", "--from-trash"]);
        assert!(again.code == 0 && again.stdout.starts_with("Restored: 0 files"), "{again:#?}");
    }
}

/// Nothing is overwritten, the last file of a key comes back, and what the ledger knows is its own business.
#[test]
fn a_lost_run_and_a_known_one_are_told_apart() {
    for scene in Scene::on_both() {
        let key = scene.orphans[0].clone();
        scene.executed();
        lose(&scene);
        scene.put_bytes(&key, "a later picture", std::time::SystemTime::now() - crate::support::s3::days(91));
        let later = scene.execute(&[]);
        let known = scene.copies(&key);
        assert_eq!(known.len(), 2, "{later:#?}");
        let outcome = scene.tool.run(&["restore", "--from-trash"]);
        assert!(outcome.code == 0 && outcome.stdout.starts_with("Restored: 3 files"), "{outcome:#?}");
        let bytes = scene.everything();
        assert_eq!(bytes[&key], crate::execute::scene::bytes_of(&key).into_bytes());
        // The later one is still in the trash, and does not overwrite the earlier.
        let outcome = scene.tool.run(&["restore", &key]);
        let after = scene.everything();
        assert_eq!(after[&key], bytes[&key], "{outcome:#?}");
        let later = |bytes: &Vec<u8>| bytes == b"a later picture";
        assert!(scene.copies(&key).iter().any(|copy| later(&after[copy])), "{outcome:#?}");
    }
}

/// Files that nobody removed, in folders that are no run's, stay where they are; so does all of it where there is no trash.
#[test]
fn only_files_that_a_run_removed_come_back() {
    for scene in Scene::on_both() {
        scene.put(".trash/notes/a.png");
        scene.put(".trash/readme.txt");
        let before = scene.everything();
        assert!(told(&scene).is_empty());
        let outcome = scene.tool.run(&["restore", "--from-trash", "--format", "json"]);
        assert_eq!((outcome.code, outcome.json()["restored"]["files"].as_i64()), (0, Some(0)), "{outcome:#?}");
        assert_eq!(scene.everything(), before);
    }
}

/// A trash in a folder of its own outside the root is found too.
#[test]
fn a_trash_outside_the_root_is_read() {
    let scene = Scene::on_local();
    let Kept::Local(folder) = &scene.store else { panic!("a folder") };
    let trash = folder.path().join("bin");
    fs::create_dir(&trash).expect("the trash");
    scene.configure(&format!("[trash]\nfolder = {trash:?}\n"));
    let before = scene.everything();
    scene.executed();
    lose(&scene);
    let outcome = scene.tool.run(&["restore", "--from-trash"]);
    assert!(outcome.code == 0 && outcome.stdout.starts_with("Restored: 3 files"), "{outcome:#?}");
    assert_eq!(scene.everything(), before);
}
