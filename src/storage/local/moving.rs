//! Files moved within the root, in the two steps that a bucket takes: a second name, which is never put over anything,
//! and then the first one gone. Both names are the same file until then.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Folder;
use crate::domain::Object;
use crate::failpoint;
use crate::storage::{Copied, Presence, Removed};

impl Folder {
    pub(super) fn copy_file(&self, from: &Object, to: &str) -> Result<Copied> {
        // The ledger keeps microseconds.
        let modified = |object: &Object| object.last_modified.map(|time| time.timestamp_micros());
        match self.look_at(&from.key)? {
            Presence::Present(now) if now.size == from.size && modified(&now) == modified(from) => {}
            _ => return Ok(Copied::SourceChanged),
        }
        let (source, target) = (self.path(&from.key), self.path(to));
        let folder = target.parent().unwrap_or(&self.root);
        self.make_folders(folder, source.parent().unwrap_or(&self.root))?;
        failpoint::before("link");
        let linked = fs::hard_link(&source, &target);
        failpoint::after("link");
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Copied::TargetTaken),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Copied::SourceChanged),
            // A file system without hard links.
            Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) => {
                return copy_bytes(&source, &target);
            }
            Err(error) => {
                return Err(error).with_context(|| format!("linking {} to {}", source.display(), target.display()));
            }
        }
        // The new name must be on the disk before the old one goes.
        sync(folder)?;
        Ok(Copied::Done)
    }

    pub(super) fn remove_file(&self, key: &str) -> Removed {
        match self.look_at(key) {
            Ok(Presence::Present(_)) => {}
            Ok(Presence::Missing) => return Removed::Gone,
            Ok(Presence::Unknown(reason)) => return Removed::Refused(reason),
            Err(error) => return Removed::Unknown(format!("{error:#}")),
        }
        failpoint::before("unlink");
        let removed = fs::remove_file(self.path(key));
        failpoint::after("unlink");
        match removed {
            Ok(()) => Removed::Gone,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Removed::Gone,
            Err(error) => Removed::Refused(error.to_string()),
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Makes the folders down to `folder`, none of them through a link. The last one is as private as `like` is.
    fn make_folders(&self, folder: &Path, like: &Path) -> Result<()> {
        let private = fs::metadata(like).map_or(0o700, |metadata| metadata.mode() & 0o777);
        let mut path = self.root.clone();
        for part in folder.strip_prefix(&self.root).unwrap_or(folder).components() {
            path.push(part);
            let mode = if path == folder { private } else { 0o755 };
            let made = match fs::DirBuilder::new().mode(mode).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                made => made,
            };
            made.with_context(|| format!("making the folder {}", path.display()))?;
            let metadata = fs::symlink_metadata(&path).with_context(|| format!("looking at {}", path.display()))?;
            anyhow::ensure!(metadata.is_dir(), "{} is no folder", path.display());
        }
        Ok(())
    }
}

/// Copies the bytes, the time, the rights and the owner of a file to a name that is free. Until it is whole it has
/// another name: half a file must not look like one.
fn copy_bytes(source: &Path, target: &Path) -> Result<Copied> {
    let context = || format!("copying {} to {}", source.display(), target.display());
    let folder = target.parent().unwrap_or(target);
    let mut from = File::open(source).with_context(context)?;
    let mut to = tempfile::Builder::new().prefix(".cleanup-assets-").tempfile_in(folder).with_context(context)?;
    io::copy(&mut from, to.as_file_mut()).with_context(context)?;
    let (metadata, copy) = (from.metadata().with_context(context)?, to.as_file());
    let dressed = fchown(copy, Some(metadata.uid()), Some(metadata.gid()))
        .and_then(|()| copy.set_permissions(metadata.permissions()))
        .and_then(|()| copy.set_modified(metadata.modified()?))
        .and_then(|()| copy.sync_all());
    dressed.with_context(context)?;
    match to.persist_noclobber(target) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(Copied::TargetTaken),
        Err(error) => return Err(error.error).with_context(context),
    }
    sync(folder)?;
    Ok(Copied::Done)
}

fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("syncing {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use globset::GlobSet;

    use super::*;

    const PLACE: &str = ".trash/run/a/b.png";

    /// A folder with one file, and that file as a look sees it.
    fn folder() -> (tempfile::TempDir, Folder, Object) {
        let home = tempfile::tempdir().expect("a folder");
        fs::create_dir(home.path().join("a")).expect("a folder");
        fs::write(home.path().join("a/b.png"), "bytes").expect("a file");
        let folder = Folder::open(home.path(), "", &GlobSet::empty()).expect("a store");
        let Ok(Presence::Present(object)) = folder.look_at("a/b.png") else { panic!("the file is there") };
        (home, folder, object)
    }

    #[test]
    fn a_file_has_both_names_until_the_first_is_gone() {
        let (home, folder, object) = folder();
        assert_eq!(folder.copy_file(&object, PLACE).expect("a copy"), Copied::Done);
        assert_eq!(folder.remove_file("a/b.png"), Removed::Gone);
        assert_eq!(fs::read(home.path().join(PLACE)).expect("the copy"), b"bytes");
        assert!(!home.path().join("a/b.png").exists());
    }

    #[test]
    fn nothing_is_moved_over_what_is_there() {
        let (home, folder, object) = folder();
        let place = home.path().join(PLACE);
        fs::create_dir_all(place.parent().expect("a folder")).expect("folders");
        fs::write(&place, "another").expect("a file");
        assert_eq!(folder.copy_file(&object, PLACE).expect("a copy"), Copied::TargetTaken);
        assert_eq!(copy_bytes(&folder.path("a/b.png"), &place).expect("a copy"), Copied::TargetTaken);
        assert_eq!(fs::read(&place).expect("the file"), b"another");
    }

    #[test]
    fn a_file_that_changed_is_not_moved() {
        let (home, folder, object) = folder();
        fs::write(home.path().join("a/b.png"), "longer bytes").expect("a file");
        assert_eq!(folder.copy_file(&object, PLACE).expect("a copy"), Copied::SourceChanged);
        assert!(!home.path().join(PLACE).exists());
    }

    #[test]
    fn a_trash_that_is_a_link_takes_nothing() {
        let (home, folder, object) = folder();
        let elsewhere = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(elsewhere.path(), home.path().join(".trash")).expect("a link");
        folder.copy_file(&object, PLACE).expect_err("an error");
        assert_eq!(fs::read_dir(elsewhere.path()).expect("the folder").count(), 0);
        assert!(home.path().join("a/b.png").exists());
    }

    #[test]
    fn a_link_is_not_removed() {
        let (home, folder, _) = folder();
        std::os::unix::fs::symlink(home.path().join("a/b.png"), home.path().join("link")).expect("a link");
        assert!(matches!(folder.remove_file("link"), Removed::Refused(_)));
        assert!(home.path().join("link").is_symlink());
    }
}
