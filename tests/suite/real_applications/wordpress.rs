//! WordPress on MariaDB: an attachment's file in a row, and all its sizes in serialized PHP in another.

use super::scene::{Scene, blocks};
use crate::support::mariadb::MariaDb;
use crate::support::servers::Database;

/// As WordPress makes them for one site, without columns that say nothing of files.
const TABLES: &str = "
    CREATE TABLE wp_posts (
        ID bigint(20) unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        post_date_gmt datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
        post_status varchar(20) NOT NULL DEFAULT 'publish',
        guid varchar(255) NOT NULL DEFAULT '',
        post_type varchar(20) NOT NULL DEFAULT 'post',
        post_mime_type varchar(100) NOT NULL DEFAULT ''
    ) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
    CREATE TABLE wp_postmeta (
        meta_id bigint(20) unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        post_id bigint(20) unsigned NOT NULL DEFAULT 0,
        meta_key varchar(255) DEFAULT NULL,
        meta_value longtext,
        KEY post_id (post_id),
        KEY meta_key (meta_key(191))
    ) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;";

/// `serialize()` of a string: its length is in bytes.
fn text(value: &str) -> String {
    format!("s:{}:\"{value}\";", value.len())
}

/// `serialize()` of an array by these keys, whose values are serialized.
fn array(entries: &[(&str, String)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{}{value}", text(key))).collect();
    format!("a:{}:{{{}}}", entries.len(), entries.concat())
}

fn size(file: &str) -> String {
    let entries = [("file", text(file)), ("width", "i:300;".to_owned()), ("mime-type", text("image/jpeg"))];
    array(&[entries.as_slice(), &[("filesize", "i:7;".to_owned())]].concat())
}

/// What WordPress 6 keeps of a picture: `sizes` are (name, file), relative to the picture's folder.
fn metadata(file: &str, sizes: &[(&str, &str)], original: Option<&str>) -> String {
    let sizes: Vec<(&str, String)> = sizes.iter().map(|(name, file)| (*name, size(file))).collect();
    // A caption of the camera's may say anything, what looks like serialized PHP included.
    let caption = text("A \"file\" by the sea;\n\té ☃ {s:4:\\\"x\"; \u{1}'quoted'");
    let mut entries = vec![
        ("width", "i:2560;".to_owned()),
        ("height", "i:1707;".to_owned()),
        ("file", text(file)),
        ("filesize", "i:7;".to_owned()),
        ("sizes", array(&sizes)),
        ("image_meta", array(&[("aperture", text("2.8")), ("caption", caption), ("keywords", "a:0:{}".to_owned())])),
    ];
    entries.extend(original.map(|original| ("original_image", text(original))));
    array(&entries)
}

/// Makes the tables of a site, whose names begin with `prefix`, and what it knows of its files.
fn make_site(database: &MariaDb, prefix: &str) {
    database.run(&TABLES.replace("wp_", prefix));
    for post in 10..=15 {
        database.run(&format!(
            "INSERT INTO {prefix}posts (ID, post_status, post_type) VALUES ({post}, 'inherit', 'attachment')"
        ));
    }
    let photo = metadata(
        "2024/01/photo-scaled.jpg",
        &[("medium", "photo-300x200.jpg"), ("webp", "photo-300x200-jpg.webp"), ("thumbnail", "photo-150x150.jpg")],
        Some("photo.jpg"),
    );
    let edited = metadata("2024/02/cat-e1700000000000.png", &[("medium", "cat-e1700000000000-300x200.png")], None);
    let before = array(&[("full-orig", size("cat.png")), ("thumbnail-orig", size("cat-150x150.png"))]);
    let meta = [
        (1, 10, "_wp_attached_file", "2024/01/photo-scaled.jpg".to_owned()),
        (2, 10, "_wp_attachment_metadata", photo),
        (3, 11, "_wp_attached_file", "2024/02/cat-e1700000000000.png".to_owned()),
        (4, 11, "_wp_attachment_metadata", edited),
        (5, 11, "_wp_attachment_backup_sizes", before),
        // Uploads without folders of months, and a document, whose preview has a name of its own.
        (6, 12, "_wp_attached_file", "manual.pdf".to_owned()),
        (7, 12, "_wp_attachment_metadata", array(&[("sizes", array(&[("full", size("manual-pdf.jpg"))]))])),
        (8, 13, "_wp_attached_file", "2024/01/lost.jpg".to_owned()),
        (9, 13, "_wp_attachment_metadata", metadata("2024/01/lost.jpg", &[("medium", "lost-300x200.jpg")], None)),
        (10, 14, "_wp_attached_file", "2024/03/zip.zip".to_owned()),
        (11, 14, "_wp_attachment_metadata", "a:0:{}".to_owned()),
        // Its original was thrown away.
        (13, 15, "_wp_attached_file", "2024/04/big-scaled.jpg".to_owned()),
        (14, 15, "_wp_attachment_metadata", metadata("2024/04/big-scaled.jpg", &[], None)),
        (12, 1, "_edit_lock", "1700000000:1".to_owned()),
        // Of an attachment that is there no more.
        (15, 99, "_wp_attached_file", "2024/04/left.jpg".to_owned()),
        (
            16,
            99,
            "_wp_attachment_metadata",
            metadata("2024/04/left.jpg", &[("wide", "left-wide.jpg")], Some("first.jpg")),
        ),
        (17, 98, "_wp_attached_file", "2024/04/left-and-lost.jpg".to_owned()),
    ];
    for (id, post, key, value) in meta {
        let value = database.literal(&value);
        database.run(&format!("INSERT INTO {prefix}postmeta VALUES ({id}, {post}, '{key}', {value})"));
    }
}

/// What the site wants, below its folder of uploads.
const LIVE: [&str; 17] = [
    "2024/01/photo-scaled.jpg",
    "2024/01/photo.jpg",
    "2024/01/photo-300x200.jpg",
    "2024/01/photo-300x200-jpg.webp",
    "2024/01/photo-150x150.jpg",
    // Sizes that the theme had once.
    "2024/02/cat-1536x1024.png",
    "2024/02/cat-e1700000000000-1536x1024.png",
    "2024/04/big-1536x1024.jpg",
    "2024/04/big-scaled.jpg",
    "2024/02/cat-e1700000000000.png",
    "2024/02/cat-e1700000000000-300x200.png",
    "2024/02/cat.png",
    "2024/02/cat-150x150.png",
    "manual.pdf",
    "manual-pdf.jpg",
    "2024/03/zip.zip",
    // Of the lost picture.
    "2024/01/lost-300x200.jpg",
];

const ORPHANS: [&str; 9] = [
    "2024/01/gone.jpg",
    "2024/01/gone-300x200.jpg",
    "2024/01/gone-150x150.jpg",
    // The name of a live file in another folder.
    "2024/02/photo.jpg",
    "2024/02/photo-300x200.jpg",
    // Of an attachment that is there no more.
    "2024/04/left.jpg",
    "2024/04/left-wide.jpg",
    "2024/04/left-300x200.jpg",
    "2024/04/first.jpg",
];

/// Expects exactly the orphans of sites with these folders of uploads, and the lost file of each: its table and folder.
fn assert_exact(scene: &Scene, sites: &[(&str, &str)]) {
    let below = |keys: &[&str]| -> Vec<String> {
        sites.iter().flat_map(|(_, folder)| keys.iter().map(move |key| format!("{folder}{key}"))).collect()
    };
    let (live, orphans, lost) = (below(&LIVE), below(&ORPHANS), below(&["2024/01/lost.jpg"]));
    scene.put(&live.iter().chain(&orphans).map(String::as_str).collect::<Vec<_>>());

    let orphans: Vec<&str> = orphans.iter().map(String::as_str).collect();
    let lost: Vec<_> = sites.iter().zip(&lost).map(|((table, _), key)| (*table, "8", key.as_str())).collect();
    scene.finds_and_removes_exactly(&orphans, &lost);
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn wordpress() {
    let database = MariaDb::new();
    make_site(&database, "wp_");
    let scene = Scene::in_a_bucket(&database, &blocks("WordPress"));
    assert_exact(&scene, &[("wp_postmeta", "wp-content/uploads/")]);
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn wordpress_in_its_folder_of_uploads() {
    let database = MariaDb::new();
    make_site(&database, "wp_");
    let block = blocks("WordPress")[0].replace("wp-content/uploads/", "");
    assert_exact(&Scene::in_a_folder(&database, &[&block]), &[("wp_postmeta", "")]);
}

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn wordpress_network() {
    let database = MariaDb::new();
    let block = blocks("WordPress")[0];
    let (sources, rules) = block.split_at(block.find("[[derived]]").expect("rules"));
    let second = sources.replace("wp_post", "wp_2_post").replace("wp-content/uploads/", "wp-content/uploads/sites/2/");
    make_site(&database, "wp_");
    make_site(&database, "wp_2_");
    let scene = Scene::in_a_bucket(&database, &[sources, &second, rules]);
    let sites = [("wp_postmeta", "wp-content/uploads/"), ("wp_2_postmeta", "wp-content/uploads/sites/2/")];
    assert_exact(&scene, &sites);
}
