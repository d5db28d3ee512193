//! What a file or folder is, by whatever path it is opened: its number, when it was made, and the device.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// What is at `path`, links followed; `None`: nothing is, or its file system does not say when it was made.
pub fn identity(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok()?;
    // A number is given again to what is made later.
    let made = metadata.created().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos();
    if made == 0 {
        return None;
    }
    Some(format!("file {} of {made} on device {}", metadata.ino(), metadata.dev()))
}
