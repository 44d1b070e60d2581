//! A connection of the application that is as bad as a connection can be, at every byte; others are served, and nothing is left behind.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use serde_json::json;
use smol::io::{AsyncRead, AsyncWrite};
use smol_mcp::Config;
use smol_mcp::testing::TestServer;

use crate::app;
use crate::support::wire;

/// What a direction does when it has taken so many bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// The same as before, without end.
    GoOn,
    Fail(ErrorKind),
    /// It says that it took nothing, or that nothing will come.
    End,
    Panic,
    /// It says nothing any more.
    Silence,
}

/// How a connection behaves.
#[derive(Clone, Copy, Debug)]
struct Ways {
    /// Bytes at once.
    step: usize,
    /// Every other poll is `Pending`.
    hesitates: bool,
    /// Every other poll is `Interrupted`.
    interrupted: bool,
    /// Bytes stay inside until they are flushed, and that takes several polls.
    holds_back: bool,
    /// It says that it took or gave more than there is.
    lies: bool,
    read: (usize, Then),
    write: (usize, Then),
}

const GOOD: Ways = Ways {
    step: usize::MAX,
    hesitates: false,
    interrupted: false,
    holds_back: false,
    lies: false,
    read: (usize::MAX, Then::GoOn),
    write: (usize::MAX, Then::GoOn),
};

#[derive(Default)]
struct State {
    to_server: VecDeque<u8>,
    inside: Vec<u8>,
    to_client: Vec<u8>,
    /// Polls of each direction: reading, writing.
    polls: [usize; 2],
    flushes: usize,
    read: usize,
    written: usize,
    closed: bool,
    dropped: bool,
    hung_up: bool,
    reader: Option<Waker>,
}

/// The server's end.
struct Bad(Arc<Mutex<State>>, Ways);

impl Bad {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    // Whether a poll goes on; how far it may.
    fn meet(
        &self,
        cx: &Context<'_>,
        which: usize,
        done: usize,
        (limit, then): (usize, Then),
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        state.polls[which] += 1;
        let odd = state.polls[which] % 2 == 1;
        drop(state);
        if odd && self.1.interrupted {
            return Poll::Ready(Err(ErrorKind::Interrupted.into()));
        }
        if odd && self.1.hesitates {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if done < limit {
            return Poll::Ready(Ok(self.1.step.min(limit - done)));
        }
        match then {
            Then::GoOn => Poll::Ready(Ok(self.1.step)),
            Then::Fail(kind) => Poll::Ready(Err(kind.into())),
            Then::End => Poll::Ready(Ok(0)),
            Then::Panic => panic!("on purpose"),
            Then::Silence => Poll::Pending,
        }
    }
}

impl AsyncRead for Bad {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let done = self.state().read;
        let most = std::task::ready!(self.meet(cx, 0, done, self.1.read))?;
        let mut state = self.state();
        if state.to_server.is_empty() {
            if most == 0 || state.hung_up {
                return Poll::Ready(Ok(0));
            }
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let n = buf.len().min(most).min(state.to_server.len());
        buf.iter_mut().zip(state.to_server.drain(..n)).for_each(|(to, from)| *to = from);
        state.read += n;
        Poll::Ready(Ok(if self.1.lies && n == buf.len() { n + 7 } else { n }))
    }
}

impl AsyncWrite for Bad {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let done = self.state().written;
        let most = std::task::ready!(self.meet(cx, 1, done, self.1.write))?;
        let n = buf.len().min(most);
        let mut state = self.state();
        state.written += n;
        if self.1.holds_back {
            state.inside.extend_from_slice(&buf[..n]);
        } else {
            state.to_client.extend_from_slice(&buf[..n]);
        }
        Poll::Ready(Ok(if self.1.lies && n == buf.len() { n + 7 } else { n }))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        state.flushes += 1;
        if self.1.holds_back && !state.flushes.is_multiple_of(3) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let inside = std::mem::take(&mut state.inside);
        state.to_client.extend(inside);
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.as_mut().poll_flush(cx))?;
        self.state().closed = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        self.state().dropped = true;
        assert!(self.1.read.1 != Then::Panic || std::thread::panicking(), "on purpose");
    }
}

// One that panicked with the lock in its hand has changed nothing.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server with little room, so that what is not given back is missed at once.
struct House {
    server: TestServer,
}

impl House {
    fn new() -> Self {
        let config = Config::new().connections(6).calls(1).streams(2).sessions(8).tool_timeout_ms(30_000);
        Self { server: TestServer::new(app::server(), config).unwrap() }
    }

