//! A listing read range by range, and checked: every key below the prefix, after the one before it, inside what was
//! asked for. A store that breaks this cannot be compared (I1).

use anyhow::{Result, anyhow, bail};

use crate::domain::key::Printable;
use crate::domain::listed::Objects;
use crate::storage::{Listing, Page};

/// Pages without objects in a row, after which a listing that says that more follows is not believed.
const EMPTY_PAGES: usize = 1000;

/// A listing under way.
pub struct Cursor {
    listing: Box<dyn Listing>,
    prefix: String,
    /// The last key that was given, or the one that the listing starts after.
    last: String,
    /// What was listed beyond the range asked for.
    carried: Option<Page>,
}

impl Cursor {
    pub fn new(listing: Box<dyn Listing>, prefix: &str, after: Option<&str>) -> Self {
        let last = after.unwrap_or_default().to_owned();
        Cursor { listing, prefix: prefix.to_owned(), last, carried: None }
    }

    /// The next objects up to and with the key `through`; `None` when there are no more of them.
    pub async fn next_through(&mut self, through: Option<&str>) -> Result<Option<Page>> {
        if through.is_some_and(|through| self.last.as_str() >= through) {
            return Ok(None);
        }
        let page = match self.carried.take() {
            Some(page) => Some(page),
            None => self.fetch().await?,
        };
        let Some(mut page) = page else { return Ok(None) };
        let inside = match through {
            Some(through) => page.objects.count_through(through),
            None => page.objects.len(),
        };
        let beyond = page.objects.split_off(inside);
        if !beyond.is_empty() {
            self.carried = Some(Page { objects: beyond, more: page.more, now: page.now });
        }
        match page.objects.last() {
            Some(object) => object.key.clone_into(&mut self.last),
            None => return Ok(None),
        }
        Ok(Some(page))
    }

    /// Whether the listing has gone beyond the range that was asked for last.
    pub fn is_beyond(&self) -> bool {
        self.carried.is_some()
    }

    async fn fetch(&mut self) -> Result<Option<Page>> {
        for _ in 0..EMPTY_PAGES {
            match self.listing.next_page().await? {
                Some(page) if page.objects.is_empty() => {}
                Some(page) => {
                    self.check(&page.objects)?;
                    return Ok(Some(page));
                }
                None => return Ok(None),
            }
        }
        bail!("the listing says that more follows and gave {EMPTY_PAGES} empty pages")
    }

    fn check(&self, objects: &Objects) -> Result<()> {
        let out_of_order = |last: &str, key: &str| {
            let (key, last) = (Printable(key), Printable(last));
            anyhow!(
                "the listing is out of byte order: {key} comes after {last}; for a store that lists so, write \
                 [storage] listing = \"unordered\""
            )
        };
        let ends = [objects.get(0), objects.last()];
        if let Some(first) = ends[0].filter(|first| first.key <= self.last.as_str()) {
            return Err(out_of_order(&self.last, first.key));
        }
        if let Some((last, next)) = objects.misplaced() {
            return Err(out_of_order(last.key, next.key));
        }
        // In byte order, what lies between two keys below the prefix lies below it.
        if let Some(object) = ends.into_iter().flatten().find(|object| !object.key.starts_with(&self.prefix)) {
            let (key, prefix) = (Printable(object.key), Printable(&self.prefix));
            bail!("the listing left the prefix {prefix}: it names {key}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use chrono::DateTime;
    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;
    use crate::domain::listed::Listed;

    struct Script(VecDeque<Vec<&'static str>>);

    impl Listing for Script {
        fn next_page(&mut self) -> BoxFuture<'_, Result<Option<Page>>> {
            let page = self.0.pop_front().map(|keys| Page {
                objects: keys
                    .into_iter()
                    .map(|key| Listed {
                        key,
                        size: 0,
                        last_modified: None,
                        etag: None,
                        archived: false,
                        opaque_etag: false,
                        is_new: false,
                        is_plain: false,
                    })
                    .collect(),
                more: true,
                now: DateTime::UNIX_EPOCH,
            });
            async move { Ok(page) }.boxed()
        }
    }

    fn cursor(pages: &[&[&'static str]], after: Option<&str>) -> Cursor {
        Cursor::new(Box::new(Script(pages.iter().map(|page| page.to_vec()).collect())), "p/", after)
    }

    async fn keys(cursor: &mut Cursor, through: Option<&str>) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        while let Some(page) = cursor.next_through(through).await? {
            keys.extend(page.objects.iter().map(|object| object.key.to_owned()));
        }
        Ok(keys)
    }

    #[tokio::test]
    async fn what_is_listed_beyond_a_range_belongs_to_the_next() {
        let mut cursor = cursor(&[&["p/a", "p/b"], &[], &["p/c", "p/d"], &["p/e"]], None);
        assert_eq!(keys(&mut cursor, Some("p/aa")).await.expect("a range"), ["p/a"]);
        assert_eq!(keys(&mut cursor, Some("p/ab")).await.expect("a range"), [""; 0]);
        assert_eq!(keys(&mut cursor, Some("p/c")).await.expect("a range"), ["p/b", "p/c"]);
        assert_eq!(keys(&mut cursor, None).await.expect("a range"), ["p/d", "p/e"]);
    }

    #[tokio::test]
    async fn a_listing_out_of_order_or_outside_its_range_fails() {
        for pages in [&[&["p/b", "p/a"][..]][..], &[&["p/a"], &["p/a"]], &[&["p/b"], &["p/a"]], &[&["p/a", "q/a"]]] {
            keys(&mut cursor(pages, None), None).await.expect_err("a broken listing");
        }
        keys(&mut cursor(&[&["p/a"]], Some("p/a")), None).await.expect_err("a key before the start");
        let endless: Vec<&[&'static str]> = vec![&[]; EMPTY_PAGES + 1];
        keys(&mut cursor(&endless, None), None).await.expect_err("an endless listing");
    }
}
