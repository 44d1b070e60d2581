//! What feeds the machine: batteries, mains and USB under `/sys/class/power_supply` (the kernel's `ABI/testing/sysfs-class-power`), and what a
//! Raspberry Pi says of its voltage.

use std::fmt;

use serde::Serialize;

use super::root::{Known, Lack, Root, Why};
use super::sensors;
use super::temperatures::{self, Throttling};
use super::text::Seconds;

/// Their folder.
pub(crate) const SUPPLIES: &str = "sys/class/power_supply";
/// Supplies that are read: a laptop has three, a board with a battery two.
pub(crate) const SUPPLIES_MAX: usize = 16;
/// The driver of the Raspberry Pi's voltage, which raises an alarm and tells no number.
const PI_VOLTAGE: &str = "rpi_volt";

/// What feeds the machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Power {
    /// The supplies that the kernel knows.
    pub(crate) supplies: Vec<Supply>,
    /// Raspberry Pi: whether its voltage is too low now.
    pub(crate) under_voltage: Option<bool>,
    /// Raspberry Pi: what its firmware says, now and before.
    pub(crate) throttling: Option<Throttling>,
}

/// One supply.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Supply {
    /// The kernel's name for it.
    pub(crate) name: String,
    /// Battery, Mains, USB, UPS or Wireless.
    pub(crate) kind: Known<String>,
    /// Whether it feeds the machine: of mains and USB.
    pub(crate) online: Option<bool>,
    /// Charging, Discharging, Full: of a battery.
    pub(crate) status: Option<String>,
    /// How full it is.
    pub(crate) percent: Option<u8>,
    /// Its voltage.
    pub(crate) volts: Option<f64>,
    /// Its current; negative for one way, positive for the other, as its driver has it.
    pub(crate) amperes: Option<f64>,
    /// Its power.
    pub(crate) watts: Option<f64>,
    /// What its driver says of its health.
    pub(crate) health: Option<String>,
    /// How long it will last.
    pub(crate) lasts: Option<Seconds>,
}

/// Reads all of it.
pub(crate) fn read(root: &Root) -> Result<Power, Lack> {
    let names = root.folders(SUPPLIES, SUPPLIES_MAX).map(|names| names.list).unwrap_or_default();
    let supplies: Vec<Supply> = names.into_iter().map(|name| Supply::read(root, name)).collect();
    let chips = sensors::chips(root).unwrap_or_default();
    let under_voltage = chips.iter().find(|chip| chip.name == PI_VOLTAGE).and_then(|chip| chip.alarm(root, "in0"));
    let throttling = temperatures::throttling(root);
    if supplies.is_empty() && under_voltage.is_none() && throttling.is_none() {
        return Err(Lack::new(format!("{SUPPLIES}/*, no /sys/class/hwmon/hwmon*/in0_lcrit_alarm"), Why::Absent));
    }
    Ok(Power { supplies, under_voltage, throttling })
}

/// Whether to read it may take long: the gauge of a battery is on a slow bus.
pub(crate) fn is_slow(root: &Root) -> bool {
    let supplies = root.folders(SUPPLIES, SUPPLIES_MAX).map(|names| names.list).unwrap_or_default();
    supplies.iter().any(|name| {
        sensors::device_of(root, &format!("{SUPPLIES}/{name}")).is_some_and(|device| sensors::is_i2c(&device))
    })
}

impl Supply {
    fn read(root: &Root, name: String) -> Self {
        let path = |file: &str| format!("{SUPPLIES}/{name}/{file}");
        let micro = |file: &str| root.decimal(&path(file)).ok().map(|value| value / 1e6);
        Self {
            kind: Known(root.line(&path("type"))),
            online: root.number::<u8>(&path("online")).ok().map(|flag| flag != 0),
            status: root.line(&path("status")).ok(),
            percent: root.number(&path("capacity")).ok(),
            volts: micro("voltage_now"),
            amperes: micro("current_now"),
            watts: micro("power_now"),
            health: root.line(&path("health")).ok(),
            lasts: root.number(&path("time_to_empty_now")).ok().map(Seconds),
            name,
        }
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.supplies.iter().try_for_each(|supply| writeln!(f, "{supply}"))?;
        match self.under_voltage {
            Some(true) => writeln!(f, "Voltage: TOO LOW NOW")?,
            Some(false) => writeln!(f, "Voltage: not too low now")?,
            None => {}
        }
        self.throttling.iter().try_for_each(|throttling| writeln!(f, "{throttling}"))
    }
}

impl fmt::Display for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)?;
        if let Some(online) = self.online {
            f.write_str(if online { ", feeds the machine" } else { ", feeds nothing now" })?;
        }
        self.status.iter().try_for_each(|status| write!(f, ", {status}"))?;
        self.percent.iter().try_for_each(|percent| write!(f, ", {percent} % full"))?;
        self.volts.iter().try_for_each(|volts| write!(f, ", {volts:.2} V"))?;
        self.amperes.iter().try_for_each(|amperes| write!(f, ", {amperes:.3} A"))?;
        self.watts.iter().try_for_each(|watts| write!(f, ", {watts:.2} W"))?;
        self.health.iter().try_for_each(|health| write!(f, ", health: {health}"))?;
        self.lasts.iter().try_for_each(|lasts| write!(f, ", lasts {lasts}"))
    }
}
