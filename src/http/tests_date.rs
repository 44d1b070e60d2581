//! The text of dates.

use super::*;

/// RFC 9110, 5.6.7
#[test]
fn dates() {
    let cases = [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1, "Thu, 01 Jan 1970 00:00:01 GMT"),
        (86_399, "Thu, 01 Jan 1970 23:59:59 GMT"),
        (86_400, "Fri, 02 Jan 1970 00:00:00 GMT"),
        (68_169_600, "Tue, 29 Feb 1972 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), // the RFC's own
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), // a leap year: divisible by 400
        (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (978_307_199, "Sun, 31 Dec 2000 23:59:59 GMT"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
        (1_795_305_600, "Sun, 22 Nov 2026 00:00:00 GMT"),
        (2_147_483_647, "Tue, 19 Jan 2038 03:14:07 GMT"),
        (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), // no leap year
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (4_294_967_296, "Sun, 07 Feb 2106 06:28:16 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (253_402_300_800, "Fri, 31 Dec 9999 23:59:59 GMT"), // no fifth digit
        (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (i64::MIN, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ];
    for (seconds, text) in cases {
        let date = HttpDate::at(seconds);
        assert_eq!(std::str::from_utf8(date.text()).unwrap(), text);
    }
}

/// Every day of 400 years follows the one before it.
#[test]
fn days_follow_each_other() {
    let months = |year: i64| {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    };
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (mut seconds, mut weekdays) = (0, ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"].into_iter().cycle());
    for year in 1970..2370 {
        for (month, days) in names.into_iter().zip(months(year)) {
            for day in 1..=days {
                let date = HttpDate::at(seconds);
                let expected = format!("{}, {day:02} {month} {year} 00:00:00 GMT", weekdays.next().unwrap());
                assert_eq!(std::str::from_utf8(date.text()).unwrap(), expected);
                seconds += 86_400;
            }
        }
    }
}

#[test]
fn iso_times() {
    for (unix_seconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (784_111_777, "1994-11-06T08:49:37Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_785_196_799, "2026-07-27T23:59:59Z"),
        (u64::MAX, "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(str::from_utf8(&iso_time(unix_seconds)), Ok(text));
    }
}
