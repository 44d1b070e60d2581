//! Requests up to their limit.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use rustix::net::sockopt;
use serde_json::json;
use smol_mcp::Config;
use smol_mcp::limits::{BODY_BYTES_DEFAULT, CHUNK_EXTENSION_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX, TRAILER_BYTES_MAX};

use crate::alone;
use crate::app::{Running, hash};
use crate::counting::counts;
use crate::support::client::Client;
use crate::support::{PATIENCE, wire};

/// Bytes of a large body.
const LARGE: usize = 4_000_000;
/// Bytes by which the server's heap may grow while a request comes in: as while an answer goes out.
const GROWTH_BYTES_MAX: i64 = 16 * 1024;

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length,
    /// The same, once the server says that it wants it.
    Expected,
    /// Chunks of so many bytes.
    Chunks(usize),
    /// A few chunks, with as much beside them as may be: digits of sizes, extensions, trailers.
    Slack,
}

// A call of `hash` whose body has so many bytes, and what is to come of it.
fn body(bytes: usize) -> (String, String) {
    let part = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich \u{20ac} \u{1F600} ";
    let arguments = |filler: &str| format!(r#"{{"text":"{filler}"}}"#);
    let whole = |filler: &str| {
        let params = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        let arguments = arguments(filler);
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"hash","arguments":{arguments},{params}}}}}"#
        )
    };
    let room = bytes - whole("").len();
    let mut filler = part.repeat(room / part.len());
    filler.push_str(&"x".repeat(room - filler.len()));
    let expected = arguments(&filler);
    let whole = whole(&filler);
    assert_eq!(whole.len(), bytes);
    (whole, format!("{} {:016x}", expected.len(), hash(expected.as_bytes())))
}

fn head(framing: Framing, bytes: usize) -> String {
    let headers = [("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "hash")];
    let request = wire::post_to("/mcp", &headers, "");
    let framing = match framing {
        Framing::Length => format!("Content-Length: {bytes}"),
        Framing::Expected => format!("Content-Length: {bytes}\r\nExpect: 100-continue"),
        Framing::Chunks(_) | Framing::Slack => "Transfer-Encoding: chunked".to_owned(),
    };
    request.replace("Content-Length: 0", &framing)
}

// The body as it goes over the wire.
fn framed(framing: Framing, body: &str) -> Vec<u8> {
    let mut framed = Vec::new();
    let (size, extension, trailer) = match framing {
        Framing::Length | Framing::Expected => return body.into(),
        Framing::Chunks(size) => (size, String::new(), String::new()),
        Framing::Slack => {
            // With the last chunk there are five, and each extension has its semicolon.
            let extension = format!(";{}", "e".repeat(CHUNK_EXTENSION_BYTES_MAX / 5 - 2));
            (body.len().div_ceil(4), extension, format!("T: {}\r\n", "t".repeat(TRAILER_BYTES_MAX - 16)))
        }
    };
    let digits = if framing == Framing::Slack { CHUNK_SIZE_DIGITS_MAX } else { 0 };
    for chunk in body.as_bytes().chunks(size) {
        let mut line = String::new();
        write!(line, "{:0digits$x}{extension}\r\n", chunk.len()).unwrap();
        framed.extend_from_slice(line.as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(format!("{:0digits$x}{extension}\r\n{trailer}\r\n", 0).as_bytes());
    framed
}

// Sends a request, in pieces with a pause between them, and reads the answer; the server's heap must not grow.
fn send(server: &Running, framing: Framing, body: &str, piece: usize) -> (u16, String) {
    let mut socket = TcpStream::connect_timeout(&server.address(), PATIENCE).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    sockopt::set_socket_send_buffer_size(&socket, 64 * 1024).unwrap();
    let before = counts();
    socket.write_all(head(framing, body.len()).as_bytes()).unwrap();
    if framing == Framing::Expected {
        let mut said = [0; 25];
        socket.read_exact(&mut said).unwrap();
        if said != *b"HTTP/1.1 100 Continue\r\n\r\n" {
            return (str::from_utf8(&said[9..12]).unwrap().parse().unwrap(), String::new());
        }
    }
    let framed = framed(framing, body);
    let mut grown = 0;
    for piece in framed.chunks(piece) {
        if socket.write_all(piece).is_err() {
            // It was refused before it was read.
            break;
        }
        sleep(Duration::from_micros(200));
        grown = grown.max(counts().live - before.live);
    }
    assert!(grown <= GROWTH_BYTES_MAX, "{framing:?}, {} bytes: the server's heap grew by {grown}", body.len());
    let mut client = Client::over(socket);
    let answer = client.answer();
    let text = if answer.status == 200 { answer.text() } else { answer.body };
    (answer.status, text)
}

fn all_framings(limit: usize, chunk: usize, piece: usize) {
    let server = Running::start(Config::new().body_bytes(limit), 0);
    // What comes first makes the connection's place in async-io's table.
    drop(server.connect().ask(&crate::forms::call("echo", &json!({"text": "hello"}))));
    let (whole, expected) = body(limit);
    let (more, _) = body(limit + 1);
    for framing in [Framing::Length, Framing::Expected, Framing::Chunks(chunk), Framing::Slack] {
        let (status, text) = send(&server, framing, &whole, piece);
        assert_eq!((status, &text), (200, &expected), "{framing:?}, {limit} bytes");
        let (status, text) = send(&server, framing, &more, piece);
        assert_eq!(status, 413, "{framing:?}, one byte more than {limit}: {text}");
    }
}

#[test]
fn a_body_of_the_default_limit_comes_in_whole() {
    let _alone = alone();
    all_framings(BODY_BYTES_DEFAULT, 1, 1000);
}

#[test]
fn a_body_of_megabytes_comes_in_whole() {
    let _alone = alone();
    all_framings(LARGE, 7, 64 * 1024);
}
