//! Where a rule's clock starts: every way in which the engines and their applications write a date.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::on_every_engine;
use super::scene::{Engine, Line, NO_LIMITS, Scene, expect, warnings};

on_every_engine!(
    every_kind_of_date_starts_the_clock,
    a_day_lasts_until_its_end,
    a_date_that_cannot_be_read_keeps_its_row_and_is_told,
    only_the_first_unreadable_dates_are_told_one_by_one,
    a_creation_time_that_cannot_be_read_keeps_the_row,
);

/// How a date is kept: a name, the column's type, and the literal of a moment.
type Way = (&'static str, &'static str, fn(DateTime<Utc>) -> String);

fn iso(time: DateTime<Utc>) -> String {
    time.format("'%Y-%m-%dT%H:%M:%SZ'").to_string()
}

fn spaced(time: DateTime<Utc>) -> String {
    time.format("'%Y-%m-%d %H:%M:%S'").to_string()
}

/// In a zone far from here.
fn zoned(time: DateTime<Utc>) -> String {
    let there = chrono::FixedOffset::east_opt(9 * 3600).expect("a zone");
    time.with_timezone(&there).format("'%Y-%m-%d %H:%M:%S+09:00'").to_string()
}

fn seconds(time: DateTime<Utc>) -> String {
    time.timestamp().to_string()
}

fn milliseconds(time: DateTime<Utc>) -> String {
    time.timestamp_millis().to_string()
}

fn seconds_in_text(time: DateTime<Utc>) -> String {
    format!("'{}'", time.timestamp())
}

fn ways(engine: Engine) -> Vec<Way> {
    let own: &[Way] = match engine {
        Engine::Sqlite => &[("spaced", "text", spaced), ("affine", "datetime", spaced), ("real", "real", seconds)],
        Engine::Postgres => &[
            ("with_zone", "timestamptz", zoned),
            ("without_zone", "timestamp", spaced),
            ("whole", "timestamptz(0)", zoned),
            ("floating", "double precision", seconds),
            ("exact", "numeric", milliseconds),
        ],
        Engine::MariaDb => &[
            ("with_zone", "timestamp NULL", spaced),
            ("without_zone", "datetime", spaced),
            ("precise", "datetime(6)", spaced),
            ("floating", "double", seconds),
            ("counted", "bigint unsigned", milliseconds),
        ],
    };
    let all: &[Way] = &[
        ("iso", "{text}", iso),
        ("zoned_text", "{text}", zoned),
        ("seconds", "bigint", seconds),
        ("milliseconds", "bigint", milliseconds),
        ("seconds_in_text", "{text}", seconds_in_text),
    ];
    [own, all].concat()
}

/// An application with a table of each name and type of column, whose rows are over a day after `ended`.
fn tables<'t>(engine: Engine, tables: impl Iterator<Item = (&'t str, &'t str)>) -> Scene {
    let scene = Scene::new(engine);
    // A server in another zone than the tool, where a database can have one of its own.
    let database = scene.database.url();
    let name = database.rsplit('/').next().expect("a name");
    scene.run(engine.one("SELECT 1", &format!("ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'"), "SELECT 1"));
    let mut sections = String::new();
    for (name, type_name) in tables {
        scene.run(&format!("CREATE TABLE {name} (id {{id}}, file {{text}}, created_at {{time}}, ended {type_name})"));
        row(&scene, name, 1, "NULL");
        writeln!(
            sections,
            "[[records]]\ntable = {name:?}\nid = \"id\"\nkey = \"file\"\ncreated_at = \"created_at\"\n\
             [[records.rules]]\nname = \"over\"\nsince = \"ended\"\nafter = \"24h\""
        )
        .expect("a string takes all");
    }
    scene.configure(&format!("{sections}{NO_LIMITS}"));
    scene
}

/// A row with its file; `ended` is SQL.
fn row(scene: &Scene, table: &str, id: u32, ended: &str) {
    rows(scene, table, &[(id, ended.to_owned())]);
}

/// Rows with their files. They are inserted by one connection: connecting is what takes time.
fn rows(scene: &Scene, table: &str, rows: &[(u32, String)]) {
    let mut sql = scene.engine.one("", "", "SET time_zone = '+00:00';").to_owned();
    for (id, ended) in rows {
        write!(sql, "INSERT INTO {table} VALUES ({id}, '{table}/{id}', {{ago 90d}}, {ended});").expect("a string");
        scene.put(&format!("{table}/{id}"));
    }
    scene.run(&sql);
}

