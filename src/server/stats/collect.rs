//! Where the counters lie, and how they are put together for whoever asks.

use std::cell::Cell;
use std::ops::Deref;

use super::{Counters, Stats};
use crate::limits::{REFUSALS_MAX, RESERVED_BUFFERS};
use crate::server::core::Core;

/// All that is counted in one place; what tables know for themselves is asked of them when somebody wants to know.
#[derive(Default)]
pub(in crate::server) struct Tally {
    counters: Counters,
    /// Request buffers in use, and calls that run.
    buffers: Cell<usize>,
    calls: Cell<usize>,
}

impl Deref for Tally {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        &self.counters
    }
}

impl Tally {
    /// A connection got a request buffer.
    pub(in crate::server) fn buffer_lent(&self) {
        self.buffers.set(self.buffers.get() + 1);
        self.counters.buffers.most.reach(self.buffers.get());
    }

    /// It gave it back.
    pub(in crate::server) fn buffer_returned(&self) {
        self.buffers.set(self.buffers.get().saturating_sub(1));
    }

    /// A call begins.
    pub(in crate::server) fn call_begun(&self) {
        self.counters.calls.started.add();
        self.calls.set(self.calls.get() + 1);
        self.counters.calls.most.reach(self.calls.get());
    }

    /// It is over.
    pub(in crate::server) fn call_over(&self) {
        self.calls.set(self.calls.get().saturating_sub(1));
    }
}

const _: () = assert!(REFUSALS_MAX == 4, "`Connections::capacity` says so");

impl<A> Core<'_, A> {
    /// What is now, and what happened since the start.
    pub(in crate::server) fn stats(&self) -> Stats {
        let mut stats = self.tally.counters.read();
        stats.uptime_ms = self.now_ms.get();
        {
            let conns = self.conns.borrow();
            (stats.connections.now, stats.connections.capacity) = (conns.open() as u64, conns.capacity() as u64);
        }
        stats.buffers.now = self.tally.buffers.get() as u64;
        stats.buffers.capacity = self.workers.len() as u64;
        stats.buffers.waiting = self.queue.borrow().len() as u64;
        stats.calls.now = self.tally.calls.get() as u64;
        stats.calls.capacity = self.workers.len().saturating_sub(RESERVED_BUFFERS) as u64;
        {
            let tasks = self.board.tasks.borrow();
            (stats.tasks.now, stats.tasks.capacity) = (tasks.len() as u64, self.runners as u64);
        }
        {
            let inputs = self.inputs.borrow();
            (stats.inputs.now, stats.inputs.capacity) = (inputs.open_now() as u64, inputs.capacity() as u64);
        }
        self.streams.borrow().tell(&mut stats.streams);
        let sessions = self.sessions.borrow();
        let counts = sessions.counts();
        stats.sessions = super::Sessions {
            now: counts.now(),
            most: counts.most,
            capacity: sessions.capacity() as u64,
            opened: counts.opened,
            restored: counts.restored,
            evicted: counts.evicted,
            evicted_with_state: counts.evicted_with_state,
            expired: counts.expired,
            ended: counts.ended,
        };
        stats
    }
}
