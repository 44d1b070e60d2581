//! GPIO lines: their tools.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use smol::Timer;
use smol::channel::Sender;
use smol_mcp::{Call, ToolError, ToolResult, args, heapless};

use super::held::{Held, Output};
use super::{Control, confirm, find};
use crate::config::gpio::{Line as Setup, NAME_BYTES_MAX, Output as Settings, PULSE_MS_MAX};
use crate::hardware::gpio::{Edge, Edges, Line as Taken};
use crate::hardware::{Fault, Hardware};

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

/// A line that may be used, taken from the kernel at its first use.
pub(crate) struct Line {
    setup: Setup,
    hardware: Rc<Hardware>,
    taken: RefCell<Option<Rc<dyn Taken>>>,
    held: Held,
    /// A call has it to itself: it is in a pulse, or is waited for.
    busy: Cell<bool>,
    /// What it is after the pulse it is in.
    after: Cell<bool>,
    /// What it was last set to. Many drivers read an output's wire, which others may drive as well.
    last: Cell<bool>,
    /// The pulse it is in ends when this is dropped.
    pulse: RefCell<Option<Sender<Infallible>>>,
    /// To the keeper: there is something to do at another time than before.
    changed: Sender<()>,
}

impl Line {
    /// A line that is not taken yet.
    pub(crate) fn new(setup: Setup, hardware: Rc<Hardware>, changed: Sender<()>) -> Self {
        Self {
            last: Cell::new(setup.output().is_some_and(|output| output.safe)),
            setup,
            hardware,
            taken: RefCell::default(),
            held: Held::default(),
            busy: Cell::new(false),
            after: Cell::new(false),
            pulse: RefCell::default(),
            changed,
        }
    }

    /// Takes it, so that nobody else has it, and an output is in its safe state from the beginning. What is not there now may come later.
    pub(crate) fn begin(&self) {
        if let Err(fault) = self.take() {
            log::warn!("GPIO line {}: {fault}", self.setup.name);
            if self.setup.output().is_some() {
                self.failed();
            }
        }
    }

    /// It is not in its safe state, so that the keeper tries again.
    fn failed(&self) {
        self.held.failed();
        // One that was told already looks at all.
        let _ = self.changed.try_send(());
    }

    fn set(&self, taken: &dyn Taken, active: bool) -> Result<(), Fault> {
        taken.set(active)?;
        self.last.set(active);
        Ok(())
    }

    /// Ends the pulse it is in, if it is in one; it stays in its safe state then.
    fn end_pulse(&self, safe: bool) {
        self.after.set(safe);
        self.pulse.borrow_mut().take();
    }

    fn take(&self) -> Result<Rc<dyn Taken>, Fault> {
        if let Some(taken) = &*self.taken.borrow() {
            return Ok(taken.clone());
        }
        let taken: Rc<dyn Taken> = self.hardware.chip(&self.setup.chip)?.request(&self.setup)?.into();
        *self.taken.borrow_mut() = Some(taken.clone());
        Ok(taken)
    }

    fn output(&self) -> Result<&Settings, ToolError> {
        self.setup.output().ok_or_else(|| format!("{} is an input", self.setup.name).into())
    }

    fn is_free(&self) -> Result<(), ToolError> {
        if self.busy.get() { Err(format!("another call has {} now", self.setup.name).into()) } else { Ok(()) }
    }
}

impl Output for Line {
    fn held(&self) -> &Held {
        &self.held
    }

    fn release(&self, why: &str) {
        let (Some(output), Some(taken)) = (self.setup.output(), &*self.taken.borrow()) else { return };
        self.end_pulse(output.safe);
        let was = self.last.get();
        match self.set(&**taken, output.safe) {
            Ok(()) => {
                self.held.clear();
                if was != output.safe {
                    log::info!("GPIO line {} is {} again: {why}", self.setup.name, Shown(output.safe));
                }
            }
            Err(fault) => {
                log::error!("GPIO line {} could not be brought to its safe state ({why}): {fault}", self.setup.name);
                self.failed();
            }
        }
    }

    fn again(&self) {
        if self.taken.borrow().is_some() {
            return self.release("tried again");
        }
        // It begins in its safe state. Why it could not be had has been told when the server started.
        match self.take() {
            Ok(_) => {
                self.held.clear();
                log::info!("GPIO line {} is there now", self.setup.name);
            }
            Err(_) => self.failed(),
        }
    }
}

/// Ends what a call has to itself, however that ends.
struct Busy<'l> {
    line: &'l Line,
    taken: Rc<dyn Taken>,
    is_pulse: bool,
    /// The call did all it wanted to.
    is_over: bool,
}

impl<'l> Busy<'l> {
    fn begin(line: &'l Line, taken: Rc<dyn Taken>, is_pulse: bool) -> Self {
        line.busy.set(true);
        Self { line, taken, is_pulse, is_over: false }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let line = self.line;
        line.busy.set(false);
        if self.is_pulse {
            self.end_pulse();
        } else if let Err(fault) = self.taken.watch(None) {
            log::error!("GPIO line {}: {fault}", line.setup.name);
        }
    }
}

impl Busy<'_> {
    fn end_pulse(&self) {
        let (line, after) = (self.line, self.line.after.get());
        let (name, was) = (&line.setup.name, line.last.get());
        let is_safe = line.setup.output().is_some_and(|output| output.safe == after);
        line.pulse.borrow_mut().take();
        match line.set(&*self.taken, after) {
            Ok(()) => {
                if is_safe {
                    line.held.clear();
                }
                if !self.is_over && was != after {
                    log::info!("GPIO line {name} is {} again: the call of its pulse has ended", Shown(after));
                }
            }
            Err(fault) => {
                log::error!("GPIO line {name} could not be brought back at the end of a pulse: {fault}");
                if is_safe {
                    line.failed();
                }
            }
        }
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
        line.set(&*line.take()?, active)?;
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
        let question = format_args!("Set {} to {} for {milliseconds} ms?", line.title(), Shown(active));
        confirm(call, &line.setup.who, question).await?;
        line.is_free()?;
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

struct Shown(bool);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "active" } else { "inactive" })
    }
}

/// Who calls, for the log.
pub(super) fn by(call: &Call<'_>) -> String {
    call.principal().name().map_or_else(|| "a client".to_owned(), |name| format!("{name:?}"))
}
