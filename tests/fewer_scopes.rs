//! Two tokens of one holder, of which the later has fewer scopes: sessions and tasks are the holder's, and what needs a scope is the first token's.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{Call, Config, ReadResult, Reading, Server, Token, ToolResult, resources, tools};

struct App;

tools! {
    impl App {
        /// Takes its time.
        #[read_only]
        #[scope("lights")]
        #[task]
        async fn chore(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("done").await
        }
    }
}

resources! {
    impl App {
        /// For all.
        #[uri("home://state")]
        async fn state(&self, call: &mut Reading<'_>) -> ReadResult {
            call.text("0").await
        }

        /// For some.
        #[uri("home://secret")]
        #[scope("lights")]
        async fn secret(&self, call: &mut Reading<'_>) -> ReadResult {
            call.text("7").await
        }
    }
}

struct House(TestServer);

impl House {
    fn new() -> Self {
        let token = |text: &str| Token::new(text).name("ann");
        let config = Config::new().access(token("more").scopes(["lights"])).access(token("less").scopes(["other"]));
        Self(TestServer::new(Server::new("board", "1", App).resources(), config).unwrap())
    }

    fn ask(&mut self, head: &str, token: &str, body: &str) -> (TestConnection, String) {
        let client = self.0.connect();
        let (method, length) = (if body.is_empty() { "GET" } else { "POST" }, body.len());
        let request = format!(
            "{method} /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\n{head}Content-Length: {length}\r\n\r\n{body}"
        );
        self.0.send(&client, request.as_bytes());
        let answer = self.receive(&client);
        (client, answer)
    }

    fn receive(&mut self, client: &TestConnection) -> String {
        String::from_utf8(self.0.receive(client)).unwrap()
    }

    fn about(&mut self, method: &str, name: &str, token: &str, params: &str) -> String {
        let head = format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\nMcp-Name: {name}\r\n");
        self.ask(
            &head,
            token,
            &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params},{META}}}}}"#),
        )
        .1
    }
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
    "io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}"#;

#[test]
fn a_task_is_unknown_without_the_scopes_of_its_tool() {
    let mut house = House::new();
    let created = house.about("tools/call", "chore", "more", r#""name":"chore","arguments":{}"#);
    let task = created.split(r#""taskId":""#).nth(1).unwrap_or_else(|| panic!("{created}")).split('"').next().unwrap();
    let params = format!(r#""taskId":"{task}","inputResponses":{{}}"#);
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let (refused, unknown) = (
            house.about(method, task, "less", &params),
            house.about(method, "x", "more", r#""taskId":"x","inputResponses":{}"#),
        );
        let message =
            |answer: &str| answer.split(r#""message":"#).nth(1).unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert_eq!(message(&refused), message(&unknown), "{method}");
    }
    let listen = format!(r#""notifications":{{"taskIds":["{task}"]}}"#);
    let heard = house.about("subscriptions/listen", "", "less", &listen);
    assert!(heard.contains("acknowledged") && !heard.contains(task), "{heard}");
    let heard = house.about("subscriptions/listen", "", "more", &listen);
    assert!(heard.contains("acknowledged") && heard.contains(task), "{heard}");
    assert!(house.about("tasks/get", task, "more", &params).contains("done"));
}

#[test]
fn a_stream_hears_nothing_of_what_its_token_may_not_read() {
    let mut house = House::new();
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize",
        "params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    let (_, begun) = house.ask("", "more", initialize);
    let id = begun.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: ")).unwrap_or_else(|| panic!("{begun}"));
    let session = format!("Mcp-Session-Id: {id}\r\nMCP-Protocol-Version: 2025-06-18\r\n");
    for uri in ["home://state", "home://secret"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{{"uri":"{uri}"}}}}"#);
        let (_, answer) = house.ask(&session, "more", &body);
        assert!(answer.contains(r#""result":{}"#), "{answer}");
    }
    let tell = |house: &mut House, stream: &TestConnection| {
        for uri in ["home://state", "home://secret"] {
            house.0.handle().resource_updated(uri).unwrap();
        }
        house.0.run();
        let heard = house.receive(stream);
        assert!(heard.contains("home://"), "{heard}");
        ["home://state", "home://secret"].map(|uri| heard.contains(uri))
    };
    let (stream, opened) = house.ask(&session, "more", "");
    assert!(opened.contains("text/event-stream"), "{opened}");
    assert_eq!(tell(&mut house, &stream), [true, true]);
    // Also not in what is told to who begins anew.
    let (stream, opened) = house.ask(&format!("{session}Last-Event-ID: x\r\n"), "less", "");
    assert!(opened.contains("home://state") && !opened.contains("home://secret"), "{opened}");
    assert_eq!(tell(&mut house, &stream), [true, false]);
    // It is gone from the session: who may read it subscribes again.
    let (stream, _) = house.ask(&session, "more", "");
    assert_eq!(tell(&mut house, &stream), [true, false]);
}
