//! `--only FILE` narrows a fresh comparison to what somebody reviewed, and never adds to it.

use std::fs;

use super::scene::Scene;
use crate::support::terminal;
use crate::support::tool::keys_of;

/// `cleanup-assets -o report.csv`, a line struck, `cleanup-assets --execute --only report.csv`: that file stays.
#[test]
fn a_line_struck_from_the_csv_stays() {
    for scene in Scene::on_both() {
        assert_eq!(scene.run(&["-o", "report.csv"]).code, 0);
        let csv = fs::read_to_string(scene.tool.path("report.csv")).expect("the report");
        let struck = &scene.orphans[1];
        let kept: Vec<&str> = csv.lines().filter(|line| !line.contains(struck.as_str())).collect();
        fs::write(scene.tool.path("report.csv"), kept.join("\r\n")).expect("the report");
        expect_only(&scene, "report.csv", struck);
    }
}

/// The same with a finding taken out of the JSON report.
#[test]
fn a_finding_struck_from_the_json_stays() {
    let scene = Scene::on_s3();
    assert_eq!(scene.run(&["-o", "report.json"]).code, 0);
    let json = fs::read_to_string(scene.tool.path("report.json")).expect("the report");
    let mut json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    json["findings"].as_array_mut().expect("findings").remove(1);
    fs::write(scene.tool.path("report.json"), json.to_string()).expect("the report");
    expect_only(&scene, "report.json", &scene.orphans[1]);
}

/// The same with a plain list of keys.
#[test]
fn a_plain_list_names_what_goes() {
    let scene = Scene::on_s3();
    fs::write(scene.tool.path("keys.txt"), format!("{}\n{}\n", scene.orphans[0], scene.orphans[2])).expect("a list");
    expect_only(&scene, "keys.txt", &scene.orphans[1]);
}

