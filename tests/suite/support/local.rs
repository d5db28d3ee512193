//! A folder of files, with the ages that a test wants them to have.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::stores::{Store, Stored};

pub struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    pub fn new() -> Folder {
        Folder { root: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }
}

impl Store for Folder {
    fn configuration(&self) -> String {
        format!("[storage]\nkind = \"local\"\nage_by = \"modified\"\nroot = {:?}\n", self.root())
    }

    fn has_ages(&self) -> bool {
        true
    }

    fn put(&self, objects: &[(String, Stored)]) {
        for (key, stored) in objects {
            let path = self.root().join(key);
            fs::create_dir_all(path.parent().expect("a parent")).unwrap_or_else(|e| panic!("{key:?}: {e}"));
            fs::write(&path, "content").unwrap_or_else(|e| panic!("{key:?}: {e}"));
            let file = fs::File::options().write(true).open(&path).expect("the file just written");
            file.set_modified(stored.time()).expect("a time of modification");
        }
    }
}

/// Everything below `folder`: each path with its time of modification and, of a file, its content.
pub fn everything_below(folder: &Path) -> BTreeMap<String, (SystemTime, Option<Vec<u8>>)> {
    let mut seen = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let about = fs::symlink_metadata(&path).expect("metadata");
        let content = about.is_file().then(|| fs::read(&path).expect("a file"));
        if about.is_dir() {
            open.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
        seen.insert(path.display().to_string(), (about.modified().expect("a time"), content));
    }
    seen
}
