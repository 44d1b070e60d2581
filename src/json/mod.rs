//! JSON (RFC 8259), read where it lies and written where it goes: no allocation, no recursion.
//!
//! A received document passes through here in this order:
//! 1. [`scan()`] goes over it once, byte by byte: the whole grammar, UTF-8, the depth. In the same pass it rewrites the escapes that need not be
//!    ([`Text`] says which are left) and reports the members near the root to a [`Visit`].
//! 2. [`Value`] and [`Text`] look at parts of it, without a tree.
//! 3. [`from_raw`] reads a part into a Rust type.
//!
//! And out: [`Writer`] renders into a buffer that may be too small, to be run again from where it stopped; [`escape_into`] escapes text of any
//! length piece by piece; [`write`](write()) renders a Rust type, and [`write_on`] one of any length.
//!
//! Invariants: nothing but `typed*.rs` names `serde_json_core`, which is lax, recursive and can panic, so that it sees only what [`scan()`] let
//! through and types that were checked on the way. [`Value`] and [`Text`] answer nonsense for what was never scanned, but do not panic.

mod base64;
mod error;
mod number;
mod scan;
mod strings;
mod text;
mod typed;
mod typed_de;
mod typed_ser;
mod typed_sink;
mod value;
mod write;

#[cfg(test)]
mod tests_grammar;
#[cfg(test)]
mod tests_mutation;
#[cfg(test)]
pub(crate) mod tests_paths;
#[cfg(test)]
mod tests_progress;
#[cfg(test)]
mod tests_scan;
#[cfg(test)]
mod tests_typed;
#[cfg(test)]
mod tests_value;
#[cfg(test)]
mod tests_wire;
#[cfg(test)]
mod tests_write;

pub(crate) use base64::base64_into;
pub(crate) use error::ScanError;
pub(crate) use scan::{Nobody, Visit, plain_end, scan, scan_object, validate};
pub(crate) use text::Text;
pub(crate) use typed::{TypedError, check, from_raw, write, write_on};
pub(crate) use typed_sink::Progress;
pub(crate) use value::Value;
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
        Self { start: saturate(start), end: saturate(end) }
    }

    /// The bytes of this range; empty where it is not a range of `doc`.
    pub(crate) fn of(self, doc: &[u8]) -> &[u8] {
        let (Ok(start), Ok(end)) = (usize::try_from(self.start), usize::try_from(self.end)) else {
            return &[];
        };
        doc.get(start..end).unwrap_or_default()
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

#[expect(clippy::cast_possible_truncation, reason = "compared with the largest u32 just before; try_from is not const")]
const fn saturate(position: usize) -> u32 {
    if position as u64 > u32::MAX as u64 { u32::MAX } else { position as u32 }
}

/// Whether `byte` is JSON whitespace (RFC 8259 section 2).
const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The first position at or after `at` that does not hold JSON whitespace; the end of `bytes` where there is none.
#[inline]
fn skip_whitespace(bytes: &[u8], mut at: usize) -> usize {
    // Most JSON has none.
    if bytes.get(at).is_some_and(|byte| *byte > b' ') {
        return at;
    }
    while bytes.get(at).is_some_and(|byte| is_whitespace(*byte)) {
        at += 1;
    }
    at
}
