//! Rows that two columns tell apart: removed, changed, named in reports and by `--only`, and brought back.

use std::fs;

use serde_json::{Value, json};

use super::on_every_engine;
use super::scene::{Engine, Scene, expect};
use crate::support::terminal;

on_every_engine!(
    a_row_goes_by_all_of_its_id_and_comes_back,
    a_row_is_updated_by_all_of_its_id_and_comes_back,
    a_record_without_its_file_goes_by_all_of_its_id,
    only_reads_what_reports_say,
);

const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";

/// Pages of documents, of which (1, "b") and (2, "a") are dead; the second column is text, and one has a comma in it.
fn scene(engine: Engine, more: &str) -> Scene {
    let scene = Scene::new(engine);
    scene.run(
        "CREATE TABLE assets (doc bigint, page varchar(20), id {text}, created_at {time}, status {text}, PRIMARY KEY (doc, page));
         INSERT INTO assets VALUES (1, 'a', 'live/1a.png', {ago 90d}, 'live');
         INSERT INTO assets VALUES (2, 'b', 'live/2b.png', {ago 90d}, 'live');
         INSERT INTO assets VALUES (3, 'a', 'live/3a.png', {ago 90d}, 'live');
         INSERT INTO assets VALUES (1, 'b', 'dead-1b.png', {ago 90d}, 'dead');
         INSERT INTO assets VALUES (2, 'a', 'dead-2a.png', {ago 90d}, 'dead');
         INSERT INTO assets VALUES (2, 'a,1', 'live/2c.png', {ago 90d}, 'live');",
    );
    for key in ["live/1a.png", "live/2b.png", "live/3a.png", "live/2c.png", "dead-1b.png", "dead-2a.png"] {
        scene.put(key);
    }
    configure(&scene, more);
    scene
}

fn configure(scene: &Scene, more: &str) {
    scene.configure(&format!(
        "[[records]]\ntable = \"assets\"\nid = [\"doc\", \"page\"]\nkey = \"id\"\ncreated_at = \"created_at\"\n\
         updated_at = \"created_at\"\n{more}[safety]\nmax_percent = 100\n"
    ));
}

fn back(scene: &Scene) {
    let outcome = scene.tool.run(&["restore", "--run", "1"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
}

const ALL: [&str; 6] = ["dead-1b.png", "dead-2a.png", "live/1a.png", "live/2b.png", "live/2c.png", "live/3a.png"];

fn a_row_goes_by_all_of_its_id_and_comes_back(engine: Engine) {
    let scene = scene(engine, DEAD);
    let report = scene.executed();
    assert_eq!(report["removals"]["records_deleted"], 2, "{report:#}");
    let ids: Vec<_> = report["findings"].as_array().expect("findings").iter().map(|finding| &finding["id"]).collect();
    assert_eq!(ids, [&json!(["1", "b"]), &json!(["2", "a"])]);
    assert_eq!(scene.ids("assets"), ["live/1a.png", "live/2b.png", "live/2c.png", "live/3a.png"]);
    let history = scene.tool.run(&["history", "1"]).stdout;
    assert!(history.contains("assets id [\"1\",\"b\"]"), "{history}");
    back(&scene);
    assert_eq!(scene.ids("assets"), ALL);
    scene.expect_files(&ALL);
    assert_eq!(scene.texts("SELECT page FROM assets WHERE status = 'dead' ORDER BY doc"), ["b", "a"]);
}

fn a_row_is_updated_by_all_of_its_id_and_comes_back(engine: Engine) {
    let more = "where = \"status <> 'gone'\"\n".to_owned() + DEAD + "then = { set = { status = \"gone\" } }\n";
    let scene = scene(engine, &more);
    assert_eq!(scene.executed()["removals"]["records_updated"], 2);
    let gone = || scene.texts("SELECT id FROM assets WHERE status = 'gone' ORDER BY id");
    assert_eq!(gone(), ["dead-1b.png", "dead-2a.png"]);
    back(&scene);
    assert!(gone().is_empty());
    scene.expect_files(&ALL);
}

fn a_record_without_its_file_goes_by_all_of_its_id(engine: Engine) {
    let scene = scene(engine, "missing_file = \"delete\"\n");
    fs::remove_file(scene.tool.path("uploads").join("dead-2a.png")).expect("a file");
    assert_eq!(scene.executed()["removals"]["records_deleted"], 1);
    assert_eq!(scene.ids("assets").len(), 5);
    back(&scene);
    assert_eq!(scene.ids("assets"), ALL);
}

fn only_reads_what_reports_say(engine: Engine) {
    let scene = scene(engine, DEAD);
    for (name, is_one) in [("one.json", true), ("one.csv", true), ("all.csv", false)] {
        let report = scene.tool.path(name);
        let path = report.display().to_string();
        let outcome = scene.tool.run(&["--output", &path]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        if is_one {
            // Every finding but that of page b of document 1.
            let text = fs::read_to_string(&report).expect("a report");
            let text = match serde_json::from_str::<Value>(&text) {
                Ok(mut report) => {
                    let findings = report["findings"].as_array_mut().expect("findings");
                    findings.retain(|finding| finding["key"] != "dead-2a.png");
                    report.to_string()
                }
                Err(_) => text.lines().filter(|line| !line.contains("dead-2a.png")).collect::<Vec<_>>().join("\n"),
            };
            fs::write(&report, text).expect("a report");
        }
        let outcome = scene.tool.run(&["--only", &path, "--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        let mut expected = vec![("dead", "dead-1b.png", "assets", "")];
        if !is_one {
            expected.push(("dead", "dead-2a.png", "assets", ""));
        }
        expect(&outcome.json(), &expected);
    }
}

/// What is not such a list is one error that says what would be right.
#[test]
fn an_id_is_a_column_or_a_list_of_them() {
    for (id, word) in [
        ("[]", "empty list"),
        ("[\"doc\", \"doc\"]", "twice"),
        ("7", "a list of names"),
        ("[\"doc\", \"\"]", "empty"),
        ("[\"doc\", \"no\"]", "no is not there"),
    ] {
        let scene = scene(Engine::Sqlite, "");
        let path = scene.tool.path("config.toml");
        let config = fs::read_to_string(&path).expect("the configuration");
        fs::write(&path, config.replace("[\"doc\", \"page\"]", id)).expect("the configuration");
        let outcome = terminal::run_without_prompt(&scene.tool, &[]);
        assert!(outcome.code == 2 && outcome.stderr.contains(word), "{id}: {outcome:#?}");
    }
}

/// A ledger that knows a row by other columns than the configuration does now says so, and changes nothing.
#[test]
fn a_row_that_is_known_by_other_columns_is_not_brought_back() {
    let scene = scene(Engine::Sqlite, DEAD);
    scene.executed();
    let path = scene.tool.path("config.toml");
    let config = fs::read_to_string(&path).expect("the configuration");
    fs::write(&path, config.replace("[\"doc\", \"page\"]", "[\"doc\", \"page\", \"id\"]")).expect("the configuration");
    let outcome = scene.tool.run(&["restore", "--run", "1"]);
    assert!(outcome.code != 0 && outcome.stderr.contains("known by 2 columns"), "{outcome:#?}");
    assert_eq!(scene.ids("assets").len(), 4);
}
