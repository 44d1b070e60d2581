//! The board example's tools, called as a client calls them: on a copy of a Raspberry Pi's files, and on a machine that has nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app;
use crate::config;
use crate::sources::root::Root;
use serde_json::{Value, json};
use smol_mcp::Config;
use smol_mcp::testing::TestServer;

/// Tools that only read, and take no time.
const READERS: [&str; 10] =
    ["overview", "host", "memory", "disks", "network", "temperatures", "sensors", "leds", "processes", "power"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The server, with what `--root` would name.
fn server(root: impl Into<PathBuf>) -> TestServer {
    let config = config::parse("board.toml".to_owned(), "led.ACT = {}\nled.PWR = {}\nled.LED7 = {}\n").unwrap();
    TestServer::new(app::board(Root::new(root), config).0, Config::default()).unwrap()
}

/// What a tool answers: whether as an error, and its text.
fn call(server: &mut TestServer, tool: &str, arguments: &Value) -> (bool, String) {
    told(&server.call_tool(tool, &arguments.to_string()))
}

fn told(answer: &str) -> (bool, String) {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let result = &answer["result"];
    assert_eq!(result["content"].as_array().map(Vec::len), Some(1), "{answer}");
    (result["isError"].as_bool().unwrap(), result["content"][0]["text"].as_str().unwrap().to_owned())
}

/// The result of a request that has no arguments, of the revision 2026-07-28.
fn ask(server: &mut TestServer, method: &str) -> Value {
    let connection = server.connect();
    send(server, &connection, method, &json!({}));
    let answer = String::from_utf8(server.receive(&connection)).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str::<Value>(body).unwrap()["result"].take()
}

fn send(server: &mut TestServer, connection: &smol_mcp::testing::TestConnection, method: &str, params: &Value) {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let name = params["name"].as_str().map_or(String::new(), |name| format!("Mcp-Name: {name}\r\n"));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{name}Content-Length: {}\r\n\r\n",
        body.len()
    );
    server.send(connection, format!("{head}{body}").as_bytes());
}

/// A copy of the LEDs of a fixture, that may be set.
fn leds_of(name: &str) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for led in fs::read_dir(fixture(name).join("sys/class/leds")).unwrap() {
        let from = led.unwrap().path();
        let copy = to.path().join("sys/class/leds").join(from.file_name().unwrap());
        fs::create_dir_all(&copy).unwrap();
        for file in ["brightness", "max_brightness", "trigger"] {
            fs::copy(from.join(file), copy.join(file)).unwrap();
        }
    }
    to
}

#[test]
fn every_tool_answers_on_a_pi() {
    let mut pi = server(fixture("pi"));
    let expected = [
        "Model: Raspberry Pi 4 Model B Rev 1.4",
        "Linux kernel: 6.6.31+rpt-rpi-v8",
        "Memory: 3.70 GiB total, 851 MiB used (22 %), 2.87 GiB available",
        "/boot/firmware (/dev/mmcblk0p1, vfat)",
        "addresses 192.168.1.40/24",
        "cpu-thermal (thermal_zone0): 48.7 °C",
        "emc2301.fan1: 2360 RPM (fan, emc2301 fan1)",
        "PWR: on (brightness 255 of 255), no trigger",
        "603 node: CPU 10.0 %, memory 182 MiB",
        "Voltage: not too low now",
    ];
    for (tool, expected) in READERS.into_iter().zip(expected) {
        let (is_error, text) = call(&mut pi, tool, &json!({}));
        assert!(!is_error && text.contains(expected), "{tool}: {text}");
    }
}

