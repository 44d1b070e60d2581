//! Tasks over real sockets: they outlive connections, are their caller's alone, and take no more room than there is.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "support/mod.rs"]
mod support;

use std::fs;

use serde_json::{Value, json};
use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{Call, Config, Server, ToolResult, tools};
use support::client::{Client, Next};
use support::example::emulated;
use support::server::{Running, server};
use support::{until, wire};

const EXTENSION: &str = "io.modelcontextprotocol/tasks";

// A request of a client that can follow tasks; `token` is whose it is.
fn request(method: &str, name: &str, mut params: Value, token: &str) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": wire::MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {EXTENSION: {}}},
    });
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", method), ("Mcp-Name", name)];
    if !token.is_empty() {
        headers.push(("Authorization", &bearer));
    }
    wire::post_to("/mcp", &headers, &wire::request("r", method, &params))
}

fn call(tool: &str, arguments: &Value) -> String {
    request("tools/call", tool, json!({"name": tool, "arguments": arguments}), "")
}

fn about(method: &str, task: &str) -> String {
    request(method, task, json!({"taskId": task, "inputResponses": {}}), "")
}

// Creates a task, and gives its id.
fn create(client: &mut Client, tool: &str, arguments: &Value) -> String {
    let answer = client.ask(&call(tool, arguments));
    let result = &answer.json()["result"];
    assert_eq!((&result["resultType"], &result["status"]), (&json!("task"), &json!("working")), "{answer:?}");
    result["taskId"].as_str().expect("an id").to_owned()
}

fn get(client: &mut Client, task: &str) -> Value {
    client.ask(&about("tasks/get", task)).json()
}

fn status(client: &mut Client, task: &str) -> String {
    get(client, task)["result"]["status"].as_str().unwrap_or("unknown").to_owned()
}

#[test]
fn a_task_outlives_its_connection_and_a_cancelled_one_is_dropped() {
    let house = Running::start(Config::new());
    let mut client = house.connect();
    let (one, other) = (create(&mut client, "wait", &json!({})), create(&mut client, "wait", &json!({})));
    drop(client);
    drop(house.seen.until("both run", |state| state.running == 2));
    let mut client = house.connect();
    assert_eq!(client.ask(&about("tasks/cancel", &one)).json()["result"]["resultType"], "complete");
    drop(house.seen.until("it is dropped", |state| state.dropped == 1 && state.running == 1));
    assert_eq!((status(&mut client, &one), status(&mut client, &other)), ("cancelled".into(), "working".into()));
    house.let_go(1);
    drop(house.seen.until("it is done", |state| state.done == 1));
    let ended = get(&mut client, &other);
    assert_eq!(ended["result"]["result"]["content"][0]["text"], "let go", "{ended}");
}

#[test]
fn tasks_hold_no_buffers() {
    let house = Running::start(Config::new().connections(4).calls(1).tasks(64));
    let mut client = house.connect();
    let tasks: Vec<String> = (0..64).map(|_| create(&mut client, "wait", &json!({}))).collect();
    drop(house.seen.until("all run", |state| state.running == 64));
    house.must_serve();
    // The table is full: this one is a plain call.
    assert_eq!(client.ask(&call("echo", &json!({"text": "inline"}))).text(), "inline");
    for task in &tasks {
        client.ask(&about("tasks/cancel", task));
    }
    drop(house.seen.until("all are dropped", |state| state.running == 0));
    house.must_serve();
}

#[test]
fn an_ended_task_is_forgotten_in_its_time_and_makes_room() {
    let house = Running::start(Config::new().tasks(1).task_ttl_ms(300));
    let mut client = house.connect();
    let task = create(&mut client, "echo", &json!({"text": "first"}));
    let shown =
        until("it has ended", || Some(get(&mut client, &task)).filter(|it| it["result"]["status"] != "working"));
    assert!(shown["result"]["ttlMs"].as_u64().is_some_and(|ttl_ms| ttl_ms < 1_000), "{shown}");
    until("it is forgotten", || (status(&mut client, &task) == "unknown").then_some(()));
    let unknown = get(&mut client, &task);
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    let next = create(&mut client, "echo", &json!({"text": "second"}));
    assert_ne!(task, next);
    assert_eq!(get(&mut client, &next)["result"]["result"]["content"][0]["text"], "second");
}

#[test]
fn a_task_is_late_without_a_connection_too() {
    let house = Running::start(Config::new().task_timeout_ms(300));
    let task = create(&mut house.connect(), "wait", &json!({}));
    // Nobody is connected: the server sleeps, and looks when somebody comes.
    until("it is stopped", || {
        let shown = get(&mut house.connect(), &task);
        (shown["result"]["status"] == "failed").then(|| assert_eq!(shown["result"]["error"]["code"], -32603, "{shown}"))
    });
    drop(house.seen.until("it is dropped", |state| state.dropped == 1));
}

