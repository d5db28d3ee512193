//! Removed files go to the trash by default, whole, and a run's own folder there; what is due goes for good (I11).

use serde_json::Value;

use super::scene::{Kept, Scene, about, bytes_of};
use crate::support::s3::{Call, hours_ago};
use crate::support::servers::Database;
use crate::support::terminal::{self, Terminal};
use crate::support::tool::keys_of;

/// `cleanup-assets --execute` moves each file to `.trash/<the run's ULID>/<key>`, with its bytes and all that it says of
/// itself.
#[test]
fn removed_files_lie_in_the_trash_whole() {
    for scene in Scene::on_both() {
        let report = scene.executed();
        assert_eq!(report["run"]["mode"], "execute", "{report:#}");
        assert_eq!(report["run"]["outcome"], "removed", "{report:#}");
        assert_eq!(report["refusal"], Value::Null);
        scene.expect_removed();
        let all = scene.everything();
        let mut folders = Vec::new();
        for key in &scene.orphans {
            let place = scene.trashed(key).unwrap_or_else(|| panic!("{key} is not in the trash: {:?}", all.keys()));
            assert_eq!(all[&place], bytes_of(key).into_bytes());
            if let Kept::S3(server) = &scene.store {
                assert_eq!(server.bucket.get(&place).expect("the object").about, about(key));
            }
            folders.push(place[..place.len() - key.len()].to_owned());
        }
        folders.dedup();
        assert_eq!(folders.len(), 1, "one run, one folder: {folders:?}");
        assert_eq!(all.len(), 43, "nothing else was written: {:?}", all.keys());
    }
}

/// The JSON report counts what was removed, and so does the history.
#[test]
fn the_report_and_the_history_say_what_was_removed() {
    for scene in Scene::on_both() {
        let bytes: usize = scene.orphans.iter().map(|key| bytes_of(key).len()).sum();
        let report = scene.executed();
        let removals = &report["removals"];
        let expected = [
            ("files_trashed", 3),
            ("files_deleted", 0),
            ("bytes", bytes),
            ("records_deleted", 0),
            ("records_updated", 0),
            ("skipped", 0),
            ("failed", 0),
        ];
        for (name, figure) in expected {
            assert_eq!(removals[name], figure, "{name}: {report:#}");
        }
        assert_eq!(removals["errors"], Value::Array(Vec::new()));
        assert_eq!(keys_of(&report, "orphaned-file"), scene.orphans);

        let run = &report["run"]["id"];
        let history = scene.run(&["history", "--format", "json"]).json();
        let newest = &history["runs"][0];
        assert_eq!((&newest["id"], &newest["outcome"], &newest["mode"]), (run, &"removed".into(), &"execute".into()));
        assert_eq!((&newest["found"], &newest["removed"], &newest["bytes"]), (&3.into(), &3.into(), &bytes.into()));
        let removals = scene.removals(run);
        assert_eq!(removals.keys().cloned().collect::<Vec<_>>(), scene.orphans);
        assert!(removals.values().all(|outcome| outcome == "trashed"), "{removals:?}");
        let text = scene.run(&["history", &run.to_string()]);
        assert_eq!(text.code, 0, "{text:#?}");
        assert!(scene.orphans.iter().all(|key| text.stdout.contains(key)), "{text:#?}");
    }
}

/// The next run finds nothing, neither what was removed nor the trash, and asks nothing.
#[test]
fn a_second_run_finds_nothing() {
    for scene in Scene::on_both() {
        scene.executed();
        let before = scene.everything();
        let report = scene.run(&["--format", "json"]).json();
        assert_eq!(report["run"]["outcome"], "clean", "{report:#}");
        assert_eq!(report["totals"]["objects"], 40, "the trash is no part of the comparison");
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(scene.everything(), before);
    }
}

/// A file removed, uploaded once more and removed again is in the trash twice: nothing there is written over.
#[test]
fn a_key_can_be_removed_again() {
    for scene in Scene::on_both() {
        let key = scene.orphans[0].clone();
        scene.executed();
        scene.put_bytes(&key, "another picture", hours_ago(24 * 80));
        // Something known is as new, and so is its row: else the database would seem to be behind.
        scene.put_bytes("assets/000000.png", &bytes_of("assets/000000.png"), hours_ago(24 * 80));
        scene.database.run("UPDATE assets SET created_at = datetime('now', '-80 days') WHERE id = 1");
        assert_eq!(scene.executed()["removals"]["files_trashed"], 1);
        let all = scene.everything();
        let trashed: Vec<_> = all.iter().filter(|(place, _)| place.ends_with(&format!("/{key}"))).collect();
        assert_eq!(trashed.len(), 2, "{:?}", all.keys());
        assert_ne!(trashed[0].1, trashed[1].1);
    }
}

