//! Fans, voltages, currents, power and humidity, from the chips under `/sys/class/hwmon` (the kernel's `hwmon/sysfs-interface`).

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

/// What one sensor reads now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// The name of the chip, such as `nvme`, with its place: `nvme (hwmon1)`.
    pub(crate) chip: String,
    /// The sensor's label where its driver gives one, else the name of its files, such as `temp1`.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: Known<f64>,
    /// The value that the chip calls critical.
    pub(crate) critical: Option<f64>,
}

/// How many digits behind the point say something of a value in this unit.
pub(crate) fn decimals(unit: &str) -> usize {
    match unit {
        "RPM" => 0,
        "°C" => 1,
        _ => 2,
    }
}

/// Chips that are asked by a slow way: disks, which may have to spin up; converters; the board's controller.
const SLOW_CHIPS: [&str; 4] = ["drivetemp", "iio_hwmon", "power_meter", "ibmpex"];

/// The name of the device to which a folder of a class belongs, if it has one.
pub(crate) fn device_of(root: &Root, folder: &str) -> Option<String> {
    root.link(&format!("{folder}/device"))?.file_name()?.to_str().map(str::to_owned)
}

/// Whether a device is one on an I2C bus: bus and address, as in `1-0040`. One on a bus that is stuck answers after seconds.
pub(crate) fn is_i2c(device: &str) -> bool {
    let parts = device.split_once('-');
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    parts.is_some_and(|(bus, address)| {
        is_number(bus) && address.len() == 4 && address.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// What the chips call an alarm, of the slow chips or of the others: the sensor, and whether it is raised. No value is read for it.
pub(crate) fn alarms(root: &Root, slow: bool) -> Vec<(String, bool)> {
    let of_chip = |chip: Chip| {
        let all = OTHERS.iter().chain([&TEMPERATURE]).flat_map(|kind| chip.sensors(kind.0));
        let alarm = |(_, sensor)| {
            let name = format!("{} {}", chip.title(), chip.label(root, sensor));
            chip.alarm(root, sensor).map(|alarm| (name, alarm))
        };
        all.filter_map(alarm).collect::<Vec<_>>()
    };
    let chips = chips(root).unwrap_or_default().into_iter().filter(|chip| chip.is_slow == slow);
    chips.flat_map(of_chip).collect()
}

/// Whether there are slow chips that may tell of alarms.
pub(crate) fn has_slow_alarms(root: &Root) -> bool {
    let has_some = |chip: &Chip| chip.is_slow && chip.files.iter().any(|file| file.ends_with("_alarm"));
    chips(root).unwrap_or_default().iter().any(has_some)
}

/// Whether there are slow chips that have sensors of this kind.
pub(crate) fn has_slow(root: &Root, kind: &Kind) -> bool {
    chips(root).unwrap_or_default().iter().any(|chip| chip.is_slow && !chip.sensors(kind.0).is_empty())
}

/// The readings of one kind of the slow chips.
pub(crate) fn slow_readings(root: &Root, kind: &Kind) -> Vec<Reading> {
    let chips = chips(root).unwrap_or_default();
    chips.iter().filter(|chip| chip.is_slow).flat_map(|chip| chip.readings(root, kind)).collect()
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
    /// To read it may take long.
    pub(crate) is_slow: bool,
    folder: String,
    /// The name of its device, which has its address on the bus, if it has one.
    device: Option<String>,
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
        let device = device_of(root, &path);
        // A battery's chip is that of its gauge.
        let of_device = device_of(root, &format!("{path}/device"));
        let is_slow = SLOW_CHIPS.contains(&name.as_str()) || device.iter().chain(&of_device).any(|name| is_i2c(name));
        Some(Chip { name, is_slow, folder, device, files: files.unwrap_or_default() })
    };
    Ok(folders.into_iter().filter_map(chip).collect())
}

impl Chip {
    /// What people are told of it: its name and its place.
    pub(crate) fn title(&self) -> String {
        format!("{} ({})", self.name, self.folder)
    }

    /// The readings of one kind, where the chip does not answer.
    pub(crate) fn unread(&self, root: &Root, kind: &Kind, why: &str) -> Vec<Reading> {
        let unread = |(_, sensor)| {
            let lack = Lack::new(format!("{HWMON}/{}/{sensor}", self.folder), Why::Failed(why.to_owned()));
            Reading { chip: self.title(), name: self.label(root, sensor), value: Known(Err(lack)), critical: None }
        };
        self.sensors(kind.0).into_iter().map(unread).collect()
    }

    /// The readings of one kind.
    pub(crate) fn readings<'a>(&'a self, root: &'a Root, kind: &'a Kind) -> impl Iterator<Item = Reading> + 'a {
        self.sensors(kind.0).into_iter().filter_map(move |(_, sensor)| self.reading(root, kind, sensor))
    }

    /// The sensors of this chip that have a value.
    fn meters(&self, root: &Root) -> Vec<Meter> {
        let folder = format!("{HWMON}/{}", self.folder);
        // The chip's number can be another after each start.
        let chip = self.device.as_ref().map_or_else(|| self.name.clone(), |device| format!("{}-{device}", self.name));
        let mut meters = Vec::new();
        for &(prefix, quantity, unit, per_unit) in OTHERS.iter().chain([&TEMPERATURE]) {
            for (_, sensor) in self.sensors(prefix) {
                let attribute = ["input", "average"].into_iter().find(|attribute| self.has(sensor, attribute));
                meters.extend(attribute.map(|attribute| Meter {
                    id: identifier(&format!("{chip}.{sensor}")),
                    label: format!("{} {}", self.name, self.label(root, sensor)),
                    quantity,
                    unit,
                    place: Place::Chip {
                        file: format!("{folder}/{sensor}_{attribute}"),
                        per_unit,
                        is_slow: self.is_slow,
                    },
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

    /// What `sensor` reads; nothing where its files hold no value.
    fn reading(&self, root: &Root, kind: &Kind, sensor: &str) -> Option<Reading> {
        let path = |attribute: &str| format!("{HWMON}/{}/{sensor}_{attribute}", self.folder);
        let number = |attribute: &str| root.decimal(&path(attribute)).map(|number| number / f64::from(kind.3));
        let attribute = ["input", "average"].into_iter().find(|attribute| self.has(sensor, attribute))?;
        Some(Reading {
            chip: self.title(),
            name: self.label(root, sensor),
            value: Known(number(attribute)),
            critical: if self.has(sensor, "crit") { number("crit").ok() } else { None },
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
