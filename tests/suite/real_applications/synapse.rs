//! Synapse's media repository on PostgreSQL: local and remote media by the first letters of their ids, and thumbnails of
//! both; uploads that were announced and have not come.

use super::scene::{Scene, blocks};
use crate::support::postgres::Postgres;
use crate::support::servers::Database;

/// As Synapse's schema makes them.
const TABLES: &str = "
    CREATE TABLE local_media_repository (
        media_id text,
        media_type text,
        media_length integer,
        created_ts bigint,
        upload_name text,
        user_id text,
        quarantined_by text,
        url_cache text,
        last_access_ts bigint,
        safe_from_quarantine boolean DEFAULT false NOT NULL,
        authenticated boolean DEFAULT false NOT NULL,
        sha256 text,
        CONSTRAINT local_media_repository_media_id_key UNIQUE (media_id)
    );
    CREATE TABLE remote_media_cache (
        media_origin text,
        media_id text,
        media_type text,
        created_ts bigint,
        upload_name text,
        media_length integer,
        filesystem_id text,
        last_access_ts bigint,
        quarantined_by text,
        authenticated boolean DEFAULT false NOT NULL,
        sha256 text,
        CONSTRAINT remote_media_cache_media_origin_media_id_key UNIQUE (media_origin, media_id)
    );";

/// Ninety days ago, in milliseconds.
const MADE: &str = "(extract(epoch FROM now() - interval '90 days') * 1000)::bigint";

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn synapse() {
    let database = Postgres::new();
    database.run(TABLES);
    let local = [
        ("GerZNDnDZVjsOtardLuwfIBg", "7", "NULL"),
        ("aBcDeFgHiJkLmNoPqRsTuVwX", "7", "NULL"),
        ("aBZZeFgHiJkLmNoPqRsTuVwX", "7", "NULL"),
        ("LoSTeFgHiJkLmNoPqRsTuVwX", "7", "NULL"),
        // Announced, and not sent.
        ("PeNDeFgHiJkLmNoPqRsTuVwX", "NULL", "NULL"),
        ("2024-01-15_fsdRDt24DS234dsf", "7", "'https://example.com/preview.png'"),
    ];
    for (id, length, url) in local {
        database.run(&format!(
            "INSERT INTO local_media_repository (media_id, media_type, media_length, created_ts, user_id, url_cache) \
             VALUES ('{id}', 'image/png', {length}, {MADE}, '@alice:example.com', {url})"
        ));
    }
    let remote = [
        ("matrix.org", "original-id", "QwErTyUiOpAsDfGhJkLzXcVb"),
        ("chat.example.net:8448", "original-id", "MnBvCxZaSdFgHjKlPoIuYtRe"),
        ("matrix.org", "lost-id", "LostRemoteFileOfMatrixOr"),
    ];
    for (origin, id, file) in remote {
        database.run(&format!(
            "INSERT INTO remote_media_cache (media_origin, media_id, media_type, created_ts, media_length, filesystem_id) \
             VALUES ('{origin}', '{id}', 'image/png', {MADE}, 7, '{file}')"
        ));
    }
    let scene = Scene::in_a_folder(&database, &blocks("Synapse"));
    scene.put(&[
        "local_content/Ge/rZ/NDnDZVjsOtardLuwfIBg",
        "local_content/aB/cD/eFgHiJkLmNoPqRsTuVwX",
        "local_content/aB/ZZ/eFgHiJkLmNoPqRsTuVwX",
        "local_thumbnails/Ge/rZ/NDnDZVjsOtardLuwfIBg/32-32-image-png-crop",
        "local_thumbnails/Ge/rZ/NDnDZVjsOtardLuwfIBg/640-480-image-jpeg-scale",
        "remote_content/matrix.org/Qw/Er/TyUiOpAsDfGhJkLzXcVb",
        "remote_content/chat.example.net:8448/Mn/Bv/CxZaSdFgHjKlPoIuYtRe",
        "remote_thumbnail/matrix.org/Qw/Er/TyUiOpAsDfGhJkLzXcVb/96-96-image-png-crop",
        // As Synapse named them once.
        "remote_thumbnail/matrix.org/Qw/Er/TyUiOpAsDfGhJkLzXcVb/128-96-image-jpeg",
        // Of lost media.
        "local_thumbnails/Lo/ST/eFgHiJkLmNoPqRsTuVwX/32-32-image-png-crop",
        "remote_thumbnail/matrix.org/Lo/st/RemoteFileOfMatrixOr/96-96-image-png-crop",
        "url_cache/2024-01-15/fsdRDt24DS234dsf",
        "url_cache_thumbnails/2024-01-15/fsdRDt24DS234dsf/32-32-image-png-crop",
    ]);
    let orphans = [
        "local_content/Go/Ne/eFgHiJkLmNoPqRsTuVwX",
        "local_thumbnails/Go/Ne/eFgHiJkLmNoPqRsTuVwX/32-32-image-png-crop",
        "remote_content/matrix.org/Go/Ne/TyUiOpAsDfGhJkLzXcVb",
        // The id of another server's file.
        "remote_content/matrix.org/Mn/Bv/CxZaSdFgHjKlPoIuYtRe",
        "remote_thumbnail/matrix.org/Go/Ne/TyUiOpAsDfGhJkLzXcVb/96-96-image-png-crop",
    ];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(
        &orphans,
        &[
            ("local_media_repository", "LoSTeFgHiJkLmNoPqRsTuVwX", "local_content/Lo/ST/eFgHiJkLmNoPqRsTuVwX"),
            (
                "remote_media_cache",
                r#"["matrix.org","lost-id"]"#,
                "remote_content/matrix.org/Lo/st/RemoteFileOfMatrixOr",
            ),
        ],
    );
}
