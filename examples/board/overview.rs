//! The essentials of all reports in a few lines, so that a model need not call eight tools to say how a machine is doing.

use std::fmt;

use crate::sources::disks::{Disk, Disks, Space};
use crate::sources::host::Host;
use crate::sources::memory::Memory;
use crate::sources::network::Network;
use crate::sources::root::{Known, Lack, Root};
use crate::sources::temperatures::{Temperature, Temperatures};
use crate::sources::text::percent;
use crate::sources::{disks, host, memory, network};

/// Filesystems that are shown: the root and what is fullest.
const DISKS_SHOWN_MAX: usize = 3;

/// The essentials of a machine.
pub(crate) struct Overview {
    host: Host,
    memory: Known<Memory>,
    disks: Known<Disks>,
    temperatures: Known<Temperatures>,
    network: Known<Network>,
}

/// Reads the essentials; what the thermometers show is known already.
pub(crate) fn read(root: &Root, temperatures: Result<Temperatures, Lack>) -> Overview {
    Overview {
        host: host::read(root),
        memory: Known(memory::read(root)),
        disks: Known(disks::read(root)),
        temperatures: Known(temperatures),
        network: Known(network::read(root)),
    }
}

impl fmt::Display for Overview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Host { name, model, os, cpu, up_seconds, load, .. } = &self.host;
        writeln!(f, "Host name: {name}\nModel: {model}\nSystem: {os}\nCPU: {cpu}\nUp for: {up_seconds}")?;
        writeln!(f, "Load average: {load}")?;
        match &self.memory.0 {
            // The first line is what matters.
            Ok(memory) => writeln!(f, "{}", memory.to_string().lines().next().unwrap_or_default())?,
            Err(lack) => writeln!(f, "Memory: {lack}")?,
        }
        match &self.disks.0 {
            Ok(disks) => show_disks(f, disks)?,
            Err(lack) => writeln!(f, "Disks: {lack}")?,
        }
        match &self.temperatures.0 {
            Ok(temperatures) => show_temperatures(f, temperatures)?,
            Err(lack) => writeln!(f, "Temperature: {lack}")?,
        }
        match &self.network.0 {
            Ok(network) => show_addresses(f, network),
            Err(lack) => writeln!(f, "Network: {lack}"),
        }
    }
}

/// The fullest filesystems.
fn show_disks(f: &mut fmt::Formatter<'_>, disks: &Disks) -> fmt::Result {
    let mut fullest: Vec<&Disk> = disks.disks.iter().collect();
    // Stable: of those that do not tell, the first mounted come first, which is the root.
    fullest.sort_by_key(|disk| std::cmp::Reverse(share(disk)));
    for disk in fullest.iter().take(DISKS_SHOWN_MAX) {
        writeln!(f, "Disk {}: {}", disk.mounted_on, disk.space)?;
    }
    match fullest.len().saturating_sub(DISKS_SHOWN_MAX) {
        0 => Ok(()),
        more => writeln!(f, "Disks less full than these: {more}"),
    }
}

/// How full a filesystem is, in percent, where it tells.
fn share(disk: &Disk) -> u64 {
    match disk.space {
        Space::Filled { used_bytes, available_bytes, .. } => {
            percent(used_bytes.0, used_bytes.0.saturating_add(available_bytes.0))
        }
        Space::SizeOnly { .. } | Space::NotAsked => 0,
    }
}

/// The hottest of all thermometers, and a Raspberry Pi's word on throttling.
fn show_temperatures(f: &mut fmt::Formatter<'_>, all: &Temperatures) -> fmt::Result {
    let told = |temperature: &Temperature| Some((temperature.name.clone(), *temperature.celsius.value()?));
    let hottest = all.temperatures.iter().filter_map(told).max_by(|(_, a), (_, b)| a.total_cmp(b));
    match hottest {
        Some((name, celsius)) => writeln!(f, "Hottest temperature: {celsius:.1} °C, {name}")?,
        None => writeln!(f, "Hottest temperature: no thermometer tells one now")?,
    }
    all.throttling.iter().try_for_each(|throttling| writeln!(f, "{throttling}"))
}

/// The addresses by which others reach the machine.
fn show_addresses(f: &mut fmt::Formatter<'_>, network: &Network) -> fmt::Result {
    let far = |address: &&String| !["127.", "::1/", "fe80:"].iter().any(|near| address.starts_with(near));
    let mut any = false;
    for interface in &network.interfaces {
        for address in interface.addresses.iter().filter(far) {
            write!(f, "{}{} on {}", if any { ", " } else { "Addresses: " }, address, interface.name)?;
            any = true;
        }
    }
    if any { writeln!(f) } else { writeln!(f, "Addresses: none that other machines could reach") }
}
