//! Rows that could not be brought back as they were are never removed (I11): those of views and of tables that lie elsewhere,
//! and those that the configured id does not tell apart.

use serde_json::Value;

use super::on_every_engine;
use super::scene::{Engine, Scene, warnings};
use crate::support::terminal;

on_every_engine!(a_view_is_refused, an_id_that_several_rows_have_is_refused, a_dry_run_says_so);

const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";

/// A dead row, and a view of its table with fewer columns, which is what the configuration names.
fn seen_through_a_view(engine: Engine) -> Scene {
    let scene = Scene::of_assets(engine, "");
    scene.asset(4, "dead-4.png", "dead", "NULL");
    scene.put("dead-4.png");
    scene.run("CREATE VIEW slim AS SELECT id, storage_key, created_at, status FROM assets");
    configure(&scene, "slim", "id = \"id\"", DEAD);
    scene
}

fn configure(scene: &Scene, table: &str, id: &str, more: &str) {
    scene.configure(&format!(
        "[[records]]\ntable = \"{table}\"\n{id}\nkey = \"storage_key\"\ncreated_at = \"created_at\"\n\
         updated_at = \"created_at\"\n{more}[safety]\nmax_percent = 100\n"
    ));
}

fn a_view_is_refused(engine: Engine) {
    let scene = seen_through_a_view(engine);
    scene.expect_refused("whole_rows", &["slim", "it is a view", "Name the table"]);
    // What only reports is as it was.
    configure(&scene, "slim", "id = \"id\"", "");
    assert_eq!(terminal::run_without_prompt(&scene.tool, &["--execute"]).code, 0);
}

fn an_id_that_several_rows_have_is_refused(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.run(
        "CREATE TABLE pages (doc bigint, page bigint, storage_key {text}, created_at {time}, status {text}, PRIMARY KEY (doc, page));
         INSERT INTO pages VALUES (1, 1, 'live/1.png', {ago 90d}, 'live');
         INSERT INTO pages VALUES (1, 2, 'live/2.png', {ago 90d}, 'live');
         INSERT INTO pages VALUES (2, 1, 'live/3.png', {ago 90d}, 'dead');",
    );
    configure(&scene, "pages", "id = \"doc\"", DEAD);
    let words = ["pages", "several of its rows have the same doc", "id = [\"doc\", \"page\"]"];
    scene.expect_refused("whole_rows", &words);
    // Nor is it left to the moment at which all that is found may be removed.
    configure(&scene, "pages", "id = \"doc\"", &format!("{DEAD}after = \"89d\"\n"));
    scene.expect_refused("whole_rows", &words);
    configure(&scene, "pages", "id = [\"doc\", \"page\"]", DEAD);
    assert_eq!(scene.executed()["removals"]["records_deleted"], 1);
    assert_eq!(scene.texts(&format!("SELECT {} FROM pages ORDER BY page", scene.as_text("page"))), ["1", "2"]);
}

fn a_dry_run_says_so(engine: Engine) {
    let scene = seen_through_a_view(engine);
    let report: Value = scene.tool.report();
    let warned = warnings(&report);
    assert!(warned.iter().any(|warning| warning.contains("would be refused: rows of slim")), "{warned:#?}");
}

/// Of a row of a table that inherits from another no more is seen through that than its own columns; and it would come back in
/// that one.
#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_parent_of_other_tables_is_refused() {
    let scene = Scene::of_assets(Engine::Postgres, DEAD);
    scene.run("CREATE TABLE videos (subtitles text) INHERITS (assets)");
    scene.run("INSERT INTO videos VALUES (4, 'dead-4.png', {ago 90d}, 'dead', NULL, 'hours of work')");
    scene.put("dead-4.png");
    scene.expect_refused("whole_rows", &["videos inherits from it"]);
    scene.run("ALTER TABLE videos DROP COLUMN subtitles");
    scene.expect_refused("whole_rows", &["videos inherits from it"]);
    scene.run("ALTER TABLE videos NO INHERIT assets; INSERT INTO assets SELECT * FROM videos");
    assert_eq!(scene.executed()["removals"]["records_deleted"], 1);
}

#[test]
#[ignore = "needs PostgreSQL: run tests/run"]
fn a_partition_is_a_table_like_any_other_unless_it_lies_elsewhere() {
    let scene = Scene::new(Engine::Postgres);
    scene.run(
        "CREATE TABLE assets (id bigint, storage_key text, created_at timestamptz, status text) PARTITION BY LIST (status);
         CREATE TABLE live PARTITION OF assets FOR VALUES IN ('live');
         CREATE TABLE dead PARTITION OF assets FOR VALUES IN ('dead');
         CREATE TABLE log (id bigint);
         CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (OLD.id); RETURN NULL; END $$;
         INSERT INTO assets SELECT n, 'live/' || n, {ago 90d}, 'live' FROM generate_series(1, 5) AS n;
         INSERT INTO assets VALUES (6, 'dead-6.png', {ago 90d}, 'dead');",
    );
    (1..=5).for_each(|number| scene.put(&format!("live/{number}")));
    scene.put("dead-6.png");
    scene.run("CREATE TRIGGER of_all AFTER DELETE ON assets FOR EACH ROW EXECUTE FUNCTION logged()");
    for table in ["assets", "dead"] {
        configure(
            &scene,
            table,
            "id = \"id\"",
            &format!("{DEAD}[[references]]\ntable = \"live\"\nkey = \"storage_key\"\n"),
        );
        scene.expect_refused("allow_cascade", &["trigger of_all"]);
    }
    scene.run("DROP TRIGGER of_all ON assets");
    scene.run(
        "CREATE EXTENSION postgres_fdw; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'none');
         CREATE FOREIGN TABLE gone PARTITION OF assets FOR VALUES IN ('gone') SERVER other",
    );
    configure(
        &scene,
        "dead",
        "id = \"id\"",
        &format!("{DEAD}[[references]]\ntable = \"live\"\nkey = \"storage_key\"\n"),
    );
    assert_eq!(scene.executed()["removals"]["records_deleted"], 1);
}

/// A table of a module of SQLite's keeps its rows as the module likes.
#[test]
fn a_virtual_table_is_refused() {
    let scene = Scene::of_assets(Engine::Sqlite, "");
    scene.run(
        "CREATE VIRTUAL TABLE found USING fts5 (storage_key, created_at, status);
         INSERT INTO found SELECT storage_key, created_at, 'dead' FROM assets",
    );
    configure(&scene, "found", "id = \"storage_key\"", DEAD);
    scene.expect_refused("whole_rows", &["found", "it is a virtual table"]);
}