fn every_kind_of_date_starts_the_clock(engine: Engine) {
    let ways = ways(engine);
    let scene = tables(engine, ways.iter().map(|(name, type_name, _)| (*name, *type_name)));
    let day = TimeDelta::days(1);
    for (name, _, literal) in &ways {
        let ended = |since: TimeDelta| literal(Utc::now() - since);
        // Its clock has just run out; will run out in a while; and starts in the future.
        let ended = [day + TimeDelta::seconds(2), day - TimeDelta::minutes(2), -day].map(ended);
        rows(&scene, name, &(2..).zip(ended).collect::<Vec<_>>());
    }
    let keys: Vec<String> = ways.iter().map(|(name, ..)| format!("{name}/2")).collect();
    let lines: Vec<Line<'_>> = ways.iter().zip(&keys).map(|((name, ..), key)| ("over", &**key, *name, "2")).collect();
    let report = scene.executed();
    assert_eq!(warnings(&report), Vec::<String>::new());
    expect(&report, &lines);
    for (name, ..) in &ways {
        assert_eq!(scene.ids(name), ["1", "3", "4"], "{name}");
    }
    assert_eq!(scene.files().len(), 3 * ways.len());
    scene.expect_nothing_left();
}

/// A date without a time may mean its last second.
fn a_day_lasts_until_its_end(engine: Engine) {
    let columns = [("days", engine.one("text", "date", "date")), ("days_in_text", "{text}")];
    let scene = tables(engine, columns.into_iter());
    for (name, _) in columns {
        for days in 1..=3 {
            let date = (Utc::now() - TimeDelta::days(days)).format("'%Y-%m-%d'").to_string();
            row(&scene, name, 1 + days as u32, &date);
        }
    }
    let report = scene.executed();
    let gone = ["days/3", "days/4", "days_in_text/3", "days_in_text/4"];
    let lines: Vec<Line<'_>> =
        gone.iter().map(|key| ("over", *key, key.split('/').next().expect("a table"), &key[key.len() - 1..])).collect();
    expect(&report, &lines);
    scene.expect_files(&["days/1", "days/2", "days_in_text/1", "days_in_text/2"]);
}

/// With its file, without, and without even a key: each row is told of once, by its table and id, with what is there.
fn a_date_that_cannot_be_read_keeps_its_row_and_is_told(engine: Engine) {
    let columns = [("words", "{text}"), ("numbers", "bigint")];
    let scene = tables(engine, columns.into_iter());
    row(&scene, "words", 2, "'yesterday'");
    row(&scene, "words", 3, "'20240114'");
    row(&scene, "words", 4, "''");
    row(&scene, "numbers", 2, "42");
    scene.run(
        "INSERT INTO words VALUES (5, 'words/lost', {ago 90d}, 'no file');
         INSERT INTO words VALUES (6, NULL, {ago 90d}, 'no key');",
    );
    row(&scene, "words", 7, &spaced(Utc::now() - TimeDelta::days(2)));
    let report = scene.executed();
    let lines = [("over", "words/7", "words", "7"), ("orphaned-record", "words/lost", "words", "5")];
    expect(&report, &lines);
    let told = warnings(&report);
    for (table, id, value) in [
        ("words", 2, "yesterday"),
        ("words", 3, "20240114"),
        ("words", 4, ""),
        ("words", 5, "no file"),
        ("words", 6, "no key"),
        ("numbers", 2, "42"),
    ] {
        let about: Vec<_> = told.iter().filter(|told| told.starts_with(&format!("{table} id {id}: "))).collect();
        assert_eq!(about.len(), 1, "{table} id {id}: {told:#?}");
        assert!(about[0].contains("rule over") && about[0].contains("ended"), "{about:?}");
        assert!(about[0].ends_with(value), "{about:?}");
    }
    assert_eq!(told.len(), 6, "{told:#?}");
    assert_eq!(scene.ids("words"), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(scene.ids("numbers"), ["1", "2"]);
}

fn only_the_first_unreadable_dates_are_told_one_by_one(engine: Engine) {
    let scene = tables(engine, [("words", "{text}")].into_iter());
    rows(&scene, "words", &(2..27).map(|id| (id, "'soon'".to_owned())).collect::<Vec<_>>());
    let report = scene.tool.report();
    expect(&report, &[]);
    let told = warnings(&report);
    assert_eq!(told.len(), 21, "{told:#?}");
    assert!(told[20].starts_with("5 more rows"), "{told:#?}");
}

/// Such a row counts as young, whatever the rule's clock says.
fn a_creation_time_that_cannot_be_read_keeps_the_row(engine: Engine) {
    let scene = tables(engine, [("words", "{text}")].into_iter());
    let ended = spaced(Utc::now() - TimeDelta::days(2));
    scene.run(&format!("INSERT INTO words VALUES (2, 'words/2', NULL, {ended})"));
    scene.put("words/2");
    let report: Value = scene.tool.report();
    expect(&report, &[]);
    assert_eq!(report["totals"]["too_young"], 1);
    scene.run("UPDATE words SET created_at = {ago 2d} WHERE id = 2");
    expect(&scene.tool.report(), &[("over", "words/2", "words", "2")]);
}
