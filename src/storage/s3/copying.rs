//! CopyObject, and for objects over 5 GB the copy in parts.

use anyhow::{Context, Result};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Bucket;
use super::about::About;
use super::conditions::condition;
use crate::domain::Object;
use crate::failpoint;
use crate::storage::{Copied, Presence, Target};

/// What became of the request for a copy.
enum Made {
    Done,
    SourceChanged,
    TargetTaken,
}

/// What CopyObject copies at once
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>).
const MAX_COPY_BYTES: u64 = 5_000_000_000;
/// Bytes of a part; 10,000 of them make the largest object there is.
const PART_BYTES: u64 = 1 << 30;
/// What may stand in a copy source as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Bucket {
    pub(super) async fn copy_object(&self, from: &Object, to: &str, target: Target) -> Result<Copied> {
        // Not every store knows a condition on the target; a look is better than nothing, and both are better still.
        if target == Target::MustBeFree && self.head(to).await? != Presence::Missing {
            return Ok(Copied::TargetTaken);
        }
        let Some(about) = self.about_object(from).await? else { return Ok(Copied::SourceChanged) };
        let in_parts = from.size > MAX_COPY_BYTES || failpoint::part_bytes().is_some();
        let made = match in_parts {
            true => self.copy_in_parts((from, &about), to, target).await?,
            false => self.copy_whole((from, Some(&about)), to, target).await?,
        };
        match made {
            Made::Done => self.compare(&about, to).await,
            Made::SourceChanged => Ok(Copied::SourceChanged),
            Made::TargetTaken => Ok(Copied::TargetTaken),
        }
    }

    /// CopyObject keeps headers, metadata and tags by itself, of an object of one part. The storage class, a redirect and an
    /// encryption that is the object's own it keeps only where it is told: whoever does not tell it has seen that there are
    /// none, or sees so before the original goes. The condition on the etag is the same.
    pub(super) async fn copy_object_unseen(
        &self,
        from: &Object,
        to: &str,
        target: Target,
        told: bool,
    ) -> Result<Copied> {
        let is_of_one_part = from.bare_etag().is_some_and(|etag| !etag.contains('-'));
        if !is_of_one_part || from.size > MAX_COPY_BYTES || failpoint::part_bytes().is_some() {
            return self.copy_object(from, to, target).await;
        }
        if target == Target::MustBeFree && self.head(to).await? != Presence::Missing {
            return Ok(Copied::TargetTaken);
        }
        let about = match told {
            true => match self.about_object(from).await? {
                Some(about) => Some(about),
                None => return Ok(Copied::SourceChanged),
            },
            false => None,
        };
        Ok(match self.copy_whole((from, about.as_ref()), to, target).await? {
            Made::Done => Copied::Made,
            Made::SourceChanged => Copied::SourceChanged,
            Made::TargetTaken => Copied::TargetTaken,
        })
    }

    async fn copy_whole(&self, (from, about): (&Object, Option<&About>), to: &str, target: Target) -> Result<Made> {
        let mut request = self.client.copy_object().bucket(&self.name).key(to).copy_source(self.source(&from.key));
        if let Some(about) = about {
            request = about.keep_in_copy(request);
        }
        request = request.set_copy_source_if_match(condition(from));
        if target == Target::MustBeFree {
            request = request.if_none_match("*");
        }
        loop {
            let Err(error) = request.clone().send().await else { return Ok(Made::Done) };
            request = match status(&error) {
                // A store without conditions on the target; it was free a moment ago.
                Some(501) if request.get_if_none_match().is_some() => request.set_if_none_match(None),
                // A retry of a copy whose answer was lost fails its own condition on the target.
                Some(412 | 409) if target == Target::MustBeFree && self.head(to).await? != Presence::Missing => {
                    return Ok(Made::TargetTaken);
                }
                Some(404 | 412 | 409) if !self.is_still_there(from).await? => return Ok(Made::SourceChanged),
                // A store that does not know its own etag (Swift). Whoever asked compares copy and original all the same.
                Some(412) if request.get_copy_source_if_match().is_some() => request.set_copy_source_if_match(None),
                _ => return Err(self.explained("copying", &from.key, error)),
            };
        }
    }

    /// Whether an object is the one that was to be copied, as far as its etag says.
    pub(super) async fn is_still_there(&self, from: &Object) -> Result<bool> {
        let now = self.head(&from.key).await?;
        Ok(matches!(now, Presence::Present(now) if now.bare_etag() == from.bare_etag() && now.size == from.size))
    }

    fn source(&self, key: &str) -> String {
        format!("{}/{}", self.name, utf8_percent_encode(key, PLAIN))
    }

    /// Copies in parts; what CopyObject would take along is set from a look at the source.
    async fn copy_in_parts(&self, (from, about): (&Object, &About), to: &str, target: Target) -> Result<Made> {
        let create = self.client.create_multipart_upload().bucket(&self.name).key(to);
        let create = about.keep_in_parts(create, self.tags(&from.key).await?)?;
        let created =
            create.send().await.map_err(|error| self.explained("beginning a copy in parts of", &from.key, error))?;
        let upload = created.upload_id().context("the store began a copy in parts and gave it no name")?;
        let copied = self.copy_parts(from, to, target, upload).await;
        if !matches!(copied, Ok(Made::Done)) {
            // Parts that stay cost money for ever. Whether this succeeds changes nothing of what is reported.
            let abort = self.client.abort_multipart_upload().bucket(&self.name).key(to).upload_id(upload);
            if let Err(error) = abort.send().await {
                tracing::warn!("{:#}", self.explained("giving up a copy in parts of", &from.key, error));
            }
        }
        copied
    }

    async fn copy_parts(&self, from: &Object, to: &str, target: Target, upload: &str) -> Result<Made> {
        let mut parts = Vec::new();
        let bytes = failpoint::part_bytes().unwrap_or(PART_BYTES);
        for (number, start) in (1..).zip((0..from.size).step_by(bytes as usize)) {
            let end = (start + bytes).min(from.size) - 1;
            let part = self.client.upload_part_copy().bucket(&self.name).key(to).upload_id(upload).part_number(number);
            let part = part.copy_source(self.source(&from.key)).copy_source_range(format!("bytes={start}-{end}"));
            let copied = match part.clone().set_copy_source_if_match(condition(from)).send().await {
                Ok(copied) => copied,
                Err(error) if matches!(status(&error), Some(404 | 412)) && !self.is_still_there(from).await? => {
                    return Ok(Made::SourceChanged);
                }
                // A store that does not know its own etag: the original is looked at once more after the copy.
                Err(error) if status(&error) == Some(412) => {
                    part.send().await.map_err(|error| self.explained("copying a part of", &from.key, error))?
                }
                Err(error) => return Err(self.explained("copying a part of", &from.key, error)),
            };
            let etag = copied.copy_part_result().and_then(|part| part.e_tag()).map(str::to_owned);
            parts.push(CompletedPart::builder().part_number(number).set_e_tag(etag).build());
        }
        // Copying took its time: somebody may have put something there meanwhile.
        if target == Target::MustBeFree && self.head(to).await? != Presence::Missing {
            return Ok(Made::TargetTaken);
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = self.client.complete_multipart_upload().bucket(&self.name).key(to).upload_id(upload);
        let complete = complete.multipart_upload(parts);
        let condition = (target == Target::MustBeFree).then(|| "*".to_owned());
        match complete.clone().set_if_none_match(condition.clone()).send().await {
            Ok(_) => Ok(Made::Done),
            Err(error) => match status(&error) {
                Some(412 | 409) if condition.is_some() => Ok(Made::TargetTaken),
                // A store without conditions on the target; it was free a moment ago.
                Some(501) if condition.is_some() => {
                    let plain = complete.send().await;
                    plain
                        .map(|_| Made::Done)
                        .map_err(|error| self.explained("completing a copy in parts of", &from.key, error))
                }
                _ => Err(self.explained("completing a copy in parts of", &from.key, error)),
            },
        }
    }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}
