//! `[sensor.NAME]`: a sensor with a name and limits of one's own.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::table::Table;
use super::{Place, Who};
use crate::sensing::history::{HISTORY_DEFAULT, HISTORY_MAX};
use crate::sources::meters::{ID_BYTES_MAX, METERS_MAX};

/// Seconds between two looks: a tenth is as often as a file of the kernel's is worth reading, and a day.
const SECONDS: RangeInclusive<f64> = 0.1..=86_400.0;
/// The greatest value of any quantity, in its unit.
const VALUE_MAX: f64 = 1e12;

/// A sensor that the configuration names.
#[derive(Debug, Clone)]
pub(crate) struct Sensor {
    /// What clients call it.
    pub(crate) name: String,
    /// Which it is: the id that the tool `sensors` tells of it (`id = "28-0316a2794bff"`).
    pub(crate) id: String,
    /// By how much its value must change before its subscribers hear of it, in its unit (`threshold = 0.5`).
    pub(crate) threshold: Option<f64>,
    /// The least time between two looks, and between two words to its subscribers (`interval-seconds = 10`).
    pub(crate) interval: Option<Duration>,
    /// How often it is looked at while nobody is subscribed (`every-seconds = 60`).
    pub(crate) every: Option<Duration>,
    /// How many values are kept (`history = 120`).
    pub(crate) history: usize,
    /// What is believed (`plausible = [-30, 60]`).
    pub(crate) plausible: RangeInclusive<f64>,
    /// Who may read it.
    pub(crate) who: Who,
    /// Where the file names it.
    pub(crate) place: Place,
}

impl Sensor {
    /// Reads one entry.
    pub(crate) fn read(name: &str, table: &mut Table<'_>) -> Option<Self> {
        let is_id = |id: &str| {
            (1..=ID_BYTES_MAX).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        };
        let is_name = is_id(name);
        if !is_name {
            table.problem_here(&format!(
                "expected a name of at most {ID_BYTES_MAX} of the characters A-Z a-z 0-9 _ . -"
            ));
        }
        let expected = "expected the id of a sensor, as the tool `sensors` tells it";
        let id = table.text("id", |id| if is_id(&id) { Ok(id) } else { Err(expected.to_owned()) });
        let threshold = table.fraction("threshold", 0.0..=VALUE_MAX, "");
        let mut seconds = |key| table.fraction(key, SECONDS, "seconds").map(Duration::from_secs_f64);
        let (interval, every) = (seconds("interval-seconds"), seconds("every-seconds"));
        let history = table.number("history", 0..=HISTORY_MAX as u64, "values");
        let plausible = table.fractions("plausible", -VALUE_MAX..=VALUE_MAX, "");
        let who = Who::read(table);
        if who.confirm {
            table.problem("confirm", "a sensor is only read: there is nothing to confirm");
        }
        is_name.then(|| Self {
            name: name.to_owned(),
            id: id.unwrap_or_else(|| name.to_owned()),
            threshold,
            interval,
            every,
            history: history.map_or(HISTORY_DEFAULT, |history| usize::try_from(history).unwrap_or(HISTORY_MAX)),
            plausible: plausible.unwrap_or(f64::MIN..=f64::MAX),
            who,
            place: table.place(),
        })
    }
    /// Says where there are more than are known at once.
    pub(crate) fn check_all(all: &[Self], table: &Table<'_>) {
        if let Some(more) = all.get(METERS_MAX) {
            table.problem_at(more.place, &format!("[sensor.{}]: at most {METERS_MAX} are taken", more.name));
        }
    }
}
