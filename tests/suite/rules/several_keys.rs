//! A table with a key in each of three columns: three sections, and each row once.

use std::fs;

use super::on_every_engine;
use super::scene::{Engine, Scene, expect};

on_every_engine!(
    a_row_goes_once_and_all_its_files_with_it,
    a_row_stays_where_one_of_its_files_is_not_what_was_found,
    a_row_stays_where_one_of_its_files_does_not_go_now,
    a_row_that_lost_a_file_stays_while_another_is_there,
    a_row_that_each_of_its_keys_updates_is_updated,
    a_file_that_two_such_rows_share_follows_the_last_of_them,
    a_row_stays_where_it_is_held_by_one_of_its_keys,
    rows_are_counted_once,
);

const RULE: &str = "[[records.rules]]\nname = \"deleted\"\nwhere = \"deleted > 0\"\n";

/// Rows with a file, a thumb and a preview each, of which the first is deleted.
fn scene(engine: Engine) -> Scene {
    let scene = Scene::new(engine);
    scene.run(
        "CREATE TABLE assets (id {id}, path {text}, thumb {text}, preview {text}, created_at {time}, deleted bigint)",
    );
    for id in 1..=5 {
        scene.run(&format!(
            "INSERT INTO assets VALUES ({id}, '{id}.png', 'z/{id}.png', 'a/{id}.png', {{ago 90d}}, {})",
            i32::from(id == 1)
        ));
        ["", "z/", "a/"].iter().for_each(|folder| scene.put(&format!("{folder}{id}.png")));
    }
    let section = |key: &str| {
        format!(
            "[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"{key}\"\ncreated_at = \"created_at\"\n\
             updated_at = \"created_at\"\n{RULE}"
        )
    };
    let sections: Vec<String> = ["path", "thumb", "preview"].map(section).into();
    scene.configure(&format!("{}[safety]\nmax_percent = 20\n", sections.concat()));
    scene
}

