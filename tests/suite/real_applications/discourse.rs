//! Discourse on PostgreSQL: three forms of URL, and optimized images beside their originals.

use super::scene::{Scene, blocks};
use crate::support::postgres::Postgres;
use crate::support::servers::Database;

/// As Discourse's migrations make them, without columns that say nothing of files.
const TABLES: &str = "
    CREATE TABLE uploads (
        id serial PRIMARY KEY,
        user_id integer NOT NULL,
        original_filename character varying NOT NULL,
        filesize bigint NOT NULL,
        width integer,
        height integer,
        url character varying NOT NULL,
        created_at timestamp without time zone NOT NULL,
        updated_at timestamp without time zone NOT NULL,
        sha1 character varying(40),
        origin character varying(1000),
        extension character varying(10),
        secure boolean DEFAULT false NOT NULL
    );
    CREATE INDEX index_uploads_on_url ON uploads (url);
    CREATE TABLE optimized_images (
        id serial PRIMARY KEY,
        sha1 character varying(40) NOT NULL,
        extension character varying(10) NOT NULL,
        width integer NOT NULL,
        height integer NOT NULL,
        upload_id integer NOT NULL,
        url character varying NOT NULL,
        version integer
    );";

const OF_EMOJI: &str = "original/1X/356a192b7913b04c54574d18c28d46e6395428ab.png";
const OF_BUCKET: &str = "original/2X/d/da4b9237bacccdf19c0760cab7aec4a8359010b0.jpeg";
const OF_CDN: &str = "original/3X/7/7/77de68daecd823babbb58edb1c8e14d7106e83bb.gif";
const LOST: &str = "original/1X/1b6453892473a467d07372d45eb05abc2031647a.png";

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn discourse() {
    let database = Postgres::new();
    database.run(TABLES);
    let uploads = [
        (-1, "/images/discourse-logo-sketch.png".to_owned()),
        (1, format!("/uploads/default/{OF_EMOJI}")),
        (2, format!("//forum-uploads.s3.dualstack.eu-west-1.amazonaws.com/{OF_BUCKET}")),
        (3, format!("https://cdn.example.com/{OF_CDN}")),
        (4, format!("//forum-uploads.s3.dualstack.eu-west-1.amazonaws.com/{LOST}")),
    ];
    for (id, url) in uploads {
        database.run(&format!(
            "INSERT INTO uploads (id, user_id, original_filename, filesize, url, created_at, updated_at, extension) \
             VALUES ({id}, 1, 'cat.png', 7, '{url}', now() - interval '90 days', now(), 'png')"
        ));
    }
    // The only one whose name does not tell whose it is.
    database.run(
        "INSERT INTO optimized_images VALUES (1, 'ac3478d69a3c81fa62e60f5c3696165a4e5e6ac4', '.png', 100, 100, 3, \
         '//forum-uploads.s3.dualstack.eu-west-1.amazonaws.com/optimized/1X/ac3478d69a3c81fa62e60f5c3696165a4e5e6ac4_100x100.png', 1)",
    );
    let scene = Scene::in_a_bucket(&database, &blocks("Discourse"));
    scene.put(&[
        OF_EMOJI,
        OF_BUCKET,
        OF_CDN,
        "optimized/1X/356a192b7913b04c54574d18c28d46e6395428ab_2_690x388.png",
        "optimized/2X/d/da4b9237bacccdf19c0760cab7aec4a8359010b0_2_10x10.png",
        "optimized/2X/d/da4b9237bacccdf19c0760cab7aec4a8359010b0_2_1380x776.jpeg",
        "optimized/3X/7/7/77de68daecd823babbb58edb1c8e14d7106e83bb_1_100x100.gif",
        "optimized/1X/ac3478d69a3c81fa62e60f5c3696165a4e5e6ac4_100x100.png",
        // Of the lost upload.
        "optimized/1X/1b6453892473a467d07372d45eb05abc2031647a_2_690x388.png",
        "tombstone/original/1X/902ba3cda1883801594b6e1b452790cc53948fda.png",
    ]);
    let orphans = [
        "original/1X/fe5dbbcea5ce7e2988b8c69bcfdfde8904aabc1f.png",
        "optimized/1X/fe5dbbcea5ce7e2988b8c69bcfdfde8904aabc1f_2_690x388.png",
        // Its original has gone before.
        "optimized/1X/0ade7c2cf97f75d009975f4d720d1fa6c19f4897_2_690x388.jpg",
    ];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(&orphans, &[("uploads", "4", LOST)]);
}
