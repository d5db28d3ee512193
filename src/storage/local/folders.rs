//! Folders that are made for files on their way, and removed when nothing is left in them. A folder goes by `rmdir` alone,
//! which takes none that holds anything.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;

use anyhow::{Context, Result, bail};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Uid, fchmod, fchown, mkdirat, openat, renameat, renameat_with,
    unlinkat,
};
use rustix::io::Errno;

use super::beneath::{self, Beneath, Way};
use super::own::IN_HAND;
use super::status::Status;
use crate::domain::FolderRights;
use crate::domain::key::Printable;
use crate::failpoint;

/// Whose a new folder is.
pub enum Dress {
    /// Ours alone.
    Ours,
    /// As far as we may give it away.
    Theirs(FolderRights),
}

/// Opens a folder beneath, and makes it where it is missing, and those above it; `dress` says whose they are, by the path
/// and by the folder that they lie in.
pub fn make(root: &Beneath, folder: &str, dress: impl Fn(&str, &Status) -> Dress) -> Result<OwnedFd> {
    let opened = |path: &str| {
        let way = root.folder(path.as_bytes(), beneath::LOOK);
        match way.with_context(|| format!("opening the folder {}", Printable(path)))? {
            Way::Open(folder) => Ok(Some(folder)),
            Way::Absent => Ok(None),
            Way::Barred(why) => bail!(why),
        }
    };
    if let Some(folder) = opened(folder)? {
        return Ok(folder);
    }
    let mut here = opened("")?.context("the folder itself is gone")?;
    for end in folder.match_indices('/').map(|(slash, _)| slash).chain([folder.len()]) {
        let path = &folder[..end];
        here = match opened(path)? {
            Some(folder) => folder,
            None => {
                let name = path.rsplit('/').next().unwrap_or(path);
                let parent = Status::of(&here)?;
                make_one(&here, name, dress(path, &parent))
                    .with_context(|| format!("making the folder {}", Printable(path)))?;
                let is_file = Status::at(&here, name.as_bytes()).is_ok_and(|now| now.kind != FileType::Directory);
                anyhow::ensure!(!is_file, "a file is where the folder {} was", Printable(path));
                opened(path)?.with_context(|| format!("the folder {} is gone again", Printable(path)))?
            }
        };
    }
    Ok(here)
}

fn make_one(parent: &OwnedFd, name: &str, dress: Dress) -> rustix::io::Result<()> {
    let made = match dress {
        Dress::Ours => mkdirat(parent, name, Mode::RWXU),
        Dress::Theirs(rights) => make_theirs(parent, name, &rights),
    };
    match made {
        // Somebody else made it meanwhile, and knows whose it is.
        Err(Errno::EXIST) => Ok(()),
        made => made,
    }
}

/// Makes a folder of somebody else under a name of our own: it has its name once it is whose it is, whenever we are stopped.
fn make_theirs(parent: &OwnedFd, name: &str, rights: &FolderRights) -> rustix::io::Result<()> {
    let new = format!("{IN_HAND}folder");
    // A run that was killed may have left it.
    let _ = unlinkat(parent, &*new, AtFlags::REMOVEDIR);
    mkdirat(parent, &*new, Mode::RWXU)?;
    failpoint::before("folder");
    let folder = openat(parent, &*new, beneath::READ | OFlags::NOFOLLOW, Mode::empty())?;
    let (owner, group) = (Uid::from_raw(rights.owner), Gid::from_raw(rights.group));
    if fchown(&folder, Some(owner), Some(group)).is_err() {
        tracing::warn!("the folder {} cannot be given back to its owner", Printable(&rights.key));
        // Who is not root may give it to a group of their own; where that fails too, the warning says it.
        let _ = fchown(&folder, None, Some(group));
    }
    fchmod(&folder, Mode::from_raw_mode(rights.mode))?;
    let placed = match renameat_with(parent, &*new, parent, name, RenameFlags::NOREPLACE) {
        // An empty folder is all that this could take the place of.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => renameat(parent, &*new, parent, name),
        placed => placed,
    };
    if placed.is_err() {
        let _ = unlinkat(parent, &*new, AtFlags::REMOVEDIR);
    }
    match placed {
        Err(Errno::NOTEMPTY | Errno::NOTDIR) => Err(Errno::EXIST),
        placed => placed,
    }
}

