//! The classes of bytes that the grammar of HTTP tells apart.

/// A byte of a token (RFC 9110, 5.6.2).
pub(super) const TOKEN: u8 = 1;
/// A byte of a target: visible ASCII but `#`, whose fragment is never sent (RFC 9112, 3.2).
pub(super) const TARGET: u8 = 2;
/// A byte of a header value: visible, space, tab, or beyond ASCII (RFC 9110, 5.5). All but the control characters.
pub(super) const VALUE: u8 = 4;

/// Whether a byte is of a class.
pub(super) const fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// Bytes of a machine word.
pub(super) const WORD: usize = size_of::<usize>();
const ONES: usize = usize::MAX / 0xff;
const HIGH: usize = ONES << 7;

/// The first position from `at` on whose byte cannot stand in a header value; the end of `text` where there is none. A machine word at a time.
pub(super) fn skip_values(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = word(text, at) {
        let controls = control_bytes(word);
        if controls == 0 {
            at += WORD;
            continue;
        }
        // The lowest marked byte is exact; those above it may be marked by a borrow.
        at += controls.trailing_zeros() as usize / 8;
        if text.get(at) != Some(&b'\t') {
            return at;
        }
        at += 1;
    }
    // The last word overlaps the one before.
    if text.last_chunk().is_some_and(|last| control_bytes(usize::from_le_bytes(*last)) == 0) {
        return text.len().max(at);
    }
    while text.get(at).is_some_and(|byte| is(*byte, VALUE)) {
        at += 1;
    }
    at
}

/// The first position from `at` on whose byte is no letter or `-`, or an earlier one: only whole machine words are looked at.
pub(super) fn skip_letters(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = word(text, at) {
        let others = !letter_bytes(word) & HIGH;
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += WORD;
    }
    at
}

/// The machine word at this position, if all of it is there: its lowest byte is the first.
pub(super) fn word(text: &[u8], at: usize) -> Option<usize> {
    text.get(at..)?.first_chunk().map(|bytes| usize::from_le_bytes(*bytes))
}

/// Marks with its highest bit each byte of `word` that is a control character.
const fn control_bytes(word: usize) -> usize {
    let delete = word ^ (ONES * 0x7f);
    ((word.wrapping_sub(ONES * 0x20) & !word) | (delete.wrapping_sub(ONES) & !delete)) & HIGH
}

/// Marks with its highest bit each byte of `word` that is a letter or `-`.
const fn letter_bytes(word: usize) -> usize {
    // Without the highest bits no byte carries into the next.
    let (low, dash) = ((word | (ONES * 0x20)) & !HIGH, (word & !HIGH) ^ (ONES * b'-' as usize));
    let letter = (low + ONES * (0x80 - b'a' as usize)) & !(low + ONES * (0x7f - b'z' as usize));
    (letter | !(dash + ONES * 0x7f)) & !word
}

/// The classes of every byte.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        let token = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        let target = byte.is_ascii_graphic() && byte != b'#';
        let value = byte == b'\t' || byte == b' ' || byte.is_ascii_graphic() || byte >= 0x80;
        table[byte as usize] = (token as u8 * TOKEN) | (target as u8 * TARGET) | (value as u8 * VALUE);
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}
