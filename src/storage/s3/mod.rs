//! An S3 bucket, through the AWS SDK, which lives in this folder and nowhere else.

mod about;
mod certificates;
mod conditions;
mod connector;
mod copying;
mod explained;
mod gate;
mod listing;
pub mod page;
mod removing;
pub mod scan;
mod trying;
mod unordered;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::types::{BucketVersioningStatus, EncodingType};
use chrono::DateTime;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::config::{ListingOrder, Place, Storage};
use crate::domain::removal::Versions;
use crate::domain::{Object, Requests, Time};
use crate::exit_code::Misconfigured;
use crate::storage::{Copied, Copies, Hands, Listing, Page, Presence, Removed, Store, Target, Tried, TriedCopies};
use about::LastLooks;
use connector::Meter;
use explained::Host;
use gate::Gate;
use unordered::Unordered;

/// The longest key that S3 can hold, in bytes (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>).
const MAX_KEY_BYTES: usize = 1024;

const NOTHING: &str = "HEAD of an object was answered with nothing";

/// A bucket, and the prefix below which it is listed.
pub struct Bucket {
    client: Client,
    name: String,
    host: Host,
    prefix: String,
    meter: Arc<Meter>,
    gate: Gate,
    listing: ListingOrder,
    last_looks: LastLooks,
    /// Whether the store has turned out to have no DeleteObjects.
    deletes_singly: AtomicBool,
    /// Whether the store heeds a condition on a delete.
    heeds_conditions: AtomicBool,
    /// Whether a delete was refused, so that what was learned of deletes may be wrong.
    doubts_conditions: AtomicBool,
    /// Whether DeleteObjects wants a Content-MD5 and no other checksum.
    wants_md5: bool,
}

impl Bucket {
    /// Prepares a client from the configuration and the standard AWS credential chain; sends nothing to the bucket.
    pub async fn open(config: &Storage, prefix: &str) -> Result<Self> {
        let Place::S3 { bucket, endpoint, region, path_style, ca_file } = &config.place else {
            return Err(anyhow!("not an S3 store"));
        };
        let (meter, gate) = (Arc::new(Meter::default()), Gate::new(config.concurrency));
        let trusted = certificates::trusted(ca_file.as_deref()).await?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(connector::metered(meter.clone(), gate.clone(), trusted))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(7)
                    // The gate lets fewer pass where the store asks for less: a retry need not wait as well.
                    .with_initial_backoff(Duration::from_millis(100))
                    .with_max_backoff(Duration::from_secs(10)),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(10))
                    .read_timeout(Duration::from_secs(60))
                    .operation_attempt_timeout(Duration::from_secs(120))
                    .build(),
            );
        if let Some(region) = region.as_deref().filter(|region| !region.is_empty()) {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(endpoint) = endpoint {
            // The SDK puts the bucket right behind it: /s3 would become /s3bucket.
            loader = loader.endpoint_url(format!("{}/", endpoint.trim_end_matches('/')));
        }
        let shared = loader.load().await;
        if let (None, Some(profile)) = (endpoint, shared.endpoint_url()) {
            // Reports, the ledger and prompts name the endpoint: it must be known to them.
            let message = format!("[storage] endpoint is not set, but the AWS profile sets {profile}; name it here");
            return Err(Misconfigured(message).into());
        }
        if shared.region().is_none() && endpoint.is_none() {
            return Err(Misconfigured("[storage] region is not set, here or in AWS_REGION".to_owned()).into());
        }
        let mut builder = aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(*path_style)
            // R2 and others answer 501 to checksums that they do not know.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if shared.region().is_none() {
            builder = builder.region(Region::new("us-east-1"));
        }
        let client = Client::from_conf(builder.build());
        Ok(Bucket {
            client,
            name: bucket.clone(),
            host: Host::of(endpoint.as_deref(), bucket),
            prefix: prefix.to_owned(),
            meter,
            gate,
            listing: config.listing,
            last_looks: LastLooks::default(),
            deletes_singly: AtomicBool::new(false),
            heeds_conditions: AtomicBool::new(false),
            doubts_conditions: AtomicBool::new(false),
            wants_md5: endpoint.is_some(),
        })
    }

    async fn head(&self, key: &str) -> Result<Presence> {
        // No key this long can be stored, and asking for it is an error that says nothing.
        if key.len() > MAX_KEY_BYTES {
            return Ok(Presence::Missing);
        }
        match self.client.head_object().bucket(&self.name).key(key).send().await {
            // Whoever has the object can say of when it is.
            Ok(head) if head.last_modified().is_none() => Err(anyhow!(NOTHING)),
            Ok(head) => {
                let object = object_of(key, &head);
                self.last_looks.remember(key, head);
                Ok(Presence::Present(object))
            }
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(404) => Ok(Presence::Missing),
                Some(400) => Ok(Presence::Unknown("the store does not answer for this key (400)".to_owned())),
                _ => Err(self.explained("HEAD of", key, error)),
            },
        }
    }
}

