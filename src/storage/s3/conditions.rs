//! Deletes that happen only while the object is the one that was looked at. Many stores take the condition and do not heed
//! it: whether one does is tried, on an object of our own.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures::StreamExt;

use super::Bucket;
use super::connector::is_too_late;
use super::removing::{limit, without_retries};
use crate::domain::Object;
use crate::judge;
use crate::storage::{Presence, Removed, Tried};

/// No object's etag.
const WRONG: &str = "\"00000000000000000000000000000000\"";

impl Bucket {
    /// Deletes one by one, each with its etag as the condition, where the store heeds that.
    pub(super) async fn remove_objects_unchanged(&self, objects: &[&Object], until: Instant) -> Vec<Removed> {
        if !self.heeds_conditions.load(Relaxed) {
            let keys: Vec<&str> = objects.iter().map(|object| object.key.as_str()).collect();
            return self.remove_objects(&keys, Some(until)).await;
        }
        let removals: Vec<_> = objects.iter().map(|object| self.remove_if(object, until)).collect();
        // The gate lets as many pass as the store takes.
        let at_once = removals.len().max(1);
        futures::stream::iter(removals).buffered(at_once).collect().await
    }

    async fn remove_if(&self, object: &Object, until: Instant) -> Removed {
        let deleted = self.delete_until(&object.key, condition(object), Some(until)).await;
        let Err(error) = deleted else { return Removed::Gone };
        match status(&error) {
            _ if is_too_late(&error) => Removed::NotTried,
            // A store that does not know its own etag.
            Some(412) => self.remove_if_still(object).await,
            // It takes no conditions, whatever it did when it was tried.
            Some(501) | Some(400) if takes_no_conditions(&error) => {
                self.heeds_conditions.store(false, Relaxed);
                self.doubts_conditions.store(true, Relaxed);
                self.remove_if_still(object).await
            }
            Some(400) => self.refused(error),
            Some(401 | 403) => self.refused(error),
            _ => Removed::Unknown(self.host.explained("deleting", error).to_string()),
        }
    }

    /// Deletes without a condition what is now as it was when it was looked at.
    async fn remove_if_still(&self, object: &Object) -> Removed {
        match self.head(&object.key).await {
            Ok(Presence::Present(now)) if judge::is_still(object, &now) => self.remove_one(&object.key, None).await.1,
            Ok(Presence::Present(_) | Presence::Missing) => Removed::Changed,
            Ok(Presence::Unknown(why)) => Removed::Refused(format!("whether it changed could not be looked up: {why}")),
            Err(error) => Removed::Refused(format!("whether it changed could not be looked up: {error:#}")),
        }
    }

    pub(super) async fn delete_if(&self, key: &str, condition: Option<String>) -> Result<(), DeleteError> {
        self.delete_until(key, condition, None).await
    }

    async fn delete_until(
        &self,
        key: &str,
        condition: Option<String>,
        until: Option<Instant>,
    ) -> Result<(), DeleteError> {
        let request = self.client.delete_object().bucket(&self.name).key(key).set_if_match(condition).customize();
        let request = request.config_override(without_retries()).mutate_request(move |request| limit(request, until));
        request.send().await.map(|_| ())
    }

    /// Tries whether the store refuses a delete with a wrong condition, and carries out one with the right one.
    pub(super) async fn try_conditional_deletes(&self, place: &str) -> Tried {
        let put = self.client.put_object().bucket(&self.name).key(place).body(b"cleanup-assets".to_vec().into());
        let Ok(put) = put.send().await else { return Tried::Nothing };
        let tried = match put.e_tag() {
            Some(etag) => self.try_at(place, etag).await,
            None => Tried::Nothing,
        };
        // What was put there goes again.
        if matches!(self.head(place).await, Ok(Presence::Missing)) {
            return tried;
        }
        let Err(error) = self.delete_if(place, None).await else { return tried };
        let is_refused = matches!(status(&error), Some(401 | 403));
        let error = self.explained("taking away what was put for a try at", place, error);
        if is_refused {
            return Tried::NoDeletes(format!("{error:#}"));
        }
        tracing::warn!("{error:#}");
        tried
    }

    /// Tries it at the object of ours that is at `place`. Only an answer that says it is an answer: any other may be another
    /// one the next time.
    async fn try_at(&self, place: &str, etag: &str) -> Tried {
        let Err(error) = self.delete_if(place, Some(WRONG.to_owned())).await else { return Tried::Ignored };
        match status(&error) {
            Some(501) => Tried::Ignored,
            Some(412) if matches!(self.head(place).await, Ok(Presence::Present(_))) => {
                match self.delete_if(place, Some(etag.to_owned())).await {
                    Ok(()) => Tried::Honoured,
                    Err(_) => Tried::Nothing,
                }
            }
            _ => Tried::Nothing,
        }
    }
}

/// The etag of an object as a condition has it: in quotes and strong, however a listing writes it.
pub(super) fn condition(object: &Object) -> Option<String> {
    object.bare_etag().map(|etag| format!("\"{etag}\""))
}

pub(super) type DeleteError = SdkError<aws_sdk_s3::operation::delete_object::DeleteObjectError, HttpResponse>;

/// Whether a store refuses the condition, and not the delete.
fn takes_no_conditions(error: &DeleteError) -> bool {
    status(error) == Some(501)
        || matches!(error.code(), Some("NotImplemented" | "InvalidArgument" | "InvalidRequest") | None)
}

fn status(error: &DeleteError) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}
