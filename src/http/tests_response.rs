//! Response heads byte for byte, chunk framing.

use super::*;
use crate::limits::{PREFLIGHT_PARAM_HEADERS_MAX, RESPONSE_HEAD_BYTES_MAX};

/// The head as text, after checking that it is written whole or not at all.
fn rendered(head: &ResponseHead<'_>) -> String {
    let mut out = [0; 4096];
    let len = head.render(&mut out).expect("fits");
    for room in 0..len {
        let mut small = vec![b'#'; room + 1];
        assert_eq!(head.render(&mut small[..room]), None);
        assert_eq!(small[room], b'#');
    }
    assert_eq!(head.render(&mut vec![0; len]), Some(len));
    String::from_utf8(out[..len].to_vec()).unwrap()
}

fn check(head: &ResponseHead<'_>, text: &str) {
    assert_eq!(rendered(head), text.replace('\n', "\r\n"));
}

const fn json(status: Status, len: usize) -> ResponseHead<'static> {
    ResponseHead { content_type: Some("application/json"), ..ResponseHead::new(status, Framing::Length(len)) }
}

#[test]
fn plain_heads() {
    check(&ResponseHead::new(Status::ACCEPTED, Framing::Length(0)), "HTTP/1.1 202 Accepted\nContent-Length: 0\n\n");
    check(
        &ResponseHead { date: Some(&HttpDate::at(784_111_777)), session_id: Some("s.1"), ..json(Status::OK, 265) },
        "HTTP/1.1 200 OK\nDate: Sun, 06 Nov 1994 08:49:37 GMT\nContent-Type: application/json\n\
         Content-Length: 265\nMcp-Session-Id: s.1\n\n",
    );
    check(
        &ResponseHead { close: true, ..json(Status::CONTENT_TOO_LARGE, 10) },
        "HTTP/1.1 413 Content Too Large\nContent-Type: application/json\nContent-Length: 10\nConnection: close\n\n",
    );
    check(
        &ResponseHead { allow: Some("POST, OPTIONS"), ..json(Status::METHOD_NOT_ALLOWED, 0) },
        "HTTP/1.1 405 Method Not Allowed\nContent-Type: application/json\nContent-Length: 0\nAllow: POST, OPTIONS\n\n",
    );
    check(
        &ResponseHead { retry_after_seconds: Some(u32::MAX), close: true, ..json(Status::SERVICE_UNAVAILABLE, 7) },
        "HTTP/1.1 503 Service Unavailable\nContent-Type: application/json\nContent-Length: 7\nConnection: close\n\
         Retry-After: 4294967295\n\n",
    );
    check(
        &ResponseHead { www_authenticate: Some(Challenge::default()), ..json(Status::UNAUTHORIZED, 1) },
        "HTTP/1.1 401 Unauthorized\nContent-Type: application/json\nContent-Length: 1\nWWW-Authenticate: Bearer\n\n",
    );
    let challenges = [
        (Challenge { error: Some("invalid_token"), scopes: &[] }, "Bearer error=\"invalid_token\""),
        (Challenge { error: None, scopes: &["a"] }, "Bearer scope=\"a\""),
        (Challenge { error: Some("e"), scopes: &["a", "b:c"] }, "Bearer error=\"e\", scope=\"a b:c\""),
    ];
    for (challenge, text) in challenges {
        let head = ResponseHead { www_authenticate: Some(challenge), ..json(Status::FORBIDDEN, 1) };
        let fields = "Content-Type: application/json\nContent-Length: 1";
        check(&head, &format!("HTTP/1.1 403 Forbidden\n{fields}\nWWW-Authenticate: {text}\n\n"));
    }
    let length = format!("HTTP/1.1 200 OK\nContent-Length: {}\n\n", usize::MAX);
    check(&ResponseHead::new(Status::OK, Framing::Length(usize::MAX)), &length);
}

/// RFC 9112, 6 and 9.3: what says where the body ends, and what becomes of the connection.
#[test]
fn framing_and_connection() {
    let of = |framing| ResponseHead::new(Status::OK, framing);
    check(&of(Framing::Chunked), "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n");
    check(&of(Framing::UntilClose), "HTTP/1.1 200 OK\nConnection: close\n\n");
    check(&of(Framing::None), "HTTP/1.1 200 OK\nContent-Length: 0\n\n");
    let kept = ResponseHead { keep_alive: true, ..of(Framing::Length(1)) };
    check(&kept, "HTTP/1.1 200 OK\nContent-Length: 1\nConnection: keep-alive\n\n");
    check(&ResponseHead { close: true, ..kept }, "HTTP/1.1 200 OK\nContent-Length: 1\nConnection: close\n\n");
    let kept = ResponseHead { keep_alive: true, ..of(Framing::UntilClose) };
    check(&kept, "HTTP/1.1 200 OK\nConnection: close\n\n");
    // RFC 9110, 8.6: no framing headers on 204, whatever the caller says
    for framing in [Framing::None, Framing::Length(0), Framing::Length(9), Framing::Chunked] {
        check(&ResponseHead::new(Status::NO_CONTENT, framing), "HTTP/1.1 204 No Content\n\n");
    }
}

