//! What the board example does where the kernel does not set an output.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "this is all tests")]
#![allow(dead_code, reason = "the example uses the rest")]

#[path = "../examples/board/config/mod.rs"]
mod config;
#[path = "../examples/board/control/mod.rs"]
mod control;
#[path = "../examples/board/hardware/mod.rs"]
mod hardware;
#[path = "../examples/board/sources/mod.rs"]
mod sources;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use control::Control;
use control::held::Output as _;
use hardware::Fault;
use hardware::gpio::{Edge, Edges, Line};
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
