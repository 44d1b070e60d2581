//! Clocks that jump, stand still, or have come to years that some think will never come.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use smol_mcp::Config;
use smol_mcp::testing::TestServer;

use crate::app;
use crate::child::Child;
use crate::support::client::{Client, Next};
use crate::support::wire;

const DAY_S: u64 = 24 * 60 * 60;
/// The year 2027, about.
const NOW_S: u64 = 1_800_000_000;

struct House(TestServer);

impl House {
    fn new(key: [u8; 32]) -> Self {
        let mut server = TestServer::new(app::server().session_key(key), Config::new()).unwrap();
        server.set_unix_time(NOW_S);
        Self(server)
    }

    fn ask(&mut self, request: &str) -> String {
        let client = self.0.connect();
        self.0.send(&client, request.as_bytes());
        String::from_utf8(self.0.receive(&client)).unwrap()
    }

    fn open(&mut self) -> String {
        let opened = self.ask(&wire::post_to("/mcp", &[], &wire::initialize("2025-11-25", "a")));
        opened.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: ")).expect("a session").to_owned()
    }

    fn status(&mut self, session: &str) -> String {
        let headers = [("Mcp-Session-Id", session), ("MCP-Protocol-Version", "2025-11-25")];
        let answer = self.ask(&wire::post_to("/mcp", &headers, &wire::request(1, "ping", &json!({}))));
        answer.split(' ').nth(1).expect("a status").to_owned()
    }
}

#[test]
fn a_calendar_that_jumps_ends_no_session_that_is_known() {
    let mut house = House::new([7; 32]);
    let known = house.open();
    for unix_s in [NOW_S + 365 * DAY_S, NOW_S - 365 * DAY_S, 0, 1, u64::MAX, u64::MAX - 1, 1 << 40, NOW_S] {
        house.0.set_unix_time(unix_s);
        assert_eq!(house.status(&known), "200", "{unix_s}");
        // New ones are as good as ever, also when the clock comes back.
        let new = house.open();
        assert_eq!(house.status(&new), "200", "{unix_s}");
        house.0.set_unix_time(NOW_S);
        assert_eq!(house.status(&new), "200", "{unix_s}");
    }
}

#[test]
fn a_calendar_that_jumps_decides_only_on_sessions_that_are_old() {
    let known = House::new([7; 32]).open();
    // Another server with the same key: it has only the id to go by.
    for (unix_s, status) in [
        (NOW_S, "200"),
        (NOW_S + 29 * DAY_S, "200"),
        (NOW_S + 31 * DAY_S, "404"),
        // Back from there it is good again, and before its time it is new.
        (NOW_S + 1, "200"),
        (NOW_S - 1000 * DAY_S, "200"),
        (0, "200"),
        (u64::MAX, "404"),
    ] {
        let mut house = House::new([7; 32]);
        house.0.set_unix_time(unix_s);
        assert_eq!(house.status(&known), status, "{unix_s}");
    }
}

#[test]
fn the_years_2038_and_2106_and_later_are_years() {
    for (unix_s, date) in [
        (0, None),
        (1, None),
        ((1 << 31) - 1, Some("Tue, 19 Jan 2038 03:14:07 GMT")),
        (1 << 31, Some("Tue, 19 Jan 2038 03:14:08 GMT")),
        ((1 << 32) - 1, Some("Sun, 07 Feb 2106 06:28:15 GMT")),
        (1 << 32, Some("Sun, 07 Feb 2106 06:28:16 GMT")),
        (253_402_300_799, Some("Fri, 31 Dec 9999 23:59:59 GMT")),
        (253_402_300_800, Some("Fri, 31 Dec 9999 23:59:59 GMT")),
        (u64::MAX, Some("Fri, 31 Dec 9999 23:59:59 GMT")),
    ] {
        let mut house = House::new([7; 32]);
        house.0.set_unix_time(unix_s);
        let answer = house.ask(&wire::echo("now"));
        let shown = answer.lines().find_map(|line| line.strip_prefix("Date: "));
        assert_eq!(shown, date, "{unix_s}: {answer}");
        let session = house.open();
        assert_eq!(house.status(&session), "200", "{unix_s}");
        // A task is made and read.
        let task = json!({"name": "echo", "arguments": {"text": "later"}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": wire::MODERN,
            "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
        }});
        let headers = [("MCP-Protocol-Version", wire::MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "echo")];
        let created = house.ask(&wire::post_to("/mcp", &headers, &wire::request("1", "tools/call", &task)));
        let created: Value = serde_json::from_str(created.split_once("\r\n\r\n").unwrap().1).unwrap();
        let text = created["result"]["createdAt"].as_str().unwrap_or_else(|| panic!("{unix_s}: {created}"));
        assert!(text.ends_with('Z') && text.len() == 20, "{unix_s}: {text}");
    }
}

#[test]
fn a_server_that_was_stopped_closes_nobody_for_it() {
    let mut child = Child::start("idle_timeout_ms=1500 tool_timeout_ms=2000");
    let session = child.session("2025-11-25");
    let mut stream = child.connect();
    assert_eq!(stream.open(&session.get()).status, 200);
    let mut idle: Vec<Client> = (0..3).map(|_| child.connect()).collect();
    for client in &mut idle {
        assert_eq!(client.ask(&wire::echo("first")).status, 200);
    }
    let request = wire::echo("a half, and the rest");
    let (first, rest) = request.split_at(100);
    let mut half = child.connect();
    half.send(first);
    let mut call = child.connect();
    call.send(&wire::modern_call("1", "fault", &json!({"way": "never"})));
    thread::sleep(Duration::from_millis(300));
    // As when a laptop is closed, a machine is moved, a debugger looks. All of their deadlines go by.
    child.signal(Signal::STOP);
    thread::sleep(Duration::from_secs(4));
    // What they send while nobody listens waits.
    for client in &mut idle {
        client.send(&wire::echo("second"));
    }
    half.send(rest);
    child.signal(Signal::CONT);
    for client in &mut idle {
        assert_eq!(client.answer().text(), "second");
    }
    assert_eq!(half.answer().text(), "a half, and the rest");
    assert_eq!(child.connect().ask(&wire::modern_call("n", "notify", &json!({}))).text(), "notified");
    assert_eq!(stream.message()["method"], "notifications/tools/list_changed");
    // Each has its own time still: the call, and the idle ones.
    assert!(call.answer().text().contains("too long"));
    for client in &mut idle {
        assert!(client.ends_cleanly());
    }
    child.signal(Signal::TERM);
    assert_eq!(stream.next(), Next::End);
    assert_eq!(child.end().code(), Some(0));
}

#[test]
fn a_tool_that_held_the_thread_closes_nobody_else() {
    let mut child = Child::start("idle_timeout_ms=1500");
    let mut idle: Vec<Client> = (0..3).map(|_| child.connect()).collect();
    for client in &mut idle {
        assert_eq!(client.ask(&wire::echo("first")).status, 200);
    }
    let mut blocking = child.connect();
    blocking.send(&wire::modern_call("1", "fault", &json!({"way": "block"})));
    thread::sleep(Duration::from_millis(500));
    for client in &mut idle {
        client.send(&wire::echo("second"));
    }
    for client in &mut idle {
        assert_eq!(client.answer().text(), "second");
    }
    assert_eq!(blocking.answer().status, 200);
    child.must_end(&[Signal::TERM]);
}
