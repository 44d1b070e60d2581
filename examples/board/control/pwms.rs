//! PWM channels: their tools.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use smol::channel::Sender;
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
    /// It was touched, be it to bring it to its safe state, or in vain.
    is_taken: Cell<bool>,
    /// Tells the keeper that there is something to do at another time than before.
    changed: Sender<()>,
}

impl Pwm {
    /// A channel that is not set up yet.
    pub(crate) fn new(setup: Setup, hardware: Rc<Hardware>, changed: Sender<()>) -> Self {
        let channel = Channel { chip: setup.chip, channel: setup.channel };
        Self { setup, channel, hardware, held: Held::default(), is_taken: Cell::new(false), changed }
    }

    /// Brings it to its safe state, unless somebody was faster. What is not there now may come later: it is looked for again.
    pub(crate) async fn begin(&self) {
        let is_untouched = || if self.is_taken.get() { Err(ToolError::new("it was set already")) } else { Ok(()) };
        if let Err(NotSet::Lack(lack)) = self.set(self.safe(), is_untouched).await {
            log::warn!("PWM channel {}: {lack}", self.setup.name);
            self.failed();
        }
    }

    /// Sets it as soon as its files are there, if it may still be set then. The files are touched without a wait in between, so that nobody else is
    /// heard of meanwhile.
    async fn set(&self, signal: Signal, may: impl Fn() -> Result<(), ToolError>) -> Result<(), NotSet> {
        self.channel.export(&self.hardware.root).map_err(NotSet::Lack)?;
        let mut looks = 0;
        loop {
            may().map_err(NotSet::Refused)?;
            match self.touch(signal) {
                Err(Lack { why: Why::Absent | Why::Denied, .. }) if looks < LOOKS_MAX => looks += 1,
                set => return set.map_err(NotSet::Lack),
            }
            smol::Timer::after(LOOK_EVERY).await;
        }
    }

    fn touch(&self, signal: Signal) -> Result<(), Lack> {
        let set = self.channel.set(&self.hardware.root, signal);
        // What fails otherwise may have been done in part.
        let is_untouched = matches!(set, Err(Lack { why: Why::Absent | Why::Denied, .. }));
        self.is_taken.set(self.is_taken.get() || !is_untouched);
        set
    }

    /// It is tried again to bring it to its safe state.
    fn failed(&self) {
        self.held.failed();
        // One that was told already looks at all.
        let _ = self.changed.try_send(());
    }

    #[allow(clippy::cast_precision_loss, reason = "the longest period has 32 bits")]
    fn signal(&self, period_ns: u64, percent: Option<f64>) -> Signal {
        let duty_ns = nanoseconds(period_ns as f64 * percent.unwrap_or(0.0) / 100.0).min(period_ns);
        Signal { period_ns, duty_ns, enabled: percent.is_some(), inversed: self.setup.inversed }
    }

    fn safe(&self) -> Signal {
        self.signal(period(*self.setup.hertz.start()), self.setup.safe)
    }

    /// The period that it has, if that may be asked for, else that of its safe state.
    fn kept_period(&self) -> u64 {
        let allowed = period(*self.setup.hertz.end())..=period(*self.setup.hertz.start());
        let now = self.channel.read(&self.hardware.root).ok().map(|signal| signal.period_ns);
        now.filter(|period| allowed.contains(period)).unwrap_or(*allowed.end())
    }

    fn title(&self) -> String {
        let name = &self.setup.name;
        self.setup.about.as_ref().map_or_else(|| name.clone(), |about| format!("{name} ({about})"))
    }
}

/// Why a channel was not set.
enum NotSet {
    Lack(Lack),
    /// It may not be set any more.
    Refused(ToolError),
}

impl Output for Pwm {
    fn held(&self) -> &Held {
        &self.held
    }

    fn release(&self, why: &str) {
        let safe = self.safe();
        if !self.is_taken.get() {
            return;
        }
        let was = self.channel.read(&self.hardware.root);
        match self.channel.set(&self.hardware.root, safe) {
            Ok(()) => {
                self.held.clear();
                if was != Ok(safe) {
                    log::info!("PWM channel {} is in its safe state again: {why}", self.setup.name);
                }
            }
            Err(lack) => {
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
        let set = self.channel.export(&self.hardware.root).and_then(|()| self.touch(self.safe()));
        match set {
            Ok(()) => {
                self.held.clear();
                log::info!("PWM channel {} is there now", self.setup.name);
            }
            Err(_) => self.failed(),
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
        if let Some(hertz) = args.hertz.filter(|hertz| !allowed.contains(hertz)) {
            return Err(outside(&args.name, hertz, allowed, "Hz"));
        }
        let signal = pwm.signal(args.hertz.map_or_else(|| pwm.kept_period(), period), args.percent);
        let is_safe = signal == pwm.safe() || (args.percent.is_none() && pwm.setup.safe.is_none());
        // What is safe is let through, whoever asks for it.
        let may = |call: &Call<'_>| if is_safe { Ok(()) } else { self.can_hold(*release, call) };
        may(call)?;
        let asked = args.percent.map_or("off".to_owned(), |percent| format!("{percent} % at {:.1} Hz", signal.hertz()));
        confirm(call, who, format_args!("Set {} to {asked}?", pwm.title())).await?;
        match pwm.set(signal, || may(call)).await {
            Ok(()) => {}
            Err(NotSet::Refused(error)) => return Err(error),
            Err(NotSet::Lack(lack)) => {
                // A part of it may be done: the channel is nobody's, and goes to its safe state.
                pwm.release("it could not be set");
                return Err(ToolError::new(lack));
            }
        }
        log::info!("PWM channel {}: {signal}, set by {}", args.name, by(call));
        let until = if is_safe {
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

/// The period of a frequency.
fn period(hertz: f64) -> u64 {
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
