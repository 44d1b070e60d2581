//! All that measures, as one kind of thing: thermal zones, monitoring chips, Industrial I/O, 1-wire. To list them reads no sensor; each is
//! read by itself, and some take their time.

use super::root::{Lack, Root};
use super::{iio, onewire, sensors, temperatures};

/// Sensors that are offered at once: a board has about ten, a rack of converters some dozens.
pub(crate) const METERS_MAX: usize = 128;
/// Sensors that are looked at for those that the configuration names: what comes behind them is on no board.
const LISTED_MAX: usize = 1024;
/// The longest name of a sensor, in bytes: a chip's, a bus address, and a channel's.
pub(crate) const ID_BYTES_MAX: usize = 64;

/// A sensor of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meter {
    /// What it is asked by: made of the chip's name and its address on the bus, so that it stays the same over restarts. At most
    /// [`ID_BYTES_MAX`] of the characters `A-Za-z0-9_.-`.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) label: String,
    /// What it measures.
    pub(crate) quantity: &'static str,
    /// The unit of its value; empty for a bare number.
    pub(crate) unit: &'static str,
    /// Where it is read.
    pub(crate) place: Place,
}

/// Where a sensor is read: paths below the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The file of a thermal zone, in thousandths of a degree.
    Zone {
        /// The file.
        file: String,
    },
    /// The file of a monitoring chip, of which `per_unit` make one of the sensor's unit.
    Chip {
        /// The file.
        file: String,
        /// 1, a thousand or a million.
        per_unit: u32,
        /// The chip must be asked by a slow bus, or wakes something up.
        is_slow: bool,
    },
    /// A channel of Industrial I/O.
    Iio {
        /// The device's folder.
        device: String,
        /// The channel's name, without `in_`.
        channel: String,
    },
    /// A thermometer on a 1-wire bus.
    OneWire {
        /// The device's folder.
        device: String,
    },
}

/// All sensors of this machine, each with an id of its own; at most [`LISTED_MAX`].
pub(crate) fn list(root: &Root) -> Vec<Meter> {
    let mut meters = temperatures::meters(root);
    meters.extend(sensors::meters(root));
    meters.extend(iio::meters(root));
    meters.extend(onewire::meters(root));
    meters.truncate(LISTED_MAX);
    for at in 1..meters.len() {
        // Two chips of one kind, of which the kernel does not tell on which bus they are.
        let plain = meters[at].id.clone();
        let is_taken = |id: &str| meters[..at].iter().any(|other| other.id == id);
        let mut names = (2..).map(|number| format!("{plain}_{number}"));
        if let (true, Some(id)) = (is_taken(&plain), names.find(|id| !is_taken(id))) {
            meters[at].id = id;
        }
    }
    meters
}

impl Meter {
    /// What it measures now.
    pub(crate) fn read(&self, root: &Root) -> Result<f64, Lack> {
        match &self.place {
            Place::Zone { file } => temperatures::zone_celsius(root, file),
            Place::Chip { file, per_unit, .. } => root.decimal(file).map(|value| value / f64::from(*per_unit)),
            Place::Iio { device, channel } => iio::read(root, device, channel),
            Place::OneWire { device } => onewire::read(root, device),
        }
    }

    /// Whether the kernel may hold its reader for long: as long as a conversion takes.
    pub(crate) const fn is_slow(&self) -> bool {
        matches!(self.place, Place::Iio { .. } | Place::OneWire { .. } | Place::Chip { is_slow: true, .. })
    }

    /// Where it is read, below the root.
    pub(crate) fn path(&self) -> &str {
        match &self.place {
            Place::Zone { file } | Place::Chip { file, .. } => file,
            Place::Iio { device, .. } | Place::OneWire { device } => device,
        }
    }

    /// How many digits behind the point say something.
    pub(crate) fn decimals(&self) -> usize {
        sensors::decimals(self.unit)
    }
}

/// A text as an id: other characters become `_`, and what is too long is cut.
pub(crate) fn identifier(text: &str) -> String {
    let fit = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-') { letter } else { '_' }
    };
    // Room for the number of one that is not alone with it.
    text.chars().map(fit).take(ID_BYTES_MAX - 4).collect()
}
