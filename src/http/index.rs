//! The index of a request head: where its parts lie in the buffer, so that nothing is borrowed between reads.

use super::known::Known;
use super::refusal::Refusal;
use super::request::Method;
use crate::limits::HEADERS_MAX;

/// A stretch of the head. Heads are at most `HEAD_BYTES_CEILING` long, so that 16 bits are enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u16,
    len: u16,
}

/// One header line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    name: u16,
    name_len: u8,
    /// The number of the known name, or `UNKNOWN`.
    known: u8,
    value: Span,
}

/// The version of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http10,
    Http11,
}

/// Where the parts of one request head are. About 600 bytes.
#[derive(Debug)]
pub(crate) struct Head {
    pub(super) method: Span,
    /// What that says.
    pub(super) told: Method,
    pub(super) version: Version,
    /// The target is one of `https`.
    pub(super) secured: bool,
    /// Only of an absolute-form target.
    pub(super) authority: Option<Span>,
    pub(super) path: Span,
    pub(super) query: Option<Span>,
    count: u8,
    fields: [Field; HEADERS_MAX],
    /// Of each known header, its first line and how many there are.
    known: [Seen; Known::COUNT],
}

/// Where a known header was seen.
#[derive(Clone, Copy, Debug)]
struct Seen {
    first: u8,
    count: u8,
}

const UNKNOWN: u8 = u8::MAX;
const _: () = assert!(Known::COUNT < UNKNOWN as usize);

impl Span {
    /// Nothing.
    pub(super) const EMPTY: Self = Self { start: 0, len: 0 };

    /// The stretch from `start` up to `end`.
    pub(super) fn new(start: usize, end: usize) -> Self {
        match (u16::try_from(start), u16::try_from(end)) {
            (Ok(start), Ok(end)) => Self { start, len: end.saturating_sub(start) },
            // The scan ends at HEAD_BYTES_CEILING. What lies behind would be empty, never other bytes.
            _ => Self::EMPTY,
        }
    }

    /// Where it starts in the text.
    pub(super) fn start(self) -> usize {
        usize::from(self.start)
    }

    /// Where it ends in the text.
    pub(super) fn end(self) -> usize {
        usize::from(self.start) + usize::from(self.len)
    }

    /// Its bytes in the buffer that it was found in.
    pub(super) fn of(self, buf: &[u8]) -> &[u8] {
        buf.get(usize::from(self.start)..self.end()).unwrap_or_default()
    }

    /// Its text. Whatever is asked for as text was found to be ASCII when it was scanned and parsed.
    pub(super) fn text_of(self, buf: &[u8]) -> &str {
        core::str::from_utf8(self.of(buf)).unwrap_or_default()
    }
}

impl Field {
    const EMPTY: Self = Self { name: 0, name_len: 0, known: UNKNOWN, value: Span::EMPTY };

    /// The name's stretch.
    pub(super) fn name(self) -> Span {
        Span { start: self.name, len: u16::from(self.name_len) }
    }

    /// The value's stretch, without white space around it.
    pub(super) fn value(self) -> Span {
        self.value
    }

    /// Whether it is this header.
    pub(super) fn is(self, known: Known) -> bool {
        self.known == known as u8
    }
}

impl Head {
    /// An index of nothing.
    pub(super) const fn new() -> Self {
        Self {
            method: Span::EMPTY,
            told: Method::Other,
            version: Version::Http11,
            secured: false,
            authority: None,
            path: Span::EMPTY,
            query: None,
            count: 0,
            fields: [Field::EMPTY; HEADERS_MAX],
            known: [Seen { first: 0, count: 0 }; Known::COUNT],
        }
    }

    /// Forgets the request, to index the next one. The lines themselves need no clearing: none beyond the count is
    /// ever read.
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.secured = false;
        self.authority = None;
        self.query = None;
        self.known = [Seen { first: 0, count: 0 }; Known::COUNT];
    }

    /// How many header lines there are.
    pub(super) fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Adds a header line of `text`: its name, and all that is behind the colon, whose white space at both ends is no part of the value (RFC 9112,
    /// section 5.1).
    ///
    /// # Errors
    /// `TooManyHeaders` when the index is full.
    pub(super) fn push(&mut self, text: &[u8], name: Span, behind: Span) -> Result<(), Refusal> {
        let known = Known::of(name.of(text));
        let (mut start, mut end) = (behind.start(), behind.end());
        while start < end && text.get(start).is_some_and(|byte| is_blank(*byte)) {
            start += 1;
        }
        while start < end && text.get(end - 1).is_some_and(|byte| is_blank(*byte)) {
            end -= 1;
        }
        let field = self.fields.get_mut(usize::from(self.count)).ok_or(Refusal::TooManyHeaders)?;
        *field = Field {
            name: name.start,
            name_len: u8::try_from(name.len).map_err(|_| Refusal::HeaderNameTooLong)?,
            known: known.map_or(UNKNOWN, |known| known as u8),
            value: Span::new(start, end),
        };
        if let Some(seen) = known.and_then(|known| self.known.get_mut(known as usize)) {
            if seen.count == 0 {
                seen.first = self.count;
            }
            seen.count += 1; // at most HEADERS_MAX
        }
        self.count += 1;
        Ok(())
    }

    /// The header lines, in the order of arrival.
    pub(super) fn fields(&self) -> &[Field] {
        self.fields.get(..self.len()).unwrap_or_default()
    }

    /// The lines from the first of a known header on; none when it is not there.
    pub(super) fn starting_at(&self, known: Known) -> &[Field] {
        let seen = self.known.get(known as usize).filter(|seen| seen.count > 0);
        seen.and_then(|seen| self.fields().get(usize::from(seen.first)..)).unwrap_or_default()
    }

    /// The first line of a known header.
    pub(super) fn first(&self, known: Known) -> Option<&Field> {
        self.starting_at(known).first()
    }

    /// How many lines a known header has.
    pub(super) fn count(&self, known: Known) -> usize {
        self.known.get(known as usize).map_or(0, |seen| usize::from(seen.count))
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
