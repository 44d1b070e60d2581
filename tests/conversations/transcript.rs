//! What a client received, as a text: status line, headers, an empty line, the body.
//!
//! `Date` is left out, and so is `Content-Length`, after it was held against the body. Chunks are put together; `<end>` is
//! the last one, `<closed>` the end of the connection. `~~~` stands between two responses, `<LF>` for a line feed at the end
//! of a body. An event stream must come in whole events.

use std::collections::VecDeque;
use std::mem;

use super::script::{Names, expand};

/// Reads what a connection receives.
#[derive(Default)]
pub(crate) struct Transcript {
    /// Not understood yet.
    bytes: Vec<u8>,
    state: State,
    /// The methods of the requests that were sent and not answered.
    pub(crate) methods: VecDeque<String>,
    text: Vec<u8>,
    events: bool,
    body_begun: bool,
    closed: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    Length(usize),
    ChunkHead,
    Chunk(usize),
    ChunkEnd,
    LastChunkEnd,
    UntilClose,
}

impl Transcript {
    /// The client received this.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        while self.advance() {}
    }

    /// The server ended its direction.
    pub(crate) fn close(&mut self) {
        if !mem::replace(&mut self.closed, true) {
            if matches!(self.state, State::UntilClose | State::ChunkHead) {
                self.end_event();
            }
            self.events = false;
            self.mark("<closed>");
        }
    }

    /// The text since the last time.
    pub(crate) fn take(&mut self) -> String {
        match self.state {
            State::Head if self.bytes.is_empty() => {}
            State::UntilClose | State::ChunkHead if self.bytes.is_empty() => self.end_event(),
            State::Chunk(_) | State::Length(_) => self.mark("<the rest is missing>"),
            _ => self.mark(&format!("<not understood: {:?}>", String::from_utf8_lossy(&self.bytes))),
        }
        if self.closed {
            self.state = State::Head;
            self.bytes.clear();
        }
        let text = mem::take(&mut self.text);
        String::from_utf8(text).unwrap_or_else(|error| format!("<not UTF-8: {error}>"))
    }

    fn advance(&mut self) -> bool {
        match self.state {
            State::Head => self.head(),
            State::Length(rest) => self.data(rest, State::Length, State::Head),
            State::Chunk(rest) => self.data(rest, State::Chunk, State::ChunkEnd),
            State::UntilClose => {
                let bytes = mem::take(&mut self.bytes);
                self.body(&bytes);
                false
            }
            State::ChunkHead => {
                let Some(line) = self.line() else { return false };
                let digits = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_hexdigit());
                match usize::from_str_radix(&line, 16) {
                    Ok(0) if digits => self.state = State::LastChunkEnd,
                    Ok(size) if digits => self.state = State::Chunk(size),
                    _ => self.mark(&format!("<no chunk: {line:?}>")),
                }
                true
            }
            State::ChunkEnd | State::LastChunkEnd => {
                let Some(line) = self.line() else { return false };
                if !line.is_empty() {
                    self.mark(&format!("<no end of a chunk: {line:?}>"));
                }
                if self.state == State::LastChunkEnd {
                    self.end_body();
                    self.events = false;
                    self.mark("<end>");
                    self.state = State::Head;
                } else {
                    self.state = State::ChunkHead;
                }
                true
            }
        }
    }

    fn head(&mut self) -> bool {
        let Some(end) = self.bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
        let head = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes.drain(..end + 4);
        if !self.text.is_empty() {
            self.mark("~~~");
        }
        let (mut length, mut chunked, mut until_close) = (None, false, false);
        self.events = false;
        self.body_begun = false;
        let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
        for line in head.split("\r\n") {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            match name {
                "Date" => continue,
                "Content-Length" => {
                    length = value.parse().ok();
                    continue;
                }
                "Transfer-Encoding" => chunked = true,
                "Connection" => until_close = value == "close",
                "Content-Type" => self.events = value == "text/event-stream",
                _ => {}
            }
            self.text.extend_from_slice(line.as_bytes());
            self.text.push(b'\n');
        }
        if status == "100" {
            return true;
        }
        let method = self.methods.pop_front().unwrap_or_default();
        self.state = match length {
            _ if method == "HEAD" || status == "204" => State::Head,
            Some(0) => State::Head,
            Some(length) => State::Length(length),
            None if chunked => State::ChunkHead,
            None if until_close => State::UntilClose,
            None => {
                self.mark("<a response without an end>");
                State::Head
            }
        };
        true
    }

    // Takes what is there of a body's `rest`.
    fn data(&mut self, rest: usize, more: fn(usize) -> State, then: State) -> bool {
        let n = rest.min(self.bytes.len());
        let bytes: Vec<u8> = self.bytes.drain(..n).collect();
        self.body(&bytes);
        self.state = if n == rest { then } else { more(rest - n) };
        if self.state == State::Head {
            self.end_body();
        }
        n > 0
    }

    fn body(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() && !mem::replace(&mut self.body_begun, true) {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(bytes);
    }

    fn end_event(&mut self) {
        if self.events && self.body_begun && !self.text.is_empty() && !self.text.ends_with(b"\n\n") {
            self.mark("<the event has no end>");
        }
    }

    fn end_body(&mut self) {
        self.end_event();
        if !self.events && self.text.ends_with(b"\n") && self.body_begun {
            self.text.pop();
            self.text.extend_from_slice(b"<LF>");
        }
    }

    fn line(&mut self) -> Option<String> {
        let end = self.bytes.windows(2).position(|two| two == b"\r\n")?;
        let line = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes.drain(..end + 2);
        Some(line)
    }

    // A line of its own.
    fn mark(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with(b"\n") {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(text.as_bytes());
        self.text.push(b'\n');
    }
}

/// Holds what was received against what is expected; learns the names that it meets.
pub(crate) fn compare(expected: &str, received: &str, names: &mut Names) -> Result<(), String> {
    let received = received.trim_end();
    let expected = if expected == "(nothing)" { "" } else { expected };
    let mut expected = expand(expected.trim_end(), names);
    let mut at = 0;
    // What is left of `expected` begins at the same place as what is left of `received`.
    while let Some((before, rest)) = expected.split_once("$(") {
        let Some(found) = received[at..].strip_prefix(before) else { break };
        let (name, behind) = rest.split_once(')').expect("`$(` is closed by `)`");
        let found: String =
            found.chars().take_while(|char| char.is_ascii_alphanumeric() || "-_".contains(*char)).collect();
        at += before.len() + found.len();
        if name != "_" {
            names.insert(name.to_owned(), found);
        }
        expected = expand(behind, names);
    }
    if received[at..] == expected {
        return Ok(());
    }
    let (left, right) = (&received[at..], expected.as_str());
    let same = left.chars().zip(right.chars()).take_while(|(one, other)| one == other).count();
    let near = |text: &str| text.chars().skip(same.saturating_sub(60)).take(200).collect::<String>();
    let cut = |text: &str| text.chars().take(600).collect::<String>();
    Err(format!("received\n{}\n... which goes on {:?} and not {:?}", cut(received), near(left), near(right)))
}
