//! Strapi: URLs in a column, and more of them in JSON; in a bucket behind a CDN, at the bucket's own address, and in a folder.

use super::scene::{Scene, blocks};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;

/// As Strapi 5's upload plugin makes it; the engines' own types stand between braces.
const TABLE: &str = "
    CREATE TABLE files (
        id {serial} PRIMARY KEY,
        document_id varchar(255),
        name varchar(255),
        alternative_text varchar(255),
        caption varchar(255),
        width integer,
        height integer,
        formats {json},
        hash varchar(255),
        ext varchar(255),
        mime varchar(255),
        size decimal(10, 2),
        url text,
        preview_url text,
        provider varchar(255),
        provider_metadata {json},
        folder_path varchar(255),
        created_at {time},
        updated_at {time},
        published_at {time}
    )";

const CDN: &str = "https://cdn.example.com/";
/// What URLs begin with where the provider has no `baseUrl`, and the endpoint is path-style.
const PATH_STYLE: &str = "https://s3.example.com/uploads/";

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn strapi_on_postgres() {
    let table = TABLE.replace("{serial}", "serial").replace("{json}", "jsonb").replace("{time}", "timestamp(6)");
    let blocks = blocks("Strapi");
    for base in [CDN, PATH_STYLE] {
        assert_exact(&Postgres::new(), &table, &[blocks[0], blocks[1]], base);
    }
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn strapi_on_mariadb() {
    let table = TABLE.replace("{serial}", "int unsigned AUTO_INCREMENT").replace("{json}", "json");
    let blocks = blocks("Strapi");
    for base in [CDN, PATH_STYLE] {
        assert_exact(&MariaDb::new(), &table.replace("{time}", "datetime(6)"), &[blocks[0], blocks[2]], base);
    }
}

/// The sizes of a picture, as JSON in a literal of SQL.
fn sizes(base: &str, hash: &str, sizes: &[&str]) -> String {
    let sizes = sizes.iter().map(|size| {
        format!(
            r#""{size}": {{"ext": ".jpg", "url": "{base}{size}_{hash}.jpg", "hash": "{size}_{hash}",
               "mime": "image/jpeg", "name": "{size}_cat.jpg", "path": null, "size": 4.5, "width": 245, "height": 156}}"#
        )
    });
    format!("'{{{}}}'", sizes.collect::<Vec<_>>().join(", "))
}

fn insert(database: &dyn Database, files: &[(u32, String, &str, String)], made: &str) {
    for (id, url, provider, formats) in files {
        database.run(&format!(
            "INSERT INTO files (id, name, formats, hash, ext, mime, size, url, provider, folder_path, created_at) \
             VALUES ({id}, 'cat.jpg', {formats}, 'hash', '.jpg', 'image/jpeg', 4.5, '{url}', '{provider}', '/', {made})"
        ));
    }
}

fn assert_exact(database: &dyn Database, table: &str, blocks: &[&str], base: &str) {
    database.run(table);
    let made = match database.url().starts_with("postgres") {
        true => "now() - interval '90 days'",
        false => "NOW() - INTERVAL 90 DAY",
    };
    let null = "NULL".to_owned();
    let nested = format!(r#"'{{"thumbnail": {{"url": "{base}My%20Folder/thumbnail_tea%20%26%20caf%C3%A9.png"}}}}'"#);
    let files = [
        (1, format!("{base}cat_5d1f.jpg"), "aws-s3", sizes(base, "cat_5d1f", &["thumbnail", "small", "large"])),
        (2, format!("{base}manual_77aa.pdf"), "aws-s3", null.clone()),
        (3, format!("{base}My%20Folder/tea%20%26%20caf%C3%A9.png?v=2"), "aws-s3", nested),
        (4, "/uploads/local_90ff.jpg".to_owned(), "local", null),
        (5, format!("{base}lost_1234.jpg"), "aws-s3", sizes(base, "lost_1234", &["thumbnail"])),
        (6, format!("{base}zebra_1.jpg"), "aws-s3", "'{}'".to_owned()),
        (7, format!("{base}ant_1.jpg"), "aws-s3", "'null'".to_owned()),
    ];
    insert(database, &files, made);
    let blocks: Vec<String> = blocks.iter().map(|block| block.replace(CDN, base)).collect();
    let scene = Scene::in_a_bucket(database, &blocks.iter().map(String::as_str).collect::<Vec<_>>());
    scene.put(&[
        "cat_5d1f.jpg",
        "thumbnail_cat_5d1f.jpg",
        "small_cat_5d1f.jpg",
        "large_cat_5d1f.jpg",
        "manual_77aa.pdf",
        "My Folder/tea & café.png",
        "My Folder/thumbnail_tea & café.png",
        "zebra_1.jpg",
        "ant_1.jpg",
        // Of the lost picture.
        "thumbnail_lost_1234.jpg",
    ]);
    let orphans = ["gone_0000.jpg", "thumbnail_gone_0000.jpg", "medium_cat_5d1f.jpg"];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(&orphans, &[("files", "5", "lost_1234.jpg")]);
}

#[test]
fn strapi_as_it_is_installed() {
    let database = Sqlite::new();
    let table = TABLE.replace("{serial}", "integer").replace("{json}", "json");
    database.run(&table.replace("{time}", "datetime"));
    let base = "/uploads/";
    let files = [
        (1, format!("{base}cat_5d1f.jpg"), "local", sizes(base, "cat_5d1f", &["thumbnail", "small", "large"])),
        (2, format!("{base}manual_77aa.pdf"), "local", "NULL".to_owned()),
        (3, format!("{base}lost_1234.jpg"), "local", sizes(base, "lost_1234", &["thumbnail"])),
        (4, format!("{base}tiny_1.png"), "local", "'null'".to_owned()),
        (5, "https://cdn.example.com/cloud_1.jpg".to_owned(), "aws-s3", "NULL".to_owned()),
    ];
    // Strapi keeps milliseconds in SQLite.
    insert(&database, &files, "(unixepoch() - 90 * 86400) * 1000");
    let scene = Scene::in_a_folder(&database, &blocks("Strapi")[3..]);
    scene.put(&[
        ".gitkeep",
        "cat_5d1f.jpg",
        "thumbnail_cat_5d1f.jpg",
        "small_cat_5d1f.jpg",
        "large_cat_5d1f.jpg",
        "manual_77aa.pdf",
        "tiny_1.png",
        "thumbnail_lost_1234.jpg",
    ]);
    let orphans = ["gone_0000.jpg", "thumbnail_gone_0000.jpg", "medium_cat_5d1f.jpg"];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(&orphans, &[("files", "3", "lost_1234.jpg")]);
}
