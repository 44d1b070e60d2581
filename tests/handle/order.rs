//! What is done in which order: what came first is done first, whoever sent it by whichever connection.

use serde_json::json;
use smol_mcp::Config;

use crate::support::server::Running;
use crate::support::wire;

/// Another connection cancels a call, and the server is told at once of that and of the rest of the call, of which these bytes came before; where none
/// did, it comes by a new connection.
fn is_cancelled(before: usize) {
    let server = Running::start(Config::new());
    let session = server.connect().initialize("2025-11-25", "who cancels");
    let (mut cancels, mut holds) = (server.connect(), server.connect());
    assert_eq!(cancels.ask(&session.post(&wire::cancelled(0))).status, 202);
    let call = session.post(&wire::call(1, "wait", &json!({})));
    let (begin, rest) = call.split_at(before);
    let mut calls = (before > 0).then(|| server.connect());
    if let Some(calls) = &mut calls {
        calls.send(begin);
        server.must_serve();
    }
    holds.send(&wire::modern_call("b", "block", &json!({})));
    drop(server.seen.until("the thread is held", |state| state.running == 1));
    calls.get_or_insert_with(|| server.connect()).send(rest);
    cancels.send(&session.post(&wire::cancelled(1)));
    server.let_go(1);
    assert_eq!(holds.answer().text(), "let go");
    assert_eq!(cancels.answer().status, 202);
    drop(server.seen.until("the call is dropped", |state| (state.running, state.dropped) == (0, 1)));
    server.must_serve();
}

// The same, where a handler that ran before it was told of either has asked the server for something.
fn is_cancelled_behind_a_command() {
    let server = Running::start(Config::new());
    let session = server.connect().initialize("2025-11-25", "who cancels");
    let [mut cancels, mut holds, mut holds_on] = [0; 3].map(|_| server.connect());
    for kept in [&mut cancels, &mut holds_on] {
        assert_eq!(kept.ask(&session.post(&wire::cancelled(0))).status, 202);
    }
    let call = session.post(&wire::call(1, "wait", &json!({})));
    let echo = wire::echo("a worker goes on that was there before that of the call");
    let mut calls = server.connect();
    let begun: Vec<_> = (0..2).map(|_| server.connect()).collect();
    // So that the cancellation has a worker before the call has, as they are counted.
    let mut begun: Vec<_> = begun.into_iter().map(|client| (client, echo.split_at(10))).collect();
    for (client, (begin, _)) in &mut begun {
        client.send(begin);
        server.must_serve();
    }
    calls.send(&call[..10]);
    server.must_serve();
    for (client, (_, rest)) in &mut begun {
        client.send(rest);
        assert_eq!(client.answer().status, 200);
    }
    holds.send(&wire::modern_call("b", "block", &json!({})));
    drop(server.seen.until("the thread is held", |state| state.running == 1));
    holds_on.send(&wire::modern_call("b", "block", &json!({})));
    calls.send(&call[10..]);
    cancels.send(&session.post(&wire::cancelled(1)));
    server.let_go(1);
    assert_eq!(holds.answer().text(), "let go");
    drop(server.seen.until("the thread is held again", |state| (state.running, state.done) == (1, 1)));
    server.handle.tools_changed();
    server.let_go(1);
    assert_eq!(holds_on.answer().text(), "let go");
    assert_eq!(cancels.answer().status, 202);
    drop(server.seen.until("the call is dropped", |state| (state.running, state.dropped) == (0, 1)));
    server.must_serve();
}

#[test]
fn a_call_that_came_before_is_cancelled_though_a_handler_asked_for_something() {
    is_cancelled_behind_a_command();
}

#[test]
fn a_call_that_came_before_its_cancellation_is_cancelled() {
    for before in [0, 10, 300] {
        is_cancelled(before);
    }
}
