//! Times that say less than they seem to.

use super::scene::{Scene, held, warnings};
use crate::support::servers::Database;

const DELETE: &str = "missing_file = \"delete\"\n";

/// A file that was unpacked, copied or restored here keeps the modification time that it had: it is as young as its birth
/// here, and the run says so where there are many.
#[test]
fn a_file_that_was_unpacked_here_is_young() {
    let scene = Scene::new("", "");
    scene.put("a/orphan.png");
    let report = scene.tool.report();
    assert_eq!((&report["totals"]["orphaned_files"], &report["totals"]["too_young"]), (&1.into(), &0.into()));
    let config = std::fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    scene.tool.configure(&config.replace("age_by = \"modified\"\n", ""));
    let report = scene.tool.report();
    assert_eq!((&report["totals"]["orphaned_files"], &report["totals"]["too_young"]), (&0.into(), &1.into()));
    assert_eq!(warnings(&report), [] as [String; 0], "one is not worth a word");
    (0..20).for_each(|number| scene.put(&format!("a/orphan-{number}.png")));
    let said = warnings(&scene.tool.report());
    assert!(said.len() == 1 && said[0].contains("21 of 81 files") && said[0].contains("age_by"), "{said:?}");
}

/// A row that got a new key a moment ago waits for its file: without `updated_at` it is held, with it it is young.
#[test]
fn a_row_whose_key_was_changed_a_moment_ago_stays() {
    let scene = Scene::new("ALTER TABLE assets ADD COLUMN changed TEXT", DELETE);
    scene.own(&["a/lost.png", "a/old-avatar.png"]);
    let configure = |updated_at: &str| {
        let config = std::fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
        scene.tool.configure(&config.replace("updated_at = \"created_at\"\n", updated_at));
    };
    configure("");
    scene.database.run("UPDATE assets SET storage_key = 'a/new-avatar.png' WHERE storage_key = 'a/old-avatar.png'");
    let code = "newly-missing".to_owned();
    let rows = [("a/lost.png".to_owned(), code.clone()), ("a/new-avatar.png".to_owned(), code)];
    assert_eq!(held(&scene.tool.report()), rows);
    scene.remove();
    assert_eq!(scene.database.texts("SELECT count(*) || '' FROM assets"), ["62"]);

    scene.configure("updated_at = \"changed\"\nmissing_file = \"delete\"\n");
    configure("");
    scene.database.run("UPDATE assets SET changed = datetime('now', '-10 days')");
    scene.database.run("UPDATE assets SET changed = datetime('now') WHERE storage_key = 'a/new-avatar.png'");
    let report = scene.tool.report();
    assert_eq!((held(&report), &report["totals"]["too_young"]), (Vec::new(), &1.into()));
    scene.remove();
    assert_eq!(scene.database.texts("SELECT storage_key FROM assets WHERE id > 60"), ["a/new-avatar.png"]);
}

/// A date of the last change that cannot be read is none, and one that can be read counts alone.
#[test]
fn the_date_that_can_be_read_counts() {
    let scene = Scene::new("ALTER TABLE assets ADD COLUMN changed TEXT", "");
    scene.configure("updated_at = \"changed\"\nmissing_file = \"delete\"\n");
    let config = std::fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    scene.tool.configure(&config.replace("updated_at = \"created_at\"\n", ""));
    scene.own(&["a/lost.png"]);
    let set = |created: &str, changed: &str| {
        let sql =
            format!("UPDATE assets SET created_at = {created}, changed = {changed} WHERE storage_key = 'a/lost.png'");
        scene.database.run(&sql);
    };
    let lost = |code: &str| vec![("a/lost.png".to_owned(), code.to_owned())];
    set("datetime('now', '-10 days')", "'14.01.2024 10:00'");
    assert_eq!(held(&scene.tool.report()), lost("newly-missing"));
    set("NULL", "datetime('now')");
    assert_eq!(scene.tool.report()["totals"]["too_young"], 1);
    set("NULL", "datetime('now', '-10 days')");
    assert_eq!(held(&scene.tool.report()), Vec::new());
    set("NULL", "NULL");
    let report = scene.tool.report();
    assert_eq!(held(&report), lost("undated"));
    let said = warnings(&report);
    assert!(said.len() == 1 && said[0].contains("created_at or changed"), "{said:?}");
}

/// A file that was written anew at the prompt, with the time that it had, stays.
#[test]
fn a_file_that_came_back_at_the_prompt_stays() {
    let scene = Scene::new("", "");
    scene.put("a/orphan.png");
    let config = std::fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    // Files are new for three seconds.
    scene.tool.configure(&format!("{}[safety]\nmin_age = \"3s\"\n", config.replace("age_by = \"modified\"\n", "")));
    std::thread::sleep(std::time::Duration::from_millis(3_500));
    let arguments = ["--execute", "--format", "json", "--max-percent", "100"];
    let mut terminal = crate::support::terminal::Terminal::start(&scene.tool, &arguments);
    assert!(terminal.prompt(), "{}", terminal.shown);
    let path = scene.path("a/orphan.png");
    let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("its time");
    std::fs::remove_file(&path).expect("gone");
    std::fs::write(&path, "a/orphan.png").expect("the same bytes");
    std::fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(modified)).expect("its time");
    let root = scene.folder.root().file_name().and_then(|name| name.to_str()).expect("a name");
    let outcome = terminal.answer(root);
    assert!(scene.has("a/orphan.png"), "{outcome:#?}");
}
