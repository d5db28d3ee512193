//! Rows whose files are gone: reported, deleted or updated, as `missing_file` says; and kept where a file is there after
//! all.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::on_every_engine;
use super::scene::{Engine, NO_LIMITS, Scene, expect};
use crate::support::s3::{Call, days};
use crate::support::terminal::{self, Terminal};

on_every_engine!(
    reported,
    deleted,
    updated,
    a_file_that_a_look_finds_keeps_its_row,
    a_file_that_appears_while_the_prompt_waits_keeps_its_row,
    a_file_that_appears_as_its_row_is_removed_brings_it_back,
);

const LIVE: [&str; 3] = ["live/1.png", "live/2.png", "live/3.png"];
const LINES: [(&str, &str, &str, &str); 2] =
    [("orphaned-record", "lost.png", "assets", "4"), ("orphaned-record", "lost.png", "assets", "5")];

/// Two old rows of one lost file, a young one of another, and one that owns nothing.
fn lost(engine: Engine, missing_file: &str) -> Scene {
    let scene = Scene::of_assets(engine, &format!("where = \"status <> 'missing'\"\n{missing_file}\n"));
    scene.asset(4, "lost.png", "live", "NULL");
    scene.asset(5, "lost.png", "live", "NULL");
    scene.asset(6, "lost-too.png", "missing", "NULL");
    scene.run("INSERT INTO assets VALUES (7, 'young.png', {ago 23h}, 'live', NULL)");
    scene
}

fn reported(engine: Engine) {
    for missing_file in ["", "missing_file = \"report\""] {
        let scene = lost(engine, missing_file);
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        expect(&outcome.json(), &LINES);
        assert_eq!(scene.ids("assets").len(), 7);
    }
}

fn deleted(engine: Engine) {
    let scene = lost(engine, "missing_file = \"delete\"");
    let report = scene.executed();
    expect(&report, &LINES);
    assert_eq!(report["removals"]["records_deleted"], 2);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "6", "7"]);
    scene.expect_files(&LIVE);
    scene.expect_nothing_left();
}

fn updated(engine: Engine) {
    let scene = lost(engine, "missing_file = { set = { status = \"missing\" } }");
    let report = scene.executed();
    expect(&report, &LINES);
    assert_eq!(report["removals"]["records_updated"], 2);
    assert_eq!(report["removals"]["records_deleted"], 0);
    let statuses = ["live", "live", "live", "missing", "missing", "missing", "live"];
    assert_eq!(scene.texts("SELECT status FROM assets ORDER BY id"), statuses);
    scene.expect_nothing_left();
}

/// The application on a bucket, whose row 4 has lost its file. The file is put back just before the HEAD with this
/// number, if any.
fn on_s3(engine: Engine, missing_file: &str, put_before: Option<usize>) -> Scene {
    let scene = Scene::on_s3(engine);
    scene.run("CREATE TABLE assets (id {id}, storage_key {text}, created_at {time}, status {text}, ended_at {time})");
    for (id, key) in (1..).zip(LIVE) {
        scene.asset(id, key, "live", "NULL");
        scene.put(key);
    }
    scene.asset(4, "lost.png", "live", "NULL");
    scene.configure_assets(&format!("missing_file = {missing_file}\n"), NO_LIMITS);
    let server = scene.server.as_ref().expect("a server");
    let (bucket, heads) = (server.bucket.clone(), AtomicUsize::new(0));
    server.before(Call::Head, move |seen| {
        if seen.key == "lost.png" && Some(heads.fetch_add(1, Ordering::SeqCst) + 1) == put_before {
            bucket.put("lost.png", "found", std::time::SystemTime::now() - days(1));
        }
    });
    scene
}

const WAYS: [&str; 2] = ["\"delete\"", "{ set = { status = \"missing\" } }"];

fn a_file_that_a_look_finds_keeps_its_row(engine: Engine) {
    for way in WAYS {
        let scene = on_s3(engine, way, Some(1));
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        expect(&outcome.json(), &[]);
        assert!(scene.files().contains("lost.png"), "the look came");
        assert_eq!(scene.texts("SELECT status FROM assets"), ["live"; 4]);
    }
}

fn a_file_that_appears_while_the_prompt_waits_keeps_its_row(engine: Engine) {
    for way in WAYS {
        let scene = on_s3(engine, way, None);
        let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
        assert!(terminal.prompt(), "{}", terminal.shown);
        scene.put("lost.png");
        let outcome = terminal.answer("uploads");
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        let removals = &outcome.json()["removals"];
        assert_eq!((&removals["skipped"], &removals["put_back"]), (&1.into(), &0.into()), "{outcome:#?}");
        assert_eq!(scene.texts("SELECT status FROM assets"), ["live"; 4]);
    }
}

/// The third look comes after the row is gone.
fn a_file_that_appears_as_its_row_is_removed_brings_it_back(engine: Engine) {
    for way in WAYS {
        let scene = on_s3(engine, way, Some(3));
        let whole = |scene: &Scene| -> Vec<Vec<String>> {
            let columns = ["id", "storage_key", "created_at", "status"].map(|column| scene.as_text(column));
            columns.iter().map(|column| scene.texts(&format!("SELECT {column} FROM assets WHERE id = 4"))).collect()
        };
        let before = whole(&scene);
        let report = scene.executed();
        let removals = &report["removals"];
        assert_eq!(removals["put_back"], 1, "{report:#}");
        assert_eq!((&removals["records_deleted"], &removals["records_updated"]), (&0.into(), &0.into()));
        assert_eq!(whole(&scene), before);
        assert!(before.iter().all(|column| column.len() == 1), "{before:?}");
        scene.expect_nothing_left();
    }
}
