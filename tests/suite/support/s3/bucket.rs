//! The objects of one bucket, in memory and in byte order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use hyper::body::Bytes;
use s3s::crypto::{Checksum, Md5};

/// One stored object.
#[derive(Clone, Debug)]
pub struct Stored {
    pub body: Bytes,
    pub modified: SystemTime,
    /// Without its quotes.
    pub etag: String,
    pub about: About,
}

/// What an object says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub content_type: Option<String>,
    /// The user's own: what travels as `x-amz-meta-…`.
    pub metadata: HashMap<String, String>,
    pub cache_control: Option<String>,
    /// A copy has none unless it is told.
    pub redirect: Option<String>,
    /// The KMS key that it is encrypted with; a copy has none unless it is told.
    pub kms_key: Option<String>,
    /// Whether it is encrypted with a key of the store's.
    pub is_encrypted: bool,
    /// Another class than the standard one; a copy has none unless it is told.
    pub class: Option<String>,
}

/// A bucket, and what it is told to do wrong when asked to delete.
pub struct Bucket {
    pub name: String,
    pub(super) page_size: AtomicUsize,
    /// Whether keys are listed in an order that is not theirs.
    pub(super) has_no_order: AtomicBool,
    /// Whether a listing begins with the first key below its prefix, wherever it is told to start.
    pub ignores_start_after: AtomicBool,
    /// Whether a listing calls its etags weak: a condition on a weak one is never met.
    pub lists_weak_etags: AtomicBool,
    /// Whether a listing rounds its times up, where a look rounds them down.
    pub lists_rounded_up: AtomicBool,
    /// What a listing names, whatever was stored or removed since.
    pub(super) listed: Mutex<Option<BTreeMap<String, Stored>>>,
    /// Whether a delete heeds `If-Match`, as few stores do.
    pub heeds_if_match: AtomicBool,
    /// What GetBucketVersioning says; without it the store has no such call.
    pub versioning: Mutex<Option<&'static str>>,
    /// Whether a copy loses `Cache-Control`, whatever it is told.
    pub loses_cache_control: AtomicBool,
    /// Whether a copy loses the user's own metadata.
    pub loses_metadata: AtomicBool,
    /// Whether the bucket is served as a website.
    pub is_website: AtomicBool,
    /// Whether everything that is stored, or copied, is encrypted from now on.
    pub encrypts: AtomicBool,
    /// Whether an etag is that of the bytes, under whatever key they are encrypted.
    pub names_by_bytes_alone: AtomicBool,
    /// Objects that were encrypted with a key.
    stored: AtomicUsize,
    objects: Mutex<BTreeMap<String, Stored>>,
    refused: Mutex<BTreeSet<String>>,
    unanswered: Mutex<BTreeSet<String>>,
}

/// What became of one key that was to be deleted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Deleted {
    Gone,
    Refused,
    /// Gone or not: the answer will not say.
    Unanswered,
}

/// A moment in the past, by our own clock.
pub fn hours_ago(hours: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(hours * 3600)
}

impl Bucket {
    pub(super) fn new(name: &str) -> Bucket {
        Bucket {
            name: name.to_owned(),
            page_size: AtomicUsize::new(1000),
            has_no_order: AtomicBool::new(false),
            ignores_start_after: AtomicBool::new(false),
            lists_weak_etags: AtomicBool::new(false),
            lists_rounded_up: AtomicBool::new(false),
            listed: Mutex::default(),
            heeds_if_match: AtomicBool::new(false),
            versioning: Mutex::new(None),
            loses_cache_control: AtomicBool::new(false),
            loses_metadata: AtomicBool::new(false),
            is_website: AtomicBool::new(false),
            encrypts: AtomicBool::new(false),
            names_by_bytes_alone: AtomicBool::new(false),
            stored: AtomicUsize::new(0),
            objects: Mutex::default(),
            refused: Mutex::default(),
            unanswered: Mutex::default(),
        }
    }

