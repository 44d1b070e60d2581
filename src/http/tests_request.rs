//! The questions that a head answers.

use super::Accept::{Any, No, Yes};
use super::tests_harness::{with_head, with_headers};
use super::*;

#[test]
fn methods() {
    let cases = [
        ("GET", Method::Get),
        ("HEAD", Method::Head),
        ("POST", Method::Post),
        ("PUT", Method::Put),
        ("DELETE", Method::Delete),
        ("OPTIONS", Method::Options),
        ("PATCH", Method::Patch),
        ("get", Method::Other), // RFC 9110, 9.1: case matters
        ("Post", Method::Other),
        ("GETS", Method::Other),
        ("TRACE", Method::Other),
    ];
    for (text, method) in cases {
        with_head(format!("{text} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(), |request| {
            assert_eq!((request.method_text(), request.method()), (text, method));
        });
    }
}

#[test]
fn query_parameters() {
    let cases: &[(&str, &str, Option<&str>)] = &[
        ("/messages", "id", None),
        ("/messages?", "id", None),
        ("/messages?id=7", "id", Some("7")),
        ("/messages?a=1&id=7&b=2", "id", Some("7")),
        ("/messages?id=7&id=8", "id", Some("7")),
        ("/messages?id=", "id", Some("")),
        ("/messages?id", "id", Some("")),
        ("/messages?id=a=b", "id", Some("a=b")),
        ("/messages?id=a%20b+c", "id", Some("a%20b+c")),
        ("/messages?xid=7", "id", None),
        ("/messages?ID=7", "id", None),
        ("/messages?id=a?b", "id", Some("a?b")),
        ("/messages?&&id=7", "id", Some("7")),
        ("/messages&id=7", "id", None),
        ("http://h/messages?id=7", "id", Some("7")),
    ];
    for (target, name, value) in cases {
        with_head(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(), |request| {
            assert_eq!(request.query_param(name), *value, "{target}");
        });
    }
}

#[test]
fn every_known_header_is_known_in_any_case() {
    for &(known, text) in Known::ALL {
        if known == Known::Host {
            continue;
        }
        let value = match known {
            Known::ContentLength => "0",
            Known::TransferEncoding => "chunked",
            Known::Expect => "100-continue",
            _ => "v",
        };
        for name in [text.to_owned(), text.to_uppercase()] {
            with_headers(&format!("A: 1\n{name}: {value}\nB: 2\n"), |request| {
                assert_eq!(request.header(known), Some(value.as_bytes()), "{name}");
                assert_eq!(request.count(known), 1);
                for &(other, _) in Known::ALL.iter().filter(|(other, _)| ![known, Known::Host].contains(other)) {
                    assert_eq!((request.header(other), request.count(other)), (None, 0));
                    assert_eq!(request.all(other).count(), 0);
                }
            });
        }
        // A name that is longer or shorter is another one.
        with_headers(&format!("{text}x: v\n{}: v\nx{text}: v\n", &text[1..]), |request| {
            assert_eq!(request.header(known), None, "{text}");
        });
    }
}

