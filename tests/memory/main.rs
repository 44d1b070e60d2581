//! What the server's thread allocates once it serves: nothing of its own, and of async-io, where that waits for it, what is named here. A counting
//! allocator tells, for each kind of traffic: blocks for each step, and bytes that stay.
#![allow(clippy::print_stdout, reason = "the figures are to be read")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../support/mod.rs"]
mod support;

mod counting;
mod start;
mod tokens;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::json;
use smol_mcp::{Call, Config, Handle, LogLevel, MemoryBudget, Message, Server, ToolResult, args, block_on, tools};

use counting::{Counting, counted, counts};
use support::client::{Client, Next};
use support::{until, wire};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Steps before the count, so that what grows once has grown.
const WARM_UP: usize = 40;
/// Steps that are counted.
const STEPS: u32 = 200;
/// More than are left behind here, as nobody may make room within a second.
const SESSIONS: usize = 1024;
/// Nothing is allocated for that long: the server has done with the last step.
const QUIET: Duration = Duration::from_millis(60);
/// What async-io's reactor allocates at most for the wake-ups of a step, where it waits: a list of wakers for each.
const REACTOR_PER_STEP: f64 = 12.0;

args! {
    struct Text {
        /// What to say.
        text: heapless::String<1024>,
    }
}

struct App;

tools! {
    impl App {
        /// Says it again.
        #[read_only]
        async fn echo(&self, call: &mut Call<'_>, args: Text) -> ToolResult {
            call.text(&args.text).await
        }

        /// Tells its progress.
        #[read_only]
        #[task]
        async fn progress(&self, call: &mut Call<'_>) -> ToolResult {
            for step in 1..=3 {
                call.progress(f64::from(step), Some(3.0), Some("on the way")).await;
            }
            call.text("done").await
        }

        /// A text that no buffer holds.
        #[read_only]
        async fn long(&self, call: &mut Call<'_>) -> ToolResult {
            for n in 0..2000 {
                call.print(format_args!("{n} times sixty-four is {}\n", n * 64)).await;
            }
            call.done().await
        }

        /// Fails.
        #[read_only]
        async fn fail(&self, _call: &mut Call<'_>) -> ToolResult {
            Err("it does not work".into())
        }

        /// Announces a change.
        #[additive]
        async fn change(&self, call: &mut Call<'_>) -> ToolResult {
            call.tools_changed();
            call.broadcast(LogLevel::Info, "a change");
            call.text("changed").await
        }
    }
}

struct Running {
    address: SocketAddr,
    handle: Handle,
    budget: MemoryBudget,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn start(by: By) -> Self {
        Self::start_with(|config| config, by)
    }

    fn start_with(more: fn(Config) -> Config, by: By) -> Self {
        IS_BY_ASYNC_IO.store(by == By::AsyncIo, Ordering::SeqCst);
        let (tell, told) = mpsc::sync_channel(1);
        let thread = thread::spawn(move || {
            counting::count_this_thread();
            let server = Server::new("memory", "1", App);
            let handle = server.handle();
            let config = Config::new().listen(([127, 0, 0, 1], 0).into()).sessions(SESSIONS);
            // A task makes room for the next as soon as it has ended.
            let config = more(config.tasks(4).task_ttl_ms(0));
            let budget = server.memory_budget(&config);
            let bound = server.bind(config).unwrap();
            tell.send((bound.local_addr().unwrap(), handle, budget)).unwrap();
            // On the heap, where it is counted.
            let server = counted(Box::pin(bound.run()));
            match by {
                By::Itself => block_on(server).unwrap(),
                By::AsyncIo => smol::block_on(server).unwrap(),
            }
        });
        let (address, handle, budget) = told.recv().unwrap();
        Self { address, handle, budget, thread: Some(thread) }
    }

    fn connect(&self) -> Client {
        Client::connect(self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.shutdown();
        drop(self.thread.take().map(thread::JoinHandle::join));
    }
}

/// What waits for what happens to a server's sockets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Itself,
    AsyncIo,
}

/// The server that runs is run by async-io.
static IS_BY_ASYNC_IO: AtomicBool = AtomicBool::new(false);

