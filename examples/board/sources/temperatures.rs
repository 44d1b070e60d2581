//! Temperatures, from the kernel's thermal zones and from monitoring chips; and whether a Raspberry Pi throttles itself.

use std::fmt;

use serde::Serialize;

use super::meters::{Meter, Place, identifier};
use super::root::{Known, Lack, Root, Why};
use super::sensors::{self, Chip, Reading, TEMPERATURE};

const THERMAL: &str = "sys/class/thermal";
/// The firmware's word on voltage and throttling, on Raspberry Pi kernels only.
const THROTTLED: &str = "sys/devices/platform/soc/soc:firmware/get_throttled";
/// Phones' chips have up to 60 zones.
pub(crate) const ZONES_MAX: usize = 64;
/// The kernel allows no more trip points in a zone (`THERMAL_MAX_TRIPS`).
pub(crate) const TRIPS_MAX: usize = 12;
/// Absolute zero in thousandths of a degree: what the kernel's drivers give, or less, when they have no value.
const NO_TEMPERATURE: i32 = -273_000;

/// What the machine's thermometers show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Temperatures {
    /// All of them; zones first.
    pub(crate) temperatures: Vec<Temperature>,
    /// Raspberry Pi: what the firmware reports.
    pub(crate) throttling: Option<Throttling>,
}

/// What one thermometer shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Temperature {
    /// What it measures, and where it is found, such as `cpu-thermal (thermal_zone0)`.
    pub(crate) name: String,
    /// The temperature.
    pub(crate) celsius: Known<f64>,
    /// At what temperature the machine is switched off, or is in danger.
    pub(crate) critical_celsius: Option<f64>,
}

/// What the Raspberry Pi's firmware reports: `under-voltage`, `frequency capped`, `throttled`, `soft temperature limit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Throttling {
    /// What holds now.
    pub(crate) now: Vec<&'static str>,
    /// What has held before.
    pub(crate) earlier: Vec<&'static str>,
}

/// Reads all thermometers.
pub(crate) fn read(root: &Root) -> Result<Temperatures, Lack> {
    read_with(root, |chip| chip.readings(root, &TEMPERATURE).collect())
}

/// The same, where this reads those of a monitoring chip.
pub(crate) fn read_with(root: &Root, of_chip: impl Fn(&Chip) -> Vec<Reading>) -> Result<Temperatures, Lack> {
    let chips = sensors::chips(root);
    let zones: Vec<Zone> = zones(root).iter().map(|name| Zone::read(root, name)).collect();
    let mut temperatures: Vec<Temperature> = Vec::new();
    for chip in chips.iter().flatten().filter(|chip| !zones.iter().any(|zone| chip.shows(&zone.kind))) {
        temperatures.extend(of_chip(chip).into_iter().map(Temperature::of_reading));
    }
    temperatures.splice(..0, zones.into_iter().map(|zone| zone.temperature));
    if temperatures.is_empty() {
        return Err(Lack::new(format!("{THERMAL}/thermal_zone*, no /sys/class/hwmon/hwmon*/temp*_input"), Why::Absent));
    }
    Ok(Temperatures { temperatures, throttling: throttling(root) })
}

/// What the Raspberry Pi's firmware reports; nothing on other boards.
pub(crate) fn throttling(root: &Root) -> Option<Throttling> {
    let word = root.line(THROTTLED).ok()?;
    u32::from_str_radix(word.trim_start_matches("0x"), 16).ok().map(Throttling::of_bits)
}

/// The thermal zones as sensors.
pub(crate) fn meters(root: &Root) -> Vec<Meter> {
    let meter = |zone: String| {
        let folder = format!("{THERMAL}/{zone}");
        let kind = kind(root, &zone);
        Meter {
            id: identifier(&kind),
            label: format!("{kind} ({zone})"),
            quantity: "temperature",
            unit: "°C",
            place: Place::Zone { file: format!("{folder}/temp") },
        }
    };
    zones(root).into_iter().map(meter).collect()
}

/// The types of the thermal zones.
pub(crate) fn zone_kinds(root: &Root) -> Vec<String> {
    zones(root).iter().map(|zone| kind(root, zone)).collect()
}

/// What the file of a thermal zone says, in °C.
pub(crate) fn zone_celsius(root: &Root, file: &str) -> Result<f64, Lack> {
    let milli: i32 = root.number(file)?;
    if milli > NO_TEMPERATURE { Ok(f64::from(milli) / 1e3) } else { Err(Lack::unclear(file, "a temperature now")) }
}

fn zones(root: &Root) -> Vec<String> {
    let zones = root.names(THERMAL, ZONES_MAX, |name| name.starts_with("thermal_zone"));
    zones.map(|names| names.list).unwrap_or_default()
}

fn kind(root: &Root, zone: &str) -> String {
    root.line(&format!("{THERMAL}/{zone}/type")).unwrap_or_else(|_| "unnamed".to_owned())
}

impl fmt::Display for Temperatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for temperature in &self.temperatures {
            write!(f, "{}: ", temperature.name)?;
            match &temperature.celsius.0 {
                Ok(celsius) => write!(f, "{celsius:.1} °C")?,
                Err(lack) => write!(f, "{lack}")?,
            }
            if let Some(critical) = temperature.critical_celsius {
                write!(f, ", critical at {critical:.1} °C")?;
            }
            writeln!(f)?;
        }
        self.throttling.iter().try_for_each(|throttling| writeln!(f, "{throttling}"))
    }
}

impl fmt::Display for Throttling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        write!(f, "Throttling: now {}; earlier {}", words(&self.now), words(&self.earlier))
    }
}

impl Throttling {
    /// Out of the firmware's word, whose bits from 16 on stand for earlier.
    fn of_bits(bits: u32) -> Self {
        let names = ["under-voltage", "frequency capped", "throttled", "soft temperature limit"];
        let set = |bits: u32| {
            names.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| name).collect()
        };
        Self { now: set(bits), earlier: set(bits >> 16) }
    }
}

impl Temperature {
    fn of_reading(reading: Reading) -> Self {
        let name = format!("{} {}", reading.chip, reading.name);
        Self { name, celsius: reading.value, critical_celsius: reading.critical }
    }
}

/// One thermal zone.
struct Zone {
    kind: String,
    temperature: Temperature,
}

impl Zone {
    fn read(root: &Root, name: &str) -> Self {
        let file = |file: &str| format!("{THERMAL}/{name}/{file}");
        let kind = kind(root, name);
        let celsius = Known(zone_celsius(root, &file("temp")));
        let is_critical =
            |trip: &usize| root.line(&file(&format!("trip_point_{trip}_type"))).is_ok_and(|kind| kind == "critical");
        let critical = (0..TRIPS_MAX)
            .find(is_critical)
            .and_then(|trip| root.number(&file(&format!("trip_point_{trip}_temp"))).ok());
        let critical_celsius =
            critical.filter(|&milli: &i32| milli > NO_TEMPERATURE).map(|milli| f64::from(milli) / 1e3);
        let name = format!("{kind} ({name})");
        Self { kind, temperature: Temperature { name, celsius, critical_celsius } }
    }
}
