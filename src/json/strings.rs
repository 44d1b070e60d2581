//! Strings (RFC 8259 section 7): their grammar, their UTF-8, and the rewriting of needless escapes in place.

use super::error::{ScanError, ScanErrorKind};

/// The place of a string in a document.
#[derive(Clone, Copy)]
pub(super) struct Quoted {
    /// The position of the closing quote.
    pub(super) close: usize,
    /// The first position after the string and the padding that normalising left behind it.
    pub(super) next: usize,
}

/// One escape sequence, decoded.
#[derive(Clone, Copy)]
pub(super) struct Escape {
    /// The character it stands for.
    pub(super) char: char,
    /// Its length in the document in bytes: 2, 6, or 12 for a surrogate pair.
    pub(super) length: usize,
}

/// Checks the rest of a string, from `at` on, of which all before was checked.
pub(super) fn check(bytes: &[u8], mut at: usize) -> Result<Quoted, ScanError> {
    loop {
        at = plain_run(bytes, at)?;
        if bytes.get(at) == Some(&b'"') {
            return Ok(Quoted { close: at, next: at + 1 });
        }
        at += escape(bytes, at)?.length;
    }
}

/// Checks the rest of a string, from `read` on, and rewrites its needless escapes; what it shrinks by becomes spaces after its closing quote, so
/// that no other position of the document moves. Before `read` there are none.
pub(super) fn normalise(bytes: &mut [u8], mut read: usize) -> Result<Quoted, ScanError> {
    let mut write = read;
    loop {
        // `write <= read <= bytes.len()` throughout: an escape is never shorter than what replaces it.
        let stop = plain_run(bytes, read)?;
        if write != read {
            bytes.copy_within(read..stop, write);
        }
        write += stop - read;
        read = stop;
        if bytes.get(read) == Some(&b'"') {
            break;
        }
        let escape = escape(bytes, read)?;
        let mut buffer = [0; 4];
        if let Some(text) = rewritten(escape, &mut buffer) {
            bytes[write..write + text.len()].copy_from_slice(text);
            write += text.len();
        } else {
            bytes.copy_within(read..read + escape.length, write);
            write += escape.length;
        }
        read += escape.length;
    }
    if write != read {
        bytes[write] = b'"';
        bytes[write + 1..=read].fill(b' ');
    }
    Ok(Quoted { close: write, next: read + 1 })
}

/// The escape sequence whose backslash is at `at`.
pub(super) fn escape(bytes: &[u8], at: usize) -> Result<Escape, ScanError> {
    let char = match bytes.get(at + 1) {
        None => return Err(ScanError::new(ScanErrorKind::EndOfInput, at + 1)),
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape(bytes, at),
        Some(_) => return Err(ScanError::new(ScanErrorKind::Escape, at)),
    };
    Ok(Escape { char, length: 2 })
}

/// The length in bytes of the UTF-8 sequence at `at` that is not ASCII (Unicode, table 3-7: no overlong form, no surrogate).
pub(super) fn utf8_length(bytes: &[u8], at: usize) -> Result<usize, ScanError> {
    match bytes.get(at..).unwrap_or_default() {
        [0xc2..=0xdf, 0x80..=0xbf, ..] => Ok(2),
        [0xe0, 0xa0..=0xbf, 0x80..=0xbf, ..]
        | [0xe1..=0xec | 0xee..=0xef, 0x80..=0xbf, 0x80..=0xbf, ..]
        | [0xed, 0x80..=0x9f, 0x80..=0xbf, ..] => Ok(3),
        [0xf0, 0x90..=0xbf, 0x80..=0xbf, 0x80..=0xbf, ..]
        | [0xf1..=0xf3, 0x80..=0xbf, 0x80..=0xbf, 0x80..=0xbf, ..]
        | [0xf4, 0x80..=0x8f, 0x80..=0xbf, 0x80..=0xbf, ..] => Ok(4),
        _ => Err(ScanError::new(ScanErrorKind::Utf8, at)),
    }
}

/// The position of the first byte at or after `at` that is a quote, a backslash or a control character, and so cannot stand in a string as it
/// is; the end of `bytes` where there is none.
pub(super) fn skip_unescaped(bytes: &[u8], at: usize) -> usize {
    skip::<false>(bytes, at)
}

/// The position of the first byte at or after `at` that ends a run of plain ASCII: as [`skip_unescaped`], or one that is not ASCII.
#[inline]
pub(super) fn skip_ascii(bytes: &[u8], at: usize) -> usize {
    skip::<true>(bytes, at)
}

