//! The configuration of the board example: what is wrong with it is told where it stands, and what is right is offered.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::board::{Board, check, configured};
use crate::support::wire;
use rustix::process::Signal;
use serde_json::json;

const EXAMPLE: &str = include_str!("../../examples/board/board.toml");
const README: &str = include_str!("../../README.md");

/// `--check` must refuse it with exactly these lines.
fn wrong(config: &str, expected: &[&str]) {
    let (is_right, said, offered) = check(config, &["--simulate"]);
    assert_eq!(
        (said.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), offered.as_str()),
        (expected, ""),
        "{config}"
    );
    assert!(!is_right);
}

#[test]
fn all_that_is_wrong_is_told_with_its_place() {
    wrong(
        r#"colour = "red"
[gpio.relay]
chip = 0
direction = "out"
scope = "a b"
shine = true
[gpio."no good"]
chip = "gpiochip0"
line = -1
direction = "input"
safe = "active"
users = []
"#,
        &[
            "board.toml:1:1: unknown key `colour`: the file takes `gpio`, `i2c`, `led`, `pwm`, `sensor`, `unit`, `command`",
            "board.toml:2:1: [gpio.relay]: `line` is missing: the line's number on its chip, or its name, such as \"GPIO17\"",
            "board.toml:3:8: `chip` of [gpio.relay]: expected a text in quotes; found 0",
            "board.toml:4:13: `direction` of [gpio.relay]: expected \"input\" or \"output\"; found \"out\"",
            "board.toml:5:9: `scope` of [gpio.relay]: expected one scope: visible ASCII characters without blanks, \" and \\; found \"a b\"",
            "board.toml:7:1: [gpio.no good]: expected a name of 1 to 32 letters, digits, - and _",
            "board.toml:9:8: `line` of [gpio.no good]: expected a whole number from 0 to 65535; found -1",
            "board.toml:11:1: unknown key `safe`: [gpio.no good] takes `chip`, `line`, `direction`, `bias`, `active-low`, `about`, `scope`, \
             `users`, `confirm`, `debounce-us`",
            "board.toml:12:9: `users` of [gpio.no good]: nobody could use this: name at least one, or leave `users` out for everybody",
        ],
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    wrong(
        "[led.ACT]\nconfirm = yes\n\u{e9}clat = [1\n",
        &[
            "board.toml:2:11: this is no TOML: string values must be quoted, expected literal string",
            "board.toml:3:1: this is no TOML: invalid unquoted key, expected letters, numbers, `-`, `_`",
            "board.toml:3:11: this is no TOML: unclosed array, expected `]`",
        ],
    );
}

#[test]
fn values_of_each_section_are_checked() {
    for (config, expected) in [
        (
            "[led.\"a/b\"]\n",
            "board.toml:1:1: [led.a/b]: expected the name of an LED, as its folder in /sys/class/leds is called",
        ),
        ("led = 3\n", "board.toml:1:7: `led`: expected a table, as [led] begins one; found 3"),
        ("led.ACT = 3\n", "board.toml:1:11: `ACT` of [led]: expected a table, as [led.ACT] begins one; found 3"),
        (
            "[pwm.a]\nchip = 0\nchannel = 0\n",
            "board.toml:1:1: [pwm.a]: `hertz` is missing: the frequencies that it may have, such as 25000 or [50, 400]",
        ),
        (
            "[pwm.a]\nchip = 0\nchannel = 0\nhertz = [9, 5]\n",
            "board.toml:4:9: `hertz` of [pwm.a]: expected the less of the two first",
        ),
        (
            "[pwm.a]\nchip = 0\nchannel = 0\nhertz = [9]\n",
            "board.toml:4:9: `hertz` of [pwm.a]: expected one number, or two in [brackets]: the least and the most",
        ),
        (
            "[pwm.a]\nchip = 0\nchannel = 0\nhertz = nan\n",
            "board.toml:4:9: `hertz` of [pwm.a]: expected a number from 0.25 to 100000000 hertz; found nan",
        ),
        (
            "[pwm.a]\nchip = 0\nchannel = 256\nhertz = 5\n",
            "board.toml:3:11: `channel` of [pwm.a]: expected a whole number from 0 to 255; found 256",
        ),
        (
            "[i2c.a]\nbus = \"one\"\n",
            "board.toml:2:7: `bus` of [i2c.a]: expected the number of a bus, such as 1 for /dev/i2c-1, or \"sim\" for a simulated one",
        ),
        (
            "[i2c.a]\nbus = 1\nscan = [0x07]\n",
            "board.toml:3:9: `scan` of [i2c.a]: expected a whole number from 0x08 to 0x77; found 0x07",
        ),
        (
            "[i2c.a]\nbus = 1\nscan = [\"0x70-0x78\"]\n",
            "board.toml:3:9: `scan` of [i2c.a]: expected a range such as \"0x08-0x77\", within these numbers; found \"0x70-0x78\"",
        ),
        (
            "[i2c.a]\nbus = 1\nscan = [\"9-8\"]\n",
            "board.toml:3:9: `scan` of [i2c.a]: expected a range such as \"0x08-0x77\", within these numbers; found \"9-8\"",
        ),
        (
            "[i2c.a]\nbus = 1\n[i2c.a.device.b]\n",
            "board.toml:3:1: [i2c.a.device.b]: `address` is missing: the device's address of 7 bits, such as 0x48",
        ),
        (
            "[i2c.a]\nbus = 1\nscan = [\"0x+20-0x21\"]\n",
            "board.toml:3:9: `scan` of [i2c.a]: expected a range such as \"0x08-0x77\", within these numbers; found \"0x+20-0x21\"",
        ),
        (
            "[led.a]\nusers = [3]\n",
            "board.toml:2:10: `users` of [led.a]: expected a text in quotes that is not empty; found 3",
        ),
        ("[i2c.a]\nbus = 1\nscan = 5\n", "board.toml:3:8: `scan` of [i2c.a]: expected a list in [brackets]; found 5"),
    ] {
        wrong(config, &[expected]);
    }
}

#[test]
fn the_same_thing_is_not_offered_twice() {
    let line = |name: &str, chip: &str| format!("[gpio.{name}]\nchip = \"{chip}\"\nline = 4\ndirection = \"input\"\n");
    for other in ["gpiochip0", "/dev/gpiochip0"] {
        wrong(
            &(line("a", "gpiochip0") + &line("b", other)),
            &["board.toml:5:1: [gpio.b]: this is the line that [gpio.a] has already"],
        );
    }
    wrong(
        "[i2c.a]\nbus = 1\nscan = [3, 4]\n",
        &[
            "board.toml:3:9: `scan` of [i2c.a]: expected a whole number from 8 to 119; found 3",
            "board.toml:3:12: `scan` of [i2c.a]: expected a whole number from 8 to 119; found 4",
        ],
    );
    assert!(check(&(line("a", "sim") + &line("b", "sim")), &[]).0, "that is a wire");
    let channel = "chip = 0\nchannel = 1\nhertz = 50\n";
    wrong(
        &format!("[pwm.a]\n{channel}[pwm.b]\n{channel}"),
        &["board.toml:5:1: [pwm.b]: this is the channel that [pwm.a] has already"],
    );
    wrong(
        "[i2c.a]\nbus = 1\n[i2c.b]\nbus = 1\n",
        &["board.toml:3:1: [i2c.b]: this is the bus that [i2c.a] has already"],
    );
    wrong(
        "[i2c.a]\nbus = 1\n[i2c.a.device.x]\naddress = 9\n[i2c.a.device.y]\naddress = 9\n[i2c.b]\nbus = 2\n[i2c.b.device.x]\naddress = 9\n",
        &[
            "board.toml:5:1: y: x has the address 0x09 already",
            "board.toml:9:1: a device is called \"x\" already: tools call each by its name alone",
        ],
    );
}

#[test]
fn a_server_does_not_start_with_what_is_wrong() {
    let (mut command, _dir) = configured("[led.ACT]\nshine = 1\ncolour = 2\n", &["--listen", "127.0.0.1:0"]);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 2), "{said}");
    assert!(
        output.stdout.is_empty()
            && said.lines().all(|line| line.starts_with("board: ") && line.contains("unknown key")),
        "{said}"
    );
}

