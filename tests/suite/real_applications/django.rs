//! Django with a model of its own and with Wagtail, on SQLite and on PostgreSQL: a column a file.

use super::scene::{Scene, blocks};
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;

/// As `migrate` makes them, without columns that say nothing of files.
const TABLES: &str = "
    CREATE TABLE blog_photo (id integer NOT NULL PRIMARY KEY, title varchar(200) NOT NULL, image varchar(100) NOT NULL);
    CREATE TABLE wagtailimages_image (
        id integer NOT NULL PRIMARY KEY,
        title varchar(255) NOT NULL,
        file varchar(100) NOT NULL,
        width integer NOT NULL,
        height integer NOT NULL,
        created_at {time} NOT NULL,
        file_size integer,
        file_hash varchar(40) NOT NULL
    );
    CREATE TABLE wagtailimages_rendition (
        id integer NOT NULL PRIMARY KEY,
        file varchar(100) NOT NULL,
        width integer NOT NULL,
        height integer NOT NULL,
        focal_point_key varchar(16) NOT NULL,
        filter_spec varchar(255) NOT NULL,
        image_id integer NOT NULL REFERENCES wagtailimages_image (id)
    );
    CREATE TABLE wagtaildocs_document (
        id integer NOT NULL PRIMARY KEY,
        title varchar(255) NOT NULL,
        file varchar(100) NOT NULL,
        created_at {time} NOT NULL,
        file_size integer,
        file_hash varchar(40) NOT NULL
    );
    CREATE TABLE wagtailusers_userprofile (
        id integer NOT NULL PRIMARY KEY, user_id integer NOT NULL, avatar varchar(100) NOT NULL
    );
    CREATE TABLE wagtailcore_uploadedfile (id integer NOT NULL PRIMARY KEY, file varchar(200) NOT NULL);";

#[test]
fn wagtail_on_sqlite() {
    let database = Sqlite::new();
    database.run(&TABLES.replace("{time}", "datetime"));
    database.run(
        "INSERT INTO wagtailusers_userprofile VALUES (1, 1, ''), (2, 2, 'avatar_images/me.png');
         INSERT INTO wagtailcore_uploadedfile VALUES (1, 'wagtail_uploads/half-done.png')",
    );
    assert_exact(&database, "datetime('now', '-90 days')", &["avatar_images/me.png", "wagtail_uploads/half-done.png"]);
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn wagtail_on_postgres_without_avatars() {
    let database = Postgres::new();
    database.run(&TABLES.replace("{time}", "timestamp with time zone"));
    assert_exact(&database, "now() - interval '90 days'", &[]);
}

fn assert_exact(database: &dyn Database, made: &str, more: &[&str]) {
    database.run(&format!(
        "INSERT INTO blog_photo VALUES (1, 'a', 'photos/2024/01/harbour.jpg'), (2, 'b', ''), (3, 'c', 'photos/2024/01/lost.jpg');
         INSERT INTO wagtailimages_image VALUES
             (1, 'a', 'original_images/cat.jpg', 800, 600, {made}, 7, ''),
             (2, 'b', 'original_images/logo.svg', 800, 600, {made}, 7, ''),
             (3, 'c', 'original_images/lost.jpg', 800, 600, {made}, 7, '');
         INSERT INTO wagtailimages_rendition VALUES
             (1, 'images/cat.width-400.jpg', 400, 300, '', 'width-400', 1),
             (2, 'images/cat.2e16d0ba.fill-100x100.format-webp.webp', 100, 100, '2e16d0ba', 'fill-100x100|format-webp', 1),
             (3, 'images/lost.width-400.jpg', 400, 300, '', 'width-400', 3),
             (4, 'images/cat.width-800.jpg', 800, 600, '', 'width-800', 1);
         INSERT INTO wagtaildocs_document VALUES
             (1, 'a', 'documents/report.pdf', {made}, 7, ''), (2, 'b', 'documents/lost.pdf', {made}, 7, '')"
    ));
    let scene = Scene::in_a_folder(database, &blocks("Django"));
    scene.put(more);
    scene.put(&[
        "photos/2024/01/harbour.jpg",
        "original_images/cat.jpg",
        "original_images/logo.svg",
        "images/cat.width-400.jpg",
        "images/cat.2e16d0ba.fill-100x100.format-webp.webp",
        // Of the lost picture.
        "images/lost.width-400.jpg",
        "documents/report.pdf",
    ]);
    let orphans = [
        "photos/2024/01/gone.jpg",
        "original_images/gone.jpg",
        "images/gone.width-400.jpg",
        "documents/gone.pdf",
        "avatar_images/gone.png",
        "wagtail_uploads/gone.png",
    ];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(
        &orphans,
        &[
            ("blog_photo", "3", "photos/2024/01/lost.jpg"),
            ("wagtailimages_image", "3", "original_images/lost.jpg"),
            ("wagtailimages_rendition", "4", "images/cat.width-800.jpg"),
            ("wagtaildocs_document", "2", "documents/lost.pdf"),
        ],
    );
}
