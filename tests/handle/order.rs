//! What is done in which order: what came first is done first, whoever sent it by whichever connection.

use serde_json::json;
use smol_mcp::Config;

use crate::support::server::Running;
use crate::support::wire;

#[test]
fn a_call_whose_rest_came_before_its_cancellation_is_cancelled() {
    let server = Running::start(Config::new());
    let session = server.connect().initialize("2025-11-25", "who cancels");
    let (mut calls, mut cancels, mut holds) = (server.connect(), server.connect(), server.connect());
    assert_eq!(cancels.ask(&session.post(&wire::cancelled(0))).status, 202);
    let call = session.post(&wire::call(1, "wait", &json!({})));
    let (head, rest) = call.split_at(call.len() - 10);
    calls.send(head);
    server.must_serve();
    // Both come while the thread is held: the server is told of both at once.
    holds.send(&wire::modern_call("b", "block", &json!({})));
    drop(server.seen.until("the thread is held", |state| state.running == 1));
    calls.send(rest);
    cancels.send(&session.post(&wire::cancelled(1)));
    server.let_go(1);
    assert_eq!(holds.answer().text(), "let go");
    assert_eq!(cancels.answer().status, 202);
    drop(server.seen.until("the call is dropped", |state| (state.running, state.dropped) == (0, 1)));
    server.must_serve();
}