/// Removes all orphans but `struck`.
fn expect_only(scene: &Scene, file: &str, struck: &String) {
    let outcome = scene.execute(&["--only", file, "--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert!(outcome.stderr.contains("2 files"), "the prompt counts what goes: {outcome:#?}");
    let report = outcome.json();
    assert!(!keys_of(&report, "orphaned-file").contains(struck), "{report:#}");
    assert_eq!(report["removals"]["files_trashed"], 2, "{report:#}");
    let all = scene.everything();
    assert!(all.contains_key(struck), "{struck} was struck: {:?}", all.keys());
    assert!(scene.orphans.iter().filter(|key| *key != struck).all(|key| !all.contains_key(key)));
    scene.expect_wanted_untouched(40);
    // A narrowed run resolves nothing outside its scope: the other finding keeps its first sighting.
    assert_eq!(keys_of(&scene.run(&["--format", "json"]).json(), "orphaned-file"), std::slice::from_ref(struck));
}

/// What the file names and no comparison finds is not touched: a wanted file, a young one, the trash, another key.
#[test]
fn only_never_adds() {
    for scene in Scene::on_both() {
        scene.put_bytes("assets/young.png", "x", std::time::SystemTime::now());
        let names = ["assets/000001.png", "assets/young.png", "no/such/key.png", "../../etc/passwd", "/etc/passwd"];
        fs::write(scene.tool.path("keys.txt"), names.join("\n")).expect("a list");
        let before = scene.everything();
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--only", "keys.txt"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(scene.everything(), before);
        // A list of nothing is a narrow one, and not none.
        fs::write(scene.tool.path("keys.txt"), "").expect("a list");
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--only", "keys.txt"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(scene.everything(), before);
    }
}

/// Keys that a spreadsheet would run, or that CSV must quote, are read back as they were written.
#[test]
fn odd_keys_survive_the_way_through_csv() {
    let mut scene = Scene::on_s3();
    let odd =
        ["=1+1.png", "'quoted.png", "''twice.png", "-2.png", "@x,y.png", "a\"b.png", "two\nlines.png", " pad .png"];
    odd.iter().for_each(|key| scene.put(key));
    scene.configure("[safety]\nmax_percent = 100");
    assert_eq!(scene.run(&["-o", "report.csv"]).code, 0);
    let outcome = scene.execute(&["--only", "report.csv", "--format", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert_eq!(outcome.json()["removals"]["files_trashed"], 3 + odd.len());
    scene.orphans.extend(odd.map(str::to_owned));
    scene.expect_removed();
}

/// A file that is not there, or is no report, is a usage error, and nothing is removed.
#[test]
fn a_wrong_only_is_a_usage_error() {
    let scene = Scene::on_s3();
    fs::write(scene.tool.path("other.json"), "{\"schema\": 1}").expect("a file");
    for file in ["missing.csv", "other.json", "."] {
        let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--only", file]);
        assert_eq!(outcome.code, 2, "{file}: {outcome:#?}");
        assert!(outcome.stderr.contains(file), "{outcome:#?}");
    }
    assert_eq!(scene.server().writing_calls().len(), 0);
}

/// `--prefix` and `--kind` narrow what is removed as they narrow what is reported.
#[test]
fn a_prefix_and_a_kind_narrow_what_is_removed() {
    let scene = Scene::on_s3();
    let report = scene.execute(&["--prefix", &scene.orphans[1], "--format", "json"]);
    // One file of one: more than max_percent of what was compared, or a wrong pair; either way the others stay.
    assert!([0, 12].contains(&report.code), "{report:#?}");
    let all = scene.everything();
    assert!(all.contains_key(&scene.orphans[0]) && all.contains_key(&scene.orphans[2]));
    let outcome = terminal::run_without_prompt(&scene.tool, &["--execute", "--kind", "orphaned-record"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert!(scene.everything().contains_key(&scene.orphans[0]));
}

/// A report that a spreadsheet has written again: semicolons, quotes, other columns first, a header of its own, a BOM.
#[test]
fn a_report_comes_back_from_a_spreadsheet() {
    for scene in Scene::on_both() {
        assert_eq!(scene.run(&["-o", "report.csv"]).code, 0);
        let kept = [&scene.orphans[0], &scene.orphans[2]];
        let lines = kept.map(|key| format!(";\"{key}\";;orphaned-file\r\n"));
        let text = format!("\u{feff}Held;\"KEY\";Table;Kind\r\n{};;;\r\n", lines.concat());
        fs::write(scene.tool.path("report.csv"), text).expect("the report");
        expect_only(&scene, "report.csv", &scene.orphans[1]);
    }
}

/// A list of which no line names anything is of something else: exit 2 says so, and no sighting is resolved.
#[test]
fn a_list_that_names_nothing_is_a_usage_error() {
    for scene in Scene::on_both() {
        let first_seen = |scene: &Scene| scene.run(&["--format", "json"]).json()["findings"][0]["first_seen"].clone();
        let seen = first_seen(&scene);
        for text in ["no/such.png\nnor/this.png\n", "kind,key\norphaned-file,no/such.png\n"] {
            fs::write(scene.tool.path("keys.txt"), text).expect("a list");
            for arguments in [&["--only", "keys.txt"][..], &["--execute", "--only", "keys.txt"]] {
                let outcome = terminal::run_without_prompt(&scene.tool, arguments);
                assert_eq!(outcome.code, 2, "{outcome:#?}");
                assert!(outcome.stderr.contains("no line of the file names anything"), "{outcome:#?}");
            }
        }
        assert_eq!(first_seen(&scene), seen);
        // What the storage, the database or the ledger knows is something, though it is not a finding.
        scene.insert(&["assets/in-the-database-alone.png".to_owned()]);
        scene.execute(&[]);
        for key in ["assets/000001.png", "assets/in-the-database-alone.png", &scene.orphans[0]] {
            fs::write(scene.tool.path("keys.txt"), format!("no/such.png\n{key}\n")).expect("a list");
            let outcome = terminal::run_without_prompt(
                &scene.tool,
                &["--execute", "--only", "keys.txt", "--kind", "orphaned-file"],
            );
            assert_eq!(outcome.code, 0, "{key}: {outcome:#?}");
        }
    }
}
