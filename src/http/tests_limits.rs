//! Every limit: one under, at, one over.

use super::tests_harness::{LIMITS, ROOM, check_refused_with, check_valid_with};
use super::*;
use crate::limits::{HEAD_BYTES_CEILING, HEADER_NAME_BYTES_MAX, HEADERS_MAX, METHOD_BYTES_MAX};

const HOST: &str = "Host: a\r\n";

/// Checks one text that is served or refused.
fn check(limits: Limits, room: usize, input: &str, head: &str, refusal: Option<Refusal>) {
    match refusal {
        None => check_valid_with(limits, room, input.as_bytes(), head, b""),
        Some(refusal) => check_refused_with(limits, room, input.as_bytes(), refusal),
    }
}

/// One under and at the limit is served, one over is refused.
fn around(limit: usize, refusal: Refusal) -> [(usize, Option<Refusal>); 3] {
    [(limit - 1, None), (limit, None), (limit + 1, Some(refusal))]
}

#[test]
fn method() {
    for (len, refusal) in around(METHOD_BYTES_MAX, Refusal::MethodTooLong) {
        let method = "M".repeat(len);
        let input = format!("{method} / HTTP/1.1\r\n{HOST}\r\n");
        check(LIMITS, ROOM, &input, &format!("{method} / 1.1 keep | Host=a"), refusal);
    }
}

#[test]
fn target() {
    for (len, refusal) in around(LIMITS.target_bytes_max, Refusal::TargetTooLong) {
        let target = format!("/{}", "t".repeat(len - 1));
        let input = format!("GET {target} HTTP/1.1\r\n{HOST}\r\n");
        check(LIMITS, ROOM, &input, &format!("GET {target} 1.1 keep | Host=a"), refusal);
    }
    // It is refused before the request line has ended, whatever would have come.
    let limits = Limits { target_bytes_max: 8, ..LIMITS };
    check(limits, ROOM, "GET /23456789", "", Some(Refusal::TargetTooLong));
    check(limits, ROOM, "GET /2345678\0", "", Some(Refusal::TargetTooLong));
    check(limits, ROOM, "GET nonsense9", "", Some(Refusal::TargetTooLong));
    // A target that alone exceeds the limit of the head is too long itself.
    let limits = Limits { head_bytes_max: 50, target_bytes_max: 1000, ..LIMITS };
    check(limits, ROOM, &format!("GET /{}", "t".repeat(60)), "", Some(Refusal::TargetTooLong));
}

#[test]
fn head_bytes() {
    for (len, refusal) in around(LIMITS.head_bytes_max, Refusal::HeadTooLong) {
        let fixed = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        let value = "v".repeat(len - fixed);
        let input = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {value}\r\n\r\n");
        assert_eq!(input.len(), len);
        check(LIMITS, ROOM, &input, &format!("GET / 1.1 keep | Host=a | X={value}"), refusal);
        // Blank lines in front are no part of it.
        check(LIMITS, ROOM, &format!("\r\n\r\n{input}"), &format!("GET / 1.1 keep | Host=a | X={value}"), refusal);
    }
    // Refused as soon as it is full, wherever that is.
    for start in ["GET / HTTP/1.1\r\nHost: ", "GET / HTTP/1.1\r\nHost: a\r\nX:  \t", "GET / HTTP/1.1\r\nX: a\r\nY: "] {
        let input = format!("{start}{}", "x".repeat(LIMITS.head_bytes_max - start.len()));
        check(LIMITS, ROOM, &input, "", Some(Refusal::HeadTooLong));
    }
}

#[test]
fn head_in_a_small_buffer() {
    let input = "GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789\r\n\r\n";
    let head = "GET / 1.1 keep | Host=a | X=0123456789";
    check(LIMITS, input.len() + 1, input, head, None);
    check(LIMITS, input.len(), input, head, None);
    // The request that the harness puts in front needs less than this one.
    assert!(tests_harness::NEXT.len() < input.len() - 1);
    check(LIMITS, input.len() - 1, input, "", Some(Refusal::HeadTooLong));
}

#[test]
fn header_lines() {
    for (lines, refusal) in around(LIMITS.headers_max, Refusal::TooManyHeaders) {
        let input = format!("GET / HTTP/1.1\r\n{HOST}{}\r\n", "X: y\r\n".repeat(lines - 1));
        let head = format!("GET / 1.1 keep | Host=a{}", " | X=y".repeat(lines - 1));
        check(LIMITS, ROOM, &input, &head, refusal);
    }
    // The index is the ceiling, whatever was configured.
    let limits = Limits { headers_max: 1000, head_bytes_max: 1000, ..LIMITS };
    for (lines, refusal) in around(HEADERS_MAX, Refusal::TooManyHeaders) {
        let input = format!("GET / HTTP/1.1\r\n{HOST}{}\r\n", "X: y\r\n".repeat(lines - 1));
        let head = format!("GET / 1.1 keep | Host=a{}", " | X=y".repeat(lines - 1));
        check(limits, 1000, &input, &head, refusal);
    }
    let limits = Limits { headers_max: 1, ..LIMITS };
    check(limits, ROOM, &format!("GET / HTTP/1.1\r\n{HOST}\r\n"), "GET / 1.1 keep | Host=a", None);
    let limits = Limits { headers_max: 0, ..LIMITS };
    let input = format!("GET / HTTP/1.1\r\n{HOST}\r\n");
    assert_eq!(
        tests_harness::at_every_cut(limits, ROOM, input.as_bytes()),
        [tests_harness::Outcome::Refused(Refusal::TooManyHeaders)]
    );
}

