//! Where bodies end, and all the ways of being unclear about it (RFC 9112, 6).

use super::tests_harness::{LIMITS, Outcome, ROOM, at_every_cut, check_refused, check_valid, next, with_headers};
use super::*;
use std::fmt::Write;

#[test]
fn valid_framing() {
    // The header lines, the body as sent, the body as decoded.
    let cases: &[(&str, &str, &str)] = &[
        // 9112 6.3 (7): no framing, no body
        ("", "", ""),
        // 9110 8.6
        ("Content-Length: 0\r\n", "", ""),
        ("Content-Length: 5\r\n", "hello", "hello"),
        ("content-length:5\r\n", "hello", "hello"),
        ("CONTENT-LENGTH: \t5 \t\r\n", "hello", "hello"),
        ("Content-Length: 0005\r\n", "hello", "hello"),
        ("Content-Length: 00000000000000000000000000000000000005\r\n", "hello", "hello"),
        ("Content-Length: 18\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"),
        ("Content-Length: 4\r\n", "\r\n\r\n", "\r\n\r\n"),
        // 9112 7.1, names and values in any case
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("transfer-encoding:CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("Transfer-Encoding: \tChunked \r\n", "0\r\n\r\n", ""),
        // 9110 10.1.1
        ("Expect: 100-continue\r\nContent-Length: 2\r\n", "ok", "ok"),
        ("Expect: 100-Continue\r\nContent-Length: 2\r\n", "ok", "ok"),
        ("Expect: 100-continue\r\n", "", ""),
    ];
    for method in ["POST", "GET", "DELETE", "OPTIONS", "ODD"] {
        for (lines, sent, decoded) in cases {
            let mut described = format!("{method} / 1.1 keep | Host=a");
            for line in lines.split_terminator("\r\n") {
                let (name, value) = line.split_once(':').unwrap();
                write!(described, " | {name}={}", value.trim()).unwrap();
            }
            check_valid(
                format!("{method} / HTTP/1.1\r\nHost: a\r\n{lines}\r\n{sent}").as_bytes(),
                &described,
                decoded.as_bytes(),
            );
        }
    }
}

#[test]
fn refused_framing() {
    for (lines, refusal) in REFUSED_FRAMING {
        // The body looks like a request: it must not become one.
        for body in ["", "hello", "5\r\nhello\r\n0\r\n\r\n", "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"] {
            check_refused(format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{body}").as_bytes(), *refusal);
        }
    }
}

#[test]
fn host_is_there_once() {
    // 9112 3.2: the version and the lines, and what becomes of them.
    let cases: &[(&str, &str, Option<Refusal>)] = &[
        ("1.1", "Host: a\r\n", None),
        ("1.1", "HOST:a\r\n", None),
        ("1.1", "Host:\r\n", None), // legal; the guard has its own opinion
        ("1.1", "Host: [::1]:8080\r\n", None),
        ("1.1", "", Some(Refusal::HostMissing)),
        ("1.1", "X-Host: a\r\nHosts: a\r\n", Some(Refusal::HostMissing)),
        ("1.1", "Host: a\r\nHost: a\r\n", Some(Refusal::HostRepeated)),
        ("1.1", "Host: a\r\nhost: b\r\n", Some(Refusal::HostRepeated)),
        ("1.1", "Host: a b\r\n", Some(Refusal::Host)),
        ("1.1", "Host: a\tb\r\n", Some(Refusal::Host)),
        ("1.1", "Host: \u{e9}.example\r\n", Some(Refusal::Host)),
        ("1.0", "", None),
        ("1.0", "Host: a\r\n", None),
        ("1.0", "Host: a\r\nHost: a\r\n", Some(Refusal::HostRepeated)),
    ];
    for (version, lines, refusal) in cases {
        let input = format!("GET / HTTP/{version}\r\n{lines}\r\n");
        match refusal {
            Some(refusal) => check_refused(input.as_bytes(), *refusal),
            None => assert!(matches!(at_every_cut(LIMITS, ROOM, input.as_bytes())[..], [Outcome::Request(..)])),
        }
    }
    // An absolute-form target does not replace it.
    check_refused(b"GET http://a/ HTTP/1.1\r\n\r\n", Refusal::HostMissing);
}

#[test]
fn http10_has_length_but_no_chunks() {
    let head = "POST / 1.0 close | Content-Length=5";
    check_valid(b"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", head, b"hello");
    let chunked = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    check_refused(chunked, Refusal::CodingInHttp10);
    // 9110 10.1.1: its 100-continue is ignored, any other expectation fails
    let head = "POST / 1.0 close | Expect=100-continue | Content-Length=5";
    check_valid(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", head, b"hello");
    check_refused(b"GET / HTTP/1.0\r\nExpect: x\r\n\r\n", Refusal::Expectation);
}

#[test]
fn what_is_not_whole_is_neither_served_nor_refused() {
    let head = || Outcome::HeadOnly("POST / 1.1 keep | Host=a | Content-Length=5".to_owned());
    let text = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell";
    assert_eq!(at_every_cut(LIMITS, ROOM, text), [head()]);
    assert_eq!(at_every_cut(LIMITS, ROOM, &text[..text.len() - 4]), [head()]);
    assert_eq!(at_every_cut(LIMITS, ROOM, &text[..text.len() - 5]), [Outcome::Part]);
    assert_eq!(at_every_cut(LIMITS, ROOM, b"G"), [Outcome::Part]);
    assert_eq!(at_every_cut(LIMITS, ROOM, b"\r\n\r\n"), []);
    assert_eq!(at_every_cut(LIMITS, ROOM, b""), []);
    let behind = [tests_harness::NEXT, &text[..]].concat();
    assert_eq!(at_every_cut(LIMITS, ROOM, &behind), [next(), head()]);
}

#[test]
fn many_requests_behind_each_other() {
    let post = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let chunked =
        b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n2;e\r\nyz\r\n0\r\nT: t\r\n\r\n";
    let get = b"GET /g HTTP/1.1\r\nHost: a\r\n\r\n";
    let input = [&post[..], get, b"\r\n", chunked, chunked, post, get, get].concat();
    let served: Vec<String> = at_every_cut(LIMITS, ROOM, &input)
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Request(head, body) => head[..7].to_owned() + std::str::from_utf8(&body).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(served, ["POST /pabc", "GET /g ", "POST /cxyz", "POST /cxyz", "POST /pabc", "GET /g ", "GET /g "]);
}

/// 9112 9.3
#[test]
fn keep_alive() {
    let cases: &[(&str, &str, bool)] = &[
        ("1.1", "", true),
        ("1.1", "Connection: keep-alive\r\n", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: Close\r\n", false),
        ("1.1", "Connection: keep-alive, close\r\n", false),
        ("1.1", "Connection: close, keep-alive\r\n", false),
        ("1.1", "Connection: x ,\tCLOSE\r\n", false),
        ("1.1", "Connection: x\r\nConnection: close\r\n", false),
        ("1.1", "Connection: closed, not-close\r\n", true),
        ("1.1", "Connection:\r\n", true),
        ("1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n", true),
        ("1.0", "", false),
        ("1.0", "Connection: keep-alive\r\n", true),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
        ("1.0", "Keep-Alive: 5\r\n", false),
    ];
    for (version, lines, keep) in cases {
        let input = format!("GET / HTTP/{version}\r\nHost: a\r\n{lines}\r\n");
        tests_harness::with_head(input.as_bytes(), |request| {
            assert_eq!(request.keep_alive(), *keep, "{input}");
        });
    }
    with_headers("", |request| assert!(request.keep_alive()));
}

/// Header lines, and what is wrong with them.
const REFUSED_FRAMING: &[(&str, Refusal)] = &[
    // 9110 8.6, 9112 6.3 (5): never read as no body
    ("Content-Length:", Refusal::ContentLength),
    ("Content-Length: +5", Refusal::ContentLength),
    ("Content-Length: -5", Refusal::ContentLength),
    ("Content-Length: -0", Refusal::ContentLength),
    ("Content-Length: 0x5", Refusal::ContentLength),
    ("Content-Length: 5h", Refusal::ContentLength),
    ("Content-Length: 5.0", Refusal::ContentLength),
    ("Content-Length: 5e0", Refusal::ContentLength),
    ("Content-Length: 1_0", Refusal::ContentLength),
    ("Content-Length: 1 0", Refusal::ContentLength),
    ("Content-Length: \"5\"", Refusal::ContentLength),
    ("Content-Length: five", Refusal::ContentLength),
    ("Content-Length: \u{665}", Refusal::ContentLength), // a digit, of another script
    ("Content-Length: 5,5", Refusal::ContentLength),
    ("Content-Length: 5, 5", Refusal::ContentLength),
    ("Content-Length: 5,6", Refusal::ContentLength),
    ("Content-Length: 5;", Refusal::ContentLength),
    ("Content-Length: 5\r\nContent-Length: 5", Refusal::ContentLengthRepeated),
    ("Content-Length: 5\r\nContent-Length: 6", Refusal::ContentLengthRepeated),
    ("Content-Length: 5\r\ncontent-length:", Refusal::ContentLengthRepeated),
    // 9110 8.6: large numerals must not overflow
    ("Content-Length: 201", Refusal::BodyTooLarge),
    ("Content-Length: 4294967295", Refusal::BodyTooLarge),
    ("Content-Length: 4294967296", Refusal::BodyTooLarge),
    ("Content-Length: 4294967297", Refusal::BodyTooLarge), // blocked another server's only thread
    ("Content-Length: 18446744073709551615", Refusal::BodyTooLarge),
    ("Content-Length: 18446744073709551616", Refusal::BodyTooLarge),
    ("Content-Length: 18446744073709551621", Refusal::BodyTooLarge),
    ("Content-Length: 99999999999999999999999999999999999999999999", Refusal::BodyTooLarge),
    // 9112 6.1, 6.3 (3)
    ("Content-Length: 5\r\nTransfer-Encoding: chunked", Refusal::LengthAndCoding),
    ("Transfer-Encoding: chunked\r\nContent-Length: 5", Refusal::LengthAndCoding),
    ("Transfer-Encoding: chunked\r\nContent-Length: 0", Refusal::LengthAndCoding),
    ("Transfer-Encoding: identity\r\nContent-Length: 5", Refusal::LengthAndCoding),
    ("Transfer-Encoding:\r\nContent-Length: 5", Refusal::LengthAndCoding),
    ("Content-Length: x\r\nTransfer-Encoding: chunked", Refusal::LengthAndCoding),
    // 9112 6.3 (4): chunked must be the last coding
    ("Transfer-Encoding:", Refusal::Coding),
    ("Transfer-Encoding: gzip", Refusal::Coding),
    ("Transfer-Encoding: identity", Refusal::Coding),
    ("Transfer-Encoding: chunked, gzip", Refusal::Coding),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip", Refusal::Coding),
    ("Transfer-Encoding: chunked, identity", Refusal::Coding),
    ("Transfer-Encoding: chunked,", Refusal::Coding),
    ("Transfer-Encoding: xchunked", Refusal::Coding),
    ("Transfer-Encoding: chunkedx", Refusal::Coding),
    ("Transfer-Encoding: chun ked", Refusal::Coding),
    ("Transfer-Encoding: \"chunked\"", Refusal::Coding),
    ("Transfer-Encoding: 'chunked'", Refusal::Coding),
    ("Transfer-Encoding: chunked;q=1", Refusal::Coding),
    ("Transfer-Encoding: chunked chunked", Refusal::Coding),
    ("Transfer-Encoding: \u{85}chunked", Refusal::Coding),
    // 9112 6.1: chunked at most once
    ("Transfer-Encoding: chunked, chunked", Refusal::Coding),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Refusal::Coding),
    ("Transfer-Encoding: chunked, gzip, chunked", Refusal::Coding),
    // 9112 6.1: a coding not understood
    ("Transfer-Encoding: gzip, chunked", Refusal::CodingUnknown),
    ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", Refusal::CodingUnknown),
    ("Transfer-Encoding: identity, chunked", Refusal::CodingUnknown),
    ("Transfer-Encoding: ,chunked", Refusal::CodingUnknown),
    // 9110 10.1.1
    ("Expect: 200-ok", Refusal::Expectation),
    ("Expect: 100-continue, x", Refusal::Expectation),
    ("Expect: 100-continue\r\nExpect: x", Refusal::Expectation),
    ("Expect:", Refusal::Expectation),
    ("Expect: 100-continue;a\r\nContent-Length: 5", Refusal::Expectation),
];
