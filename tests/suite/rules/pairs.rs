//! A database or a store that gets another name is the same pair: nothing of what was seen and removed is lost.

use std::fs;

use super::on_every_engine;
use super::scene::{Engine, NAME, Scene};
use crate::support::sqlite::run_sql;
use crate::support::terminal;
use crate::support::tool::Outcome;

on_every_engine!(a_database_by_another_name_finds_what_was_removed, a_database_by_another_name_keeps_first_sightings,);

const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";

/// Gives the database another address in the configuration.
fn rename(scene: &Scene) {
    let config = scene.tool.path("config.toml");
    let text = fs::read_to_string(&config).expect("the configuration");
    let renamed = match scene.engine {
        Engine::Sqlite => {
            let file = scene.database.url().trim_start_matches("sqlite:").to_owned();
            let link = scene.tool.path("link.db");
            std::os::unix::fs::symlink(&file, &link).expect("a link");
            text.replace(&file, &link.display().to_string())
        }
        _ if text.contains("@127.0.0.1") => text.replace("@127.0.0.1", "@localhost"),
        _ => text.replace("@localhost", "@127.0.0.1"),
    };
    assert_ne!(text, renamed, "the database has no other name");
    fs::write(config, renamed).expect("the configuration");
}

fn ledger(scene: &Scene, sql: &str) {
    run_sql(&format!("sqlite:{}", scene.tool.path("ledger.db").display()), sql);
}

