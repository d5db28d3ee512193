//! What has to be true of the store and of the ledger after a kill, and after the run that follows it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::scene::{Scene, TRASH};
use crate::support::tool::Outcome;

/// One removal, as `history RUN --format json` tells of it.
#[derive(Debug)]
struct Removal {
    key: String,
    outcome: String,
    trash_key: Option<String>,
    in_trash: bool,
    size: Option<u64>,
}

impl Scene {
    /// After a kill: whatever the run was about to do, each file is at its place or in the trash; without a trash, what
    /// is wanted is at its place.
    pub fn assert_nothing_is_lost(&self) {
        let files = self.files();
        for key in self.wanted().iter().chain(&self.orphans) {
            let is_there = files.get(key) == Some(key);
            let may_be_in_trash = self.orphans.contains(key);
            let is_in_trash = may_be_in_trash && !copies_in_trash(&files, key).is_empty();
            let may_be_gone = !self.has_trash() && !self.wanted().contains(key);
            assert!(is_there || is_in_trash || may_be_gone, "{key} is lost; there are {:#?}", files.keys());
        }
    }

    /// Runs the tool once more, without a kill, and expects it to end well, and to say what it found open.
    pub fn run_once_more(&self) -> Outcome {
        let open = self.removals().iter().filter(|removal| removal.outcome == "open").count();
        let outcome = self.run(&["--execute"]);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        if open > 0 {
            assert!(outcome.stdout.contains(&format!("Resolved {open} removal")), "{open} were open: {outcome:#?}");
        }
        outcome
    }

    /// The same, and expects everything to be in order afterwards.
    pub fn assert_next_run_converges(&self) {
        let outcome = self.run_once_more();
        self.assert_wanted_files_are_there();
        let files = self.files();
        for key in self.unwanted() {
            assert!(!files.contains_key(&key), "{key} is still there after {outcome:#?}");
            let copies = copies_in_trash(&files, &key);
            // A run that was killed may have left a copy beside the file that the next one moved there.
            assert_eq!(copies.is_empty(), !self.has_trash(), "copies of {key}: {copies:#?} after {outcome:#?}");
        }
        self.assert_ledger_agrees();
    }

    pub fn assert_wanted_files_are_there(&self) {
        let files = self.files();
        for key in self.wanted() {
            assert_eq!(files.get(key), Some(key), "a wanted file; there are {:#?}", files.keys());
        }
    }

    /// Whether the trash holds what was at `key` at first.
    pub fn is_in_trash(&self, key: &str) -> bool {
        !copies_in_trash(&self.files(), key).is_empty()
    }

    /// The trash holds what the ledger says was moved there, and nothing else; and no intent is open.
    pub fn assert_trash_agrees(&self) {
        let files = self.files();
        let removals = self.removals();
        assert!(!removals.is_empty(), "the ledger knows of no removal");
        let open: Vec<_> = removals.iter().filter(|removal| removal.outcome == "open").collect();
        assert!(open.is_empty(), "left open: {open:#?}");
        let in_trash = removals.iter().filter_map(|removal| Some((removal.trash_key.as_ref()?, removal)));
        // The last word on each copy.
        let in_trash: BTreeMap<&String, &Removal> = in_trash.collect();
        for (trash_key, removal) in &in_trash {
            let found = files.get(*trash_key);
            assert_eq!(found.is_some(), removal.in_trash, "{trash_key} in the store, and {removal:#?}");
            let size = found.map(|content| content.len() as u64);
            assert!(size.is_none() || size == removal.size, "{size:?} bytes in the store, and {removal:#?}");
        }
        for key in files.keys().filter(|key| key.starts_with(TRASH)) {
            assert!(in_trash.contains_key(key), "the ledger does not know {key}: {removals:#?}");
        }
    }

    /// The same, and each file is where the ledger's last word on it says.
    pub fn assert_ledger_agrees(&self) {
        self.assert_trash_agrees();
        let files = self.files();
        let removals = self.removals();
        let last: BTreeMap<&String, &Removal> = removals.iter().map(|removal| (&removal.key, removal)).collect();
        for (key, removal) in last {
            match removal.outcome.as_str() {
                "trashed" | "deleted" | "purged" => assert!(!files.contains_key(key), "{key} is there: {removal:#?}"),
                "put-back" | "restored" => assert!(files.contains_key(key), "{key} is not there: {removal:#?}"),
                // Why nothing was done can be that the file was gone by itself.
                "skipped" => {}
                other => panic!("{other}, after a run that ended well: {removal:#?}"),
            }
        }
        self.assert_history_agrees();
    }

    /// Every run says how it ended, and how many of its removals stand; one that was killed could not count them itself.
    fn assert_history_agrees(&self) {
        let history = self.history(&["history", "--format", "json"]);
        for run in history["runs"].as_array().expect("runs") {
            assert!(run["outcome"].is_string(), "{run:#}");
            let one = self.history(&["history", &run["id"].to_string(), "--format", "json"]);
            let removals = one["runs"][0]["removals"].as_array().expect("removals");
            let stand = ["trashed", "deleted", "purged", "restored"];
            let standing = removals.iter().filter(|removal| stand.contains(&removal["outcome"].as_str().unwrap_or("")));
            assert_eq!(run["removed"], standing.count(), "{run:#} of {removals:#?}");
        }
    }

    /// The numbers of the runs that were to remove something, newest first.
    pub fn runs(&self) -> Vec<i64> {
        let history = self.history(&["history", "--format", "json"]);
        let runs = history["runs"].as_array().expect("runs").iter();
        runs.map(|run| run["id"].as_i64().expect("a number")).collect()
    }

    /// Every removal that the ledger knows, oldest run first.
    fn removals(&self) -> Vec<Removal> {
        let mut removals = Vec::new();
        for run in self.runs().into_iter().rev() {
            let history = self.history(&["history", &run.to_string(), "--format", "json"]);
            for removal in history["runs"][0]["removals"].as_array().expect("removals") {
                let text = |name: &str| removal[name].as_str().map(str::to_owned);
                removals.push(Removal {
                    key: text("key").expect("a key"),
                    outcome: text("outcome").expect("an outcome"),
                    trash_key: text("trash_key"),
                    in_trash: removal["in_trash"] == true,
                    size: removal["size"].as_u64(),
                });
            }
        }
        removals
    }

    fn history(&self, arguments: &[&str]) -> Value {
        let outcome = self.tool.run(arguments);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        outcome.json()
    }
}

/// What the trash holds of the file that was at `key`: its whole content, under a name that ends in its key.
fn copies_in_trash(files: &BTreeMap<String, String>, key: &str) -> Vec<String> {
    let is_copy = |(name, content): &(&String, &String)| {
        name.strip_prefix(TRASH).is_some_and(|rest| rest.ends_with(&format!("/{key}"))) && *content == key
    };
    files.iter().filter(is_copy).map(|(name, _)| name.clone()).collect()
}
