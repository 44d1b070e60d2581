//! Who may use what of the board example: each entry's `users`, `scope` and `confirm`, by every tool.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::board::{Board, configured};
use crate::support::example::Example;
use crate::support::wire;
use serde_json::{Value, json};
use tempfile::TempDir;

const HOUSE: &str = r#"
[gpio.all]
chip = "sim"
line = 1
direction = "output"
[gpio.garden]
chip = "sim"
line = 2
direction = "output"
scope = "garden"
[gpio.annas]
chip = "sim"
line = 3
direction = "output"
users = ["anna", "https://login.example#ben"]
[gpio.asked]
about = "the gate"
chip = "sim"
line = 4
direction = "output"
confirm = true
"#;

/// Calls a tool as a client of 2026-07-28 with this token, which can ask its user; the result.
fn ask(board: &Example, token: &str, name: &str, mut params: Value) -> Value {
    params["name"] = json!(name);
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
    });
    let bearer = format!("Bearer {token}");
    let headers = [
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", name),
        ("Authorization", &bearer),
    ];
    let answer = board.connect().ask(&wire::post_to("/mcp", &headers, &wire::request(1, "tools/call", &params)));
    answer.json()["result"].clone()
}

/// The same, of a tool that needs no more than to be called; whether it fails, and its text.
fn call(board: &Example, token: &str, name: &str, arguments: &Value) -> (bool, String) {
    let result = ask(board, token, name, json!({ "arguments": arguments }));
    (result["isError"] != false, result["content"][0]["text"].as_str().unwrap_or_default().to_owned())
}

