//! Who waits for a buffer, and who gets the next one (DESIGN D2).
//!
//! Connections that have bytes wait in order. While all buffers are taken, what came is looked at without reading it, and sorted:
//!
//! | | what is there | whose turn it is |
//! |-|---------------|------------------|
//! | 1 | what frees others: an answer, a notification, `ping`, the end of a session, discovery | the reserve, at once; else the next buffer |
//! | 2 | any other whole request | the next buffer in the order of their coming; the reserve, if it is no call |
//! | 3 | a part of a request | a buffer that nobody else wants |
//!
//! So whoever sends slowly keeps nobody waiting who does not. Whoever has a buffer and sends slowly, or reads slowly, loses it when the patience with
//! it ends: the sooner, the more whole requests wait for each buffer. With w that wait for b such buffers, patience is [`TRANSFER_PRESSED_MS`], or
//! if that is less half of [`QUEUE_TIMEOUT_MS`] by w / b, but at least [`PATIENCE_MS_MIN`]. So where w is at most fourteen times b, the last of them
//! has its turn before it is refused, though all before it read nothing. (Connections for each call, less those that wait for an answer of their
//! user, are the most that w / b can be: eight by default, sixteen at the worst.)

use std::task::Context;

use super::conns::{Conn, ConnRef, Sort, State};
use super::core::{Core, WorkerSlot, index32};
use super::peek;
use crate::limits::{
    PATIENCE_MS_MIN, PEEKS_PER_TURN, QUEUE_TIMEOUT_MS, RESERVE_AFTER_MS, RESERVED_BUFFERS, TRANSFER_PRESSED_MS,
};
use crate::since::Since;

/// The whole requests that wait.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    all: usize,
    /// Those that the reserve may serve.
    no_calls: usize,
    /// The buffers that wait for a client to send or to take something: the others come when their calls end.
    buffers: usize,
}

