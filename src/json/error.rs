//! Why a document is not JSON.

use core::fmt;

use crate::limits::JSON_DEPTH_MAX;

/// The first breach of RFC 8259 in a document, and where. Its `Display` is one short English sentence, fit to be sent to the peer: it repeats
/// nothing of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScanError {
    /// What is wrong.
    pub(crate) kind: ScanErrorKind,
    /// The byte of the document at which it shows, counted from 0. In a document that `scan` was normalising it is a position of the original.
    pub(crate) at: u32,
}

impl ScanError {
    /// An error at the byte `at`.
    pub(super) fn new(kind: ScanErrorKind, at: usize) -> Self {
        Self { kind, at: u32::try_from(at).unwrap_or(u32::MAX) }
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.at)
    }
}

impl core::error::Error for ScanError {}

/// The ways in which a document breaks the grammar of RFC 8259, or the limits of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanErrorKind {
    /// The document ends inside a value, or holds none.
    EndOfInput,
    /// The document begins with a byte order mark (RFC 8259 section 8.1 lets a parser refuse it).
    ByteOrderMark,
    /// What stands where a value must does not begin one.
    ExpectedValue,
    /// A word that is not `true`, `false` or `null`.
    Literal,
    /// A number lacks a digit.
    ExpectedDigit,
    /// A number begins with a superfluous zero.
    LeadingZero,
    /// An object's member does not begin with a string.
    ExpectedName,
    /// No colon after a member's name.
    ExpectedColon,
    /// Neither a comma nor the end of the object after a member.
    ExpectedCommaOrBrace,
    /// Neither a comma nor the end of the array after an element.
    ExpectedCommaOrBracket,
    /// A control character (U+0000 to U+001F) stands in a string without an escape.
    ControlCharacter,
    /// The bytes of a string are not UTF-8.
    Utf8,
    /// A backslash is followed by something that is no escape.
    Escape,
    /// `\u` is not followed by four hexadecimal digits.
    UnicodeEscape,
    /// A `\u` escape names one half of a surrogate pair without the other.
    LoneSurrogate,
    /// Arrays and objects nest deeper than [`JSON_DEPTH_MAX`].
    Depth,
    /// Something other than whitespace follows the value.
    Trailing,
}

impl fmt::Display for ScanErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndOfInput => "unexpected end of the JSON text",
            Self::ByteOrderMark => "a byte order mark is not allowed",
            Self::ExpectedValue => "expected a value",
            Self::Literal => "expected 'true', 'false' or 'null'",
            Self::ExpectedDigit => "expected a digit",
            Self::LeadingZero => "a number must not begin with a superfluous zero",
            Self::ExpectedName => "expected a member name in double quotes",
            Self::ExpectedColon => "expected ':' after a member name",
            Self::ExpectedCommaOrBrace => "expected ',' or '}' after a member",
            Self::ExpectedCommaOrBracket => "expected ',' or ']' after an element",
            Self::ControlCharacter => "unescaped control character in a string",
            Self::Utf8 => "invalid UTF-8 in a string",
            Self::Escape => "unknown escape in a string",
            Self::UnicodeEscape => "expected four hexadecimal digits after '\\u'",
            Self::LoneSurrogate => "unpaired surrogate in a string",
            Self::Depth => return write!(f, "more than {JSON_DEPTH_MAX} levels of nesting"),
            Self::Trailing => "unexpected text after the JSON value",
        })
    }
}
