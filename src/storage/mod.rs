//! Where objects lie: one trait, a bucket or a folder behind it. Nothing here knows of databases, and nothing here
//! decides what an object amounts to.
//!
//! Errors end a listing; they are never elements to skip. A listing that ends without an error is complete.

mod local;
pub mod s3;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::FutureExt;
use futures::future::BoxFuture;
use globset::GlobSet;

use crate::config::{AgeBy, Config, Place, Storage, TrashPlace};
use crate::domain::listed::Objects;
use crate::domain::removal::Versions;
use crate::domain::{FileNumber, FolderRights, Object, Requests, Time};
use crate::same_file;

/// A bucket or a folder.
pub trait Store: Send + Sync {
    /// Lists the objects below the store's prefix whose keys come after `after`, in byte order.
    fn listing(&self, after: Option<&str>) -> Box<dyn Listing>;

    /// Lists the objects below a folder, whose name ends in `/`, in no certain order. Nothing is asked but for its prefix: not
    /// every store heeds where a listing is to start.
    fn listing_below(&self, folder: &str) -> Box<dyn Listing>;

    /// Looks at one object.
    ///
    /// # Errors
    /// Whatever leaves open whether it is there: a refusal, a timeout, a server's fault.
    fn look<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Presence>>;

    /// How it takes files away, and brings them back.
    fn hands(&self) -> Hands<'_>;

    /// Whether the bytes of a deleted object stay, as an old version of it.
    fn keeps_versions(&self) -> BoxFuture<'_, Versions> {
        async { Versions::None }.boxed()
    }

    /// Whether any object is below a folder, whose name ends in `/`.
    ///
    /// # Errors
    /// Whatever leaves that open.
    fn has_any<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// The same where doubt counts: a marker of the folder itself, and in a folder what nobody can look into, may be all that
    /// it holds.
    ///
    /// # Errors
    /// Whatever leaves that open.
    fn may_hold_any<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// Asks for the bucket itself: looks that answered "missing" mean nothing where the bucket is gone.
    fn is_there(&self) -> BoxFuture<'_, Result<()>>;

    /// Whether ranges of keys can be listed beside each other; otherwise one listing serves them in turn.
    fn lists_ranges(&self) -> bool;

    /// Whether it would take one more request at once, as far as it has shown.
    fn has_room(&self) -> bool {
        true
    }

    /// Waits until it would.
    fn room(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }

    /// No object of the store has a longer key.
    fn longest_key_bytes(&self) -> usize;

    /// Whether files may open at keys that were not listed, and have [numbers](Self::file_number) by which that is seen.
    fn has_other_names(&self) -> bool {
        false
    }

    /// The links and mounts that were seen, at most [`MOST_OTHER_NAMES`] of them.
    fn other_names(&self) -> Vec<OtherName> {
        Vec::new()
    }

    /// The number of the file that opens at this key, links and mounts followed; `None`: none opens, or files have none.
    fn file_number(&self, _key: &str) -> Option<FileNumber> {
        None
    }

    /// What the store was asked so far.
    fn requests(&self) -> Requests;

    /// File names seen that are not UTF-8, and so are never findings, as they would be in Latin-1.
    fn unreadable_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// More links and mounts of a folder are not kept.
pub const MOST_OTHER_NAMES: usize = 20_000;

/// A link, or a mount, below a folder: another name of what lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherName {
    pub key: String,
    /// The key of what it leads to, empty for the root itself; `None`: that lies elsewhere, or nobody knows.
    pub target: Option<String>,
}

