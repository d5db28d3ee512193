//! What changes between the report and the removal: what became wanted, or is another file now, stays (I8).

use std::time::SystemTime;

use serde_json::Value;

use super::scene::{Scene, bytes_of};
use crate::support::s3::{days, hours_ago};
use crate::support::servers::Database;
use crate::support::terminal::Terminal;
use crate::support::tool::Outcome;

pub const FOR_GOOD: &str = "[trash]\nenabled = false";

/// Runs `--execute` in JSON; `meanwhile` happens while the prompt waits.
fn execute_with(scene: &Scene, meanwhile: impl FnOnce()) -> Outcome {
    let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
    assert!(terminal.prompt());
    meanwhile();
    let outcome = terminal.answer(scene.word());
    scene.expect_no_secret(&outcome);
    outcome
}

/// Expects that `key` was left where it is, untouched by any call, and that the two others are gone.
pub fn expect_skipped(scene: &Scene, outcome: &Outcome, key: &str, bytes: &str) {
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["removals"]["skipped"], 1, "{report:#}");
    assert_eq!(report["removals"]["failed"], 0, "{report:#}");
    let removed = &report["removals"];
    let removed = removed["files_trashed"].as_u64().unwrap_or(0) + removed["files_deleted"].as_u64().unwrap_or(0);
    assert_eq!(removed, 2, "{report:#}");
    let all = scene.everything();
    assert_eq!(all.get(key).map(Vec::as_slice), Some(bytes.as_bytes()), "{key} stays");
    assert_eq!(scene.trashed(key), None, "what stays is not in the trash as well");
    assert!(scene.orphans.iter().filter(|orphan| *orphan != key).all(|orphan| !all.contains_key(orphan)));
    assert_eq!(scene.removals(&report["run"]["id"])[key], "skipped");
    scene.expect_wanted_untouched(40);
}

/// A row that starts to name the file while the prompt waits: the file stays.
#[test]
fn a_row_that_appears_after_the_report_saves_its_file() {
    for sections in ["", FOR_GOOD] {
        for scene in Scene::on_both() {
            scene.configure(sections);
            let key = scene.orphans[1].clone();
            let outcome = execute_with(&scene, || scene.insert(std::slice::from_ref(&key)));
            expect_skipped(&scene, &outcome, &key, &bytes_of(&key));
        }
    }
}

/// The same of a reference: one that is asked by key, and a query that must be streamed again.
#[test]
fn a_reference_that_appears_after_the_report_saves_its_file() {
    let references = ["table = \"users\"\nkey = \"avatar\"", "query = \"SELECT avatar FROM users\""];
    for (reference, sections) in references.iter().flat_map(|reference| [(reference, ""), (reference, FOR_GOOD)]) {
        let scene = Scene::on_s3();
        scene.database.run("CREATE TABLE users (id INTEGER PRIMARY KEY, avatar TEXT)");
        scene.configure(&format!("[[references]]\n{reference}\nmay_be_empty = true\n{sections}"));
        let key = scene.orphans[1].clone();
        let outcome =
            execute_with(&scene, || scene.database.run(&format!("INSERT INTO users (avatar) VALUES ('{key}')")));
        expect_skipped(&scene, &outcome, &key, &bytes_of(&key));
    }
}

/// Other bytes under the same key, of the same length and as old: the etag tells.
#[test]
fn a_file_uploaded_with_other_bytes_stays() {
    for sections in ["", FOR_GOOD] {
        let scene = Scene::on_s3();
        scene.configure(sections);
        let key = scene.orphans[1].clone();
        let stored = scene.server().bucket.get(&key).expect("the orphan").modified;
        let other = bytes_of(&key).replace("picture", "PICTURE");
        let outcome = execute_with(&scene, || scene.put_bytes(&key, &other, stored));
        expect_skipped(&scene, &outcome, &key, &other);
    }
}

/// The same bytes uploaded once more: the time tells, in a bucket and in a folder.
#[test]
fn a_file_uploaded_again_stays() {
    for sections in ["", FOR_GOOD] {
        for scene in Scene::on_both() {
            scene.configure(sections);
            let key = scene.orphans[1].clone();
            let outcome = execute_with(&scene, || scene.put_bytes(&key, &bytes_of(&key), hours_ago(0)));
            expect_skipped(&scene, &outcome, &key, &bytes_of(&key));
        }
    }
}

/// Bytes of another length under the same key, as old as the first: where there is no etag, the size tells.
#[test]
fn a_file_of_another_size_stays() {
    for sections in ["", FOR_GOOD] {
        for scene in Scene::on_both() {
            scene.configure(sections);
            let (key, old) = (scene.orphans[1].clone(), SystemTime::now() - days(90));
            scene.put_bytes(&key, &bytes_of(&key), old);
            let outcome = execute_with(&scene, || scene.put_bytes(&key, "longer than any picture that was here", old));
            expect_skipped(&scene, &outcome, &key, "longer than any picture that was here");
        }
    }
}

/// A file that somebody else removed while the prompt waited is not counted as removed by us.
#[test]
fn a_file_that_is_gone_already_is_not_counted() {
    let scene = Scene::on_s3();
    let key = scene.orphans[1].clone();
    let outcome = execute_with(&scene, || drop(scene.server().bucket.remove(&key)));
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(outcome.json()["removals"]["files_trashed"], 2, "{outcome:#?}");
}

/// The database is gone when it is asked again: nothing is removed, and the run fails.
#[test]
fn a_database_that_does_not_answer_again_removes_nothing() {
    for scene in Scene::on_both() {
        let (before, hidden) = (scene.everything(), scene.tool.path("hidden.db"));
        let outcome = execute_with(&scene, || std::fs::rename(scene.database.file(), &hidden).expect("the database"));
        assert_eq!(outcome.code, 1, "{outcome:#?}");
        assert_eq!(outcome.json()["run"]["outcome"], "failed", "{outcome:#?}");
        assert_eq!(scene.everything(), before);
        std::fs::rename(&hidden, scene.database.file()).expect("the database");
        assert_eq!(scene.executed()["removals"]["files_trashed"], 3);
    }
}

/// The lock file is replaced while the prompt waits: another run may be at work, and nothing is removed.
#[test]
fn a_lock_that_was_lost_removes_nothing() {
    let scene = Scene::on_s3();
    let outcome = execute_with(&scene, || {
        let lock =
            std::fs::read_dir(scene.tool.home()).expect("the folder").map(|entry| entry.expect("an entry").path());
        let lock = lock.into_iter().find(|path| path.extension().is_some_and(|end| end == "lock")).expect("the lock");
        std::fs::remove_file(lock).expect("the lock");
    });
    assert_eq!(outcome.code, 1, "{outcome:#?}");
    assert_eq!(outcome.json()["removals"]["files_trashed"], Value::from(0));
    assert_eq!(scene.server().writing_calls().len(), 0);
}
