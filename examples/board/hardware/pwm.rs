//! PWM channels, by `/sys/class/pwm`.

use std::fmt;
use std::ops::RangeInclusive;

use crate::sources::root::{Lack, Root, Why};

/// A channel of a chip.
pub(crate) trait Channel {
    /// Asks the kernel for its files, if they are not there. They may come a moment later, and be this user's another moment later, when udev has
    /// seen them.
    ///
    /// # Errors
    /// There is no such channel, or this user may not.
    fn export(&self) -> Result<(), Lack>;

    /// What it does now.
    ///
    /// # Errors
    /// It is not there.
    fn read(&self) -> Result<Signal, Lack>;

    /// Writes one of its files: `period` and `duty_cycle` in nanoseconds, `enable` 0 or 1, `polarity` `normal` or `inversed`.
    ///
    /// # Errors
    /// The chip can't, or this user may not.
    fn write(&self, file: &'static str, value: &str) -> Result<(), Lack>;
}

/// What a channel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal {
    /// How long a period is, in nanoseconds.
    pub(crate) period_ns: u64,
    /// How long of it the channel is active, in nanoseconds.
    pub(crate) duty_ns: u64,
    /// It runs.
    pub(crate) enabled: bool,
    /// It is active when its level is low.
    pub(crate) inversed: bool,
}

/// Why a channel does not do what it should.
#[derive(Debug)]
pub(crate) struct Undone {
    /// What the kernel says.
    pub(crate) lack: Lack,
    /// It is not as it was either, or that is not known.
    pub(crate) in_part: bool,
}

/// Lets a channel do this. On the way it is active for no smaller and no greater part of a period than this range says, in percent, or than it is
/// before or after; where the range is too narrow for that, it may be active for less.
///
/// # Errors
/// The chip can't, or this user may not.
pub(crate) fn set(channel: &dyn Channel, signal: Signal, percent: &RangeInclusive<f64>) -> Result<(), Undone> {
    let mut in_part = false;
    let now = channel.read().map_err(|lack| Undone { lack, in_part })?;
    for (file, value) in steps(now, signal, percent) {
        channel.write(file, &value).map_err(|lack| {
            // The kernel has tried it then.
            let is_tried = matches!(lack.why, Why::Failed(_));
            Undone { lack, in_part: in_part || is_tried }
        })?;
        in_part = true;
    }
    Ok(())
}

/// A channel of the kernel's.
pub(crate) struct Sysfs {
    /// The folder that `/sys` is below.
    pub(crate) root: Root,
    /// `pwmchipN`
    pub(crate) chip: u8,
    /// `pwmN`
    pub(crate) channel: u8,
}

impl Sysfs {
    /// How many channels its chip has.
    ///
    /// # Errors
    /// There is no such chip.
    pub(crate) fn count(&self) -> Result<u32, Lack> {
        self.root.number(&format!("sys/class/pwm/pwmchip{}/npwm", self.chip))
    }

    fn folder(&self) -> String {
        format!("sys/class/pwm/pwmchip{}/pwm{}", self.chip, self.channel)
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.folder())
    }
}

impl Channel for Sysfs {
    fn export(&self) -> Result<(), Lack> {
        if self.root.has(&self.file("period")) {
            return Ok(());
        }
        if u32::from(self.channel) >= self.count()? {
            return Err(Lack::new(self.folder(), Why::Absent));
        }
        self.root.write(&format!("sys/class/pwm/pwmchip{}/export", self.chip), &self.channel.to_string())
    }

    fn read(&self) -> Result<Signal, Lack> {
        Ok(Signal {
            period_ns: self.root.number(&self.file("period"))?,
            duty_ns: self.root.number(&self.file("duty_cycle"))?,
            enabled: self.root.number::<u8>(&self.file("enable"))? == 1,
            inversed: self.root.line(&self.file("polarity")).is_ok_and(|polarity| polarity == "inversed"),
        })
    }

    fn write(&self, file: &'static str, value: &str) -> Result<(), Lack> {
        self.root.write(&self.file(file), value)
    }
}

