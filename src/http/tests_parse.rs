//! Who refuses what: the scan as the bytes come, the parse when the head is whole. What both pass, httparse reads as they do.

use super::index::{Head, Span};
use super::parse::parse;
use super::tests_harness::{LIMITS, Outcome, ROOM, at_every_cut, check_refused};
use super::tests_random::{Random, SPICE};
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

/// What is judged in a whole head, and not before.
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

/// Two opinions about a head are what smuggling lives from: of the heads that are taken here, whatever was changed in them, httparse finds the same
/// parts in the same bytes.
#[test]
fn httparse_reads_the_same() {
    let limits = Limits { head_bytes_max: 4096, target_bytes_max: 2048, headers_max: 64, body_bytes_max: 1024 };
    let mut random = Random(0x05ee_d0f4_ead5);
    let (mut taken, mut buf) = (0, vec![0; 8192]);
    for _ in 0..20_000 {
        let head = changed(&mut random);
        let mut decoder = Decoder::new();
        decoder.space(&mut buf)[..head.len()].copy_from_slice(&head);
        decoder.commit(head.len());
        if decoder.step(&mut buf, &limits) != Step::Head {
            continue;
        }
        taken += 1;
        let request = decoder.head(&buf).unwrap();
        let mut lines = [httparse::EMPTY_HEADER; 64];
        let mut theirs = httparse::Request::new(&mut lines);
        let length = theirs.parse(&head).unwrap().unwrap();
        assert!(head[..length].ends_with(b"\r\n\r\n"), "{}", head.escape_ascii());
        assert_eq!(theirs.method, Some(request.method_text()), "{}", head.escape_ascii());
        assert_eq!(theirs.version, Some(u8::from(!request.is_http10())), "{}", head.escape_ascii());
        let question = request.query().map_or(String::new(), |query| format!("?{query}"));
        let path = core::str::from_utf8(request.path_bytes()).unwrap();
        let target = format!("{}{path}{question}", request.authority().unwrap_or_default());
        assert!(theirs.path.unwrap().ends_with(&target), "{target} of {}", head.escape_ascii());
        let lines: Vec<(&str, &[u8])> = theirs.headers.iter().map(|line| (line.name, line.value)).collect();
        assert_eq!(request.headers().collect::<Vec<_>>(), lines, "{}", head.escape_ascii());
    }
    assert!(taken > 4_000, "{taken} of 20,000 were taken");
}

const HEADS: &[&[u8]] = &[
    b"POST /mcp?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nMcp-Method:tools/call\r\nX:\r\nY: \t \r\nA-B_c:  d  e\t\r\n\r\n",
    b"GET http://a:80/x HTTP/1.0\r\nAccept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: [::1]\r\nOrigin: \xe9\r\n\r\n",
];

fn changed(random: &mut Random) -> Vec<u8> {
    let mut head = random.one_of(HEADS).to_vec();
    for _ in 0..random.below(3) {
        let at = random.below(head.len());
        match random.below(4) {
            0 => head[at] = u8::try_from(random.below(256)).unwrap(),
            1 => drop(head.remove(at)),
            2 => drop(head.splice(at..at, random.one_of(SPICE).to_vec())),
            _ => head.insert(at, u8::try_from(random.below(256)).unwrap()),
        }
    }
    head
}

/// The scan and httparse find the same parts of a request line. Should they ever disagree, nothing is served.
#[test]
fn parts_that_lie_elsewhere_are_refused() {
    let text = b"GET /mcp HTTP/1.1\r\nHost: a\r\n\r\n";
    let parsed = |method: Span, target: Span, version: Span| {
        let mut head = Head::new();
        head.method = method;
        parse(text, target, version, &mut head)
    };
    let (method, target, version) = (Span::new(0, 3), Span::new(4, 8), Span::new(9, 17));
    assert_eq!(parsed(method, target, version), Ok(()));
    assert_eq!(parsed(Span::new(0, 2), target, version), Err(Refusal::Head));
    assert_eq!(parsed(method, Span::new(4, 7), version), Err(Refusal::Head));
    assert_eq!(parsed(method, target, Span::new(9, text.len())), Err(Refusal::Head));
    assert_eq!(parsed(method, target, Span::new(9, text.len() - 2)), Err(Refusal::Head));
}

#[test]
fn a_span_is_of_its_text_or_empty() {
    let text = b"012345";
    assert_eq!(Span::new(2, 5).of(text), b"234");
    assert_eq!((Span::new(2, 5).start(), Span::new(2, 5).end()), (2, 5));
    for span in [Span::new(4, 7), Span::new(5, 2), Span::new(1, 70_000), Span::new(70_000, 70_001)] {
        assert_eq!(span.of(text), b"", "{span:?}");
    }
}
