//! I2C devices, by the kernel's `/dev/i2c-N`, with the transfers of `SMBus`: every adapter has them.

use std::io;
use std::path::PathBuf;

use i2cdev::core::I2CDevice;
use i2cdev::linux::{LinuxI2CDevice, LinuxI2CError};

use super::Fault;

/// The most bytes of one transfer (the kernel's `I2C_SMBUS_BLOCK_MAX`).
pub(crate) const BLOCK_BYTES_MAX: usize = 32;

/// A bus with devices.
pub(crate) trait Bus {
    /// Whether a device answers at an address.
    ///
    /// # Errors
    /// The bus itself does not work.
    fn probe(&self, address: u8) -> Result<Probed, Fault>;

    /// Reads so many bytes, from this register on; at most [`BLOCK_BYTES_MAX`].
    ///
    /// # Errors
    /// The device does not answer.
    fn read(&self, address: u8, register: u8, count: u8) -> Result<Vec<u8>, Fault>;

    /// Writes these bytes, from this register on; at most [`BLOCK_BYTES_MAX`].
    ///
    /// # Errors
    /// The device does not answer.
    fn write(&self, address: u8, register: u8, bytes: &[u8]) -> Result<(), Fault>;
}

/// What is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probed {
    /// A device answered.
    Answers,
    /// None did.
    Silent,
    /// A driver of the kernel has it.
    InUse,
}

/// A bus of the kernel's.
pub(crate) struct Adapter {
    path: PathBuf,
}

impl Adapter {
    /// The bus of this number.
    ///
    /// # Errors
    /// There is none, or it may not be used.
    pub(crate) fn open(number: u8) -> Result<Self, Fault> {
        let path = PathBuf::from(format!("/dev/i2c-{number}"));
        match std::fs::File::options().read(true).write(true).open(&path) {
            Ok(_) => Ok(Self { path }),
            Err(error) => Err(format!("{}: {}", path.display(), told(&error))),
        }
    }

    fn device(&self, address: u8) -> io::Result<LinuxI2CDevice> {
        LinuxI2CDevice::new(&self.path, address.into()).map_err(LinuxI2CError::into)
    }
}

impl Bus for Adapter {
    fn probe(&self, address: u8) -> Result<Probed, Fault> {
        let mut device = match self.device(address) {
            Ok(device) => device,
            Err(error) if error.raw_os_error() == Some(EBUSY) => return Ok(Probed::InUse),
            Err(error) => return Err(told(&error)),
        };
        // As i2cdetect does it: an EEPROM could take a write for one, and some sensors hang by a read.
        let is_memory = matches!(address, 0x30..=0x37 | 0x50..=0x5f);
        let read = |device: &mut LinuxI2CDevice| device.smbus_read_byte().map(drop).map_err(io::Error::from);
        let probed =
            if is_memory { read(&mut device) } else { device.smbus_write_quick(false).map_err(io::Error::from) };
        let probed = match probed {
            // Some adapters can't do that.
            Err(error) if error.raw_os_error() == Some(EOPNOTSUPP) => read(&mut device),
            probed => probed,
        };
        match probed {
            Ok(()) => Ok(Probed::Answers),
            Err(error) if NO_ANSWER.contains(&error.raw_os_error().unwrap_or_default()) => Ok(Probed::Silent),
            Err(error) => Err(told(&error)),
        }
    }

    fn read(&self, address: u8, register: u8, count: u8) -> Result<Vec<u8>, Fault> {
        let mut device = self.device(address).map_err(|error| told(&error))?;
        let read = match count {
            1 => device.smbus_read_byte_data(register).map(|byte| vec![byte]),
            count => device.smbus_read_i2c_block_data(register, count),
        };
        read.map_err(|error| told(&error.into()))
    }

    fn write(&self, address: u8, register: u8, bytes: &[u8]) -> Result<(), Fault> {
        let mut device = self.device(address).map_err(|error| told(&error))?;
        let written = match bytes {
            [byte] => device.smbus_write_byte_data(register, *byte),
            bytes => device.smbus_write_i2c_block_data(register, bytes),
        };
        written.map_err(|error| told(&error.into()))
    }
}

/// Numbers of the kernel's errors, the same on all of its architectures but MIPS, which no target of this crate is.
const EBUSY: i32 = 16;
const EACCES: i32 = 13;
const ETIMEDOUT: i32 = 110;
const EOPNOTSUPP: i32 = 95;
/// `EIO`, `ENXIO`, `ENODEV`, `EREMOTEIO`: what adapters say where nobody answers.
const NO_ANSWER: [i32; 4] = [5, 6, 19, 121];

fn told(error: &io::Error) -> Fault {
    match error.raw_os_error() {
        Some(EACCES) => "permission denied: run the server with the group that owns the bus, mostly `i2c`".to_owned(),
        Some(EBUSY) => "a driver of the kernel has this device".to_owned(),
        Some(ETIMEDOUT) => "the bus is stuck, or a device holds its clock for too long".to_owned(),
        Some(code) if NO_ANSWER.contains(&code) => "no device answers at this address".to_owned(),
        _ => error.to_string(),
    }
}
