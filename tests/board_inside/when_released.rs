//! Outputs of the board example return to their safe states when the session of their client expires, or makes room, and when a handler panics.
//! What is stuck keeps nobody for long.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::app;
use crate::config;
use crate::control::Control;
use crate::hardware::Fault;
use crate::hardware::gpio::{Edge, Edges, Line};
use crate::hardware::i2c::{Bus, Probed};
use crate::sources;
use serde_json::{Value, json};
use smol_mcp::limits::{SESSION_IDLE_MAX_MS, SESSION_IDLE_MIN_MS};
use smol_mcp::testing::{TestConnection, TestServer};
use smol_mcp::{ClientEvent, Config, Server};

const LINES: &str = r#"
[gpio.lamp]
chip = "sim"
line = 1
direction = "output"
release = "with-client"
[gpio.relay]
chip = "sim"
line = 2
direction = "output"
[gpio.gate]
chip = "sim"
line = 3
direction = "output"
release = "with-client"
confirm = true
[i2c.main]
bus = "sim"
scan = ["0x20-0x27"]
[i2c.main.device.clock]
address = 0x20
"#;

/// A server with these outputs, and what it controls.
fn house(config: Config) -> (TestServer, Rc<Control>) {
    let settings = config::parse("board.toml".to_owned(), LINES).unwrap();
    let board = app::Board::new(sources::root::Root::new(Path::new("/")), settings);
    let (control, of_clients) = (board.control.clone(), board.control.clone());
    let server = Server::new("board", "1", board).on_client(move |event| of_clients.on_client(event)).resources();
    (TestServer::new(server, config).unwrap(), control)
}

fn is_active(control: &Control, line: usize) -> bool {
    control.lines[line].taken.borrow().as_ref().is_some_and(|taken| taken.is_active().unwrap())
}

/// A client of 2025-06-18.
struct Client {
    connection: TestConnection,
    session: String,
}

impl Client {
    fn new(server: &mut TestServer) -> Self {
        let mut client = Self { connection: server.connect(), session: String::new() };
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": { "elicitation": {} },
            "clientInfo": { "name": "a", "version": "1" },
        });
        let answer =
            client.post(server, &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }));
        let (_, id) = answer.split_once("Mcp-Session-Id: ").unwrap_or_else(|| panic!("{answer}"));
        client.session =
            format!("Mcp-Session-Id: {}\r\nMCP-Protocol-Version: 2025-06-18\r\n", id.lines().next().unwrap());
        client
    }

    /// What has come when all has been done that can be done now.
    fn post(&self, server: &mut TestServer, body: &Value) -> String {
        self.send(server, "POST", &body.to_string())
    }

    fn send(&self, server: &mut TestServer, method: &str, body: &str) -> String {
        let head = format!(
            "{method} /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n{}Content-Length: {}\r\n\r\n",
            self.session,
            body.len()
        );
        server.send(&self.connection, format!("{head}{body}").as_bytes());
        String::from_utf8(server.receive(&self.connection)).unwrap()
    }

    fn call(&self, server: &mut TestServer, tool: &str, arguments: &Value) -> String {
        let params = json!({ "name": tool, "arguments": arguments });
        self.post(server, &json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params }))
    }

    fn set(&self, server: &mut TestServer, line: &str) -> String {
        self.call(server, "gpio_write", &json!({ "name": line, "state": "active" }))
    }
}

#[test]
fn outputs_are_safe_when_the_session_of_their_client_expires() {
    let (mut server, control) = house(Config::default());
    let client = Client::new(&mut server);
    for line in ["lamp", "relay"] {
        let answer = client.set(&mut server, line);
        assert!(answer.contains("\"isError\":false"), "{answer}");
    }
    server.advance(SESSION_IDLE_MAX_MS - 1_000);
    assert!(is_active(&control, 0) && is_active(&control, 1), "it may come again");
    server.advance(5_000);
    assert!(!is_active(&control, 0) && is_active(&control, 1), "the other one is the server's");
}

#[test]
fn outputs_are_safe_when_the_session_of_their_client_makes_room() {
    let (mut server, control) = house(Config::default().sessions(1));
    let client = Client::new(&mut server);
    client.set(&mut server, "lamp");
    assert!(is_active(&control, 0));
    server.advance(2 * SESSION_IDLE_MIN_MS);
    let _other = Client::new(&mut server);
    assert!(!is_active(&control, 0));
    // When it is heard again it is there again, and can hold what it sets.
    server.advance(2 * SESSION_IDLE_MIN_MS);
    let answer = client.set(&mut server, "lamp");
    assert!(answer.contains("lamp: active; it returns to its safe state when your session ends"), "{answer}");
    assert!(is_active(&control, 0));
}

