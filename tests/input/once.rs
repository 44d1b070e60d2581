//! What has an effect happens once, in both eras.

use serde_json::{Value, json};
use smol_mcp::Config;

use crate::house::{House, named, text};
use crate::support::wire;

#[test]
fn of_an_older_revision() {
    let house = House::start(Config::new());
    let session = house.able("2025-06-18");
    let (mut call, id) = house.asked(&session, "make");
    house.answer(&session, &id, &named("a"));
    let id = call.message()["id"].clone();
    house.answer(&session, &id, &named("b"));
    assert_eq!(text(&mut call), "a 7 b");
    assert_eq!(house.made.try_iter().collect::<Vec<_>>(), [7, 8]);
}

#[test]
fn of_2026() {
    let house = House::start(Config::new());
    // Each round by a connection of its own.
    let round = |more: &Value| {
        let mut params = json!({"name": "make", "arguments": {}});
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        house.connect().ask(&able(&params))
    };
    let first = round(&json!({})).json();
    assert_eq!(first["result"]["inputRequests"]["first"]["method"], "elicitation/create");
    let state = &first["result"]["requestState"];
    let second = round(&json!({"requestState": state, "inputResponses": {"first": named("a")}})).json();
    assert!(second["result"]["inputRequests"]["second"].is_object(), "{second}");
    let state = &second["result"]["requestState"];
    let last = json!({"requestState": state, "inputResponses": {"second": named("b")}});
    assert_eq!(round(&last).text(), "a 7 b");
    assert_eq!(house.made.try_iter().collect::<Vec<_>>(), [7, 8]);
    // Whoever changes the state is refused, and nothing is made.
    let changed = format!("{}x", state.as_str().unwrap());
    let refused = round(&json!({"requestState": changed, "inputResponses": {"second": named("b")}})).json();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(house.made.try_iter().count(), 0);
}

#[test]
fn a_caller_of_2026_that_can_not_be_asked_is_told_what_it_lacks() {
    let house = House::start(Config::new());
    let answer = house.connect().ask(&wire::modern_call("x", "make", &json!({})));
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["code"], -32021);
    assert_eq!(answer.json()["error"]["data"], json!({"requiredCapabilities": {"elicitation": {"form": {}}}}));
    let about = house.connect().ask(&wire::modern("y", "prompts/get", json!({"name": "about"})));
    assert_eq!((about.status, &about.json()["error"]["code"]), (400, &json!(-32021)));
}

/// A `tools/call` by a client of 2026-07-28 that can be asked.
pub(crate) fn able(params: &Value) -> String {
    let name = params["name"].as_str().unwrap().to_owned();
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": wire::MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    });
    let headers = [("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", name.as_str())];
    wire::post_to("/mcp", &headers, &wire::request("r", "tools/call", &params))
}