#[test]
fn repeated_headers() {
    with_headers("Origin: one\nA: b\norigin:\nAccept: x\nORIGIN: three\n", |request| {
        assert_eq!(request.header(Known::Origin), Some(&b"one"[..]));
        assert_eq!(request.count(Known::Origin), 3);
        assert_eq!(request.all(Known::Origin).collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
        assert_eq!(request.count(Known::Authorization), 0);
        let names: Vec<_> = request.headers().map(|(name, _)| name).collect();
        assert_eq!(names, ["Host", "Origin", "A", "origin", "Accept", "ORIGIN"]);
    });
}

#[test]
fn mcp_params() {
    let lines =
        "Mcp-Param-Region: eu\nmcp-param-x: \t=?base64?eA==?= \nMCP-PARAM-: none\nMcp-Params: n\nX-Mcp-Param-Y: n\n";
    with_headers(lines, |request| {
        let params: Vec<_> = request.mcp_params().collect();
        assert_eq!(params, [("Region", &b"eu"[..]), ("x", b"=?base64?eA==?=")]);
    });
    with_headers("", |request| assert_eq!(request.mcp_params().count(), 0));
}

/// RFC 9110, 8.3.1
#[test]
fn content_type() {
    let cases: &[(&str, Option<bool>)] = &[
        ("", None),
        ("Content-Type: application/json\n", Some(true)),
        ("content-type: Application/JSON\n", Some(true)),
        ("Content-Type: application/json;charset=utf-8\n", Some(true)),
        ("Content-Type: application/json ; charset=\"utf-8\"\n", Some(true)),
        ("Content-Type: application/json;\n", Some(true)),
        ("Content-Type:\n", Some(false)),
        ("Content-Type: text/plain\n", Some(false)),
        ("Content-Type: text/plain;application/json\n", Some(false)),
        ("Content-Type: application/json-patch+json\n", Some(false)),
        ("Content-Type: application/jsonx\n", Some(false)),
        ("Content-Type: application/json, text/plain\n", Some(false)),
        ("Content-Type: application\n", Some(false)),
        ("Content-Type: application/json\nContent-Type: text/plain\n", Some(false)),
        ("Content-Type: application/json\nContent-Type: application/json\n", Some(false)),
    ];
    for (lines, json) in cases {
        with_headers(lines, |request| {
            assert_eq!(request.content_type_is_json(), *json, "{lines}");
        });
    }
}

/// RFC 9110, 12.4.2 and 12.5.1
#[test]
fn accepts() {
    for (lines, json, stream) in ACCEPTS {
        with_headers(lines, |request| {
            assert_eq!(
                (request.accepts(Media::Json), request.accepts(Media::EventStream)),
                (*json, *stream),
                "{lines}"
            );
        });
    }
}

/// The lines, what of JSON, what of an event stream.
const ACCEPTS: &[(&str, Accept, Accept)] = &[
    ("", Any, Any),
    ("Accept:\n", Any, Any),
    ("Accept: ,, ,\n", Any, Any),
    ("Accept: */*\n", Any, Any),
    ("Accept: */*;q=0.1\n", Any, Any),
    ("Accept: */*;q=0\n", No, No),
    ("Accept: application/json\n", Yes, No),
    ("Accept: text/event-stream\n", No, Yes),
    ("Accept: application/json, text/event-stream\n", Yes, Yes),
    ("Accept: text/event-stream,application/json\n", Yes, Yes),
    ("Accept: application/json\nAccept: text/event-stream\n", Yes, Yes),
    ("Accept: APPLICATION/JSON;Q=1, Text/Event-Stream\n", Yes, Yes),
    ("Accept: application/json, */*\n", Yes, Any),
    ("Accept: application/json;q=0, */*\n", No, Any),
    ("Accept: */*, text/event-stream;q=0\n", Any, No),
    ("Accept: text/event-stream;q=0.000, application/json;q=0.001\n", Yes, No),
    ("Accept: text/event-stream; q=0.0 , application/json ; q=0\n", No, No),
    ("Accept: text/*\n", No, Any),
    ("Accept: application/*\n", Any, No),
    ("Accept: text/*;q=0, */*\n", Any, No),
    ("Accept: text/*;q=0, text/event-stream\n", No, Yes),
    ("Accept: text/*, text/event-stream;q=0\n", No, No),
    ("Accept: text/html\n", No, No),
    ("Accept: text/html, application/xhtml+xml, */*;q=0.8\n", Any, Any),
    ("Accept: application/json;profile=\"a,b;q=0\"\n", Yes, No),
    ("Accept: application/json;p=\"\\\"\", text/event-stream\n", Yes, Yes),
    ("Accept: application/json;q=0, application/json\n", Yes, No),
    ("Accept: application/json;q=0;ext=1\n", No, No),
    ("Accept: application/json;charset=utf-8;q=0\n", No, No),
    ("Accept: application/json;q=\n", Yes, No),
    ("Accept: application/json;q=x\n", Yes, No),
    ("Accept: application/json;q=00\n", Yes, No),
    ("Accept: application/jsonp\n", No, No),
    ("Accept: application/json text/event-stream\n", No, No),
    ("Accept: *\n", No, No),
    ("Accept: */json\n", No, No),
];