/// A file of a channel, and what is written there.
pub(crate) type Step = (&'static str, String);

/// What is written to come from what a channel does to what it is to do, in this order. The kernel takes no polarity while the channel runs or has no
/// period, and no active part that is longer than the period.
pub(crate) fn steps(now: Signal, wanted: Signal, percent: &RangeInclusive<f64>) -> Vec<Step> {
    let turns = now.inversed != wanted.inversed;
    let rests = now.enabled && (turns || !wanted.enabled);
    let mut steps = Vec::new();
    if rests {
        steps.push(("enable", "0".to_owned()));
    }
    let runs = now.enabled && !rests;
    steps.extend(times(now, wanted, percent, runs));
    if turns {
        steps.push(("polarity", if wanted.inversed { "inversed" } else { "normal" }.to_owned()));
    }
    if wanted.enabled && (rests || !now.enabled) {
        steps.push(("enable", "1".to_owned()));
    }
    steps
}

/// The most rounds in which a period becomes another: each doubles it at least, or halves it, and the shortest and the longest that the configuration
/// takes are 2²⁹ apart.
const ROUNDS_MAX: usize = 32;

/// Period and active part. The kernel takes one after the other, so that the part of a period in which the channel is active changes with each.
fn times(now: Signal, wanted: Signal, percent: &RangeInclusive<f64>, runs: bool) -> Vec<Step> {
    let least = percent.start().min(now.percent()).min(wanted.percent());
    let most = percent.end().max(now.percent()).max(wanted.percent());
    // Where there is little between them, less is the lesser evil, as it is where nothing is active.
    let least = if runs && most >= 2.0 * least { least } else { 0.0 };
    let (mut period, mut duty) = (now.period_ns, now.duty_ns);
    let mut steps = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let before = (period, duty);
        if period < wanted.period_ns {
            // As long as it can be with this active part; and that is as long as it can be, where it must be longer.
            let longest = if least > 0.0 { whole(part(duty, 100.0 / least).round()) } else { u64::MAX };
            if longest <= period {
                duty = whole(part(period, most / 100.0).floor());
            } else {
                period = wanted.period_ns.min(longest);
            }
        } else if period > wanted.period_ns {
            let shortest = whole(part(duty, 100.0 / most).round());
            let next = wanted.duty_ns.max(whole(part(period, least / 100.0).ceil()));
            if duty == next { period = wanted.period_ns.max(shortest) } else { duty = next }
        }
        steps.extend(step(before, (period, duty)));
        if (period, duty) == before {
            break;
        }
    }
    // What is too short for these steps.
    let last = if period > wanted.period_ns { (period, duty.min(wanted.duty_ns)) } else { (wanted.period_ns, duty) };
    let all = [(period, duty), last, (wanted.period_ns, last.1), (wanted.period_ns, wanted.duty_ns)];
    steps.extend(all.windows(2).filter_map(|pair| step(pair[0], pair[1])));
    steps
}

/// What is to be written to come from the one to the other, of which one is the same.
fn step(before: (u64, u64), after: (u64, u64)) -> Option<Step> {
    if before.0 != after.0 {
        return Some(("period", after.0.to_string()));
    }
    (before.1 != after.1).then(|| ("duty_cycle", after.1.to_string()))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "the longest period has 32 bits, and what is left by others is not more exact than that"
)]
fn part(time_ns: u64, factor: f64) -> f64 {
    time_ns as f64 * factor
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is too large becomes the largest number"
)]
fn whole(exact: f64) -> u64 {
    exact as u64
}

impl Signal {
    /// Its frequency, in hertz.
    #[allow(clippy::cast_precision_loss, reason = "it is shown with one digit")]
    pub(crate) fn hertz(&self) -> f64 {
        if self.period_ns == 0 { 0.0 } else { 1e9 / self.period_ns as f64 }
    }

    /// How much of a period it is active, in percent.
    #[allow(clippy::cast_precision_loss, reason = "it is shown with one digit")]
    pub(crate) fn percent(&self) -> f64 {
        if self.period_ns == 0 { 0.0 } else { 100.0 * self.duty_ns as f64 / self.period_ns as f64 }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.enabled { "on" } else { "off" };
        write!(f, "{state}, {:.1} % of each period at {:.1} Hz", self.percent(), self.hertz())?;
        f.write_str(if self.inversed { ", inversed" } else { "" })
    }
}
