//! The layer in front of the store: it notes each call, runs the hooks, plays the faults and sets the clock.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::bucket::Bucket;
use super::fault::{Call, Fault, Seen, What};
use super::store::Store;
use super::{ACCESS_KEY, SECRET_KEY, mangle};

/// What the tool puts there for its tries.
const TRIED: &str = ".trash/.if-match";
/// What it puts there, and lists, to try whether a listing names at once what has changed.
const LISTED: &str = ".trash/.listed";

type Hook = Arc<dyn Fn(&Seen) + Send + Sync>;
type Answered = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// What the tests and the connections share.
pub(super) struct Front {
    pub calls: Mutex<Vec<Seen>>,
    /// Those by which the tool tries, once on a fresh ledger, whether a delete heeds a condition: no test's own calls.
    pub tries: Mutex<Vec<Seen>>,
    pub faults: Mutex<Vec<Fault>>,
    /// The script of the tries.
    pub try_faults: Mutex<Vec<Fault>>,
    pub hooks: Mutex<Vec<(Call, Hook)>>,
    pub skew_seconds: AtomicI64,
    service: S3Service,
}

impl Front {
    pub fn new(bucket: Arc<Bucket>) -> Front {
        let mut builder = S3ServiceBuilder::new(Store { bucket });
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        // The SDK signs with the server's clock once it has seen it, so a skewed server must not mind.
        let mut config = S3Config::default();
        config.presigned_url_max_skew_time_secs = u32::MAX / 2;
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        Front {
            calls: Mutex::default(),
            tries: Mutex::default(),
            faults: Mutex::default(),
            try_faults: Mutex::default(),
            hooks: Mutex::default(),
            skew_seconds: AtomicI64::new(0),
            service: builder.build(),
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answered, io::Error> {
        let seen = Seen::of(&request);
        if seen.key == TRIED {
            self.tries.lock().expect("the tries").push(seen.clone());
            return match play(&self.try_faults, &seen) {
                Some(What::Status(status, code)) => Ok(refusal(request, status, code).await),
                _ => self.serve(request).await,
            };
        }
        if seen.key == LISTED || seen.parameter("prefix").is_some_and(|prefix| prefix == LISTED) {
            return self.serve(request).await;
        }
        self.calls.lock().expect("the calls").push(seen.clone());
        self.run_hooks(&seen).await;
        match play(&self.faults, &seen) {
            None => self.serve(request).await,
            Some(What::Status(status, code)) => Ok(refusal(request, status, code).await),
            Some(What::Reset) => Err(cut()),
            Some(What::ResetAfterwards) => self.serve(request).await.and(Err(cut())),
            Some(What::ResetInBody) => self.serve_half(request).await,
            Some(What::Delay(time)) => {
                tokio::time::sleep(time).await;
                self.serve(request).await
            }
            Some(What::DelayAfterwards(time)) => {
                let answer = self.serve(request).await;
                tokio::time::sleep(time).await;
                answer
            }
            Some(What::ErrorsInside) => Ok(refused_keys(request).await),
            Some(What::NoKeyNamed) => Ok(instead(request, "<DeleteResult></DeleteResult>".to_owned()).await),
            Some(What::EmptyBodyInstead) => Ok(instead(request, String::new()).await),
            Some(What::HoldBefore(gate)) => {
                gate.reach();
                pending().await
            }
            Some(What::HoldAfterwards(gate)) => {
                let _withheld = self.serve(request).await;
                gate.reach();
                pending().await
            }
            Some(what) => self.serve_spoilt(request, &what, &seen).await,
        }
    }

    /// Hooks may block (they write to databases), so they run beside the runtime's own threads.
    async fn run_hooks(&self, seen: &Seen) {
        let hooks: Vec<Hook> = {
            let hooks = self.hooks.lock().expect("the hooks");
            hooks.iter().filter(|(call, _)| *call == seen.call).map(|(_, hook)| Arc::clone(hook)).collect()
        };
        for hook in hooks {
            let seen = seen.clone();
            tokio::task::spawn_blocking(move || hook(&seen)).await.expect("the hook ended well");
        }
    }

    async fn bytes(&self, request: Request<Incoming>) -> Result<Response<Bytes>, io::Error> {
        let response =
            self.service.call(request.map(s3s::Body::from)).await.map_err(|_| io::Error::other("s3s gave up"))?;
        let (mut parts, body) = response.into_parts();
        self.set_clock(&mut parts.headers);
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }

    async fn serve(&self, request: Request<Incoming>) -> Result<Answered, io::Error> {
        Ok(self.bytes(request).await?.map(full))
    }

    async fn serve_spoilt(&self, request: Request<Incoming>, what: &What, seen: &Seen) -> Result<Answered, io::Error> {
        let mut response = self.bytes(request).await?;
        response.headers_mut().remove(CONTENT_LENGTH);
        Ok(response.map(|body| {
            let page = String::from_utf8_lossy(&body).into_owned();
            full(mangle::spoilt(what, &page, seen).unwrap_or(page).into())
        }))
    }

    /// Promises the whole body and delivers half of it.
    async fn serve_half(&self, request: Request<Incoming>) -> Result<Answered, io::Error> {
        let mut response = self.bytes(request).await?;
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(CONTENT_LENGTH, length);
        Ok(response.map(|body| {
            let half = body.slice(..body.len() / 2);
            // The pause lets the first half leave before the connection goes.
            let pause = Duration::from_millis(20);
            let end = async move {
                tokio::time::sleep(pause).await;
                Err(cut())
            };
            let frames = stream::once(async move { Ok(Frame::data(half)) });
            StreamBody::new(futures::StreamExt::chain(frames, stream::once(end))).boxed_unsync()
        }))
    }

    fn set_clock(&self, headers: &mut hyper::HeaderMap) {
        let skew = self.skew_seconds.load(Ordering::Relaxed);
        let distance = Duration::from_secs(skew.unsigned_abs());
        let now = SystemTime::now();
        let date = if skew < 0 { now - distance } else { now + distance };
        let date = chrono::DateTime::<chrono::Utc>::from(date).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        headers.insert(DATE, date.parse().expect("a date"));
    }
}

/// What the script has for this call, if anything.
fn play(script: &Mutex<Vec<Fault>>, seen: &Seen) -> Option<What> {
    script.lock().expect("the script").iter_mut().find_map(|fault| fault.play(seen))
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection is cut by the test")
}

fn full(bytes: Bytes) -> UnsyncBoxBody<Bytes, io::Error> {
    Full::new(bytes).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// An S3 error; without a body where the call is a HEAD, as HTTP has it.
async fn refusal(request: Request<Incoming>, status: u16, code: &str) -> Answered {
    let head = request.method() == Method::HEAD;
    // What is left unread in a request makes hyper close the connection, which is another fault than the one asked for.
    let _unread = request.into_body().collect().await;
    let body = match head {
        true => String::new(),
        false => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{code} by the test</Message>\
             <RequestId>0123456789ABCDEF</RequestId></Error>"
        ),
    };
    Response::builder()
        .status(StatusCode::from_u16(status).expect("a status"))
        .header(CONTENT_TYPE, "application/xml")
        .body(full(body.into()))
        .expect("an answer")
}

/// 200 with this body, and nothing done.
async fn instead(request: Request<Incoming>, body: String) -> Answered {
    let _unread = request.into_body().collect().await;
    Response::builder().header(CONTENT_TYPE, "application/xml").body(full(body.into())).expect("an answer")
}

/// The answer to a DeleteObjects that says of each of its keys that it could not be deleted.
async fn refused_keys(request: Request<Incoming>) -> Answered {
    let asked = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let asked = String::from_utf8_lossy(&asked).into_owned();
    let keys = asked.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
    let errors = keys.map(|(key, _)| {
        format!("<Error><Key>{key}</Key><Code>InternalError</Code><Message>refused by the test</Message></Error>")
    });
    let body = format!("<DeleteResult>{}</DeleteResult>", errors.collect::<String>());
    Response::builder().header(CONTENT_TYPE, "application/xml").body(full(body.into())).expect("an answer")
}

/// Serves until `stopped` ends, on a runtime of its own.
pub(super) fn run(listener: std::net::TcpListener, front: Arc<Front>, stopped: oneshot::Receiver<()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        listener.set_nonblocking(true).expect("a listener that does not block");
        let listener = TcpListener::from_std(listener).expect("a listener");
        tokio::select! {
            () = accept(listener, front) => {}
            _ = stopped => {}
        }
    });
    // A delayed answer that nobody waits for any more must not hold the test up.
    runtime.shutdown_background();
}

async fn accept(listener: TcpListener, front: Arc<Front>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return poll_fn(|_| std::task::Poll::Pending).await };
        let front = Arc::clone(&front);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let front = Arc::clone(&front);
                async move { front.answer(request).await }
            });
            // A connection that ends badly is what many of the tests ask for.
            let _ended =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
