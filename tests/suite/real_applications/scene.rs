//! An application with its database and its files, and the tool configured as the README says.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use crate::support::s3::{ACCESS_KEY, SECRET_KEY, Server, days};
use crate::support::servers::Database;
use crate::support::terminal;
use crate::support::tool::Tool;

const README: &str = include_str!("../../../README.md");
/// The bucket's name, or the folder's, which is typed to confirm.
const NAME: &str = "uploads";

/// An application, its files, and the tool.
pub struct Scene {
    tool: Tool,
    files: Files,
}

enum Files {
    Bucket(Server),
    Folder(tempfile::TempDir),
}

/// The README's blocks of TOML below a heading, in their order.
pub fn blocks(heading: &str) -> Vec<&'static str> {
    let (_, below) = README.split_once(&format!("\n### {heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let page = below.split("\n##").next().unwrap_or(below);
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```\n").next()).collect();
    assert!(!blocks.is_empty(), "{heading} has no configuration");
    blocks
}

impl Scene {
    /// An application that keeps its files in a bucket, configured as these blocks of the README say.
    pub fn in_a_bucket(database: &dyn Database, blocks: &[&str]) -> Scene {
        let server = Server::start(NAME);
        Scene::configured(database, blocks, &server.storage_section(""), Files::Bucket(server))
    }

    /// The same in a folder.
    pub fn in_a_folder(database: &dyn Database, blocks: &[&str]) -> Scene {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join(NAME);
        fs::create_dir(&root).expect("the root");
        let storage = format!("[storage]\nkind = \"local\"\nage_by = \"modified\"\nroot = {root:?}\n");
        Scene::configured(database, blocks, &storage, Files::Folder(folder))
    }

    fn configured(database: &dyn Database, blocks: &[&str], storage: &str, files: Files) -> Scene {
        let mut config: toml::Table = blocks.concat().parse().expect("the README's TOML");
        let more: toml::Table = storage.parse().expect("a section");
        let mut storage = more["storage"].as_table().expect("a section").clone();
        if let Some(of_readme) = config.remove("storage") {
            storage.extend(of_readme.as_table().expect("a section").clone());
        }
        config.insert("storage".to_owned(), storage.into());
        config
            .insert("database".to_owned(), toml::Table::from_iter([("url".to_owned(), database.url().into())]).into());
        let config = toml::to_string(&config).expect("TOML");
        let tool = Tool::new(&config).env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        Scene { tool, files }
    }

    /// Stores old files under these keys.
    pub fn put(&self, keys: &[&str]) {
        let old = SystemTime::now() - days(90);
        for key in keys {
            match &self.files {
                Files::Bucket(server) => server.bucket.put(key, key, old),
                Files::Folder(folder) => {
                    let path = folder.path().join(NAME).join(key);
                    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                    fs::write(&path, key).expect("a file");
                    File::options().write(true).open(&path).expect("the file").set_modified(old).expect("its age");
                }
            }
        }
    }

    /// Every key outside the trash.
    fn keys(&self) -> BTreeSet<String> {
        let keys = match &self.files {
            Files::Bucket(server) => server.bucket.keys(),
            Files::Folder(folder) => below(&folder.path().join(NAME)),
        };
        keys.into_iter().filter(|key| !key.starts_with(".trash/")).collect()
    }

    /// Expects that the orphans and the lost rows (table, id, key) are found and nothing else, that `--execute` removes
    /// the orphans and nothing else, and that the lost rows are still found after it.
    pub fn finds_and_removes_exactly(&self, orphans: &[&str], lost: &[(&str, &str, &str)]) {
        self.condemns_and_removes_exactly(orphans, lost, "no rule", &[]);
    }

    /// The same where a rule condemns rows: they are found as its own, and removed with the files that they have.
    pub fn condemns_and_removes_exactly(
        &self,
        orphans: &[&str],
        lost: &[(&str, &str, &str)],
        rule: &str,
        condemned: &[(&str, &str, &str)],
    ) {
        let files = orphans.iter().map(|key| ("orphaned-file".to_owned(), key.to_string(), None));
        let lost = rows("orphaned-record", lost);
        let condemned_rows = rows(rule, condemned);
        let all: BTreeSet<Finding> = files.chain(lost.iter().chain(&condemned_rows).cloned()).collect();
        let report = self.tool.report();
        assert_eq!(findings(&report), all, "{report:#}");

        let before = self.keys();
        let keys = orphans.iter().copied().chain(condemned.iter().map(|(_, _, key)| *key)).map(str::to_owned);
        let removed: BTreeSet<String> = keys.filter(|key| before.contains(key)).collect();
        let arguments = ["--execute", "--format", "json", "--max-percent", "100"];
        let outcome = terminal::run(&self.tool, &arguments, NAME);
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        assert_eq!(outcome.json()["removals"]["files_trashed"], removed.len(), "{outcome:#?}");
        assert_eq!(outcome.json()["removals"]["records_deleted"], condemned.len(), "{outcome:#?}");
        assert_eq!(self.keys(), before.difference(&removed).cloned().collect());

        let report = self.tool.report();
        assert_eq!(findings(&report), lost, "{report:#}");
    }
}

/// The findings of a kind that these rows are: their tables, ids and keys.
fn rows(kind: &str, rows: &[(&str, &str, &str)]) -> BTreeSet<Finding> {
    let findings = rows
        .iter()
        .map(|(table, id, key)| (kind.to_owned(), key.to_string(), Some((table.to_string(), id.to_string()))));
    findings.collect()
}

/// A kind, a key, and of a row its table and id.
type Finding = (String, String, Option<(String, String)>);

fn findings(report: &Value) -> BTreeSet<Finding> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let findings = findings.map(|finding| {
        assert_eq!(finding["held"], Value::Null, "{finding:#}");
        let text = |name: &str| finding[name].as_str().map(str::to_owned);
        // An id of several columns is a list.
        let id = text("id").or_else(|| finding["id"].is_array().then(|| finding["id"].to_string()));
        (text("kind").expect("a kind"), text("key").expect("a key"), text("table").zip(id))
    });
    let found: Vec<Finding> = findings.collect();
    let distinct: BTreeSet<Finding> = found.iter().cloned().collect();
    assert_eq!(distinct.len(), found.len(), "something is found twice: {found:#?}");
    distinct
}

/// Every file below a folder, by its path there.
fn below(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            match path.is_dir() {
                true => open.push(path),
                false => files.push(path.strip_prefix(root).expect("a path below").display().to_string()),
            }
        }
    }
    files
}
