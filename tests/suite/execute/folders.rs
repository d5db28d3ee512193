//! Folders of a local store: those that removals empty go, `restore` makes them as they were, and the trash can be a
//! folder of its own.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use super::scene::Scene;
use crate::support::s3::hours_ago;
use crate::support::servers::Database;
use crate::support::terminal;

/// Orphaned files in folders of their own, beside known ones.
fn scene() -> Scene {
    let scene = Scene::on_local();
    let known: Vec<String> = (0..40).map(|id| format!("u/{id}/a.png")).collect();
    known.iter().for_each(|key| scene.put(key));
    scene.insert(&known);
    scene
}

/// Folders go that this run has emptied, and those above them, but never one that holds anything, a first one, or one that
/// was empty before.
#[test]
fn folders_that_a_removal_has_emptied_go() {
    for (storage, stays) in
        [("", false), ("remove_empty_folders = true", false), ("remove_empty_folders = false", true)]
    {
        for trash in ["", "[trash]\nenabled = false"] {
            let scene = scene();
            ["u/900/a.png", "u/901/b/c/a.png", "u/901/b/c/b.png", "u/902/b/a.png", "u/0/b/a.png", "top/a.png"]
                .iter()
                .for_each(|key| scene.put(key));
            let root = scene.root();
            fs::create_dir_all(root.join("u/902/was-empty")).expect("a folder");
            scene.configure_with(storage, &format!("{trash}\n[safety]\nmax_percent = 100"));
            assert_eq!(scene.executed()["removals"]["failed"], 0);
            for gone in ["u/900", "u/901/b/c", "u/901", "u/902/b", "u/0/b"] {
                assert_eq!(root.join(gone).exists(), stays, "{gone} {storage} {trash}");
            }
            for stays in ["u", "top", "u/902/was-empty", "u/0"] {
                assert!(root.join(stays).exists(), "{stays} {storage} {trash}");
            }
        }
    }
}

