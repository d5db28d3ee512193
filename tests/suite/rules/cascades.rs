//! A row is not deleted where that would reach further than the row itself (I19), unless the configuration allows it.

use super::on_every_engine;
use super::scene::{Engine, NO_LIMITS, Scene, expect};

on_every_engine!(
    a_foreign_key_that_cascades,
    a_foreign_key_that_sets_null,
    a_trigger_on_delete,
    a_record_without_its_file,
    what_reaches_no_further_is_not_refused,
    an_update_is_not_refused,
    a_run_that_deletes_nothing_there_is_not_refused,
    a_row_that_others_point_at_fails_alone,
);

const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";
const ALLOWED: &str = "allow_cascade = true\n";

/// Two condemned rows with their files, and a table of comments on the first, as `reference` has it.
fn commented(engine: Engine, reference: &str) -> Scene {
    let scene = Scene::of_assets(engine, DEAD);
    condemned(&scene);
    scene.run(&format!(
        "CREATE TABLE comments (id {{id}}, asset bigint, CONSTRAINT of_asset FOREIGN KEY (asset) REFERENCES assets (id) {reference});
         INSERT INTO comments VALUES (1, 4); INSERT INTO comments VALUES (2, 1);"
    ));
    scene
}

fn condemned(scene: &Scene) {
    for (id, key) in [(4, "dead-4.png"), (5, "dead-5.png")] {
        scene.asset(id, key, "dead", "NULL");
        scene.put(key);
    }
}

/// Refused, naming the table and what it would reach; and once it is allowed, done.
fn refused_until_allowed(scene: &Scene, rules: &str, words: &[&str]) {
    scene.expect_refused("allow_cascade", &[&["assets", "allow_cascade = true"], words].concat());
    scene.configure_assets(&format!("{ALLOWED}{rules}"), NO_LIMITS);
    let report = scene.executed();
    assert_eq!(report["removals"]["records_deleted"], 2, "{report:#}");
    assert_eq!(scene.ids("assets"), ["1", "2", "3"]);
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png"]);
}

fn a_foreign_key_that_cascades(engine: Engine) {
    let scene = commented(engine, "ON DELETE CASCADE");
    refused_until_allowed(&scene, DEAD, &["foreign key", "comments", "deletes rows"]);
    assert_eq!(scene.ids("comments"), ["2"]);
}

fn a_foreign_key_that_sets_null(engine: Engine) {
    let scene = commented(engine, "ON DELETE SET NULL");
    refused_until_allowed(&scene, DEAD, &["foreign key", "comments", "changes rows"]);
    let assets = scene.as_text("coalesce(asset, 0)");
    assert_eq!(scene.texts(&format!("SELECT {assets} FROM comments ORDER BY id")), ["0", "1"]);
}

fn a_trigger_on_delete(engine: Engine) {
    let scene = Scene::of_assets(engine, DEAD);
    condemned(&scene);
    scene.run("CREATE TABLE log (id {id})");
    scene.run(&trigger(engine, "DELETE", "OLD.id"));
    refused_until_allowed(&scene, DEAD, &["trigger", "assets_log"]);
    assert_eq!(scene.ids("log"), ["4", "5"]);
}

/// What a trigger is for may stand after a comment, in any words.
#[test]
fn a_trigger_is_found_whatever_its_text_looks_like() {
    for (name, head) in [
        ("tidy", "CREATE TRIGGER tidy -- begin with the log\nAFTER DELETE ON assets"),
        (
            "\"begin update\"",
            "CREATE TRIGGER \"begin update\" /* update */ BEFORE\tDELETE ON \"assets\" WHEN old.id > 0",
        ),
    ] {
        let scene = Scene::of_assets(Engine::Sqlite, DEAD);
        condemned(&scene);
        scene.run("CREATE TABLE log (id {id})");
        scene.database.run(&format!("{head} BEGIN INSERT INTO log VALUES (old.id); END"));
        scene.expect_refused("allow_cascade", &["trigger", name.trim_matches('"')]);
    }
    // One for something else that speaks of deletes, and a foreign key that only forbids.
    let scene = Scene::of_assets(Engine::Sqlite, DEAD);
    condemned(&scene);
    scene.database.run(
        "CREATE TABLE log (id, asset REFERENCES assets (id) ON DELETE RESTRICT);
         CREATE TRIGGER delete_of /* AFTER DELETE ON assets */ AFTER UPDATE ON assets BEGIN DELETE FROM log; END",
    );
    assert_eq!(scene.executed()["removals"]["records_deleted"], 2);
}

