<<<<<<< HEAD
//! JSON (RFC 8259), read where it lies and written where it goes: no allocation, no recursion.
//!
//! A received document passes through here in this order:
//! 1. [`scan`] goes over it once, byte by byte: the whole grammar, UTF-8, the depth. In the same pass it rewrites the escapes that need not be
//!    ([`Text`] says which are left) and reports the members near the root to a [`Visit`].
//! 2. [`Value`] and [`Text`] look at parts of it, without a tree.
//! 3. [`from_raw`] reads a part into a Rust type.
//!
//! And out: [`Writer`] renders into a buffer that may be too small, to be run again from where it stopped; [`escape_into`] escapes text of any
//! length piece by piece; [`to_slice`] renders a Rust type.
//!
//! Invariants: nothing but `typed*.rs` names `serde_json_core`, which is lax, recursive and can panic, so that it sees only what [`scan`] let
//! through and types that were checked on the way. [`Value`] and [`Text`] answer nonsense for what was never scanned, but do not panic.
#![allow(dead_code)] // until merged
#![allow(unused_imports)] // until merged

mod error;
mod number;
mod scan;
mod strings;
mod text;
mod typed;
mod typed_de;
mod typed_ser;
mod value;
mod write;

#[cfg(test)]
mod tests_grammar;
#[cfg(test)]
mod tests_mutation;
#[cfg(test)]
mod tests_scan;
#[cfg(test)]
mod tests_typed;
#[cfg(test)]
mod tests_value;
#[cfg(test)]
mod tests_write;

pub(crate) use error::{ScanError, ScanErrorKind};
pub(crate) use scan::{Visit, scan, validate};
pub(crate) use text::{Chars, Text};
pub(crate) use typed::{TypedError, from_raw, to_slice};
pub(crate) use value::{Elements, Members, Value};
pub(crate) use write::{Writer, escape_into};

/// A byte range of a scanned document: what the scanner hands out instead of a borrow, so that it can be kept beside the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first byte.
    pub(crate) start: u32,
    /// The byte after the last.
    pub(crate) end: u32,
}

impl Span {
    /// The range from `start` up to `end`; positions past 4 GiB saturate.
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self {
            start: saturate(start),
            end: saturate(end),
        }
    }

    /// The bytes of this range; empty where it is not a range of `doc`.
    pub(crate) fn of(self, doc: &[u8]) -> &[u8] {
        let (Ok(start), Ok(end)) = (usize::try_from(self.start), usize::try_from(self.end)) else {
            return &[];
        };
        doc.get(start..end).unwrap_or_default()
    }

    /// Its length in bytes.
    pub(crate) fn len(self) -> usize {
        usize::try_from(self.end.saturating_sub(self.start)).unwrap_or(usize::MAX)
    }

    /// Whether it covers no byte.
    pub(crate) fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What a JSON value is (RFC 8259 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number of any length and form.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "compared with the largest u32 just before; try_from is not const"
)]
const fn saturate(position: usize) -> u32 {
    if position as u64 > u32::MAX as u64 {
        u32::MAX
    } else {
        position as u32
    }
}

/// Whether `byte` is JSON whitespace (RFC 8259 section 2).
const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The first position at or after `at` that does not hold JSON whitespace; the end of `bytes` where there is none.
fn skip_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| is_whitespace(*byte)) {
        at += 1;
    }
    at
=======
//! Stand-in for the real module, to be dropped when it is merged.
#![allow(dead_code, missing_docs, clippy::pedantic)]

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'b>(&'b [u8]);

fn trim(raw: &[u8]) -> &[u8] {
    raw.trim_ascii()
}

