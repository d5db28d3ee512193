//! ListObjectsV2, page by page. Whatever leaves a page's completeness in doubt is an error (I1).

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::types::EncodingType;
use futures::FutureExt;
use futures::future::BoxFuture;
use percent_encoding::percent_decode_str;

use super::connector::Meter;
use super::{explained, is_archive, time};
use crate::finding::Object;
use crate::storage::{Listing, Page};

/// A listing of one range of a bucket.
pub struct Pages {
    /// The request for the next page; `None` at the end.
    next: Option<ListObjectsV2FluentBuilder>,
    token: Option<String>,
    meter: Arc<Meter>,
}

impl Pages {
    pub fn new(first: ListObjectsV2FluentBuilder, meter: Arc<Meter>) -> Self {
        // XML 1.0 cannot carry every character that a key may hold.
        Pages { next: Some(first.encoding_type(EncodingType::Url)), token: None, meter }
    }

    async fn fetch(&mut self) -> Result<Option<Page>> {
        let Some(request) = self.next.take() else { return Ok(None) };
        let again = request.clone();
        let output = request.send().await.map_err(|error| explained("listing the bucket", error))?;
        let objects = objects_of(&output)?;
        match (output.is_truncated().unwrap_or(false), output.next_continuation_token()) {
            (false, _) => {}
            (true, None) => bail!("the listing says that more follows, and not where (IsTruncated without a token)"),
            (true, Some(token)) if self.token.as_deref() == Some(token) => {
                bail!("the listing gave the same continuation token twice")
            }
            (true, Some(token)) => {
                self.token = Some(token.to_owned());
                self.next = Some(again.set_start_after(None).continuation_token(token));
            }
        }
        Ok(Some(Page { objects, now: self.meter.now() }))
    }
}

impl Listing for Pages {
    fn next_page(&mut self) -> BoxFuture<'_, Result<Option<Page>>> {
        self.fetch().boxed()
    }
}

fn objects_of(output: &ListObjectsV2Output) -> Result<Vec<Object>> {
    let contents = output.contents();
    let said = output.key_count().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    if contents.len() < said {
        bail!("the listing's page holds {} objects where it says {said}", contents.len());
    }
    let encoded = output.encoding_type() == Some(&EncodingType::Url);
    contents
        .iter()
        .map(|object| {
            let key = object.key().context("the listing names an object without a key")?;
            Ok(Object {
                key: if encoded { decoded(key)?.into_owned() } else { key.to_owned() },
                size: object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                last_modified: object.last_modified().and_then(time),
                etag: object.e_tag().map(str::to_owned),
                archived: object.storage_class().is_some_and(|class| is_archive(class.as_str())),
                opaque_etag: false,
            })
        })
        .collect()
}

/// A key as `encoding-type=url` carries it: percent-encoded, with `+` for a space.
fn decoded(key: &str) -> Result<Cow<'_, str>> {
    let spaced = if key.contains('+') { Cow::Owned(key.replace('+', " ")) } else { Cow::Borrowed(key) };
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(text) => Ok(Cow::Owned(text.into_owned())),
        Err(_) => Err(anyhow!("the listing names a key that is not UTF-8: {key}")),
    }
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_plus_is_a_space_and_an_encoded_plus_is_a_plus() {
        assert_eq!(decoded("a+b%2Bc%252Fd%C3%A9").expect("a key"), "a b+c%2Fdé");
        assert!(decoded("%ff").is_err());
    }
}
