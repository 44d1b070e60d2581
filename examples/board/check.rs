//! `--check`: whether the machine has what the configuration names, and what is offered by it. Nothing is set, and no line is taken.
//!
//! What is wrong with the file is an error. What the machine lacks is a warning: files are checked on laptops, and hardware comes and goes.

use std::fmt::Write as _;
use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::config::gpio::Line;
use crate::config::i2c::{Bus, BusId};
use crate::config::problem::Problem;
use crate::config::{Config, Place, Problems, Who};
use crate::hardware::Hardware;
use crate::sources::root::Root;
use crate::sources::{leds, meters};

/// What the machine lacks of what the configuration names; `file` is what that is called.
pub(crate) fn machine(config: &Config, root: &Root, file: String) -> Problems {
    let hardware = Hardware::new(root.clone(), config.simulate);
    let mut list = Vec::new();
    let mut note = |place, what: String| list.push(Problem { place: Some(place), what: format!("warning: {what}") });
    for line in &config.gpio {
        let found = hardware.chip(&line.chip).and_then(|chip| chip.offset(&line.id));
        if let Err(fault) = found {
            note(line.place, format!("[gpio.{}]: {fault}", line.name));
        }
    }
    for bus in &config.i2c {
        if let Err(fault) = hardware.bus(&bus.id) {
            note(bus.place, format!("[i2c.{}]: {fault}", bus.name));
        }
    }
    for pwm in &config.pwm {
        if let Some(fault) = hardware.lacks_pwm(pwm.chip, pwm.channel) {
            note(pwm.place, format!("[pwm.{}]: {fault}", pwm.name));
        }
    }
    for led in config.leds.iter().filter(|led| !leds::is_there(root, &led.name)) {
        note(led.place, format!("[led.{}]: this machine has no such LED", led.name));
    }
    let meters = meters::list(root);
    for sensor in config.sensors.iter().filter(|sensor| !meters.iter().any(|meter| meter.id == sensor.id)) {
        note(sensor.place, format!("[sensor.{}]: this machine has no sensor {:?}", sensor.name, sensor.id));
    }
    for sensor in &config.sensors {
        let plain = sensor.id.rsplit_once('_').filter(|(_, number)| number.bytes().all(|digit| digit.is_ascii_digit()));
        if let Some((plain, _)) = plain.filter(|(plain, _)| meters.iter().any(|meter| meter.id == *plain)) {
            let what = format!("there are several {plain:?}, and which is {:?} may change at a start", sensor.id);
            note(sensor.place, format!("[sensor.{}]: {what}", sensor.name));
        }
    }
    for command in &config.commands {
        if let Some(fault) = command.program().and_then(|program| lacks_program(&program)) {
            note(command.place, format!("[command.{}]: {fault}", command.name));
        }
        for doubt in command.doubts() {
            note(command.place, format!("[command.{}]: {doubt}", command.name));
        }
        for folder in command.folders().filter(|folder| !folder.is_dir()) {
            note(command.place, format!("[command.{}]: there is no folder {}", command.name, folder.display()));
        }
    }
    list.sort();
    Problems { file, list }
}

/// The permission to run a file, of anybody: who will is not known here.
const ANYBODY: u32 = 0o111;

/// Why it can't be run; none where it can.
fn lacks_program(program: &str) -> Option<String> {
    let found = Path::new(program).metadata().ok().filter(Metadata::is_file);
    match found {
        None => Some(format!("there is no program {program}")),
        Some(found) if found.permissions().mode() & ANYBODY == 0 => {
            Some(format!("{program} may not be run by anybody"))
        }
        Some(_) => None,
    }
}

/// Entries that mean nobody or everybody, where nothing tells one caller from another.
pub(crate) fn doors(config: &Config) -> Vec<Problem> {
    let told = |(place, name, who): (Place, String, &Who)| {
        let effect =
            if who.users.is_empty() { "`scope` shuts nobody out" } else { "nobody can use it, as `users` names some" };
        let what = format!(
            "warning: [{name}]: {effect}: with these flags there is no file of tokens (--token-file) and no authorization server"
        );
        Problem { place: Some(place), what }
    };
    config.closed().map(told).collect()
}

/// Lines of the machine that two entries name, each by another name of the chip or of the line: which of the two holds would be chance.
pub(crate) fn same_lines(config: &Config, root: &Root) -> Vec<Problem> {
    let hardware = Hardware::new(root.clone(), config.simulate);
    let mut seen: Vec<(_, &Line)> = Vec::new();
    let mut list = Vec::new();
    for line in &config.gpio {
        let Some(place) = hardware.place(line) else { continue };
        match seen.iter().find(|(other, _)| *other == place) {
            Some((_, first)) => {
                let what = format!("[gpio.{}]: this is the line that [gpio.{}] has already", line.name, first.name);
                list.push(Problem { place: Some(line.place), what });
            }
            None => seen.push((place, line)),
        }
    }
    list
}

/// What is offered, in lines: the tools, and what they may act on.
pub(crate) fn offered(config: &Config, tools: &[&str]) -> String {
    let mut text = format!("tools: {}\n", tools.join(", "));
    let mut line = |kind: &str, names: Vec<String>| {
        if !names.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{kind}: {}", names.join(", "));
        }
    };
    let of_line = |line: &Line| format!("{} ({})", line.name, if line.output().is_some() { "output" } else { "input" });
    line("GPIO lines", config.gpio.iter().map(of_line).collect());
    line("I2C", config.i2c.iter().map(of_bus).collect());
    line("PWM channels", config.pwm.iter().map(|pwm| pwm.name.clone()).collect());
    line("sensors", config.sensors.iter().map(|sensor| format!("{} ({})", sensor.name, sensor.id)).collect());
    line("units", config.units.iter().map(|unit| unit.name.clone()).collect());
    line("commands", config.commands.iter().map(|command| command.name.clone()).collect());
    line("LEDs", config.leds.iter().map(|led| led.name.clone()).collect());
    text
}

fn of_bus(bus: &Bus) -> String {
    let id = match &bus.id {
        BusId::Number(number) => format!("/dev/i2c-{number}"),
        BusId::Simulated(name) => name.clone(),
    };
    let devices: Vec<String> =
        bus.devices.iter().map(|device| format!("{} at {:#04x}", device.name, device.address)).collect();
    let devices = if devices.is_empty() { "no device".to_owned() } else { devices.join(" and ") };
    format!("{} ({id}) with {devices}", bus.name)
}
