//! Deletes that happen only while the object is the one that was looked at. Many stores take the condition and do not heed
//! it: whether one does is tried, on an object of our own.

use std::sync::atomic::Ordering::Relaxed;

use aws_sdk_s3::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures::StreamExt;

use super::Bucket;
use super::removing::without_retries;
use crate::domain::Object;
use crate::storage::{Presence, Removed};

/// No object's etag.
const WRONG: &str = "\"00000000000000000000000000000000\"";

impl Bucket {
    /// Deletes one by one, each with its etag as the condition, where the store heeds that.
    pub(super) async fn remove_objects_unchanged(&self, objects: &[&Object]) -> Vec<Removed> {
        if !self.heeds_conditions.load(Relaxed) {
            let keys: Vec<&str> = objects.iter().map(|object| object.key.as_str()).collect();
            return self.remove_objects(&keys).await;
        }
        let removals: Vec<_> = objects.iter().map(|object| self.remove_if(object)).collect();
        // The gate lets as many pass as the store takes.
        let at_once = removals.len().max(1);
        futures::stream::iter(removals).buffered(at_once).collect().await
    }

    async fn remove_if(&self, object: &Object) -> Removed {
        let Err(error) = self.delete_if(&object.key, condition(object)).await else { return Removed::Gone };
        match status(&error) {
            Some(412) => match self.is_still_there(object).await {
                Ok(false) => Removed::Changed,
                // A store that does not know its own etag.
                Ok(true) => self.remove_one(&object.key).await.1,
                Err(error) => Removed::Refused(format!("whether it changed could not be looked up: {error:#}")),
            },
            Some(400 | 401 | 403) => Removed::Refused(self.host.explained("deleting", error).to_string()),
            _ => Removed::Unknown(self.host.explained("deleting", error).to_string()),
        }
    }

    async fn delete_if(&self, key: &str, condition: Option<String>) -> Result<(), DeleteError> {
        let request = self.client.delete_object().bucket(&self.name).key(key).set_if_match(condition);
        request.customize().config_override(without_retries()).send().await.map(|_| ())
    }

    /// Whether the store refuses a delete with a wrong condition, and carries out one with the right one. `None`: there may be
    /// no object of ours at `place`, or it does not say.
    pub(super) async fn try_conditional_deletes(&self, place: &str) -> Option<bool> {
        let put = self.client.put_object().bucket(&self.name).key(place).body(b"cleanup-assets".to_vec().into());
        let etag = put.send().await.ok()?.e_tag()?.to_owned();
        let refusal = self.delete_if(place, Some(WRONG.to_owned())).await;
        let now = self.head(place).await.ok()?;
        let stayed = matches!(now, Presence::Present(_));
        let heeds = match refusal {
            Ok(()) => Some(false),
            Err(error) => match status(&error) {
                Some(412) if stayed => Some(self.delete_if(place, Some(etag)).await.is_ok()),
                Some(400 | 412 | 501) => Some(false),
                _ => None,
            },
        };
        if now != Presence::Missing
            && heeds != Some(true)
            && let Err(error) = self.delete_if(place, None).await
        {
            tracing::warn!("{:#}", self.explained("taking away what was put for a try at", place, error));
        }
        heeds
    }
}

/// The etag of an object as a condition has it: in quotes and strong, however a listing writes it.
pub(super) fn condition(object: &Object) -> Option<String> {
    object.bare_etag().map(|etag| format!("\"{etag}\""))
}

type DeleteError = SdkError<aws_sdk_s3::operation::delete_object::DeleteObjectError, HttpResponse>;

fn status(error: &DeleteError) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}
