//! I2C devices of the board example, on a simulated bus.

use crate::support::board::{Board, check};
use crate::support::wire;
use serde_json::{Value, json};

const BUSES: &str = r#"
[i2c.main]
bus = "sim"
scan = ["0x20-0x27", 0x48]
[i2c.main.device.expander]
about = "the valves"
address = 0x20
read = ["0x00-0x15"]
write = [0x12, 0x13, "0x20-0x2f"]
[i2c.main.device.sensor]
address = 0x48
[i2c.main.device.hidden]
address = 0x50
write = ["0x04-0x0b"]

[i2c.other]
bus = 1
[i2c.other.device.clock]
address = 0x68
write = ["0x00-0xff"]
confirm = true
"#;

fn board() -> Board {
    Board::start(BUSES, &["--simulate"])
}

fn read(device: &str, register: u16, count: u16) -> Value {
    json!({ "device": device, "register": register, "count": count })
}

fn write(device: &str, register: u8, bytes: &[u16]) -> Value {
    json!({ "device": device, "register": register, "bytes": bytes })
}

#[test]
fn what_may_be_used_is_listed() {
    let expected = "\
bus main, may be scanned
  expander (the valves) at 0x20: read 0x00-0x15; write 0x12, 0x13, 0x20-0x2f
  sensor at 0x48: read 0x00-0xff; write nothing
  hidden at 0x50: read 0x00-0xff; write 0x04-0x0b
bus other
  clock at 0x68: read 0x00-0xff; write 0x00-0xff (the user is asked first)
";
    assert_eq!(board().done("i2c_list", &json!({})), expected);
}

#[test]
fn only_allowed_addresses_are_asked() {
    let mut board = board();
    let found = board.done("i2c_scan", &json!({ "bus": "main" }));
    assert_eq!(found, "Devices on main at 0x20-0x27, 0x48: 0x20, 0x48");
    board.refused("i2c_scan", &json!({ "bus": "other" }), "does not allow the bus other to be scanned");
    board.refused("i2c_scan", &json!({ "bus": "i2c-1" }), "no I2C bus is called \"i2c-1\"; there are: main, other");
}

#[test]
fn registers_are_written_and_read() {
    let mut board = board();
    assert_eq!(board.done("i2c_read", &json!({ "device": "sensor", "register": 7 })), "0x07: 0x00 (0)\n");
    let text = board.done("i2c_write", &write("expander", 0x12, &[1, 0xfe]));
    assert_eq!(text, "wrote 0x01 0xfe to expander from register 0x12 on");
    let text = board.done("i2c_read", &read("expander", 0x11, 3));
    assert_eq!(text, "0x11: 0x00 (0)\n0x12: 0x01 (1)\n0x13: 0xfe (254)\n");
    board.done("i2c_write", &write("expander", 0x20, &[9; 16]));
    assert_eq!(board.done("i2c_read", &read("sensor", 0xe0, 32)).lines().count(), 32);
}

#[test]
fn what_a_device_does_at_the_end_of_a_page_reaches_no_other_register() {
    let expected = |first: u8| {
        let byte = |register: u8| u8::from((first..first + 8).contains(&register));
        let line = |register: u8| format!("{register:#04x}: {0:#04x} ({0})\n", byte(register));
        (0..16).map(line).collect::<Vec<_>>().concat()
    };
    for (block, first) in [("", 4), ("block = true\n", 0)] {
        let mut board =
            Board::start(&BUSES.replace("write = [\"0x04", &format!("{block}write = [\"0x04")), &["--simulate"]);
        board.done("i2c_write", &write("hidden", 4, &[1; 8]));
        // An EEPROM's page is eight bytes, and a block begins anew at its start.
        assert_eq!(board.done("i2c_read", &read("hidden", 0, 16)), expected(first), "{block}");
    }
}

#[test]
fn other_registers_and_devices_are_refused() {
    let mut board = board();
    let allowed = "does not allow to write 0x13-0x14 of expander; it allows 0x12, 0x13, 0x20-0x2f";
    board.refused("i2c_write", &write("expander", 0x13, &[1, 2]), allowed);
    board.refused("i2c_write", &write("expander", 0x11, &[1]), "does not allow to write 0x11 of expander");
    board.refused("i2c_write", &write("expander", 0x20, &[0; 17]), "does not allow to write 0x20-0x30 of expander");
    board.refused("i2c_write", &write("sensor", 0, &[1]), "does not allow to write 0x00 of sensor; it allows nothing");
    board.refused("i2c_read", &read("expander", 0x15, 2), "does not allow to read 0x15-0x16 of expander");
    // There is nothing behind the last register, and it does not begin anew.
    board.refused("i2c_read", &read("sensor", 0xff, 2), "does not allow to read 0xff-0x100 of sensor");
    board.refused("i2c_read", &read("0x48", 0, 1), "no I2C device is called \"0x48\"");
    board.refused("i2c_read", &read("sensor", 256, 1), "register");
    board.refused("i2c_read", &read("sensor", 0, 33), "count");
    board.refused("i2c_read", &read("sensor", 0, 0), "count");
    board.refused("i2c_write", &write("expander", 0x12, &[]), "bytes");
    board.refused("i2c_write", &write("expander", 0x12, &[256]), "bytes");
    assert_eq!(board.done("i2c_read", &read("expander", 0x12, 2)), "0x12: 0x00 (0)\n0x13: 0x00 (0)\n");
}

