//! Nextcloud with an object store as primary storage, on both of its databases: an object a file, named by the file's
//! number; directories and files of other storages have rows, and no objects.

use super::scene::{Scene, blocks};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::servers::Database;

/// As `occ maintenance:install` makes them.
const TABLES: &str = "
    CREATE TABLE oc_storages (
        numeric_id bigint NOT NULL PRIMARY KEY,
        id varchar(64) DEFAULT NULL UNIQUE,
        available int NOT NULL DEFAULT 1,
        last_checked int DEFAULT NULL
    );
    CREATE TABLE oc_mimetypes (id bigint NOT NULL PRIMARY KEY, mimetype varchar(255) NOT NULL DEFAULT '' UNIQUE);
    CREATE TABLE oc_filecache (
        fileid bigint NOT NULL PRIMARY KEY,
        storage bigint NOT NULL DEFAULT 0,
        path varchar(4000) DEFAULT NULL,
        path_hash varchar(32) NOT NULL DEFAULT '',
        parent bigint NOT NULL DEFAULT 0,
        name varchar(250) DEFAULT NULL,
        mimetype bigint NOT NULL DEFAULT 0,
        mimepart bigint NOT NULL DEFAULT 0,
        size bigint NOT NULL DEFAULT 0,
        mtime bigint NOT NULL DEFAULT 0,
        storage_mtime bigint NOT NULL DEFAULT 0,
        encrypted int NOT NULL DEFAULT 0,
        unencrypted_size bigint NOT NULL DEFAULT 0,
        etag varchar(40) DEFAULT NULL,
        permissions int DEFAULT 0,
        checksum varchar(255) DEFAULT NULL
    );
    INSERT INTO oc_storages VALUES
        (1, 'object::user:alice', 1, NULL), (2, 'object::store:amazon::nextcloud', 1, NULL), (3, 'local::/mnt/media/', 1, NULL);
    INSERT INTO oc_mimetypes VALUES (1, 'httpd'), (2, 'httpd/unix-directory'), (3, 'image'), (4, 'image/jpeg');";

/// Its number, its storage, its path, and its mimetype.
const FILES: [(u32, u32, &str, u32); 9] = [
    (1, 1, "", 2),
    (2, 1, "files", 2),
    (3, 1, "files/Photo.jpg", 4),
    (10, 1, "files/Another.jpg", 4),
    (11, 1, "files_versions/Photo.jpg.v1700000000", 4),
    (12, 2, "appdata_oc1/preview/a/b/3/256-256.jpg", 4),
    (13, 3, "Film.jpg", 4),
    (14, 1, "files/Lost.jpg", 4),
    (15, 2, "appdata_oc1", 2),
];

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn nextcloud_on_postgres() {
    assert_exact(&Postgres::new());
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn nextcloud_on_mariadb() {
    assert_exact(&MariaDb::new());
}

fn assert_exact(database: &dyn Database) {
    database.run(TABLES);
    // As old as the files.
    let made = (chrono::Utc::now() - chrono::TimeDelta::days(90)).timestamp();
    for (number, storage, path, mimetype) in FILES {
        database.run(&format!(
            "INSERT INTO oc_filecache (fileid, storage, path, path_hash, name, mimetype, mimepart, size, mtime, storage_mtime) \
             VALUES ({number}, {storage}, '{path}', md5('{path}'), '{path}', {mimetype}, 3, 7, {made}, {made})"
        ));
    }
    let scene = Scene::in_a_bucket(database, &blocks("Nextcloud"));
    scene.put(&["urn:oid:3", "urn:oid:10", "urn:oid:11", "urn:oid:12"]);
    // One of a number that no row has, one of a file that lies elsewhere.
    let orphans = ["urn:oid:100", "urn:oid:13"];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(&orphans, &[("oc_filecache", "14", "urn:oid:14")]);
}
