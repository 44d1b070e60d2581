//! Where the JSON text of a Rust type goes, and how far it has come: a text that is longer than the buffer is rendered again for each piece of it, and
//! what lies before the piece must cost next to nothing then.
//!
//! ```text
//! first time   [{"a":1,"b":"xxxx|          | the buffer is full; the last place before it: item 0, item 1, text byte 0
//! second time              xxxxx"},{"a":2,"|   silently to that place: of each array and object its first items are not even looked at
//! ```

use core::fmt;

use serde::Serialize;

use super::write::next_escape;
use super::{TypedError, Writer};

/// Bytes of the longest number: a sign, 17 digits of an `f64`, its point and its exponent take 24.
const NUMBER_BYTES_MAX: usize = 32;
/// Arrays and objects within each other of which the place is kept. What lies deeper is rendered again from the item that it lies in.
const DEPTH: usize = 8;
/// Bytes of a text that are rendered again at most.
const TEXT_BYTES: usize = 1024;

/// A place in a value, and in its JSON text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// Of each array and object on the way to it, the item.
    path: [u32; DEPTH],
    depth: usize,
    /// Bytes of the text there that lie before it; 0: it is the beginning of the item.
    text: usize,
    /// Bytes of JSON that lie before it.
    bytes: usize,
}

impl Progress {
    /// The beginning.
    pub(crate) const START: Self = Self { path: [0; DEPTH], depth: 0, text: 0, bytes: 0 };
}

/// Where JSON text goes: out as it is, or escaped as the inside of a string.
pub(super) struct Sink<'w, 'b> {
    writer: &'w mut Writer<'b>,
    quoted: bool,
    /// It ends when the buffer is full, as it goes on from a place later.
    in_pieces: bool,
    /// Nothing is written until this place.
    from: Option<Progress>,
    /// The last place from which it could go on.
    last: Progress,
    /// Arrays and objects that are open.
    level: usize,
}

/// What becomes of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// It lies before the place where it goes on.
    Skip,
    /// It is written, or lies on the way to that place.
    Write,
}

impl<'w, 'b> Sink<'w, 'b> {
    /// Writes all of a value to `writer`; `quoted`: as the inside of a string.
    pub(super) fn new(writer: &'w mut Writer<'b>, quoted: bool) -> Self {
        Self { writer, quoted, in_pieces: false, from: None, last: Progress::START, level: 0 }
    }

    /// Writes what fits, from this place on.
    pub(super) fn going_on(writer: &'w mut Writer<'b>, quoted: bool, from: Progress) -> Self {
        let is_place = from.depth > 0;
        Self { in_pieces: true, from: is_place.then_some(from), last: from, ..Self::new(writer, quoted) }
    }

    /// Where to go on.
    pub(super) const fn progress(&self) -> Progress {
        self.last
    }

    pub(super) fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// What is written now is not seen.
    pub(super) fn is_silent(&self) -> bool {
        self.from.is_some()
    }

    /// JSON text: punctuation, and what is known to be valid.
    pub(super) fn json(&mut self, text: &str) {
        if self.is_silent() {
            return;
        }
        if self.quoted {
            self.writer.escaped(text);
        } else {
            self.writer.str(text);
        }
    }

    /// JSON text less its line breaks.
    pub(super) fn flat(&mut self, json: &[u8]) {
        if !self.is_silent() {
            self.writer.flat(json);
        }
    }

    /// A name, or a short text.
    pub(super) fn string(&mut self, text: &str) {
        self.json("\"");
        self.inside(text);
        self.json("\"");
    }

    /// A text of any length.
    pub(super) fn text(&mut self, text: &str) {
        let mut at = 0;
        match self.from {
            Some(from) if from.text > 0 && from.depth == self.level => {
                at = from.text;
                self.wake(from);
            }
            _ => self.json("\""),
        }
        let bytes = text.as_bytes();
        while let Some(piece) = bytes.get(at..).filter(|rest| !rest.is_empty() && !self.is_full()) {
            let piece = piece.get(..TEXT_BYTES).unwrap_or(piece);
            // An item that lies too deep has no place of its own.
            if at > 0 && !self.is_silent() && self.last.depth == self.level {
                self.last = Progress { text: at, bytes: self.writer.total(), ..self.last };
            }
            self.escaped(piece);
            at += piece.len();
        }
        self.json("\"");
    }

    /// A part of a text.
    pub(super) fn inside(&mut self, text: &str) {
        self.escaped(text.as_bytes());
    }

    fn escaped(&mut self, text: &[u8]) {
        if self.is_silent() {
            return;
        }
        let mut rest = text;
        while let Some((run, escape, next)) = next_escape(rest) {
            self.writer.raw(run);
            self.json(escape);
            rest = next;
        }
        self.writer.raw(rest);
    }

    /// A number.
    pub(super) fn number<T: Serialize>(&mut self, number: T) -> Result<(), TypedError> {
        if self.is_silent() {
            return Ok(());
        }
        let mut digits = [0; NUMBER_BYTES_MAX];
        let written = serde_json_core::to_slice(&number, &mut digits).map_err(|_| TypedError::Unsupported)?;
        // ASCII, within the buffer.
        self.writer.raw(digits.get(..written).unwrap_or_default());
        Ok(())
    }

    /// An array or object begins.
    pub(super) fn open(&mut self, text: &str) {
        self.json(text);
        self.level += 1;
    }

    /// It ends.
    pub(super) fn close(&mut self, text: &str) {
        self.level -= 1; // each was opened
        self.json(text);
    }

    /// The next item of the array or object that was opened last, before so much as its comma is written.
    ///
    /// # Errors
    /// The buffer is full, and the rest is for another time.
    pub(super) fn item(&mut self, number: u32) -> Result<Item, TypedError> {
        let level = self.level - 1; // one is open
        if let Some(from) = self.from {
            let on_the_way = from.path.get(level).filter(|_| level < from.depth);
            if on_the_way.is_none_or(|item| number < *item) {
                return Ok(Item::Skip);
            }
            if level + 1 < from.depth || from.text > 0 {
                return Ok(Item::Write);
            }
            self.wake(from);
        }
        if self.is_full() {
            return Err(TypedError::Full);
        }
        if let Some(item) = self.last.path.get_mut(level).filter(|_| self.in_pieces) {
            *item = number;
            self.last = Progress { depth: level + 1, text: 0, bytes: self.writer.total(), ..self.last };
        }
        Ok(Item::Write)
    }

    // The place is reached.
    fn wake(&mut self, from: Progress) {
        self.from = None;
        self.writer.jump(from.bytes);
    }

    fn is_full(&self) -> bool {
        self.in_pieces && !self.writer.is_complete()
    }
}

/// Formats as the inside of a string.
impl fmt::Write for Sink<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.inside(text);
        Ok(())
    }
}
