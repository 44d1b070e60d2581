//! `[unit."NAME.service"]`: a unit of systemd's whose state and log may be read.

use super::table::Table;
use super::{Place, Who};

/// The longest name of a unit, in bytes (systemd's `UNIT_NAME_MAX`).
const NAME_BYTES_MAX: usize = 255;
/// What names of units end in (`systemd.unit(5)`).
const KINDS: [&str; 11] =
    ["service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope"];
/// The most lines of its log that one call may ask for.
pub(crate) const LINES_MAX: u16 = 500;

/// A unit that may be looked at.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// Its whole name: `nginx.service`.
    pub(crate) name: String,
    /// How many lines of its log a call may ask for (`lines = 100`); 0: only its state may be read.
    pub(crate) lines: u16,
    /// Who may.
    pub(crate) who: Who,
    /// Where the file names it.
    pub(crate) place: Place,
}

impl Unit {
    /// Reads one entry.
    pub(crate) fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        // A pattern, or a template without an instance, is not one unit, and what begins with a dash an option.
        let is_name = name.len() <= NAME_BYTES_MAX
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.@\\".contains(&byte))
            && !name.starts_with('-')
            && name.rsplit_once('.').is_some_and(|(stem, kind)| {
                !stem.is_empty() && !stem.starts_with('@') && !stem.ends_with('@') && KINDS.contains(&kind)
            });
        if !is_name {
            table.problem_here("expected the whole name of one unit, such as [unit.\"nginx.service\"]");
        }
        let lines = table.number("lines", 0..=LINES_MAX.into(), "lines");
        let who = Who::read(table);
        if who.confirm {
            table.problem("confirm", "a unit is only looked at: there is nothing to confirm");
        }
        let lines = lines.map_or(LINES_MAX, |lines| u16::try_from(lines).unwrap_or(LINES_MAX));
        is_name.then(|| Self { name: name.to_owned(), lines, who, place: table.place() })
    }
}
