//! `--simulate` of the board example: what is not played is left alone.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

mod support;

use rustix::process::Signal;
use support::board::{Board, check};

const REAL: &str = "[pwm.fan]\nchip = 250\nchannel = 0\nhertz = 50\n[led.none]\n";

#[test]
fn channels_and_leds_of_this_machine_are_left_out() {
    let expected = ["[pwm.fan]: left out, as --simulate", "[led.none]: left out, as --simulate"];
    let (is_right, said, offered) = check(REAL, &["--simulate"]);
    assert!(is_right && said.len() == 2, "{said:?}");
    for (line, words) in said.iter().zip(expected) {
        assert!(line.contains(words), "{line}");
    }
    assert!(!offered.contains("pwm") && !offered.contains("set_led"), "{offered}");
    let mut board = Board::start(REAL, &["--simulate"]);
    let tools = board.tools();
    assert!(!tools.iter().any(|tool| tool.starts_with("pwm") || tool == "set_led"), "{tools:?}");
    let said = board.end(Signal::TERM);
    assert!(expected.iter().all(|words| said.contains(words)) && !said.contains("pwmchip"), "{said}");
}

#[test]
fn they_are_offered_without_it_and_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    for flags in [&[][..], &["--simulate", "--root", folder.path().to_str().unwrap()]] {
        let (_, _, offered) = check(REAL, flags);
        assert!(offered.contains("PWM channels: fan\nLEDs: none\n"), "{offered}");
    }
}
