//! Rails Active Storage on PostgreSQL: a row a blob, and variants that no row tracks.

use super::scene::{Scene, blocks};
use crate::support::postgres::Postgres;
use crate::support::servers::Database;

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
const ON_DISK: &str = "z9y8x7w6v5u4t3s2r1q0p9o8n7m6";
const GONE: &str = "k5j4h3g2f1d0s9a8p7o6i5u4y3t2";
const DIGEST: &str = "1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014";
const OTHER_DIGEST: &str = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn rails_active_storage() {
    let database = Postgres::new();
    database.run(TABLES);
    let blobs = [
        (1, PICTURE, "amazon"),
        (2, REPORT, "amazon"),
        (3, TRACKED_VARIANT, "amazon"),
        (4, LOST, "amazon"),
        (5, ON_DISK, "local"),
    ];
    for (id, key, service) in blobs {
        database.run(&format!(
            "INSERT INTO active_storage_blobs VALUES ({id}, '{key}', 'picture.png', 'image/png', '{{\"identified\":true}}', \
             '{service}', 7, 'rL0Y20zC+Fzt72VPzMSk2A==', now() - interval '90 days')"
        ));
    }
    database.run("INSERT INTO active_storage_variant_records VALUES (1, 1, 'a-digest')");
    let variant = |key: &str, digest: &str| format!("variants/{key}/{digest}");
    let scene = Scene::in_a_bucket(&database, &blocks("Rails Active Storage"));
    scene.put(&[PICTURE, REPORT, TRACKED_VARIANT, GONE]);
    scene.put(&[&variant(PICTURE, DIGEST), &variant(PICTURE, OTHER_DIGEST), &variant(REPORT, DIGEST)]);
    // Its row is there: it can be made again from a backup of its blob, and is no business of ours.
    scene.put(&[&variant(LOST, DIGEST)]);
    scene.put(&[&variant(GONE, DIGEST), &variant(GONE, OTHER_DIGEST)]);

    scene.finds_and_removes_exactly(
        &[GONE, &variant(GONE, DIGEST), &variant(GONE, OTHER_DIGEST)],
        &[("active_storage_blobs", "4", LOST)],
    );
}
