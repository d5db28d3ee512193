//! What is written otherwise than the object that it names, in ways that no key by itself shows: in a list, through a link,
//! or as what belongs to others.

use std::os::unix::fs::symlink;

use super::scene::{Scene, held};
use crate::support::servers::Database;
use crate::support::tool::keys_of;

/// What is found and not held.
fn would_go(scene: &Scene, kind: &str) -> Vec<String> {
    let report = scene.tool.report();
    let held: Vec<String> = held(&report).into_iter().map(|(key, _)| key).collect();
    keys_of(&report, kind).into_iter().filter(|key| !held.contains(key)).collect()
}

/// A list of keys in a column of a reference, beside values that are keys.
#[test]
fn a_file_that_is_named_in_a_list_stays() {
    let sql = "CREATE TABLE users (avatar TEXT); INSERT INTO users VALUES ('a/1.png'), ('[\"a/x.png\",\"a/y.png\"]')";
    let scene = Scene::new(sql, "[[references]]\ntable = \"users\"\nkey = \"avatar\"\n");
    ["a/x.png", "a/y.png"].iter().for_each(|key| scene.put(key));
    assert_eq!(would_go(&scene, "orphaned-file"), [] as [String; 0]);
    // And where the list is all that it has.
    scene.database.run("DELETE FROM users WHERE avatar = 'a/1.png'");
    assert_eq!(would_go(&scene, "orphaned-file"), [] as [String; 0]);
    scene.put("a/orphan.png");
    assert_eq!(scene.tool.run(&["--execute", "--format", "json", "--max-percent", "100"]).code, 12);
}

/// A row that is another spelling of a file that a rule gives to another row stays.
#[test]
fn a_row_like_a_derived_file_that_is_wanted_stays() {
    let rule = "missing_file = \"delete\"\n[[derived]]\npattern = '^(.+)/small\\.jpg$'\nowner = '$1/original.jpg'\n";
    let scene = Scene::new("", rule);
    ["p/original.jpg", "p/small.jpg"].iter().for_each(|key| scene.put(key));
    scene.own(&["p/original.jpg", "/p/small.jpg"]);
    scene.own(&["/p/other.jpg"]);
    assert_eq!(would_go(&scene, "orphaned-record"), ["/p/other.jpg"]);
}

/// A file that belongs to all that begins with a folder, by a rule, stays beside another spelling of such a name.
#[test]
fn a_derived_file_of_a_folder_whose_row_is_written_otherwise_stays() {
    let scene = Scene::new("", "[[derived]]\npattern = '^([0-9]+)/conversions/.+$'\nowner = '$1/*'\n");
    ["7/conversions/a.jpg", "8/photo.jpg", "8/conversions/a.jpg", "70/conversions/a.jpg", "9/conversions/a.jpg"]
        .iter()
        .for_each(|key| scene.put(key));
    scene.own(&["/7/photo.jpg", "/8/photo.jpg", "https://cdn.example.com/app/media/9/photo.jpg"]);
    assert_eq!(would_go(&scene, "orphaned-file"), ["70/conversions/a.jpg", "9/conversions/a.jpg"]);
}

/// A file that a row names through a link, and in another way than keys are written, stays.
#[test]
fn a_file_that_is_named_through_a_link_and_written_otherwise_stays() {
    let scene = Scene::new("", "");
    ["archive/x.png", "archive/y.png"].iter().for_each(|key| scene.put(key));
    symlink("archive", scene.path("old")).expect("a link");
    scene.own(&["old/x.png", "old/y.png "]);
    scene.put("archive/z.png");
    assert_eq!(would_go(&scene, "orphaned-file"), ["archive/z.png"]);
}