#[test]
fn a_task_is_its_callers_alone() {
    let house = Running::start(Config::new().token("mine").token("yours"));
    let mut client = house.connect();
    let echo = json!({"name": "echo", "arguments": {"text": "secret"}});
    let created = client.ask(&request("tools/call", "echo", echo, "mine")).json();
    let task = created["result"]["taskId"].as_str().expect("an id").to_owned();
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({"taskId": task, "inputResponses": {}});
        let answer = client.ask(&request(method, &task, params.clone(), "yours"));
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (200, &json!(-32602)), "{method}: {answer:?}");
        // What is refused by its head closes the connection.
        assert_eq!(house.connect().ask(&request(method, &task, params, "none")).status, 401);
    }
    let listen = json!({"notifications": {"taskIds": [task]}});
    let mut ear = house.connect();
    assert_eq!(ear.open(&request("subscriptions/listen", "", listen, "yours")).status, 200);
    assert_eq!(ear.message()["params"]["notifications"], json!({}));
    let params = json!({"taskId": task});
    let answer = client.ask(&request("tasks/get", &task, params, "mine"));
    assert!(answer.body.contains("secret"), "{answer:?}");
}

#[test]
fn who_listens_gets_large_results_in_one_event() {
    let house = Running::start(Config::new());
    let mut client = house.connect();
    let task = create(&mut client, "wait", &json!({}));
    let large = create(&mut client, "huge", &json!({"kibibytes": 15}));
    let listen = json!({"notifications": {"taskIds": [task, large]}});
    let mut ear = house.connect();
    assert_eq!(ear.open(&request("subscriptions/listen", "", listen, "")).status, 200);
    assert_eq!(ear.message()["params"]["notifications"]["taskIds"].as_array().map(Vec::len), Some(2));
    let told = ear.message();
    assert_eq!((&told["method"], &told["params"]["taskId"]), (&json!("notifications/tasks"), &json!(large)));
    let text = told["params"]["result"]["content"][0]["text"].as_str().expect("a text");
    assert_eq!(text.len(), 15 * 1024);
    house.let_go(1);
    let told = ear.message();
    assert_eq!((&told["params"]["taskId"], &told["params"]["status"]), (&json!(task), &json!("completed")));
    house.handle.shutdown();
    assert_eq!(ear.message()["id"], "r");
    assert_eq!(ear.next(), Next::End);
    house.wait();
}

#[test]
fn a_shutdown_does_not_wait_for_tasks() {
    let house = Running::start(Config::new());
    let task = create(&mut house.connect(), "wait", &json!({}));
    drop(house.seen.until("it runs", |state| state.running == 1));
    house.handle.shutdown();
    house.wait();
    let seen = house.seen.until("it is dropped", |state| state.dropped == 1);
    assert_eq!((seen.running, task.len()), (0, 16));
}

#[test]
fn without_room_for_tasks_there_is_no_extension() {
    let house = Running::start(Config::new().tasks(0));
    let mut client = house.connect();
    let discovered = client.ask(&request("server/discover", "", json!({}), "")).json();
    assert_eq!(discovered["result"]["capabilities"]["extensions"], Value::Null, "{discovered}");
    assert_eq!(client.ask(&call("echo", &json!({"text": "plain"}))).text(), "plain");
    assert_eq!(client.ask(&about("tasks/get", "x")).status, 404);
}

