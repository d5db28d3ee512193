//! A confirmed run that removes nothing says so, and why.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::s3::{Call, Fault, What};
use crate::support::terminal::Terminal;
use crate::support::tool::Outcome;

/// Runs `--execute`; `meanwhile` happens while the prompt waits.
fn execute_with(scene: &Scene, format: &str, meanwhile: impl FnOnce()) -> Outcome {
    let mut terminal = Terminal::start(&scene.tool, &["--execute", "--format", format]);
    assert!(terminal.prompt());
    meanwhile();
    terminal.answer(scene.word())
}

fn expect_nothing_removed(scene: &Scene, report: &Value) {
    assert_eq!(report["run"]["outcome"], "skipped", "{report:#}");
    assert_eq!(report["removals"]["files_trashed"], 0, "{report:#}");
    let all = scene.everything();
    assert!(scene.orphans.iter().all(|key| all.contains_key(key)), "{report:#}");
    let history = scene.run(&["history", "--format", "json"]).json();
    assert_eq!(history["runs"][0]["outcome"], "skipped", "{history:#}");
}

/// All three became wanted, or changed: that is no failure.
#[test]
fn what_was_wanted_or_changed_after_all_is_no_failure() {
    for scene in Scene::on_both() {
        let outcome = execute_with(&scene, "json", || {
            scene.insert(&scene.orphans[..2]);
            scene.put_bytes(&scene.orphans[2], "another picture", SystemTime::now());
        });
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        let report = outcome.json();
        expect_nothing_removed(&scene, &report);
        let named = "a record or reference names it now, or what it belongs to";
        assert_eq!(report["removals"]["reasons"], json!({ named: 2, "it changed": 1 }), "{report:#}");
    }
    let scene = Scene::on_local();
    let outcome = execute_with(&scene, "text", || scene.insert(&scene.orphans));
    assert!(outcome.stdout.contains("  - 3: a record or reference names it now"), "{outcome:#?}");
}

/// A file that cannot be removed is one: the rest may be wanted or not.
#[test]
fn what_could_not_be_removed_is_a_failure() {
    let scene = Scene::on_s3();
    let outcome = execute_with(&scene, "json", || {
        scene.insert(&scene.orphans[1..]);
        let key = scene.orphans[0].clone();
        let fault = Fault::on(Call::Head, What::Status(403, "AccessDenied"));
        scene.server().fault(fault.when(move |seen| seen.key == key));
    });
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    let report = outcome.json();
    expect_nothing_removed(&scene, &report);
    assert_eq!((&report["removals"]["skipped"], &report["removals"]["failed"]), (&2.into(), &1.into()), "{report:#}");
    let reasons = report["removals"]["reasons"].as_object().expect("reasons");
    assert_eq!(reasons.len(), 2, "{report:#}");
}
