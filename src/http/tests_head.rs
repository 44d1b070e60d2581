//! Request lines and header lines, good and bad. The comments name the RFC's section.

use super::tests_harness::{check_refused, check_valid};
use super::*;

#[test]
fn valid_request_lines() {
    let cases: &[(&str, &str)] = &[
        // 9112 3.2.1 origin-form
        ("GET / HTTP/1.1", "GET / 1.1 keep"),
        ("GET /mcp HTTP/1.1", "GET /mcp 1.1 keep"),
        ("POST /mcp/ HTTP/1.1", "POST /mcp/ 1.1 keep"),
        ("GET /a/../b//c HTTP/1.1", "GET /a/../b//c 1.1 keep"),
        ("GET //host/path HTTP/1.1", "GET //host/path 1.1 keep"),
        ("GET /%2e%zz HTTP/1.1", "GET /%2e%zz 1.1 keep"),
        ("GET /messages?sessionId=7 HTTP/1.1", "GET /messages?sessionId=7 1.1 keep"),
        ("GET /? HTTP/1.1", "GET /? 1.1 keep"),
        ("GET /?a?b HTTP/1.1", "GET /?a?b 1.1 keep"),
        ("GET /*!$&'()+,;=:@~-._ HTTP/1.1", "GET /*!$&'()+,;=:@~-._ 1.1 keep"),
        ("GET /\"<>[]^`{|}\\ HTTP/1.1", "GET /\"<>[]^`{|}\\ 1.1 keep"),
        ("GET /http://a/ HTTP/1.1", "GET /http://a/ 1.1 keep"),
        // 9112 3.2.2 absolute-form: a server MUST accept it
        ("GET http://a HTTP/1.1", "GET / @a 1.1 keep"),
        ("GET http://a/ HTTP/1.1", "GET / @a 1.1 keep"),
        ("GET http://a:80/mcp?x HTTP/1.1", "GET /mcp?x @a:80 1.1 keep"),
        ("GET HTTP://A/mcp HTTP/1.1", "GET /mcp @A 1.1 keep"),
        ("GET https://a/mcp HTTP/1.1", "GET /mcp @a 1.1 keep"),
        ("GET http://[::1]:8080/mcp HTTP/1.1", "GET /mcp @[::1]:8080 1.1 keep"),
        ("GET http://a?q HTTP/1.1", "GET /?q @a 1.1 keep"),
        ("GET http://u:p@a/x HTTP/1.1", "GET /x @u:p@a 1.1 keep"),
        // 9112 3.2.4 asterisk-form
        ("OPTIONS * HTTP/1.1", "OPTIONS * 1.1 keep"),
        ("OPTIONS /mcp HTTP/1.1", "OPTIONS /mcp 1.1 keep"),
        ("OPTIONS /* HTTP/1.1", "OPTIONS /* 1.1 keep"),
        // 9110 9.1 any token is a method, and case matters
        ("get / HTTP/1.1", "get / 1.1 keep"),
        ("FETCH / HTTP/1.1", "FETCH / 1.1 keep"),
        ("VERSION-CONTROL / HTTP/1.1", "VERSION-CONTROL / 1.1 keep"),
        ("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1", "!#$%&'*+-.^_`|~09azAZ / 1.1 keep"),
        // 9112 9.3 HTTP/1.0 does not persist unless asked to
        ("GET / HTTP/1.0", "GET / 1.0 close"),
    ];
    for (line, head) in cases {
        check_valid(format!("{line}\r\nHost: a\r\n\r\n").as_bytes(), &format!("{head} | Host=a"), b"");
    }
}

#[test]
fn refused_request_lines() {
    for (line, refusal) in REFUSED_REQUEST_LINES {
        check_refused(&[line, &b"\r\nHost: a\r\n\r\n"[..]].concat(), *refusal);
    }
    // 8446 5.1: a TLS client hello, to a port that speaks none
    check_refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Refusal::Tls);
}

