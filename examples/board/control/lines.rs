//! GPIO lines: their tools.

use std::fmt;
use std::time::{Duration, Instant};

use smol::Timer;
use smol_mcp::{Call, ToolError, ToolResult, args, heapless};

use super::line::{Busy, Line, Setting, Shown};
use super::{Control, confirm, find};
use crate::config::gpio::{NAME_BYTES_MAX, PULSE_MS_MAX};
use crate::hardware::Fault;
use crate::hardware::gpio::{Edge, Edges};

/// How often a call that waits for an edge says that it still does.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

const _: () = assert!(NAME_BYTES_MAX == 32 && PULSE_MS_MAX == 240_000, "the ranges below say so too");

args! {
    pub(crate) struct GpioLine {
        /// The line's name, as `gpio_list` tells it.
        #[len(1..=32)]
        name: heapless::String<NAME_BYTES_MAX>,
    }

    pub(crate) struct GpioWrite {
        /// The output's name, as `gpio_list` tells it.
        #[len(1..=32)]
        name: heapless::String<NAME_BYTES_MAX>,
        /// What it shall be.
        state: State,
    }

    pub(crate) struct GpioPulse {
        /// The output's name, as `gpio_list` tells it.
        #[len(1..=32)]
        name: heapless::String<NAME_BYTES_MAX>,
        /// What it shall be for that time; `active` when absent.
        state: Option<State>,
        /// For how long, in milliseconds. Each output has a limit of its own, which `gpio_list` tells.
        #[range(1..=240_000)]
        milliseconds: u32,
    }

    pub(crate) struct GpioWait {
        /// The input's name, as `gpio_list` tells it.
        #[len(1..=32)]
        name: heapless::String<NAME_BYTES_MAX>,
        /// Which change to wait for; `any` when absent.
        edge: Option<WaitFor>,
        /// For how long at most, in seconds.
        #[range(1..=240)]
        timeout_seconds: u16,
    }

    pub(crate) enum State {
        /// on, whatever level that is on the wire
        Active,
        /// off
        Inactive,
    }

    pub(crate) enum WaitFor {
        /// from inactive to active
        Activation,
        /// from active to inactive
        Deactivation,
        /// both
        Any,
    }
}

impl Control {
    fn line(&self, call: &Call<'_>, name: &str) -> Result<&Line, ToolError> {
        find(self.lines.iter(), "GPIO line", name, call.principal(), |line| (&line.setup.name, &line.setup.who))
    }

    /// `gpio_list`
    pub(crate) async fn gpio_list(&self, call: &mut Call<'_>) -> ToolResult {
        let principal = call.principal().clone();
        let mut any = false;
        for line in self.lines.iter().filter(|line| line.setup.who.check(&principal).is_ok()) {
            call.print(format_args!("{}\n", line.told())).await;
            any = true;
        }
        if any { call.done().await } else { call.text("There is no GPIO line that you may use.").await }
    }

    /// `gpio_read`
    pub(crate) async fn gpio_read(&self, call: &mut Call<'_>, args: GpioLine) -> ToolResult {
        let line = self.line(call, &args.name)?;
        let active = line.take()?.is_active()?;
        call.reply(format_args!("{}: {}", args.name, Shown(active))).await
    }

    /// `gpio_write`
    pub(crate) async fn gpio_write(&self, call: &mut Call<'_>, args: GpioWrite) -> ToolResult {
        let line = self.line(call, &args.name)?;
        let (output, active) = (line.output()?, args.state == State::Active);
        let is_safe = active == output.safe;
        if !is_safe {
            self.can_hold(output.release, call)?;
        }
        confirm(call, &line.setup.who, format_args!("Set {} to {}?", line.title(), Shown(active))).await?;
        if is_safe {
            // Whoever has it, and whatever for: what is safe is let through.
            let taken = line.take()?;
            line.end_pulse(active);
            line.set(&*taken, active)?;
            line.held.clear();
            log::info!("GPIO line {} is {}, set by {}", args.name, Shown(active), by(call));
            return call.reply(format_args!("{}: {}", args.name, Shown(active))).await;
        }
        line.is_free()?;
        self.can_hold(output.release, call)?;
        let taken = line.take()?;
        let mut setting = Setting::begin(line);
        line.set(&*taken, active)?;
        setting.is_over = true;
        log::info!("GPIO line {} is {}, set by {}", args.name, Shown(active), by(call));
        let until = line.held.take(output.release, call);
        self.tell_keeper();
        call.reply(format_args!("{}: {}{until}", args.name, Shown(active))).await
    }