fn is_by_async_io() -> bool {
    IS_BY_ASYNC_IO.load(Ordering::SeqCst)
}

/// Runs steps, and holds what they allocate on the server's thread to `most` blocks a step. No byte may stay.
fn measure(name: &str, most: f64, mut step: impl FnMut()) {
    (0..WARM_UP).for_each(|_| step());
    let before = settled();
    (0..STEPS).for_each(|_| step());
    let after = settled();
    let each = |after: u64, before: u64| f64::from(u32::try_from(after - before).unwrap()) / f64::from(STEPS);
    let (polled, reactor) = (each(after.polled, before.polled), each(after.reactor, before.reactor));
    let stays = after.live - before.live;
    println!("# {name}: {polled:.2} allocations a step, {reactor:.2} between polls; {stays} bytes stay");
    assert!(polled <= most, "{name}: {polled} allocations a step, {most} are known");
    let known = if is_by_async_io() { REACTOR_PER_STEP } else { 0.0 };
    assert!(reactor <= known, "{name}: {reactor} allocations a step between polls, {known} are known");
    // async-io's table of sources may grow once more, by what it doubles to.
    let known = if is_by_async_io() { 4096 } else { 0 };
    assert!(stays <= known, "{name}: {stays} bytes stay after {STEPS} steps");
}

fn settled() -> counting::Counts {
    until("the server is quiet", || {
        let before = counts();
        thread::sleep(QUIET);
        (counts() == before).then_some(before)
    })
}

// One test: they would count each other's server.
#[test]
fn nothing_is_allocated_but_what_is_named() {
    for by in [By::Itself, By::AsyncIo] {
        let server = Running::start(by);
        start::is_the_sum(&server);
        start::connections_take_nothing(&server);
        requests_on_an_open_connection(&server);
        refusals(&server);
        sessions(&server);
        connections(&server);
        events(&server);
        tasks(&server);
    }
    tokens::are_looked_at_in_place();
}

fn requests_on_an_open_connection(server: &Running) {
    let mut client = server.connect();
    let echo = wire::echo("hello");
    measure("a call, 2026-07-28", 0.0, || assert_eq!(client.ask(&echo).status, 200));
    let list = wire::modern("1", "tools/list", json!({}));
    measure("tools/list, 2026-07-28", 0.0, || assert_eq!(client.ask(&list).status, 200));
    let fail = wire::modern_call("1", "fail", &json!({}));
    measure("a call that fails", 0.0, || assert_eq!(client.ask(&fail).status, 200));
    let long = wire::modern_call("1", "long", &json!({}));
    measure("a text of 60 kB, in chunks", 0.0, || assert!(client.ask(&long).body.len() > 50_000));
    let wrong = wire::modern_call("1", "echo", &json!({"text": 7}));
    measure("a wrong argument", 0.0, || assert_eq!(client.ask(&wrong).json()["result"]["isError"], true));
    let unicode = wire::echo("\u{1F600} \u{e4}\u{f6} \\ \" \n and 1 kB more ".repeat(30).as_str());
    measure("a call with escapes", 0.0, || assert_eq!(client.ask(&unicode).status, 200));
    let progress =
        wire::modern("1", "tools/call", json!({"name": "progress", "arguments": {}, "_meta": {"progressToken": "p"}}));
    measure("a call with progress, as events", 0.0, || assert_eq!(client.ask(&progress).status, 200));
    let session = client.initialize("2025-11-25", "a session");
    let call = session.post(&wire::call(1, "echo", &json!({"text": "hello"})));
    measure("a call, 2025-11-25", 0.0, || assert_eq!(client.ask(&call).status, 200));
    let batch = client.initialize("2025-03-26", "a batch");
    let each = wire::call(1, "echo", &json!({"text": "hello"}));
    let batch = batch.post(&format!("[{each},{each}]"));
    measure("a batch of two", 0.0, || assert_eq!(client.ask(&batch).status, 200));
    let ping = session.post(&wire::request(1, "ping", &json!({})));
    measure("ping", 0.0, || assert_eq!(client.ask(&ping).status, 200));
    let notification = session.post(&wire::notification("notifications/roots/list_changed", &json!({})));
    measure("a notification", 0.0, || assert_eq!(client.ask(&notification).status, 202));
}

