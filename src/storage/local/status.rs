//! What the file system says of a file or a folder at one look.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::fs::{AtFlags, FileType, Stat, Statx, StatxFlags, makedev, statat, statx};
use rustix::io::Errno;

use crate::domain::{FileNumber, Object, Time};
use crate::failpoint;

/// One look at a file or a folder; links are not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub kind: FileType,
    pub number: FileNumber,
    pub size: u64,
    /// `None`: a time that cannot be read.
    pub modified: Option<Time>,
    /// When it was made here; when it was last changed, where the file system knows no birth.
    came: Option<Time>,
    /// The mount that it lies on; `None`: the kernel is older than 5.8, and does not tell.
    pub mount: Option<u64>,
    pub owner: u32,
    pub group: u32,
    /// Rights, with the bits for set-user-ID, set-group-ID and sticky.
    pub mode: u32,
}

impl Status {
    /// Looks at a name in an open folder.
    pub fn at(folder: impl AsFd, name: &[u8]) -> io::Result<Self> {
        look(&folder, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Looks at what is open.
    pub fn of(open: impl AsFd) -> io::Result<Self> {
        look(&open, b"", AtFlags::EMPTY_PATH)
    }

    /// Whether two things lie on one mount. A bind mount of one file system has its device, so the kernel is asked for the
    /// mount itself. A folder of another device is another volume of one mount (btrfs).
    pub fn shares_mount(&self, other: &Status) -> bool {
        let same_device = self.number.0 == other.number.0;
        match (self.mount, other.mount) {
            (Some(mount), Some(other_mount)) => {
                let are_folders = [self, other].iter().all(|status| status.kind == FileType::Directory);
                mount == other_mount && (same_device || !are_folders)
            }
            _ => same_device,
        }
    }

    /// Whether both are looks at one file that was not written to between them.
    pub fn is_same_file(&self, other: &Status) -> bool {
        self.kind == other.kind
            && self.number == other.number
            && self.size == other.size
            && self.modified == other.modified
    }

    /// Whether it is the object that was judged. The ledger keeps microseconds.
    pub fn is_still(&self, judged: &Object) -> bool {
        let micros = |time: Option<Time>| time.map(|time| time.timestamp_micros());
        self.size == judged.size && micros(self.modified) == micros(judged.last_modified)
    }

    /// The object that it is. A file that came here less than `new_for` ago is new: unpacked, copied or restored files
    /// keep the modification times that they had elsewhere.
    pub fn object(&self, key: String, new_for: Duration) -> Object {
        let age = |came: Time| Utc::now().signed_duration_since(came).to_std().ok();
        let is_new = !new_for.is_zero() && self.came.and_then(age).is_none_or(|age| age < new_for);
        Object {
            key,
            size: self.size,
            last_modified: self.modified,
            etag: None,
            archived: false,
            opaque_etag: false,
            is_new,
            is_plain: false,
        }
    }
}

fn look(folder: &impl AsFd, name: &[u8], flags: AtFlags) -> io::Result<Status> {
    let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID;
    match statx(folder, name, flags, mask) {
        Ok(seen) => Ok(of_statx(&seen)),
        // Linux before 4.11.
        Err(Errno::NOSYS) => Ok(of_stat(&statat(folder, name, flags)?)),
        Err(error) => Err(error.into()),
    }
}

fn of_statx(seen: &Statx) -> Status {
    let told = |flag: StatxFlags| seen.stx_mask & flag.bits() != 0;
    let came = if told(StatxFlags::BTIME) { seen.stx_btime } else { seen.stx_ctime };
    let mode = u32::from(seen.stx_mode);
    Status {
        kind: FileType::from_raw_mode(mode),
        number: (makedev(seen.stx_dev_major, seen.stx_dev_minor), seen.stx_ino),
        size: seen.stx_size,
        modified: time(seen.stx_mtime.tv_sec, seen.stx_mtime.tv_nsec),
        came: time(came.tv_sec, came.tv_nsec),
        mount: (told(StatxFlags::MNT_ID) && !failpoint::lacks("mount-id")).then_some(seen.stx_mnt_id),
        owner: seen.stx_uid,
        group: seen.stx_gid,
        mode: mode & 0o7777,
    }
}

fn of_stat(seen: &Stat) -> Status {
    let nanos = |nanos| u32::try_from(nanos).unwrap_or(u32::MAX);
    Status {
        kind: FileType::from_raw_mode(seen.st_mode),
        number: (seen.st_dev, seen.st_ino),
        size: u64::try_from(seen.st_size).unwrap_or_default(),
        modified: time(seen.st_mtime, nanos(seen.st_mtime_nsec)),
        came: time(seen.st_ctime, nanos(seen.st_ctime_nsec)),
        mount: None,
        owner: seen.st_uid,
        group: seen.st_gid,
        mode: seen.st_mode & 0o7777,
    }
}

/// A time that is too far away for a calendar cannot be read.
fn time(seconds: i64, nanoseconds: u32) -> Option<Time> {
    DateTime::from_timestamp(seconds, nanoseconds)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use rustix::fs::{Timespec, Timestamps, futimens};

    use super::*;

    fn touched(seconds: i64) -> Status {
        let home = tempfile::tempdir_in("/dev/shm").expect("a folder");
        let path = home.path().join("a");
        fs::write(&path, "a").expect("a file");
        let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
        let file = File::options().write(true).open(path).expect("the file");
        futimens(&file, &Timestamps { last_access: time, last_modification: time }).expect("a time");
        Status::of(file).expect("a look")
    }

    #[test]
    fn a_time_that_no_calendar_holds_cannot_be_read() {
        assert_eq!(touched(0).modified, DateTime::from_timestamp(0, 0));
        for seconds in [i64::MAX, i64::MIN, 9_999_999_999_999] {
            assert_eq!(touched(seconds).modified, None, "{seconds}");
        }
    }
}
