//! Owners that are there though they are written in another way; and ids and keys that are hard to write.

use super::on_every_engine;
use super::scene::{Engine, NAME, NO_LIMITS, Scene, expect, finding, warnings};
use crate::support::terminal::Terminal;

on_every_engine!(
    ids_and_keys_with_quotes_and_backslashes,
    a_polymorphic_type_with_backslashes,
    ids_that_two_types_write_in_two_ways,
    uuids_that_are_written_in_two_ways,
    a_whole_number_over_2_to_the_53,
    bytes_as_ids,
    an_id_that_is_null_points_at_nobody,
    an_id_of_zeros_or_nothing_points_at_nobody,
    an_owner_of_the_same_table,
    an_owner_with_a_key_of_several_columns_is_found_by_its_id,
    an_owners_table_without_a_row_holds_what_it_would_condemn,
    an_owners_table_that_is_emptied_at_the_prompt_condemns_nothing,
);

const LIVE: [&str; 3] = ["live/1.png", "live/2.png", "live/3.png"];

/// An application whose `files` belong to `tours`, with ids and pointers of these types; one live row of each.
fn owned(engine: Engine, id: &str, pointer: &str, owner: &str) -> Scene {
    let scene = Scene::new(engine);
    scene.run(&format!(
        "CREATE TABLE tours (id {owner} PRIMARY KEY);
         CREATE TABLE files (id {id}, path {{text}}, created_at {{time}}, kind {{text}}, owner {pointer})"
    ));
    scene.configure(&format!(
        "[[records]]\ntable = \"files\"\nid = \"id\"\nkey = \"path\"\ncreated_at = \"created_at\"\nupdated_at = \"created_at\"\n\
         [[records.rules]]\nname = \"ownerless\"\n\
         entity = {{ type = \"kind\", id = \"owner\", tables = {{ tour = \"tours\" }} }}\n{NO_LIMITS}"
    ));
    scene
}

/// A row with its file; `id` and `owner` are SQL.
fn file(scene: &Scene, id: &str, path: &str, owner: &str) {
    let key = scene.database.literal(path);
    scene.run(&format!("INSERT INTO files VALUES ({id}, {key}, {{ago 90d}}, 'tour', {owner})"));
    scene.put(path);
}

/// Removes, and expects these files to go with their rows, and the others to stay.
fn gone(scene: &Scene, keys: &[&str], kept: &[&str]) {
    let report = scene.executed();
    let mut found: Vec<&str> =
        report["findings"].as_array().expect("findings").iter().filter_map(|f| f["key"].as_str()).collect();
    found.sort_unstable();
    assert_eq!(found, keys, "{report:#}");
    assert_eq!(warnings(&report), Vec::<String>::new());
    assert_eq!(report["removals"]["records_deleted"], keys.len());
    scene.expect_files(kept);
    let mut left = scene.texts("SELECT path FROM files");
    left.sort();
    assert_eq!(left, kept);
    scene.expect_nothing_left();
}

const HARD: [&str; 8] =
    ["it's", "a\"b", "back\\slash", "\\", "\\'", "'; DROP TABLE files; --", "$1 ?1 :a", "日本 é\u{301} %_"];

fn ids_and_keys_with_quotes_and_backslashes(engine: Engine) {
    let id = engine.one("text PRIMARY KEY", "text PRIMARY KEY", "varchar(100) COLLATE utf8mb4_bin PRIMARY KEY");
    let scene = owned(engine, id, "{text}", engine.one("text", "text", "varchar(100)"));
    scene.run("INSERT INTO tours VALUES ('here')");
    let mut keys: Vec<String> = HARD.iter().map(|hard| format!("dead/{hard}.png")).collect();
    for (hard, key) in HARD.iter().zip(&keys) {
        file(&scene, &scene.database.literal(hard), key, &scene.database.literal(&format!("gone {hard}")));
    }
    let kept: Vec<String> = HARD.iter().map(|hard| format!("live/{hard}.png")).collect();
    for (at, key) in kept.iter().enumerate() {
        file(&scene, &format!("'live{at}'"), key, "'here'");
    }
    let report = scene.tool.report();
    let lines: Vec<_> = HARD.iter().zip(&keys).map(|(id, key)| ("ownerless", key.as_str(), "files", *id)).collect();
    expect(&report, &lines);
    keys.sort();
    let (keys, mut kept): (Vec<&str>, Vec<&str>) =
        (keys.iter().map(String::as_str).collect(), kept.iter().map(String::as_str).collect());
    kept.sort_unstable();
    gone(&scene, &keys, &kept);
}

