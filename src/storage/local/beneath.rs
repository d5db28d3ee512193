//! A folder that is held open, and what lies beneath it (I16). Every path is resolved from its handle: no symbolic link
//! is followed, `..` leads nowhere, and no mount is crossed, whoever moves folders about meanwhile.
//!
//! Linux 5.6 resolves so by itself (`openat2`); before, a path is walked folder by folder.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use super::status::Status;
use crate::domain::key::Printable;
use crate::failpoint;

/// To look at what lies in a folder, or to change it.
pub const LOOK: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// To read the names in a folder.
pub const READ: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// An open folder.
pub struct Beneath {
    /// Where it was when it was opened.
    path: PathBuf,
    handle: OwnedFd,
    status: Status,
    /// What is mounted beneath, by its path there, where the kernel does not tell the mount of a file.
    mounts: Vec<Vec<u8>>,
}

/// What a path leads to.
pub enum Way<T> {
    Open(T),
    /// Nothing is there.
    Absent,
    /// A link, a mount or a special file is on the way: what is behind it is not known.
    Barred(String),
}

/// A name in an open folder.
pub struct Spot {
    pub folder: OwnedFd,
    pub name: Vec<u8>,
}

impl Spot {
    pub fn status(&self) -> io::Result<Status> {
        Status::at(&self.folder, &self.name)
    }
}

impl Beneath {
    /// Opens a folder, following links on the way to it.
    pub fn open(path: &Path) -> Result<Self> {
        let path = path.canonicalize()?;
        let handle = openat(CWD, &path, LOOK, Mode::empty())?;
        let status = Status::of(&handle)?;
        let mounts = match status.mount {
            None => mounts_beneath(&path).context("reading what is mounted from /proc/self/mountinfo")?,
            Some(_) => Vec::new(),
        };
        Ok(Beneath { path, handle, status, mounts })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path at which it was opened still leads to it.
    pub fn is_there(&self) -> Result<bool> {
        let now = openat(CWD, &self.path, LOOK, Mode::empty()).with_context(|| self.path.display().to_string())?;
        Ok(Status::of(&now)?.number == self.status.number)
    }

    /// Whether files can be renamed from one to the other.
    pub fn shares_mount(&self, other: &Beneath) -> bool {
        self.status.shares_mount(&other.status)
    }

    /// Whether what was seen at a path beneath lies on the folder's own mount.
    pub fn is_own(&self, status: &Status, path: &[u8]) -> bool {
        self.status.shares_mount(status) && self.mounts.iter().all(|mount| mount != path)
    }

    /// Opens a folder beneath; an empty path is the folder itself.
    pub fn folder(&self, path: &[u8], access: OFlags) -> io::Result<Way<OwnedFd>> {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if path.is_empty() {
            return Ok(Way::Open(openat(&self.handle, ".", access, Mode::empty())?));
        }
        let opened = self.open_at_once(path, access);
        let is_crossing = matches!(opened, Err(Errno::XDEV));
        match opened {
            Ok(folder) if self.is_own(&Status::of(&folder)?, path) => Ok(Way::Open(folder)),
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(Way::Absent),
            // What stands in the way is found and named step by step.
            _ => match self.walk_to(path, access)? {
                Way::Open(_) if is_crossing => Ok(Way::Barred(on_another_mount(path))),
                way => Ok(way),
            },
        }
    }

    /// The file beneath that a key names, which is a path as it is written, and its parent's handle.
    pub fn file(&self, key: &str) -> io::Result<Way<(Spot, Status)>> {
        let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
        let folder = match self.folder(folder.as_bytes(), LOOK)? {
            Way::Open(folder) => folder,
            Way::Absent => return Ok(Way::Absent),
            Way::Barred(why) => return Ok(Way::Barred(why)),
        };
        let spot = Spot { folder, name: name.as_bytes().to_vec() };
        let status = match spot.status() {
            Ok(status) => status,
            Err(error) if proves_absence(&error) => return Ok(Way::Absent),
            Err(error) => return Err(error),
        };
        Ok(match self.bar(&status, key.as_bytes()) {
            Some(why) => Way::Barred(why),
            None if status.kind == FileType::RegularFile => Way::Open((spot, status)),
            None if status.kind == FileType::Directory => Way::Absent,
            None => Way::Barred(format!("{} is not a regular file", shown(key.as_bytes()))),
        })
    }

    fn open_at_once(&self, path: &[u8], access: OFlags) -> rustix::io::Result<OwnedFd> {
        if failpoint::lacks("openat2") {
            return Err(Errno::NOSYS);
        }
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        openat2(&self.handle, path, access, Mode::empty(), beneath)
    }

    /// Goes to a folder beneath step by step.
    fn walk_to(&self, path: &[u8], access: OFlags) -> io::Result<Way<OwnedFd>> {
        let mut here = openat(&self.handle, ".", LOOK, Mode::empty())?;
        let mut end = 0;
        for part in path.split(|byte| *byte == b'/') {
            end += part.len();
            let so_far = &path[..end];
            end += 1;
            let status = match Status::at(&here, part) {
                Ok(status) => status,
                Err(error) if proves_absence(&error) => return Ok(Way::Absent),
                Err(error) => return Err(error),
            };
            if let Some(why) = self.bar(&status, so_far) {
                return Ok(Way::Barred(why));
            }
            match status.kind {
                FileType::Directory => {}
                FileType::RegularFile => return Ok(Way::Absent),
                _ => return Ok(Way::Barred(format!("{} is not a regular file", shown(so_far)))),
            }
            let access = if so_far.len() == path.len() { access } else { LOOK };
            here = openat(&here, part, access | OFlags::NOFOLLOW, Mode::empty())?;
            if Status::of(&here)?.number != status.number {
                return Ok(Way::Barred(format!("{} was replaced as it was opened", shown(so_far))));
            }
        }
        Ok(Way::Open(here))
    }

    /// Why what is at a path is not gone into, if it is a link or lies on another mount.
    fn bar(&self, status: &Status, path: &[u8]) -> Option<String> {
        if status.kind == FileType::Symlink {
            return Some(format!("{} is a symbolic link, which is not followed", shown(path)));
        }
        (!self.is_own(status, path)).then(|| on_another_mount(path))
    }
}

fn on_another_mount(path: &[u8]) -> String {
    format!("{} lies on another mount, or another file system, which is not entered", shown(path))
}

/// The paths beneath a folder on which something is mounted, as the kernel lists mounts.
fn mounts_beneath(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    let list = fs::read("/proc/self/mountinfo")?;
    let points = list.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    let beneath = points.filter_map(|point| {
        let point = PathBuf::from(OsString::from_vec(unescaped(point)));
        Some(point.strip_prefix(folder).ok()?.as_os_str().as_bytes().to_vec())
    });
    Ok(beneath.filter(|path| !path.is_empty()).collect())
}

/// A path in which the kernel wrote spaces and the like as `\\040`.
fn unescaped(path: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), path);
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    bytes
}

fn shown(path: &[u8]) -> String {
    Printable(&String::from_utf8_lossy(path)).to_string()
}

/// Whether a failed look at a path says that nothing is there.
pub fn proves_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename)
}

/// Whether a key is a path beneath a folder as it is written: the file system would read others as other paths, and as
/// keys they name nothing that a folder can hold.
pub fn is_path(key: &str) -> bool {
    !key.contains('\0') && key.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Makes sure that the folder is on the disk with the names that it has.
pub fn sync(folder: impl AsFd) -> io::Result<()> {
    let readable = openat(folder, ".", READ, Mode::empty())?;
    Ok(rustix::fs::fsync(readable)?)
}
