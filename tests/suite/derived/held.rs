//! Doubt about what a file belongs to is doubt about the file.

use super::{PREVIEW, THUMB, orphans};
use crate::execute::scene::Scene;

const WEBP: &str = "[[derived]]\npattern = '^(.+)\\.webp$'\nowner = '$1'\n";

/// Why each of these files is held.
fn held(scene: &Scene, keys: &[&str]) -> Vec<Option<String>> {
    let report = scene.run(&["--format", "json"]).json();
    let found = orphans(&report);
    keys.iter().map(|key| found.get(*key).unwrap_or_else(|| panic!("{key}: {report:#}")).1.clone()).collect()
}

/// A record that spells the owner otherwise: the owner is held, and so is all that was made of it, however many steps
/// away.
#[test]
fn files_of_what_a_record_seems_to_misspell_are_held() {
    let keys = ["assets/lion.png", "assets/lion_preview.png", "assets/lion_preview.png.webp", "assets/lion.thumb"];
    for scene in Scene::on_both() {
        scene.configure(&[PREVIEW, WEBP, THUMB].concat());
        keys.iter().for_each(|key| scene.put(key));
        scene.insert(&["assets/Lion.png".to_owned()]);
        let reason = Some("looks like assets/Lion.png".to_owned());
        assert_eq!(held(&scene, &keys), vec![reason; 4]);

        scene.executed();
        let all = scene.everything();
        assert!(keys.iter().all(|key| all.contains_key(*key)), "{:?}", all.keys());
    }
}

/// The same where the owner itself is not there any more.
#[test]
fn files_of_what_is_gone_and_misspelt_are_held() {
    let keys = ["assets/lion_preview.png", "assets/lion_preview.png.webp"];
    let scene = Scene::on_s3();
    scene.configure(&[PREVIEW, WEBP].concat());
    keys.iter().for_each(|key| scene.put(key));
    scene.insert(&["assets/Lion.png".to_owned()]);
    assert_eq!(held(&scene, &keys), vec![Some("looks like assets/Lion.png".to_owned()); 2]);
}

/// A record that spells the derived file itself otherwise.
#[test]
fn a_derived_file_that_a_record_seems_to_misspell_is_held() {
    let scene = Scene::on_s3();
    scene.configure(PREVIEW);
    scene.put("assets/lion_preview.png");
    scene.insert(&["assets/Lion_Preview.png".to_owned()]);
    assert_eq!(held(&scene, &["assets/lion_preview.png"]), [Some("looks like assets/Lion_Preview.png".to_owned())]);
    let report = scene.run(&["--format", "json"]).json();
    let record = report["findings"].as_array().expect("findings").iter().find(|f| f["kind"] == "orphaned-record");
    let held = record.expect("the record")["held"].as_str().expect("it is held");
    assert!(held.contains("assets/lion_preview.png"), "{held}");
}

/// A folder of derived files of which the database wants none is a folder that it knows nothing of.
#[test]
fn a_folder_of_derived_files_may_be_forgotten() {
    let mirrored = "[[derived]]\npattern = '^thumbs/(.+)$'\nowner = 'uploads/$1'\n";
    for (files, reason) in
        [(4, None), (5, Some("nothing below thumbs/ is known to the database (see unknown_prefixes)"))]
    {
        let scene = Scene::on_s3();
        scene.configure(mirrored);
        let keys: Vec<String> = (0..files).map(|number| format!("thumbs/{number}.png")).collect();
        keys.iter().for_each(|key| scene.put(key));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        assert_eq!(held(&scene, &keys), vec![reason.map(str::to_owned); files]);

        scene.configure(&format!("{mirrored}[safety]\nunknown_prefixes = [\"thumbs/\"]\n"));
        assert_eq!(held(&scene, &keys), vec![None; files]);
        // One that is wanted, by a key elsewhere or by a reference, and the folder is known.
        scene.configure(mirrored);
        scene.put("thumbs/wanted.png");
        scene.insert(&["uploads/wanted.png".to_owned()]);
        assert_eq!(held(&scene, &keys), vec![None; files]);
    }
}

/// The same where a table lies outside of what is compared.
#[test]
fn a_folder_is_known_by_owners_outside_the_prefix() {
    let mirrored = "[[derived]]\npattern = '^made/thumbs/(.+)$'\nowner = 'uploads/$1'\n";
    let scene = Scene::on_s3();
    scene.configure_with("prefix = \"made/\"", mirrored);
    let keys: Vec<String> = (0..21).map(|number| format!("made/thumbs/{number}.png")).collect();
    keys.iter().for_each(|key| scene.put(key));
    // Else nothing is on both sides, and the whole is no pair.
    scene.put("made/known.png");
    scene.insert(&["made/known.png".to_owned()]);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let reason = "nothing below made/thumbs/ is known to the database (see unknown_prefixes)".to_owned();
    assert_eq!(held(&scene, &keys), vec![Some(reason); 21]);
    scene.put("made/thumbs/wanted.png");
    scene.insert(&["uploads/wanted.png".to_owned()]);
    assert_eq!(held(&scene, &keys), vec![None; 21]);
}

/// Files of an owner in a forgotten folder are held with it, where they lie in another one.
#[test]
fn files_of_what_is_held_are_held() {
    let scene = Scene::on_s3();
    scene.configure("[[derived]]\npattern = '^assets/avatar-(.+)$'\nowner = 'avatars/$1'\n");
    let keys: Vec<String> = (0..21).map(|number| format!("avatars/{number}.png")).collect();
    keys.iter().for_each(|key| scene.put(key));
    scene.put("assets/avatar-3.png");
    let reason = Some("nothing below avatars/ is known to the database (see unknown_prefixes)".to_owned());
    assert_eq!(held(&scene, &["avatars/3.png", "assets/avatar-3.png"]), vec![reason; 2]);
}
