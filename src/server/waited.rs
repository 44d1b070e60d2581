//! Files that are readable when there is something to do, whoever waits for them: a thread that sleeps (`park`), or async-io.

use std::cell::{Cell, OnceCell};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_io::Async;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;

use super::park;
use super::ready::COUNTS_BYTES;
use crate::limits::{BLOCK_BYTES, SOCKET_EVENTS_PER_LOOK};

/// A file that is waited for.
pub(super) struct Waited {
    file: Arc<File>,
    /// The same for async-io, once it waits for it.
    elsewhere: OnceCell<Async<Arc<File>>>,
    /// The number of the park where it was waited for last; 0: there was none.
    park: Cell<usize>,
    /// That had room for it.
    is_parked: Cell<bool>,
}

impl Waited {
    /// Bytes of one on the heap, and what is more of an epoll instance.
    pub(super) const BYTES: usize = size_of::<File>() + COUNTS_BYTES + BLOCK_BYTES;
    pub(super) const EPOLL_BYTES: usize = size_of::<Heard>() + BLOCK_BYTES;

    /// Nobody waits for it.
    pub(super) fn new(file: OwnedFd) -> Self {
        Self::of(File::new(file, None))
    }

    /// The same of an epoll instance: who sleeps on it keeps what it told ([`heard`](Self::heard)).
    pub(super) fn epoll(file: OwnedFd) -> Self {
        Self::of(File::new(file, Some(Box::default())))
    }

    fn of(file: File) -> Self {
        Self { file: Arc::new(file), elsewhere: OnceCell::new(), park: Cell::new(0), is_parked: Cell::new(false) }
    }

    /// Ready when it was readable. It must be asked until it is not, to be told again; what it told must be taken before.
    ///
    /// # Errors
    /// Those of the system: async-io can't wait for it.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, None)
    }

    /// The same; `here` is woken where this thread waits for it in its sleep, and must ask then [whether it was told](Self::is_told).
    ///
    /// # Errors
    /// Those of the system: async-io can't wait for it.
    pub(super) fn poll_readable_or_woken(&self, cx: &mut Context<'_>, here: &Waker) -> Poll<io::Result<()>> {
        self.poll(cx, Some(here))
    }

    fn poll(&self, cx: &mut Context<'_>, here: Option<&Waker>) -> Poll<io::Result<()>> {
        if self.is_told() {
            self.file.is_told.store(false, Ordering::Relaxed);
            return Poll::Ready(Ok(()));
        }
        let (here, is_watched) = park::watch(&self.file, here.unwrap_or(cx.waker()));
        self.park.set(here);
        self.is_parked.set(is_watched);
        if is_watched { Poll::Pending } else { self.by_async_io()?.poll_readable(cx) }
    }

    /// What an epoll instance told who slept on it, which is not told again. None where it told nothing; true where there may be more.
    pub(super) fn heard(&self, each: impl FnMut(Told)) -> Option<bool> {
        let heard = self.file.heard().filter(|heard| !heard.is_empty())?;
        // What is there is a few, most often: not all of the room for more is moved.
        let mut told = AllTold::new();
        heard.take(&mut told);
        told.iter().copied().for_each(each);
        Some(told.is_full())
    }

    /// A thread that slept found it readable.
    pub(super) fn is_told(&self) -> bool {
        self.file.is_told.load(Ordering::Relaxed)
    }

    /// It was waited for elsewhere than where the thread will sleep now: it must be asked again.
    pub(super) fn has_moved(&self) -> bool {
        self.park.get() != park::number()
    }

    /// A thread waits for it that sleeps, and not async-io.
    pub(super) fn is_parked(&self) -> bool {
        self.is_parked.get()
    }

    #[cfg(test)]
    pub(super) fn is_by_async_io(&self) -> bool {
        self.elsewhere.get().is_some()
    }

    #[cfg(test)]
    pub(super) fn file(&self) -> Arc<File> {
        self.file.clone()
    }

    fn by_async_io(&self) -> io::Result<&Async<Arc<File>>> {
        #[cfg(test)]
        if self.file.is_epoll() {
            super::engine::tests::elsewhere()?;
        }
        if let Some(file) = self.elsewhere.get() {
            return Ok(file);
        }
        let file = Async::new_nonblocking(self.file.clone())?;
        Ok(self.elsewhere.get_or_init(|| file))
    }
}