/// As frameworks write it: the name of a class, byte for byte, though MySQL reads a backslash as an escape.
fn a_polymorphic_type_with_backslashes(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.run("CREATE TABLE tours (id {id}); INSERT INTO tours VALUES (4); CREATE TABLE guides (id {id}); INSERT INTO guides VALUES (5)");
    let tables = r#"{ 'App\Models\Tour' = "tours", 'App\Models\Gui''de' = "guides" }"#.replace("''", "");
    let rule = "[[records.rules]]\nname = \"ownerless\"\n";
    scene.configure_assets(
        &format!("{rule}entity = {{ type = \"status\", id = \"id\", tables = {tables} }}\n"),
        NO_LIMITS,
    );
    let class = |name: &str| scene.database.literal(&format!(r"App\Models\{name}"));
    for (id, class) in [(4, class("Tour")), (5, class("Tour")), (6, class("Guide"))] {
        scene.run(&format!("INSERT INTO assets VALUES ({id}, '{id}.png', {{ago 90d}}, {class}, NULL)"));
        scene.put(&format!("{id}.png"));
    }
    let report = scene.executed();
    expect(&report, &[("ownerless", "5.png", "assets", "5"), ("ownerless", "6.png", "assets", "6")]);
    let told = warnings(&report);
    assert!(told.len() == 1 && told[0].contains("3 rows") && told[0].contains("\"live\""), "{told:?}");
    scene.expect_files(&[&["4.png"], &LIVE[..]].concat());
}

/// A text that holds a number, whatever it is padded with, points at the row of that number.
fn ids_that_two_types_write_in_two_ways(engine: Engine) {
    for (pointer, here, gone_at) in [
        ("{text}", ["'7'", "' 7 '", "'007'"], ["'8'", "'70'", "'7a'"]),
        (engine.one("real", "numeric(10,2)", "decimal(10,2)"), ["7", "7.0", "7.00"], ["8", "70", "7.5"]),
        (engine.one("text", "smallint", "smallint"), ["7", "7", "7"], ["8", "70", "77"]),
        (engine.one("numeric", "double precision", "double"), ["7", "7.0", "7"], ["8", "70", "7.5"]),
    ] {
        let scene = owned(engine, "{id}", pointer, engine.one("integer", "bigint", "bigint"));
        scene.run("INSERT INTO tours VALUES (7); INSERT INTO tours VALUES (700)");
        for (at, (here, gone_at)) in here.iter().zip(gone_at).enumerate() {
            file(&scene, &format!("1{at}"), &format!("live/{at}.png"), here);
            file(&scene, &format!("2{at}"), &format!("dead/{at}.png"), gone_at);
        }
        gone(&scene, &["dead/0.png", "dead/1.png", "dead/2.png"], &["live/0.png", "live/1.png", "live/2.png"]);
    }
}

/// In capitals, without dashes or in spaces: a UUID is the same one, between texts and between types.
fn uuids_that_are_written_in_two_ways(engine: Engine) {
    let text = engine.one("text", "text", "varchar(50)");
    let own = engine.one("text", "uuid", "uuid");
    for (pointer, owner) in [(text, text), (text, own), (own, text), (own, own)] {
        let id = format!("{own} PRIMARY KEY");
        let scene = owned(engine, &id, pointer, owner);
        scene.run("INSERT INTO tours VALUES ('3f2504e0-4f89-41d3-9a0c-0305e82c3301')");
        let uuid = |last: u32| format!("'00000000-0000-4000-8000-00000000000{last}'");
        file(&scene, &uuid(1), "live/1.png", "'3f2504e0-4f89-41d3-9a0c-0305e82c3301'");
        file(&scene, &uuid(2), "live/2.png", "'3F2504E0-4F89-41D3-9A0C-0305E82C3301'");
        file(&scene, &uuid(3), "live/3.png", "'3f2504e04f8941d39a0c0305e82c3301'");
        file(&scene, &uuid(4), "dead.png", "'3f2504e0-4f89-41d3-9a0c-0305e82c3302'");
        gone(&scene, &["dead.png"], &LIVE);
    }
}

