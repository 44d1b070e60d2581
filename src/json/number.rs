//! Numbers (RFC 8259 section 6): their grammar, and their exact value where they are integers.

use super::error::{ScanError, ScanErrorKind};

/// The position after the number that begins at `at` with a digit or a minus sign.
pub(super) fn end(bytes: &[u8], at: usize) -> Result<usize, ScanError> {
    let mut at = if bytes.get(at) == Some(&b'-') { at + 1 } else { at };
    if bytes.get(at) == Some(&b'0') {
        at += 1;
        if bytes.get(at).is_some_and(u8::is_ascii_digit) {
            return Err(ScanError::new(ScanErrorKind::LeadingZero, at - 1));
        }
    } else {
        at = digits(bytes, at)?;
    }
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Ok(at)
}

/// An integer as JSON can write it: sign and size apart, since `-0` and the ranges of `i64` and `u64` together need more than either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Integer {
    /// Whether it was written with a minus sign.
    pub(super) negative: bool,
    /// Its absolute value.
    pub(super) magnitude: u64,
}

/// The exact value of a number in any of its forms (`100`, `1e2`, `100.0`); none where it has a fraction or its size does not fit.
pub(super) fn integer(raw: &[u8]) -> Option<Integer> {
    let (negative, raw) = match raw {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, raw),
    };
    let (mantissa, exponent) = match raw.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (raw.get(..at)?, exponent(raw.get(at + 1..)?)?),
        None => (raw, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
        Some(at) => (mantissa.get(..at)?, mantissa.get(at + 1..)?),
        None => (mantissa, &[][..]),
    };
    if whole.is_empty() {
        return None;
    }
    let digits = whole.iter().chain(fraction);
    let zeros = digits.clone().rev().take_while(|digit| **digit == b'0').count();
    let significant = whole.len() + fraction.len() - zeros;
    let mut magnitude: u64 = 0;
    for digit in digits.take(significant) {
        magnitude = append(magnitude, *digit)?;
    }
    if significant == 0 {
        return Some(Integer { negative, magnitude: 0 });
    }
    // The value is `magnitude` times ten to this power, and `magnitude` does not end in a zero: below 0 it has a fraction.
    let power = exponent.saturating_add(i64::try_from(zeros).ok()?).saturating_sub(i64::try_from(fraction.len()).ok()?);
    if power < 0 {
        return None;
    }
    // A power that is too large overflows within twenty steps.
    for _ in 0..power {
        magnitude = magnitude.checked_mul(10)?;
    }
    Some(Integer { negative, magnitude })
}

/// The position after one or more digits.
fn digits(bytes: &[u8], from: usize) -> Result<usize, ScanError> {
    match digits_end(bytes, from) {
        at if at == from => Err(ScanError::new(ScanErrorKind::ExpectedDigit, at)),
        at => Ok(at),
    }
}

/// The position of the first byte from `at` on that is no digit: a machine word at a time, as some ids are long.
fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let others = other_bytes(usize::from_le_bytes(*word));
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += size_of::<usize>();
    }
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Marks with its highest bit each byte of `word` that is no digit.
const fn other_bytes(word: usize) -> usize {
    const ONES: usize = usize::MAX / 0xff;
    const HIGH: usize = ONES << 7;
    // Digits become 0 to 9; what is more grows to 128 and beyond, and never into the next byte.
    let values = word ^ (ONES * b'0' as usize);
    (((values & !HIGH) + ONES * (0x80 - 10)) | values) & HIGH
}

/// The value of the digits of an exponent with its optional sign, saturated.
fn exponent(raw: &[u8]) -> Option<i64> {
    let (negative, digits) = match raw {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, raw),
    };
    let mut value: i64 = 0;
    for digit in digits {
        value = value.saturating_mul(10).saturating_add(i64::from(digit.checked_sub(b'0')?));
    }
    Some(if negative { -value } else { value })
}

fn append(value: u64, digit: u8) -> Option<u64> {
    if !digit.is_ascii_digit() {
        return None;
    }
    value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
}