fn restore(scene: &Scene, key: &str) -> Outcome {
    let outcome = scene.tool.run(&["restore", key]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    outcome
}

/// Row 4 with its file and an orphaned file come back from the trash, though the database has another address.
fn a_database_by_another_name_finds_what_was_removed(engine: Engine) {
    let scene = Scene::of_assets(engine, DEAD);
    scene.asset(4, "live/4.png", "dead", "NULL");
    ["live/4.png", "live/unknown.png"].iter().for_each(|key| scene.put(key));
    scene.executed();
    rename(&scene);
    restore(&scene, "live/unknown.png");
    restore(&scene, "live/4.png");
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png", "live/4.png", "live/unknown.png"]);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "4"]);
    let history = scene.tool.run(&["history", "--format", "json"]).json();
    assert_eq!(history["runs"].as_array().expect("runs").len(), 1, "{history:#}");
}

/// The run after it warns, once, and goes on with what was seen before.
fn a_database_by_another_name_keeps_first_sightings(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.put("live/unknown.png");
    scene.tool.report();
    ledger(&scene, "UPDATE sightings SET first_seen = '2020-01-01T00:00:00Z'");
    rename(&scene);
    let warnings = |report: &serde_json::Value| report["warnings"].to_string().matches("is the same one at").count();
    let report = scene.tool.report();
    assert_eq!(report["findings"][0]["first_seen"], "2020-01-01T00:00:00Z", "{report:#}");
    assert_eq!(warnings(&report), 1, "{report:#}");
    assert_eq!(warnings(&scene.tool.report()), 0);
}

/// Makes the ledger one of format 4, which knew pairs by their addresses alone.
const FORMAT_4: &str = "
    ALTER TABLE pairs DROP COLUMN database_address; ALTER TABLE pairs DROP COLUMN database_identity;
    ALTER TABLE pairs DROP COLUMN store_address; ALTER TABLE pairs DROP COLUMN store_identity;
    ALTER TABLE runs DROP COLUMN scope; ALTER TABLE runs DROP COLUMN warnings; ALTER TABLE runs DROP COLUMN held;
    ALTER TABLE runs DROP COLUMN young; ALTER TABLE runs DROP COLUMN told; ALTER TABLE sightings DROP COLUMN first_run;
    ALTER TABLE pairs DROP COLUMN heeds_conditions; ALTER TABLE removals DROP COLUMN late;
    DROP INDEX removals_failed; DROP TABLE trash_places; DROP TABLE folder_rights;
    DROP TABLE source_memory; DROP TABLE known_rows; DROP TABLE run_kinds; DROP TABLE trash_runs;
    DROP INDEX removals_rows; DROP INDEX sightings_resolved;
    ALTER TABLE runs DROP COLUMN dropped; ALTER TABLE runs DROP COLUMN objects; ALTER TABLE runs DROP COLUMN object_bytes;
    ALTER TABLE runs DROP COLUMN records; ALTER TABLE runs DROP COLUMN record_references;
    ALTER TABLE runs DROP COLUMN requests; ALTER TABLE sightings DROP COLUMN size;
    ALTER TABLE sightings DROP COLUMN last_modified; ALTER TABLE sightings DROP COLUMN etag;
    ALTER TABLE sightings DROP COLUMN sightings; ALTER TABLE sightings DROP COLUMN since;
    ALTER TABLE sightings DROP COLUMN held_at; ALTER TABLE pairs DROP COLUMN decides;
    ALTER TABLE pairs DROP COLUMN keeps_in_copies;
    PRAGMA user_version = 4;";

/// A ledger of the format before is that of the same pair, and its trash is found by a database of another name.
#[test]
fn an_old_ledger_opens_and_finds_its_trash() {
    let scene = Scene::of_assets(Engine::Sqlite, "");
    scene.put("live/unknown.png");
    scene.executed();
    ledger(&scene, FORMAT_4);
    assert_eq!(scene.tool.report()["warnings"], serde_json::json!([]));
    let history = scene.tool.run(&["history", "--format", "json"]).json();
    assert_eq!(history["runs"].as_array().expect("runs").len(), 2, "{history:#}");
    ledger(&scene, FORMAT_4);
    rename(&scene);
    restore(&scene, "live/unknown.png");
}

/// A root by another path is the same folder: its trash is found, and due trash is emptied.
#[test]
fn a_root_by_another_path_finds_its_trash() {
    let scene = Scene::of_assets(Engine::Sqlite, "");
    ["live/a.png", "live/b.png"].iter().for_each(|key| scene.put(key));
    scene.executed();
    let (root, link) = (scene.tool.path(NAME), scene.tool.path("link"));
    std::os::unix::fs::symlink(&root, &link).expect("a link");
    let config = scene.tool.path("config.toml");
    let text = fs::read_to_string(&config).expect("the configuration");
    let text = text.replace(&format!("{root:?}"), &format!("{link:?}"));
    fs::write(&config, &text).expect("the configuration");
    restore(&scene, "live/a.png");
    fs::write(&config, format!("{text}[trash]\nkeep = \"0s\"\n")).expect("the configuration");
    let outcome = terminal::run(&scene.tool, &["--execute", "--format", "json", "--limit", "9"], NAME);
    assert_eq!((outcome.code, &outcome.json()["removals"]["purged"]), (0, &1.into()), "{outcome:#?}");
}

/// A row of another database is not put into this one, whatever run removed it; its file comes back.
#[test]
fn rows_of_another_database_are_not_brought_back_into_this_one() {
    let scene = Scene::of_assets(Engine::Sqlite, DEAD);
    scene.asset(4, "live/4.png", "dead", "NULL");
    scene.put("live/4.png");
    let run = scene.executed()["run"]["id"].to_string();
    let config = scene.tool.path("config.toml");
    let own = fs::read_to_string(&config).expect("the configuration");
    let (file, copy) = (scene.database.url().trim_start_matches("sqlite:").to_owned(), scene.tool.path("copy.db"));
    fs::copy(&file, &copy).expect("a copy");
    fs::write(&config, own.replace(&file, &copy.display().to_string())).expect("the configuration");
    scene.tool.report();
    let before = fs::read(&copy).expect("the copy");
    let outcome = scene.tool.run(&["restore", "--run", &run]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(outcome.stderr.contains("1 row was removed from another database"), "{outcome:#?}");
    assert_eq!(fs::read(&copy).expect("the copy"), before, "{outcome:#?}");
    assert!(scene.files().contains("live/4.png"));
    fs::write(&config, own).expect("the configuration");
    assert_eq!(scene.tool.run(&["restore", "--run", &run]).code, 0);
    assert_eq!(scene.ids("assets"), ["1", "2", "3", "4"]);
}

/// Trash of another database of the same store is emptied by whoever has the store now, but not while that other one runs,
/// be it seldom.
#[test]
fn due_trash_of_a_pair_that_still_runs_is_its_own() {
    let scene = Scene::of_assets(Engine::Sqlite, "");
    scene.put("live/unknown.png");
    scene.executed();
    let config = scene.tool.path("config.toml");
    let text = fs::read_to_string(&config).expect("the configuration");
    // A copy is another file, and so another database.
    let (file, copy) = (scene.database.url().trim_start_matches("sqlite:").to_owned(), scene.tool.path("copy.db"));
    fs::copy(&file, &copy).expect("a copy");
    let other = text.replace(&file, &copy.display().to_string()) + "[trash]\nkeep = \"1h\"\n";
    fs::write(&config, &other).expect("the configuration");
    let past = |table: &str, column: &str, hours: u32| {
        ledger(
            &scene,
            &format!("UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '-{hours} hours')"),
        );
    };
    past("removals", "done_at", 2);
    for hours in [0, 2, 80 * 24] {
        past("runs", "started_at", hours);
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--format", "json"]);
        assert_eq!(outcome.json()["removals"]["purged"], 0, "it may run again: {outcome:#?}");
    }
    past("runs", "started_at", 11 * 24);
    let outcome = terminal::run(&scene.tool, &["--execute", "--format", "json"], NAME);
    assert_eq!((outcome.code, &outcome.json()["removals"]["purged"]), (0, &1.into()), "{outcome:#?}");
}

/// Changes the configuration by replacing a text in it.
fn reconfigure(scene: &Scene, old: &str, new: &str) {
    let config = scene.tool.path("config.toml");
    let text = fs::read_to_string(&config).expect("the configuration");
    assert!(text.contains(old), "{old}: {text}");
    fs::write(&config, text.replace(old, new)).expect("the configuration");
}

/// Every command that acts refuses to resolve, restore or purge, and says what to do.
fn expect_strayed(scene: &Scene) {
    assert!(scene.tool.report()["warnings"].to_string().contains("mount it"));
    // Rows would come back.
    for (arguments, code) in [(["restore", "live/unknown.png"], 3), (["--execute", "--no-progress"], 1)] {
        let outcome = scene.tool.run(&arguments);
        assert_eq!(outcome.code, code, "{outcome:#?}");
        assert!(outcome.stderr.contains("if its volume is not mounted, mount it"), "{outcome:#?}");
    }
}

/// An empty folder at the root's path, as a mount point is without its volume: nothing in the trash is called lost, and all
/// comes back with the volume, or with a copy of it.
#[test]
fn a_mount_point_without_its_volume_loses_no_trash() {
    let scene = Scene::of_assets(Engine::Sqlite, "");
    ["live/unknown.png", "live/other.png"].iter().for_each(|key| scene.put(key));
    scene.executed();
    let (root, volume) = (scene.tool.path(NAME), scene.tool.path("volume"));
    fs::rename(&root, &volume).expect("the volume");
    fs::create_dir(&root).expect("a mount point");
    expect_strayed(&scene);
    fs::remove_dir(&root).expect("nothing is in the mount point");
    fs::rename(&volume, &root).expect("the volume");
    restore(&scene, "live/unknown.png");
    let copied = std::process::Command::new("cp").args(["-a"]).arg(&root).arg(&volume).status();
    assert!(copied.is_ok_and(|status| status.success()));
    fs::rename(&root, scene.tool.path("before")).expect("the old root");
    fs::rename(&volume, &root).expect("the copy");
    restore(&scene, "live/other.png");
}

/// The same address with another root: keys of the trash would lead elsewhere.
#[test]
fn a_root_that_was_changed_with_its_prefix_loses_no_trash() {
    let scene = Scene::of_assets(Engine::Sqlite, "");
    scene.put("live/unknown.png");
    scene.executed();
    let (root, home) = (scene.tool.path(NAME), scene.tool.home().to_owned());
    let (before, after) = (format!("root = {root:?}\n"), format!("root = {home:?}\nprefix = \"{NAME}/\"\n"));
    reconfigure(&scene, &before, &after);
    expect_strayed(&scene);
    reconfigure(&scene, &after, &before);
    restore(&scene, "live/unknown.png");
}
