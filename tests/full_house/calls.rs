//! Calls: all request buffers are taken by calls that run.

use serde_json::json;
use smol_mcp::Config;

use crate::support::client::{Client, Session};
use crate::support::server::Running;
use crate::support::{until, wire};

// Two calls at once, and the reserve.
fn house() -> Running {
    Running::start(Config::new().connections(24).calls(2))
}

// Two sessions, each with a call (of id 7) that runs, on a connection of its own.
fn full(house: &Running) -> Vec<(Session, Client)> {
    let running = |name| {
        let session = house.connect().initialize("2025-11-25", name);
        let mut client = house.connect();
        client.send(&session.post(&wire::call(7, "wait", &json!({}))));
        (session, client)
    };
    let sessions = ["a", "b"].map(running).into();
    drop(house.seen.until("both run", |state| state.running == 2));
    sessions
}

#[test]
fn calls_are_refused_after_a_while_and_what_frees_others_gets_through() {
    let house = house();
    let spare = house.connect().initialize("2025-06-18", "spare");
    let mut full = full(&house);
    let no_params = json!({});
    let mut waiting = [house.connect(), house.connect()];
    waiting[0].send(&wire::echo("me too"));
    waiting[1].send(&spare.post(&wire::call(1, "echo", &json!({"text": "me too"}))));
    for client in &mut waiting {
        client.answer().must_be_full();
    }
    let stats = smol_mcp::block_on(house.handle.stats()).unwrap();
    assert_eq!((stats.refused.buffers, stats.buffers.waiting_most, stats.calls.now), (2, 2, 2), "{stats}");
    // In turn, as each may have to wait for the reserve.
    for (request, status) in [
        (wire::modern("d", "server/discover", json!({})), 200),
        (wire::bare("GET", "/healthz", &[]), 200),
        (spare.post(&wire::request("p", "ping", &no_params)), 200),
        (spare.post(&wire::notification("notifications/initialized", &no_params)), 202),
        (spare.post(&json!({"jsonrpc": "2.0", "id": 3, "result": {}}).to_string()), 202),
        (spare.delete(), 200),
        (full[0].0.post(&wire::cancelled(7)), 202),
    ] {
        let answer = house.connect().ask(&request);
        assert_eq!(answer.status, status, "{request}\n{answer:?}");
    }
    drop(house.seen.until("the call is dropped", |state| state.dropped == 1));
    // Its exchange ends, and there is a buffer for the next call.
    let (_, mut cancelled) = full.remove(0);
    drop(cancelled.answer());
    house.must_serve();
    house.let_go(1);
    assert_eq!(full[0].1.answer().text(), "let go");
}

#[test]
fn a_cancelled_call_frees_its_buffer_for_one_that_waits() {
    let house = house();
    let full = full(&house);
    let mut waiting = house.connect();
    waiting.send(&wire::echo("patience"));
    let answer = house.connect().ask(&full[1].0.post(&wire::cancelled(7)));
    assert_eq!(answer.status, 202);
    let answer = waiting.answer();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.text(), "patience");
}

#[test]
fn a_call_that_waits_for_a_buffer_can_be_cancelled() {
    let house = house();
    let spare = house.connect().initialize("2025-06-18", "spare");
    let full = full(&house);
    let mut waiting = house.connect();
    waiting.send(&spare.post(&wire::call(9, "echo", &json!({"text": "too late"}))));
    assert_eq!(house.connect().ask(&spare.post(&wire::cancelled(9))).status, 202);
    assert_eq!(house.connect().ask(&full[0].0.post(&wire::cancelled(7))).status, 202);
    // It gets its buffer, and nothing is said for it.
    let answer = waiting.answer();
    assert_eq!((answer.status, answer.body.len()), (202, 0), "{answer:?}");
    // The id is free for another call.
    let answer = house.connect().ask(&spare.post(&wire::call(9, "echo", &json!({"text": "again"}))));
    assert_eq!(answer.text(), "again");
}

#[test]
fn a_call_that_ends_frees_its_buffer_for_one_that_waits() {
    let house = house();
    let _full = full(&house);
    let mut waiting = house.connect();
    waiting.send(&wire::echo("patience"));
    house.let_go(1);
    assert_eq!(waiting.answer().text(), "patience");
}