impl Bucket {
    /// Whether a deleted object stays as an old version. A store that has no such call has no versions; whoever may not ask
    /// does not know.
    async fn versions(&self) -> Versions {
        match self.client.get_bucket_versioning().bucket(&self.name).send().await {
            Ok(versioning) => match versioning.status() {
                None => Versions::None,
                Some(BucketVersioningStatus::Suspended) => Versions::Suspended,
                Some(_) => Versions::Kept,
            },
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(404 | 405 | 501) => Versions::None,
                // Not everybody calls the answer by the name that the SDK expects.
                Some(200) => {
                    let body = error.raw_response().and_then(|response| response.body().bytes()).unwrap_or_default();
                    let says = |words: &str| memchr::memmem::find(body, words.as_bytes()).is_some();
                    match (says("<Status>Suspended"), says("<Status>")) {
                        (true, _) => Versions::Suspended,
                        (false, true) => Versions::Kept,
                        (false, false) => Versions::None,
                    }
                }
                _ => Versions::Unknown,
            },
        }
    }
}

impl Bucket {
    fn pages(&self, first: ListObjectsV2FluentBuilder) -> listing::Pages {
        listing::Pages::new(first.bucket(&self.name), self.meter.clone(), self.host.clone())
    }

    /// Whether any key below a folder counts.
    async fn any_below(&self, folder: &str, counts: impl Fn(&str) -> bool) -> Result<bool> {
        let mut pages = self.pages(self.client.list_objects_v2().prefix(folder).max_keys(2));
        // A page may be empty, and say that more follows.
        while let Some(page) = pages.next_page().await? {
            if page.objects.iter().any(|object| counts(object.key)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Store for Bucket {
    fn listing(&self, after: Option<&str>) -> Box<dyn Listing> {
        let first = self.client.list_objects_v2().prefix(&self.prefix).set_start_after(after.map(str::to_owned));
        let pages = self.pages(first);
        match self.listing {
            ListingOrder::Ordered => Box::new(pages),
            ListingOrder::Unordered => Box::new(Unordered::Unread(Box::new(pages))),
        }
    }

    fn listing_below(&self, folder: &str) -> Box<dyn Listing> {
        Box::new(self.pages(self.client.list_objects_v2().prefix(folder)))
    }

    fn look<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Presence>> {
        self.head(key).boxed()
    }

    fn has_any<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<bool>> {
        // A marker of the folder itself is not below it.
        self.any_below(folder, move |key| key != folder).boxed()
    }

    fn may_hold_any<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<bool>> {
        self.any_below(folder, |_| true).boxed()
    }

    fn hands(&self) -> Hands<'_> {
        Hands::Copies(self)
    }

    fn keeps_versions(&self) -> BoxFuture<'_, Versions> {
        self.versions().boxed()
    }

    fn is_there(&self) -> BoxFuture<'_, Result<()>> {
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(&self.prefix).max_keys(1);
        // XML cannot carry every key.
        let request = request.encoding_type(EncodingType::Url);
        async move { request.send().await.map(|_| ()).map_err(|error| self.explained("listing", &self.name, error)) }
            .boxed()
    }

    fn lists_ranges(&self) -> bool {
        self.listing == ListingOrder::Ordered
    }

    fn has_room(&self) -> bool {
        self.gate.has_room()
    }

    fn room(&self) -> BoxFuture<'_, ()> {
        self.gate.room().boxed()
    }

