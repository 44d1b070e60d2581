//! Who waits for a buffer, and who gets the next one (DESIGN D2).
//!
//! Connections that have bytes wait in order. Free workers take the first; the reserve takes the first that frees others
//! (a cancellation, the end of a session, a ping, ...), which it finds by looking at what came without reading it, so that
//! calls wait their turn and keep nobody from ending one that runs.

use std::task::Context;

use super::conns::State;
use super::core::{Core, index32};
use crate::limits::{PEEKS_PER_TURN, RESERVE_AFTER_MS};

impl<A> Core<'_, A> {
    /// A connection waits for bytes, and then for a buffer.
    pub(super) fn look_for_bytes(&self, index: usize) {
        let mut cx = Context::from_waker(self.waker(self.conn_bit(index)));
        let mut conns = self.conns.borrow_mut();
        let Some(conn) = conns.at(index) else { return };
        let Some(socket) = conn.socket() else { return };
        if socket.poll_readable(&mut cx).is_pending() {
            return;
        }
        conn.state = State::Queued;
        conn.since_ms = self.now_ms.get();
        drop(conns);
        self.queue.borrow_mut().push_back(index32(index));
        let free = self.workers.iter().position(|worker| worker.job.get().is_none() && !worker.reserved);
        if let Some(worker) = free {
            return self.assign_queued(worker);
        }
        self.tally.buffers.waiting_most.reach(self.queue.borrow().len());
        self.serve_from_reserve();
    }

    /// Gives a free worker the connection that has waited longest.
    pub(super) fn assign_queued(&self, worker: usize) {
        let next = self.queue.borrow_mut().pop_front();
        if let Some(index) = next {
            self.assign(worker, index as usize);
        }
    }

    // A connection that waited for a buffer has one.
    fn assign(&self, worker: usize, index: usize) {
        let mut conns = self.conns.borrow_mut();
        let (reference, now_ms) = (conns.reference(index), self.now_ms.get());
        let waits = conns.at(index).filter(|conn| conn.state == State::Queued);
        let (Some(conn), Some(slot)) = (waits, self.workers.get(worker)) else { return };
        conn.state = State::Busy { head: true };
        conn.since_ms = now_ms;
        slot.job.set(reference);
        self.tally.buffer_lent();
        self.wake_worker(worker);
    }

    /// Gives the reserve those that wait and free others: all that is no call. (It looks again when it has read it.)
    pub(super) fn serve_from_reserve(&self) {
        let reserve = self.workers.iter().position(|worker| worker.job.get().is_none() && worker.reserved);
        let Some(reserve) = reserve else { return };
        let waiting = self.queue.borrow().len().min(PEEKS_PER_TURN);
        let at = (0..waiting).find(|at| {
            let index = self.queue.borrow().get(*at).copied();
            index.is_some_and(|index| self.frees_others(index as usize))
        });
        let index = at.and_then(|at| self.queue.borrow_mut().remove(at));
        if let Some(index) = index {
            self.assign(reserve, index as usize);
        }
    }

    // What waits is a whole message that is no call, as far as can be seen without reading it.
    fn frees_others(&self, index: usize) -> bool {
        let mut conns = self.conns.borrow_mut();
        let mut scratch = self.scratch.borrow_mut();
        let Some(conn) = conns.at(index) else { return true };
        let Some(there) = conn.socket().and_then(|socket| socket.peek(&mut scratch)) else {
            return self.now_ms.get().saturating_sub(conn.since_ms) >= RESERVE_AFTER_MS;
        };
        if there == 0 {
            // It has gone: its slot frees others too.
            return true;
        }
        let full = there == scratch.len();
        let there = scratch.get(..there).unwrap_or_default();
        let has = |text: &[u8]| there.windows(text.len()).any(|window| window == text);
        let whole = match there.strip_prefix(b"POST ") {
            // What is larger than can be seen is waited for only if it answers a question.
            Some(_) if full => has(b"\"result\"") && !has(b"\"method\""),
            Some(post) => post.trim_ascii_end().ends_with(b"}") || post.trim_ascii_end().ends_with(b"]"),
            None => has(b"\r\n\r\n"),
        };
        whole && !is_call(there)
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
}

/// What runs the application's code.
const CALLS: [&[u8]; 4] = [b"\"tools/call\"", b"\"resources/read\"", b"\"prompts/get\"", b"\"completion/complete\""];

// A `"method"` that is a call, with any white space between. One that is spelled with escapes is found out when it
// is read.
fn is_call(message: &[u8]) -> bool {
    const METHOD: &[u8] = b"\"method\"";
    message.windows(METHOD.len()).enumerate().filter(|(_, window)| *window == METHOD).any(|(at, _)| {
        let rest = message.get(at + METHOD.len()..).unwrap_or_default().trim_ascii_start();
        let value = rest.strip_prefix(b":").unwrap_or_default().trim_ascii_start();
        CALLS.iter().any(|call| value.starts_with(call))
    })
}
