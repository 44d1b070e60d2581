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

#[test]
fn a_call_that_came_before_its_cancellation_is_cancelled() {
    for before in [0, 10, 300] {
        is_cancelled(before);
    }
}