#[test]
fn header_name() {
    for (len, refusal) in around(HEADER_NAME_BYTES_MAX, Refusal::HeaderNameTooLong) {
        let name = "N".repeat(len);
        let input = format!("GET / HTTP/1.1\r\n{HOST}{name}: v\r\n\r\n");
        check(LIMITS, ROOM, &input, &format!("GET / 1.1 keep | Host=a | {name}=v"), refusal);
    }
}

#[test]
fn content_length() {
    for (len, refusal) in around(LIMITS.body_bytes_max, Refusal::BodyTooLarge) {
        let body = "b".repeat(len);
        let input = format!("POST / HTTP/1.1\r\nContent-Length: {len}\r\n{HOST}\r\n{body}");
        let head = format!("POST / 1.1 keep | Content-Length={len} | Host=a");
        match refusal {
            None => check_valid_with(LIMITS, ROOM, input.as_bytes(), &head, body.as_bytes()),
            // Said at the end of the head, before a byte of the body has come.
            Some(refusal) => check_refused_with(LIMITS, ROOM, &input.as_bytes()[..input.len() - len], refusal),
        }
    }
    let limits = Limits { body_bytes_max: 0, ..LIMITS };
    check(limits, ROOM, &format!("GET / HTTP/1.1\r\n{HOST}\r\n"), "GET / 1.1 keep | Host=a", None);
}

#[test]
fn content_length_in_a_small_buffer() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n";
    let body = "b".repeat(50);
    let described = "POST / 1.1 keep | Host=a | Content-Length=50";
    for (behind_head, refusal) in [(51, None), (50, None), (49, Some(Refusal::BodyTooLarge))] {
        let room = head.len() + behind_head;
        let input = format!("{head}{body}");
        match refusal {
            None => check_valid_with(LIMITS, room, input.as_bytes(), described, body.as_bytes()),
            Some(refusal) => check_refused_with(LIMITS, room, input.as_bytes(), refusal),
        }
    }
}

/// Offsets are kept in 16 bits: a head up to the ceiling is indexed rightly to its last line.
#[test]
fn the_ceiling_of_the_index() {
    let limits =
        Limits { head_bytes_max: usize::MAX, target_bytes_max: usize::MAX, headers_max: 64, body_bytes_max: 10 };
    for (len, served) in [(HEAD_BYTES_CEILING, true), (HEAD_BYTES_CEILING + 1, false)] {
        let fixed = "GET / HTTP/1.1\r\nX: \r\nHost: last\r\n\r\n".len();
        let input = format!("GET / HTTP/1.1\r\nX: {}\r\nHost: last\r\n\r\n", "v".repeat(len - fixed));
        let (mut decoder, mut buf) = (Decoder::new(), vec![0; 2 * HEAD_BYTES_CEILING]);
        decoder.space(&mut buf)[..len].copy_from_slice(input.as_bytes());
        decoder.commit(len);
        let step = decoder.step(&mut buf, &limits);
        if served {
            assert_eq!(step, Step::Head);
            assert_eq!(decoder.head(&buf).unwrap().host(), Some("last"));
        } else {
            assert_eq!(step, Step::Refuse(Refusal::HeadTooLong));
        }
    }
}

/// Every refusal closes with a status of the 4xx or 5xx family that has a phrase, and says why in one JSON-safe line.
#[test]
fn refusals_can_be_said() {
    let statuses = [
        (Refusal::Tls, 400),
        (Refusal::BareLf, 400),
        (Refusal::ContentLength, 400),
        (Refusal::LengthAndCoding, 400),
        (Refusal::Coding, 400),
        (Refusal::HostMissing, 400),
        (Refusal::BodyTooLarge, 413),
        (Refusal::TargetTooLong, 414),
        (Refusal::Expectation, 417),
        (Refusal::HeadTooLong, 431),
        (Refusal::TooManyHeaders, 431),
        (Refusal::HeaderNameTooLong, 431),
        (Refusal::TrailersTooLong, 431),
        (Refusal::MethodTooLong, 501),
        (Refusal::CodingUnknown, 501),
        (Refusal::VersionUnsupported, 505),
        (Refusal::BodyUnread, 400),
    ];
    for (refusal, status) in statuses {
        assert_eq!(refusal.status(), Status(status));
        assert!(!refusal.status().phrase().is_empty());
        assert!(refusal.reason().ends_with('.'));
        assert!(refusal.reason().bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'));
    }
}
