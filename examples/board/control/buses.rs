//! I2C devices: their tools.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use smol_mcp::{Call, ToolError, ToolResult, args, heapless};

use super::lines::by;
use super::{Control, confirm, find};
use crate::config::gpio::NAME_BYTES_MAX;
use crate::config::i2c::{Bus as Setup, Device, covers};
use crate::hardware::i2c::{BLOCK_BYTES_MAX, Bus as Taken, Probed};
use crate::hardware::{Fault, Hardware};

const _: () = assert!(NAME_BYTES_MAX == 32 && BLOCK_BYTES_MAX == 32, "the ranges below say so too");

args! {
    pub(crate) struct I2cScan {
        /// The bus' name, as `i2c_list` tells it.
        #[len(1..=32)]
        bus: heapless::String<NAME_BYTES_MAX>,
    }

    pub(crate) struct I2cRead {
        /// The device's name, as `i2c_list` tells it.
        #[len(1..=32)]
        device: heapless::String<NAME_BYTES_MAX>,
        /// The first register, from 0 to 255.
        register: u8,
        /// How many bytes, from this register on; 1 when absent.
        #[range(1..=32)]
        count: Option<u8>,
    }

    pub(crate) struct I2cWrite {
        /// The device's name, as `i2c_list` tells it.
        #[len(1..=32)]
        device: heapless::String<NAME_BYTES_MAX>,
        /// The first register, from 0 to 255.
        register: u8,
        /// The bytes for this register and those after it, each from 0 to 255.
        #[len(1..=32)]
        bytes: heapless::Vec<u8, BLOCK_BYTES_MAX>,
    }
}

/// A bus that may be used, opened at its first use.
pub(crate) struct Bus {
    setup: Setup,
    hardware: Rc<Hardware>,
    /// The kernel's, once it was had.
    pub(crate) taken: RefCell<Option<Rc<dyn Taken>>>,
    /// It was stuck, and is left alone until then.
    rests_until: Cell<Option<Instant>>,
}

/// A transfer that fails after so long has waited for a bus that is stuck, in which time nobody is served.
const STUCK_AFTER: Duration = Duration::from_millis(100);
/// How many times as long it is left alone then, so that most of the time is for others.
const RESTS_TIMES: u32 = 10;

impl Bus {
    /// A bus that is not opened yet.
    pub(crate) fn new(setup: Setup, hardware: &Rc<Hardware>) -> Self {
        for device in &setup.devices {
            hardware.put_device(&setup.id, device.address);
        }
        Self { setup, hardware: hardware.clone(), taken: RefCell::default(), rests_until: Cell::default() }
    }

    fn take(&self) -> Result<Rc<dyn Taken>, Fault> {
        if let Some(taken) = &*self.taken.borrow() {
            return Ok(taken.clone());
        }
        let taken = self.hardware.bus(&self.setup.id)?;
        *self.taken.borrow_mut() = Some(taken.clone());
        Ok(taken)
    }

    fn is_resting(&self) -> bool {
        self.rests_until.get().is_some_and(|until| until > Instant::now())
    }

    /// Does something on the bus, unless that was stuck a moment ago.
    fn transfer<T>(&self, work: impl FnOnce(&dyn Taken) -> Result<T, Fault>) -> Result<T, Fault> {
        let taken = self.take()?;
        if self.is_resting() {
            return Err("the bus was stuck a moment ago, and is left alone for some seconds".to_owned());
        }
        let begun = Instant::now();
        let done = work(&*taken);
        let took = begun.elapsed();
        if done.is_err() && took >= STUCK_AFTER {
            self.rests_until.set(Some(Instant::now() + took * RESTS_TIMES));
        }
        done
    }
}

impl Control {
    fn device(&self, call: &Call<'_>, name: &str) -> Result<(&Bus, &Device), ToolError> {
        let devices = self.buses.iter().flat_map(|bus| &bus.setup.devices);
        let device = find(devices, "I2C device", name, call.principal(), |device| (&device.name, &device.who))?;
        let bus = self.buses.iter().find(|bus| bus.setup.devices.iter().any(|own| own.name == name));
        Ok((bus.ok_or("no such bus")?, device))
    }

    /// `i2c_list`
    pub(crate) async fn i2c_list(&self, call: &mut Call<'_>) -> ToolResult {
        let principal = call.principal().clone();
        let mine = |device: &&Device| device.who.check(&principal).is_ok();
        for bus in self.buses.iter().filter(|bus| bus.setup.who.check(&principal).is_ok()) {
            let scanned = !bus.setup.scan.is_empty();
            if !scanned && !bus.setup.devices.iter().any(|device| mine(&device)) {
                continue;
            }
            call.print(format_args!("bus {}{}\n", bus.setup.name, if scanned { ", may be scanned" } else { "" })).await;
            for device in bus.setup.devices.iter().filter(mine) {
                let Device { name, about, address, read, write, .. } = device;
                let about = about.as_ref().map_or(String::new(), |about| format!(" ({about})"));
                let (read, write) = (shown(read), shown(write));
                let confirmed = if device.who.confirm { " (the user is asked first)" } else { "" };
                call.print(format_args!("  {name}{about} at {address:#04x}: read {read}; write {write}{confirmed}\n"))
                    .await;
            }
        }
        call.done().await
    }

