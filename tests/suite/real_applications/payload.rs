//! Payload on PostgreSQL: columns of file names for each size and each version; in a bucket with prefixes, and in a folder.

use super::scene::{Scene, blocks};
use crate::support::postgres::Postgres;
use crate::support::servers::Database;

/// The sizes of the collection.
const SIZES: [&str; 3] = ["thumbnail", "card", "og"];

/// As Payload 3 makes them of a collection `media` with three sizes and drafts, without columns that say nothing of
/// files. The storage plugins add the place in the bucket.
fn tables(has_places: bool) -> String {
    let columns = |version: &str| {
        let sizes = SIZES.map(|size| {
            format!("{version}sizes_{size}_url character varying, {version}sizes_{size}_filename character varying, ")
        });
        let places = match has_places {
            true => format!("{version}prefix character varying, {version}_objectkey character varying, "),
            false => String::new(),
        };
        format!("{places}{}{version}url character varying, {version}filename character varying, ", sizes.concat())
    };
    let times = "updated_at timestamp(3) with time zone DEFAULT now() NOT NULL, \
                 created_at timestamp(3) with time zone DEFAULT now() - interval '90 days' NOT NULL";
    format!(
        "CREATE TABLE media (id serial PRIMARY KEY, alt character varying, {}{times});
         CREATE UNIQUE INDEX media_filename_idx ON media (filename);
         CREATE TABLE _media_v (
             id serial PRIMARY KEY, parent_id integer, {}version_updated_at timestamp(3) with time zone,
             version__status character varying DEFAULT 'draft', {times}, latest boolean
         );",
        columns(""),
        columns("version_")
    )
}

/// Inserts what names a file and these sizes of it, with the place that it has in a bucket.
fn insert(database: &dyn Database, table: &str, file: &str, sizes: &[&str], place: Option<(&str, &str)>) {
    let version = if table == "media" { "" } else { "version_" };
    let mut columns = vec![format!("{version}filename"), format!("{version}url")];
    let mut values = vec![format!("'{file}'"), format!("'/api/media/file/{file}'")];
    for (name, size) in SIZES.iter().zip(sizes) {
        columns.push(format!("{version}sizes_{name}_filename"));
        values.push(format!("'{size}'"));
    }
    if let Some((prefix, folder)) = place {
        columns.extend([format!("{version}prefix"), format!("{version}_objectkey")]);
        values.extend([format!("'{prefix}'"), format!("NULLIF('{folder}', '')")]);
    }
    database.run(&format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), values.join(", ")));
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn payload_in_a_bucket() {
    let database = Postgres::new();
    database.run(&tables(true));
    insert(
        &database,
        "media",
        "cat.png",
        &["cat-150x150.png", "cat-640x480.png", "cat-1200x630.webp"],
        Some(("media", "")),
    );
    insert(&database, "media", "Ünï & %20 + #1.jpg", &["Ünï & %20 + #1-150x150.jpg"], Some(("media", "")));
    // Sent by the browser itself, into a folder of its own.
    insert(&database, "media", "film.png", &["film-150x150.png"], Some(("media", "0f8c2b1e")));
    insert(&database, "media", "rooted.png", &[], Some(("", "")));
    insert(&database, "media", "lost.png", &["lost-150x150.png"], Some(("media", "")));
    database.run("INSERT INTO media (prefix) VALUES ('media')");
    insert(&database, "_media_v", "cat.png", &["cat-150x150.png"], Some(("media", "")));
    insert(&database, "_media_v", "older.png", &["older-150x150.png", "older-640x480.png"], Some(("media", "")));
    let scene = Scene::in_a_bucket(&database, &blocks("Payload"));
    scene.put(&[
        "media/cat.png",
        "media/cat-150x150.png",
        "media/cat-640x480.png",
        "media/cat-1200x630.webp",
        "media/Ünï & %20 + #1.jpg",
        "media/Ünï & %20 + #1-150x150.jpg",
        "media/0f8c2b1e/film.png",
        "media/0f8c2b1e/film-150x150.png",
        "rooted.png",
        "media/older.png",
        "media/older-150x150.png",
        "media/older-640x480.png",
        // Of the lost picture.
        "media/lost-150x150.png",
    ]);
    let orphans = ["media/gone.png", "media/gone-150x150.png", "media/gone-1200x630.webp", "media/older-1200x630.webp"];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(&orphans, &[("media", "5", "media/lost.png")]);
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn payload_in_a_folder() {
    let database = Postgres::new();
    database.run(&tables(false));
    insert(&database, "media", "cat.png", &["cat-150x150.png", "cat-640x480.png", "cat-1200x630.webp"], None);
    insert(&database, "media", "manual.pdf", &[], None);
    insert(&database, "media", "lost.png", &["lost-150x150.png"], None);
    insert(&database, "_media_v", "older.png", &["older-150x150.png"], None);
    let scene = Scene::in_a_folder(&database, &blocks("Payload"));
    scene.put(&[
        "cat.png",
        "cat-150x150.png",
        "cat-640x480.png",
        "cat-1200x630.webp",
        "manual.pdf",
        "older.png",
        "older-150x150.png",
        "lost-150x150.png",
    ]);
    let orphans = ["gone.png", "gone-150x150.png", "older-640x480.png"];
    scene.put(&orphans);

    scene.finds_and_removes_exactly(&orphans, &[("media", "3", "lost.png")]);
}
