//! A PWM channel, and what is known of it while the server runs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use smol::channel::Sender;
use smol_mcp::ToolError;

use super::held::{Held, Output};
use crate::config::pwm::Pwm as Setup;
use crate::hardware::pwm::{self, Channel, Signal, Undone};
use crate::sources::root::{Lack, Why};

/// How often it is looked whether the files of a channel are there and this user's, and how long between: udev has seen them by then.
const LOOKS_MAX: u32 = 10;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A channel that may be set.
pub(crate) struct Pwm {
    /// What the configuration says of it.
    pub(super) setup: Setup,
    /// The kernel's.
    pub(super) channel: Rc<dyn Channel>,
    /// For whom it is as it is.
    pub(super) held: Held,
    /// It was touched, be it to bring it to its safe state, or in vain.
    is_taken: Cell<bool>,
    /// Tells the keeper that there is something to do at another time than before.
    changed: Sender<()>,
}

/// Why a channel was not set.
#[derive(Debug)]
pub(crate) enum NotSet {
    /// The kernel does not do it.
    Lack(Undone),
    /// It may not be set any more.
    Refused {
        /// Why.
        error: ToolError,
        /// It is not as it was either.
        in_part: bool,
    },
}

impl Pwm {
    /// A channel that is not set up yet.
    pub(crate) fn new(setup: Setup, channel: Rc<dyn Channel>, changed: Sender<()>) -> Self {
        Self { setup, channel, held: Held::default(), is_taken: Cell::new(false), changed }
    }

    /// Brings it to its safe state, unless somebody was faster. What is not there now may come later: it is looked for again.
    pub(crate) async fn begin(&self) {
        let is_untouched = || if self.is_taken.get() { Err(ToolError::new("it was set already")) } else { Ok(()) };
        if let Err(NotSet::Lack(Undone { lack, .. })) = self.wait(|| self.touch_safe(), is_untouched).await {
            log::warn!("PWM channel {}: {lack}", self.setup.name);
            self.failed();
        }
    }

    /// Sets it as soon as its files are there, if it may still be set then. Where it ends half-way, it goes to its safe state, as nobody holds that.
    ///
    /// # Errors
    /// It was not set.
    pub(crate) async fn set(&self, signal: Signal, may: impl Fn() -> Result<(), ToolError>) -> Result<(), ToolError> {
        let (error, in_part) = match self.wait(|| self.touch(signal), may).await {
            Ok(()) => return Ok(()),
            Err(NotSet::Refused { error, in_part }) => (error, in_part),
            Err(NotSet::Lack(Undone { lack, in_part })) => (ToolError::new(lack), in_part),
        };
        if in_part {
            self.release("it could not be set");
        }
        Err(error)
    }

    // Touches the files as soon as they are there, without a wait in between, so that nobody else is heard of meanwhile.
    async fn wait(
        &self,
        touch: impl Fn() -> Result<(), Undone>,
        may: impl Fn() -> Result<(), ToolError>,
    ) -> Result<(), NotSet> {
        self.channel.export().map_err(|lack| NotSet::Lack(Undone { lack, in_part: false }))?;
        let (mut looks, mut in_part) = (0, false);
        loop {
            may().map_err(|error| NotSet::Refused { error, in_part })?;
            let Err(undone) = touch() else { return Ok(()) };
            in_part |= undone.in_part;
            if !undone.is_early() || looks >= LOOKS_MAX {
                return Err(NotSet::Lack(Undone { in_part, ..undone }));
            }
            looks += 1;
            smol::Timer::after(LOOK_EVERY).await;
        }
    }

    fn touch(&self, signal: Signal) -> Result<(), Undone> {
        let set = pwm::set(&*self.channel, signal, &self.setup.percent);
        let is_touched = set.as_ref().err().is_none_or(|undone| undone.in_part);
        self.is_taken.set(self.is_taken.get() || is_touched);
        set
    }

    // Channels of one chip may have to share a period, which is not changed while another has it then: the safe part of that is as good.
    fn touch_safe(&self) -> Result<(), Undone> {
        let safe = self.safe();
        let Err(undone) = self.touch(safe) else { return Ok(()) };
        match self.channel.read() {
            Ok(now) if now.period_ns != safe.period_ns && !undone.is_early() => {
                self.touch(self.signal(now.period_ns, self.setup.safe)).map_err(|_| undone)
            }
            _ => Err(undone),
        }
    }

    /// It is tried again to bring it to its safe state.
    fn failed(&self) {
        self.held.failed();
        // One that was told already looks at all.
        let _ = self.changed.try_send(());
    }

    /// What it does where it is active in so much of a period, in percent; none: where it is off.
    #[allow(clippy::cast_precision_loss, reason = "the longest period has 32 bits")]
    pub(crate) fn signal(&self, period_ns: u64, percent: Option<f64>) -> Signal {
        let duty_ns = nanoseconds(period_ns as f64 * percent.unwrap_or(0.0) / 100.0).min(period_ns);
        Signal { period_ns, duty_ns, enabled: percent.is_some(), inversed: self.setup.inversed }
    }

    /// Its safe state.
    pub(crate) fn safe(&self) -> Signal {
        self.signal(period(*self.setup.hertz.start()), self.setup.safe)
    }

    /// The period that it has, if that may be asked for, else that of its safe state. Where it does not run any more, none is asked for: it is switched
    /// off also where the chip would take no other period.
    pub(super) fn kept_period(&self, runs: bool) -> u64 {
        let allowed = period(*self.setup.hertz.end())..=period(*self.setup.hertz.start());
        let now = self.channel.read().ok().map(|signal| signal.period_ns);
        let is_fit = |period: &u64| allowed.contains(period) || (!runs && *period > 0);
        now.filter(is_fit).unwrap_or(*allowed.end())
    }

    /// What people call it: its name, and what hangs on it.
    pub(super) fn title(&self) -> String {
        let name = &self.setup.name;
        self.setup.about.as_ref().map_or_else(|| name.clone(), |about| format!("{name} ({about})"))
    }
}

impl Undone {
    /// Its files are not there yet, or not this user's.
    fn is_early(&self) -> bool {
        matches!(self.lack, Lack { why: Why::Absent | Why::Denied, .. })
    }
}

impl Output for Pwm {
    fn held(&self) -> &Held {
        &self.held
    }

    fn release(&self, why: &str) {
        if !self.is_taken.get() {
            return;
        }
        let was = self.channel.read();
        match self.touch_safe() {
            Ok(()) => {
                self.held.clear();
                if was != self.channel.read() {
                    log::info!("PWM channel {} is in its safe state again: {why}", self.setup.name);
                }
            }
            Err(Undone { lack, .. }) => {
                log::error!("PWM channel {} could not be brought to its safe state ({why}): {lack}", self.setup.name);
                self.failed();
            }
        }
    }

    fn again(&self) {
        if self.is_taken.get() {
            return self.release("tried again");
        }
        // It begins in its safe state. Why it could not be had has been told when the server started.
        let export = self.channel.export().map_err(|lack| Undone { lack, in_part: false });
        match export.and_then(|()| self.touch_safe()) {
            Ok(()) => {
                self.held.clear();
                log::info!("PWM channel {} is there now", self.setup.name);
            }
            Err(_) => self.failed(),
        }
    }
}

/// The period of a frequency.
pub(super) fn period(hertz: f64) -> u64 {
    nanoseconds(1e9 / hertz)
}

/// The limits of what is configured make sure that it fits.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is too large becomes the largest number"
)]
fn nanoseconds(exact: f64) -> u64 {
    exact.round() as u64
}
