//! An S3 bucket, through the AWS SDK, which lives in this folder and nowhere else.

mod connector;
mod copying;
mod gate;
mod listing;
pub mod page;
mod removing;
pub mod scan;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Result, anyhow};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::EncodingType;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use chrono::DateTime;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::config::{Place, Storage};
use crate::domain::{Object, Requests, Time};
use crate::exit_code::Misconfigured;
use crate::storage::{Copied, Copies, Hands, Listing, Presence, Removed, Store, Target};
use connector::Meter;
use gate::Gate;

/// The longest key that S3 can hold, in bytes (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>).
const MAX_KEY_BYTES: usize = 1024;

/// A bucket, and the prefix below which it is listed.
pub struct Bucket {
    client: Client,
    name: String,
    prefix: String,
    meter: Arc<Meter>,
    gate: Gate,
    /// Whether the store has turned out to have no DeleteObjects.
    deletes_singly: AtomicBool,
    /// Whether DeleteObjects wants a Content-MD5 and no other checksum.
    wants_md5: bool,
}

impl Bucket {
    /// Prepares a client from the configuration and the standard AWS credential chain; sends nothing to the bucket.
    pub async fn open(config: &Storage, prefix: &str) -> Result<Self> {
        let Place::S3 { bucket, endpoint, region, path_style } = &config.place else {
            return Err(anyhow!("not an S3 store"));
        };
        let (meter, gate) = (Arc::new(Meter::default()), Gate::new(config.concurrency));
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(connector::metered(meter.clone(), gate.clone()))
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
            loader = loader.endpoint_url(endpoint);
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
            prefix: prefix.to_owned(),
            meter,
            gate,
            deletes_singly: AtomicBool::new(false),
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
            Ok(head) if head.last_modified().is_none() => Err(anyhow!("HEAD of an object was answered with nothing")),
            Ok(head) => Ok(Presence::Present(object_of(key, &head))),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(404) => Ok(Presence::Missing),
                Some(400) => Ok(Presence::Unknown("the store does not answer for this key (400)".to_owned())),
                _ => Err(explained("HEAD of an object", error)),
            },
        }
    }
}

impl Store for Bucket {
    fn listing(&self, after: Option<&str>) -> Box<dyn Listing> {
        let first = self.client.list_objects_v2().bucket(&self.name).prefix(&self.prefix);
        Box::new(listing::Pages::new(first.set_start_after(after.map(str::to_owned)), self.meter.clone()))
    }

    fn look<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Presence>> {
        self.head(key).boxed()
    }

    fn has_any<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<bool>> {
        let first = self.client.list_objects_v2().bucket(&self.name).prefix(folder).max_keys(2);
        let mut pages = listing::Pages::new(first, self.meter.clone());
        async move {
            let page = pages.next_page().await?;
            // A marker of the folder itself is not below it.
            Ok(page.is_some_and(|page| page.objects.iter().any(|object| object.key != folder)))
        }
        .boxed()
    }

    fn hands(&self) -> Hands<'_> {
        Hands::Copies(self)
    }

    fn is_there(&self) -> BoxFuture<'_, Result<()>> {
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(&self.prefix).max_keys(1);
        // XML cannot carry every key.
        let request = request.encoding_type(EncodingType::Url);
        async move { request.send().await.map(|_| ()).map_err(|error| explained("listing the bucket", error)) }.boxed()
    }

    fn lists_ranges(&self) -> bool {
        true
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
    fn copy<'a>(&'a self, from: &'a Object, to: &'a str, target: Target) -> BoxFuture<'a, Result<Copied>> {
        self.copy_object(from, to, target).boxed()
    }

    fn remove<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Vec<Removed>> {
        self.remove_objects(keys).boxed()
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
    }
}

/// Storage classes whose objects must be restored before they can be read or copied.
fn is_archive(class: &str) -> bool {
    matches!(class, "GLACIER" | "DEEP_ARCHIVE")
}

fn time(at: &aws_smithy_types::DateTime) -> Option<Time> {
    DateTime::from_timestamp(at.secs(), at.subsec_nanos())
}

/// An SDK error as one line: what was tried, the store's own code and message, or what broke on the way.
fn explained<E>(what: &str, error: SdkError<E, HttpResponse>) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let Some(service) = error.as_service_error()
        && let Some(status) = error.raw_response().map(|response| response.status().as_u16())
    {
        let code = service.code().unwrap_or("no error code");
        return match service.message() {
            Some(message) => anyhow!("{what} failed: {status} {code}: {message}"),
            None => anyhow!("{what} failed: {status} {code}"),
        };
    }
    let mut text = format!("{what} failed: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        let line = inner.to_string();
        if !text.contains(&line) {
            text = format!("{text}: {line}");
        }
        cause = inner.source();
    }
    if text.contains("credentials") {
        text += " (credentials are the standard AWS ones: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, …)";
    }
    anyhow!(text)
}
