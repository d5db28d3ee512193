//! Which of several rules a row is a finding of; and what is too young to go, whatever a rule says.

use std::time::{Duration, SystemTime};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use super::on_every_engine;
use super::scene::{Engine, NO_LIMITS, Scene, expect, finding};
use crate::support::servers::blocking;
use crate::support::terminal;

on_every_engine!(
    a_row_is_a_finding_of_the_first_rule_that_condemns_it,
    every_part_of_a_rule_must_hold,
    a_where_condemns_only_where_it_is_true,
    a_young_row_is_kept,
    a_young_object_keeps_its_rows,
    a_row_without_age_is_held_until_it_was_seen_for_long_enough,
    a_clock_stands_for_an_age,
);

const LIVE: [&str; 3] = ["live/1.png", "live/2.png", "live/3.png"];

/// The first one that is named, with what it does; the next one only for rows that the first one spares.
fn a_row_is_a_finding_of_the_first_rule_that_condemns_it(engine: Engine) {
    let slow = "[[records.rules]]\nname = \"slow\"\nwhere = \"status = 'dead'\"\nsince = \"ended_at\"\nafter = \"7d\"\n\
                then = { set = { status = \"gone\" } }\n";
    let quick =
        "[[records.rules]]\nname = \"quick\"\nwhere = \"status = 'dead'\"\nsince = \"ended_at\"\nafter = \"2d\"\n";
    for (rules, expected, statuses) in [
        (format!("{slow}{quick}"), ["slow", "quick"], vec!["live", "live", "live", "gone"]),
        (format!("{quick}{slow}"), ["quick", "quick"], vec!["live", "live", "live"]),
    ] {
        let scene = Scene::of_assets(engine, &format!("where = \"status <> 'gone'\"\n{rules}"));
        scene.asset(4, "eight.png", "dead", "{ago 8d}");
        scene.asset(5, "three.png", "dead", "{ago 3d}");
        ["eight.png", "three.png"].iter().for_each(|key| scene.put(key));
        let report = scene.executed();
        expect(&report, &[(expected[0], "eight.png", "assets", "4"), (expected[1], "three.png", "assets", "5")]);
        assert_eq!(scene.texts("SELECT status FROM assets ORDER BY id"), statuses);
        scene.expect_files(&LIVE);
        scene.expect_nothing_left();
    }
}

fn every_part_of_a_rule_must_hold(engine: Engine) {
    let rule = "[[records.rules]]\nname = \"all\"\nwhere = \"status = 'tour'\"\nsince = \"ended_at\"\nafter = \"1d\"\n\
                entity = { type = \"status\", id = \"id\", tables = { tour = \"tours\", other = \"tours\" } }\n";
    let scene = Scene::of_assets(engine, "");
    scene.run("CREATE TABLE tours (id {id}); INSERT INTO tours VALUES (7)");
    scene.configure_assets(rule, NO_LIMITS);
    scene.asset(4, "all.png", "tour", "{ago 2d}");
    scene.asset(5, "not-the-where.png", "other", "{ago 2d}");
    scene.asset(6, "not-the-clock.png", "tour", "{ago 23h}");
    scene.asset(7, "not-the-entity.png", "tour", "{ago 2d}");
    let kept = ["not-the-where.png", "not-the-clock.png", "not-the-entity.png"];
    kept.iter().chain(&["all.png"]).for_each(|key| scene.put(key));
    expect(&scene.executed(), &[("all", "all.png", "assets", "4")]);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "5", "6", "7"]);
    scene.expect_files(&[&LIVE[..], &kept].concat());
}

/// NULL condemns nothing, though in the where of `[[records]]` it keeps a row; and a comment ends where it stands.
fn a_where_condemns_only_where_it_is_true(engine: Engine) {
    let rule = "[[records.rules]]\nname = \"dead\"\nwhere = \"ended_at < {ago 1d} OR status = 'dead' -- or so\"\n";
    let scene = Scene::of_assets(engine, "");
    scene.configure_assets(&engine.sql(rule), NO_LIMITS);
    scene.asset(4, "null.png", "live", "NULL");
    scene.asset(5, "true.png", "dead", "NULL");
    scene.asset(6, "false.png", "live", "{ago 1h}");
    ["null.png", "true.png", "false.png"].iter().for_each(|key| scene.put(key));
    expect(&scene.executed(), &[("dead", "true.png", "assets", "5")]);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "4", "6"]);
}

const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";

