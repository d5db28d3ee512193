//! A folder on a disk: nothing is lost that is stored in the moment of a removal, whatever the file system can do; no
//! mount is crossed; our own files stay (I8, I16).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::scene::{Scene, bytes_of};
use crate::support::s3::hours_ago;
use crate::support::tool::Outcome;

/// What a file system, or a kernel, may lack.
const LACKING: [&str; 3] = ["", "rename-noreplace", "rename-noreplace,openat2,mount-id"];

/// Runs `--execute`, and does something as soon as the first file is about to be moved.
fn execute_and_meanwhile(scene: &Scene, meanwhile: impl FnOnce() + Send) -> Outcome {
    let marker = scene.tool.path("held");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !marker.exists() {
                std::thread::sleep(Duration::from_millis(2));
            }
            meanwhile();
            fs::remove_file(&marker).expect("the marker");
        });
        scene.execute(&["--format", "json"])
    })
}

fn held_at_the_first_move(scene: Scene) -> Scene {
    let marker = scene.tool.path("held").display().to_string();
    scene.env("CLEANUP_ASSETS_HOLD", "move:before:1").env("CLEANUP_ASSETS_HOLD_FILE", &marker)
}

/// Stores a file as careful applications do: beside its place, and over the old one in one step. Its size and time are
/// given.
fn replace(scene: &Scene, key: &str, bytes: &str, modified: std::time::SystemTime) {
    let beside = scene.root().with_file_name("upload.tmp");
    fs::write(&beside, bytes).expect("a file");
    File::options().write(true).open(&beside).expect("the file").set_modified(modified).expect("its age");
    fs::rename(beside, scene.root().join(key)).expect("a rename");
}

/// An application stores a new version between the last look and the move: it is put back, whether the trash takes files
/// or they go for good, and whatever tells it from the old one.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_file_that_is_replaced_in_the_moment_of_its_removal_is_put_back() {
    for lacking in LACKING {
        for trash in ["", "[trash]\nenabled = false"] {
            for is_alike in [false, true] {
                let scene = held_at_the_first_move(Scene::on_local().env("CLEANUP_ASSETS_WITHOUT", lacking));
                scene.configure(trash);
                let key = scene.orphans[0].clone();
                let old = fs::metadata(scene.root().join(&key)).expect("the file").modified().expect("its time");
                let new = if is_alike { bytes_of(&key).to_uppercase() } else { "another".to_owned() };
                let modified = if is_alike { old } else { hours_ago(0) };
                let outcome = execute_and_meanwhile(&scene, || replace(&scene, &key, &new, modified));
                assert_eq!(outcome.code, 0, "{lacking} {trash}: {outcome:#?}");
                let all = scene.everything();
                assert_eq!(all.get(&key).map(Vec::as_slice), Some(new.as_bytes()), "{lacking} {trash}: {outcome:#?}");
                assert_eq!(outcome.json()["removals"]["skipped"], 1, "{outcome:#?}");
                assert_eq!(scene.trashed(&key), None, "{outcome:#?}");
                assert!(scene.orphans[1..].iter().all(|key| !all.contains_key(key)), "{outcome:#?}");
                assert_eq!(all.len(), if trash.is_empty() { 43 } else { 41 }, "{:?}", all.keys());
            }
        }
    }
}

/// Where a file that was taken by mistake could not be put back, none is taken, and the reason is told.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn where_files_can_neither_be_renamed_safely_nor_linked_they_stay() {
    for trash in ["", "[trash]\nenabled = false"] {
        let scene = Scene::on_local().env("CLEANUP_ASSETS_WITHOUT", "rename-noreplace,link");
        scene.configure(trash);
        let before = scene.everything();
        let outcome = scene.execute(&["--format", "json"]);
        assert_eq!(outcome.code, 3, "{outcome:#?}");
        assert!(outcome.stdout.contains("nor link it"), "{outcome:#?}");
        assert_eq!(scene.everything(), before);
    }
}

/// A removal and the way back where the kernel and the file system lack all of it.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn files_go_and_come_back_without_what_new_kernels_have() {
    for lacking in LACKING {
        let scene = Scene::on_local().env("CLEANUP_ASSETS_WITHOUT", lacking);
        let before = scene.everything();
        let run = scene.executed()["run"]["id"].to_string();
        scene.expect_removed();
        assert!(scene.orphans.iter().all(|key| scene.trashed(key).is_some()));
        assert_eq!(scene.run(&["restore", "--run", &run]).code, 0);
        assert_eq!(scene.everything(), before);
    }
}

/// Something that is mounted, until it goes out of scope.
struct Mount(PathBuf);

