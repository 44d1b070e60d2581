//! Drives a server without a socket and without a clock: for an application's own tests, and for this crate's.
//!
//! ```
//! use smol_mcp::testing::TestServer;
//! use smol_mcp::{Call, Config, Server, ToolResult, tools};
//!
//! struct App;
//! tools! {
//!     impl App {
//!         /// Answers.
//!         #[read_only]
//!         async fn answer(&self, call: &mut Call<'_>) -> ToolResult {
//!             call.text("42").await
//!         }
//!     }
//! }
//!
//! let mut server = TestServer::new(Server::new("test", "1", App), Config::default()).unwrap();
//! let result = server.call_tool("answer", "{}");
//! assert!(result.contains(r#""text":"42""#), "{result}");
//! ```

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use smol::io::{AsyncRead, AsyncWrite};

use super::clock::Clock;
use super::stats::Stats;
use super::{Config, Handle, Server, run};
use crate::app::{Check, PromptsOf, ResourcesOf, Tools};
use crate::json::Writer;

/// A running server without a socket.
pub struct TestServer {
    engine: Pin<Box<dyn Future<Output = io::Result<()>>>>,
    handle: Handle,
    woken: Arc<Woken>,
    now_ms: u64,
    calendar: Option<Calendar>,
    ended: bool,
}

// The address that its clients connect to.
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);

/// A moment that was said by both clocks: milliseconds since the start, and seconds since 1970.
#[derive(Clone, Copy)]
struct Calendar {
    at_ms: u64,
    unix_s: u64,
}

/// A client's end of a connection to a [`TestServer`].
pub struct TestConnection {
    pipe: Arc<Mutex<Pipe>>,
}

impl TestServer {
    /// Starts a server. Its time stands still until [`advance`](Self::advance).
    ///
    /// # Errors
    /// A setting of the configuration is wrong.
    pub fn new<A, R, P, H>(server: Server<A, R, P, H>, config: Config) -> io::Result<Self>
    where
        A: Tools + 'static,
        R: ResourcesOf<A> + 'static,
        P: PromptsOf<A> + 'static,
        H: Check<A> + 'static,
    {
        let handle = server.handle();
        let bound = server.prepare(config)?;
        let engine = Box::pin(async move { run(bound.parts, &bound.heap, None, Clock::Test).await });
        let mut this = Self {
            engine,
            handle,
            woken: Arc::new(Woken(AtomicBool::new(true))),
            now_ms: 0,
            calendar: None,
            ended: false,
        };
        this.run();
        Ok(this)
    }

    /// The server's handle.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// A new connection, as from this machine.
    pub fn connect(&mut self) -> TestConnection {
        self.connect_from(LOCAL.ip())
    }

    /// A new connection, as from this address.
    pub fn connect_from(&mut self, peer: IpAddr) -> TestConnection {
        let pipe = Arc::new(Mutex::new(Pipe { room: usize::MAX, ..Pipe::default() }));
        self.handle.connect(Box::new(ServerEnd(pipe.clone())), Some(peer), Some(LOCAL));
        self.run();
        TestConnection { pipe }
    }

