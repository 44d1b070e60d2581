//! The scanner: one pass over a document, strict, without recursion.

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

/// The level of what is not reported: at the root, below too many keys, or in an array.
const NO_LEVEL: usize = usize::MAX;

struct Nobody;

impl Visit for Nobody {
    fn member(&mut self, _doc: &[u8], _path: &[Span], _value: Span, _kind: Kind) {}
}

struct Scanner<'v, S, V> {
    source: S,
    visit: &'v mut V,
    /// The next byte to look at.
    at: usize,
    /// The byte after the value that was scanned last.
    value_end: usize,
    /// How many containers are open.
    depth: usize,
    /// A stack of one bit for each open container, the innermost lowest: whether it is an object.
    objects: u64,
    /// How many of the open containers, from the root on, are objects in an unbroken chain.
    chain: usize,
    /// The index into `path` of the member that is being scanned, where it is one that is reported; else one that is none.
    level: usize,
    /// The names of the members that are being scanned, of the objects of the chain.
    path: [Span; JSON_PATH_KEYS_MAX],
    /// Where their values begin.
    starts: [usize; JSON_PATH_KEYS_MAX],
    /// Whether the value that is being scanned is that of an `id`.
    verbatim: bool,
}

impl<'v, S: Source, V: Visit> Scanner<'v, S, V> {
    fn new(source: S, visit: &'v mut V) -> Self {
        Self {
            source,
            visit,
            at: 0,
            value_end: 0,
            depth: 0,
            objects: 0,
            chain: 0,
            level: NO_LEVEL,
            path: [Span::new(0, 0); JSON_PATH_KEYS_MAX],
            starts: [0; JSON_PATH_KEYS_MAX],
            verbatim: false,
        }
    }

    fn run(mut self) -> Result<Kind, ScanError> {
        if self.source.bytes().starts_with(b"\xef\xbb\xbf") {
            return Err(ScanError::new(ScanErrorKind::ByteOrderMark, 0));
        }
        loop {
            // In an object each value comes behind its name.
            if self.in_object() {
                self.name()?;
            }
            let Some(kind) = self.value()? else { continue };
            if let Some(root) = self.after_value(kind)? {
                return Ok(root);
            }
        }
    }

    /// Scans one value; of a container that is not empty only its beginning, up to where its first value, or its name, is due: then none.
    fn value(&mut self) -> Result<Option<Kind>, ScanError> {
        let byte = self.skip_whitespace();
        if let Some(start) = self.starts.get_mut(self.level) {
            *start = self.at;
        }
        let kind = match byte {
            Some(b'"') => {
                let quoted = self.string()?;
                self.value_end = quoted.close + 1;
                return Ok(Some(Kind::String));
            }
            Some(b'{') => return self.open(true, b'}', Kind::Object),
            Some(b'[') => return self.open(false, b']', Kind::Array),
            Some(b'-' | b'0'..=b'9') => {
                self.at = number::end(self.source.bytes(), self.at)?;
                Kind::Number
            }
            Some(b't') => self.literal(b"true", Kind::Bool)?,
            Some(b'f') => self.literal(b"false", Kind::Bool)?,
            Some(b'n') => self.literal(b"null", Kind::Null)?,
            Some(_) => return Err(self.error(ScanErrorKind::ExpectedValue)),
            None => return Err(self.error(ScanErrorKind::EndOfInput)),
        };
        self.value_end = self.at;
        Ok(Some(kind))
    }

