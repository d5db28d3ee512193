//! What is stored with an object beside its bytes. Some of it a copy loses unless it is told: encryption, a website's
//! redirect, the storage class; a copy in parts loses all of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass};
use aws_smithy_types::date_time::Format;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Bucket, NOTHING, object_of};
use crate::domain::Object;
use crate::storage::Copied;

/// What a look at an object says of it.
pub(super) struct About(HeadObjectOutput);

/// What the last looks said, for the copies that follow them: each would look once more else.
#[derive(Default)]
pub(super) struct LastLooks(Mutex<HashMap<String, About>>);

/// Looks that are remembered; a batch has fewer.
const LOOKS: usize = 1_000;

/// Whether an object has nothing that CopyObject loses unless it is told: no storage class, redirect or key of its own.
pub(super) fn is_plain(head: &HeadObjectOutput) -> bool {
    let has_key = head.sse_customer_algorithm().is_some() || head.ssekms_key_id().is_some();
    let is_opaque = head.server_side_encryption().is_some_and(|kind| kind.as_str().starts_with("aws:"));
    let is_standard = head.storage_class().is_none_or(|class| *class == StorageClass::Standard);
    is_standard && !has_key && !is_opaque && head.website_redirect_location().is_none()
}

impl LastLooks {
    pub fn remember(&self, key: &str, head: HeadObjectOutput) {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.len() >= LOOKS {
            looks.clear();
        }
        looks.insert(key.to_owned(), About(head));
    }

    /// What the last look said of this very object; it is forgotten.
    fn take(&self, of: &Object) -> Option<About> {
        let about = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&of.key)?;
        let seen = object_of(&of.key, &about.0);
        let second = |object: &Object| object.last_modified.map(|time| time.timestamp());
        let is_same = of.etag.is_some() && of.bare_etag() == seen.bare_etag() && of.size == seen.size;
        (is_same && second(of) == second(&seen)).then_some(about)
    }
}

impl About {
    pub fn is_plain(&self) -> bool {
        is_plain(&self.0)
    }

    pub fn object(&self, key: &str) -> Object {
        object_of(key, &self.0)
    }

    /// Tells a copy what it would lose.
    pub fn keep_in_copy(&self, copy: CopyObjectFluentBuilder) -> CopyObjectFluentBuilder {
        copy.set_server_side_encryption(self.0.server_side_encryption().cloned())
            .set_ssekms_key_id(self.kms_key())
            .set_bucket_key_enabled(self.bucket_key())
            .set_website_redirect_location(self.0.website_redirect_location().map(str::to_owned))
            .set_storage_class(self.storage_class())
    }

