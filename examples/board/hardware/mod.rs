//! The hardware that is acted on, behind traits: as the kernel has it, or simulated.
//!
//! Nothing here waits for anything but the hardware itself. Setting a line is one `ioctl` that returns at once. An I2C transfer keeps the one
//! thread for as long as the bus takes, which at 100 kHz is some 0.1 ms a byte; a device that holds the clock is given up by the kernel after the
//! adapter's time-out, mostly a second. Waiting for an edge is readiness of a file descriptor, and keeps nobody.

pub(crate) mod gpio;
pub(crate) mod i2c;
pub(crate) mod pwm;
pub(crate) mod sim_gpio;
pub(crate) mod sim_i2c;
pub(crate) mod sim_pwm;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::config::gpio::{Line, is_simulated};
use crate::config::i2c::BusId;
use crate::sources::root::Root;
use gpio::Chip;
use i2c::Bus;
use pwm::{Channel, Sysfs};
use sim_gpio::SimChip;
use sim_i2c::SimBus;
use sim_pwm::SimChannel;

/// Why hardware did not do what it should, in words for the caller.
pub(crate) type Fault = String;

/// For how long a chip that could not be had is not looked for again: a list of lines asks for each of its lines, and to find one by its label opens all.
const ABSENT_FOR: Duration = Duration::from_secs(1);

/// What is said where files of another machine are shown: its devices are not here.
const NOT_HERE: &str = "the hardware of this machine is not used while --root names another's files";

/// The way to all of it.
pub(crate) struct Hardware {
    /// The folder that `/sys` is below.
    pub(crate) root: Root,
    /// Chips and buses are played, whatever they are called, and so are the PWM channels of this machine.
    simulate: bool,
    chips: RefCell<BTreeMap<String, Rc<SimChip>>>,
    buses: RefCell<BTreeMap<String, Rc<SimBus>>>,
    /// The chips that could not be had, when, and why: of those that the configuration names.
    absent: RefCell<BTreeMap<String, (Instant, Fault)>>,
}

impl Hardware {
    /// That of the machine at `root`; `simulate`: none of its chips, buses and PWM channels is touched.
    pub(crate) fn new(root: Root, simulate: bool) -> Self {
        Self { root, simulate, chips: RefCell::default(), buses: RefCell::default(), absent: RefCell::default() }
    }

    /// The GPIO chip of this name.
    ///
    /// # Errors
    /// It is not there, or may not be used.
    pub(crate) fn chip(&self, name: &str) -> Result<Rc<dyn Chip>, Fault> {
        if self.simulate || is_simulated(name) {
            let new = || Rc::new(SimChip::new(!is_simulated(name)));
            return Ok(self.chips.borrow_mut().entry(name.to_owned()).or_insert_with(new).clone());
        }
        self.only_here()?;
        let absent =
            self.absent.borrow().get(name).filter(|(at, _)| at.elapsed() < ABSENT_FOR).map(|(_, why)| why.clone());
        if let Some(why) = absent {
            return Err(why);
        }
        let opened = gpio::CharacterDevice::open(name);
        if let Err(why) = &opened {
            self.absent.borrow_mut().insert(name.to_owned(), (Instant::now(), why.clone()));
        }
        Ok(Rc::new(opened?))
    }

    /// Where a line is, whatever it is called: the file of its chip, and its number there. None: it is played, or can't be told now.
    pub(crate) fn place(&self, line: &Line) -> Option<(PathBuf, u32)> {
        if self.simulate || is_simulated(&line.chip) || !self.root.is_live() {
            return None;
        }
        let chip = gpio::CharacterDevice::open(&line.chip).ok()?;
        Some((chip.path().canonicalize().ok()?, chip.offset(&line.id).ok()?))
    }

    /// The I2C bus of this number or name.
    ///
    /// # Errors
    /// It is not there, or may not be used.
    pub(crate) fn bus(&self, id: &BusId) -> Result<Rc<dyn Bus>, Fault> {
        let name = match id {
            BusId::Number(number) if !self.simulate => {
                self.only_here()?;
                return Ok(Rc::new(i2c::Adapter::open(*number)?));
            }
            BusId::Number(number) => format!("i2c-{number}"),
            BusId::Simulated(name) => name.clone(),
        };
        Ok(self.simulated_bus(name))
    }

    /// Puts a device on a bus, if that is simulated: one with 256 registers of one byte, all 0.
    pub(crate) fn put_device(&self, id: &BusId, address: u8) {
        match id {
            BusId::Number(number) if self.simulate => self.simulated_bus(format!("i2c-{number}")).put(address),
            BusId::Number(_) => {}
            BusId::Simulated(name) => self.simulated_bus(name.clone()).put(address),
        }
    }

    /// A PWM channel, which need not be there. Where the files of another machine are shown, its channels are files, too.
    pub(crate) fn pwm(&self, chip: u8, channel: u8) -> Rc<dyn Channel> {
        if self.plays_pwm() { Rc::new(SimChannel::default()) } else { Rc::new(self.sysfs(chip, channel)) }
    }

    /// Why there is no such PWM channel; none where there is one.
    pub(crate) fn lacks_pwm(&self, chip: u8, channel: u8) -> Option<Fault> {
        match self.sysfs(chip, channel).count() {
            _ if self.plays_pwm() => None,
            Ok(count) if u32::from(channel) < count => None,
            Ok(count) => Some(format!("pwmchip{chip} has {count} channels, and no channel {channel}")),
            Err(lack) => Some(lack.to_string()),
        }
    }

    fn sysfs(&self, chip: u8, channel: u8) -> Sysfs {
        Sysfs { root: self.root.clone(), chip, channel }
    }

    fn plays_pwm(&self) -> bool {
        self.simulate && self.root.is_live()
    }

    fn simulated_bus(&self, name: String) -> Rc<SimBus> {
        self.buses.borrow_mut().entry(name).or_default().clone()
    }

    fn only_here(&self) -> Result<(), Fault> {
        if self.root.is_live() { Ok(()) } else { Err(NOT_HERE.to_owned()) }
    }
}
