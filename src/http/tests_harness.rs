//! The one place where the tests drive the decoder: texts in, outcomes out, the same at every cut.

use super::*;
use std::fmt::Write;

pub(super) const LIMITS: Limits =
    Limits { head_bytes_max: 512, target_bytes_max: 100, headers_max: 16, body_bytes_max: 200 };
/// Bytes of the buffer that holds every request within `LIMITS`.
pub(super) const ROOM: usize = 512 + 200 + crate::limits::CHUNKED_SLACK_BYTES;

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was decoded: its head as `describe` puts it, and its body.
    Request(String, Vec<u8>),
    /// It was refused; nothing behind it counts.
    Refused(Refusal),
    /// A head came and its body did not come to its end.
    HeadOnly(String),
    /// Bytes came that are no whole head.
    Part,
}

/// A request that is put behind others, to see that it is served, or never looked at.
pub(super) const NEXT: &[u8] = b"DELETE /next HTTP/1.1\r\nHost: n\r\n\r\n";

pub(super) fn next() -> Outcome {
    Outcome::Request("DELETE /next 1.1 keep | Host=n".to_owned(), vec![])
}

/// `POST /mcp?a=b @authority 1.1 keep | Name=value | Name=value`
pub(super) fn describe(request: Request<'_>) -> String {
    let query = request.query().map_or(String::new(), |query| format!("?{query}"));
    let authority = request.authority().map_or(String::new(), |authority| format!(" @{authority}"));
    let version = if request.is_http10() { "1.0" } else { "1.1" };
    let keep = if request.keep_alive() { "keep" } else { "close" };
    let mut text = format!("{} {}{query}{authority} {version} {keep}", request.method_text(), request.path());
    for (name, value) in request.headers() {
        write!(text, " | {name}={}", value.escape_ascii()).unwrap();
    }
    text
}

/// One connection under test.
pub(super) struct Talk {
    decoder: Decoder,
    buf: Vec<u8>,
    limits: Limits,
    head: Option<String>,
    pub(super) outcomes: Vec<Outcome>,
}

impl Talk {
    pub(super) fn new(limits: Limits, room: usize) -> Self {
        Self { decoder: Decoder::new(), buf: vec![0xAA; room], limits, head: None, outcomes: vec![] }
    }

    fn is_refused(&self) -> bool {
        matches!(self.outcomes.last(), Some(Outcome::Refused(_)))
    }

    /// Gives the decoder a piece, as much of it at a time as it has space for.
    pub(super) fn feed(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && !self.is_refused() {
            let space = self.decoder.space(&mut self.buf);
            assert!(!space.is_empty(), "no space, and no refusal");
            let n = space.len().min(piece.len());
            space[..n].copy_from_slice(&piece[..n]);
            self.decoder.commit(n);
            piece = &piece[n..];
            self.drive();
        }
    }

    /// Steps until more bytes are needed.
    fn drive(&mut self) {
        loop {
            match self.decoder.step(&mut self.buf, &self.limits) {
                Step::NeedMore => return,
                Step::Head => {
                    assert_eq!(self.head, None, "Head is said once per request");
                    assert!(!self.decoder.is_idle());
                    self.head = Some(describe(self.decoder.head(&self.buf).unwrap()));
                }
                Step::Body => {
                    let body = self.buf[self.decoder.body()].to_vec();
                    assert!(self.decoder.body().end <= self.decoder.free_tail());
                    let head = self.head.take().unwrap();
                    // Decoding the body has left the head as it was.
                    assert_eq!(describe(self.decoder.head(&self.buf).unwrap()), head);
                    self.outcomes.push(Outcome::Request(head, body));
                    assert!(self.decoder.finish(&mut self.buf));
                    assert!(self.decoder.head(&self.buf).is_none());
                }
                Step::Refuse(refusal) => {
                    // It stays so, also for a good request behind it.
                    let space = self.decoder.space(&mut self.buf);
                    let n = space.len().min(NEXT.len());
                    space[..n].copy_from_slice(&NEXT[..n]);
                    self.decoder.commit(n);
                    assert_eq!(self.decoder.step(&mut self.buf, &self.limits), Step::Refuse(refusal));
                    assert!(!self.decoder.is_idle());
                    assert!(!self.decoder.finish(&mut self.buf));
                    assert_eq!(self.decoder.step(&mut self.buf, &self.limits), Step::Refuse(refusal));
                    self.outcomes.push(Outcome::Refused(refusal));
                    return;
                }
            }
        }
    }

