//! What a run refuses whole (exit 12, no prompt, nothing removed), and what it leaves out: I3, I4, I5, I7.

use std::time::SystemTime;

use super::scene::Scene;
use crate::support::s3::{days, hours_ago};
use crate::support::servers::Database;
use crate::support::terminal;
use crate::support::tool::keys_of;

/// Flags that lift every limit that a flag can lift.
const LIFTED: [&str; 4] = ["--max-removals", "1000000", "--max-percent", "100"];

/// Runs `--execute` at a terminal and expects it to refuse without a prompt; gives the refusal, in small letters.
fn expect_refusal(scene: &Scene, arguments: &[&str]) -> String {
    let before = scene.everything();
    let outcome = terminal::run_without_prompt(&scene.tool, &[&["--execute", "--format", "json"], arguments].concat());
    assert_eq!(outcome.code, 12, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["run"]["outcome"], "refused", "{report:#}");
    let message = report["refusal"].get("message").unwrap_or(&report["refusal"]).as_str();
    let refusal = message.unwrap_or_else(|| panic!("no refusal: {report:#}")).to_owned();
    assert_eq!(scene.everything(), before, "a refused run removes nothing");
    let text = terminal::run_without_prompt(&scene.tool, &[&["--execute"], arguments].concat());
    assert_eq!(text.code, 12, "{text:#?}");
    let said = format!("{}{}", text.stdout, text.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    let start = refusal.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
    assert!(said.contains(&start), "{refusal:?} is not said: {text:#?}");
    assert_eq!(scene.everything(), before);
    refusal.to_lowercase()
}

fn empty_table() -> Scene {
    let scene = Scene::on_s3();
    scene.database.run("DELETE FROM assets");
    scene
}

fn other_keys() -> Scene {
    let scene = empty_table();
    scene.insert(&(0..40).map(|number| format!("other/{number:06}.png")).collect::<Vec<_>>());
    scene
}

/// An empty table refuses, whatever the flags and the configuration say.
#[test]
fn zero_records_are_final() {
    let scene = empty_table();
    expect_refusal(&scene, &[]);
    scene.configure(
        "[safety]\nmin_overlap = 0\nmax_percent = 100\nmax_removals = 1000000\nunknown_prefixes = [\"assets/\"]",
    );
    let why = expect_refusal(&scene, &LIFTED);
    assert!(why.contains("database"), "{why}");
}

/// An empty bucket refuses: there is nothing to remove, and something is wrong.
#[test]
fn zero_objects_are_final() {
    let scene = Scene::on_s3();
    for key in scene.server().bucket.keys() {
        scene.server().bucket.remove(&key);
    }
    scene.configure("[safety]\nmin_overlap = 0");
    let why = expect_refusal(&scene, &LIFTED);
    assert!(why.contains("bucket") || why.contains("storage"), "{why}");
}

/// Two sides that share no key refuse, whatever the flags and the configuration say.
#[test]
fn zero_overlap_is_final() {
    let scene = other_keys();
    expect_refusal(&scene, &[]);
    scene.configure("[safety]\nmin_overlap = 0\nmax_percent = 100\nunknown_prefixes = [\"assets/\"]");
    expect_refusal(&scene, &LIFTED);
}

/// A low overlap refuses; no flag lifts it, the configuration does.
#[test]
fn a_low_overlap_only_the_configuration_lifts() {
    let scene = other_keys();
    scene.insert(&(0..10).map(|number| format!("assets/{number:06}.png")).collect::<Vec<_>>());
    let why = expect_refusal(&scene, &LIFTED);
    assert!(why.contains("min_overlap") && why.contains("23"), "10 of 43 keys: {why}");
    scene.configure("[safety]\nmin_overlap = 20");
    let outcome = scene.execute(&LIFTED);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    scene.expect_wanted_untouched(10);
    assert_eq!(scene.everything().keys().filter(|key| key.starts_with("assets/")).count(), 10);
}

/// More removals than `max_removals` refuse before the first, and say what to type.
#[test]
fn max_removals_refuses_whole() {
    for scene in Scene::on_both() {
        scene.configure("[safety]\nmax_removals = 2");
        let why = expect_refusal(&scene, &[]);
        for words in ["max_removals", "3", "2", "--max-removals 3"] {
            assert!(why.contains(words), "{words:?} is not in {why}");
        }
        assert_eq!(scene.execute(&["--max-removals", "3"]).code, 0, "exactly the limit is allowed");
        scene.expect_removed();
    }
}

/// More of the objects than `max_percent` refuse before the first, and say what to type, which is enough.
#[test]
fn max_percent_refuses_whole() {
    let scene = Scene::on_s3();
    scene.configure("[safety]\nmax_percent = 6");
    let why = expect_refusal(&scene, &[]);
    for words in ["max_percent", "3", "43", "6", "--max-percent"] {
        assert!(why.contains(words), "{words:?} is not in {why}");
    }
    let percent =
        why.split("--max-percent ").nth(1).expect("what to type").split_whitespace().next().expect("a number");
    let outcome = scene.execute(&["--max-percent", percent.trim_end_matches(['.', ',', ';'])]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    scene.expect_removed();
}

/// Each limit alone is enough to refuse, and the flags lower limits too.
#[test]
fn each_limit_alone_refuses() {
    let scene = Scene::on_s3();
    expect_refusal(&scene, &["--max-removals", "2"]);
    expect_refusal(&scene, &["--max-percent", "1"]);
    expect_refusal(&scene, &["--max-removals", "1000", "--max-percent", "1"]);
    expect_refusal(&scene, &["--max-removals", "0"]);
}

/// A configured prefix narrows what the limits are measured against, and a dry run is never refused.
#[test]
fn a_dry_run_is_not_refused() {
    let scene = empty_table();
    let outcome = scene.run(&["--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(outcome.json()["removals"]["files_trashed"], 0);
}

/// A finding that is held is named with its reason and stays; the others go.
#[test]
fn held_findings_are_left_out_and_named() {
    for scene in Scene::on_both() {
        // First in the order of keys, so that a run which only counts to three would take it.
        scene.put("assets/000000-Held.png");
        scene.insert(&["assets/000000-held.png".to_owned()]);
        let outcome = scene.execute(&[]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert!(outcome.stdout.contains("assets/000000-Held.png"), "{outcome:#?}");
        assert!(outcome.stdout.contains("looks like assets/000000-held.png"), "{outcome:#?}");
        assert!(outcome.stderr.contains("3 files"), "the prompt counts what goes: {outcome:#?}");
        assert!(scene.everything().contains_key("assets/000000-Held.png"));
        scene.expect_removed();
        // Held findings are no refusal, and alone they are nothing to remove.
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
    }
}

/// Files that are newer than anything the database knows, and a table that was forgotten, are held too.
#[test]
fn a_dump_that_is_behind_and_a_forgotten_table_remove_nothing() {
    let scene = Scene::on_s3();
    scene.put_bytes("assets/newer.png", "x", hours_ago(48));
    (0..25).for_each(|number| scene.put(&format!("avatars/{number:02}.png")));
    scene.insert(&["assets/now.png".to_owned()]);
    scene.database.run("UPDATE assets SET created_at = datetime('now') WHERE storage_key = 'assets/now.png'");
    scene.configure("[safety]\nmax_percent = 100");
    let report = scene.executed();
    assert_eq!(report["totals"]["held"], 26, "a file that is newer, and the avatars: {report:#}");
    assert_eq!(report["removals"]["files_trashed"], 3, "{report:#}");
    let all = scene.everything();
    assert!(all.contains_key("assets/newer.png"));
    assert_eq!(all.keys().filter(|key| key.starts_with("avatars/")).count(), 25);
}

/// A file younger than `min_age` is no finding, and stays.
#[test]
fn young_files_are_never_removed() {
    for scene in Scene::on_both() {
        let young = ["assets/now.png", "assets/yesterday.png", "assets/tomorrow.png"];
        let times = [hours_ago(0), hours_ago(23), SystemTime::now() + days(1)];
        young.iter().zip(times).for_each(|(key, time)| scene.put_bytes(key, "young", time));
        // What the database knows is as new, so that nothing is held for being newer.
        scene.put_bytes("assets/000000.png", &super::scene::bytes_of("assets/000000.png"), hours_ago(1));
        let report = scene.executed();
        assert_eq!(keys_of(&report, "orphaned-file"), scene.orphans);
        let all = scene.everything();
        assert!(young.iter().all(|key| all.contains_key(*key)), "{:?}", all.keys());
        scene.expect_removed();
    }
}

/// A source of keys that gives nothing which is an object refuses the removal of files, unless the configuration says that
/// it may.
#[test]
fn a_silent_source_is_refused() {
    for scene in Scene::on_both() {
        scene.database.run("CREATE TABLE users (avatar TEXT)");
        let reference = "[[references]]\ntable = \"users\"\nkey = \"avatar\"\n";
        scene.configure(reference);
        for values in ["SELECT 1 WHERE 0", "VALUES ('a'), ('b'), ('c'), ('d'), ('e')"] {
            scene.database.run(&format!("INSERT INTO users {values}"));
            let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--format", "json"]);
            assert_eq!(outcome.code, 12, "{outcome:#?}");
            assert_eq!(outcome.json()["refusal"]["limit"], "may_be_empty", "{outcome:#?}");
            assert!(outcome.stderr.contains("users.avatar"), "{outcome:#?}");
        }
        scene.configure(&format!("{reference}may_be_empty = true\n"));
        assert_eq!(scene.executed()["removals"]["files_trashed"], 3);
        scene.expect_removed();
    }
}
