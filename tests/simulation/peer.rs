//! A connection as its client sees it: what it sent, and what must come for it.

use std::collections::VecDeque;

use smol_mcp::testing::TestConnection;

/// A client's end of a connection.
pub(crate) struct Peer {
    pub(crate) connection: TestConnection,
    inbox: Vec<u8>,
    /// What was sent whole and not answered yet, in order.
    pub(crate) expected: VecDeque<Expected>,
    /// What is still to be sent of a request that was cut.
    pub(crate) rest: Vec<u8>,
    /// It sent what is no request, or the half of one: whatever comes is right.
    pub(crate) wild: bool,
    /// It is a stream: only events come, for this client.
    pub(crate) stream: Option<String>,
    pub(crate) half_closed: bool,
}

/// What a request's answer must hold.
pub(crate) struct Expected {
    pub(crate) id: String,
    /// What a result must hold.
    pub(crate) text: String,
    pub(crate) statuses: &'static [u16],
    /// An answer that opens a stream, for this client.
    pub(crate) opens: Option<String>,
    /// The session that it belongs to.
    pub(crate) session: Option<String>,
}

/// Something that came.
pub(crate) enum Came {
    Answer { status: u16, session: Option<String>, body: String },
    Event(String),
}

impl Peer {
    pub(crate) fn new(connection: TestConnection) -> Self {
        Self {
            connection,
            inbox: Vec::new(),
            expected: VecDeque::new(),
            rest: Vec::new(),
            wild: false,
            stream: None,
            half_closed: false,
        }
    }

    /// More requests may be sent on it.
    pub(crate) fn is_open(&self) -> bool {
        !self.connection.is_closed() && !self.half_closed && self.stream.is_none() && self.rest.is_empty()
    }

    /// Takes what came.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
    }

    /// The next thing that came whole.
    pub(crate) fn next(&mut self) -> Option<Came> {
        if self.stream.is_some() {
            return self.event().map(Came::Event);
        }
        let opens = self.expected.front().and_then(|expected| expected.opens.clone());
        let (status, head, begin) = self.head()?;
        let header = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name))?;
            line.split_once(": ").map(|(_, value)| value.to_owned())
        };
        if status == 200 && opens.is_some() {
            self.inbox.drain(..begin);
            self.stream = opens;
            return Some(Came::Answer { status, session: None, body: String::new() });
        }
        let chunked = header("transfer-encoding").is_some();
        let (body, end) = if chunked {
            chunks(self.inbox.get(begin..)?)?
        } else {
            let length = header("content-length").map_or(0, |length| length.parse().unwrap());
            (self.inbox.get(begin..begin + length)?.to_vec(), length)
        };
        self.inbox.drain(..begin + end);
        Some(Came::Answer { status, session: header("mcp-session-id"), body: String::from_utf8(body).unwrap() })
    }

    fn head(&self) -> Option<(u16, String, usize)> {
        let end = self.inbox.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8(self.inbox[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        assert_ne!(status, 100, "nobody asked for it: {head}");
        Some((status, head, end + 4))
    }

    // The data of the next event of the stream, which is chunked; each chunk holds whole lines.
    fn event(&mut self) -> Option<String> {
        let line = self.inbox.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(str::from_utf8(&self.inbox[..line]).unwrap(), 16).unwrap();
        let chunk = self.inbox.get(line + 2..line + 2 + size)?.to_vec();
        self.inbox.get(line + 2 + size..line + 4 + size)?;
        self.inbox.drain(..line + 4 + size);
        Some(String::from_utf8(chunk).unwrap())
    }
}

// The data of a chunked body that came whole, and its length on the wire.
fn chunks(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = bytes.get(at..)?.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(str::from_utf8(&bytes[at..at + line]).unwrap(), 16).unwrap();
        at += line + 2;
        body.extend_from_slice(bytes.get(at..at + size)?);
        bytes.get(at + size..at + size + 2)?;
        at += size + 2;
        if size == 0 {
            return Some((body, at));
        }
    }
}
