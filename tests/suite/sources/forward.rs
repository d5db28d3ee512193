//! A database that went back (I21): an older dump that was restored, a table that was emptied; and what is no sign of it.

use std::ops::RangeInclusive;

use crate::rules::on_every_engine;
use crate::rules::scene::{Engine, NO_LIMITS, Scene, warnings};
use crate::support::terminal;

on_every_engine!(
    a_restored_dump_refuses_until_it_is_accepted,
    a_restored_dump_that_went_on_refuses,
    rows_without_numbers_go_by_their_dates,
    a_table_that_lost_half_of_its_rows_refuses,
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
