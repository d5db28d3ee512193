//! S3's operations, as far as the tool uses them, answered out of a [`Bucket`].
//!
//! The methods are written without `async fn`, in the shape that s3s's trait expands to: they never wait, but for the
//! body of a PUT.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use futures::TryStreamExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::dto::*;
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use super::bucket::{About, Bucket, Deleted, Stored};

/// What AWS leaves as it is under `encoding-type=url`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');

/// Marks a continuation token as ours, so that a client cannot get by with a key in its place. The key follows,
/// url-encoded whatever was asked for: a token has to be one that XML can carry.
const TOKEN: &str = "token:";
/// The key that encrypts where no other is named.
const KMS_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/of-the-store";

#[derive(Clone)]
pub(super) struct Store {
    pub bucket: Arc<Bucket>,
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = S3Result<S3Response<T>>> + Send + 'a>>;

fn answer<'a, T: Send + 'a>(result: S3Result<T>) -> Answer<'a, T> {
    Box::pin(std::future::ready(result.map(S3Response::new)))
}

fn url_encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string().replace("%20", "+")
}

fn etag(stored: &Stored) -> ETag {
    ETag::Strong(stored.etag.clone())
}

fn fits(condition: &ETagCondition, stored: &Stored) -> bool {
    match condition {
        ETagCondition::Any => true,
        // A weak one is the same as nothing.
        ETagCondition::ETag(ETag::Strong(wanted)) => *wanted == stored.etag,
        ETagCondition::ETag(ETag::Weak(_)) => false,
    }
}

impl Store {
    fn of_bucket(&self, name: &str) -> S3Result<&Bucket> {
        if name == self.bucket.name { Ok(&self.bucket) } else { Err(s3_error!(NoSuchBucket)) }
    }

