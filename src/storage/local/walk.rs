//! Walks a folder in byte order of full keys, which a directory walk does not give by itself: `a-b` sorts before `a/b`,
//! and so a folder's name is sorted with its `/`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use globset::GlobSet;

use super::{Folder, object_of};
use crate::domain::Object;
use crate::domain::listed::Objects;

/// A walk under way. Memory: the names of the folders from the root to where it is.
pub struct Walk {
    root: PathBuf,
    device: u64,
    prefix: Vec<u8>,
    after: Vec<u8>,
    ignore: GlobSet,
    new_for: Duration,
    stack: Vec<Level>,
    started: bool,
    unreadable_names: Arc<Mutex<BTreeSet<String>>>,
    has_links: Arc<AtomicBool>,
}

/// One open folder.
struct Level {
    /// Its key, with the `/`; empty for the root.
    key: Vec<u8>,
    names: Names,
    next: usize,
}

/// A folder's sorted names in one buffer; those of folders end in `/`.
#[derive(Default)]
struct Names {
    bytes: Vec<u8>,
    spans: Vec<(u32, u32)>,
}

impl Names {
    /// Fails where the names of one folder fill 4 GiB.
    fn push(&mut self, name: &[u8], is_folder: bool) -> io::Result<()> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name);
        if is_folder {
            self.bytes.push(b'/');
        }
        let span = (u32::try_from(start), u32::try_from(self.bytes.len()));
        let (Ok(start), Ok(end)) = span else { return Err(io::ErrorKind::FileTooLarge.into()) };
        self.spans.push((start, end));
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        let name = |span: &(u32, u32)| &bytes[span.0 as usize..span.1 as usize];
        self.spans.sort_unstable_by(|a, b| name(a).cmp(name(b)));
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        self.spans.get(at).map(|&(start, end)| &self.bytes[start as usize..end as usize])
    }
}

impl Walk {
    pub fn new(folder: &Folder, after: Option<&str>) -> Self {
        Walk {
            root: folder.root.clone(),
            device: folder.device,
            prefix: folder.prefix.clone().into(),
            ignore: folder.ignore.clone(),
            new_for: folder.new_for,
            after: after.unwrap_or_default().into(),
            stack: Vec::new(),
            started: false,
            unreadable_names: folder.unreadable_names.clone(),
            has_links: folder.has_links.clone(),
        }
    }

    /// The next objects, at most `limit` and in byte order of their keys; empty at the end.
    pub fn next_objects(&mut self, limit: usize) -> Result<Objects> {
        if !self.started {
            self.started = true;
            self.enter(Vec::new())?;
        }
        let mut objects = Objects::default();
        while objects.len() < limit {
            let Some(level) = self.stack.last_mut() else { break };
            let Some(name) = level.names.get(level.next) else {
                self.stack.pop();
                continue;
            };
            let key = [level.key.as_slice(), name].concat();
            level.next += 1;
            if !self.may_hold(&key) {
                continue;
            }
            match key.ends_with(b"/") {
                true => self.enter(key)?,
                false => {
                    if let Some(object) = self.file(key)? {
                        objects.push(object.as_listed());
                    }
                }
            }
        }
        Ok(objects)
    }

    /// Whether the file, or any file below the folder, can be within the prefix and after the start.
    fn may_hold(&self, key: &[u8]) -> bool {
        let is_folder = key.ends_with(b"/");
        let in_prefix = key.starts_with(&self.prefix) || is_folder && self.prefix.starts_with(key);
        let in_range = key > self.after.as_slice() || is_folder && self.after.starts_with(key);
        in_prefix && in_range
    }

    fn path(&self, key: &[u8]) -> PathBuf {
        self.root.join(std::ffi::OsStr::from_bytes(key))
    }

    fn enter(&mut self, key: Vec<u8>) -> Result<()> {
        let path = self.path(&key);
        match names_of(&path, self.device, &self.has_links) {
            Ok(Some(names)) => self.stack.push(Level { key, names, next: 0 }),
            Ok(None) => {
                self.has_links.store(true, Relaxed);
                tracing::warn!("{} lies on another file system and is not read", path.display());
            }
            // Gone since its name was read: then nothing is below it. The root itself must be there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !key.is_empty() => {}
            // Nothing below it would have been looked at.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && self.is_ignored(&key) => {}
            Err(error) => return Err(error).with_context(|| format!("reading the folder {}", path.display())),
        }
        Ok(())
    }

