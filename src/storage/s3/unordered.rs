//! The listing of a store that does not list in byte order: read to its end first, and sorted on disk.

use anyhow::{Context, Result};
use chrono::DateTime;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::listing::Pages;
use crate::domain::Time;
use crate::domain::listed::{Listed, Objects};
use crate::sorted::{Sorted, Sorter};
use crate::storage::{Listing, Page};

/// Objects given at once.
const PAGE: usize = 1_000;
/// Objects after which it is said how far the reading has come.
const TOLD: usize = 100_000;

/// A listing that is being sorted, or that was.
pub enum Unordered {
    Unread(Box<Pages>),
    Read(Box<Reading>),
}

/// What was listed, in byte order.
pub struct Reading {
    sorted: Sorted,
    /// The store's time as it began to list: what came later is young.
    now: Time,
    /// The first object of the next page: it was read to see that its key is another one.
    next: Option<(String, Kept)>,
}

impl Listing for Unordered {
    fn next_page(&mut self) -> BoxFuture<'_, Result<Option<Page>>> {
        async move {
            if let Unordered::Unread(pages) = self {
                *self = Unordered::Read(Box::new(read(pages).await?));
            }
            match self {
                Unordered::Unread(_) => Ok(None),
                Unordered::Read(reading) => reading.page(),
            }
        }
        .boxed()
    }
}

/// Reads the listing to its end.
async fn read(pages: &mut Pages) -> Result<Reading> {
    let mut sorter = Sorter::new()?;
    let (mut began, mut read) = (None, 0);
    while let Some(page) = pages.next_page().await? {
        began.get_or_insert(page.now);
        page.objects.iter().try_for_each(|object| sorter.push(object.key, &Kept::of(object).to_bytes()))?;
        let before = read;
        read += page.objects.len();
        if before / TOLD < read / TOLD {
            tracing::info!("{read} objects are listed, to be sorted");
        }
    }
    Ok(Reading { sorted: sorter.sorted()?, now: began.unwrap_or(DateTime::UNIX_EPOCH), next: None })
}

impl Reading {
    fn page(&mut self) -> Result<Option<Page>> {
        let mut objects = Objects::with_capacity(PAGE, 64 << 10, 40 << 10);
        while objects.len() < PAGE
            && let Some((key, kept)) = self.object()?
        {
            objects.push(kept.listed(&key));
        }
        Ok((!objects.is_empty()).then_some(Page { objects, more: true, now: self.now }))
    }

    /// The next object. Of one that was stored anew while it was listed, and so came twice, the last.
    fn object(&mut self) -> Result<Option<(String, Kept)>> {
        let Some(mut object) = self.next.take().map_or_else(|| self.read(), |object| Ok(Some(object)))? else {
            return Ok(None);
        };
        while let Some(next) = self.read()? {
            if next.0 != object.0 {
                self.next = Some(next);
                break;
            }
            if next.1.micros >= object.1.micros {
                object = next;
            }
        }
        Ok(Some(object))
    }

    fn read(&mut self) -> Result<Option<(String, Kept)>> {
        let entry = self.sorted.next_entry()?;
        entry
            .map(|(key, bytes)| Ok((key, Kept::read(&bytes).context("a sorted listing cannot be read back")?)))
            .transpose()
    }
}

/// What is kept of an object beside its key.
#[derive(Debug, PartialEq)]
struct Kept {
    size: u64,
    /// Since 1970.
    micros: Option<i64>,
    etag: Option<String>,
    archived: bool,
}

impl Kept {
    fn of(object: Listed<'_>) -> Self {
        Kept {
            size: object.size,
            micros: object.last_modified.map(|time| time.timestamp_micros()),
            etag: object.etag.map(str::to_owned),
            archived: object.archived,
        }
    }

    fn listed<'k>(&'k self, key: &'k str) -> Listed<'k> {
        Listed {
            key,
            size: self.size,
            last_modified: self.micros.and_then(DateTime::from_timestamp_micros),
            etag: self.etag.as_deref(),
            archived: self.archived,
            opaque_etag: false,
            is_new: false,
            is_plain: false,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let flags = [self.micros.is_some(), self.etag.is_some(), self.archived];
        let mut bytes = vec![flags.iter().rev().fold(0, |all, flag| all << 1 | u8::from(*flag))];
        bytes.extend_from_slice(&self.size.to_le_bytes());
        bytes.extend_from_slice(&self.micros.unwrap_or_default().to_le_bytes());
        bytes.extend_from_slice(self.etag.as_deref().unwrap_or_default().as_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (flags, rest) = bytes.split_first()?;
        let (size, rest) = rest.split_first_chunk()?;
        let (micros, etag) = rest.split_first_chunk()?;
        let has = |place: u8| flags >> place & 1 == 1;
        let etag = std::str::from_utf8(etag).ok()?;
        Some(Kept {
            size: u64::from_le_bytes(*size),
            micros: has(0).then(|| i64::from_le_bytes(*micros)),
            etag: has(1).then(|| etag.to_owned()),
            archived: has(2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_back_as_it_was() {
        for (micros, etag, archived) in
            [(None, None, false), (Some(-7), Some("\"é\""), true), (Some(0), Some(""), false)]
        {
            let kept = Kept { size: u64::MAX - 3, micros, etag: etag.map(str::to_owned), archived };
            assert_eq!(Kept::read(&kept.to_bytes()), Some(kept));
        }
    }
}
