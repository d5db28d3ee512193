//! The links and mounts that a walk met, and where they lead: names of files that no listing has.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::storage::{MOST_OTHER_NAMES, OtherName};

/// Shared by all walks of a folder.
#[derive(Debug, Default)]
pub struct Links(Mutex<BTreeSet<String>>);

impl Links {
    /// One more, by its key; a folder's may end in `/`.
    pub fn add(&self, key: &[u8]) {
        let key = String::from_utf8_lossy(key.strip_suffix(b"/").unwrap_or(key)).into_owned();
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() < MOST_OTHER_NAMES {
            keys.insert(key);
        }
    }

    pub fn were_seen(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Each of them, and where it leads as seen from the root.
    pub fn lead_from(&self, root: &Path) -> Vec<OtherName> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let target = |key: &str| {
            let target = root.join(key).canonicalize().ok()?;
            let below = target.strip_prefix(root).ok()?.to_str()?;
            // A mount leads to itself.
            (below != key).then(|| below.to_owned())
        };
        keys.into_iter().map(|key| OtherName { target: target(&key), key }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_leads_to_a_key_or_elsewhere() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().canonicalize().expect("a root");
        std::fs::create_dir_all(root.join("a/b")).expect("a folder");
        let links = Links::default();
        for (key, target) in [("c", "a/b"), ("d", "c"), ("e", ".."), ("f", "gone"), ("a/g", "..")] {
            symlink(target, root.join(key)).expect("a link");
            links.add(key.as_bytes());
        }
        links.add(b"a/b/");
        let found = links.lead_from(&root);
        let found: Vec<_> = found.iter().map(|name| (name.key.as_str(), name.target.as_deref())).collect();
        let expected =
            [("a/b", None), ("a/g", Some("")), ("c", Some("a/b")), ("d", Some("a/b")), ("e", None), ("f", None)];
        assert_eq!(found, expected);
    }
}
