//! Files of the tool itself that lie beneath the root: they are never candidates, whatever spelling, link or mount leads to
//! them (I16).

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::status::Status;
use crate::domain::FileNumber;

/// What begins so is a file that a run is just making, or one that it is just removing.
pub const IN_HAND: &str = ".cleanup-assets-";

/// Files of our own, by their keys and by their numbers.
#[derive(Debug, Default)]
pub struct OwnFiles {
    /// Also of those that are not there yet.
    keys: HashSet<Vec<u8>>,
    /// A hard link has another key.
    numbers: HashSet<FileNumber>,
}

impl OwnFiles {
    /// Those of `paths` that lie beneath `root`, which is canonical.
    pub fn beneath(root: &Path, paths: &[PathBuf]) -> Self {
        let mut own = OwnFiles::default();
        for path in paths.iter().flat_map(|path| canonical(path)) {
            if let Ok(key) = path.strip_prefix(root) {
                own.keys.insert(key.as_os_str().as_encoded_bytes().to_vec());
            }
            if let Ok(metadata) = fs::metadata(&path) {
                own.numbers.insert((metadata.dev(), metadata.ino()));
            }
        }
        own
    }

    /// Whether what was seen at a key is one of them.
    pub fn holds(&self, key: &[u8], seen: &Status) -> bool {
        let name = key.rsplit(|byte| *byte == b'/').next().unwrap_or(key);
        name.starts_with(IN_HAND.as_bytes()) || self.keys.contains(key) || self.numbers.contains(&seen.number)
    }
}

/// Where a path leads, and where it lies itself where it is a link; it need not be there yet.
fn canonical(path: &Path) -> Vec<PathBuf> {
    let target = path.canonicalize().ok();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let place = folder.canonicalize().ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
    target.into_iter().chain(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_ours_is_known_by_every_path_that_leads_to_it() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().canonicalize().expect("a path").join("root");
        fs::create_dir_all(root.join("data")).expect("folders");
        fs::write(root.join("data/app.db"), "").expect("a file");
        fs::hard_link(root.join("data/app.db"), root.join("other.db")).expect("a link");
        std::os::unix::fs::symlink(root.join("data"), home.path().join("link")).expect("a link");
        let spelt = home.path().join("root/../link/app.db");
        let own = OwnFiles::beneath(&root, &[spelt, home.path().join("link/app.db-wal")]);
        let seen = |key: &str| Status::of(fs::File::open(root.join(key)).expect("a file")).expect("a look");
        let another = root.join("another");
        fs::write(&another, "").expect("a file");
        for (key, at, expected) in [
            ("data/app.db", "data/app.db", true),
            ("other.db", "other.db", true),
            ("data/app.db-wal", "another", true),
            ("data/.cleanup-assets-x", "another", true),
            ("another", "another", false),
            ("app.db", "another", false),
        ] {
            assert_eq!(own.holds(key.as_bytes(), &seen(at)), expected, "{key}");
        }
    }
}
