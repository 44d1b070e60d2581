//! When an output returns to its safe state, beside the end of the server.

use std::time::Duration;

use super::table::Table;

/// The longest time that an output can be held without being set again, in seconds: a day.
const HOLD_SECONDS_MAX: u64 = 86_400;

/// When an output returns to its safe state. It always does when the server ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Release {
    /// When the client that set it is gone (`release = "with-client"`).
    pub(crate) with_client: bool,
    /// When it was not set again for so long (`hold-seconds = 60`).
    pub(crate) hold: Option<Duration>,
}

impl Release {
    /// Reads the keys that all outputs have.
    pub(crate) fn read(table: &mut Table<'_>) -> Self {
        let with_client = table.one_of("release", &[("with-server", false), ("with-client", true)]).unwrap_or(false);
        let hold = table.number("hold-seconds", 1..=HOLD_SECONDS_MAX, "seconds").map(Duration::from_secs);
        Self { with_client, hold }
    }
}
