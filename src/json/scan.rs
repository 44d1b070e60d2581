//! The scanner: one pass over a document, strict, without recursion. What is reported, a chain of objects from the root, is gone over by one
//! loop, and what is not by another, which knows less and so is faster.

use super::error::{ScanError, ScanErrorKind};
use super::strings::{self, Quoted};
use super::{Kind, Span, number, skip_whitespace};
use crate::limits::{JSON_DEPTH_MAX, JSON_PATH_KEYS_MAX};

/// Who wants to know the members near the root of a document while it is scanned.
pub(crate) trait Visit {
    /// Called once for each member of an object at depth 1 to [`JSON_PATH_KEYS_MAX`] of a chain of objects from the root, after its value was
    /// scanned; members of objects inside arrays are not reported. Members that occur twice are reported twice.
    ///
    /// `doc` is the document, normalised as far as the end of `value`. `path` has the keys' inner text (without quotes, normalised),
    /// outermost first. `value` is the value's JSON text (strings with their quotes, without padding).
    fn member(&mut self, doc: &[u8], path: &[Span], value: Span, kind: Kind);
}

/// Checks that `doc` is exactly one JSON value with nothing but whitespace around, by RFC 8259 and nothing else: UTF-8 without a byte order
/// mark, whole surrogate pairs, at most [`JSON_DEPTH_MAX`] levels. Gives the kind of the value.
///
/// In the same pass strings are normalised in place, names of members too: `\uXXXX`, surrogate pairs and `\/` become the character itself where
/// it needs no escape, `\u0022` and `\u005c` become `\"` and `\\`, control characters stay as they were written. What a string shrinks by
/// becomes spaces after its closing quote, so the document keeps its length and every other byte its place. The value of the root's member `id`
/// is left byte for byte, since it is echoed; so is that of each object directly in a root array (the batch of 2025-03-26).
///
/// # Errors
/// The first breach; `doc` is then normalised in part.
pub(crate) fn scan(doc: &mut [u8], visit: &mut impl Visit) -> Result<Kind, ScanError> {
    Scanner::new(Normalising(doc), visit).run()
}

/// The same check as [`scan`], without changing anything.
///
/// # Errors
/// The first breach.
pub(crate) fn validate(doc: &[u8]) -> Result<Kind, ScanError> {
    Scanner::new(ReadOnly(doc), &mut Nobody).run()
}

/// A document as the scanner needs it: to look at, and to check one string of.
trait Source {
    fn bytes(&self) -> &[u8];
    /// Checks the rest of a string, from `at` on, and normalises it unless it must stay `verbatim`. All before is plain ASCII.
    fn string(&mut self, at: usize, verbatim: bool) -> Result<Quoted, ScanError>;
}

struct ReadOnly<'b>(&'b [u8]);

impl Source for ReadOnly<'_> {
    fn bytes(&self) -> &[u8] {
        self.0
    }

    fn string(&mut self, at: usize, _verbatim: bool) -> Result<Quoted, ScanError> {
        strings::check(self.0, at)
    }
}

struct Normalising<'b>(&'b mut [u8]);

impl Source for Normalising<'_> {
    fn bytes(&self) -> &[u8] {
        self.0
    }

    fn string(&mut self, at: usize, verbatim: bool) -> Result<Quoted, ScanError> {
        if verbatim { strings::check(self.0, at) } else { strings::normalise(self.0, at) }
    }
}

struct Nobody;

impl Visit for Nobody {
    fn member(&mut self, _doc: &[u8], _path: &[Span], _value: Span, _kind: Kind) {}
}

struct Scanner<'v, S, V> {
    source: S,
    visit: &'v mut V,
    /// Whether the value that is being scanned is that of an `id`.
    verbatim: bool,
}

impl<'v, S: Source, V: Visit> Scanner<'v, S, V> {
    fn new(source: S, visit: &'v mut V) -> Self {
        Self { source, visit, verbatim: false }
    }

