//! Handlers that panic, fail half-way, or never end: in every kind of call, in tasks and in arrays. The server goes on, the client is told what can be
//! told, and the place is free.

use serde_json::{Value, json};
use smol_mcp::Config;
use smol_mcp::testing::{TestConnection, TestServer};

use crate::app;
use crate::support::wire;

/// Milliseconds that a handler may take here.
const TIMEOUT_MS: u64 = 20_000;
/// The ways that end by themselves.
const ENDING: [&str; 10] = [
    "panic",
    "panic_other",
    "panic_bomb",
    "panic_late",
    "panic_amid",
    "panic_stream",
    "fail_late",
    "fail_amid",
    "fail_stream",
    "fail_unshown",
];
/// Those that do not.
const ENDLESS: [&str; 2] = ["never", "panic_drop"];

/// A server with one place for calls.
struct House {
    server: TestServer,
    beside: TestConnection,
    session: String,
    batches: String,
}

impl House {
    fn new() -> Self {
        let config = Config::new().connections(8).calls(1).streams(3).tasks(2);
        let config = config.tool_timeout_ms(TIMEOUT_MS).task_timeout_ms(TIMEOUT_MS).task_ttl_ms(1_000);
        let mut server = TestServer::new(app::server(), config).unwrap();
        let beside = server.connect();
        server.send(&beside, wire::listen("beside", "l").as_bytes());
        let mut house = Self { server, beside, session: String::new(), batches: String::new() };
        house.session = house.open("2025-11-25");
        house.batches = house.open("2025-03-26");
        house
    }

    fn open(&mut self, revision: &str) -> String {
        let opened = self.ask(&wire::post_to("/mcp", &[], &wire::initialize(revision, "a"))).0;
        opened.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: ")).expect("a session").to_owned()
    }

    // All that comes at once by a connection of its own, and whether that was closed.
    fn ask(&mut self, request: &str) -> (String, bool) {
        let client = self.server.connect();
        self.server.send(&client, request.as_bytes());
        self.hear(&client)
    }

    fn hear(&mut self, client: &TestConnection) -> (String, bool) {
        (String::from_utf8(self.server.receive(client)).unwrap(), client.is_closed())
    }

