//! `[trash] enabled = false`: files are deleted for good, in as few requests as S3 allows.

use serde_json::Value;

use super::scene::{Kept, Scene};
use crate::support::s3::{Call, Fault, What};

const FOR_GOOD: &str = "[trash]\nenabled = false\n[safety]\nmax_percent = 100";

/// `cleanup-assets --execute` without trash deletes, and copies nothing.
#[test]
fn without_trash_files_are_deleted() {
    for scene in Scene::on_both() {
        scene.configure(FOR_GOOD);
        let report = scene.executed();
        assert_eq!(report["run"]["outcome"], "removed");
        assert_eq!(report["removals"]["files_deleted"], 3, "{report:#}");
        assert_eq!(report["removals"]["files_trashed"], 0, "{report:#}");
        scene.expect_removed();
        assert_eq!(scene.everything().len(), 40, "{:?}", scene.everything().keys());
        let removals = scene.removals(&report["run"]["id"]);
        assert_eq!(removals.keys().cloned().collect::<Vec<_>>(), scene.orphans);
        assert!(removals.values().all(|outcome| outcome == "deleted"), "{removals:?}");
        if let Kept::S3(server) = &scene.store {
            assert_eq!(server.count(Call::Copy), 0);
            assert_eq!(server.writing_calls().len(), 1, "one DeleteObjects for all: {:#?}", server.writing_calls());
        }
    }
}

/// 2,500 keys go in three DeleteObjects of at most 1,000.
#[test]
fn deletes_come_in_batches_of_a_thousand() {
    let scene = Scene::many_on_s3(100, 2_500);
    scene.configure(FOR_GOOD);
    let report = scene.executed();
    assert_eq!(report["removals"]["files_deleted"], 2_500, "{:#}", report["removals"]);
    assert_eq!(scene.server().count(Call::DeleteMany), 3);
    assert_eq!(scene.server().writing_calls().len(), 3);
    // And two by which the store was tried.
    assert_eq!(report["requests"]["delete"], 5);
    assert_eq!(scene.everything().len(), 100);
    scene.expect_wanted_untouched(100);
}

/// A key that XML cannot carry spoils a DeleteObjects, and so is deleted by itself; so are keys that XML would change.
#[test]
fn keys_that_xml_cannot_carry_are_deleted_singly() {
    for (sections, trashed) in [(FOR_GOOD, false), ("[safety]\nmax_percent = 100", true)] {
        let mut scene = Scene::on_s3();
        let odd = ["assets/\u{1}control.png", "assets/line\nbreak.png", "assets/tab\there.png", "assets/cr\rlf.png"];
        let plain = ["assets/a&b<c>\"d'.png", "assets/ä ö+ü%2F.png", "assets/日本😀.png"];
        for key in odd.iter().chain(&plain) {
            scene.put(key);
            scene.orphans.push((*key).to_owned());
        }
        scene.configure(sections);
        let report = scene.executed();
        scene.expect_removed();
        let figure = if trashed { "files_trashed" } else { "files_deleted" };
        assert_eq!(report["removals"][figure], 10, "{report:#}");
        assert_eq!(scene.server().count(Call::Delete), odd.len(), "{:#?}", scene.server().writing_calls());
        assert_eq!(scene.server().count(Call::DeleteMany), 1);
        if trashed {
            scene.orphans.iter().for_each(|key| assert!(scene.trashed(key).is_some(), "{key:?}"));
        }
    }
}

/// A store without DeleteObjects (501) gets single deletes.
#[test]
fn a_store_without_delete_objects_gets_single_deletes() {
    let scene = Scene::on_s3();
    scene.configure(FOR_GOOD);
    scene.server().fault(Fault::on(Call::DeleteMany, What::Status(501, "NotImplemented")));
    let report = scene.executed();
    assert_eq!(report["removals"]["files_deleted"], 3, "{report:#}");
    assert_eq!(scene.server().count(Call::Delete), 3);
    scene.expect_removed();
}

/// A key that the store refuses to delete is a failure of that key alone: exit 3, and named.
#[test]
fn a_key_that_is_refused_fails_alone() {
    for sections in [FOR_GOOD, ""] {
        let scene = Scene::on_s3();
        scene.configure(sections);
        let refused = scene.orphans[1].clone();
        scene.server().bucket.refuse_to_delete(&refused);
        let outcome = scene.execute(&["--format", "json"]);
        assert_eq!(outcome.code, 3, "{outcome:#?}");
        let report = outcome.json();
        assert_eq!(report["run"]["outcome"], "partial", "{report:#}");
        assert_eq!(report["removals"]["failed"], 1, "{report:#}");
        assert!(report["removals"]["errors"].to_string().contains(&refused), "the error names the key: {report:#}");
        assert!(scene.everything().contains_key(&refused));
        assert_eq!(scene.removals(&report["run"]["id"])[&refused], "failed");
        assert_eq!(scene.trashed(&refused), None, "what stays is not in the trash as well");
        let text = scene.execute(&[]);
        assert_eq!(text.code, 3, "{text:#?}");
        assert!(text.stdout.contains("Failed") || text.stdout.contains("failed"), "{text:#?}");
    }
}

/// `cleanup-assets --execute --format csv` still prints the findings, and nothing else, on standard output.
#[test]
fn the_csv_report_is_only_findings() {
    let scene = Scene::on_s3();
    let outcome = scene.execute(&["--format", "csv", "-o", "report.json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{outcome:#?}");
    let report = std::fs::read_to_string(scene.tool.path("report.json")).expect("the report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["removals"]["files_trashed"], 3, "the file tells what was removed too: {report:#}");
}
