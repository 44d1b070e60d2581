//! The text of a file of tokens.
//!
//! ```text
//! # name   token, or the hash of one        what it may do           until when
//! kitchen  sha256:9f86d081884c7d659a2f...   scopes=read,lights       expires=2027-01-01T00:00:00Z
//! admin    0f3d9f...                                                 # everything, for ever
//! -        b61f02...                        scopes=                  # no name, and only what asks for no scope
//! ```
//! What is wrong is told with the number of its line, and with nothing that stands there: it may be a token.

use super::{GuardError, Token};
use crate::limits::TOKENS_MAX;

/// A file of tokens that was read.
#[derive(Debug)]
pub(crate) struct TokenFile {
    /// Its tokens.
    pub(crate) tokens: Vec<Token>,
    /// One of them stands there as it is, and not as its hash.
    pub(crate) is_secret: bool,
}

/// What marks the hash of a token.
const HASH: &str = "sha256:";
const HASH_BYTES: usize = 32;

impl TokenFile {
    /// Reads the text of such a file.
    ///
    /// # Errors
    /// The first line that is wrong, and why.
    pub(crate) fn parse(text: &str) -> Result<Self, GuardError> {
        let mut file = Self { tokens: Vec::new(), is_secret: false };
        // Some editors put a mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, number) in text.lines().zip(1..) {
            let error = |why: &'static str| GuardError::of_line(number, why);
            let mut words = line.split_ascii_whitespace().take_while(|word| !word.starts_with('#'));
            let Some(name) = words.next() else { continue };
            let secret = words.next().ok_or_else(|| error(NO_TOKEN))?;
            if file.tokens.len() == TOKENS_MAX {
                return Err(error(TOO_MANY));
            }
            let token = if let Some(hex) = secret.strip_prefix(HASH) {
                Token::of_sha256(bytes_of(hex).ok_or_else(|| error(NO_HASH))?)
            } else {
                file.is_secret = true;
                Token::new(secret)
            };
            let named = if name == "-" { token } else { token.name(name) };
            let token = options(named, words).map_err(error)?.at_line(number);
            token.check().map_err(|fault| GuardError::of_line(number, fault.to_string()))?;
            file.tokens.push(token);
        }
        Ok(file)
    }
}

const NO_TOKEN: &str =
    "expected a name and a token, or \"-\" and a token: name token scopes=a,b expires=2027-01-01T00:00:00Z";
const TOO_MANY: &str = "it is one too many: at most 64 tokens can be kept";
const NO_HASH: &str = "expected 64 hexadecimal digits behind sha256:";
const NO_OPTION: &str =
    "behind the token only scopes=a,b and expires=2027-01-01T00:00:00Z may stand, each once, and # comments";
const NO_TIME: &str = "expires= needs a time in UTC, such as 2027-01-01T00:00:00Z";
const _: () = assert!(TOKENS_MAX == 64, "as the sentence says");

// What stands behind a token.
fn options<'l>(mut token: Token, words: impl Iterator<Item = &'l str>) -> Result<Token, &'static str> {
    let (mut has_scopes, mut has_end) = (false, false);
    for word in words {
        token = match word.split_once('=') {
            Some(("scopes", scopes)) if !has_scopes => {
                has_scopes = true;
                token.scopes(scopes.split(',').filter(|_| !scopes.is_empty()))
            }
            Some(("expires", time)) if !has_end => {
                has_end = true;
                token.expires(unix_s_of(time).ok_or(NO_TIME)?)
            }
            _ => return Err(NO_OPTION),
        };
    }
    Ok(token)
}

fn bytes_of(hex: &str) -> Option<[u8; HASH_BYTES]> {
    let mut bytes = [0; HASH_BYTES];
    if hex.len() != 2 * HASH_BYTES || !hex.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let digits = core::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}

/// The seconds since 1970 of a time as RFC 3339 writes it in UTC: `2027-01-01T00:00:00Z`.
fn unix_s_of(time: &str) -> Option<u64> {
    let (date, clock) = time.strip_suffix(['Z', 'z'])?.split_once(['T', 't'])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let month_days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let fits = year >= 1970 && (1..=12).contains(&month) && (1..=month_days).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    Some((days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
}

// Three numbers of so many digits.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split(between);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}