#[test]
fn a_file_that_can_not_be_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let run = |file: &Path| {
        let output = crate::support::example::command("board", &["--check", "--config", file.to_str().unwrap()])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let (missing, folder, long, bytes) =
        (dir.path().join("none"), dir.path(), dir.path().join("long"), dir.path().join("bytes"));
    fs::write(&long, "#".repeat(256 * 1024 + 1)).unwrap();
    fs::write(&bytes, [0xff, 0xfe]).unwrap();
    assert!(run(&missing).contains("none: No such file"), "{}", run(&missing));
    assert!(run(folder).contains("Is a directory"), "{}", run(folder));
    assert!(run(&long).contains("it is longer than 262144 bytes"), "{}", run(&long));
    assert!(run(&bytes).contains("UTF-8"), "{}", run(&bytes));
    let output = crate::support::example::command("board", &["--check"]).output().unwrap();
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()),
        (Some(1), "board: --check needs --config FILE\n")
    );
}

#[test]
fn the_example_is_right() {
    let (is_right, said, offered) = check(EXAMPLE, &[]);
    assert!(is_right && said.is_empty(), "{said:?}");
    assert!(!offered.contains("gpio") && offered.contains("overview"), "it allows nothing: {offered}");
    // And so is all that it has to be uncommented: what follows its # at once.
    let is_key = |rest: &str| rest.starts_with(|first: char| first == '[' || first.is_ascii_lowercase());
    let uncommented = |line: &str| line.strip_prefix('#').filter(|rest| is_key(rest)).unwrap_or(line).to_owned() + "\n";
    let all: String = EXAMPLE.lines().map(uncommented).collect();
    let empty = tempfile::tempdir().unwrap();
    let (is_right, said, offered) =
        check(&all, &["--simulate", "--root", empty.path().to_str().unwrap(), "--token-file", "x"]);
    let lacks = [
        "[pwm.fan]: not on this machine",
        "[led.ACT]: ",
        "[sensor.greenhouse]: this machine has no sensor \"28-0316a2794bff\"",
        "[command.reboot-camera]: there is no folder /srv/camera",
        "[command.reboot-camera]: there is no program /usr/local/bin/camera",
    ];
    assert!(is_right && said.len() == lacks.len(), "{said:?}");
    assert!(said.iter().zip(lacks).all(|(line, lack)| line.contains(&format!(": warning: {lack}"))), "{said:?}");
    let expected = "\
tools: overview, host, memory, disks, network, temperatures, sensors, sensor, watchdog, power, units, unit_log, \
commands, run_command, leds, set_led, gpio_list, gpio_read, gpio_write, gpio_pulse, gpio_wait, \
i2c_list, i2c_scan, i2c_read, i2c_write, pwm_list, pwm_set, processes
GPIO lines: pump (output), doorbell (input)
I2C: header (/dev/i2c-1) with expander at 0x20
PWM channels: fan
sensors: greenhouse (28-0316a2794bff)
units: nginx.service
commands: reboot-camera
LEDs: ACT
";
    assert_eq!(offered, expected);
}

