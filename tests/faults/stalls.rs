//! Handlers that write without end and clients that do not read, or leave: the others have their answers, and the places come back.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::beside::Beside;
use crate::child::Child;
use crate::support::client::{Client, Session};
use crate::support::wire;

/// Handlers that go on without end; a tool has little time, so that a test has little to wait.
const SETTINGS: &str = "calls=5 tool_timeout_ms=1500";
const WAYS: [&str; 4] = ["flood", "chatter", "restless", "never"];

/// How a client goes on when it has asked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    /// It does not read.
    Stops,
    /// It does not read, and says that it has nothing more to say.
    HalfCloses,
    Closes,
    Resets,
}

const MANNERS: [Manner; 4] = [Manner::Stops, Manner::HalfCloses, Manner::Closes, Manner::Resets];

// The client, if it is still there.
fn go_on(client: Client, manner: Manner) -> Option<Client> {
    match manner {
        Manner::Stops => Some(client),
        Manner::HalfCloses => {
            client.half_close();
            Some(client)
        }
        Manner::Closes => None,
        Manner::Resets => {
            client.reset();
            None
        }
    }
}

fn params(way: &str) -> Value {
    json!({"name": "fault", "arguments": {"way": way}, "_meta": {"progressToken": "p"}})
}

// All places for calls are free.
fn has_all_places(child: &Child) {
    let never = wire::modern_call("n", "fault", &json!({"way": "never"}));
    let mut calls: Vec<Client> = (0..5).map(|_| child.connect()).collect();
    for call in &mut calls {
        call.send(&never);
    }
    for call in &mut calls {
        assert!(call.answer().text().contains("too long"));
    }
}

// Clients ask for what never ends, and go on in every manner; when all have had their time everything is as before.
fn outlives(ask: impl Fn(&Child, &str) -> Vec<Client> + Sync) {
    let outlives = |mut child: Child, way| {
        let before = child.own_files();
        let beside = Beside::start(child.address);
        let kept: Vec<_> = MANNERS
            .iter()
            .map(|manner| {
                let mut clients = ask(&child, way);
                // Behind the one that asked there may be the one that is answered.
                let last = clients.pop().expect("a client");
                thread::sleep(Duration::from_millis(100));
                (clients, go_on(last, *manner))
            })
            .collect();
        thread::sleep(Duration::from_secs(2));
        drop(kept);
        let ear = beside.end();
        child.until_files(before + 1);
        has_all_places(&child);
        drop(ear);
        child.until_files(before);
        child.must_end(&[Signal::TERM]);
    };
    // Nothing is started while other threads work: an emulator's child may hang then (.ci/arm/test).
    let children = WAYS.map(|way| (Child::start(SETTINGS), way));
    thread::scope(|scope| {
        for (child, way) in children {
            scope.spawn(move || outlives(child, way));
        }
    });
}

#[test]
fn what_never_ends_for_clients_of_2026() {
    outlives(|child, way| {
        let mut client = child.connect();
        client.send(&wire::modern("1", "tools/call", params(way)));
        vec![client]
    });
}

#[test]
fn what_never_ends_for_clients_of_2025() {
    outlives(|child, way| {
        let session: Session = child.session("2025-11-25");
        let mut client = child.connect();
        client.send(&session.post(&wire::request(1, "tools/call", &params(way))));
        vec![client]
    });
}

#[test]
fn what_never_ends_for_clients_of_2024() {
    outlives(|child, way| {
        let mut stream = child.connect();
        let path = stream.open_http_sse();
        let mut client = child.connect();
        assert_eq!(client.ask(&wire::post_to(&path, &[], &wire::request(1, "tools/call", &params(way)))).status, 202);
        // It is the stream that is not read, or left.
        vec![client, stream]
    });
}

#[test]
fn what_never_ends_in_prompts_resources_and_completions() {
    let mut child = Child::start(SETTINGS);
    let before = child.own_files();
    let beside = Beside::start(child.address);
    let session = child.session("2025-11-25");
    let word = json!({"ref": {"type": "ref/prompt", "name": "word"}, "argument": {"name": "word", "value": "flood"}});
    let calls = [
        wire::request(1, "prompts/get", &json!({"name": "fault_prompt", "arguments": {"way": "flood"}})),
        wire::request(2, "resources/read", &json!({"uri": "fault://flood"})),
        wire::request(3, "resources/read", &json!({"uri": "fault://restless"})),
        wire::request(4, "completion/complete", &word),
    ];
    for manner in MANNERS {
        let kept: Vec<_> = calls
            .iter()
            .map(|call| {
                let mut client = child.connect();
                client.send(&session.post(call));
                thread::sleep(Duration::from_millis(50));
                go_on(client, manner)
            })
            .collect();
        thread::sleep(Duration::from_secs(2));
        drop(kept);
    }
    let ear = beside.end();
    child.until_files(before + 1);
    has_all_places(&child);
    drop(ear);
    child.must_end(&[Signal::TERM]);
}

#[test]
fn readers_that_stop_keep_nobody_waiting() {
    let mut child = Child::start("calls=2");
    let before = child.own_files();
    let session = child.session("2025-11-25");
    let beside = Beside::start(child.address);
    let call = wire::call(1, "huge", &json!({}));
    let requests = [wire::modern_call("h", "huge", &json!({})), session.post(&call)];
    let mut stalled: Vec<Client> = Vec::new();
    for _ in 0..2 {
        for request in &requests {
            let mut client = child.connect();
            client.send(request);
            stalled.push(client);
        }
        // Both lose their buffers when others have waited for two seconds.
        thread::sleep(Duration::from_secs(4));
    }
    let ear = beside.end();
    child.must_serve();
    drop((stalled, ear));
    child.until_files(before);
    child.must_end(&[Signal::TERM]);
}
