//! The vocabulary of a script of faults: which call, from the how-manieth on, how often, and what goes wrong.

use std::fmt;
use std::time::Duration;

use hyper::{Method, Request};
use percent_encoding::percent_decode_str;

use super::gate::Gate;

/// The kinds of call that a test can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    List,
    Head,
    Get,
    Put,
    Copy,
    Delete,
    DeleteMany,
    Other,
}

/// One call, as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub call: Call,
    pub method: Method,
    /// Decoded, without the bucket; empty for a call on the bucket itself.
    pub key: String,
    query: String,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum What {
    /// An answer with this status and error code, and nothing done.
    Status(u16, &'static str),
    /// The connection is closed before an answer, and nothing done.
    Reset,
    /// The call is done, and the connection is closed before an answer.
    ResetAfterwards,
    /// The connection is closed in the middle of the body.
    ResetInBody,
    /// The answer comes this much later.
    Delay(Duration),
    /// The call is done, and the answer comes this much later.
    DelayAfterwards(Duration),
    /// 200, with every key that was to be deleted among the errors; nothing done.
    ErrorsInside,
    /// 200, with no key in either list; nothing done.
    NoKeyNamed,
    /// The document ends in its middle, and the length is right.
    HalfBody,
    /// 200 with nothing in it, and nothing done.
    EmptyBodyInstead,
    /// The call is held for ever, and nothing done: for tests that kill the caller meanwhile.
    HoldBefore(Gate),
    /// The call is done, and its answer held for ever.
    HoldAfterwards(Gate),
    /// 200 with nothing in it.
    EmptyBody,
    /// The document ends after a `</Contents>`: every element whole, the length right, the rest missing.
    CutAfterElement,
    /// The document ends in the middle of a key.
    CutInElement,
    /// The first two keys of the page change places.
    OutOfOrder,
    /// The next token is the one that was asked with.
    RepeatedToken,
    /// The next token is this one.
    NextToken(&'static str),
    /// The page is without objects, and says that more follows, by another token each time.
    EmptyPage,
    /// The page names so many objects, and says that no more follow.
    EndsAfter(usize),
    /// `IsTruncated` is true, and no token says where to go on.
    TruncatedWithoutToken,
    /// An object of this key stands before the others of the page.
    StrayFirst(&'static str),
    /// An object of this key stands after the others of the page.
    StrayLast(&'static str),
}

/// One entry of the script.
pub struct Fault {
    call: Call,
    when: Box<dyn Fn(&Seen) -> bool + Send>,
    skip: usize,
    times: Option<usize>,
    played: usize,
    what: What,
}

impl Fault {
    /// `what` befalls every call of a kind, for ever.
    pub fn on(call: Call, what: What) -> Fault {
        Fault { call, when: Box::new(|_| true), skip: 0, times: None, played: 0, what }
    }

    /// Only calls of which this is true.
    pub fn when(mut self, fits: impl Fn(&Seen) -> bool + Send + 'static) -> Fault {
        self.when = Box::new(fits);
        self
    }

    /// Lets this many calls pass first.
    pub fn after(mut self, calls: usize) -> Fault {
        self.skip = calls;
        self
    }

    /// Ends after this many.
    pub fn times(mut self, calls: usize) -> Fault {
        self.times = Some(calls);
        self
    }

    pub(super) fn was_played(&self) -> bool {
        self.played >= self.times.unwrap_or(1)
    }

    /// What befalls this call, if it is one of ours.
    pub(super) fn play(&mut self, seen: &Seen) -> Option<What> {
        if seen.call != self.call || !(self.when)(seen) || self.times.is_some_and(|times| self.played >= times) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.played += 1;
        Some(self.what.clone())
    }
}

impl Seen {
    pub(super) fn of<B>(request: &Request<B>) -> Seen {
        let path = request.uri().path().trim_start_matches('/');
        let key = path.split_once('/').map_or("", |(_bucket, key)| key);
        let query = request.uri().query().unwrap_or("").to_owned();
        let copies = request.headers().contains_key("x-amz-copy-source");
        let call = match (request.method(), key.is_empty()) {
            (&Method::GET, true) if query.contains("list-type=2") => Call::List,
            (&Method::POST, true) if query.split('&').any(|part| part == "delete" || part == "delete=") => {
                Call::DeleteMany
            }
            (&Method::HEAD, false) => Call::Head,
            (&Method::GET, false) => Call::Get,
            (&Method::PUT, false) if copies => Call::Copy,
            (&Method::PUT, false) => Call::Put,
            (&Method::DELETE, false) => Call::Delete,
            _ => Call::Other,
        };
        Seen { call, method: request.method().clone(), key: decoded(key), query }
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| decoded(&value.replace('+', " "))).next()
    }

    /// Whether the call would change something.
    pub fn writes(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} ?{}", self.method, self.key, self.query)
    }
}
