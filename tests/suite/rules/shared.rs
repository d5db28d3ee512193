//! A file of several rows goes only with the last of them, and only where nothing else names it (I6).

use std::fs;

use serde_json::Value;

use super::on_every_engine;
use super::scene::{Engine, NO_LIMITS, Scene, expect, finding};
use crate::support::terminal::Terminal;

on_every_engine!(
    a_live_row_keeps_the_file_of_a_condemned_one,
    the_file_of_two_condemned_rows_goes_once_and_after_both,
    rows_of_two_tables_share_a_file,
    a_reference_protects_the_file_and_not_the_row,
    a_row_that_is_updated_leaves_a_shared_file_alone,
    a_file_stays_where_only_one_of_its_rows_is_named,
    a_file_stays_where_one_of_its_rows_is_held,
    a_row_that_is_wanted_again_keeps_the_file,
);

const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";
const LIVE: [&str; 3] = ["live/1.png", "live/2.png", "live/3.png"];

fn a_live_row_keeps_the_file_of_a_condemned_one(engine: Engine) {
    let scene = Scene::of_assets(engine, DEAD);
    scene.asset(4, "live/2.png", "dead", "NULL");
    let report = scene.executed();
    expect(&report, &[("dead", "live/2.png", "assets", "4")]);
    assert_eq!(finding(&report, "assets", "4")["shared"], true);
    assert_eq!(report["removals"]["records_deleted"], 1);
    assert_eq!(report["removals"]["files_trashed"], 0);
    assert_eq!(scene.ids("assets"), ["1", "2", "3"]);
    scene.expect_files(&LIVE);
    scene.expect_nothing_left();
}

fn the_file_of_two_condemned_rows_goes_once_and_after_both(engine: Engine) {
    let scene = Scene::of_assets(engine, DEAD);
    scene.asset(4, "both.png", "dead", "NULL");
    scene.asset(5, "both.png", "dead", "NULL");
    scene.put("both.png");
    let report = scene.executed();
    expect(&report, &[("dead", "both.png", "assets", "4"), ("dead", "both.png", "assets", "5")]);
    for id in ["4", "5"] {
        let found = finding(&report, "assets", id);
        assert_eq!((&found["shared"], &found["size"]), (&false.into(), &17.into()));
    }
    assert_eq!(report["removals"]["records_deleted"], 2);
    assert_eq!(report["removals"]["files_trashed"], 1);
    assert_eq!(report["removals"]["bytes"], 17);
    assert_eq!(order(&scene, &report), ["row 4", "row 5", "file both.png"]);
    scene.expect_files(&LIVE);
    scene.expect_nothing_left();
}

/// What a run removed, in the order in which it did.
fn order(scene: &Scene, report: &Value) -> Vec<String> {
    let history = scene.tool.run(&["history", &report["run"]["id"].to_string(), "--format", "json"]).json();
    let removals = history["runs"][0]["removals"].as_array().expect("removals").iter();
    removals
        .map(|removal| match removal["id"].as_str() {
            Some(id) => format!("row {id}"),
            None => format!("file {}", removal["key"].as_str().expect("a key")),
        })
        .collect()
}

