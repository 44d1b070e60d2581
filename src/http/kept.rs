//! What is kept of the head before this one. A client says the same lines again and again, and what was found out about a line holds for its
//! copy: it is not scanned, and what was told from it is not asked again. Another client's line is as good, if it is the same.
//!
//! A line is compared with the one that stood at its place among the lines of the last head, wherever that began. Whatever is
//! different in it, or new, goes the way of a first head; so nothing can come out otherwise than it would have without this.
//!
//! Lines that may hold a secret are not kept, and scanned each time (what stands before the value is, where the name is known here): how long a
//! comparison takes tells how far two texts are the same, and nobody would look for a token here after its request.

use super::class::{WORD, skip_values, word};
use super::index::{Field, Head, is_blank};
use super::known::Known;
use crate::limits::{HEADERS_MAX, KEPT_HEAD_BYTES_MAX};

/// The last head, and how far this one is the same.
#[derive(Debug)]
pub(super) struct Kept {
    bytes: [u8; KEPT_HEAD_BYTES_MAX],
    /// Where the lines of the last head end; what lies beyond `bytes` is not kept.
    end: usize,
    /// How many header lines it has. Their index is that of the head, from the lines on that have not come yet.
    lines: usize,
    /// Those of them that are not kept, a bit each.
    hidden: u64,
    /// So is the request line.
    is_target_hidden: bool,
    /// The index is that of a whole head, and these are its bytes.
    is_true: bool,
    /// The bits of what is not as it was in the last head.
    changed: u32,
    /// The known headers have other places among the lines.
    is_moved: bool,
    /// The first of its lines that is not where it was, or another; `usize::MAX`: none.
    stale: usize,
}

const _: () = assert!(HEADERS_MAX <= u64::BITS as usize, "each line has a bit");

/// The bit of the request line in what has changed.
pub(super) const REQUEST_LINE: u32 = 1 << 31;
const _: () = assert!(Known::COUNT < 31, "the request line has a bit of its own");

/// The bits of known headers.
pub(super) const fn bits(known: &[Known]) -> u32 {
    let mut bits = 0;
    let mut at = 0;
    while at < known.len() {
        bits |= 1 << known[at] as u32;
        at += 1;
    }
    bits
}

/// The headers whose lines are kept: what they say is no secret of anybody's. Neither tokens nor ids of sessions, tasks and events are among them, nor
/// what has a name that is not known here.
const PUBLIC: u32 = bits(&[
    Known::Host,
    Known::ContentLength,
    Known::TransferEncoding,
    Known::Connection,
    Known::Expect,
    Known::Accept,
    Known::ContentType,
    Known::ContentEncoding,
    Known::Origin,
    Known::McpProtocolVersion,
    Known::McpMethod,
    Known::UserAgent,
    Known::AcceptEncoding,
    Known::AcceptLanguage,
    Known::SecFetchMode,
    Known::SecFetchSite,
    Known::SecFetchDest,
]);

impl Kept {
    /// Nothing is kept.
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; KEPT_HEAD_BYTES_MAX],
            end: 0,
            lines: 0,
            hidden: 0,
            is_target_hidden: false,
            is_true: false,
            changed: u32::MAX,
            is_moved: true,
            stale: 0,
        }
    }

    /// A line takes the place `at`, where `old` stood.
    pub(super) fn note(&mut self, at: usize, old: Field, new: Field) {
        let old = if at < self.lines { Some(old) } else { None };
        self.changed |= new.bit() | old.map_or(0, Field::bit);
        self.is_moved |= old.map(Field::bit) != Some(new.bit());
        // Of one that is not kept nothing matters but its place: a name that is spelt otherwise is looked up again.
        if old != Some(new) || !self.is_hidden(at) {
            self.stale = self.stale.min(at);
        }
    }

    fn is_hidden(&self, at: usize) -> bool {
        self.hidden & bit_of(at) != 0
    }

    /// What is kept between these places of the last head; nothing where not all of it is.
    fn between(&self, start: usize, end: usize) -> &[u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn copy(&mut self, text: &[u8], start: usize, end: usize) {
        let end = end.min(self.bytes.len());
        if let (Some(to), Some(from)) = (self.bytes.get_mut(start..end), text.get(start..end)) {
            to.copy_from_slice(from);
        }
    }
}