#[test]
fn a_caller_of_2026_that_closes_frees_its_buffer() {
    let house = house();
    let busy = house.busy(2);
    for (at, client) in busy.into_iter().enumerate() {
        if at == 0 { client.reset() } else { drop(client) }
    }
    drop(house.seen.until("both are dropped", |state| state.dropped == 2));
    house.must_serve();
}

#[test]
fn calls_of_2024_are_cancelled_too() {
    let house = house();
    let mut stream = house.connect();
    let path = stream.open_http_sse();
    let mut client = house.connect();
    let mut post = |body: &str| client.ask(&wire::post_to(&path, &[], body)).status;
    assert_eq!(post(&wire::initialize("2024-11-05", "old")), 202);
    assert_eq!(stream.message()["id"], "init");
    // Both buffers, by one connection: 202 comes at once.
    for id in [7, 8] {
        assert_eq!(post(&wire::call(id, "wait", &json!({}))), 202);
    }
    drop(house.seen.until("both run", |state| state.running == 2));
    assert_eq!(post(&wire::cancelled(8)), 202);
    drop(house.seen.until("one is dropped", |state| state.dropped == 1));
    house.must_serve();
    // Nothing is said for the cancelled one; the other is answered.
    house.let_go(1);
    let message = stream.message();
    assert_eq!((&message["id"], &message["result"]["content"][0]["text"]), (&json!(7), &json!("let go")));
    // The calls of a stream that closes have nobody to answer to.
    assert_eq!(post(&wire::call(9, "wait", &json!({}))), 202);
    drop(house.seen.until("it runs", |state| state.running == 1));
    stream.reset();
    drop(house.seen.until("it is dropped", |state| state.dropped == 2));
    house.must_serve();
}

#[test]
fn a_connection_whose_calls_go_on_for_a_stream_is_still_heard() {
    let house = Running::start(Config::new().connections(24).calls(4));
    let mut stream = house.connect();
    let path = stream.open_http_sse();
    let mut client = house.connect();
    assert_eq!(client.ask(&wire::post_to(&path, &[], &wire::initialize("2024-11-05", "old"))).status, 202);
    assert_eq!(stream.message()["id"], "init");
    // Two calls came by it and go on, and a third request comes in two pieces.
    for id in [7, 8] {
        assert_eq!(client.ask(&wire::post_to(&path, &[], &wire::call(id, "wait", &json!({})))).status, 202);
    }
    drop(house.seen.until("both run", |state| state.running == 2));
    let request = wire::post_to(&path, &[], &wire::request("p", "ping", &json!({})));
    let (head, body) = request.split_at(request.len() - 8);
    client.send(head);
    until("its head is read", || {
        let stats = smol_mcp::block_on(house.handle.stats()).unwrap();
        (stats.buffers.now == 3).then_some(())
    });
    client.send(body);
    assert_eq!(client.answer().status, 202);
    assert_eq!(stream.message()["id"], "p");
    let stats = smol_mcp::block_on(house.handle.stats()).unwrap();
    assert_eq!((stats.refused.slow_body, stats.refused.slow_head), (0, 0), "{stats}");
    house.let_go(2);
}

#[test]
fn a_stalled_reader_of_a_huge_answer_slows_nobody() {
    let house = house();
    let huge = json!({"kibibytes": 16 * 1024});
    let mut stalled = house.connect();
    stalled.send(&wire::modern_call("h", "huge", &huge));
    drop(house.seen.until("it runs", |state| state.running == 1));
    for _ in 0..50 {
        house.must_serve();
    }
    // A second one that reads is done while the first still stands.
    let mut reader = house.connect();
    assert_eq!(reader.ask(&wire::modern_call("h", "huge", &huge)).text().len(), 16 * 1024 * 1024);
    assert_eq!(house.seen.until("the state", |_| true).running, 1, "the kernel can't have taken all of it");
    // It reads at last, and lacks nothing.
    assert_eq!(stalled.answer().text().len(), 16 * 1024 * 1024);
    assert_eq!(stalled.ask(&wire::echo("next")).text(), "next");
}
