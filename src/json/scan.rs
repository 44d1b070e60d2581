//! The scanner: one pass over a document, strict, without recursion. What is reported, a chain of objects from the root, is gone over by one
//! loop, and what is not by another, which knows less and so is faster.

use super::error::{ScanError, ScanErrorKind};
use super::strings::{self, Quoted};
use super::{Kind, Span, number, skip_whitespace};
use crate::limits::{JSON_DEPTH_MAX, JSON_PATH_KEYS_MAX};

/// Who wants to know the members near the root of a document while it is scanned.
pub(crate) trait Visit {
    /// What it knows a member by: its name, and those of the objects around it.
    type Name: Copy;

    /// That of the root.
    const ROOT: Self::Name;

    /// Tells a name by its bytes alone, before it is scanned: `text` follows its opening quote. Gives its length with the closing quote, which has
    /// to be a part of what is compared; the name itself must need no escapes. None for others, which are scanned.
    fn known(within: Self::Name, text: &[u8]) -> Option<(Self::Name, usize)>;

    /// A name that is none of those; `key` is its inner text in `doc` (without quotes, normalised).
    fn other(within: Self::Name, doc: &[u8], key: Span) -> Self::Name;

    /// Whether it wants the members of this member, where it is an object at a depth below [`JSON_PATH_KEYS_MAX`].
    fn looks_into(name: Self::Name) -> bool;

    /// Called once for each member of the root, where that is an object, and of the objects that it looks into, after its value was scanned.
    /// Members that occur twice are reported twice.
    ///
    /// `doc` is the document, normalised as far as the end of `value`. `value` is the value's JSON text (strings with their quotes, without
    /// padding).
    fn member(&mut self, doc: &[u8], name: Self::Name, value: Span, kind: Kind);
}

/// Nobody wants to know anything.
pub(crate) struct Nobody;

impl Visit for Nobody {
    type Name = ();

    const ROOT: () = ();

    fn known((): (), _text: &[u8]) -> Option<((), usize)> {
        None
    }

    fn other((): (), _doc: &[u8], _key: Span) {}

    fn looks_into((): ()) -> bool {
        false
    }

