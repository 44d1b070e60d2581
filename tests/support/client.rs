//! A blocking client that reads what the server sends byte by byte as the RFCs say, and gives up after a while.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::{PATIENCE, wire};

/// A connection to a server.
pub(crate) struct Client<S: Socket = TcpStream> {
    reader: BufReader<S>,
    /// What came on a stream and was not looked at yet, without its chunks.
    text: String,
    chunked: bool,
    last_id: Option<String>,
}

/// What a client reads from and writes to.
pub(crate) trait Socket: Read + Write {
    /// Ends the direction to the server.
    fn end_writing(&self);
}

impl Socket for TcpStream {
    fn end_writing(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

impl Socket for UnixStream {
    fn end_writing(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

/// A response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What comes next on a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    /// An event: its type and its data.
    Event(String, String),
    /// The stream came to its proper end.
    End,
    /// The connection closed in the middle.
    Torn,
}

/// A session of an older revision over Streamable HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    revision: &'static str,
}

impl Client {
    /// Connects, by a TCP socket whose reads and writes end after a while.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect_timeout(&address, PATIENCE).expect("the server accepts");
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Self::over(socket)
    }

    /// Closes the connection by RST.
    pub(crate) fn reset(self) {
        rustix::net::sockopt::set_socket_linger(self.reader.get_ref(), Some(Duration::ZERO)).unwrap();
    }

    /// Opens a session, whose connection this stays.
    pub(crate) fn initialize(&mut self, revision: &'static str, name: &str) -> Session {
        let answer = self.ask(&wire::post_to("/mcp", &[], &wire::initialize(revision, name)));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["result"]["protocolVersion"], revision);
        let session = Session::new(answer.header("mcp-session-id").expect("a session id"), revision);
        let answer = self.ask(&session.post(&wire::notification("notifications/initialized", &json!({}))));
        assert_eq!(answer.status, 202, "{answer:?}");
        session
    }

    /// Opens a 2024-11-05 stream, and gives the reference to POST to.
    pub(crate) fn open_http_sse(&mut self) -> String {
        let head = self.open(&wire::get_http_sse());
        assert_eq!(head.status, 200, "{head:?}");
        let Next::Event(name, path) = self.next() else { panic!("no endpoint event") };
        assert_eq!(name, "endpoint");
        path
    }
}

impl<S: Socket> Client<S> {
    /// A client over this.
    pub(crate) fn over(socket: S) -> Self {
        Self { reader: BufReader::new(socket), text: String::new(), chunked: false, last_id: None }
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: &str) {
        self.try_send(bytes).expect("the server takes what is sent");
    }

