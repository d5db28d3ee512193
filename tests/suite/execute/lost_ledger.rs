//! A ledger that was lost: a run tells of the trash that it left, and `restore --from-trash` brings that back.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

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

/// What was written down, and had not come back when the power went, comes back the next time.
#[test]
fn a_restore_that_was_killed_goes_on() {
    let scene = Scene::on_local();
    let before = scene.everything();
    scene.executed();
    lose(&scene);
    let marker = scene.tool.path("held");
    let mut command = scene.tool.command(&["restore", "--from-trash"]);
    command.env("CLEANUP_ASSETS_HOLD", "move:before:1").env("CLEANUP_ASSETS_HOLD_FILE", &marker);
    let mut killed = command.spawn().expect("the tool starts");
    while !marker.exists() {
        assert!(killed.try_wait().expect("the tool").is_none(), "no file was moved");
        sleep(Duration::from_millis(5));
    }
    killed.kill().expect("the tool is there");
    killed.wait().expect("its end");
    assert_ne!(scene.everything(), before);
    let outcome = scene.tool.run(&["restore", "--from-trash"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.everything(), before);
}

/// Several configurations may share a trash: each brings back its own.
#[test]
fn files_of_another_prefix_stay_in_the_trash() {
    for scene in Scene::on_both() {
        scene.configure_with("prefix = \"assets/\"", "");
        let other = ".trash/01M8CWZC55ZGW8GTNN2GD92RVG/other/a.png";
        scene.put(other);
        let before = scene.everything();
        scene.executed();
        lose(&scene);
        // The trash lies beside what is compared, and is looked at all the same.
        let told_of = told(&scene);
        assert!(told_of.len() == 1 && told_of[0].contains("2 runs"), "{told_of:?}");
        let outcome = scene.tool.run(&["restore", "--from-trash"]);
        assert!(outcome.code == 0 && outcome.stdout.starts_with("Restored: 3 files"), "{outcome:#?}");
        assert!(outcome.stderr.contains("not below [storage] prefix assets/"), "{outcome:#?}");
        let mut after = scene.everything();
        assert!(after.contains_key(other));
        after.retain(|key, _| key == other || !key.starts_with(".trash/"));
        assert_eq!(after, before);
    }
}

/// A configuration that shares the ledger, and the trash, but not the prefix, knows what the other removed.
#[test]
fn what_another_pair_of_the_ledger_removed_is_not_strange() {
    for scene in Scene::on_both() {
        scene.executed();
        let before = scene.everything();
        scene.configure_with("prefix = \"assets/\"", "");
        assert!(told(&scene).is_empty());
        let outcome = scene.tool.run(&["restore", "--from-trash"]);
        assert!(outcome.code == 0 && outcome.stdout.starts_with("Restored: 0 files"), "{outcome:#?}");
        assert_eq!(scene.everything(), before);
    }
}
