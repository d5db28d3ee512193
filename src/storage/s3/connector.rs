//! The SDK's own HTTP client, with five things added: requests wait for a pass, and are counted, the store's clock is read
//! from each answer's `Date`, a delete counts only with the answer of a delete, and a listing's page is read here, from its bytes. One that was
//! cut off or cannot be read is an error of the connection, which the SDK retries. (Its own reader is slow, and takes a
//! document that ends between two elements for a complete one: the page would silently be short.)

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_smithy_http_client::tls::{self, TlsContext};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use chrono::{DateTime, TimeDelta, Utc};

use super::gate::Gate;
use super::page::{self, ListedPage};
use super::scan::{PageScan, scan};
use crate::domain::{Requests, Time};

/// The store's clock is believed where it is not later than ours by more than this.
const MOST_AHEAD: TimeDelta = TimeDelta::minutes(15);

/// What was sent, and what time the store says it is.
#[derive(Debug, Default)]
pub struct Meter {
    list: AtomicU64,
    head: AtomicU64,
    copy: AtomicU64,
    delete: AtomicU64,
    /// Seconds since 1970, from the last answer's `Date`; 0 before the first.
    store_seconds: AtomicI64,
}

impl Meter {
    pub fn requests(&self) -> Requests {
        Requests {
            list: self.list.load(Relaxed),
            head: self.head.load(Relaxed),
            copy: self.copy.load(Relaxed),
            delete: self.delete.load(Relaxed),
        }
    }

    /// The store's own time; ours, where it does not say, or says one that is later by far: it makes objects older than they
    /// are.
    pub fn now(&self) -> Time {
        let ours = Utc::now();
        match self.store_seconds.load(Relaxed) {
            0 => ours,
            seconds => DateTime::from_timestamp(seconds, 0).filter(|time| *time - ours <= MOST_AHEAD).unwrap_or(ours),
        }
    }

    fn count(&self, request: &HttpRequest) {
        let counter = match request.method() {
            "GET" if is_list(request) => &self.list,
            "HEAD" => &self.head,
            "PUT" if request.headers().contains_key("x-amz-copy-source") => &self.copy,
            "DELETE" => &self.delete,
            // The other POSTs begin and end copies in parts.
            "POST" if request.uri().contains("?delete") => &self.delete,
            _ => return,
        };
        counter.fetch_add(1, Relaxed);
    }

    fn read_clock(&self, response: &HttpResponse) {
        let date = response.headers().get("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        if let Some(date) = date {
            self.store_seconds.store(date.timestamp(), Relaxed);
        }
    }
}

/// Where the page of one request is put, for whoever has sent it: an extension of the request.
#[derive(Debug, Clone, Default)]
pub struct Slot(Arc<Mutex<Option<ListedPage>>>);

impl Slot {
    fn put(&self, page: ListedPage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
    }

    /// The page of the last attempt.
    pub fn take(&self) -> Option<ListedPage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The SDK's HTTP client, metered, with the certificates that it trusts.
pub fn metered(meter: Arc<Meter>, gate: Gate, trusted: TlsContext) -> SharedHttpClient {
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    let inner = aws_smithy_http_client::Builder::new().tls_provider(provider).tls_context(trusted).build_https();
    SharedHttpClient::new(MeteredClient { inner, meter, gate, keep_whole: Arc::default() })
}

/// Until when a request may be sent, which waits for its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until(pub Instant);

/// Its turn came too late.
#[derive(Debug)]
struct TooLate;

impl std::fmt::Display for TooLate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it was not sent, as its turn came too late")
    }
}

impl std::error::Error for TooLate {}

/// Whether a request was not sent, as its turn came too late.
pub(super) fn is_too_late(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<TooLate>())
}

#[derive(Debug)]
struct MeteredClient {
    inner: SharedHttpClient,
    meter: Arc<Meter>,
    gate: Gate,
    /// Whether pages have turned out not to be written in the plain way.
    keep_whole: Arc<AtomicBool>,
}

impl HttpClient for MeteredClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        let (meter, gate, keep_whole) = (self.meter.clone(), self.gate.clone(), self.keep_whole.clone());
        SharedHttpConnector::new(MeteredConnector { inner, meter, gate, keep_whole })
    }
}

#[derive(Debug, Clone)]
struct MeteredConnector {
    inner: SharedHttpConnector,
    meter: Arc<Meter>,
    gate: Gate,
    /// Whether pages have turned out not to be written in the plain way.
    keep_whole: Arc<AtomicBool>,
}

impl HttpConnector for MeteredConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (slot, is_delete) = (request.extension::<Slot>().cloned(), request.method() == "DELETE");
        let until = request.extension::<Until>().copied();
        let MeteredConnector { inner, meter, gate, keep_whole } = self.clone();
        HttpConnectorFuture::new(async move {
            let pass = gate.pass().await;
            if until.is_some_and(|Until(until)| Instant::now() > until) {
                return Err(ConnectorError::other(Box::new(TooLate), None));
            }
            meter.count(&request);
            let mut response = inner.call(request).await?;
            meter.read_clock(&response);
            // What else says 200, a proxy for instance, has deleted nothing. Whoever asked looks it up.
            if is_delete && response.status().is_success() && response.status().as_u16() != 204 {
                return Err(ConnectorError::other("a delete was not answered with 204".into(), None));
            }
            if let (Some(slot), true) = (slot, response.status().is_success()) {
                let body = std::mem::replace(response.body_mut(), SdkBody::from(EMPTY_PAGE));
                response.headers_mut().insert("content-length", EMPTY_PAGE.len().to_string());
                slot.put(read_page(body, &keep_whole).await?);
            }
            pass.answered(matches!(response.status().as_u16(), 429 | 503));
            Ok(response)
        })
    }
}

fn is_list(request: &HttpRequest) -> bool {
    request.method() == "GET" && request.uri().contains("list-type=2")
}

/// What the SDK reads in the place of a page.
const EMPTY_PAGE: &str = "<ListBucketResult/>";

/// Reads a page while it arrives. One that is not written in the plain way must be kept whole and read by another reader:
/// where that comes out too late it is asked for once more, and then all are read so.
async fn read_page(body: SdkBody, keep_whole: &AtomicBool) -> Result<ListedPage, ConnectorError> {
    let mut body = ByteStream::new(body);
    let mut scanning = (!keep_whole.load(Relaxed)).then(PageScan::default);
    let mut whole = Vec::new();
    let mut is_first = true;
    while let Some(part) = body.next().await {
        let part = part.map_err(|error| ConnectorError::io(error.into()))?;
        let is_plain = scanning.as_mut().map(|scanning| scanning.feed(&part).is_some());
        match is_plain {
            Some(true) => {}
            Some(false) if !is_first => {
                keep_whole.store(true, Relaxed);
                return Err(unreadable("it was cut off, or is written in an unusual way"));
            }
            Some(false) | None => {
                scanning = None;
                whole.extend_from_slice(&part);
            }
        }
        is_first = false;
    }
    match scanning {
        None => match scan(&whole) {
            // It was cut off the last time, and nothing else.
            Some(page) => {
                keep_whole.store(false, Relaxed);
                Ok(page)
            }
            None => page::read(&whole).map_err(|error| unreadable(&format!("{error:#}"))),
        },
        Some(scanning) => scanning.finish().ok_or_else(|| {
            keep_whole.store(true, Relaxed);
            unreadable("it was cut off, or is written in an unusual way")
        }),
    }
}

fn unreadable(why: &str) -> ConnectorError {
    ConnectorError::io(format!("a page of the listing cannot be read: {why}").into())
}
