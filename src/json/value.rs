//! A scanned value, looked at where it lies.

use core::fmt;

use super::text::Text;
use super::{Kind, is_whitespace, number, skip_whitespace, strings};

/// A view of one JSON value of a document that [`super::scan()`] or [`super::validate`] let through. Nothing is parsed before it is asked for,
/// and asking again parses again: made for looking up a few members, not for walking trees. Going over the members of an object costs its
/// length in bytes. What never was scanned gets nonsense for an answer, but no panic.
#[derive(Clone, Copy)]
pub(crate) struct Value<'b> {
    raw: &'b [u8],
}

impl<'b> Value<'b> {
    /// The value of which `raw` is the JSON text; whitespace around it is dropped.
    pub(crate) fn new(raw: &'b [u8]) -> Self {
        let start = skip_whitespace(raw, 0);
        let end = raw.iter().rposition(|byte| !is_whitespace(*byte)).map_or(start, |last| last + 1);
        Self { raw: raw.get(start..end).unwrap_or_default() }
    }

    /// The value of which `raw` is just the JSON text, as the span of a member is.
    pub(crate) const fn of_span(raw: &'b [u8]) -> Self {
        Self { raw }
    }

    /// The JSON text, without whitespace around it.
    pub(crate) fn raw(self) -> &'b [u8] {
        self.raw
    }

    /// What it is, by its first byte.
    pub(crate) fn kind(self) -> Kind {
        match self.raw.first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b't' | b'f') => Kind::Bool,
            _ => Kind::Null,
        }
    }

    /// The value of a boolean.
    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.raw {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// The value of a number that is an integer in the range of `i64`, in any form (`100`, `100.0`, `1e2`, `-0`); exact, never rounded.
    pub(crate) fn as_i64(self) -> Option<i64> {
        let integer = self.integer()?;
        if integer.negative {
            0_i64.checked_sub_unsigned(integer.magnitude)
        } else {
            i64::try_from(integer.magnitude).ok()
        }
    }

    /// The value of a number that is an integer in the range of `u64`, in any form (`100`, `100.0`, `1e2`, `-0`); exact, never rounded.
    pub(crate) fn as_u64(self) -> Option<u64> {
        self.integer().filter(|integer| !integer.negative || integer.magnitude == 0).map(|integer| integer.magnitude)
    }

    /// The value of a number, rounded to the nearest `f64`; none where it is too large for one, since an infinity is no JSON.
    pub(crate) fn as_f64(self) -> Option<f64> {
        if self.kind() != Kind::Number {
            return None;
        }
        // The grammar of Rust's floats contains that of JSON.
        str::from_utf8(self.raw).ok()?.parse().ok().filter(|value: &f64| value.is_finite())
    }

    /// The text of a string.
    pub(crate) fn as_text(self) -> Option<Text<'b>> {
        self.raw.strip_prefix(b"\"")?.strip_suffix(b"\"").map(Text::new)
    }

    /// The members of an object in their order, those that occur twice as well; nothing for other values.
    pub(crate) fn members(self) -> Members<'b> {
        Members { rest: self.raw.strip_prefix(b"{").unwrap_or_default() }
    }

    /// Gives each member of an object to `take`, in their order. `known` tells a name by the text that follows its opening quote, and its length with
    /// the closing quote. None for other values, and where one of the two gives none.
    pub(crate) fn each_known<N>(
        self,
        known: impl Fn(&[u8]) -> Option<(N, usize)>,
        mut take: impl FnMut(N, Self) -> Option<()>,
    ) -> Option<()> {
        if self.raw.first() != Some(&b'{') {
            return None;
        }
        let mut at = skip_whitespace(self.raw, 1);
        if self.raw.get(at) == Some(&b'}') {
            return Some(());
        }
        loop {
            let (name, length) = known(self.raw.get(at + 1..)?)?;
            // A colon follows, and then the value.
            let colon = skip_whitespace(self.raw, at + 1 + length);
            let start = skip_whitespace(self.raw, colon + 1);
            let end = value_end(self.raw, start)?;
            take(name, Self { raw: self.raw.get(start..end)? })?;
            at = skip_whitespace(self.raw, end);
            if self.raw.get(at) != Some(&b',') {
                return Some(());
            }
            at = skip_whitespace(self.raw, at + 1);
        }
    }

    /// The elements of an array in their order; nothing for other values.
    pub(crate) fn elements(self) -> Elements<'b> {
        Elements { rest: self.raw.strip_prefix(b"[").unwrap_or_default() }
    }

    /// The value of the object's member `key`; none for other values, and where it occurs twice: one reader would take the first, and
    /// another the last.
    pub(crate) fn get(&self, key: &str) -> Option<Value<'b>> {
        self.only(|name| name.eq_str(key)).map(|(_, value)| value)
    }

    /// Whether it is an object that has this member, be it twice.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.members().any(|(name, _)| name.eq_str(key))
    }

    /// The one member of an object whose name is so; none where there are two.
    pub(crate) fn only(self, is: impl Fn(Text<'b>) -> bool) -> Option<(Text<'b>, Value<'b>)> {
        let mut members = self.members().filter(|(name, _)| is(*name));
        let first = members.next();
        if members.next().is_some() { None } else { first }
    }

    fn integer(self) -> Option<number::Integer> {
        if self.kind() == Kind::Number { number::integer(self.raw) } else { None }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.raw.escape_ascii())
    }
}

/// The members of an object: each name with its value.
#[derive(Clone)]
pub(crate) struct Members<'b> {
    /// What follows the opening brace, or the last value that was given.
    rest: &'b [u8],
}

impl<'b> Iterator for Members<'b> {
    type Item = (Text<'b>, Value<'b>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = split_value(self.rest)?;
        let rest = rest.get(skip_whitespace(rest, 0)..)?.strip_prefix(b":")?;
        let (value, rest) = split_value(rest)?;
        self.rest = rest;
        Some((name.as_text()?, value))
    }
}

/// The elements of an array.
#[derive(Clone)]
pub(crate) struct Elements<'b> {
    /// What follows the opening bracket, or the last value that was given.
    rest: &'b [u8],
}

impl<'b> Iterator for Elements<'b> {
    type Item = Value<'b>;

    fn next(&mut self) -> Option<Value<'b>> {
        let (value, rest) = split_value(self.rest)?;
        self.rest = rest;
        Some(value)
    }
}

/// The value that begins `bytes` after whitespace and a comma, and what follows it; none where the container ends.
fn split_value(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let mut start = skip_whitespace(bytes, 0);
    if bytes.get(start) == Some(&b',') {
        start = skip_whitespace(bytes, start + 1);
    }
    let end = value_end(bytes, start)?;
    Some((Value { raw: bytes.get(start..end)? }, bytes.get(end..)?))
}

/// The position after the value that begins at `start`; none where none begins there, or it does not end.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'"' => string_end(bytes, start),
        b'{' | b'[' => container_end(bytes, start),
        b'}' | b']' | b',' | b':' => None,
        _ => {
            let rest = bytes.get(start..)?;
            let ends = |byte: &u8| is_whitespace(*byte) || matches!(byte, b',' | b'}' | b']' | b':');
            Some(rest.iter().position(ends).map_or(bytes.len(), |length| start + length))
        }
    }
}

/// The position after the string whose opening quote is at `open`.
fn string_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at = strings::skip_unescaped(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The position after the container that opens at `open`: in scanned text brackets match, so counting them is enough.
fn container_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth: usize = 0;
    let mut at = open;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}