impl Mount {
    /// Mounts one path on another; `None`: we may not.
    fn bind(from: &Path, to: &Path) -> Option<Mount> {
        let mounted = Command::new("mount").arg("--bind").args([from, to]).output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        if !is_mounted {
            println!("no right to mount: nothing is tested");
        }
        is_mounted.then(|| Mount(to.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} is still mounted", self.0.display());
    }
}

/// A folder and a file of the same file system, mounted below the root: what is there is neither listed nor removed, and a
/// row that names a file there is held, since nothing is known of it.
#[test]
fn what_is_mounted_below_the_root_is_not_entered() {
    // The lists are heeded by the failpoint build alone: what the kernels before 5.8 and before 5.6 lack.
    ["", "mount-id", "openat2,mount-id"].into_iter().for_each(no_mount_is_entered);
}

fn no_mount_is_entered(lacking: &str) {
    let scene = Scene::on_local().env("CLEANUP_ASSETS_WITHOUT", lacking);
    let other = scene.root().with_file_name("other");
    fs::create_dir(&other).expect("a folder");
    fs::write(other.join("precious.db"), "precious").expect("a file");
    File::options()
        .write(true)
        .open(other.join("precious.db"))
        .expect("the file")
        .set_modified(hours_ago(2000))
        .expect("its age");
    fs::create_dir_all(scene.root().join("assets/mounted")).expect("a folder");
    scene.put("assets/one.png");
    let Some(_folder) = Mount::bind(&other, &scene.root().join("assets/mounted")) else { return };
    let Some(_file) = Mount::bind(&other.join("precious.db"), &scene.root().join("assets/one.png")) else { return };
    let keys = ["assets/mounted/lost.png", "assets/mounted/precious.db", "assets/one.png"].map(str::to_owned);
    scene.insert(&keys);
    scene.configure("");
    let held: Vec<(Value, Value)> = {
        let report = scene.run(&["--format", "json"]).json();
        let findings = report["findings"].as_array().expect("findings").iter();
        let records = findings.clone().filter(|finding| finding["kind"] == "orphaned-record");
        assert!(
            findings.clone().all(|f| f["kind"] != "orphaned-file" || scene.orphans.iter().any(|key| f["key"] == **key))
        );
        records.map(|finding| (finding["key"].clone(), finding["held_by"].clone())).collect()
    };
    assert_eq!(held, keys.map(|key| (Value::from(key), Value::from("forbidden"))));
    scene.executed();
    assert_eq!(fs::read_to_string(other.join("precious.db")).expect("the file"), "precious");
}

/// The database with what SQLite puts beside it, the ledger, the configuration, and the report lie in the root, under
/// their names or under others: none of them is a finding.
#[test]
fn our_own_files_are_never_candidates() {
    let scene = Scene::on_local();
    let root = scene.root();
    let database = root.join("data/app.db");
    fs::create_dir(root.join("data")).expect("a folder");
    fs::copy(scene.database.file(), &database).expect("the database");
    fs::hard_link(&database, root.join("assets/app-link.db")).expect("a link");
    std::os::unix::fs::symlink(&database, root.with_file_name("app.db")).expect("a link");
    let beside = ["data/app.db-journal", "data/ledger.lock", "data/report.csv", "data/url"];
    let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    let linked = root.with_file_name("app.db").display().to_string();
    let config = config.replace(&scene.database.file().display().to_string(), &linked);
    let ledger = root.join("data/ledger.db").display().to_string();
    let config = config.replace(&scene.tool.path("ledger.db").display().to_string(), &ledger);
    let list = format!("[[references]]\nfile = {:?}\nmay_be_empty = true\n", root.join("data/url"));
    let config = format!("{list}{config}");
    fs::write(root.join("data/config.toml"), config).expect("the configuration");
    for name in beside {
        scene.put_bytes(name, "", hours_ago(2000));
    }
    for name in ["data/app.db", "data/config.toml"] {
        File::options()
            .write(true)
            .open(root.join(name))
            .expect("the file")
            .set_modified(hours_ago(2000))
            .expect("its age");
    }
    let path = |name: &str| root.join(name).display().to_string();
    let spelt = root.join("../up loads/data/config.toml").display().to_string();
    let arguments = ["--format", "json", "-c", &spelt, "-o", &path("data/report.csv")];
    let outcome = scene.run(&arguments);
    let report = outcome.json();
    assert_eq!(crate::support::tool::keys_of(&report, "orphaned-file"), scene.orphans, "{report:#}");
    // A list that names them, and lies among them itself, changes nothing.
    let named = format!("{}\ndata/app.db\nassets/app-link.db\ndata/only.txt\n", scene.orphans.join("\n"));
    scene.put_bytes("data/only.txt", &named, hours_ago(2000));
    let outcome = scene.execute(&[arguments.as_slice(), &["--only", &path("data/only.txt")]].concat());
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(outcome.json()["removals"]["files_trashed"], 3, "{outcome:#?}");
    for name in ["data/app.db", "assets/app-link.db", "data/config.toml", "data/only.txt", "data/ledger.db"] {
        assert!(root.join(name).exists(), "{name} is gone");
    }
}

/// Files of the web server, and those that keep a folder, are held; a page of its own is not.
#[test]
fn files_of_the_web_server_are_held() {
    let scene = Scene::on_local();
    let held = ["assets/.gitkeep", "assets/.htaccess", "assets/index.html", "assets/web.config"];
    held.iter().for_each(|key| scene.put(key));
    scene.put_bytes("assets/a/index.html", &"<p>".repeat(1000), hours_ago(24 * 90));
    let report = scene.run(&["--format", "json"]).json();
    let findings = report["findings"].as_array().expect("findings").iter();
    let findings = findings.filter(|finding| finding["held_by"] == "server-file");
    assert_eq!(findings.map(|finding| finding["key"].as_str().expect("a key")).collect::<Vec<_>>(), held, "{report:#}");
    assert_eq!(scene.executed()["removals"]["files_trashed"], 4);
    assert!(held.iter().all(|key| scene.root().join(key).exists()));
}

/// A server has renamed a file, and its answer is lost, or says the second time that nothing is there: the file is in the
/// trash, the ledger knows it, and it comes back.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_rename_whose_answer_is_lost_is_looked_up() {
    for lacking in ["rename-answer", "first-rename-answer", "rename-noreplace,rename-answer"] {
        for trash in ["", "[trash]\nenabled = false"] {
            let scene = Scene::on_local().env("CLEANUP_ASSETS_WITHOUT", lacking);
            scene.configure(trash);
            let before = scene.everything();
            let report = scene.executed();
            let removals = &report["removals"];
            let gone = if trash.is_empty() { &removals["files_trashed"] } else { &removals["files_deleted"] };
            assert_eq!((gone, &removals["failed"]), (&3.into(), &0.into()), "{lacking} {trash}: {report:#}");
            scene.expect_removed();
            if trash.is_empty() {
                assert_eq!(scene.run(&["restore", "--run", &report["run"]["id"].to_string()]).code, 0, "{lacking}");
                assert_eq!(scene.everything(), before, "{lacking}");
            }
        }
    }
}

