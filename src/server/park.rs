//! Where a program sleeps that has nothing to run but a server: on the server's own epoll instance, with one call of the system for each turn, which
//! tells what happened, too. async-io, which waits for that wherever else a server is run, takes eight.

use std::cell::RefCell;
use std::future::Future;
use std::mem::{self, MaybeUninit};
use std::os::fd::AsFd as _;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use rustix::event::epoll::{self, Event};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use super::ready::COUNTS_BYTES;
use super::waited::{File, Heard, is_of_file};
use crate::limits::{BLOCK_BYTES, PARK_AGAIN_MS, PARKED_FILES_MAX, SOCKET_EVENTS_PER_LOOK};

/// Runs a future to its end on this thread, and gives what it gives.
///
/// It is for a program that has nothing else to run than a server (or an executor of its own). Any other `block_on` runs a server as well; this one
/// waits for what happens to the server's sockets itself, by one call of the system where async-io needs eight, and by no thread but its own. What else the
/// future waits for by async-io, such as a timer of a tool, the thread of async-io watches then, which wakes this one. (It begins with the first of them,
/// takes three files, and panics where there are none: a program that may run out of files uses one, however short, before it serves.)
///
/// One may run within another; what runs a server by another executor's `block_on` within this one waits for ever.
///
/// ```
/// assert_eq!(smol_mcp::block_on(async { 6 * 7 }), 42);
/// ```
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    // Where there are no more files, async-io may still have one.
    let Ok(event) = eventfd(0, EventfdFlags::CLOEXEC.union(EventfdFlags::NONBLOCK)) else {
        let _nowhere = Before(HERE.take());
        return smol::block_on(future);
    };
    let alarm =
        Arc::new(Alarm { file: File::plain(event), rung: AtomicBool::new(false), sleeps: AtomicBool::new(false) });
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

thread_local! {
    /// Where this thread will sleep; none outside of [`block_on`].
    static HERE: RefCell<Option<Rc<Park>>> = const { RefCell::new(None) };
}

/// The number of the last park.
static PARKS: AtomicUsize = AtomicUsize::new(0);

/// Bytes of a park and its alarm on the heap.
pub(super) const BYTES: usize = size_of::<Park>() + size_of::<Alarm>() + 2 * (COUNTS_BYTES + BLOCK_BYTES);

/// What a thread waits for in its sleep.
struct Park {
    /// No other park of this process has it.
    number: usize,
    /// The files that it waits for, and who is woken.
    waits: RefCell<Waits>,
}

/// The park of this thread, until this is dropped; one within another is the same.
struct Entered(Rc<Park>, Before);

/// What this thread had, and has again when this is dropped.
struct Before(Option<Rc<Park>>);

impl Drop for Before {
    fn drop(&mut self) {
        HERE.set(self.0.take());
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if self.1.0.is_none() {
            HERE.set(None);
            // Who goes on elsewhere, such as a task of an executor that somebody else runs from now on, must wait there.
            let waits = mem::take(&mut *self.0.waits.borrow_mut());
            waits.into_iter().filter_map(|wait| wait.waker).for_each(Waker::wake);
        }
    }
}

/// The number of the park of this thread; 0: it has none.
pub(super) fn number() -> usize {
    HERE.with_borrow(|here| here.as_ref().map_or(0, |park| park.number))
}

/// This one is woken, once, when the file was readable, by this thread where it sleeps: the number of the park, 0 where there is none, and
/// whether it has room for it.
pub(super) fn watch(file: &Arc<File>, waker: &Waker) -> (usize, bool) {
    HERE.with_borrow(|here| here.as_ref().map_or((0, false), |park| (park.number, park.watch(file, waker))))
}

/// Nobody waits for this one any more.
pub(super) fn forget(file: &Arc<File>) {
    // It may be dropped with a waker, by this very list, or at the end of the thread.
    let forgotten = HERE.try_with(|here| {
        let here = here.try_borrow().ok()?;
        let mut waits = here.as_ref()?.waits.try_borrow_mut().ok()?;
        let at = waits.iter().position(|wait| is(&wait.file, file))?;
        Some(waits.swap_remove(at))
    });
    drop(forgotten);
}

/// The file with this data is readable: who waits for it in this thread's sleep is woken.
pub(super) fn tell(data: u64) {
    let woken = HERE.with_borrow(|here| here.as_ref().and_then(|park| park.take(data)));
    woken.into_iter().for_each(Waker::wake);
}

impl Park {
    fn enter() -> Entered {
        let before = HERE.take();
        let park = before.clone().unwrap_or_else(|| {
            let number = PARKS.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
            Rc::new(Self { number, waits: RefCell::default() })
        });
        HERE.set(Some(park.clone()));
        Entered(park, Before(before))
    }