// It is closed now, and not when the thread sleeps next (as it is where another thread drops it): who has its other end may wait for that.
impl Drop for Waited {
    fn drop(&mut self) {
        park::forget(&self.file);
    }
}

impl AsFd for Waited {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The file itself, which others may have for a moment longer.
pub(super) struct File {
    fd: OwnedFd,
    /// No other file of this process has it, as long as there were not some billions.
    number: u32,
    /// A thread that slept found it readable.
    is_told: AtomicBool,
    /// The number of the epoll instance that tells of it, too; 0: none.
    home: AtomicU32,
    /// What an epoll instance told; nothing where it is none.
    heard: Option<Box<Heard>>,
}

/// What an epoll instance told who slept on it, until that is taken.
#[derive(Default)]
pub(super) struct Heard {
    /// There is something: as long as there is not, nothing is locked.
    is_any: AtomicBool,
    all: Mutex<AllTold>,
}

/// What one look at an epoll instance tells.
type AllTold = heapless::Vec<Told, SOCKET_EVENTS_PER_LOOK>;

impl Heard {
    /// Nothing was told, or it was taken.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_any.load(Ordering::Relaxed)
    }

    /// These were told; of more than one look can tell, none is there.
    pub(super) fn put(&self, told: impl Iterator<Item = Told>) {
        let mut all = self.all();
        told.for_each(|told| _ = all.push(told));
        self.is_any.store(!all.is_empty(), Ordering::Relaxed);
    }

    fn take(&self, told: &mut AllTold) {
        self.is_any.store(false, Ordering::Relaxed);
        let mut all = self.all();
        told.extend(all.iter().copied());
        all.clear();
    }

    fn all(&self) -> MutexGuard<'_, AllTold> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an epoll instance tells: the data that was given to it, and what happened.
pub(super) type Told = (u64, EventFlags);

/// The number of the last file.
static FILES: AtomicU32 = AtomicU32::new(0);

/// The data of files is from here on, that of sockets below.
const FILES_FROM: u64 = 1 << 63;

/// It is not the data of a socket.
pub(super) const fn is_of_file(data: u64) -> bool {
    data >= FILES_FROM
}

impl File {
    fn new(file: OwnedFd, heard: Option<Box<Heard>>) -> Self {
        let number = FILES.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
        Self { fd: file, number, is_told: AtomicBool::new(false), home: AtomicU32::new(0), heard }
    }

    /// A thread that slept found it readable.
    pub(super) fn tell(&self) {
        self.is_told.store(true, Ordering::Relaxed);
    }

    /// One that is no epoll instance.
    pub(super) fn plain(file: OwnedFd) -> Self {
        Self::new(file, None)
    }

    /// What is to be taken of what an epoll instance told; none where it is none.
    pub(super) fn heard(&self) -> Option<&Heard> {
        self.heard.as_deref()
    }

    /// It is an epoll instance.
    pub(super) const fn is_epoll(&self) -> bool {
        self.heard.is_some()
    }

    /// The data of its events, where an epoll instance tells of it.
    pub(super) fn data(&self) -> u64 {
        FILES_FROM | u64::from(self.number)
    }

    /// From now on that epoll instance tells of it, too: each time that something comes (it is edge-triggered). False where it can't.
    pub(super) fn join(&self, instance: &Self) -> bool {
        if self.home.load(Ordering::Relaxed) == instance.number {
            return true;
        }
        let flags = EventFlags::IN.union(EventFlags::ET);
        let data = EventData::new_u64(self.data());
        let joined = match epoll::add(&instance.fd, &self.fd, data, flags) {
            // It tells of another that had the same file by the same descriptor, and is gone (epoll(7), question 6).
            Err(Errno::EXIST) => epoll::modify(&instance.fd, &self.fd, data, flags).is_ok(),
            added => added.is_ok(),
        };
        if joined {
            self.home.store(instance.number, Ordering::Relaxed);
        }
        joined
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
