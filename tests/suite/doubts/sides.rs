//! Sides that are behind the other (I17), and folders that one of them lacks (I18).

use super::scene::{Scene, age, held};
use crate::support::s3::{Application, Seen};
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

/// Rows that all have one date, from before any file that they name, say nothing of when files were stored: the column was
/// added later. Where files are as old as they, they do.
#[test]
fn a_date_that_all_rows_share_is_no_clock() {
    for (rows, oldest_file, is_held) in
        [("'2020-01-01'", 40, false), ("'2020-01-01'", 4_000, true), ("id", 40, true), ("one", 40, false)]
    {
        let scene = Scene::new("", "");
        if rows == "one" {
            for key in scene.database.texts("SELECT storage_key FROM assets WHERE storage_key <> 'a/1.png'") {
                std::fs::remove_file(scene.path(&key)).expect("a file");
            }
            scene.database.run("DELETE FROM assets WHERE storage_key <> 'a/1.png'");
        }
        let rows = rows.replace("one", "'2020-01-01'");
        let date = rows.replace("id", "date('2020-01-01', '+' || id || ' days')");
        scene.database.run(&format!("UPDATE assets SET created_at = {date}"));
        for key in scene.database.texts("SELECT storage_key FROM assets") {
            age(&scene.path(&key), 40);
        }
        age(&scene.path("a/1.png"), oldest_file);
        scene.put("a/new.png");
        age(&scene.path("a/new.png"), 40);
        let narrowed = scene.tool.run(&["--prefix", "a/", "--format", "json"]).json();
        for report in [scene.tool.report(), narrowed] {
            let held =
                held(&report).into_iter().filter(|(key, by)| key == "a/new.png" && by == "newer-than-database").count();
            assert_eq!(held, usize::from(is_held), "{rows} {oldest_file}: {report:#}");
        }
    }
}

const DELETE: &str = "missing_file = \"delete\"\n";

/// Rows below a folder in which no file is stay: a volume that is not mounted. Four rows are few, and a file is enough.
#[test]
fn rows_below_a_folder_without_a_file_stay() {
    for (rows, has_file, is_held) in [(5, false, true), (4, false, false), (5, true, false)] {
        let scene = Scene::new("", DELETE);
        let keys: Vec<String> = (0..rows).map(|number| format!("mnt/deep/{number}.png")).collect();
        scene.own(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        std::fs::create_dir_all(scene.path("mnt/deep/empty")).expect("a mount point");
        if has_file {
            scene.put("mnt/deep/other/file.png");
            scene.own(&["mnt/deep/other/file.png"]);
        }
        let held = scene.held();
        assert_eq!(held.len(), if is_held { rows } else { 0 }, "{held:?}");
        assert!(held.iter().all(|(_, code)| code == "missing-folder"), "{held:?}");
        let outcome = scene.remove();
        let left = scene.database.texts("SELECT storage_key FROM assets WHERE storage_key LIKE 'mnt/%' ORDER BY 1");
        let expected = if is_held { rows } else { 0 } + usize::from(has_file);
        assert_eq!(left.len(), expected, "{outcome:#?}");
    }
}

/// Rows of a folder whose name is an id go where it lies beside nine others or more and half of them hold files: what was
/// deleted there was deleted by itself.
#[test]
fn rows_of_one_that_was_deleted_among_many_go() {
    for (full, empty, is_held) in [(9, 1, false), (8, 1, true), (5, 5, false), (5, 6, true)] {
        let scene = Scene::new("", DELETE);
        for folder in 0..full {
            let key = format!("tenants/{folder}/1.png");
            scene.put(&key);
            scene.own(&[&key]);
        }
        for folder in 100..100 + empty {
            let keys: Vec<String> = (0..5).map(|number| format!("tenants/{folder}/{number}.png")).collect();
            scene.own(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        }
        assert_eq!(scene.held().len(), if is_held { 5 * empty } else { 0 }, "{full} {empty}");
        let outcome = scene.remove();
        let left = scene.database.texts("SELECT storage_key FROM assets WHERE storage_key LIKE 'tenants/1__/%'");
        assert_eq!(left.len(), if is_held { 5 * empty } else { 0 }, "{outcome:#?}");
    }
}

/// The topmost folder without a file is the one that is named, and `unknown_prefixes` lets its rows go.
#[test]
fn the_topmost_folder_without_a_file_is_named() {
    let scene = Scene::new("", DELETE);
    let keys: Vec<String> = (0..12).map(|number| format!("mnt/{}/{}/{number}.png", number % 2, number % 3)).collect();
    scene.own(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let report = scene.tool.report();
    let text = |finding: &serde_json::Value| finding["held"].as_str().unwrap_or_default().to_owned();
    let said: Vec<String> = report["findings"].as_array().expect("findings").iter().map(text).collect();
    assert!(said.len() == 12 && said.iter().all(|said| said.starts_with("no object is below mnt/ (")), "{said:?}");
    scene.configure(&format!("{DELETE}[safety]\nunknown_prefixes = [\"mnt\"]\n"));
    let outcome = scene.remove();
    assert_eq!(scene.database.texts("SELECT count(*) || '' FROM assets"), ["60"], "{outcome:#?}");
}

/// The same in a bucket, with one request for each folder and none for those inside of one without an object.
#[test]
fn a_bucket_is_asked_for_each_folder_once() {
    let app = Application::small();
    let lost: Vec<String> = (0..30).map(|number| format!("gone/{}/{number}.png", number % 3)).collect();
    let some: Vec<String> = (0..6).map(|number| format!("assets/sub/{number}.png")).collect();
    app.insert(lost.iter().chain(&some));
    app.put("assets/sub/other.png");
    let report = app.tool.report();
    let held = held(&report);
    assert_eq!(held.iter().filter(|(key, code)| key.starts_with("gone/") && code == "missing-folder").count(), 30);
    assert_eq!(held.len(), 30, "{held:?}");
    // gone/, assets/ and assets/sub/.
    let one = |seen: &&Seen| seen.parameter("max-keys").as_deref() == Some("2");
    let mut asked: Vec<_> = app.server.calls().iter().filter(one).filter_map(|seen| seen.parameter("prefix")).collect();
    asked.retain(|prefix| !prefix.is_empty());
    asked.sort();
    assert_eq!(asked, ["assets/", "assets/sub/", "gone/"]);
}
