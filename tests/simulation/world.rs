//! Everybody: the server, its clients, and what they know of each other.

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::json;
use smol::channel::Sender;
use smol_mcp::testing::TestServer;
use smol_mcp::{ClientInfo, LogLevel, Message, Stats};

use crate::house::{self, CALLS, CONNECTIONS, SESSIONS, STREAMS, TOOLS};
use crate::peer::{Came, Expected, Peer};
use crate::random::Random;
use crate::support::wire;

/// More clients than there are places.
const PEERS_MAX: usize = CONNECTIONS + 6;
/// Sessions that clients remember: more than the server has places for.
const KNOWN_MAX: usize = 12;
const REVISIONS: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];
/// What a well-formed request may be answered with: its result, or that there is no room now.
const ANY: &[u16] = &[200, 503];
const ACCEPTED: &[u16] = &[202, 503];

/// A session, as its client knows it.
#[derive(Clone)]
struct Known {
    id: String,
    name: String,
}

/// The server and its clients.
pub(crate) struct World {
    random: Random,
    server: TestServer,
    gate: Sender<()>,
    peers: Vec<Peer>,
    sessions: Vec<Known>,
    /// Sessions that their clients ended.
    ended: HashSet<String>,
    serial: u64,
    answers: u64,
    refusals: u64,
    events: u64,
    own_messages: u64,
}

impl World {
    /// A quiet morning.
    pub(crate) fn new(random: Random) -> Self {
        let (server, gate) = house::open();
        Self {
            random,
            server,
            gate,
            peers: Vec::new(),
            sessions: Vec::new(),
            ended: HashSet::new(),
            serial: 0,
            answers: 0,
            refusals: 0,
            events: 0,
            own_messages: 0,
        }
    }

    /// What happened, in numbers.
    pub(crate) fn tally(&self) -> String {
        let Self { answers, refusals, events, own_messages, .. } = self;
        format!("{answers} answers, {refusals} refusals, {events} events, of which {own_messages} for one client")
    }

    /// Something happens.
    pub(crate) fn step(&mut self) {
        match self.random.below(20) {
            0 | 1 => self.connect(),
            2..=5 => self.call_modern(),
            6..=8 => self.call_in_session(),
            9 => self.initialize(),
            10 => self.listen(),
            11 => self.continue_request(),
            12 => self.misbehave(),
            13 => self.go(),
            14 => self.tell_one(),
            15 => drop(self.gate.try_send(())),
            16 => {
                let room = self.random.pick(&[0, 100, 3000, usize::MAX]);
                self.some_peer(|world, at| world.peers[at].connection.set_room(room));
                self.server.run();
            }
            17 => {
                let milliseconds = self.random.pick(&[1, 500, 1_100, 3_000, 16_000]);
                self.server.advance(milliseconds);
            }
            _ => self.read_all(),
        }
        if self.random.once_in(3) {
            self.read_all();
        }
    }

    /// Everybody goes; after a while all slots must be free again.
    pub(crate) fn empty_and_look(&mut self) {
        self.read_all();
        self.peers.clear();
        while self.gate.try_send(()).is_ok() {}
        self.server.run();
        // Longer than every deadline: those of calls, sessions, and of what lingers.
        self.server.advance(60_000);
        while self.server_takes_gate() {}
        // As many as are served at once, each with a call that waits where there is one.
        let idle: Vec<_> = (0..CONNECTIONS).map(|_| self.server.connect()).collect();
        for connection in &idle {
            self.must_answer(connection, &wire::echo("a slot"), "\"a slot\"");
        }
        drop(idle);
        self.server.run();
        let waiting: Vec<_> = (0..CALLS).map(|_| self.server.connect()).collect();
        for connection in &waiting {
            self.server.send(connection, wire::modern_call("w", "wait", &json!({"text": "let go"})).as_bytes());
            assert!(self.server.receive(connection).is_empty(), "it waits");
        }
        for _ in &waiting {
            self.gate.try_send(()).unwrap();
        }
        self.server.run();
        for connection in &waiting {
            let answer = String::from_utf8(self.server.receive(connection)).unwrap();
            assert!(answer.contains("let go"), "a call's slot is lost: {answer:?}");
        }
        drop(waiting);
        let streams: Vec<_> = (0..STREAMS).map(|_| self.server.connect()).collect();
        for connection in &streams {
            self.must_answer(connection, &wire::listen("a listener", "l"), "acknowledged");
        }
        drop(streams);
        self.server.run();
        let connection = self.server.connect();
        for n in 0..SESSIONS {
            // Long enough for each to have been idle.
            self.server.advance(1_500);
            let initialize = wire::initialize("2025-11-25", &format!("n{n}"));
            self.must_answer(&connection, &wire::post_to("/mcp", &[], &initialize), "Mcp-Session-Id");
        }
        drop(connection);
        self.server.run();
    }

