//! spatie/laravel-medialibrary on MariaDB: a folder a row, conversions without rows, responsive images in JSON.

use super::scene::{Scene, blocks};
use crate::support::mariadb::MariaDb;
use crate::support::servers::Database;

/// As the package's migration makes it.
const TABLE: &str = "
    CREATE TABLE media (
        id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        model_type varchar(255) NOT NULL,
        model_id bigint unsigned NOT NULL,
        uuid char(36) DEFAULT NULL UNIQUE,
        collection_name varchar(255) NOT NULL,
        name varchar(255) NOT NULL,
        file_name varchar(255) NOT NULL,
        mime_type varchar(255) DEFAULT NULL,
        disk varchar(255) NOT NULL,
        conversions_disk varchar(255) DEFAULT NULL,
        size bigint unsigned NOT NULL,
        manipulations json NOT NULL,
        custom_properties json NOT NULL,
        generated_conversions json NOT NULL,
        responsive_images json NOT NULL,
        order_column int unsigned DEFAULT NULL,
        created_at timestamp NULL DEFAULT NULL,
        updated_at timestamp NULL DEFAULT NULL,
        KEY media_model_type_model_id_index (model_type, model_id),
        KEY media_order_column_index (order_column)
    ) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";

const RESPONSIVE: &str = r#"{
    "media_library_original": {
        "urls": ["photo___media_library_original_800_600.jpg", "photo___media_library_original_640_480.jpg"],
        "base64svg": "data:image/svg+xml;base64,PCFET0NUWVBFIHN2Zz4="
    },
    "thumb": {"urls": ["photo___thumb_300_200.jpg"]}
}"#;

#[test]
#[ignore = "needs MariaDB: run tests/run"]
fn laravel_medialibrary() {
    let database = MariaDb::new();
    database.run(TABLE);
    let media = [
        (1, "photo.jpg", "s3", RESPONSIVE),
        (2, "a report é.pdf", "s3", "[]"),
        (12, "logo.svg", "s3", "{}"),
        (13, "of-another-disk.png", "public", "[]"),
        (14, "lost.jpg", "s3", r#"{"thumb": {"urls": ["lost___thumb_300_200.jpg"]}}"#),
    ];
    for (id, file, disk, responsive) in media {
        database.run(&format!(
            "INSERT INTO media VALUES ({id}, 'App\\\\Models\\\\Post', 1, UUID(), 'images', 'name', '{file}', 'image/jpeg', '{disk}', \
             '{disk}', 7, '[]', '[]', '{{\"thumb\": true}}', {}, 1, NOW() - INTERVAL 90 DAY, NOW())",
            database.literal(responsive)
        ));
    }
    let scene = Scene::in_a_bucket(&database, &blocks("Laravel (spatie/laravel-medialibrary)"));
    scene.put(&[
        "1/photo.jpg",
        "1/conversions/photo-thumb.jpg",
        "1/conversions/photo-preview.webp",
        "1/responsive-images/photo___media_library_original_800_600.jpg",
        "1/responsive-images/photo___media_library_original_640_480.jpg",
        "1/responsive-images/photo___thumb_300_200.jpg",
        "2/a report é.pdf",
        "2/conversions/a report é-thumb.jpg",
        "12/logo.svg",
        // Its own file is lost, and what was made of it is not.
        "14/conversions/lost-thumb.jpg",
        "14/responsive-images/lost___thumb_300_200.jpg",
    ]);
    let orphans = [
        // Of a picture that was replaced.
        "1/responsive-images/older___thumb_300_200.jpg",
        "11/conversions/gone-thumb.jpg",
        "11/gone.jpg",
        "11/responsive-images/gone___thumb_300_200.jpg",
    ];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(&orphans, &[("media", "14", "14/lost.jpg")]);
}