/// `[trash] prefix` says where the trash is, from the root of the bucket even where a prefix narrows the comparison.
#[test]
fn the_trash_lies_where_the_configuration_says() {
    for scene in Scene::on_both() {
        scene.configure_with("prefix = \"assets/\"", "[trash]\nprefix = \"removed/\"");
        scene.executed();
        scene.expect_removed();
        let trash = scene.everything().into_keys().filter(|key| key.starts_with("removed/")).count();
        assert_eq!(trash, 3, "{:?}", scene.everything().keys());
        assert_eq!(scene.run(&["--format", "json"]).json()["run"]["outcome"], "clean");
    }
}

/// Trash that is due goes for good with the next `--execute`, which counts it in its sentence; the rest of the trash
/// stays, and so does what the ledger does not know.
#[test]
fn due_trash_goes_for_good_with_the_next_execute() {
    for scene in Scene::on_both() {
        let strange = ".trash/01ARZ3NDEKTSV4RRFFQ69G5FAV/assets/strange.png";
        scene.put(strange);
        let first = scene.executed()["run"]["id"].clone();
        // Not due yet: nothing to remove, no prompt.
        assert_eq!(terminal::run_without_prompt(&scene.tool, &["--execute"]).code, 0);
        std::thread::sleep(std::time::Duration::from_millis(1100));

        scene.configure("[trash]\nkeep = \"0s\"");
        assert_eq!(scene.run(&["--execute"]).code, 4, "due trash is something to remove");
        let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
        assert!(terminal.prompt());
        assert!(terminal.shown.contains("3 files") && terminal.shown.contains("trash"), "{}", terminal.shown);
        assert!(terminal.shown.to_lowercase().contains("for good"), "{}", terminal.shown);
        let outcome = terminal.answer(scene.word());
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(outcome.json()["run"]["outcome"], "removed");
        let all = scene.everything();
        assert!(scene.orphans.iter().all(|key| scene.trashed(key).is_none()), "{:?}", all.keys());
        assert!(all.contains_key(strange), "the ledger does not know it");
        assert_eq!(all.len(), 41, "{:?}", all.keys());
        scene.expect_wanted_untouched(40);
        let removals = scene.removals(&first);
        assert!(removals.values().all(|outcome| outcome == "purged"), "{removals:?}");
        assert_eq!(terminal::run_without_prompt(&scene.tool, &["--execute"]).code, 0, "it is gone once");
    }
}

/// Due trash counts towards no limit.
#[test]
fn due_trash_counts_towards_no_limit() {
    let scene = Scene::on_s3();
    scene.executed();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    scene.configure("[trash]\nkeep = \"0s\"\n[safety]\nmax_removals = 0\nmax_percent = 0");
    let outcome = scene.execute(&[]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.everything().len(), 40);
}

/// Due trash is due by the ledger's time of the removal, not by the age of the file.
#[test]
fn trash_is_kept_from_its_removal_on() {
    for scene in Scene::on_both() {
        // The files are 90 days old, and were removed just now.
        scene.configure("[trash]\nkeep = \"1d\"");
        scene.executed();
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert!(scene.orphans.iter().all(|key| scene.trashed(key).is_some()));
    }
}

/// Due trash whose key a row names again, and whose file is nowhere else, is the last of it.
#[test]
fn due_trash_that_is_wanted_again_is_not_lost() {
    for scene in Scene::on_both() {
        scene.executed();
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let key = &scene.orphans[0];
        scene.insert(std::slice::from_ref(key));
        scene.configure("[trash]\nkeep = \"0s\"");
        let outcome = scene.execute(&[]);
        assert!([0, 3].contains(&outcome.code), "{outcome:#?}");
        let saved = scene.trashed(key).is_some() || scene.everything().contains_key(key);
        assert!(saved, "a row names {key}, and its last copy is gone: {outcome:#?}");
    }
}

/// A row that names a file in the trash has not lost it: the row is held, and says how the file comes back.
#[test]
fn a_row_whose_file_is_in_the_trash_is_held() {
    for scene in Scene::on_both() {
        scene.executed();
        let key = &scene.orphans[0];
        scene.insert(std::slice::from_ref(key));
        let report = scene.run(&["--format", "json"]).json();
        assert_eq!(keys_of(&report, "orphaned-record"), std::slice::from_ref(key), "{report:#}");
        let held = report["findings"][0]["held"].as_str().unwrap_or_default();
        assert!(held.contains("in the trash") && held.contains("restore"), "{report:#}");
    }
}

/// Three files that are in the trash, due, and nothing else to remove.
fn with_due_trash(safety: &str) -> Scene {
    let scene = Scene::on_s3();
    scene.executed();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    scene.configure(&format!("[trash]\nkeep = \"0s\"\n[safety]\n{safety}"));
    scene
}