#[test]
fn blank_lines_before_a_request_are_skipped() {
    for blank in ["\r\n", "\r\n\r\n", "\r\n\r\n\r\n\r\n"] {
        check_valid(format!("{blank}GET / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(), "GET / 1.1 keep | Host=a", b"");
    }
}

#[test]
fn valid_header_lines() {
    let cases: &[(&[u8], &str)] = &[
        // 9112 5.1: white space around the value is no part of it
        (b"A: b", "A=b"),
        (b"A:b", "A=b"),
        (b"A:  b  ", "A=b"),
        (b"A:\tb\t", "A=b"),
        (b"A: \t b \t c \t ", "A=b \\t c"),
        (b"A:", "A="),
        (b"A: ", "A="),
        (b"A: \t ", "A="),
        (b"A: :", "A=:"),
        (b"A: b: c", "A=b: c"),
        // 9110 5.5: visible bytes, and those beyond ASCII
        (b"A: \x80\xff", "A=\\x80\\xff"),
        (b"A: \"q, \\\" z\"", "A=\\\"q, \\\\\\\" z\\\""),
        // 9110 5.6.2: a name is any token
        (b"!#$%&'*+-.^_`|~09azAZ: x", "!#$%&'*+-.^_`|~09azAZ=x"),
        (b"x_y: 1", "x_y=1"),
        // 9110 5.3: repeated lines stay apart and in order
        (b"A: 1\r\na: 2\r\nA: 3", "A=1 | a=2 | A=3"),
    ];
    for (lines, described) in cases {
        let input = [b"GET / HTTP/1.1\r\nHost: a\r\n", *lines, b"\r\n\r\n"].concat();
        check_valid(&input, &format!("GET / 1.1 keep | Host=a | {described}"), b"");
        let input = [b"GET / HTTP/1.1\r\n", *lines, b"\r\nHost: a\r\n\r\n"].concat();
        check_valid(&input, &format!("GET / 1.1 keep | {described} | Host=a"), b"");
    }
}

#[test]
fn refused_header_lines() {
    let cases: &[(&[u8], Refusal)] = &[
        // 9112 5.1: no white space before the colon
        (b"A : b", Refusal::SpaceBeforeColon),
        (b"A\t: b", Refusal::SpaceBeforeColon),
        (b"A b: c", Refusal::SpaceBeforeColon),
        (b"Content-Length : 5", Refusal::SpaceBeforeColon),
        // 9112 5.2: no folding; 2.2: none before the first header
        (b" A: b", Refusal::LeadingSpace),
        (b"\tA: b", Refusal::LeadingSpace),
        (b"A: b\r\n c", Refusal::LeadingSpace),
        (b"A: b\r\n\tc", Refusal::LeadingSpace),
        (b"A: b\r\n ", Refusal::LeadingSpace),
        (b"Content-Length:\r\n 5", Refusal::LeadingSpace),
        (b"Transfer-Encoding:\r\n chunked", Refusal::LeadingSpace),
        // 9110 5.1
        (b": b", Refusal::HeaderName),
        (b":", Refusal::HeaderName),
        (b"A@: b", Refusal::HeaderName),
        (b"(A): b", Refusal::HeaderName),
        (b"\"A\": b", Refusal::HeaderName),
        (b"A\0: b", Refusal::HeaderName),
        (b"\xc3\xa9: b", Refusal::HeaderName),
        (b"{A}: b", Refusal::HeaderName),
        // 9112 5
        (b"A", Refusal::HeaderColon),
        (b"GET", Refusal::HeaderColon),
        (b"A\r\nB: c", Refusal::HeaderColon),
        // 9110 5.5
        (b"A: \0", Refusal::HeaderValue),
        (b"A: b\0c", Refusal::HeaderValue),
        (b"A: \x01", Refusal::HeaderValue),
        (b"A: b\x0bc", Refusal::HeaderValue),
        (b"A: b\x0cc", Refusal::HeaderValue),
        (b"A: b\x1bc", Refusal::HeaderValue),
        (b"A: b\x7f", Refusal::HeaderValue),
        // 9112 2.2
        (b"A: b\nC: d", Refusal::BareLf),
        (b"A: b\n", Refusal::BareLf),
        (b"A:\n", Refusal::BareLf),
        (b"A\n", Refusal::BareLf),
        (b"\nA: b", Refusal::BareLf),
        (b"A: b\r\n\n", Refusal::BareLf),
        (b"A: b\n\n", Refusal::BareLf),
        (b"A: b\rC: d", Refusal::BareCr),
        (b"A: b\r\r\n", Refusal::BareCr),
        (b"A: \rb", Refusal::BareCr),
        (b"\rA: b", Refusal::BareCr),
        (b"A\r: b", Refusal::HeaderColon),
    ];
    for (lines, refusal) in cases {
        check_refused(&[b"GET / HTTP/1.1\r\n", *lines, b"\r\nHost: a\r\n\r\n"].concat(), *refusal);
        // Where there is a Host already, too: nothing is forgiven once the head could have ended.
        check_refused(&[b"GET / HTTP/1.1\r\nHost: a\r\n", *lines, b"\r\n\r\n"].concat(), *refusal);
    }
}

/// Each of the 256 bytes, at each place of a head where one stands: taken where the RFC's classes have it, or refused.
#[test]
fn every_byte_at_every_place() {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let target = |byte: u8| matches!(byte, 0x21..=0x7e) && byte != b'#';
    let value = |byte: u8| byte == b'\t' || matches!(byte, 0x20..=0x7e | 0x80..);
    for byte in 0..=u8::MAX {
        let cases = [
            (token(byte), [&b"G"[..], &[byte], b"T / HTTP/1.1\r\nHost: a\r\n\r\n"]),
            (target(byte), [b"GET /", &[byte], b"x HTTP/1.1\r\nHost: a\r\n\r\n"]),
            (byte == b'/', [b"GET ", &[byte], b"x HTTP/1.1\r\nHost: a\r\n\r\n"]),
            (byte == b'P', [b"GET / HTT", &[byte], b"/1.1\r\nHost: a\r\n\r\n"]),
            (matches!(byte, b'0' | b'1'), [b"GET / HTTP/1.", &[byte], b"\r\nHost: a\r\n\r\n"]),
            (byte == b'\n', [b"GET / HTTP/1.1\r", &[byte], b"Host: a\r\n\r\n"]),
            (token(byte), [b"GET / HTTP/1.1\r\n", &[byte], b": x\r\nHost: a\r\n\r\n"]),
            (token(byte) || byte == b':', [b"GET / HTTP/1.1\r\nA", &[byte], b"B: x\r\nHost: a\r\n\r\n"]),
            (value(byte), [b"GET / HTTP/1.1\r\nA:", &[byte], b"b\r\nHost: a\r\n\r\n"]),
            (value(byte), [b"GET / HTTP/1.1\r\nA: b", &[byte], b"c\r\nHost: a\r\n\r\n"]),
            (byte == b'\n', [b"GET / HTTP/1.1\r\nHost: a\r", &[byte], b"\r\n"]),
            (byte == b'\n', [b"GET / HTTP/1.1\r\nHost: a\r\n\r", &[byte], b""]),
        ];
        for (good, parts) in cases {
            let input = parts.concat();
            let came = tests_harness::at_every_cut(tests_harness::LIMITS, tests_harness::ROOM, &input);
            let refused = matches!(came[..], [tests_harness::Outcome::Refused(_)]);
            let served = matches!(came[..], [tests_harness::Outcome::Request(..)]);
            assert!(if good { served } else { refused }, "{}: {came:?}", input.escape_ascii());
        }
    }
}

/// Request lines, and what is wrong with them.
const REFUSED_REQUEST_LINES: &[(&[u8], Refusal)] = &[
    // 9112 3: exactly one space, and all three parts
    (b" GET / HTTP/1.1", Refusal::Method),
    (b"\tGET / HTTP/1.1", Refusal::Method),
    (b"GET  / HTTP/1.1", Refusal::Target),
    (b"GET /  HTTP/1.1", Refusal::Version),
    (b"GET\t/\tHTTP/1.1", Refusal::Method),
    (b"GET / HTTP/1.1 ", Refusal::Version),
    (b"GET / HTTP/1.1\t", Refusal::Version),
    (b"GET /a b HTTP/1.1", Refusal::Version),
    (b"GET /\tHTTP/1.1", Refusal::Target),
    (b"GET", Refusal::RequestLine),
    (b"GET ", Refusal::RequestLine),
    (b"GET /", Refusal::RequestLine), // HTTP/0.9
    (b"GET / ", Refusal::Version),
    (b"GET HTTP/1.1", Refusal::RequestLine),
    (b"HTTP/1.1 200 OK", Refusal::Method),
    // 9112 2.2: CRLF, and no CR elsewhere
    (b"GET / HTTP/1.1\n", Refusal::BareLf),
    (b"GET / HTTP/1\n", Refusal::BareLf),
    (b"GET /\n", Refusal::BareLf),
    (b"GET\n", Refusal::BareLf),
    (b"\nGET / HTTP/1.1", Refusal::BareLf),
    (b"\rGET / HTTP/1.1", Refusal::BareCr),
    (b"\r\rGET / HTTP/1.1", Refusal::BareCr),
    (b"\r\n\nGET / HTTP/1.1", Refusal::BareLf),
    (b"GET / HTTP/1.1\r", Refusal::BareCr),
    (b"GET / HTTP/1.1\rHost: b", Refusal::BareCr),
    (b"GET /\r HTTP/1.1", Refusal::RequestLine),
    (b"GE\rT / HTTP/1.1", Refusal::RequestLine),
    (b"\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1", Refusal::BlankLines),
    // 9110 9.1
    (b"G:T / HTTP/1.1", Refusal::Method),
    (b"G\0T / HTTP/1.1", Refusal::Method),
    (b"G\xc3\xa9T / HTTP/1.1", Refusal::Method),
    (b"\"GET\" / HTTP/1.1", Refusal::Method),
    // 9112 3: longer than any method that there is
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1", Refusal::MethodTooLong),
    // 9112 3.2: no form of a target
    (b"GET mcp HTTP/1.1", Refusal::Target),
    (b"GET ?a HTTP/1.1", Refusal::Target),
    (b"GET * HTTP/1.1", Refusal::Target),
    (b"options * HTTP/1.1", Refusal::Target),
    (b"OPTIONS ** HTTP/1.1", Refusal::Target),
    (b"OPTIONS *?a HTTP/1.1", Refusal::Target),
    (b"GET a:80 HTTP/1.1", Refusal::Target),
    (b"CONNECT a:80 HTTP/1.1", Refusal::Tunnel), // 3.2.3 is for proxies
    (b"connect a:80 HTTP/1.1", Refusal::Target),
    (b"GET ftp://a/ HTTP/1.1", Refusal::Target),
    (b"GET ws://a/ HTTP/1.1", Refusal::Target),
    (b"GET http:/a HTTP/1.1", Refusal::Target),
    (b"GET http:// HTTP/1.1", Refusal::Target), // 9110 4.2.1: a host must not be empty
    (b"GET http:///mcp HTTP/1.1", Refusal::Target),
    (b"GET http://?a HTTP/1.1", Refusal::Target),
    (b"GET httpx://a/ HTTP/1.1", Refusal::Target),
    (b"GET \\mcp HTTP/1.1", Refusal::Target),
    // 9112 3.2: a fragment is no part of a target
    (b"GET /a#b HTTP/1.1", Refusal::Target),
    (b"GET # HTTP/1.1", Refusal::Target),
    (b"GET /\0 HTTP/1.1", Refusal::Target),
    (b"GET /\x7f HTTP/1.1", Refusal::Target),
    (b"GET /\xc3\xa9 HTTP/1.1", Refusal::Target),
    // 9112 2.3
    (b"GET / http/1.1", Refusal::Version),
    (b"GET / HTTP/1", Refusal::Version),
    (b"GET / HTTP/1.", Refusal::Version),
    (b"GET / HTTP/.1", Refusal::Version),
    (b"GET / HTTP/01.1", Refusal::Version),
    (b"GET / HTTP/1.10", Refusal::Version),
    (b"GET / HTTP/1,1", Refusal::Version),
    (b"GET / HTTP 1.1", Refusal::Version),
    (b"GET / HTTP/a.b", Refusal::Version),
    (b"GET / RTSP/1.1", Refusal::Version),
    (b"GET / ICY", Refusal::Version),
    (b"GET / HTTP/1.\xb2", Refusal::Version),
    // 9110 15.6.6
    (b"GET / HTTP/0.9", Refusal::VersionUnsupported),
    (b"GET / HTTP/1.2", Refusal::VersionUnsupported),
    (b"GET / HTTP/2.0", Refusal::VersionUnsupported),
    (b"GET / HTTP/9.9", Refusal::VersionUnsupported),
    (b"PRI * HTTP/2.0\r\n\r\nSM", Refusal::VersionUnsupported), // 9113 3.4
];