    fn list(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let bucket = self.of_bucket(&input.bucket)?;
        if input.delimiter.is_some() {
            return Err(s3_error!(NotImplemented, "this server lists without a delimiter"));
        }
        let after = match &input.continuation_token {
            Some(token) => {
                let key = token.strip_prefix(TOKEN).ok_or_else(|| s3_error!(InvalidArgument, "not a token"))?;
                percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
            }
            None if bucket.ignores_start_after.load(Ordering::Relaxed) => String::new(),
            None => input.start_after.clone().unwrap_or_default(),
        };
        let asked = usize::try_from(input.max_keys.unwrap_or(1000)).unwrap_or(0);
        let limit = asked.min(bucket.page_size.load(Ordering::Relaxed));
        let (page, more) = bucket.page(input.prefix.as_deref().unwrap_or(""), &after, limit);

        let encode = |text: &str| if input.encoding_type.is_some() { url_encoded(text) } else { text.to_owned() };
        let lists_weak_etags = bucket.lists_weak_etags.load(Ordering::Relaxed);
        let rounds_up = bucket.lists_rounded_up.load(Ordering::Relaxed);
        let listed_time = |modified: SystemTime| match modified.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) if rounds_up => SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs() + 1),
            _ => modified,
        };
        let last = page.last().map_or(after.as_str(), |(key, _)| key);
        let contents = page.iter().map(|(key, stored)| Object {
            key: Some(encode(key)),
            last_modified: Some(listed_time(stored.modified).into()),
            e_tag: Some(if lists_weak_etags { ETag::Weak(stored.etag.clone()) } else { etag(stored) }),
            size: i64::try_from(stored.body.len()).ok(),
            storage_class: Some(match &stored.about.class {
                Some(class) => ObjectStorageClass::from(class.clone()),
                None => ObjectStorageClass::from_static(ObjectStorageClass::STANDARD),
            }),
            ..Object::default()
        });
        Ok(ListObjectsV2Output {
            key_count: i32::try_from(page.len()).ok(),
            max_keys: i32::try_from(limit).ok(),
            is_truncated: Some(more),
            next_continuation_token: more.then(|| format!("{TOKEN}{}", url_encoded(last))),
            contents: Some(contents.collect()),
            prefix: input.prefix.as_deref().map(encode),
            start_after: input.start_after.as_deref().map(encode),
            continuation_token: input.continuation_token.clone(),
            encoding_type: input.encoding_type.clone(),
            name: Some(input.bucket),
            ..ListObjectsV2Output::default()
        })
    }

    fn found(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        self.of_bucket(bucket)?.get(key).ok_or_else(|| s3_error!(NoSuchKey))
    }

    fn head(&self, input: &HeadObjectInput) -> S3Result<HeadObjectOutput> {
        let stored = self.found(&input.bucket, &input.key)?;
        Ok(HeadObjectOutput {
            content_length: i64::try_from(stored.body.len()).ok(),
            e_tag: Some(etag(&stored)),
            last_modified: Some(stored.modified.into()),
            content_type: stored.about.content_type,
            metadata: Some(stored.about.metadata),
            cache_control: stored.about.cache_control,
            website_redirect_location: stored.about.redirect,
            server_side_encryption: match (&stored.about.kms_key, stored.about.is_encrypted) {
                (Some(_), _) => Some(ServerSideEncryption::from_static(ServerSideEncryption::AWS_KMS)),
                (None, true) => Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
                (None, false) => None,
            },
            ssekms_key_id: stored.about.kms_key,
            storage_class: stored.about.class.map(StorageClass::from),
            ..HeadObjectOutput::default()
        })
    }

    fn get(&self, input: &GetObjectInput) -> S3Result<GetObjectOutput> {
        let stored = self.found(&input.bucket, &input.key)?;
        Ok(GetObjectOutput {
            content_length: i64::try_from(stored.body.len()).ok(),
            e_tag: Some(etag(&stored)),
            last_modified: Some(stored.modified.into()),
            content_type: stored.about.content_type,
            metadata: Some(stored.about.metadata),
            body: Some(StreamingBlob::from(Body::from(stored.body))),
            ..GetObjectOutput::default()
        })
    }

    /// Refuses to write over what the caller said must not be there.
    fn may_write(&self, key: &str, none_match: Option<&ETagCondition>) -> S3Result<()> {
        match (none_match, self.bucket.get(key)) {
            (Some(condition), Some(stored)) if fits(condition, &stored) => Err(s3_error!(PreconditionFailed)),
            _ => Ok(()),
        }
    }

    async fn put(&self, input: PutObjectInput) -> S3Result<PutObjectOutput> {
        self.of_bucket(&input.bucket)?;
        let mut body = Vec::new();
        if let Some(stream) = input.body {
            let chunks: Vec<_> = stream.try_collect().await.map_err(|_| s3_error!(IncompleteBody))?;
            chunks.iter().for_each(|chunk| body.extend_from_slice(chunk));
        }
        self.may_write(&input.key, input.if_none_match.as_ref())?;
        let encryption = input.server_side_encryption.as_ref().map(ServerSideEncryption::as_str);
        let about = About {
            content_type: input.content_type,
            metadata: input.metadata.unwrap_or_default(),
            cache_control: input.cache_control,
            redirect: input.website_redirect_location,
            is_encrypted: encryption == Some("AES256"),
            kms_key: (encryption == Some("aws:kms")).then(|| KMS_KEY.to_owned()),
            ..About::default()
        };
        let stored = self.bucket.store(&input.key, body.into(), SystemTime::now(), about);
        Ok(PutObjectOutput { e_tag: Some(etag(&stored)), ..PutObjectOutput::default() })
    }

    fn copy(&self, input: &CopyObjectInput, none_match: Option<&ETagCondition>) -> S3Result<CopyObjectOutput> {
        self.of_bucket(&input.bucket)?;
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        let source = self.found(bucket, key)?;
        if input.copy_source_if_match.as_ref().is_some_and(|condition| !fits(condition, &source)) {
            return Err(s3_error!(PreconditionFailed));
        }
        self.may_write(&input.key, none_match)?;
        let replaces = input.metadata_directive.as_ref().is_some_and(|how| how.as_str() == MetadataDirective::REPLACE);
        let about = match replaces {
            true => About {
                content_type: input.content_type.clone(),
                metadata: input.metadata.clone().unwrap_or_default(),
                cache_control: input.cache_control.clone(),
                ..About::default()
            },
            false => source.about,
        };
        let loses_cache_control = self.bucket.loses_cache_control.load(Ordering::Relaxed);
        let loses_metadata = self.bucket.loses_metadata.load(Ordering::Relaxed);
        let about = About {
            redirect: input.website_redirect_location.clone(),
            kms_key: input.ssekms_key_id.clone(),
            is_encrypted: about.is_encrypted || self.bucket.encrypts.load(Ordering::Relaxed),
            cache_control: about.cache_control.filter(|_| !loses_cache_control),
            metadata: if loses_metadata { HashMap::new() } else { about.metadata },
            content_type: about.content_type,
            class: input.storage_class.as_ref().map(|class| class.as_str().to_owned()),
        };
        let stored = self.bucket.store(&input.key, source.body, SystemTime::now(), about);
        let result = CopyObjectResult {
            e_tag: Some(etag(&stored)),
            last_modified: Some(stored.modified.into()),
            ..CopyObjectResult::default()
        };
        Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
    }

    fn delete(&self, input: &DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
        if let (true, Some(condition)) = (self.bucket.heeds_if_match.load(Ordering::Relaxed), &input.if_match)
            && !fits(condition, &self.found(&input.bucket, &input.key)?)
        {
            return Err(s3_error!(PreconditionFailed));
        }
        match self.of_bucket(&input.bucket)?.delete(&input.key) {
            Deleted::Refused => Err(s3_error!(AccessDenied)),
            Deleted::Gone | Deleted::Unanswered => Ok(DeleteObjectOutput::default()),
        }
    }

    fn delete_many(&self, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
        let bucket = self.of_bucket(&input.bucket)?;
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in input.delete.objects {
            match bucket.delete(&object.key) {
                Deleted::Gone => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
                Deleted::Refused => errors.push(Error {
                    key: Some(object.key),
                    code: Some("AccessDenied".to_owned()),
                    message: Some("Access Denied".to_owned()),
                    ..Error::default()
                }),
                Deleted::Unanswered => {}
            }
        }
        if input.delete.quiet == Some(true) {
            deleted.clear();
        }
        Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..DeleteObjectsOutput::default() })
    }
}

