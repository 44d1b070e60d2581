//! The small parts: units, dates, cutting, and what a root lets be read.

use std::fs;

use super::sources::root::{FILE_BYTES_MAX, LINE_BYTES_MAX, Root, Why, first_of};
use super::sources::text::{Bytes, Moment, Seconds, clean, percent};
use super::tree;

#[test]
fn bytes_have_the_unit_that_fits() {
    let texts = [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1536, "1.50 KiB"),
        (20_480, "20.0 KiB"),
        (1 << 20, "1.00 MiB"),
        (1023 << 20, "1023 MiB"),
        (u64::MAX, "16777215 TiB"),
    ];
    for (bytes, text) in texts {
        assert_eq!(Bytes(bytes).to_string(), text);
    }
    assert_eq!(Bytes::from_kib(u64::MAX), Bytes(u64::MAX));
    assert_eq!((percent(1, 3), percent(2, 3), percent(1, 0), percent(u64::MAX, u64::MAX)), (33, 67, 100, 100));
}

#[test]
fn times_are_written_for_readers() {
    let spans = [
        (59, "59 s"),
        (61, "1 min 1 s"),
        (3600, "1 h 0 min"),
        (86_400, "1 day 0 h 0 min"),
        (200_000, "2 days 7 h 33 min"),
    ];
    for (seconds, text) in spans {
        assert_eq!(Seconds(seconds).to_string(), text);
    }
    let moments = [
        (0, "1970-01-01 00:00:00 UTC"),
        (951_782_400, "2000-02-29 00:00:00 UTC"),
        (951_868_799, "2000-02-29 23:59:59 UTC"),
        (1_709_251_199, "2024-02-29 23:59:59 UTC"),
        (1_798_761_599, "2026-12-31 23:59:59 UTC"),
        (u32::MAX, "2106-02-07 06:28:15 UTC"),
    ];
    for (seconds, text) in moments {
        assert_eq!(Moment(seconds).to_string(), text);
    }
}

#[test]
fn text_from_files_is_one_short_line() {
    assert_eq!(clean("  a\tb\u{1b}[31m\n", 50), "a b [31m");
    assert_eq!(clean("ééé", 5), "éé…");
    assert_eq!(clean("\0\0", 5), "");
}

#[test]
fn a_file_is_read_as_far_as_the_limit() {
    let (long, line, exact) = (b"0123456789abcde\n".repeat(8192), b"x".repeat(200_000), b"y".repeat(FILE_BYTES_MAX));
    let dir = tree(&[("proc/long", &long), ("proc/line", &line), ("proc/exact", &exact)]);
    let root = Root::new(dir.path());
    let (text, cut) = root.read("proc/long").unwrap();
    assert!(cut && text.ends_with('\n') && text.len() <= FILE_BYTES_MAX && text.len() > FILE_BYTES_MAX - 16);
    assert!(root.line("proc/line").unwrap().len() <= LINE_BYTES_MAX + '…'.len_utf8());
    let (text, cut) = root.read("proc/exact").unwrap();
    assert!(!cut && text.len() == FILE_BYTES_MAX);
    let sparse = fs::File::create(dir.path().join("proc/sparse")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    assert_eq!(root.line("proc/sparse").unwrap_err().why, Why::Empty);
    assert!(matches!(root.text("proc").unwrap_err().why, Why::Failed(_)));
}

#[test]
fn nothing_outside_the_root_is_read() {
    let dir = tree(&[("secret", b"s\n"), ("root/proc/open", b"o\n")]);
    let root = Root::new(dir.path().join("root"));
    assert_eq!(root.line("proc/open").unwrap(), "o");
    for path in
        ["../secret", "proc/../../secret", "proc/./open", "/etc/hostname", "", "proc//open", "proc/open/", "proc/o\0"]
    {
        assert_eq!(root.text(path).unwrap_err().why, Why::Absent, "{path:?}");
        assert!(!root.has(path), "{path:?}");
        assert!(root.write(path, "x").is_err() && root.folders(path, 9).is_err(), "{path:?}");
    }
    // A file that is not there is not made.
    assert!(root.write("proc/new", "x").is_err() && !root.has("proc/new"));
}

#[test]
fn names_are_in_natural_order_and_bounded() {
    let dir = tree(&[("a/zone10/f", b""), ("a/zone2/f", b""), ("a/zone1/f", b""), ("a/other", b"")]);
    let root = Root::new(dir.path());
    assert_eq!(root.folders("a", 9).unwrap().list, ["zone1", "zone2", "zone10"]);
    let two = root.names("a", 2, |_| true).unwrap();
    assert!(two.list.len() == 2 && two.more);
    assert!(!root.names("a", 4, |_| true).unwrap().more);
}

#[test]
fn the_first_reading_counts_and_lacks_add_up() {
    let dir = tree(&[("c", b"value"), ("bad", b"")]);
    let root = Root::new(dir.path());
    let of = |paths: &[&str]| first_of(paths.iter().map(|path| root.line(path))).map_err(|lack| lack.to_string());
    assert_eq!(of(&["a", "c"]), Ok("value".to_owned()));
    assert_eq!(of(&["a", "b"]), Err("not on this machine (no /a, no /b)".to_owned()));
    assert_eq!(of(&["a", "bad", "b"]), Err("none on this machine (/bad is empty)".to_owned()));
    assert!(of(&[]).is_err());
}
