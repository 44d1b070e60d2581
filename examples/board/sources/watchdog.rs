//! The hardware that restarts a machine which hangs, as `/sys/class/watchdog` tells of it (the kernel's `ABI/testing/sysfs-class-watchdog`).
//! Read only: to open the device itself would start the clock.

use std::fmt;

use serde::Serialize;

use super::root::{Known, Lack, Root, Why};
use super::text::Seconds;

const WATCHDOGS: &str = "sys/class/watchdog";
/// Watchdogs that are read: one of the chip, one of the board, some of software.
pub(crate) const WATCHDOGS_MAX: usize = 8;

/// The watchdogs of this machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Watchdogs {
    /// All of them, or the first [`WATCHDOGS_MAX`].
    pub(crate) watchdogs: Vec<Watchdog>,
}

/// One watchdog.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Watchdog {
    /// The kernel's name for it.
    pub(crate) name: String,
    /// What it is.
    pub(crate) identity: Known<String>,
    /// `active` while its clock runs.
    pub(crate) state: Known<String>,
    /// After how long without a sign of life it restarts the machine.
    pub(crate) timeout: Known<Seconds>,
    /// How much of that is left.
    pub(crate) left: Option<Seconds>,
    /// Whether it can't be stopped once it runs.
    pub(crate) unstoppable: Option<bool>,
    /// Why the machine started the last time, where the watchdog knows.
    pub(crate) last_start: Vec<&'static str>,
}

/// What its `bootstatus` says, bit by bit (`WDIOF_*` of the kernel's `watchdog-api`).
const CAUSES: [(u32, &str); 7] = [
    (0x20, "restarted by this watchdog"),
    (0x01, "overheated"),
    (0x02, "a fan failed"),
    (0x04, "external relay 1"),
    (0x08, "external relay 2"),
    (0x10, "power bad or power fault"),
    (0x40, "power over voltage"),
];

/// Reads all watchdogs.
pub(crate) fn read(root: &Root) -> Result<Watchdogs, Lack> {
    let names = root.names(WATCHDOGS, WATCHDOGS_MAX, |name| name.starts_with("watchdog"))?.list;
    if names.is_empty() {
        return Err(Lack::new(WATCHDOGS, Why::Empty));
    }
    Ok(Watchdogs { watchdogs: names.into_iter().map(|name| Watchdog::read(root, name)).collect() })
}

impl Watchdog {
    fn read(root: &Root, name: String) -> Self {
        let path = |file: &str| format!("{WATCHDOGS}/{name}/{file}");
        let bits: u32 = root.number(&path("bootstatus")).unwrap_or(0);
        Self {
            identity: Known(root.line(&path("identity"))),
            state: Known(root.line(&path("state"))),
            timeout: Known(root.number(&path("timeout")).map(Seconds)),
            left: root.number(&path("timeleft")).ok().map(Seconds),
            unstoppable: root.number::<u8>(&path("nowayout")).ok().map(|flag| flag != 0),
            last_start: CAUSES.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, cause)| *cause).collect(),
            name,
        }
    }
}

impl fmt::Display for Watchdogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.watchdogs.iter().try_for_each(|watchdog| writeln!(f, "{watchdog}"))
    }
}

impl fmt::Display for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A kernel without CONFIG_WATCHDOG_SYSFS has the folder alone.
        if self.identity.value().is_none() && self.state.value().is_none() && self.timeout.value().is_none() {
            return write!(f, "{}: this kernel tells nothing of its state", self.name);
        }
        write!(
            f,
            "{}: {}, state {}, restarts the machine after {}",
            self.name, self.identity, self.state, self.timeout
        )?;
        if let Some(left) = self.left {
            write!(f, " without a sign of life, {left} left")?;
        }
        match self.unstoppable {
            Some(true) => f.write_str(", cannot be stopped")?,
            Some(false) => f.write_str(", can be stopped")?,
            None => {}
        }
        if !self.last_start.is_empty() {
            write!(f, "; before the last start: {}", self.last_start.join(", "))?;
        }
        Ok(())
    }
}
