//! The configuration file (TOML): what of the machine may be changed, and by whom.
//!
//! One module a section, each of which reads its part of the file with [`table::Table`]. A section adds itself here in three places: its `mod`,
//! its field of [`Config`], and its line in [`Config::of`].
//!
//! All that is wrong is told at once, each with its place and what would be right; a file with anything wrong in it is refused as a whole.

pub(crate) mod commands;
pub(crate) mod gpio;
pub(crate) mod i2c;
pub(crate) mod leds;
pub(crate) mod problem;
pub(crate) mod pwm;
pub(crate) mod release;
pub(crate) mod sensors;
pub(crate) mod table;
pub(crate) mod units;
pub(crate) mod who;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(crate) use problem::{Place, Problems};
pub(crate) use release::Release;
pub(crate) use who::Who;

use problem::Problem;
use table::{Document, Table};

/// The longest configuration, in bytes: some thousand entries, and a device file given by mistake does not fill the memory.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// What a configuration allows. Without a file, [`Config::default`]: nothing but reading what any machine tells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// Chips, buses and PWM channels are played (`--simulate`, no key of the file).
    pub(crate) simulate: bool,
    /// The GPIO lines that may be used.
    pub(crate) gpio: Vec<gpio::Line>,
    /// The I2C buses that may be used.
    pub(crate) i2c: Vec<i2c::Bus>,
    /// The LEDs that may be set.
    pub(crate) leds: Vec<leds::Led>,
    /// The PWM channels that may be set.
    pub(crate) pwm: Vec<pwm::Pwm>,
    /// The sensors that have names and limits of their own.
    pub(crate) sensors: Vec<sensors::Sensor>,
    /// The units whose state and log may be read.
    pub(crate) units: Vec<units::Unit>,
    /// The commands that may be run.
    pub(crate) commands: Vec<commands::Command>,
}

/// Reads a configuration file.
///
/// # Errors
/// All that is wrong with it, or why it can't be read.
pub(crate) fn read(path: &Path) -> Result<Config, Problems> {
    let mut text = String::new();
    let opened = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
    let file = path.display().to_string();
    match opened {
        Ok(_) if text.len() as u64 > FILE_BYTES_MAX => {
            Err(Problems::unreadable(file, &format!("it is longer than {FILE_BYTES_MAX} bytes")))
        }
        Ok(_) => parse(file, &text),
        Err(error) => Err(Problems::unreadable(file, &error.to_string())),
    }
}

/// Reads a configuration; `file` is what it is called where something is wrong with it.
///
/// # Errors
/// All that is wrong with it.
pub(crate) fn parse(file: String, text: &str) -> Result<Config, Problems> {
    let document = Document::new(text);
    let config = document.read(Config::of);
    document.done(file, config)
}

impl Config {
    /// Takes out what nothing plays, if the hardware is to be played and the files are this machine's own: with the configuration of another
    /// machine, its LED may be something else here. What was taken out, in words.
    pub(crate) fn leave_out_what_is_real(&mut self, is_live: bool) -> Vec<Problem> {
        if !self.simulate || !is_live {
            return Vec::new();
        }
        let told = |led: leds::Led| {
            let what = format!(
                "warning: [led.{}]: left out, as --simulate does not play it; --root DIR has its files in a folder",
                led.name
            );
            Problem { place: Some(led.place), what }
        };
        self.leds.drain(..).map(told).collect()
    }

    /// Entries that say who may use them, by a scope or by names: their places, what they are called, and who may.
    pub(crate) fn closed(&self) -> impl Iterator<Item = (Place, String, &Who)> {
        let gpio = self.gpio.iter().map(|line| (line.place, format!("gpio.{}", line.name), &line.who));
        let i2c = self.i2c.iter().flat_map(|bus| {
            let device = |device: &'_ i2c::Device| format!("i2c.{}.device.{}", bus.name, device.name);
            let devices = bus.devices.iter().map(move |own| (own.place, device(own), &own.who));
            devices.chain([(bus.place, format!("i2c.{}", bus.name), &bus.who)])
        });
        let pwm = self.pwm.iter().map(|pwm| (pwm.place, format!("pwm.{}", pwm.name), &pwm.who));
        let leds = self.leds.iter().map(|led| (led.place, format!("led.{}", led.name), &led.who));
        let sensors = self.sensors.iter().map(|own| (own.place, format!("sensor.{}", own.name), &own.who));
        let units = self.units.iter().map(|unit| (unit.place, format!("unit.{}", unit.name), &unit.who));
        let commands = self.commands.iter().map(|own| (own.place, format!("command.{}", own.name), &own.who));
        let all = gpio.chain(i2c).chain(pwm).chain(leds).chain(sensors).chain(units).chain(commands);
        all.filter(|(.., who)| who.scope.is_some() || !who.users.is_empty())
    }

    fn of(top: &mut Table<'_>) -> Self {
        let config = Self {
            simulate: false,
            gpio: top.entries("gpio", gpio::Line::read),
            i2c: top.entries("i2c", i2c::Bus::read),
            leds: top.entries("led", leds::Led::read),
            pwm: top.entries("pwm", pwm::Pwm::read),
            sensors: top.entries("sensor", sensors::Sensor::read),
            units: top.entries("unit", units::Unit::read),
            commands: top.entries("command", commands::Command::read),
        };
        gpio::Line::check_all(&config.gpio, top);
        i2c::Bus::check_all(&config.i2c, top);
        pwm::Pwm::check_all(&config.pwm, top);
        sensors::Sensor::check_all(&config.sensors, top);
        config
    }
}