/// `If-None-Match` on a copy: newer than s3s's idea of CopyObject, so it is read from the headers.
fn none_match<T>(request: &S3Request<T>) -> Option<ETagCondition> {
    request.headers.get("if-none-match").and_then(|value| value.to_str().ok()?.parse().ok())
}

impl S3 for Store {
    fn head_bucket<'s, 'a>(&'s self, request: S3Request<HeadBucketInput>) -> Answer<'a, HeadBucketOutput>
    where
        's: 'a,
    {
        answer(self.of_bucket(&request.input.bucket).map(|_| HeadBucketOutput::default()))
    }

    fn get_bucket_versioning<'s, 'a>(
        &'s self,
        _request: S3Request<GetBucketVersioningInput>,
    ) -> Answer<'a, GetBucketVersioningOutput>
    where
        's: 'a,
    {
        let status = *self.bucket.versioning.lock().expect("the versioning");
        let said = |status: &'static str| GetBucketVersioningOutput {
            status: Some(BucketVersioningStatus::from_static(status)),
            ..GetBucketVersioningOutput::default()
        };
        answer(status.map(said).ok_or_else(|| s3_error!(NotImplemented)))
    }

    fn get_bucket_website<'s, 'a>(
        &'s self,
        _request: S3Request<GetBucketWebsiteInput>,
    ) -> Answer<'a, GetBucketWebsiteOutput>
    where
        's: 'a,
    {
        answer(match self.bucket.is_website.load(Ordering::Relaxed) {
            true => Ok(GetBucketWebsiteOutput::default()),
            false => Err(s3_error!(NoSuchWebsiteConfiguration)),
        })
    }

    fn list_objects_v2<'s, 'a>(&'s self, request: S3Request<ListObjectsV2Input>) -> Answer<'a, ListObjectsV2Output>
    where
        's: 'a,
    {
        answer(self.list(request.input))
    }

    fn head_object<'s, 'a>(&'s self, request: S3Request<HeadObjectInput>) -> Answer<'a, HeadObjectOutput>
    where
        's: 'a,
    {
        answer(self.head(&request.input))
    }

    fn get_object<'s, 'a>(&'s self, request: S3Request<GetObjectInput>) -> Answer<'a, GetObjectOutput>
    where
        's: 'a,
    {
        answer(self.get(&request.input))
    }

    fn put_object<'s, 'a>(&'s self, request: S3Request<PutObjectInput>) -> Answer<'a, PutObjectOutput>
    where
        's: 'a,
    {
        Box::pin(async move { self.put(request.input).await.map(S3Response::new) })
    }

    fn copy_object<'s, 'a>(&'s self, request: S3Request<CopyObjectInput>) -> Answer<'a, CopyObjectOutput>
    where
        's: 'a,
    {
        let condition = none_match(&request);
        answer(self.copy(&request.input, condition.as_ref()))
    }

    fn delete_object<'s, 'a>(&'s self, request: S3Request<DeleteObjectInput>) -> Answer<'a, DeleteObjectOutput>
    where
        's: 'a,
    {
        answer(self.delete(&request.input))
    }

    fn delete_objects<'s, 'a>(&'s self, request: S3Request<DeleteObjectsInput>) -> Answer<'a, DeleteObjectsOutput>
    where
        's: 'a,
    {
        answer(self.delete_many(request.input))
    }
}