#[test]
fn event_stream_head() {
    let head = ResponseHead {
        content_type: Some("text/event-stream"),
        event_stream: true,
        ..ResponseHead::new(Status::OK, Framing::Chunked)
    };
    check(
        &head,
        "HTTP/1.1 200 OK\nContent-Type: text/event-stream\nTransfer-Encoding: chunked\n\
         Cache-Control: no-cache, no-transform\nX-Accel-Buffering: no\n\n",
    );
}

#[test]
fn cors() {
    let granted = |origin, credentials| ResponseHead {
        cors: Some(Cors { origin, credentials }),
        ..ResponseHead::new(Status::OK, Framing::Length(2))
    };
    check(
        &granted("http://localhost:5173", false),
        "HTTP/1.1 200 OK\nContent-Length: 2\nAccess-Control-Allow-Origin: http://localhost:5173\n\
         Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate, Retry-After\nVary: Origin\n\n",
    );
    check(
        &granted("http://localhost", true),
        "HTTP/1.1 200 OK\nContent-Length: 2\nAccess-Control-Allow-Origin: http://localhost\n\
         Access-Control-Allow-Credentials: true\n\
         Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate, Retry-After\nVary: Origin\n\n",
    );
    // Never `*` with credentials (WHATWG Fetch, 3.2.5)
    check(
        &granted("*", true),
        "HTTP/1.1 200 OK\nContent-Length: 2\nAccess-Control-Allow-Origin: *\n\
         Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate, Retry-After\n\n",
    );
    let ungranted = ResponseHead { vary_origin: true, ..ResponseHead::new(Status::FORBIDDEN, Framing::Length(0)) };
    check(&ungranted, "HTTP/1.1 403 Forbidden\nContent-Length: 0\nVary: Origin\n\n");
}

fn preflight(requested_headers: &[u8], private_network: bool) -> ResponseHead<'_> {
    ResponseHead {
        cors: Some(Cors { origin: "http://localhost", credentials: false }),
        preflight: Some(Preflight { requested_headers, private_network }),
        ..ResponseHead::new(Status::NO_CONTENT, Framing::None)
    }
}

#[test]
fn preflights() {
    let head = |params: &str, private: &str| {
        format!(
            "HTTP/1.1 204 No Content\nAccess-Control-Allow-Origin: http://localhost\n\
             Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\n\
             Access-Control-Allow-Headers: Content-Type, Accept, Authorization, Mcp-Session-Id, \
             MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID{params}\n\
             Access-Control-Max-Age: 600\n{private}Vary: Origin\n\n"
        )
    };
    check(&preflight(b"", false), &head("", ""));
    check(&preflight(b"", true), &head("", "Access-Control-Allow-Private-Network: true\n"));
    // Of what was asked for, parameters of tools are granted and nothing else.
    check(
        &preflight(b"content-type, mcp-param-region,x-evil ,\tMcp-Param-X", false),
        &head(", mcp-param-region, Mcp-Param-X", ""),
    );
    check(&preflight(b"mcp-param-, mcp-param-a b, mcp-param-\xc3\xa9, mcp-param-(x)", false), &head("", ""));
    check(&preflight(b"mcp-param-a\r\nX: y", false), &head("", ""));
    let many = "mcp-param-n, ".repeat(PREFLIGHT_PARAM_HEADERS_MAX + 5);
    let granted = ", mcp-param-n".repeat(PREFLIGHT_PARAM_HEADERS_MAX);
    check(&preflight(many.as_bytes(), false), &head(&granted, ""));
    // Where every page is granted, so is every header; `*` does not cover Authorization (WHATWG Fetch, 3.2.5).
    let any = Some(Cors { origin: "*", credentials: true });
    check(
        &ResponseHead { cors: any, ..preflight(b"x-evil, mcp-param-a", true) },
        "HTTP/1.1 204 No Content\nAccess-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\n\
         Access-Control-Allow-Headers: *, Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, \
         Mcp-Method, Mcp-Name, Last-Event-ID, mcp-param-a\nAccess-Control-Max-Age: 600\n\
         Access-Control-Allow-Private-Network: true\n\n",
    );
    // Without a grant there is none of it.
    let refused = ResponseHead { cors: None, vary_origin: true, ..preflight(b"mcp-param-a", true) };
    check(&refused, "HTTP/1.1 204 No Content\nVary: Origin\n\n");
}