/// A machine word at a time: nearly all of what a client sends are bytes to skip.
#[inline]
fn skip<const WIDE: bool>(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let special = special_bytes::<WIDE>(usize::from_le_bytes(*word));
        if special != 0 {
            // The lowest marked byte is exact; those above it may be marked by a borrow.
            return at + special.trailing_zeros() as usize / 8;
        }
        at += size_of::<usize>();
    }
    skip_bytes::<WIDE>(bytes, at)
}

/// The same of what is less than a word, at the end of a document or the whole of a short text.
#[inline(never)] // so that what goes over the words is small enough to lie where it is needed
fn skip_bytes<const WIDE: bool>(bytes: &[u8], at: usize) -> usize {
    const WORD: usize = size_of::<usize>();
    let rest = bytes.get(at..).unwrap_or_default();
    let word = match bytes.last_chunk::<WORD>() {
        _ if rest.is_empty() => return at,
        // The last word, without what was looked at before.
        Some(last) => usize::from_le_bytes(*last) >> (8 * WORD.saturating_sub(rest.len())),
        None => short_word(rest),
    };
    // Behind the end are bytes of 0, which are marked.
    at + special_bytes::<WIDE>(word).trailing_zeros() as usize / 8
}

/// The bytes of what is shorter than a word, the first lowest, and zeros behind them: its first and its last bytes, which may be the same ones.
#[inline]
fn short_word(bytes: &[u8]) -> usize {
    let both = |first: usize, last: usize, width: usize| first | last << (8 * (bytes.len() - width));
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return both(u32::from_le_bytes(*first) as usize, u32::from_le_bytes(*last) as usize, 4);
    }
    match (bytes.first_chunk::<2>(), bytes.last_chunk::<2>()) {
        (Some(first), Some(last)) => {
            both(usize::from(u16::from_le_bytes(*first)), usize::from(u16::from_le_bytes(*last)), 2)
        }
        _ => bytes.first().copied().map_or(0, usize::from),
    }
}

/// The position of the quote or backslash that ends the run of plain characters at `at`; all of the run is checked.
fn plain_run(bytes: &[u8], mut at: usize) -> Result<usize, ScanError> {
    loop {
        at = skip_ascii(bytes, at);
        match bytes.get(at) {
            Some(b'"' | b'\\') => return Ok(at),
            Some(0x80..) => {
                at += utf8_length(bytes, at)?;
                // Text that is not ASCII seldom comes alone.
                while bytes.get(at).is_some_and(|byte| *byte >= 0x80) {
                    at += utf8_length(bytes, at)?;
                }
            }
            Some(_) => return Err(ScanError::new(ScanErrorKind::ControlCharacter, at)),
            None => return Err(ScanError::new(ScanErrorKind::EndOfInput, at)),
        }
    }
}

/// What an escape becomes; none where it stays as it is.
fn rewritten(escape: Escape, buffer: &mut [u8; 4]) -> Option<&[u8]> {
    match escape.char {
        '\0'..='\u{1f}' => None,
        '"' | '\\' if escape.length == 2 => None,
        '"' => Some(b"\\\""),
        '\\' => Some(b"\\\\"),
        char => Some(char.encode_utf8(buffer).as_bytes()),
    }
}

/// The escape `\uXXXX` at `at`, or the pair of them that stands for a character outside the Basic Multilingual Plane.
fn unicode_escape(bytes: &[u8], at: usize) -> Result<Escape, ScanError> {
    let lone = ScanError::new(ScanErrorKind::LoneSurrogate, at);
    let first = code_unit(bytes, at).ok_or(ScanError::new(ScanErrorKind::UnicodeEscape, at))?;
    if let Some(char) = char::from_u32(first) {
        return Ok(Escape { char, length: 6 });
    }
    // Only surrogates are not characters here.
    let second = code_unit(bytes, at + 6).ok_or(lone)?;
    if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
        return Err(lone);
    }
    let char = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(lone)?;
    Ok(Escape { char, length: 12 })
}

/// The number that the `\uXXXX` at `at` holds; none where there is no such escape.
fn code_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = bytes.get(at..)?.first_chunk::<6>()? else {
        return None;
    };
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

/// Marks with its highest bit each byte of `word` that is a control character, a quote or a backslash, or with `WIDE` not ASCII.
const fn special_bytes<const WIDE: bool>(word: usize) -> usize {
    const ONES: usize = usize::MAX / 0xff;
    const HIGH: usize = ONES << 7;
    let (quote, backslash) = (word ^ (ONES * b'"' as usize), word ^ (ONES * b'\\' as usize));
    let below = word.wrapping_sub(ONES * 0x20) | quote.wrapping_sub(ONES) | backslash.wrapping_sub(ONES);
    // What is not ASCII is marked by a subtraction, too.
    if WIDE { (below | word) & HIGH } else { below & !word & HIGH }
}
