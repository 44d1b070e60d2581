//! Calls, tasks and questions: how each came to its end.

use serde_json::{Value, json};
use smol_mcp::Config;

use crate::{House, call, header, post, task, wire};

const CALL: &str = "connections.accepted+1 requests.received+1 requests.served+1 calls.started+1";

#[test]
fn each_end_has_its_counter() {
    for (tool, expected) in [("fail", "calls.failed+1"), ("panic", "calls.panicked+1"), ("huge", "calls.finished+1")] {
        let mut house = House::new(Config::new());
        house.status(&call(tool));
        house.must_have(&format!("{CALL} {expected}"));
    }
    // Arguments that do not fit are the tool's error.
    let mut house = House::new(Config::new());
    house.status(&wire::modern_call("e", "echo", &json!({"text": 1})));
    house.must_have(&format!("{CALL} calls.failed+1"));
}

#[test]
fn a_question_of_2026_ends_its_call() {
    let mut house = House::new(Config::new());
    let mut body: Value = serde_json::from_str(call("ask").split_once("\r\n\r\n").unwrap().1).unwrap();
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {}});
    let headers = [("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "ask")];
    let answer = house.ask(&wire::post_to("/mcp", &headers, &body.to_string()));
    assert!(answer.contains("input_required"), "{answer}");
    house.must_have(&format!("{CALL} calls.finished+1"));
}

#[test]
fn a_call_takes_too_long() {
    let mut house = House::new(Config::new().tool_timeout_ms(1_000));
    let late = house.send(&call("wait"));
    assert_eq!(house.server.stats().unwrap().calls.now, 1);
    house.server.advance(1_500);
    assert!(house.text(&late).contains("took too long"));
    house.must_have(&format!("{CALL} calls.timed_out+1"));
    assert_eq!(house.server.stats().unwrap().calls.now, 0);
}

#[test]
fn a_client_goes_or_cancels() {
    let mut house = House::new(Config::new());
    let running = house.send(&call("wait"));
    drop(running);
    house.server.run();
    house.must_have(&format!("{CALL} calls.abandoned+1"));
    let session = house.session("2025-06-18");
    house.mark();
    let running = house.send(&post(&session, &wire::call(7, "wait", &json!({}))));
    assert_eq!(house.status(&post(&session, &wire::cancelled(7))), 202);
    house.text(&running);
    house.must_have("connections.accepted+2 requests.received+2 requests.served+2 calls.started+1 calls.cancelled+1");
}

#[test]
fn a_client_does_not_read() {
    let mut house = House::new(Config::new());
    let lazy = house.server.connect();
    lazy.set_room(1_000);
    house.server.send(&lazy, call("huge").as_bytes());
    house.server.advance(11_000);
    assert!(lazy.is_closed());
    house.must_have(&format!("{CALL} calls.abandoned+1 deadlines.write+1"));
}

#[test]
fn a_batch_is_one_request_of_several_calls() {
    let mut house = House::new(Config::new());
    let session = house.session("2025-03-26");
    house.mark();
    let echo = wire::call(1, "echo", &json!({"text": "a"}));
    let (fail, nothing) = (wire::call(2, "fail", &json!({})), wire::call(3, "nothing", &json!({})));
    assert_eq!(house.status(&post(&session, &format!("[{echo},{fail}]"))), 200);
    house.must_have(
        "connections.accepted+1 requests.received+1 requests.served+1 calls.started+2 calls.finished+1 calls.failed+1",
    );
    house.mark();
    assert_eq!(house.status(&post(&session, &format!("[{nothing},{echo}]"))), 200);
    house.must_have("connections.accepted+1 requests.received+1 refused.request+1 calls.started+1 calls.finished+1");
}

#[test]
fn an_answer_is_too_large_to_be_kept() {
    let mut house = House::new(Config::new());
    let session = house.session("2025-11-25");
    house.mark();
    let running = house.send(&post(&session, &wire::call(7, "later", &json!({}))));
    house.server.advance(3_000);
    drop(running);
    house.server.run();
    house.gate.try_send(()).unwrap();
    house.server.run();
    house.server.advance(500);
    let grown = house.grown();
    assert!(grown.contains("events.too_large+1") && grown.contains("calls.finished+1"), "{grown}");
}

#[test]
fn tasks() {
    let mut house = House::new(Config::new().tasks(1).task_timeout_ms(10_000).task_ttl_ms(1_000));
    let params = |tool: &str| json!({"name": tool, "arguments": {}});
    let answer = house.ask(&task("tools/call", "wait", params("wait")));
    assert!(answer.contains("\"taskId\""), "{answer}");
    house.must_have(&format!("{CALL} calls.finished+1 tasks.started+1"));
    let stats = house.server.stats().unwrap().tasks;
    assert_eq!((stats.now, stats.most, stats.capacity), (1, 1, 1));
    // There is no place for another: it runs as a plain call.
    house.mark();
    assert!(house.ask(&task("tools/call", "panic", params("panic"))).contains("panicked"));
    house.must_have(&format!("{CALL} calls.panicked+1 tasks.refused+1"));
    house.mark();
    house.gate.try_send(()).unwrap();
    house.server.run();
    house.must_have("tasks.finished+1");
    house.server.advance(2_000);
    house.mark();
    house.ask(&task("tools/call", "panic", params("panic")));
    house.must_have(&format!("{CALL} calls.finished+1 tasks.started+1 tasks.failed+1"));
    house.server.advance(2_000);
    // One that is late, and one that is cancelled.
    house.mark();
    house.ask(&task("tools/call", "wait", params("wait")));
    house.server.advance(10_500);
    house.must_have(&format!("{CALL} calls.finished+1 tasks.started+1 tasks.timed_out+1"));
    house.server.advance(2_000);
    house.mark();
    let answer = house.ask(&task("tools/call", "wait", params("wait")));
    let created: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let id = created["result"]["taskId"].as_str().unwrap();
    house.ask(&task("tasks/cancel", id, json!({"taskId": id})));
    house.must_have(
        "connections.accepted+2 requests.received+2 requests.served+2 calls.started+1 calls.finished+1 tasks.started+1 \
         tasks.cancelled+1",
    );
}

#[test]
fn questions() {
    let mut house = House::new(Config::new().inputs(1).calls(4).input_timeout_ms(5_000));
    let session = house.session("2025-06-18");
    house.mark();
    let ask = |house: &mut House| {
        let asked = house.send(&post(&session, &wire::call(1, "ask", &json!({}))));
        house.server.run();
        let said = house.text(&asked);
        (asked, said)
    };
    let (asked, said) = ask(&mut house);
    assert_eq!(header(&said, "Content-Type").as_deref(), Some("text/event-stream"), "{said}");
    let question =
        said.lines().filter_map(|line| line.strip_prefix("data: ")).find(|data| data.contains("elicitation"));
    let question: Value = serde_json::from_str(question.unwrap()).unwrap();
    assert_eq!(house.server.stats().unwrap().inputs.now, 1);
    let (_, refused) = ask(&mut house);
    assert!(refused.contains("\"isError\":true"), "{refused}");
    let answer =
        json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"name": "Ann"}}});
    assert_eq!(house.status(&post(&session, &answer.to_string())), 202);
    assert!(house.text(&asked).contains("Ann"));
    house.must_have(
        "connections.accepted+3 requests.received+3 requests.served+3 calls.started+2 calls.finished+1 calls.failed+1 \
         inputs.asked+1 inputs.answered+1 inputs.refused+1",
    );
    house.mark();
    let (_asked, _) = ask(&mut house);
    house.server.advance(6_000);
    house.must_have(&format!("{CALL} calls.failed+1 inputs.asked+1 inputs.timed_out+1"));
    let stats = house.server.stats().unwrap().inputs;
    assert_eq!((stats.now, stats.most, stats.capacity), (0, 1, 1));
}