    fn longest_key_bytes(&self) -> usize {
        MAX_KEY_BYTES
    }

    fn requests(&self) -> Requests {
        self.meter.requests()
    }
}

impl Copies for Bucket {
    fn page<'a>(&'a self, below: &'a str, after: &'a str) -> BoxFuture<'a, Result<Option<Page>>> {
        let first = self.client.list_objects_v2().prefix(below);
        let mut pages = self.pages(first.set_start_after((!after.is_empty()).then(|| after.to_owned())));
        async move { pages.next_page().await }.boxed()
    }

    fn copy<'a>(&'a self, from: &'a Object, to: &'a str, target: Target) -> BoxFuture<'a, Result<Copied>> {
        self.copy_object(from, to, target).boxed()
    }

    fn copy_unseen<'a>(
        &'a self,
        from: &'a Object,
        to: &'a str,
        target: Target,
        told: bool,
    ) -> BoxFuture<'a, Result<Copied>> {
        self.copy_object_unseen(from, to, target, told).boxed()
    }

    fn compare<'a>(&'a self, from: &'a Object, copy: &'a str) -> BoxFuture<'a, Result<Copied>> {
        self.compare_with(from, copy).boxed()
    }

    fn try_copies<'a>(&'a self, place: &'a str) -> BoxFuture<'a, Option<TriedCopies>> {
        self.try_copies_at(place).boxed()
    }

    fn is_no_website(&self) -> BoxFuture<'_, bool> {
        self.has_no_website().boxed()
    }

    fn try_listing<'a>(&'a self, place: &'a str) -> BoxFuture<'a, bool> {
        self.try_listing_at(place).boxed()
    }

    fn remove<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Vec<Removed>> {
        self.remove_objects(keys, None).boxed()
    }

    fn remove_unchanged<'a>(&'a self, objects: &'a [&'a Object], until: Instant) -> BoxFuture<'a, Vec<Removed>> {
        self.remove_objects_unchanged(objects, until).boxed()
    }

    fn try_conditions<'a>(&'a self, place: &'a str) -> BoxFuture<'a, Tried> {
        self.try_conditional_deletes(place).boxed()
    }

    fn set_conditions(&self, are_honoured: bool) {
        self.heeds_conditions.store(are_honoured, Relaxed);
    }

    fn heeds_conditions(&self) -> bool {
        self.heeds_conditions.load(Relaxed)
    }

    fn doubts_conditions(&self) -> bool {
        self.doubts_conditions.load(Relaxed)
    }
}

fn object_of(key: &str, head: &HeadObjectOutput) -> Object {
    Object {
        key: key.to_owned(),
        size: head.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        last_modified: head.last_modified().and_then(time).filter(page::is_believable),
        etag: head.e_tag().map(str::to_owned),
        archived: head.storage_class().is_some_and(|class| is_archive(class.as_str())),
        opaque_etag: head.sse_customer_algorithm().is_some()
            || head.server_side_encryption().is_some_and(|kind| kind.as_str().starts_with("aws:kms")),
        is_new: false,
        is_plain: about::is_plain(head),
    }
}

/// Storage classes whose objects must be restored before they can be read or copied.
fn is_archive(class: &str) -> bool {
    matches!(class, "GLACIER" | "DEEP_ARCHIVE")
}

fn time(at: &aws_smithy_types::DateTime) -> Option<Time> {
    DateTime::from_timestamp(at.secs(), at.subsec_nanos())
}
