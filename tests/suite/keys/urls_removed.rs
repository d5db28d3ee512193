//! Rows of URLs and their files, removed.

use super::scene::{Scene, file};
use super::urls::{BASE, BY_URL};
use crate::support::s3::Call;
use crate::support::servers::Database;
use crate::support::sqlite::{Sqlite, run_sql};
use crate::support::terminal;

on_each_engine!(
    a_row_that_lost_its_file_goes_while_it_names_the_same_key,
    a_rule_takes_row_and_file_and_restore_brings_both_back,
    rows_that_spell_one_key_in_two_ways_share_its_file,
    a_url_that_appears_after_the_report_saves_its_file,
);

const SPARE: &str = "[[records.rules]]\nname = \"spare\"\nwhere = \"note = 'spare'\"\n";

fn url(rest: &str) -> String {
    format!("{BASE}{rest}")
}

fn a_row_that_lost_its_file_goes_while_it_names_the_same_key(database: &dyn Database) {
    let scene = Scene::new(database, &format!("{BY_URL}missing_file = \"delete\""));
    scene.insert_urls(&[
        (1, &url("a.png")),
        (2, &url("lost%20one.png")),
        (3, &url("lost%20two.png")),
        (4, &url("lost%20three.png")),
    ]);
    scene.put(&["a.png"]);
    let outcome = scene.executed_with(|| {
        database.run(&format!("UPDATE files SET url = '{}' WHERE id = 2", url("found.png")));
        database.run(&format!("UPDATE files SET url = '{}' WHERE id = 3", url("lost two.png?v=2")));
    });
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(report["removals"]["records_deleted"], 2, "{report:#}");
    assert_eq!(report["removals"]["skipped"], 1, "{report:#}");
    assert_eq!(scene.ids(), ["1", "2"]);
}

fn a_rule_takes_row_and_file_and_restore_brings_both_back(database: &dyn Database) {
    let scene = Scene::new(database, &format!("{BY_URL}{SPARE}"));
    scene.insert_urls(&[(1, &url("a.png")), (2, &url("b%20c.png?v=1"))]);
    database.run("UPDATE files SET note = 'spare' WHERE id = 2");
    scene.put(&["a.png", "b c.png"]);
    assert_eq!(scene.found(), [("spare".to_owned(), "b c.png".to_owned(), "2".to_owned())].into());
    let report = scene.executed();
    assert_eq!((scene.ids(), scene.keys()), (vec!["1".to_owned()], vec!["a.png".to_owned()]), "{report:#}");
    let restored = scene.tool.run(&["restore", "--run", &report["run"]["id"].to_string()]);
    assert_eq!(restored.code, 0, "{restored:#?}");
    assert_eq!(scene.keys(), ["a.png", "b c.png"]);
    assert_eq!(database.texts("SELECT url FROM files WHERE id = 2 AND note = 'spare'"), [url("b%20c.png?v=1")]);
}

fn rows_that_spell_one_key_in_two_ways_share_its_file(database: &dyn Database) {
    let scene = Scene::new(database, &format!("{BY_URL}{SPARE}"));
    scene.insert_urls(&[(1, &url("a.png")), (2, &url("b%20c.png")), (3, &url("b c.png#top"))]);
    database.run("UPDATE files SET note = 'spare' WHERE id = 2");
    scene.put(&["a.png", "b c.png"]);
    let report = scene.tool.report();
    assert_eq!(report["findings"][0]["shared"], true, "{report:#}");
    scene.executed();
    assert_eq!(
        (scene.ids(), scene.keys()),
        (vec!["1".to_owned(), "3".to_owned()], vec!["a.png".to_owned(), "b c.png".to_owned()])
    );

    // The last row takes the file with it.
    database.run("UPDATE files SET note = 'spare' WHERE id = 3");
    scene.executed();
    assert_eq!((scene.ids(), scene.keys()), (vec!["1".to_owned()], vec!["a.png".to_owned()]));
}

fn a_url_that_appears_after_the_report_saves_its_file(database: &dyn Database) {
    for (number, rest) in [(2, "gone%20one.png?v=1"), (3, "gone one.png")] {
        let scene = Scene::again(database, BY_URL);
        scene.insert_urls(&[(1, &url("a.png"))]);
        scene.put(&["a.png", "gone one.png", "gone two.png"]);
        assert_eq!(scene.found(), ["gone one.png", "gone two.png"].map(file).into());
        let outcome = scene.executed_with(|| scene.insert_urls(&[(number, &url(rest))]));
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(outcome.json()["removals"]["skipped"], 1, "{outcome:#?}");
        assert_eq!(scene.keys(), ["a.png", "gone one.png"]);
    }
}

impl<'d> Scene<'d> {
    /// A new scene on a database that may have had one.
    fn again(database: &'d dyn Database, records: &str) -> Scene<'d> {
        database.run("DROP TABLE IF EXISTS files");
        Scene::new(database, records)
    }
}

/// What a source says that is read whole is asked for anew before each batch that goes for good: a row that is made while the
/// batch before goes saves its file. A file that goes to the trash may rest on an answer of ten seconds, and is put back.
#[test]
fn a_url_that_appears_between_two_batches_saves_its_file() {
    for trash in ["[trash]\nenabled = false\n", ""] {
        let sqlite = Sqlite::new();
        let scene = Scene::new(&sqlite, &format!("{BY_URL}{trash}"));
        scene.insert_urls(&[(1, &url("a.png"))]);
        scene.put(&["a.png"]);
        let strays: Vec<String> = (0..1_100).map(|number| format!("stray/{number:04}.png")).collect();
        scene.put(&strays.iter().map(String::as_str).collect::<Vec<_>>());
        let config = scene.tool.path("config.toml");
        let text = std::fs::read_to_string(&config).expect("the configuration");
        let text = text.replace("[safety]\n", "[safety]\nunknown_prefixes = [\"stray\"]\n");
        std::fs::write(&config, text).expect("the configuration");
        let wanted = format!("INSERT INTO files VALUES (2, NULL, '{}', '', '2020-01-01')", url("stray/1099.png"));
        let (database, is_made) = (sqlite.url(), std::sync::Once::new());
        scene.server.before(Call::DeleteMany, move |_| {
            is_made.call_once(|| {
                run_sql(&database, &wanted);
                std::thread::sleep(std::time::Duration::from_secs(1));
            });
        });
        let outcome = terminal::run(&scene.tool, &["--execute", "--format", "json"], "app-assets");
        assert_eq!(scene.keys(), ["a.png", "stray/1099.png"], "{outcome:#?}");
    }
}
