//! An S3 server inside the test process, on a free port of the loopback address.
//!
//! Three layers: `bucket` keeps the objects in memory, `store` answers S3's operations out of it (s3s does the protocol:
//! signatures, parsing, XML), and `http` stands in front of both, where it counts the calls, plays the faults of a
//! script and sets the clock.
//!
//! The bucket is ours and not s3s-fs's, because a file system cannot hold what a bucket can (`a` beside `a/b`, `a//b`, a
//! key of 1,024 bytes), and because s3s-fs 0.14 lists without ETags, says `EncodingType=url` around keys that it does
//! not encode, and walks its folder again for every page. Ten thousand objects cost nothing here.
//!
//! The server runs on a thread of its own, so that tests are plain functions; it stops when it is dropped.

mod application;
mod bucket;
mod fault;
mod gate;
mod http;
mod mangle;
mod store;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

pub use application::{Application, days, found, insert_old_rows};
pub use bucket::{About, Bucket, hours_ago};
pub use fault::{Call, Fault, Seen, What};
pub use gate::Gate;
use http::Front;

/// The only credentials that the server knows. The secret is there to be looked for in the tool's output.
pub const ACCESS_KEY: &str = "CLEANUPTESTACCESS";
pub const SECRET_KEY: &str = "secret-that-must-never-be-printed";

/// A running server with one bucket.
pub struct Server {
    /// The bucket, also to be moved into a hook.
    pub bucket: Arc<Bucket>,
    front: Arc<Front>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server with one empty bucket.
    pub fn start(bucket: &str) -> Server {
        let bucket = Arc::new(Bucket::new(bucket));
        let front = Arc::new(Front::new(Arc::clone(&bucket)));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port that was bound");
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&front);
        let thread = std::thread::spawn(move || http::run(listener, served, stopped));
        Server { bucket, front, address, stop: Some(stop), thread: Some(thread) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The `[storage]` section that reaches this bucket; `more` is added to it.
    pub fn storage_section(&self, more: &str) -> String {
        format!(
            "[storage]\nkind = \"s3\"\nbucket = {:?}\nendpoint = {:?}\nregion = \"us-east-1\"\npath_style = true\n{more}\n",
            self.bucket.name,
            self.endpoint(),
        )
    }

    /// Adds a fault to the script. The first fault of the script that fits a call is played.
    pub fn fault(&self, fault: Fault) {
        self.front.faults.lock().expect("the script").push(fault);
    }

    /// Adds a fault, an answer with another status, to the script of the tool's tries.
    pub fn fault_in_tries(&self, fault: Fault) {
        self.front.try_faults.lock().expect("the script").push(fault);
    }

    /// Whether every fault with an end has been played to it: a test of a fault that never came proves nothing.
    pub fn every_fault_was_played(&self) -> bool {
        self.front.faults.lock().expect("the script").iter().all(Fault::was_played)
    }

    /// Ends the script.
    pub fn no_more_faults(&self) {
        self.front.faults.lock().expect("the script").clear();
        self.front.try_faults.lock().expect("the script").clear();
    }

    /// Runs `hook` before each call of a kind is looked at.
    pub fn before(&self, call: Call, hook: impl Fn(&Seen) + Send + Sync + 'static) {
        self.front.hooks.lock().expect("the hooks").push((call, Arc::new(hook)));
    }

    /// Lists at most this many keys on one page.
    pub fn page_size(&self, keys: usize) {
        self.bucket.page_size.store(keys, Ordering::Relaxed);
    }

    /// Lists keys in the order of their letters read from the end.
    pub fn lists_in_no_order(&self) {
        self.bucket.has_no_order.store(true, Ordering::Relaxed);
    }

    /// Sets the server's clock this many seconds ahead of ours (behind, where negative): its `Date` says so.
    pub fn skew_clock(&self, seconds: i64) {
        self.front.skew_seconds.store(seconds, Ordering::Relaxed);
    }

    /// Every call so far, in the order of arrival.
    pub fn calls(&self) -> Vec<Seen> {
        self.front.calls.lock().expect("the calls").clone()
    }

    /// The calls by which the tool has tried whether a delete heeds a condition; they are among no others.
    pub fn tries(&self) -> Vec<Seen> {
        self.front.tries.lock().expect("the tries").clone()
    }

    /// How many calls of a kind arrived, whatever became of them.
    pub fn count(&self, call: Call) -> usize {
        self.calls().iter().filter(|seen| seen.call == call).count()
    }

    /// The calls that would change the bucket.
    pub fn writing_calls(&self) -> Vec<Seen> {
        self.calls().into_iter().filter(Seen::writes).collect()
    }

    pub fn forget_calls(&self) {
        self.front.calls.lock().expect("the calls").clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            // A panic while panicking would abort the whole suite.
            if !std::thread::panicking() {
                ended.expect("the server's thread ended well");
            }
        }
    }
}
