//! Those who do not behave.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with, sockopt};

use crate::{BAD, IDLE, SLOW};

/// Threads for those that wait.
const THREADS: usize = 4;
/// Whoever was put out comes back when it is looked at again.
const ROUND: Duration = Duration::from_millis(250);

/// What is no request, or none that anybody waits for.
const TEXTS: [&str; 10] = [
    "\u{16}\u{3}\u{1} this is TLS\r\n\r\n",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n{}",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4294967297\r\n\r\n{",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[[",
    "POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "GET /sse HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n",
    "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/9.9\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "",
];

/// A slow head, and a slow body.
const SLOW_TEXTS: [&str; 2] = [
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: 9000\r\n\r\n{",
];

/// A siege under way.
pub(crate) struct Siege {
    over: Arc<AtomicBool>,
    opened: Arc<[AtomicUsize; 3]>,
    threads: Vec<JoinHandle<()>>,
}

impl Siege {
    /// All of them at once.
    pub(crate) fn lay(address: SocketAddr, sources: &[IpAddr]) -> Self {
        let (over, opened) = (Arc::new(AtomicBool::new(false)), Arc::new([const { AtomicUsize::new(0) }; 3]));
        let mut threads = Vec::new();
        for first in 0..THREADS {
            let (over, opened, sources) = (Arc::clone(&over), Arc::clone(&opened), sources.to_vec());
            threads.push(thread::spawn(move || wait(address, &sources, first, &over, &opened)));
        }
        for first in 0..BAD {
            let (over, opened, sources) = (Arc::clone(&over), Arc::clone(&opened), sources.to_vec());
            threads.push(thread::spawn(move || {
                let mut number = first;
                while !over.load(Ordering::Relaxed) {
                    bad(address, sources[number % sources.len()], number);
                    opened[2].fetch_add(1, Ordering::Relaxed);
                    number += 1;
                }
            }));
        }
        Self { over, opened, threads }
    }

    /// Ends it. How much there was.
    pub(crate) fn raise(self) -> String {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let [idle, slow, bad] = [0, 1, 2].map(|kind: usize| self.opened[kind].load(Ordering::Relaxed));
        format!("connections opened: {idle} idle, {slow} slow, {bad} bad")
    }
}

// The idle and the slow ones of a thread.
fn wait(address: SocketAddr, sources: &[IpAddr], first: usize, over: &AtomicBool, opened: &[AtomicUsize; 3]) {
    let mut crowd: Vec<(usize, Option<TcpStream>, usize)> =
        (first..IDLE + SLOW).step_by(THREADS).map(|number| (number, None, 0)).collect();
    while !over.load(Ordering::Relaxed) {
        for (number, socket, sent) in &mut crowd {
            if socket.as_ref().is_none_or(is_closed) {
                *socket = open(address, sources[*number % sources.len()], false).ok();
                *sent = 0;
                opened[usize::from(*number >= IDLE)].fetch_add(1, Ordering::Relaxed);
            }
            if let (Some(socket), Some(which)) = (socket, number.checked_sub(IDLE)) {
                let text = SLOW_TEXTS[which % 2].as_bytes();
                // The head of a slow body comes at once.
                let begin = if which % 2 == 0 || *sent > 0 { *sent } else { 0 };
                let end = if which % 2 == 1 && *sent == 0 { text.len() } else { *sent + 1 };
                let piece = text.get(begin..end).unwrap_or(b" ");
                *sent = socket.write(piece).map_or(*sent, |written| *sent + written);
            }
        }
        thread::sleep(ROUND);
    }
}

fn is_closed(socket: &TcpStream) -> bool {
    // What it was told does not matter to it.
    match socket.peek(&mut [0; 1]) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected),
    }
}

fn bad(address: SocketAddr, source: IpAddr, number: usize) {
    let Ok(mut socket) = open(address, source, true) else { return thread::sleep(Duration::from_millis(1)) };
    drop(socket.set_read_timeout(Some(Duration::from_millis(10))));
    drop(socket.write_all(TEXTS[number % TEXTS.len()].as_bytes()));
    drop(socket.read(&mut [0; 1024]));
}

// A connection that is gone when it is dropped, from this address; one that does not wait may still be on its way.
fn open(address: SocketAddr, source: IpAddr, waits: bool) -> io::Result<TcpStream> {
    let flags = SocketFlags::CLOEXEC | if waits { SocketFlags::empty() } else { SocketFlags::NONBLOCK };
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    bind(&socket, &SocketAddr::new(source, 0))?;
    sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
    match connect(&socket, &address) {
        // The listener's queue is full: it goes on by itself.
        Ok(()) | Err(Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}
