//! GPIO lines of the board example, on a simulated chip: what drives a wire is read at its other end.

use std::time::{Duration, Instant};

use crate::support::board::{Board, told};
use crate::support::{until, wire};
use rustix::process::Signal;
use serde_json::{Value, json};

/// The other end of each wire is called `..._wire`, and reads its level.
const LINES: &str = r#"
[gpio.relay]
about = "the pump"
chip = "sim"
line = 17
direction = "output"
[gpio.relay_wire]
chip = "sim"
line = 17
direction = "input"

[gpio.valve]
chip = "sim"
line = "GPIO18"
direction = "output"
active-low = true
safe = "active"
pulse-ms-max = 100
[gpio.valve_wire]
chip = "sim"
line = 18
direction = "input"

[gpio.lamp]
chip = "sim"
line = 19
direction = "output"
release = "with-client"
[gpio.siren]
chip = "sim"
line = 20
direction = "output"
release = "with-client"
hold-seconds = 1

[gpio.button]
chip = "sim"
line = 21
direction = "input"
bias = "pull-up"
active-low = true
"#;

fn board() -> Board {
    Board::start(LINES, &[])
}

fn set(name: &str, state: &str) -> Value {
    json!({ "name": name, "state": state })
}

fn until_waited_for(board: &mut Board) {
    until("a call waits", || board.done("gpio_list", &json!({})).contains("a call has it to itself").then_some(()));
}

#[test]
fn lines_are_listed_as_they_are() {
    let mut board = board();
    let expected = "\
relay (the pump): output, inactive now; safe state inactive, pulses up to 5000 ms
relay_wire: input, inactive now
valve: output, active now; safe state active, pulses up to 100 ms
valve_wire: input, inactive now
lamp: output, inactive now; safe state inactive, pulses up to 5000 ms
siren: output, inactive now; safe state inactive, pulses up to 5000 ms
button: input, inactive now
";
    assert_eq!(board.done("gpio_list", &json!({})), expected);
}

#[test]
fn what_is_set_is_on_the_wire() {
    let mut board = board();
    assert_eq!(board.done("gpio_write", &set("relay", "active")), "relay: active");
    assert!(board.is_active("relay") && board.is_active("relay_wire"));
    assert_eq!(board.done("gpio_write", &set("relay", "inactive")), "relay: inactive");
    assert!(!board.is_active("relay") && !board.is_active("relay_wire"));
    // Active is a low level here.
    board.done("gpio_write", &set("valve", "inactive"));
    assert!(!board.is_active("valve") && board.is_active("valve_wire"));
}

#[test]
fn what_is_not_allowed_is_refused() {
    let mut board = board();
    let names = "there are: relay, relay_wire, valve, valve_wire, lamp, siren, button";
    board.refused("gpio_write", &set("GPIO17", "active"), names);
    board.refused("gpio_read", &json!({ "name": "17" }), "no GPIO line is called \"17\"");
    board.refused("gpio_write", &set("button", "active"), "button is an input");
    board.refused("gpio_pulse", &json!({ "name": "button", "milliseconds": 5 }), "button is an input");
    board.refused("gpio_wait", &json!({ "name": "relay", "timeout_seconds": 1 }), "relay is an output");
    board.refused("gpio_write", &set("relay", "on"), "state");
    board.refused(
        "gpio_pulse",
        &json!({ "name": "valve", "milliseconds": 101 }),
        "a pulse of valve has at most 100 ms",
    );
    board.refused("gpio_pulse", &json!({ "name": "relay", "milliseconds": 240_001 }), "milliseconds");
    board.refused("gpio_wait", &json!({ "name": "button", "timeout_seconds": 0 }), "timeout_seconds");
    assert!(!board.is_active("relay") && board.is_active("valve"));
}

#[test]
fn a_pulse_ends() {
    let mut board = board();
    let begun = Instant::now();
    let text = board.done("gpio_pulse", &json!({ "name": "relay", "milliseconds": 150 }));
    assert!(begun.elapsed() >= Duration::from_millis(150), "{:?}", begun.elapsed());
    assert_eq!(text, "relay: was active for 150 ms, is inactive now");
    assert!(!board.is_active("relay_wire"));
    let dark = json!({ "name": "valve", "state": "inactive", "milliseconds": 20 });
    assert_eq!(board.done("gpio_pulse", &dark), "valve: was inactive for 20 ms, is active now");
    board.done("gpio_write", &set("relay", "active"));
    board.refused("gpio_pulse", &json!({ "name": "relay", "milliseconds": 20 }), "relay is active already");
    assert!(board.is_active("relay"));
}

