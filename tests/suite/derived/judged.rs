//! What a dry run says of derived files.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::{PREVIEW, THUMB, orphans};
use crate::execute::scene::Scene;
use crate::support::servers::Database;
use crate::support::tool::keys_of;

/// Chains and a cycle, beside owners that are prefixes.
fn rules() -> String {
    let webp = "[[derived]]\npattern = '^(.+)\\.webp$'\nowner = '$1'\n";
    let to_and_fro = "[[derived]]\npattern = '^(.+)\\.ping$'\nowner = '$1.pong'\n\
                      [[derived]]\npattern = '^(.+)\\.pong$'\nowner = '$1.ping'\n";
    [PREVIEW, THUMB, webp, to_and_fro].concat()
}

/// What the rules say of each file: `None`: it is wanted; else what it belonged to.
fn expected() -> BTreeMap<&'static str, Option<&'static str>> {
    BTreeMap::from([
        ("assets/000001_preview.png", None),
        ("assets/000001_preview.png.webp", None),
        ("assets/000001_preview.png.webp.webp", None),
        ("assets/000001.thumb", None),
        ("assets/000001.png.thumb", Some("assets/000001.png.*")),
        ("assets/gone_preview.png", Some("assets/gone.png")),
        ("assets/gone_preview.png.webp", Some("assets/gone_preview.png")),
        ("assets/gone.thumb", Some("assets/gone.*")),
        // Only a key that begins so wants it, and not one that begins alike.
        ("assets/00000.thumb", Some("assets/00000.*")),
        ("assets/round.ping", Some("assets/round.pong")),
        ("assets/round.pong", Some("assets/round.ping")),
        ("avatars/user_preview.png", None),
        ("avatars/user.thumb", None),
        ("avatars/stranger_preview.png", Some("avatars/stranger.png")),
        // A record names it: whose it would be does not matter.
        ("assets/named_preview.png", None),
        // Its owner has a record, and no file.
        ("assets/lost_preview.png", None),
        ("assets/lost.thumb", None),
    ])
}

fn laid_out(scene: Scene) -> Scene {
    expected().keys().for_each(|key| scene.put(key));
    scene.put("avatars/user.png");
    scene.database.run("CREATE TABLE users (id INTEGER PRIMARY KEY, avatar TEXT)");
    scene.database.run("INSERT INTO users (avatar) VALUES ('avatars/user.png')");
    scene.insert(&["assets/named_preview.png", "assets/lost.png"].map(str::to_owned));
    scene
}

#[test]
fn a_file_is_wanted_while_what_it_belongs_to_is() {
    for reference in ["table = \"users\"\nkey = \"avatar\"", "query = \"SELECT avatar FROM users\""] {
        for scene in Scene::on_both().map(laid_out) {
            scene.configure(&format!("[[references]]\n{reference}\n{}", rules()));
            let report = scene.run(&["--format", "json"]).json();
            let mut all: BTreeMap<String, (Option<String>, Option<String>)> =
                scene.orphans.iter().map(|key| (key.clone(), (None, None))).collect();
            let derived = expected().into_iter().filter_map(|(key, owner)| Some((key.to_owned(), owner?)));
            all.extend(derived.map(|(key, owner)| (key, (Some(owner.to_owned()), None))));
            assert_eq!(orphans(&report), all, "{report:#}");
            assert_eq!(keys_of(&report, "orphaned-record"), ["assets/lost.png"]);
            assert_eq!(report["totals"]["objects"], 43 + expected().len() + 1);
        }
    }
}

/// What a file belonged to stands in the text too.
#[test]
fn the_text_says_whose_a_file_was() {
    let scene = laid_out(Scene::on_local());
    scene.configure(&rules());
    let text = scene.run(&[]).stdout;
    for line in ["assets/gone_preview.png (", "assets/gone.thumb ("] {
        let line = text.lines().find(|shown| shown.contains(line)).unwrap_or_else(|| panic!("no {line} in {text}"));
        assert!(line.contains("belonged to assets/gone."), "{line}");
    }
}

/// Where only a part of the bucket is compared, what its files belong to may lie outside of it.
#[test]
fn an_owner_outside_the_prefix_is_asked_for() {
    let mirrored = "[[derived]]\npattern = '^small/(.+)$'\nowner = 'assets/$1'\n\
                    [[derived]]\npattern = '^tiny/(.+)\\.jpg$'\nowner = 'assets/$1.*'\n";
    for scene in Scene::on_both() {
        for key in ["000001.png", "gone.png"] {
            scene.put(&format!("thumbs/small/{key}"));
        }
        scene.put("thumbs/small/000002.png");
        let below = mirrored.replace("^small", "^thumbs/small").replace("^tiny", "^thumbs/tiny");
        scene.put("thumbs/tiny/000001.jpg");
        scene.put("thumbs/tiny/gone.jpg");
        scene.configure_with("prefix = \"thumbs/\"", &below);
        let report = scene.run(&["--format", "json"]).json();
        let found: Vec<String> = orphans(&report).into_keys().collect();
        assert_eq!(found, ["thumbs/small/gone.png", "thumbs/tiny/gone.jpg"], "{report:#}");
    }
}

/// What a file belongs to may lie so far away that another task lists it.
#[test]
fn an_owner_far_away_is_asked_for() {
    let scene = Scene::on_local();
    scene.database.run(
        "CREATE TABLE pages (path TEXT); INSERT INTO pages \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9000) \
         SELECT printf('middle/%06d.html', n) FROM n",
    );
    let rule = "[[derived]]\npattern = '^zoom/(.+)$'\nowner = 'assets/$1'\n\
                [[derived]]\npattern = '^zoomed/(.+)\\.jpg$'\nowner = 'assets/$1.*'\n";
    let keys = ["zoom/000039.png", "zoomed/000001.jpg", "zoom/gone.png", "zoomed/gone.jpg"];
    keys.iter().for_each(|key| scene.put(key));
    scene.configure(&format!("[[references]]\ntable = \"pages\"\nkey = \"path\"\n{rule}"));
    let report = scene.run(&["--format", "json"]).json();
    let found: Vec<String> = orphans(&report).into_keys().filter(|key| key.starts_with("zoom")).collect();
    assert_eq!(found, ["zoom/gone.png", "zoomed/gone.jpg"], "{report:#}");
}

/// A derived file of today that nobody wants is too young to judge, like any other; one that is wanted is not counted so.
#[test]
fn a_young_derived_file_is_not_judged() {
    let scene = Scene::on_s3();
    scene.configure(PREVIEW);
    for key in ["assets/gone_preview.png", "assets/000001_preview.png"] {
        scene.put_bytes(key, "made just now", SystemTime::now());
    }
    let report = scene.run(&["--format", "json"]).json();
    assert_eq!(orphans(&report).into_keys().collect::<Vec<_>>(), scene.orphans, "{report:#}");
    assert_eq!(report["totals"]["too_young"], 1, "{report:#}");
}

/// A prefix that is the file's own name owns it as any other does.
#[test]
fn a_prefix_may_be_the_files_own_name() {
    let scene = Scene::on_s3();
    scene.configure("[[derived]]\npattern = '^([^.]+)$'\nowner = '$1*'\n");
    for key in ["assets/000001", "assets/gone"] {
        scene.put(key);
    }
    let report = scene.run(&["--format", "json"]).json();
    let found = orphans(&report);
    assert!(!found.contains_key("assets/000001"), "{report:#}");
    assert_eq!(found["assets/gone"].0.as_deref(), Some("assets/gone*"), "{report:#}");
}
