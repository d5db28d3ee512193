//! Rules that are written wrong: exit 2, the section and the rule by name, and what would be right.

use super::scene::{Engine, NO_LIMITS, Scene};
use crate::command_line::expect_usage_error;

/// Adds these lines to `[[records]]`, and expects a usage error with these words, from a dry run and from one that
/// removes.
fn refused(lines: &str, words: &[&str]) {
    let scene = Scene::of_assets(Engine::Sqlite, lines);
    scene.run(
        "CREATE TABLE pairs (a integer, b integer, PRIMARY KEY (a, b)); CREATE TABLE tours (id integer PRIMARY KEY)",
    );
    expect_usage_error(&scene.tool.run(&[]), words);
    expect_usage_error(&scene.tool.run(&["--execute"]), words);
    assert_eq!(scene.ids("assets").len(), 3);
}

/// A rule with these lines.
fn refused_rule(lines: &str, words: &[&str]) {
    let named = [&["config.toml", "assets", "old"], words].concat();
    refused(&format!("[[records.rules]]\nname = \"old\"\n{lines}"), &named);
}

/// Without a condition it would condemn every row; `after` alone counts from `created_at`, and is none.
#[test]
fn a_rule_without_a_condition() {
    refused_rule("", &["where", "since", "entity", "every row"]);
    refused_rule("after = \"1d\"", &["where", "since", "entity", "every row"]);
    refused_rule("then = \"delete\"", &["where", "since", "entity"]);
    refused_rule("where = \" \"", &["where is empty"]);
}

#[test]
fn a_column_that_is_not_there() {
    let there = ["storage_key", "ended_at"];
    let with = |words: &[&'static str]| [words, &there].concat();
    // The database is asked for these: no file of ours is wrong.
    let refused_rule = |lines: &str, words: &[&str]| {
        refused(&format!("[[records.rules]]\nname = \"old\"\n{lines}"), &[&["assets", "rule old"], words].concat());
    };
    refused_rule("since = \"endet_at\"", &with(&["since column endet_at"]));
    let set = "where = \"status = 'x'\"\nthen = { set = { sattus = \"gone\" } }";
    refused_rule(set, &with(&["set column sattus"]));
    let entity = |r#type: &str, id: &str, table: &str| {
        format!("entity = {{ type = {type:?}, id = {id:?}, tables = {{ tour = {table:?} }} }}")
    };
    refused_rule(&entity("tpye", "id", "tours"), &with(&["entity type column tpye"]));
    refused_rule(&entity("status", "ident", "tours"), &with(&["entity id column ident"]));
    refused_rule(&entity("status", "id", "toors"), &["entity table toors", "no such table", "tours"]);
    refused_rule(&entity("status", "id", "pairs"), &["entity table pairs", "id column id", "a, b"]);
    refused_rule("where = \"sattus = 'x'\"", &["sattus"]);
    refused("missing_file = { set = { sattus = \"gone\" } }", &with(&["missing_file", "set column sattus"]));
}

#[test]
fn a_name_that_cannot_be_one() {
    let rule = |name: &str| format!("[[records.rules]]\nname = {name:?}\nwhere = \"status = 'x'\"\n");
    for name in ["orphaned-file", "orphaned-record"] {
        refused(&rule(name), &["config.toml", "assets", name, "kind of finding already"]);
    }
    for name in ["", "a,b", "a\nb"] {
        refused(&rule(name), &["config.toml", "assets", "name", "letter"]);
    }
    refused(&rule("old").repeat(2), &["config.toml", "assets", "old", "twice"]);
}

