//! Derived files go with what they belong to, and come back with it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{MANY, PREVIEW, THUMB, orphans};
use crate::execute::scene::{Scene, bytes_of};
use crate::support::servers::Database;

const WEBP: &str = "[[derived]]\npattern = '^(.+)\\.webp$'\nowner = '$1'\n";
const EXPENDABLE: &str = "[[records.rules]]\nname = \"old\"\nwhere = \"storage_key LIKE '%01.png'\"\n";

fn of(files: &[&str]) -> BTreeSet<String> {
    files.iter().map(|key| (*key).to_owned()).collect()
}

/// What is outside the trash now and was not, or the other way round.
fn gone(scene: &Scene, before: &BTreeSet<String>) -> BTreeSet<String> {
    let now: BTreeSet<String> = scene.everything().into_keys().filter(|key| !key.starts_with(".trash/")).collect();
    assert!(now.is_subset(before), "{:?}", now.difference(before));
    before.difference(&now).cloned().collect()
}

/// What belonged to an orphan goes with it, whatever that was named by.
#[test]
fn files_of_an_orphan_go_with_it() {
    for scene in Scene::on_both() {
        scene.configure(&[PREVIEW, THUMB, WEBP, MANY].concat());
        let lost = ["assets/gone_preview.png", "assets/gone_preview.png.webp", "assets/gone.thumb"];
        let wanted = ["assets/000001_preview.png", "assets/000001_preview.png.webp", "assets/000001.thumb"];
        lost.iter().chain(&wanted).chain(&["assets/gone.png"]).for_each(|key| scene.put(key));
        let before = scene.everything().into_keys().collect();
        let report = scene.executed();
        assert_eq!(report["removals"]["files_trashed"], 7, "{report:#}");
        let mut expected = of(&lost);
        expected.extend(scene.orphans.iter().cloned().chain(["assets/gone.png".to_owned()]));
        assert_eq!(gone(&scene, &before), expected);
        assert_eq!(scene.run(&["--format", "json"]).json()["run"]["outcome"], "clean");
    }
}

