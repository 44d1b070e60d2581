//! One sensor over time: its last value, its history, and what of it is news. Pure: the clock is its caller's.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use super::history::{History, Sample};
use crate::config::Who;
use crate::config::sensors::Sensor;
use crate::sources::meters::Meter;
use crate::sources::root::{Lack, Why};

/// How often a sensor is looked at where the configuration does not say, and so how often its subscribers hear of it at most.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
/// By how much a quantity must change before its subscribers hear of it, where the configuration does not say: about what a cheap sensor can
/// tell apart, in the unit of the quantity.
const THRESHOLDS: [(&str, f64); 15] = [
    ("temperature", 0.5),
    ("humidity", 1.0),
    ("pressure", 0.1),
    ("voltage", 0.05),
    ("current", 0.05),
    ("power", 0.5),
    ("fan", 100.0),
    ("illuminance", 10.0),
    ("acceleration", 0.5),
    ("conductivity", 0.01),
    // Nothing is where these rest, so that a part of it would be nothing, too.
    ("angular velocity", 0.1),
    ("magnetic field", 0.02),
    ("inclination", 1.0),
    ("velocity", 0.1),
    ("gravity", 0.5),
];
/// Of quantities that are not named there: by this part of the value that was told last.
const PART: f64 = 0.05;

/// How a sensor is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// By how much it must change before its subscribers hear of it, where the configuration says so.
    pub(crate) threshold: Option<f64>,
    /// The least time between two values, and between two words to its subscribers.
    pub(crate) interval: Duration,
    /// How often it is looked at while nobody is subscribed; none: never.
    pub(crate) every: Option<Duration>,
    /// The least and the greatest value that are believed.
    pub(crate) plausible: RangeInclusive<f64>,
    /// Who may read it.
    pub(crate) who: Who,
}

/// A sensor that is offered.
#[derive(Debug)]
pub(crate) struct Probe {
    /// What clients call it.
    pub(crate) name: String,
    /// What it is; none for one that the configuration names and that is not there.
    pub(crate) meter: Option<Meter>,
    /// The id by which it is found among the machine's sensors.
    pub(crate) id: String,
    /// How it is looked at.
    pub(crate) settings: Settings,
    /// Its last values.
    pub(crate) history: History,
    is_named: bool,
    last: Option<Looked>,
    told: Option<Told>,
    /// There is a change that its subscribers have not been told of.
    pub(crate) is_owed: bool,
}

/// What was seen when it was looked at the last time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Looked {
    /// When.
    pub(crate) at: Instant,
    /// The value, or why there is none.
    pub(crate) value: Result<f64, Problem>,
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Problem {
    /// No sensor of the machine has its id now.
    Missing,
    /// It can't be read.
    Lack(Lack),
    /// It is beyond what is believed.
    Implausible(f64),
}

/// What its subscribers know.
#[derive(Debug, Clone, Copy)]
struct Told {
    at: Instant,
    value: Option<f64>,
}

impl Probe {
    /// The one that the configuration names, or one that it does not.
    pub(crate) fn new(meter: Option<Meter>, config: Option<&Sensor>, id: &str) -> Self {
        let settings = Settings {
            threshold: config.and_then(|config| config.threshold),
            interval: config.and_then(|config| config.interval).unwrap_or(INTERVAL_DEFAULT),
            every: config.and_then(|config| config.every),
            plausible: config.map_or(f64::MIN..=f64::MAX, |config| config.plausible.clone()),
            who: config.map(|config| config.who.clone()).unwrap_or_default(),
        };
        let history = config.map_or(super::history::HISTORY_DEFAULT, |config| config.history);
        let name = config.map_or(id, |config| &config.name).to_owned();
        let (id, history) = (id.to_owned(), History::new(history));
        Self { name, meter, id, settings, history, is_named: config.is_some(), last: None, told: None, is_owed: false }
    }

    /// What was seen the last time.
    pub(crate) const fn last(&self) -> Option<&Looked> {
        self.last.as_ref()
    }

    /// By how much it must change before its subscribers hear of it; none: by [`PART`] of what they know. Raw numbers without a unit have none.
    pub(crate) fn threshold(&self) -> Option<f64> {
        let known =
            |meter: &Meter| THRESHOLDS.iter().find(|(name, _)| *name == meter.quantity && !meter.unit.is_empty());
        self.settings.threshold.or_else(|| known(self.meter.as_ref()?).map(|(_, threshold)| *threshold))
    }

    /// Whether the configuration names it.
    pub(crate) fn is_named(&self) -> bool {
        self.is_named
    }

    /// Whether to look at it may take long.
    pub(crate) fn is_slow(&self) -> bool {
        self.meter.as_ref().is_some_and(Meter::is_slow)
    }

    /// Whether what was seen the last time is as good as a new look.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.last.as_ref().is_some_and(|last| now.saturating_duration_since(last.at) < self.settings.interval)
    }

    /// When it is to be looked at again; none: when somebody asks.
    pub(crate) fn due(&self, is_watched: bool, now: Instant) -> Option<Instant> {
        let Settings { interval, every, .. } = self.settings;
        let period = if is_watched { interval } else { every?.max(interval) };
        Some(self.last.as_ref().map_or(now, |last| last.at + period))
    }

    /// Takes a look's result, and says by [`is_owed`](Self::is_owed) whether its subscribers are to hear of it.
    pub(crate) fn look(&mut self, seen: Result<f64, Problem>, now: Instant) {
        let value = match seen {
            Ok(value) if !self.settings.plausible.contains(&value) => Err(Problem::Implausible(value)),
            seen => seen,
        };
        if let Ok(value) = value {
            self.history.push(Sample { at: now, value });
        }
        self.is_owed |= self.is_news(value.as_ref().ok().copied(), now);
        self.last = Some(Looked { at: now, value });
    }

    fn is_news(&mut self, value: Option<f64>, now: Instant) -> bool {
        let Some(told) = self.told else {
            // Who subscribes reads it too: this is what it knows.
            self.told = Some(Told { at: now, value });
            return false;
        };
        let has_changed = match (told.value, value) {
            (Some(before), Some(now)) => {
                let change = (now - before).abs();
                change > 0.0 && change >= self.threshold().unwrap_or(before.abs() * PART)
            }
            // It failed, or works again.
            (before, now) => before.is_some() != now.is_some(),
        };
        if !has_changed || now.saturating_duration_since(told.at) < self.settings.interval {
            return false;
        }
        self.told = Some(Told { at: now, value });
        true
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("not there: no sensor of this machine has this id now"),
            Self::Lack(Lack { why: Why::Absent, path }) => write!(f, "not there now (no /{path})"),
            Self::Lack(lack) => write!(f, "{lack}"),
            Self::Implausible(value) => {
                write!(f, "not believed: {value} is outside the range that the configuration calls plausible")
            }
        }
    }
}