    /// `i2c_scan`
    pub(crate) async fn i2c_scan(&self, call: &mut Call<'_>, args: I2cScan) -> ToolResult {
        let bus =
            find(self.buses.iter(), "I2C bus", &args.bus, call.principal(), |bus| (&bus.setup.name, &bus.setup.who))?;
        if bus.setup.scan.is_empty() {
            return Err(format!("the configuration does not allow the bus {} to be scanned", args.bus).into());
        }
        confirm(call, &bus.setup.who, format_args!("Scan {} at {}?", args.bus, shown(&bus.setup.scan))).await?;
        bus.take()?;
        let mut found = Vec::new();
        let addresses = bus.setup.scan.iter().flat_map(Clone::clone);
        let addresses: BTreeSet<u8> = addresses.filter_map(|address| u8::try_from(address).ok()).collect();
        for address in addresses {
            // What goes wrong at one address says nothing of the others.
            match bus.transfer(|bus| bus.probe(address)) {
                Ok(Probed::Answers) => found.push(format!("{address:#04x}")),
                Ok(Probed::InUse) => found.push(format!("{address:#04x} (a driver of the kernel has it)")),
                Ok(Probed::Silent) => {}
                Err(fault) => found.push(format!("{address:#04x} (unknown: {fault})")),
            }
            if bus.is_resting() {
                found.push("the others were not asked".to_owned());
                break;
            }
            // A transfer is short, and others are not to wait for all of them.
            smol::future::yield_now().await;
        }
        let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
        call.reply(format_args!("Devices on {} at {}: {found}", args.bus, shown(&bus.setup.scan))).await
    }

    /// `i2c_read`
    pub(crate) async fn i2c_read(&self, call: &mut Call<'_>, args: I2cRead) -> ToolResult {
        let (bus, device) = self.device(call, &args.device)?;
        let count = args.count.unwrap_or(1);
        check(&device.read, "read", args.register, count.into(), &device.name)?;
        let bytes = bus.transfer(|bus| read(bus, device, args.register, count))?;
        if bytes.len() != usize::from(count) {
            return Err(format!("{} gave {} bytes instead of {count}", args.device, bytes.len()).into());
        }
        for (register, byte) in (u16::from(args.register)..).zip(bytes) {
            call.print(format_args!("{register:#04x}: {byte:#04x} ({byte})\n")).await;
        }
        call.done().await
    }

    /// `i2c_write`
    pub(crate) async fn i2c_write(&self, call: &mut Call<'_>, args: I2cWrite) -> ToolResult {
        let (bus, device) = self.device(call, &args.device)?;
        check(&device.write, "write", args.register, args.bytes.len(), &device.name)?;
        let bytes: Vec<String> = args.bytes.iter().map(|byte| format!("{byte:#04x}")).collect();
        let what = format!("{} to {} from register {:#04x} on", bytes.join(" "), args.device, args.register);
        confirm(call, &device.who, format_args!("Write {what}?")).await?;
        bus.transfer(|bus| write(bus, device, args.register, &args.bytes))?;
        log::info!("I2C: wrote {what}, asked by {}", by(call));
        call.reply(format_args!("wrote {what}")).await
    }
}

/// Reads registers, each by a transfer of its own unless the device goes from one to the next as the configuration says.
fn read(bus: &dyn Taken, device: &Device, first: u8, count: u8) -> Result<Vec<u8>, Fault> {
    if device.block {
        return bus.read(device.address, first, count);
    }
    let mut bytes = Vec::with_capacity(count.into());
    for register in (first..=u8::MAX).take(count.into()) {
        bytes.extend(bus.read(device.address, register, 1)?);
    }
    Ok(bytes)
}

/// Writes registers in the same way.
fn write(bus: &dyn Taken, device: &Device, first: u8, bytes: &[u8]) -> Result<(), Fault> {
    if device.block {
        return bus.write(device.address, first, bytes);
    }
    for (done, (register, byte)) in (first..=u8::MAX).zip(bytes).enumerate() {
        bus.write(device.address, register, &[*byte])
            .map_err(|fault| format!("{fault}; {done} of {} bytes were written", bytes.len()))?;
    }
    Ok(())
}

fn check(
    allowed: &[std::ops::RangeInclusive<u64>],
    to: &str,
    first: u8,
    count: usize,
    name: &str,
) -> Result<(), ToolError> {
    let last = u64::from(first) + count.saturating_sub(1) as u64;
    if covers(allowed, first.into()..=last) {
        return Ok(());
    }
    let (first, allowed) = (u64::from(first), shown(allowed));
    let wanted = shown(&[first..=last]);
    Err(format!("the configuration does not allow to {to} {wanted} of {name}; it allows {allowed}").into())
}

/// `0x08-0x77, 0x79`
fn shown(ranges: &[std::ops::RangeInclusive<u64>]) -> String {
    let one = |range: &std::ops::RangeInclusive<u64>| match (range.start(), range.end()) {
        (first, last) if first == last => format!("{first:#04x}"),
        (first, last) => format!("{first:#04x}-{last:#04x}"),
    };
    if ranges.is_empty() { "nothing".to_owned() } else { ranges.iter().map(one).collect::<Vec<_>>().join(", ") }
}
