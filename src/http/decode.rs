//! The request decoder: space, commit, step, over a buffer that the caller lends at each call.
//!
//! ```text
//!   Between --byte--> Head --Step::Head--> Length | Chunked --Step::Body--> Whole --finish--> Between
//!      any of them --Step::Refuse--> Refused, for ever
//! ```
//! The buffer holds one request, from its first byte: the head, and right behind it the body. Whatever is behind the
//! body is the next request, pipelined, and is not looked at before `finish`.
//!
//! The same bytes give the same outcome wherever they were cut, and the caller must lend the same buffer, or a longer
//! one with the same content, until the connection ends or `is_idle`.

use super::chunked::Chunked;
use super::framing::{BodyFraming, frame};
use super::head::Scan;
use super::index::Head;
use super::kept::REQUEST_LINE;
use super::known::Known;
use super::parse::parse;
use super::refusal::Refusal;
use super::request::Request;
use crate::limits::{BLANK_LINES_MAX, CHUNKED_SLACK_BYTES, HEAD_BYTES_CEILING};

/// Reads the requests of one connection, one after the other. Owns no bytes but those that it keeps of the last head; about 1,600 bytes itself.
#[derive(Debug)]
pub(crate) struct Decoder {
    phase: Phase,
    /// Bytes in the buffer.
    filled: usize,
    /// Empty lines skipped before this request.
    blank_lines: usize,
    scan: Scan,
    head: Head,
    /// Whether the head has come to its end.
    head_whole: bool,
    chunked: Chunked,
    /// Where the head ends.
    body_start: usize,
    /// Where the body ends: the announced end in `Length`, the end of what is decoded in `Chunked`.
    body_end: usize,
}

/// The limits of a request. `HEAD_BYTES_CEILING` and `HEADERS_MAX` stand above them.
///
/// A buffer of `head_bytes_max + body_bytes_max + CHUNKED_SLACK_BYTES` holds every request within them. In a smaller
/// one a head that fills the buffer is 431, a body that has no room behind its head is 413.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_field_names)] // they are all limits, and say so wherever they are written
pub(crate) struct Limits {
    /// Bytes of the request line and the headers, with the empty line behind them.
    pub(crate) head_bytes_max: usize,
    /// Bytes of the request target.
    pub(crate) target_bytes_max: usize,
    /// Header lines; at most `HEADERS_MAX`.
    pub(crate) headers_max: usize,
    /// Bytes of a body, decoded.
    pub(crate) body_bytes_max: usize,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Step {
    /// Nothing before more bytes come.
    NeedMore,
    /// A whole and valid head is there. Said once per request, so that it can be routed and guarded before its body
    /// is waited for.
    Head,
    /// The whole body is there. Said at once behind `Head` when the request has none.
    Body,
    /// Answer and close. Said again by every later step.
    Refuse(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the first byte of a request.
    Between,
    /// In an empty line before a request: its CR was there.
    BlankLine,
    Head,
    Length,
    Chunked,
    Whole,
    Refused(Refusal),
}

impl Decoder {
    /// For a new connection.
    pub(crate) const fn new() -> Self {
        Self {
            phase: Phase::Between,
            filled: 0,
            blank_lines: 0,
            scan: Scan::new(),
            head: Head::new(),
            head_whole: false,
            chunked: Chunked::new(),
            body_start: 0,
            body_end: 0,
        }
    }

    /// For another connection, whatever became of this one.
    pub(crate) fn restart(&mut self) {
        self.filled = 0;
        self.start_request();
    }

    /// The free tail of the buffer, to read into. It is empty only when the next step refuses, or behind a whole
    /// request when pipelined bytes have filled the buffer: then reading pauses until `finish`.
    pub(crate) fn space<'b>(&self, buf: &'b mut [u8]) -> &'b mut [u8] {
        buf.get_mut(self.filled..).unwrap_or_default()
    }

    /// `n` bytes were read into `space`.
    pub(crate) fn commit(&mut self, n: usize) {
        // What exceeds the buffer is cut off at the next step, where the buffer's length is known.
        self.filled = self.filled.saturating_add(n);
    }

    /// Looks at what was committed. Never loops over more than that.
    pub(crate) fn step(&mut self, buf: &mut [u8], limits: &Limits) -> Step {
        self.filled = self.filled.min(buf.len());
        self.advance(buf, limits).unwrap_or_else(|refusal| {
            self.phase = Phase::Refused(refusal);
            Step::Refuse(refusal)
        })
    }

    /// The request whose head is in `buf`, from `Step::Head` until `finish`. It may also be asked for when a request
    /// was refused for its body (413, 417): the answer may need its `Origin`. Any start of the buffer that reaches
    /// to the body will do.
    pub(crate) fn head<'b>(&'b self, buf: &'b [u8]) -> Option<Request<'b>> {
        self.head_whole.then(|| Request::new(&self.head, buf))
    }

    /// Whether what there is of a request asks by HEAD, whose answer has no body, be it a refusal (RFC 9110, 9.3.2).
    pub(crate) fn is_head(&self, buf: &[u8]) -> bool {
        buf.get(..self.filled).is_some_and(|text| text.starts_with(b"HEAD "))
    }

    /// Where the body is in the buffer, after `Step::Body`: decoded, in one piece. Empty before.
    pub(crate) fn body(&self) -> core::ops::Range<usize> {
        if self.phase == Phase::Whole { self.body_start..self.body_end } else { 0..0 }
    }

