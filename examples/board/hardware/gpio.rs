//! GPIO lines, by the kernel's character device (`/dev/gpiochipN`, the second version of its interface).

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use gpiocdev::line::{Bias as CdevBias, Drive as CdevDrive, EdgeDetection, EdgeKind, Value};
use gpiocdev::{Request, chip, request};
use smol::Async;

use super::Fault;
use crate::config::gpio::{Bias, Direction, Drive, Line as Setup, LineId};

/// What other programs read of who has a line (`gpioinfo`).
const CONSUMER: &str = "smol-mcp board";

/// A chip with lines.
pub(crate) trait Chip {
    /// The number of a line, if the chip has it.
    ///
    /// # Errors
    /// It has no such line.
    fn offset(&self, line: &LineId) -> Result<u32, Fault>;

    /// Takes a line for this program alone, set up so; an output begins at its safe state.
    ///
    /// # Errors
    /// Another program or driver has it, or the chip can't do what is asked.
    fn request(&self, setup: &Setup) -> Result<Box<dyn Line>, Fault>;
}

/// A line that this program has.
pub(crate) trait Line {
    /// Whether it is active now.
    ///
    /// # Errors
    /// The kernel does not tell.
    fn is_active(&self) -> Result<bool, Fault>;

    /// Sets an output.
    ///
    /// # Errors
    /// The kernel does not do it.
    fn set(&self, active: bool) -> Result<(), Fault>;

    /// From now on these edges are kept to be told; those that were kept before are forgotten. None: no more.
    ///
    /// # Errors
    /// The line can't tell edges.
    fn watch(&self, edges: Option<Edges>) -> Result<(), Fault>;

    /// The next edge, once there is one.
    fn poll_edge(&self, cx: &mut Context<'_>) -> Poll<Result<Edge, Fault>>;
}

/// Which edges are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edges {
    /// From inactive to active.
    Rising,
    /// From active to inactive.
    Falling,
    /// Both.
    Both,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// It became active.
    Rising,
    /// It became inactive.
    Falling,
}

impl Edges {
    /// Whether this edge is one of them.
    pub(crate) fn include(self, edge: Edge) -> bool {
        self == Self::Both || (self == Self::Rising) == (edge == Edge::Rising)
    }
}

/// A chip of the kernel's.
pub(crate) struct CharacterDevice {
    path: PathBuf,
}

impl CharacterDevice {
    /// The chip of this name (`gpiochip0`), path or label.
    ///
    /// # Errors
    /// There is none, or it may not be used.
    pub(crate) fn open(name: &str) -> Result<Self, Fault> {
        let path = match name {
            path if path.contains('/') => PathBuf::from(path),
            name if name.starts_with("gpiochip") => Path::new("/dev").join(name),
            label => labelled(label)?,
        };
        // Whether it is there and may be used is known from here on.
        chip::Chip::from_path(&path).map_err(|error| fault(&error))?;
        Ok(Self { path })
    }

    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Chip for CharacterDevice {
    fn offset(&self, line: &LineId) -> Result<u32, Fault> {
        let chip = chip::Chip::from_path(&self.path).map_err(|error| fault(&error))?;
        match line {
            LineId::Offset(offset) => {
                let count = chip.info().map_err(|error| fault(&error))?.num_lines;
                let lacks = || {
                    format!(
                        "{} has the lines 0 to {}, and no line {offset}",
                        self.path.display(),
                        count.saturating_sub(1)
                    )
                };
                if *offset < count { Ok(*offset) } else { Err(lacks()) }
            }
            LineId::Name(name) => {
                let count = chip.info().map_err(|error| fault(&error))?.num_lines;
                let is_called = |offset: &u32| chip.line_info(*offset).is_ok_and(|info| info.name == *name);
                let found: Vec<u32> = (0..count).filter(is_called).collect();
                match found.as_slice() {
                    [only] => Ok(*only),
                    [] => Err(format!("{} has no line called {name:?}", self.path.display())),
                    all => Err(format!(
                        "{} has the lines {all:?} of the name {name:?}: give the number",
                        self.path.display()
                    )),
                }
            }
        }
    }

    fn request(&self, setup: &Setup) -> Result<Box<dyn Line>, Fault> {
        let offset = self.offset(&setup.id)?;
        let config = config(&self.path, offset, setup, None);
        let request = Request::from_config(config).with_consumer(CONSUMER).request().map_err(|error| fault(&error))?;
        let request = match setup.output() {
            Some(_) => Taken::Output(request),
            // Only these are waited for.
            None => Taken::Input(Async::new(request).map_err(|error| error.to_string())?),
        };
        Ok(Box::new(Requested {
            request,
            offset,
            setup: setup.clone(),
            edges: Cell::new(None),
            path: self.path.clone(),
        }))
    }
}

/// A line that the kernel has given to this program.
struct Requested {
    request: Taken,
    path: PathBuf,
    offset: u32,
    setup: Setup,
    edges: Cell<Option<Edges>>,
}

enum Taken {
    Input(Async<Request>),
    Output(Request),
}

impl Taken {
    fn get(&self) -> &Request {
        match self {
            Self::Input(request) => request.get_ref(),
            Self::Output(request) => request,
        }
    }
}

impl Requested {
    fn next_edge(&self) -> Result<Option<Edge>, Fault> {
        let request = self.request.get();
        while request.has_edge_event().map_err(|error| fault(&error))? {
            let event = request.read_edge_event().map_err(|error| fault(&error))?;
            let edge = if event.kind == EdgeKind::Rising { Edge::Rising } else { Edge::Falling };
            if self.edges.get().is_some_and(|edges| edges.include(edge)) {
                return Ok(Some(edge));
            }
        }
        Ok(None)
    }
}

impl Line for Requested {
    fn is_active(&self) -> Result<bool, Fault> {
        self.request.get().value(self.offset).map(|value| value == Value::Active).map_err(|error| fault(&error))
    }

