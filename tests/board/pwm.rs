//! PWM channels of the board example, on files as the kernel has them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::board::{Board, told};
use crate::support::{until, wire};
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

const CHANNELS: &str = r#"
[pwm.fan]
about = "the fan"
chip = 0
channel = 0
hertz = 25000
percent = [20, 100]
safe-percent = 60

[pwm.servo]
chip = 0
channel = 1
hertz = [50, 400]
percent = [2.5, 12.5]
inversed = true
release = "with-client"
hold-seconds = 1
"#;

/// A machine with a chip of two channels, which the kernel has made files for.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for channel in 0..2 {
            fs::create_dir_all(machine.folder(channel)).unwrap();
            for (file, value) in [("period", "0"), ("duty_cycle", "0"), ("enable", "0"), ("polarity", "normal")] {
                fs::write(machine.folder(channel).join(file), value).unwrap();
            }
        }
        fs::write(machine.0.path().join("sys/class/pwm/pwmchip0/npwm"), "2\n").unwrap();
        machine
    }

    fn folder(&self, channel: u8) -> PathBuf {
        self.0.path().join(format!("sys/class/pwm/pwmchip0/pwm{channel}"))
    }

    /// Period, duty, enable, polarity.
    fn files(&self, channel: u8) -> [String; 4] {
        let read = |file: &str| fs::read_to_string(self.folder(channel).join(file)).unwrap().trim().to_owned();
        ["period", "duty_cycle", "enable", "polarity"].map(read)
    }

    fn start(&self) -> Board {
        let board = Board::start(CHANNELS, &["--root", self.0.path().to_str().unwrap()]);
        until("both are safe", || (self.files(0)[2] == "1" && self.files(1)[3] == "inversed").then_some(()));
        board
    }
}

#[test]
fn channels_are_safe_from_the_start_to_the_end() {
    let machine = Machine::new();
    let mut board = machine.start();
    assert_eq!(machine.files(0), ["40000", "24000", "1", "normal"]);
    assert_eq!(machine.files(1), ["20000000", "0", "0", "inversed"]);
    let expected = "\
fan (the fan): on, 60.0 % of each period at 25000.0 Hz; takes 20 to 100 %, 25000 to 25000 Hz; safe state 60 %
servo: off, 0.0 % of each period at 50.0 Hz, inversed; takes 2.5 to 12.5 %, 50 to 400 Hz; safe state off
";
    assert_eq!(board.done("pwm_list", &json!({})), expected);
    let text = board.done("pwm_set", &json!({ "name": "fan", "percent": 100 }));
    assert_eq!(text, "fan: on, 100.0 % of each period at 25000.0 Hz");
    assert_eq!(machine.files(0), ["40000", "40000", "1", "normal"]);
    let said = board.end(Signal::TERM);
    assert!(said.contains("PWM channel fan is in its safe state again: the server ends"), "{said}");
    assert_eq!(machine.files(0), ["40000", "24000", "1", "normal"]);
    assert_eq!(machine.files(1), ["20000000", "0", "0", "inversed"]);
}

#[test]
fn a_channel_is_set_within_its_limits() {
    let machine = Machine::new();
    let mut board = machine.start();
    board.refused(
        "pwm_set",
        &json!({ "name": "fan", "percent": 19.9 }),
        "19.9 % is not allowed for fan; it takes 20 to 100 %",
    );
    board.refused(
        "pwm_set",
        &json!({ "name": "fan", "percent": 50, "hertz": 24_999 }),
        "24999 Hz is not allowed for fan",
    );
    board.refused("pwm_set", &json!({ "name": "fan" }), "0 % is not allowed for fan");
    board.refused("pwm_set", &json!({ "name": "fan", "percent": 101 }), "percent");
    board.refused("pwm_set", &json!({ "name": "pump", "percent": 50 }), "there are: fan, servo");
    board.refused("pwm_set", &json!({ "name": "servo", "percent": 12.6 }), "it takes 2.5 to 12.5 %");
    assert_eq!(machine.files(0), ["40000", "24000", "1", "normal"]);
    board.done("pwm_set", &json!({ "name": "servo", "percent": 7.5, "hertz": 400 }));
    assert_eq!(machine.files(1), ["2500000", "187500", "1", "inversed"]);
    // The frequency stays until another is asked for.
    board.done("pwm_set", &json!({ "name": "servo", "percent": 10 }));
    assert_eq!(machine.files(1), ["2500000", "250000", "1", "inversed"]);
    board.done("pwm_set", &json!({ "name": "servo" }));
    assert_eq!(machine.files(1)[2], "0");
}

