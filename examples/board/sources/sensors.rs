//! Fans, voltages, currents, power and humidity, from the chips under `/sys/class/hwmon` (the kernel's `hwmon/sysfs-interface`).

use std::fmt;

use serde::Serialize;

use super::root::{Known, Lack, Root, Why};

const HWMON: &str = "sys/class/hwmon";
/// More chips than any board has; a server has about ten.
pub(crate) const CHIPS_MAX: usize = 32;
/// Attributes looked at in one chip: the largest monitoring chips of mainboards have about 150.
pub(crate) const ATTRIBUTES_MAX: usize = 256;

/// What a sensor measures: the prefix of its files, the quantity, the unit, and how many of the file's units make one of it.
pub(crate) type Kind = (&'static str, &'static str, &'static str, f64);

/// Temperatures, which have a report of their own.
pub(crate) const TEMPERATURE: Kind = ("temp", "temperature", "°C", 1e3);
/// All else.
const OTHERS: [Kind; 5] = [
    ("fan", "fan", "RPM", 1.0),
    ("in", "voltage", "V", 1e3),
    ("curr", "current", "A", 1e3),
    ("power", "power", "W", 1e6),
    ("humidity", "humidity", "%", 1e3),
];

/// All sensors that do not measure temperatures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Sensors {
    /// What they read now, chip by chip.
    pub(crate) readings: Vec<Reading>,
}

/// What one sensor reads now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Reading {
    /// The name of the chip, such as `rpi_volt`, with its place: `rpi_volt (hwmon1)`.
    pub(crate) chip: String,
    /// The sensor's label where its driver gives one, else the name of its files, such as `fan1`.
    pub(crate) name: String,
    /// What is measured.
    pub(crate) quantity: &'static str,
    /// The value; absent for a sensor that only raises an alarm.
    pub(crate) value: Option<Known<f64>>,
    /// The unit of the value and of the critical value.
    pub(crate) unit: &'static str,
    /// The value that the chip calls critical.
    pub(crate) critical: Option<f64>,
    /// Whether the chip raises an alarm for it, where it can.
    pub(crate) alarm: Option<bool>,
}

/// Reads all sensors but the thermometers.
pub(crate) fn read(root: &Root) -> Result<Sensors, Lack> {
    let mut readings = Vec::new();
    for chip in chips(root)? {
        for kind in &OTHERS {
            readings.extend(chip.readings(root, kind));
        }
    }
    if readings.is_empty() { Err(Lack::new(HWMON, Why::Empty)) } else { Ok(Sensors { readings }) }
}

impl fmt::Display for Sensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.readings.iter().try_for_each(|reading| writeln!(f, "{reading}"))
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit;
        let decimals = if unit == "RPM" {
            0
        } else if unit == "°C" {
            1
        } else {
            2
        };
        write!(f, "{} {}: ", self.chip, self.name)?;
        match &self.value {
            Some(Known(Ok(value))) => write!(f, "{value:.decimals$} {unit}")?,
            Some(Known(Err(lack))) => write!(f, "{lack}")?,
            // Seen on the Raspberry Pi, whose firmware tells that the voltage is too low, but not how low.
            None => write!(f, "{} not told", self.quantity)?,
        }
        if let Some(critical) = self.critical {
            write!(f, ", critical at {critical:.decimals$} {unit}")?;
        }
        match self.alarm {
            Some(true) => write!(f, ", ALARM RAISED"),
            Some(false) => write!(f, ", no alarm"),
            None => Ok(()),
        }
    }
}

/// One monitoring chip and its files.
pub(crate) struct Chip {
    /// The driver's name for it.
    pub(crate) name: String,
    folder: String,
    files: Vec<String>,
}

/// The chips of this machine.
pub(crate) fn chips(root: &Root) -> Result<Vec<Chip>, Lack> {
    let folders = root.folders(HWMON, CHIPS_MAX)?.list;
    let chip = |folder: String| {
        let path = format!("{HWMON}/{folder}");
        let name = root.line(&format!("{path}/name")).unwrap_or_else(|_| "unnamed".to_owned());
        let files = root.names(&path, ATTRIBUTES_MAX, |file| file.contains('_')).map(|names| names.list);
        Chip { name, folder, files: files.unwrap_or_default() }
    };
    Ok(folders.into_iter().map(chip).collect())
}

impl Chip {
    /// The readings of one kind.
    pub(crate) fn readings<'a>(&'a self, root: &'a Root, kind: &'a Kind) -> impl Iterator<Item = Reading> + 'a {
        let mut sensors: Vec<(u32, &str)> = self.files.iter().filter_map(|file| sensor_of(file, kind.0)).collect();
        sensors.sort_unstable();
        sensors.dedup();
        sensors.into_iter().filter_map(move |(_, sensor)| self.reading(root, kind, sensor))
    }

    /// What `sensor` reads; nothing where its files hold neither a value nor an alarm.
    fn reading(&self, root: &Root, kind: &Kind, sensor: &str) -> Option<Reading> {
        let &(_, quantity, unit, scale) = kind;
        let path = |attribute: &str| format!("{HWMON}/{}/{sensor}_{attribute}", self.folder);
        let has = |attribute: &str| self.files.iter().any(|file| file.split_once('_') == Some((sensor, attribute)));
        let number = |attribute: &str| root.number::<i32>(&path(attribute)).map(|number| f64::from(number) / scale);
        let value =
            ["input", "average"].into_iter().find(|attribute| has(attribute)).map(|attribute| Known(number(attribute)));
        let alarm = self.alarm(root, sensor);
        if value.is_none() && alarm.is_none() {
            return None;
        }
        Some(Reading {
            chip: format!("{} ({})", self.name, self.folder),
            name: if has("label") {
                root.line(&path("label")).unwrap_or_else(|_| sensor.to_owned())
            } else {
                sensor.to_owned()
            },
            quantity,
            value,
            unit,
            critical: if has("crit") { number("crit").ok() } else { None },
            alarm,
        })
    }

    /// Whether any of the sensor's alarm files is raised; nothing where it has none that can be read.
    fn alarm(&self, root: &Root, sensor: &str) -> Option<bool> {
        let of_sensor = |file: &&String| {
            file.strip_prefix(sensor).is_some_and(|rest| rest.starts_with('_') && rest.ends_with("_alarm"))
        };
        let raised = |file: &String| root.number::<u8>(&format!("{HWMON}/{}/{file}", self.folder)).ok();
        let alarms = self.files.iter().filter(of_sensor).filter_map(raised);
        alarms.map(|alarm| alarm > 0).reduce(|one, other| one || other)
    }
}

/// The sensor to which a file belongs and its number: `fan1` and 1 of `fan1_input`.
fn sensor_of<'a>(file: &'a str, prefix: &str) -> Option<(u32, &'a str)> {
    let (sensor, _) = file.split_once('_')?;
    let number = sensor.strip_prefix(prefix)?.parse().ok()?;
    Some((number, sensor))
}
