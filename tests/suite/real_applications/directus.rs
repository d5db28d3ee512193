//! Directus on SQLite in a folder, and on PostgreSQL in a bucket: transformations beside their originals.

use super::scene::{Scene, blocks};
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;

/// As Directus 11 makes it, without columns that say nothing of files; the engines' own types stand between braces.
const TABLE: &str = "
    CREATE TABLE directus_files (
        id {uuid} NOT NULL PRIMARY KEY,
        storage varchar(255) NOT NULL,
        filename_disk varchar(255),
        filename_download varchar(255) NOT NULL,
        title varchar(255),
        type varchar(255),
        folder {uuid},
        uploaded_by {uuid},
        created_on {time} DEFAULT CURRENT_TIMESTAMP NOT NULL,
        modified_by {uuid},
        modified_on {time} DEFAULT CURRENT_TIMESTAMP NOT NULL,
        filesize bigint,
        tus_id varchar(64),
        tus_data json,
        uploaded_on {time}
    )";

const PICTURE: &str = "0fca80c4-d61c-4404-9fd7-6ba86b64154d";
const REPORT: &str = "45f6a5f9-2e1b-4d71-9f43-6f3d3c0cbd64";
const DRAWING: &str = "5f6e2f35-6a9c-47a9-8b1c-3fb8bfa5f6a2";
const LOST: &str = "9b2d7f80-27f5-4ac1-8a5a-6bd0d9d6d2f1";
const IN_A_CLOUD: &str = "c1f2e3d4-0a1b-4c2d-8e3f-405162738495";
const GONE: &str = "e7c9a1b3-5d2f-4e6a-9b8c-7d6e5f4a3b2c";
const HASH: &str = "1b4f0e9851971998e732078544c96b36c3d01ced";
const OTHER_HASH: &str = "60303ae22b998861bce3b28f33eec1be758a213c";

#[test]
fn directus_in_a_folder() {
    let database = Sqlite::new();
    database.run(&TABLE.replace("{uuid}", "char(36)").replace("{time}", "datetime"));
    let blocks = blocks("Directus");
    // Directus keeps milliseconds in SQLite.
    assert_exact(&database, "(unixepoch() - 90 * 86400) * 1000", || Scene::in_a_folder(&database, &blocks));
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn directus_in_a_bucket() {
    let database = Postgres::new();
    database.run(&TABLE.replace("{uuid}", "uuid").replace("{time}", "timestamp with time zone"));
    let blocks = blocks("Directus");
    assert_exact(&database, "now() - interval '90 days'", || Scene::in_a_bucket(&database, &blocks));
}

fn assert_exact(database: &dyn Database, made: &str, scene: impl FnOnce() -> Scene) {
    let files = [
        (PICTURE, "local", ".jpg"),
        (REPORT, "local", ".pdf"),
        (DRAWING, "local", ".png"),
        (LOST, "local", ".jpg"),
        (IN_A_CLOUD, "cloud", ".jpg"),
    ];
    for (id, storage, extension) in files {
        database.run(&format!(
            "INSERT INTO directus_files (id, storage, filename_disk, filename_download, type, created_on, uploaded_on) \
             VALUES ('{id}', '{storage}', '{id}{extension}', 'a name{extension}', 'image/jpeg', {made}, {made})"
        ));
    }
    let scene = scene();
    let live = [
        format!("{PICTURE}.jpg"),
        format!("{PICTURE}__{HASH}.jpg"),
        format!("{PICTURE}__{OTHER_HASH}.webp"),
        format!("{REPORT}.pdf"),
        format!("{DRAWING}.png"),
        format!("{DRAWING}__{HASH}.avif"),
        // Of the lost picture.
        format!("{LOST}__{HASH}.jpg"),
    ];
    let orphans = [
        format!("{GONE}.jpg"),
        format!("{GONE}__{HASH}.jpg"),
        format!("{GONE}__{OTHER_HASH}.webp"),
        // Of a replacement that failed.
        format!("temp_{PICTURE}.jpg"),
        // Of a file that has moved to another storage.
        format!("{IN_A_CLOUD}__{HASH}.jpg"),
    ];
    scene.put(&live.iter().chain(&orphans).map(String::as_str).collect::<Vec<_>>());

    let orphans: Vec<&str> = orphans.iter().map(String::as_str).collect();
    scene.finds_and_removes_exactly(&orphans, &[("directus_files", LOST, &format!("{LOST}.jpg"))]);
}