#[test]
fn a_pulse_has_its_line_to_itself_and_ends_with_its_call() {
    let mut board = board();
    let mut other = board.example.connect();
    other.send(&wire::modern_call("long", "gpio_pulse", &json!({ "name": "relay", "milliseconds": 5_000 })));
    until("it is active", || board.is_active("relay_wire").then_some(()));
    board.refused("gpio_write", &set("relay", "active"), "another call has relay now");
    board.refused("gpio_pulse", &json!({ "name": "relay", "milliseconds": 20 }), "another call has relay now");
    // In 2026-07-28 that cancels the call.
    drop(other);
    until("it went back", || (!board.is_active("relay_wire")).then_some(()));
    board.done("gpio_write", &set("relay", "active"));
}

#[test]
fn anybody_can_end_a_pulse_by_what_is_safe() {
    let mut board = board();
    let mut other = board.example.connect();
    let begun = Instant::now();
    other.send(&wire::modern_call("long", "gpio_pulse", &json!({ "name": "relay", "milliseconds": 5_000 })));
    until("it is active", || board.is_active("relay_wire").then_some(()));
    assert_eq!(board.done("gpio_write", &set("relay", "inactive")), "relay: inactive");
    assert!(!board.is_active("relay_wire"));
    let (failed, text) = told(&other.answer());
    assert!(!failed && text.starts_with("relay: was active for ") && text.ends_with("is inactive now"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(4), "it ended early");
    board.done("gpio_write", &set("relay", "active"));
}

#[test]
fn a_pulse_ends_with_its_client_and_its_time() {
    let mut board = board();
    let mut other = board.example.connect();
    let session = other.initialize("2025-06-18", "another");
    for (line, is_deleted) in [("siren", false), ("lamp", true)] {
        let begun = Instant::now();
        other.send(&session.post(&wire::call(1, "gpio_pulse", &json!({ "name": line, "milliseconds": 5_000 }))));
        until("it is active", || board.is_active(line).then_some(()));
        if is_deleted {
            assert_eq!(board.example.connect().ask(&session.delete()).status, 200);
        }
        until("it is off", || (!board.is_active(line)).then_some(()));
        assert!(begun.elapsed() < Duration::from_secs(4), "{line} was cut");
        if !is_deleted {
            assert!(!told(&other.answer()).0);
        }
    }
}

#[test]
fn anybody_can_set_what_is_safe() {
    let mut board = board();
    board.done("gpio_write", &set("lamp", "active"));
    let mut modern = board.example.connect();
    let (failed, text) = told(&modern.ask(&wire::modern_call("a", "gpio_write", &set("lamp", "inactive"))));
    assert!(!failed && text == "lamp: inactive", "{text}");
    assert!(!board.is_active("lamp"));
}

#[test]
fn an_output_goes_back_whatever_its_wire_is() {
    // Another output on the same wire drives it to what is safe: that nothing is to be done would be wrong, as the other lets go of it.
    let second = "[gpio.second]\nchip = \"sim\"\nline = 17\ndirection = \"output\"\n";
    let mut board = Board::start(&format!("{LINES}{second}"), &[]);
    board.done("gpio_write", &set("relay", "active"));
    board.done("gpio_write", &set("second", "inactive"));
    assert!(!board.is_active("relay"));
    let said = board.end(Signal::TERM);
    assert!(said.contains("relay is inactive again: the server ends"), "{said}");
}

#[test]
fn an_edge_ends_the_wait() {
    let mut board = board();
    for (edge, state, expected) in [
        (None, "active", "relay_wire became active after "),
        (Some("deactivation"), "inactive", "relay_wire became inactive after "),
    ] {
        let mut waiting = board.example.connect();
        let mut arguments = json!({ "name": "relay_wire", "timeout_seconds": 9 });
        if let Some(edge) = edge {
            arguments["edge"] = json!(edge);
        }
        waiting.send(&wire::modern_call("wait", "gpio_wait", &arguments));
        until_waited_for(&mut board);
        board.done("gpio_write", &set("relay", state));
        let (failed, text) = told(&waiting.answer());
        assert!(!failed && text.starts_with(expected) && text.ends_with(" s"), "{text}");
    }
    assert!(!board.is_active("relay_wire"));
}

#[test]
fn other_edges_do_not_end_the_wait() {
    let mut board = board();
    let mut waiting = board.example.connect();
    let arguments = json!({ "name": "relay_wire", "edge": "deactivation", "timeout_seconds": 9 });
    waiting.send(&wire::modern_call("wait", "gpio_wait", &arguments));
    until_waited_for(&mut board);
    board.done("gpio_write", &set("relay", "active"));
    board.refused("gpio_wait", &arguments, "another call has relay_wire now");
    board.done("gpio_write", &set("relay", "inactive"));
    assert!(told(&waiting.answer()).1.starts_with("relay_wire became inactive after "));
}

#[test]
fn a_wait_ends_in_time_and_by_being_cancelled() {
    let mut board = board();
    let (arguments, begun) = (json!({ "name": "button", "timeout_seconds": 1 }), Instant::now());
    assert_eq!(board.done("gpio_wait", &arguments), "button did not change so in 1 s; it is inactive");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let mut waiting = board.example.connect();
    waiting.send(&wire::modern_call("wait", "gpio_wait", &json!({ "name": "button", "timeout_seconds": 60 })));
    until_waited_for(&mut board);
    drop(waiting);
    until("it is free again", || (!board.call("gpio_wait", &arguments).0).then_some(()));
}

#[test]
fn a_wait_tells_that_it_goes_on() {
    let mut board = board();
    let mut call = json!({ "name": "gpio_wait", "arguments": { "name": "button", "timeout_seconds": 6 } });
    call["_meta"] = json!({ "progressToken": "p" });
    let answer = board.client.ask(&board.session.post(&wire::request(1, "tools/call", &call)));
    assert!(answer.body.contains("\"progressToken\":\"p\"") && answer.body.contains("waiting for"), "{answer:?}");
    assert_eq!(told(&answer).1, "button did not change so in 6 s; it is inactive");
}

#[test]
fn outputs_are_safe_when_the_server_ends() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut board = board();
        board.done("gpio_write", &set("relay", "active"));
        board.done("gpio_write", &set("valve", "inactive"));
        let said = board.end(signal);
        for words in ["relay is inactive again: the server ends", "valve is active again: the server ends"] {
            assert!(said.contains(words), "{said}");
        }
        assert!(!said.contains("lamp"), "it was safe all the time: {said}");
    }
}

