//! Programs that are run for a call: each with a time limit, a limit of what is kept of its output, and a process group of its own that ends
//! with it.
//!
//! What the program started goes when it goes: its group is killed when it has ended, when its time is over, and when nobody waits for it any
//! more. It is waited for only when it is dead or, if it takes that long to die, beside the server ([`Children::bury`]); it keeps its place
//! until then. (What a program moves into a group of its own on purpose goes on.)

mod capture;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{self, Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use smol::channel::{self, Receiver, Sender};
use smol::future::{or, pending, zip};
use smol::lock::{Semaphore, SemaphoreGuardArc};
use smol::{Async, Timer};

use capture::Capture;
pub(crate) use capture::Captured;

/// Programs that run at once, of all kinds: a board has few cores, and each has its memory.
pub(crate) const CHILDREN_MAX: usize = 4;
/// How long one that was killed is waited for. It needs longer only where a device holds it.
const DYING: Duration = Duration::from_secs(2);
/// How long output is awaited when the program has ended: what is left of it lies in the pipe already.
const DRAINING: Duration = Duration::from_millis(200);
/// How often one is looked at that can't be waited for in another way: on kernels before 5.3, and when it is buried.
const LOOKED_EVERY: Duration = Duration::from_millis(25);

/// The places for programs.
pub(crate) struct Children {
    places: Arc<Semaphore>,
    dying: (Sender<Dying>, Receiver<Dying>),
}

/// What is to be run.
pub(crate) struct Order<'o> {
    /// The program and its arguments. There is no shell.
    pub(crate) argv: &'o [OsString],
    /// All of its environment.
    pub(crate) environment: &'o [(OsString, OsString)],
    /// Where it begins.
    pub(crate) directory: &'o Path,
    /// How long it may take.
    pub(crate) timeout: Duration,
    /// How much of its output is kept, and as much of its errors, in bytes.
    pub(crate) output_bytes_max: usize,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its status; none where its time was over.
    pub(crate) status: Option<ExitStatus>,
    /// What it wrote to stdout.
    pub(crate) stdout: Captured,
    /// What it wrote to stderr.
    pub(crate) stderr: Captured,
}

/// Why a program was not run.
#[derive(Debug)]
pub(crate) enum NotRun {
    /// [`CHILDREN_MAX`] run already.
    Full,
    /// There is none of this name.
    Absent,
    /// The system's reason.
    Failed(io::Error),
}

impl Children {
    /// Places for [`CHILDREN_MAX`].
    pub(crate) fn new() -> Self {
        // Each that dies has a place, so that there is room for all of them.
        Self { places: Arc::new(Semaphore::new(CHILDREN_MAX)), dying: channel::bounded(CHILDREN_MAX) }
    }

    /// Runs a program. Where the future is dropped, the program is killed.
    ///
    /// # Errors
    /// It was not run.
    pub(crate) async fn run(&self, order: &Order<'_>) -> Result<Ended, NotRun> {
        let place = self.places.try_acquire_arc().ok_or(NotRun::Full)?;
        let mut child = spawn(order).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => NotRun::Absent,
            _ => NotRun::Failed(error),
        })?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut running = Running { child: Some(child), place: Some(place), dying: self.dying.0.clone() };
        let mut out = Capture::new(stdout, order.output_bytes_max).map_err(NotRun::Failed)?;
        let mut err = Capture::new(stderr, order.output_bytes_max).map_err(NotRun::Failed)?;
        let is_in_time = {
            let mut reading = pin!(async {
                zip(out.read(), err.read()).await;
                pending::<()>().await;
            });
            let group = running.group().ok_or(NotRun::Absent)?;
            let ends = async { exited(group).await };
            let is_in_time = or(within(ends, order.timeout), never(reading.as_mut())).await;
            running.kill();
            let is_dead = is_in_time || or(within(exited(group), DYING), never(reading.as_mut())).await;
            if is_dead {
                within(reading, DRAINING).await;
            }
            is_in_time
        };
        let status = running.reap();
        Ok(Ended { status: status.filter(|_| is_in_time), stdout: out.done(), stderr: err.done() })
    }

    /// Waits for those that take long to die, for as long as the server runs.
    pub(crate) async fn bury(&self) {
        let mut all: Vec<Dying> = Vec::with_capacity(CHILDREN_MAX);
        loop {
            let next = async { self.dying.1.recv().await.ok() };
            let look = async {
                if all.is_empty() {
                    pending::<()>().await;
                }
                Timer::after(LOOKED_EVERY).await;
                None
            };
            all.extend(or(next, look).await);
            all.retain_mut(|dying| matches!(dying.child.try_wait(), Ok(None)));
        }
    }
}

/// One that was killed and is not dead yet; it keeps its place.
struct Dying {
    child: Child,
    _place: SemaphoreGuardArc,
}

/// One that runs.
struct Running {
    child: Option<Child>,
    place: Option<SemaphoreGuardArc>,
    dying: Sender<Dying>,
}

impl Running {
    fn group(&self) -> Option<Pid> {
        self.child.as_ref().map(Pid::from_child)
    }

    // Its number is its own for as long as it was not waited for, be it dead.
    fn kill(&self) {
        if let Some(group) = self.group() {
            // There is nobody left.
            let _ = process::kill_process_group(group, Signal::KILL);
        }
    }

    // Takes the status of one that is dead.
    fn reap(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().ok()??;
        self.child = None;
        Some(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        // It was waited for already, or is dead now; others are waited for beside.
        let _ = self.reap();
        if let (Some(child), Some(place)) = (self.child.take(), self.place.take()) {
            let _ = self.dying.try_send(Dying { child, _place: place });
        }
    }
}

fn spawn(order: &Order<'_>) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    let (program, arguments) = order.argv.split_first().ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().current_dir(order.directory).process_group(0);
    command.envs(order.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// Waits until a child is dead, and leaves it to be waited for.
async fn exited(child: Pid) {
    let pidfd = process::pidfd_open(child, PidfdFlags::NONBLOCK).ok().and_then(|fd| Async::new_nonblocking(fd).ok());
    if let Some(pidfd) = pidfd {
        if pidfd.readable().await.is_ok() {
            return;
        }
    }
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    while let Ok(None) = process::waitid(WaitId::Pid(child), options) {
        Timer::after(LOOKED_EVERY).await;
    }
}

/// Whether something happened in that time.
async fn within(happens: impl Future<Output = ()>, time: Duration) -> bool {
    let happened = async {
        happens.await;
        true
    };
    let over = async {
        Timer::after(time).await;
        false
    };
    or(happened, over).await
}

/// What is done beside, and decides nothing.
async fn never(beside: impl Future<Output = ()>) -> bool {
    beside.await;
    pending().await
}