    /// What the server counted.
    pub(crate) fn stats(&mut self) -> Stats {
        self.server.stats().unwrap()
    }

    // The gate's permits that nobody took are taken back.
    fn server_takes_gate(&mut self) -> bool {
        if self.gate.is_empty() {
            return false;
        }
        let connection = self.server.connect();
        self.must_answer(&connection, &wire::modern_call("w", "wait", &json!({"text": "a permit"})), "a permit");
        true
    }

    fn must_answer(&mut self, connection: &smol_mcp::testing::TestConnection, request: &str, text: &str) {
        self.server.send(connection, request.as_bytes());
        let answer = String::from_utf8(self.server.receive(connection)).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.to_lowercase().contains(&text.to_lowercase()),
            "{answer:?}"
        );
    }

    fn connect(&mut self) {
        if self.peers.len() < PEERS_MAX {
            let connection = self.server.connect();
            self.peers.push(Peer::new(connection));
        }
    }

    fn call_modern(&mut self) {
        let Some(at) = self.free_peer() else { return self.connect() };
        let (id, text) = self.token();
        let tool = self.random.pick(&TOOLS);
        let request = wire::modern_call(&id, tool, &json!({"text": text}));
        self.send(at, &request, Expected { id, text, statuses: ANY, opens: None, session: None });
    }

    fn call_in_session(&mut self) {
        let Some(at) = self.free_peer() else { return self.connect() };
        if self.sessions.is_empty() {
            return self.initialize();
        }
        let which = self.random.below(self.sessions.len());
        let known = self.sessions[which].clone();
        let session = Some(known.id.clone());
        let headers = [("Mcp-Session-Id", known.id.as_str())];
        match self.random.below(12) {
            0 => {
                self.sessions.remove(which);
                self.ended.insert(known.id.clone());
                let request = wire::bare("DELETE", "/mcp", &headers);
                let expected = Expected { id: String::new(), text: String::new(), statuses: ANY, opens: None, session };
                self.send(at, &request, expected);
            }
            1 | 2 => {
                let request = wire::bare("GET", "/mcp", &[headers[0], ("Accept", "text/event-stream")]);
                let opens = Some(known.name);
                self.send(
                    at,
                    &request,
                    Expected { id: String::new(), text: String::new(), statuses: ANY, opens, session },
                );
            }
            3 => {
                let request = wire::post_to("/mcp", &headers, &wire::cancelled(self.serial));
                let expected =
                    Expected { id: String::new(), text: String::new(), statuses: ACCEPTED, opens: None, session };
                self.send(at, &request, expected);
            }
            _ => {
                let (id, text) = self.token();
                let tool = self.random.pick(&TOOLS);
                let body = wire::call(id.clone(), tool, &json!({"text": text}));
                let request = wire::post_to("/mcp", &headers, &body);
                self.send(at, &request, Expected { id, text, statuses: ANY, opens: None, session });
            }
        }
    }

    fn initialize(&mut self) {
        let Some(at) = self.free_peer() else { return self.connect() };
        if !self.peers[at].expected.is_empty() {
            return;
        }
        let (_, name) = self.token();
        let body = wire::initialize(self.random.pick(&REVISIONS), &name);
        let expected = Expected { id: "init".into(), text: name, statuses: ANY, opens: None, session: None };
        self.send(at, &wire::post_to("/mcp", &[], &body), expected);
    }

    fn listen(&mut self) {
        let Some(at) = self.free_peer() else { return self.connect() };
        let (id, name) = self.token();
        let request = wire::listen(&name, &id);
        self.send(at, &request, Expected { id, text: String::new(), statuses: ANY, opens: Some(name), session: None });
    }

    // Sends a request, sometimes only a part of it for now.
    fn send(&mut self, at: usize, request: &str, expected: Expected) {
        let cut = if self.random.once_in(4) { self.random.below(request.len()) } else { request.len() };
        let (now, later) = request.as_bytes().split_at(cut);
        let peer = &mut self.peers[at];
        peer.rest = later.to_vec();
        peer.expected.push_back(expected);
        self.server.send(&peer.connection, now);
    }

    fn continue_request(&mut self) {
        let Some(at) = self.peers.iter().position(|peer| !peer.rest.is_empty()) else { return };
        let length = self.peers[at].rest.len();
        let part = if self.random.once_in(2) { length } else { self.random.below(length) + 1 };
        let now: Vec<u8> = self.peers[at].rest.drain(..part).collect();
        self.server.send(&self.peers[at].connection, &now);
    }

    fn misbehave(&mut self) {
        let Some(at) = self.free_peer() else { return };
        let (id, text) = self.token();
        let mut bytes = wire::modern_call(&id, "echo", &json!({"text": text})).into_bytes();
        for _ in 0..=self.random.below(4) {
            let place = self.random.below(bytes.len());
            match self.random.below(3) {
                0 => bytes[place] = u8::try_from(self.random.below(256)).unwrap(),
                1 => drop(bytes.remove(place)),
                _ => bytes.insert(place, self.random.pick(b"\r\n :{}[]\",\\\0\xff9")),
            }
        }
        self.peers[at].wild = true;
        self.server.send(&self.peers[at].connection, &bytes);
    }

    fn go(&mut self) {
        if self.peers.is_empty() {
            return;
        }
        let at = self.random.below(self.peers.len());
        if self.random.once_in(3) {
            self.peers[at].half_closed = true;
            self.peers[at].connection.half_close();
        } else {
            self.peers.swap_remove(at);
        }
        self.server.run();
    }

    fn tell_one(&mut self) {
        let mut clients = self.clients();
        // One that came back by its id has no name.
        clients.retain(|client| !client.name.is_empty());
        if clients.is_empty() {
            return;
        }
        let client = &clients[self.random.below(clients.len())];
        let text = format!("only for {:?}", client.name);
        // A queue that is full is no harm.
        drop(self.server.handle().send(client.id, Message::text(LogLevel::Error, None, &text)));
        self.server.run();
    }

    fn clients(&mut self) -> Vec<ClientInfo> {
        let handle = self.server.handle().clone();
        let mut asked = pin!(handle.clients(64));
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            match asked.as_mut().poll(&mut cx) {
                Poll::Ready(clients) => return clients.unwrap(),
                Poll::Pending => assert!(self.server.run()),
            }
        }
    }

    fn read_all(&mut self) {
        for at in 0..self.peers.len() {
            let bytes = self.server.receive(&self.peers[at].connection);
            self.peers[at].feed(&bytes);
            if !self.peers[at].wild {
                while let Some(came) = self.peers[at].next() {
                    self.judge(at, came);
                }
            }
        }
        self.peers.retain(|peer| !peer.connection.is_closed());
    }

    fn judge(&mut self, at: usize, came: Came) {
        match came {
            Came::Event(data) => {
                self.events += 1;
                let name = self.peers[at].stream.clone().unwrap();
                if let Some((_, whose)) = data.split_once("only for ") {
                    self.own_messages += 1;
                    assert!(whose.contains(&format!("\\\"{name}\\\"")), "{name} was told {data}");
                }
            }
            Came::Answer { status, session, body } => {
                let Some(expected) = self.peers[at].expected.pop_front() else {
                    // Nothing was asked: the house was full, or the peer too slow.
                    assert!(matches!(status, 503 | 408), "{status} {body}");
                    return;
                };
                if status == 503 || status == 408 {
                    self.refusals += 1;
                    return;
                }
                self.answers += 1;
                // A session that was not ended is never unknown.
                if status == 404 && expected.session.is_some_and(|id| self.ended.contains(&id)) {
                    return;
                }
                assert!(expected.statuses.contains(&status), "{status} {body}, expected {:?}", expected.statuses);
                if !expected.id.is_empty() && expected.opens.is_none() {
                    let id = format!("\"id\":{}", json!(expected.id));
                    assert!(body.contains(&id), "{id} is missing: {body}");
                }
                if let Some(id) = session {
                    self.know(Known { id, name: expected.text });
                } else if !body.contains("took too long") {
                    assert!(body.contains(&expected.text), "{} is missing: {body}", expected.text);
                }
            }
        }
    }

    fn know(&mut self, known: Known) {
        if self.sessions.len() >= KNOWN_MAX {
            let which = self.random.below(self.sessions.len());
            self.sessions.swap_remove(which);
        }
        self.sessions.push(known);
    }

    fn free_peer(&mut self) -> Option<usize> {
        let free: Vec<usize> = (0..self.peers.len()).filter(|at| self.peers[*at].is_open()).collect();
        (!free.is_empty()).then(|| self.random.pick(&free))
    }

    fn some_peer(&mut self, then: impl FnOnce(&mut Self, usize)) {
        if !self.peers.is_empty() {
            let at = self.random.below(self.peers.len());
            then(self, at);
        }
    }

    fn token(&mut self) -> (String, String) {
        self.serial += 1;
        (format!("i{}", self.serial), format!("t{}x", self.serial))
    }
}
