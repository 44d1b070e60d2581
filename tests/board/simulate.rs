//! `--simulate` of the board example: what is not played is left alone.

use crate::support::board::{Board, check};
use rustix::process::Signal;
use serde_json::json;

const REAL: &str = "[pwm.fan]\nchip = 250\nchannel = 0\nhertz = 50\n[led.none]\n";

#[test]
fn leds_of_this_machine_are_left_out_and_channels_are_played() {
    let left_out = "[led.none]: left out, as --simulate";
    let (is_right, said, offered) = check(REAL, &["--simulate"]);
    assert!(is_right && said.len() == 1 && said[0].contains(left_out), "{said:?}");
    assert!(offered.contains("PWM channels: fan\n") && !offered.contains("set_led"), "{offered}");
    let mut board = Board::start(REAL, &["--simulate"]);
    assert!(!board.tools().contains(&"set_led".to_owned()));
    let text = board.done("pwm_set", &json!({ "name": "fan", "percent": 30 }));
    assert_eq!(text, "fan: on, 30.0 % of each period at 50.0 Hz");
    assert!(board.done("pwm_list", &json!({})).starts_with("fan: on, 30.0 %"));
    let said = board.end(Signal::TERM);
    assert!(said.contains(left_out) && !said.contains("pwmchip"), "{said}");
    assert!(said.contains("PWM channel fan is in its safe state again: the server ends"), "{said}");
}

#[test]
fn they_are_offered_without_it_and_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    for flags in [&[][..], &["--simulate", "--root", folder.path().to_str().unwrap()]] {
        let (_, _, offered) = check(REAL, flags);
        assert!(offered.contains("PWM channels: fan\nLEDs: none\n"), "{offered}");
    }
}