/// The two ways in which a store can part with a file.
pub enum Hands<'s> {
    Copies(&'s dyn Copies),
    Moves(&'s dyn Moves),
}

/// What a bucket can do: a file is copied to the trash and then deleted.
pub trait Copies: Send + Sync {
    /// One page of the objects below `below` whose keys come after `after`, as the store gives it; `None`: it has none.
    ///
    /// # Errors
    /// Whatever leaves in doubt what the page says.
    fn page<'a>(&'a self, below: &'a str, after: &'a str) -> BoxFuture<'a, Result<Option<Page>>>;

    /// Copies an object, with everything that is stored with it, if it is still the one that was looked at; and looks at the
    /// copy.
    ///
    /// # Errors
    /// Whatever leaves open whether the copy was made.
    fn copy<'a>(&'a self, from: &'a Object, to: &'a str, target: Target) -> BoxFuture<'a, Result<Copied>>;

    /// The same without a look at the copy; `told`: with a look at the object, by which the copy is told what to keep. An
    /// object of several parts is copied as [there](Self::copy).
    ///
    /// # Errors
    /// Whatever leaves open whether the copy was made.
    fn copy_unseen<'a>(
        &'a self,
        from: &'a Object,
        to: &'a str,
        target: Target,
        told: bool,
    ) -> BoxFuture<'a, Result<Copied>>;

    /// Looks at an object and at what was made of it by a copy, and compares what is stored with them.
    ///
    /// # Errors
    /// Whatever leaves open what they are, or that one of them is not there.
    fn compare<'a>(&'a self, from: &'a Object, copy: &'a str) -> BoxFuture<'a, Result<Copied>>;

    /// Tries, with an object of its own at `place` that has all that an object can have beside its bytes, what a copy keeps;
    /// `None`: nobody knows.
    fn try_copies<'a>(&'a self, place: &'a str) -> BoxFuture<'a, Option<TriedCopies>>;

    /// Whether the bucket is surely not served as a website: nobody is redirected then.
    fn is_no_website(&self) -> BoxFuture<'_, bool>;

    /// Tries, with an object of its own at `place`, whether a listing names at once what is stored, stored over and removed.
    fn try_listing<'a>(&'a self, place: &'a str) -> BoxFuture<'a, bool>;

    /// Removes objects for good; each key has an answer of its own, in the order of `keys`. Nothing is tried twice (I13).
    fn remove<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Vec<Removed>>;

    /// The same of objects, each only while it is the one that was looked at, as far as the store can promise that. Where it
    /// cannot, no delete is begun after `until`.
    fn remove_unchanged<'a>(&'a self, objects: &'a [&'a Object], until: Instant) -> BoxFuture<'a, Vec<Removed>>;

    /// Tries whether the store honours a condition on a delete, with an object of its own at `place`.
    fn try_conditions<'a>(&'a self, place: &'a str) -> BoxFuture<'a, Tried>;

    /// Says whether it does, as was found out by [trying](Self::try_conditions): deletes carry conditions then.
    fn set_conditions(&self, are_honoured: bool);

    /// Whether they do now.
    fn heeds_conditions(&self) -> bool;

    /// Whether a delete was refused since, so that what was found out may be wrong.
    fn doubts_conditions(&self) -> bool;
}

/// What a folder can do: one step takes whatever is at a path, so that nothing that is stored there meanwhile is lost.
pub trait Moves: Send + Sync {
    /// Takes each object to its key in the trash, or away for good where it has none; what turns out to be another object
    /// than the one that was judged is put back.
    ///
    /// # Errors
    /// Whatever kept it from being moved: it is where it was.
    fn take(&self, going: &[(&Object, Option<&str>)]) -> Vec<Result<Taken>>;

    /// Moves a file from the trash to a key at which nothing is; folders that are gone are made as `rights` say, or as the
    /// one that they lie in.
    ///
    /// # Errors
    /// Whatever kept it from being moved: it is in the trash.
    fn give_back(&self, trash_key: &str, key: &str, rights: &[FolderRights]) -> Result<Returned>;

    /// Looks at a file in the trash.
    ///
    /// # Errors
    /// As [`Store::look`].
    fn look_in_trash(&self, trash_key: &str) -> Result<Presence>;

    /// Removes files from the trash for good; the answers are in the order of the keys. `None`: it was not there.
    fn discard(&self, trash_keys: &[&str]) -> Vec<Option<Removed>>;

    /// Brings back what a run that was killed had in hand as it removed this key for good.
    ///
    /// # Errors
    /// Whatever leaves open whether there was such a file.
    fn bring_back_from_hand(&self, key: &str) -> Result<()>;

    /// Whose the folders above these keys are, each folder once.
    fn rights_above(&self, keys: &[&str]) -> Vec<FolderRights>;

    /// Removes these folders, and those above them, where they are empty; never a first one below `base`.
    fn remove_emptied(&self, folders: BTreeSet<String>, base: &str);
}

/// What became of an object that was to be taken away.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    Done,
    /// What is there is not the object that was judged, and is where it was.
    Changed,
    /// Nothing is there any more.
    Gone,
    /// Something is at its place in the trash, and was left alone.
    TargetTaken,
    /// What was taken is not the object that was judged, or could not be removed, and something was stored at its key since:
    /// where it is, and why.
    Left(String),
    /// Nobody knows: the next run must look it up.
    Unknown(String),
}

/// What became of a file on its way back.
#[derive(Debug, PartialEq, Eq)]
pub enum Returned {
    Done,
    /// Something else is at its key, and was left alone.
    TargetTaken,
    /// The trash does not have it.
    NotThere,
}

/// A listing under way.
pub trait Listing: Send {
    /// The next objects, in byte order; `None` at the end.
    fn next_page(&mut self) -> BoxFuture<'_, Result<Option<Page>>>;
}

