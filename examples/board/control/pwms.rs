//! PWM channels: their tools.

use smol_mcp::{Call, ToolError, ToolResult, args, heapless};

use super::lines::by;
use super::pwm::period;
use super::{Control, confirm, find};
use crate::config::gpio::NAME_BYTES_MAX;
use crate::config::pwm::Pwm as Setup;

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

impl Control {
    /// `pwm_list`
    pub(crate) async fn pwm_list(&self, call: &mut Call<'_>) -> ToolResult {
        let principal = call.principal().clone();
        let mut any = false;
        for pwm in self.pwms.iter().filter(|pwm| pwm.setup.who.check(&principal).is_ok()) {
            let now = pwm.channel.read();
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
        let period_ns = args.hertz.map_or_else(|| pwm.kept_period(args.percent.is_some()), period);
        let signal = pwm.signal(period_ns, args.percent);
        // The safe part of the period that it has is safe, too: where channels share one, there may be no other.
        let is_safe = args.percent == pwm.setup.safe
            && (args.percent.is_none() || args.hertz.is_none() || signal.period_ns == pwm.safe().period_ns);
        // What is safe is let through, whoever asks for it.
        let may = |call: &Call<'_>| if is_safe { Ok(()) } else { self.can_hold(*release, call) };
        may(call)?;
        let asked = args.percent.map_or("off".to_owned(), |percent| format!("{percent} % at {:.1} Hz", signal.hertz()));
        confirm(call, who, format_args!("Set {} to {asked}?", pwm.title())).await?;
        pwm.set(signal, || may(call)).await?;
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