impl Head {
    /// Begins with the next head, whose first bytes are in `text`. Gives the end of its request line where that is the last one's.
    pub(super) fn begin(&mut self, text: &[u8]) -> Option<usize> {
        self.count = 0;
        let kept = &mut self.kept;
        (kept.changed, kept.is_moved, kept.stale) = (0, false, usize::MAX);
        if !core::mem::take(&mut kept.is_true) {
            // What was told was not told of this index.
            (kept.end, kept.lines, kept.hidden, kept.changed, kept.is_moved) = (0, 0, 0, u32::MAX, true);
        }
        let line = self.kept.between(0, self.line_start(0, self.kept.lines, self.kept.end));
        if !line.is_empty() && !self.kept.is_target_hidden && text.starts_with(line) {
            return Some(line.len());
        }
        self.kept.changed |= REQUEST_LINE;
        (self.secured, self.authority, self.query) = (false, None, None);
        None
    }

    /// Takes the header lines from `at` on that are the last head's, whole, while there are not more than `lines_max`. Gives the end of the last.
    pub(super) fn recall(&mut self, text: &[u8], at: usize, lines_max: usize) -> usize {
        let (Kept { lines, end, hidden, .. }, from) = (&self.kept, self.count);
        let (lines, end) = (*lines, *end);
        let shown = u32::try_from(from).ok().and_then(|from| hidden.checked_shr(from)).map_or(0, u64::trailing_zeros);
        let until = lines.min(lines_max).min(from + shown as usize);
        if until <= from {
            return at;
        }
        let (start, stop) = (self.line_start(from, lines, end), self.line_start(until, lines, end));
        let kept = self.kept.between(start, stop.min(KEPT_HEAD_BYTES_MAX));
        let same_until = start + common(kept, text.get(at..).unwrap_or_default());
        let mut next = start;
        if same_until == stop {
            (self.count, next) = (until, stop);
        }
        while self.count < until {
            let line_end = self.line_start(self.count + 1, lines, end);
            if line_end > same_until {
                break;
            }
            (self.count, next) = (self.count + 1, line_end);
        }
        if at != start && self.count > from {
            for field in self.fields.get_mut(from..self.count).unwrap_or_default() {
                field.shift(start, at);
            }
            self.kept.stale = self.kept.stale.min(from);
        }
        at + (next - start)
    }

    /// Takes the header line at `at`, while there are not more than `lines_max`, whose value is not kept, where it is the last head's but for that, whole,
    /// and as long. Gives its end.
    pub(super) fn recall_name(&mut self, text: &[u8], at: usize, lines_max: usize) -> Option<usize> {
        let index = self.count;
        if index >= self.kept.lines.min(lines_max) || !self.kept.is_hidden(index) {
            return None;
        }
        let field = self.fields.get_mut(index).filter(|field| field.is_known())?;
        let (start, value) = (field.name().start(), field.value());
        let name = self.kept.between(start, value.start());
        let (from, end) = (at + value.start().checked_sub(start)?, at + value.end().checked_sub(start)?);
        let is_another = name.is_empty()
            || !text.get(at..)?.starts_with(name)
            || skip_values(text, from) != end
            || !text.get(end..)?.starts_with(b"\r\n");
        // What is white there is none of the value.
        let is_white = |at: usize| text.get(at).is_some_and(|byte| is_blank(*byte));
        if is_another || is_white(from) || is_white(end.wrapping_sub(1)) {
            return None;
        }
        if at != start {
            field.shift(start, at);
            self.kept.stale = self.kept.stale.min(index);
        }
        self.kept.changed |= field.bit();
        self.count += 1;
        Some(end + b"\r\n".len())
    }

