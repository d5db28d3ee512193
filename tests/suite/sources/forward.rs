//! A database that went back (I21): an older dump that was restored, a table that was emptied; and what is no sign of it.

use std::ops::RangeInclusive;

use crate::rules::on_every_engine;
use crate::rules::scene::{Engine, NO_LIMITS, Scene, warnings};
use crate::support::sqlite::Sqlite;
use crate::support::terminal;

on_every_engine!(
    a_restored_dump_refuses_until_it_is_accepted,
    a_restored_dump_that_went_on_refuses,
    rows_without_numbers_go_by_their_dates,
    rows_ahead_of_their_time_hide_nothing,
    an_edited_configuration_forgets_nothing,
    a_table_that_lost_half_of_its_rows_refuses,
    rows_that_do_not_count_hide_no_loss,
    a_deleted_row_explains_only_itself,
    rows_that_come_and_go_refuse_until_that_is_accepted_twice,
    a_reference_that_lost_what_it_had_refuses_though_it_may_be_empty,
    ordinary_churn_refuses_nothing,
    what_the_tool_removed_is_no_sign
);

const LIMIT: &str = "accept_database";

/// Rows of these ids with their files.
fn add(scene: &Scene, ids: RangeInclusive<u32>) {
    for id in ids {
        scene.asset(id, &format!("live/{id}.png"), "live", "NULL");
        scene.put(&format!("live/{id}.png"));
    }
}

/// A report without a warning that the database went back.
fn expect_quiet(scene: &Scene) {
    let told = warnings(&scene.tool.report());
    assert!(told.iter().all(|told| !told.contains("went back") && !told.contains("had ")), "{told:?}");
}

fn a_restored_dump_refuses_until_it_is_accepted(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    add(&scene, 4..=60);
    expect_quiet(&scene);
    add(&scene, 61..=66);
    expect_quiet(&scene);
    // A narrowed run remembers nothing, and sees it all the same.
    scene.run("DELETE FROM assets WHERE id > 60");
    let narrowed = terminal::run_without_prompt(&scene.tool, &["--execute", "--kind", "orphaned-file"]);
    assert_eq!(narrowed.code, 12, "{narrowed:#?}");
    for _ in 0..2 {
        scene.expect_refused(LIMIT, &["the database went back: 6 of the 6 newest rows of assets", "--accept-database"]);
    }
    let report = scene.tool.report();
    assert!(warnings(&report)[0].starts_with("the database went back: 6 of the 6"), "{report:#}");
    assert_eq!(report["run"]["outcome"], "findings");
    // Rows that are back are no sign any more.
    for id in 61..=66 {
        scene.asset(id, &format!("live/{id}.png"), "live", "NULL");
    }
    expect_quiet(&scene);
    scene.run("DELETE FROM assets WHERE id > 60");
    let outcome = scene.execute(&["--accept-database"]);
    assert_eq!((outcome.code, scene.files().len()), (0, 60), "{outcome:#?}");
    assert!(warnings(&outcome.json()).iter().any(|told| told.starts_with("accepted as it is")), "{outcome:#?}");
    expect_quiet(&scene);
}

/// New rows have the ids of those that are gone, and other keys.
fn a_restored_dump_that_went_on_refuses(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    add(&scene, 4..=60);
    expect_quiet(&scene);
    add(&scene, 61..=70);
    expect_quiet(&scene);
    scene.run("DELETE FROM assets WHERE id > 60");
    for id in 61..=75 {
        scene.asset(id, &format!("again/{id}.png"), "live", "NULL");
        scene.put(&format!("again/{id}.png"));
    }
    scene.expect_refused(LIMIT, &["10 of the 10 newest rows of assets", "other keys"]);
}

fn rows_without_numbers_go_by_their_dates(engine: Engine) {
    let scene = Scene::new(engine);
    scene.run("CREATE TABLE assets (id {text} NOT NULL, storage_key {text}, created_at {time})");
    let add = |ids: RangeInclusive<u32>, days: u32| {
        for id in ids {
            // In the order of their ids, the newest come first.
            let name = format!("{:08x}", u32::MAX - id);
            scene.run(&format!("INSERT INTO assets VALUES ('{name}', 'live/{id}.png', {{ago {days}d}})"));
            scene.put(&format!("live/{id}.png"));
        }
    };
    scene.configure_assets("", NO_LIMITS);
    add(1..=250, 90);
    expect_quiet(&scene);
    add(251..=256, 80);
    expect_quiet(&scene);
    scene.run("DELETE FROM assets WHERE storage_key IN ('live/251.png', 'live/252.png', 'live/253.png', 'live/254.png', 'live/255.png')");
    scene.expect_refused(LIMIT, &["5 of the 6 newest rows of assets"]);
    let told = warnings(&scene.tool.report());
    assert!(told.iter().all(|told| !told.contains("the newest row")), "{told:?}");
    scene.run("DELETE FROM assets WHERE storage_key = 'live/256.png'");
    let told = warnings(&scene.tool.report());
    assert!(told.iter().any(|told| told.starts_with("the newest row of assets was made")), "{told:?}");
}

