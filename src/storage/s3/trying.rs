//! What copies keep: tried with an object of our own that has everything an object can have beside its bytes. Where the copy
//! of that lacks nothing, no look at each file and each copy is needed to say so.

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_types::DateTime;

use super::Bucket;
use super::about::About;
use crate::judge;
use crate::storage::{Copied, Kept, Presence, Removed, Target};

const REDIRECT: &str = "website redirect";
const BYTES: &[u8] = b"cleanup-assets";

/// What a PUT is asked to store beside the bytes; not every store takes all of it.
#[derive(Clone, Copy)]
enum With {
    Everything,
    NoTags,
    /// Nor encryption.
    NoKey,
    /// Nor a redirect.
    HeadersAlone,
}

impl Bucket {
    pub(super) async fn try_copies_at(&self, place: &str) -> Kept {
        let copy = format!("{place}.copy");
        let kept = self.try_copies_to(place, &copy).await;
        for key in [place, copy.as_str()] {
            self.take_away(key).await;
        }
        kept.unwrap_or(Kept::Unknown)
    }

    /// Takes away what was put for a try. That it is gone is not believed before a look: some answers to a delete say so, and
    /// nothing was done.
    async fn take_away(&self, place: &str) {
        let deleted = self.delete_if(place, None).await;
        if self.head(place).await.is_ok_and(|presence| presence == Presence::Missing) {
            return;
        }
        let answers = self.remove_together(&[place], None).await;
        if let (Err(error), false) = (deleted, answers.get(place) == Some(&Removed::Gone)) {
            tracing::warn!("{:#}", self.explained("taking away what was put for a try at", place, error));
        }
    }

    /// What a copy keeps that is told nothing, or else one that is told; `None`: nobody knows.
    async fn try_copies_to(&self, place: &str, copy: &str) -> Option<Kept> {
        if !self.put_with_everything(place).await {
            return None;
        }
        let ours = self.about(place).await.ok()??;
        let lost = self.lost_by(&ours, place, copy, false).await?;
        // No copy keeps a redirect by itself. Where there surely is no website, nobody is redirected.
        let is_whole = lost.is_empty() || lost == [REDIRECT] && self.is_no_website().await;
        if is_whole && self.do_etags_tell_of_keys(&ours, copy).await {
            return Some(Kept::All);
        }
        self.lost_by(&ours, place, copy, true).await.filter(Vec::is_empty).map(|_| Kept::Told)
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
            // It does not know what that is, or has no keys.
            let status = error.raw_response().map(|response| response.status().as_u16());
            return matches!(status, Some(400 | 501));
        }
        match self.about(place).await {
            Ok(Some(theirs)) => theirs.is_plain() || theirs.object(place).bare_etag() != ours.object(place).bare_etag(),
            _ => false,
        }
    }

    /// Puts an object with all that the store takes.
    async fn put_with_everything(&self, place: &str) -> bool {
        for with in [With::Everything, With::NoTags, With::NoKey, With::HeadersAlone] {
            let put = self.client.put_object().bucket(&self.name).key(place).body(BYTES.to_vec().into());
            if with.told(put).send().await.is_ok() {
                return true;
            }
        }
        false
    }

    /// Whether the bucket is surely not served as a website.
    async fn is_no_website(&self) -> bool {
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
        let put = put
            .content_type("image/png")
            .cache_control("max-age=60")
            .content_disposition("inline")
            .content_encoding("identity")
            .content_language("en")
            .expires(DateTime::from_secs(4_000_000_000))
            .metadata("tried", "yes");
        match self {
            With::Everything => With::NoTags.told_more(put).tagging("tried=yes"),
            with => with.told_more(put),
        }
    }

    fn told_more(self, put: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        match self {
            With::Everything | With::NoTags => {
                With::NoKey.told_more(put).server_side_encryption(ServerSideEncryption::Aes256)
            }
            With::NoKey => put.website_redirect_location("/"),
            With::HeadersAlone => put,
        }
    }
}
