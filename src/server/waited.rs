//! Files that are readable when there is something to do, whoever waits for them: a thread that sleeps (`park`), or async-io.

use std::cell::{Cell, OnceCell};
use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

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
    pub(super) const EPOLL_BYTES: usize = size_of::<Mutex<Heard>>() + BLOCK_BYTES;

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
        if self.file.is_told.swap(false, Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let (here, is_watched) = park::watch(&self.file, cx.waker());
        self.park.set(here);
        self.is_parked.set(is_watched);
        if is_watched { Poll::Pending } else { self.by_async_io()?.poll_readable(cx) }
    }

    /// What an epoll instance told who slept on it, which is not told again. None where it told nothing; true where there may be more.
    pub(super) fn heard(&self, each: impl FnMut(Told)) -> Option<bool> {
        let heard = mem::take(&mut *self.file.heard()?);
        heard.iter().copied().for_each(each);
        (!heard.is_empty()).then_some(heard.is_full())
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

/// The file itself, which others may have for a moment longer.
pub(super) struct File {
    fd: OwnedFd,
    /// No other file of this process has it, as long as there were not some billions.
    number: u32,
    /// A thread that slept found it readable.
    pub(super) is_told: AtomicBool,
    /// The number of the epoll instance that tells of it, too; 0: none.
    home: AtomicU32,
    /// What an epoll instance told; nothing where it is none.
    heard: Option<Box<Mutex<Heard>>>,
}

/// What one look at an epoll instance tells.
pub(super) type Heard = heapless::Vec<Told, SOCKET_EVENTS_PER_LOOK>;

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
    fn new(file: OwnedFd, heard: Option<Box<Mutex<Heard>>>) -> Self {
        let number = FILES.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
        Self { fd: file, number, is_told: AtomicBool::new(false), home: AtomicU32::new(0), heard }
    }

    /// One that is no epoll instance.
    pub(super) fn plain(file: OwnedFd) -> Self {
        Self::new(file, None)
    }

    /// What is to be taken of what an epoll instance told; none where it is none.
    pub(super) fn heard(&self) -> Option<MutexGuard<'_, Heard>> {
        Some(self.heard.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
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
        let added = epoll::add(&instance.fd, &self.fd, EventData::new_u64(self.data()), flags);
        let joined = matches!(added, Ok(()) | Err(Errno::EXIST));
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
