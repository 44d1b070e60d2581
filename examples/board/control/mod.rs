//! What acts on hardware, within what the configuration allows: GPIO lines, PWM channels, I2C devices, LEDs.
//!
//! An output that was set returns to its safe state when the server ends (as `Control` is dropped, also by a panic), and where the configuration
//! says so, when the client that set it is gone, or when nobody set it again for a while. However it
//! ends, the kernel then takes its lines back, and what their level is depends on the chip's driver. What must not be on needs a resistor that says so.

pub(crate) mod buses;
pub(crate) mod held;
pub(crate) mod leds;
pub(crate) mod line;
pub(crate) mod lines;
pub(crate) mod pwm;
pub(crate) mod pwms;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use smol::Timer;
use smol::channel::{Receiver, Sender};
use smol::future::zip;
use smol_mcp::{Call, ClientEvent, Principal, ToolError};

use crate::config::{self, Config, Release, Who};
use crate::hardware::Hardware;
use crate::sources::root::Root;
use buses::Bus;
use held::{Held, Output};
use line::Line;
use pwm::Pwm;

/// All that may be acted on.
pub(crate) struct Control {
    pub(crate) lines: Vec<Line>,
    pub(crate) buses: Vec<Bus>,
    pub(crate) pwms: Vec<Pwm>,
    /// The clients whose sessions are open: no more than the server has room for.
    clients: RefCell<BTreeSet<u64>>,
    /// Something is held until another time than before.
    changed: Sender<()>,
    changes: Receiver<()>,
}

impl Control {
    /// What this configuration allows. Nothing is touched before the first use, or [`keep`](Self::keep).
    pub(crate) fn new(config: &Config, root: &Root, simulate: bool) -> Rc<Self> {
        let hardware = Rc::new(Hardware::new(root.clone(), simulate));
        let (changed, changes) = smol::channel::bounded(1);
        let pwm = |setup: &config::pwm::Pwm| {
            Pwm::new(setup.clone(), hardware.pwm(setup.chip, setup.channel), changed.clone())
        };
        Rc::new(Self {
            lines: config.gpio.iter().map(|line| Line::new(line.clone(), hardware.clone(), changed.clone())).collect(),
            buses: config.i2c.iter().map(|bus| Bus::new(bus.clone(), &hardware)).collect(),
            pwms: config.pwm.iter().map(pwm).collect(),
            clients: RefCell::default(),
            changed,
            changes,
        })
    }

    /// Brings all outputs to their safe states, and from then on back to them when their time is over.
    pub(crate) async fn keep(&self) -> Infallible {
        for line in &self.lines {
            line.begin();
        }
        // Some wait for their files, in which time others are not to be held for longer than they may.
        let begin = async {
            for pwm in &self.pwms {
                pwm.begin().await;
            }
        };
        zip(begin, self.rounds()).await.1
    }

    async fn rounds(&self) -> Infallible {
        loop {
            let now = Instant::now();
            for output in self.outputs().filter(|output| output.held().is_due(now)) {
                output.release("it was not set again in time");
            }
            for output in self.outputs().filter(|output| output.held().is_due_again(now)) {
                output.again();
            }
            let next = self.outputs().filter_map(|output| output.held().until()).min();
            let due = next.map_or_else(Timer::never, Timer::at);
            let changed = async {
                // The sender is as old as this.
                let _ = self.changes.recv().await;
            };
            smol::future::or(changed, async {
                due.await;
            })
            .await;
        }
    }

    /// A client came, or is gone: then what it holds returns to its safe state.
    pub(crate) fn on_client(&self, event: &ClientEvent<'_>) {
        match event {
            ClientEvent::Came { id, .. } => {
                self.clients.borrow_mut().insert(*id);
            }
            ClientEvent::Went { id } => {
                self.clients.borrow_mut().remove(id);
                self.outputs()
                    .filter(|output| output.held().is_of(*id))
                    .for_each(|output| release(output, "its client is gone"));
            }
            _ => {}
        }
    }

    /// Whether this call may set an output that is released so. A call goes on when its session ends, so that this is to be asked again directly
    /// before something is set.
    ///
    /// # Errors
    /// It is let go with its client, and nothing will tell of that, or has told it already.
    pub(crate) fn can_hold(&self, release: Release, call: &Call<'_>) -> Result<(), ToolError> {
        self.is_here(release, call)?;
        Held::can_hold(release, call)
    }

    /// Whether the client of this call is not gone, where that matters to an output that is released so.
    ///
    /// # Errors
    /// It is gone.
    fn is_here(&self, release: Release, call: &Call<'_>) -> Result<(), ToolError> {
        let is_gone = call.client().is_some_and(|client| !self.clients.borrow().contains(&client));
        if release.with_client && is_gone {
            return Err("this output is let go when its client is gone, and your session has ended".into());
        }
        Ok(())
    }

    /// Something is held, or is no more.
    pub(crate) fn tell_keeper(&self) {
        // One that was told already looks at all.
        let _ = self.changed.try_send(());
    }

    fn outputs(&self) -> impl Iterator<Item = &dyn Output> {
        let lines = self.lines.iter().map(|line| -> &dyn Output { line });
        lines.chain(self.pwms.iter().map(|pwm| -> &dyn Output { pwm }))
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.outputs().for_each(|output| release(output, "the server ends"));
    }
}

/// Releases it. Should that panic, the other outputs are to be released none the less.
fn release(output: &dyn Output, why: &str) {
    if catch_unwind(AssertUnwindSafe(|| output.release(why))).is_err() {
        log::error!("an output could not be brought to its safe state ({why}): this is a bug");
    }
}

/// The thing of this name, if the caller may use it. One that the caller may not use is told apart from one that is not there: who asks by its name
/// knows of it.
fn find<'a, T>(
    all: impl Iterator<Item = &'a T> + Clone,
    kind: &str,
    name: &str,
    principal: &Principal,
    of: impl Fn(&T) -> (&str, &Who),
) -> Result<&'a T, ToolError> {
    let Some(found) = all.clone().find(|one| of(one).0 == name) else {
        let usable = all.map(of).filter(|(_, who)| who.check(principal).is_ok());
        let names: Vec<&str> = usable.map(|(name, _)| name).collect();
        let there = if names.is_empty() { "none that you may use".to_owned() } else { names.join(", ") };
        return Err(format!("no {kind} is called {name:?}; there are: {there}").into());
    };
    of(found).1.check(principal).map_err(ToolError::new)?;
    Ok(found)
}

/// Asks the user, where the configuration wants that. What has an effect comes after it.
async fn confirm(call: &mut Call<'_>, who: &Who, words: impl Display) -> Result<(), ToolError> {
    if who.confirm { Ok(call.confirm(words).await?) } else { Ok(()) }
}