#[test]
fn a_channel_is_let_go_with_its_client_and_in_time() {
    let machine = Machine::new();
    let mut board = machine.start();
    let mut other = board.example.connect();
    let session = other.initialize("2025-06-18", "another");
    let set = wire::call(1, "pwm_set", &json!({ "name": "servo", "percent": 5 }));
    let (_, text) = told(&other.ask(&session.post(&set)));
    assert!(text.ends_with("in 1 s unless it is set again, or when your session ends"), "{text}");
    assert_eq!(machine.files(1)[2], "1");
    assert_eq!(other.ask(&session.delete()).status, 200);
    until("it is off", || (machine.files(1)[2] == "0").then_some(()));
    board.done("pwm_set", &json!({ "name": "servo", "percent": 5 }));
    assert_eq!(machine.files(1)[2], "1");
    until("its time is over", || (machine.files(1)[2] == "0").then_some(()));
    let said = board.end(Signal::TERM);
    assert!(said.contains("servo is in its safe state again: its client is gone"), "{said}");
    assert!(said.contains("servo is in its safe state again: it was not set again in time"), "{said}");
}

#[test]
fn a_channel_is_asked_for_where_it_has_no_files() {
    let machine = Machine::new();
    let chip = machine.0.path().join("sys/class/pwm/pwmchip0");
    fs::rename(machine.folder(1), machine.0.path().join("pwm1")).unwrap();
    fs::write(chip.join("export"), "").unwrap();
    let mut board = Board::start(CHANNELS, &["--root", machine.0.path().to_str().unwrap()]);
    until("it is asked for", || (fs::read_to_string(chip.join("export")).unwrap() == "1").then_some(()));
    // The kernel makes them, a moment later.
    fs::rename(machine.0.path().join("pwm1"), machine.folder(1)).unwrap();
    board.done("pwm_set", &json!({ "name": "servo", "percent": 5 }));
    assert_eq!(machine.files(1)[2], "1");
}

#[test]
fn a_chip_that_is_not_there_is_told() {
    let machine = tempfile::tempdir().unwrap();
    let mut board = Board::start(CHANNELS, &["--root", machine.path().to_str().unwrap()]);
    board.refused(
        "pwm_set",
        &json!({ "name": "servo", "percent": 5 }),
        "not on this machine (no /sys/class/pwm/pwmchip0/npwm)",
    );
    assert!(board.done("pwm_list", &json!({})).contains("fan (the fan): not on this machine"));
    let said = board.end(Signal::TERM);
    assert!(said.contains("PWM channel fan: not on this machine"), "{said}");
}

#[test]
fn a_frequency_at_the_edge_of_its_range_stays() {
    let machine = Machine::new();
    let lamp = "[pwm.lamp]\nchip = 0\nchannel = 0\nhertz = [50, 70]\n";
    let mut board = Board::start(lamp, &["--root", machine.0.path().to_str().unwrap()]);
    board.done("pwm_set", &json!({ "name": "lamp", "percent": 10, "hertz": 70 }));
    assert_eq!(machine.files(0), ["14285714", "1428571", "1", "normal"]);
    board.done("pwm_set", &json!({ "name": "lamp", "percent": 50 }));
    assert_eq!(machine.files(0), ["14285714", "7142857", "1", "normal"]);
}

#[test]
fn whoever_may_not_hold_it_may_switch_it_off() {
    let machine = Machine::new();
    let lamp = "[pwm.lamp]\nchip = 0\nchannel = 0\nhertz = 50\nrelease = \"with-client\"\n";
    let board = Board::start(lamp, &["--root", machine.0.path().to_str().unwrap()]);
    let mut holder = board.example.connect();
    let session = holder.initialize("2025-06-18", "holder");
    let set = wire::call(1, "pwm_set", &json!({ "name": "lamp", "percent": 5 }));
    told(&holder.ask(&session.post(&set)));
    assert_eq!(machine.files(0)[2], "1");
    let mut modern = board.example.connect();
    let (_, text) = told(&modern.ask(&wire::modern_call("1", "pwm_set", &json!({ "name": "lamp", "percent": 6 }))));
    assert!(text.contains("have no session"), "{text}");
    assert_eq!(machine.files(0)[2], "1");
    let (_, text) = told(&modern.ask(&wire::modern_call("2", "pwm_set", &json!({ "name": "lamp" }))));
    assert!(text.starts_with("lamp: off"), "{text}");
    assert_eq!(machine.files(0)[2], "0");
}

