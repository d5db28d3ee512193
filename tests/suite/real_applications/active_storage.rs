//! Rails Active Storage: a row a blob, variants that no row tracks, blobs that nothing is attached to, and the Disk service.

use super::scene::{Scene, blocks};
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;

/// As `rails active_storage:install` makes them.
const TABLES: &str = "
    CREATE TABLE active_storage_blobs (
        id bigserial PRIMARY KEY,
        key character varying NOT NULL,
        filename character varying NOT NULL,
        content_type character varying,
        metadata text,
        service_name character varying NOT NULL,
        byte_size bigint NOT NULL,
        checksum character varying,
        created_at timestamp(6) without time zone NOT NULL
    );
    CREATE UNIQUE INDEX index_active_storage_blobs_on_key ON active_storage_blobs (key);
    CREATE TABLE active_storage_attachments (
        id bigserial PRIMARY KEY,
        name character varying NOT NULL,
        record_type character varying NOT NULL,
        record_id bigint NOT NULL,
        blob_id bigint NOT NULL REFERENCES active_storage_blobs (id),
        created_at timestamp(6) without time zone NOT NULL
    );
    CREATE TABLE active_storage_variant_records (
        id bigserial PRIMARY KEY,
        blob_id bigint NOT NULL REFERENCES active_storage_blobs (id),
        variation_digest character varying NOT NULL
    );";

const PICTURE: &str = "9xk2m4vq7t1bz8n5r3c6w0ydhjla";
const REPORT: &str = "a0s8d7f6g5h4j3k2l1z0x9c8v7b6";
const TRACKED_VARIANT: &str = "m1n2b3v4c5x6z7l8k9j0h1g2f3d4";
const LOST: &str = "q1w2e3r4t5y6u7i8o9p0a1s2d3f4";
const MIRRORED: &str = "b2n3m4k5l6j7h8g9f0d1s2a3p4o5";
const ON_DISK: &str = "z9y8x7w6v5u4t3s2r1q0p9o8n7m6";
const GONE: &str = "k5j4h3g2f1d0s9a8p7o6i5u4y3t2";
const DIGEST: &str = "1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014";
const OTHER_DIGEST: &str = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

/// Makes blobs: id, key, service and how many days old they are.
fn insert(database: &dyn Database, blobs: &[(u32, &str, &str, u32)]) {
    for (id, key, service, days) in blobs {
        let made = match database.url().starts_with("sqlite") {
            true => format!("datetime('now', '-{days} days')"),
            false => format!("now() - interval '{days} days'"),
        };
        database.run(&format!(
            "INSERT INTO active_storage_blobs VALUES ({id}, '{key}', 'picture.png', 'image/png', '{{\"identified\":true}}', \
             '{service}', 7, 'rL0Y20zC+Fzt72VPzMSk2A==', {made})"
        ));
    }
}

