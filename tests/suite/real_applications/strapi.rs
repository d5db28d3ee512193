//! Strapi on PostgreSQL and on MariaDB: URLs in a column, and more of them in JSON.

use super::scene::{Scene, blocks};
use crate::support::mariadb::MariaDb;
use crate::support::postgres::Postgres;
use crate::support::servers::Database;

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
        url varchar(255),
        preview_url varchar(255),
        provider varchar(255),
        provider_metadata {json},
        folder_path varchar(255),
        created_at {time},
        updated_at {time},
        published_at {time}
    )";

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn strapi_on_postgres() {
    let table = TABLE.replace("{serial}", "serial").replace("{json}", "jsonb");
    let blocks = blocks("Strapi");
    assert_exact(&Postgres::new(), &table.replace("{time}", "timestamp(6)"), &[blocks[0], blocks[1]]);
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn strapi_on_mariadb() {
    let table = TABLE.replace("{serial}", "int unsigned AUTO_INCREMENT").replace("{json}", "json");
    let blocks = blocks("Strapi");
    assert_exact(&MariaDb::new(), &table.replace("{time}", "datetime(6)"), &[blocks[0], blocks[2]]);
}

fn assert_exact(database: &dyn Database, table: &str, blocks: &[&str]) {
    database.run(table);
    let old = match database.url().starts_with("postgres") {
        true => "now() - interval '90 days'",
        false => "NOW() - INTERVAL 90 DAY",
    };
    let sized = |hash: &str, sizes: &[&str]| {
        let sizes = sizes.iter().map(|size| {
            format!(
                r#""{size}": {{"ext": ".jpg", "url": "https://cdn.example.com/{size}_{hash}.jpg", "hash": "{size}_{hash}",
                   "mime": "image/jpeg", "name": "{size}_cat.jpg", "path": null, "size": 4.5, "width": 245, "height": 156}}"#
            )
        });
        format!("'{{{}}}'", sizes.collect::<Vec<_>>().join(", "))
    };
    let null = "NULL".to_owned();
    let files = [
        (1, "https://cdn.example.com/cat_5d1f.jpg", "aws-s3", sized("cat_5d1f", &["thumbnail", "small", "large"])),
        (2, "https://cdn.example.com/manual_77aa.pdf", "aws-s3", null.clone()),
        (3, "https://cdn.example.com/My%20Folder/tea%20%26%20caf%C3%A9.png?v=2", "aws-s3", "'null'".to_owned()),
        (4, "/uploads/local_90ff.jpg", "local", null),
        (5, "https://cdn.example.com/lost_1234.jpg", "aws-s3", sized("lost_1234", &["thumbnail"])),
        (6, "https://cdn.example.com/zebra_1.jpg", "aws-s3", "'{}'".to_owned()),
        (7, "https://cdn.example.com/ant_1.jpg", "aws-s3", "'{}'".to_owned()),
    ];
    for (id, url, provider, formats) in files {
        database.run(&format!(
            "INSERT INTO files (id, name, formats, hash, ext, mime, size, url, provider, folder_path, created_at) \
             VALUES ({id}, 'cat.jpg', {formats}, 'hash', '.jpg', 'image/jpeg', 4.5, '{url}', '{provider}', '/', {old})"
        ));
    }
    let scene = Scene::in_a_bucket(database, blocks);
    scene.put(&[
        "cat_5d1f.jpg",
        "thumbnail_cat_5d1f.jpg",
        "small_cat_5d1f.jpg",
        "large_cat_5d1f.jpg",
        "manual_77aa.pdf",
        "My Folder/tea & café.png",
        "zebra_1.jpg",
        "ant_1.jpg",
        // Of the lost picture.
        "thumbnail_lost_1234.jpg",
    ]);
    let orphans = ["gone_0000.jpg", "thumbnail_gone_0000.jpg"];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(&orphans, &[("files", "5", "lost_1234.jpg")]);
}
