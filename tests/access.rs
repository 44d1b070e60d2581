//! What many things with scopes look like to those who have them and those who don't: pages, cursors, and who may use them.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "this is all tests")]

use serde_json::{Value, json};
use smol_mcp::testing::TestServer;
use smol_mcp::{
    Annotations, Call, Completing, Config, ContentAnnotations, Denied, Principal, ReadResult, Reading, Resource,
    Resources, Schema, Server, Token, Tool, ToolResult, Tools,
};

struct Many;

const TOOL: Tool = Tool {
    name: "for_all",
    title: None,
    description: "Nothing.",
    input: &Schema::Object(&[]),
    output: None,
    task: None,
    annotations: Annotations { read_only: true, destructive: false, idempotent: true, open_world: false },
    icons: &[],
    meta: None,
    rate: None,
    scopes: &[],
};

const RESOURCE: Resource = Resource {
    uri: "many://one",
    name: "one",
    title: None,
    description: "One of many.",
    mime: None,
    size: None,
    annotations: ContentAnnotations::NONE,
    icons: &[],
    meta: None,
    scopes: &["few"],
    arguments: &Schema::Object(&[]),
    completes: false,
};

const SECRET: Tool = Tool { name: "for_few", scopes: &["few"], ..TOOL };

// Every third is for all.
#[allow(clippy::large_stack_arrays)] // for a constant
const fn mixed() -> [Tool; 360] {
    let mut all = [SECRET; 360];
    let mut at = 0;
    while at < all.len() {
        if at % 3 == 0 {
            all[at] = TOOL;
        }
        at += 1;
    }
    all
}

impl Tools for Many {
    const TOOLS: &'static [Tool] = &mixed();

    async fn call_tool(&self, _: usize, call: &mut Call<'_>) -> ToolResult {
        let who = call.principal().name().unwrap_or("nobody").to_owned();
        call.text(&who).await
    }
}

impl Resources for Many {
    const RESOURCES: &'static [Resource] = &[RESOURCE; 60];

    async fn read(&self, _: usize, call: &mut Reading<'_>) -> ReadResult {
        call.text("1").await
    }

    async fn complete(&self, _: usize, _: &mut Completing<'_>) {}
}

/// Asks by 2026-07-28 as somebody: the status, and the response.
fn ask(server: &mut TestServer, who: &str, method: &str, mut params: Value) -> (u16, Value) {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let name = params["name"].as_str().or(params["uri"].as_str()).unwrap_or("").to_owned();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
         MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\nMcp-Name: {name}\r\n{who}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let connection = server.connect();
    server.send(&connection, request.as_bytes());
    let mut answer = Vec::new();
    while let more @ [_, ..] = &*server.receive(&connection) {
        answer.extend_from_slice(more);
    }
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    // What is chunked has the sizes between, which are no part of JSON: they stand in lines of their own.
    let body = if head.contains("chunked") { dechunked(body) } else { body.to_owned() };
    (head[9..12].parse().unwrap(), serde_json::from_str(&body).unwrap())
}

fn dechunked(mut rest: &str) -> String {
    let mut whole = String::new();
    while let Some((size, more)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        whole += &more[..size];
        rest = &more[size + 2..];
    }
    whole
}

/// All pages of a list: the names on each, and the cursors between them.
fn pages(server: &mut TestServer, who: &str, method: &str, member: &str) -> (Vec<Vec<String>>, Vec<String>) {
    let (mut pages, mut cursors, mut params) = (vec![], vec![], json!({}));
    loop {
        let result = ask(server, who, method, params).1["result"].take();
        let names = result[member].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned());
        pages.push(names.collect());
        let Some(cursor) = result["nextCursor"].as_str() else { return (pages, cursors) };
        cursors.push(cursor.to_owned());
        params = json!({"cursor": cursor});
    }
}

#[test]
fn pages_show_what_may_be_used_and_cursors_are_their_owners() {
    let config = Config::default().access(Token::new("few").name("few").scopes(["few"]));
    let config = config.access(Token::new("none").name("none").scopes::<&str>([]));
    let mut server = TestServer::new(Server::new("many", "1", Many).resources(), config).unwrap();
    let (few, none) = ("Authorization: Bearer few", "Authorization: Bearer none");
    let count = |pages: &[Vec<String>]| pages.iter().map(Vec::len).collect::<Vec<_>>();
    let (all, cursors) = pages(&mut server, few, "tools/list", "tools");
    assert_eq!(count(&all), [100, 100, 100, 60]);
    let (some, _) = pages(&mut server, none, "tools/list", "tools");
    assert_eq!(count(&some), [100, 20]);
    assert!(some.iter().flatten().all(|name| name == "for_all"));
    assert_eq!(count(&pages(&mut server, few, "resources/list", "resources").0), [50, 10]);
    assert_eq!(count(&pages(&mut server, none, "resources/list", "resources").0), [0]);
    for cursor in cursors {
        let (_, answer) = ask(&mut server, none, "tools/list", json!({"cursor": cursor}));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    assert_eq!(ask(&mut server, none, "tools/call", json!({"name": "for_few"})).0, 403);
    assert_eq!(ask(&mut server, few, "tools/call", json!({"name": "for_few"})).0, 200);
    assert_eq!(ask(&mut server, none, "resources/read", json!({"uri": "many://one"})).0, 403);
}

#[test]
fn a_check_that_needs_not_wait() {
    let server = Server::new("many", "1", Many).resources().authorize(|_, visit| match visit.header("x-user") {
        Some("root") => Ok(Principal::new("root")),
        Some(user) if visit.peer().is_some_and(|peer| peer.is_loopback()) => {
            Ok(Principal::new(user).with_scopes::<&str>([]))
        }
        _ => Err(Denied::unauthorized("who?")),
    });
    let mut server = TestServer::new(server, Config::default()).unwrap();
    let (status, answer) = ask(&mut server, "X-User: root", "tools/call", json!({"name": "for_few"}));
    assert_eq!((status, &answer["result"]["content"][0]["text"]), (200, &json!("root")));
    let (status, answer) = ask(&mut server, "x-user: me", "tools/call", json!({"name": "for_all"}));
    assert_eq!((status, &answer["result"]["content"][0]["text"]), (200, &json!("me")));
    assert_eq!(ask(&mut server, "X-USER: me", "tools/call", json!({"name": "for_few"})).0, 403);
    let (status, answer) = ask(&mut server, "X-Other: root", "tools/call", json!({"name": "for_all"}));
    assert_eq!((status, &answer["error"]["message"]), (401, &json!("who?")));
}

#[test]
fn scopes_that_can_be_none_are_told_at_start() {
    struct Wrong;
    impl Tools for Wrong {
        const TOOLS: &'static [Tool] = &[Tool { scopes: &["a b"], ..TOOL }];

        async fn call_tool(&self, _: usize, call: &mut Call<'_>) -> ToolResult {
            call.text("").await
        }
    }
    let error = TestServer::new(Server::new("wrong", "1", Wrong), Config::default()).err().unwrap().to_string();
    assert_eq!(error, "the scopes of \"for_all\" can't be scopes, or are too many");
}