    fn member(&mut self, _doc: &[u8], (): (), _value: Span, _kind: Kind) {}
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

/// Scans one object of `doc`, which begins at `at` within so many others and of whose members nobody wants to know, as [`scan`] does. Gives the
/// position behind it.
///
/// # Errors
/// The first breach; the object is then normalised in part.
pub(crate) fn scan_object(doc: &mut [u8], at: usize, outside: usize) -> Result<usize, ScanError> {
    Scanner::new(Normalising(doc), &mut Nobody).nested(at, outside)
}

/// The position behind the value that begins at `at`, where it is a number or a string, whichever is asked for, with nothing to decode in it.
pub(crate) fn plain_end(doc: &[u8], at: usize, kind: Kind) -> Option<usize> {
    match (kind, doc.get(at)?) {
        (Kind::String, b'"') => {
            let close = strings::skip_ascii(doc, at + 1);
            (doc.get(close) == Some(&b'"')).then_some(close + 1)
        }
        (Kind::Number, b'-' | b'0'..=b'9') => number::end(doc, at).ok(),
        _ => None,
    }
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
            b'{' => (self.chain(at)?, Kind::Object),
            b'[' => (self.nested(at, 0)?, Kind::Array),
            b'"' => (self.string(at)?.next, Kind::String),
            _ => self.scalar(at)?,
        };
        let (at, _) = self.look(end);
        if at < self.source.bytes().len() {
            return Err(ScanError::new(ScanErrorKind::Trailing, at));
        }
        Ok(kind)
    }

    /// Scans the object that begins at `at`, the root, and the chain of objects in it whose members are reported. Gives the position behind it.
    fn chain(&mut self, at: usize) -> Result<usize, ScanError> {
        // The names of the objects that are open, the root's first, and where they begin.
        let mut open = [(V::ROOT, at); JSON_PATH_KEYS_MAX];
        let mut level = 0;
        let (mut at, mut byte) = self.look(at + 1);
        if byte == b'}' {
            return Ok(at + 1);
        }
        loop {
            if level == 0 {
                // The value of an `id` reaches to the next name of the root.
                self.verbatim = false;
            }
            let (mut name, behind) = self.reported_name(at, byte, open[level].0)?;
            if level == 0 {
                self.verbatim = self.rest(at).starts_with(b"\"id\"");
            }
            let mut start;
            (start, byte) = self.look(behind);
            let (mut kind, mut end);
            match byte {
                b'"' => {
                    let quoted = self.string(start)?;
                    (kind, end, at) = (Kind::String, quoted.close + 1, quoted.next);
                }
                b'{' => {
                    (at, byte) = self.look(start + 1);
                    if byte == b'}' {
                        at += 1;
                    } else if level + 1 < JSON_PATH_KEYS_MAX && V::looks_into(name) {
                        level += 1;
                        open[level] = (name, start);
                        continue;
                    } else {
                        at = self.nested(start, level + 1)?;
                    }
                    (kind, end) = (Kind::Object, at);
                }
                b'[' => {
                    at = self.nested(start, level + 1)?;
                    (kind, end) = (Kind::Array, at);
                }
                _ => {
                    (at, kind) = self.scalar(start)?;
                    end = at;
                }
            }
            // A value has ended, and maybe the objects whose last it is.
            loop {
                self.visit.member(self.source.bytes(), name, Span::new(start, end), kind);
                (at, byte) = self.look(at);
                match byte {
                    b',' => break,
                    b'}' if level == 0 => return Ok(at + 1),
                    b'}' => {
                        at += 1;
                        (name, start) = open[level];
                        level -= 1;
                        (end, kind) = (at, Kind::Object);
                    }
                    _ => return Err(self.unexpected(ScanErrorKind::ExpectedCommaOrBrace, at)),
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
                b'"' => at = self.string(at)?.next,
                open @ (b'{' | b'[') => {
                    if depth >= JSON_DEPTH_MAX {
                        return Err(ScanError::new(ScanErrorKind::Depth, at));
                    }
                    depth += 1;
                    objects = objects << 1 | u64::from(open == b'{');
                    let first;
                    (at, first) = self.look(at + 1);
                    if first != if open == b'{' { b'}' } else { b']' } {
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
                    (b',', true) => {
                        at = self.nested_name(at, outside, objects)?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => {
                        objects >>= 1;
                        depth -= 1;
                        self.verbatim &= outside > 0 || depth > 1;
                        if objects == 1 {
                            return Ok(at);
                        }
                    }
                    (_, true) => return Err(self.unexpected(ScanErrorKind::ExpectedCommaOrBrace, here)),
                    (_, false) => return Err(self.unexpected(ScanErrorKind::ExpectedCommaOrBracket, here)),
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

    /// Scans the name of a member that is reported, whose first byte lies at `at`, and its colon; gives the position behind.
    #[expect(clippy::inline_always, reason = "what a call takes is a third of what this does")]
    #[inline(always)]
    fn reported_name(&mut self, at: usize, byte: u8, within: V::Name) -> Result<(V::Name, usize), ScanError> {
        if byte != b'"' {
            return Err(self.unexpected(ScanErrorKind::ExpectedName, at));
        }
        let (name, next) = match V::known(within, self.rest(at + 1)) {
            Some((name, length)) => (name, at + 1 + length),
            None => self.other_name(at, within)?,
        };
        let (colon, byte) = self.look(next);
        if byte != b':' {
            return Err(self.unexpected(ScanErrorKind::ExpectedColon, colon));
        }
        Ok((name, colon + 1))
    }

    /// Scans a name that is not told by its bytes; gives the position behind it.
    #[inline(never)]
    fn other_name(&mut self, at: usize, within: V::Name) -> Result<(V::Name, usize), ScanError> {
        let quoted = self.string(at)?;
        // It may be a known one that was written with escapes.
        let name = match V::known(within, self.rest(at + 1)) {
            Some((name, _)) => name,
            None => V::other(within, self.source.bytes(), Span::new(at + 1, quoted.close)),
        };
        Ok((name, quoted.next))
    }

    /// Scans the name of a member, whose first byte lies at `at`, and its colon; gives the position behind.
    #[expect(clippy::inline_always, reason = "what a call takes is a third of what this does")]
    #[inline(always)]
    fn name(&mut self, at: usize, byte: u8) -> Result<(Span, usize), ScanError> {
        if byte != b'"' {
            return Err(self.unexpected(ScanErrorKind::ExpectedName, at));
        }
        let quoted = self.string(at)?;
        let (colon, byte) = self.look(quoted.next);
        if byte != b':' {
            return Err(self.unexpected(ScanErrorKind::ExpectedColon, colon));
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
            _ => return Err(self.unexpected(ScanErrorKind::ExpectedValue, at)),
        };
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.starts_with(word) {
            return Ok((at + word.len(), kind));
        }
        let cut = word.starts_with(rest);
        Err(ScanError::new(if cut { ScanErrorKind::EndOfInput } else { ScanErrorKind::Literal }, at))
    }

    fn rest(&self, at: usize) -> &[u8] {
        self.source.bytes().get(at..).unwrap_or_default()
    }

    /// The next position from `at` on that is not whitespace, and its byte; 0 at the end, which nothing may be.
    #[inline]
    fn look(&self, at: usize) -> (usize, u8) {
        let bytes = self.source.bytes();
        // Most JSON has no whitespace.
        match bytes.get(at) {
            Some(byte) if *byte > b' ' => (at, *byte),
            _ => self.look_on(at),
        }
    }

    /// The same where there may be whitespace.
    #[inline(never)] // seldom
    fn look_on(&self, at: usize) -> (usize, u8) {
        let at = skip_whitespace(self.source.bytes(), at);
        (at, self.source.bytes().get(at).copied().unwrap_or(0))
    }

    /// Something else was due at `at` than what is there.
    #[cold]
    fn unexpected(&self, due: ScanErrorKind, at: usize) -> ScanError {
        let is_end = at >= self.source.bytes().len();
        ScanError::new(if is_end { ScanErrorKind::EndOfInput } else { due }, at)
    }
}