#[test]
fn the_overview_is_short() {
    let expected = "\
Host name: raspberrypi
Model: Raspberry Pi 4 Model B Rev 1.4
System: Debian GNU/Linux 12 (bookworm)
CPU: Cortex-A72, 4 cores, 600 MHz now (of 600 to 1800 MHz), governor ondemand
Up for: 3 days 3 h 52 min
Load average: 0.52 (1 min), 0.41 (5 min), 0.30 (15 min)
Memory: 3.70 GiB total, 851 MiB used (22 %), 2.87 GiB available
Disk /: size 29.2 GiB; how full it is is not told
Disk /boot/firmware: size 512 MiB; how full it is is not told
Disk /media/pi/My Disk: size not on this machine (no /sys/class/block/sda1/size); how full it is is not told
Disks less full than these: 2
Hottest temperature: 48.7 °C, cpu-thermal (thermal_zone0)
Throttling: now none; earlier under-voltage, throttled
Addresses: 192.168.1.40/24 on eth0, 2001:db8:1::40/64 on eth0, 10.0.3.17/16 on wlan0
";
    assert_eq!(call(&mut server(fixture("pi")), "overview", &json!({})), (false, expected.to_owned()));
}

#[test]
fn what_a_machine_lacks_is_a_fact_and_no_error() {
    let mut empty = server(fixture("empty"));
    for tool in READERS {
        let (is_error, text) = call(&mut empty, tool, &json!({}));
        assert!(!is_error && text.contains("not on this machine (no /"), "{tool}: {text}");
    }
    // To wait would show nothing more.
    let (is_error, text) = call(&mut empty, "processes", &json!({ "by": "cpu" }));
    assert!(!is_error && text.starts_with("not on this machine"), "{text}");
    // But what was to be done was not done.
    let (is_error, text) = call(&mut empty, "set_led", &json!({ "name": "ACT", "on": true }));
    assert!(is_error && text == "not on this machine (no /sys/class/leds)", "{text}");
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("proc")).unwrap();
    fs::write(dir.path().join("proc/meminfo"), "nonsense\n").unwrap();
    let (is_error, text) = call(&mut server(dir.path()), "memory", &json!({}));
    assert!(is_error && text == "not understood (/proc/meminfo does not hold MemTotal)", "{text}");
}

#[test]
fn leds_are_set_by_the_tool() {
    let dir = leds_of("pi");
    let mut pi = server(dir.path());
    let mut set = |arguments: Value| call(&mut pi, "set_led", &arguments);
    let ok = |text: &str| (false, text.to_owned());
    let (is_error, text) = set(json!({ "name": "ACT", "on": true }));
    assert!(!is_error && text.starts_with("ACT: on (brightness 1 of 1)"), "{text}");
    assert!(text.ends_with("It was lit by trigger mmc0, which has been removed so that this stays"), "{text}");
    assert_eq!(set(json!({ "name": "PWR", "brightness": 128 })), ok("PWR: on (brightness 128 of 255), no trigger"));
    assert_eq!(
        set(json!({ "name": "PWR", "on": true, "brightness": 9 })),
        ok("PWR: on (brightness 9 of 255), no trigger")
    );
    assert_eq!(set(json!({ "name": "PWR", "on": false })), ok("PWR: off (brightness 0 of 255), no trigger"));
    assert_eq!(
        set(json!({ "name": "PWR", "on": false, "brightness": 0 })),
        ok("PWR: off (brightness 0 of 255), no trigger")
    );
    assert!(!set(json!({ "name": "PWR", "trigger": "heartbeat" })).0);
    assert_eq!(fs::read_to_string(dir.path().join("sys/class/leds/PWR/trigger")).unwrap(), "heartbeat");
}

#[test]
fn wrong_arguments_are_answered_with_what_is_right() {
    let dir = leds_of("pi");
    let mut pi = server(dir.path());
    let mut refused = |tool: &str, arguments: Value, expected: &str| {
        let (is_error, text) = call(&mut pi, tool, &arguments);
        assert!(is_error && text.contains(expected), "{text}");
    };
    refused("set_led", json!({ "name": "LED7", "on": true }), "no LED is called \"LED7\"; there are: ACT, PWR");
    refused("set_led", json!({ "name": "PWR" }), "nothing to change");
    refused("set_led", json!({ "name": "PWR", "brightness": 256 }), "this LED takes 0 to 255");
    refused("set_led", json!({ "name": "PWR", "on": false, "brightness": 5 }), "contradict each other");
    refused("set_led", json!({ "name": "PWR", "on": true, "brightness": 0 }), "contradict each other");
    refused("set_led", json!({ "name": "PWR", "on": "yes" }), "on");
    refused("set_led", json!({ "name": "x".repeat(65), "on": true }), "name");
    refused("set_led", json!({ "on": true }), "name");
    refused("processes", json!({ "count": 51 }), "count");
    refused("processes", json!({ "by": "name" }), "by");
    refused("memory", json!({ "unit": "MB" }), "unit");
    assert_eq!(fs::read_to_string(dir.path().join("sys/class/leds/PWR/brightness")).unwrap(), "255\n");
}

