//! A folder as a store. It stays inside its root (I16): no symbolic link is followed, no `..` resolved, no mount
//! crossed, and only regular files are objects.

mod moving;
mod walk;

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use chrono::Utc;
use futures::FutureExt;
use futures::future::BoxFuture;
use globset::GlobSet;

use crate::domain::{FileNumber, Object, Requests};
use crate::storage::{Copied, Listing, Page, Presence, Removed, Store, Target};
use walk::Walk;

/// The longest path that Linux takes, in bytes (PATH_MAX).
const MAX_KEY_BYTES: usize = 4096;
/// How many objects a page of a folder's listing has at most.
const PAGE: usize = 1000;

/// A folder, and the prefix below which it is listed.
pub struct Folder {
    root: PathBuf,
    /// The file system that the root lies on.
    device: u64,
    prefix: String,
    ignore: GlobSet,
    /// Files that came here less than this ago are new.
    new_for: Duration,
    unreadable_names: Arc<Mutex<BTreeSet<String>>>,
    /// Whether a link, or another file system, was seen.
    has_links: Arc<AtomicBool>,
}

impl Folder {
    /// Opens the folder at `root`; what `ignore` covers whole need not be readable.
    pub fn open(root: &Path, prefix: &str, ignore: &GlobSet) -> Result<Self> {
        let root = root.canonicalize().with_context(|| format!("the root folder {}", root.display()))?;
        let metadata = fs::metadata(&root).with_context(|| format!("the root folder {}", root.display()))?;
        if !metadata.is_dir() {
            bail!("the root {} is no folder", root.display());
        }
        let (device, prefix, ignore) = (metadata.dev(), prefix.to_owned(), ignore.clone());
        let new_for = Duration::ZERO;
        Ok(Folder {
            root,
            device,
            prefix,
            ignore,
            new_for,
            unreadable_names: Arc::default(),
            has_links: Arc::default(),
        })
    }

    /// The same, in which files are new that came here less than this ago.
    pub fn with_new_for(self, new_for: Duration) -> Self {
        Folder { new_for, ..self }
    }

    fn look_at(&self, key: &str) -> Result<Presence> {
        // The file system would read these as other paths; as keys they name nothing that a folder can hold.
        if !is_path_below(key) {
            return Ok(Presence::Missing);
        }
        let mut path = self.root.clone();
        let mut parts = key.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) if proves_absence(&error) => return Ok(Presence::Missing),
                Err(error) => return Err(error).with_context(|| format!("looking at {}", path.display())),
            };
            let shown = || path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
            if metadata.is_symlink() {
                return Ok(Presence::Unknown(format!("{} is a symbolic link, which is not followed", shown())));
            }
            if metadata.dev() != self.device {
                return Ok(Presence::Unknown(format!("{} lies on another file system", shown())));
            }
            let is_last = parts.peek().is_none();
            match (is_last, metadata.is_dir(), metadata.is_file()) {
                (true, _, true) => return Ok(Presence::Present(object_of(key.to_owned(), &metadata, self.new_for))),
                (true, true, _) => return Ok(Presence::Missing),
                (false, true, _) => {}
                (false, _, true) => return Ok(Presence::Missing),
                _ => return Ok(Presence::Unknown(format!("{} is no regular file", shown()))),
            }
        }
        Ok(Presence::Missing)
    }
}

impl Folder {
    /// Whether a regular file is below a folder of the root's own file system.
    /// Whether a file is below a folder. `in_doubt` is what is said where nobody can look: behind a link, on another file
    /// system, in a folder that cannot be read.
    fn holds_a_file(&self, folder: &str, in_doubt: bool) -> Result<bool> {
        let Some(bare) = folder.strip_suffix('/').filter(|bare| is_path_below(bare)) else { return Ok(false) };
        let mut path = self.root.clone();
        for part in bare.split('/') {
            path.push(part);
            // What is behind a link, or on another file system, is not listed.
            let is_own = |metadata: &Metadata| metadata.is_dir() && metadata.dev() == self.device;
            match fs::symlink_metadata(&path) {
                Ok(metadata) if is_own(&metadata) => {}
                Ok(metadata) => return Ok(in_doubt && !metadata.is_file()),
                Err(error) => return Ok(in_doubt && !proves_absence(&error)),
            }
        }
        let mut open = vec![path];
        while let Some(path) = open.pop() {
            let names = match fs::read_dir(&path) {
                Ok(names) => names,
                Err(error) if proves_absence(&error) => continue,
                // What cannot be read shows no file.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied && in_doubt => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
                Err(error) => return Err(error).with_context(|| format!("reading the folder {}", path.display())),
            };
            for name in names {
                let name = name.with_context(|| format!("reading the folder {}", path.display()))?;
                let metadata = match name.metadata() {
                    Ok(metadata) => metadata,
                    Err(error) if proves_absence(&error) => continue,
                    Err(error) => return Err(error).with_context(|| format!("looking at {}", name.path().display())),
                };
                match (metadata.is_file(), metadata.is_dir() && metadata.dev() == self.device) {
                    (true, _) => return Ok(true),
                    (false, true) => open.push(name.path()),
                    (false, false) if in_doubt => return Ok(true),
                    (false, false) => {}
                }
            }
        }
        Ok(false)
    }
}

