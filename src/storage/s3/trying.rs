//! What copies keep: tried with an object of our own that has everything an object can have beside its bytes. Where the copy
//! of that lacks nothing, no look at each file and each copy is needed to say so.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;

use super::Bucket;
use super::about::About;
use crate::judge;
use crate::storage::{Copied, Keeps, Listing, Presence, Removed, Target, TriedCopies};

const REDIRECT: &str = "website redirect";
const BYTES: &[u8] = b"cleanup-assets";
/// As many as no listing takes for the others.
const OTHER_BYTES: &[u8] = b"cleanup-assets, once more";

/// What a PUT is asked to store beside the bytes and the headers; not every store takes each of it.
#[derive(Debug, Clone, Copy, Default)]
struct With {
    tags: bool,
    key: bool,
    redirect: bool,
}

/// What came of a PUT.
#[derive(Debug, PartialEq, Eq)]
enum Put {
    Done,
    /// The store does not take what it was asked to store, or not from us.
    Refused,
    Unknown,
}

impl Bucket {
    pub(super) async fn try_copies_at(&self, place: &str) -> Option<TriedCopies> {
        let copy = format!("{place}.copy");
        let mut put = Vec::new();
        let keeps = self.try_copies_to(place, &copy, &mut put).await;
        let mut are_gone = true;
        for key in put {
            are_gone &= self.take_away(key).await;
        }
        // What is left goes with the next try.
        keeps.filter(|_| are_gone)
    }

    /// Takes away what was put for a try, and says whether it is gone. That is not believed before a look: some answers to a
    /// delete say so, and nothing was done.
    async fn take_away(&self, place: &str) -> bool {
        let deleted = self.delete_if(place, None).await;
        if self.is_gone(place).await {
            return true;
        }
        let answers = self.remove_together(&[place], None).await;
        if let (Err(error), false) = (deleted, answers.get(place) == Some(&Removed::Gone)) {
            tracing::warn!("{:#}", self.explained("taking away what was put for a try at", place, error));
        }
        self.is_gone(place).await
    }

    async fn is_gone(&self, place: &str) -> bool {
        self.head(place).await.is_ok_and(|presence| presence == Presence::Missing)
    }

    /// Whether a listing names at once what is stored, stored over, and removed at `place`.
    pub(super) async fn try_listing_at(&self, place: &str) -> bool {
        let mut is_named = true;
        for bytes in [BYTES, OTHER_BYTES] {
            let put = self.client.put_object().bucket(&self.name).key(place).body(bytes.to_vec().into());
            is_named = match put_of(put.send().await) {
                Put::Done => is_named && self.listed_size(place).await == Some(u64::try_from(bytes.len()).ok()),
                Put::Refused if bytes == BYTES => return false,
                _ => false,
            };
        }
        self.take_away(place).await && is_named && self.listed_size(place).await == Some(None)
    }

    /// The size that a listing names for a key; `Some(None)`: it does not name the key; `None`: nobody knows.
    async fn listed_size(&self, key: &str) -> Option<Option<u64>> {
        let page = self.pages(self.client.list_objects_v2().prefix(key)).next_page().await.ok()?;
        let Some(page) = page else { return Some(None) };
        Some(page.objects.iter().find(|object| object.key == key).map(|object| object.size))
    }

