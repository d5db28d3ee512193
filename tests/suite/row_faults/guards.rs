//! What a row stays for, on SQLite: a lock that was lost, a trigger that keeps it, a `then` after which it would still own
//! its file.

use super::{ROWS, at_prompt, execute, reported, say};
use crate::support::row_scene::{BUCKET, FATES, Fate, RowScene};
use crate::support::tool::Outcome;

/// Each row fails, and nothing is changed.
fn assert_every_row_fails(scene: &RowScene, outcome: &Outcome, reason: &str) {
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!((reported(&report), &report["removals"]["failed"]), (0, &ROWS.into()), "{outcome:#?}");
    let errors = report["removals"]["errors"].to_string();
    assert!(errors.contains(reason), "{errors}");
    scene.assert_all_is_back();
    scene.assert_ledger_agrees();
}

#[test]
fn rows_stay_where_the_lock_was_lost() {
    for fate in FATES {
        let scene = RowScene::new(fate, ROWS);
        let terminal = at_prompt(&scene);
        let files = std::fs::read_dir(scene.tool.home()).expect("the folder");
        let mut paths = files.map(|entry| entry.expect("an entry").path());
        let lock = paths.find(|path| path.extension().is_some_and(|end| end == "lock")).expect("the lock file");
        std::fs::remove_file(lock).expect("the lock file");
        let outcome = terminal.answer(BUCKET);
        assert_eq!(outcome.code, 1, "{outcome:#?}");
        assert!(scene.removals().is_empty(), "{:#?}", scene.removals());
        scene.assert_all_is_back();
    }
    say(FATES.len(), "a lock that was lost");
}

#[test]
fn a_row_that_a_trigger_keeps_is_not_gone() {
    for fate in FATES {
        let scene = RowScene::new(fate, ROWS);
        for event in ["DELETE", "UPDATE"] {
            scene
                .database
                .run(&format!("CREATE TRIGGER keeps_{event} BEFORE {event} ON assets BEGIN SELECT RAISE(IGNORE); END"));
        }
        scene.configure(&scene.database.url(), "allow_cascade = true");
        assert_every_row_fails(&scene, &execute(&scene), "a trigger may have kept it");
    }
    say(FATES.len(), "triggers that keep rows");
}

#[test]
fn a_row_that_would_still_own_its_file_keeps_it() {
    let scene = RowScene::new(Fate::Expired, ROWS);
    let path = scene.tool.path("config.toml");
    let config = std::fs::read_to_string(&path).expect("config.toml");
    let without = config.replace("where = \"status NOT IN ('expired', 'missing')\"\n", "");
    assert_ne!(config, without);
    std::fs::write(path, without).expect("config.toml");
    assert_every_row_fails(&scene, &execute(&scene), "it would still own its file");
    say(1, "a rule that lets nothing go");
}