/// Attaches blobs to a user.
fn attach(database: &dyn Database, blobs: &[u32]) {
    for id in blobs {
        database.run(&format!(
            "INSERT INTO active_storage_attachments (name, record_type, record_id, blob_id, created_at) \
             VALUES ('photos', 'User', 1, {id}, CURRENT_TIMESTAMP)"
        ));
    }
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn rails_active_storage() {
    let database = Postgres::new();
    database.run(TABLES);
    let blobs = [
        (1, PICTURE, "amazon", 90),
        (2, REPORT, "amazon", 90),
        (3, TRACKED_VARIANT, "amazon", 90),
        (4, LOST, "amazon", 90),
        (5, ON_DISK, "local", 90),
        (6, MIRRORED, "mirror", 90),
    ];
    insert(&database, &blobs);
    database.run("INSERT INTO active_storage_variant_records VALUES (1, 1, 'a-digest')");
    let variant = |key: &str, digest: &str| format!("variants/{key}/{digest}");
    let scene = Scene::in_a_bucket(&database, &blocks("Rails Active Storage")[..1]);
    scene.put(&[PICTURE, REPORT, TRACKED_VARIANT, MIRRORED, GONE]);
    scene.put(&[&variant(PICTURE, DIGEST), &variant(PICTURE, OTHER_DIGEST), &variant(REPORT, DIGEST)]);
    scene.put(&[&variant(MIRRORED, DIGEST)]);
    // Its row is there: it can be made again from a backup of its blob, and is no business of ours.
    scene.put(&[&variant(LOST, DIGEST)]);
    scene.put(&[&variant(GONE, DIGEST), &variant(GONE, OTHER_DIGEST)]);

    scene.finds_and_removes_exactly(
        &[GONE, &variant(GONE, DIGEST), &variant(GONE, OTHER_DIGEST)],
        &[("active_storage_blobs", "4", LOST)],
    );
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn rails_blobs_that_are_attached_to_nothing_go_with_their_rows() {
    const UNATTACHED: &str = "c1v2b3n4m5k6l7j8h9g0f1d2s3a4";
    const NEVER_SENT: &str = "d1f2g3h4j5k6l7z8x9c0v1b2n3m4";
    const RECENT: &str = "e1r2t3y4u5i6o7p8a9s0d1f2g3h4";
    const OF_NOTHING_WITH_VARIANT: &str = "f1d2s3a4q5w6e7r8t9y0u1i2o3p4";
    let database = Postgres::new();
    database.run(TABLES);
    let blobs = [
        (1, PICTURE, "amazon", 90),
        (2, TRACKED_VARIANT, "amazon", 90),
        (3, LOST, "amazon", 90),
        (4, UNATTACHED, "amazon", 90),
        (5, NEVER_SENT, "amazon", 90),
        // A form that is still being filled in.
        (6, RECENT, "amazon", 1),
        (7, OF_NOTHING_WITH_VARIANT, "amazon", 90),
        (8, ON_DISK, "local", 90),
    ];
    insert(&database, &blobs);
    attach(&database, &[1, 2, 3]);
    database.run("INSERT INTO active_storage_variant_records VALUES (1, 7, 'a-digest')");
    let scene = Scene::in_a_bucket(&database, &blocks("Rails Active Storage")[..2]);
    scene.put(&[PICTURE, TRACKED_VARIANT, UNATTACHED, RECENT, OF_NOTHING_WITH_VARIANT, GONE]);
    // It is wanted no longer than its blob.
    let variant = format!("variants/{UNATTACHED}/{DIGEST}");
    scene.put(&[&variant]);

    scene.condemns_and_removes_exactly(
        &[GONE, &variant],
        &[("active_storage_blobs", "3", LOST)],
        "unattached",
        &[("active_storage_blobs", "4", UNATTACHED), ("active_storage_blobs", "5", NEVER_SENT)],
    );
}

#[test]
fn rails_disk_service() {
    let database = Sqlite::new();
    database.run(&TABLES.replace("bigserial", "integer").replace("timestamp(6) without time zone", "datetime(6)"));
    let blobs = [
        (1, PICTURE, "local", 90),
        (2, REPORT, "local", 90),
        (3, TRACKED_VARIANT, "local", 90),
        (4, LOST, "local", 90),
        (5, MIRRORED, "amazon", 90),
    ];
    insert(&database, &blobs);
    let file = |key: &str| format!("{}/{}/{key}", &key[..2], &key[2..4]);
    let variant = |key: &str, digest: &str| format!("va/ri/variants/{key}/{digest}");
    let scene = Scene::in_a_folder(&database, &blocks("Rails Active Storage")[2..]);
    scene.put(&[&file(PICTURE), &file(REPORT), &file(TRACKED_VARIANT)]);
    scene.put(&[&variant(PICTURE, DIGEST), &variant(REPORT, OTHER_DIGEST), &variant(LOST, DIGEST)]);
    // As `rails new` and Rails 8's database.yml make them.
    scene.put(&[".keep", "production.sqlite3", "production.sqlite3-wal", "production_queue.sqlite3"]);
    let orphans = [file(GONE), variant(GONE, DIGEST), variant(GONE, OTHER_DIGEST)];
    let orphans: Vec<&str> = orphans.iter().map(String::as_str).collect();
    scene.put(&orphans);

    scene.finds_and_removes_exactly(&orphans, &[("active_storage_blobs", "4", &file(LOST))]);
}