/// Some objects that follow each other, and the store's own time when it named them.
#[derive(Debug)]
pub struct Page {
    pub objects: Objects,
    /// Whether the listing said that more follows; where it does not say, it may.
    pub more: bool,
    pub now: Time,
}

/// What a look at one object found.
#[derive(Debug, PartialEq)]
pub enum Presence {
    Present(Object),
    /// Proven: a 404 for this key, or a path at which no file is.
    Missing,
    /// Neither can be said, and why; no run may act on it.
    Unknown(String),
}

/// What a copy may meet at its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A key of the run's own, which nobody else writes.
    Own,
    /// A key at which somebody may have put something meanwhile: that stays.
    MustBeFree,
}

/// What became of a copy.
#[derive(Debug, PartialEq, Eq)]
pub enum Copied {
    /// The copy, as a look at it says.
    Done(Box<Object>),
    /// The store says that it was made, and nobody has looked at it.
    Made,
    /// The copy was made, and this of what is stored with the object is not as it was.
    Lost(&'static str),
    /// The object is no longer the one that was looked at.
    SourceChanged,
    /// Something is at the target, and was left alone.
    TargetTaken,
}

/// What a try of a delete with a condition has shown.
#[derive(Debug, PartialEq, Eq)]
pub enum Tried {
    /// A wrong condition is refused, and a right one is met.
    Honoured,
    /// The store deletes whatever the condition says, or has no conditions.
    Ignored,
    /// Nothing: it could not be tried, or the answers were odd.
    Nothing,
    /// No delete is allowed at all, and what the store says to it.
    NoDeletes(String),
}

/// What a try has shown.
#[derive(Debug, Clone, Copy)]
pub struct TriedCopies {
    pub keeps: Keeps,
    /// Whether the store took all that was to be tried: what it does not take now it may take later.
    pub is_whole: bool,
}

/// What a try has shown that copies keep of what is stored beside the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Everything.
    All,
    /// Everything, but for a website's redirect; that too where they are told it.
    AllButRedirects,
    /// Everything, where they are told what there is.
    Told,
}

/// What copies keep of it, as things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Nobody knows: each is compared with what was copied.
    Unknown,
    /// Everything, where they are told what there is.
    Told,
    /// Everything.
    All,
}

/// What became of one key of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// The store says so.
    Gone,
    /// What is there is not the object that was looked at, and stays.
    Changed,
    /// The store refused, and the object is still there.
    Refused(String),
    /// Nobody knows: it must be looked up.
    Unknown(String),
    /// The store was not asked: the time was over until which it could be.
    NotTried,
}

/// Looks for what a row names: an object, or where `is_folder`, and the key ends in `/`, anything below it, or an object
/// of the folder's own name.
///
/// # Errors
/// Whatever leaves open whether it is there.
pub async fn look_for(store: &dyn Store, key: &str, is_folder: bool) -> Result<Presence> {
    let Some(bare) = key.strip_suffix('/').filter(|_| is_folder) else { return store.look(key).await };
    // It was found by a look at more than its key: that a listing lacks the key says nothing.
    let folder = Object {
        key: key.to_owned(),
        size: 0,
        last_modified: None,
        etag: None,
        archived: false,
        opaque_etag: false,
        is_new: true,
        is_plain: false,
    };
    if store.may_hold_any(key).await? {
        return Ok(Presence::Present(folder));
    }
    if bare.is_empty() {
        return Ok(Presence::Missing);
    }
    match store.look(bare).await? {
        Presence::Present(_) => Ok(Presence::Present(folder)),
        presence => Ok(presence),
    }
}

/// Opens the store. `prefix` narrows what is listed; `own` are files of the tool itself, which are no objects.
pub async fn open(config: &Config, prefix: &str, own: &[PathBuf]) -> Result<Box<dyn Store>> {
    Ok(match &config.storage.place {
        Place::S3 { .. } => Box::new(s3::Bucket::open(&config.storage, prefix).await?),
        Place::Local { root, age_by } => {
            let min_age = config.safety.min_age.0;
            let new_for = if *age_by == AgeBy::Stored { min_age } else { Duration::ZERO };
            let folder = local::Folder::open(root, prefix, &config.storage.ignore)?;
            let folder = folder.with_new_for(new_for).with_own(own);
            Box::new(match &config.trash.place {
                TrashPlace::Folder(trash) if config.trash.enabled => {
                    folder.with_trash(trash, &config.storage.prefix)?
                }
                _ => folder,
            })
        }
    })
}

/// A listing of the trash.
pub struct TrashListing {
    pub listing: Box<dyn Listing>,
    pub place: TrashPlaces,
}

