//! The processor: what it is, how many cores are at work, how fast they run. From `/proc/cpuinfo` and `/sys/devices/system/cpu`.

use std::fmt;

use serde::Serialize;

use super::root::{Known, LINE_BYTES_MAX, Lack, Root};
use super::text::{clean, value_of, values_of};

const CPUINFO: &str = "proc/cpuinfo";
const CORES_ONLINE: &str = "sys/devices/system/cpu/online";
/// The clock of the first core stands for all: boards scale their cores together.
const CPUFREQ: &str = "sys/devices/system/cpu/cpu0/cpufreq";

/// The processor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Cpu {
    /// Its name, as in `Cortex-A72`; of a mixed cluster all names.
    pub(crate) model: Known<String>,
    /// Cores online.
    pub(crate) cores: Known<usize>,
    /// Its clock, where the machine tells it.
    pub(crate) clock: Option<Clock>,
}

/// The clock of the first core, in MHz.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Clock {
    /// Now.
    pub(crate) now_mhz: u32,
    /// The slowest and the fastest it can be set to, where it can.
    pub(crate) range_mhz: Option<[u32; 2]>,
    /// What sets it, such as `ondemand`.
    pub(crate) governor: Option<String>,
}

/// Reads what the processor is.
pub(crate) fn read(root: &Root) -> Cpu {
    let info = root.text(CPUINFO);
    let model = info
        .as_deref()
        .map_err(Lack::clone)
        .and_then(|text| model(text).ok_or_else(|| Lack::unclear(CPUINFO, "a model")));
    Cpu {
        model: Known(model),
        cores: Known(cores(root, info.as_deref())),
        clock: clock(root, info.as_deref().unwrap_or_default()),
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cores.value() {
            Some(1) => write!(f, "{}, 1 core", self.model)?,
            Some(cores) => write!(f, "{}, {cores} cores", self.model)?,
            None => write!(f, "{}, number of cores {}", self.model, self.cores)?,
        }
        let Some(clock) = &self.clock else { return Ok(()) };
        write!(f, ", {} MHz now", clock.now_mhz)?;
        if let Some([low, high]) = clock.range_mhz {
            write!(f, " (of {low} to {high} MHz)")?;
        }
        clock.governor.iter().try_for_each(|governor| write!(f, ", governor {governor}"))
    }
}

/// The model out of `cpuinfo`, which every architecture words in its own way.
fn model(text: &str) -> Option<String> {
    let mut arm: Vec<&str> = values_of(text, "CPU part", ':').filter_map(arm_name).collect();
    arm.dedup();
    if !arm.is_empty() {
        return Some(arm.join(" + "));
    }
    let keys = ["model name", "cpu model", "uarch", "Processor", "cpu", "isa"];
    let named = keys.into_iter().find_map(|key| value_of(text, key, ':').filter(|value| !value.is_empty()));
    named.map(|name| clean(name, LINE_BYTES_MAX))
}

/// Names of the parts designed by ARM that boards are built with (ARM's MIDR register, bits 15 to 4).
fn arm_name(part: &str) -> Option<&'static str> {
    let name = match part {
        "0xb76" => "ARM1176",
        "0xc05" => "Cortex-A5",
        "0xc07" => "Cortex-A7",
        "0xc08" => "Cortex-A8",
        "0xc09" => "Cortex-A9",
        "0xc0f" => "Cortex-A15",
        "0xd03" => "Cortex-A53",
        "0xd04" => "Cortex-A35",
        "0xd05" => "Cortex-A55",
        "0xd07" => "Cortex-A57",
        "0xd08" => "Cortex-A72",
        "0xd09" => "Cortex-A73",
        "0xd0a" => "Cortex-A75",
        "0xd0b" => "Cortex-A76",
        "0xd0c" => "Neoverse-N1",
        "0xd41" => "Cortex-A78",
        _ => return None,
    };
    Some(name)
}

/// Cores online: the kernel's list of them, else the entries of `cpuinfo`.
fn cores(root: &Root, info: Result<&str, &Lack>) -> Result<usize, Lack> {
    let listed = root.line(CORES_ONLINE).ok().and_then(|list| count_in_ranges(&list));
    if let Some(cores) = listed {
        return Ok(cores);
    }
    let counted = info.map_err(Lack::clone)?.lines().filter(|line| line.starts_with("processor")).count();
    if counted == 0 { Err(Lack::unclear(CPUINFO, "a line for each processor")) } else { Ok(counted) }
}

/// How many numbers a list such as `0-2,4` stands for.
fn count_in_ranges(list: &str) -> Option<usize> {
    let mut count = 0_usize;
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count = count.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    Some(count)
}

fn clock(root: &Root, info: &str) -> Option<Clock> {
    let mhz = |name: &str| root.number::<u32>(&format!("{CPUFREQ}/{name}")).map(|khz| khz / 1000).ok();
    let told = || value_of(info, "cpu MHz", ':')?.split('.').next()?.parse().ok();
    let now_mhz = mhz("scaling_cur_freq").or_else(told)?;
    let range_mhz = mhz("cpuinfo_min_freq").zip(mhz("cpuinfo_max_freq")).map(|(low, high)| [low, high]);
    let governor = root.line(&format!("{CPUFREQ}/scaling_governor")).ok();
    Some(Clock { now_mhz, range_mhz, governor })
}