#[test]
fn processes_are_chosen_by_the_arguments() {
    let mut pi = server(fixture("pi"));
    let (_, two) = call(&mut pi, "processes", &json!({ "by": "memory", "count": 2, "commands": true }));
    assert!(two.starts_with("2 of the 5 processes seen") && two.contains("--api-token ***"), "{two}");
    let (_, all) = call(&mut pi, "processes", &json!({}));
    assert!(all.starts_with("5 of the 5 processes seen") && !all.contains("/usr/bin/node"), "{all}");
}

#[test]
fn the_use_of_cpu_is_measured_over_a_second() {
    let mut pi = server(fixture("pi"));
    let connection = pi.connect();
    send(&mut pi, &connection, "tools/call", &json!({ "name": "processes", "arguments": { "by": "cpu", "count": 1 } }));
    assert!(pi.receive(&connection).is_empty(), "it waits");
    // The timer is the tool's own, and runs by the machine's clock.
    let mut answer = String::new();
    for _ in 0..200 {
        std::thread::sleep(Duration::from_millis(50));
        pi.run();
        answer.push_str(&String::from_utf8(pi.receive(&connection)).unwrap());
        if !answer.is_empty() {
            break;
        }
    }
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let (is_error, text) = told(body);
    assert!(!is_error && text.starts_with("1 of the 5 processes seen; CPU as used in the last 0 s"), "{text}");
}

#[test]
fn the_server_says_which_machine_it_is() {
    let told = ask(&mut server(fixture("pi")), "server/discover");
    let instructions = told["instructions"].as_str().unwrap();
    let machine = "raspberrypi (Raspberry Pi 4 Model B Rev 1.4)";
    assert!(instructions.contains(&format!("tells of: {machine}, Debian GNU/Linux 12 (bookworm). ")), "{told}");
    assert!(told.to_string().contains(&format!("\"title\":\"{machine}\"")), "{told}");
    let told = ask(&mut server(fixture("empty")), "server/discover");
    let instructions = told["instructions"].as_str().unwrap();
    assert!(instructions.contains("tells of: a Linux machine. "), "{told}");
}

#[test]
fn tools_are_told_with_titles_and_what_they_do() {
    let told = ask(&mut server(fixture("pi")), "tools/list");
    let tools = told["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    // Those with arguments, and one that a Pi has not; what the configuration does not offer is not there.
    let others = ["sensor", "watchdog", "set_led"];
    assert!(READERS.iter().chain(&others).all(|name| names.contains(name)), "{names:?}");
    assert_eq!(names.len(), READERS.len() + others.len(), "{names:?}");
    for tool in tools {
        let of = |hint: &str| tool["annotations"][hint].as_bool().unwrap();
        assert!(tool["title"].is_string() && tool["description"].as_str().unwrap().len() > 40, "{tool}");
        assert_eq!(of("readOnlyHint"), tool["name"] != "set_led", "{tool}");
        assert!(of("idempotentHint") && !of("destructiveHint") && !of("openWorldHint"), "{tool}");
    }
}

#[test]
fn the_server_tells_how_it_is_doing() {
    let mut server = server(fixture("pi"));
    assert!(!call(&mut server, "memory", &json!({})).0);
    let answer: Value = serde_json::from_str(&server.read_resource("board://server/stats")).unwrap();
    let content = &answer["result"]["contents"][0];
    assert_eq!((&content["uri"], &content["mimeType"]), (&json!("board://server/stats"), &json!("text/plain")));
    let text = content["text"].as_str().unwrap();
    assert!(text.contains("\nconnections: now=1 ") && text.contains("\ncalls: now=1 "), "{text}");
    assert!(text.contains(" started=2 finished=1 "), "{text}");
}