    fn set(&self, active: bool) -> Result<(), Fault> {
        self.request.get().set_value(self.offset, value(active)).map(drop).map_err(|error| fault(&error))
    }

    fn watch(&self, edges: Option<Edges>) -> Result<(), Fault> {
        // What was kept before goes.
        self.edges.set(None);
        self.next_edge()?;
        let config = config(&self.path, self.offset, &self.setup, edges);
        self.request.get().reconfigure(&config).map_err(|error| fault(&error))?;
        self.edges.set(edges);
        Ok(())
    }

    fn poll_edge(&self, cx: &mut Context<'_>) -> Poll<Result<Edge, Fault>> {
        let Taken::Input(request) = &self.request else {
            return Poll::Ready(Err("an output has no edges".to_owned()));
        };
        loop {
            if let Some(edge) = self.next_edge().transpose() {
                return Poll::Ready(edge);
            }
            match request.poll_readable(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.to_string())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// How the kernel is to set up a line.
fn config(path: &Path, offset: u32, setup: &Setup, edges: Option<Edges>) -> request::Config {
    let mut config = request::Config::default();
    config.on_chip(path).with_line(offset);
    match &setup.direction {
        Direction::Input { debounce } => {
            config.as_input();
            if let Some(period) = debounce {
                config.with_debounce_period(*period);
            }
            if let Some(edges) = edges {
                config.with_edge_detection(match edges {
                    Edges::Rising => EdgeDetection::RisingEdge,
                    Edges::Falling => EdgeDetection::FallingEdge,
                    Edges::Both => EdgeDetection::BothEdges,
                });
            }
        }
        Direction::Output(output) => {
            config.as_output(value(output.safe));
            config.with_drive(match output.drive {
                Drive::PushPull => CdevDrive::PushPull,
                Drive::OpenDrain => CdevDrive::OpenDrain,
                Drive::OpenSource => CdevDrive::OpenSource,
            });
        }
    }
    if let Some(bias) = setup.bias {
        config.with_bias(match bias {
            Bias::Disabled => CdevBias::Disabled,
            Bias::PullUp => CdevBias::PullUp,
            Bias::PullDown => CdevBias::PullDown,
        });
    }
    if setup.active_low {
        config.as_active_low();
    }
    config
}

fn value(active: bool) -> Value {
    if active { Value::Active } else { Value::Inactive }
}

/// The chip with this label, which stays when chips are counted otherwise.
fn labelled(label: &str) -> Result<PathBuf, Fault> {
    let chips = chip::chips().map_err(|error| fault(&error))?;
    let has_label = |path: &PathBuf| {
        let info = chip::Chip::from_path(path).and_then(|chip| chip.info());
        info.is_ok_and(|info| info.label == label)
    };
    // Two expanders of one kind have the same label, and which is counted first changes from start to start.
    let mut found: Vec<PathBuf> = chips.into_iter().filter(has_label).collect();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            let names: Vec<String> = found.iter().chain([&last]).map(|path| path.display().to_string()).collect();
            Err(format!("several GPIO chips have the label {label:?}: {}; give the path of one", names.join(", ")))
        }
        (None, _) => Err(format!("there is no GPIO chip {label:?} (see `gpiodetect`)")),
    }
}

/// What the crate says, and what to do about it where that is known. Its errors of the kernel have a type that it does not show: the number stands
/// in their words alone, as the standard library writes it.
fn fault(error: &gpiocdev::Error) -> Fault {
    let text = error.to_string();
    let hint = if text.contains("(os error 13)") || text.contains("(os error 1)") {
        "; run the server with the group that owns the chip, mostly `gpio`"
    } else if text.contains("(os error 16)") {
        "; another program or a driver has this line, see `gpioinfo`"
    } else {
        ""
    };
    text + hint
}
