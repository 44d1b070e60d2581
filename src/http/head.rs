//! The scan for the end of a request head, as its bytes come.
//!
//! ```text
//!   Method -SP-> Target -SP-> Version -CR-> LineEnd -LF-> LineStart -CR-> HeadEnd -LF-> Done
//!                                              ^             |
//!                                              +-CR- Value <-:- Name
//! ```
//! httparse starts anew at every call and forgives: LF for CRLF, empty lines without end, lines of any length, targets
//! beyond ASCII. So it is asked once, about a head that is whole (`parse`), and this scan is what stands before it: it
//! finds the end, holds the limits, and refuses every doubt about where lines and names end, and every byte that does
//! not belong, at once: what is no HTTP (TLS, a body of the wrong length) is not waited for. What the version is, and
//! where values begin and end, is httparse's to say; what the target is, `parse`'s.
//!
//! A state is all that is kept between reads, so no byte is scanned twice and the outcome cannot depend on how the
//! bytes were cut.

use super::class::{TARGET, TOKEN, VALUE, count_letters, is, skip_values};
use super::decode::Limits;
use super::refusal::Refusal;
use crate::limits::{HEADER_NAME_BYTES_MAX, HEADERS_MAX, METHOD_BYTES_MAX};

/// How far a head has been scanned.
#[derive(Debug)]
pub(super) struct Scan {
    place: Place,
    /// Header lines that have begun.
    lines: u8,
    /// The next byte to look at.
    at: usize,
    /// Where the part that is being scanned began.
    mark: usize,
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
        Self { place: Place::Method, lines: 0, at: 0, mark: 0 }
    }

    /// How many bytes have been scanned: the length of the head once it is whole.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is too long when the head may have no further byte.
    pub(super) fn too_long(&self) -> Refusal {
        if self.place == Place::Target { Refusal::TargetTooLong } else { Refusal::HeadTooLong }
    }

    /// Scans what came since, up to the end of the head (true) or of the text (false).
    ///
    /// # Errors
    /// The refusal that the first wrong byte calls for.
    pub(super) fn run(&mut self, text: &[u8], limits: &Limits) -> Result<bool, Refusal> {
        loop {
            // What neither ends a part nor is wrong in it is most of a head.
            self.at = match self.place {
                Place::Value => skip_values(text, self.at),
                Place::Name => self.skip_name(text),
                Place::LineStart => self.skip_lines(text, limits),
                Place::Target => self.skip(text, TARGET, limits.target_bytes_max),
                _ => self.at,
            };
            let Some(&byte) = text.get(self.at) else { return Ok(false) };
            self.take(byte, limits)?;
            self.at += 1;
            if self.place == Place::Done {
                return Ok(true);
            }
        }
    }

    /// The first position from here on whose byte is not of this class, or is one too many for the part.
    fn skip(&self, text: &[u8], class: u8, max: usize) -> usize {
        let end = self.mark.saturating_add(max).min(text.len());
        let run = text.get(self.at..end).unwrap_or_default();
        self.at + run.iter().position(|byte| !is(*byte, class)).unwrap_or(run.len())
    }

    /// The same of a name: most are letters and `-`, a machine word at a time.
    fn skip_name(&self, text: &[u8]) -> usize {
        let end = self.mark.saturating_add(HEADER_NAME_BYTES_MAX).min(text.len());
        let mut run = text.get(self.at..end).unwrap_or_default();
        loop {
            run = run.get(count_letters(run)..).unwrap_or_default();
            match run.split_first() {
                Some((byte, rest)) if is(*byte, TOKEN) => run = rest,
                _ => return end.max(self.at) - run.len(),
            }
        }
    }

    /// The position behind the header lines that are there, whole and right; all others, and what is wrong in them, are for [`Self::take`].
    fn skip_lines(&mut self, text: &[u8], limits: &Limits) -> usize {
        loop {
            let (line, lines) = (self.at, usize::from(self.lines));
            self.mark = line;
            let colon = self.skip_name(text);
            if colon == line || lines >= limits.headers_max.min(HEADERS_MAX) || text.get(colon) != Some(&b':') {
                return line;
            }
            let end = skip_values(text, colon + 1);
            if text.get(end..).is_none_or(|rest| !rest.starts_with(b"\r\n")) {
                return line;
            }
            self.lines += 1; // at most HEADERS_MAX
            self.at = end + 2;
        }
    }

    /// A byte that may end a part, or be wrong in it.
    fn take(&mut self, byte: u8, limits: &Limits) -> Result<(), Refusal> {
        match (self.place, byte) {
            (Place::LineEnd, b'\n') => self.enter(Place::LineStart),
            (Place::HeadEnd, b'\n') => self.enter(Place::Done),
            (Place::LineEnd | Place::HeadEnd, _) => return Err(Refusal::BareCr),
            (_, b'\n') => return Err(Refusal::BareLf),
            (Place::Method | Place::Target | Place::Version, _) => self.request_line(byte, limits)?,
            _ => self.header_line(byte, limits)?,
        }
        Ok(())
    }

    /// A byte of the request line (RFC 9112, 3).
    fn request_line(&mut self, byte: u8, limits: &Limits) -> Result<(), Refusal> {
        let len = self.at - self.mark;
        match (self.place, byte) {
            (Place::Method, b' ') => self.enter(Place::Target),
            (Place::Target, b' ') => self.enter(Place::Version),
            (Place::Version, b'\r') => self.enter(Place::LineEnd),
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
    fn header_line(&mut self, byte: u8, limits: &Limits) -> Result<(), Refusal> {
        match (self.place, byte) {
            (Place::LineStart, b'\r') => self.enter(Place::HeadEnd),
            (Place::Value, b'\r') => self.enter(Place::LineEnd),
            (Place::Value, _) if !is(byte, VALUE) => return Err(Refusal::HeaderValue),
            (Place::LineStart, b' ' | b'\t') => return Err(Refusal::LeadingSpace),
            (Place::Name, b' ' | b'\t') => return Err(Refusal::SpaceBeforeColon),
            (Place::Name, b'\r') => return Err(Refusal::HeaderColon),
            (Place::Name, b':') => self.enter(Place::Value),
            (Place::LineStart | Place::Name, _) if !is(byte, TOKEN) => return Err(Refusal::HeaderName),
            (Place::LineStart, _) => {
                if usize::from(self.lines) >= limits.headers_max.min(HEADERS_MAX) {
                    return Err(Refusal::TooManyHeaders);
                }
                self.lines += 1; // at most HEADERS_MAX
                self.place = Place::Name;
            }
            (Place::Name, _) if self.at - self.mark >= HEADER_NAME_BYTES_MAX => {
                return Err(Refusal::HeaderNameTooLong);
            }
            _ => {}
        }
        Ok(())
    }

    /// Goes on to the part that begins behind this byte.
    fn enter(&mut self, place: Place) {
        self.place = place;
        self.mark = self.at + 1;
    }
}

/// The first byte of every TLS connection (RFC 8446, 5.1). A browser or client given `https://` sends it.
const TLS_HANDSHAKE: u8 = 0x16;
