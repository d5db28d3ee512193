//! A folder as a store. It stays inside its root (I16): no symbolic link is followed, no `..` resolved, no mount
//! crossed, only regular files are objects, and the tool's own files are none.

mod beneath;
mod folders;
mod links;
mod moving;
mod own;
mod status;
mod walk;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::Utc;
use futures::FutureExt;
use futures::future::BoxFuture;
use globset::GlobSet;
use rustix::fs::{Dir, FileType};

use crate::domain::{FileNumber, Requests};
use crate::exit_code::Misconfigured;
use crate::storage::{Hands, Listing, OtherName, Page, Presence, Store};
use beneath::{Beneath, Way, is_path, proves_absence};
use links::Links;
use own::OwnFiles;
use status::Status;
use walk::Walk;

/// The longest path that Linux takes, in bytes (PATH_MAX).
const MAX_KEY_BYTES: usize = 4096;
/// How many objects a page of a folder's listing has at most.
const PAGE: usize = 1000;

/// A folder, and the prefix below which it is listed.
pub struct Folder {
    root: Arc<Beneath>,
    prefix: String,
    ignore: GlobSet,
    /// Files that came here less than this ago are new.
    new_for: Duration,
    /// Files of the tool itself.
    own: Arc<OwnFiles>,
    /// Where removed files go, if that is a folder of its own: its path as keys in it begin, and the folder.
    trash: Option<(String, Arc<Beneath>)>,
    unreadable_names: Arc<Mutex<BTreeSet<String>>>,
    /// The links and mounts that were seen.
    links: Arc<Links>,
}

impl Folder {
    /// Opens the folder at `root`; what `ignore` covers whole need not be readable.
    pub fn open(root: &Path, prefix: &str, ignore: &GlobSet) -> Result<Self> {
        let metadata = fs::metadata(root).with_context(|| format!("the root folder {}", root.display()))?;
        if !metadata.is_dir() {
            bail!("the root {} is not a folder", root.display());
        }
        let opened = Beneath::open(root).with_context(|| format!("the root folder {}", root.display()))?;
        Ok(Folder {
            root: Arc::new(opened),
            prefix: prefix.to_owned(),
            ignore: ignore.clone(),
            new_for: Duration::ZERO,
            own: Arc::default(),
            trash: None,
            unreadable_names: Arc::default(),
            links: Arc::default(),
        })
    }

    /// The same, in which files are new that came here less than this ago.
    pub fn with_new_for(self, new_for: Duration) -> Self {
        Folder { new_for, ..self }
    }

    /// The same, in which these files are the tool's own.
    pub fn with_own(self, paths: &[PathBuf]) -> Self {
        let own = OwnFiles::beneath(self.root.path(), paths).into();
        Folder { own, ..self }
    }

    /// The same, with removed files in a folder of its own, whose path ends in `/`; `compared` is the prefix below which
    /// files are compared.
    ///
    /// # Errors
    /// [`Misconfigured`] where it cannot be such a folder.
    pub fn with_trash(self, folder: &str, compared: &str) -> Result<Self> {
        let path = folder.trim_end_matches('/');
        let wrong = |why: String| Misconfigured(format!("[trash] folder = {path:?} {why}"));
        let trash = Beneath::open(Path::new(path)).map_err(|error| {
            wrong(format!("cannot be opened: {error:#}; make it (mkdir -m 700 {path}), or name another"))
        })?;
        if let Ok(below) = trash.path().strip_prefix(self.root.path())
            && below.join("").starts_with(compared.trim_end_matches('/'))
        {
            return Err(wrong("lies among the files that are compared; name one outside of the root".to_owned()).into());
        }
        if !trash.shares_mount(&self.root) {
            let root = self.root.path().display();
            return Err(wrong(format!(
                "does not lie on the file system and mount of the root {root}, so that files cannot be moved there in one \
                 step; name one that does, or mount the two as one"
            ))
            .into());
        }
        Ok(Folder { trash: Some((folder.to_owned(), trash.into())), ..self })
    }

    fn look_at(&self, key: &str) -> Result<Presence> {
        // The file system would read these as other paths; as keys they name nothing that a folder can hold.
        if !is_path(key) {
            return Ok(Presence::Missing);
        }
        let way =
            self.root.file(key).with_context(|| format!("looking at {}", self.root.path().join(key).display()))?;
        Ok(match way {
            Way::Open((_, status)) => Presence::Present(status.object(key.to_owned(), self.new_for)),
            Way::Absent => Presence::Missing,
            Way::Barred(why) => Presence::Unknown(why),
        })
    }

    /// Whether a file is below a folder. `in_doubt` is what is said where nobody can look: behind a link, on another mount,
    /// in a folder that cannot be read.
    fn holds_a_file(&self, folder: &str, in_doubt: bool) -> Result<bool> {
        let Some(bare) = folder.strip_suffix('/').filter(|bare| is_path(bare)) else { return Ok(false) };
        let mut open = vec![bare.as_bytes().to_vec()];
        while let Some(path) = open.pop() {
            let context = || format!("reading the folder {}", String::from_utf8_lossy(&path));
            let handle = match self.root.folder(&path, beneath::READ) {
                Ok(Way::Open(handle)) => handle,
                Ok(Way::Absent) => continue,
                Ok(Way::Barred(_)) if in_doubt => return Ok(true),
                Ok(Way::Barred(_)) => continue,
                // What cannot be read shows no file.
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied && in_doubt => return Ok(true),
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => continue,
                Err(error) => return Err(error).with_context(context),
            };
            for entry in Dir::read_from(&handle).with_context(context)? {
                let entry = entry.with_context(context)?;
                let name = entry.file_name().to_bytes();
                if matches!(name, b"." | b"..") {
                    continue;
                }
                match Status::at(&handle, name) {
                    Ok(status) if status.kind == FileType::Directory => {
                        open.push([&path, b"/".as_slice(), name].concat())
                    }
                    Ok(status) if in_doubt || status.kind == FileType::RegularFile => return Ok(true),
                    Ok(_) => {}
                    Err(error) if proves_absence(&error) => {}
                    Err(error) => return Err(error).with_context(context),
                }
            }
        }
        Ok(false)
    }
}

impl Store for Folder {
    fn listing(&self, after: Option<&str>) -> Box<dyn Listing> {
        Box::new(Walking { walk: Some(Walk::new(self, after)) })
    }

    fn listing_below(&self, folder: &str) -> Box<dyn Listing> {
        Box::new(Walking { walk: Some(Walk::new(self, None).below(folder)) })
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

    fn hands(&self) -> Hands<'_> {
        Hands::Moves(self)
    }

    fn is_there(&self) -> BoxFuture<'_, Result<()>> {
        let is_there = self.root.is_there().context("the root folder");
        let replaced =
            || format!("the root folder {} was replaced, or something was mounted on it", self.root.path().display());
        async move {
            anyhow::ensure!(is_there?, replaced());
            Ok(())
        }
        .boxed()
    }

    fn lists_ranges(&self) -> bool {
        false
    }

    fn longest_key_bytes(&self) -> usize {
        MAX_KEY_BYTES
    }

    fn has_other_names(&self) -> bool {
        // Outside the prefix nobody has looked.
        self.links.were_seen() || !self.prefix.is_empty()
    }

    fn other_names(&self) -> Vec<OtherName> {
        self.links.lead_from(self.root.path())
    }

    fn file_number(&self, key: &str) -> Option<FileNumber> {
        let metadata = is_path(key).then(|| fs::metadata(self.root.path().join(key)).ok())??;
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
