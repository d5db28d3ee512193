//! What a derived file belongs to becomes wanted between the report and the removal, or during it: the file stays, or
//! comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{MANY, PREVIEW, THUMB};
use crate::execute::scene::{Scene, bytes_of};
use crate::support::s3::{Call, insert_old_rows};
use crate::support::servers::Database;
use crate::support::sqlite::run_sql;
use crate::support::terminal::Terminal;
use crate::support::tool::Outcome;

/// A rule, a file that it speaks of, and what that belongs to.
const FILES: [(&str, &str); 2] = [(PREVIEW, "assets/gone_preview.png"), (THUMB, "assets/gone.thumb")];
const OWNER: &str = "assets/gone.png";
/// A source that is asked by key, and one that must be streamed.
const REFERENCES: [&str; 2] = [
    "[[references]]\ntable = \"late\"\nkey = \"storage_key\"\nmay_be_empty = true\n",
    "[[references]]\nquery = \"SELECT '' || storage_key FROM late\"\nmay_be_empty = true\n",
];

fn scene(sections: &[&str], key: &str) -> Scene {
    let scene = Scene::on_s3();
    scene.database.run("CREATE TABLE late (storage_key TEXT)");
    scene.configure(&sections.concat());
    scene.put(key);
    scene
}

/// Runs `hook` once, before the first call of a kind.
fn once_before(scene: &Scene, call: Call, hook: impl Fn() + Send + Sync + 'static) {
    let once = AtomicBool::new(false);
    scene.server().before(call, move |_| {
        if !once.swap(true, Ordering::SeqCst) {
            hook();
        }
    });
}

/// Makes the owner wanted, by a row or by a reference.
fn wish(scene: &Scene, by_reference: bool) -> impl Fn() + Send + Sync + 'static {
    let (file, url) = (scene.database.file(), scene.database.url());
    move || match by_reference {
        true => run_sql(&url, &format!("INSERT INTO late VALUES ('{OWNER}')")),
        false => insert_old_rows(file.clone(), &[OWNER.to_owned()]),
    }
}

fn expect_there(scene: &Scene, outcome: &Outcome, key: &str, count: &str, word: &str) {
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["removals"][count], 1, "{key}: {report:#}");
    assert_eq!(report["removals"]["files_trashed"], 3, "{key}: {report:#}");
    assert_eq!(scene.everything().get(key).map(Vec::as_slice), Some(bytes_of(key).as_bytes()), "{key}: {report:#}");
    assert_eq!(scene.trashed(key), None);
    assert_eq!(scene.removals(&report["run"]["id"])[key], word);
}

/// Each source that could begin to want it: a row, and the two kinds of references.
fn sources() -> [(&'static str, bool); 3] {
    [("", false), (REFERENCES[0], true), (REFERENCES[1], true)]
}

#[test]
fn an_owner_that_is_wanted_after_the_report_keeps_its_files() {
    for (reference, by_reference) in sources() {
        for (rule, key) in FILES {
            let scene = scene(&[reference, rule], key);
            let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
            assert!(terminal.prompt());
            wish(&scene, by_reference)();
            let outcome = terminal.answer(scene.word());
            expect_there(&scene, &outcome, key, "skipped", "skipped");
        }
    }
}

#[test]
fn an_owner_that_is_wanted_during_the_removal_brings_its_files_back() {
    for (reference, by_reference) in sources() {
        for (rule, key) in FILES {
            for call in [Call::Copy, Call::DeleteMany] {
                let scene = scene(&[reference, rule], key);
                once_before(&scene, call, wish(&scene, by_reference));
                let outcome = scene.execute(&["--format", "json"]);
                let report = outcome.json();
                let all = scene.everything();
                assert_eq!(all.get(key).map(Vec::as_slice), Some(bytes_of(key).as_bytes()), "{call:?}: {report:#}");
                assert_eq!(report["removals"]["put_back"], 1, "{call:?}: {report:#}");
                assert_eq!(scene.removals(&report["run"]["id"])[key], "put-back");
                assert_eq!(scene.trashed(key), None);
            }
        }
    }
}

/// A row that names the derived file itself saves it as it saves any other.
#[test]
fn a_row_that_names_the_file_itself_keeps_it() {
    for (rule, key) in FILES {
        let scene = scene(&[rule], key);
        let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
        assert!(terminal.prompt());
        scene.insert(&[key.to_owned()]);
        let outcome = terminal.answer(scene.word());
        expect_there(&scene, &outcome, key, "skipped", "skipped");
    }
}

/// A row that a rule condemned and that changed while the prompt waited stays with its file, and so does what was made of
/// that.
#[test]
fn a_condemned_row_that_stays_keeps_the_files_of_its_file() {
    let rule = "[[records.rules]]\nname = \"old\"\nwhere = \"storage_key LIKE '%01.png' AND created_at IS NOT NULL\"\n";
    let scene = scene(&[rule, PREVIEW, MANY], "assets/000001_preview.png");
    let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
    assert!(terminal.prompt());
    scene.database.run("UPDATE assets SET created_at = datetime('now') WHERE storage_key LIKE '%01.png'");
    let outcome = terminal.answer(scene.word());
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["removals"]["records_deleted"], 0, "{report:#}");
    let all = scene.everything();
    assert!(["assets/000001.png", "assets/000001_preview.png"].iter().all(|key| all.contains_key(*key)), "{report:#}");
}

/// A run that died between the delete and the last question: the next one asks for the owner too.
#[test]
#[cfg_attr(not(feature = "failpoints"), ignore = "needs the failpoint build: run tests/run")]
fn what_a_killed_run_removed_comes_back_with_its_owner() {
    use crate::killed::process::Process;

    for (reference, by_reference) in sources() {
        for (rule, key) in FILES {
            let scene = Arc::new(scene(&[reference, rule], key));
            let marker = scene.tool.path("held");
            let environment = [
                ("CLEANUP_ASSETS_HOLD", "outcome:after:1".into()),
                ("CLEANUP_ASSETS_HOLD_FILE", marker.clone().into_os_string()),
            ];
            Process::start(&scene.tool, &["--execute"], &environment, scene.word()).kill_once(|| marker.exists());
            assert!(scene.trashed(key).is_some(), "it was removed when the run died");
            wish(&scene, by_reference)();
            let outcome = scene.execute(&["--format", "json"]);
            let all = scene.everything();
            assert_eq!(all.get(key).map(Vec::as_slice), Some(bytes_of(key).as_bytes()), "{outcome:#?}");
            assert!(scene.all_removals()[key].contains(&"put-back".to_owned()), "{:?}", scene.all_removals());
        }
    }
}
