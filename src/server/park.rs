//! Where a program sleeps that has nothing to run but a server: on the server's own files, with one call of the system for each turn. async-io, which
//! waits for them wherever else a server is run, takes seven.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use async_io::Async;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use crate::limits::{PARK_AGAIN_MS, PARKED_FILES_MAX};

/// Runs a future to its end on this thread, and gives what it gives.
///
/// It is for a program that has nothing else to run than a server (or has an executor, which it runs by this). Any other `block_on` runs a server as
/// well; this one waits for the server's sockets itself, which takes a half of the calls of the system that async-io needs, and no other thread. What
/// else the future waits for by async-io, such as a tool's timer, the thread of async-io watches then, which wakes this one.
///
/// ```
/// assert_eq!(smol_mcp::block_on(async { 6 * 7 }), 42);
/// ```
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    // Where there are no more files, async-io may still have one.
    let Ok(event) = eventfd(0, EventfdFlags::CLOEXEC.union(EventfdFlags::NONBLOCK)) else {
        return smol::block_on(future);
    };
    let alarm = Arc::new(Alarm { event, rung: AtomicBool::new(false), sleeps: AtomicBool::new(false) });
    let waker = Waker::from(alarm.clone());
    let (park, mut future) = (Park::enter(), pin!(future));
    loop {
        alarm.rung.swap(false, Ordering::SeqCst);
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        park.0.sleep(&alarm);
    }
}

/// A file that becomes readable when there is something to do.
pub(super) struct Waited {
    file: Arc<File>,
    /// The same for async-io, once it waits for it.
    elsewhere: OnceCell<Async<Arc<File>>>,
    /// The number of the park where it was waited for last; 0: there was none.
    park: Cell<usize>,
}

impl Waited {
    /// Nobody waits for it.
    pub(super) fn new(file: OwnedFd) -> Self {
        Self {
            file: Arc::new(File { file, is_told: AtomicBool::new(false) }),
            elsewhere: OnceCell::new(),
            park: Cell::new(0),
        }
    }

    /// Ready when it was readable. It must be asked until it is not, to be told again.
    ///
    /// # Errors
    /// Those of the system: async-io can't wait for it.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.file.is_told.swap(false, Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let (here, is_watched) = HERE.with_borrow(|here| match here {
            Some(park) => (park.number, park.watch(&self.file, cx.waker())),
            None => (0, false),
        });
        self.park.set(here);
        if is_watched { Poll::Pending } else { self.by_async_io()?.poll_readable(cx) }
    }

    /// It was waited for elsewhere than where the thread will sleep now: it must be asked again.
    pub(super) fn has_moved(&self) -> bool {
        self.park.get() != HERE.with_borrow(|here| here.as_ref().map_or(0, |park| park.number))
    }

    fn by_async_io(&self) -> io::Result<&Async<Arc<File>>> {
        if let Some(file) = self.elsewhere.get() {
            return Ok(file);
        }
        let file = Async::new_nonblocking(self.file.clone())?;
        Ok(self.elsewhere.get_or_init(|| file))
    }
}

impl AsFd for Waited {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

struct File {
    file: OwnedFd,
    /// A thread that slept found it readable.
    is_told: AtomicBool,
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

thread_local! {
    /// Where this thread will sleep; none outside of [`block_on`].
    static HERE: RefCell<Option<Rc<Park>>> = const { RefCell::new(None) };
}

/// The number of the last park.
static PARKS: AtomicUsize = AtomicUsize::new(0);

/// What a thread waits for in its sleep.
struct Park {
    /// No other park of this process has it.
    number: usize,
    /// The files that it waits for, and who is woken.
    waits: RefCell<heapless::Vec<(Arc<File>, Waker), PARKED_FILES_MAX>>,
}

/// The park of this thread, until this is dropped; then that from before.
struct Entered(Rc<Park>, Option<Rc<Park>>);

impl Drop for Entered {
    fn drop(&mut self) {
        HERE.set(self.1.take());
    }
}

impl Park {
    fn enter() -> Entered {
        let number = PARKS.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
        let park = Rc::new(Self { number, waits: RefCell::default() });
        Entered(park.clone(), HERE.replace(Some(park)))
    }

