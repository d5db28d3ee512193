//! Limits on rows: a run that would remove more is refused whole, before anybody is asked.

use super::on_every_engine;
use super::scene::{Engine, Scene};
use crate::support::terminal;

on_every_engine!(
    max_removals_counts_rows,
    max_percent_of_the_rows_of_a_table,
    rows_without_a_key_are_rows_of_their_table,
    max_percent_of_the_files_that_follow,
    a_limit_parts_no_row_from_its_files,
    a_limit_hides_no_doubt,
);

const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";

/// Removes with these arguments, and expects so many rows to go.
fn removes(scene: &Scene, arguments: &[&str], rows: u32) {
    let outcome = scene.execute(arguments);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(outcome.json()["removals"]["records_deleted"], rows, "{outcome:#?}");
}

/// Three rows and an orphaned file are four removals; the file of a row is none of its own.
fn max_removals_counts_rows(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.configure_assets(DEAD, "[safety]\nmax_percent = 100\nmax_removals = 3\n");
    for id in 4..=6 {
        scene.asset(id, &format!("live/{id}.png"), "dead", "NULL");
        scene.put(&format!("live/{id}.png"));
    }
    scene.put("live/unknown.png");
    scene.expect_refused("max_removals", &["4 findings", "3", "--max-removals 4"]);
    removes(&scene, &["--max-removals", "4"], 3);
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png"]);
}

/// Six of nine rows, and no file.
fn max_percent_of_the_rows_of_a_table(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.configure_assets(DEAD, "[safety]\nmax_percent = 66\n");
    (4..=9).for_each(|id| scene.asset(id, "live/1.png", "dead", "NULL"));
    scene.expect_refused("max_percent", &["6 of 9 rows of assets", "66 %", "--max-percent 67"]);
    scene.asset(10, "live/1.png", "live", "NULL");
    removes(&scene, &[], 6);
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png"]);
}

/// They are counted, where a rule can condemn them: as what goes, and as what it is a part of.
fn rows_without_a_key_are_rows_of_their_table(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.configure_assets(DEAD, "[safety]\nmax_percent = 50\n");
    for (id, status) in [(4, "dead"), (5, "dead"), (6, "dead"), (7, "dead")] {
        scene.run(&format!("INSERT INTO assets VALUES ({id}, NULL, {{ago 90d}}, '{status}', NULL)"));
    }
    scene.expect_refused("max_percent", &["4 of 7 rows of assets"]);
    scene.run("INSERT INTO assets VALUES (8, NULL, {ago 90d}, 'live', NULL)");
    removes(&scene, &[], 4);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "8"]);
}

/// Two rows of eleven are within the limit; their files and two orphaned ones are four of seven.
fn max_percent_of_the_files_that_follow(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.configure_assets(DEAD, "[safety]\nmax_percent = 50\n");
    (4..=9).for_each(|id| scene.asset(id, "live/1.png", "live", "NULL"));
    for id in [10, 11] {
        scene.asset(id, &format!("live/{id}.png"), "dead", "NULL");
        scene.put(&format!("live/{id}.png"));
    }
    scene.put("live/unknown.png");
    scene.put("live/unknown-too.png");
    scene.expect_refused("max_percent", &["4 of 7 files", "--max-percent 58"]);
    removes(&scene, &["--max-percent", "58"], 2);
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png"]);
}

/// Row 4 with its file is one finding, and the thumbnail that belongs to it another; row 5 and its files wait.
fn a_limit_parts_no_row_from_its_files(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    let derived = "[[derived]]\npattern = '^(.+)_small\\.png$'\nowner = '$1.png'\n";
    scene.configure_assets(DEAD, &format!("{derived}[safety]\nmax_percent = 100\n"));
    for id in [4, 5] {
        scene.asset(id, &format!("live/{id}.png"), "dead", "NULL");
        scene.put(&format!("live/{id}.png"));
        scene.put(&format!("live/{id}_small.png"));
    }
    removes(&scene, &["--limit", "2"], 1);
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png", "live/5.png", "live/5_small.png"]);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "5"]);
    removes(&scene, &["--limit", "2"], 1);
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png"]);
}

/// A source of which no value is an object refuses the removal of files, though the limit would let only a row go first.
fn a_limit_hides_no_doubt(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.run("CREATE TABLE users (id {id}, avatar {text})");
    scene.configure_assets(DEAD, "[safety]\nmax_percent = 100\n[[references]]\ntable = \"users\"\nkey = \"avatar\"\n");
    scene.asset(4, "gone/4.png", "dead", "NULL");
    scene.put("live/unknown.png");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--limit", "1", "--format", "json"]);
    assert_eq!(outcome.code, 12, "{outcome:#?}");
    assert_eq!(outcome.json()["refusal"]["limit"], "may_be_empty", "{outcome:#?}");
}