/// How keys of the trash are written.
pub struct TrashPlaces {
    /// What they begin with in the listing.
    pub below: String,
    /// What the ledger puts in front of them: the folder, where the trash has one of its own.
    pub outside: String,
}

/// Lists everything that is in the trash.
///
/// # Errors
/// A folder of its own that cannot be opened.
pub fn trash_listing(config: &Config, store: &dyn Store) -> Result<TrashListing> {
    Ok(match &config.trash.place {
        TrashPlace::Prefix(prefix) => TrashListing {
            listing: store.listing_below(prefix),
            place: TrashPlaces { below: prefix.clone(), outside: String::new() },
        },
        TrashPlace::Folder(folder) => {
            let trash = local::Folder::open(Path::new(folder), "", &GlobSet::empty())?;
            TrashListing {
                listing: trash.listing(None),
                place: TrashPlaces { below: String::new(), outside: folder.clone() },
            }
        }
    })
}

/// A place of trash as keys of the store begin; `None`: it is outside of the store.
pub fn key_below_root(config: &Storage, place: &str) -> Option<String> {
    match &config.place {
        Place::Local { root, .. } if place.starts_with('/') => {
            let (root, place) = (root.canonicalize().ok()?, std::fs::canonicalize(place).ok()?);
            let below = place.strip_prefix(root).ok()?.to_str()?;
            (!below.is_empty()).then(|| format!("{below}/"))
        }
        _ => Some(place.to_owned()),
    }
}

/// The kind and the address of the configured store, as reports name them: never a secret (I15).
pub fn address(config: &Storage) -> (&'static str, String) {
    match &config.place {
        Place::S3 { bucket, endpoint, region, .. } => {
            let region = region.as_deref().filter(|region| !region.is_empty());
            let host = match (endpoint, region) {
                (Some(endpoint), _) => without_credentials(endpoint.trim_end_matches('/')),
                (None, Some(region)) => format!("https://s3.{region}.amazonaws.com"),
                (None, None) => "https://s3.amazonaws.com".to_owned(),
            };
            ("s3", [host.as_str(), bucket, &config.prefix].join("/").trim_end_matches('/').to_owned())
        }
        Place::Local { root, .. } => {
            let root = std::path::absolute(root).unwrap_or_else(|_| root.clone());
            let path = root.join(&config.prefix).display().to_string();
            ("local", if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path })
        }
    }
}

/// What the configured store is, by whatever name it is reached: the bucket at its endpoint, or the folder itself; `None`:
/// it is not there.
pub fn identity(config: &Storage) -> Option<String> {
    match &config.place {
        Place::S3 { .. } => Some(canonical(&address(config).1)),
        Place::Local { root, .. } => {
            Some(format!("{} {}", same_file::identity(root)?, config.prefix).trim_end().to_owned())
        }
    }
}

/// What runs on one store lock, from whatever host and under whatever name they reach it.
pub fn lock_name(config: &Storage) -> String {
    match &config.place {
        Place::S3 { .. } => canonical(&address(config).1),
        Place::Local { root, .. } => root
            .canonicalize()
            .map_or_else(|_| address(config).1, |root| root.join(&config.prefix).display().to_string()),
    }
}

/// The address of a bucket, however it is written: the host in small letters and without the port that goes without saying.
/// At AWS a bucket's name is one for all regions.
fn canonical(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (scheme, host) = (scheme.to_lowercase(), host.to_lowercase());
    let port = if scheme == "http" { ":80" } else { ":443" };
    let host = host.strip_suffix(port).unwrap_or(&host);
    let is_aws = host.ends_with(".amazonaws.com") && (host.starts_with("s3.") || host.starts_with("s3-"));
    let host = if is_aws { "s3.amazonaws.com" } else { host };
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    format!("{scheme}://{host}/{}", path.join("/"))
}

fn without_credentials(endpoint: &str) -> String {
    match endpoint.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
        None => endpoint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn a_bucket_is_the_same_however_its_address_is_written() {
        for (one, other) in [
            ("https://Example.COM:443/app/a", "https://example.com/app/a"),
            ("HTTP://example.com:80//app/", "http://example.com/app"),
            ("https://s3.eu-west-1.amazonaws.com/app", "https://s3.amazonaws.com/app"),
        ] {
            assert_eq!(canonical(one), canonical(other));
        }
        for (one, other) in [
            ("https://example.com/app", "https://example.com/App"),
            ("https://example.com:9000/app", "https://example.com/app"),
            ("http://example.com/app", "https://example.com/app"),
            ("https://example.com/app/a", "https://example.com/app/b"),
            ("https://my.amazonaws.com/app", "https://s3.amazonaws.com/app"),
        ] {
            assert_ne!(canonical(one), canonical(other));
        }
    }
}
