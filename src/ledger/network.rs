//! Whether a file is on a network file system. SQLite's locks, and the memory that its readers share, do not hold there.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;

/// File systems that several machines share, as the kernel names them; what FUSE mounts has `fuse.` in front.
const NETWORK: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb2",
    "smb3",
    "smbfs",
    "afs",
    "ceph",
    "lustre",
    "ncpfs",
    "coda",
    "gpfs",
    "gfs2",
    "ocfs2",
    "beegfs",
    "glusterfs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.ceph",
    "fuse.ceph-fuse",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.gcsfuse",
    "fuse.goofys",
    "fuse.geesefs",
    "fuse.mount-s3",
    "fuse.juicefs",
    "fuse.davfs",
    "fuse.curlftpfs",
    "fuse.moosefs",
    "fuse.seaweedfs",
    "fuse.weed",
    "davfs",
];

/// The network file system that the file is on; `None`: it is on a disk of this machine, or the kernel does not tell.
///
/// # Errors
/// The file is not there.
pub fn file_system_of(file: &Path) -> Result<Option<String>> {
    let device = std::fs::metadata(file)?.dev();
    let path = file.canonicalize()?;
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else { return Ok(None) };
    Ok(kind(&mounts, &path, device).filter(|kind| NETWORK.contains(kind)).map(str::to_owned))
}

/// The kind of the file system below which a path lies: of those with its device the one that is mounted deepest.
fn kind<'m>(mounts: &'m str, path: &Path, device: u64) -> Option<&'m str> {
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let mounts = mounts.lines().filter_map(Mount::read).filter(|mount| path.starts_with(&mount.place));
    // Several file systems may be mounted at one place: the device says which is seen, and the last is, where it does not.
    let rank = |mount: &Mount<'_>| (mount.device == device, mount.place.len());
    mounts.max_by_key(rank).map(|mount| mount.kind)
}

/// A line of `/proc/self/mountinfo`, see proc(5).
struct Mount<'m> {
    device: &'m str,
    place: String,
    kind: &'m str,
}

impl<'m> Mount<'m> {
    fn read(line: &'m str) -> Option<Self> {
        let mut fields = line.split(' ');
        let device = fields.nth(2)?;
        let place = fields.nth(1)?;
        let kind = line.split_once(" - ")?.1.split(' ').next()?;
        Some(Mount { device, place: unescaped(place), kind })
    }
}

/// A path as the kernel writes it: blanks are octal.
fn unescaped(path: &str) -> String {
    ["\\040", "\\011", "\\012"]
        .iter()
        .zip([" ", "\t", "\n"])
        .fold(path.to_owned(), |path, (code, c)| path.replace(code, c))
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /mnt/share rw shared:2 - nfs4 server:/export rw,vers=4.2
24 22 0:22 / /mnt/my\\040disk rw - fuse.sshfs host:/home rw
25 23 8:2 / /mnt/share/local rw - xfs /dev/sdb1 rw
26 22 0:23 / /mnt/fuse rw - fuse.mergerfs a:b rw
not a line";

    #[test]
    fn the_deepest_mount_says_what_a_file_is_on() {
        let device = |major, minor| rustix::fs::makedev(major, minor);
        for (path, device, expected) in [
            ("/var/lib/ledger.db", device(8, 1), "ext4"),
            ("/mnt/share/a/ledger.db", device(0, 21), "nfs4"),
            ("/mnt/my disk/ledger.db", device(0, 22), "fuse.sshfs"),
            ("/mnt/share/local/ledger.db", device(8, 2), "xfs"),
            ("/mnt/shared/ledger.db", device(8, 1), "ext4"),
        ] {
            assert_eq!(kind(MOUNTS, Path::new(path), device), Some(expected), "{path}");
        }
    }

    #[test]
    fn this_machine_keeps_its_temporary_files_on_a_disk_of_its_own() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert_eq!(file_system_of(file.path()).expect("a file"), None);
    }

    #[test]
    fn a_file_system_of_a_user_is_no_network_by_itself() {
        let is_network = |kind: &str| NETWORK.contains(&kind);
        assert!(is_network("nfs") && is_network("fuse.rclone"));
        assert!(!is_network("fuse.mergerfs") && !is_network("9p") && !is_network("overlay") && !is_network("virtiofs"));
    }
}
