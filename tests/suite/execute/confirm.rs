//! Nothing is removed but for the right word, typed at a terminal (the contract's "Confirmation").

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::scene::Scene;
use crate::support::s3::{Call, Fault, SECRET_KEY, What};
use crate::support::servers::Database;
use crate::support::terminal::{self, Terminal};

/// `cleanup-assets --execute </dev/null` exits with 4 and has changed nothing.
#[test]
fn without_a_terminal_nothing_is_removed() {
    for scene in Scene::on_both() {
        let before = scene.everything();
        let outcome = scene.run(&["--execute", "--format", "json"]);
        assert_eq!(outcome.code, 4, "{outcome:#?}");
        assert_eq!(outcome.json()["run"]["outcome"], "declined");
        assert!(!outcome.stderr.contains("to confirm:"), "never a prompt without a terminal: {outcome:#?}");
        assert_eq!(scene.everything(), before);
    }
}

/// `cleanup-assets --execute` with another word than the store's name exits with 4 and has changed nothing.
#[test]
fn another_word_declines() {
    let scene = Scene::on_s3();
    let before = scene.everything();
    for word in ["", "yes", "y", "APP-ASSETS", "app-assets2", "app-asset", "app-assets/"] {
        let outcome = terminal::run(&scene.tool, &["--execute", "--format", "json"], word);
        assert_eq!(outcome.code, 4, "{word:?}: {outcome:#?}");
        let report = outcome.json();
        assert_eq!(report["run"]["outcome"], "declined", "{word:?}");
        assert_eq!(report["removals"]["files_trashed"], 0, "{report:#}");
        assert_eq!(report["findings"].as_array().map(Vec::len), Some(3), "the report is whole");
    }
    assert_eq!(scene.everything(), before);
    assert_eq!(scene.server().writing_calls().len(), 0);
    let history = scene.run(&["history", "--format", "json"]).json();
    assert_eq!(history["runs"][0]["outcome"], "declined", "{history:#}");
    assert_eq!(history["runs"][0]["removed"], 0, "{history:#}");
}

/// `cleanup-assets --execute` that waits at its prompt while a dry run comes and goes: its report is whole, and says when
/// each finding was first seen.
#[test]
fn a_dry_run_that_ends_while_the_prompt_waits_changes_nothing_of_its_report() {
    let scene = Scene::on_s3();
    let first_seen = |report: &Value| -> Vec<Value> {
        report["findings"].as_array().expect("findings").iter().map(|finding| finding["first_seen"].clone()).collect()
    };
    let before = first_seen(&scene.run(&["--format", "json"]).json());
    assert_eq!(before.len(), 3);
    sleep(Duration::from_millis(1100));
    let mut prompted = Terminal::start(&scene.tool, &["--execute", "--format", "json"]);
    assert!(prompted.prompt());
    assert_eq!(first_seen(&scene.run(&["--format", "json"]).json()), before);
    let outcome = prompted.answer("app-assets");
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let report = outcome.json();
    assert_eq!(first_seen(&report), before, "{report:#}");
    assert!(report["removals"]["files_trashed"].as_u64() > Some(0), "{report:#}");
}

/// Ctrl-D at the prompt declines; Ctrl-C interrupts. Neither changes anything.
#[test]
fn the_end_of_input_declines_and_ctrl_c_interrupts() {
    let scene = Scene::on_s3();
    let mut prompted = Terminal::start(&scene.tool, &["--execute"]);
    assert!(prompted.prompt());
    prompted.end_of_input();
    let outcome = prompted.end();
    assert_eq!(outcome.code, 4, "{outcome:#?}");

    let mut prompted = Terminal::start(&scene.tool, &["--execute"]);
    assert!(prompted.prompt());
    prompted.ctrl_c()();
    let outcome = prompted.end();
    assert_eq!(outcome.code, 130, "{outcome:#?}");
    assert_eq!(scene.server().writing_calls().len(), 0);
}

