//! ListObjectsV2, page by page. Whatever leaves a page's completeness in doubt is an error (I1).

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::types::EncodingType;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::connector::{Meter, Slot};
use super::explained::Host;
use crate::domain::key::Printable;
use crate::storage::{Listing, Page};

/// A listing of one range of a bucket.
pub struct Pages {
    /// The request for the next page; `None` at the end.
    next: Option<ListObjectsV2FluentBuilder>,
    token: Option<String>,
    meter: Arc<Meter>,
    host: Host,
}

impl Pages {
    pub fn new(first: ListObjectsV2FluentBuilder, meter: Arc<Meter>, host: Host) -> Self {
        // XML 1.0 cannot carry every character that a key may hold.
        Pages { next: Some(first.encoding_type(EncodingType::Url)), token: None, meter, host }
    }

    async fn fetch(&mut self) -> Result<Option<Page>> {
        let Some(request) = self.next.take() else { return Ok(None) };
        let again = request.clone();
        // The connector reads the page, and the SDK does the rest: signing, retries and errors.
        let slot = Slot::default();
        let customized = request.customize().mutate_request({
            let slot = slot.clone();
            move |request| request.add_extension(slot.clone())
        });
        let what = || {
            let of = |name: &Option<String>| name.as_deref().unwrap_or_default().to_owned();
            format!("listing {}/{}", of(again.get_bucket()), Printable(&of(again.get_prefix())))
        };
        customized.send().await.map_err(|error| self.host.explained(&what(), error))?;
        let page = slot.take().context("the listing gave no page")?;
        let listed = page.objects.len() as u64;
        if let Some(said) = page.key_count.filter(|said| listed < *said) {
            bail!("the listing's page holds {listed} objects where it says {said}");
        }
        match (page.is_truncated, page.next_token) {
            (false, _) => {}
            (true, None) => bail!("the listing says that more follows, and not where (IsTruncated without a token)"),
            (true, token) if self.token == token => bail!("the listing gave the same continuation token twice"),
            (true, Some(token)) => {
                self.next = Some(again.set_start_after(None).continuation_token(&token));
                self.token = Some(token);
            }
        }
        Ok(Some(Page { objects: page.objects, more: self.next.is_some(), now: self.meter.now() }))
    }
}

impl Listing for Pages {
    fn next_page(&mut self) -> BoxFuture<'_, Result<Option<Page>>> {
        self.fetch().boxed()
    }
}