#[test]
fn a_pulse_that_the_end_of_the_server_cuts_goes_back() {
    let mut board = board();
    let mut other = board.example.connect();
    other.send(&wire::modern_call("long", "gpio_pulse", &json!({ "name": "relay", "milliseconds": 5_000 })));
    until("it is active", || board.is_active("relay_wire").then_some(()));
    let begun = Instant::now();
    let said = board.end(Signal::TERM);
    assert!(said.contains("relay is inactive again: "), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(4), "it did not wait for the pulse: {:?}", begun.elapsed());
}

#[test]
fn outputs_are_safe_when_their_client_is_gone() {
    let mut board = board();
    let mut other = board.example.connect();
    let session = other.initialize("2025-06-18", "another");
    let write = |name: &str| session.post(&wire::call(1, "gpio_write", &set(name, "active")));
    let (_, text) = told(&other.ask(&write("lamp")));
    assert_eq!(text, "lamp: active; it returns to its safe state when your session ends");
    told(&other.ask(&write("relay")));
    assert!(board.is_active("lamp") && board.is_active("relay"));
    assert_eq!(other.ask(&session.delete()).status, 200);
    until("the lamp is off", || (!board.is_active("lamp")).then_some(()));
    assert!(board.is_active("relay"), "it was not asked for");
}

#[test]
fn who_sets_an_output_last_has_it() {
    let mut board = board();
    let mut other = board.example.connect();
    let session = other.initialize("2025-06-18", "another");
    told(&other.ask(&session.post(&wire::call(1, "gpio_write", &set("lamp", "active")))));
    board.done("gpio_write", &set("lamp", "active"));
    assert_eq!(other.ask(&session.delete()).status, 200);
    std::thread::sleep(Duration::from_millis(200));
    assert!(board.is_active("lamp"), "another client has set it since");
    let said = board.end(Signal::TERM);
    assert!(said.contains("lamp is inactive again: the server ends"), "{said}");
}

