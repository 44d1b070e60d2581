//! A simulated GPIO chip. Lines at the same place are wired to each other: what an output there drives, an input there reads. Each output drives both
//! levels, and an input has no debounce period.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use super::Fault;
use super::gpio::{Chip, Edge, Edges, Line};
use crate::config::gpio::{Bias, Line as Setup, LineId};

/// Edges that are kept to be told, as many as the kernel keeps for a line.
const EDGES_MAX: usize = 16;

/// A chip that is not there.
pub(crate) struct SimChip {
    wires: RefCell<BTreeMap<u32, Rc<Wire>>>,
    /// Its names are only names, as those of a real chip that is played; else they end with the line's number.
    is_played: bool,
    names: RefCell<Vec<String>>,
}

/// The first number that a name is given on a chip that is played: beyond those of all chips.
const NAMED_FROM: u32 = 65_536;

impl SimChip {
    /// One without wires; `is_played`: in the place of a real one.
    pub(crate) fn new(is_played: bool) -> Self {
        Self { wires: RefCell::default(), is_played, names: RefCell::default() }
    }

    fn number_of(&self, name: &str) -> u32 {
        let mut names = self.names.borrow_mut();
        let at = names.iter().position(|own| own == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        u32::try_from(at).unwrap_or(0).saturating_add(NAMED_FROM)
    }
}

/// What lines at one place share.
#[derive(Default)]
struct Wire(RefCell<Level>);

#[derive(Default)]
struct Level {
    /// High or low, where an output drives it.
    driven: Option<bool>,
    inputs: Vec<Weak<RefCell<Watch>>>,
}

/// What an input waits for.
#[derive(Default)]
struct Watch {
    active_low: bool,
    pulled_up: bool,
    edges: Option<Edges>,
    kept: VecDeque<Edge>,
    waker: Option<Waker>,
}

/// A line of it.
struct SimLine {
    wire: Rc<Wire>,
    active_low: bool,
    is_output: bool,
    watch: Rc<RefCell<Watch>>,
}

impl Chip for SimChip {
    fn offset(&self, line: &LineId) -> Result<u32, Fault> {
        match line {
            LineId::Offset(offset) => Ok(*offset),
            LineId::Name(name) if self.is_played => Ok(self.number_of(name)),
            // As boards name them: GPIO17.
            LineId::Name(name) => {
                let digits = name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
                digits
                    .parse()
                    .map_err(|_| format!("a simulated chip has no line {name:?}: its names end with the line's number"))
            }
        }
    }

    fn request(&self, setup: &Setup) -> Result<Box<dyn Line>, Fault> {
        let wire = self.wires.borrow_mut().entry(self.offset(&setup.id)?).or_default().clone();
        let pulled_up = setup.bias == Some(Bias::PullUp);
        let watch = Rc::new(RefCell::new(Watch { active_low: setup.active_low, pulled_up, ..Watch::default() }));
        if setup.output().is_none() {
            wire.0.borrow_mut().inputs.push(Rc::downgrade(&watch));
        }
        let line = SimLine { wire, active_low: setup.active_low, is_output: setup.output().is_some(), watch };
        if let Some(output) = setup.output() {
            line.set(output.safe)?;
        }
        Ok(Box::new(line))
    }
}

impl Line for SimLine {
    fn is_active(&self) -> Result<bool, Fault> {
        Ok(self.wire.0.borrow().read(&self.watch.borrow()))
    }

    fn set(&self, active: bool) -> Result<(), Fault> {
        if !self.is_output {
            return Err("an input can't be set".to_owned());
        }
        self.wire.0.borrow_mut().drive(active != self.active_low);
        Ok(())
    }

    fn watch(&self, edges: Option<Edges>) -> Result<(), Fault> {
        let mut watch = self.watch.borrow_mut();
        watch.edges = edges;
        watch.kept.clear();
        Ok(())
    }

    fn poll_edge(&self, cx: &mut Context<'_>) -> Poll<Result<Edge, Fault>> {
        let mut watch = self.watch.borrow_mut();
        if let Some(edge) = watch.kept.pop_front() {
            return Poll::Ready(Ok(edge));
        }
        watch.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Level {
    fn read(&self, input: &Watch) -> bool {
        self.driven.unwrap_or(input.pulled_up) != input.active_low
    }

    fn drive(&mut self, high: bool) {
        let before = self.driven;
        self.driven = Some(high);
        self.inputs.retain(|input| input.strong_count() > 0);
        for input in self.inputs.iter().filter_map(Weak::upgrade) {
            let mut input = input.borrow_mut();
            if before.unwrap_or(input.pulled_up) == high {
                continue;
            }
            let edge = if high == input.active_low { Edge::Falling } else { Edge::Rising };
            if input.edges.is_some_and(|edges| edges.include(edge)) && input.kept.len() < EDGES_MAX {
                input.kept.push_back(edge);
                input.waker.take().into_iter().for_each(Waker::wake);
            }
        }
    }
}
