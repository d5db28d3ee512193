//! Ten thousand files to the trash and back again, on a real server.

use std::time::Instant;

use futures::{StreamExt, stream};

use super::real::{self, Upload, Uploads};
use super::scene::expect_no_secret;
use crate::support::garage::Garage;
use crate::support::servers::{Database, blocking, setting};
use crate::support::sqlite::Sqlite;
use crate::support::terminal;

const FILES: usize = 10_000;
/// Requests of the test itself in flight.
const AT_ONCE: usize = 32;

/// Garage keeps smaller files in its table of keys, and does not copy those in parts.
const NOT_INLINE: usize = 4 * 1024;

/// `cleanup-assets restore --run RUN` brings 10,000 files back byte for byte, with content type and metadata.
#[test]
#[ignore = "needs Garage: run tests/run"]
fn ten_thousand_files_are_restored_whole() {
    are_restored_whole(FILES, Upload::of, &[], is_of_one_part);
}

/// So are files that are copied in parts, as those over 5 GB are: here every one is, on both ways.
#[test]
#[ignore = "needs Garage and the failpoint build: run tests/run"]
fn files_that_are_copied_in_parts_are_restored_whole() {
    let file = |key: &str| Upload::larger(key, 2 * NOT_INLINE);
    are_restored_whole(50, file, &["CLEANUP_ASSETS_COPY_IN_PARTS"], |etag| etag.ends_with("-3\""));
}

/// The etag of what was stored in parts ends in a dash and their number.
fn is_of_one_part(etag: &str) -> bool {
    !etag.contains('-')
}

/// `copied` says whether an etag is one that a copy is to have.
fn are_restored_whole(files: usize, file: fn(&str) -> Upload, switches: &[&str], copied: fn(&str) -> bool) {
    let (database, garage) = (Sqlite::new(), Garage::new());
    let uploads = Uploads::to(&garage);
    let mut keys: Vec<String> =
        (0..files).map(|number| format!("assets/{:02}/ä {number}+%.png", number % 37)).collect();
    keys.sort();
    let start = Instant::now();
    blocking(stream::iter(&keys).for_each_concurrent(AT_ONCE, |key| uploads.put_file(key, file(key))));
    blocking(uploads.put("assets/known.png"));
    database.run("CREATE TABLE assets (id INTEGER PRIMARY KEY, storage_key TEXT, created_at TEXT)");
    database.run("INSERT INTO assets (storage_key, created_at) VALUES ('assets/known.png', datetime('now'))");
    println!("{files} files uploaded in {:.1?}", start.elapsed());

    let tool = real::tool(&database.url(), &garage, "unknown_prefixes = [\"assets/\"]");
    let tool = switches.iter().fold(tool, |tool, switch| tool.env(switch, "4096"));
    let start = Instant::now();
    let outcome = terminal::run(&tool, &["--execute", "--format", "json"], &uploads.bucket);
    expect_no_secret(&tool, &outcome, &[&setting("S3_SECRET_KEY")]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["removals"]["files_trashed"], files, "{:#}", report["removals"]);
    assert_eq!(blocking(uploads.keys("assets/")), ["assets/known.png"]);
    expect_copies(&uploads, ".trash/", files, copied);
    println!("{files} files trashed in {:.1?}, {}", start.elapsed(), report["requests"]);

    let start = Instant::now();
    let outcome = tool.run(&["restore", "--run", &report["run"]["id"].to_string()]);
    expect_no_secret(&tool, &outcome, &[&setting("S3_SECRET_KEY")]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    println!("{files} files restored in {:.1?}", start.elapsed());
    assert_eq!(blocking(uploads.keys(".trash/")), [""; 0]);
    expect_copies(&uploads, "assets/0", keys.iter().filter(|key| key.starts_with("assets/0")).count(), copied);
    let uploads = &uploads;
    let wrong: Vec<&String> = blocking(
        stream::iter(&keys)
            .map(|key| async move { (key, uploads.get(key).await) })
            .buffer_unordered(AT_ONCE)
            .filter_map(async |(key, got)| (got != Some(file(key))).then_some(key))
            .collect(),
    );
    assert!(wrong.is_empty(), "{} files are not as they were: {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
}

/// Expects so many copies below a prefix, each made the way it was to be made.
fn expect_copies(uploads: &Uploads, prefix: &str, files: usize, copied: fn(&str) -> bool) {
    let etags = blocking(uploads.etags(prefix));
    assert_eq!(etags.len(), files, "below {prefix}");
    let other: Vec<_> = etags.iter().filter(|(_, etag)| !copied(etag)).take(5).collect();
    assert!(other.is_empty(), "copied in another way: {other:?}");
}