    /// What became of everything.
    pub(super) fn end(mut self) -> Vec<Outcome> {
        if !self.is_refused() {
            match self.head.take() {
                Some(head) => self.outcomes.push(Outcome::HeadOnly(head)),
                None if !self.decoder.is_idle() => self.outcomes.push(Outcome::Part),
                None => {}
            }
        }
        self.outcomes
    }
}

/// The outcomes of an input that comes in pieces.
pub(super) fn outcomes<'p>(limits: Limits, room: usize, pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<Outcome> {
    let mut talk = Talk::new(limits, room);
    for piece in pieces {
        talk.feed(piece);
    }
    talk.end()
}

/// Feeds an input whole, byte by byte, and cut in two at every position: always the same, which is returned.
pub(super) fn at_every_cut(limits: Limits, room: usize, input: &[u8]) -> Vec<Outcome> {
    let whole = outcomes(limits, room, [input]);
    let shown = input.escape_ascii();
    assert_eq!(outcomes(limits, room, input.chunks(1)), whole, "byte by byte: {shown}");
    for cut in 1..input.len() {
        let (a, b) = input.split_at(cut);
        assert_eq!(outcomes(limits, room, [a, b]), whole, "cut at {cut}: {shown}");
    }
    whole
}

/// A valid request: alone, with another behind it, and itself behind another.
pub(super) fn check_valid_with(limits: Limits, room: usize, input: &[u8], head: &str, body: &[u8]) {
    let shown = input.escape_ascii();
    let this = Outcome::Request(head.to_owned(), body.to_owned());
    assert_eq!(at_every_cut(limits, room, input), std::slice::from_ref(&this), "{shown}");
    assert_eq!(at_every_cut(limits, room, &[input, NEXT].concat()), [this.clone(), next()], "{shown}");
    assert_eq!(at_every_cut(limits, room, &[NEXT, input].concat()), [next(), this], "{shown}");
}

/// A request that is refused: alone, with a good one behind it, and behind a good one.
pub(super) fn check_refused_with(limits: Limits, room: usize, input: &[u8], refusal: Refusal) {
    let shown = input.escape_ascii();
    let this = [Outcome::Refused(refusal)];
    assert_eq!(at_every_cut(limits, room, input), this, "{shown}");
    assert_eq!(at_every_cut(limits, room, &[input, NEXT].concat()), this, "{shown}");
    assert_eq!(at_every_cut(limits, room, &[NEXT, input].concat()), [&[next()], &this[..]].concat(), "{shown}");
}

pub(super) fn check_valid(input: &[u8], head: &str, body: &[u8]) {
    check_valid_with(LIMITS, ROOM, input, head, body);
}

pub(super) fn check_refused(input: &[u8], refusal: Refusal) {
    check_refused_with(LIMITS, ROOM, input, refusal);
}

/// Calls `check` with the whole head of a request.
pub(super) fn with_head(input: &[u8], check: impl FnOnce(Request<'_>)) {
    let mut decoder = Decoder::new();
    let mut buf = vec![0; 4096];
    decoder.space(&mut buf)[..input.len()].copy_from_slice(input);
    decoder.commit(input.len());
    let limits = Limits { head_bytes_max: 4096, target_bytes_max: 2048, headers_max: 64, body_bytes_max: 1024 };
    assert_eq!(decoder.step(&mut buf, &limits), Step::Head, "{}", input.escape_ascii());
    check(decoder.head(&buf).unwrap());
}

/// `GET /mcp` with these header lines, each ended by LF here and by CRLF there.
pub(super) fn with_headers(lines: &str, check: impl FnOnce(Request<'_>)) {
    with_head(format!("GET /mcp HTTP/1.1\r\nHost: h\r\n{}\r\n", lines.replace('\n', "\r\n")).as_bytes(), check);
}