/// Two such numbers are one to whoever reads them as floating-point numbers.
fn a_whole_number_over_2_to_the_53(engine: Engine) {
    for pointer in [engine.one("integer", "bigint", "bigint"), "{text}"] {
        let scene = owned(engine, "{id}", pointer, engine.one("integer", "bigint", "bigint"));
        scene.run("INSERT INTO tours VALUES (9007199254740992); INSERT INTO tours VALUES (9223372036854775806)");
        let quote = if pointer == "{text}" { "'" } else { "" };
        for (id, path, owner) in [
            ("9007199254740993", "dead/1.png", "9007199254740993"),
            ("9007199254740992", "live/1.png", "9007199254740992"),
            ("9223372036854775807", "dead/2.png", "9223372036854775807"),
            ("9223372036854775806", "live/2.png", "9223372036854775806"),
        ] {
            file(&scene, id, path, &format!("{quote}{owner}{quote}"));
        }
        gone(&scene, &["dead/1.png", "dead/2.png"], &["live/1.png", "live/2.png"]);
    }
}

/// UUIDs as bytes, some of which are no letters in any encoding, and some of which are quotes, backslashes and zeros.
fn bytes_as_ids(engine: Engine) {
    let literal = |hex: &str| engine.one(&format!("X'{hex}'"), &format!("'\\x{hex}'"), &format!("X'{hex}'")).to_owned();
    for bytes in [engine.one("blob", "bytea", "binary(16)"), engine.one("blob", "bytea", "varbinary(16)")] {
        let scene = owned(engine, &format!("{bytes} PRIMARY KEY"), bytes, bytes);
        let [here, other] = ["ff04e04f89416142434441419a0c0380", "ff04e04f8941614243444141ee0c0380"].map(literal);
        scene.run(&format!("INSERT INTO tours VALUES ({here})"));
        file(&scene, &literal("00112233445566778899aabbccddeeff"), "dead/1.png", &other);
        file(&scene, &literal("5c275c5c5c225c002d2d3b0000000000"), "dead/2.png", &other);
        file(&scene, &literal("5c275c5c5c225c002d2d3b0000000001"), "live/1.png", &here);
        // One of them, by its id as the report has it.
        assert_eq!(scene.tool.run(&["-o", "report.csv"]).code, 0);
        let csv = std::fs::read_to_string(scene.tool.path("report.csv")).expect("a report");
        let one: Vec<&str> = csv.lines().filter(|line| !line.contains("dead/1.png")).collect();
        assert_eq!(one.len(), 2, "{csv}");
        std::fs::write(scene.tool.path("only.csv"), one.join("\n")).expect("a list");
        let outcome = scene.execute(&["--only", "only.csv"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        scene.expect_files(&["dead/1.png", "live/1.png"]);
        gone(&scene, &["dead/1.png"], &["live/1.png"]);
    }
}

/// A row without an owner is not one whose owner is gone; and a NULL among the owners makes nobody look gone or there.
fn an_id_that_is_null_points_at_nobody(engine: Engine) {
    let scene = owned(engine, "{id}", "{text}", engine.one("text", "text", "varchar(50)"));
    scene.run(
        "CREATE TABLE lists (id {text}); INSERT INTO lists VALUES (NULL); INSERT INTO lists VALUES ('7');
         INSERT INTO files VALUES (4, 'live/4.png', {ago 90d}, 'list', '7');
         INSERT INTO files VALUES (5, 'dead/5.png', {ago 90d}, 'list', '8')",
    );
    let config = std::fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
    scene.tool.configure(&config.replace("tour = \"tours\"", "tour = \"tours\", list = \"lists\""));
    ["live/4.png", "dead/5.png"].iter().for_each(|key| scene.put(key));
    file(&scene, "1", "live/1.png", "NULL");
    gone(&scene, &["dead/5.png"], &["live/1.png", "live/4.png"]);
}

/// Thumbnails in the table of their pictures.
/// 0, an empty text and a UUID of zeros are how programs write that a row is not linked.
fn an_id_of_zeros_or_nothing_points_at_nobody(engine: Engine) {
    let whole = engine.one("integer", "bigint", "bigint");
    for (pointer, owner, nobodies, somebody) in [
        ("{text}", whole, &["''", "'0'", "' '", "' 0 '"][..], "'7'"),
        ("{text}", "{text}", &["''", "'0'", "'00000000-0000-0000-0000-000000000000'"], "'gone'"),
        (whole, whole, &["0"], "7"),
    ] {
        let owner = if owner == "{text}" { engine.one("text", "text", "varchar(50)") } else { owner };
        let scene = owned(engine, "{id}", pointer, owner);
        scene.run("INSERT INTO tours VALUES ('1')");
        for (at, nobody) in nobodies.iter().enumerate() {
            file(&scene, &format!("1{at}"), &format!("live/{at}.png"), nobody);
        }
        file(&scene, "2", "dead.png", somebody);
        let live: Vec<String> = (0..nobodies.len()).map(|at| format!("live/{at}.png")).collect();
        gone(&scene, &["dead.png"], &live.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

fn an_owner_of_the_same_table(engine: Engine) {
    for pointer in [engine.one("integer", "bigint", "bigint"), "{text}"] {
        let scene = owned(engine, "{id}", pointer, engine.one("integer", "bigint", "bigint"));
        let config = std::fs::read_to_string(scene.tool.path("config.toml")).expect("the configuration");
        scene.tool.configure(&config.replace("tour = \"tours\"", "tour = \"files\""));
        file(&scene, "1", "live/1.png", "NULL");
        file(&scene, "2", "live/2.png", if pointer == "{text}" { "'1'" } else { "1" });
        file(&scene, "3", "dead/3.png", if pointer == "{text}" { "'4'" } else { "4" });
        gone(&scene, &["dead/3.png"], &["live/1.png", "live/2.png"]);
    }
}

fn an_owner_with_a_key_of_several_columns_is_found_by_its_id(engine: Engine) {
    let scene = owned(engine, "{id}", "bigint", engine.one("integer", "bigint", "bigint"));
    scene.run(
        "DROP TABLE tours; CREATE TABLE tours (tenant bigint, id bigint, PRIMARY KEY (tenant, id));
         INSERT INTO tours VALUES (1, 7); INSERT INTO tours VALUES (1, 8)",
    );
    file(&scene, "1", "dead/1.png", "1");
    file(&scene, "2", "live/7.png", "7");
    file(&scene, "3", "live/8.png", "8");
    gone(&scene, &["dead/1.png"], &["live/7.png", "live/8.png"]);
}

/// A table of owners that has no row may have been restored in part: what it would condemn is held, what other tables
/// condemn goes, and `may_be_empty` lifts it.
fn an_owners_table_without_a_row_holds_what_it_would_condemn(engine: Engine) {
    let scene = Scene::of_assets(engine, "");
    scene.run("CREATE TABLE tours (id {id}); INSERT INTO tours VALUES (4); CREATE TABLE guides (id {id})");
    let configure = |may_be_empty: &str| {
        let entity = format!(
            "type = \"status\", id = \"id\", tables = {{ tour = \"tours\", guide = \"guides\" }}{may_be_empty}"
        );
        let rule = format!("[[records.rules]]\nname = \"ownerless\"\nentity = {{ {entity} }}\n");
        scene.configure_assets(&rule, NO_LIMITS);
    };
    configure("");
    for (id, owner) in [(4, "tour"), (5, "tour"), (6, "guide"), (7, "guide")] {
        scene.asset(id, &format!("{id}.png"), owner, "NULL");
        scene.put(&format!("{id}.png"));
    }
    let report = scene.executed();
    for id in ["6", "7"] {
        let finding = finding(&report, "assets", id);
        assert_eq!(finding["held_by"], "owner", "{report:#}");
        assert!(finding["held"].as_str().is_some_and(|held| held.contains("guides")), "{report:#}");
    }
    let told = warnings(&report);
    assert!(told.iter().any(|told| told.contains("guides") && told.contains("may_be_empty")), "{told:?}");
    scene.expect_files(&[&["4.png", "6.png", "7.png"], &LIVE[..]].concat());

    configure(", may_be_empty = [\"guide\"]");
    scene.executed();
    scene.expect_files(&[&["4.png"], &LIVE[..]].concat());
}

/// The condition is asked once more with each row.
fn an_owners_table_that_is_emptied_at_the_prompt_condemns_nothing(engine: Engine) {
    let whole = engine.one("integer", "bigint", "bigint");
    let scene = owned(engine, "{id}", whole, whole);
    scene.run("INSERT INTO tours VALUES (7)");
    file(&scene, "1", "live/1.png", "7");
    file(&scene, "2", "dead/2.png", "8");
    let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
    assert!(terminal.prompt(), "{}", terminal.shown);
    scene.run("DELETE FROM tours");
    let outcome = terminal.answer(NAME);
    assert_ne!(outcome.code, 1, "{outcome:#?}");
    scene.expect_files(&["dead/2.png", "live/1.png"]);
    assert_eq!(scene.texts("SELECT path FROM files").len(), 2);
}
