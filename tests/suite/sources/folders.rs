//! `owns = "prefix"`: rows that name folders, and own everything below them.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use proptest::prelude::*;

use super::keys;
use crate::rules::on_every_engine;
use crate::rules::scene::{Engine, NAME, NO_LIMITS, Scene, expect, finding};
use crate::support::s3::days;
use crate::support::terminal::{self, Terminal};

on_every_engine!(
    what_lies_in_a_folder_is_its_rows,
    a_row_without_its_folder_goes_and_comes_back,
    a_condemned_row_goes_with_its_folder_and_comes_back,
    a_folder_is_named_by_a_url_or_below_a_prefix,
    a_folder_in_another_spelling_holds_what_is_in_it,
);

const DEAD: &str = "[[records.rules]]\nname = \"dead\"\nwhere = \"status = 'dead'\"\n";

/// A table of 20 streams, each with a folder of two files; `records` are lines of its section.
fn scene(scene: Scene, records: &str) -> Scene {
    scene.run("CREATE TABLE streams (id {id}, folder {text}, status {text}, created_at {time})");
    for id in 1..=20 {
        stream(&scene, id, &format!("videos/{id}"), "live");
        fill(&scene, &format!("videos/{id}"));
    }
    configure(&scene, records);
    scene
}

fn configure(scene: &Scene, records: &str) {
    scene.configure(&format!(
        "[[records]]\ntable = \"streams\"\nid = \"id\"\nkey = \"folder\"\nowns = \"prefix\"\ncreated_at = \"created_at\"\n\
         updated_at = \"created_at\"\n{records}\n{NO_LIMITS}"
    ));
}

fn stream(scene: &Scene, id: u32, folder: &str, status: &str) {
    let folder = scene.database.literal(folder);
    scene.run(&format!("INSERT INTO streams VALUES ({id}, {folder}, '{status}', {{ago 90d}})"));
}

fn fill(scene: &Scene, folder: &str) {
    ["index.m3u8", "hd/seg 1.ts"].iter().for_each(|name| scene.put(&format!("{folder}/{name}")));
}

fn streams(scene: &Scene) -> Vec<String> {
    scene.texts(&format!("SELECT {} FROM streams ORDER BY streams.id", scene.as_text("id")))
}

fn in_folder(scene: &Scene, folder: &str) -> usize {
    scene.files().iter().filter(|key| key.starts_with(&format!("{folder}/"))).count()
}

fn what_lies_in_a_folder_is_its_rows(engine: Engine) {
    let scene = scene(Scene::new(engine), "missing_file = \"delete\"\n");
    stream(&scene, 21, "videos/21/", "live");
    stream(&scene, 22, "videos/17-b", "live");
    stream(&scene, 23, "", "live");
    // A folder of a name that another one begins with, one with a slash in its column, and a file of the folder's name.
    ["videos/21/a.ts", "videos/17-b/a.ts", "videos/17.ts", "videos/5-b/a.ts", "videos/900/a.ts"]
        .iter()
        .for_each(|key| scene.put(key));
    let orphans = ["videos/17.ts", "videos/5-b/a.ts", "videos/900/a.ts"];
    let report = scene.tool.report();
    expect(&report, &orphans.map(|key| ("orphaned-file", key, "", "")));
    assert_eq!(report["totals"]["records"], 22, "{report:#}");
    let before = scene.files();
    assert_eq!(scene.executed()["removals"]["files_trashed"], 3);
    let left: BTreeSet<String> = before.into_iter().filter(|key| !orphans.contains(&key.as_str())).collect();
    assert_eq!(scene.files(), left);
    expect(&scene.tool.report(), &[]);
}

