//! What the server counts: what is done, and which counters grow by that; all others must stay as they are.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../support/wire.rs"]
#[allow(dead_code, reason = "shared by path: this test uses a part of it")]
mod wire;

mod calls;
mod connections;
mod logged;
mod peers;
mod requests;
mod sessions;
mod streams;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use smol::channel;
use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{Call, Config, Elicited, Server, ToolResult, args, tools};

args! {
    struct Text {
        /// What to say.
        text: String,
    }

    struct Name {
        /// Who it is.
        name: String,
    }
}

/// The application under test.
struct App {
    gate: channel::Receiver<()>,
}

tools! {
    impl App {
        /// Answers with the text that it is given.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.text(&args.text).await
        }

        /// Waits until the test lets it go.
        #[read_only]
        #[task]
        async fn wait(&self, call: &mut Call<'_>) -> ToolResult {
            let _ = self.gate.recv().await;
            call.text("let go").await
        }

        /// Answers with much text.
        #[read_only]
        async fn huge(&self, call: &mut Call<'_>) -> ToolResult {
            for _ in 0..256 {
                call.write(&"0123456789abcdef".repeat(64)).await;
            }
            call.done().await
        }

        /// Waits, and answers with more than is kept for a client that is gone.
        #[read_only]
        async fn later(&self, call: &mut Call<'_>) -> ToolResult {
            let _ = self.gate.recv().await;
            call.text(&"x".repeat(8_000)).await
        }

        /// Fails.
        #[read_only]
        async fn fail(&self, _call: &mut Call<'_>) -> ToolResult {
            Err("it does not work".into())
        }

        /// Panics.
        #[read_only]
        #[task]
        async fn panic(&self, _call: &mut Call<'_>) -> ToolResult {
            panic!("on purpose")
        }

        /// Asks who it is.
        #[read_only]
        async fn ask(&self, call: &mut Call<'_>) -> ToolResult {
            match call.elicit::<Name>("name", "Who?").await? {
                Elicited::Accepted(name) => call.text(&name.name).await,
                _ => call.text("nobody").await,
            }
        }
    }
}

/// The server, and what was counted when the test began to look.
struct House {
    server: TestServer,
    gate: channel::Sender<()>,
    before: BTreeMap<String, u64>,
}

impl House {
    fn new(config: Config) -> Self {
        let (opener, gate) = channel::unbounded();
        let server = TestServer::new(Server::new("stats", "1", App { gate }), config).unwrap();
        let mut house = Self { server, gate: opener, before: BTreeMap::new() };
        house.mark();
        house
    }

    /// What happened until now is not what is looked at.
    fn mark(&mut self) {
        self.before = self.counters();
    }

    fn counters(&mut self) -> BTreeMap<String, u64> {
        let mut counters = BTreeMap::new();
        let levels = ["uptime_ms", "now", "most", "capacity", "waiting", "waiting_most"];
        self.server.stats().unwrap().each(|group, name, value| {
            if !levels.contains(&name) {
                counters.insert(format!("{group}.{name}"), value);
            }
        });
        counters
    }

    /// What grew since, and by how much, as `a.b+1 c.d+2`.
    fn grown(&mut self) -> String {
        let now = self.counters();
        let grown = |(name, value): (&String, &u64)| {
            let by = value - self.before.get(name).copied().unwrap_or_default();
            (by > 0).then(|| format!("{name}+{by}"))
        };
        now.iter().filter_map(grown).collect::<Vec<_>>().join(" ")
    }

    /// What grew must be this, in any order, and nothing else.
    fn must_have(&mut self, expected: &str) {
        let sorted = |text: &str| {
            let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            words.sort();
            words.join(" ")
        };
        assert_eq!(sorted(&self.grown()), sorted(expected));
    }

    /// A connection that has sent this.
    fn send(&mut self, bytes: &str) -> TestConnection {
        self.send_from("127.0.0.1", bytes)
    }

    fn send_from(&mut self, peer: &str, bytes: &str) -> TestConnection {
        let connection = self.server.connect_from(peer.parse().unwrap());
        self.server.send(&connection, bytes.as_bytes());
        connection
    }

    fn text(&mut self, connection: &TestConnection) -> String {
        String::from_utf8(self.server.receive(connection)).unwrap()
    }

    /// Sends a request on a connection of its own, which is closed then; the answer.
    fn ask(&mut self, bytes: &str) -> String {
        let connection = self.send(bytes);
        self.text(&connection)
    }

    fn status(&mut self, bytes: &str) -> u16 {
        status(&self.ask(bytes))
    }

    /// Opens a session of this revision; its id. The connection is closed.
    fn session(&mut self, revision: &str) -> String {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": revision, "capabilities": {"elicitation": {}}, "clientInfo": {"name": "a", "version": "1"},
        }});
        let answer = self.ask(&wire::post_to("/mcp", &[], &body.to_string()));
        header(&answer, "Mcp-Session-Id").unwrap_or_else(|| panic!("no session: {answer}"))
    }

    /// Opens the stream of a session, from this address.
    fn stream(&mut self, peer: &str, session: &str) -> TestConnection {
        let get = [("Accept", "text/event-stream"), ("Mcp-Session-Id", session)];
        self.send_from(peer, &wire::bare("GET", "/mcp", &get))
    }
}

fn post(session: &str, body: &str) -> String {
    wire::post_to("/mcp", &[("Mcp-Session-Id", session)], body)
}

fn status(answer: &str) -> u16 {
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

fn header(answer: &str, name: &str) -> Option<String> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

/// A `tools/call` without arguments, of 2026-07-28.
fn call(tool: &str) -> String {
    wire::modern_call("c", tool, &json!({}))
}

/// The same by a client that can follow tasks.
fn task(method: &str, name: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": wire::MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
    });
    let headers = [("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", method), ("Mcp-Name", name)];
    wire::post_to("/mcp", &headers, &wire::request("t", method, &params))
}

#[test]
fn they_are_shown_a_line_for_each_group() {
    let mut house = House::new(Config::new());
    assert_eq!(house.status(&wire::echo("hello")), 200);
    house.server.advance(1_500);
    let stats = house.server.stats().unwrap();
    let shown = stats.to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "server: uptime_ms=1500");
    assert_eq!(
        lines[1],
        "connections: now=0 most=1 capacity=68 accepted=1 reclaimed_idle=0 reclaimed_slow=0 accept_errors=0 accept_aborted=0 not_taken=0"
    );
    assert_eq!(lines[2], "buffers: now=0 most=1 capacity=9 waiting=0 waiting_most=0");
    assert_eq!(lines.len(), 12, "{shown}");
    // What is shown is what is there, by the same names.
    let mut count = 0;
    stats.each(|group, name, value| {
        count += 1;
        assert!(lines.iter().any(|line| line.starts_with(&format!("{group}: "))), "{group}");
        assert!(shown.contains(&format!("{name}={value}")), "{group}.{name}");
    });
    assert_eq!(shown.matches('=').count(), count);
    assert_eq!((stats.calls.finished, stats.requests.served, stats.uptime_ms), (1, 1, 1_500));
}

#[test]
fn who_asks_too_late_is_told_so() {
    let mut house = House::new(Config::new());
    let handle = house.server.handle().clone();
    handle.shutdown();
    house.server.run();
    drop(house);
    let error = smol_mcp::block_on(handle.stats()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
}