    /// After a whole value: closes the containers that end here, up to where the next value, or its name, is due (then none) or the document ends.
    fn after_value(&mut self, mut kind: Kind) -> Result<Option<Kind>, ScanError> {
        loop {
            if let (Some(start), Some(path)) = (self.starts.get(self.level), self.path.get(..=self.level)) {
                self.visit.member(self.source.bytes(), path, Span::new(*start, self.value_end), kind);
            }
            let byte = self.skip_whitespace();
            if self.depth == 0 {
                return if byte.is_none() { Ok(Some(kind)) } else { Err(self.error(ScanErrorKind::Trailing)) };
            }
            match (byte, self.in_object()) {
                (Some(b','), _) => {
                    self.at += 1;
                    return Ok(None);
                }
                (Some(b'}'), true) => kind = self.close(Kind::Object),
                (Some(b']'), false) => kind = self.close(Kind::Array),
                (None, _) => return Err(self.error(ScanErrorKind::EndOfInput)),
                (Some(_), true) => return Err(self.error(ScanErrorKind::ExpectedCommaOrBrace)),
                (Some(_), false) => return Err(self.error(ScanErrorKind::ExpectedCommaOrBracket)),
            }
        }
    }

    /// Scans the name of a member and its colon.
    fn name(&mut self) -> Result<(), ScanError> {
        match self.skip_whitespace() {
            Some(b'"') => {}
            Some(_) => return Err(self.error(ScanErrorKind::ExpectedName)),
            None => return Err(self.error(ScanErrorKind::EndOfInput)),
        }
        // An `id` is told in the root object, or in an object of a root array; its value reaches to the next name there, or to the object's end.
        let envelope = self.depth == 1 || (self.depth == 2 && self.objects == 0b01);
        self.verbatim &= !envelope;
        let open = self.at;
        let quoted = self.string()?;
        let name = Span::new(open + 1, quoted.close);
        if let Some(place) = self.path.get_mut(self.level) {
            *place = name;
        }
        if envelope {
            self.verbatim = name.of(self.source.bytes()) == b"id";
        }
        match self.skip_whitespace() {
            Some(b':') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(self.error(ScanErrorKind::ExpectedColon)),
            None => Err(self.error(ScanErrorKind::EndOfInput)),
        }
    }

    /// Goes into a container; what it was where it is empty.
    fn open(&mut self, object: bool, end: u8, kind: Kind) -> Result<Option<Kind>, ScanError> {
        if self.depth >= JSON_DEPTH_MAX {
            return Err(self.error(ScanErrorKind::Depth));
        }
        if object && self.chain == self.depth {
            self.chain += 1;
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(object);
        self.level = self.reported_level();
        self.at += 1;
        Ok((self.skip_whitespace() == Some(end)).then(|| self.close(kind)))
    }

    /// Scans the string whose opening quote is here.
    fn string(&mut self) -> Result<Quoted, ScanError> {
        let close = strings::skip_ascii(self.source.bytes(), self.at + 1);
        let quoted = match self.source.bytes().get(close) {
            // As nearly all are: there is nothing to decode, and nothing to rewrite.
            Some(b'"') => Quoted { close, next: close + 1 },
            _ => self.source.string(close, self.verbatim)?,
        };
        self.at = quoted.next;
        Ok(quoted)
    }

    fn close(&mut self, kind: Kind) -> Kind {
        self.depth -= 1;
        self.chain = self.chain.min(self.depth);
        self.objects >>= 1;
        self.level = self.reported_level();
        self.verbatim &= self.depth > 1;
        self.at += 1;
        self.value_end = self.at;
        kind
    }

    fn reported_level(&self) -> usize {
        if self.chain == self.depth { self.depth.wrapping_sub(1) } else { NO_LEVEL }
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Result<Kind, ScanError> {
        let rest = self.source.bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            let cut = word.starts_with(rest);
            return Err(self.error(if cut { ScanErrorKind::EndOfInput } else { ScanErrorKind::Literal }));
        }
        self.at += word.len();
        Ok(kind)
    }

    /// The byte at the next position that is not whitespace, where the scanner then stands.
    fn skip_whitespace(&mut self) -> Option<u8> {
        self.at = skip_whitespace(self.source.bytes(), self.at);
        self.source.bytes().get(self.at).copied()
    }

    fn error(&self, kind: ScanErrorKind) -> ScanError {
        ScanError::new(kind, self.at)
    }
}
