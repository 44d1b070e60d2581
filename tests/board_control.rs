//! What the board example does where the kernel does not set an output.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "this is all tests")]
#![allow(dead_code, reason = "the example uses the rest")]

#[path = "../examples/board/app.rs"]
mod app;
#[path = "../examples/board/children/mod.rs"]
mod children;
#[path = "../examples/board/commands/mod.rs"]
mod commands;
#[path = "../examples/board/config/mod.rs"]
mod config;
#[path = "../examples/board/control/mod.rs"]
mod control;
#[path = "../examples/board/hardware/mod.rs"]
mod hardware;
#[path = "../examples/board/offers.rs"]
mod offers;
#[path = "../examples/board/overview.rs"]
mod overview;
#[path = "../examples/board/resources.rs"]
mod resources;
#[path = "../examples/board/sensing/mod.rs"]
mod sensing;
#[path = "../examples/board/sources/mod.rs"]
mod sources;
#[path = "../examples/board/tools.rs"]
mod tools;
#[path = "../examples/board/units.rs"]
mod units;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use control::Control;
use control::held::Output as _;
use hardware::Fault;
use hardware::gpio::{Edge, Edges, Line};
use hardware::pwm::{Signal, steps};
use smol_mcp::ClientEvent;

const LINES: &str = "[gpio.one]\nchip = \"sim\"\nline = 1\ndirection = \"output\"\n[gpio.two]\nchip = \"sim\"\nline = 2\ndirection = \"output\"\n";

/// A line that refuses to be set so many times, and when it was set.
#[derive(Default)]
struct Stubborn {
    refuses: Cell<u32>,
    panics: bool,
    sets: RefCell<Vec<(Instant, bool)>>,
}

impl Line for Stubborn {
    fn is_active(&self) -> Result<bool, Fault> {
        // As where another device pulls the wire to what is safe.
        Ok(false)
    }

    fn set(&self, active: bool) -> Result<(), Fault> {
        assert!(!self.panics, "as a bug does");
        self.sets.borrow_mut().push((Instant::now(), active));
        let left = self.refuses.get();
        self.refuses.set(left.saturating_sub(1));
        if left == 0 { Ok(()) } else { Err("no answer".to_owned()) }
    }

    fn watch(&self, _: Option<Edges>) -> Result<(), Fault> {
        Ok(())
    }

    fn poll_edge(&self, _: &mut Context<'_>) -> Poll<Result<Edge, Fault>> {
        Poll::Pending
    }
}

/// The control of two outputs, the first of which is this one.
fn control(first: Stubborn) -> (Rc<Control>, [Rc<Stubborn>; 2]) {
    let config = config::parse("board.toml".to_owned(), LINES).unwrap();
    let control = Control::new(&config, &sources::root::Root::new(Path::new("/")), false);
    let lines = [Rc::new(first), Rc::new(Stubborn::default())];
    for (line, taken) in control.lines.iter().zip(&lines) {
        line.taken.replace(Some(taken.clone()));
    }
    (control, lines)
}

#[test]
fn a_safe_state_that_could_not_be_set_is_tried_again() {
    let (control, [first, second]) = control(Stubborn { refuses: Cell::new(2), ..Stubborn::default() });
    control.lines[0].release("a test");
    assert!(control.lines[0].held().until().is_some(), "something is left to do");
    let time = async {
        smol::Timer::after(Duration::from_millis(3_500)).await;
    };
    smol::block_on(smol::future::or(time, async {
        control.keep().await;
    }));
    let sets = first.sets.borrow();
    let gaps: Vec<u128> = sets.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_millis()).collect();
    // After a second, and then after two: not at once, and no more once it is done.
    assert!(matches!(gaps.as_slice(), [1_000..1_400, 2_000..2_400]), "{gaps:?}");
    assert!(sets.iter().all(|(_, active)| !active) && second.sets.borrow().is_empty());
    assert_eq!(control.lines[0].held().until(), None);
}

#[test]
fn what_is_wrong_with_one_output_leaves_the_others_safe() {
    let (control, [_, second]) = control(Stubborn { panics: true, ..Stubborn::default() });
    control.on_client(&ClientEvent::Went { id: 1 });
    assert!(second.sets.borrow().is_empty(), "that client held nothing");
    drop(control);
    assert_eq!(second.sets.borrow().len(), 1, "it is set, whatever its wire says");
}

/// A PWM channel as the kernel has it: what it takes, and what it refuses.
struct Kernel(Signal);

impl Kernel {
    fn write(&mut self, file: &str, value: &str) -> Result<(), &'static str> {
        let now = &mut self.0;
        match file {
            "period" => now.period_ns = value.parse().unwrap(),
            "duty_cycle" => now.duty_ns = value.parse().unwrap(),
            "enable" => now.enabled = value == "1",
            "polarity" if now.enabled => return Err("EBUSY: it runs"),
            "polarity" if now.period_ns == 0 => return Err("EINVAL: it has no period"),
            "polarity" => now.inversed = value == "inversed",
            _ => return Err("no such file"),
        }
        if now.duty_ns > now.period_ns || (now.enabled && now.period_ns == 0) {
            return Err("EINVAL: the active part is longer than the period, or there is none");
        }
        Ok(())
    }
}

#[test]
fn a_channel_comes_from_anything_to_anything_as_the_kernel_has_it() {
    let times =
        [(2_500_000, 0), (2_500_000, 312_500), (2_500_000, 2_500_000), (20_000_000, 500_000), (20_000_000, 2_500_000)];
    let fresh = Signal { period_ns: 0, duty_ns: 0, enabled: false, inversed: false };
    let all = || {
        times.into_iter().flat_map(|(period_ns, duty_ns)| {
            [(false, false), (false, true), (true, false), (true, true)].map(|(enabled, inversed)| Signal {
                period_ns,
                duty_ns,
                enabled,
                inversed,
            })
        })
    };
    for now in all().chain([fresh]) {
        for wanted in all() {
            let most = now.percent().max(wanted.percent());
            let mut kernel = Kernel(now);
            for (file, value) in steps(now, wanted).into_iter().flatten() {
                kernel
                    .write(file, &value)
                    .unwrap_or_else(|error| panic!("{now:?} -> {wanted:?}: {file} {value}: {error}"));
                assert!(!kernel.0.enabled || kernel.0.percent() <= most, "{now:?} -> {wanted:?}: {file} {value}");
            }
            assert_eq!(kernel.0, wanted, "from {now:?}");
        }
    }
}
