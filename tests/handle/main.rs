//! The way to a running server from other threads, over real sockets: who is there, messages, changes, the end; and the
//! other ways to run a server.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../support/mod.rs"]
mod support;

mod clients;
mod ends;
mod messages;
mod order;
mod reload;
mod restart;
mod watched;
mod ways;

use serde_json::json;
use smol_mcp::{LogLevel, Message};
use support::client::{Client, Session};
use support::server::Running;
use support::wire;

/// One client of each kind, each with a stream: 2024-11-05, a session of 2025, and a listener of 2026.
struct Three {
    old: Client,
    session: Session,
    get: Client,
    listener: Client,
}

fn three(server: &Running) -> Three {
    let mut old = server.connect();
    let path = old.open_http_sse();
    let mut client = server.connect();
    assert_eq!(client.ask(&wire::post_to(&path, &[], &wire::initialize("2024-11-05", "the old one"))).status, 202);
    assert_eq!(old.message()["id"], "init");
    let session = client.initialize("2025-11-25", "the session");
    let mut get = server.connect();
    assert_eq!(get.open(&session.get()).status, 200);
    let mut listener = server.connect();
    assert_eq!(listener.open(&wire::listen("the listener", "l-1")).status, 200);
    assert_eq!(listener.message()["method"], "notifications/subscriptions/acknowledged");
    Three { old, session, get, listener }
}

/// A message of the application.
fn message(text: &str) -> Message {
    Message::text(LogLevel::Warning, Some("test"), text)
}

/// Whether a client got that message.
fn is_text(message: &serde_json::Value, text: &str) -> bool {
    message["method"] == "notifications/message"
        && message["params"] == json!({"level": "warning", "logger": "test", "data": text})
}