#[test]
fn no_value_can_split_a_response() {
    for bad in ["a\r\nX: y", "a\n", "\r", "a\0b", "\u{7f}"] {
        let base = ResponseHead::new(Status::OK, Framing::Length(0));
        let mut out = [0; 4096];
        assert_eq!(ResponseHead { session_id: Some(bad), ..base }.render(&mut out), None);
        let challenge = Challenge { error: Some(bad), scopes: &[] };
        assert_eq!(ResponseHead { www_authenticate: Some(challenge), ..base }.render(&mut out), None);
        let cors = Some(Cors { origin: bad, credentials: false });
        assert_eq!(ResponseHead { cors, ..base }.render(&mut out), None);
    }
}

const LONG: &str = "a-scope-of-so-many-characters";

/// The limit holds all but a preflight, with an origin as long as a host name can be.
#[test]
fn the_longest_usual_head_fits() {
    let (origin, session_id) = (format!("https://{}:65535", "h".repeat(253)), "s".repeat(64));
    let date = HttpDate::at(784_111_777);
    let head = ResponseHead {
        content_type: Some("text/event-stream"),
        close: true,
        date: Some(&date),
        session_id: Some(&session_id),
        cors: Some(Cors { origin: &origin, credentials: true }),
        allow: Some("GET, POST, DELETE, OPTIONS"),
        retry_after_seconds: Some(u32::MAX),
        www_authenticate: Some(Challenge { error: Some("insufficient_scope"), scopes: &[LONG; 16] }),
        event_stream: true,
        ..ResponseHead::new(Status::HEADER_FIELDS_TOO_LARGE, Framing::Length(usize::MAX))
    };
    assert!(rendered(&head).len() <= RESPONSE_HEAD_BYTES_MAX, "{}", rendered(&head).len());
}

#[test]
fn phrases() {
    for status in [200, 202, 204, 400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 431, 501, 503, 505] {
        assert!(!Status(status).phrase().is_empty(), "{status}");
    }
    // RFC 9112, 4: the phrase may be empty, the space before it stays.
    check(&ResponseHead::new(Status(299), Framing::Length(0)), "HTTP/1.1 299 \nContent-Length: 0\n\n");
}

/// RFC 9112, 7.1; RFC 9110, 15.2.1
#[test]
fn fixed_texts() {
    assert_eq!(LAST_CHUNK, b"0\r\n\r\n");
    assert_eq!(CONTINUE, b"HTTP/1.1 100 Continue\r\n\r\n");
}

#[test]
fn usual_heads_are_written_as_any_head_is() {
    let date = HttpDate::at(784_111_777);
    let usual = ResponseHead { date: Some(&date), ..json(Status::OK, 265) };
    let mut heads = vec![usual];
    heads.extend(
        [0, 1, 9, 10, 99, 100, 65_535, 65_536, usize::MAX]
            .map(|len| ResponseHead { framing: Framing::Length(len), ..usual }),
    );
    heads.push(ResponseHead { date: None, ..usual });
    heads.extend(
        [Framing::Chunked, Framing::UntilClose, Framing::None].map(|framing| ResponseHead { framing, ..usual }),
    );
    heads.extend([Status::ACCEPTED, Status::NO_CONTENT].map(|status| ResponseHead { status, ..usual }));
    heads.extend(
        [None, Some("text/event-stream"), Some("application/jsoN")]
            .map(|content_type| ResponseHead { content_type, ..usual }),
    );
    let cors = Some(Cors { origin: "http://localhost", credentials: false });
    let preflight = Some(Preflight { requested_headers: b"", private_network: true });
    heads.extend([
        ResponseHead { close: true, ..usual },
        ResponseHead { keep_alive: true, ..usual },
        ResponseHead { session_id: Some("s"), ..usual },
        ResponseHead { cors, ..usual },
        ResponseHead { cors, preflight, ..usual },
        ResponseHead { preflight, ..usual },
        ResponseHead { allow: Some("POST"), ..usual },
        ResponseHead { retry_after_seconds: Some(0), ..usual },
        ResponseHead { www_authenticate: Some(Challenge::default()), ..usual },
        ResponseHead { event_stream: true, ..usual },
        ResponseHead { vary_origin: true, ..usual },
    ]);
    for head in heads {
        let mut whole = [0; 1024];
        let len = head.render_any(&mut whole).expect("fits");
        assert_eq!(rendered(&head).as_bytes(), &whole[..len], "{head:?}");
    }
}
