//! `--limit N` removes a part of what was found, and leaves the others for later runs.

use std::thread::sleep;
use std::time::Duration;

use super::scene::Scene;
use crate::support::terminal;

/// `cleanup-assets --execute --limit 3`: what was seen first goes, whatever its key; the next run takes what is left.
#[test]
fn a_limit_removes_what_was_seen_first_and_leaves_the_others() {
    for mut scene in Scene::on_both() {
        assert_eq!(scene.run(&[]).code, 0);
        // First sightings are told apart by the second.
        sleep(Duration::from_millis(1100));
        let new = "assets/000000-new.png".to_owned();
        scene.put(&new);
        let outcome = scene.execute(&["--limit", "3", "--format", "json"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert!(
            outcome.stderr.contains("3 files") && outcome.stderr.contains("1 more finding is left"),
            "{outcome:#?}"
        );
        let report = outcome.json();
        let removals = &report["removals"];
        assert_eq!(
            (&removals["files_trashed"], &removals["later"], &removals["left"]),
            (&3.into(), &1.into(), &0.into())
        );
        assert_eq!(report["totals"]["orphaned_files"], 4, "the report has all of them: {report:#}");
        scene.expect_removed();
        assert!(scene.everything().contains_key(&new));
        let outcome = scene.execute(&["--limit", "3"]);
        assert!(!outcome.stderr.contains("left for a later run"), "{outcome:#?}");
        scene.orphans.push(new);
        scene.expect_removed();
    }
}

/// The limits that refuse judge what a limit leaves on the plan, and the text says how many stay.
#[test]
fn the_limits_that_refuse_judge_what_is_left_of_the_plan() {
    let scene = Scene::on_local();
    scene.configure("[safety]\nmax_removals = 2\nmax_percent = 5");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute"]);
    assert!(outcome.code == 12 && outcome.stderr.contains("--limit 2"), "{outcome:#?}");
    let outcome = scene.execute(&["--limit", "2"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert!(outcome.stdout.contains("Left for a later run (--limit): 1"), "{outcome:#?}");
    // Three of 43 files are more than 5 percent, and so are three of a limit of four.
    let scene = Scene::on_local();
    scene.configure("[safety]\nmax_percent = 5");
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--limit", "4"]);
    assert_eq!(outcome.code, 12, "{outcome:#?}");
}

/// `--limit 0` is a usage error: it would remove nothing, and never come to an end.
#[test]
fn a_limit_of_nothing_is_a_usage_error() {
    let scene = Scene::on_local();
    assert_eq!(scene.run(&["--limit", "0"]).code, 2);
}
