//! What clients send, and what they must find in the answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::http::{Answer, find};

/// No answer takes longer, of whichever server, below valgrind too.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a client speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revision {
    /// 2026-07-28: no session, headers that say what the body says.
    Modern,
    /// 2025-11-25, in a session.
    Session,
}

/// What a client asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// `tools/call` of `echo`, which answers with five letters.
    Echo,
    /// `tools/call` of `big`, which answers with 1 MB.
    Big,
    /// `tools/list`.
    List,
    /// `subscriptions/listen`, or the GET of a session.
    Listen,
    /// `tools/call` of `notify`, which tells all who listen.
    Notify,
}

impl Ask {
    /// What the answer holds.
    pub(crate) fn needle(self, revision: Revision) -> &'static [u8] {
        match self {
            Self::Listen if revision == Revision::Session => b"HTTP/1.1 200 ",
            Self::Echo => b"hello",
            Self::Big => b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            Self::List => b"\"tool_49\"",
            Self::Listen => b"notifications/subscriptions/acknowledged",
            Self::Notify => b"notified",
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Echo | Self::Big | Self::Notify => "tools/call",
            Self::List => "tools/list",
            Self::Listen => "subscriptions/listen",
        }
    }

    fn params(self) -> &'static str {
        match self {
            Self::Echo => r#""name":"echo","arguments":{"text":"hello"}"#,
            Self::Big => r#""name":"big","arguments":{}"#,
            Self::List => "",
            Self::Listen => r#""notifications":{"toolsListChanged":true}"#,
            Self::Notify => r#""name":"notify","arguments":{}"#,
        }
    }

    fn tool(self) -> Option<&'static str> {
        match self {
            Self::Echo => Some("echo"),
            Self::Big => Some("big"),
            Self::Notify => Some("notify"),
            Self::List | Self::Listen => None,
        }
    }
}

/// What says that a stream was told.
pub(crate) const EVENT: &[u8] = b"notifications/tools/list_changed";

const META: &str = concat!(
    r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
    r#""io.modelcontextprotocol/clientInfo":{"name":"speed","version":"1.0.0"},"#,
    r#""io.modelcontextprotocol/clientCapabilities":{}}"#
);
const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"#,
    r#""clientInfo":{"name":"speed","version":"1.0.0"}}}"#
);
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// A request of 2026-07-28. The id has nine digits, whatever it is.
pub(crate) fn modern(ask: Ask, id: usize) -> Vec<u8> {
    let method = ask.method();
    let name = ask.tool().map_or(String::new(), |tool| format!("Mcp-Name: {tool}\r\n"));
    let comma = if ask.params().is_empty() { "" } else { "," };
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{}{comma}{META}}}}}"#,
        ask.params(),
        id = 100_000_000 + id
    );
    post(&format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{name}"), &body)
}

/// A request in a session of 2025-11-25.
pub(crate) fn in_session(ask: Ask, session: &str) -> Vec<u8> {
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":100000000,"method":"{}","params":{{{}}}}}"#, ask.method(), ask.params());
    post(&session_headers(session), &body)
}

/// The GET that opens a session's stream.
pub(crate) fn get(session: &str) -> Vec<u8> {
    let headers = session_headers(session);
    format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{headers}\r\n").into_bytes()
}

/// Opens a session; its id.
pub(crate) fn open_session(address: SocketAddr) -> String {
    let mut socket = connect(address);
    let answer = exchange(&mut socket, &post("", INITIALIZE));
    assert_eq!(answer.status(), 200, "{}", shown(&answer));
    let session = answer.header("mcp-session-id").expect("a session's id").to_owned();
    let answer = exchange(&mut socket, &post(&session_headers(&session), INITIALIZED));
    assert_eq!(answer.status(), 202, "{}", shown(&answer));
    session
}

/// A connection, by which one can wait.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect_timeout(&address, PATIENCE).expect("the server accepts");
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Sends a request and waits for the whole answer.
pub(crate) fn exchange(socket: &mut TcpStream, request: &[u8]) -> Answer {
    exchange_until(socket, request, |_| false)
}

/// The same; an answer that does not end is whole when it holds what `is_enough` looks for.
pub(crate) fn exchange_until(socket: &mut TcpStream, request: &[u8], is_enough: impl Fn(&[u8]) -> bool) -> Answer {
    socket.write_all(request).expect("the server takes it");
    receive(socket, is_enough)
}

/// Waits for an answer.
pub(crate) fn receive(socket: &mut TcpStream, is_enough: impl Fn(&[u8]) -> bool) -> Answer {
    let mut answer = Answer::default();
    let mut room = vec![0; 1 << 16];
    loop {
        let count = socket.read(&mut room).expect("an answer");
        assert!(count > 0, "the connection ended in the middle of an answer: {}", shown(&answer));
        if answer.take(&room[..count]) || is_enough(answer.bytes()) {
            return answer;
        }
    }
}

/// Waits for the event that holds this, on a stream whose answer has begun; all that came.
pub(crate) fn receive_event(socket: &mut TcpStream, needle: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut room = [0; 4096];
    while !has_event(&bytes, needle) {
        let count = socket.read(&mut room).expect("an event");
        assert!(count > 0, "the stream ended before it");
        bytes.extend_from_slice(&room[..count]);
    }
    bytes
}

/// Whether this holds that, and ends with the blank line that ends an event, in a chunk or not.
pub(crate) fn has_event(bytes: &[u8], needle: &[u8]) -> bool {
    (bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\n\r\n")) && find(bytes, needle).is_some()
}

/// The beginning of an answer, for a message.
pub(crate) fn shown(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes()[..answer.bytes().len().min(600)]).into_owned()
}

fn session_headers(session: &str) -> String {
    format!("MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: {session}\r\n")
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Accept: application/json, text/event-stream\r\n";
    format!("{head}{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}
