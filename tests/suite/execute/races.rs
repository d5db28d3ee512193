//! An application at work while the tool removes, against real servers: it uploads, links, unlinks, links again and
//! uploads again, with `min_age = "0s"`, so that nothing but the second looks and the trash stands between the two.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::real::{self, Upload, Uploads};
use super::scene::expect_no_secret;
use crate::support::garage::Garage;
use crate::support::postgres::Postgres;
use crate::support::servers::{Database, blocking, setting};
use crate::support::terminal;

/// Cycles of the application, all workers together.
const CYCLES: usize = 240;
const WORKERS: usize = 3;
/// Keys of one worker, which it shares with nobody.
const KEYS: usize = 8;
/// Files that are always wanted, so that the two sides are a pair.
const SETTLED: usize = 20;
/// However slow the machine is.
const LIMIT: Duration = Duration::from_secs(150);

/// 200 cycles and more: no file that a row points at is unrecoverable, and those that were put back are counted.
#[test]
#[ignore = "needs PostgreSQL and Garage: run tests/run"]
fn an_application_at_work_loses_no_file_that_a_row_points_at() {
    let (database, garage) = (Postgres::new(), Garage::new());
    database
        .run("CREATE TABLE assets (id BIGSERIAL PRIMARY KEY, storage_key TEXT, created_at TIMESTAMPTZ DEFAULT now())");
    let settled: Vec<String> = (0..SETTLED).map(|number| format!("settled/{number}.png")).collect();
    let uploads = Uploads::to(&garage);
    blocking(async {
        for key in &settled {
            uploads.put(key).await;
        }
    });
    for key in &settled {
        database.run(&format!("INSERT INTO assets (storage_key) VALUES ('{key}')"));
    }
    // Slow deletes leave the application time between a copy and its delete.
    let tool = real::tool(&database.url(), &garage, "max_deletes_per_second = 15");
    let secrets = [setting("S3_SECRET_KEY"), password(&database.url())];
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();

    let (done, end, began) = (AtomicUsize::new(0), AtomicBool::new(false), Instant::now());
    let (mut runs, mut removed, mut put_back, mut skipped) = (0, 0, 0, 0);
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (url, garage, done, end) = (database.url(), &garage, &done, &end);
            scope.spawn(move || blocking(work(worker, &url, &Uploads::to(garage), done, end)));
        }
        while done.load(Ordering::SeqCst) < CYCLES && began.elapsed() < LIMIT {
            // Rows come and go within moments: a database that went back looks the same.
            let arguments = ["--execute", "--format", "json", "--accept-database"];
            let outcome = terminal::run(&tool, &arguments, &uploads.bucket);
            expect_no_secret(&tool, &outcome, &secrets);
            if ![0, 3].contains(&outcome.code) {
                end.store(true, Ordering::SeqCst);
                panic!("{outcome:#?}");
            }
            let removals = outcome.json()["removals"].take();
            let count = |name: &str| removals[name].as_u64().unwrap_or(0);
            runs += 1;
            removed += count("files_trashed");
            put_back += count("put_back");
            skipped += count("skipped");
        }
        end.store(true, Ordering::SeqCst);
    });
    let cycles = done.load(Ordering::SeqCst);
    println!("{cycles} cycles, {runs} runs: {removed} files trashed, {put_back} put back, {skipped} skipped");
    assert!(cycles >= 200, "only {cycles} cycles in {LIMIT:?}");
    assert!(removed > 0, "a race in which nothing is removed proves nothing");

    // What an open removal left behind is resolved by the next run; then every row's file is there, or can be.
    terminal::run(&tool, &["--execute"], &uploads.bucket);
    let rows = database.texts("SELECT DISTINCT storage_key FROM assets");
    let (mut present, mut restored) = (0, 0);
    for key in &rows {
        if blocking(uploads.get(key)).is_none() {
            let outcome = tool.run(&["restore", key]);
            assert_eq!(outcome.code, 0, "{key} is wanted, missing, and cannot be restored: {outcome:#?}");
            restored += 1;
        } else {
            present += 1;
        }
        assert_eq!(blocking(uploads.get(key)), Some(Upload::of(key)), "{key}");
    }
    println!("{} keys are wanted: {present} are there, {restored} came back out of the trash", rows.len());
}

/// Cycles over this worker's keys until the end is near.
async fn work(worker: usize, url: &str, uploads: &Uploads, done: &AtomicUsize, end: &AtomicBool) {
    let mut database = PgConnection::connect(url).await.expect("the database");
    // A generator of its own: cycles that differ, and are the same in every run.
    let mut seed = worker as u64 + 1;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    while !end.load(Ordering::SeqCst) {
        let key = format!("work/{worker}-{}.png", random(KEYS as u64));
        let link = format!("INSERT INTO assets (storage_key) VALUES ('{key}')");
        let unlink = format!("DELETE FROM assets WHERE storage_key = '{key}'");
        uploads.put(&key).await;
        pause(random(150)).await;
        run(&mut database, &link).await;
        pause(random(150)).await;
        run(&mut database, &unlink).await;
        pause(random(400)).await;
        // Somebody thinks better of it: the row comes back, and the file is thought to be there still.
        run(&mut database, &link).await;
        pause(random(150)).await;
        uploads.put(&key).await;
        if random(3) == 0 {
            pause(random(150)).await;
            run(&mut database, &unlink).await;
        }
        done.fetch_add(1, Ordering::SeqCst);
    }
}

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

async fn run(database: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(database).await.expect("the statement");
}

/// The password of a database's URL.
fn password(url: &str) -> String {
    let url = url::Url::parse(url).expect("a URL");
    url.password().expect("a password").to_owned()
}