/// The length of the value at the start of `raw`.
fn value_len(raw: &[u8]) -> usize {
    let (mut depth, mut quoted, mut at) = (0usize, false, 0);
    while at < raw.len() {
        let byte = raw[at];
        at += 1;
        if quoted {
            match byte {
                b'\\' => at += 1,
                b'"' => {
                    quoted = false;
                    if depth == 0 {
                        return at;
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 0 => return at - 1,
            b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            b',' | b':' if depth == 0 => return at - 1,
            _ => {}
        }
    }
    raw.len()
}

fn next<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    *rest = rest.trim_ascii_start();
    if let Some((b',' | b':', after)) = rest.split_first() {
        *rest = after.trim_ascii_start();
    }
    let (raw, after) = rest.split_at(value_len(rest));
    *rest = after;
    let raw = trim(raw);
    (!raw.is_empty()).then_some(raw)
}

impl<'b> Value<'b> {
    pub(crate) fn new(raw: &'b [u8]) -> Self {
        Self(trim(raw))
    }
    pub(crate) fn raw(self) -> &'b [u8] {
        self.0
    }
    pub(crate) fn kind(self) -> Kind {
        match self.0.first() {
            Some(b'n') | None => Kind::Null,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'"') => Kind::String,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            Some(_) => Kind::Number,
        }
    }
    pub(crate) fn as_i64(self) -> Option<i64> {
        let text = str::from_utf8(self.0).ok()?;
        text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|f| f.fract() == 0.0 && f.abs() < 9e18).map(|f| f as i64))
    }
    pub(crate) fn as_u64(self) -> Option<u64> {
        let text = str::from_utf8(self.0).ok()?;
        text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|f| f.fract() == 0.0 && *f >= 0.0 && *f < 1.8e19).map(|f| f as u64))
    }
    pub(crate) fn as_f64(self) -> Option<f64> {
        (self.kind() == Kind::Number).then_some(())?;
        str::from_utf8(self.0).ok()?.parse().ok()
    }
    pub(crate) fn as_text(self) -> Option<Text<'b>> {
        (self.kind() == Kind::String).then(|| Text(&self.0[1..self.0.len() - 1]))
    }
    pub(crate) fn members(self) -> impl Iterator<Item = (Text<'b>, Value<'b>)> {
        let mut rest = if self.kind() == Kind::Object { &self.0[1..] } else { &[] };
        core::iter::from_fn(move || {
            let key = Value(next(&mut rest)?).as_text()?;
            Some((key, Value(next(&mut rest)?)))
        })
    }
    pub(crate) fn elements(self) -> impl Iterator<Item = Value<'b>> {
        let mut rest = if self.kind() == Kind::Array { &self.0[1..] } else { &[] };
        core::iter::from_fn(move || next(&mut rest).map(Value))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'b>(&'b [u8]);

impl<'b> Text<'b> {
    pub(crate) fn chars(self) -> impl Iterator<Item = char> + Clone + 'b {
        let mut chars = str::from_utf8(self.0).unwrap_or_default().chars();
        core::iter::from_fn(move || match chars.next()? {
            '\\' => Some(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                other => other,
            }),
            other => Some(other),
        })
    }
    pub(crate) fn eq_str(self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
    pub(crate) fn decoded_len(self) -> usize {
        self.chars().map(char::len_utf8).sum()
    }
}

pub(crate) struct Writer<'b> {
    buffer: &'b mut [u8],
    skip: usize,
    total: usize,
    written: usize,
}

impl<'b> Writer<'b> {
    pub(crate) fn new(buffer: &'b mut [u8]) -> Self {
        Self::resume(buffer, 0)
    }
    pub(crate) fn resume(buffer: &'b mut [u8], skip: usize) -> Self {
        Self { buffer, skip, total: 0, written: 0 }
    }
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            if self.total >= self.skip && self.written < self.buffer.len() {
                self.buffer[self.written] = *byte;
                self.written += 1;
            }
            self.total += 1;
        }
        self
    }
    pub(crate) fn str(&mut self, text: &str) -> &mut Self {
        self.raw(text.as_bytes())
    }
    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        self.str("\"").escaped(text).str("\"")
    }
    pub(crate) fn escaped(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '"' => self.str("\\\""),
                '\\' => self.str("\\\\"),
                '\n' => self.str("\\n"),
                c if c < ' ' => self.str(&format!("\\u{:04x}", c as u32)),
                c => self.str(c.encode_utf8(&mut [0; 4])),
            };
        }
        self
    }
    pub(crate) fn uint(&mut self, n: u64) -> &mut Self {
        self.str(&n.to_string())
    }
    pub(crate) fn int(&mut self, n: i64) -> &mut Self {
        self.str(&n.to_string())
    }
    pub(crate) fn float(&mut self, n: f64) -> &mut Self {
        self.str(&n.to_string())
    }
    pub(crate) fn bool(&mut self, b: bool) -> &mut Self {
        self.str(if b { "true" } else { "false" })
    }
    pub(crate) fn written(&self) -> usize {
        self.written
    }
    pub(crate) fn is_complete(&self) -> bool {
        self.total <= self.skip + self.written
    }
}

pub(crate) type TypedError = serde_json_core::de::Error;

pub(crate) fn from_raw<T: serde::de::DeserializeOwned>(raw: &[u8], scratch: &mut [u8]) -> Result<T, TypedError> {
    serde_json_core::from_slice_escaped(raw, scratch).map(|(value, _)| value)
>>>>>>> app
}
