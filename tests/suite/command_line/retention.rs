//! What the ledger forgets, and what it does not: runs after `[ledger] keep`, rows after `keep_rows`.

use crate::rules::scene::{Engine, NO_LIMITS, Scene};
use crate::support::sqlite::run_sql;

const RULE: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";

/// A row and its file went, and a stray file; all of it `days` ago, as far as the ledger knows.
fn removed(days: u32, ledger: &str) -> Scene {
    let scene = Scene::of_assets(Engine::Sqlite, RULE);
    scene.configure_assets(RULE, &format!("{NO_LIMITS}[ledger]\npath = {:?}\n{ledger}", scene.tool.path("ledger.db")));
    scene.asset(4, "dead.png", "dead", "NULL");
    scene.put("dead.png");
    scene.put("stray.png");
    scene.executed();
    for (table, columns) in
        [("removals", "intended_at,done_at"), ("runs", "started_at,finished_at"), ("sightings", "first_seen,last_seen")]
    {
        let set: Vec<String> = columns
            .split(',')
            .map(|column| format!("{column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-{days} days')"))
            .collect();
        in_ledger(&scene, &format!("UPDATE {table} SET {}", set.join(", ")));
    }
    scene
}

fn in_ledger(scene: &Scene, sql: &str) {
    run_sql(&format!("sqlite:{}", scene.tool.path("ledger.db").display()), sql);
}

/// Bytes of the ledger's file that a row was in.
fn holds(scene: &Scene, text: &str) -> bool {
    in_ledger(scene, "PRAGMA wal_checkpoint(TRUNCATE)");
    let bytes = std::fs::read(scene.tool.path("ledger.db")).expect("the ledger");
    let hex: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
    bytes.windows(hex.len()).any(|window| window == hex.as_bytes())
}

#[test]
fn rows_are_kept_whole_as_long_as_the_trash_and_as_long_as_keep_rows_says() {
    for (days, ledger, is_kept) in
        [(29, "", true), (31, "", false), (31, "keep_rows = \"60d\"", true), (3, "keep_rows = \"2d\"", false)]
    {
        let scene = removed(days, ledger);
        assert!(holds(&scene, "dead.png"));
        scene.tool.report();
        assert_eq!(holds(&scene, "dead.png"), is_kept, "{days} {ledger}");
        // Its id is still on record, and so is what became of it.
        let history = scene.tool.run(&["history", "1"]).stdout;
        assert_eq!(history.contains("the row is kept no longer"), !is_kept, "{history}");
        assert!(history.contains("assets id 4"), "{history}");
        let outcome = scene.tool.run(&["restore", "--run", "1"]);
        assert_eq!((outcome.code, scene.ids("assets").len()), if is_kept { (0, 4) } else { (3, 3) }, "{outcome:#?}");
        assert_eq!(outcome.stderr.contains("the ledger keeps the row no longer"), !is_kept, "{outcome:#?}");
    }
}

#[test]
fn the_removals_of_an_old_run_are_forgotten_and_what_it_amounted_to_is_not() {
    let scene = removed(401, "");
    scene.tool.report();
    // What is in the trash is not forgotten: it can be brought back, and is still to go.
    let run = |scene: &Scene| scene.tool.run(&["history", "1", "--format", "json"]).json()["runs"][0].clone();
    let before = run(&scene);
    let keys = |run: &serde_json::Value| run["removals"].as_array().expect("removals").len();
    assert_eq!((keys(&before), before["dropped"].as_i64()), (2, Some(1)), "{before:#}");
    assert_eq!(
        (before["removed"].as_i64(), before["kinds"]["dead"]["rows"].as_i64()),
        (Some(3), Some(1)),
        "{before:#}"
    );
    // The trash is due, and goes; then the rest is forgotten.
    let outcome = scene.execute(&[]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    scene.tool.report();
    let after = run(&scene);
    assert_eq!((keys(&after), after["dropped"].as_i64()), (0, Some(3)), "{after:#}");
    for field in ["removed", "bytes", "kinds", "found", "outcome"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    let told = scene.tool.run(&["history", "1"]).stdout;
    assert!(told.contains("3 of its removals are remembered no longer"), "{told}");
}

#[test]
fn a_younger_run_is_remembered_whole() {
    let scene = removed(399, "");
    scene.tool.report();
    let outcome = scene.tool.run(&["history", "1", "--format", "json"]).json();
    assert_eq!(outcome["runs"][0]["removals"].as_array().expect("removals").len(), 3, "{outcome:#}");
    let scene = removed(399, "keep = \"300d\"");
    scene.tool.report();
    let outcome = scene.tool.run(&["history", "1", "--format", "json"]).json();
    assert_eq!(outcome["runs"][0]["dropped"], 1, "{outcome:#}");
}

/// However short the ledger's memory is, a row that may still be wanted back is not forgotten before its time.
#[test]
fn rows_outlast_the_runs_that_removed_them() {
    for sections in ["keep = \"90d\"\nkeep_rows = \"1000d\"", "keep = \"90d\"\n[trash]\nkeep = \"500d\""] {
        let scene = removed(401, sections);
        scene.tool.report();
        assert!(holds(&scene, "dead.png"), "{sections}");
        let outcome = scene.tool.run(&["restore", "--run", "1"]);
        assert_eq!((outcome.code, scene.ids("assets").len()), (0, 4), "{outcome:#?}");
    }
}

/// What was removed may be wanted back where the database is not what it was.
#[test]
fn nothing_is_forgotten_while_the_database_is_in_doubt() {
    let scene = removed(31, "");
    scene.run("CREATE TABLE kept AS SELECT * FROM assets");
    scene.run("DELETE FROM assets");
    let report = scene.tool.report();
    assert!(holds(&scene, "dead.png"), "{report:#}");
    scene.run("INSERT INTO assets SELECT * FROM kept");
    scene.tool.report();
    assert!(!holds(&scene, "dead.png"));
}

#[test]
fn a_restore_says_what_the_ledger_forgot() {
    let scene = removed(401, "keep = \"90d\"");
    assert_eq!(scene.execute(&[]).code, 0);
    scene.tool.report();
    let outcome = scene.tool.run(&["restore", "--run", "1"]);
    assert_eq!(outcome.code, 2, "{outcome:#?}");
    assert!(outcome.stderr.contains("its 3 removals are remembered no longer"), "{outcome:#?}");
}
