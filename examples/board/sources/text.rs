//! How values are written for a reader that is a model: short, plain, with their units.

use std::fmt;

use serde::{Serialize, Serializer};

/// A number of bytes: shown with a binary unit, in JSON the plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bytes(pub(crate) u64);

impl Bytes {
    /// From the kernel's `kB`, which are 1024 bytes.
    pub(crate) fn from_kib(kib: u64) -> Self {
        Self(kib.saturating_mul(1024))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        let Some((shift, unit)) = units.into_iter().find(|(shift, _)| self.0 >> shift > 0) else {
            return write!(f, "{} B", self.0);
        };
        let whole = self.0 >> shift;
        let hundredths = ((self.0 >> (shift - 10)) & 1023) * 100 / 1024;
        match whole {
            0..10 => write!(f, "{whole}.{hundredths:02} {unit}"),
            10..100 => write!(f, "{whole}.{} {unit}", hundredths / 10),
            _ => write!(f, "{whole} {unit}"),
        }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

/// A span of time in seconds, shown as days, hours and minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Seconds(pub(crate) u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, hours, minutes) = (self.0 / 86_400, self.0 / 3600 % 24, self.0 / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{} s", self.0),
            (0, 0, _) => write!(f, "{minutes} min {} s", self.0 % 60),
            (0, _, _) => write!(f, "{hours} h {minutes} min"),
            (1, _, _) => write!(f, "1 day {hours} h {minutes} min"),
            _ => write!(f, "{days} days {hours} h {minutes} min"),
        }
    }
}

/// A moment in seconds since 1970, shown as date and time in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Moment(pub(crate) u32);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, second) = (self.0 / 86_400, self.0 % 86_400);
        // Counted in years that begin in March, so that the day of a leap year comes last; day 0 is then 0000-03-01.
        let day = day + 719_468;
        let (era, day) = (day / 146_097, day % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let march_month = (5 * day + 2) / 153;
        let day = day - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = era * 400 + year + u32::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

/// `part` of `whole` in percent, rounded to the nearest; 0 of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> u64 {
    let rounded = u128::from(part) * 100 + u128::from(whole / 2);
    u64::try_from(rounded / u128::from(whole.max(1))).unwrap_or(u64::MAX)
}

/// Text from a file, fit to be shown on one line: control characters become blanks, blanks at the ends go, and what is longer than
/// `bytes_max` bytes is cut, with an ellipsis.
pub(crate) fn clean(text: &str, bytes_max: usize) -> String {
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter.is_control());
    let mut out = String::with_capacity(text.len().min(bytes_max));
    for letter in text.chars() {
        if out.len() + letter.len_utf8() > bytes_max {
            out.push('…');
            break;
        }
        out.push(if letter.is_control() { ' ' } else { letter });
    }
    out
}

/// The value of `key` in lines of the form `key SEPARATOR value`, as most files of `/proc` and `/etc` have it.
pub(crate) fn value_of<'a>(text: &'a str, key: &str, separator: char) -> Option<&'a str> {
    values_of(text, key, separator).next()
}

/// All values of `key`, in order.
pub(crate) fn values_of<'a>(text: &'a str, key: &str, separator: char) -> impl Iterator<Item = &'a str> {
    let pairs = text.lines().filter_map(move |line| line.split_once(separator));
    pairs.filter(move |(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}