#[test]
fn who_comes_late_to_listen_does_not_make_others_hear_it_twice() {
    let (server, _seen, gate) = server();
    let mut server = TestServer::new(server, Config::new()).unwrap();
    let (connection, first, second) = (server.connect(), server.connect(), server.connect());
    let task = task_in(&ask(&mut server, &connection, &call("wait", &json!({}))));
    let listen = request("subscriptions/listen", "", json!({"notifications": {"taskIds": [task]}}), "");
    ask(&mut server, &first, &listen);
    gate.try_send(()).unwrap();
    server.run();
    let told = String::from_utf8(server.receive(&first)).unwrap();
    assert!(told.contains(r#""status":"completed""#), "{told}");
    let told = ask(&mut server, &second, &listen);
    assert!(told.contains(r#""status":"completed""#), "{told}");
    assert_eq!(String::from_utf8(server.receive(&first)).unwrap(), "");
}

#[test]
fn who_listens_slowly_may_look_meanwhile() {
    let (server, _seen, _gate) = server();
    let mut server = TestServer::new(server, Config::new()).unwrap();
    let (connection, ear) = (server.connect(), server.connect());
    ear.set_room(2_000);
    let task = task_in(&ask(&mut server, &connection, &call("huge", &json!({"kibibytes": 8}))));
    let listen = request("subscriptions/listen", "", json!({"notifications": {"taskIds": [task]}}), "");
    let mut told = ask(&mut server, &ear, &listen);
    // A part of the event is on its way.
    assert!(told.contains(r#""status":"completed""#) && told.len() < 4_000, "{told}");
    let shown = ask(&mut server, &connection, &about("tasks/get", &task));
    assert!(shown.contains(r#""status":"completed""#), "{shown}");
    ear.set_room(1 << 20);
    server.run();
    told.push_str(&String::from_utf8(server.receive(&ear)).unwrap());
    assert!(told.len() > 8 * 1024 && told.contains("subscriptionId"), "{told}");
    assert!(!ear.is_closed());
}

struct Hasty;

tools! {
    impl Hasty {
        /// Does not wait until it is a task.
        #[read_only]
        #[task(later)]
        async fn answer(&self, call: &mut Call<'_>) -> ToolResult {
            smol::future::or(call.become_task(), async {}).await;
            call.text("plain").await
        }

        /// Does not wait either, and asks.
        #[read_only]
        #[task(later)]
        async fn ask(&self, call: &mut Call<'_>) -> ToolResult {
            smol::future::or(call.become_task(), async {}).await;
            call.roots("roots").await?;
            call.text("plain").await
        }
    }
}

#[test]
fn a_call_that_does_not_wait_until_it_is_a_task_has_one_answer() {
    let mut server = TestServer::new(Server::new("hasty", "1", Hasty), Config::new()).unwrap();
    let connection = server.connect();
    for tool in ["answer", "ask"] {
        let mut request = request("tools/call", tool, json!({"name": tool, "arguments": {}}), "");
        if tool == "ask" {
            request = with_roots(&request);
        }
        let answer = ask(&mut server, &connection, &request);
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!(body["result"]["resultType"], "task", "{body}");
    }
}

// The same request, of a client that has roots too.
fn with_roots(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let longer = body.replacen(r#"{"extensions""#, r#"{"roots":{},"extensions""#, 1);
    let length = |body: &str| format!("Content-Length: {}", body.len());
    format!("{}\r\n\r\n{longer}", head.replace(&length(body), &length(&longer)))
}

fn task_in(answer: &str) -> String {
    let (_, rest) = answer.split_once(r#""taskId":""#).unwrap_or_else(|| panic!("no task: {answer}"));
    rest[..16].to_owned()
}

#[test]
fn who_reads_slowly_is_not_told_of_the_next_task_in_the_slot() {
    let (server, _seen, gate) = server();
    let config = Config::new().tasks(1).task_ttl_ms(1_000).token("mine").token("yours");
    let mut server = TestServer::new(server, config).unwrap();
    let (mine, ear) = (server.connect(), server.connect());
    let wait = json!({"name": "wait", "arguments": {}});
    let task = task_in(&ask(&mut server, &mine, &request("tools/call", "wait", wait, "mine")));
    let listen = json!({"notifications": {"taskIds": [task], "toolsListChanged": true}});
    let opened = ask(&mut server, &ear, &request("subscriptions/listen", "", listen, "mine"));
    assert!(opened.contains(&task), "{opened}");
    // The event of its end is due, and finds no room.
    ear.set_room(0);
    gate.try_send(()).unwrap();
    server.run();
    server.advance(1_000);
    let echo = json!({"name": "echo", "arguments": {"text": "secret"}});
    let yours = server.connect();
    let other = task_in(&ask(&mut server, &yours, &request("tools/call", "echo", echo, "yours")));
    ear.set_room(1 << 20);
    server.handle().tools_changed();
    server.run();
    let told = String::from_utf8(server.receive(&ear)).unwrap();
    assert!(!told.contains("secret") && !told.contains(&other), "{told}");
    assert!(told.contains("notifications/tools/list_changed"), "{told}");
}

// Bytes of this process that are in memory.
fn resident_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn ask(server: &mut TestServer, connection: &TestConnection, request: &str) -> String {
    server.send(connection, request.as_bytes());
    String::from_utf8(server.receive(connection)).unwrap()
}

#[test]
fn thousands_of_tasks_take_the_room_of_one() {
    let (server, _seen, _gate) = server();
    let mut server = TestServer::new(server, Config::new().tasks(2)).unwrap();
    let connection = server.connect();
    let round = |server: &mut TestServer| {
        let created = ask(server, &connection, &call("huge", &json!({"kibibytes": 12})));
        let shown = ask(server, &connection, &about("tasks/get", &task_in(&created)));
        assert!(shown.contains(r#""status":"completed""#) && shown.len() > 12 * 1024, "{shown}");
        server.advance(30_000);
    };
    (0..50).for_each(|_| round(&mut server));
    let before = resident_bytes();
    (0..2_000).for_each(|_| round(&mut server));
    if emulated() {
        return; // what is in memory is the emulator's
    }
    let grown = resident_bytes().saturating_sub(before);
    // Other tests run beside this one; what is looked for would be 24 MB.
    assert!(grown < 6 * 1024 * 1024, "{grown} bytes more");
}
