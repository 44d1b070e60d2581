//! The `Date` header's text.

/// Bytes of an IMF-fixdate.
pub(super) const HTTP_DATE_BYTES: usize = 29;

/// An IMF-fixdate (RFC 9110, 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`: nothing else is of this type, so that nobody has to check it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HttpDate([u8; HTTP_DATE_BYTES]);

impl HttpDate {
    /// That time.
    ///
    /// Times before 1970 and after the year 9999 are written as the first and the last second between them: the format
    /// has four digits for the year.
    pub(crate) fn at(unix_seconds: i64) -> Self {
        // Not negative, and less than 2^38, after the clamp.
        let seconds = u64::try_from(unix_seconds).unwrap_or(0).min(LAST_SECOND);
        let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil(days);

        let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
        put_name(&mut text, 0, WEEKDAYS, days % 7);
        put_number(&mut text, 5, 2, day);
        put_name(&mut text, 8, MONTHS, month - 1);
        put_number(&mut text, 12, 4, year);
        put_number(&mut text, 17, 2, second_of_day / 3600);
        put_number(&mut text, 20, 2, second_of_day / 60 % 60);
        put_number(&mut text, 23, 2, second_of_day % 60);
        Self(text)
    }

    /// Its text.
    pub(super) const fn text(&self) -> &[u8; HTTP_DATE_BYTES] {
        &self.0
    }
}

/// Bytes of an ISO 8601 time.
pub(crate) const ISO_TIME_BYTES: usize = 20;

/// The time in seconds since 1970 as ISO 8601 has it (RFC 3339), such as `1994-11-06T08:49:37Z`; those after the year 9999 as its last second.
pub(crate) fn iso_time(unix_seconds: u64) -> [u8; ISO_TIME_BYTES] {
    let seconds = unix_seconds.min(LAST_SECOND);
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let mut out = *b"1970-01-01T00:00:00Z";
    put_number(&mut out, 0, 4, year);
    put_number(&mut out, 5, 2, month);
    put_number(&mut out, 8, 2, day);
    put_number(&mut out, 11, 2, second_of_day / 3600);
    put_number(&mut out, 14, 2, second_of_day / 60 % 60);
    put_number(&mut out, 17, 2, second_of_day % 60);
    out
}

/// 9999-12-31 23:59:59.
const LAST_SECOND: u64 = 253_402_300_799;
/// 1970-01-01 was a Thursday.
const WEEKDAYS: &[u8] = b"ThuFriSatSunMonTueWed";
const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// Year, month (1 to 12) and day (1 to 31) of a number of days since 1970, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year; an era is 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

fn put_name(out: &mut [u8], at: usize, names: &[u8], which: u64) {
    let name = usize::try_from(which).ok().and_then(|which| names.chunks_exact(3).nth(which));
    if let (Some(place), Some(name)) = (out.get_mut(at..at + 3), name) {
        place.copy_from_slice(name);
    }
}

fn put_number(out: &mut [u8], at: usize, digits: usize, mut value: u64) {
    for place in out.iter_mut().skip(at).take(digits).rev() {
        // A remainder of ten fits a byte.
        *place = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}
