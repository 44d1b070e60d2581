//! SIGTERM, SIGINT, and a second one of them, whatever the server is doing: it ends within two seconds, and rightly.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::child::Child;
use crate::support::client::Client;
use crate::support::wire;

/// What a server may be busy with: gives the clients, which stay as they are until it has ended.
type Busy = fn(&Child) -> Vec<Client>;

fn fault(child: &Child, way: &str) -> Client {
    let mut client = child.connect();
    let params = json!({"name": "fault", "arguments": {"way": way}, "_meta": {"progressToken": "p"}});
    let session = child.session("2025-11-25");
    client.send(&session.post(&wire::request(1, "tools/call", &params)));
    client
}

const STATES: &[(&str, Busy)] = &[
    ("nothing", |_| Vec::new()),
    ("a call that never ends", |child| vec![fault(child, "never")]),
    ("a call that never rests", |child| vec![fault(child, "restless")]),
    ("a call that writes without end to who does not read", |child| vec![fault(child, "flood")]),
    ("calls that tell without end", |child| (0..8).map(|_| fault(child, "chatter")).collect()),
    ("a call whose client left", |child| {
        fault(child, "flood").reset();
        Vec::new()
    }),
    ("a call that panics when it is dropped", |child| vec![fault(child, "panic_drop")]),
    ("all calls taken, and more that wait", |child| (0..12).map(|_| fault(child, "never")).collect()),
    ("a call of 2024-11-05 whose stream is not read", |child| {
        let mut stream = child.connect();
        let path = stream.open_http_sse();
        let flood = wire::call(1, "fault", &json!({"way": "flood"}));
        assert_eq!(child.connect().ask(&wire::post_to(&path, &[], &flood)).status, 202);
        vec![stream]
    }),
    ("halves of requests", |child| {
        let whole = wire::echo("never said whole");
        let half = |length: usize| {
            let mut client = child.connect();
            client.send(&whole[..length]);
            client
        };
        [1, 40, whole.len() - 3].map(half).into()
    }),
    ("a refused connection that lingers", |child| {
        let mut client = child.connect();
        client.send("GET nonsense\r\n\r\n");
        vec![client]
    }),
    ("no files", |child| {
        let client = fault(child, "never");
        child.limit_files(child.own_files());
        let waiting = TcpStream::connect(child.address).unwrap();
        vec![client, Client::over(waiting)]
    }),
    ("a task that never ends", |child| {
        let mut client = child.connect();
        let mut call = json!({"name": "fault", "arguments": {"way": "never"}});
        call["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": wire::MODERN,
            "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
        });
        let headers = [("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "fault")];
        let request = wire::post_to("/mcp", &headers, &wire::request("1", "tools/call", &call));
        assert_eq!(client.ask(&request).json()["result"]["resultType"], "task");
        vec![client]
    }),
];

fn ends_in_all_states(signals: &[Signal]) {
    // Nothing is started while other threads work: an emulator's child may hang then (.ci/arm/test).
    let mut children: Vec<Child> = STATES.iter().map(|_| Child::start("")).collect();
    let share = STATES.len().div_ceil(4);
    thread::scope(|scope| {
        for (some, children) in STATES.chunks(share).zip(children.chunks_mut(share)) {
            scope.spawn(move || {
                for ((state, busy), child) in some.iter().zip(children) {
                    let clients = busy(child);
                    thread::sleep(Duration::from_millis(100));
                    assert!(child.runs(), "{state}");
                    println!("{state}");
                    child.must_end(signals);
                    drop(clients);
                }
            });
        }
    });
}

#[test]
fn it_ends_by_sigterm_in_any_state() {
    ends_in_all_states(&[Signal::TERM]);
}

#[test]
fn it_ends_by_sigint_and_another_one_in_any_state() {
    ends_in_all_states(&[Signal::INT, Signal::INT, Signal::TERM]);
}

#[test]
fn other_signals_do_not_end_it() {
    let mut child = Child::start("");
    // As a terminal, a timer or a debugger has them; none of these may interrupt what is written.
    let mut client = child.connect();
    client.send(&wire::modern_call("1", "huge", &json!({})));
    for signal in [Signal::CONT, Signal::WINCH, Signal::URG, Signal::PIPE, Signal::CHILD].repeat(20) {
        child.signal(signal);
    }
    assert_eq!(client.answer().text().len(), 16 * 1024 * 1024);
    child.must_end(&[Signal::TERM]);
}