    /// Whether every key below the folder is ignored, as `folder/**` says: two that nobody would name stand for all.
    fn is_ignored(&self, folder: &[u8]) -> bool {
        let Ok(folder) = std::str::from_utf8(folder) else { return false };
        ["\u{fffd}", "\u{fffd}/\u{fffd}"].iter().all(|probe| self.ignore.is_match(format!("{folder}{probe}")))
    }

    fn file(&self, key: Vec<u8>) -> Result<Option<Object>> {
        let path = self.path(&key);
        let key = match String::from_utf8(key) {
            Ok(key) => key,
            Err(error) => {
                let name = error.into_bytes().into_iter().map(char::from).collect();
                self.unreadable_names.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
                return Ok(None);
            }
        };
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(object_of(key, &metadata, self.new_for))),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("looking at {}", path.display())),
        }
    }
}

/// The folder's files and folders, sorted; `None` where another file system is mounted on it. Links and special files
/// are left out.
fn names_of(path: &Path, device: u64, has_links: &AtomicBool) -> io::Result<Option<Names>> {
    let metadata = fs::symlink_metadata(path)?;
    // A folder that became a link since its name was read is as little followed as any other.
    if !metadata.is_dir() || metadata.dev() != device {
        return Ok(None);
    }
    let mut names = Names::default();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if kind.is_dir() || kind.is_file() {
            names.push(&entry.file_name().into_vec(), kind.is_dir())?;
        } else if kind.is_symlink() {
            has_links.store(true, Relaxed);
        }
    }
    names.sort();
    Ok(Some(names))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn keys(root: &Path, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
        let folder = Folder::open(root, prefix, &GlobSet::empty()).expect("a folder");
        let mut walk = Walk::new(&folder, after);
        let mut keys = Vec::new();
        loop {
            let page = walk.next_objects(limit).expect("a page");
            if page.is_empty() {
                return keys;
            }
            keys.extend(page.iter().map(|object| object.key.to_owned()));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_walk_gives_the_byte_order_of_full_keys(
            wanted in prop::collection::btree_set("[a\\-b0]{1,2}(/[a\\-b0]{1,2}){0,2}", 0..25),
            prefix in "(a/|b/a/)?",
            after in prop::option::of("[a\\-b/]{0,3}"),
            limit in 1_usize..5,
        ) {
            let home = tempfile::tempdir().expect("a folder");
            let mut made = BTreeSet::new();
            for key in wanted {
                let path = home.path().join(&key);
                // A name can be a file or a folder, not both.
                if fs::create_dir_all(path.parent().expect("a parent")).is_ok() && fs::write(path, "").is_ok() {
                    made.insert(key);
                }
            }
            let expected: Vec<String> = made
                .into_iter()
                .filter(|key| key.starts_with(&prefix) && after.as_ref().is_none_or(|after| key > after))
                .collect();
            prop_assert_eq!(keys(home.path(), &prefix, after.as_deref(), limit), expected);
        }
    }

    #[test]
    fn links_are_not_followed_and_names_that_are_not_utf8_are_counted() {
        let home = tempfile::tempdir().expect("a folder");
        fs::create_dir(home.path().join("a")).expect("a folder");
        fs::write(home.path().join("a/b"), "").expect("a file");
        std::os::unix::fs::symlink(home.path().join("a"), home.path().join("c")).expect("a link");
        std::os::unix::fs::symlink(home.path().join("a/b"), home.path().join("d")).expect("a link");
        fs::write(home.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "").expect("a file");
        let folder = Folder::open(home.path(), "", &GlobSet::empty()).expect("a folder");
        let mut walk = Walk::new(&folder, None);
        let page = walk.next_objects(10).expect("a page");
        assert_eq!(page.iter().map(|object| object.key).collect::<Vec<_>>(), ["a/b"]);
        assert_eq!(folder.unreadable_names.lock().expect("the names").len(), 1);
    }
}
