//! Tools, resources and prompts of any number and length: pages, long contents, and failures that come too late to be told.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "this is all tests")]

use serde_json::{Value, json};
use smol_mcp::testing::TestServer;
use smol_mcp::{
    Annotations, Call, Completing, Config, ContentAnnotations, Failure, Prompt, PromptResult, Prompting, Prompts,
    ReadResult, Reading, Resource, Resources, Role, Schema, Server, Tool, ToolResult, Tools,
};

struct Many;

const TOOL: Tool = Tool {
    name: "nothing",
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

impl Tools for Many {
    #[allow(clippy::large_stack_arrays)] // for a constant
    const TOOLS: &'static [Tool] = &[TOOL; 150];

    async fn call_tool(&self, _: usize, call: &mut Call<'_>) -> ToolResult {
        call.text("").await
    }
}

const PLAIN: Resource = Resource {
    uri: "many://plain",
    name: "plain",
    title: None,
    description: "One of many.",
    mime: None,
    size: None,
    annotations: ContentAnnotations::NONE,
    icons: &[],
    meta: None,
    scopes: &[],
    arguments: &Schema::Object(&[]),
    completes: false,
};
const TEMPLATE: Resource = Resource { uri: "many://template/{x}", ..PLAIN };
#[allow(clippy::large_stack_arrays)] // for a constant
const fn mixed() -> [Resource; 180] {
    let mut all = [PLAIN; 180];
    let mut at = 0;
    while at < all.len() {
        if at % 3 == 0 {
            all[at] = TEMPLATE;
        }
        at += 1;
    }
    all
}
const PROMPT: Prompt = Prompt {
    name: "long",
    title: None,
    description: "",
    icons: &[],
    meta: None,
    scopes: &[],
    arguments: &Schema::Object(&[]),
    completes: false,
};

impl Resources for Many {
    const RESOURCES: &'static [Resource] = &mixed();

    async fn read(&self, index: usize, call: &mut Reading<'_>) -> ReadResult {
        if index > 0 {
            return call.blob(&bytes()).await;
        }
        for _ in 0..10_000 {
            call.write("0123456789").await;
        }
        if call.uri().ends_with("torn") { Err("too late".into()) } else { call.done().await }
    }

    async fn complete(&self, _: usize, _: &mut Completing<'_>) {}
}

impl Prompts for Many {
    const PROMPTS: &'static [Prompt] = &[PROMPT; 51];

    async fn get(&self, _: usize, call: &mut Prompting<'_>) -> PromptResult {
        call.image(Role::User, "image/png", &bytes()).await;
        call.user(&"\"\u{1}é".repeat(20_000)).await;
        if call.client_name() == Some("torn") { Err(Failure::new("too late")) } else { call.done().await }
    }

    async fn complete(&self, _: usize, _: &mut Completing<'_>) {}
}

fn bytes() -> Vec<u8> {
    (0..100_000_u32).map(|number| (number * 7 % 251) as u8).collect()
}

fn server() -> TestServer {
    TestServer::new(Server::new("many", "1", Many).resources().prompts(), Config::default()).unwrap()
}

/// Asks by 2026-07-28, and gives the whole answer: head, and body without chunks; none when it ended too early.
fn ask(server: &mut TestServer, method: &str, name: &str, mut params: Value) -> Option<Value> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": params["client"].as_str().unwrap_or("test"), "version": "1"},
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
         MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\nMcp-Name: {name}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let connection = server.connect();
    server.send(&connection, request.as_bytes());
    let answer = server.receive(&connection);
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let mut rest = &answer[head..];
    if !answer[..head].windows(7).any(|word| word == b"chunked") {
        return serde_json::from_slice(rest).ok();
    }
    let mut whole = Vec::new();
    loop {
        let line = rest.windows(2).position(|end| end == b"\r\n")?;
        let size = usize::from_str_radix(str::from_utf8(&rest[..line]).unwrap().trim(), 16).unwrap();
        if size == 0 {
            return Some(serde_json::from_slice(&whole).unwrap());
        }
        whole.extend(rest.get(line + 2..line + 2 + size)?);
        rest = rest.get(line + 4 + size..)?;
    }
}

fn encoded(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().chain(&[0; 2]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            text.push(if at <= group.len() { char::from(DIGITS[bits >> shift & 63]) } else { '=' });
        }
    }
    text
}

#[test]
fn lists_have_pages() {
    let mut server = server();
    for (method, member, expected) in [
        ("tools/list", "tools", vec![100, 50]),
        ("resources/list", "resources", vec![50, 50, 20]),
        ("resources/templates/list", "resourceTemplates", vec![50, 10]),
        ("prompts/list", "prompts", vec![50, 1]),
    ] {
        let (mut counts, mut params, mut cursors) = (Vec::new(), json!({}), Vec::new());
        loop {
            let result = ask(&mut server, method, "", params).unwrap()["result"].take();
            counts.push(result[member].as_array().unwrap().len());
            let Some(cursor) = result["nextCursor"].as_str() else { break };
            cursors.push(cursor.to_owned());
            params = json!({"cursor": cursor});
        }
        assert_eq!(counts, expected, "{method}");
        // Asked again, a page is the same.
        let again = ask(&mut server, method, "", json!({})).unwrap();
        assert_eq!(again["result"]["nextCursor"], *cursors[0]);
        // A cursor is of its list and of its server only, and can't be changed.
        let cursor = &cursors[0];
        let other = if method == "prompts/list" { "resources/list" } else { "prompts/list" };
        let changed = format!("{}{}", &cursor[1..], &cursor[..1]);
        for (method, cursor) in [(other, cursor), (method, &changed), (method, &cursor.to_uppercase())] {
            let answer = ask(&mut server, method, "", json!({"cursor": cursor})).unwrap();
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
        }
        let answer = ask(&mut self::server(), method, "", json!({"cursor": cursor})).unwrap();
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[test]
fn contents_have_any_length() {
    let mut server = server();
    let mut read = |uri: &str| ask(&mut server, "resources/read", uri, json!({"uri": uri}));
    let text = read("many://template/long").unwrap();
    assert_eq!(text["result"]["contents"][0]["text"], "0123456789".repeat(10_000));
    let blob = read("many://plain").unwrap();
    assert_eq!(blob["result"]["contents"][0]["blob"], encoded(&bytes()));
    let prompt = ask(&mut server, "prompts/get", "long", json!({"name": "long"})).unwrap();
    assert_eq!(prompt["result"]["messages"][0]["content"]["data"], encoded(&bytes()));
    assert_eq!(prompt["result"]["messages"][1]["content"]["text"], "\"\u{1}é".repeat(20_000));
}

#[test]
fn a_failure_that_comes_too_late_breaks_the_answer_off() {
    let mut server = server();
    let uri = "many://template/torn";
    assert_eq!(ask(&mut server, "resources/read", uri, json!({"uri": uri})), None);
    assert_eq!(ask(&mut server, "prompts/get", "long", json!({"name": "long", "client": "torn"})), None);
    // The server goes on.
    let uri = "many://plain";
    assert!(ask(&mut server, "resources/read", uri, json!({"uri": uri})).is_some());
}

#[test]
fn they_are_tested_as_tools_are() {
    let mut server = server();
    let read = server.read_resource("many://nowhere");
    assert!(read.contains(r#""code":-32602,"message":"resource not found""#), "{read}");
    let prompt = server.get_prompt("\"", "{}");
    assert!(prompt.contains("unknown prompt"), "{prompt}");
}
