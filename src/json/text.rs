//! The text of a JSON string, read through its escapes.

use core::cmp::Ordering;
use core::fmt;
use core::iter::FusedIterator;

use super::strings;

/// The inner text of a JSON string (RFC 8259 section 7), without its quotes, as it lies in the document: after [`super::scan()`] the only escapes
/// left are `\"`, `\\` and those of control characters, but in the value of an `id`, which is left as it came. All escapes are understood here,
/// so text of a document that was only validated can be read as well.
#[derive(Clone, Copy)]
pub(crate) struct Text<'b> {
    raw: &'b [u8],
}

impl<'b> Text<'b> {
    /// The text of which `raw` is the JSON form between the quotes.
    pub(crate) fn new(raw: &'b [u8]) -> Self {
        Self { raw }
    }

    /// The JSON form between the quotes.
    pub(crate) fn raw(self) -> &'b [u8] {
        self.raw
    }

    /// Whether the text is `other`, compared character by character after decoding.
    pub(crate) fn eq_str(&self, other: &str) -> bool {
        // An escape is longer than what it stands for.
        match self.raw.len().cmp(&other.len()) {
            Ordering::Less => false,
            Ordering::Equal => self.raw == other.as_bytes() && !self.has_escape(),
            Ordering::Greater => self.has_escape() && self.chars().eq(other.chars()),
        }
    }

    /// The text where it can be borrowed: when no escape is left in it.
    pub(crate) fn plain(self) -> Option<&'b str> {
        if self.has_escape() { None } else { str::from_utf8(self.raw).ok() }
    }

    /// The characters of the text, decoded. What could not be in a scanned document comes as U+FFFD.
    pub(crate) fn chars(&self) -> Chars<'b> {
        Chars { rest: self.raw }
    }

    /// The number of characters of the decoded text.
    pub(crate) fn count_chars(&self) -> usize {
        if self.has_escape() {
            return self.chars().count();
        }
        // What was scanned is UTF-8, of which each character has one byte that does not continue another.
        self.raw.iter().filter(|byte| !(0x80..0xc0).contains(*byte)).count()
    }

    /// The length of the decoded text in bytes of UTF-8.
    pub(crate) fn decoded_len(&self) -> usize {
        if self.has_escape() { self.chars().map(char::len_utf8).sum() } else { self.raw.len() }
    }

    /// Whether it is written without escapes.
    pub(crate) fn is_plain(&self) -> bool {
        !self.has_escape()
    }

    fn has_escape(&self) -> bool {
        // In scanned text nothing else stands out.
        strings::skip_unescaped(self.raw, 0) < self.raw.len()
    }
}

/// The decoded text.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        match self.plain() {
            Some(text) => f.write_str(text),
            None => self.chars().try_for_each(|char| f.write_char(char)),
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({})", self.raw.escape_ascii())
    }
}

/// The decoded characters of a [`Text`].
#[derive(Clone)]
pub(crate) struct Chars<'b> {
    rest: &'b [u8],
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let (char, length) = match self.rest.first()? {
            b'\\' => match strings::escape(self.rest, 0) {
                Ok(escape) => (escape.char, escape.length),
                Err(_) => (char::REPLACEMENT_CHARACTER, 1),
            },
            byte @ 0..=0x7f => (char::from(*byte), 1),
            _ => wide(self.rest).unwrap_or((char::REPLACEMENT_CHARACTER, 1)),
        };
        self.rest = self.rest.get(length..).unwrap_or_default();
        Some(char)
    }
}

impl FusedIterator for Chars<'_> {}

/// The character at the start of `bytes` that is not ASCII, and its length.
fn wide(bytes: &[u8]) -> Option<(char, usize)> {
    let length = strings::utf8_length(bytes, 0).ok()?;
    let char = str::from_utf8(bytes.get(..length)?).ok()?.chars().next()?;
    Some((char, length))
}