/// Whether a key is a path below the root as it is written: the file system would read others as other paths, and as keys
/// they name nothing that a folder can hold.
fn is_path_below(key: &str) -> bool {
    !key.contains('\0') && key.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Whether a failed look at a path says that nothing is there.
fn proves_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename)
}

/// A file that came here less than `new_for` ago is new: unpacked, copied or restored files keep the modification times that
/// they had elsewhere. It came here at its birth; where the file system knows none, at its last change.
fn object_of(key: String, metadata: &Metadata, new_for: Duration) -> Object {
    let last_modified = metadata.modified().ok().map(Into::into);
    let changed = || SystemTime::UNIX_EPOCH + Duration::from_secs(metadata.ctime().unsigned_abs());
    let came = metadata.created().unwrap_or_else(|_| changed());
    let is_new = !new_for.is_zero() && came.elapsed().map_or(true, |since| since < new_for);
    Object { key, size: metadata.len(), last_modified, etag: None, archived: false, opaque_etag: false, is_new }
}

impl Store for Folder {
    fn listing(&self, after: Option<&str>) -> Box<dyn Listing> {
        Box::new(Walking { walk: Some(Walk::new(self, after)) })
    }

    fn look<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Presence>> {
        async move { self.look_at(key) }.boxed()
    }

    fn has_any<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<bool>> {
        let holds = self.holds_a_file(folder, false);
        async move { holds }.boxed()
    }

    fn may_hold_any<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<bool>> {
        let holds = self.holds_a_file(folder, true);
        async move { holds }.boxed()
    }

    fn copy<'a>(&'a self, from: &'a Object, to: &'a str, _target: Target) -> BoxFuture<'a, Result<Copied>> {
        async move { self.copy_file(from, to) }.boxed()
    }

    fn remove<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Vec<Removed>> {
        async move { keys.iter().map(|key| self.remove_file(key)).collect() }.boxed()
    }

    fn is_there(&self) -> BoxFuture<'_, Result<()>> {
        let root = fs::metadata(&self.root).with_context(|| format!("the root folder {}", self.root.display()));
        async move { root.map(|_| ()) }.boxed()
    }

    fn lists_ranges(&self) -> bool {
        false
    }

    fn longest_key_bytes(&self) -> usize {
        MAX_KEY_BYTES
    }

    fn has_other_names(&self) -> bool {
        // Outside the prefix nobody has looked.
        self.has_links.load(Relaxed) || !self.prefix.is_empty()
    }

    fn file_number(&self, key: &str) -> Option<FileNumber> {
        let metadata = is_path_below(key).then(|| fs::metadata(self.root.join(key)).ok())??;
        metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
    }

    fn requests(&self) -> Requests {
        Requests::default()
    }

    fn unreadable_names(&self) -> Vec<String> {
        self.unreadable_names.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// A walk that takes its steps on a thread where blocking is allowed.
struct Walking {
    walk: Option<Walk>,
}

impl Listing for Walking {
    fn next_page(&mut self) -> BoxFuture<'_, Result<Option<Page>>> {
        async move {
            let Some(mut walk) = self.walk.take() else { return Ok(None) };
            let (walk, objects) = tokio::task::spawn_blocking(move || {
                let objects = walk.next_objects(PAGE);
                (walk, objects)
            })
            .await?;
            let objects = objects?;
            if objects.is_empty() {
                return Ok(None);
            }
            self.walk = Some(walk);
            Ok(Some(Page { objects, more: true, now: Utc::now() }))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> (tempfile::TempDir, Folder) {
        let home = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = home.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, file).expect("a file");
        }
        let folder = Folder::open(home.path(), "", &GlobSet::empty()).expect("a store");
        (home, folder)
    }

    #[test]
    fn only_a_regular_file_below_the_root_is_present() {
        let (home, folder) = folder(&["a/b", "c"]);
        std::os::unix::fs::symlink(home.path().join("c"), home.path().join("link")).expect("a link");
        std::os::unix::fs::symlink(home.path().join("a"), home.path().join("linked")).expect("a link");
        assert!(matches!(folder.look_at("a/b").expect("a look"), Presence::Present(object) if object.size == 3));
        for missing in ["a", "a//b", "./c", "a/../c", "/c", "c/", "c/d", "", "x", &"x".repeat(300), "x\0"] {
            assert_eq!(folder.look_at(missing).expect("a look"), Presence::Missing, "{missing:?}");
        }
        for unknown in ["link", "linked/b"] {
            assert!(matches!(folder.look_at(unknown).expect("a look"), Presence::Unknown(_)), "{unknown}");
        }
    }
}
