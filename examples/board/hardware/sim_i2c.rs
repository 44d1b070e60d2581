//! A simulated I2C bus, whose devices have 256 registers of one byte each.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Fault;
use super::i2c::{Bus, Probed};

/// Registers of a device: as many as a byte can name.
const REGISTERS: usize = 256;

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
        self.with(address, |registers| {
            for (place, byte) in (usize::from(register)..).zip(bytes) {
                registers[place % REGISTERS] = *byte;
            }
        })
    }
}
