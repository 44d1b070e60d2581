//! PWM channels, by `/sys/class/pwm`.

use std::fmt;

use crate::sources::root::{Lack, Root, Why};

/// A channel of a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Channel {
    /// `pwmchipN`
    pub(crate) chip: u8,
    /// `pwmN`
    pub(crate) channel: u8,
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

impl Channel {
    /// Asks the kernel for its files, if they are not there. They may come a moment later, and be this user's another moment later, when udev has
    /// seen them.
    ///
    /// # Errors
    /// There is no such channel, or this user may not.
    pub(crate) fn export(self, root: &Root) -> Result<(), Lack> {
        let Self { chip, channel } = self;
        if root.has(&self.file("period")) {
            return Ok(());
        }
        let count: u32 = root.number(&format!("sys/class/pwm/pwmchip{chip}/npwm"))?;
        if u32::from(channel) >= count {
            return Err(Lack::new(self.folder(), Why::Absent));
        }
        root.write(&format!("sys/class/pwm/pwmchip{chip}/export"), &channel.to_string())
    }

    /// What it does now.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn read(self, root: &Root) -> Result<Signal, Lack> {
        Ok(Signal {
            period_ns: root.number(&self.file("period"))?,
            duty_ns: root.number(&self.file("duty_cycle"))?,
            enabled: root.number::<u8>(&self.file("enable"))? == 1,
            inversed: root.line(&self.file("polarity")).is_ok_and(|polarity| polarity == "inversed"),
        })
    }

    /// Lets it do this. Where that fails, a part of it may be done.
    ///
    /// # Errors
    /// The chip can't, or this user may not.
    pub(crate) fn set(self, root: &Root, signal: Signal) -> Result<(), Lack> {
        let now = self.read(root)?;
        steps(now, signal).into_iter().flatten().try_for_each(|(file, value)| root.write(&self.file(file), &value))
    }

    fn folder(self) -> String {
        format!("sys/class/pwm/pwmchip{}/pwm{}", self.chip, self.channel)
    }

    fn file(self, name: &str) -> String {
        format!("{}/{name}", self.folder())
    }
}

/// What is written to come from what a channel does to what it is to do: file and value, in this order. The kernel takes no polarity while the
/// channel runs or has no period, and no active part that is longer than the period; and on the way it is active for no longer than before or after.
pub(crate) fn steps(now: Signal, wanted: Signal) -> [Option<(&'static str, String)>; 5] {
    let turns = now.inversed != wanted.inversed;
    let rests = now.enabled && (turns || !wanted.enabled);
    let period = (now.period_ns != wanted.period_ns).then(|| ("period", wanted.period_ns.to_string()));
    let duty = (now.duty_ns != wanted.duty_ns).then(|| ("duty_cycle", wanted.duty_ns.to_string()));
    let polarity = turns.then(|| ("polarity", if wanted.inversed { "inversed" } else { "normal" }.to_owned()));
    let (first, second) = if wanted.period_ns < now.period_ns { (duty, period) } else { (period, duty) };
    let off = rests.then(|| ("enable", "0".to_owned()));
    let on = (wanted.enabled && (rests || !now.enabled)).then(|| ("enable", "1".to_owned()));
    [off, first, second, polarity, on]
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
