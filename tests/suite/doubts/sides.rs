//! Sides that are behind the other (I17), and folders that one of them lacks (I18).

use super::scene::{Scene, age, held};
use crate::support::servers::Database;

/// A dump that is behind is seen to be behind, whatever dates its rows or the store's files have that are still to come.
#[test]
fn a_date_that_is_still_to_come_hides_no_side_that_is_behind() {
    for to_come in ["", "9999-12-31 00:00:00", "2500-01-01"] {
        let scene = Scene::new("", "");
        if !to_come.is_empty() {
            scene.own(&["a/to-come.png"]);
            scene
                .database
                .run(&format!("UPDATE assets SET created_at = '{to_come}' WHERE storage_key = 'a/to-come.png'"));
            scene.put("a/to-come.png");
            let century = std::time::SystemTime::now() + std::time::Duration::from_secs(100 * 365 * 24 * 3600);
            let file = std::fs::File::options().write(true).open(scene.path("a/to-come.png")).expect("the file");
            file.set_modified(century).expect("a time to come");
        }
        scene.put("a/new.png");
        age(&scene.path("a/new.png"), 3);
        let newer = [("a/new.png".to_owned(), "newer-than-database".to_owned())];
        assert_eq!(held(&scene.tool.report()), newer, "{to_come}");
        let outcome = scene.remove();
        assert!(scene.has("a/new.png"), "{outcome:#?}");
    }
}

/// The newest row is found though it has not the greatest id, and though a thousand others have later ones.
#[test]
fn a_table_is_as_new_as_its_newest_row() {
    let scene = Scene::new("", "");
    let many: Vec<String> = (0..1100).map(|number| format!("b/{number}.png")).collect();
    scene.own(&many.iter().map(String::as_str).collect::<Vec<_>>());
    many.iter().for_each(|key| scene.put(key));
    scene.put("a/new.png");
    age(&scene.path("a/new.png"), 3);
    // A known file of the same age, so that the rows alone decide.
    age(&scene.path("a/1.png"), 3);
    assert_eq!(held(&scene.tool.report()), [("a/new.png".to_owned(), "newer-than-database".to_owned())]);
    scene.database.run("UPDATE assets SET created_at = datetime('now', '-3 days') WHERE storage_key = 'a/1.png'");
    assert_eq!(held(&scene.tool.report()), []);
    let outcome = scene.remove();
    assert!(outcome.code == 0 && !scene.has("a/new.png"), "{outcome:#?}");
}
