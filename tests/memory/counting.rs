//! An allocator that counts what one thread asks for, and otherwise is the system's.
#![allow(unsafe_code, reason = "an allocator can be nothing else")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counts the allocations of the threads that asked for it.
pub(crate) struct Counting;

/// What was counted until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Blocks that were asked for, or made larger, while the server's future was polled.
    pub(crate) polled: u64,
    /// The same, between its polls: by what waits for sockets and timers.
    pub(crate) reactor: u64,
    /// Bytes that are held.
    pub(crate) live: i64,
}

static POLLED: AtomicU64 = AtomicU64::new(0);
static REACTOR: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(false) };
    static IN_POLL: Cell<bool> = const { Cell::new(false) };
}

/// Counts this thread from now on.
#[allow(dead_code)] // not every test that includes this file counts by itself
pub(crate) fn count_this_thread() {
    COUNTED.set(true);
}

/// Runs the server's future, and counts this thread from now on; what it allocates while it is polled by itself.
pub(crate) async fn counted<F: Future>(server: F) -> F::Output {
    count_this_thread();
    let mut server = pin!(server);
    poll_fn(|cx| {
        IN_POLL.set(true);
        let polled = server.as_mut().poll(cx);
        IN_POLL.set(false);
        polled
    })
    .await
}

/// What was counted until now.
pub(crate) fn counts() -> Counts {
    let load = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    Counts { polled: load(&POLLED), reactor: load(&REACTOR), live: LIVE.load(Ordering::SeqCst) }
}

fn note(allocations: u64, bytes: i64) {
    // A thread that ends has no cells any more.
    if COUNTED.try_with(Cell::get).unwrap_or(false) {
        let counter = if IN_POLL.get() { &POLLED } else { &REACTOR };
        counter.fetch_add(allocations, Ordering::SeqCst);
        LIVE.fetch_add(bytes, Ordering::SeqCst);
    }
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, signed(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, signed(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, -signed(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, signed(size) - signed(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(block, layout, size) }
    }
}
