//! A client that behaves, and how long it waits.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// Between two calls: a model does not call without a pause.
const PAUSE: Duration = Duration::from_millis(5);
/// A connection that was lost is opened again after this.
const AGAIN: Duration = Duration::from_millis(20);

const CALL: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"},"#,
    r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
    r#""io.modelcontextprotocol/clientCapabilities":{}}}}"#
);

/// What it does with its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It is kept for the next call.
    Keeps,
    /// Each call has one of its own.
    Anew,
}

/// How it fared.
#[derive(Default)]
pub(crate) struct Waits {
    /// From the first try to the answer, in order.
    pub(crate) answered: Vec<Duration>,
    /// Tries that were answered 503.
    pub(crate) put_off: usize,
    /// Tries whose connection was closed.
    pub(crate) lost: usize,
    /// Calls that were not answered in time.
    pub(crate) unanswered: usize,
}

impl Waits {
    /// The wait that so many of a thousand do not exceed.
    pub(crate) fn at(&self, per_mille: usize) -> Duration {
        let at = (self.answered.len() * per_mille).div_ceil(1_000).saturating_sub(1);
        self.answered.get(at).copied().unwrap_or_default()
    }
}

/// Calls for so long.
pub(crate) fn run(address: SocketAddr, manner: Manner, time: Duration) -> Waits {
    let mut waits = Waits::default();
    let mut socket = None;
    let begun = Instant::now();
    while begun.elapsed() < time {
        let call_begun = Instant::now();
        loop {
            if call_begun.elapsed() > PATIENCE {
                waits.unanswered += 1;
                break;
            }
            match attempt(address, &mut socket) {
                Ok(200) => {
                    waits.answered.push(call_begun.elapsed());
                    break;
                }
                Ok(503) => {
                    waits.put_off += 1;
                    socket = None;
                    thread::sleep(Duration::from_secs(u64::from(smol_mcp::limits::RETRY_AFTER_S)));
                }
                Ok(status) => panic!("a good call was answered {status}"),
                Err(_) => {
                    waits.lost += 1;
                    socket = None;
                    thread::sleep(AGAIN);
                }
            }
        }
        if manner == Manner::Anew {
            socket = None;
        }
        thread::sleep(PAUSE);
    }
    waits.answered.sort_unstable();
    waits
}

fn attempt(address: SocketAddr, kept: &mut Option<TcpStream>) -> io::Result<u16> {
    let socket = if let Some(socket) = kept {
        socket
    } else {
        let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        kept.insert(socket)
    };
    let length = CALL.len();
    write!(
        socket,
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n\
         Mcp-Name: echo\r\nContent-Length: {length}\r\n\r\n{CALL}"
    )?;
    status_of_answer(socket)
}

// Reads a whole answer of a known length.
fn status_of_answer(socket: &mut TcpStream) -> io::Result<u16> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 1024];
        let read = socket.read(&mut piece)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse::<usize>().ok());
        if body.len() >= length.expect("an answer of a known length") {
            return Ok(head[9..12].parse().expect("a status"));
        }
    }
}