/// When a rule removes a row and its file, what was made of the file goes in the same plan, a chain of it too; and what
/// another row still wants stays.
#[test]
fn files_of_what_a_rule_removes_go_in_the_same_plan() {
    for scene in Scene::on_both() {
        scene.configure(&[EXPENDABLE, PREVIEW, THUMB, WEBP, MANY].concat());
        let follow = [
            "assets/000001_preview.png",
            "assets/000001_preview.png.webp",
            "assets/000001.png.webp",
            "assets/000001.thumb",
        ];
        let stay = ["assets/000002_preview.png", "assets/000002_preview.png.webp", "assets/000002.thumb"];
        follow.iter().chain(&stay).for_each(|key| scene.put(key));
        let before = scene.everything().into_keys().collect();
        let report = scene.executed();
        let found = orphans(&report);
        assert_eq!(found["assets/000001_preview.png"].0.as_deref(), Some("assets/000001.png"), "{report:#}");
        assert_eq!(report["removals"]["records_deleted"], 1, "{report:#}");
        assert_eq!(report["removals"]["files_trashed"], 8, "{report:#}");
        let mut expected = of(&follow);
        expected.extend(scene.orphans.iter().cloned().chain(["assets/000001.png".to_owned()]));
        assert_eq!(gone(&scene, &before), expected);
        assert_eq!(scene.run(&["--format", "json"]).json()["run"]["outcome"], "clean");

        // And the same way back: files, and the row.
        let outcome = scene.run(&["restore", "--run", &report["run"]["id"].to_string()]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(gone(&scene, &before), BTreeSet::new());
        assert_eq!(scene.database.texts("SELECT storage_key FROM assets WHERE storage_key LIKE '%01.png'").len(), 1);
    }
}

/// A condemned row whose file another row wants goes alone: what was made of the file stays.
#[test]
fn files_of_what_others_want_stay() {
    for (other, named_by) in [("", "row"), ("[[references]]\ntable = \"users\"\nkey = \"avatar\"\n", "reference")] {
        let scene = Scene::on_s3();
        scene.database.run("CREATE TABLE users (avatar TEXT); ALTER TABLE assets ADD COLUMN spare INTEGER");
        scene.database.run("UPDATE assets SET spare = 1 WHERE storage_key = 'assets/000001.png'");
        scene.configure(&["[[records.rules]]\nname = \"old\"\nwhere = \"spare = 1\"\n", other, PREVIEW].concat());
        match named_by {
            "row" => scene.insert(&["assets/000001.png".to_owned()]),
            _ => scene.database.run("INSERT INTO users VALUES ('assets/000001.png')"),
        }
        scene.put("assets/000001_preview.png");
        let report = scene.executed();
        assert_eq!(report["removals"]["records_deleted"], 1, "{named_by}: {report:#}");
        assert!(!orphans(&report).contains_key("assets/000001_preview.png"), "{named_by}: {report:#}");
        let all = scene.everything();
        assert!(all.contains_key("assets/000001_preview.png") && all.contains_key("assets/000001.png"), "{named_by}");
        assert_eq!(scene.run(&["--format", "json"]).json()["run"]["outcome"], "clean");
    }
}

/// Of a prefix, every key must go: one that stays keeps the files, whether a rule spares it or its file is lost.
#[test]
fn files_of_a_prefix_stay_while_any_of_its_keys_does() {
    for stays in ["assets/000001.svg", "assets/000001.gif"] {
        let scene = Scene::on_s3();
        scene.configure(&[EXPENDABLE, THUMB, MANY].concat());
        // The one has its file, the other has lost it.
        scene.insert(&[stays.to_owned()]);
        if stays.ends_with(".svg") {
            scene.put(stays);
        }
        scene.put("assets/000001.thumb");
        let report = scene.executed();
        assert_eq!(report["removals"]["records_deleted"], 1, "{report:#}");
        assert!(!orphans(&report).contains_key("assets/000001.thumb"), "{report:#}");
        assert!(scene.everything().contains_key("assets/000001.thumb"), "{report:#}");
    }
}

/// Every key of a prefix is condemned: the files go with them.
#[test]
fn files_of_a_prefix_go_with_the_last_of_its_keys() {
    let scene = Scene::on_s3();
    let rule = "[[records.rules]]\nname = \"old\"\nwhere = \"storage_key LIKE 'assets/000001.%'\"\n";
    scene.configure(&[rule, THUMB, MANY].concat());
    scene.insert(&["assets/000001.svg".to_owned(), "assets/000001.gif".to_owned()]);
    ["assets/000001.thumb", "assets/000001.svg"].iter().for_each(|key| scene.put(key));
    let report = scene.executed();
    // The row of the .gif has lost its file, and goes all the same.
    assert_eq!(report["removals"]["records_deleted"], 3, "{report:#}");
    assert_eq!(report["removals"]["files_trashed"], 6, "{report:#}");
    assert!(!scene.everything().contains_key("assets/000001.thumb"), "{report:#}");
    assert_eq!(scene.run(&["--format", "json"]).json()["run"]["outcome"], "clean");
}

/// Owners that a rule condemns outside of what is compared do not go, and keep their files.
#[test]
fn files_of_what_is_condemned_outside_the_prefix_stay() {
    let scene = Scene::on_s3();
    let mirrored = "[[derived]]\npattern = '^thumbs/(.+)\\.jpg$'\nowner = 'assets/$1.*'\n\
                    [[derived]]\npattern = '^thumbs/(.+\\.png)$'\nowner = 'assets/$1'\n";
    let keys = ["thumbs/000001.jpg", "thumbs/000001.png"];
    scene.configure_with("prefix = \"thumbs/\"", &[EXPENDABLE, mirrored].concat());
    keys.iter().for_each(|key| scene.put(key));
    let report = scene.run(&["--format", "json"]).json();
    assert_eq!(orphans(&report).len(), 0, "{report:#}");
    scene.configure(&[EXPENDABLE, mirrored].concat());
    let report = scene.run(&["--format", "json"]).json();
    assert!(keys.iter().all(|key| orphans(&report).contains_key(*key)), "{report:#}");
}

/// A file that a condemned row names goes with its row, though its name looks like one of a file that is wanted.
#[test]
fn a_key_that_a_row_names_is_not_judged_by_its_looks() {
    let scene = Scene::on_s3();
    scene.configure(
        &["[[records.rules]]\nname = \"old\"\nwhere = \"storage_key LIKE '%_preview.png'\"\n", PREVIEW].concat(),
    );
    let key = "assets/000001_preview.png";
    scene.put(key);
    scene.insert(&[key.to_owned()]);
    let report = scene.executed();
    assert_eq!(report["removals"]["records_deleted"], 1, "{report:#}");
    assert!(!scene.everything().contains_key(key), "it goes with its row");
    assert!(scene.everything().contains_key("assets/000001.png"));
}

/// A row that a rule condemns and that may not be acted on keeps its file, and with it what was made of that.
#[test]
fn files_of_what_a_held_row_names_are_held() {
    let scene = Scene::on_s3();
    // Without an age a row is held until it was seen for a day.
    let table = format!(
        "[database]\nurl = {:?}\n{}\n[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n",
        scene.database.url(),
        scene.server().storage_section(""),
    );
    scene.tool.configure(&[&table, EXPENDABLE, PREVIEW].concat());
    scene.put("assets/000001_preview.png");
    let report = scene.run(&["--format", "json"]).json();
    let (owner, held) = orphans(&report)["assets/000001_preview.png"].clone();
    assert_eq!(owner.as_deref(), Some("assets/000001.png"));
    assert!(held.is_some_and(|held| held.contains("first seen")), "{report:#}");
}

/// Orphans go first, and what a limit counts: derived files are files like others.
#[test]
fn derived_files_count_towards_the_limits() {
    let scene = Scene::on_s3();
    (0..3).for_each(|number| scene.put(&format!("assets/gone{number}_preview.png")));
    scene.configure(&format!("{PREVIEW}[safety]\nmax_removals = 5\n"));
    let outcome = scene.run(&["--execute", "--format", "json"]);
    assert_eq!(outcome.code, 12, "{outcome:#?}");
    assert_eq!(outcome.json()["refusal"]["limit"], Value::from("max_removals"));
    scene.configure(&format!("{PREVIEW}[safety]\nmax_removals = 6\nmax_percent = 50\n"));
    assert_eq!(scene.executed()["removals"]["files_trashed"], 6);
}

/// Due trash of a file whose owner is wanted again is the last of it, and stays.
#[test]
fn due_trash_of_what_is_wanted_again_stays() {
    for (rule, key) in [(PREVIEW, "assets/gone_preview.png"), (THUMB, "assets/gone.thumb")] {
        for scene in Scene::on_both() {
            scene.configure(rule);
            scene.put(key);
            scene.executed();
            std::thread::sleep(std::time::Duration::from_millis(1100));
            scene.put("assets/gone.png");
            scene.insert(&["assets/gone.png".to_owned()]);
            scene.configure(&format!("{rule}[trash]\nkeep = \"0s\"\n"));
            let outcome = scene.execute(&["--format", "json"]);
            assert!([0, 3].contains(&outcome.code), "{outcome:#?}");
            let place = scene.trashed(key).unwrap_or_else(|| panic!("the last of {key} is gone: {outcome:#?}"));
            assert_eq!(scene.everything()[&place], bytes_of(key).into_bytes());
            assert!(scene.trashed(&scene.orphans[0]).is_none(), "the rest of it is due");
        }
    }
}