/// The parameters of a call that is repeated with what the user said when it was asked.
fn answer(asked: &Value, arguments: &Value, action: &str) -> Value {
    let key = asked["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    let responses = json!({ key: { "action": action, "content": { "confirm": true } } });
    json!({ "arguments": arguments, "requestState": asked["requestState"], "inputResponses": responses })
}

/// A server with these tokens and entries, and the folder of its files.
fn served(tokens: &str, entries: &str, flags: &[&str]) -> (Example, [TempDir; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens");
    fs::write(&file, tokens).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let always = ["--listen", "127.0.0.1:0", "--token-file", file.to_str().unwrap()];
    let (command, config) = configured(entries, &[&always, flags].concat());
    (Example::spawn(command), [dir, config])
}

/// The house's server.
fn house() -> (Example, [TempDir; 2]) {
    let tokens = "anna tokenofanna scopes=gpio\nben tokenofben scopes=gpio,garden\nroot tokenofroot\nguest tokenofguest scopes=other\n";
    served(tokens, HOUSE, &[])
}

#[test]
fn entries_are_for_those_whom_they_name() {
    let (board, _dirs) = house();
    let write =
        |token: &str, line: &str| call(&board, token, "gpio_write", &json!({ "name": line, "state": "active" }));
    let lines = |token: &str| {
        let (failed, text) = call(&board, token, "gpio_list", &json!({}));
        assert!(!failed, "{text}");
        text.lines().map(|line| line.split([':', ' ']).next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lines("tokenofanna"), ["all", "annas", "asked"]);
    assert_eq!(lines("tokenofben"), ["all", "garden", "asked"]);
    assert_eq!(lines("tokenofroot"), ["all", "garden", "asked"]);
    for (token, line, is_allowed, words) in [
        ("tokenofanna", "all", true, "all: active"),
        ("tokenofanna", "garden", false, "this needs the scope \"garden\""),
        ("tokenofanna", "annas", true, "annas: active"),
        ("tokenofben", "garden", true, "garden: active"),
        // A name of an authorization server is nobody's token, and every scope makes nobody into somebody else.
        ("tokenofben", "annas", false, "you are not among them"),
        ("tokenofroot", "garden", true, "garden: active"),
        ("tokenofroot", "annas", false, "you are not among them"),
        ("tokenofroot", "pump", false, "there are: all, garden, asked"),
    ] {
        let (failed, text) = write(token, line);
        assert!(failed != is_allowed && text.contains(words), "{token} {line}: {text}");
    }
    // The tools themselves ask for a scope, too.
    assert_eq!(ask(&board, "tokenofguest", "gpio_list", json!({})), Value::Null);
}

#[test]
fn the_user_is_asked_first() {
    let (board, _dirs) = house();
    let (tool, who, state) = ("gpio_write", "tokenofroot", json!({ "name": "asked", "state": "active" }));
    let is_active = || call(&board, who, "gpio_read", &json!({ "name": "asked" })).1 == "asked: active";
    let asked = ask(&board, who, tool, json!({ "arguments": state }));
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let question = asked["inputRequests"].to_string();
    assert!(question.contains("Set asked (the gate) to active?"), "{question}");
    assert!(!is_active());
    let declined = ask(&board, who, tool, answer(&asked, &state, "decline"));
    assert!(declined["isError"] == true && !is_active(), "{declined}");
    let asked = ask(&board, who, tool, json!({ "arguments": state }));
    let done = ask(&board, who, tool, answer(&asked, &state, "accept"));
    assert!(done["isError"] == false && is_active(), "{done}");
}

#[test]
fn nobody_is_named_without_a_name() {
    let mut board = Board::start(HOUSE, &[]);
    board.refused("gpio_write", &json!({ "name": "annas", "state": "active" }), "you are not among them");
    // This client has no forms.
    board.refused("gpio_write", &json!({ "name": "asked", "state": "active" }), "elicitation");
    assert!(!board.is_active("asked"));
    board.done("gpio_write", &json!({ "name": "garden", "state": "active" }));
}

/// One of everything, each of which is for whom it says.
const ALL: &str = r#"
[gpio.lamp]
chip = "sim"
line = 1
direction = "output"
WHO
[gpio.button]
chip = "sim"
line = 2
direction = "input"
WHO
[i2c.header]
bus = "sim"
scan = [0x20]
[i2c.header.device.expander]
address = 0x20
write = ["0x00-0xff"]
WHO
[i2c.other]
bus = "sim:2"
scan = [0x20]
WHO
[pwm.fan]
chip = 0
channel = 0
hertz = 50
WHO
[led.ACT]
WHO
[sensor.room]
id = "cpu-thermal"
WHO
[unit."web.service"]
WHO
[command.words]
about = "Tells."
argv = ["/bin/echo", "told"]
WHO
"#;

/// The machine of that.
fn machine() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("class/pwm/pwmchip0/npwm", "1\n"),
        ("class/pwm/pwmchip0/pwm0/period", "0"),
        ("class/pwm/pwmchip0/pwm0/duty_cycle", "0"),
        ("class/pwm/pwmchip0/pwm0/enable", "0"),
        ("class/pwm/pwmchip0/pwm0/polarity", "normal"),
        ("class/leds/ACT/brightness", "0"),
        ("class/leds/ACT/max_brightness", "1"),
        ("class/leds/ACT/trigger", "[none]"),
        ("class/thermal/thermal_zone0/type", "cpu-thermal\n"),
        ("class/thermal/thermal_zone0/temp", "48700\n"),
    ] {
        let whole = dir.path().join("sys").join(file);
        fs::create_dir_all(whole.parent().unwrap()).unwrap();
        fs::write(whole, text).unwrap();
    }
    dir
}

/// A call of each tool that names an entry; and what is said to whom the entry is not for, where that is not why.
fn calls() -> [(&'static str, Value, Option<&'static str>); 12] {
    [
        ("gpio_read", json!({ "name": "lamp" }), None),
        ("gpio_write", json!({ "name": "lamp", "state": "active" }), None),
        ("gpio_write", json!({ "name": "lamp", "state": "inactive" }), None),
        ("gpio_pulse", json!({ "name": "lamp", "milliseconds": 1 }), None),
        ("gpio_wait", json!({ "name": "button", "timeout_seconds": 1 }), None),
        ("i2c_read", json!({ "device": "expander", "register": 0 }), None),
        ("i2c_write", json!({ "device": "expander", "register": 0, "bytes": [1] }), None),
        ("i2c_scan", json!({ "bus": "other" }), None),
        ("pwm_set", json!({ "name": "fan", "percent": 5 }), None),
        ("set_led", json!({ "name": "ACT", "on": true }), None),
        ("run_command", json!({ "name": "words" }), Some("the configuration allows no command \"words\"; it allows: ")),
        ("sensor", json!({ "name": "room" }), Some("no sensor is called \"room\"; there are: ")),
    ]
}

#[test]
fn no_tool_does_what_its_entry_does_not_allow_to_the_caller() {
    let scopes = "gpio,i2c,pwm,leds,units,commands";
    let tokens = format!("anna tokenofanna scopes={scopes},house\nben tokenofben scopes={scopes}\n");
    for (who, denied) in [
        ("users = [\"anna\"]", "you are not among them"),
        ("scope = \"house\"", "this needs the scope \"house\", which you have not been given"),
    ] {
        let machine = machine();
        let (board, _dirs) = served(&tokens, &ALL.replace("WHO", who), &["--root", machine.path().to_str().unwrap()]);
        for (tool, arguments, otherwise) in calls() {
            let (failed, text) = call(&board, "tokenofben", tool, &arguments);
            assert!(failed && text.contains(otherwise.unwrap_or(denied)), "{tool} {arguments}: {text}");
        }
        // Nothing of it was done.
        let file = |file: &str| fs::read_to_string(machine.path().join("sys/class").join(file)).unwrap();
        assert_eq!((file("leds/ACT/brightness").as_str(), file("pwm/pwmchip0/pwm0/enable").as_str()), ("0", "0"));
        assert_eq!(call(&board, "tokenofanna", "gpio_read", &json!({ "name": "lamp" })).1, "lamp: inactive");
        let read = json!({ "device": "expander", "register": 0 });
        assert_eq!(call(&board, "tokenofanna", "i2c_read", &read).1, "0x00: 0x00 (0)\n");
        // What there is, is for the other alone.
        for (list, name) in [
            ("gpio_list", "lamp"),
            ("gpio_list", "button"),
            ("i2c_list", "expander"),
            ("i2c_list", "other"),
            ("pwm_list", "fan"),
            ("commands", "words"),
            ("sensors", "room"),
        ] {
            let told = |token: &str| call(&board, token, list, &json!({}));
            assert!(told("tokenofanna").1.contains(name), "{list}");
            let (failed, text) = told("tokenofben");
            assert!(!failed && !text.contains(name), "{list}: {text}");
        }
        let (_, text) = call(&board, "tokenofben", "units", &json!({}));
        assert_eq!(text, "The configuration of this server allows no units to you.");
        let log = json!({ "unit": "web.service" });
        let (failed, text) = call(&board, "tokenofben", "unit_log", &log);
        assert!(failed && text == "the configuration allows no log of \"web.service\"; it allows: ", "{text}");
        assert!(!call(&board, "tokenofanna", "unit_log", &log).1.contains("allows no log"));
        // A wrong name tells no right ones.
        for (tool, arguments) in [
            ("set_led", json!({ "name": "PWR", "on": true })),
            ("gpio_read", json!({ "name": "pump" })),
            ("pwm_set", json!({ "name": "pump" })),
            ("i2c_read", json!({ "device": "pump", "register": 0 })),
        ] {
            let (failed, text) = call(&board, "tokenofben", tool, &arguments);
            assert!(failed && text.ends_with("there are: none that you may use"), "{tool}: {text}");
        }
        for (tool, arguments, _) in calls() {
            let (failed, text) = call(&board, "tokenofanna", tool, &arguments);
            assert!(!failed, "{tool} {arguments}: {text}");
        }
    }
}

#[test]
fn every_tool_that_changes_something_asks_first() {
    let machine = machine();
    let (board, _dirs) = {
        // What is only read has nobody to ask.
        let is_read =
            |entry: &str| ["gpio.button", "sensor.", "unit.", "i2c.header]"].iter().any(|name| entry.starts_with(name));
        let asking = |entry: &str| entry.replace("WHO", if is_read(entry) { "" } else { "confirm = true" });
        let entries = ALL.split("\n[").filter(|entry| !entry.is_empty()).map(asking);
        let entries: Vec<String> = entries.map(|entry| format!("[{entry}\n")).collect();
        let entries = entries.concat();
        served("root tokenofroot\n", &entries, &["--root", machine.path().to_str().unwrap()])
    };
    let who = "tokenofroot";
    let read = |tool: &str, arguments: &Value| call(&board, who, tool, arguments).1;
    let state = || {
        let lamp = read("gpio_read", &json!({ "name": "lamp" }));
        let register = read("i2c_read", &json!({ "device": "expander", "register": 0 }));
        let file = |file: &str| fs::read_to_string(machine.path().join("sys/class").join(file)).unwrap();
        (lamp, register, file("pwm/pwmchip0/pwm0/enable"), file("leds/ACT/brightness"))
    };
    for (tool, arguments, question, done) in [
        (
            "gpio_pulse",
            json!({ "name": "lamp", "milliseconds": 1 }),
            "Set lamp to active for 1 ms?",
            "lamp: was active for 1 ms",
        ),
        ("gpio_write", json!({ "name": "lamp", "state": "active" }), "Set lamp to active?", "lamp: active"),
        (
            "i2c_write",
            json!({ "device": "expander", "register": 0, "bytes": [7] }),
            "Write 0x07 to expander from register 0x00 on?",
            "wrote 0x07",
        ),
        ("i2c_scan", json!({ "bus": "other" }), "Scan other at 0x20?", "Devices on other at 0x20: none"),
        ("pwm_set", json!({ "name": "fan", "percent": 5 }), "Set fan to 5 % at 50.0 Hz?", "fan: on, 5.0 %"),
        (
            "set_led",
            json!({ "name": "ACT", "on": true }),
            "Set the LED ACT to brightness 1?",
            "ACT: on (brightness 1 of 1)",
        ),
        ("run_command", json!({ "name": "words" }), "Run words?\\n/bin/echo told", "exit status 0\nstdout:\ntold\n"),
    ] {
        let before = state();
        let asked = ask(&board, who, tool, json!({ "arguments": arguments }));
        assert_eq!(asked["resultType"], "input_required", "{tool}: {asked}");
        assert!(asked["inputRequests"].to_string().contains(question), "{tool}: {asked}");
        let declined = ask(&board, who, tool, answer(&asked, &arguments, "decline"));
        assert!(declined["isError"] == true && state() == before, "{tool}: {declined}");
        let asked = ask(&board, who, tool, json!({ "arguments": arguments }));
        let accepted = ask(&board, who, tool, answer(&asked, &arguments, "accept"));
        let text = accepted["content"][0]["text"].as_str().unwrap_or_default();
        assert!(accepted["isError"] == false && text.starts_with(done), "{tool}: {accepted}");
    }
    // Nobody is asked about what can't be done.
    for (arguments, why) in [
        (json!({ "name": "ACT", "brightness": 2 }), "brightness 2 is out of range"),
        (json!({ "name": "ACT", "trigger": "none such" }), "no trigger"),
        (json!({ "name": "ACT", "on": true, "brightness": 0 }), "contradict"),
    ] {
        let (failed, text) = call(&board, who, "set_led", &arguments);
        assert!(failed && text.contains(why), "{arguments}: {text}");
    }
}