    // The only place for calls is free, and who listens still does.
    fn goes_on(&mut self, what: &str) {
        let answer = self.server.call_tool("echo", r#"{"text":"beside"}"#);
        assert!(answer.contains(r#""text":"beside""#), "{what}: {answer:?}");
        self.server.receive(&self.beside);
        let answer = self.server.call_tool("notify", "{}");
        assert!(answer.contains("notified"), "{what}: {answer:?}");
        let told = String::from_utf8(self.server.receive(&self.beside)).unwrap();
        assert!(told.contains("list_changed"), "{what}: {told:?}");
    }

    // The calls of this way, of each kind and revision: all have the id 7.
    fn calls(&self, way: &str) -> Vec<(String, String)> {
        let tool = json!({"name": "fault", "arguments": {"way": way}, "_meta": {"progressToken": "p"}});
        let prompt = json!({"name": "fault_prompt", "arguments": {"way": way}});
        let uri = format!("fault://{way}");
        let resource = json!({"uri": uri});
        let session = [("Mcp-Session-Id", self.session.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
        let mut calls = Vec::new();
        for (method, params) in [("tools/call", &tool), ("prompts/get", &prompt), ("resources/read", &resource)] {
            let old = wire::post_to("/mcp", &session, &wire::request("7", method, params));
            calls.push((format!("{method} {way}"), old));
            let mut modern = wire::modern("7", method, params.clone());
            if method == "resources/read" {
                modern = modern.replacen("Mcp-Method:", &format!("Mcp-Name: {uri}\r\nMcp-Method:"), 1);
            }
            calls.push((format!("{method} {way}, 2026-07-28"), modern));
        }
        calls
    }
}

// It is a whole answer to the request 7, by JSON or as the last event of a stream, and tells that it failed.
fn tells_the_failure(answer: &str) -> bool {
    let failed = |json: &Value| json["id"] == "7" && (json["error"].is_object() || json["result"]["isError"] == true);
    let body = body(answer);
    let events = body.lines().filter_map(|line| line.strip_prefix("data: "));
    let texts = events.chain([body.as_str()]);
    texts.filter_map(|text| serde_json::from_str(text).ok()).any(|json| failed(&json))
}

// The body of an answer, without its chunks.
fn body(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    if !head.contains("chunked") {
        return body.to_owned();
    }
    let (mut whole, mut rest) = (String::new(), body);
    while let Some((size, behind)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        whole.push_str(behind.get(..size).unwrap_or(behind));
        rest = behind.get(size + 2..).unwrap_or_default();
    }
    whole
}

#[test]
fn what_fails_is_told() {
    let mut house = House::new();
    for way in ENDING {
        for (what, call) in house.calls(way) {
            let (answer, closed) = house.ask(&call);
            // Half of it was sent: what can't be taken back can't be ended as if it were right.
            let torn = way.ends_with("_amid") && closed && !answer.ends_with("0\r\n\r\n");
            assert!(tells_the_failure(&answer) || torn, "{what}: closed {closed}: {answer}");
            house.goes_on(&what);
        }
    }
}

#[test]
fn what_never_ends_has_its_time() {
    let mut house = House::new();
    for way in ENDLESS {
        for (what, call) in house.calls(way) {
            let client = house.server.connect();
            house.server.send(&client, call.as_bytes());
            house.server.advance(TIMEOUT_MS / 2);
            let mut answer = house.hear(&client).0;
            assert!(!tells_the_failure(&answer), "{what}: {answer}");
            house.server.advance(TIMEOUT_MS);
            answer.push_str(&house.hear(&client).0);
            assert!(tells_the_failure(&answer), "{what}: {answer}");
            house.goes_on(&what);
            // And when its client leaves before that.
            for leave in [TestConnection::half_close, TestConnection::break_off] {
                let client = house.server.connect();
                house.server.send(&client, call.as_bytes());
                house.server.advance(TIMEOUT_MS / 2);
                leave(&client);
                house.server.run();
                if !what.contains("2026") {
                    // Calls of older revisions go on.
                    house.server.advance(TIMEOUT_MS);
                }
                house.goes_on(&format!("{what}, left"));
            }
        }
    }
}

#[test]
fn completions_fail_alone() {
    let mut house = House::new();
    for (typed, told) in [("panic", true), ("panic_bomb", true), ("never", false)] {
        {
            let reference = json!({"type": "ref/prompt", "name": "word"});
            let params = json!({"ref": reference, "argument": {"name": "word", "value": typed}});
            let session = [("Mcp-Session-Id", house.session.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
            let call = wire::post_to("/mcp", &session, &wire::request("7", "completion/complete", &params));
            let client = house.server.connect();
            house.server.send(&client, call.as_bytes());
            let (mut answer, _) = house.hear(&client);
            assert_eq!(tells_the_failure(&answer), told, "{typed}: {answer}");
            house.server.advance(2 * TIMEOUT_MS);
            answer.push_str(&house.hear(&client).0);
            assert!(answer.contains(r#""id":"7""#), "{typed}: {answer}");
            house.goes_on(typed);
        }
    }
}

#[test]
fn a_batch_goes_on_behind_what_fails() {
    let mut house = House::new();
    let call = |id: &str, name: &str, arguments: &Value| -> Value {
        serde_json::from_str(&wire::call(id, name, arguments)).unwrap()
    };
    for way in ENDING.into_iter().chain(ENDLESS) {
        let before = call("6", "echo", &json!({"text": "before"}));
        let after = call("8", "echo", &json!({"text": "after"}));
        let batch = json!([before, call("7", "fault", &json!({"way": way})), after]).to_string();
        let session = [("Mcp-Session-Id", house.batches.as_str()), ("MCP-Protocol-Version", "2025-03-26")];
        let request = wire::post_to("/mcp", &session, &batch);
        let client = house.server.connect();
        house.server.send(&client, request.as_bytes());
        house.server.advance(2 * TIMEOUT_MS);
        let (answer, _) = house.hear(&client);
        {
            let json: Vec<Value> =
                serde_json::from_str(&body(&answer)).unwrap_or_else(|error| panic!("{way}: {error}: {answer}"));
            let ids: Vec<_> = json.iter().map(|one| one["id"].as_str().unwrap()).collect();
            assert_eq!(ids, ["6", "7", "8"], "{way}");
            assert_eq!(json[2]["result"]["content"][0]["text"], "after", "{way}");
            assert_eq!(json[1]["result"]["isError"], true, "{way}: {}", json[1]);
        }
        house.goes_on(way);
    }
}

#[test]
fn a_task_fails_alone() {
    let mut house = House::new();
    let request = |method: &str, name: &str, mut params: Value| {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": wire::MODERN,
            "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
        });
        params["_meta"] = meta;
        let headers = [("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", method), ("Mcp-Name", name)];
        wire::post_to("/mcp", &headers, &wire::request("7", method, &params))
    };
    for way in ENDING.into_iter().chain(ENDLESS) {
        let (created, _) =
            house.ask(&request("tools/call", "fault", json!({"name": "fault", "arguments": {"way": way}})));
        let body = created.split_once("\r\n\r\n").expect("a head").1;
        let created: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{way}: {created}"));
        let id = created["result"]["taskId"].as_str().unwrap_or_else(|| panic!("{way}: {created}")).to_owned();
        house.server.advance(if ENDLESS.contains(&way) { TIMEOUT_MS + 500 } else { 500 });
        let (shown, _) = house.ask(&request("tasks/get", &id, json!({"taskId": id})));
        let failed = shown.contains(r#""status":"failed""#) || shown.contains(r#""isError":true"#);
        assert!(failed, "{way}: {shown}");
        house.goes_on(way);
        // One that is cancelled.
        let (created, _) =
            house.ask(&request("tools/call", "fault", json!({"name": "fault", "arguments": {"way": way}})));
        let id = created.split_once(r#""taskId":""#).expect("a task").1.split_once('"').unwrap().0.to_owned();
        let (cancelled, _) = house.ask(&request("tasks/cancel", &id, json!({"taskId": id})));
        assert!(cancelled.contains("200 OK"), "{way}: {cancelled}");
        // What ended is forgotten: there are two places.
        house.server.advance(31_500);
        house.goes_on(way);
    }
}
