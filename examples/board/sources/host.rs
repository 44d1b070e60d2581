//! What machine this is: its name, model, system, processor, and how long and how hard it has been running.

use std::fmt;

use serde::Serialize;

use super::cpu::{self, Cpu};
use super::root::{Known, LINE_BYTES_MAX, Lack, Root, Why, first_of};
use super::text::{Moment, Seconds, clean, value_of};

const MODEL: [&str; 2] = ["proc/device-tree/model", "sys/firmware/devicetree/base/model"];
const PRODUCT: &str = "sys/class/dmi/id/product_name";
const VENDOR: &str = "sys/class/dmi/id/sys_vendor";
const OS_RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];
const KERNEL: &str = "proc/sys/kernel/osrelease";
const ARCHITECTURE: &str = "proc/sys/kernel/arch";
const UPTIME: &str = "proc/uptime";
const LOAD: &str = "proc/loadavg";
const STAT: &str = "proc/stat";

/// What machine this is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Host {
    /// Its host name.
    pub(crate) name: Known<String>,
    /// The board or product, from the device tree or from DMI.
    pub(crate) model: Known<String>,
    /// The distribution and its version.
    pub(crate) os: Known<String>,
    /// The release of the Linux kernel.
    pub(crate) kernel: Known<String>,
    /// The kernel's architecture, as in `uname -m`.
    pub(crate) architecture: Known<String>,
    /// The processor.
    pub(crate) cpu: Cpu,
    /// Time since the machine started.
    pub(crate) up_seconds: Known<Seconds>,
    /// When it started, in seconds since 1970, by its own clock.
    pub(crate) booted_at: Known<Moment>,
    /// How many tasks wanted to run, on average.
    pub(crate) load: Known<Load>,
}

/// Load averages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Load {
    /// Over the last minute.
    pub(crate) one_minute: f64,
    /// Over five.
    pub(crate) five_minutes: f64,
    /// Over fifteen.
    pub(crate) fifteen_minutes: f64,
}

/// Reads what machine this is. What can't be told says so in its own field.
pub(crate) fn read(root: &Root) -> Host {
    let line = |path: &str| Known(root.line(path));
    let kernel = first_of([root.line(KERNEL), kernel_of_version(root)]);
    Host {
        name: Known(first_of([root.line("proc/sys/kernel/hostname"), root.line("etc/hostname")])),
        model: Known(first_of(MODEL.map(|path| root.line(path)).into_iter().chain([product(root)]))),
        os: Known(first_of(OS_RELEASE.map(|path| os(root, path)))),
        kernel: Known(kernel),
        architecture: live_architecture(root).unwrap_or_else(|| line(ARCHITECTURE)),
        cpu: cpu::read(root),
        up_seconds: Known(up_hundredths(root).map(|hundredths| Seconds(hundredths / 100))),
        booted_at: Known(booted_at(root)),
        load: Known(load(root)),
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Host name: {}", self.name)?;
        writeln!(f, "Model: {}", self.model)?;
        writeln!(f, "System: {}", self.os)?;
        writeln!(f, "Linux kernel: {}", self.kernel)?;
        writeln!(f, "Architecture: {}", self.architecture)?;
        writeln!(f, "CPU: {}", self.cpu)?;
        writeln!(f, "Up for: {}", self.up_seconds)?;
        writeln!(f, "Started at: {}", self.booted_at)?;
        write!(f, "Load average: {}", self.load)?;
        match (self.load.value(), self.cpu.cores.value()) {
            (Some(_), Some(cores)) => writeln!(f, "; {cores} would be all cores busy"),
            _ => writeln!(f),
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.2} (1 min), {:.2} (5 min), {:.2} (15 min)",
            self.one_minute, self.five_minutes, self.fifteen_minutes
        )
    }
}

/// Time since the start, in hundredths of a second (the kernel's resolution).
pub(crate) fn up_hundredths(root: &Root) -> Result<u64, Lack> {
    let text = root.line(UPTIME)?;
    let hundredths = || {
        let (seconds, rest) = text.split_ascii_whitespace().next()?.split_once('.')?;
        let (seconds, rest): (u64, u64) = (seconds.parse().ok()?, rest.get(..2)?.parse().ok()?);
        seconds.checked_mul(100)?.checked_add(rest)
    };
    hundredths().ok_or_else(|| Lack::unclear(UPTIME, "seconds with two decimals"))
}

/// Vendor and product of machines that have firmware tables instead of a device tree.
fn product(root: &Root) -> Result<String, Lack> {
    let product = root.line(PRODUCT)?;
    Ok(root.line(VENDOR).map_or_else(|_| product.clone(), |vendor| format!("{vendor} {product}")))
}

fn os(root: &Root, path: &str) -> Result<String, Lack> {
    let text = root.text(path)?;
    let name = ["PRETTY_NAME", "NAME"].into_iter().find_map(|key| value_of(&text, key, '='));
    let name = name.map(|name| clean(name.trim_matches(['"', '\'']), LINE_BYTES_MAX)).filter(|name| !name.is_empty());
    name.ok_or_else(|| Lack::unclear(path, "PRETTY_NAME"))
}

/// The release out of `Linux version 6.6.31 (builder@host) ...`.
fn kernel_of_version(root: &Root) -> Result<String, Lack> {
    let path = "proc/version";
    let version = root.line(path)?;
    version.split_ascii_whitespace().nth(2).map(str::to_owned).ok_or_else(|| Lack::unclear(path, "a version"))
}

/// The running kernel's own word, which kernels before 6.1 do not give in a file.
fn live_architecture(root: &Root) -> Option<Known<String>> {
    if !root.is_live() {
        return None;
    }
    let machine = rustix::system::uname().machine().to_string_lossy().into_owned();
    Some(Known(Ok(clean(&machine, LINE_BYTES_MAX))))
}

fn booted_at(root: &Root) -> Result<Moment, Lack> {
    let text = root.text(STAT)?;
    let seconds = value_of(&text, "btime", ' ').and_then(|value| value.parse().ok());
    seconds.map(Moment).ok_or_else(|| Lack::unclear(STAT, "btime"))
}

fn load(root: &Root) -> Result<Load, Lack> {
    let text = root.line(LOAD)?;
    let mut numbers =
        text.split_ascii_whitespace().map_while(|word| word.parse().ok().filter(|number: &f64| number.is_finite()));
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(one_minute), Some(five_minutes), Some(fifteen_minutes)) => {
            Ok(Load { one_minute, five_minutes, fifteen_minutes })
        }
        _ => Err(Lack::new(LOAD, Why::Unclear("three numbers"))),
    }
}