/// `cleanup-assets --execute` and the store's name: removed, exit 0.
#[test]
fn the_right_word_removes() {
    for scene in Scene::on_both() {
        let outcome = scene.execute(&[]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        scene.expect_removed();
    }
}

/// The prompt says what will happen, from where, and never a secret.
#[test]
fn the_prompt_names_what_and_where() {
    for scene in Scene::on_both() {
        let bytes: usize = scene.orphans.iter().map(|key| super::scene::bytes_of(key).len()).sum();
        let mut terminal = Terminal::start(&scene.tool, &["--execute", "--no-progress"]);
        assert!(terminal.prompt());
        let sentence = terminal.shown.clone();
        let place = match &scene.store {
            super::scene::Kept::S3(server) => format!("{}/{}", server.endpoint(), scene.word()),
            super::scene::Kept::Local(_) => scene.root().display().to_string(),
        };
        let database = scene.database.url().trim_start_matches("sqlite:").to_owned();
        for words in ["3 files", &format!("{bytes} B"), "trash", &place, &database] {
            assert!(sentence.contains(words), "{words:?} is not in {sentence:?}");
        }
        assert!(sentence.ends_with(&format!("Type {} to confirm: ", scene.word())), "{sentence:?}");
        assert!(!sentence.contains(SECRET_KEY));
        let declined = terminal.answer("no");
        scene.expect_no_secret(&declined);

        scene.configure("[trash]\nenabled = false");
        let mut terminal = Terminal::start(&scene.tool, &["--execute", "--no-progress"]);
        assert!(terminal.prompt());
        let sentence = terminal.shown.to_lowercase();
        assert!(sentence.contains("for good"), "{sentence:?}");
        assert!(!sentence.contains("to the trash"), "{sentence:?}");
        terminal.answer("no");
    }
}

/// `cleanup-assets --execute` where there is nothing to remove asks nothing and exits with 0, terminal or not.
#[test]
fn nothing_to_remove_asks_nothing() {
    for scene in Scene::on_both() {
        scene.insert(&scene.orphans);
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(outcome.json()["run"]["outcome"], "clean");
        assert_eq!(scene.run(&["--execute"]).code, 0);
        // An orphaned record is reported, and nothing is removed for it.
        scene.insert(&["assets/lost.png".to_owned()]);
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(outcome.json()["run"]["outcome"], "findings");
    }
}

/// There is no `--yes`, under whatever name.
#[test]
fn there_is_no_yes() {
    let scene = Scene::on_s3();
    for yes in ["--yes", "-y", "--force", "--no-confirm", "--assume-yes"] {
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", yes]);
        assert_eq!(outcome.code, 2, "{yes}: {outcome:#?}");
    }
    let help = scene.run(&["--help"]).stdout;
    assert!(!help.contains("--yes") && help.contains("--execute"), "{help}");
    assert_eq!(scene.server().writing_calls().len(), 0);
}

/// Where several ends are possible: 1, 2 and 11 come first, then 12, then 0 for nothing to remove, then 4.
#[test]
fn several_ends_have_an_order() {
    let scene = Scene::on_s3();
    let refusing = ["--execute", "--max-removals", "1"];
    assert_eq!(scene.run(&["--execute"]).code, 4);
    assert_eq!(scene.run(&refusing).code, 12, "refused comes before nobody there");
    assert_eq!(scene.run(&["--execute", "--kind", "orphaned-record"]).code, 0, "nothing to remove before nobody there");

    let mut first = Terminal::start(&scene.tool, &["--execute"]);
    assert!(first.prompt());
    assert_eq!(scene.run(&["--execute"]).code, 11);
    assert_eq!(scene.run(&refusing).code, 11, "locked out comes before refused");
    assert_eq!(first.answer("no").code, 4);

    scene.server().fault(Fault::on(Call::List, What::Status(403, "AccessDenied")));
    let failed = scene.run(&[&refusing[..], &["--format", "json"]].concat());
    assert_eq!(failed.code, 1, "failed comes before refused: {failed:#?}");
    assert_eq!(failed.json()["findings"], Value::Array(Vec::new()));
    assert_eq!(scene.run(&["--execute", "--max-removals", "many"]).code, 2);
    assert_eq!(scene.server().writing_calls().len(), 0);
}
