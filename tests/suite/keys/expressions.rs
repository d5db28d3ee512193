//! `key_sql`: keys that are an expression over the row.

use super::scene::{Scene, file, found, record};
use crate::command_line::fixture::expect_usage_error;
use crate::support::servers::Database;

on_each_engine!(
    an_expression_is_a_key,
    a_prefix_comes_before_it,
    a_row_goes_only_while_its_expression_gives_the_same_key,
    a_row_whose_other_columns_changed_goes,
    a_rule_takes_row_and_file_and_restore_brings_both_back,
    what_is_no_expression_is_told,
);

/// `id/name`, with a comment at its end, which must not swallow what follows.
fn by_id_and_name(scene: &Scene, more: &str) -> String {
    format!("key_sql = \"{} -- as the application does\"\n{more}", scene.concat(&["id", "'/'", "name"]))
}

/// A scene configured so.
fn scene<'d>(database: &'d dyn Database, more: &str) -> Scene<'d> {
    let scene = Scene::new(database, "key = \"name\"");
    scene.configure(&by_id_and_name(&scene, more));
    scene
}

fn an_expression_is_a_key(database: &dyn Database) {
    let scene = scene(database, "");
    // In another order as numbers than as text; what differs in case alone, and what looks like a URL's escapes.
    let rows = [
        (1, "a.png"),
        (2, "Case.png"),
        (9, "z.png"),
        (10, "a%20b.png"),
        (11, "caf\u{e9} ☃.png"),
        (100, "it's 'quoted' \\.png"),
        (101, "lost.png"),
    ];
    scene.insert(&rows.map(|(id, name)| (id, Some(name), None)));
    scene.insert(&[(200, None, None)]);
    let keys = rows.map(|(id, name)| format!("{id}/{name}"));
    scene.put(&keys.iter().map(String::as_str).filter(|key| *key != "101/lost.png").collect::<Vec<_>>());
    // The names are there, and the numbers; each in another pair.
    let strays = ["1/Case.png", "10/a b.png", "9/a.png", "z.png"];
    scene.put(&strays);
    let expected = strays.iter().map(|key| file(key)).chain([record("101/lost.png", "101")]);
    let report = scene.tool.report();
    assert_eq!(found(&report), expected.collect(), "{report:#}");
    assert_eq!(report["totals"]["records"], 7, "a row whose expression is NULL names nothing");
}

fn a_prefix_comes_before_it(database: &dyn Database) {
    let scene = scene(database, "key_prefix = \"media/\"");
    scene.insert(&[(1, Some("a.png"), None), (2, Some("lost.png"), None)]);
    scene.put(&["media/1/a.png", "1/a.png"]);
    assert_eq!(scene.found(), [file("1/a.png"), record("media/2/lost.png", "2")].into());
}

fn a_row_goes_only_while_its_expression_gives_the_same_key(database: &dyn Database) {
    let scene = scene(database, "missing_file = \"delete\"");
    scene.insert(&[(1, Some("a.png"), None), (2, Some("lost.png"), None), (3, Some("lost too.png"), None)]);
    scene.put(&["1/a.png"]);
    let outcome = scene.executed_with(|| database.run("UPDATE files SET name = 'found.png' WHERE id = 2"));
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["removals"]["records_deleted"], 1, "{report:#}");
    assert_eq!(report["removals"]["skipped"], 1, "{report:#}");
    assert_eq!(scene.ids(), ["1", "2"]);
}

fn a_row_whose_other_columns_changed_goes(database: &dyn Database) {
    let scene = scene(database, "missing_file = \"delete\"");
    scene.insert(&[(1, Some("a.png"), None), (2, Some("lost.png"), None)]);
    scene.put(&["1/a.png"]);
    let outcome = scene.executed_with(|| database.run("UPDATE files SET note = 'seen' WHERE id = 2"));
    assert_eq!(outcome.json()["removals"]["records_deleted"], 1, "{outcome:#?}");
    assert_eq!(scene.ids(), ["1"]);
    assert_eq!(scene.executed_nothing(), 0);
}

fn a_rule_takes_row_and_file_and_restore_brings_both_back(database: &dyn Database) {
    let rule = "[[records.rules]]\nname = \"spare\"\nwhere = \"note = 'spare'\"\n";
    let scene = scene(database, rule);
    scene.insert(&[(1, Some("a.png"), None), (2, Some("b.png"), None)]);
    database.run("UPDATE files SET note = 'spare' WHERE id = 2");
    scene.put(&["1/a.png", "2/b.png"]);
    assert_eq!(scene.found(), [("spare".to_owned(), "2/b.png".to_owned(), "2".to_owned())].into());
    let report = scene.executed();
    assert_eq!((scene.ids(), scene.keys()), (vec!["1".to_owned()], vec!["1/a.png".to_owned()]));
    let restored = scene.tool.run(&["restore", "--run", &report["run"]["id"].to_string()]);
    assert_eq!(restored.code, 0, "{restored:#?}");
    assert_eq!(scene.keys(), ["1/a.png", "2/b.png"]);
    assert_eq!(database.texts("SELECT name FROM files WHERE id = 2 AND note = 'spare'"), ["b.png"]);
}

fn what_is_no_expression_is_told(database: &dyn Database) {
    let scene = Scene::new(database, "");
    for (sql, word) in [("id, name", "files"), ("nme", "nme"), ("max(name)", "files"), ("name) FROM files --", "files")]
    {
        scene.configure(&format!("key_sql = \"{sql}\""));
        expect_usage_error(&scene.tool.run(&[]), &["[[records]] table files", word]);
    }
    for (lines, words) in [
        ("key = \"name\"\nkey_sql = \"name\"", ["both key and key_sql", "line 16"]),
        ("", ["needs a key or a key_sql", "line 16"]),
        ("key_sql = \" \"", ["key_sql is empty", "line 16"]),
    ] {
        scene.configure(lines);
        expect_usage_error(&scene.tool.run(&[]), &words);
    }
}

impl Scene<'_> {
    /// Runs `--execute` where nothing is left to remove: it asks for nothing.
    fn executed_nothing(&self) -> i32 {
        crate::support::terminal::run_without_prompt(&self.tool, &["--execute"]).code
    }
}
