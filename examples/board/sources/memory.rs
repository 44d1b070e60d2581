//! Memory and swap, from `/proc/meminfo`.

use std::fmt;

use serde::Serialize;

use super::root::{Lack, Root};
use super::text::{Bytes, percent, value_of};

const MEMINFO: &str = "proc/meminfo";

/// How memory is used.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the fields' names are those of the JSON, where the unit belongs to them"
)]
pub(crate) struct Memory {
    /// What the kernel manages.
    pub(crate) total_bytes: Bytes,
    /// What programs could still get without swapping, as the kernel estimates it; absent before Linux 3.14.
    pub(crate) available_bytes: Option<Bytes>,
    /// What is held and would not be given back: total less available.
    pub(crate) used_bytes: Option<Bytes>,
    /// Buffers, page cache and reclaimable slabs.
    pub(crate) cache_bytes: Bytes,
    /// All swap there is, 0 where there is none.
    pub(crate) swap_total_bytes: Bytes,
    /// Swap in use.
    pub(crate) swap_used_bytes: Bytes,
}

/// Reads how memory is used.
pub(crate) fn read(root: &Root) -> Result<Memory, Lack> {
    let text = root.text(MEMINFO)?;
    let bytes = |key| {
        let number = value_of(&text, key, ':')?.split_ascii_whitespace().next()?;
        number.parse().ok().map(Bytes::from_kib)
    };
    let some = |key| bytes(key).map_or(0, |Bytes(number)| number);
    let total = bytes("MemTotal").filter(|total| total.0 > 0);
    let total = total.ok_or_else(|| Lack::unclear(MEMINFO, "MemTotal"))?;
    let available = bytes("MemAvailable");
    let cache = some("Buffers").saturating_add(some("Cached")).saturating_add(some("SReclaimable"));
    let (swap_total, swap_free) = (some("SwapTotal"), some("SwapFree"));
    Ok(Memory {
        total_bytes: total,
        available_bytes: available,
        used_bytes: available.map(|available| Bytes(total.0.saturating_sub(available.0))),
        cache_bytes: Bytes(cache),
        swap_total_bytes: Bytes(swap_total),
        swap_used_bytes: Bytes(swap_total.saturating_sub(swap_free)),
    })
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory: {} total", self.total_bytes)?;
        match (self.used_bytes, self.available_bytes) {
            (Some(used), Some(available)) => {
                let share = percent(used.0, self.total_bytes.0);
                writeln!(f, ", {used} used ({share} %), {available} available")?;
            }
            _ => writeln!(f, "; this kernel does not tell what is available")?,
        }
        writeln!(f, "Buffers and cache: {} (mostly given back when needed)", self.cache_bytes)?;
        if self.swap_total_bytes.0 == 0 {
            return writeln!(f, "Swap: none");
        }
        let share = percent(self.swap_used_bytes.0, self.swap_total_bytes.0);
        writeln!(f, "Swap: {} total, {} used ({share} %)", self.swap_total_bytes, self.swap_used_bytes)
    }
}