/// A trigger that writes into `log`.
fn trigger(engine: Engine, event: &str, id: &str) -> String {
    match engine {
        Engine::Sqlite => {
            format!("CREATE TRIGGER assets_log AFTER {event} ON assets BEGIN INSERT INTO log VALUES ({id}); END")
        }
        Engine::Postgres => format!(
            "CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ({id}); RETURN NULL; END $$;
             CREATE TRIGGER assets_log AFTER {event} ON assets FOR EACH ROW EXECUTE FUNCTION logged()"
        ),
        Engine::MariaDb => {
            format!("CREATE TRIGGER assets_log AFTER {event} ON assets FOR EACH ROW INSERT INTO log VALUES ({id})")
        }
    }
}

/// `missing_file = "delete"` is a delete like any other.
fn a_record_without_its_file(engine: Engine) {
    let scene = commented(engine, "ON DELETE CASCADE");
    scene.configure_assets("missing_file = \"delete\"\n", NO_LIMITS);
    for key in ["dead-4.png", "dead-5.png"] {
        std::fs::remove_file(scene.tool.path("uploads").join(key)).expect("a file to lose");
    }
    refused_until_allowed(&scene, "missing_file = \"delete\"\n", &["foreign key", "comments"]);
}

/// A foreign key on another table, one of the table itself on another, and triggers for other things.
fn what_reaches_no_further_is_not_refused(engine: Engine) {
    let scene = Scene::new(engine);
    scene.run(
        "CREATE TABLE tours (id {id});
         CREATE TABLE assets (id {id}, storage_key {text}, created_at {time}, status {text}, tour bigint,
             FOREIGN KEY (tour) REFERENCES tours (id) ON DELETE CASCADE);
         CREATE TABLE log (id {id});
         CREATE TABLE stops (id {id}, tour bigint, FOREIGN KEY (tour) REFERENCES tours (id) ON DELETE CASCADE);
         INSERT INTO tours VALUES (4);",
    );
    scene.run(&trigger(engine, "UPDATE", "NEW.id"));
    for (id, status) in [(1, "live"), (2, "live"), (4, "dead"), (5, "dead")] {
        scene.run(&format!("INSERT INTO assets VALUES ({id}, '{status}-{id}.png', {{ago 90d}}, '{status}', 4)"));
        scene.put(&format!("{status}-{id}.png"));
    }
    scene.configure_assets(DEAD, NO_LIMITS);
    assert_eq!(scene.executed()["removals"]["records_deleted"], 2);
    assert_eq!(scene.ids("assets"), ["1", "2"]);
    assert_eq!((scene.ids("tours").len(), scene.ids("log").len()), (1, 0));
}

fn an_update_is_not_refused(engine: Engine) {
    let scene = commented(engine, "ON DELETE CASCADE");
    let rules = format!("where = \"status <> 'gone'\"\n{DEAD}then = {{ set = {{ status = \"gone\" }} }}\n");
    scene.configure_assets(&rules, NO_LIMITS);
    assert_eq!(scene.executed()["removals"]["records_updated"], 2);
    assert_eq!(scene.ids("comments"), ["1", "2"]);
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png"]);
}

/// Orphaned files go as ever from an application whose rows could not.
fn a_run_that_deletes_nothing_there_is_not_refused(engine: Engine) {
    let scene = commented(engine, "ON DELETE CASCADE");
    scene.put("live/unknown.png");
    let outcome = scene.execute(&["--kind", "orphaned-file"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    expect(&outcome.json(), &[("orphaned-file", "live/unknown.png", "", "")]);
    assert_eq!(scene.ids("assets").len(), 5);
}

/// A foreign key that forbids to delete is no cascade: the database keeps that row, and its file stays with it.
fn a_row_that_others_point_at_fails_alone(engine: Engine) {
    let scene = commented(engine, "");
    let outcome = scene.execute(&[]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["run"]["outcome"], "partial");
    assert_eq!((&report["removals"]["failed"], &report["removals"]["records_deleted"]), (&1.into(), &1.into()));
    let error = report["removals"]["errors"][0].as_str().expect("an error");
    assert!(error.contains("assets id 4") && error.to_lowercase().contains("foreign key"), "{error}");
    assert_eq!(report["removals"]["files_trashed"], 1);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "4"]);
    scene.expect_files(&["dead-4.png", "live/1.png", "live/2.png", "live/3.png"]);
}
