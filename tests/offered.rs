//! Tools that are offered only where the application says so (`#[when(..)]`): one that is not is not there, for anybody.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

use std::cell::Cell;

use serde_json::{Value, json};
use smol_mcp::testing::TestServer;
use smol_mcp::{Call, Config, Server, Token, ToolResult, Tools, tools};

#[derive(Default)]
struct House {
    has_lights: bool,
    has_heating: bool,
    asked: Cell<u32>,
}

impl House {
    fn has_lights(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.has_lights
    }
}

tools! {
    impl House {
        /// Switches the lights.
        #[additive]
        #[when(Self::has_lights)]
        async fn lights(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("lights").await
        }

        /// Rings.
        #[additive]
        async fn bell(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("bell").await
        }

        /// Heats by light.
        #[additive]
        #[scope("warmth")]
        #[when(Self::has_lights)]
        #[when(|house: &House| house.has_heating)]
        #[rate(9, 1)]
        #[task]
        async fn lamps(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("lamps").await
        }
    }
}

fn server(has_lights: bool, has_heating: bool) -> TestServer {
    let house = House { has_lights, has_heating, asked: Cell::new(0) };
    TestServer::new(Server::new("house", "1", house), Config::new()).unwrap()
}

/// The answer to a request of 2026-07-28 with this token.
fn ask(server: &mut TestServer, token: &str, method: &str, name: &str) -> Value {
    let mut params = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { "extensions": { "io.modelcontextprotocol/tasks": {} } },
    }});
    let about =
        format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\nAuthorization: Bearer {token}\r\n");
    let mut named = String::new();
    if !name.is_empty() {
        params["name"] = json!(name);
        named = format!("Mcp-Name: {name}\r\n");
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let client = server.connect();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
         {about}{named}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    server.send(&client, request.as_bytes());
    let answer = String::from_utf8(server.receive(&client)).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn listed(server: &mut TestServer, token: &str) -> Vec<String> {
    let answer = ask(server, token, "tools/list", "");
    let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_list_and_the_calls_agree() {
    for (has_lights, has_heating, expected) in [
        (false, false, &["bell"][..]),
        (false, true, &["bell"]),
        (true, false, &["lights", "bell"]),
        (true, true, &["lights", "bell", "lamps"]),
    ] {
        let mut server = server(has_lights, has_heating);
        assert_eq!(listed(&mut server, ""), expected);
        for tool in ["lights", "bell", "lamps"] {
            let answer = ask(&mut server, "", "tools/call", tool);
            if expected.contains(&tool) {
                assert!(answer["result"].is_object(), "{tool}: {answer}");
            } else {
                // As one that no program ever had.
                let unknown = ask(&mut server, "", "tools/call", "nonsense");
                assert_eq!(
                    (&answer["error"], answer["error"]["code"].as_i64()),
                    (&unknown["error"], Some(-32602)),
                    "{tool}"
                );
            }
        }
    }
}

#[test]
fn no_scope_makes_an_absent_tool_show() {
    let token = |text: &str| Token::new(text);
    let config = || {
        Config::new().access(token("all")).access(token("warm").scopes(["warmth"])).access(token("none").scopes(["x"]))
    };
    let house = |has_lights| House { has_lights, has_heating: true, ..House::default() };
    let mut with = TestServer::new(Server::new("house", "1", house(true)), config()).unwrap();
    let mut without = TestServer::new(Server::new("house", "1", house(false)), config()).unwrap();
    for (token, expected) in [
        ("all", &["lights", "bell", "lamps"][..]),
        ("warm", &["lights", "bell", "lamps"]),
        ("none", &["lights", "bell"]),
    ] {
        assert_eq!(listed(&mut with, token), expected, "{token}");
        assert_eq!(listed(&mut without, token), ["bell"], "{token}");
    }
    // Who lacks the scope of an absent tool is told of no scope.
    assert_eq!(ask(&mut with, "none", "tools/call", "lamps")["error"]["data"]["error"], "insufficient_scope");
    assert_eq!(ask(&mut without, "none", "tools/call", "lamps")["error"]["code"], -32602);
}

#[test]
fn it_is_asked_once_for_each() {
    let house = House { has_lights: true, ..House::default() };
    assert_eq!([0, 1, 2, 3].map(|at| house.is_offered(at)), [true, true, false, false]);
    assert_eq!(house.asked.get(), 2, "the first and the third ask");
}

struct Shed {
    is_open: bool,
}

tools! {
    impl Shed {
        /// Opens.
        #[additive]
        #[when(|shed: &Shed| shed.is_open)]
        async fn door(&self, call: &mut Call<'_>) -> ToolResult {
            call.text("open").await
        }
    }
}

#[test]
fn who_offers_no_tool_does_not_say_that_there_are_some() {
    for is_open in [true, false] {
        let mut server = TestServer::new(Server::new("shed", "1", Shed { is_open }), Config::new()).unwrap();
        let told = ask(&mut server, "", "server/discover", "");
        assert_eq!(told["result"]["capabilities"]["tools"].is_object(), is_open, "{told}");
        let listed = ask(&mut server, "", "tools/list", "");
        assert_eq!(listed["error"]["code"] == -32601, !is_open, "{listed}");
    }
}