/// Does something as soon as the first file was moved.
fn held_after_the_first_move(scene: Scene) -> Scene {
    let scene = held_at_the_first_move(scene);
    scene.env("CLEANUP_ASSETS_HOLD", "move:after:1")
}

/// What was taken is not what was judged, and its folder has gone meanwhile: it is in the trash for now, and the next run
/// puts it back.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn what_could_not_be_put_back_is_put_back_by_the_next_run() {
    let scene = Scene::on_local();
    // The first of all orphans.
    let key = "assets/00/alone.png";
    scene.put(key);
    let scene = held_after_the_first_move(scene);
    let outcome = execute_and_meanwhile(&scene, || {
        let place = scene.root().join(scene.trashed(key).expect("it is in the trash"));
        fs::write(place, "stored in that moment").expect("a file");
        fs::remove_dir(scene.root().join("assets/00")).expect("an empty folder");
    });
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(outcome.stdout.contains(&format!("/{key}")), "it says where the file is: {outcome:#?}");
    let scene = scene.env("CLEANUP_ASSETS_HOLD", "");
    scene.run(&["restore", "no-such-key"]);
    let all = scene.everything();
    assert_eq!(all.get(key).map(Vec::as_slice), Some(b"stored in that moment".as_slice()), "{:?}", all.keys());
}

/// A file that has all the links that it can have could not be put back where that takes a link: it is not taken.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn a_file_that_cannot_be_linked_is_not_taken_where_its_way_back_is_a_link() {
    let scene = Scene::on_local().env("CLEANUP_ASSETS_WITHOUT", "rename-noreplace");
    let key = scene.orphans[0].clone();
    let links = scene.root().with_file_name("links");
    fs::create_dir(&links).expect("a folder");
    let is_full =
        (0..70_000).any(|number| fs::hard_link(scene.root().join(&key), links.join(number.to_string())).is_err());
    if !is_full {
        println!("this file system gives a file more links than that: nothing is tested");
        return;
    }
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!((outcome.code, &outcome.json()["removals"]["files_trashed"]), (3, &2.into()), "{outcome:#?}");
    assert!(outcome.stdout.contains("this file may not be linked"), "{outcome:#?}");
    assert!(scene.root().join(&key).exists());
}

/// What an earlier run had to leave in hand makes room, and stays.
#[test]
fn what_was_left_in_hand_does_not_keep_its_key() {
    use md5::{Digest, Md5};

    let scene = Scene::on_local();
    scene.configure("[trash]\nenabled = false");
    let name = scene.orphans[0].rsplit('/').next().expect("a name");
    let digest: String = Md5::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    scene.put_bytes(&format!("assets/.cleanup-assets-in-hand-{digest}"), "precious", hours_ago(2000));
    let report = scene.executed();
    assert_eq!(report["removals"]["files_deleted"], 3, "{report:#}");
    scene.expect_removed();
    assert!(scene.everything().values().any(|bytes| bytes == b"precious"));
}
