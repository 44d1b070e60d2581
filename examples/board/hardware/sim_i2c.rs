//! A simulated I2C bus, whose devices have 256 registers of one byte each. At 0x50 to 0x57 these are small EEPROMs, as on real buses.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Fault;
use super::i2c::{Bus, Probed};

/// Registers of a device: as many as a byte can name.
const REGISTERS: usize = 256;
/// Where EEPROMs are, and how many bytes one takes at once: a write that goes beyond begins anew at the start of its page (24C02).
const EEPROMS: std::ops::RangeInclusive<u8> = 0x50..=0x57;
const PAGE: usize = 8;

/// A bus that is not there.
#[derive(Default)]
pub(crate) struct SimBus {
    devices: RefCell<BTreeMap<u8, [u8; REGISTERS]>>,
}

impl SimBus {
    /// Puts a device at an address, with registers that are all 0; one that is there stays.
    pub(crate) fn put(&self, address: u8) {
        self.devices.borrow_mut().entry(address).or_insert([0; REGISTERS]);
    }

    fn with<T>(&self, address: u8, work: impl FnOnce(&mut [u8; REGISTERS]) -> T) -> Result<T, Fault> {
        self.devices
            .borrow_mut()
            .get_mut(&address)
            .map(work)
            .ok_or_else(|| "no device answers at this address".to_owned())
    }
}

impl Bus for SimBus {
    fn probe(&self, address: u8) -> Result<Probed, Fault> {
        let is_there = self.devices.borrow().contains_key(&address);
        Ok(if is_there { Probed::Answers } else { Probed::Silent })
    }

    fn read(&self, address: u8, register: u8, count: u8) -> Result<Vec<u8>, Fault> {
        self.with(address, |registers| {
            registers.iter().cycle().skip(register.into()).take(count.into()).copied().collect()
        })
    }

    fn write(&self, address: u8, register: u8, bytes: &[u8]) -> Result<(), Fault> {
        // As most devices do, it goes on to the next register, and from the last to the first.
        let wraps_at = if EEPROMS.contains(&address) { PAGE } else { REGISTERS };
        let (start, first) = (usize::from(register) / wraps_at * wraps_at, usize::from(register) % wraps_at);
        self.with(address, |registers| {
            for (place, byte) in (first..).zip(bytes) {
                registers[start + place % wraps_at] = *byte;
            }
        })
    }
}
