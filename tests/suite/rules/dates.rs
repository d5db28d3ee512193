//! Where a rule's clock starts: every way in which the engines and their applications write a date.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::on_every_engine;
use super::scene::{Engine, Line, NO_LIMITS, Scene, expect, finding, warnings};

on_every_engine!(
    every_kind_of_date_starts_the_clock,
    a_day_lasts_until_its_end,
    a_date_that_cannot_be_read_keeps_its_row_and_is_told,
    many_dates_that_cannot_be_read_are_told_of_once,
    placeholders_are_dates_that_cannot_be_read,
    a_row_whose_creation_time_cannot_be_read_is_held,
    dates_without_a_zone_are_read_in_the_configured_one,
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
            "[[records]]\ntable = {name:?}\nid = \"id\"\nkey = \"file\"\ncreated_at = \"created_at\"\nupdated_at = \"created_at\"\n\
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
    // Nothing is no date, and is not worth a word.
    for (told, table, count) in [(&told[0], "numbers", "1 row has"), (&told[1], "words", "4 rows have")] {
        assert!(told.starts_with(&format!("{table}: {count} a date in ended")) && told.contains("rule over"), "{told}");
    }
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(scene.ids("words"), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(scene.ids("numbers"), ["1", "2"]);
}

fn many_dates_that_cannot_be_read_are_told_of_once(engine: Engine) {
    let scene = tables(engine, [("words", "{text}")].into_iter());
    rows(&scene, "words", &(2..27).map(|id| (id, "'soon'".to_owned())).collect::<Vec<_>>());
    let report = scene.tool.report();
    expect(&report, &[]);
    let told = warnings(&report);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("25 rows") && told[0].contains("soon"), "{told:#?}");
}

/// The zero time of Go and .NET, the beginning of Unix time, and years of two digits start no clock.
fn placeholders_are_dates_that_cannot_be_read(engine: Engine) {
    let scene = tables(engine, [("words", "{text}")].into_iter());
    let never = ["0001-01-01 00:00:00+00", "0001-01-01T00:00:00", "1970-01-01 00:00:00", "1900-01-01", "30-12-31", "0"];
    rows(&scene, "words", &(2..).zip(never.map(|date| format!("'{date}'"))).collect::<Vec<_>>());
    let report = scene.tool.report();
    expect(&report, &[]);
    let told = warnings(&report);
    assert!(told.len() == 1 && told[0].contains("5 rows"), "a zero is not worth a word: {told:#?}");
}

/// Such a row is a finding, and held until it was seen for long enough.
fn a_row_whose_creation_time_cannot_be_read_is_held(engine: Engine) {
    let scene = tables(engine, [("words", "{text}")].into_iter());
    let ended = spaced(Utc::now() - TimeDelta::days(2));
    scene.run(&format!("INSERT INTO words VALUES (2, 'words/2', NULL, {ended}), (3, 'words/3', {{in 50h}}, {ended})"));
    ["words/2", "words/3"].iter().for_each(|key| scene.put(key));
    let report: Value = scene.tool.report();
    expect(&report, &[("over", "words/2", "words", "2"), ("over", "words/3", "words", "3")]);
    for id in ["2", "3"] {
        assert_eq!(finding(&report, "words", id)["held_by"], "undated", "{report:#}");
    }
    let told = warnings(&report);
    assert!(told.len() == 1 && told[0].contains("2 rows have a date in created_at"), "{told:#?}");
    scene.run("UPDATE words SET created_at = {ago 2d}");
    let report: Value = scene.tool.report();
    assert!(["2", "3"].iter().all(|id| finding(&report, "words", id)["held"].is_null()), "{report:#}");
}

/// The hours of a clock on a wall are those of the zone that the configuration names.
fn dates_without_a_zone_are_read_in_the_configured_one(engine: Engine) {
    let scene = Scene::new(engine);
    scene.run("CREATE TABLE words (id {id}, file {text}, created_at {text}, ended {text})");
    // Half an hour ago in Los Angeles, where it is seven or eight hours earlier.
    let there: chrono_tz::Tz = "America/Los_Angeles".parse().expect("a zone");
    let half_an_hour_ago = (Utc::now() - TimeDelta::minutes(30)).with_timezone(&there).format("%Y-%m-%d %H:%M:%S");
    scene.run(&format!("INSERT INTO words VALUES (1, 'words/1', '{half_an_hour_ago}', NULL)"));
    scene.run("INSERT INTO words VALUES (2, 'words/2', '2024-01-01 00:00:00', NULL)");
    scene.put("words/2");
    for (zone, found) in [("", true), ("time_zone = \"America/Los_Angeles\"\n", false)] {
        scene.configure(&format!(
            "[[records]]\ntable = \"words\"\nid = \"id\"\nkey = \"file\"\ncreated_at = \"created_at\"\n{zone}\n\
             [safety]\nmin_age = \"2h\"\nmax_percent = 100\n"
        ));
        let report = scene.tool.report();
        let lines = [("orphaned-record", "words/1", "words", "1")];
        expect(&report, if found { &lines } else { &[] });
    }
    // The same in an expression.
    let hours = half_an_hour_ago.to_string();
    let plus = engine.one(
        "datetime(created_at, '+8 hours')",
        "(created_at::timestamp + interval '8 hours')::text",
        "DATE_ADD(created_at, INTERVAL 8 HOUR)",
    );
    scene.configure(&format!(
        "[[records]]\ntable = \"words\"\nid = \"id\"\nkey = \"file\"\ncreated_at_sql = \"{plus}\"\n\
         [safety]\nmin_age = \"2h\"\nmax_percent = 100\n"
    ));
    let report = scene.tool.report();
    expect(&report, &[]);
    assert_eq!(report["totals"]["too_young"], 1, "{hours}: {report:#}");
}