/// A folder is missing where nothing lies below it, and no file has its name.
fn a_row_without_its_folder_goes_and_comes_back(engine: Engine) {
    let scene = scene(Scene::new(engine), "missing_file = \"delete\"\n");
    for (id, folder) in [(30, "videos/30"), (31, "videos/31/"), (32, "videos/one-file")] {
        stream(&scene, id, folder, "live");
    }
    scene.put("videos/one-file");
    let report = scene.tool.report();
    let missing =
        [("orphaned-record", "videos/30", "streams", "30"), ("orphaned-record", "videos/31", "streams", "31")];
    expect(&report, &missing);
    fs::write(scene.tool.path("list.txt"), "videos/31\n").expect("a list");
    let list = scene.tool.path("list.txt").display().to_string();
    let outcome = scene.execute(&["--only", &list]);
    assert_eq!((outcome.code, outcome.json()["removals"]["records_deleted"].clone()), (0, 1.into()), "{outcome:#?}");
    assert_eq!(scene.executed()["removals"]["records_deleted"], 1);
    assert_eq!(streams(&scene).len(), 21);
    let outcome = scene.tool.run(&["restore", "videos/30"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(streams(&scene).len(), 22);
    assert_eq!(scene.texts("SELECT folder FROM streams WHERE id = 30"), ["videos/30"]);
    assert!(scene.files().contains("videos/one-file"));
}

fn a_condemned_row_goes_with_its_folder_and_comes_back(engine: Engine) {
    let scene = scene(Scene::new(engine), DEAD);
    let before = scene.files();
    scene.run("UPDATE streams SET status = 'dead' WHERE id IN (3, 17)");
    let report = scene.tool.report();
    assert_eq!(finding(&report, "streams", "3")["key"], "videos/3", "{report:#}");
    assert_eq!(keys(&report, "orphaned-file").len(), 4, "{report:#}");
    let report = scene.executed();
    assert_eq!(
        (&report["removals"]["records_deleted"], &report["removals"]["files_trashed"]),
        (&2.into(), &4.into()),
        "{report:#}"
    );
    assert_eq!((in_folder(&scene, "videos/3"), in_folder(&scene, "videos/17"), scene.files().len()), (0, 0, 36));
    assert_eq!(streams(&scene).len(), 18);
    expect(&scene.tool.report(), &[]);
    let outcome = scene.tool.run(&["restore", "videos/3"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!((in_folder(&scene, "videos/3"), in_folder(&scene, "videos/17")), (2, 0));
    let outcome = scene.tool.run(&["restore", "--run", "2"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!((scene.files(), streams(&scene).len()), (before, 20));
}

/// Files of a web server stay where nobody knows them, and go with the folder that they belong to.
#[test]
fn server_files_of_a_folder_go_with_its_row() {
    let scene = scene(Scene::new(Engine::Sqlite), DEAD);
    scene.run("UPDATE streams SET status = 'dead' WHERE id = 3");
    ["videos/3/.gitkeep", "videos/3/hd/index.html", "videos/.gitkeep"].iter().for_each(|key| scene.put(key));
    let removals = scene.executed()["removals"].clone();
    assert_eq!((&removals["records_deleted"], &removals["files_trashed"]), (&1.into(), &4.into()), "{removals:#}");
    assert_eq!(in_folder(&scene, "videos/3"), 0);
    assert!(scene.files().contains("videos/.gitkeep"));
}

/// A run that was stopped after the row left the files of its folder: the next one knows whose they were.
#[test]
fn a_folder_whose_row_an_earlier_run_deleted_is_not_unknown() {
    let scene = scene(Scene::new(Engine::Sqlite), DEAD);
    stream(&scene, 21, "videos/lion-king", "dead");
    let of = |folder: &str| (0..25).map(|number| format!("videos/{folder}/{number}.ts")).collect::<Vec<_>>();
    of("lion-king").iter().for_each(|key| scene.put(key));
    assert_eq!(scene.executed()["removals"]["files_trashed"], 25);
    ["lion-king", "another"].iter().flat_map(|folder| of(folder)).for_each(|key| scene.put(&key));
    let report = scene.tool.report();
    let held = |report: &serde_json::Value| -> BTreeSet<String> {
        let findings = report["findings"].as_array().expect("findings").iter();
        let unknown = findings.filter(|finding| finding["held_by"] == "unknown-folder");
        unknown.filter_map(|finding| finding["key"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(held(&report), of("another").into_iter().collect(), "{report:#}");
    assert_eq!(scene.executed()["removals"]["files_trashed"], 25);
    // Once the row is back, its ledger says nothing of the folder any more.
    let outcome = scene.tool.run(&["restore", "videos/lion-king"]);
    assert_eq!((outcome.code, streams(&scene).len()), (0, 21), "{outcome:#?}");
    scene.run("DELETE FROM streams WHERE id = 21");
    assert!(held(&scene.tool.report()).is_superset(&of("lion-king").into_iter().collect()));
}

/// A row and its files go together or not at all: what a list leaves out keeps the rest, and the run says so.
#[test]
fn a_list_parts_no_row_from_its_files() {
    for (list, said) in [
        ("videos/3\nvideos/3/index.m3u8\n", "1 row stays: not every file of its folder was asked for"),
        ("videos/3/index.m3u8\n", "1 file stays: this run does not remove the row that owns it"),
    ] {
        let scene = scene(Scene::new(Engine::Sqlite), DEAD);
        scene.run("UPDATE streams SET status = 'dead' WHERE id = 3");
        let path = scene.tool.path("list.txt");
        fs::write(&path, list).expect("a list");
        let outcome = scene.execute(&["--only", path.to_str().expect("a path")]);
        assert_eq!((outcome.code, streams(&scene).len(), in_folder(&scene, "videos/3")), (0, 20, 2), "{outcome:#?}");
        let report = outcome.json();
        let warnings = report["warnings"].as_array().expect("warnings");
        assert!(warnings.iter().any(|warning| warning == said), "{warnings:#?}");
    }
}

/// A limit counts each file of a folder.
#[test]
fn a_limit_counts_rows_and_all_their_files() {
    let scene = scene(Scene::new(Engine::Sqlite), DEAD);
    scene.run("UPDATE streams SET status = 'dead' WHERE id IN (3, 4, 5)");
    for (limit, rows, files) in [("2", 0, 0), ("5", 1, 2), ("6", 2, 4)] {
        let removals = scene.execute(&["--limit", limit]).json()["removals"].clone();
        let count = |name: &str| removals[name].as_u64().unwrap_or(0);
        assert_eq!((count("records_deleted"), count("files_trashed")), (rows, files), "--limit {limit}: {removals:#}");
    }
}

/// A run that asks for files alone finds nothing of those that belong to rows, and forgets nothing of them.
#[test]
fn a_run_that_asks_for_no_rows_forgets_nothing_of_their_files() {
    let scene = scene(Scene::new(Engine::Sqlite), DEAD);
    scene.run("UPDATE streams SET status = 'dead' WHERE id = 3");
    let seen = |report: &serde_json::Value| {
        let findings = report["findings"].as_array().expect("findings").iter();
        findings.map(|finding| finding["first_seen"].clone()).collect::<Vec<_>>()
    };
    let before = scene.tool.report();
    assert_eq!(seen(&before).len(), 3);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let narrowed = scene.tool.run(&["--kind", "orphaned-file", "--format", "json"]).json();
    assert_eq!(seen(&narrowed), [serde_json::Value::Null; 0]);
    assert_eq!(seen(&scene.tool.report()), seen(&before));
}

fn a_folder_is_named_by_a_url_or_below_a_prefix(engine: Engine) {
    for (value, lines) in [
        ("https://cdn.example.com/videos/a%20b", "url_base = \"https://cdn.example.com/\"\n"),
        ("https://cdn.example.com/a%20b/", "url_base = \"https://cdn.example.com/\"\nkey_prefix = \"videos/\"\n"),
        ("a b", "key_prefix = \"videos/\"\n"),
    ] {
        let scene = Scene::new(engine);
        scene.run("CREATE TABLE streams (id {id}, folder {text}, status {text}, created_at {time})");
        stream(&scene, 1, value, "live");
        stream(&scene, 2, &value.replace("a%20b", "gone").replace("a b", "gone"), "live");
        fill(&scene, "videos/a b");
        scene.put("videos/stray/a.ts");
        configure(&scene, &format!("missing_file = \"delete\"\n{lines}"));
        let expected =
            [("orphaned-file", "videos/stray/a.ts", "", ""), ("orphaned-record", "videos/gone", "streams", "2")];
        expect(&scene.tool.report(), &expected);
        scene.executed();
        assert_eq!(
            (in_folder(&scene, "videos/a b"), scene.files().len(), streams(&scene)),
            (2, 2, vec!["1".to_owned()])
        );
    }
}

/// A row that names a folder in another spelling keeps what is in it, and stays itself.
fn a_folder_in_another_spelling_holds_what_is_in_it(engine: Engine) {
    for (named, lies) in [
        ("Videos/Live-30", "videos/live-30"),
        ("videos/caf%C3%A9", "videos/caf\u{e9}"),
        ("/videos//x30", "videos/x30"),
        ("x40", "videos/x40"),
        ("https://cdn.example.com/videos/x50/", "videos/x50"),
    ] {
        let scene = scene(Scene::new(engine), "missing_file = \"delete\"\n");
        stream(&scene, 30, named, "live");
        (0..15).for_each(|segment| scene.put(&format!("{lies}/{segment}.ts")));
        let outcome = scene.execute(&[]);
        assert_eq!((in_folder(&scene, lies), streams(&scene).len()), (15, 21), "{named}: {outcome:#?}");
        let report = scene.tool.report();
        let held = report["findings"].as_array().expect("findings").iter().filter(|f| f["held_by"] == "resembles");
        assert_eq!(held.count(), 16, "{named}: {report:#}");
    }
}

/// The same over a bucket, with a page of five keys.
#[test]
fn folders_of_a_bucket_are_compared_over_pages() {
    let scene = scene(Scene::on_s3(Engine::Sqlite), &format!("missing_file = \"delete\"\n{DEAD}"));
    let server = scene.server.as_ref().expect("a bucket");
    server.page_size(5);
    stream(&scene, 30, "videos/30", "live");
    scene.run("UPDATE streams SET status = 'dead' WHERE id IN (3, 17)");
    scene.put("videos/1-b/stray.ts");
    let outcome = scene.execute(&[]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!((scene.files().len(), streams(&scene).len()), (36, 18));
    let outcome = scene.tool.run(&["restore", "--run", "1"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!((scene.files().len(), streams(&scene).len()), (41, 21));
}

/// So many folders that the database's keys are cut, and so many files in one that its range is: no more is looked at than
/// what is missing.
#[test]
fn folders_are_compared_over_cuts() {
    let scene = Scene::on_s3(Engine::Sqlite);
    scene.run("CREATE TABLE streams (id {id}, folder {text}, status {text}, created_at {time})");
    let rows: Vec<String> = (1..=9_000)
        .map(|id| {
            let (folder, status) = (format!("f/{id:05}"), if id % 1_000 == 7 { "dead" } else { "live" });
            scene.engine.sql(&format!("({id}, '{folder}', '{status}', {{ago 90d}})"))
        })
        .collect();
    scene.run(&format!("INSERT INTO streams VALUES {}", rows.join(",")));
    let bucket = &scene.server.as_ref().expect("a bucket").bucket;
    let old = SystemTime::now() - days(90);
    for id in (1..=9_000).filter(|id| id % 1_000 != 8) {
        bucket.put(&format!("f/{id:05}/a.ts"), "x", old);
    }
    (0..9_000).for_each(|segment| bucket.put(&format!("f/03000/{segment}.ts"), "x", old));
    (0..3).for_each(|stray| bucket.put(&format!("f/0300{stray}x/a.ts"), "x", old));
    configure(&scene, &format!("missing_file = \"delete\"\n{DEAD}"));
    let report = scene.tool.report();
    assert_eq!(keys(&report, "dead").len(), 9, "{report:#}");
    assert_eq!(keys(&report, "orphaned-file").len(), 12, "{report:#}");
    let missing: Vec<String> = (0..9).map(|thousand| format!("f/{:05}", thousand * 1_000 + 8)).collect();
    assert_eq!(keys(&report, "orphaned-record"), missing);
    let heads = report["requests"]["heads"].as_u64().or(report["requests"]["head"].as_u64());
    assert!(heads.is_some_and(|heads| heads < 30), "{:#}", report["requests"]);
}

/// A row whose folder may hold more than its own stays with it.
#[test]
fn a_folder_that_may_hold_more_is_held() {
    for (folder, more, held_by) in [
        ("videos", "", "shared-folder"),
        ("videos/", "", "shared-folder"),
        ("media", "key_prefix = \"media/\"\n", "shared-folder"),
        ("videos/21", "", "missing-folder"),
    ] {
        let scene = scene(Scene::new(Engine::Sqlite), "");
        let before = scene.files();
        configure(&scene, DEAD);
        if !more.is_empty() {
            scene.put("media/a.ts");
        }
        stream(&scene, 21, folder, "dead");
        let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
        if !more.is_empty() {
            // Another table has its keys below it.
            scene.run("CREATE TABLE pages (id {id}, k {text})");
            let pages =
                format!("[[records]]\ntable = \"pages\"\nid = \"id\"\nkey = \"k\"\nmay_be_empty = true\n{more}");
            scene.tool.configure(&format!("{config}\n{pages}"));
        }
        let report = scene.tool.report();
        assert_eq!(finding(&report, "streams", "21")["held_by"], held_by, "{folder}: {report:#}");
        let outcome = scene.execute(&[]);
        assert!(scene.files().is_superset(&before), "{folder}: {outcome:#?}");
        assert_eq!(streams(&scene).len(), 21, "{folder}: {outcome:#?}");
    }
}

/// Folders named by ids may lie at the top; others where the configuration says so.
#[test]
fn a_folder_at_the_top_goes_where_its_name_or_the_configuration_lets_it() {
    for (folder, lines, goes) in [
        ("2f1b0c9e-8a77-4d3c-9a10-0a3c5e1d7f42", "", true),
        ("holiday", "", false),
        ("holiday", "unknown_prefixes = [\"holiday\"]\n", true),
    ] {
        let scene = scene(Scene::new(Engine::Sqlite), "");
        configure(&scene, DEAD);
        let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
        scene.tool.configure(&config.replace("[safety]\n", &format!("[safety]\n{lines}")));
        stream(&scene, 21, folder, "dead");
        fill(&scene, folder);
        let outcome = scene.execute(&[]);
        assert_eq!(in_folder(&scene, folder), if goes { 0 } else { 2 }, "{folder}: {outcome:#?}");
        assert_eq!(streams(&scene).len(), if goes { 20 } else { 21 }, "{folder}: {outcome:#?}");
    }
}

/// A folder with a file that is too young to judge is not judged either.
#[test]
fn a_young_file_keeps_its_folder() {
    let scene = scene(Scene::new(Engine::Sqlite), DEAD);
    scene.run("UPDATE streams SET status = 'dead' WHERE id = 3");
    scene.put_at("videos/3/new.ts", SystemTime::now());
    let report = scene.tool.report();
    expect(&report, &[]);
    assert_eq!(report["totals"]["too_young"], 1, "{report:#}");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!((in_folder(&scene, "videos/3"), streams(&scene).len()), (3, 20));
}

/// So does one that came there after the comparison: in a folder, and in stores that list in an order of their own, or that
/// do not heed where a listing is to start.
#[test]
fn a_file_that_came_meanwhile_keeps_its_folder() {
    for (place, storage) in [("folder", ""), ("in no order", "listing = \"unordered\"\n"), ("from the start", "")] {
        let new = match place {
            "folder" => Scene::new(Engine::Sqlite),
            _ => Scene::on_s3(Engine::Sqlite),
        };
        let scene = scene(new, DEAD);
        let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
        scene.tool.configure(&config.replace("[storage]\n", &format!("[storage]\n{storage}")));
        match (&scene.server, place) {
            (Some(server), "from the start") => server.bucket.ignores_start_after.store(true, Ordering::Relaxed),
            (Some(server), _) => server.lists_in_no_order(),
            (None, _) => {}
        }
        scene.run("UPDATE streams SET status = 'dead' WHERE id = 3");
        let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
        assert!(terminal.prompt(), "{place}: {}", terminal.shown);
        scene.put_at("videos/3/new.ts", SystemTime::now());
        let outcome = terminal.answer(NAME);
        assert_eq!(
            (outcome.code, outcome.json()["removals"]["skipped"].clone()),
            (0, 3.into()),
            "{place}: {outcome:#?}"
        );
        assert_eq!((in_folder(&scene, "videos/3"), streams(&scene).len()), (3, 20), "{place}: {outcome:#?}");
    }
}

/// A row that another one lies in, or shares its folder with, keeps the files of both.
#[test]
fn folders_within_folders_keep_what_is_wanted() {
    let scene = scene(Scene::new(Engine::Sqlite), DEAD);
    scene.run("UPDATE streams SET status = 'dead' WHERE id IN (3, 4, 5)");
    stream(&scene, 21, "videos/3/hd", "live");
    stream(&scene, 22, "videos/4", "live");
    stream(&scene, 23, "videos/5", "dead");
    let report = scene.tool.report();
    assert_eq!(finding(&report, "streams", "3")["held_by"], "shared-folder", "{report:#}");
    let outcome = scene.execute(&[]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!([3, 4, 5].map(|id| in_folder(&scene, &format!("videos/{id}"))), [2, 2, 0], "{outcome:#?}");
    let left = streams(&scene);
    assert!(left.contains(&"3".to_owned()) && left.contains(&"22".to_owned()), "{left:?}");
    assert!(["4", "5", "23"].iter().all(|id| !left.contains(&(*id).to_owned())), "{left:?}");
}

/// A derived file of a file in a folder belongs to the folder's row too.
#[test]
fn what_is_derived_from_a_file_in_a_folder_is_wanted_with_it() {
    let scene = scene(Scene::new(Engine::Sqlite), DEAD);
    let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    let derived = "[[derived]]\npattern = '^thumbs/(.+)\\.jpg$'\nowner = '$1'\n";
    scene.tool.configure(&format!("{config}\n{derived}"));
    scene.put("thumbs/videos/3/index.m3u8.jpg");
    scene.put("thumbs/videos/900/index.m3u8.jpg");
    assert_eq!(keys(&scene.tool.report(), "orphaned-file"), ["thumbs/videos/900/index.m3u8.jpg"]);
    scene.run("UPDATE streams SET status = 'dead' WHERE id = 3");
    scene.executed();
    assert_eq!((in_folder(&scene, "videos/3"), in_folder(&scene, "thumbs")), (0, 0));
}

/// What comes while the run waits for its answer counts: a row that names the folder, and a file in a folder that was empty.
#[test]
fn what_comes_before_the_removal_counts() {
    let scene = scene(Scene::new(Engine::Sqlite), "missing_file = \"delete\"\n");
    scene.put("videos/900/a.ts");
    stream(&scene, 30, "videos/30", "live");
    let mut terminal = Terminal::start(&scene.tool, &["--execute"]);
    assert!(terminal.prompt());
    stream(&scene, 31, "videos/900", "live");
    scene.put("videos/30/a.ts");
    let outcome = terminal.answer("uploads");
    assert_eq!((in_folder(&scene, "videos/900"), streams(&scene).len()), (1, 22), "{outcome:#?}");
}

#[test]
fn owns_is_one_of_two_words() {
    let scene = scene(Scene::new(Engine::Sqlite), "");
    let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    scene.tool.configure(&config.replace("\"prefix\"", "\"folder\""));
    let outcome = terminal::run_without_prompt(&scene.tool, &[]);
    assert!(outcome.code == 2 && outcome.stderr.contains("prefix"), "{outcome:#?}");
}

#[derive(Debug, Clone)]
struct World {
    files: BTreeSet<String>,
    /// A folder, and whether its row is live.
    rows: Vec<(String, bool)>,
}

fn world() -> impl Strategy<Value = World> {
    let name = prop::sample::select(vec!["a", "a-b", "aé", "b", "b.c", "1"]);
    let path = prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"));
    let file = path.clone().prop_map(|path| format!("top/{path}/f.ts"));
    let row = (path, prop::bool::weighted(0.7), any::<bool>());
    let row = row.prop_map(|(path, live, slash)| (format!("top/{path}{}", if slash { "/" } else { "" }), live));
    (prop::collection::btree_set(file, 1..25), prop::collection::vec(row, 1..12))
        .prop_map(|(files, rows)| World { files, rows })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, max_shrink_iters: 60, ..ProptestConfig::default() })]

    /// Whatever lies below a live row's folder stays; what lies below nobody's goes.
    #[test]
    fn no_file_of_a_live_folder_goes_and_every_strangers_does(world in world(), is_bucket in any::<bool>()) {
        let scene = if is_bucket { Scene::on_s3(Engine::Sqlite) } else { Scene::new(Engine::Sqlite) };
        scene.run("CREATE TABLE streams (id {id}, folder {text}, status {text}, created_at {time})");
        for (id, (folder, is_live)) in (1..).zip(&world.rows) {
            stream(&scene, id, folder, if *is_live { "live" } else { "dead" });
        }
        world.files.iter().for_each(|key| scene.put(key));
        // Something that is known whatever else there is.
        stream(&scene, 100, "top/known", "live");
        (0..30).for_each(|file| scene.put(&format!("top/known/{file}.ts")));
        if let Some(server) = &scene.server {
            server.page_size(7);
        }
        configure(&scene, DEAD);
        let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
        scene.tool.configure(&config.replace("[safety]\n", "[safety]\nmin_overlap = 0\n"));
        let lies_in = |key: &str, folder: &str| key.starts_with(&format!("{}/", folder.trim_end_matches('/')));
        let outcome = scene.execute(&[]);
        let left = scene.files();
        for key in &world.files {
            let of_live = world.rows.iter().any(|(folder, is_live)| *is_live && lies_in(key, folder));
            let of_any = world.rows.iter().any(|(folder, _)| lies_in(key, folder));
            prop_assert!(left.contains(key) || !of_live, "{key} is wanted: {outcome:#?}");
            // A row that is live, and misses its folder, may mean another one: what resembles it stays.
            let is_missing = |folder: &str| !world.files.iter().any(|key| lies_in(key, folder));
            let in_doubt = world.rows.iter().any(|(folder, _)| is_missing(folder));
            prop_assert!(of_any || in_doubt || !left.contains(key), "{key} is nobody's: {outcome:#?}");
        }
        let rows = streams(&scene);
        for (id, (_, is_live)) in (1..).zip(&world.rows) {
            prop_assert!(!is_live || rows.contains(&id.to_string()), "row {id} is live: {outcome:#?}");
        }
    }
}