#[test]
fn outputs_are_safe_when_the_stream_of_an_old_client_ends() {
    let mut board = board();
    let (mut stream, mut post) = (board.example.connect(), board.example.connect());
    let path = stream.open_http_sse();
    let mut tell = |body: &str| post.ask(&wire::post_to(&path, &[], body));
    assert_eq!(tell(&wire::initialize("2024-11-05", "an old one")).status, 202);
    assert_eq!(tell(&wire::call(1, "gpio_write", &set("lamp", "active"))).status, 202);
    until("it is on", || board.is_active("lamp").then_some(()));
    stream.reset();
    until("it is off", || (!board.is_active("lamp")).then_some(()));
}

#[test]
fn a_client_that_nothing_tells_the_end_of_holds_nothing_for_long() {
    let mut board = board();
    let mut modern = board.example.connect();
    let (failed, text) = told(&modern.ask(&wire::modern_call("a", "gpio_write", &set("lamp", "active"))));
    assert!(failed && text.contains("no session") && text.contains("pulse"), "{text}");
    assert!(!board.is_active("lamp"));
    let (failed, text) = told(&modern.ask(&wire::modern_call("b", "gpio_write", &set("siren", "active"))));
    assert!(!failed && text.ends_with("safe state in 1 s unless it is set again"), "{text}");
    assert!(board.is_active("siren"));
    until("its time is over", || (!board.is_active("siren")).then_some(()));
    let said = board.end(Signal::TERM);
    assert!(said.contains("siren is inactive again: it was not set again in time"), "{said}");
}

#[test]
fn setting_it_again_holds_it_longer() {
    let mut board = board();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_800) {
        let text = board.done("gpio_write", &set("siren", "active"));
        assert!(text.ends_with("in 1 s unless it is set again, or when your session ends"), "{text}");
        std::thread::sleep(Duration::from_millis(100));
        assert!(board.is_active("siren"));
    }
    until("its time is over", || (!board.is_active("siren")).then_some(()));
}

#[test]
fn a_chip_that_is_not_there_is_told_and_no_reason_to_end() {
    let mut board = Board::start("[gpio.far]\nchip = \"gpiochip250\"\nline = 1\ndirection = \"output\"\n", &[]);
    board.refused("gpio_write", &set("far", "active"), "No such file or directory");
    assert!(board.done("gpio_list", &json!({})).starts_with("far: output, can't be used now: "));
    assert!(!board.done("overview", &json!({})).is_empty());
    let said = board.end(Signal::TERM);
    assert!(said.contains("GPIO line far: "), "{said}");
    // Played, it is there.
    let mut board =
        Board::start("[gpio.far]\nchip = \"gpiochip250\"\nline = 1\ndirection = \"output\"\n", &["--simulate"]);
    board.done("gpio_write", &set("far", "active"));
    assert!(board.is_active("far"));
}

#[test]
fn names_of_a_chip_that_is_played_are_only_names() {
    let line = |entry: &str, name: &str| {
        format!("[gpio.{entry}]\nchip = \"gpiochip0\"\nline = \"{name}\"\ndirection = \"output\"\n")
    };
    let config = line("one", "PA1") + &line("two", "PB1") + &line("three", "PIN_11-UART");
    let mut board = Board::start(&config, &["--simulate"]);
    board.done("gpio_write", &set("one", "active"));
    board.done("gpio_write", &set("three", "active"));
    assert!(board.is_active("one") && !board.is_active("two") && board.is_active("three"));
}

#[test]
fn a_chip_that_is_absent_is_not_looked_for_at_each_line() {
    let dir = tempfile::tempdir().unwrap();
    let chip = dir.path().join("chip");
    let config = format!("[gpio.far]\nchip = \"{}\"\nline = 1\ndirection = \"input\"\n", chip.display());
    let mut board = Board::start(&config, &[]);
    let read = json!({ "name": "far" });
    std::thread::sleep(Duration::from_millis(1_100));
    board.refused("gpio_read", &read, "No such file");
    // It comes, and is no chip.
    let begun = Instant::now();
    std::fs::write(&chip, "").unwrap();
    let (_, text) = board.call("gpio_read", &read);
    assert!(text.contains("No such file") || begun.elapsed() > Duration::from_millis(900), "{text}");
    let looked = || Some(board.call("gpio_read", &read).1).filter(|text| !text.contains("No such file"));
    until("it is looked for again", looked);
}