    /// What the server counted.
    ///
    /// # Errors
    /// As [`Handle::stats`].
    pub fn stats(&mut self) -> io::Result<Stats> {
        let handle = self.handle.clone();
        let mut asked = pin!(handle.stats());
        loop {
            if let Poll::Ready(stats) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return stats;
            }
            self.run();
        }
    }

    /// Sends bytes, and lets the server do what it can.
    pub fn send(&mut self, connection: &TestConnection, bytes: &[u8]) {
        connection.pipe().to_server.extend(bytes);
        connection.pipe().wake();
        self.run();
    }

    /// All that the server has sent since the last time.
    pub fn receive(&mut self, connection: &TestConnection) -> Vec<u8> {
        let bytes = connection.pipe().to_client.drain(..).collect();
        connection.pipe().wake();
        self.run();
        bytes
    }

    /// Sets the calendar, in seconds since 1970; from then on answers have a `Date`. It may be set to anything, forward and back, as those of devices are;
    /// the time that [`advance`](Self::advance) lets pass goes on.
    pub fn set_unix_time(&mut self, unix_s: u64) {
        self.calendar = Some(Calendar { at_ms: self.now_ms, unix_s });
        self.tick();
    }

    /// Lets time pass, tick by tick.
    pub fn advance(&mut self, milliseconds: u64) {
        let end_ms = self.now_ms + milliseconds;
        while self.now_ms < end_ms {
            self.now_ms = end_ms.min(self.now_ms + u64::from(crate::limits::TICK_MS));
            self.tick();
        }
    }

    fn tick(&mut self) {
        let unix_s = self.calendar.map(|said| said.unix_s.saturating_add((self.now_ms - said.at_ms) / 1000));
        self.handle.tick(self.now_ms, unix_s);
        self.run();
    }

    /// Lets the server do what it can do now. False when it has ended.
    pub fn run(&mut self) -> bool {
        let waker = Waker::from(self.woken.clone());
        while !self.ended && self.woken.0.swap(false, Ordering::AcqRel) {
            self.ended = self.engine.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        }
        !self.ended
    }

    /// Calls a tool by the 2026-07-28 revision on a connection of its own, and gives the JSON-RPC response: for the usual
    /// test of a tool. `arguments` is a JSON object. A tool that waits for something outside gives an empty text.
    pub fn call_tool(&mut self, name: &str, arguments: &str) -> String {
        self.ask("tools/call", name, &format!(r#""name":{},"arguments":{arguments}"#, quoted(name)))
    }

    /// Reads a resource in the same way.
    pub fn read_resource(&mut self, uri: &str) -> String {
        self.ask("resources/read", uri, &format!(r#""uri":{}"#, quoted(uri)))
    }

    /// Gets a prompt in the same way. `arguments` is a JSON object of strings.
    pub fn get_prompt(&mut self, name: &str, arguments: &str) -> String {
        self.ask("prompts/get", name, &format!(r#""name":{},"arguments":{arguments}"#, quoted(name)))
    }

    fn ask(&mut self, method: &str, name: &str, params: &str) -> String {
        let meta = concat!(
            r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
            r#""io.modelcontextprotocol/clientCapabilities":{}}"#
        );
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params},"_meta":{meta}}}}}"#);
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
             MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\nMcp-Name: {name}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let connection = self.connect();
        self.send(&connection, head.as_bytes());
        self.send(&connection, body.as_bytes());
        let answer = String::from_utf8_lossy(&self.receive(&connection)).into_owned();
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }
}

// The text as a JSON string.
fn quoted(text: &str) -> String {
    let mut quoted = vec![0; text.len() * 6 + 2];
    let mut w = Writer::new(&mut quoted);
    w.string(text);
    let length = w.written();
    String::from_utf8_lossy(quoted.get(..length).unwrap_or_default()).into_owned()
}

impl TestConnection {
    /// Ends the direction to the server; it can still answer.
    pub fn half_close(&self) {
        self.pipe().half_closed = true;
        self.pipe().wake();
    }

    /// Breaks the connection.
    pub fn break_off(&self) {
        self.pipe().broken = true;
        self.pipe().wake();
    }

    /// The server ended its direction.
    pub fn is_closed(&self) -> bool {
        self.pipe().closed
    }

    /// The bytes that the server can send before it must wait for the client to read.
    pub fn set_room(&self, room: usize) {
        self.pipe().room = room;
        self.pipe().wake();
    }

    fn pipe(&self) -> MutexGuard<'_, Pipe> {
        lock(&self.pipe)
    }
}

impl Drop for TestConnection {
    fn drop(&mut self) {
        self.break_off();
    }
}

#[derive(Default)]
struct Pipe {
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    room: usize,
    half_closed: bool,
    broken: bool,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn wake(&mut self) {
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }
}

struct ServerEnd(Arc<Mutex<Pipe>>);

impl AsyncRead for ServerEnd {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut pipe = lock(&self.0);
        if pipe.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let n = buf.len().min(pipe.to_server.len());
        if n == 0 && !pipe.half_closed {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        for (to, from) in buf.iter_mut().zip(pipe.to_server.drain(..n)) {
            *to = from;
        }
        Poll::Ready(Ok(n))
    }
}

impl AsyncWrite for ServerEnd {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut pipe = lock(&self.0);
        if pipe.broken || pipe.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let n = buf.len().min(pipe.room.saturating_sub(pipe.to_client.len()));
        if n == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.to_client.extend(buf.iter().take(n));
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.0).closed = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for ServerEnd {
    fn drop(&mut self) {
        lock(&self.0).closed = true;
    }
}

fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
