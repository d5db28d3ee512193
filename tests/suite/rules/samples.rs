//! The rules of `config.example.toml`, as they stand there, on the tables that they are written for.

use serde_json::Value;

use super::on_every_engine;
use super::scene::{Engine, Line, NO_LIMITS, Scene, expect, finding, warnings};

on_every_engine!(
    unlinked,
    missing_entity,
    an_owner_of_an_unknown_type_is_kept_and_warned_about_once,
    expired,
    soft_deleted,
    downloaded,
    temporary,
    a_row_without_a_key,
    all_of_them_in_a_bucket,
);

/// The sections between `[storage]` and `[safety]`, as they stand in the example.
fn sample() -> &'static str {
    let example = include_str!("../../../config.example.toml");
    let begin = example.find("\n[[records]]").expect("records");
    &example[begin..example.find("\n[safety]").expect("safety")]
}

/// The application of the example, with a row of each table that is live, and its file.
fn example(scene: Scene) -> Scene {
    scene.run(
        "CREATE TABLE assets (id {id}, storage_key {text}, created_at {time}, status {text}, entity_type {text},
             entity_id {text}, uploaded_at {time}, expiry_at {time}, deleted_at {time});
         CREATE TABLE downloads (id {id}, file_key {text}, created_at {time}, downloaded_at {time});
         CREATE TABLE temp_uploads (id {id}, storage_key {text}, created_at {time});
         CREATE TABLE tours (id {id}); CREATE TABLE companies (id {id}); CREATE TABLE guides (id {id});
         CREATE TABLE drivers (id {id}); CREATE TABLE users (id {id});
         INSERT INTO tours VALUES (7); INSERT INTO companies VALUES (8); INSERT INTO guides VALUES (7);
         INSERT INTO drivers VALUES (8); INSERT INTO users VALUES (8);
         INSERT INTO assets VALUES (1, 'live.png', {ago 90d}, 'live', 'tour', '7', {ago 90d}, NULL, NULL);
         INSERT INTO downloads VALUES (1, 'live.zip', {ago 90d}, NULL);
         INSERT INTO temp_uploads VALUES (1, 'live.tmp', {ago 23h});",
    );
    LIVE.iter().for_each(|key| scene.put(key));
    scene.configure(&format!("{}\n{NO_LIMITS}", sample()));
    scene
}

const LIVE: [&str; 3] = ["live.png", "live.tmp", "live.zip"];

/// A row of `assets`, with its old file.
fn asset(scene: &Scene, id: u32, key: &str, columns: &str) {
    scene.run(&format!("INSERT INTO assets VALUES ({id}, '{key}', {{ago 90d}}, 'live', {columns})"));
    scene.put(key);
}

