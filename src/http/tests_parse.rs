//! Who refuses what: the scan as the bytes come, the parse when the head is whole, and neither what the other passed.

use super::index::{Head, Span};
use super::parse::parse;
use super::tests_harness::{LIMITS, Outcome, ROOM, at_every_cut, check_refused};
use super::*;

/// These do not wait for the end of the head: a peer that sends them holds no buffer.
#[test]
fn the_scan_refuses_as_the_bytes_come() {
    let cases: &[(&[u8], Refusal)] = &[
        (b"\x16", Refusal::Tls),
        (b"\0", Refusal::Method),
        (b"GET\t", Refusal::Method),
        (b"{\"jsonrpc\"", Refusal::Method),
        (b"GET\x16", Refusal::Method),
        (b"GET\r", Refusal::RequestLine),
        (b"GET /\r", Refusal::RequestLine),
        (b"GET /\n", Refusal::BareLf),
        (b"GET /#", Refusal::Target),
        (b"GET /\xc3", Refusal::Target),
        (b"GET / \0", Refusal::Version),
        (b"GET / HTTP/1.1\n", Refusal::BareLf),
        (b"GET / HTTP/1.1\rH", Refusal::BareCr),
        (b"GET / HTTP/1.1\r\n ", Refusal::LeadingSpace),
        (b"GET / HTTP/1.1\r\n:", Refusal::HeaderName),
        (b"GET / HTTP/1.1\r\n\xe9", Refusal::HeaderName),
        (b"GET / HTTP/1.1\r\nA(", Refusal::HeaderName),
        (b"GET / HTTP/1.1\r\nA ", Refusal::SpaceBeforeColon),
        (b"GET / HTTP/1.1\r\nA\r", Refusal::HeaderColon),
        (b"GET / HTTP/1.1\r\nA: \0", Refusal::HeaderValue),
        (b"GET / HTTP/1.1\r\nA: b\n", Refusal::BareLf),
        (b"GET / HTTP/1.1\r\nA: b\r\n\t", Refusal::LeadingSpace),
        (b"GET / HTTP/1.1\r\nA: b\r\n\rX", Refusal::BareCr),
    ];
    for (text, refusal) in cases {
        check_refused(text, *refusal);
    }
}

/// What is judged in a whole head: httparse is asked at the end of the head, and not before.
#[test]
fn the_parse_refuses_a_whole_head() {
    let cases: &[(&[u8], Refusal)] = &[
        (b" / HTTP/1.1\r\n", Refusal::Method),
        (b"GET  HTTP/1.1\r\n", Refusal::Target),
        (b"GET mcp HTTP/1.1\r\n", Refusal::Target),
        (b"GET / HTTP/3.0\r\n", Refusal::VersionUnsupported),
        (b"GET / HTTP/3.0 \r\n", Refusal::Version),
        (b"GET / HTTP/1.1 x\r\n", Refusal::Version),
    ];
    for (text, refusal) in cases {
        assert_eq!(at_every_cut(LIMITS, ROOM, text), [Outcome::Part]);
        check_refused(&[text, &b"\r\n"[..]].concat(), *refusal);
    }
}

/// The scan gives the parse one whole head. Should the two ever disagree about that, nothing is served.
#[test]
fn a_head_that_ends_elsewhere_is_refused() {
    for text in ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nA: b\r\n", "GET / HTTP/1.1\r\n\r\nmore"] {
        assert_eq!(parse(text.as_bytes(), &mut Head::new()), Err(Refusal::Head), "{text:?}");
    }
    assert_eq!(parse(b"GET / HTTP/1.1\r\n\r\n", &mut Head::new()), Ok(()));
}

#[test]
fn a_span_is_of_its_text_or_empty() {
    let both = *b"0123456789";
    let (text, other) = both.split_at(6);
    assert_eq!(Span::within(text, &text[2..5]).of(text), b"234");
    assert_eq!(Span::within(text, text).of(text), text);
    assert_eq!(Span::within(text, &text[6..]).end(), 6);
    assert_eq!(Span::within(text, &both[4..8]), Span::EMPTY);
    assert_eq!(Span::within(text, other), Span::EMPTY);
    assert_eq!(Span::within(other, text), Span::EMPTY);
}
