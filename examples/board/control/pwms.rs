//! PWM channels: their tools.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use smol_mcp::{Call, ToolError, ToolResult, args, heapless};

use super::held::{Held, Output};
use super::lines::by;
use super::{Control, confirm, find};
use crate::config::gpio::NAME_BYTES_MAX;
use crate::config::pwm::Pwm as Setup;
use crate::hardware::Hardware;
use crate::hardware::pwm::{Channel, Signal};
use crate::sources::root::{Lack, Why};

/// How often it is looked whether the files of a channel are there and this user's, and how long between: udev has seen them by then.
const LOOKS_MAX: u32 = 10;
const LOOK_EVERY: Duration = Duration::from_millis(50);

const _: () = assert!(NAME_BYTES_MAX == 32, "the range below says so too");

args! {
    pub(crate) struct PwmSet {
        /// The channel's name, as `pwm_list` tells it.
        #[len(1..=32)]
        name: heapless::String<NAME_BYTES_MAX>,
        /// How much of each period it shall be active, in percent: the speed of a fan, the brightness of a lamp. Leave it out to switch it off.
        #[range(0.0..=100.0)]
        percent: Option<f64>,
        /// How many periods in a second; as it is now when absent.
        hertz: Option<f64>,
    }
}

/// A channel that may be set.
pub(crate) struct Pwm {
    setup: Setup,
    channel: Channel,
    hardware: Rc<Hardware>,
    held: Held,
    /// It was set, be it to its safe state.
    is_taken: Cell<bool>,
}

impl Pwm {
    /// A channel that is not set up yet.
    pub(crate) fn new(setup: Setup, hardware: Rc<Hardware>) -> Self {
        let channel = Channel { chip: setup.chip, channel: setup.channel };
        Self { setup, channel, hardware, held: Held::default(), is_taken: Cell::new(false) }
    }

    /// Brings it to its safe state. What is not there now may come later.
    pub(crate) async fn begin(&self) {
        if let Err(lack) = self.set(self.safe()).await {
            log::warn!("PWM channel {}: {lack}", self.setup.name);
        }
    }

    async fn set(&self, signal: Signal) -> Result<(), Lack> {
        self.channel.export(&self.hardware.root)?;
        let mut looks = 0;
        loop {
            match self.channel.set(&self.hardware.root, signal) {
                Err(Lack { why: Why::Absent | Why::Denied, .. }) if looks < LOOKS_MAX => looks += 1,
                set => {
                    self.is_taken.set(self.is_taken.get() || set.is_ok());
                    return set;
                }
            }
            smol::Timer::after(LOOK_EVERY).await;
        }
    }

    fn signal(&self, hertz: f64, percent: Option<f64>) -> Signal {
        let period_ns = nanoseconds(1e9 / hertz);
        let duty_ns = nanoseconds(f64::from(period_ns) * percent.unwrap_or(0.0) / 100.0).min(period_ns);
        Signal { period_ns, duty_ns, enabled: percent.is_some(), inversed: self.setup.inversed }
    }

    fn safe(&self) -> Signal {
        self.signal(*self.setup.hertz.start(), self.setup.safe)
    }

    fn title(&self) -> String {
        let name = &self.setup.name;
        self.setup.about.as_ref().map_or_else(|| name.clone(), |about| format!("{name} ({about})"))
    }
}

impl Output for Pwm {
    fn held(&self) -> &Held {
        &self.held
    }

    fn release(&self, why: &str) {
        self.held.clear();
        let safe = self.safe();
        if !self.is_taken.get() || self.channel.read(&self.hardware.root) == Ok(safe) {
            return;
        }
        match self.channel.set(&self.hardware.root, safe) {
            Ok(()) => log::info!("PWM channel {} is in its safe state again: {why}", self.setup.name),
            Err(lack) => {
                log::error!("PWM channel {} could not be brought to its safe state ({why}): {lack}", self.setup.name);
            }
        }
    }
}

impl Control {
    /// `pwm_list`
    pub(crate) async fn pwm_list(&self, call: &mut Call<'_>) -> ToolResult {
        let principal = call.principal().clone();
        let mut any = false;
        for pwm in self.pwms.iter().filter(|pwm| pwm.setup.who.check(&principal).is_ok()) {
            let now = pwm.channel.read(&self.hardware.root);
            let now = now.map_or_else(|lack| lack.to_string(), |signal| signal.to_string());
            let Setup { hertz, percent, safe, who, .. } = &pwm.setup;
            let safe = safe.map_or("off".to_owned(), |percent| format!("{percent} %"));
            let confirmed = if who.confirm { ", the user is asked first" } else { "" };
            let (hertz, percent) = ((hertz.start(), hertz.end()), (percent.start(), percent.end()));
            call.print(format_args!(
                "{}: {now}; takes {} to {} %, {} to {} Hz; safe state {safe}{confirmed}\n",
                pwm.title(),
                percent.0,
                percent.1,
                hertz.0,
                hertz.1
            ))
            .await;
            any = true;
        }
        if any { call.done().await } else { call.text("There is no PWM channel that you may set.").await }
    }

    /// `pwm_set`
    pub(crate) async fn pwm_set(&self, call: &mut Call<'_>, args: PwmSet) -> ToolResult {
        let pwm = find(self.pwms.iter(), "PWM channel", &args.name, call.principal(), |pwm| {
            (&pwm.setup.name, &pwm.setup.who)
        })?;
        let Setup { hertz: allowed, percent: range, release, who, .. } = &pwm.setup;
        if let Some(percent) = args.percent.filter(|percent| !range.contains(percent)) {
            return Err(outside(&args.name, percent, range, "%"));
        }
        // A fan that must not stand still is not switched off either, unless that is its safe state.
        if args.percent.is_none() && !range.contains(&0.0) && pwm.setup.safe.is_some() {
            return Err(outside(&args.name, 0.0, range, "%"));
        }
        let now = pwm.channel.read(&self.hardware.root).map(|signal| signal.hertz());
        let kept = now.ok().filter(|hertz| allowed.contains(hertz)).unwrap_or(*allowed.start());
        let hertz = args.hertz.unwrap_or(kept);
        if !allowed.contains(&hertz) {
            return Err(outside(&args.name, hertz, allowed, "Hz"));
        }
        Held::can_hold(*release, call)?;
        let asked = args.percent.map_or("off".to_owned(), |percent| format!("{percent} % at {hertz} Hz"));
        confirm(call, who, format_args!("Set {} to {asked}?", pwm.title())).await?;
        let signal = pwm.signal(hertz, args.percent);
        pwm.set(signal).await.map_err(ToolError::new)?;
        log::info!("PWM channel {}: {signal}, set by {}", args.name, by(call));
        let until = if signal == pwm.safe() {
            pwm.held.clear();
            String::new()
        } else {
            let until = pwm.held.take(*release, call).to_string();
            self.tell_keeper();
            until
        };
        call.reply(format_args!("{}: {signal}{until}", args.name)).await
    }
}

fn outside(name: &str, asked: f64, range: &std::ops::RangeInclusive<f64>, unit: &str) -> ToolError {
    format!("{asked} {unit} is not allowed for {name}; it takes {} to {} {unit}", range.start(), range.end()).into()
}

/// The limits of what is configured make sure that it fits.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is too large becomes the largest number"
)]
fn nanoseconds(exact: f64) -> u32 {
    exact.round() as u32
}