    /// All lines have come. Puts the known ones where they are found.
    pub(super) fn settle(&mut self) {
        let (count, lines) = (self.count, self.kept.lines);
        if count != lines {
            let gone = self.fields.get(count..lines).unwrap_or_default();
            self.kept.changed |= gone.iter().fold(0, |bits, field| bits | field.bit());
            self.kept.is_moved = true;
            self.kept.stale = self.kept.stale.min(count);
        }
        if self.kept.is_moved {
            self.find_known();
        }
    }

    /// Whether one of these is not as it was in the last head: a header's lines, or the request line. Asked once all have come.
    pub(super) fn has_changed(&self, bits: u32) -> bool {
        self.kept.changed & bits != 0
    }

    /// Keeps this head, which is whole and right, and ends here, with its empty line.
    pub(super) fn keep(&mut self, text: &[u8], end: usize) {
        self.kept.is_true = true;
        let (count, end) = (self.count, end.saturating_sub(b"\r\n".len()));
        (self.kept.end, self.kept.lines) = (end, count);
        if self.has_changed(REQUEST_LINE) {
            // What is behind a `?` may be a token, or the id of a session, and in front of a host may be a password.
            self.kept.is_target_hidden = self.query.is_some() || self.authority.is_some();
            if !self.kept.is_target_hidden {
                self.kept.copy(text, 0, self.line_start(0, count, end));
            }
        }
        if self.kept.stale != usize::MAX {
            // Whether a name may be kept depends on the method.
            let stale = if self.has_changed(bits(&[Known::McpMethod])) { 0 } else { self.kept.stale };
            self.kept.hidden &= bit_of(stale).wrapping_sub(1);
            let mut from = self.line_start(stale, count, end);
            for at in stale..count {
                if !self.is_public(at, text) {
                    self.kept.hidden |= bit_of(at);
                    let field = self.fields.get(at).filter(|field| field.is_known());
                    let kept_end = field.map_or_else(|| self.line_start(at, count, end), |field| field.value().start());
                    self.kept.copy(text, from, kept_end);
                    from = self.line_start(at + 1, count, end);
                }
            }
            self.kept.copy(text, from, end);
        }
    }

    /// Where a line begins; behind the last, where that ends.
    fn line_start(&self, at: usize, lines: usize, end: usize) -> usize {
        let field = if at < lines { self.fields.get(at) } else { None };
        field.map_or(end, |field| field.name().start())
    }

    fn is_public(&self, at: usize, text: &[u8]) -> bool {
        let line = self.fields.get(at).map_or(0, |field| field.bit());
        // The name of a tool is no secret (who could measure how long a line takes might learn which was called last); what else has such a header may be.
        let of_tool = || {
            let method = self.first(Known::McpMethod).filter(|_| self.count(Known::McpMethod) == 1);
            method.is_some_and(|method| method.value().of(text) == b"tools/call")
        };
        // A password may be in front of it.
        let with_user = line == bits(&[Known::Host])
            && self.fields.get(at).is_some_and(|field| field.value().of(text).contains(&b'@'));
        line & PUBLIC != 0 && !with_user || line & bits(&[Known::McpName]) != 0 && of_tool()
    }
}

/// The bit of a line; none behind the last that there may be.
fn bit_of(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0)
}

/// How many bytes at the start of both are the same.
fn common(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 16;
    if b.starts_with(a) {
        return a.len();
    }
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK));
    let mut at = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    while let (Some(x), Some(y)) = (word(a, at), word(b, at)) {
        if x != y {
            return at + (x ^ y).trailing_zeros() as usize / 8;
        }
        at += WORD;
    }
    while a.get(at).is_some_and(|byte| b.get(at) == Some(byte)) {
        at += 1;
    }
    at
}
