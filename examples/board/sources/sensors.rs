//! Fans, voltages, currents, power and humidity, from the chips under `/sys/class/hwmon` (the kernel's `hwmon/sysfs-interface`).

use std::fmt;

use serde::Serialize;

use super::meters::{Meter, Place, identifier};
use super::root::{Known, Lack, Root, Why};
use super::{onewire, temperatures};

const HWMON: &str = "sys/class/hwmon";
/// More chips than any board has; a server has about ten.
pub(crate) const CHIPS_MAX: usize = 32;
/// Attributes looked at in one chip: the largest monitoring chips of mainboards have about 150.
pub(crate) const ATTRIBUTES_MAX: usize = 256;

/// What a sensor measures: the prefix of its files, the quantity, the unit, and how many of the file's units make one of it.
pub(crate) type Kind = (&'static str, &'static str, &'static str, u32);

/// Temperatures, which have a report of their own.
pub(crate) const TEMPERATURE: Kind = ("temp", "temperature", "°C", 1_000);
/// All else.
const OTHERS: [Kind; 5] = [
    ("fan", "fan", "RPM", 1),
    ("in", "voltage", "V", 1_000),
    ("curr", "current", "A", 1_000),
    ("power", "power", "W", 1_000_000),
    ("humidity", "humidity", "%", 1_000),
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
        let decimals = decimals(unit);
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

/// How many digits behind the point say something of a value in this unit.
pub(crate) fn decimals(unit: &str) -> usize {
    match unit {
        "RPM" => 0,
        "°C" => 1,
        _ => 2,
    }
}

/// The sensors that have a value, but for those that thermal zones show too.
pub(crate) fn meters(root: &Root) -> Vec<Meter> {
    let zones = temperatures::zone_kinds(root);
    let chips = chips(root).unwrap_or_default();
    let others = chips.iter().filter(|chip| !zones.iter().any(|zone| chip.shows(zone)));
    others.flat_map(|chip| chip.meters(root)).collect()
}

/// One monitoring chip and its files.
pub(crate) struct Chip {
    /// The driver's name for it.
    pub(crate) name: String,
    folder: String,
    files: Vec<String>,
}

/// The chips of this machine, but for those of the 1-wire bus.
pub(crate) fn chips(root: &Root) -> Result<Vec<Chip>, Lack> {
    let folders = root.folders(HWMON, CHIPS_MAX)?.list;
    let chip = |folder: String| {
        let path = format!("{HWMON}/{folder}");
        let name = root.line(&format!("{path}/name")).unwrap_or_else(|_| "unnamed".to_owned());
        // It would be a second report of each, and a slow one.
        if name == onewire::HWMON_NAME {
            return None;
        }
        let files = root.names(&path, ATTRIBUTES_MAX, |file| file.contains('_')).map(|names| names.list);
        Some(Chip { name, folder, files: files.unwrap_or_default() })
    };
    Ok(folders.into_iter().filter_map(chip).collect())
}

impl Chip {
    /// The readings of one kind.
    pub(crate) fn readings<'a>(&'a self, root: &'a Root, kind: &'a Kind) -> impl Iterator<Item = Reading> + 'a {
        self.sensors(kind.0).into_iter().filter_map(move |(_, sensor)| self.reading(root, kind, sensor))
    }

    /// The sensors of this chip that have a value.
    fn meters(&self, root: &Root) -> Vec<Meter> {
        let folder = format!("{HWMON}/{}", self.folder);
        // The device's name has its address on the bus; the chip's number can be another after each start.
        let device = root.link(&format!("{folder}/device"));
        let device = device.as_deref().and_then(|target| target.file_name()?.to_str());
        let chip = device.map_or_else(|| self.name.clone(), |device| format!("{}-{device}", self.name));
        let mut meters = Vec::new();
        for &(prefix, quantity, unit, per_unit) in OTHERS.iter().chain([&TEMPERATURE]) {
            for (_, sensor) in self.sensors(prefix) {
                let attribute = ["input", "average"].into_iter().find(|attribute| self.has(sensor, attribute));
                meters.extend(attribute.map(|attribute| Meter {
                    id: identifier(&format!("{chip}.{sensor}")),
                    label: format!("{} {}", self.name, self.label(root, sensor)),
                    quantity,
                    unit,
                    place: Place::Chip { file: format!("{folder}/{sensor}_{attribute}"), per_unit },
                }));
            }
        }
        meters
    }

    /// The kernel shows each thermal zone as a monitoring chip too, under the zone's type with `_` for `-`: one report is enough.
    pub(crate) fn shows(&self, zone_kind: &str) -> bool {
        zone_kind.replace('-', "_") == self.name
    }

    /// The sensors of one kind, in the order of their numbers.
    fn sensors(&self, prefix: &str) -> Vec<(u32, &str)> {
        let mut sensors: Vec<(u32, &str)> = self.files.iter().filter_map(|file| sensor_of(file, prefix)).collect();
        sensors.sort_unstable();
        sensors.dedup();
        sensors
    }

    fn has(&self, sensor: &str, attribute: &str) -> bool {
        self.files.iter().any(|file| file.split_once('_') == Some((sensor, attribute)))
    }

    /// The label that the driver gives, else the name of the files.
    fn label(&self, root: &Root, sensor: &str) -> String {
        let told = |()| root.line(&format!("{HWMON}/{}/{sensor}_label", self.folder)).ok();
        self.has(sensor, "label").then_some(()).and_then(told).unwrap_or_else(|| sensor.to_owned())
    }

    /// What `sensor` reads; nothing where its files hold neither a value nor an alarm.
    fn reading(&self, root: &Root, kind: &Kind, sensor: &str) -> Option<Reading> {
        let &(_, quantity, unit, scale) = kind;
        let path = |attribute: &str| format!("{HWMON}/{}/{sensor}_{attribute}", self.folder);
        let has = |attribute: &str| self.has(sensor, attribute);
        let number =
            |attribute: &str| root.number::<i32>(&path(attribute)).map(|number| f64::from(number) / f64::from(scale));
        let value =
            ["input", "average"].into_iter().find(|attribute| has(attribute)).map(|attribute| Known(number(attribute)));
        let alarm = self.alarm(root, sensor);
        if value.is_none() && alarm.is_none() {
            return None;
        }
        Some(Reading {
            chip: format!("{} ({})", self.name, self.folder),
            name: self.label(root, sensor),
            quantity,
            value,
            unit,
            critical: if has("crit") { number("crit").ok() } else { None },
            alarm,
        })
    }

    /// Whether any of the sensor's alarm files is raised; nothing where it has none that can be read.
    pub(crate) fn alarm(&self, root: &Root, sensor: &str) -> Option<bool> {
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