#[test]
fn who_goes_while_its_user_is_asked_sets_nothing() {
    for (tool, more) in [("gpio_write", json!({ "state": "active" })), ("gpio_pulse", json!({ "milliseconds": 5_000 }))]
    {
        let (mut server, control) = house(Config::default());
        let client = Client::new(&mut server);
        let mut arguments = more;
        arguments["name"] = json!("gate");
        let asked = client.call(&mut server, tool, &arguments);
        let (_, id) = asked.split_once("\"id\":").unwrap_or_else(|| panic!("{asked}"));
        let id = id.split([',', '}']).next().unwrap();
        // The session goes, and the call goes on.
        control.on_client(&ClientEvent::Went { id: 1 });
        let other = Client { connection: server.connect(), session: client.session.clone() };
        let yes = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"action\":\"accept\",\"content\":{{\"confirm\":true}}}}}}"
        );
        let taken = other.send(&mut server, "POST", &yes);
        assert!(taken.starts_with("HTTP/1.1 202 "), "{taken}");
        let answer = String::from_utf8(server.receive(&client.connection)).unwrap();
        assert!(answer.contains("your session has ended"), "{answer}");
        assert!(!is_active(&control, 2), "{tool}");
    }
}

/// A line that panics once it has been set active, as a bug does.
#[derive(Default)]
struct Buggy {
    active: Cell<bool>,
    is_wrong: bool,
}

impl Line for Buggy {
    fn is_active(&self) -> Result<bool, Fault> {
        Ok(self.active.get())
    }

    fn set(&self, active: bool) -> Result<(), Fault> {
        self.active.set(active);
        assert!(!active || self.is_wrong, "as a bug does");
        // An expander has done it, and its answer was lost.
        if active { Err("no answer".to_owned()) } else { Ok(()) }
    }

    fn watch(&self, _: Option<Edges>) -> Result<(), Fault> {
        Ok(())
    }

    fn poll_edge(&self, _: &mut Context<'_>) -> Poll<Result<Edge, Fault>> {
        Poll::Pending
    }
}

#[test]
fn outputs_are_safe_when_the_call_that_sets_them_fails_or_panics() {
    for is_wrong in [false, true] {
        let (mut server, control) = house(Config::default());
        let client = Client::new(&mut server);
        for (tool, more) in
            [("gpio_write", json!({ "state": "active" })), ("gpio_pulse", json!({ "milliseconds": 100 }))]
        {
            let line = Rc::new(Buggy { is_wrong, ..Buggy::default() });
            control.lines[1].taken.replace(Some(line.clone()));
            let mut arguments = more;
            arguments["name"] = json!("relay");
            let answer = client.call(&mut server, tool, &arguments);
            assert!(answer.contains("\"isError\":true") || answer.contains("\"error\":"), "{answer}");
            assert!(!line.active.get(), "{tool}");
        }
        // The server goes on, and so does what else it has.
        let answer = client.set(&mut server, "lamp");
        assert!(answer.contains("lamp: active") && is_active(&control, 0), "{answer}");
    }
}

/// A bus that a device holds.
#[derive(Default)]
struct Stuck {
    transfers: Cell<u32>,
}

impl Stuck {
    fn transfer<T>(&self) -> Result<T, Fault> {
        self.transfers.set(self.transfers.get() + 1);
        std::thread::sleep(Duration::from_millis(120));
        Err("the bus is stuck".to_owned())
    }
}

impl Bus for Stuck {
    fn probe(&self, _: u8) -> Result<Probed, Fault> {
        self.transfer()
    }

    fn read(&self, _: u8, _: u8, _: u8) -> Result<Vec<u8>, Fault> {
        self.transfer()
    }

    fn write(&self, _: u8, _: u8, _: &[u8]) -> Result<(), Fault> {
        self.transfer()
    }
}

#[test]
fn a_bus_that_is_stuck_is_left_alone_for_a_while() {
    let (mut server, control) = house(Config::default());
    let bus = Rc::new(Stuck::default());
    control.buses[0].taken.replace(Some(bus.clone()));
    let mut call = |tool: &str, arguments: &Value| server.call_tool(tool, &arguments.to_string());
    let read = json!({ "device": "clock", "register": 0, "count": 32 });
    assert!(call("i2c_read", &read).contains("the bus is stuck"));
    let begun = Instant::now();
    for _ in 0..20 {
        let text = call("i2c_read", &read);
        assert!(text.contains("was stuck a moment ago"), "{text}");
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(bus.transfers.get(), 1);
    std::thread::sleep(Duration::from_millis(1_300));
    let text = call("i2c_scan", &json!({ "bus": "main" }));
    assert!(text.contains(": 0x20 (unknown: the bus is stuck), the others were not asked"), "{text}");
    assert_eq!(bus.transfers.get(), 2);
}
