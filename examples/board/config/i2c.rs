//! `[i2c.NAME]`: an I2C bus, and the devices on it that may be read and written.

use std::ops::RangeInclusive;

use super::gpio::{about, check_name};
use super::table::Table;
use super::{Place, Who};

/// The addresses of 7 bits that are not reserved (I2C-bus specification, 3.1.12).
const ADDRESSES: RangeInclusive<u64> = 0x08..=0x77;
/// Registers: one byte, as `SMBus` has it.
const REGISTERS: RangeInclusive<u64> = 0x00..=0xff;
/// Buses that the kernel counts; more than any board has.
const BUSES_MAX: u64 = 255;
/// Ranges in one list: a device has few groups of registers.
const RANGES_MAX: usize = 32;

/// A bus that may be used.
#[derive(Debug, Clone)]
pub(crate) struct Bus {
    /// What tools call it.
    pub(crate) name: String,
    /// Its number (`/dev/i2c-1`), or one that is simulated.
    pub(crate) id: BusId,
    /// The addresses that may be probed. None: it is not scanned.
    pub(crate) scan: Vec<RangeInclusive<u64>>,
    /// Who may scan it, and use its devices where these let them in as well.
    pub(crate) who: Who,
    /// The devices that may be used.
    pub(crate) devices: Vec<Device>,
    /// Where the file names it.
    pub(crate) place: Place,
}

/// Which bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BusId {
    /// `/dev/i2c-N`.
    Number(u8),
    /// A simulated one.
    Simulated(String),
}

/// A device that may be used.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    /// What tools call it.
    pub(crate) name: String,
    /// What it is, for the model.
    pub(crate) about: Option<String>,
    /// Its address, of 7 bits.
    pub(crate) address: u8,
    /// The registers that may be read.
    pub(crate) read: Vec<RangeInclusive<u64>>,
    /// The registers that may be written.
    pub(crate) write: Vec<RangeInclusive<u64>>,
    /// Several registers are read or written in one transfer, at which the device goes on from one to the next by itself. Where it does so otherwise,
    /// that reaches other registers than those that may be.
    pub(crate) block: bool,
    /// Who may use it.
    pub(crate) who: Who,
    /// Where the file names it.
    pub(crate) place: Place,
}

impl Bus {
    /// Reads one entry.
    pub(crate) fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        check_name(name, table);
        table.needs(&[("bus", "the number of the bus: 1 is /dev/i2c-1")]);
        let id = table.number_or_text("bus", 0..=BUSES_MAX).and_then(|id| match id {
            Ok(number) => Some(BusId::Number(u8::try_from(number).ok()?)),
            Err(name) if super::gpio::is_simulated(&name) => Some(BusId::Simulated(name)),
            Err(_) => {
                table.problem(
                    "bus",
                    "expected the number of a bus, such as 1 for /dev/i2c-1, or \"sim\" for a simulated one",
                );
                None
            }
        });
        let scan = table.ranges("scan", ADDRESSES, RANGES_MAX).unwrap_or_default();
        let who = Who::read(table);
        let mut devices = table.entries("device", Device::read);
        if who.confirm && scan.is_empty() && devices.iter().all(|device| device.write.is_empty()) {
            table.problem(
                "confirm",
                "nothing is scanned and nothing written here, so that nobody would be asked: leave it out",
            );
        }
        for device in &mut devices {
            device.who = std::mem::take(&mut device.who).within(&who);
        }
        Some(Self { name: name.to_owned(), id: id?, scan, who, devices, place: table.place() })
    }

    /// Says where two entries have the same name, bus or address.
    pub(crate) fn check_all(buses: &[Self], table: &Table<'_>) {
        let devices: Vec<&Device> = buses.iter().flat_map(|bus| &bus.devices).collect();
        for (at, device) in devices.iter().enumerate() {
            if devices.iter().take(at).any(|other| other.name == device.name) {
                table.problem_at(
                    device.place,
                    &format!("a device is called {:?} already: tools call each by its name alone", device.name),
                );
            }
        }
        for (at, bus) in buses.iter().enumerate() {
            if let Some(first) = buses.iter().take(at).find(|other| other.id == bus.id) {
                table.problem_at(
                    bus.place,
                    &format!("[i2c.{}]: this is the bus that [i2c.{}] has already", bus.name, first.name),
                );
            }
            for (at, device) in bus.devices.iter().enumerate() {
                if let Some(first) = bus.devices.iter().take(at).find(|other| other.address == device.address) {
                    let what =
                        format!("{}: {} has the address {:#04x} already", device.name, first.name, device.address);
                    table.problem_at(device.place, &what);
                }
            }
        }
    }
}

impl Device {
    fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        check_name(name, table);
        table.needs(&[("address", "the device's address of 7 bits, such as 0x48")]);
        let address = table.number("address", ADDRESSES, "");
        let about = about(table);
        let read = table.ranges("read", REGISTERS, RANGES_MAX).unwrap_or_else(|| vec![REGISTERS]);
        let write = table.ranges("write", REGISTERS, RANGES_MAX).unwrap_or_default();
        let block = table.flag("block").unwrap_or(false);
        let who = Who::read(table);
        if who.confirm && write.is_empty() {
            table.problem("confirm", "nothing may be written here, so that nobody would be asked: leave it out");
        }
        let address = u8::try_from(address?).ok()?;
        Some(Self { name: name.to_owned(), about, address, read, write, block, who, place: table.place() })
    }
}

/// Whether all numbers from the first to the last are in the ranges, be it in several.
pub(crate) fn covers(ranges: &[RangeInclusive<u64>], wanted: RangeInclusive<u64>) -> bool {
    wanted.into_iter().all(|number| ranges.iter().any(|range| range.contains(&number)))
}
