//! The index of a request head: where its parts lie in the buffer, so that nothing is borrowed between reads.

use super::accept::Accept;
use super::framing::BodyFraming;
use super::kept::Kept;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// What is asked of every request, and told when its head is whole: only what is another than in the last head is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// How the body ends, as long as there is room for it.
    pub(super) framing: BodyFraming,
    pub(super) keeps_alive: bool,
    pub(super) is_json: Option<bool>,
    pub(super) accepts_events: Accept,
}

/// Where the parts of one request head are, and what is kept of the one before. About 1,500 bytes.
#[derive(Debug)]
pub(crate) struct Head {
    pub(super) method: Span,
    /// What that says.
    pub(super) verb: Method,
    pub(super) version: Version,
    /// The target is one of `https`.
    pub(super) secured: bool,
    /// Only of an absolute-form target.
    pub(super) authority: Option<Span>,
    pub(super) path: Span,
    pub(super) query: Option<Span>,
    pub(super) told: Told,
    /// How many lines have come.
    pub(super) count: usize,
    pub(super) fields: [Field; HEADERS_MAX],
    /// Of each known header, its first line and how many there are.
    known: [Seen; Known::COUNT],
    pub(super) kept: Kept,
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

    /// Whether its name is known.
    pub(super) fn is_known(self) -> bool {
        self.known != UNKNOWN
    }

    /// The bit of a known header; none of another.
    pub(super) fn bit(self) -> u32 {
        1_u32.checked_shl(self.known.into()).unwrap_or(0)
    }

    /// Its line stood at `from`, and another like it stands at `to`.
    pub(super) fn shift(&mut self, from: usize, to: usize) {
        // Both are places of a head, and so is the sum.
        let moved = |start: u16| u16::try_from(usize::from(start) + to - from).unwrap_or(0);
        (self.name, self.value.start) = (moved(self.name), moved(self.value.start));
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
            verb: Method::Other,
            version: Version::Http11,
            secured: false,
            authority: None,
            path: Span::EMPTY,
            query: None,
            told: Told {
                framing: BodyFraming::Length(0),
                keeps_alive: false,
                is_json: None,
                accepts_events: Accept::No,
            },
            count: 0,
            fields: [Field::EMPTY; HEADERS_MAX],
            known: [Seen { first: 0, count: 0 }; Known::COUNT],
            kept: Kept::new(),
        }
    }

    /// How many header lines there are.
    pub(super) fn len(&self) -> usize {
        self.count
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
        let field = self.fields.get_mut(self.count).ok_or(Refusal::TooManyHeaders)?;
        let new = Field {
            name: name.start,
            name_len: u8::try_from(name.len).map_err(|_| Refusal::HeaderNameTooLong)?,
            known: known.map_or(UNKNOWN, |known| known as u8),
            value: Span::new(start, end),
        };
        self.kept.note(self.count, *field, new);
        *field = new;
        self.count += 1;
        Ok(())
    }

    /// Finds the first line of each known header, and counts them.
    pub(super) fn find_known(&mut self) {
        self.known = [Seen { first: 0, count: 0 }; Known::COUNT];
        for (at, field) in (0..).zip(self.fields.get(..self.count).unwrap_or_default()) {
            if let Some(seen) = self.known.get_mut(usize::from(field.known)) {
                if seen.count == 0 {
                    seen.first = at;
                }
                seen.count += 1; // at most HEADERS_MAX
            }
        }
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

/// Whether it is white space (RFC 9110, section 5.6.3).
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