    /// What a copy keeps that is told nothing, or else one that is told; `None`: nobody knows. What may be there afterwards is
    /// added to `put`.
    async fn try_copies_to<'k>(&self, place: &'k str, copy: &'k str, put: &mut Vec<&'k str>) -> Option<TriedCopies> {
        let with = self.put_with_everything(place, put).await?;
        let tried = |keeps: Keeps| TriedCopies { keeps, is_whole: with.tags && with.key };
        put.push(copy);
        let ours = self.about(place).await.ok()??;
        let lost = self.lost_by(&ours, place, copy, false).await?;
        let do_tell = self.do_etags_tell_of_keys(&ours, copy).await;
        if lost.is_empty() && with.redirect && do_tell {
            return Some(tried(Keeps::All));
        }
        let is_told = self.lost_by(&ours, place, copy, true).await?.is_empty();
        let is_redirect = lost.is_empty() || lost == [REDIRECT];
        is_told.then_some(tried(if is_redirect && do_tell { Keeps::AllButRedirects } else { Keeps::Told }))
    }

    /// What a copy has not got; `None`: it was not made, or has another etag, by which it could not be known again.
    async fn lost_by(&self, ours: &About, place: &str, copy: &str, told: bool) -> Option<Vec<&'static str>> {
        let object = ours.object(place);
        let made = self.copy_object_unseen(&object, copy, Target::Own, told).await.ok()?;
        let theirs = self.about(copy).await.ok()??;
        let is_known = made == Copied::Made && judge::is_surely_copy(&object, &theirs.object(copy));
        is_known.then(|| ours.lost(&theirs))
    }

    /// Whether an object that is encrypted with a key of KMS has another etag than the same bytes without one, where the store
    /// takes such keys: no copy keeps one by itself, and only its etag tells so.
    async fn do_etags_tell_of_keys(&self, ours: &About, place: &str) -> bool {
        let put = self.client.put_object().bucket(&self.name).key(place).body(BYTES.to_vec().into());
        if let Err(error) = put.server_side_encryption(ServerSideEncryption::AwsKms).send().await {
            // It has no keys. Where it only wants one named, or allows us none, others may have them.
            let status = error.raw_response().map(|response| response.status().as_u16());
            return status == Some(501) || status == Some(400) && error.code() == Some("NotImplemented");
        }
        match self.about(place).await {
            Ok(Some(theirs)) => theirs.is_plain() || theirs.object(place).bare_etag() != ours.object(place).bare_etag(),
            _ => false,
        }
    }

    /// Puts an object with all that the store takes, and says what that is; `None`: nobody knows.
    async fn put_with_everything<'k>(&self, place: &'k str, put: &mut Vec<&'k str>) -> Option<With> {
        let all = With { tags: true, key: true, redirect: true };
        put.push(place);
        match self.put_with(place, all).await {
            Put::Done => return Some(all),
            Put::Unknown => return None,
            Put::Refused => {}
        }
        // What it refuses of it, each by itself.
        let mut with = [
            With { tags: true, ..With::default() },
            With { key: true, ..With::default() },
            With { redirect: true, ..With::default() },
        ];
        for one in &mut with {
            match self.put_with(place, *one).await {
                Put::Done => {}
                Put::Unknown => return None,
                Put::Refused => *one = With::default(),
            }
        }
        let [With { tags, .. }, With { key, .. }, With { redirect, .. }] = with;
        let taken = With { tags, key, redirect };
        let done = self.put_with(place, taken).await;
        if done == Put::Refused && !tags && !key && !redirect {
            put.clear();
        }
        (done == Put::Done).then_some(taken)
    }

    async fn put_with(&self, place: &str, with: With) -> Put {
        let put = self.client.put_object().bucket(&self.name).key(place).body(BYTES.to_vec().into());
        put_of(with.told(put).send().await)
    }

    /// Whether the bucket is surely not served as a website.
    pub(super) async fn has_no_website(&self) -> bool {
        match self.client.get_bucket_website().bucket(&self.name).send().await {
            Ok(_) => false,
            Err(error) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                status == Some(404)
            }
        }
    }
}

impl With {
    fn told(self, put: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        put.content_type("image/png")
            .cache_control("max-age=60")
            .content_disposition("inline")
            .content_encoding("identity")
            .content_language("en")
            .expires(DateTime::from_secs(4_000_000_000))
            .metadata("tried", "yes")
            .set_tagging(self.tags.then(|| "tried=yes".to_owned()))
            .set_server_side_encryption(self.key.then_some(ServerSideEncryption::Aes256))
            .set_website_redirect_location(self.redirect.then(|| "/".to_owned()))
    }
}

/// What an answer to a PUT says. A fault of the server, or none at all, says nothing.
fn put_of<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> Put {
    let status = |error: SdkError<E, HttpResponse>| error.raw_response().map(|response| response.status().as_u16());
    match answer.map_err(status) {
        Ok(_) => Put::Done,
        Err(Some(400 | 403 | 501)) => Put::Refused,
        Err(_) => Put::Unknown,
    }
}
