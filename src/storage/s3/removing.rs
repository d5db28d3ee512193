//! DeleteObjects, and single deletes where it cannot serve. Nothing is retried: what a lost answer leaves open is looked
//! up by whoever asked (I13).

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::base64;
use futures::StreamExt;
use md5::{Digest, Md5};

use super::Bucket;
use super::connector::{Until, is_too_late};
use crate::storage::Removed;

/// Keys in a DeleteObjects, at most
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).
const MAX_KEYS: usize = 1000;
/// Single deletes in flight.
const SINGLE: usize = 16;

impl Bucket {
    /// Deletes; what could not be asked for until then is not asked for.
    pub(super) async fn remove_objects(&self, keys: &[&str], until: Option<Instant>) -> Vec<Removed> {
        let mut answers: HashMap<&str, Removed> = HashMap::with_capacity(keys.len());
        let (many, single): (Vec<&str>, Vec<&str>) = keys.iter().partition(|key| is_plain_xml(key));
        for batch in many.chunks(MAX_KEYS) {
            if batch.len() == 1 || self.deletes_singly.load(Relaxed) {
                answers.extend(self.remove_singly(batch, until).await);
            } else {
                answers.extend(self.remove_together(batch, until).await);
            }
        }
        answers.extend(self.remove_singly(&single, until).await);
        let unanswered = || Removed::Unknown("the store did not answer for this key".to_owned());
        keys.iter().map(|key| answers.remove(key).unwrap_or_else(unanswered)).collect()
    }

    pub(super) async fn remove_together<'k>(
        &self,
        keys: &[&'k str],
        until: Option<Instant>,
    ) -> HashMap<&'k str, Removed> {
        let all = |answer: Removed| keys.iter().map(|key| (*key, answer.clone())).collect();
        if is_over(until) {
            return all(Removed::NotTried);
        }
        let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(*key).build()).collect::<Result<_, _>>();
        let delete = objects.and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(false).build());
        let delete = match delete {
            Ok(delete) => delete,
            Err(error) => return all(Removed::Refused(error.to_string())),
        };
        let wants_md5 = self.wants_md5;
        let request = self.client.delete_objects().bucket(&self.name).delete(delete).customize();
        let request = request.config_override(without_retries()).mutate_request(move |request| {
            limit(request, until);
            if wants_md5 && let Some(body) = request.body().bytes() {
                let md5 = base64::encode(Md5::digest(body));
                let checksums: Vec<String> = request
                    .headers()
                    .iter()
                    .map(|(name, _)| name.to_owned())
                    .filter(|name| name.starts_with("x-amz-checksum-") || name.starts_with("x-amz-sdk-checksum-"))
                    .collect();
                for name in checksums {
                    request.headers_mut().remove(name);
                }
                request.headers_mut().insert("content-md5", md5);
            }
        });
        match request.send().await {
            Ok(output) => {
                let deleted = output.deleted().iter().filter_map(|deleted| Some((deleted.key()?, Removed::Gone)));
                let errors = output.errors().iter().filter_map(|error| {
                    let (code, message) = (error.code().unwrap_or("no code"), error.message().unwrap_or_default());
                    let said = format!("{code}: {message}");
                    let answer = match refuses(code) {
                        true => {
                            self.doubts_conditions.store(true, Relaxed);
                            Removed::Refused(said)
                        }
                        false => Removed::Unknown(said),
                    };
                    Some((error.key()?, answer))
                });
                // A key in both lists was not removed for sure.
                let answered: HashMap<&str, Removed> = deleted.chain(errors).collect();
                keys.iter().filter_map(|key| Some((*key, answered.get(key)?.clone()))).collect()
            }
            Err(error) if is_too_late(&error) => all(Removed::NotTried),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                // No such call here (GCS): one by one, then.
                Some(501 | 405) => {
                    self.deletes_singly.store(true, Relaxed);
                    self.remove_singly(keys, until).await
                }
                Some(400 | 401 | 403) => all(self.refused(error)),
                _ => all(Removed::Unknown(self.host.explained("deleting", error).to_string())),
            },
        }
    }

    async fn remove_singly<'k>(&self, keys: &[&'k str], until: Option<Instant>) -> HashMap<&'k str, Removed> {
        let one = async |key: &'k str| match is_over(until) {
            true => (key, Removed::NotTried),
            false => self.remove_one(key, until).await,
        };
        let removals: Vec<_> = keys.iter().map(|key| one(key)).collect();
        futures::stream::iter(removals).buffer_unordered(SINGLE).collect().await
    }

    /// Deletes one object, where its turn comes before `until`.
    pub(super) async fn remove_one<'k>(&self, key: &'k str, until: Option<Instant>) -> (&'k str, Removed) {
        let request = self.client.delete_object().bucket(&self.name).key(key).customize();
        let request = request.config_override(without_retries()).mutate_request(move |request| limit(request, until));
        let answer = match request.send().await {
            Ok(_) => Removed::Gone,
            Err(error) if is_too_late(&error) => Removed::NotTried,
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(400 | 401 | 403) => self.refused(error),
                _ => Removed::Unknown(self.host.explained("deleting", error).to_string()),
            },
        };
        (key, answer)
    }

    /// A delete that the store refused: perhaps it allows none any more.
    pub(super) fn refused<E>(&self, error: SdkError<E, HttpResponse>) -> Removed
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.doubts_conditions.store(true, Relaxed);
        Removed::Refused(self.host.explained("deleting", error).to_string())
    }
}

/// Lets a request wait for its turn no longer than until then.
pub(super) fn limit(request: &mut HttpRequest, until: Option<Instant>) {
    if let Some(until) = until {
        request.add_extension(Until(until));
    }
}

fn is_over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() > until)
}

pub(super) fn without_retries() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// Whether an error of this code says that the request itself was wrong, or not allowed: nothing was done, and nothing will be.
/// A fault of the server says neither (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).
fn refuses(code: &str) -> bool {
    const REFUSALS: [&str; 20] = [
        "AccessDenied",
        "AccountProblem",
        "AllAccessDisabled",
        "EntityTooLarge",
        "Forbidden",
        "InvalidAccessKeyId",
        "InvalidArgument",
        "InvalidObjectName",
        "InvalidObjectState",
        "InvalidRequest",
        "KeyTooLongError",
        "MalformedXML",
        "MethodNotAllowed",
        "NoSuchBucket",
        "NotImplemented",
        "ObjectLocked",
        "ObjectLockedByBucketPolicy",
        "PreconditionFailed",
        "SignatureDoesNotMatch",
        "Unauthorized",
    ];
    REFUSALS.contains(&code)
}

/// Whether XML 1.0 can carry the key as it is, white space included.
fn is_plain_xml(key: &str) -> bool {
    !key.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}