/// Beside files of a forgotten table, and beside a source of keys that gives nothing, due trash stays: it may be wanted.
#[test]
fn due_trash_stays_beside_what_is_in_doubt() {
    let scene = with_due_trash("");
    (0..5).for_each(|number| scene.put(&format!("avatars/{number}.png")));
    assert_eq!(terminal::run_without_prompt(&scene.tool, &["--execute"]).code, 0, "there is nothing to remove");
    assert!(scene.orphans.iter().all(|key| scene.trashed(key).is_some()));

    scene.configure("[trash]\nkeep = \"0s\"\n[safety]\nunknown_prefixes = [\"avatars\"]\nmax_percent = 100");
    assert_eq!(scene.executed()["removals"]["purged"], 3, "the configuration has lifted it");
}

/// Due trash stays that a value without an object may be a spelling of, and the report says so; the rest goes.
#[test]
fn due_trash_that_looks_like_a_value_stays() {
    let scene = with_due_trash("");
    let spelt = format!("/{}", scene.orphans[0].to_uppercase());
    scene.database.run(&format!("INSERT INTO assets (storage_key) VALUES ('{spelt}')"));
    let report = scene.executed();
    assert_eq!(report["removals"]["purged"], 2, "{report:#}");
    assert!(scene.trashed(&scene.orphans[0]).is_some() && scene.trashed(&scene.orphans[1]).is_none());
    let warnings = report["warnings"].as_array().expect("warnings");
    assert!(
        warnings.iter().any(|warning| warning.as_str().is_some_and(|warning| warning.contains(&spelt))),
        "{report:#}"
    );
}

/// Due trash that the store refuses to delete is a failure of that file alone, and stays on record.
#[test]
fn due_trash_that_is_refused_stays_on_record() {
    let scene = with_due_trash("");
    let place = scene.trashed(&scene.orphans[1]).expect("in the trash");
    scene.server().bucket.refuse_to_delete(&place);
    let outcome = scene.execute(&["--format", "json"]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert_eq!(outcome.json()["removals"]["failed"], 1, "{outcome:#?}");
    let said = scene.all_removals();
    assert_eq!(said[&scene.orphans[1]], ["trashed"], "{said:?}");
    assert_eq!(said[&scene.orphans[0]], ["purged"], "{said:?}");
}

/// The rate of deletes holds for due trash too.
#[test]
fn due_trash_keeps_to_the_rate() {
    let scene = with_due_trash("max_deletes_per_second = 1");
    let mut terminal = Terminal::start(&scene.tool, &["--execute"]);
    assert!(terminal.prompt());
    let start = std::time::Instant::now();
    assert_eq!(terminal.answer(scene.word()).code, 0);
    assert!(start.elapsed() >= std::time::Duration::from_millis(1_900), "{:?}", start.elapsed());
}

/// A lock that was lost while the prompt waited: another run may be at work, and due trash stays.
#[test]
fn due_trash_stays_where_the_lock_was_lost() {
    let scene = with_due_trash("");
    let before = scene.everything();
    let mut terminal = Terminal::start(&scene.tool, &["--execute"]);
    assert!(terminal.prompt());
    std::fs::remove_file(scene.tool.path("ledger.lock")).expect("the lock");
    let outcome = terminal.answer(scene.word());
    assert_eq!(outcome.code, 1, "{outcome:#?}");
    assert_eq!(scene.everything(), before);
}

/// Ctrl-C in the last batch of files: due trash is left for another run.
#[test]
fn ctrl_c_leaves_due_trash() {
    let scene = with_due_trash("");
    scene.put("assets/another.png");
    let mut terminal = Terminal::start(&scene.tool, &["--execute"]);
    assert!(terminal.prompt());
    let ctrl_c = terminal.ctrl_c();
    scene.server().before(Call::Copy, move |_| {
        ctrl_c();
        std::thread::sleep(std::time::Duration::from_millis(500));
    });
    let outcome = terminal.answer(scene.word());
    assert_eq!(outcome.code, 130, "{outcome:#?}");
    assert!(scene.trashed("assets/another.png").is_some(), "the batch in hand is finished: {outcome:#?}");
    assert!(scene.orphans.iter().all(|key| scene.trashed(key).is_some()), "{outcome:#?}");
}

/// Trash that somebody took away is not counted as removed by the run for which it is due.
#[test]
fn due_trash_that_is_not_there_any_more_is_not_counted() {
    let scene = Scene::on_local();
    scene.executed();
    let place = scene.trashed(&scene.orphans[0]).expect("it is in the trash");
    std::fs::remove_file(scene.root().join(place)).expect("a file in the trash");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    scene.configure("[trash]\nkeep = \"0s\"");
    let removals = &scene.executed()["removals"];
    assert_eq!((&removals["purged"], &removals["skipped"]), (&2.into(), &1.into()), "{removals:#}");
}