    fn watch(&self, file: &Arc<File>, waker: &Waker) -> bool {
        let mut waits = self.waits.borrow_mut();
        if let Some(wait) = waits.iter_mut().find(|wait| is(&wait.file, file)) {
            match &mut wait.waker {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
            return true;
        }
        if waits.is_full() {
            waits.retain(|wait| wait.waker.is_some());
        }
        waits.push(Wait { file: file.clone(), waker: Some(waker.clone()) }).is_ok()
    }

    // Who waits for the file with this data.
    fn take(&self, data: u64) -> Option<Waker> {
        let mut waits = self.waits.borrow_mut();
        waits.iter_mut().find(|wait| wait.file.data() == data)?.tell()
    }

    /// Sleeps until the alarm rings. What can be read meanwhile wakes its waker; also where the alarm has rung before.
    fn sleep(&self, alarm: &Alarm) {
        loop {
            // Swapped and not stored: see `Ready::sleep`.
            alarm.sleeps.swap(true, Ordering::SeqCst);
            let at_once = alarm.rung.load(Ordering::SeqCst).then_some(Timespec { tv_sec: 0, tv_nsec: 0 });
            let woken = self.look(&alarm.file, at_once.as_ref());
            // Who sees that later wakes it once for nothing.
            alarm.sleeps.store(false, Ordering::Relaxed);
            woken.into_iter().for_each(Waker::wake);
            if alarm.rung.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    // Waits for the files, so long at most; gives those who are to be woken.
    fn look(&self, alarm: &File, most: Option<&Timespec>) -> heapless::Vec<Waker, PARKED_FILES_MAX> {
        let mut waits = self.waits.borrow_mut();
        // Nobody has these any more.
        let is_gone = |wait: &Wait| Arc::strong_count(&wait.file) == 1;
        if waits.iter().any(is_gone) {
            waits.retain(|wait| !is_gone(wait));
        }
        let readable = match home(&waits, alarm) {
            Some(home) => sleep_in(home, &waits, most),
            None => sleep_on(alarm, &waits, most),
        };
        let readable = readable.unwrap_or_else(|_| {
            // The kernel has no memory for it: all look for themselves, now and then.
            thread::sleep(Duration::from_millis(PARK_AGAIN_MS));
            u32::MAX
        });
        let mut woken = heapless::Vec::new();
        let told = waits.iter_mut().enumerate().filter(|(at, _)| readable & 1 << at != 0);
        told.for_each(|(_, wait)| woken.extend(wait.tell()));
        woken
    }
}

/// A file that is waited for, or was: most are waited for again.
struct Wait {
    file: Arc<File>,
    /// Who is woken; none after that, until it is waited for again.
    waker: Option<Waker>,
}

impl Wait {
    /// The file is readable: who waited for it is to be woken.
    fn tell(&mut self) -> Option<Waker> {
        let waker = self.waker.take()?;
        self.file.tell();
        Some(waker)
    }
}

type Waits = heapless::Vec<Wait, PARKED_FILES_MAX>;
const _: () = assert!(PARKED_FILES_MAX < u32::BITS as usize, "a bit for each");

fn is(file: &Arc<File>, other: &Arc<File>) -> bool {
    Arc::ptr_eq(file, other)
}

/// The files for which somebody is to be woken, and their places.
fn awaited(waits: &Waits) -> impl Iterator<Item = (usize, &Arc<File>)> {
    waits.iter().enumerate().filter(|(_, wait)| wait.waker.is_some()).map(|(at, wait)| (at, &wait.file))
}

/// The epoll instance that can tell of all the others, that of the only server, and its place.
fn home<'w>(waits: &'w Waits, alarm: &File) -> Option<(usize, &'w File)> {
    let mut instances = awaited(waits).filter(|(_, file)| file.is_epoll());
    let (place, instance) = instances.next()?;
    // What it told before must be taken first.
    let is_fit = instances.next().is_none() && instance.heard().is_some_and(Heard::is_empty);
    let tells_all = || awaited(waits).all(|(at, file)| at == place || file.join(instance)) && alarm.join(instance);
    (is_fit && tells_all()).then_some((place, instance))
}

/// Waits until this epoll instance tells something, which is kept. A bit for each file of which there is something to know.
fn sleep_in((place, instance): (usize, &File), waits: &Waits, most: Option<&Timespec>) -> Result<u32, Errno> {
    let mut room = [const { MaybeUninit::<Event>::uninit() }; SOCKET_EVENTS_PER_LOOK];
    let events = match epoll::wait(instance, &mut room[..], most) {
        Err(Errno::INTR) => return Ok(0),
        told => told?.0,
    };
    let Some(heard) = instance.heard() else { return Ok(0) };
    let mut told = 0;
    heard.put(events.iter().filter_map(|event| {
        let (data, flags) = (event.data.u64(), event.flags);
        if !is_of_file(data) {
            return Some((data, flags));
        }
        // That of the alarm says nothing to anybody.
        let at = waits.iter().position(|wait| wait.file.data() == data);
        told |= at.map_or(0, |at| 1 << at);
        None
    }));
    Ok(if heard.is_empty() { told } else { told | 1 << place })
}

/// Waits until one of these files is readable, or that of the alarm, which then is not any more. A bit for each of which there is something to know.
fn sleep_on(alarm: &File, waits: &Waits, most: Option<&Timespec>) -> Result<u32, Errno> {
    let mut polled = heapless::Vec::<PollFd<'_>, { PARKED_FILES_MAX + 1 }>::new();
    polled.extend(awaited(waits).map(|(_, file)| PollFd::new(file, PollFlags::IN)));
    // There is room for one more.
    let _ = polled.push(PollFd::new(alarm, PollFlags::IN));
    match poll(&mut polled, most) {
        Err(Errno::INTR) => return Ok(0),
        told => told?,
    };
    if polled.last().is_some_and(|alarm| !alarm.revents().is_empty()) {
        // It rang, which is known by now.
        let _ = rustix::io::read(alarm.as_fd(), &mut [0_u8; size_of::<u64>()]);
    }
    let told = awaited(waits).zip(&polled).filter(|(_, file)| !file.revents().is_empty());
    Ok(told.fold(0, |told, ((at, _), _)| told | 1 << at))
}

/// What wakes a thread.
struct Alarm {
    /// Readable when it rang while the thread slept.
    file: File,
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
            let _ = rustix::io::write(&self.file, &1_u64.to_ne_bytes());
        }
    }
}

#[cfg(test)]
#[path = "tests_park.rs"]
mod tests;