    /// Tells a copy in parts everything; `tags` as a query.
    pub fn keep_in_parts(
        &self,
        parts: CreateMultipartUploadFluentBuilder,
        tags: Option<String>,
    ) -> Result<CreateMultipartUploadFluentBuilder> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let expires = self.0.expires_string().map(|expires| {
            aws_smithy_types::DateTime::from_str(expires, Format::HttpDate)
                .with_context(|| format!("its Expires cannot be kept, as {expires:?} is not a date"))
        });
        Ok(parts
            .set_content_type(text(self.0.content_type()))
            .set_content_encoding(text(self.0.content_encoding()))
            .set_content_disposition(text(self.0.content_disposition()))
            .set_content_language(text(self.0.content_language()))
            .set_cache_control(text(self.0.cache_control()))
            .set_expires(expires.transpose()?)
            .set_metadata(self.0.metadata().cloned())
            .set_server_side_encryption(self.0.server_side_encryption().cloned())
            .set_ssekms_key_id(self.kms_key())
            .set_bucket_key_enabled(self.bucket_key())
            .set_website_redirect_location(text(self.0.website_redirect_location()))
            .set_storage_class(self.storage_class())
            .set_tagging(tags))
    }

    /// Whether its KMS key is one for the bucket. Left unsaid, a copy would have it as the bucket does by itself.
    fn bucket_key(&self) -> Option<bool> {
        self.0.ssekms_key_id().map(|_| self.0.bucket_key_enabled().unwrap_or(false))
    }

    fn kms_key(&self) -> Option<String> {
        self.0.ssekms_key_id().map(str::to_owned)
    }

    fn storage_class(&self) -> Option<StorageClass> {
        self.0.storage_class().filter(|class| **class != StorageClass::Standard).cloned()
    }

    /// What a copy has not got as it was, if anything. That a copy has more is no loss: a bucket may encrypt by itself since.
    pub fn lost(&self, copy: &About) -> Vec<&'static str> {
        let (ours, theirs) = (self.said(), copy.said());
        let is_lost = |ours: &Option<String>, theirs| ours.is_some() && ours != theirs;
        let said = ours.iter().zip(&theirs);
        let lost = said.filter(|(ours, theirs)| is_lost(&ours.1, &theirs.1)).map(|(ours, _)| ours.0);
        let theirs: HashMap<&str, &str> = copy.metadata().collect();
        let has_lost = |(name, value): (&str, &str)| theirs.get(name) != Some(&value);
        lost.chain(self.metadata().any(has_lost).then_some("metadata")).collect()
    }

    fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.metadata().into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What a look says beside the metadata, where there is anything to say.
    fn said(&self) -> [(&'static str, Option<String>); 13] {
        let head = &self.0;
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let count = |count: Option<i32>| count.filter(|count| *count > 0).map(|count| count.to_string());
        [
            ("Content-Type", text(head.content_type())),
            ("Cache-Control", text(head.cache_control())),
            ("Content-Disposition", text(head.content_disposition())),
            ("Content-Encoding", text(head.content_encoding())),
            ("Content-Language", text(head.content_language())),
            ("Expires", text(head.expires_string())),
            ("website redirect", text(head.website_redirect_location())),
            ("encryption", text(head.server_side_encryption().map(ServerSideEncryption::as_str))),
            ("KMS key", self.kms_key()),
            ("bucket key", head.bucket_key_enabled().filter(|is_enabled| *is_enabled).map(|_| "on".to_owned())),
            ("storage class", self.storage_class().map(|class| class.as_str().to_owned())),
            ("tags", count(head.tag_count())),
            ("metadata", count(head.missing_meta())),
        ]
    }
}

impl Bucket {
    /// What is stored with an object that was looked at; `None`: it is not there any more.
    pub(super) async fn about_object(&self, object: &Object) -> Result<Option<About>> {
        match self.last_looks.take(object) {
            Some(about) => Ok(Some(about)),
            None => self.about(&object.key).await,
        }
    }

    pub(super) async fn about(&self, key: &str) -> Result<Option<About>> {
        match self.client.head_object().bucket(&self.name).key(key).send().await {
            Ok(head) if head.last_modified().is_none() => Err(anyhow!(NOTHING)),
            Ok(head) => Ok(Some(About(head))),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                Some(404) => Ok(None),
                _ => Err(self.explained("HEAD of", key, error)),
            },
        }
    }

    /// Looks at an object and its copy, and compares what is stored with them.
    pub(super) async fn compare_with(&self, from: &Object, copy: &str) -> Result<Copied> {
        match self.about_object(from).await? {
            Some(about) if about.object(&from.key).bare_etag() == from.bare_etag() => self.compare(&about, copy).await,
            _ => Ok(Copied::SourceChanged),
        }
    }

    /// Looks at a copy, and compares what is stored with it.
    pub(super) async fn compare(&self, about: &About, copy: &str) -> Result<Copied> {
        let made = self.about(copy).await?.ok_or_else(|| anyhow!("its copy is not there"))?;
        let copy = object_of(copy, &made.0);
        // What has another size is not a copy that lost something, but something else.
        let is_of_size = i64::try_from(copy.size).ok() == about.0.content_length();
        Ok(match about.lost(&made).first().filter(|_| is_of_size) {
            Some(name) => Copied::Lost(name),
            None => Copied::Done(Box::new(copy)),
        })
    }

    /// An object's tags as a query, which a copy in parts takes.
    pub(super) async fn tags(&self, key: &str) -> Result<Option<String>> {
        let tagging = match self.client.get_object_tagging().bucket(&self.name).key(key).send().await {
            Ok(tagging) => tagging,
            Err(error) => {
                return match error.raw_response().map(|response| response.status().as_u16()) {
                    // A store without tags.
                    Some(404 | 405 | 501) => Ok(None),
                    _ => Err(self.explained("reading the tags of", key, error)),
                };
            }
        };
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let tags = tagging.tag_set().iter().map(|tag| format!("{}={}", encoded(tag.key()), encoded(tag.value())));
        let tags = tags.collect::<Vec<_>>().join("&");
        Ok(Some(tags).filter(|tags| !tags.is_empty()))
    }
}