fn a_row_goes_once_and_all_its_files_with_it(engine: Engine) {
    let scene = scene(engine);
    let outcome = scene.execute(&[]);
    assert!(outcome.code == 0 && outcome.stderr.contains("DELETE 1 row of assets and move 3 files"), "{outcome:#?}");
    let removals = &outcome.json()["removals"];
    assert_eq!((&removals["records_deleted"], &removals["files_trashed"]), (&1.into(), &3.into()), "{removals:#}");
    assert_eq!((scene.ids("assets"), scene.files().len()), (["2", "3", "4", "5"].map(str::to_owned).into(), 12));
    scene.expect_nothing_left();
    // By any of its keys it comes back, and all its files with it.
    let outcome = scene.tool.run(&["restore", "z/1.png"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!((scene.ids("assets").len(), scene.files().len()), (5, 15));
}

fn a_row_stays_where_one_of_its_files_is_not_what_was_found(engine: Engine) {
    for key in ["1.png", "z/1.png", "a/1.png"] {
        let scene = scene(engine);
        let mut terminal = crate::support::terminal::Terminal::start(&scene.tool, &["--execute"]);
        assert!(terminal.prompt());
        fs::write(scene.tool.path("uploads").join(key), "another one").expect("a file");
        let outcome = terminal.answer("uploads");
        assert_eq!((scene.ids("assets").len(), scene.files().len()), (5, 15), "{key}: {outcome:#?}");
    }
}

/// One is too young, or was not asked for.
fn a_row_stays_where_one_of_its_files_does_not_go_now(engine: Engine) {
    for key in ["1.png", "z/1.png", "a/1.png"] {
        let young = scene(engine);
        fs::write(young.tool.path("uploads").join(key), "just stored").expect("a file");
        let asked = scene(engine);
        let list = asked.tool.path("list.txt");
        let others: Vec<&str> = ["1.png", "z/1.png", "a/1.png"].into_iter().filter(|other| *other != key).collect();
        fs::write(&list, others.join("\n")).expect("a list");
        for (scene, arguments) in [(&young, vec![]), (&asked, vec!["--only", list.to_str().expect("a path")])] {
            let outcome = scene.execute(&arguments);
            assert_eq!((scene.ids("assets").len(), scene.files().len()), (5, 15), "{key}: {outcome:#?}");
            let reason = format!("it owns {key} too, which does not go now");
            assert_eq!(outcome.json()["removals"]["reasons"][&reason], 1, "{outcome:#?}");
        }
    }
}

fn a_row_that_lost_a_file_stays_while_another_is_there(engine: Engine) {
    let scene = scene(engine);
    let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    scene.tool.configure(
        &config.replace("key = \"path\"\n", "key = \"path\"\nmissing_file = \"delete\"\n").replace(RULE, ""),
    );
    let lose = |key: &str| fs::remove_file(scene.tool.path("uploads").join(key)).expect("a file");
    lose("3.png");
    for (there, is_last) in [("z/3.png", false), ("a/3.png", true)] {
        let outcome = scene.execute(&[]);
        assert_eq!((outcome.code, scene.ids("assets").len()), (0, 5), "{outcome:#?}");
        let reason = format!("it owns {there} too, which is there");
        assert_eq!(outcome.json()["removals"]["reasons"][&reason], 1, "{outcome:#?}");
        lose(there);
        if is_last {
            assert_eq!(scene.executed()["removals"]["records_deleted"], 1);
            assert_eq!(scene.ids("assets").len(), 4);
        }
    }
}

/// What is to be written for one key does not wait for the others.
fn a_row_that_each_of_its_keys_updates_is_updated(engine: Engine) {
    let scene = scene(engine);
    let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    let set = |column: &str| format!("{RULE}then = {{ set = {{ {column} = \"\" }} }}\n");
    let [path, thumb, preview] = ["path", "thumb", "preview"].map(set);
    let config = config.replacen(RULE, "%1", 1).replacen(RULE, "%2", 1).replacen(RULE, "%3", 1);
    scene.tool.configure(&config.replace("%1", &path).replace("%2", &thumb).replace("%3", &preview));
    // Each change makes the row another one than the others were judged by.
    for _ in 0..3 {
        let removals = scene.execute(&["--max-percent", "100"]).json()["removals"].clone();
        assert_eq!((&removals["records_updated"], &removals["files_trashed"]), (&1.into(), &1.into()), "{removals:#}");
    }
    assert_eq!((scene.ids("assets").len(), scene.files().len()), (5, 12));
}

fn a_file_that_two_such_rows_share_follows_the_last_of_them(engine: Engine) {
    let scene = scene(engine);
    scene.run("UPDATE assets SET deleted = 1, path = 'z/1.png' WHERE id = 2");
    fs::remove_file(scene.tool.path("uploads").join("2.png")).expect("a file");
    let outcome = scene.execute(&["--max-percent", "50"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let removals = &outcome.json()["removals"];
    assert_eq!((&removals["records_deleted"], &removals["files_trashed"]), (&2.into(), &5.into()), "{removals:#}");
    assert_eq!((scene.ids("assets").len(), scene.files().len()), (3, 9));
}

/// The thumb is in the trash, and `restore` would bring it back: no run acts on its row.
fn a_row_stays_where_it_is_held_by_one_of_its_keys(engine: Engine) {
    let scene = scene(engine);
    scene.run("UPDATE assets SET thumb = 'z/spelt otherwise.png' WHERE id = 1");
    fs::rename(scene.tool.path("uploads").join("z/1.png"), scene.tool.path("uploads").join("z/Spelt%20otherwise.png"))
        .expect("a file");
    let config = fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    scene.tool.configure(&config.replace("key = \"thumb\"\n", "key = \"thumb\"\nmissing_file = \"delete\"\n").replace(
        "[[records.rules]]\nname = \"deleted\"\nwhere = \"deleted > 0\"\n[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"preview\"",
        "[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"preview\"",
    ));
    let report = scene.tool.report();
    let held = |key: &str| {
        let findings = report["findings"].as_array().expect("findings").iter();
        findings.filter(|finding| finding["key"] == key).map(|finding| !finding["held"].is_null()).collect::<Vec<_>>()
    };
    assert_eq!((held("z/spelt otherwise.png"), held("1.png")), (vec![true], vec![false]), "{report:#}");
    let outcome = scene.execute(&[]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(scene.ids("assets").len(), 5, "{outcome:#?}");
}

fn rows_are_counted_once(engine: Engine) {
    let scene = scene(engine);
    let report = scene.tool.report();
    assert_eq!(
        (&report["totals"]["records"], &report["totals"]["tables"]["assets"]["records"]),
        (&5.into(), &5.into())
    );
    expect(
        &report,
        &[
            ("deleted", "1.png", "assets", "1"),
            ("deleted", "a/1.png", "assets", "1"),
            ("deleted", "z/1.png", "assets", "1"),
        ],
    );
}
