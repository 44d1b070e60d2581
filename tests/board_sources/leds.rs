//! Setting LEDs: what is written where, and what is refused.

use std::fs;

use super::sources::leds::{self, Change, Level, Refusal, set};
use super::sources::root::{Lack, Root, Why};
use super::{copy_of, tree};

const PLAIN: Change<'_> = Change { level: None, trigger: None };

/// Applies a change to a copy of the Pi's LEDs: the answer, and the LED's files after it.
fn change(name: &str, change: Change<'_>) -> (Result<String, String>, String, String) {
    let (dir, _) = copy_of("pi");
    let answer = set(&Root::new(dir.path()), name, change);
    let file =
        |file: &str| fs::read_to_string(dir.path().join("sys/class/leds").join(name).join(file)).unwrap_or_default();
    (
        answer.map(|changed| changed.to_string()).map_err(|refusal| refusal.to_string()),
        file("brightness"),
        file("trigger"),
    )
}

#[test]
fn a_brightness_takes_the_led_from_its_trigger_and_says_so() {
    let (answer, brightness, trigger) = change("ACT", Change { level: Some(Level::On), ..PLAIN });
    assert_eq!((brightness.as_str(), trigger.as_str()), ("1", "none"));
    assert!(answer.unwrap().ends_with("It was lit by trigger mmc0, which has been removed so that this stays"));
}

#[test]
fn a_brightness_leaves_an_led_without_trigger_without_one() {
    let (answer, brightness, trigger) = change("PWR", Change { level: Some(Level::Value(128)), ..PLAIN });
    assert_eq!(brightness, "128");
    assert!(trigger.starts_with("[none] "), "it was not written: {trigger}");
    assert_eq!(answer.unwrap(), "PWR: on (brightness 128 of 255), no trigger");
    let (answer, brightness, _) = change("PWR", Change { level: Some(Level::Off), ..PLAIN });
    assert_eq!((answer.unwrap().as_str(), brightness.as_str()), ("PWR: off (brightness 0 of 255), no trigger", "0"));
}

#[test]
fn a_trigger_is_set_alone_or_with_a_brightness() {
    let (answer, brightness, trigger) = change("PWR", Change { trigger: Some("heartbeat"), ..PLAIN });
    assert_eq!((brightness.as_str(), trigger.as_str()), ("255\n", "heartbeat"));
    answer.unwrap();
    let (answer, brightness, trigger) = change("PWR", Change { level: Some(Level::Value(9)), trigger: Some("timer") });
    assert_eq!((brightness.as_str(), trigger.as_str()), ("9", "timer"));
    answer.unwrap();
    let (answer, brightness, trigger) = change("ACT", Change { level: Some(Level::Off), trigger: Some("none") });
    assert_eq!((brightness.as_str(), trigger.as_str()), ("0", "none"));
    answer.unwrap();
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_written() {
    let refused = |name: &str, asked: Change<'_>, expected: &str| {
        let (answer, brightness, trigger) = change(name, asked);
        let refusal = answer.unwrap_err();
        assert!(refusal.contains(expected), "{refusal}");
        if name == "ACT" {
            assert!(brightness == "0\n" && trigger.contains("[mmc0]"));
        }
    };
    let on = Change { level: Some(Level::On), ..PLAIN };
    refused(
        "ACT",
        Change { level: Some(Level::Value(2)), ..PLAIN },
        "brightness 2 is out of range: this LED takes 0 to 1",
    );
    refused("ACT", PLAIN, "nothing to change");
    refused("ACT", Change { trigger: Some("disco"), ..PLAIN }, "no trigger \"disco\"; it has: none, rc-feedback");
    refused("ACT", Change { trigger: Some("[mmc0]"), ..PLAIN }, "no trigger");
    refused("ACT", Change { level: Some(Level::Off), trigger: Some("timer") }, "an LED that is off has no trigger");
    for name in ["led7", "", ".", "..", "ACT/../PWR", "ACT/", "/ACT", "act", "ACT\0", "../net/eth0", "ACT/trigger"] {
        refused(name, on, "no LED is called");
        refused(name, on, "there are: ACT, PWR");
    }
}

#[test]
fn what_the_machine_forbids_is_answered_with_what_to_do() {
    let lacking = |why| Refusal::Lacking(Lack::new("sys/class/leds/ACT/brightness", why)).to_string();
    let denied = lacking(Why::Denied);
    assert!(
        denied.contains("permission denied for /sys/class/leds/ACT/brightness. Run the server as root, or"),
        "{denied}"
    );
    assert!(lacking(Why::ReadOnly).contains("ProtectKernelTunables="));
    let (dir, _) = copy_of("pi");
    fs::remove_file(dir.path().join("sys/class/leds/ACT/trigger")).unwrap();
    let trigger = set(&Root::new(dir.path()), "ACT", Change { trigger: Some("timer"), ..PLAIN }).unwrap_err();
    assert_eq!(trigger.to_string(), "this LED has no trigger \"timer\", nor any other");
    fs::remove_file(dir.path().join("sys/class/leds/ACT/max_brightness")).unwrap();
    let unknown = set(&Root::new(dir.path()), "ACT", Change { level: Some(Level::On), ..PLAIN }).unwrap_err();
    assert_eq!(unknown.to_string(), "not on this machine (no /sys/class/leds/ACT/max_brightness)");
    let none = set(&Root::new("/nonexistent"), "ACT", PLAIN).unwrap_err();
    assert_eq!(none.to_string(), "not on this machine (no /sys/class/leds)");
}

#[test]
fn an_led_behind_all_that_are_shown_can_be_set() {
    let files: Vec<String> = (0..70)
        .flat_map(|led| ["brightness", "max_brightness"].map(|file| format!("sys/class/leds/led{led}/{file}")))
        .collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|file| (file.as_str(), b"1".as_slice())).collect();
    let dir = tree(&files);
    let root = Root::new(dir.path());
    assert!(leds::read(&root).unwrap().more);
    for name in ["led0", "led69"] {
        let change = Change { level: Some(Level::Off), trigger: None };
        let changed = set(&root, name, change).map_err(|refusal| refusal.to_string());
        assert!(changed.is_ok_and(|changed| changed.to_string().starts_with(&format!("{name}: off"))), "{name}");
        assert!(leds::is_there(&root, name));
    }
    assert!(!leds::is_there(&root, "led70"));
}
