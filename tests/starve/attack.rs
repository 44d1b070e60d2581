//! Clients that take what they can, and give nothing back.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::sockopt;
use serde_json::json;

use crate::support::client::Client;
use crate::support::wire;

/// What they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Send a head byte by byte.
    Heads,
    /// Send a body byte by byte.
    Bodies,
    /// Send most of a body at once, and then nothing.
    Short,
    /// Ask for megabytes, and read nothing.
    Readers,
    /// The same by the stream of 2024-11-05: one for all, and calls of it.
    Streams,
    /// Send pings without end, and read nothing.
    Pings,
}

/// Between two of their bytes.
const PAUSE: Duration = Duration::from_millis(40);
/// Whoever is thrown out comes again after this time: who comes by the hundred a second is another matter, that of a share for each address.
const AGAIN: Duration = Duration::from_millis(500);
/// Those who read nothing don't notice that they were closed: they begin anew after this time.
const BLIND: Duration = Duration::from_secs(3);

/// Some of them, at work until this is dropped. Whoever is thrown out comes again.
pub(crate) struct Attack {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Attacker {
    kind: Kind,
    socket: TcpStream,
    since: Instant,
    /// Kept open, and not read.
    _stream: Option<TcpStream>,
}

impl Attack {
    /// Begins with so many of one kind.
    pub(crate) fn begin(kind: Kind, number: usize, address: SocketAddr) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = over.clone();
        let thread = thread::spawn(move || {
            let mut attackers: Vec<(Instant, Option<Attacker>)> = (0..number).map(|_| (Instant::now(), None)).collect();
            while !seen.load(Ordering::Relaxed) {
                for (due, attacker) in &mut attackers {
                    if attacker.as_mut().is_some_and(|attacker| !attacker.go_on()) {
                        (*due, *attacker) = (Instant::now() + AGAIN, None);
                    }
                    if attacker.is_none() && *due <= Instant::now() {
                        (*due, *attacker) = (Instant::now() + AGAIN, Attacker::begin(kind, address));
                    }
                }
                thread::sleep(PAUSE);
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

impl Attacker {
    // None where the house has no room for it now.
    fn begin(kind: Kind, address: SocketAddr) -> Option<Self> {
        let mut stream = None;
        let first = match kind {
            Kind::Heads => "POST /mcp HTTP/1.1\r\nHost: localhost\r\n".to_owned(),
            Kind::Bodies | Kind::Short => {
                let sent = if kind == Kind::Short { 59_000 } else { 10 };
                wire::echo(&"x".repeat(60_000)).split_at(500 + sent).0.to_owned()
            }
            Kind::Readers => wire::modern_call("h", "huge", &json!({"kibibytes": 16 * 1024})),
            Kind::Streams => {
                let (client, path) = open_stream(address)?;
                let mut post = Client::connect(address);
                post.try_send(&wire::post_to(&path, &[], &wire::initialize("2024-11-05", "old"))).ok()?;
                stream = Some(client);
                let call = wire::post_to(&path, &[], &wire::call(1, "huge", &json!({"kibibytes": 16 * 1024})));
                call.repeat(2)
            }
            Kind::Pings => wire::modern("d", "server/discover", json!({})).repeat(200),
        };
        let mut socket = TcpStream::connect(address).ok()?;
        let _ = sockopt::set_socket_recv_buffer_size(&socket, 4096);
        socket.set_nonblocking(true).ok()?;
        // What is not taken is not sent.
        let _ = socket.write(first.as_bytes());
        Some(Self { kind, socket, since: Instant::now(), _stream: stream })
    }

    // False when it was thrown out.
    fn go_on(&mut self) -> bool {
        if matches!(self.kind, Kind::Readers | Kind::Streams | Kind::Pings) {
            return self.since.elapsed() < BLIND;
        }
        if self.kind != Kind::Short && self.socket.write(b"x").is_err() {
            return false;
        }
        let read = self.socket.read(&mut [0; 1024]);
        read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

// A stream of 2024-11-05, and where to post to.
fn open_stream(address: SocketAddr) -> Option<(TcpStream, String)> {
    let mut socket = TcpStream::connect(address).ok()?;
    let _ = sockopt::set_socket_recv_buffer_size(&socket, 4096);
    socket.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    socket.write_all(wire::get_http_sse().as_bytes()).ok()?;
    let mut text = String::new();
    while !text.contains("/messages") || !text.ends_with("\n\n\r\n") {
        let mut some = [0; 512];
        let read = socket.read(&mut some).ok().filter(|read| *read > 0)?;
        text.push_str(str::from_utf8(&some[..read]).ok()?);
    }
    let path = text.lines().find_map(|line| line.strip_prefix("data: "))?.to_owned();
    Some((socket, path))
}