    fn run(mut self) -> Result<Kind, ScanError> {
        if self.source.bytes().starts_with(b"\xef\xbb\xbf") {
            return Err(ScanError::new(ScanErrorKind::ByteOrderMark, 0));
        }
        let (at, first) = self.look(0);
        let (end, kind) = match first {
            Some(b'{') => (self.chain(at)?, Kind::Object),
            Some(b'[') => (self.nested(at, 0)?, Kind::Array),
            Some(b'"') => (self.string(at)?.next, Kind::String),
            _ => self.scalar(at)?,
        };
        match self.look(end) {
            (_, None) => Ok(kind),
            (at, Some(_)) => Err(ScanError::new(ScanErrorKind::Trailing, at)),
        }
    }

    /// Scans the object that begins at `at`, the root, and the chain of objects in it whose members are reported. Gives the position behind it.
    fn chain(&mut self, at: usize) -> Result<usize, ScanError> {
        let mut path = [Span::new(0, 0); JSON_PATH_KEYS_MAX];
        // Where the values of the members begin, of the objects that are open.
        let mut starts = [0; JSON_PATH_KEYS_MAX];
        let mut level = 0;
        let (mut at, mut byte) = self.look(at + 1);
        if byte == Some(b'}') {
            return Ok(at + 1);
        }
        loop {
            // The value of an `id` reaches to the next name of the root.
            self.verbatim &= level > 0;
            let (name, behind) = self.name(at, byte)?;
            path[level] = name;
            if level == 0 {
                self.verbatim = name.of(self.source.bytes()) == b"id";
            }
            let mut start;
            (start, byte) = self.look(behind);
            let (mut kind, mut end);
            match byte {
                Some(b'"') => {
                    let quoted = self.string(start)?;
                    (kind, end, at) = (Kind::String, quoted.close + 1, quoted.next);
                }
                Some(b'{') if level + 1 < JSON_PATH_KEYS_MAX => {
                    (at, byte) = self.look(start + 1);
                    if byte != Some(b'}') {
                        starts[level] = start;
                        level += 1;
                        continue;
                    }
                    at += 1;
                    (kind, end) = (Kind::Object, at);
                }
                Some(open @ (b'{' | b'[')) => {
                    at = self.nested(start, level + 1)?;
                    (kind, end) = (if open == b'{' { Kind::Object } else { Kind::Array }, at);
                }
                _ => {
                    (at, kind) = self.scalar(start)?;
                    end = at;
                }
            }
            // A value has ended, and maybe the objects whose last it is.
            loop {
                self.visit.member(self.source.bytes(), &path[..=level], Span::new(start, end), kind);
                (at, byte) = self.look(at);
                match byte {
                    Some(b',') => break,
                    Some(b'}') if level == 0 => return Ok(at + 1),
                    Some(b'}') => {
                        at += 1;
                        level -= 1;
                        (start, end, kind) = (starts[level], at, Kind::Object);
                    }
                    byte => return Err(unexpected(ScanErrorKind::ExpectedCommaOrBrace, byte, at)),
                }
            }
            (at, byte) = self.look(at + 1);
        }
    }

