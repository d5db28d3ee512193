//! What a file or folder is, by whatever path it is opened: its number, when it was made, and the device.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// What is at `path`, links followed; `None`: nothing is. Where the file system does not say when it was made, it says
/// [`UNDATED`] instead.
pub fn identity(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok()?;
    // A number is given again to what is made later.
    let made = metadata.created().ok().and_then(|made| made.duration_since(SystemTime::UNIX_EPOCH).ok());
    let made = made.map_or(0, |made| made.as_nanos());
    let made = if made == 0 { UNDATED.to_owned() } else { format!(" of {made}") };
    Some(format!("file {}{made} on device {}", metadata.ino(), metadata.dev()))
}

/// In the identity of what may be another file of the same number, on a device that was given the same one since.
pub const UNDATED: &str = " of 0";
