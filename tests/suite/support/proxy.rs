//! A TCP proxy on a free loopback port that cuts one connection, the first that has carried so many bytes to the client:
//! a database that goes away in the middle of an answer, and is back at once. Only one, so that a test proves what came
//! of that answer, and not that the next connection failed as well.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A proxy, and whether it has cut a connection. It serves until the test process ends.
pub struct Proxy {
    pub address: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    /// Forwards every connection to `upstream` (`host:port`), and cuts the first one that has brought `bytes` from there.
    pub fn cutting_after(bytes: usize, upstream: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port that was bound");
        let cut = Arc::new(AtomicBool::new(false));
        let (was_cut, upstream) = (Arc::clone(&cut), upstream.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&upstream).expect("the server behind the proxy");
                forward(client, server, bytes, Arc::clone(&was_cut));
            }
        });
        Proxy { address, cut }
    }

    pub fn was_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }
}

fn forward(client: TcpStream, server: TcpStream, budget: usize, was_cut: Arc<AtomicBool>) {
    let (mut questions, mut upstream) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    std::thread::spawn(move || {
        let _ended = std::io::copy(&mut questions, &mut upstream);
        let _closed = upstream.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        carry(&server, &client, budget, &was_cut);
        let _closed = client.shutdown(Shutdown::Both);
        let _closed = server.shutdown(Shutdown::Both);
    });
}

/// Carries bytes until the connection ends by itself, or is the one to be cut.
fn carry(mut from: &TcpStream, mut to: &TcpStream, budget: usize, was_cut: &AtomicBool) {
    let (mut carried, mut buffer) = (0, [0; 16 * 1024]);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        let is_last = carried + read > budget && !was_cut.swap(true, Ordering::Relaxed);
        let given = if is_last { budget.saturating_sub(carried) } else { read };
        if to.write_all(&buffer[..given]).is_err() || is_last {
            return;
        }
        carried += read;
    }
}