fn refusals(server: &Running) {
    let mut client = server.connect();
    for (name, request, status) in [
        ("no such path", wire::bare("GET", "/nowhere", &[]), 404),
        ("GET without a session", wire::bare("GET", "/mcp", &[]), 405),
        ("not JSON", wire::post_to("/mcp", &[], "{"), 400),
        ("no session", wire::post_to("/mcp", &[("Mcp-Session-Id", "x")], &wire::request(1, "ping", &json!({}))), 404),
        ("unknown method", wire::modern("1", "no/such", json!({})), 404),
        ("a foreign origin", wire::bare("GET", "/mcp", &[("Origin", "https://evil.example")]), 403),
    ] {
        measure(name, 0.0, || assert_eq!(client.ask(&request).status, status, "{name}"));
    }
    let address = server.address;
    for (name, bytes) in [
        ("a broken head", "GET / HTTP/9.9\r\n\r\n"),
        ("two lengths", "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        ("too large", "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"),
    ] {
        measure(name, 0.0, || {
            let mut client = Client::connect(address);
            assert!(client.ask(bytes).status >= 400);
            client.ends();
        });
    }
}

fn sessions(server: &Running) {
    let mut client = server.connect();
    measure("a session, opened and ended", 0.0, || {
        let session = client.initialize("2025-11-25", "one of many");
        assert_eq!(client.ask(&session.delete()).status, 200);
    });
    measure("a session that is left behind", 0.0, || {
        client.initialize("2025-06-18", "one that never ends it");
    });
}

fn connections(server: &Running) {
    measure("a connection, and one call", 0.0, || {
        assert_eq!(server.connect().ask(&wire::echo("hello")).status, 200);
    });
    measure("a connection that is reset", 0.0, || {
        let mut client = server.connect();
        assert_eq!(client.ask(&wire::echo("hello")).status, 200);
        client.reset();
    });
    measure("a 2024-11-05 stream, opened and left", 0.0, || {
        server.connect().open_http_sse();
    });
    let mut client = server.connect();
    let session = client.initialize("2025-11-25", "a listener");
    measure("a GET stream, opened and left", 0.0, || {
        assert_eq!(server.connect().open(&session.get()).status, 200);
    });
}

fn events(server: &Running) {
    let mut client = server.connect();
    let session = client.initialize("2025-11-25", "the listener");
    let mut listeners: Vec<Client> = vec![server.connect(), server.connect(), server.connect()];
    assert_eq!(listeners[0].open(&session.get()).status, 200);
    for (client, id) in listeners[1..].iter_mut().zip(["a", "b"]) {
        assert_eq!(client.open(&wire::listen("listener", id)).status, 200);
        client.message();
    }
    let change = wire::modern_call("1", "change", &json!({}));
    measure("a change, told to three", 0.0, || {
        assert_eq!(client.ask(&change).status, 200);
        assert!(listeners[0].message()["method"].is_string());
        for client in &mut listeners {
            assert!(client.message()["method"].is_string());
        }
    });
    measure("a message of another thread", 1.0, || {
        server.handle.broadcast(Message::text(LogLevel::Error, None, "from afar")).unwrap();
        assert!(matches!(listeners[0].next(), Next::Event(..)));
    });
}

fn tasks(server: &Running) {
    let mut client = server.connect();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": wire::MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
    });
    let request = |method: &str, name: &str, params: serde_json::Value| {
        let headers = [("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", method), ("Mcp-Name", name)];
        wire::post_to("/mcp", &headers, &wire::request("t", method, &params))
    };
    let call = request("tools/call", "progress", json!({"name": "progress", "arguments": {}, "_meta": meta}));
    measure("a task, and a look at it", 0.0, || {
        let created = client.ask(&call).json();
        let task = created["result"]["taskId"].as_str().expect("a task").to_owned();
        let get = request("tasks/get", &task, json!({"taskId": task, "_meta": meta}));
        assert_eq!(client.ask(&get).status, 200);
    });
}
