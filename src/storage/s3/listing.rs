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

/// Pages without objects in a row, after which a listing that says that more follows is not believed.
const EMPTY_PAGES: usize = 1000;

/// The continuation tokens of a listing. One that comes back begins a circle without an end: each is compared with one
/// that is kept, and after 1, 2, 4, 8 … tokens another is kept (Brent), so that a circle of any length is met.
#[derive(Debug, Default)]
struct Tokens {
    kept: Option<String>,
    since: u64,
    keep_for: u64,
}

impl Tokens {
    fn come_back(&mut self, token: &str) -> bool {
        if self.kept.as_deref() == Some(token) {
            return true;
        }
        self.since += 1;
        if self.since >= self.keep_for {
            *self = Tokens { kept: Some(token.to_owned()), since: 0, keep_for: self.keep_for.max(1) * 2 };
        }
        false
    }
}

/// A listing of one range of a bucket.
pub struct Pages {
    /// The request for the next page; `None` at the end.
    next: Option<ListObjectsV2FluentBuilder>,
    tokens: Tokens,
    /// Pages without objects in a row.
    empty: usize,
    meter: Arc<Meter>,
    host: Host,
}

impl Pages {
    pub fn new(first: ListObjectsV2FluentBuilder, meter: Arc<Meter>, host: Host) -> Self {
        // XML 1.0 cannot carry every character that a key may hold.
        Pages { next: Some(first.encoding_type(EncodingType::Url)), tokens: Tokens::default(), empty: 0, meter, host }
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
            (true, Some(token)) if self.tokens.come_back(&token) => {
                bail!("the listing gave the same continuation token twice")
            }
            (true, Some(token)) => self.next = Some(again.set_start_after(None).continuation_token(token)),
        }
        self.empty = if page.objects.is_empty() { self.empty + 1 } else { 0 };
        if self.empty >= EMPTY_PAGES && self.next.is_some() {
            bail!("the listing says that more follows and gave {EMPTY_PAGES} empty pages");
        }
        Ok(Some(Page { objects: page.objects, more: self.next.is_some(), now: self.meter.now() }))
    }
}

impl Listing for Pages {
    fn next_page(&mut self) -> BoxFuture<'_, Result<Option<Page>>> {
        self.fetch().boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    #[test]
    fn a_circle_of_tokens_is_met_wherever_it_begins_and_others_are_not_taken_for_one() {
        for (before, round) in [(0, 1), (0, 2), (5, 1), (7, 3), (100, 64)] {
            let mut tokens = Tokens::default();
            let circle = (0..before + round).chain((before..before + round).cycle());
            let met = circle.take(5 * (before + round + 1)).position(|token| tokens.come_back(&token.to_string()));
            assert!(met.is_some_and(|met| met >= before + round), "{before} {round}: {met:?}");
        }
        let mut tokens = Tokens::default();
        assert!(!(0..5000).any(|token| tokens.come_back(&token.to_string())));
    }
}