/// One name for rules of two tables is one kind.
#[test]
fn two_tables_may_name_their_rules_alike() {
    let scene = Scene::of_assets(Engine::Sqlite, "");
    let rule = "[[records.rules]]\nname = \"old\"\nwhere = \"status = 'old'\"\n";
    let covers = "[[records]]\ntable = \"covers\"\nid = \"id\"\nkey = \"path\"\ncreated_at = \"created_at\"\nupdated_at = \"created_at\"\n";
    scene.run("CREATE TABLE covers (id {id}, path {text}, created_at {time}, status {text})");
    scene.run("INSERT INTO covers VALUES (1, NULL, {ago 90d}, 'old')");
    scene.asset(4, "live/1.png", "old", "NULL");
    scene.configure_assets(rule, &format!("{covers}{rule}{NO_LIMITS}"));
    let report = scene.tool.report();
    assert_eq!(report["totals"]["rules"]["old"], 2, "{report:#}");
    assert_eq!(scene.executed()["removals"]["records_deleted"], 2);
}

#[test]
fn an_after_without_a_clock() {
    let scene = Scene::of_assets(Engine::Sqlite, "");
    let records = "[[records]]\ntable = \"assets\"\nid = \"id\"\nkey = \"storage_key\"\n";
    let rule = "[[records.rules]]\nname = \"old\"\nwhere = \"status = 'x'\"\nafter = \"1d\"\n";
    scene.configure(&format!("{records}{rule}"));
    expect_usage_error(&scene.tool.run(&[]), &["config.toml", "assets", "old", "after", "since", "created_at"]);
    scene.configure(&format!("{records}created_at = \"created_at\"\nupdated_at = \"created_at\"\n{rule}"));
    assert_eq!(scene.tool.run(&[]).code, 0);
    scene.configure(&format!("{records}{rule}since = \"ended_at\"\n"));
    assert_eq!(scene.tool.run(&[]).code, 0);
}

#[test]
fn an_action_that_there_is_not() {
    let rule = |then: &str| format!("where = \"status = 'x'\"\nthen = {then}");
    refused_rule(&rule("\"report\""), &["delete", "set"]);
    let refused_then = |then: &str, words: &[&str]| {
        refused(
            &format!("[[records.rules]]\nname = \"old\"\n{}", rule(then)),
            &[&["config.toml", "line"], words].concat(),
        );
    };
    refused_then("\"remove\"", &["delete", "set"]);
    refused_then("true", &["delete", "set"]);
    refused_then("{ sett = { status = \"x\" } }", &["sett", "set"]);
    refused_then("{ set = {} }", &["no column"]);
    refused_then("{}", &["set"]);
    refused_then("{ set = { status = [1] } }", &["string", "number"]);
    refused("missing_file = \"trash\"", &["config.toml", "line", "report", "delete", "set"]);
}

#[test]
fn an_entity_that_names_nothing() {
    refused_rule("entity = { type = \"status\", id = \"id\", tables = {} }", &["entity", "no tables"]);
    refused("[[records.rules]]\nname = \"old\"\nentity = { type = \"status\", id = \"id\" }", &["line", "tables"]);
    refused("[[records.rules]]\nname = \"old\"\nwhen = \"x\"", &["line", "when", "where"]);
}

/// A kind that no rule is named for is told with those that there are.
#[test]
fn a_kind_of_no_rule() {
    let scene = Scene::of_assets(Engine::Sqlite, "[[records.rules]]\nname = \"old\"\nwhere = \"status = 'x'\"\n");
    let words = ["young", "orphaned-file", "orphaned-record", "old"];
    expect_usage_error(&scene.tool.run(&["--kind", "young"]), &words);
    assert_eq!(scene.tool.run(&["--kind", "old"]).code, 0);
}

/// The where of `[[records]]` does not say what the rule sets: the row stays as it was, and its file.
#[test]
fn an_update_that_would_still_own_the_file() {
    let rule =
        "[[records.rules]]\nname = \"old\"\nwhere = \"status = 'old'\"\nthen = { set = { status = \"gone\" } }\n";
    let scene = Scene::of_assets(Engine::Sqlite, rule);
    scene.asset(4, "old.png", "old", "NULL");
    scene.put("old.png");
    let outcome = scene.execute(&[]);
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    let errors = &outcome.json()["removals"]["errors"];
    assert!(errors[0].as_str().expect("an error").contains("where"), "{errors}");
    assert_eq!(scene.texts("SELECT status FROM assets WHERE id = 4"), ["old"]);
    assert!(scene.files().contains("old.png"));
}