    /// This one is woken, once, when the file is readable. False where there is no room for one more.
    fn watch(&self, file: &Arc<File>, waker: &Waker) -> bool {
        let mut waits = self.waits.borrow_mut();
        match waits.iter_mut().find(|(known, _)| Arc::ptr_eq(known, file)) {
            Some((_, known)) => {
                known.clone_from(waker);
                true
            }
            None => waits.push((file.clone(), waker.clone())).is_ok(),
        }
    }

    /// Sleeps until the alarm rings. What can be read meanwhile wakes its waker; also where the alarm has rung before.
    fn sleep(&self, alarm: &Alarm) {
        loop {
            // Swapped and not stored: see `Ready::sleep`.
            alarm.sleeps.swap(true, Ordering::SeqCst);
            let at_once = alarm.rung.load(Ordering::SeqCst).then_some(Timespec { tv_sec: 0, tv_nsec: 0 });
            let woken = self.look(&alarm.event, at_once.as_ref());
            alarm.sleeps.swap(false, Ordering::SeqCst);
            woken.into_iter().for_each(Waker::wake);
            if alarm.rung.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    // Waits for the files, so long at most; gives those who are to be woken.
    fn look(&self, event: &OwnedFd, most: Option<&Timespec>) -> heapless::Vec<Waker, PARKED_FILES_MAX> {
        let mut waits = self.waits.borrow_mut();
        // Nobody has these any more.
        waits.retain(|(file, _)| Arc::strong_count(file) > 1);
        let told = told(event, waits.iter().map(|(file, _)| &file.file), most);
        let mut woken = heapless::Vec::new();
        for at in (0..waits.len()).rev().filter(|at| told & 1 << at != 0) {
            let (file, waker) = waits.swap_remove(at);
            file.is_told.store(true, Ordering::Relaxed);
            // There are no more of them.
            let _ = woken.push(waker);
        }
        woken
    }
}

/// Waits until one of these files is readable, or that of the alarm, which then is not any more. A bit for each of which there is something to know.
fn told<'f>(event: &OwnedFd, files: impl Iterator<Item = &'f OwnedFd>, most: Option<&Timespec>) -> u32 {
    const { assert!(PARKED_FILES_MAX < u32::BITS as usize) };
    let mut polled = heapless::Vec::<PollFd<'_>, { PARKED_FILES_MAX + 1 }>::new();
    polled.extend(files.map(|file| PollFd::new(file, PollFlags::IN)));
    // There is room for one more.
    let _ = polled.push(PollFd::new(event, PollFlags::IN));
    if poll(&mut polled, most).is_err_and(|error| error != Errno::INTR) {
        // The kernel has no memory for it: all look for themselves, now and then.
        thread::sleep(Duration::from_millis(PARK_AGAIN_MS));
        return u32::MAX;
    }
    if polled.last().is_some_and(|event| !event.revents().is_empty()) {
        // It rang, which is known by now.
        let _ = rustix::io::read(event, &mut [0_u8; size_of::<u64>()]);
    }
    polled.iter().enumerate().filter(|(_, file)| !file.revents().is_empty()).fold(0, |told, (at, _)| told | 1 << at)
}

/// What wakes a thread.
struct Alarm {
    /// Readable when it rang while the thread slept.
    event: OwnedFd,
    rung: AtomicBool,
    sleeps: AtomicBool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // In one order with what `Park::sleep` does: either this sees that it sleeps, or that sees that it rang.
        if !self.rung.swap(true, Ordering::SeqCst) && self.sleeps.load(Ordering::SeqCst) {
            // It fails only where it counts to its end already.
            let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
        }
    }
}

#[cfg(test)]
#[path = "tests_park.rs"]
mod tests;