/// Removes, and expects these findings, of this rule alone; gives the report.
fn removed(scene: &Scene, rule: &str, expected: &[Line<'_>]) -> Value {
    let dry = scene.tool.report();
    expect(&dry, expected);
    let report = scene.executed();
    expect(&report, expected);
    let rules = report["totals"]["rules"].as_object().expect("rules");
    assert_eq!(rules.len(), 6, "every rule is counted, also one that condemns nothing");
    rules.iter().for_each(|(name, count)| assert_eq!(*count, if name == rule { expected.len() } else { 0 }, "{name}"));
    assert_eq!(report["totals"]["condemned_records"], expected.len());
    assert_eq!(report["totals"]["orphaned_files"], 0);
    assert_eq!(report["removals"]["failed"], 0);
    report
}

fn unlinked(engine: Engine) {
    let scene = example(Scene::new(engine));
    asset(&scene, 2, "old.png", "NULL, NULL, {ago 25h}, NULL, NULL");
    asset(&scene, 3, "new.png", "NULL, NULL, {ago 23h}, NULL, NULL");
    asset(&scene, 4, "linked.png", "'tour', '7', {ago 25h}, NULL, NULL");
    let report = removed(&scene, "unlinked", &[("unlinked", "old.png", "assets", "2")]);
    let found = finding(&report, "assets", "2");
    assert_eq!((&found["size"], &found["shared"], &found["held"]), (&16.into(), &false.into(), &Value::Null));
    assert_eq!(report["removals"]["records_deleted"], 1);
    assert_eq!(report["removals"]["files_trashed"], 1);
    assert_eq!(scene.ids("assets"), ["1", "3", "4"]);
    scene.expect_files(&[&LIVE[..], &["linked.png", "new.png"]].concat());
    scene.expect_nothing_left();
}

fn missing_entity(engine: Engine) {
    let scene = example(Scene::new(engine));
    let types = ["tour", "company", "guide", "driver", "user"];
    // The owners have the ids 7 and 8: one of them is there for each type, and the other is not.
    for (at, name) in (10..).step_by(10).zip(types) {
        for owner in [7, 8, 9] {
            let columns = format!("'{name}', '{owner}', {{ago 90d}}, NULL, NULL");
            asset(&scene, at + owner, &format!("{name}-{owner}.png"), &columns);
        }
    }
    asset(&scene, 2, "typeless.png", "NULL, '9', {ago 90d}, NULL, NULL");
    let kept = ["typeless.png", "tour-7.png", "company-8.png", "guide-7.png", "driver-8.png", "user-8.png"];
    let gone = ["18", "19", "27", "29", "38", "39", "47", "49", "57", "59"];
    let keys: Vec<String> =
        gone.iter().map(|id| format!("{}-{}.png", types[usize::from(id.as_bytes()[0] - b'1')], &id[1..])).collect();
    let lines: Vec<Line<'_>> =
        gone.iter().zip(&keys).map(|(id, key)| ("missing-entity", key.as_str(), "assets", *id)).collect();
    let report = removed(&scene, "missing-entity", &lines);
    assert_eq!(report["removals"]["records_deleted"], 10);
    assert_eq!(report["removals"]["files_trashed"], 10);
    assert_eq!(warnings(&report), Vec::<String>::new());
    assert_eq!(scene.ids("assets"), ["1", "2", "17", "28", "37", "48", "58"]);
    scene.expect_files(&[&LIVE[..], &kept].concat());
    scene.expect_nothing_left();
}

/// A type that the map does not name keeps its rows, and is warned about once, with their number.
fn an_owner_of_an_unknown_type_is_kept_and_warned_about_once(engine: Engine) {
    let scene = example(Scene::new(engine));
    asset(&scene, 2, "gone.png", "'tour', '9', {ago 90d}, NULL, NULL");
    for id in 3..=5 {
        asset(&scene, id, &format!("bus-{id}.png"), "'bus', '9', {ago 90d}, NULL, NULL");
    }
    asset(&scene, 6, "train.png", "'train', '9', {ago 90d}, NULL, NULL");
    let report = removed(&scene, "missing-entity", &[("missing-entity", "gone.png", "assets", "2")]);
    let told = warnings(&report);
    let about = |name: &str| told.iter().filter(|warning| warning.contains(name)).cloned().collect::<Vec<_>>();
    let [bus, train] = [about("\"bus\""), about("\"train\"")];
    assert_eq!((told.len(), bus.len(), train.len()), (2, 1, 1), "{told:#?}");
    let named = ["assets", "3 rows", "entity_type", "missing-entity"];
    named.iter().for_each(|word| assert!(bus[0].contains(word), "{word}: {bus:?}"));
    assert!(train[0].contains("1 row is"), "{train:?}");
    assert_eq!(scene.ids("assets"), ["1", "3", "4", "5", "6"]);
    scene.expect_files(&[&LIVE[..], &["bus-3.png", "bus-4.png", "bus-5.png", "train.png"]].concat());
    expect(&scene.tool.report(), &[]);
}

/// The file goes, the row stays with its new status, owns nothing any more and so is no orphaned record next night.
fn expired(engine: Engine) {
    let scene = example(Scene::new(engine));
    asset(&scene, 2, "past.png", "'tour', '7', {ago 90d}, {ago 1m}, NULL");
    asset(&scene, 3, "future.png", "'tour', '7', {ago 90d}, {in 5m}, NULL");
    let report = removed(&scene, "expired", &[("expired", "past.png", "assets", "2")]);
    assert_eq!(report["removals"]["records_updated"], 1);
    assert_eq!(report["removals"]["records_deleted"], 0);
    assert_eq!(report["removals"]["files_trashed"], 1);
    assert_eq!(scene.texts("SELECT status FROM assets ORDER BY id"), ["live", "expired", "live"]);
    assert_eq!(scene.texts("SELECT storage_key FROM assets WHERE id = 2"), ["past.png"]);
    scene.expect_files(&[&LIVE[..], &["future.png"]].concat());
    scene.expect_nothing_left();
}

fn soft_deleted(engine: Engine) {
    let scene = example(Scene::new(engine));
    asset(&scene, 2, "long-ago.png", "'tour', '7', {ago 90d}, NULL, {ago 31d}");
    asset(&scene, 3, "lately.png", "'tour', '7', {ago 90d}, NULL, {ago 29d}");
    let report = removed(&scene, "soft-deleted", &[("soft-deleted", "long-ago.png", "assets", "2")]);
    assert_eq!(report["removals"]["records_deleted"], 1);
    assert_eq!(scene.ids("assets"), ["1", "3"]);
    scene.expect_files(&[&LIVE[..], &["lately.png"]].concat());
    scene.expect_nothing_left();
}

/// A row whose file is gone by itself goes like one whose file is still there.
fn downloaded(engine: Engine) {
    let scene = example(Scene::new(engine));
    scene.run(
        "INSERT INTO downloads VALUES (2, 'fetched.zip', {ago 90d}, {ago 8d});
         INSERT INTO downloads VALUES (3, 'fetched-and-gone.zip', {ago 90d}, {ago 8d});
         INSERT INTO downloads VALUES (4, 'fetched-lately.zip', {ago 90d}, {ago 6d});",
    );
    ["fetched.zip", "fetched-lately.zip"].iter().for_each(|key| scene.put(key));
    let lines =
        [("downloaded", "fetched.zip", "downloads", "2"), ("downloaded", "fetched-and-gone.zip", "downloads", "3")];
    let report = removed(&scene, "downloaded", &lines);
    assert_eq!(finding(&report, "downloads", "2")["size"], 20);
    assert_eq!(finding(&report, "downloads", "3")["size"], Value::Null);
    assert_eq!(report["totals"]["orphaned_records"], 0, "a rule's finding is no orphaned record beside");
    assert_eq!(report["removals"]["records_deleted"], 2);
    assert_eq!(report["removals"]["files_trashed"], 1);
    assert_eq!(scene.ids("downloads"), ["1", "4"]);
    scene.expect_files(&[&LIVE[..], &["fetched-lately.zip"]].concat());
    scene.expect_nothing_left();
}

fn temporary(engine: Engine) {
    let scene = example(Scene::new(engine));
    scene.run("INSERT INTO temp_uploads VALUES (2, 'left.tmp', {ago 25h})");
    scene.put("left.tmp");
    let report = removed(&scene, "temporary", &[("temporary", "left.tmp", "temp_uploads", "2")]);
    assert_eq!(report["removals"]["records_deleted"], 1);
    assert_eq!(scene.ids("temp_uploads"), ["1"]);
    scene.expect_files(&LIVE);
    scene.expect_nothing_left();
}

/// Rows whose key is NULL, or empty, go without a file; a live one stays, and is no orphaned record.
fn a_row_without_a_key(engine: Engine) {
    let scene = example(Scene::new(engine));
    scene.run(
        "INSERT INTO temp_uploads VALUES (2, NULL, {ago 25h}); INSERT INTO temp_uploads VALUES (3, '', {ago 25h});
         INSERT INTO temp_uploads VALUES (4, NULL, {ago 23h});",
    );
    let lines = [("temporary", "", "temp_uploads", "2"), ("temporary", "", "temp_uploads", "3")];
    let report = removed(&scene, "temporary", &lines);
    assert_eq!(finding(&report, "temp_uploads", "2")["key"], Value::Null);
    assert_eq!(report["removals"]["records_deleted"], 2);
    assert_eq!(report["removals"]["files_trashed"], 0);
    assert_eq!(scene.ids("temp_uploads"), ["1", "4"]);
    scene.expect_files(&LIVE);
    scene.expect_nothing_left();
}

/// A row of each rule at once, with its file in a bucket.
fn all_of_them_in_a_bucket(engine: Engine) {
    let scene = example(Scene::on_s3(engine));
    asset(&scene, 2, "unlinked.png", "NULL, NULL, {ago 25h}, NULL, NULL");
    asset(&scene, 3, "missing.png", "'tour', '9', {ago 90d}, NULL, NULL");
    asset(&scene, 4, "past.png", "'tour', '7', {ago 90d}, {ago 1m}, NULL");
    asset(&scene, 5, "deleted.png", "'tour', '7', {ago 90d}, NULL, {ago 31d}");
    scene.run(
        "INSERT INTO downloads VALUES (2, 'fetched.zip', {ago 90d}, {ago 8d});
         INSERT INTO temp_uploads VALUES (2, 'left.tmp', {ago 25h}); INSERT INTO temp_uploads VALUES (3, NULL, {ago 25h});",
    );
    ["fetched.zip", "left.tmp"].iter().for_each(|key| scene.put(key));
    let report = scene.executed();
    let lines = [
        ("unlinked", "unlinked.png", "assets", "2"),
        ("missing-entity", "missing.png", "assets", "3"),
        ("expired", "past.png", "assets", "4"),
        ("soft-deleted", "deleted.png", "assets", "5"),
        ("downloaded", "fetched.zip", "downloads", "2"),
        ("temporary", "left.tmp", "temp_uploads", "2"),
        ("temporary", "", "temp_uploads", "3"),
    ];
    expect(&report, &lines);
    let names = ["unlinked", "missing-entity", "expired", "soft-deleted", "downloaded", "temporary"];
    names.iter().for_each(|name| assert_eq!(report["totals"]["rules"][name], if *name == "temporary" { 2 } else { 1 }));
    assert_eq!(report["removals"]["records_deleted"], 6);
    assert_eq!(report["removals"]["records_updated"], 1);
    assert_eq!(report["removals"]["files_trashed"], 6);
    assert_eq!(scene.ids("assets"), ["1", "4"]);
    assert_eq!((scene.ids("downloads"), scene.ids("temp_uploads")), (vec!["1".to_owned()], vec!["1".to_owned()]));
    scene.expect_files(&LIVE);
    scene.expect_nothing_left();
}
