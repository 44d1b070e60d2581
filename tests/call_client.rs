//! The number of a call's client, by which it is told when that went.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{Call, ClientEvent, Config, Server, ToolResult, tools};

struct House;

tools! {
    impl House {
        /// Whose call this is.
        #[read_only]
        async fn whose(&self, call: &mut Call<'_>) -> ToolResult {
            let client = call.client();
            call.reply(format_args!("{client:?}")).await
        }
    }
}

/// A server, and what it tells of clients: a number when one came, the negative of it when it went.
fn server() -> (TestServer, Rc<RefCell<Vec<i64>>>) {
    let told = Rc::new(RefCell::new(Vec::new()));
    let ear = told.clone();
    let server = Server::new("house", "1", House).on_client(move |event| {
        let told = match event {
            ClientEvent::Came { id, .. } => i64::try_from(*id),
            ClientEvent::Went { id } => i64::try_from(*id).map(|id| -id),
            _ => return,
        };
        ear.borrow_mut().push(told.unwrap());
    });
    (TestServer::new(server, Config::new()).unwrap(), told)
}

fn post(server: &mut TestServer, path: &str, head: &str, body: &Value) -> String {
    let (client, body) = (server.connect(), body.to_string());
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
         {head}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    server.send(&client, request.as_bytes());
    String::from_utf8(server.receive(&client)).unwrap()
}

fn initialize(revision: &str) -> Value {
    let client = json!({ "name": "t", "version": "1" });
    let params = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
}

fn whose() -> Value {
    json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "whose" } })
}

fn get_http_sse(server: &mut TestServer) -> (TestConnection, String) {
    let stream = server.connect();
    server.send(&stream, b"GET /sse HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    let opened = String::from_utf8(server.receive(&stream)).unwrap();
    let path = opened.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_else(|| panic!("{opened}"));
    (stream, path.to_owned())
}

#[test]
fn a_session_has_one_until_it_ends() {
    let (mut server, told) = server();
    let mut sessions = Vec::new();
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let begun = post(&mut server, "/mcp", "", &initialize(revision));
        let id = begun.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: ")).unwrap();
        let head = format!("Mcp-Session-Id: {id}\r\nMCP-Protocol-Version: {revision}\r\n");
        let number = *told.borrow().last().unwrap();
        for _ in 0..2 {
            let answer = post(&mut server, "/mcp", &head, &whose());
            assert!(answer.contains(&format!("Some({number})")), "{revision}: {answer}");
        }
        sessions.push((head, number));
    }
    assert_eq!(told.borrow().len(), 3);
    for (head, number) in sessions {
        let client = server.connect();
        server.send(&client, format!("DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n{head}\r\n").as_bytes());
        assert_eq!(told.borrow().last(), Some(&-number));
    }
}

#[test]
fn an_old_client_has_one_until_its_stream_ends() {
    // With a handshake, and without one: some begin at once.
    for introduces_itself in [true, false] {
        let (mut server, told) = server();
        let (stream, path) = get_http_sse(&mut server);
        // A ping may come before the handshake, which is to tell who it is.
        let ping = json!({ "jsonrpc": "2.0", "id": 0, "method": "ping" });
        assert!(post(&mut server, &path, "", &ping).contains("202 Accepted"));
        server.receive(&stream);
        assert!(told.borrow().is_empty());
        if introduces_itself {
            assert!(post(&mut server, &path, "", &initialize("2024-11-05")).contains("202 Accepted"));
        }
        assert!(post(&mut server, &path, "", &whose()).contains("202 Accepted"));
        let answer = String::from_utf8(server.receive(&stream)).unwrap();
        let number = *told.borrow().first().unwrap_or_else(|| panic!("nobody came: {answer}"));
        assert!(answer.contains(&format!("Some({number})")), "{answer}");
        drop(stream);
        server.run();
        assert_eq!(*told.borrow(), [number, -number]);
    }
}

#[test]
fn a_client_of_2026_has_none() {
    let (mut server, told) = server();
    let answer = server.call_tool("whose", "{}");
    assert!(answer.contains("\"None\""), "{answer}");
    assert!(told.borrow().is_empty());
}
