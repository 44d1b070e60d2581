//! Clients that nobody wants.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt;

/// What they send: half a request, nonsense, two lengths, a body without end, a foreign origin, nothing at all; a stream and a call that are
/// left at once, a session that is begun and not used, heads and JSON without end, and requests behind each other of which no answer is read.
const TEXTS: [&str; 14] = [
    "POST /mcp HTTP/1.1\r\nHost: local",
    "\u{16}\u{3}\u{1} this is TLS\r\n\r\n",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n{}",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{\"jsonrpc\"",
    "GET /sse HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n",
    "",
    "GET /sse HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n",
    "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n\r\n",
    "POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n[[[[[[[[",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n[[[[[[[[[[[[[[[[[[[[[[[[",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 163\r\n\r\n\
     {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\
     \"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"a client that goes\",\"version\":\"1\"}}}",
    "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/9.9\r\n\r\n",
];

/// How they go.
#[derive(Clone, Copy)]
enum End {
    /// By a reset, whatever is under way.
    Reset,
    /// Their direction first; then they read what comes.
    HalfClose,
    /// They sit there for a while, and read nothing.
    Sit,
}

/// This many, so many at once.
pub(crate) fn run(address: SocketAddr, at_once: usize, count: usize) {
    thread::scope(|scope| {
        for first in 0..at_once {
            scope.spawn(move || (0..count / at_once).for_each(|number| one(address, first + number)));
        }
    });
}

fn one(address: SocketAddr, number: usize) {
    // One in so many is refused or reset before it has sent all: that is what it is for.
    let Ok(mut socket) = TcpStream::connect(address) else { return };
    let text = TEXTS[number % TEXTS.len()];
    let end = [End::Reset, End::HalfClose, End::Sit][number / TEXTS.len() % 3];
    drop(socket.write_all(text.as_bytes()));
    drop(socket.set_read_timeout(Some(Duration::from_millis(2))));
    match end {
        End::Reset => drop(socket.read(&mut [0; 64])),
        End::HalfClose => {
            drop(socket.shutdown(Shutdown::Write));
            drop(socket.read(&mut [0; 1024]));
        }
        End::Sit => thread::sleep(Duration::from_millis(20)),
    }
    let _ = sockopt::set_socket_linger(&socket, Some(Duration::ZERO));
}
