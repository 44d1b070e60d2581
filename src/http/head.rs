//! The scan of a request head, as its bytes come: it finds where its parts lie, and where it ends.
//!
//! ```text
//!   Method -SP-> Target -SP-> Version -CR-> LineEnd -LF-> LineStart -CR-> HeadEnd -LF-> Done
//!                                              ^             |
//!                                              +-CR- Value <-:- Name
//! ```
//! It holds the limits, and refuses every doubt about where lines and names end, and every byte that does not belong, at
//! once: what is no HTTP (TLS, a body of the wrong length) is not waited for. What method, target and version are
//! together, is `parse`'s to say, once the head is whole. (Its own, and not httparse's, which starts anew at every call,
//! forgives LF for CRLF, empty lines without end and targets beyond ASCII, and so could only be asked beside it, for twice
//! the work; the tests ask both, and hold them to the same answer.)
//!
//! A state is all that is kept of this head between reads, so no byte is scanned twice and the outcome cannot depend on how the
//! bytes were cut.

use super::class::{TARGET, TOKEN, VALUE, is, skip_letters, skip_values};
use super::decode::Limits;
use super::index::{Head, Span};
use super::refusal::Refusal;
use crate::limits::{HEADER_NAME_BYTES_MAX, HEADERS_MAX, METHOD_BYTES_MAX};

/// How far a head has been scanned.
#[derive(Debug)]
pub(super) struct Scan {
    place: Place,
    /// The next byte to look at.
    at: usize,
    /// Where the part that is being scanned began.
    mark: usize,
    /// The target, once it was scanned.
    pub(super) target: Span,
    /// What stands for the version.
    pub(super) version: Span,
    /// The name of the header line whose value is being scanned.
    name: Span,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Method,
    Target,
    Version,
    /// The LF of the request line or of a header line.
    LineEnd,
    /// The first byte of a line that is a header, or empty.
    LineStart,
    Name,
    /// All that is behind the colon.
    Value,
    /// The LF of the empty line.
    HeadEnd,
    Done,
}

impl Scan {
    /// At the first byte of a request line.
    pub(super) const fn new() -> Self {
        let (target, version, name) = (Span::EMPTY, Span::EMPTY, Span::EMPTY);
        Self { place: Place::Method, at: 0, mark: 0, target, version, name }
    }

    /// How many bytes have been scanned: the length of the head once it is whole.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is too long when the head may have no further byte.
    pub(super) fn too_long(&self) -> Refusal {
        if self.place == Place::Target { Refusal::TargetTooLong } else { Refusal::HeadTooLong }
    }

    /// Scans what came since, up to the end of the head (true) or of the text (false). What was found is indexed in `head`.
    ///
    /// # Errors
    /// The refusal that the first wrong byte calls for.
    pub(super) fn run(&mut self, text: &[u8], limits: &Limits, head: &mut Head) -> Result<bool, Refusal> {
        if self.at == 0 && !text.is_empty() {
            self.begin(text, head);
        }
        loop {
            // What neither ends a part nor is wrong in it is most of a head.
            self.at = match self.place {
                Place::Value => skip_values(text, self.at),
                Place::Name => self.skip_name(text),
                Place::LineStart => self.skip_lines(text, limits, head)?,
                Place::Target => self.skip(text, TARGET, limits.target_bytes_max),
                Place::Method => self.skip(text, TOKEN, METHOD_BYTES_MAX),
                Place::Version => self.skip_version(text),
                Place::LineEnd | Place::HeadEnd | Place::Done => self.at,
            };
            if self.place == Place::Done {
                return Ok(true);
            }
            let Some(&byte) = text.get(self.at) else { return Ok(false) };
            self.take(text, byte, limits, head)?;
            self.at += 1;
        }
    }

    /// A request line that is the last one's is not looked at again.
    fn begin(&mut self, text: &[u8], head: &mut Head) {
        if let Some(end) = head.begin(text) {
            self.at = end;
            self.mark = end;
            self.place = Place::LineStart;
        }
    }

    /// The first position from here on whose byte is not of this class, or is one too many for the part.
    fn skip(&self, text: &[u8], class: u8, max: usize) -> usize {
        let end = self.mark.saturating_add(max).min(text.len());
        let run = text.get(self.at..end).unwrap_or_default();
        self.at + run.iter().position(|byte| !is(*byte, class)).unwrap_or(run.len())
    }

    /// The position behind the version, where it is the usual one.
    fn skip_version(&self, text: &[u8]) -> usize {
        let usual = text.get(self.mark..).is_some_and(|rest| rest.starts_with(b"HTTP/1.1\r"));
        if usual && self.at == self.mark { self.at + b"HTTP/1.1".len() } else { self.at }
    }

    /// The same of a name: most are letters and `-`, a machine word at a time.
    fn skip_name(&self, text: &[u8]) -> usize {
        let end = self.mark.saturating_add(HEADER_NAME_BYTES_MAX).min(text.len());
        let mut at = self.at;
        loop {
            at = skip_letters(text, at);
            if at >= end || !text.get(at).is_some_and(|byte| is(*byte, TOKEN)) {
                return at.min(end);
            }
            at += 1;
        }
    }