/// Makes a folder in the trash, where nobody else may look: a file may have been kept from others by any folder above it.
pub fn make_trash(trash: &Beneath, folder: &str) -> Result<OwnedFd> {
    make(trash, folder, |_, _| Dress::Ours)
}

/// As a folder was, or as the one that it lies in.
pub fn as_it_was(path: &str, parent: &Status, rights: &[FolderRights]) -> Dress {
    let was = rights.iter().find(|rights| rights.key.strip_suffix('/') == Some(path)).cloned();
    let Status { owner, group, mode, .. } = *parent;
    Dress::Theirs(was.unwrap_or_else(|| FolderRights { key: format!("{path}/"), owner, group, mode }))
}

/// Whose the folders above these keys are, each folder once. What cannot be looked at is left out.
pub fn rights_above(root: &Beneath, keys: &[&str]) -> Vec<FolderRights> {
    let folders: BTreeSet<&str> = keys.iter().flat_map(|key| above(key)).collect();
    let look = |folder: &str| {
        let Ok(Way::Open(open)) = root.folder(folder.as_bytes(), beneath::LOOK) else { return None };
        let Status { owner, group, mode, .. } = Status::of(open).ok()?;
        Some(FolderRights { key: folder.to_owned(), owner, group, mode })
    };
    folders.into_iter().filter_map(look).collect()
}

/// The folders above a key, each with its `/`.
fn above(key: &str) -> impl Iterator<Item = &str> {
    key.match_indices('/').map(|(slash, _)| &key[..=slash])
}

/// Removes these folders, which end in `/`, and those above them where nothing else was in them; never a first one below
/// `base`, nor one that somebody set up by hand.
pub fn remove_emptied(root: &Beneath, mut folders: BTreeSet<String>, base: &str) {
    // What lies in a folder comes after it.
    while let Some(folder) = folders.pop_last() {
        let is_deep = folder.strip_prefix(base).is_some_and(|rest| rest.matches('/').count() > 1);
        let path = folder.trim_end_matches('/');
        if is_deep
            && !is_set_up(root, path)
            && remove_one(root, path)
            && let Some((parent, _)) = path.rsplit_once('/')
        {
            folders.insert(format!("{parent}/"));
        }
    }
}

/// Whether somebody set the folder up by hand: it has a bit (set-group-ID, sticky) that the one above it has not, and that
/// an application which makes it again would not give it; or whose it is may make none in the one above it.
fn is_set_up(root: &Beneath, path: &str) -> bool {
    const BITS: u32 = 0o7000;
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let look = |path: &str| match root.folder(path.as_bytes(), beneath::LOOK) {
        Ok(Way::Open(folder)) => Status::of(folder).ok(),
        _ => None,
    };
    let (Some(folder), Some(parent)) = (look(path), look(parent)) else { return false };
    folder.mode & BITS & !parent.mode != 0 || !may_write(folder.owner, folder.group, &parent)
}

/// Whether somebody of this group may make a folder in this one.
fn may_write(owner: u32, group: u32, parent: &Status) -> bool {
    let by_group = parent.group == group && parent.mode & 0o020 != 0;
    owner == 0 || owner == parent.owner || by_group || parent.mode & 0o002 != 0
}

/// Removes a folder where it is empty.
fn remove_one(root: &Beneath, path: &str) -> bool {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Ok(Way::Open(parent)) = root.folder(parent.as_bytes(), beneath::LOOK) else { return false };
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) => true,
        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) => false,
        Err(error) => {
            tracing::debug!("the empty folder {} stays: {error}", Printable(path));
            false
        }
    }
}

/// Removes the folders of a run in the trash in which nothing is left, from `folder` up to the run's own.
pub fn tidy_trash(trash: &Beneath, folder: &str) {
    let Some(run) = run_in(folder) else { return };
    let mut path = folder;
    while path.len() > run && remove_one(trash, path) {
        path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
}

/// Where the name of a run's folder, a ULID, begins in a path.
pub fn run_in(path: &str) -> Option<usize> {
    let mut start = 0;
    for part in path.split('/') {
        if ulid::Ulid::from_string(part).is_ok() {
            return Some(start);
        }
        start += part.len() + 1;
    }
    None
}