    /// Where the buffered bytes end. Behind the body they are pipelined ones.
    pub(crate) fn free_tail(&self) -> usize {
        self.filled
    }

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1). Asked after `step`;
    /// remains true until a byte of the body has come, so the caller remembers that it has answered.
    pub(crate) fn wants_continue(&self) -> bool {
        matches!(self.phase, Phase::Length | Phase::Chunked)
            && self.head.count(Known::Expect) > 0
            && !self.head.is_http10()
            && self.filled == self.body_start
            && self.body_end + usize::from(self.phase == Phase::Chunked) > self.body_start
            && !self.chunked.has_begun()
    }

    /// Whether no byte of a next request has come, so that the buffer can be taken away. Empty lines before it do not
    /// count, once they were stepped over to their LF.
    pub(crate) fn is_idle(&self) -> bool {
        self.phase == Phase::Between && self.filled == 0
    }

    /// Done with this request: pipelined bytes move to the front of the buffer, to be stepped over next.
    ///
    /// Returns false when the request was not read to the end of its body. Then there is no telling where the next one
    /// begins: every further step refuses, and the connection is to be closed. (To answer early and keep the
    /// connection, go on stepping until `Step::Body`; the body fits the buffer.)
    pub(crate) fn finish(&mut self, buf: &mut [u8]) -> bool {
        match self.phase {
            Phase::Whole => {
                let filled = self.filled.min(buf.len());
                if self.body_end < filled {
                    buf.copy_within(self.body_end..filled, 0);
                }
                self.filled = filled.saturating_sub(self.body_end);
                self.start_request();
            }
            Phase::Between | Phase::BlankLine => {}
            Phase::Refused(_) => self.head_whole = false,
            Phase::Head | Phase::Length | Phase::Chunked => {
                self.phase = Phase::Refused(Refusal::BodyUnread);
                self.head_whole = false;
            }
        }
        !matches!(self.phase, Phase::Refused(_))
    }

    fn start_request(&mut self) {
        self.phase = Phase::Between;
        self.blank_lines = 0;
        self.scan = Scan::new();
        self.head_whole = false;
        self.chunked = Chunked::new();
        self.body_start = 0;
        self.body_end = 0;
    }

    fn advance(&mut self, buf: &mut [u8], limits: &Limits) -> Result<Step, Refusal> {
        match self.phase {
            Phase::Between | Phase::BlankLine => {
                self.skip_blank_lines(buf)?;
                if self.phase == Phase::Head { self.take_head(buf, limits) } else { Ok(Step::NeedMore) }
            }
            Phase::Head => self.take_head(buf, limits),
            Phase::Length if self.filled < self.body_end => Ok(Step::NeedMore),
            Phase::Length => Ok(self.whole()),
            Phase::Chunked => self.take_chunks(buf, limits),
            Phase::Whole => Ok(Step::Body),
            Phase::Refused(refusal) => Err(refusal),
        }
    }

    fn whole(&mut self) -> Step {
        self.phase = Phase::Whole;
        Step::Body
    }

    /// Empty lines before a request line are ignored, but not without end (RFC 9112, 2.2).
    fn skip_blank_lines(&mut self, buf: &mut [u8]) -> Result<(), Refusal> {
        let mut skipped = 0;
        for byte in buf.iter().take(self.filled) {
            match (self.phase, byte) {
                (Phase::BlankLine, b'\n') => {
                    self.phase = Phase::Between;
                    self.blank_lines += 1;
                    if self.blank_lines > BLANK_LINES_MAX {
                        return Err(Refusal::BlankLines);
                    }
                }
                (Phase::BlankLine, _) => return Err(Refusal::BareCr),
                (_, b'\r') => self.phase = Phase::BlankLine,
                (_, b'\n') => return Err(Refusal::BareLf),
                _ => {
                    self.phase = Phase::Head;
                    break;
                }
            }
            skipped += 1;
        }
        if skipped > 0 {
            // At most as many as were buffered.
            buf.copy_within(skipped..self.filled, 0);
            self.filled -= skipped;
        }
        Ok(())
    }

    fn take_head(&mut self, buf: &[u8], limits: &Limits) -> Result<Step, Refusal> {
        let max = limits.head_bytes_max.min(HEAD_BYTES_CEILING).min(buf.len());
        let text = buf.get(..self.filled.min(max)).unwrap_or_default();
        if !self.scan.run(text, limits, &mut self.head)? {
            return if self.scan.at() >= max { Err(self.scan.too_long()) } else { Ok(Step::NeedMore) };
        }
        self.body_start = self.scan.at();
        self.head.settle();
        if self.head.has_changed(REQUEST_LINE) {
            parse(text, self.scan.target, self.scan.version, &mut self.head)?;
        }
        self.head_whole = true;
        self.body_end = self.body_start;
        let room = buf.len().saturating_sub(self.body_start);
        self.head.tell(text);
        frame(&mut self.head, text, room, limits)?;
        self.head.keep(text, self.body_start);
        match self.head.told.framing {
            BodyFraming::Length(length) => {
                // Not beyond the buffer: the length is at most the room.
                self.body_end += length;
                self.phase = Phase::Length;
            }
            BodyFraming::Chunked => self.phase = Phase::Chunked,
        }
        Ok(Step::Head)
    }

    fn take_chunks(&mut self, buf: &mut [u8], limits: &Limits) -> Result<Step, Refusal> {
        // The same whether chunks come one by one or all at once: what the buffer holds, less some for framing.
        let room_in_all = buf.len().saturating_sub(self.body_start).saturating_sub(CHUNKED_SLACK_BYTES);
        let decoded_before = self.body_end.saturating_sub(self.body_start);
        let room = limits.body_bytes_max.min(room_in_all).saturating_sub(decoded_before);
        let raw = buf.get_mut(self.body_end..self.filled).unwrap_or_default();
        let decoded = self.chunked.decode(raw, room)?;
        self.body_end += decoded.data;
        self.filled = self.body_end + decoded.rest;
        Ok(if decoded.whole { self.whole() } else { Step::NeedMore })
    }
}