fn a_young_row_is_kept(engine: Engine) {
    let scene = Scene::of_assets(engine, DEAD);
    scene.run(
        "INSERT INTO assets VALUES (4, 'young.png', {ago 23h}, 'dead', NULL);
         INSERT INTO assets VALUES (5, 'old.png', {ago 25h}, 'dead', NULL);
         INSERT INTO assets VALUES (6, NULL, {ago 23h}, 'dead', NULL);
         INSERT INTO assets VALUES (7, 'lost.png', {ago 23h}, 'dead', NULL);",
    );
    ["young.png", "old.png"].iter().for_each(|key| scene.put(key));
    let report = scene.executed();
    expect(&report, &[("dead", "old.png", "assets", "5")]);
    assert_eq!(report["totals"]["too_young"], 3);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "4", "6", "7"]);
    scene.expect_files(&[&LIVE[..], &["young.png"]].concat());
    scene.configure_assets(DEAD, &format!("{NO_LIMITS}min_age = \"0s\"\n"));
    assert_eq!(scene.executed()["removals"]["records_deleted"], 3);
    scene.expect_files(&LIVE);
}

/// Somebody has uploaded a file for an old row: neither goes.
fn a_young_object_keeps_its_rows(engine: Engine) {
    let scene = Scene::of_assets(engine, DEAD);
    scene.asset(4, "young.png", "dead", "NULL");
    scene.asset(5, "young.png", "dead", "NULL");
    let modified = |hours: u64| SystemTime::now() - Duration::from_secs(hours * 3600);
    scene.put_at("young.png", modified(23));
    let report = scene.tool.report();
    expect(&report, &[]);
    assert_eq!(report["totals"]["too_young"], 2);
    scene.put_at("young.png", modified(25));
    expect(&scene.executed(), &[("dead", "young.png", "assets", "4"), ("dead", "young.png", "assets", "5")]);
    scene.expect_files(&LIVE);
}

/// A table without creation times: its first sighting is the row's age, for rules and for `missing_file`.
fn a_row_without_age_is_held_until_it_was_seen_for_long_enough(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    let records = format!("[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n{DEAD}");
    scene.configure(&format!(
        "{}\n{NO_LIMITS}",
        records.replace("[[records.rules]]", "missing_file = \"delete\"\n[[records.rules]]")
    ));
    scene.asset(4, "dead.png", "dead", "NULL");
    scene.asset(5, "lost.png", "live", "NULL");
    scene.run("INSERT INTO assets VALUES (6, NULL, {ago 90d}, 'dead', NULL)");
    scene.put("dead.png");
    let lines = [
        ("dead", "dead.png", "assets", "4"),
        ("orphaned-record", "lost.png", "assets", "5"),
        ("dead", "", "assets", "6"),
    ];
    for hours in [0, 23] {
        first_seen(&scene, hours);
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        let report = outcome.json();
        expect(&report, &lines);
        for id in ["4", "5", "6"] {
            let held = finding(&report, "assets", id)["held"].as_str().expect("a reason");
            assert!(held.contains("created_at") && held.contains("24h"), "{held}");
        }
        assert_eq!(report["totals"]["held"], 3);
        assert_eq!(scene.ids("assets").len(), 6);
    }
    // Only reported, a record has nothing to be held from.
    scene.configure(&format!("{records}\n{NO_LIMITS}"));
    assert!(finding(&scene.tool.report(), "assets", "5")["held"].is_null());
    first_seen(&scene, 25);
    let report = scene.executed();
    expect(&report, &lines);
    assert_eq!((&report["totals"]["held"], &report["removals"]["records_deleted"]), (&0.into(), &2.into()));
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "5"]);
    scene.expect_files(&LIVE);

    // Without a test of ages there is nothing to wait for.
    scene.asset(7, "another.png", "dead", "NULL");
    scene.put("another.png");
    scene.configure(&format!("{records}\n{NO_LIMITS}min_age = \"0s\"\n"));
    assert_eq!(scene.executed()["removals"]["records_deleted"], 1);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "5"]);
}

/// Sets the first sighting of everything that the ledger knows, if there is one, to so many hours ago.
fn first_seen(scene: &Scene, hours: u32) {
    let ledger = scene.tool.path("ledger.db");
    if !ledger.exists() {
        return;
    }
    let sql = format!("UPDATE sightings SET first_seen = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-{hours} hours')");
    blocking(async {
        let options = SqliteConnectOptions::new().filename(ledger);
        let mut connection = SqliteConnection::connect_with(&options).await.expect("the ledger");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the statement");
        connection.close().await.expect("a closed ledger");
    });
}

/// A row of a table without creation times is as old as the clock of its rule: not held, but not younger than `min_age`.
fn a_clock_stands_for_an_age(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    let rule = "[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n\
                [[records.rules]]\nname = \"over\"\nsince = \"ended_at\"\n";
    scene.configure(&format!("{rule}{NO_LIMITS}"));
    scene.asset(4, "lately.png", "live", "{ago 23h}");
    scene.asset(5, "long-ago.png", "live", "{ago 25h}");
    ["lately.png", "long-ago.png"].iter().for_each(|key| scene.put(key));
    let report = scene.executed();
    expect(&report, &[("over", "long-ago.png", "assets", "5")]);
    assert_eq!((&report["totals"]["held"], &report["totals"]["too_young"]), (&0.into(), &1.into()));
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "4"]);
    scene.expect_files(&[&LIVE[..], &["lately.png"]].concat());
}
