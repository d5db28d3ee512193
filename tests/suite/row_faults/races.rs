//! An application that works on rows while they are removed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

use super::{ROWS, WAITING, WAITING_FOR_ROW, at_prompt, reported, say, wait_for};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::row_scene::{BUCKET, FATES, Fate, RowScene, TRASH};
use crate::support::s3::Bucket;
use crate::support::servers::Database;
use crate::support::session::Session;
use crate::support::terminal;

/// The application has a row in hand as the tool comes to it, and takes it up again: it stays, with its file.
fn taken_up(database: Box<dyn Database>, waiting: &str, fate: Fate, number: usize) {
    let scene = RowScene::on(database, fate, ROWS);
    let mut terminal = at_prompt(&scene);
    let mut session = Session::to(&scene.database.url());
    let id = scene.id(number);
    // Still condemned, to whoever looks at it: only that it changed tells.
    session.run(&format!("BEGIN; UPDATE assets SET title = 'another' WHERE id = {id}"));
    terminal.type_line(BUCKET);
    wait_for(&*scene.database, waiting);
    session.run("COMMIT");
    let outcome = terminal.end();
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!((reported(&report), &report["removals"]["skipped"]), (ROWS as u64 - 1, &1.into()), "{outcome:#?}");
    let row = scene.table().remove(&id).expect("the row that was taken up");
    assert!(row.whole.contains("another") && row.status == "ready", "{row:?}");
    if fate.has_files() {
        scene.assert_all_went(&[number]);
    }
    scene.assert_nothing_is_lost();
    scene.assert_ledger_agrees();
}

#[test]
#[ignore = "needs PostgreSQL and MariaDB: run tests/run"]
fn a_row_that_changes_between_its_look_and_its_end_stays() {
    for fate in FATES {
        for number in [0, ROWS - 1] {
            taken_up(Box::new(Postgres::new()), WAITING, fate, number);
            taken_up(Box::new(MariaDb::new()), WAITING_FOR_ROW, fate, number);
        }
    }
    say(4 * FATES.len(), "rows that change before they go");
}

/// Cycles of the application, all workers together, and in how many runs at least they are looked at.
const CYCLES: usize = 120;
const ROUNDS: usize = 12;
const WORKERS: usize = 3;
/// Keys of one worker, which it shares with nobody.
const KEYS: usize = 5;

/// What a row points at is there, or in the trash.
fn assert_recoverable(scene: &RowScene) {
    let files = scene.files();
    for (id, row) in scene.table() {
        let copies = || files.iter().filter(|(name, content)| name.starts_with(TRASH) && **content == row.key);
        let owns = row.status == "ready";
        let is_there = files.get(&row.key) == Some(&row.key) || copies().count() > 0;
        assert!(!owns || is_there, "row {id} points at {}, which is lost; there are {:#?}", row.key, files.keys());
    }
}

/// One worker: it uploads, inserts, unlinks, links again, lets rows run out, deletes them and inserts them again, without
/// an upload where it thinks that the file is still there.
fn work(worker: usize, url: &str, bucket: &Arc<Bucket>, done: &AtomicUsize, end: &AtomicBool) {
    let mut session = Session::to(url);
    // A generator of its own: cycles that differ, and are the same in every run.
    let mut seed = worker as u64 + 1;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    while !end.load(Ordering::SeqCst) {
        let number = random(KEYS as u64) as usize;
        let worker = worker % WORKERS;
        let (id, key) = (10_000 + worker * 100 + number, format!("assets/work-{worker}-{number}.png"));
        let upload = || bucket.put(&key, &key, SystemTime::now());
        let values = |entity: &str| format!("({id}, '{key}', 'ready', {entity}, NULL, 'work', '2026-01-01')");
        let insert = |entity: &str| {
            let again = "status = 'ready', entity_id = excluded.entity_id, expiry_at = NULL";
            format!("INSERT INTO assets VALUES {} ON CONFLICT (id) DO UPDATE SET {again}", values(entity))
        };
        let mut steps: Vec<String> = match random(4) {
            // Linked a moment after it was stored.
            0 => vec![insert("NULL"), format!("UPDATE assets SET entity_id = '7' WHERE id = {id}")],
            // Let go, and taken up again.
            1 => vec![
                insert("'7'"),
                format!("UPDATE assets SET entity_id = NULL WHERE id = {id}"),
                format!("UPDATE assets SET entity_id = '8' WHERE id = {id}"),
            ],
            2 => vec![
                insert("'7'"),
                format!("UPDATE assets SET expiry_at = '2020-01-01' WHERE id = {id}"),
                format!("UPDATE assets SET expiry_at = NULL, status = 'ready' WHERE id = {id}"),
            ],
            _ => vec![insert("'7'"), format!("DELETE FROM assets WHERE id = {id}"), insert("'9'")],
        };
        match random(4) {
            0 => steps.push(format!("UPDATE assets SET entity_id = NULL WHERE id = {id}")),
            1 => steps.push(format!("UPDATE assets SET expiry_at = '2020-01-01' WHERE id = {id}")),
            _ => {}
        }
        // Half of the time the row is there before its file.
        let late = random(2) == 0;
        if !late {
            upload();
        }
        for (at, step) in steps.iter().enumerate() {
            session.run(step);
            std::thread::sleep(std::time::Duration::from_millis(random(200)));
            if late && at == 0 {
                upload();
            }
        }
        done.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn an_application_at_work_on_its_rows_loses_no_file_that_a_row_points_at() {
    let scene = RowScene::on(Box::new(Postgres::new()), Fate::Unlinked, 0);
    let path = scene.tool.path("config.toml");
    let config = std::fs::read_to_string(&path).expect("config.toml");
    std::fs::write(path, config.replace("[safety]", "[safety]\nmin_age = \"0s\"")).expect("config.toml");
    let (url, done) = (scene.database.url(), AtomicUsize::new(0));
    let (mut runs, mut counts) = (0, BTreeMap::new());
    while runs < ROUNDS || done.load(Ordering::SeqCst) < CYCLES {
        let end = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let (url, bucket, done, end) = (&url, &scene.server.bucket, &done, &end);
                scope.spawn(move || work(worker + runs * WORKERS, url, bucket, done, end));
            }
            // Two runs, so that what the one leaves open is resolved while the application is at work.
            for _ in 0..2 {
                let outcome = terminal::run(&scene.tool, &["--execute", "--format", "json"], BUCKET);
                if ![0, 3].contains(&outcome.code) {
                    end.store(true, Ordering::SeqCst);
                    panic!("{outcome:#?}");
                }
                let removals = outcome.json()["removals"].take();
                for name in ["files_trashed", "records_deleted", "records_updated", "put_back", "skipped", "failed"] {
                    *counts.entry(name).or_insert(0) += removals[name].as_u64().unwrap_or(0);
                }
            }
            end.store(true, Ordering::SeqCst);
        });
        runs += 1;
        assert_recoverable(&scene);
    }
    say(done.load(Ordering::SeqCst), &format!("cycles of an application, {} runs: {counts:?}", runs * 2));
    for name in ["files_trashed", "records_deleted", "records_updated", "skipped"] {
        assert!(counts[name] > 0, "a race without {name} proves nothing: {counts:?}");
    }

    // What a row points at and is not there comes back.
    for (id, row) in scene.table() {
        if row.status == "ready" && !scene.files().contains_key(&row.key) {
            let outcome = scene.tool.run(&["restore", &row.key]);
            assert_eq!(scene.files().get(&row.key), Some(&row.key), "row {id}: {outcome:#?}");
        }
    }
}
