//! Thermometers on a 1-wire bus: `/sys/bus/w1/devices/*` (the kernel's `w1/slaves/w1_therm`).
//!
//! To read one takes as long as it measures, up to 750 ms, in which the kernel holds the reader: never on the thread that serves.

use super::meters::{Meter, Place};
use super::root::{Lack, Root, Why};

const DEVICES: &str = "sys/bus/w1/devices";
/// Devices looked at: a bus of that length needs no more, and each takes its 750 ms.
pub(crate) const DEVICES_MAX: usize = 32;
/// The families of thermometers: DS18S20, DS1822, DS18B20, DS1825, DS28EA00. The number of a device begins with that of its family.
const FAMILIES: [&str; 5] = ["10-", "22-", "28-", "3b-", "42-"];
/// The monitoring chip as which newer kernels show each of them again.
pub(crate) const HWMON_NAME: &str = "w1_slave_temp";
/// Bytes of the thermometer's memory that `w1_slave` shows.
const SCRATCHPAD_BYTES: usize = 9;

/// The thermometers of all buses.
pub(crate) fn meters(root: &Root) -> Vec<Meter> {
    let is_thermometer = |name: &str| FAMILIES.iter().any(|family| name.starts_with(family));
    let names = root.names(DEVICES, DEVICES_MAX, is_thermometer).map(|names| names.list).unwrap_or_default();
    let meter = |device: String| Meter {
        label: format!("1-wire thermometer {device}"),
        quantity: "temperature",
        unit: "°C",
        place: Place::OneWire { device: format!("{DEVICES}/{device}") },
        id: device,
    };
    names.into_iter().map(meter).collect()
}

/// Measures, in °C.
pub(crate) fn read(root: &Root, device: &str) -> Result<f64, Lack> {
    // The newer of the two files, which has nothing but the number, and an error of the kernel's where the checksum is wrong.
    let path = format!("{device}/temperature");
    match root.number::<i32>(&path) {
        // It may be as cold as that. It may also be that a bus without power says so, which the other file tells.
        Ok(0) if root.has(&format!("{device}/w1_slave")) => {}
        Ok(milli) => return Ok(f64::from(milli) / 1e3),
        Err(Lack { why: Why::Absent, .. }) => {}
        Err(lack) => return Err(lack),
    }
    let path = format!("{device}/w1_slave");
    let text = root.text(&path)?;
    let mut lines = text.lines();
    let (Some(check), Some(value)) = (lines.next(), lines.next()) else {
        return Err(Lack::unclear(&path, "a checksum and a temperature"));
    };
    if !check.trim_end().ends_with("YES") {
        return Err(Lack::new(path, Why::Failed("the checksum is wrong, so that the bus is disturbed".to_owned())));
    }
    // Zeros have the right checksum, and are what a bus without power answers.
    if check.split_ascii_whitespace().take(SCRATCHPAD_BYTES).all(|byte| byte == "00") {
        return Err(Lack::new(path, Why::Failed("nothing but zeros came, so that the bus has no power".to_owned())));
    }
    let milli = value.rsplit_once("t=").and_then(|(_, milli)| milli.trim().parse::<i32>().ok());
    milli.map(|milli| f64::from(milli) / 1e3).ok_or_else(|| Lack::unclear(&path, "a temperature"))
}
