//! Tables in a second database, of the same engine or another one: what they name stays, and their rows go and come back.

use std::fs;

use super::keys;
use crate::rules::on_every_engine;
use crate::rules::scene::{Engine, NAME, NO_LIMITS, Scene};
use crate::support::servers::Database;
use crate::support::sqlite::Sqlite;
use crate::support::terminal;

on_every_engine!(
    what_another_database_names_stays,
    rows_of_another_database_go_and_come_back,
    a_table_of_the_same_name_is_another_one
);

/// The application of a scene, and a SQLite one beside it; `sections` come after that of `[[databases]]`.
fn scene(engine: Engine, sections: &str) -> (Scene, Sqlite) {
    let (scene, other) = (Scene::of_assets(engine, ""), Sqlite::new());
    other.run(
        "CREATE TABLE assets (id integer PRIMARY KEY, storage_key text, created_at text, status text);
         INSERT INTO assets VALUES (1, 'theirs/1.png', datetime('now', '-90 days'), 'live');
         INSERT INTO assets VALUES (2, 'theirs/2.png', datetime('now', '-90 days'), 'live');
         INSERT INTO assets VALUES (3, 'theirs/3.png', datetime('now', '-90 days'), 'dead');
         INSERT INTO assets VALUES (9, 'live/1.png', datetime('now', '-90 days'), 'dead');",
    );
    (1..=3).for_each(|number| scene.put(&format!("theirs/{number}.png")));
    configure(&scene, &other, sections);
    (scene, other)
}

fn configure(scene: &Scene, other: &Sqlite, sections: &str) {
    let databases = format!("[[databases]]\nname = \"other\"\nurl = {:?}\n", other.url());
    scene.configure_assets("", &format!("{NO_LIMITS}{databases}{sections}"));
}

const REFERENCE: &str = "[[references]]\ndatabase = \"other\"\ntable = \"assets\"\nkey = \"storage_key\"\n";
const RECORDS: &str = "[[records]]\ndatabase = \"other\"\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n\
                       created_at = \"created_at\"\nupdated_at = \"created_at\"\n";
const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";

fn what_another_database_names_stays(engine: Engine) {
    let query = "[[references]]\ndatabase = \"other\"\nquery = \"SELECT storage_key FROM assets\"\n";
    for sections in [REFERENCE, query, RECORDS] {
        let (scene, _other) = scene(engine, sections);
        scene.put("theirs/stray.png");
        let report = scene.tool.report();
        assert_eq!(keys(&report, "orphaned-file"), ["theirs/stray.png"], "{report:#}");
        scene.executed();
        assert_eq!(scene.files().len(), 6, "{sections}");
    }
}

fn rows_of_another_database_go_and_come_back(engine: Engine) {
    let (scene, other) = scene(engine, &format!("{RECORDS}{DEAD}"));
    let outcome = scene.execute(&[]);
    assert!(outcome.code == 0 && outcome.stderr.contains("DELETE 2 rows of other:assets"), "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["databases"][0]["name"], "other");
    let findings = report["findings"].as_array().expect("findings");
    assert!(
        findings.iter().all(|finding| finding["table"] == "assets" && finding["database"] == "other"),
        "{report:#}"
    );
    assert_eq!(other.texts("SELECT CAST(id AS TEXT) FROM assets ORDER BY id"), ["1", "2"]);
    assert_eq!(scene.ids("assets"), ["1", "2", "3"]);
    // A file that the first database wants too stays.
    assert!(!scene.files().contains("theirs/3.png") && scene.files().contains("live/1.png"));
    let outcome = scene.tool.run(&["restore", "--run", "1"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(other.texts("SELECT CAST(id AS TEXT) FROM assets ORDER BY id"), ["1", "2", "3", "9"]);
    assert!(scene.files().contains("theirs/3.png"));
}

/// Rows of two tables `assets`, in two databases, with the same ids: each finding is of its own.
fn a_table_of_the_same_name_is_another_one(engine: Engine) {
    let (scene, other) = scene(engine, "");
    let records = RECORDS.replace("key = \"storage_key\"\n", "key = \"storage_key\"\nmissing_file = \"delete\"\n");
    other.run("INSERT INTO assets VALUES (3000, 'lost.png', datetime('now', '-90 days'), 'live')");
    scene.asset(3000, "lost.png", "live", "NULL");
    configure(&scene, &other, &records);
    let report = scene.tool.report();
    assert_eq!(keys(&report, "orphaned-record"), ["lost.png", "lost.png"], "{report:#}");
    // Named by its database, only that one goes.
    let path = scene.tool.path("only.json");
    let mut report = report;
    report["findings"].as_array_mut().expect("findings").retain(|finding| finding["database"] == "other");
    fs::write(&path, report.to_string()).expect("a report");
    let outcome = scene.execute(&["--only", &path.display().to_string()]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(other.texts("SELECT CAST(id AS TEXT) FROM assets ORDER BY id"), ["1", "2", "3", "9"]);
    assert!(scene.ids("assets").contains(&"3000".to_owned()));
}

/// Each of the three engines as the second database.
#[test]
#[ignore = "needs PostgreSQL and MariaDB: run tests/run"]
fn any_engine_may_be_the_second() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let (first, second) = (Scene::of_assets(Engine::Sqlite, ""), Scene::of_assets(engine, ""));
        second.run("UPDATE assets SET storage_key = 'theirs.png' WHERE id = 1");
        second.asset(4, "dead.png", "dead", "NULL");
        ["theirs.png", "dead.png", "stray.png"].iter().for_each(|key| first.put(key));
        let databases = format!("[[databases]]\nname = \"other\"\nurl = {:?}\n", second.database.url());
        first.configure_assets("", &format!("{NO_LIMITS}{databases}{RECORDS}{DEAD}"));
        let outcome = terminal::run(&first.tool, &["--execute", "--format", "json"], NAME);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(second.ids("assets"), ["1", "2", "3"]);
        first.expect_files(&["live/1.png", "live/2.png", "live/3.png", "theirs.png"]);
        assert_eq!(first.tool.run(&["restore", "--run", "1"]).code, 0);
        assert_eq!((second.ids("assets").len(), first.files().len()), (4, 6));
    }
}

#[test]
fn what_a_second_database_cannot_be() {
    let (scene, other) = scene(Engine::Sqlite, "");
    for (sections, words) in [
        (RECORDS.replace("\"other\"", "\"others\""), "names none of [[databases]]; there are other"),
        (format!("[[databases]]\nname = \"other\"\nurl = {:?}\n", other.url()), "stands there twice"),
        ("[[databases]]\nname = \"a b\"\nurl = \"sqlite:x\"\n".to_owned(), "a name is of letters"),
        ("[[databases]]\nname = \"third\"\n".to_owned(), "[[databases]] third needs a url or a url_file"),
        (REFERENCE.replace("\"assets\"", "\"nothing\""), "there is no such table"),
        (
            format!("[[databases]]\nname = \"third\"\nurl = \"sqlite:{}/none.db\"\n", scene.tool.home().display()),
            "third",
        ),
    ] {
        configure(&scene, &other, &sections);
        let outcome = terminal::run_without_prompt(&scene.tool, &[]);
        assert!([1, 2].contains(&outcome.code) && outcome.stderr.contains(words), "{sections}: {outcome:#?}");
    }
}
