//! A GPIO line, and what is known of it while the server runs.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use smol::channel::Sender;
use smol_mcp::ToolError;

use super::held::{Held, Output};
use crate::config::gpio::{Line as Setup, Output as Settings};
use crate::hardware::gpio::Line as Taken;
use crate::hardware::{Fault, Hardware};

/// A line that may be used, taken from the kernel at its first use.
pub(crate) struct Line {
    /// What the configuration says of it.
    pub(super) setup: Setup,
    hardware: Rc<Hardware>,
    /// The kernel's, once it was had.
    pub(crate) taken: RefCell<Option<Rc<dyn Taken>>>,
    /// For whom it is as it is.
    pub(super) held: Held,
    /// A call has it to itself: it is in a pulse, or is waited for.
    pub(super) busy: Cell<bool>,
    /// What it is after the pulse it is in.
    pub(super) after: Cell<bool>,
    /// What it was last set to. Many drivers read an output's wire, which others may drive as well.
    pub(super) last: Cell<bool>,
    /// The pulse it is in ends when this is dropped.
    pub(super) pulse: RefCell<Option<Sender<Infallible>>>,
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

    /// Sets it, and remembers that.
    ///
    /// # Errors
    /// The kernel does not do it.
    pub(super) fn set(&self, taken: &dyn Taken, active: bool) -> Result<(), Fault> {
        taken.set(active)?;
        self.last.set(active);
        Ok(())
    }

    /// Ends the pulse it is in, if it is in one; it stays in its safe state then.
    pub(super) fn end_pulse(&self, safe: bool) {
        self.after.set(safe);
        self.pulse.borrow_mut().take();
    }

    /// The line itself, taken from the kernel now unless it was before.
    ///
    /// # Errors
    /// It can't be had.
    pub(super) fn take(&self) -> Result<Rc<dyn Taken>, Fault> {
        if let Some(taken) = &*self.taken.borrow() {
            return Ok(taken.clone());
        }
        let taken: Rc<dyn Taken> = self.hardware.chip(&self.setup.chip)?.request(&self.setup)?.into();
        *self.taken.borrow_mut() = Some(taken.clone());
        Ok(taken)
    }

    /// What it has as an output.
    ///
    /// # Errors
    /// It is an input.
    pub(super) fn output(&self) -> Result<&Settings, ToolError> {
        self.setup.output().ok_or_else(|| format!("{} is an input", self.setup.name).into())
    }

    /// Whether no call has it to itself.
    ///
    /// # Errors
    /// One has.
    pub(super) fn is_free(&self) -> Result<(), ToolError> {
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

/// Brings a line to its safe state where it is not known whether it was set: the kernel said no, which an expander's driver also says when the answer
/// alone was lost, or there is a bug.
pub(super) struct Setting<'l> {
    line: &'l Line,
    /// It was set.
    pub(super) is_over: bool,
}

impl<'l> Setting<'l> {
    /// The line is about to be set.
    pub(super) fn begin(line: &'l Line) -> Self {
        Self { line, is_over: false }
    }
}

impl Drop for Setting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            super::release(self.line, "it could not be set");
        }
    }
}

/// Ends what a call has to itself, however that ends.
pub(super) struct Busy<'l> {
    line: &'l Line,
    taken: Rc<dyn Taken>,
    is_pulse: bool,
    /// The call did all it wanted to.
    pub(super) is_over: bool,
}

impl<'l> Busy<'l> {
    /// The call has the line to itself from now on.
    pub(super) fn begin(line: &'l Line, taken: Rc<dyn Taken>, is_pulse: bool) -> Self {
        line.busy.set(true);
        Self { line, taken, is_pulse, is_over: false }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let line = self.line;
        line.busy.set(false);
        if self.is_pulse {
            // It may be a bug that ends the call.
            if catch_unwind(AssertUnwindSafe(|| self.end_pulse())).is_err() {
                log::error!(
                    "GPIO line {} could not be brought back at the end of a pulse: this is a bug",
                    line.setup.name
                );
            }
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

/// The state of a line, in words.
pub(super) struct Shown(pub(super) bool);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "active" } else { "inactive" })
    }
}
