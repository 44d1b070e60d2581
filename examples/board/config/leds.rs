//! `[led.NAME]`: an LED that may be set.

use super::table::Table;
use super::{Place, Who};

/// The longest name of an LED, in bytes (the kernel's `LED_MAX_NAME_SIZE`).
const NAME_BYTES_MAX: usize = 64;

/// An LED that may be set. Its name is that of its folder under `/sys/class/leds`.
#[derive(Debug, Clone)]
pub(crate) struct Led {
    /// Its name.
    pub(crate) name: String,
    /// Who may set it.
    pub(crate) who: Who,
    /// Where the file names it.
    pub(crate) place: Place,
}

impl Led {
    /// Reads one entry.
    pub(crate) fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        let who = Who::read(table);
        let is_name =
            (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains(['/', '\0']) && !name.starts_with('.');
        if !is_name {
            table.problem_here("expected the name of an LED, as its folder in /sys/class/leds is called");
        }
        is_name.then(|| Self { name: name.to_owned(), who, place: table.place() })
    }
}