fn rows_of_two_tables_share_a_file(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.run("CREATE TABLE covers (id {id}, path {text}, created_at {time}, is_old integer)");
    let covers = "[[records]]\ntable = \"covers\"\nid = \"id\"\nkey = \"path\"\ncreated_at = \"created_at\"\nupdated_at = \"created_at\"\n\
                  [[records.rules]]\nname = \"old-cover\"\nwhere = \"is_old = 1\"\n";
    scene.configure_assets(DEAD, &format!("{covers}{NO_LIMITS}"));
    scene.asset(4, "wanted.png", "dead", "NULL");
    scene.asset(5, "unwanted.png", "dead", "NULL");
    scene.run(
        "INSERT INTO covers VALUES (1, 'wanted.png', {ago 90d}, 0);
         INSERT INTO covers VALUES (2, 'unwanted.png', {ago 90d}, 1);
         INSERT INTO covers VALUES (3, 'live/1.png', {ago 90d}, 1);",
    );
    ["wanted.png", "unwanted.png"].iter().for_each(|key| scene.put(key));
    let report = scene.executed();
    let lines = [
        ("dead", "wanted.png", "assets", "4"),
        ("dead", "unwanted.png", "assets", "5"),
        ("old-cover", "unwanted.png", "covers", "2"),
        ("old-cover", "live/1.png", "covers", "3"),
    ];
    expect(&report, &lines);
    assert_eq!(finding(&report, "assets", "4")["shared"], true);
    assert_eq!(finding(&report, "assets", "5")["shared"], false);
    assert_eq!(finding(&report, "covers", "2")["shared"], false);
    assert_eq!(finding(&report, "covers", "3")["shared"], true);
    assert_eq!(report["removals"]["records_deleted"], 4);
    assert_eq!(report["removals"]["files_trashed"], 1);
    assert_eq!((scene.ids("assets"), scene.ids("covers")), (strings(&["1", "2", "3"]), strings(&["1"])));
    scene.expect_files(&[&LIVE[..], &["wanted.png"]].concat());
    scene.expect_nothing_left();
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn a_reference_protects_the_file_and_not_the_row(engine: Engine) {
    for reference in ["table = \"users\"\nkey = \"avatar\"", "query = \"SELECT avatar FROM users\""] {
        let scene = Scene::of_assets(engine, "");
        scene.configure_assets(DEAD, &format!("[[references]]\n{reference}\n{NO_LIMITS}"));
        scene.run("CREATE TABLE users (id {id}, avatar {text}); INSERT INTO users VALUES (1, 'face.png')");
        scene.asset(4, "face.png", "dead", "NULL");
        scene.put("face.png");
        let report = scene.executed();
        expect(&report, &[("dead", "face.png", "assets", "4")]);
        assert_eq!(finding(&report, "assets", "4")["shared"], true);
        assert_eq!(report["removals"]["files_trashed"], 0);
        assert_eq!(scene.ids("assets"), ["1", "2", "3"]);
        scene.expect_files(&[&LIVE[..], &["face.png"]].concat());
        scene.expect_nothing_left();
    }
}

fn a_row_that_is_updated_leaves_a_shared_file_alone(engine: Engine) {
    let rules = format!("where = \"status <> 'gone'\"\n{DEAD}then = {{ set = {{ status = \"gone\" }} }}\n");
    let scene = Scene::of_assets(engine, &rules);
    scene.asset(4, "live/2.png", "dead", "NULL");
    scene.asset(5, "both.png", "dead", "NULL");
    scene.asset(6, "both.png", "dead", "NULL");
    scene.put("both.png");
    let report = scene.executed();
    assert_eq!(report["removals"]["records_updated"], 3);
    assert_eq!(report["removals"]["files_trashed"], 1);
    assert_eq!(scene.texts("SELECT status FROM assets ORDER BY id"), ["live", "live", "live", "gone", "gone", "gone"]);
    scene.expect_files(&LIVE);
    scene.expect_nothing_left();
}

/// `--only` that names one of two condemned rows takes that row, and neither the other nor the file of both.
fn a_file_stays_where_only_one_of_its_rows_is_named(engine: Engine) {
    let scene = Scene::of_assets(engine, DEAD);
    scene.asset(4, "both.png", "dead", "NULL");
    scene.asset(5, "both.png", "dead", "NULL");
    scene.put("both.png");
    let list = "kind,key,size,last_modified,table,id,created_at,held\ndead,both.png,17,,assets,5,,\n";
    fs::write(scene.tool.path("only.csv"), list).expect("a list");
    let outcome = scene.execute(&["--only", "only.csv"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    expect(&outcome.json(), &[("dead", "both.png", "assets", "5")]);
    let asked = outcome.stderr.contains("DELETE 1 row of assets") && !outcome.stderr.contains("1 file");
    assert!(asked, "a file that stays is not told of: {outcome:#?}");
    assert_eq!(outcome.json()["removals"]["files_trashed"], 0);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "4"]);
    scene.expect_files(&[&LIVE[..], &["both.png"]].concat());

    assert_eq!(scene.executed()["removals"]["files_trashed"], 1);
    assert_eq!(scene.ids("assets"), ["1", "2", "3"]);
    scene.expect_files(&LIVE);
}

/// A row of a table without creation times is held at first, and the file of both with it.
fn a_file_stays_where_one_of_its_rows_is_held(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.run("CREATE TABLE covers (id {id}, path {text})");
    let covers = "[[records]]\ntable = \"covers\"\nid = \"id\"\nkey = \"path\"\n\
                  [[records.rules]]\nname = \"old-cover\"\nwhere = \"path LIKE 'both%'\"\n";
    scene.configure_assets(DEAD, &format!("{covers}{NO_LIMITS}"));
    scene.asset(4, "both.png", "dead", "NULL");
    scene.run("INSERT INTO covers VALUES (1, 'both.png')");
    scene.put("both.png");
    let report = scene.executed();
    expect(&report, &[("dead", "both.png", "assets", "4"), ("old-cover", "both.png", "covers", "1")]);
    assert!(finding(&report, "covers", "1")["held"].is_string(), "{report:#}");
    assert_eq!(report["totals"]["held"], 1);
    assert_eq!(report["removals"]["records_deleted"], 1);
    assert_eq!(report["removals"]["files_trashed"], 0);
    assert_eq!((scene.ids("assets"), scene.ids("covers")), (strings(&["1", "2", "3"]), strings(&["1"])));
    scene.expect_files(&[&LIVE[..], &["both.png"]].concat());
}

/// The application wants one of two condemned rows again while the prompt waits: it stays, and the file of both.
fn a_row_that_is_wanted_again_keeps_the_file(engine: Engine) {
    for wanted in [4, 5] {
        let scene = Scene::of_assets(engine, DEAD);
        scene.asset(4, "both.png", "dead", "NULL");
        scene.asset(5, "both.png", "dead", "NULL");
        scene.put("both.png");
        let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
        assert!(terminal.prompt(), "{}", terminal.shown);
        scene.run(&format!("UPDATE assets SET status = 'live' WHERE id = {wanted}"));
        let report = terminal.answer("uploads").json();
        assert_eq!(report["removals"]["skipped"], 1, "{report:#}");
        assert_eq!(report["removals"]["records_deleted"], 1);
        assert_eq!(report["removals"]["files_trashed"], 0);
        assert_eq!(scene.ids("assets"), ["1", "2", "3", &wanted.to_string()]);
        scene.expect_files(&[&LIVE[..], &["both.png"]].concat());
        scene.expect_nothing_left();
    }
}
