//! A TCP proxy in front of a database that cuts a connection at a statement, and not after so many bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How much later a statement arrives whose sender is gone.
const LATE: Duration = Duration::from_millis(1500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The statement never arrives.
    Before,
    /// It is carried out, and its answer lost.
    Answer,
    /// The same, and it arrives only a while after its sender has lost the connection.
    Late,
    /// Its answer is lost, and nobody reaches the database any more until it is [`Cutter::up`].
    Down,
}

#[derive(Clone)]
struct Script {
    statement: Vec<u8>,
    nth: usize,
    how: Cut,
}

#[derive(Default)]
struct State {
    script: Mutex<Option<Script>>,
    seen: AtomicUsize,
    is_down: AtomicBool,
    was_cut: AtomicBool,
}

/// It serves until the test process ends.
pub struct Cutter {
    /// The database's URL, with the proxy for its address.
    pub url: String,
    state: Arc<State>,
}

impl Cutter {
    pub fn before(url: &str) -> Cutter {
        let mut url = url::Url::parse(url).expect("a URL");
        let upstream: SocketAddr =
            format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port")).parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        url.set_port(Some(listener.local_addr().expect("the port that was bound").port())).expect("a port");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if !shared.is_down.load(SeqCst) {
                    let server = TcpStream::connect(upstream).expect("the server behind the proxy");
                    forward(client, server, &shared);
                }
            }
        });
        Cutter { url: url.into(), state }
    }

    /// Cuts the connection that is the `nth` to send `statement`, counted from 1.
    pub fn cut(&self, statement: &[u8], nth: usize, how: Cut) {
        self.state.seen.store(0, SeqCst);
        *self.state.script.lock().expect("the script") = Some(Script { statement: statement.to_vec(), nth, how });
    }

    pub fn was_cut(&self) -> bool {
        self.state.was_cut.load(SeqCst)
    }

    pub fn up(&self) {
        self.state.is_down.store(false, SeqCst);
    }
}

impl State {
    /// What to do at these bytes.
    fn fits(&self, bytes: &[u8]) -> Option<Cut> {
        let mut script = self.script.lock().expect("the script");
        let Script { statement, nth, how } = script.clone()?;
        let fits = bytes.windows(statement.len()).any(|window| window == statement);
        if !fits || self.seen.fetch_add(1, SeqCst) + 1 != nth {
            return None;
        }
        *script = None;
        Some(how)
    }
}

fn forward(client: TcpStream, server: TcpStream, state: &Arc<State>) {
    let is_muted = Arc::new(AtomicBool::new(false));
    let ends = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    let (muted, shared) = (Arc::clone(&is_muted), Arc::clone(state));
    std::thread::spawn(move || {
        if !carry_questions(&ends, &muted, &shared) {
            end(&ends.0, &ends.1);
        }
    });
    let shared = Arc::clone(state);
    std::thread::spawn(move || {
        let (mut from, mut to, mut buffer) = (&server, &client, [0; 16 * 1024]);
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if is_muted.load(SeqCst) || shared.is_down.load(SeqCst) || to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        end(&client, &server);
    });
}

/// Gives whether the connection is left for the answer to end.
fn carry_questions((client, server): &(TcpStream, TcpStream), is_muted: &AtomicBool, state: &State) -> bool {
    let (mut from, mut to, mut buffer) = (client, server, [0; 64 * 1024]);
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if state.is_down.load(SeqCst) {
            return false;
        }
        let Some(how) = state.fits(&buffer[..read]) else {
            if to.write_all(&buffer[..read]).is_err() {
                return false;
            }
            continue;
        };
        state.was_cut.store(true, SeqCst);
        if how == Cut::Before {
            return false;
        }
        is_muted.store(true, SeqCst);
        state.is_down.store(how == Cut::Down, SeqCst);
        if how == Cut::Late {
            let _closed = client.shutdown(Shutdown::Both);
            std::thread::sleep(LATE);
        }
        return to.write_all(&buffer[..read]).is_ok();
    }
    false
}

fn end(client: &TcpStream, server: &TcpStream) {
    let _closed = client.shutdown(Shutdown::Both);
    let _closed = server.shutdown(Shutdown::Both);
}