    /// Sends bytes that the server may not want.
    pub(crate) fn try_send(&mut self, bytes: &str) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes.as_bytes())
    }

    /// Says that nothing more will be sent.
    pub(crate) fn half_close(&self) {
        self.reader.get_ref().end_writing();
    }

    /// Sends a request and reads the whole of its answer.
    pub(crate) fn ask(&mut self, request: &str) -> Answer {
        self.send(request);
        self.answer()
    }

    /// Sends a request and reads the head of its answer, which should be a stream; the whole of it when it is a refusal.
    pub(crate) fn open(&mut self, request: &str) -> Answer {
        self.send(request);
        let mut head = self.head();
        if head.status != 200 {
            self.body(&mut head);
        }
        head
    }

    /// The status of an answer; none where the connection ends instead, or nothing comes in that time.
    pub(crate) fn try_status(&mut self) -> Option<u16> {
        let mut line = String::new();
        self.reader.read_line(&mut line).ok()?;
        line.split(' ').nth(1)?.parse().ok()
    }

    /// Reads an answer.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        self.body(&mut answer);
        answer
    }

    /// What comes next on the stream.
    pub(crate) fn next(&mut self) -> Next {
        loop {
            match self.block() {
                Ok(block) => {
                    // Where there is none, it is a comment, or `retry`.
                    if let Some((name, data)) = event(&block) {
                        return Next::Event(name, data);
                    }
                }
                Err(end) => return end,
            }
        }
    }

    /// The id of the event without data that the stream begins with.
    pub(crate) fn primed(&mut self) -> String {
        let block = self.block().expect("an event");
        assert!(block.ends_with("\ndata:") && block.contains("\nretry: "), "{block:?}");
        self.last_id().expect("an id")
    }

    /// The id of the last event that had one.
    pub(crate) fn last_id(&self) -> Option<String> {
        self.last_id.clone()
    }

    fn block(&mut self) -> Result<String, Next> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let id = block.lines().find_map(|line| line.strip_prefix("id: "));
                self.last_id = id.map(str::to_owned).or(self.last_id.take());
                return Ok(block);
            }
            match self.chunk() {
                Ok(chunk) if chunk.is_empty() => return Err(Next::End),
                Ok(chunk) => self.text.push_str(&chunk),
                Err(error) if is_timeout(&error) => panic!("nothing comes on the stream, not even its end"),
                Err(_) => return Err(Next::Torn),
            }
        }
    }

    /// The next message on the stream.
    pub(crate) fn message(&mut self) -> Value {
        match self.next() {
            Next::Event(name, data) if name == "message" => serde_json::from_str(&data).expect("JSON"),
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// Reads what is left and says how the connection ended: true for FIN, false for RST. Panics when it does not end.
    pub(crate) fn ends_cleanly(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.reader.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) if is_timeout(&error) => panic!("the connection is still open; it sent {} bytes", rest.len()),
            Err(_) => false,
        }
    }

    /// Reads until the connection ends, in whatever way. Panics when it does not.
    pub(crate) fn ends(&mut self) {
        let _ = self.ends_cleanly();
    }

    fn head(&mut self) -> Answer {
        let status_line = self.line();
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
        let mut answer = Answer { status, ..Answer::default() };
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else { break };
            answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        self.chunked = answer.header("transfer-encoding") == Some("chunked");
        answer
    }

    fn body(&mut self, answer: &mut Answer) {
        if self.chunked {
            loop {
                let chunk = self.chunk().expect("a whole chunk");
                if chunk.is_empty() {
                    return;
                }
                answer.body.push_str(&chunk);
            }
        }
        let length = answer.header("content-length").map(|length| length.parse().expect("a length"));
        let mut body = vec![0; length.unwrap_or(0)];
        self.reader.read_exact(&mut body).expect("a body of that length");
        answer.body = String::from_utf8(body).expect("UTF-8");
    }

    // A chunk's data; empty for the last one.
    fn chunk(&mut self) -> io::Result<String> {
        assert!(self.chunked, "a stream of HTTP/1.1 is chunked");
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        if !line.ends_with("\r\n") {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let size = usize::from_str_radix(line.trim_end(), 16).expect("a chunk size");
        let mut data = vec![0; size + 2];
        self.reader.read_exact(&mut data)?;
        assert!(data.ends_with(b"\r\n"), "a chunk ends in CRLF");
        data.truncate(size);
        Ok(String::from_utf8(data).expect("UTF-8"))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(_) if line.ends_with("\r\n") => line.trim_end().to_owned(),
            Ok(_) => panic!("the connection closed where a head was expected, behind {line:?}"),
            Err(error) => panic!("no head comes: {error}"),
        }
    }
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The response, whether it came as JSON or as the last event of a stream.
    pub(crate) fn json(&self) -> Value {
        let text = match self.header("content-type") {
            Some("text/event-stream") => self.body.split("\n\n").filter_map(event).last().expect("an event").1,
            _ => self.body.clone(),
        };
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The text of a tool's result.
    pub(crate) fn text(&self) -> String {
        let json = self.json();
        json["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {self:?}")).to_owned()
    }

    /// Holds a refusal for want of room to what it must be: 503, when to come again, and a JSON-RPC error that says why.
    pub(crate) fn must_be_full(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        let after: u32 =
            self.header("retry-after").and_then(|after| after.parse().ok()).expect("Retry-After in seconds");
        assert!((1..=60).contains(&after), "Retry-After: {after}");
        let json = self.json();
        assert!(json["error"]["message"].is_string(), "{json}");
    }
}

impl Session {
    /// The session of this id.
    pub(crate) fn new(id: &str, revision: &'static str) -> Self {
        Self { id: id.to_owned(), revision }
    }

    /// A POST of this session.
    pub(crate) fn post(&self, body: &str) -> String {
        wire::post_to("/mcp", &self.headers(), body)
    }

    /// The GET of its stream.
    pub(crate) fn get(&self) -> String {
        let mut headers = self.headers().to_vec();
        headers.push(("Accept", "text/event-stream"));
        wire::bare("GET", "/mcp", &headers)
    }

    /// Its DELETE.
    pub(crate) fn delete(&self) -> String {
        wire::bare("DELETE", "/mcp", &self.headers())
    }

    fn headers(&self) -> [(&str, &str); 2] {
        [("Mcp-Session-Id", &self.id), ("MCP-Protocol-Version", self.revision)]
    }
}

// An event's type and data; `None` for a block without data.
fn event(block: &str) -> Option<(String, String)> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    field("data: ").map(|data| (field("event: ").unwrap_or_else(|| "message".into()), data))
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
