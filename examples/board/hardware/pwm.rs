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
    pub(crate) period_ns: u32,
    /// How long of it the channel is active, in nanoseconds.
    pub(crate) duty_ns: u32,
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

    /// Lets it do this.
    ///
    /// # Errors
    /// The chip can't, or this user may not.
    pub(crate) fn set(self, root: &Root, signal: Signal) -> Result<(), Lack> {
        let now = self.read(root)?;
        let write = |file: &str, value: &str| root.write(&self.file(file), value);
        if now.inversed != signal.inversed {
            // The kernel changes it only while the channel rests.
            if now.enabled {
                write("enable", "0")?;
            }
            write("polarity", if signal.inversed { "inversed" } else { "normal" })?;
        }
        // The active part is never longer than the period, on the way as well.
        if now.duty_ns > signal.period_ns {
            write("duty_cycle", "0")?;
        }
        if now.period_ns != signal.period_ns {
            write("period", &signal.period_ns.to_string())?;
        }
        write("duty_cycle", &signal.duty_ns.to_string())?;
        write("enable", if signal.enabled { "1" } else { "0" })
    }

    fn folder(self) -> String {
        format!("sys/class/pwm/pwmchip{}/pwm{}", self.chip, self.channel)
    }

    fn file(self, name: &str) -> String {
        format!("{}/{name}", self.folder())
    }
}

impl Signal {
    /// Its frequency, in hertz.
    pub(crate) fn hertz(&self) -> f64 {
        if self.period_ns == 0 { 0.0 } else { 1e9 / f64::from(self.period_ns) }
    }

    /// How much of a period it is active, in percent.
    pub(crate) fn percent(&self) -> f64 {
        if self.period_ns == 0 { 0.0 } else { 100.0 * f64::from(self.duty_ns) / f64::from(self.period_ns) }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.enabled { "on" } else { "off" };
        write!(f, "{state}, {:.1} % of each period at {:.1} Hz", self.percent(), self.hertz())?;
        f.write_str(if self.inversed { ", inversed" } else { "" })
    }
}