#[test]
fn who_can_not_be_asked_does_not_write() {
    let mut board = board();
    board.refused("i2c_write", &write("clock", 0, &[1]), "elicitation");
    assert_eq!(board.done("i2c_read", &read("clock", 0, 1)), "0x00: 0x00 (0)\n");
}

#[test]
fn a_bus_on_which_nothing_is_for_the_caller_is_not_listed() {
    let closed = BUSES.replace("address = 0x68\n", "address = 0x68\nusers = [\"anna\"]\n");
    let listed = Board::start(&closed, &["--simulate"]).done("i2c_list", &json!({}));
    assert!(listed.starts_with("bus main") && !listed.contains("other"), "{listed}");
}

#[test]
fn who_may_not_use_a_bus_may_not_use_its_devices() {
    let closed = BUSES.replace("bus = \"sim\"\n", "bus = \"sim\"\nusers = [\"anna\"]\n");
    let mut board = Board::start(&closed, &["--simulate"]);
    let denied = "you are not among them";
    board.refused("i2c_write", &write("expander", 0x12, &[1]), denied);
    board.refused("i2c_read", &read("expander", 0x12, 1), denied);
    board.refused("i2c_scan", &json!({ "bus": "main" }), denied);
    let listed = board.done("i2c_list", &json!({}));
    assert!(listed.starts_with("bus other\n") && !listed.contains("expander"), "{listed}");
    // And who is asked at the bus is asked at its devices.
    let asking = BUSES.replace("bus = \"sim\"\n", "bus = \"sim\"\nconfirm = true\n");
    let mut board = Board::start(&asking, &["--simulate"]);
    board.refused("i2c_write", &write("expander", 0x12, &[1]), "elicitation");
    board.refused("i2c_scan", &json!({ "bus": "main" }), "elicitation");
    board.done("i2c_read", &read("expander", 0x12, 1));
}

#[test]
fn a_question_that_nobody_would_be_asked_is_refused() {
    for (config, entry) in [
        (
            "[gpio.a]\nchip = \"sim\"\nline = 1\ndirection = \"input\"\nconfirm = true\n",
            "[gpio.a]: an input is never changed",
        ),
        ("[i2c.a]\nbus = 1\nconfirm = true\n", "[i2c.a]: nothing is scanned and nothing written"),
        (
            "[i2c.a]\nbus = 1\n[i2c.a.device.b]\naddress = 9\nconfirm = true\n",
            "[i2c.a.device.b]: nothing may be written",
        ),
    ] {
        let (is_right, said, _) = check(config, &[]);
        assert!(!is_right && said.len() == 1 && said[0].contains(&format!("`confirm` of {entry}")), "{said:?}");
    }
}

#[test]
fn reading_is_not_said_to_change_nothing() {
    let mut board = board();
    let listed = board.client.ask(&board.session.post(&wire::request(1, "tools/list", &json!({})))).json();
    let tools = listed["result"]["tools"].as_array().unwrap();
    let read = tools.iter().find(|tool| tool["name"] == "i2c_read").unwrap();
    assert_ne!(read["annotations"]["readOnlyHint"], true, "some devices clear an interrupt by it");
}

#[test]
fn tools_are_there_for_what_may_be_done() {
    let tools = |config: &str| {
        let mut board = Board::start(config, &["--simulate"]);
        let mut tools = board.tools();
        tools.retain(|tool| tool.starts_with("i2c_"));
        tools
    };
    assert_eq!(tools(BUSES), ["i2c_list", "i2c_scan", "i2c_read", "i2c_write"]);
    assert_eq!(tools("[i2c.a]\nbus = 1\nscan = [0x20]\n"), ["i2c_list", "i2c_scan"]);
    assert_eq!(tools("[i2c.a]\nbus = 1\n[i2c.a.device.b]\naddress = 0x20\n"), ["i2c_list", "i2c_read"]);
    assert_eq!(tools(""), [""; 0]);
}

#[test]
fn a_bus_that_is_not_there_is_told() {
    let mut board = Board::start("[i2c.far]\nbus = 250\nscan = [0x20]\n", &[]);
    board.refused("i2c_scan", &json!({ "bus": "far" }), "/dev/i2c-250: No such file or directory");
}
