//! Parts of the configuration that speak of nothing, and so may be misspelt.

use super::scene::{Scene, warnings};

/// A glob or a rule that matches nothing is told of, and one that matches something is not.
#[test]
fn globs_and_rules_that_match_nothing_are_told_of() {
    let scene = Scene::new("", "");
    ["backups/1.tar", "a/1_small.png"].iter().for_each(|key| scene.put(key));
    let derived = |pattern: &str| format!("[[derived]]\npattern = '{pattern}'\nowner = '$1.png'\n");
    let configure = |globs: &str, patterns: &[&str]| {
        let rules: String = patterns.iter().map(|pattern| derived(pattern)).collect();
        scene.configure_storage(&format!("ignore = [{globs}]\n"), &rules);
    };
    configure("\"backups/**\"", &["^(.+)_small\\.png$"]);
    assert_eq!(warnings(&scene.tool.report()), [] as [String; 0]);
    configure(
        "\"backups/**\", \"backup/**\", \"backups/*.tar\"",
        &["^(.+)_smal\\.png$", "^(.+)_small\\.png$", "^b/(.+)$"],
    );
    let said = warnings(&scene.tool.report());
    assert_eq!(said.len(), 3, "{said:?}");
    for (told, word) in said.iter().zip(["\"backup/**\"", "_smal\\\\.png", "^b/(.+)$"]) {
        assert!(told.contains(word), "{told}");
    }
    // A row alone is enough for a glob; a run that is narrowed does not know.
    scene.own(&["backup/of-another-store"]);
    configure("\"backup/**\", \"backups/**\"", &[]);
    assert_eq!(warnings(&scene.tool.report()), [] as [String; 0]);
    configure("\"nothing/**\"", &[]);
    let narrowed = scene.tool.run(&["--format", "json", "--prefix", "a/"]).json();
    assert_eq!(warnings(&narrowed), [] as [String; 0]);
}