    /// `gpio_pulse`
    pub(crate) async fn gpio_pulse(&self, call: &mut Call<'_>, args: GpioPulse) -> ToolResult {
        let line = self.line(call, &args.name)?;
        let output = line.output()?;
        let active = args.state.is_none_or(|state| state == State::Active);
        let (milliseconds, max) = (args.milliseconds, output.pulse_ms_max);
        if u64::from(milliseconds) > max {
            return Err(format!("a pulse of {} has at most {max} ms", args.name).into());
        }
        let (title, state) = (line.title(), Shown(active));
        confirm(call, &line.setup.who, format_args!("Set {title} to {state} for {milliseconds} ms?")).await?;
        line.is_free()?;
        self.is_here(output.release, call)?;
        let taken = line.take()?;
        if line.last.get() == active {
            return Err(format!("{} is {} already", args.name, Shown(active)).into());
        }
        line.after.set(!active);
        let (pulse, ended) = smol::channel::bounded(1);
        *line.pulse.borrow_mut() = Some(pulse);
        let mut busy = Busy::begin(line, taken.clone(), true);
        if active != output.safe {
            // The end of its client, or of its time, ends the pulse as well.
            line.held.take(output.release, call);
            self.tell_keeper();
        }
        let begun = Instant::now();
        line.set(&*taken, active)?;
        log::info!("GPIO line {} is {} for {milliseconds} ms, set by {}", args.name, Shown(active), by(call));
        let time = async {
            Timer::after(Duration::from_millis(milliseconds.into())).await;
            true
        };
        let cut = async {
            let Err(_) = ended.recv().await;
            false
        };
        busy.is_over = smol::future::or(time, cut).await;
        let lasted = if busy.is_over { milliseconds.into() } else { begun.elapsed().as_millis() };
        drop(busy);
        let (state, now) = (Shown(active), Shown(line.last.get()));
        call.reply(format_args!("{}: was {state} for {lasted} ms, is {now} now", args.name)).await
    }

    /// `gpio_wait`
    pub(crate) async fn gpio_wait(&self, call: &mut Call<'_>, args: GpioWait) -> ToolResult {
        let line = self.line(call, &args.name)?;
        if line.setup.output().is_some() {
            return Err(format!("{} is an output: only inputs are waited for", args.name).into());
        }
        line.is_free()?;
        let taken = line.take()?;
        let edges = match args.edge.unwrap_or(WaitFor::Any) {
            WaitFor::Activation => Edges::Rising,
            WaitFor::Deactivation => Edges::Falling,
            WaitFor::Any => Edges::Both,
        };
        let _busy = Busy::begin(line, taken.clone(), false);
        taken.watch(Some(edges))?;
        let (begun, limit) = (Instant::now(), Duration::from_secs(args.timeout_seconds.into()));
        loop {
            let left = limit.saturating_sub(begun.elapsed());
            let edge = std::future::poll_fn(|cx| taken.poll_edge(cx));
            let edge = smol::future::or(async { Some(edge.await) }, async {
                Timer::after(left.min(PROGRESS_EVERY)).await;
                None
            });
            let waited = |edge: Option<Result<Edge, Fault>>| (edge, begun.elapsed().as_secs_f64());
            match waited(edge.await) {
                (Some(edge), seconds) => {
                    let now = Shown(edge? == Edge::Rising);
                    return call.reply(format_args!("{} became {now} after {seconds:.3} s", args.name)).await;
                }
                (None, _) if begun.elapsed() >= limit => {
                    let now = Shown(taken.is_active()?);
                    let seconds = args.timeout_seconds;
                    return call
                        .reply(format_args!("{} did not change so in {seconds} s; it is {now}", args.name))
                        .await;
                }
                (None, seconds) => {
                    call.progress(seconds, Some(limit.as_secs_f64()), Some("waiting for the line to change")).await;
                }
            }
        }
    }
}

impl Line {
    /// What people call it: its name, and what hangs on it.
    fn title(&self) -> impl fmt::Display {
        let name = &self.setup.name;
        self.setup.about.as_ref().map_or_else(|| name.clone(), |about| format!("{name} ({about})"))
    }

    fn told(&self) -> impl fmt::Display {
        let now = match self.take().and_then(|taken| taken.is_active()) {
            Ok(active) if self.busy.get() => format!("{} now, and a call has it to itself", Shown(active)),
            Ok(active) => format!("{} now", Shown(active)),
            Err(fault) => format!("can't be used now: {fault}"),
        };
        let (title, confirmed) = (self.title(), if self.setup.who.confirm { ", the user is asked first" } else { "" });
        let Some(output) = self.setup.output() else { return format!("{title}: input, {now}") };
        let (safe, pulse) = (Shown(output.safe), output.pulse_ms_max);
        format!("{title}: output, {now}; safe state {safe}, pulses up to {pulse} ms{confirmed}")
    }
}

/// Who calls, for the log.
pub(super) fn by(call: &Call<'_>) -> String {
    call.principal().name().map_or_else(|| "a client".to_owned(), |name| format!("{name:?}"))
}