    /// Stores an object that was last modified at `modified`.
    pub fn put(&self, key: &str, body: &str, modified: SystemTime) {
        self.put_as(key, body, modified, About::default());
    }

    /// The same, of an object that says something of itself.
    pub fn put_as(&self, key: &str, body: &str, modified: SystemTime, about: About) {
        self.store(key, Bytes::from(body.to_owned()), modified, about);
    }

    /// Lists what is there now, whatever is stored or removed from now on.
    pub fn list_no_changes(&self) {
        let now = self.objects.lock().expect("the objects").clone();
        *self.listed.lock().expect("what is listed") = Some(now);
    }

    /// Takes an object away, as another program would.
    pub fn remove(&self, key: &str) -> Option<Stored> {
        self.objects.lock().expect("the objects").remove(key)
    }

    pub fn get(&self, key: &str) -> Option<Stored> {
        self.objects.lock().expect("the objects").get(key).cloned()
    }

    /// Every key, in byte order.
    pub fn keys(&self) -> Vec<String> {
        self.objects.lock().expect("the objects").keys().cloned().collect()
    }

    /// Answers `AccessDenied` for this key whenever it is to be deleted.
    pub fn refuse_to_delete(&self, key: &str) {
        self.refused.lock().expect("the refused keys").insert(key.to_owned());
    }

    /// Leaves this key out of both lists of a DeleteObjects answer, and the object where it is.
    pub fn leave_unanswered(&self, key: &str) {
        self.unanswered.lock().expect("the unanswered keys").insert(key.to_owned());
    }

    pub(super) fn store(&self, key: &str, body: Bytes, modified: SystemTime, about: About) -> Stored {
        // Under a key of its own the etag says nothing of the bytes, and no two are the same.
        let has_other = about.kms_key.is_some() && !self.names_by_bytes_alone.load(Ordering::Relaxed);
        let number = has_other.then(|| self.stored.fetch_add(1, Ordering::Relaxed).to_string());
        let named = [&body, number.unwrap_or_default().as_bytes()].concat();
        let etag = Md5::checksum(&named).iter().map(|byte| format!("{byte:02x}")).collect();
        let stored = Stored { body, modified, etag, about };
        self.objects.lock().expect("the objects").insert(key.to_owned(), stored.clone());
        stored
    }

    /// At most `limit` objects below `prefix` that come after `after`, and whether there are more.
    pub(super) fn page(&self, prefix: &str, after: &str, limit: usize) -> (Vec<(String, Stored)>, bool) {
        let (objects, listed) =
            (self.objects.lock().expect("the objects"), self.listed.lock().expect("what is listed"));
        let objects = listed.as_ref().unwrap_or(&objects);
        if self.has_no_order.load(Ordering::Relaxed) {
            let mut all: Vec<_> = objects.iter().filter(|(key, _)| key.starts_with(prefix)).collect();
            all.sort_by_key(|(key, _)| key.chars().rev().collect::<String>());
            let passed = all.iter().position(|(key, _)| *key == after).map_or(0, |at| at + 1);
            let mut rest = all.into_iter().skip(passed);
            let page = rest.by_ref().take(limit).map(|(key, stored)| (key.clone(), stored.clone())).collect();
            return (page, rest.next().is_some());
        }
        let from = match after < prefix {
            true => Bound::Included(prefix),
            false => Bound::Excluded(after),
        };
        let mut rest = objects.range::<str, _>((from, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
        let page = rest.by_ref().take(limit).map(|(key, stored)| (key.clone(), stored.clone())).collect();
        (page, rest.next().is_some())
    }

    pub(super) fn delete(&self, key: &str) -> Deleted {
        if self.refused.lock().expect("the refused keys").contains(key) {
            return Deleted::Refused;
        }
        if self.unanswered.lock().expect("the unanswered keys").contains(key) {
            return Deleted::Unanswered;
        }
        // Deleting what is not there succeeds, as on S3.
        self.remove(key);
        Deleted::Gone
    }
}
