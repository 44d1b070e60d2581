//! Simulated PWM channels, which refuse what the kernel refuses.

use std::cell::Cell;

use super::pwm::{Channel, Signal};
use crate::sources::root::{Lack, Why};

/// A channel that is not there.
pub(crate) struct SimChannel(Cell<Signal>);

impl Default for SimChannel {
    /// As the kernel exports one.
    fn default() -> Self {
        Self(Cell::new(Signal { period_ns: 0, duty_ns: 0, enabled: false, inversed: false }))
    }
}

impl Channel for SimChannel {
    fn export(&self) -> Result<(), Lack> {
        Ok(())
    }

    fn read(&self) -> Result<Signal, Lack> {
        Ok(self.0.get())
    }

    fn write(&self, file: &'static str, value: &str) -> Result<(), Lack> {
        let refused = |why: &str| Err(Lack::new(format!("simulated/{file}"), Why::Failed(why.to_owned())));
        let (now, number) = (self.0.get(), value.parse::<u64>().ok());
        let then = match (file, number) {
            ("period", Some(period_ns)) => Signal { period_ns, ..now },
            ("duty_cycle", Some(duty_ns)) => Signal { duty_ns, ..now },
            ("enable", Some(number @ 0..=1)) => Signal { enabled: number == 1, ..now },
            ("polarity", _) if now.enabled => return refused("EBUSY: the channel runs"),
            ("polarity", _) if now.period_ns == 0 => return refused("EINVAL: it has no period"),
            ("polarity", _) => Signal { inversed: value == "inversed", ..now },
            _ => return refused("EINVAL: that is no value of this file"),
        };
        if then.duty_ns > then.period_ns || (then.enabled && then.period_ns == 0) {
            return refused("EINVAL: the active part is longer than the period, or there is none");
        }
        self.0.set(then);
        Ok(())
    }
}