#[test]
fn who_is_gone_before_it_is_set_sets_nothing() {
    let machine = Machine::new();
    let lamp = "[pwm.lamp]\nchip = 0\nchannel = 0\nhertz = 50\nrelease = \"with-client\"\n";
    let board = Board::start(lamp, &["--root", machine.0.path().to_str().unwrap()]);
    until("it is safe", || (machine.files(0)[0] == "20000000").then_some(()));
    let mut holder = board.example.connect();
    let session = holder.initialize("2025-06-18", "holder");
    // The call waits for the files, in which time its client goes.
    let chip = machine.0.path().join("sys/class/pwm/pwmchip0");
    fs::write(chip.join("export"), "").unwrap();
    fs::rename(machine.folder(0), machine.0.path().join("pwm0")).unwrap();
    holder.send(&session.post(&wire::call(1, "pwm_set", &json!({ "name": "lamp", "percent": 50 }))));
    until("it is asked for", || (fs::read_to_string(chip.join("export")).unwrap() == "0").then_some(()));
    assert_eq!(board.example.connect().ask(&session.delete()).status, 200);
    fs::rename(machine.0.path().join("pwm0"), machine.folder(0)).unwrap();
    let (failed, text) = told(&holder.answer());
    assert!(failed, "{text}");
    assert_eq!(machine.files(0)[2], "0");
    let said = board.end(Signal::TERM);
    assert!(!said.contains("set by"), "{said}");
}

#[test]
fn what_another_has_left_is_made_safe_however_long_its_period_is() {
    let machine = Machine::new();
    for (file, value) in [("period", "5000000000"), ("duty_cycle", "5000000000"), ("enable", "1")] {
        fs::write(machine.folder(0).join(file), value).unwrap();
    }
    let _board = machine.start();
    until("it is safe", || (machine.files(0) == ["40000", "24000", "1", "normal"]).then_some(()));
}

#[test]
fn a_chip_that_comes_later_is_made_safe_then() {
    let machine = Machine::new();
    let (chip, away) = (machine.0.path().join("sys/class/pwm/pwmchip0"), machine.0.path().join("away"));
    fs::rename(&chip, &away).unwrap();
    let mut board = Board::start(CHANNELS, &["--root", machine.0.path().to_str().unwrap()]);
    // It has been missed, too: who answers has looked.
    board.refused("pwm_set", &json!({ "name": "fan", "percent": 50 }), "pwmchip0");
    fs::rename(&away, &chip).unwrap();
    until("both are safe", || (machine.files(0)[2] == "1" && machine.files(1)[3] == "inversed").then_some(()));
    let said = board.end(Signal::TERM);
    assert!(said.contains("PWM channel fan is there now") && said.contains("PWM channel servo is there now"), "{said}");
}

#[test]
fn what_is_held_for_a_time_is_safe_at_the_end() {
    let machine = Machine::new();
    let mut board = machine.start();
    board.done("pwm_set", &json!({ "name": "servo", "percent": 5 }));
    let said = board.end(Signal::TERM);
    assert!(said.contains("PWM channel servo is in its safe state again: the server ends"), "{said}");
    assert_eq!(machine.files(1), ["20000000", "0", "0", "inversed"]);
}

#[test]
fn channels_that_are_waited_for_hold_nothing_up() {
    let machine = Machine::new();
    let chip = machine.0.path().join("sys/class/pwm/pwmchip0");
    fs::write(chip.join("npwm"), "20\n").unwrap();
    fs::write(chip.join("export"), "").unwrap();
    // Their files never come, so that each is waited for.
    let late = |channel| format!("[pwm.c{channel}]\nchip = 0\nchannel = {channel}\nhertz = 50\n");
    let siren = "[gpio.siren]\nchip = \"sim\"\nline = 1\ndirection = \"output\"\nhold-seconds = 1\n";
    let config = (2..20).map(late).collect::<String>() + siren;
    let mut board = Board::start(&config, &["--root", machine.0.path().to_str().unwrap()]);
    board.done("gpio_write", &json!({ "name": "siren", "state": "active" }));
    let begun = Instant::now();
    until("its time is over", || (!board.is_active("siren")).then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn what_is_switched_off_keeps_the_period_that_it_has() {
    let machine = Machine::new();
    let mut board = machine.start();
    // The channel beside it has given the chip another one, which this one is not to have.
    for (file, value) in [("period", "1000000"), ("duty_cycle", "100000"), ("enable", "1")] {
        fs::write(machine.folder(1).join(file), value).unwrap();
    }
    board.done("pwm_set", &json!({ "name": "servo" }));
    assert_eq!(machine.files(1), ["1000000", "0", "0", "inversed"]);
    board.done("pwm_set", &json!({ "name": "servo", "percent": 5 }));
    assert_eq!(machine.files(1), ["20000000", "1000000", "1", "inversed"]);
}
