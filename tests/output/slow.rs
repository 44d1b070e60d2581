//! A client that reads slowly, through a small window, and keeps nothing of what it reads.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use rustix::net::sockopt;

use crate::check::{Check, Message};
use crate::support::PATIENCE;

/// What it reads at once.
const READ_BYTES: usize = 64 * 1024;
/// What its kernel keeps for it.
const WINDOW_BYTES: usize = 64 * 1024;

/// A connection whose answers are long.
pub(crate) struct Slow<'p> {
    socket: TcpStream,
    buffer: Vec<u8>,
    /// What of the buffer was not looked at.
    ahead: std::ops::Range<usize>,
    /// Between two reads, with the bytes read so far.
    pause: &'p mut dyn FnMut(usize),
    read: usize,
    /// What is left of a chunk that was begun.
    chunk: usize,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    lines: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl<'p> Slow<'p> {
    /// Connects; `pause` is what it does between two reads beside sleeping.
    pub(crate) fn connect(address: SocketAddr, pause: &'p mut dyn FnMut(usize)) -> Self {
        let socket = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        sockopt::set_socket_recv_buffer_size(&socket, WINDOW_BYTES).unwrap();
        Self { socket, buffer: vec![0; READ_BYTES], ahead: 0..0, pause, read: 0, chunk: 0 }
    }

    pub(crate) fn send(&mut self, request: &str) {
        self.socket.write_all(request.as_bytes()).unwrap();
    }

    // What is there of the answer, `most` bytes of it; empty at its end.
    fn some(&mut self, most: usize) -> io::Result<&[u8]> {
        if self.ahead.is_empty() {
            sleep(Duration::from_micros(300));
            (self.pause)(self.read);
            let read = self.socket.read(&mut self.buffer)?;
            self.read += read;
            self.ahead = 0..read;
        }
        let length = self.ahead.len().min(most);
        let some = &self.buffer[self.ahead.start..self.ahead.start + length];
        self.ahead.start += length;
        Ok(some)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        while !line.ends_with("\r\n") {
            match self.some(1).unwrap() {
                [byte] => line.push(char::from(*byte)),
                _ => panic!("the connection ended behind {line:?}"),
            }
        }
        line.trim_end().to_owned()
    }

    /// Reads a head.
    pub(crate) fn head(&mut self) -> Head {
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let mut lines = Vec::new();
        while let Some((name, value)) = self.line().split_once(':') {
            lines.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Head { status, lines }
    }

    /// Reads the body that this head announces, without its framing, until `take` says that it has enough.
    pub(crate) fn body(&mut self, head: &Head, mut take: impl FnMut(&[u8]) -> bool) {
        match (head.get("transfer-encoding"), head.get("content-length")) {
            (Some("chunked"), None) => loop {
                if self.chunk == 0 {
                    self.chunk = usize::from_str_radix(&self.line(), 16).expect("a chunk size");
                    if self.chunk == 0 {
                        assert_eq!(self.line(), "", "no trailers");
                        return;
                    }
                }
                let some = self.some(self.chunk).unwrap();
                let (length, enough) = (some.len(), take(some));
                assert!(length > 0, "the connection ended in the middle");
                self.chunk -= length;
                if self.chunk == 0 {
                    assert_eq!(self.line(), "", "a chunk ends in CRLF");
                }
                if enough {
                    return;
                }
            },
            (None, Some(length)) => {
                let mut left = length.parse().unwrap();
                while left > 0 {
                    let some = self.some(left).unwrap();
                    assert!(!some.is_empty(), "the connection ended in the middle");
                    left -= some.len();
                    take(some);
                }
            }
            (None, None) => {
                assert_eq!(head.get("connection"), Some("close"), "{head:?}");
                loop {
                    match self.some(READ_BYTES).expect("a clean end") {
                        [] => return,
                        some if take(some) => return,
                        _ => {}
                    }
                }
            }
            _ => panic!("two framings: {head:?}"),
        }
    }

    /// Reads a JSON body.
    pub(crate) fn json(&mut self, head: &Head) -> Message {
        let mut check = Check::default();
        self.body(head, |some| {
            check.push(some);
            false
        });
        check.finish()
    }

    /// Reads the messages of an event stream until one that `is_last`, or its end; gives that one, and how many came before.
    pub(crate) fn events(&mut self, head: &Head, is_last: impl Fn(&Message) -> bool) -> (Message, usize) {
        assert_eq!(head.get("content-type"), Some("text/event-stream"), "{head:?}");
        let (mut field, mut check, mut before, mut last) = (Vec::new(), None::<Check>, 0, None);
        self.body(head, |mut some| {
            while let [byte, behind @ ..] = some {
                if let Some(data) = &mut check {
                    let end = some.iter().position(|byte| *byte == b'\n').unwrap_or(some.len());
                    data.push(&some[..end]);
                    some = &some[end..];
                    if some.is_empty() {
                        return false;
                    }
                    let message = check.take().expect("just above").finish();
                    if is_last(&message) {
                        last = Some(message);
                    } else {
                        before += 1;
                    }
                    continue;
                }
                some = behind;
                field.push(*byte);
                match &field[..] {
                    // What was last has its end: the line behind it is empty.
                    b"\n" if last.is_some() => return true,
                    [.., b'\n'] => field.clear(),
                    b"data: {" | b"data: [" => {
                        check = Some(Check::default());
                        check.as_mut().expect("just above").push(&[*byte]);
                        field.clear();
                    }
                    _ => {}
                }
            }
            false
        });
        (last.expect("the answer"), before)
    }
}