    /// Scans the container that begins at `at` within so many others, of whose members nobody wants to know. Gives the position behind it.
    fn nested(&mut self, mut at: usize, outside: usize) -> Result<usize, ScanError> {
        // A stack of one bit for each container that is open, the innermost lowest: whether it is an object. Below them lies a bit for the bottom.
        let (mut objects, mut depth) = (1_u64, outside);
        loop {
            let byte;
            (at, byte) = self.look(at);
            match byte {
                Some(b'"') => at = self.string(at)?.next,
                Some(open @ (b'{' | b'[')) => {
                    if depth >= JSON_DEPTH_MAX {
                        return Err(ScanError::new(ScanErrorKind::Depth, at));
                    }
                    depth += 1;
                    objects = objects << 1 | u64::from(open == b'{');
                    let first;
                    (at, first) = self.look(at + 1);
                    if first != Some(if open == b'{' { b'}' } else { b']' }) {
                        if open == b'{' {
                            at = self.nested_name(at, outside, objects)?;
                        }
                        continue;
                    }
                }
                _ => (at, _) = self.scalar(at)?,
            }
            // A value has ended, and maybe the containers whose last it is.
            loop {
                let (here, byte) = self.look(at);
                at = here + 1;
                match (byte, objects & 1 == 1) {
                    (Some(b','), true) => {
                        at = self.nested_name(at, outside, objects)?;
                        break;
                    }
                    (Some(b','), false) => break,
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        objects >>= 1;
                        depth -= 1;
                        self.verbatim &= outside > 0 || depth > 1;
                        if objects == 1 {
                            return Ok(at);
                        }
                    }
                    (byte, true) => return Err(unexpected(ScanErrorKind::ExpectedCommaOrBrace, byte, here)),
                    (byte, false) => return Err(unexpected(ScanErrorKind::ExpectedCommaOrBracket, byte, here)),
                }
            }
        }
    }

    /// Scans the name of a member of what is not reported, and its colon; gives the position behind.
    #[inline(never)] // it lies in two places of what is above
    fn nested_name(&mut self, at: usize, outside: usize, objects: u64) -> Result<usize, ScanError> {
        // An `id` is also told in an object of a root array; its value reaches to the next name there, or to the object's end.
        let envelope = outside == 0 && objects == 0b101;
        self.verbatim &= !envelope;
        let (at, byte) = self.look(at);
        let (name, behind) = self.name(at, byte)?;
        if envelope {
            self.verbatim = name.of(self.source.bytes()) == b"id";
        }
        Ok(behind)
    }

    /// Scans the name of a member, whose first byte lies at `at`, and its colon; gives the position behind.
    #[expect(clippy::inline_always, reason = "what a call takes is a third of what this does")]
    #[inline(always)]
    fn name(&mut self, at: usize, byte: Option<u8>) -> Result<(Span, usize), ScanError> {
        if byte != Some(b'"') {
            return Err(unexpected(ScanErrorKind::ExpectedName, byte, at));
        }
        let quoted = self.string(at)?;
        let (colon, byte) = self.look(quoted.next);
        if byte != Some(b':') {
            return Err(unexpected(ScanErrorKind::ExpectedColon, byte, colon));
        }
        Ok((Span::new(at + 1, quoted.close), colon + 1))
    }

    /// Scans the string whose opening quote is at `at`.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn string(&mut self, at: usize) -> Result<Quoted, ScanError> {
        let close = strings::skip_ascii(self.source.bytes(), at + 1);
        match self.source.bytes().get(close) {
            // As nearly all are: there is nothing to decode, and nothing to rewrite.
            Some(b'"') => Ok(Quoted { close, next: close + 1 }),
            _ => self.source.string(close, self.verbatim),
        }
    }

    /// Scans what is neither a string nor a container.
    fn scalar(&self, at: usize) -> Result<(usize, Kind), ScanError> {
        let bytes = self.source.bytes();
        let (word, kind): (&[u8], _) = match bytes.get(at) {
            Some(b'-' | b'0'..=b'9') => return Ok((number::end(bytes, at)?, Kind::Number)),
            Some(b't') => (b"true", Kind::Bool),
            Some(b'f') => (b"false", Kind::Bool),
            Some(b'n') => (b"null", Kind::Null),
            byte => return Err(unexpected(ScanErrorKind::ExpectedValue, byte.copied(), at)),
        };
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.starts_with(word) {
            return Ok((at + word.len(), kind));
        }
        let cut = word.starts_with(rest);
        Err(ScanError::new(if cut { ScanErrorKind::EndOfInput } else { ScanErrorKind::Literal }, at))
    }

    /// The next position from `at` on that is not whitespace, and its byte.
    #[inline]
    fn look(&self, at: usize) -> (usize, Option<u8>) {
        let at = skip_whitespace(self.source.bytes(), at);
        (at, self.source.bytes().get(at).copied())
    }
}

/// Something else was due at `at` than this byte, or the end.
#[cold]
fn unexpected(due: ScanErrorKind, byte: Option<u8>, at: usize) -> ScanError {
    ScanError::new(if byte.is_some() { due } else { ScanErrorKind::EndOfInput }, at)
}