    /// The position behind the header lines that are there, whole and right, and the empty line; all others, and what is wrong in them, are for
    /// [`Self::take`].
    fn skip_lines(&mut self, text: &[u8], limits: &Limits, head: &mut Head) -> Result<usize, Refusal> {
        let lines_max = limits.headers_max.min(HEADERS_MAX);
        loop {
            self.at = head.recall(text, self.at, lines_max);
            let line = self.at;
            self.mark = line;
            if text.get(line..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
                self.place = Place::Done;
                return Ok(line + b"\r\n".len());
            }
            if let Some(end) = head.recall_name(text, line, lines_max) {
                self.at = end;
                continue;
            }
            let colon = self.skip_name(text);
            if colon == line || head.len() >= lines_max || text.get(colon) != Some(&b':') {
                return Ok(line);
            }
            let end = skip_values(text, colon + 1);
            if text.get(end..).is_none_or(|rest| !rest.starts_with(b"\r\n")) {
                return Ok(line);
            }
            head.push(text, Span::new(line, colon), Span::new(colon + 1, end))?;
            self.at = end + 2;
        }
    }

    /// A byte that may end a part, or be wrong in it.
    fn take(&mut self, text: &[u8], byte: u8, limits: &Limits, head: &mut Head) -> Result<(), Refusal> {
        match (self.place, byte) {
            (Place::LineEnd, b'\n') => self.enter(Place::LineStart),
            (Place::HeadEnd, b'\n') => self.enter(Place::Done),
            (Place::LineEnd | Place::HeadEnd, _) => return Err(Refusal::BareCr),
            (_, b'\n') => return Err(Refusal::BareLf),
            (Place::Method | Place::Target | Place::Version, _) => self.request_line(byte, limits, head)?,
            _ => self.header_line(text, byte, limits, head)?,
        }
        Ok(())
    }

    /// A byte of the request line (RFC 9112, 3).
    fn request_line(&mut self, byte: u8, limits: &Limits, head: &mut Head) -> Result<(), Refusal> {
        let len = self.at - self.mark;
        match (self.place, byte) {
            (Place::Method, b' ') => {
                head.method = self.part();
                self.enter(Place::Target);
            }
            (Place::Target, b' ') => {
                self.target = self.part();
                self.enter(Place::Version);
            }
            (Place::Version, b'\r') => {
                self.version = self.part();
                self.enter(Place::LineEnd);
            }
            (_, b'\r') => return Err(Refusal::RequestLine),
            (Place::Method, TLS_HANDSHAKE) if len == 0 => return Err(Refusal::Tls),
            (Place::Method, _) if !is(byte, TOKEN) => return Err(Refusal::Method),
            (Place::Method, _) if len >= METHOD_BYTES_MAX => return Err(Refusal::MethodTooLong),
            (Place::Target, _) if len >= limits.target_bytes_max => return Err(Refusal::TargetTooLong),
            (Place::Target, _) if !is(byte, TARGET) => return Err(Refusal::Target),
            (Place::Version, _) if !is(byte, VALUE) => return Err(Refusal::Version),
            _ => {}
        }
        Ok(())
    }

    /// A byte of a header line, or of the empty line (RFC 9112, 5).
    fn header_line(&mut self, text: &[u8], byte: u8, limits: &Limits, head: &mut Head) -> Result<(), Refusal> {
        match (self.place, byte) {
            (Place::LineStart, b'\r') => self.enter(Place::HeadEnd),
            (Place::Value, b'\r') => {
                head.push(text, self.name, self.part())?;
                self.enter(Place::LineEnd);
            }
            (Place::Value, _) if !is(byte, VALUE) => return Err(Refusal::HeaderValue),
            (Place::LineStart, b' ' | b'\t') => return Err(Refusal::LeadingSpace),
            (Place::Name, b' ' | b'\t') => return Err(Refusal::SpaceBeforeColon),
            (Place::Name, b'\r') => return Err(Refusal::HeaderColon),
            (Place::Name, b':') => {
                self.name = self.part();
                self.enter(Place::Value);
            }
            (Place::LineStart | Place::Name, _) if !is(byte, TOKEN) => return Err(Refusal::HeaderName),
            (Place::LineStart, _) => {
                if head.len() >= limits.headers_max.min(HEADERS_MAX) {
                    return Err(Refusal::TooManyHeaders);
                }
                self.place = Place::Name;
            }
            (Place::Name, _) if self.at - self.mark >= HEADER_NAME_BYTES_MAX => {
                return Err(Refusal::HeaderNameTooLong);
            }
            _ => {}
        }
        Ok(())
    }

    /// The part that this byte ends.
    fn part(&self) -> Span {
        Span::new(self.mark, self.at)
    }

    /// Goes on to the part that begins behind this byte.
    fn enter(&mut self, place: Place) {
        self.place = place;
        self.mark = self.at + 1;
    }
}

/// The first byte of every TLS connection (RFC 8446, 5.1). A browser or client given `https://` sends it.
const TLS_HANDSHAKE: u8 = 0x16;
