//! Walks a folder in byte order of full keys, which a directory walk does not give by itself: `a-b` sorts before `a/b`,
//! and so a folder's name is sorted with its `/`.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use globset::GlobSet;
use rustix::fs::{Dir, FileType};

use super::beneath::{self, Beneath, Way};
use super::links::Links;
use super::own::OwnFiles;
use super::status::Status;
use super::{Folder, proves_absence};
use crate::domain::Object;
use crate::domain::key::Printable;
use crate::domain::listed::Objects;

/// A walk under way. Memory: the names of the folders from the root to where it is.
pub struct Walk {
    root: Arc<Beneath>,
    prefix: Vec<u8>,
    after: Vec<u8>,
    ignore: GlobSet,
    new_for: Duration,
    own: Arc<OwnFiles>,
    stack: Vec<Level>,
    /// The folder that was looked into last, by its key. Not every level's is kept open: paths can be deep.
    here: Option<(Vec<u8>, OwnedFd)>,
    started: bool,
    unreadable_names: Arc<Mutex<BTreeSet<String>>>,
    links: Arc<Links>,
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
            prefix: folder.prefix.clone().into(),
            ignore: folder.ignore.clone(),
            new_for: folder.new_for,
            after: after.unwrap_or_default().into(),
            own: folder.own.clone(),
            stack: Vec::new(),
            here: None,
            started: false,
            unreadable_names: folder.unreadable_names.clone(),
            links: folder.links.clone(),
        }
    }

    /// The same, of what lies below this folder.
    pub fn below(self, folder: &str) -> Self {
        Walk { prefix: folder.into(), ..self }
    }

    /// The next objects, at most `limit` and in byte order of their keys; empty at the end.
    pub fn next_objects(&mut self, limit: usize) -> Result<Objects> {
        if !self.started {
            self.started = true;
            anyhow::ensure!(self.root.is_there()?, "the root folder {} was replaced", self.root.path().display());
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

    fn enter(&mut self, key: Vec<u8>) -> Result<()> {
        let names = match self.root.folder(&key, beneath::READ) {
            Ok(Way::Open(folder)) => {
                let names = names_of(&folder, |name| self.links.add(&[&key, name].concat()));
                self.here = Some((key.clone(), folder));
                names
            }
            // Gone since its name was read: then nothing is below it.
            Ok(Way::Absent) => return Ok(()),
            Ok(Way::Barred(why)) => {
                self.links.add(&key);
                tracing::warn!("{why}: nothing below it is compared");
                return Ok(());
            }
            Err(error) => Err(error),
        };
        match names {
            Ok(names) => self.stack.push(Level { key, names, next: 0 }),
            // Nothing below it would have been looked at.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && self.is_ignored(&key) => {}
            Err(error) => return Err(error).with_context(|| format!("reading the folder {}", self.shown(&key))),
        }
        Ok(())
    }

    /// A path for a message.
    fn shown(&self, key: &[u8]) -> String {
        Printable(&format!("{}/{}", self.root.path().display(), String::from_utf8_lossy(key))).to_string()
    }

    /// Whether every key below the folder is ignored, as `folder/**` says: two that nobody would name stand for all.
    fn is_ignored(&self, folder: &[u8]) -> bool {
        let Ok(folder) = std::str::from_utf8(folder) else { return false };
        ["\u{fffd}", "\u{fffd}/\u{fffd}"].iter().all(|probe| self.ignore.is_match(format!("{folder}{probe}")))
    }

    fn file(&mut self, key: Vec<u8>) -> Result<Option<Object>> {
        let status = match self.status(&key) {
            Ok(Some(status)) => status,
            Ok(None) => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("looking at {}", self.shown(&key))),
        };
        if status.kind != FileType::RegularFile || self.own.holds(&key, &status) {
            return Ok(None);
        }
        if !self.root.is_own(&status, &key) {
            self.links.add(&key);
            tracing::warn!("{} is a mount of its own, and is not compared", self.shown(&key));
            return Ok(None);
        }
        match String::from_utf8(key) {
            Ok(key) => Ok(Some(status.object(key, self.new_for))),
            Err(error) => {
                let name = error.into_bytes().into_iter().map(char::from).collect();
                self.unreadable_names.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
                Ok(None)
            }
        }
    }

    /// Looks at a file in the folder where the walk is.
    fn status(&mut self, key: &[u8]) -> io::Result<Option<Status>> {
        let (folder, name) = key.split_at(key.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1));
        if self.here.as_ref().is_none_or(|(here, _)| here != folder) {
            let Way::Open(handle) = self.root.folder(folder, beneath::LOOK)? else { return Ok(None) };
            self.here = Some((folder.to_vec(), handle));
        }
        let Some((_, here)) = &self.here else { return Ok(None) };
        match Status::at(here, name) {
            Ok(status) => Ok(Some(status)),
            Err(error) if proves_absence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The folder's files and folders, sorted. Links are told of, and special files left out.
fn names_of(folder: &OwnedFd, link: impl Fn(&[u8])) -> io::Result<Names> {
    let mut names = Names::default();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            // A file system that does not say so by the way.
            FileType::Unknown => match Status::at(folder, name) {
                Ok(status) => status.kind,
                Err(error) if proves_absence(&error) => continue,
                Err(error) => return Err(error),
            },
            kind => kind,
        };
        match kind {
            FileType::Directory | FileType::RegularFile => names.push(name, kind == FileType::Directory)?,
            FileType::Symlink => link(name),
            _ => {}
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

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
        fs::write(home.path().join(OsStr::from_bytes(b"\xff")), "").expect("a file");
        let folder = Folder::open(home.path(), "", &GlobSet::empty()).expect("a folder");
        let mut walk = Walk::new(&folder, None);
        let page = walk.next_objects(10).expect("a page");
        assert_eq!(page.iter().map(|object| object.key).collect::<Vec<_>>(), ["a/b"]);
        assert_eq!(folder.unreadable_names.lock().expect("the names").len(), 1);
    }
}