    // Sends this by such a connection; what came back.
    fn send(&mut self, request: &str, ways: Ways) -> Arc<Mutex<State>> {
        let state = State { to_server: request.bytes().collect(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        self.server.handle().connect(Box::new(Bad(state.clone(), ways)), None, None);
        assert!(self.server.run(), "the server runs");
        state
    }

    // Others are served while a connection is as it is, and when its client hangs up it is gone; or when its time is over.
    fn outlives(&mut self, state: &Arc<Mutex<State>>, what: &str) -> Vec<u8> {
        {
            let mut state = lock(state);
            state.hung_up = true;
            state.reader.take().into_iter().for_each(Waker::wake);
        }
        self.server.run();
        if !lock(state).dropped {
            // Longer than any deadline of a silent one.
            self.server.advance(100_000);
        }
        let answer = self.server.call_tool("echo", r#"{"text":"beside"}"#);
        assert!(answer.contains("beside"), "{what}: {answer:?}");
        let state = lock(state);
        assert!(state.dropped, "{what}: it is still there");
        state.to_client.clone()
    }

    // All places are free.
    fn is_whole(&mut self) {
        let streams: Vec<_> = (0..2).map(|_| self.server.connect()).collect();
        for stream in &streams {
            self.server.send(stream, wire::listen("whole", "l").as_bytes());
            let begin = String::from_utf8(self.server.receive(stream)).unwrap();
            assert!(begin.starts_with("HTTP/1.1 200 "), "{begin}");
        }
        let idle: Vec<_> = (0..4).map(|_| self.server.connect()).collect();
        for client in &idle {
            self.server.send(client, wire::echo("whole").as_bytes());
            let answer = String::from_utf8(self.server.receive(client)).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
        drop((streams, idle));
        self.server.advance(1_000);
    }
}

/// What is sent, and what is always a part of the right answer.
fn requests(house: &mut House) -> Vec<(&'static str, String, &'static str)> {
    let progress = json!({"name": "steps", "arguments": {}, "_meta": {"progressToken": "p"}});
    let opened = house.send(&wire::post_to("/mcp", &[], &wire::initialize("2025-11-25", "a")), GOOD);
    let head = String::from_utf8(opened.lock().unwrap().to_client.clone()).unwrap();
    let id = head.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: ")).expect("a session").to_owned();
    let session = [("Mcp-Session-Id", id.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
    let get = [session[0], session[1], ("Accept", "text/event-stream")];
    let steps = wire::post_to("/mcp", &session, &wire::request(1, "tools/call", &progress));
    vec![
        ("JSON", wire::modern_call("1", "echo", &json!({"text": "right"})), "right"),
        ("SSE", steps, "there"),
        ("chunked", wire::modern_call("1", "much", &json!({})), "abcdef\"}]"),
        ("refused", wire::bare("PUT", "/mcp", &[]), "405 "),
        ("GET", wire::bare("GET", "/mcp", &get), "retry: "),
        ("2024-11-05", wire::get_http_sse(), "event: endpoint"),
        ("listen", wire::listen("a", "l"), "acknowledged"),
        ("DELETE", wire::bare("DELETE", "/mcp", &session), " 200 "),
    ]
}

// Where it is cut: everywhere by what is usual, and by the rest here and there; of what is long the beginning, the end, and some places between.
fn cuts(length: usize, then: Then) -> impl Iterator<Item = usize> {
    let every = if then == Then::Fail(ErrorKind::ConnectionReset) { 1 } else { 13 };
    (0..length).filter(move |at| *at < 700 || length - at < 40 || at % 1021 == 0).step_by(every)
}

#[test]
fn slow_connections_get_all_of_their_answer() {
    let mut house = House::new();
    for (kind, request, part) in requests(&mut house) {
        let right = house.send(&request, GOOD);
        let right = house.outlives(&right, kind);
        assert!(String::from_utf8_lossy(&right).contains(part), "{kind}: {}", String::from_utf8_lossy(&right));
        if kind == "DELETE" {
            // It is gone the second time.
            continue;
        }
        for ways in [
            Ways { step: 1, ..GOOD },
            Ways { step: 1, hesitates: true, ..GOOD },
            Ways { step: 7, interrupted: true, ..GOOD },
            Ways { holds_back: true, ..GOOD },
            Ways { step: 5, holds_back: true, hesitates: true, ..GOOD },
            Ways { step: 3, lies: true, ..GOOD },
            Ways { lies: true, ..GOOD },
        ] {
            let state = house.send(&request, ways);
            let at_once = state.lock().unwrap().to_client.clone();
            let answer = house.outlives(&state, kind);
            // Ids and pauses are never the same.
            let text = String::from_utf8_lossy(&at_once);
            assert!(text.contains(part), "{kind}: {ways:?}: {text:?} ({} bytes later)", answer.len());
            if kind == "chunked" {
                assert_eq!(answer.len(), right.len(), "{ways:?}");
            }
        }
    }
    house.is_whole();
}

#[test]
fn what_breaks_while_it_writes_harms_nobody() {
    let mut house = House::new();
    let all = requests(&mut house);
    for (kind, request, _) in &all {
        let right = house.send(request, GOOD);
        let right = house.outlives(&right, kind).len();
        for then in [Then::Fail(ErrorKind::ConnectionReset), Then::Fail(ErrorKind::WouldBlock), Then::End, Then::Panic]
        {
            for at in cuts(right, then) {
                let state = house.send(request, Ways { write: (at, then), ..GOOD });
                let answer = house.outlives(&state, &format!("{kind}: {then:?} at {at}"));
                assert!(answer.len() <= at, "{kind}: {then:?} at {at}: {} bytes", answer.len());
            }
        }
        house.is_whole();
    }
}

#[test]
fn what_breaks_while_it_reads_harms_nobody() {
    let mut house = House::new();
    let all = requests(&mut house);
    for (kind, request, _) in &all {
        for then in [Then::Fail(ErrorKind::ConnectionReset), Then::Fail(ErrorKind::Other), Then::End, Then::Panic] {
            for at in cuts(request.len() + 1, then) {
                let state = house.send(request, Ways { read: (at, then), ..GOOD });
                house.outlives(&state, &format!("{kind}: {then:?} at {at}"));
            }
        }
        house.is_whole();
    }
}

#[test]
fn silence_at_any_byte_has_its_time() {
    let mut house = House::new();
    let all = requests(&mut house);
    for (kind, request, _) in &all {
        for at in (0..request.len()).step_by(23) {
            let state = house.send(request, Ways { read: (at, Then::Silence), ..GOOD });
            house.outlives(&state, &format!("{kind}: silence at {at}"));
        }
        for at in (0..300).step_by(23) {
            let state = house.send(request, Ways { write: (at, Then::Silence), ..GOOD });
            house.outlives(&state, &format!("{kind}: unread from {at} on"));
        }
        house.is_whole();
    }
}
