//! Redmine on PostgreSQL and in a folder: several attachments share a file, and old ones have no directory.

use super::scene::{Scene, blocks};
use crate::support::postgres::Postgres;
use crate::support::servers::Database;

/// As Redmine's migrations make it.
const TABLE: &str = "
    CREATE TABLE attachments (
        id serial PRIMARY KEY,
        container_id integer,
        container_type character varying(30),
        filename character varying DEFAULT '' NOT NULL,
        disk_filename character varying DEFAULT '' NOT NULL,
        filesize bigint DEFAULT 0 NOT NULL,
        content_type character varying DEFAULT '',
        digest character varying(64) DEFAULT '' NOT NULL,
        downloads integer DEFAULT 0 NOT NULL,
        author_id integer DEFAULT 0 NOT NULL,
        created_on timestamp without time zone,
        description character varying,
        disk_directory character varying
    )";

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn redmine() {
    let database = Postgres::new();
    database.run(TABLE);
    let attachments = [
        (1, "'2024/01'", "240115103000_shared.png"),
        // Of a copy of the issue.
        (2, "'2024/01'", "240115103000_shared.png"),
        (3, "'2024/02'", "240201090000_plan.pdf"),
        (4, "NULL", "120301120000_old.txt"),
        (5, "''", "120301120001_older.txt"),
        (6, "'2024/02'", "240202080000_lost.pdf"),
        (7, "'2024/02'", "240202080000_lost.pdf"),
    ];
    for (id, directory, file) in attachments {
        database.run(&format!(
            "INSERT INTO attachments (id, container_id, container_type, filename, disk_filename, digest, created_on, disk_directory) \
             VALUES ({id}, 1, 'Issue', 'a file', '{file}', 'digest', now() - interval '90 days', {directory})"
        ));
    }
    let scene = Scene::in_a_folder(&database, &blocks("Redmine"));
    scene.put(&[
        "2024/01/240115103000_shared.png",
        "2024/02/240201090000_plan.pdf",
        "120301120000_old.txt",
        "120301120001_older.txt",
        // Redmine ships it.
        "delete.me",
    ]);
    let orphans = ["2023/12/231224180000_gone.png", "240115103000_shared.png"];
    scene.put(&orphans);

    let lost = "2024/02/240202080000_lost.pdf";
    scene.finds_and_removes_exactly(&orphans, &[("attachments", "6", lost), ("attachments", "7", lost)]);
}
