//! Requests: those that are served, and why the others are not.

use smol_mcp::Config;

use crate::{House, call, header, post, wire};

/// What is sent on a connection of its own, and what grows by it beside that connection.
type Case<'a> = (&'a str, String, u16, &'a str);

#[test]
fn each_refusal_has_its_counter() {
    let get = |path: &str, headers: &[(&str, &str)]| wire::bare("GET", path, headers);
    let with =
        |name: &str, value: &str| wire::echo("x").replacen("\r\n\r\n", &format!("\r\n{name}: {value}\r\n\r\n"), 1);
    let large =
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n";
    let unknown = wire::modern_call("u", "nothing", &serde_json::json!({}));
    let cases: &[Case<'_>] = &[
        ("a call", wire::echo("x"), 200, "received served"),
        ("health", get("/healthz", &[]), 200, "received served"),
        ("a preflight", wire::bare("OPTIONS", "/mcp", &[]), 204, "received served"),
        (
            "a method without a tool",
            wire::modern("d", "server/discover", serde_json::json!({})),
            200,
            "received served",
        ),
        ("no HTTP", "GARBAGE\r\n\r\n".into(), 400, "wire"),
        ("a line that ends in LF", "GET / HTTP/1.1\nHost: localhost\n\n".into(), 400, "wire"),
        ("another HTTP", "GET / HTTP/3.0\r\nHost: localhost\r\n\r\n".into(), 505, "wire"),
        ("a long head", format!("GET /{} HTTP/1.1\r\n", "x".repeat(9_000)), 414, "wire"),
        (
            "a broken chunk",
            with("Transfer-Encoding", "chunked").replace("Content-Length", "X-Length"),
            400,
            "received wire",
        ),
        ("a large body", large.into(), 413, "body"),
        ("another host", wire::echo("x").replacen("localhost", "evil.example", 1), 403, "received host"),
        ("no host", wire::echo("x").replacen("localhost", "a b", 1), 400, "wire"),
        ("a page", with("Origin", "https://evil.example"), 403, "received origin"),
        ("no token", wire::echo("x"), 401, "received token"),
        ("a wrong token", with("Authorization", "Bearer wrong"), 401, "received token"),
        ("the token", with("Authorization", "Bearer right"), 200, "received served"),
        ("no such place", get("/elsewhere", &[]), 404, "received path"),
        ("another method", wire::bare("PUT", "/mcp", &[]), 405, "received path"),
        ("no session to GET", get("/mcp", &[]), 405, "received path"),
        ("another type", wire::echo("x").replacen("application/json", "text/plain", 1), 415, "received path"),
        (
            "a forged session",
            post("x".repeat(48).as_str(), &wire::request(1, "ping", &().into())),
            404,
            "received session",
        ),
        ("no session", wire::post_to("/mcp", &[], &wire::request(1, "ping", &().into())), 400, "received message"),
        ("no JSON", wire::post_to("/mcp", &[], "{"), 400, "received message"),
        ("no message", wire::post_to("/mcp", &[], "{}"), 400, "received message"),
        ("a revision", with("MCP-Protocol-Version", "2026-07-28"), 400, "received message"),
        ("no such tool", unknown, 200, "received request"),
        ("no such method", wire::modern("m", "nothing/here", serde_json::json!({})), 404, "received request"),
    ];
    for (name, sent, status, counters) in cases {
        let mut config = Config::new();
        if name.contains("token") {
            config = config.token("right");
        }
        let mut house = House::new(config);
        assert_eq!(house.status(sent), *status, "{name}");
        let grown: Vec<String> = house.grown().split(' ').map(str::to_owned).collect();
        let group = |counter: &str| if ["received", "served"].contains(&counter) { "requests" } else { "refused" };
        let mut expected: Vec<String> = counters.split(' ').map(|name| format!("{}.{name}+1", group(name))).collect();
        if sent.contains("\"echo\"") && *status == 200 {
            expected.extend(["calls.started+1".into(), "calls.finished+1".into()]);
        }
        expected.push("connections.accepted+1".into());
        expected.sort();
        assert_eq!(grown, expected, "{name}");
    }
}

#[test]
fn what_comes_too_slowly() {
    let mut house = House::new(Config::new());
    let half = house.send("POST /mcp HTTP/1.1\r\nHost: local");
    house.server.advance(10_500);
    assert_eq!(crate::status(&house.text(&half)), 408);
    house.must_have("connections.accepted+1 refused.slow_head+1");
    house.mark();
    let sent = wire::echo(&"x".repeat(100));
    let body = house.send(&sent[..sent.len() - 20]);
    house.server.advance(11_000);
    assert_eq!(crate::status(&house.text(&body)), 408);
    house.must_have("connections.accepted+1 requests.received+1 refused.slow_body+1");
    house.mark();
    let broken = house.send(&sent[..sent.len() - 20]);
    drop(broken);
    house.server.run();
    house.must_have("connections.accepted+1 requests.received+1 requests.broken+1");
}

#[test]
fn all_calls_are_taken() {
    let mut house = House::new(Config::new().calls(1));
    let _running = house.send(&call("wait"));
    house.mark();
    // The reserve reads what it is after half a second.
    let late = house.send(&call("echo"));
    house.server.advance(1_000);
    let answer = house.text(&late);
    assert_eq!(crate::status(&answer), 503);
    assert_eq!(header(&answer, "Retry-After").as_deref(), Some("2"));
    house.must_have("connections.accepted+1 requests.received+1 refused.calls+1");
    let stats = house.server.stats().unwrap();
    assert_eq!((stats.calls.now, stats.calls.most, stats.calls.capacity), (1, 1, 1));
    assert_eq!(
        (stats.buffers.now, stats.buffers.most, stats.buffers.capacity, stats.buffers.waiting_most),
        (1, 2, 2, 1)
    );
}

#[test]
fn a_request_waits_in_vain_for_a_buffer() {
    let mut house = House::new(Config::new().calls(1));
    let _running = house.send(&call("wait"));
    // Each keeps the reserve for as long as a head may take while others wait.
    let _slow: Vec<_> = (0..12).map(|_| house.send("POST /mcp HTTP/1.1\r\n")).collect();
    house.mark();
    let late = house.send(&call("echo"));
    house.server.advance(1_000);
    assert!(house.server.stats().unwrap().buffers.waiting >= 10);
    house.server.advance(4_500);
    assert_eq!(crate::status(&house.text(&late)), 503);
    let grown = house.server.stats().unwrap();
    assert!(grown.refused.buffers > 1 && grown.refused.calls == 0, "{grown}");
    // One may have the reserve still.
    assert!((12..=13).contains(&(grown.refused.buffers + grown.refused.slow_head)), "{grown}");
}

#[test]
fn the_server_shuts_down() {
    let mut house = House::new(Config::new());
    let _running = house.send(&call("wait"));
    house.server.handle().shutdown();
    house.server.run();
    house.mark();
    assert_eq!(house.status(&wire::echo("x")), 503);
    assert_eq!(house.status(&wire::bare("GET", "/healthz", &[])), 503);
    house.must_have("connections.accepted+2 requests.received+2 refused.stopping+2");
}