#[test]
fn what_the_readme_shows_is_right() {
    let shown: Vec<&str> = README.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let ours: Vec<&&str> = shown.iter().filter(|text| text.contains("[gpio.")).collect();
    assert!(!ours.is_empty());
    for text in ours {
        let (is_right, said, _) = check(text, &["--simulate", "--token-file", "x"]);
        assert!(is_right && said.is_empty(), "{said:?}");
    }
}

#[test]
fn a_door_without_a_key_is_told() {
    let config = "\
[gpio.garden]
chip = \"sim\"
line = 1
direction = \"output\"
scope = \"garden\"
[i2c.header]
bus = \"sim\"
[i2c.header.device.expander]
address = 0x20
users = [\"anna\"]
[unit.\"web.service\"]
scope = \"web\"
[unit.\"ssh.service\"]
";
    let without = ": with these flags there is no file of tokens (--token-file) and no authorization server";
    let expected = [
        format!("board.toml:1:1: warning: [gpio.garden]: `scope` shuts nobody out{without}"),
        format!(
            "board.toml:8:1: warning: [i2c.header.device.expander]: nobody can use it, as `users` names some{without}"
        ),
        format!("board.toml:11:1: warning: [unit.web.service]: `scope` shuts nobody out{without}"),
    ];
    let (is_right, said, _) = check(config, &[]);
    assert!(is_right && said == expected, "{said:?}");
    // One token has no name and every scope.
    assert_eq!(check(config, &["--token", "abcdefghijklmnop"]).1, expected);
    assert!(check(config, &["--token-file", "x"]).1.is_empty());
    // The server says it, too.
    let said = Board::start(config, &[]).end(Signal::TERM);
    assert!(said.contains("warning: [gpio.garden]: `scope` shuts nobody out"), "{said}");
}

#[test]
fn what_the_machine_lacks_is_a_warning() {
    let config = "[gpio.a]\nchip = \"gpiochip250\"\nline = 1\ndirection = \"output\"\n[i2c.b]\nbus = 250\n";
    let (is_right, said, offered) = check(config, &[]);
    assert!(is_right && offered.contains("GPIO lines: a (output)"), "{said:?} {offered}");
    assert!(said[0].starts_with("board.toml:1:1: warning: [gpio.a]: ") && said[0].contains("No such file"), "{said:?}");
    assert!(said[1].starts_with("board.toml:5:1: warning: [i2c.b]: /dev/i2c-250: No such file"), "{said:?}");
    // A program is one that can be run.
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    fs::write(&program, "#!/bin/sh\n").unwrap();
    let command = format!("[command.a]\nabout = \"a\"\nargv = [\"{}\"]\n", program.display());
    let (is_right, said, _) = check(&command, &[]);
    assert!(is_right && said.len() == 1 && said[0].ends_with("program may not be run by anybody"), "{said:?}");
    fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
    assert_eq!(check(&command, &[]).1, [""; 0]);
    // What nothing but a number tells apart.
    for chip in ["hwmon0", "hwmon1"] {
        let chip = dir.path().join("sys/class/hwmon").join(chip);
        fs::create_dir_all(&chip).unwrap();
        fs::write(chip.join("name"), "nct\n").unwrap();
        fs::write(chip.join("in1_input"), "1\n").unwrap();
    }
    let sensors = "[sensor.one]\nid = \"nct.in1\"\n[sensor.two]\nid = \"nct.in1_2\"\n";
    let (_, said, _) = check(sensors, &["--root", dir.path().to_str().unwrap()]);
    let expected = "[sensor.two]: there are several \"nct.in1\", and which is \"nct.in1_2\" may change at a start";
    assert!(said.len() == 1 && said[0].ends_with(expected), "{said:?}");
    // The files of another machine do not make this one's hardware its own.
    let (_, said, _) = check(config, &["--root", "tests/fixtures/empty"]);
    assert!(said.len() == 2 && said.iter().all(|line| line.contains("while --root names another's files")), "{said:?}");
}

#[test]
fn without_a_file_nothing_can_be_changed() {
    let mut board = Board::start("", &[]);
    let reads = "overview host memory disks network temperatures sensors sensor watchdog power leds processes";
    assert_eq!(board.tools().join(" "), reads);
    let call = board.session.post(&wire::call(1, "set_led", &json!({ "name": "ACT", "on": true })));
    let answer = board.client.ask(&call).json();
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}
