//! A TCP proxy on a free loopback port that cuts a connection once it has carried so many bytes to the client: a database
//! that goes away in the middle of an answer.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A proxy, and how many connections it has cut so far. It serves until the test process ends.
pub struct Proxy {
    pub address: SocketAddr,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    /// Forwards every connection to `upstream` (`host:port`), and cuts it after `bytes` from there.
    pub fn cutting_after(bytes: usize, upstream: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port that was bound");
        let cuts = Arc::new(AtomicUsize::new(0));
        let (counter, upstream) = (Arc::clone(&cuts), upstream.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&upstream).expect("the server behind the proxy");
                forward(client, server, bytes, Arc::clone(&counter));
            }
        });
        Proxy { address, cuts }
    }

    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

fn forward(client: TcpStream, server: TcpStream, budget: usize, cuts: Arc<AtomicUsize>) {
    let (mut questions, mut upstream) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    std::thread::spawn(move || {
        let _ended = std::io::copy(&mut questions, &mut upstream);
        let _closed = upstream.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        if carry(&server, &client, budget) {
            cuts.fetch_add(1, Ordering::Relaxed);
        }
        let _closed = client.shutdown(Shutdown::Both);
        let _closed = server.shutdown(Shutdown::Both);
    });
}

/// Carries bytes until the budget is spent (true) or the connection ends by itself.
fn carry(mut from: &TcpStream, mut to: &TcpStream, budget: usize) -> bool {
    let (mut left, mut buffer) = (budget, [0; 16 * 1024]);
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => return false,
            Ok(read) if read > left => {
                let _last = to.write_all(&buffer[..left]);
                return true;
            }
            Ok(read) if to.write_all(&buffer[..read]).is_err() => return false,
            Ok(read) => left -= read,
        }
    }
}
