//! The board example on hardware that the kernel itself plays: gpio-sim and i2c-stub, where there are these.
//!
//! ```text
//! modprobe gpio-sim; modprobe i2c-stub chip_addr=0x20; modprobe i2c-dev; mount -t configfs none /sys/kernel/config
//! cargo build --example board && sudo -E cargo test --test board kernel -- --ignored --test-threads 1
//! ```

use std::fs;
use std::path::PathBuf;

use crate::support::board::{Board, told};
use crate::support::{until, wire};
use rustix::process::Signal;
use serde_json::json;

/// A chip of gpio-sim (kernel documentation, "GPIO Simulator"), with eight lines; it goes when this is dropped.
struct Chip {
    config: PathBuf,
    lines: PathBuf,
    name: String,
}

impl Chip {
    fn new(name: &str) -> Self {
        let config = PathBuf::from("/sys/kernel/config/gpio-sim").join(name);
        fs::create_dir_all(config.join("bank")).expect("gpio-sim, and configfs, and root");
        fs::write(config.join("bank/num_lines"), "8").unwrap();
        fs::write(config.join("live"), "1").unwrap();
        let read = |file: &str| fs::read_to_string(config.join(file)).unwrap().trim().to_owned();
        let (device, chip) = (read("dev_name"), read("bank/chip_name"));
        let lines = PathBuf::from("/sys/devices/platform").join(device).join(&chip);
        Self { config, lines, name: chip }
    }

    fn file(&self, line: u8, file: &str) -> PathBuf {
        self.lines.join(format!("sim_gpio{line}")).join(file)
    }

    /// The level of a line on its wire.
    fn is_high(&self, line: u8) -> bool {
        fs::read_to_string(self.file(line, "value")).unwrap().trim() == "1"
    }

    fn pull(&self, line: u8, up: bool) {
        fs::write(self.file(line, "pull"), if up { "pull-up" } else { "pull-down" }).unwrap();
    }

    fn start(&self) -> Board {
        let chip = &self.name;
        let config = format!(
            "[gpio.relay]\nchip = \"{chip}\"\nline = 1\ndirection = \"output\"\nactive-low = true\n\
             [gpio.button]\nchip = \"{chip}\"\nline = 2\ndirection = \"input\"\n"
        );
        Board::start(&config, &[])
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        // Whatever the test found, the next one begins anew.
        let _ = fs::write(self.config.join("live"), "0");
        let _ = fs::remove_dir(self.config.join("bank"));
        let _ = fs::remove_dir(&self.config);
    }
}

#[test]
#[ignore = "needs root, and gpio-sim in the kernel"]
fn lines_of_the_kernel_are_set_and_read() {
    let chip = Chip::new("smol-mcp-set");
    let mut board = chip.start();
    // Active is low, and its safe state is inactive.
    until("it is safe", || chip.is_high(1).then_some(()));
    board.done("gpio_write", &json!({ "name": "relay", "state": "active" }));
    assert!(!chip.is_high(1) && board.is_active("relay"));
    chip.pull(2, true);
    assert!(board.is_active("button"));
    chip.pull(2, false);
    assert!(!board.is_active("button"));
    let said = board.end(Signal::TERM);
    assert!(said.contains("relay is inactive again: the server ends"), "{said}");
}

#[test]
#[ignore = "needs root, and gpio-sim in the kernel"]
fn edges_of_the_kernel_end_the_wait() {
    let chip = Chip::new("smol-mcp-edge");
    let mut board = chip.start();
    chip.pull(2, false);
    for (edge, up) in [("activation", true), ("deactivation", false), ("any", true)] {
        let mut waiting = board.example.connect();
        let arguments = json!({ "name": "button", "edge": edge, "timeout_seconds": 9 });
        waiting.send(&wire::modern_call("wait", "gpio_wait", &arguments));
        until("a call waits", || board.done("gpio_list", &json!({})).contains("to itself").then_some(()));
        chip.pull(2, up);
        let (failed, text) = told(&waiting.answer());
        let became = if up { "button became active after" } else { "button became inactive after" };
        assert!(!failed && text.starts_with(became), "{text}");
    }
}

#[test]
#[ignore = "needs root, and gpio-sim in the kernel"]
fn a_line_that_another_has_is_told() {
    let chip = Chip::new("smol-mcp-busy");
    let mut first = chip.start();
    first.done("gpio_read", &json!({ "name": "relay" }));
    let mut second = chip.start();
    second.refused("gpio_read", &json!({ "name": "relay" }), "another program or a driver has this line");
}

#[test]
#[ignore = "needs root, and i2c-stub (chip_addr=0x20) and i2c-dev in the kernel"]
fn registers_of_the_kernel_are_written_and_read() {
    let is_stub = |bus: &u8| {
        let name = fs::read_to_string(format!("/sys/bus/i2c/devices/i2c-{bus}/name"));
        name.is_ok_and(|name| name.starts_with("SMBus stub"))
    };
    let bus = (0..=u8::MAX).find(is_stub).expect("i2c-stub");
    let config = format!(
        "[i2c.stub]\nbus = {bus}\nscan = [\"0x20-0x27\"]\n[i2c.stub.device.chip]\naddress = 0x20\nwrite = [\"0x10-0x1f\"]\n\
         [i2c.stub.device.none]\naddress = 0x21\n"
    );
    let mut board = Board::start(&config, &[]);
    assert_eq!(board.done("i2c_scan", &json!({ "bus": "stub" })), "Devices on stub at 0x20-0x27: 0x20");
    board.done("i2c_write", &json!({ "device": "chip", "register": 0x10, "bytes": [1, 2, 0xff] }));
    board.done("i2c_write", &json!({ "device": "chip", "register": 0x13, "bytes": [4] }));
    let text = board.done("i2c_read", &json!({ "device": "chip", "register": 0x10, "count": 4 }));
    assert_eq!(text, "0x10: 0x01 (1)\n0x11: 0x02 (2)\n0x12: 0xff (255)\n0x13: 0x04 (4)\n");
    board.refused("i2c_read", &json!({ "device": "none", "register": 0 }), "no device answers");
}
