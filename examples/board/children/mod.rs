//! Programs that are run for a call: each with a time limit, a limit of what is kept of its output, and a process group of its own that ends
//! with it.
//!
//! What the program started goes when it goes: its group is killed when it has ended, when its time is over, and when nobody waits for it any
//! more. It is waited for only when it is dead or, if it takes that long to die, beside the server ([`Children::bury`]); it keeps its place
//! until then, unless it has become another user's, whom this server may not kill. (What a program moves into a group of its own on purpose goes
//! on.)

mod capture;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{self, Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use smol::channel::{self, Receiver, Sender};
use smol::future::{or, pending, zip};
use smol::lock::{Semaphore, SemaphoreGuardArc};
use smol::{Async, Timer};

use capture::Capture;
pub(crate) use capture::Captured;

/// Programs that run at once, of all kinds: a board has few cores, and each has its memory.
pub(crate) const CHILDREN_MAX: usize = 4;
/// Programs of other users that go on although they were to end, which have no place among those any more: beyond it they keep it.
const GOING_ON_MAX: usize = 16;
/// How long one that was killed is waited for. It needs longer only where a device holds it.
const DYING: Duration = Duration::from_secs(2);
/// How long output is awaited when the program has ended: what is left of it lies in the pipe already.
const DRAINING: Duration = Duration::from_millis(200);
/// How often one is looked at that can't be waited for in another way: on kernels before 5.3, and when it is buried.
const LOOKED_EVERY: Duration = Duration::from_millis(25);
/// The same of one that goes on, which may be for days.
const LOOKED_SELDOM: Duration = Duration::from_secs(1);

/// The places for programs.
pub(crate) struct Children {
    places: Arc<Semaphore>,
    going_on: Arc<Semaphore>,
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
    /// Its end.
    pub(crate) end: End,
    /// What it wrote to stdout.
    pub(crate) stdout: Captured,
    /// What it wrote to stderr.
    pub(crate) stderr: Captured,
}

/// How a program ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// By itself.
    Status(ExitStatus),
    /// By itself, and its status went to somebody else: who started the server has it ignore SIGCHLD.
    Unknown,
    /// Its time was over, and it was killed.
    Killed,
    /// Its time was over, and it goes on: it belongs to another user, or a device holds it.
    GoesOn,
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
        Self {
            places: Arc::new(Semaphore::new(CHILDREN_MAX)),
            going_on: Arc::new(Semaphore::new(GOING_ON_MAX)),
            dying: channel::bounded(CHILDREN_MAX + GOING_ON_MAX),
        }
    }

    /// Runs a program. Where the future is dropped, the program is killed. It keeps a place here, and the one that is `also` its own, until it is
    /// dead, or may not be killed.
    ///
    /// # Errors
    /// It was not run.
    pub(crate) async fn run(&self, order: &Order<'_>, also: Option<SemaphoreGuardArc>) -> Result<Ended, NotRun> {
        let place = self.places.try_acquire_arc().ok_or(NotRun::Full)?;
        let mut child = spawn(order).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => NotRun::Absent,
            _ => NotRun::Failed(error),
        })?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (going_on, dying) = (self.going_on.clone(), self.dying.0.clone());
        let mut running = Running { child: Some(child), places: Some((place, also)), going_on, dying };
        let mut out = Capture::new(stdout, order.output_bytes_max).map_err(NotRun::Failed)?;
        let mut err = Capture::new(stderr, order.output_bytes_max).map_err(NotRun::Failed)?;
        let (is_in_time, is_dead) = {
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
            (is_in_time, is_dead.then_some(group))
        };
        let end = match (running.reap(), is_in_time) {
            (Some(status), true) => End::Status(status),
            (None, true) => End::Unknown,
            (_, false) if is_dead.is_none_or(is_anothers) => End::GoesOn,
            (_, false) => End::Killed,
        };
        Ok(Ended { end, stdout: out.done(), stderr: err.done() })
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
                let is_new = all.iter().any(|dying| dying.since.elapsed() < DYING);
                Timer::after(if is_new { LOOKED_EVERY } else { LOOKED_SELDOM }).await;
                None
            };
            all.extend(or(next, look).await);
            all.retain_mut(|dying| matches!(dying.child.try_wait(), Ok(None)));
        }
    }
}

/// The places of one: among all, and among those of its kind.
type Places = (SemaphoreGuardArc, Option<SemaphoreGuardArc>);

/// One that was killed and is not dead yet; it keeps its places. Or one that may not be killed.
struct Dying {
    child: Child,
    since: Instant,
    _places: Places,
}

/// One that runs.
struct Running {
    child: Option<Child>,
    places: Option<Places>,
    going_on: Arc<Semaphore>,
    dying: Sender<Dying>,
}

impl Running {
    fn group(&self) -> Option<Pid> {
        self.child.as_ref().map(Pid::from_child)
    }

    // Its number is its own for as long as it was not waited for, be it dead. Whom this does not reach is seen afterwards.
    fn kill(&self) {
        let _ = self.group().map(|group| process::kill_process_group(group, Signal::KILL));
    }

    // Takes the status of one that is dead. One that is not to be waited for is forgotten: its number may be another's.
    fn reap(&mut self) -> Option<ExitStatus> {
        let waited = self.child.as_mut()?.try_wait();
        if !matches!(waited, Ok(None)) {
            self.child = None;
        }
        waited.ok()?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        // It was waited for already, or is dead now; others are waited for beside.
        let _ = self.reap();
        let (Some(child), Some(mut places)) = (self.child.take(), self.places.take()) else { return };
        if is_anothers(Pid::from_child(&child)) {
            log::warn!("a program that the server started goes on, as another user's, whom this server may not kill");
            if let Some(place) = self.going_on.try_acquire_arc() {
                places = (place, None);
            }
        }
        let _ = self.dying.try_send(Dying { child, since: Instant::now(), _places: places });
    }
}

/// Whether all that is left of a group is another user's.
fn is_anothers(group: Pid) -> bool {
    matches!(process::test_kill_process_group(group), Err(Errno::PERM))
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