/// Neither ids nor dates that are far ahead.
fn rows_ahead_of_their_time_hide_nothing(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    add(&scene, 4..=60);
    // More than are read by their ids.
    let imported = (0..1_100).map(|row| format!("({}, 'live/1.png', {{ago 400d}}, 'live', NULL)", 900_000 + row));
    scene.run(&format!("INSERT INTO assets VALUES {}", imported.collect::<Vec<_>>().join(", ")));
    scene.run("INSERT INTO assets VALUES (2000000, 'live/2.png', {in 20000d}, 'live', NULL)");
    expect_quiet(&scene);
    expect_quiet(&scene);
    add(&scene, 61..=66);
    expect_quiet(&scene);
    scene.run("DELETE FROM assets WHERE id BETWEEN 61 AND 66");
    scene.expect_refused(LIMIT, &["6 of the 6 newest rows of assets"]);

    let scene = Scene::new(engine);
    scene.run("CREATE TABLE assets (id {text} NOT NULL, storage_key {text}, created_at {time})");
    let add = |name: &str, rows: u32, moment: &str| {
        for row in 0..rows {
            scene.run(&format!("INSERT INTO assets VALUES ('{name}-{row}', 'live/{name}-{row}.png', {{{moment}}})"));
            scene.put(&format!("live/{name}-{row}.png"));
        }
    };
    scene.configure_assets("", NO_LIMITS);
    // One of them, and then all.
    for (old, new) in [("ago 90d", "ago 80d"), ("in 90d", "in 91d")] {
        scene.run("DELETE FROM assets");
        add("old", 20, old);
        add("ahead", 1, "in 20000d");
        let outcome = scene.execute(&["--accept-database"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        add("new", 6, new);
        expect_quiet(&scene);
        scene.run("DELETE FROM assets WHERE storage_key LIKE 'live/new-%'");
        scene.expect_refused(LIMIT, &["6 of the 6 newest rows of assets"]);
    }
}

fn an_edited_configuration_forgets_nothing(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    add(&scene, 4..=60);
    expect_quiet(&scene);
    add(&scene, 61..=66);
    expect_quiet(&scene);
    scene.run("DELETE FROM assets WHERE id > 60");
    let rule = "where = \"status <> 'gone'\"\n[[records.rules]]\nname = \"old\"\nwhere = \"status = 'old'\"\n";
    scene.configure_assets(rule, NO_LIMITS);
    scene.expect_refused(LIMIT, &["6 of the 6 newest rows of assets"]);
}

/// A database of another name and of its own identity has no memory: what the store's last one knew is held against it.
#[test]
fn an_older_copy_in_another_database_is_told_of_once() {
    let mut scene = Scene::of_assets(Engine::Sqlite, "");
    add(&scene, 4..=20);
    expect_quiet(&scene);
    scene.database = Box::new(Sqlite::new());
    scene.run("CREATE TABLE assets (id {id}, storage_key {text}, created_at {time}, status {text}, ended_at {time})");
    (1..=9).for_each(|id| scene.asset(id, &format!("live/{id}.png"), "live", "NULL"));
    scene.configure_assets("", NO_LIMITS);
    let told = |scene: &Scene| {
        let told = warnings(&scene.tool.report());
        told.iter().filter(|told| told.starts_with("another database had this store before")).count()
    };
    assert_eq!([told(&scene), told(&scene)], [2, 0]);
}

fn a_table_that_lost_half_of_its_rows_refuses(engine: Engine) {
    let scene = Scene::of_assets(engine, "where = \"status <> 'gone'\"\n");
    add(&scene, 4..=600);
    expect_quiet(&scene);
    // What a row says of itself does not make it missing.
    scene.run("UPDATE assets SET status = 'gone' WHERE id <= 350");
    expect_quiet(&scene);
    scene.run("UPDATE assets SET status = 'live'");
    expect_quiet(&scene);
    scene.run("DELETE FROM assets WHERE id <= 90");
    let told = warnings(&scene.tool.report());
    assert!(told.iter().any(|told| told.starts_with("assets had 600 rows in run 3, and has 510")), "{told:?}");
    expect_quiet(&scene);
    scene.run("DELETE FROM assets WHERE id <= 345");
    scene.expect_refused(LIMIT, &["the database went back: assets had 510 rows in run 5, and has 255"]);
}

fn rows_that_do_not_count_hide_no_loss(engine: Engine) {
    let scene = Scene::of_assets(engine, "where = \"status <> 'gone'\"\n");
    add(&scene, 4..=100);
    scene.run("UPDATE assets SET status = 'gone' WHERE id <= 60");
    expect_quiet(&scene);
    scene.run("DELETE FROM assets WHERE id % 2 = 0");
    scene.expect_refused(LIMIT, &["the database went back: assets had 40 rows in run 1, and has 20"]);
}

/// Of rows that the tool deletes as they name no object, and of their findings, others say nothing.
fn a_deleted_row_explains_only_itself(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.run("CREATE TABLE extras (id {id}, storage_key {text}, created_at {time})");
    let extras = "[[records]]\ntable = \"extras\"\nid = \"id\"\nkey = \"storage_key\"\ncreated_at = \"created_at\"\n\
                  updated_at = \"created_at\"\nmissing_file = \"delete\"\n";
    scene.configure_assets("", &format!("{extras}{NO_LIMITS}"));
    for id in 1..=4 {
        scene.run(&format!("INSERT INTO extras VALUES ({id}, 'extra/{id}.png', {{ago 90d}})"));
        scene.put(&format!("extra/{id}.png"));
    }
    scene.run("INSERT INTO extras VALUES (5, 'lost.png', {ago 90d})");
    scene.executed();
    assert_eq!(scene.ids("extras"), ["1", "2", "3", "4"]);
    scene.run("UPDATE extras SET storage_key = 'other.png'");
    scene.expect_refused(LIMIT, &["extras named objects in run 1, and names none that is there"]);
    scene.run("DELETE FROM extras");
    scene.expect_refused(LIMIT, &["extras had rows in run 1, and has none"]);
}

/// Rows that live for hours, and with them the tool that is run each night.
fn rows_that_come_and_go_refuse_until_that_is_accepted_twice(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    let night = |night: u32| {
        scene.run("DELETE FROM assets WHERE id > 3");
        add(&scene, night * 10..=night * 10 + 9);
    };
    night(1);
    expect_quiet(&scene);
    // Rows that are older than those that are gone are no part of the habit.
    for next in 2..=4 {
        night(next);
        scene.expect_refused(LIMIT, &["newest rows of assets"]);
        let outcome = scene.execute(&["--accept-database"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
    }
    for next in 5..=6 {
        night(next);
        let told = warnings(&scene.executed());
        assert!(told[0].starts_with("10 of the 10 newest rows of assets"), "{told:?}");
        assert!(told[0].contains("as a person accepted before"), "{told:?}");
    }
    // An older dump, with new rows of the same ids.
    scene.run("UPDATE assets SET storage_key = 'live/1.png' WHERE id > 3");
    scene.expect_refused(LIMIT, &["10 of the 10 newest rows of assets", "other keys"]);
}

fn a_reference_that_lost_what_it_had_refuses_though_it_may_be_empty(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.run("CREATE TABLE users (id {id}, avatar {text})");
    let reference = "[[references]]\ntable = \"users\"\nkey = \"avatar\"\nmay_be_empty = true\n";
    scene.configure_assets("", &format!("{NO_LIMITS}{reference}"));
    scene.put("stray.png");
    expect_quiet(&scene);
    scene.put("avatar.png");
    scene.run("INSERT INTO users VALUES (1, 'avatar.png')");
    expect_quiet(&scene);
    scene.run("UPDATE users SET avatar = 'other.png'");
    scene.expect_refused(LIMIT, &["users.avatar named objects in run 2, and names none that is there"]);
    scene.run("DELETE FROM users");
    scene.expect_refused(LIMIT, &["users.avatar had rows in run 2, and has none"]);
    let outcome = scene.execute(&["--accept-database"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png"]);
    expect_quiet(&scene);
}

/// Users delete the newest rows, a job deletes 8 % of all each night, and new ones come.
fn ordinary_churn_refuses_nothing(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    add(&scene, 4..=250);
    let mut next = 251;
    for night in 0..4 {
        expect_quiet(&scene);
        let oldest = 20 * night + 20;
        scene.run(&format!("DELETE FROM assets WHERE id <= {oldest}"));
        // Of ten new rows the four newest go again.
        add(&scene, next..=next + 9);
        let outcome = scene.execute(&[]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        scene.run(&format!("DELETE FROM assets WHERE id > {}", next + 5));
        next += 10;
    }
    expect_quiet(&scene);
    // Of twenty that come, somebody refuses twelve.
    add(&scene, next..=next + 19);
    expect_quiet(&scene);
    scene.run(&format!("DELETE FROM assets WHERE id >= {next} AND (id - {next}) % 5 < 3"));
    expect_quiet(&scene);
}

fn what_the_tool_removed_is_no_sign(engine: Engine) {
    let rule = "[[records.rules]]\nname = \"old\"\nwhere = \"status = 'old'\"\n";
    let scene = Scene::of_assets(engine, rule);
    add(&scene, 4..=60);
    expect_quiet(&scene);
    scene.run("UPDATE assets SET status = 'old' WHERE id > 20");
    let outcome = scene.execute(&[]);
    assert_eq!((outcome.code, scene.ids("assets").len()), (0, 20), "{outcome:#?}");
    expect_quiet(&scene);
    // Nor is it where the application does what its rule says.
    scene.run("UPDATE assets SET status = 'old' WHERE id > 8");
    expect_quiet(&scene);
    scene.run("DELETE FROM assets WHERE id > 8");
    expect_quiet(&scene);
    let outcome = scene.tool.run(&["restore", "--run", "2"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    expect_quiet(&scene);
}
