//! PURE: a stored file, and what asking for it costs.

use super::Time;

/// One stored file, as a listing or a look-up gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The full name in the bucket, or the path below the local root, `/`-separated.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// By the store's own clock; `None` where the store gave none that can be read, which counts as young.
    pub last_modified: Option<Time>,
    /// As the store gave it, quotes included; `None` where a store has none.
    pub etag: Option<String>,
    /// Whether it lies in a storage class that must be restored before it can be copied.
    pub archived: bool,
    /// Whether the etag is known to say nothing of the bytes: under SSE-KMS and SSE-C, a copy has another one.
    pub opaque_etag: bool,
    /// Whether it came here so recently that it is young, whatever its modification time says.
    pub is_new: bool,
    /// Whether a copy that is told nothing lacks nothing of it, as far as the listing or the look can say.
    pub is_plain: bool,
}

impl Object {
    /// The etag without quotes and without `W/`: stores write the same one now so, now so.
    pub fn bare_etag(&self) -> Option<&str> {
        let etag = self.etag.as_deref()?;
        Some(etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"'))
    }
}

/// What a file system tells a file by: its device, and its number on it.
pub type FileNumber = (u64, u64);

/// Whose a folder of a local store is, and who may do what in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRights {
    /// Its key, which ends in `/`.
    pub key: String,
    pub owner: u32,
    pub group: u32,
    /// With the bits for set-group-ID and sticky.
    pub mode: u32,
}

/// Requests sent to a store, retries included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    pub list: u64,
    pub head: u64,
    pub copy: u64,
    pub delete: u64,
}