/// A first folder is one below the configured prefix, not below what a run is narrowed to.
#[test]
fn a_first_folder_is_counted_from_the_configured_prefix() {
    for (storage, narrowed, stays) in [("prefix = \"u/\"", "u/", true), ("", "u/900/", false)] {
        let scene = scene();
        scene.put("u/900/a.png");
        scene.configure_with(storage, "[safety]\nmin_overlap = 0\nmax_percent = 100");
        scene.put("u/900/known.png");
        scene.insert(&["u/900/known.png".to_owned()]);
        scene.put("u/900/b/a.png");
        let outcome = scene.execute(&["--prefix", narrowed]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert!(scene.root().join("u/900").exists() && !scene.root().join("u/900/b").exists(), "{outcome:#?}");
        scene.database.run("DELETE FROM assets WHERE storage_key = 'u/900/known.png'");
        let outcome = scene.execute(&[]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(scene.root().join("u/900").exists(), stays, "{storage}: {outcome:#?}");
    }
}

/// `restore` makes folders as they were, whoever removed them: as the ledger has them, or else as the one above.
#[test]
fn restored_folders_are_as_they_were() {
    for by_the_application in [false, true] {
        let scene = scene();
        let root = scene.root();
        scene.put("u/900/b/a.png");
        let rights = |path: &str| {
            let about = fs::metadata(root.join(path)).expect("a folder");
            (about.uid(), about.gid(), about.mode() & 0o7777)
        };
        let is_root = chown(root.join("u/900"), Some(33), Some(34)).is_ok();
        fs::set_permissions(root.join("u/900"), PermissionsExt::from_mode(0o2770)).expect("rights");
        fs::set_permissions(root.join("u/900/b"), PermissionsExt::from_mode(0o711)).expect("rights");
        let before = ["u/900", "u/900/b"].map(rights);
        assert!(!is_root || before[0] == (33, 34, 0o2770));
        scene.configure_with(&format!("remove_empty_folders = {}", !by_the_application), "");
        let run = scene.executed()["run"]["id"].to_string();
        if by_the_application {
            fs::remove_dir_all(root.join("u/900")).expect("an empty folder");
        }
        assert!(!root.join("u/900/b").exists());
        // Somebody set it up by hand: no application gives it that bit again.
        assert_eq!(root.join("u/900").exists(), !by_the_application);
        assert_eq!(scene.run(&["restore", "--run", &run]).code, 0);
        assert!(root.join("u/900/b/a.png").exists());
        assert_eq!(["u/900", "u/900/b"].map(rights), before);
    }
}

/// `[trash] folder`: files go there, are restored from there, and are purged there; nothing in the root tells of it.
#[test]
fn the_trash_can_be_a_folder_of_its_own() {
    let scene = Scene::on_local();
    let trash = scene.root().with_file_name("trash");
    fs::create_dir(&trash).expect("a folder");
    let configure = |keep: &str| scene.configure(&format!("[trash]\nfolder = {:?}\nkeep = {keep:?}", trash));
    configure("30d");
    let before = scene.everything();
    let report = scene.executed();
    assert_eq!(report["removals"]["files_trashed"], 3, "{report:#}");
    assert_eq!(scene.everything().len(), 40);
    let files = || super::scene::files_below(trash.clone());
    assert_eq!(files().len(), 3);
    let history = scene.run(&["history", &report["run"]["id"].to_string(), "--format", "json"]).json();
    let place = history["runs"][0]["removals"][0]["trash_key"].as_str().expect("a place").to_owned();
    assert!(place.starts_with(&format!("{}/", trash.display())), "{place}");
    // It is found again under its key, where the configuration names another place since.
    scene.configure("");
    assert_eq!(scene.run(&["restore", &scene.orphans[0]]).code, 0);
    configure("30d");
    assert_eq!(scene.run(&["restore", &scene.orphans[1], &scene.orphans[2]]).code, 0);
    assert_eq!((scene.everything(), files().len()), (before, 0));
    assert_eq!(fs::read_dir(&trash).expect("the trash").count(), 0, "nothing is left of the run's folder");

    scene.executed();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    configure("0s");
    assert_eq!(scene.executed()["removals"]["purged"], 3);
    assert_eq!(fs::read_dir(&trash).expect("the trash").count(), 0);
    scene.expect_wanted_untouched(40);
}

/// A trash that leaves the root, or that files cannot be moved to in one step, is a configuration error that says what to do.
#[test]
fn a_trash_that_cannot_be_one_is_a_configuration_error() {
    let scene = Scene::on_local();
    let before = scene.everything();
    let root = scene.root().display().to_string();
    let cases = [
        ("prefix = \"../out/\"".to_owned(), "folder = "),
        ("prefix = \"a/../../out/\"".to_owned(), "folder = "),
        ("prefix = \"/tmp/out/\"".to_owned(), "folder = "),
        ("prefix = \"./\"".to_owned(), "folder = "),
        ("folder = \"trash\"".to_owned(), "whole path"),
        (format!("folder = \"{root}/../trash\""), "whole path"),
        ("folder = \"/no/such/folder\"".to_owned(), "mkdir"),
        (format!("folder = {root:?}"), "outside of the root"),
        (format!("folder = \"{root}/assets\""), "outside of the root"),
        ("folder = \"/proc\"".to_owned(), "one step"),
        ("folder = \"/srv/trash\"\nprefix = \".trash/\"".to_owned(), "keep one"),
    ];
    for (line, said) in cases {
        scene.configure(&format!("[trash]\n{line}"));
        for arguments in [["--format", "json"], ["--execute", "--no-progress"]] {
            let outcome = scene.run(&arguments);
            assert_eq!(outcome.code, 2, "{line}: {outcome:#?}");
            assert!(outcome.stderr.contains(said) && outcome.stderr.contains("[trash]"), "{line}: {outcome:#?}");
        }
    }
    assert_eq!(scene.everything(), before);
    let scene = Scene::on_s3();
    scene.configure("[trash]\nfolder = \"/srv/trash\"");
    assert_eq!(scene.run(&[]).code, 2);
}

/// What lies below a prefix of trash that an earlier run used is no finding, wherever the trash is now.
#[test]
fn an_earlier_trash_is_still_trash() {
    for scene in Scene::on_both() {
        scene.configure("[trash]\nprefix = \"old-trash/\"");
        scene.executed();
        // Where the trash is among files that are known.
        scene.put_bytes("old-trash/known.png", "", hours_ago(2000));
        scene.insert(&["old-trash/known.png".to_owned()]);
        scene.configure("");
        let report = scene.run(&["--format", "json"]).json();
        assert_eq!(report["run"]["outcome"], "clean", "{report:#}");
        assert_eq!(terminal::run_without_prompt(&scene.tool, &["--execute"]).code, 0);
        assert_eq!(scene.run(&["restore", &scene.orphans[0]]).code, 0);
    }
}

/// A trash folder that somebody took away: what is due there stays on record, and no run is held up by it.
#[test]
fn a_trash_folder_that_was_taken_away_leaves_nothing_open() {
    let scene = Scene::on_local();
    let trash = scene.root().with_file_name("trash");
    fs::create_dir(&trash).expect("a folder");
    scene.configure(&format!("[trash]\nfolder = {trash:?}"));
    let run = scene.executed()["run"]["id"].clone();
    fs::rename(&trash, scene.root().with_file_name("elsewhere")).expect("a rename");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    scene.configure("[trash]\nkeep = \"0s\"");
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(scene.removals(&run).values().all(|outcome| outcome == "trashed"), "{:?}", scene.removals(&run));
    let ledger = format!("sqlite:{}", scene.tool.path("ledger.db").display());
    crate::support::sqlite::run_sql(&ledger, "UPDATE removals SET state = 'purging'");
    scene.configure("");
    scene.run(&["restore", "no-such-key"]);
    assert!(scene.removals(&run).values().all(|outcome| outcome == "trashed"), "{:?}", scene.removals(&run));
    fs::rename(scene.root().with_file_name("elsewhere"), &trash).expect("a rename");
    assert_eq!(scene.run(&["restore", "--run", &run.to_string()]).code, 0);
}

/// A place that was once named as trash by mistake hides nothing but what runs moved there.
#[test]
fn a_prefix_that_was_trash_by_mistake_is_compared_again() {
    for scene in Scene::on_both() {
        scene.configure("[trash]\nprefix = \"assets/\"\n[safety]\nmax_percent = 100");
        scene.put("other/known.png");
        scene.insert(&["other/known.png".to_owned()]);
        scene.put("other/unknown.png");
        let outcome = scene.execute(&["--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        scene.configure("");
        let report = scene.run(&["--format", "json"]).json();
        assert_eq!(crate::support::tool::keys_of(&report, "orphaned-file"), scene.orphans, "{report:#}");
    }
}

/// Nobody else may look into the trash, however open the folder of a file was; its folder comes back as it was.
#[test]
fn the_trash_is_private() {
    let scene = scene();
    scene.put("u/900/b/a.png");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("a folder").mode() & 0o777;
    fs::set_permissions(scene.root().join("u/900"), PermissionsExt::from_mode(0o700)).expect("rights");
    fs::set_permissions(scene.root().join("u/900/b"), PermissionsExt::from_mode(0o755)).expect("rights");
    let run = scene.executed()["run"]["id"].to_string();
    let place = scene.root().join(scene.trashed("u/900/b/a.png").expect("it is in the trash"));
    let folders: Vec<_> = place.ancestors().skip(1).take_while(|folder| *folder != scene.root()).collect();
    assert!(folders.len() == 5 && folders.iter().all(|folder| mode(folder) == 0o700), "{folders:?}");
    assert_eq!(scene.run(&["restore", "--run", &run]).code, 0);
    assert_eq!(mode(&scene.root().join("u/900")), 0o700);
    assert_eq!(mode(&scene.root().join("u/900/b")), 0o755);
}

/// A folder stays that its owner could not make again.
#[test]
fn an_emptied_folder_stays_that_its_owner_cannot_make_again() {
    let scene = scene();
    ["u/900/a.png", "u/901/a.png"].iter().for_each(|key| scene.put(key));
    if chown(scene.root().join("u/900"), Some(33), Some(33)).is_err() {
        println!("no right to give a folder away: nothing is tested");
        return;
    }
    scene.executed();
    assert!(scene.root().join("u/900").exists() && !scene.root().join("u/901").exists());
}

/// A restore that is killed as it makes a folder leaves none that is not whose it was: the next one makes it.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_restore_that_is_killed_as_it_makes_a_folder_leaves_it_to_the_next() {
    let scene = scene();
    scene.put("u/900/b/a.png");
    fs::set_permissions(scene.root().join("u/900"), PermissionsExt::from_mode(0o751)).expect("rights");
    let run = scene.executed()["run"]["id"].to_string();
    let marker = scene.tool.path("held");
    let mut command = scene.tool.command(&["restore", "--run", &run]);
    command.env("CLEANUP_ASSETS_HOLD", "folder:before:1").env("CLEANUP_ASSETS_HOLD_FILE", &marker);
    let mut child = command.spawn().expect("the tool");
    while !marker.exists() {
        assert!(child.try_wait().expect("its status").is_none(), "it was not held");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().expect("a kill");
    child.wait().expect("an end");
    assert!(!scene.root().join("u/900").exists());
    assert_eq!(scene.run(&["restore", "--run", &run]).code, 0);
    let mode = |path: &str| fs::metadata(scene.root().join(path)).expect("a folder").mode() & 0o777;
    assert_eq!(mode("u/900"), 0o751);
    assert_eq!(fs::read_dir(scene.root().join("u")).expect("a folder").count(), 41);
}

/// A file where a folder was is told by what it is.
#[test]
fn a_file_where_a_folder_was_is_named() {
    let scene = scene();
    scene.put("u/900/b/a.png");
    let run = scene.executed()["run"]["id"].to_string();
    scene.put("u/900");
    let outcome = scene.run(&["restore", "--run", &run]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(outcome.stderr.contains("a file is where the folder u/900 was"), "{outcome:#?}");
}
