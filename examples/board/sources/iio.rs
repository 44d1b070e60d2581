//! Channels of the Industrial I/O subsystem, `/sys/bus/iio/devices/iio:device*` (the kernel's `ABI/testing/sysfs-bus-iio`): converters,
//! and sensors of climate, light, motion and gas.
//!
//! A driver gives either what is measured (`in_temp_input`) or a raw number, which becomes it by `(raw + offset) * scale`. To read one can
//! take as long as a conversion: some ms, a second for a DHT11.

use super::meters::{Meter, Place, identifier};
use super::root::{Lack, Root};

const DEVICES: &str = "sys/bus/iio/devices";
/// Devices looked at: more than the buses of a board take.
pub(crate) const DEVICES_MAX: usize = 32;
/// Files looked at in one device: the widest converters have 32 channels, of about four files each.
pub(crate) const FILES_MAX: usize = 256;

/// What kinds of channels there are: the word that their names begin with, what is measured, its unit, and how many of the ABI's units
/// make one of it.
const KINDS: [(&str, &str, &str, f64); 24] = [
    ("temp", "temperature", "°C", 1e3),
    ("humidityrelative", "humidity", "%", 1e3),
    ("pressure", "pressure", "kPa", 1.0),
    ("voltage", "voltage", "V", 1e3),
    ("current", "current", "A", 1e3),
    ("power", "power", "W", 1e3),
    ("energy", "energy", "J", 1.0),
    ("resistance", "resistance", "Ω", 1.0),
    ("capacitance", "capacitance", "nF", 1.0),
    ("illuminance", "illuminance", "lx", 1.0),
    ("intensity", "light intensity", "", 1.0),
    ("uvindex", "UV index", "", 1.0),
    ("proximity", "proximity", "", 1.0),
    ("distance", "distance", "m", 1.0),
    ("concentration", "concentration", "%", 1.0),
    ("massconcentration", "mass concentration", "µg/m³", 1.0),
    ("electricalconductivity", "conductivity", "S/m", 1.0),
    ("ph", "pH", "", 1.0),
    ("accel", "acceleration", "m/s²", 1.0),
    ("gravity", "gravity", "m/s²", 1.0),
    ("anglvel", "angular velocity", "rad/s", 1.0),
    ("magn", "magnetic field", "G", 1.0),
    ("incli", "inclination", "°", 1.0),
    ("velocity", "velocity", "m/s", 1.0),
];

/// The channels of all devices whose kind is known.
pub(crate) fn meters(root: &Root) -> Vec<Meter> {
    let is_device = |name: &str| name.starts_with("iio:device");
    let devices = root.names(DEVICES, DEVICES_MAX, is_device).map(|names| names.list).unwrap_or_default();
    devices.iter().flat_map(|device| of_device(root, device)).collect()
}

/// The value of a channel, such as `voltage0`, in the unit of its kind.
pub(crate) fn read(root: &Root, device: &str, channel: &str) -> Result<f64, Lack> {
    let per_unit = kind_of(channel).map_or(1.0, |(.., per_unit)| *per_unit);
    let file = |name: &str, what: &str| format!("{device}/in_{name}_{what}");
    let input = file(channel, "input");
    if root.has(&input) {
        return root.decimal(&input).map(|value| value / per_unit);
    }
    let raw = root.decimal(&file(channel, "raw"))?;
    let shared = |what: &str| {
        let path =
            sharers(channel, what).into_iter().map(|name| format!("{device}/{name}")).find(|path| root.has(path));
        path.map(|path| root.decimal(&path)).transpose()
    };
    let value = match shared("scale")? {
        Some(scale) => (raw + shared("offset")?.unwrap_or(0.0)) * scale / per_unit,
        None => raw,
    };
    // Each of them is finite, and what they make need not be.
    if value.is_finite() { Ok(value) } else { Err(Lack::unclear(&file(channel, "raw"), "a value that can be")) }
}

/// The files that may hold what belongs to a channel: its own, that of its kind, that of all inputs, and that of all the device (the kernel's
/// `IIO_SEPARATE`, `IIO_SHARED_BY_TYPE`, `_DIR` and `_ALL`).
fn sharers(channel: &str, what: &str) -> [String; 4] {
    [
        format!("in_{channel}_{what}"),
        format!("in_{}_{what}", shared_name(channel)),
        format!("in_{what}"),
        what.to_owned(),
    ]
}

fn of_device(root: &Root, device: &str) -> Vec<Meter> {
    let path = format!("{DEVICES}/{device}");
    let name = root.line(&format!("{path}/name")).unwrap_or_else(|_| "unnamed".to_owned());
    // The folder is a link into that of the bus's device, whose name has its address and stays over restarts.
    let parent = root.link(&path).and_then(|target| Some(target.parent()?.file_name()?.to_str()?.to_owned()));
    let chip = parent.as_ref().map_or_else(|| name.clone(), |parent| format!("{name}-{parent}"));
    let files = root.names(&path, FILES_MAX, |file| file.starts_with("in_") || file == "scale").map(|names| names.list);
    let files = files.unwrap_or_default();
    let mut channels: Vec<&str> = files.iter().filter_map(|file| channel_of(file)).collect();
    channels.sort_unstable();
    channels.dedup();
    let meter = |channel: &str| {
        let (_, quantity, unit, _) = kind_of(channel)?;
        let has = |name: &String| files.contains(name);
        let is_scaled = has(&format!("in_{channel}_input")) || sharers(channel, "scale").iter().any(has);
        let label = root.line(&format!("{path}/in_{channel}_label")).unwrap_or_else(|_| channel.to_owned());
        Some(Meter {
            id: identifier(&format!("{chip}.{channel}")),
            label: format!("{name} {label}"),
            quantity,
            unit: if is_scaled { unit } else { "" },
            place: Place::Iio { device: path.clone(), channel: channel.to_owned() },
        })
    };
    channels.into_iter().filter_map(meter).collect()
}

/// The channel to which a file of values belongs.
fn channel_of(file: &str) -> Option<&str> {
    let rest = file.strip_prefix("in_")?;
    rest.strip_suffix("_input").or_else(|| rest.strip_suffix("_raw"))
}

/// The kind of a channel: the letters with which it begins.
fn kind_of(channel: &str) -> Option<&'static (&'static str, &'static str, &'static str, f64)> {
    let word = channel.split(|letter: char| !letter.is_ascii_lowercase()).next()?;
    KINDS.iter().find(|(name, ..)| *name == word)
}

/// The name under which channels of a kind share their scale: `voltage` of `voltage0`, `voltage-voltage` of `voltage0-voltage1`, `accel`
/// of `accel_x`.
fn shared_name(channel: &str) -> String {
    let stem = channel.split('_').next().unwrap_or_default();
    stem.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}