impl<A> Core<'_, A> {
    /// A connection waits for bytes, and then for a buffer.
    pub(super) fn look_for_bytes(&self, index: usize) {
        let mut cx = Context::from_waker(self.waker(self.conn_bit(index)));
        let mut conns = self.conns.borrow_mut();
        let reference = conns.reference(index);
        let Some(conn) = conns.at(index) else { return };
        if conn.socket.poll_readable(&mut cx).is_pending() {
            return;
        }
        let free = self.workers.iter().position(|worker| worker.job.get().is_none() && !worker.reserved);
        let lent_to = free.filter(|_| self.queue.borrow().is_empty());
        // No worker is needed for one that has gone, as most do without a word, nor for urgent data, which nobody reads; and of a newcomer that has to
        // wait for one it was not asked yet whether it has said something.
        if conn.socket.says_no_more() || conn.state == State::New && lent_to.is_none() {
            if !conn.socket.come() {
                return conns.close(index);
            }
            if conn.socket.poll_readable(&mut cx).is_pending() {
                return;
            }
        }
        if let (Some(worker), Some(reference)) = (lent_to, reference) {
            return self.lend(worker, conn, reference);
        }
        // Only what has to wait is worth a look.
        let sort = if free.is_some() { Sort::Unseen } else { peek::sort(&conn.socket, &mut self.scratch.borrow_mut()) };
        conn.state = State::Queued(sort);
        conn.since = Since::at(self.now_ms.get());
        drop(conns);
        self.queue.borrow_mut().push_back(index32(index));
        if let Some(worker) = free {
            return self.assign_queued(worker);
        }
        self.tally.buffers.waiting_most.reach(self.queue.borrow().len());
        self.serve_from_reserve();
    }

    /// Gives a free worker the connection whose turn it is.
    pub(super) fn assign_queued(&self, worker: usize) {
        // As it is while nobody waits.
        let waiting = self.queue.borrow().len();
        match waiting {
            0 => {}
            1 => _ = self.assign(worker, 0),
            _ => self.assign_in_turn(worker),
        }
    }

    fn assign_in_turn(&self, worker: usize) {
        let whole = |_: u64, sort: Sort| sort != Sort::Begun;
        let turn = || {
            self.first(|_, sort| sort == Sort::Frees).or_else(|| self.first(whole)).or_else(|| {
                // Some may have come whole by now.
                self.look_at_queue();
                self.first(whole).or_else(|| self.first(|_, _| true))
            })
        };
        while turn().is_some_and(|place| !self.assign(worker, place)) {}
    }

    /// Gives the reserve those that wait and free others first, then all else that is no call. (It looks again when it has read it.)
    pub(super) fn serve_from_reserve(&self) {
        let reserve = self.workers.iter().position(|worker| worker.job.get().is_none() && worker.reserved);
        let Some(reserve) = reserve else { return };
        let no_call = |for_ms: u64, sort: Sort| match sort {
            Sort::Light => true,
            Sort::Unseen => for_ms >= RESERVE_AFTER_MS,
            _ => false,
        };
        let turn = || self.first(|_, sort| sort == Sort::Frees).or_else(|| self.first(no_call));
        while turn().is_some_and(|place| !self.assign(reserve, place)) {}
    }

    // The place in the queue of the first that is like that: how long it has waited, and its sort.
    fn first(&self, which: impl Fn(u64, Sort) -> bool) -> Option<usize> {
        let mut conns = self.conns.borrow_mut();
        let now_ms = self.now_ms.get();
        self.queue.borrow().iter().position(|index| {
            // What waits no more must leave the queue, too.
            conns.at(*index as usize).is_none_or(|conn| match conn.state {
                State::Queued(sort) => which(conn.since.age_ms(now_ms), sort),
                _ => true,
            })
        })
    }

    // A connection that waited for a buffer has one. False where it waits no more.
    fn assign(&self, worker: usize, place: usize) -> bool {
        let index = self.queue.borrow_mut().remove(place).map_or(usize::MAX, |index| index as usize);
        let mut conns = self.conns.borrow_mut();
        let reference = conns.reference(index);
        let waits = conns.at(index).filter(|conn| matches!(conn.state, State::Queued(_)));
        let (Some(conn), Some(reference)) = (waits, reference) else { return false };
        self.lend(worker, conn, reference);
        true
    }

    // This worker is free, and has this connection now.
    fn lend(&self, worker: usize, conn: &mut Conn, reference: ConnRef) {
        let Some(slot) = self.workers.get(worker) else { return };
        conn.state = State::Busy { head: true, new: conn.state == State::New };
        conn.since = Since::at(self.now_ms.get());
        slot.job.set(Some(reference));
        self.tally.buffer_lent();
        // Who lent it most often serves it at once: a bit that is set and unset takes longer than a check.
        if let Some(before) = self.assigned.replace(Some(worker)) {
            self.wake_worker(before);
        }
    }

    /// Looks at those that had sent a part of a request: they may have sent the rest.
    pub(super) fn look_at_queue(&self) {
        let mut conns = self.conns.borrow_mut();
        let queue = self.queue.borrow();
        let mut at = self.looked_at.get();
        let mut looks = 0;
        for _ in 0..queue.len() {
            at = if at + 1 < queue.len() { at + 1 } else { 0 };
            let Some(conn) = queue.get(at).and_then(|index| conns.at(*index as usize)) else { continue };
            if conn.state != State::Queued(Sort::Begun) {
                continue;
            }
            let Some(socket) = conn.socket() else { continue };
            let sort = peek::sort(socket, &mut self.scratch.borrow_mut());
            conn.state = State::Queued(sort);
            looks += 1;
            if looks == PEEKS_PER_TURN {
                break;
            }
        }
        self.looked_at.set(at);
    }

    /// A worker has nothing to do: it takes the next.
    pub(super) fn worker_is_free(&self, index: usize) {
        let reserved = self.workers.get(index).is_none_or(|worker| worker.reserved);
        if reserved {
            self.serve_from_reserve();
        } else {
            self.assign_queued(index);
        }
    }

    /// A whole request waits for a buffer.
    pub(super) fn is_pressed(&self) -> bool {
        !self.queue.borrow().is_empty() && self.waiting().all > 0
    }

    /// How many whole requests wait.
    pub(super) fn waiting(&self) -> Waiting {
        let mut conns = self.conns.borrow_mut();
        let buffers = self.workers.iter().filter(|worker| !worker.reserved && worker.pressed_ms.get() != 0).count();
        let mut waiting = Waiting { all: 0, no_calls: 0, buffers };
        for index in self.queue.borrow().iter() {
            let Some(State::Queued(sort)) = conns.at(*index as usize).map(|conn| conn.state) else { continue };
            waiting.all += usize::from(sort != Sort::Begun);
            waiting.no_calls += usize::from(matches!(sort, Sort::Unseen | Sort::Light | Sort::Frees));
        }
        waiting
    }

    /// Others wait for this worker's buffer, and its client has had its time.
    pub(super) fn patience_ends(&self, worker: &WorkerSlot, waiting: Waiting) -> bool {
        let (pressed_ms, full_ms) = (worker.pressed_ms.get(), worker.patience_ms.get());
        let of_reserve = (waiting.no_calls, RESERVED_BUFFERS);
        let (waits, buffers) = if worker.reserved { of_reserve } else { (waiting.all, waiting.buffers) };
        if pressed_ms == 0 || waits == 0 {
            return false;
        }
        let left_ms = pressed_ms.saturating_sub(self.now_ms.get());
        let used_ms = full_ms.saturating_sub(left_ms);
        left_ms == 0 || used_ms * TRANSFER_PRESSED_MS >= full_ms * patience_ms(waits, buffers)
    }
}

// What patience there is while so many wait for so many buffers.
fn patience_ms(waits: usize, buffers: usize) -> u64 {
    let shared_ms = QUEUE_TIMEOUT_MS / 2 * buffers as u64 / waits.max(1) as u64;
    shared_ms.clamp(PATIENCE_MS_MIN, TRANSFER_PRESSED_MS)
}
