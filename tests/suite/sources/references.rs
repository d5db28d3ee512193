//! `[[references]]` with an expression, a condition, a prefix and a base of URLs: what they name stays, and nothing else.

use super::keys;
use crate::rules::on_every_engine;
use crate::rules::scene::{Engine, NO_LIMITS, Scene};
use crate::support::terminal;

on_every_engine!(what_a_reference_names_stays, rows_that_a_condition_leaves_out_protect_nothing, tables_with_odd_names);

/// Files that are wanted for as long as the reference is read right, beside three that a table owns.
fn scene(engine: Engine, sections: &str) -> Scene {
    let scene = Scene::of_assets(engine, "");
    scene.run(
        "CREATE TABLE users (id {id}, avatar {text}, link {text}, state {text});
         INSERT INTO users VALUES (1, 'one.png', 'https://cdn.example.com/u/a%20b.png', 'on');
         INSERT INTO users VALUES (2, 'two.png', 'https://cdn.example.com/u/c.png?v=2', 'off');
         INSERT INTO users VALUES (3, 'three.png', NULL, NULL);",
    );
    configure(&scene, sections);
    scene
}

fn configure(scene: &Scene, sections: &str) {
    scene.configure_assets("", &format!("{NO_LIMITS}{sections}"));
}

fn what_a_reference_names_stays(engine: Engine) {
    for (sections, named) in [
        ("table = \"users\"\nkey = \"avatar\"\nkey_prefix = \"avatars/\"\n", "avatars/one.png"),
        ("table = \"users\"\nkey_sql = \"concat('u/', id, '.jpg')\"\n", "u/1.jpg"),
        ("table = \"users\"\nkey_sql = \"concat(id, '.jpg') -- the id\"\nkey_prefix = \"v/\"\n", "v/1.jpg"),
        ("table = \"users\"\nkey = \"link\"\nurl_base = \"https://cdn.example.com/\"\n", "u/a b.png"),
        (
            "table = \"users\"\nkey = \"link\"\nurl_base = \"https://cdn.example.com/\"\nkey_prefix = \"w/\"\n",
            "w/u/a b.png",
        ),
        ("query = \"SELECT avatar FROM users\"\nkey_prefix = \"q/\"\n", "q/one.png"),
        ("query = \"SELECT link FROM users\"\nurl_base = \"https://cdn.example.com/u/\"\n", "a b.png"),
    ] {
        let scene = scene(engine, &format!("[[references]]\n{sections}"));
        scene.put(named);
        scene.put("live/stray.png");
        assert_eq!(keys(&scene.tool.report(), "orphaned-file"), ["live/stray.png"], "{sections}");
        scene.executed();
        assert!(scene.files().contains(named) && !scene.files().contains("live/stray.png"), "{sections}");
    }
}

/// Of a row for which a condition is FALSE nothing is protected; NULL counts as wanting it.
fn rows_that_a_condition_leaves_out_protect_nothing(engine: Engine) {
    let scene = scene(engine, "[[references]]\ntable = \"users\"\nkey = \"avatar\"\nwhere = \"state = 'on'\"\n");
    ["one.png", "two.png", "three.png"].iter().for_each(|key| scene.put(key));
    assert_eq!(keys(&scene.tool.report(), "orphaned-file"), ["two.png"]);
    scene.executed();
    scene.expect_files(&["live/1.png", "live/2.png", "live/3.png", "one.png", "three.png"]);
}

/// A name with a dot, with capitals, with quotes, and in a schema.
fn tables_with_odd_names(engine: Engine) {
    let quote = engine.one("\"", "\"", "`");
    for (name, written) in [
        ("my.table", "'\"my.table\"'".to_owned()),
        ("MyTable", "\"MyTable\"".to_owned()),
        ("a \"b\" c", "'\"a \"\"b\"\" c\"'".to_owned()),
    ] {
        let scene = scene(engine, "");
        let quoted =
            format!("{quote}{}{quote}", if quote == "\"" { name.replace('"', "\"\"") } else { name.to_owned() });
        scene.run(&format!("CREATE TABLE {quoted} (id {{id}}, k {{text}})"));
        scene.run(&format!("INSERT INTO {quoted} VALUES (1, 'odd.png')"));
        scene.put("odd.png");
        configure(&scene, &format!("[[references]]\ntable = {written}\nkey = \"k\"\n"));
        assert!(keys(&scene.tool.report(), "orphaned-file").is_empty(), "{name}");
        configure(&scene, &format!("[[records]]\ntable = {written}\nid = \"id\"\nkey = \"k\"\n"));
        assert!(keys(&scene.tool.report(), "orphaned-file").is_empty(), "{name}");
    }
}

/// What cannot be meant is one error that says what would be right.
#[test]
fn what_a_reference_cannot_be() {
    for (section, words) in [
        ("table = \"users\"\n", "needs a key or a key_sql"),
        ("table = \"users\"\nkey = \"avatar\"\nkey_sql = \"avatar\"\n", "both key and key_sql"),
        ("query = \"SELECT avatar FROM users\"\nwhere = \"1 = 1\"\n", "where belongs to a table"),
        ("query = \"SELECT avatar FROM users\"\nfile = \"keys.txt\"\n", "one of these"),
        ("key = \"avatar\"\n", "one of these"),
        ("table = \"users\"\nkey = \"avatar\"\nwhere = \"no_such_column = 1\"\n", "does not accept it"),
        ("table = \"users\"\nkey_sql = \"id, avatar\"\n", "key_sql"),
        ("table = \"users\"\nkey = \"avatar\"\ndatabase = \"other\"\n", "names none of [[databases]]; there are none"),
    ] {
        let scene = scene(Engine::Sqlite, &format!("[[references]]\n{section}"));
        let outcome = terminal::run_without_prompt(&scene.tool, &[]);
        assert!(outcome.code == 2 && outcome.stderr.contains(words), "{section}: {outcome:#?}");
    }
}
