//! Clients, as many as are asked for, from a few threads.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt;

const PATIENCE: Duration = Duration::from_secs(30);
const CALL: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"},"#,
    r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
    r#""io.modelcontextprotocol/clientCapabilities":{}}}}"#
);
const LISTEN: &str = concat!(
    r#"{"jsonrpc":"2.0","id":"ID","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},"#,
    r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
    r#""io.modelcontextprotocol/clientInfo":{"name":"NAME","version":"1"},"#,
    r#""io.modelcontextprotocol/clientCapabilities":{}}}}"#
);
const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"#,
    r#""clientInfo":{"name":"NAME","version":"1"}}}"#
);
/// What bad clients send: half a request, nonsense, a wrong length, a body without end, a foreign origin, nothing at all.
const HOSTILE: [&str; 6] = [
    "POST /mcp HTTP/1.1\r\nHost: local",
    "\u{16}\u{3}\u{1} this is TLS\r\n\r\n",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n{}",
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{\"jsonrpc\"",
    "GET /sse HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n",
    "",
];

/// What an open connection is for.
#[derive(Clone, Copy)]
pub(crate) enum Wire {
    /// One call was answered, and nothing comes.
    Idle,
    /// The stream of a session.
    Get,
    /// 2024-11-05's own.
    HttpSse,
    /// 2026-07-28's.
    Listen,
}

/// A client with one connection.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect_timeout(&address, PATIENCE).expect("the server accepts");
        socket.set_nodelay(true).unwrap();
        // It goes at once, and its port with it: there are more clients one after the other than there are ports.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        // The answers are small, and there are many clients.
        Self { reader: BufReader::with_capacity(1024, socket) }
    }

    /// An open connection of this kind.
    pub(crate) fn open(address: SocketAddr, wire: Wire) -> Self {
        Self::open_as(address, wire, 0)
    }

    /// The same, by a client whose name and id are those of no other number, and as long as may be.
    pub(crate) fn open_as(address: SocketAddr, wire: Wire, number: usize) -> Self {
        let mut client = Self::connect(address);
        match wire {
            Wire::Idle => assert_eq!(client.call(), 200),
            Wire::Get => {
                let id = client.initialize(number).expect("a session");
                client.send(&format!(
                    "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: {id}\r\n\r\n"
                ));
                assert_eq!(client.head().0, 200);
            }
            Wire::HttpSse => {
                client.send("GET /sse HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
                assert_eq!(client.head().0, 200);
            }
            Wire::Listen => {
                let listen = LISTEN.replace("ID", &format!("{number:046}")).replace("NAME", &name(number));
                client.send(&modern("subscriptions/listen", "", &listen));
                assert_eq!(client.head().0, 200);
            }
        }
        client
    }

    /// A call; its status.
    pub(crate) fn call(&mut self) -> u16 {
        self.send(&modern("tools/call", "Mcp-Name: echo\r\n", CALL));
        self.answer()
    }

    // A session's id; none when the server has no room now.
    fn initialize(&mut self, number: usize) -> Option<String> {
        self.send(&post("", &INITIALIZE.replace("NAME", &name(number))));
        let (status, id, length) = self.head();
        self.skip(length);
        id.filter(|_| status == 200)
    }

    fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).expect("the server takes it");
    }

    fn answer(&mut self) -> u16 {
        let (status, _, length) = self.head();
        self.skip(length);
        status
    }

    fn skip(&mut self, length: usize) {
        let mut rest = vec![0; length];
        self.reader.read_exact(&mut rest).expect("a whole answer");
    }

    // Status, session id, and length of the body.
    fn head(&mut self) -> (u16, Option<String>, usize) {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("an answer");
        let status = line.split(' ').nth(1).expect("a status line").parse().unwrap();
        let (mut id, mut length) = (None, 0);
        loop {
            line.clear();
            self.reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { return (status, id, length) };
            match name.to_ascii_lowercase().as_str() {
                "mcp-session-id" => id = Some(value.to_owned()),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
    }
}

/// This many calls, on `at_once` connections.
pub(crate) fn calls(address: SocketAddr, at_once: usize, count: usize) {
    spread(at_once, count, |count| {
        let mut client = Client::connect(address);
        (0..count).for_each(|_| assert_eq!(client.call(), 200));
    });
}

/// This many sessions that are opened and left, each by a connection of its own.
pub(crate) fn sessions(address: SocketAddr, at_once: usize, count: usize) {
    spread(at_once, count, |count| {
        for _ in 0..count {
            // All sessions are young at times: then the newcomer comes again, as it is told to.
            while Client::connect(address).initialize(0).is_none() {
                thread::sleep(Duration::from_millis(100));
            }
        }
    });
}

/// This many connections that send what nobody should, and go.
pub(crate) fn hostile(address: SocketAddr, at_once: usize, count: usize) {
    spread(at_once, count, |count| {
        for bytes in HOSTILE.iter().cycle().take(count) {
            let mut client = Client::connect(address);
            client.send(bytes);
            let socket = client.reader.get_mut();
            socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
            // Whatever it answers.
            let _ = socket.read(&mut [0; 64]);
        }
    });
}

/// This many changes, told to all who listen.
pub(crate) fn shout(address: SocketAddr, count: usize) {
    let body = CALL.replace("echo", "notify").replace(r#"{"text":"hello"}"#, "{}");
    let mut client = Client::connect(address);
    for _ in 0..count {
        client.send(&modern("tools/call", "Mcp-Name: notify\r\n", &body));
        client.answer();
    }
}

fn spread(at_once: usize, count: usize, work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| work(count / at_once));
        }
    });
}

fn name(number: usize) -> String {
    format!("a client of the number {number:09}")
}

fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn modern(method: &str, headers: &str, body: &str) -> String {
    post(&format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{headers}"), body)
}
