//! Runs what writes an answer, beside the socket that takes it: writes what is due, watches for the client that goes, keeps
//! the answer alive while it is silent, and ends it when it must.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

use super::conns::ConnRef;
use super::core::Core;
use super::streams::StreamRef;
use super::worker::Worker;
use crate::app::Tools;
use crate::limits::{EVENTS_AFTER_MS, KEEP_ALIVE_MS, TRANSFER_GRACE_MS};
use crate::outlet::Outlet;

/// Where an answer goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// Back by the request's connection.
    Conn(ConnRef),
    /// To the session's stream (2024-11-05).
    Stream(StreamRef),
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was written.
    Sent,
    /// Its client is gone.
    Gone,
    /// Its client does not want it any more.
    Cancelled,
    /// Its handler took longer than it may.
    Late,
}

/// The connection of a running call, read for its end: what comes is kept for the next request.
pub(super) struct Watch<'w> {
    free: &'w mut [u8],
    got: usize,
    open: bool,
    /// To close the connection is to cancel the call (2026-07-28).
    pub(super) cancels: bool,
    /// The answer goes on after the handler (a batch).
    pub(super) more: bool,
    /// Bytes of a next request were there before.
    pub(super) pipelined: bool,
}

impl<'w> Watch<'w> {
    /// Reads into `free`.
    pub(super) fn new(free: &'w mut [u8], pipelined: bool) -> Self {
        Self { free, got: 0, open: true, cancels: false, more: false, pipelined }
    }

    /// How many bytes came.
    pub(super) fn got(&self) -> usize {
        self.got
    }
}

/// How far the socket took what was due.
pub(super) enum Flush {
    Done,
    /// The socket takes no more now.
    Blocked,
    /// Another answer is being written to the stream.
    Waiting,
    Broken,
}

impl<A: Tools> Worker<'_, '_, A> {
    /// Drives `handler`, which writes to `outlet`, and the socket that empties it. With `watch` it is a call: it can be
    /// cancelled, it has a time limit, and its client is watched.
    pub(super) async fn drive(
        &self,
        target: Target,
        outlet: &RefCell<Outlet<'_>>,
        handler: impl Future<Output = ()>,
        mut watch: Option<&mut Watch<'_>>,
    ) -> Outcome {
        let mut handler = pin!(Some(handler));
        let begun_ms = self.core.now_ms.get();
        let late_ms = begun_ms + self.core.tool_timeout_ms;
        let mut blocked_ms = None;
        let mut written_ms = begun_ms;
        self.slot().deadline_ms.set(0);
        self.slot().running.set(true);
        let outcome = poll_fn(|cx| {
            let now_ms = self.core.now_ms.get();
            if let Some(running) = handler.as_mut().as_pin_mut() {
                let is_call = watch.is_some();
                if is_call && self.slot().cancelled.get() && !outlet.borrow().is_open() {
                    return Poll::Ready(Outcome::Cancelled);
                }
                if is_call && now_ms >= late_ms {
                    return Poll::Ready(Outcome::Late);
                }
                if running.poll(cx).is_ready() {
                    handler.set(None);
                    if watch.as_ref().is_some_and(|watch| watch.more) {
                        return Poll::Ready(Outcome::Sent);
                    }
                    outlet.borrow_mut().finish();
                }
            }
            if handler.is_some() && matches!(target, Target::Conn(_)) {
                keep_alive(&mut outlet.borrow_mut(), now_ms, begun_ms, written_ms);
            }
            let had = !outlet.borrow_mut().pending().is_empty();
            match self.flush(cx, target, outlet) {
                Flush::Done if had => (written_ms, blocked_ms) = (now_ms, None),
                Flush::Done | Flush::Waiting => blocked_ms = None,
                Flush::Blocked => {
                    let since_ms = *blocked_ms.get_or_insert(now_ms);
                    if now_ms.saturating_sub(since_ms) > TRANSFER_GRACE_MS {
                        return Poll::Ready(Outcome::Gone);
                    }
                }
                Flush::Broken if handler.is_none() => return Poll::Ready(Outcome::Gone),
                Flush::Broken => match &watch {
                    Some(watch) if !watch.cancels => outlet.borrow_mut().abandon(),
                    _ => return Poll::Ready(Outcome::Gone),
                },
            }
            if handler.is_none() {
                let outlet = outlet.borrow();
                return match outlet.is_done() {
                    true if outlet.is_broken() => Poll::Ready(Outcome::Gone),
                    true => Poll::Ready(Outcome::Sent),
                    false => Poll::Pending,
                };
            }
            let gone = match (&mut watch, target) {
                (Some(watch), Target::Conn(conn)) => self.has_gone(cx, conn, watch, outlet),
                _ => false,
            };
            if gone { Poll::Ready(Outcome::Gone) } else { Poll::Pending }
        })
        .await;
        self.release_stream(target);
        outcome
    }

    // Writes what the outlet has. One piece at a time: the handler that waits for room goes on in the next turn.
    pub(super) fn flush(&self, cx: &mut Context<'_>, target: Target, outlet: &RefCell<Outlet<'_>>) -> Flush {
        let mut outlet = outlet.borrow_mut();
        loop {
            if outlet.pending().is_empty() {
                if !outlet.holds_stream() {
                    self.release_stream(target);
                }
                return Flush::Done;
            }
            let conn = match target {
                Target::Conn(conn) => conn,
                Target::Stream(stream) => match self.hold_stream(stream) {
                    Hold::Mine(conn) => conn,
                    Hold::Later => return Flush::Waiting,
                    Hold::Gone => return Flush::Broken,
                },
            };
            let mut conns = self.core.conns.borrow_mut();
            let Some(socket) = conns.get(conn).and_then(|slot| slot.socket.as_mut()) else { return Flush::Broken };
            match socket.poll_write(cx, outlet.pending()) {
                Poll::Ready(Ok(n)) => outlet.sent(n),
                Poll::Ready(Err(_)) => return Flush::Broken,
                Poll::Pending => return Flush::Blocked,
            }
        }
    }

    // Takes the session's stream for this answer, between two events.
    fn hold_stream(&self, stream: StreamRef) -> Hold {
        let mut streams = self.core.streams.borrow_mut();
        let Some(open) = streams.get(stream) else { return Hold::Gone };
        match open.writer {
            Some(worker) if worker == self.index => Hold::Mine(open.conn),
            None if open.is_between() => {
                open.writer = Some(self.index);
                Hold::Mine(open.conn)
            }
            _ => Hold::Later,
        }
    }

    fn release_stream(&self, target: Target) {
        let Target::Stream(stream) = target else { return };
        let mut streams = self.core.streams.borrow_mut();
        let Some(open) = streams.get(stream).filter(|open| open.writer == Some(self.index)) else { return };
        open.writer = None;
        open.written_ms = self.core.now_ms.get();
        let conn = open.conn.index;
        drop(streams);
        self.core.ready.set(self.core.conn_bit(conn));
        self.core.wake_writers(stream);
    }

    // Reads the connection of a running call: true when its client went, and the call with it.
    fn has_gone(
        &self,
        cx: &mut Context<'_>,
        conn: ConnRef,
        watch: &mut Watch<'_>,
        outlet: &RefCell<Outlet<'_>>,
    ) -> bool {
        while watch.open {
            let Some(free) = watch.free.get_mut(watch.got..).filter(|free| !free.is_empty()) else { return false };
            let mut conns = self.core.conns.borrow_mut();
            let socket = conns.get(conn).and_then(|slot| slot.socket.as_mut());
            match socket.map(|socket| socket.poll_read(cx, free)) {
                Some(Poll::Pending) => return false,
                Some(Poll::Ready(Ok(n))) if n > 0 => watch.got += n,
                // Half-closed: an older revision is still answered.
                Some(Poll::Ready(Ok(_))) => watch.open = false,
                Some(Poll::Ready(Err(_))) | None => {
                    watch.open = false;
                    outlet.borrow_mut().abandon();
                }
            }
        }
        watch.cancels
    }
}

enum Hold {
    Mine(ConnRef),
    Later,
    Gone,
}

// A call that takes its time becomes an event stream, and shows life while it is silent.
fn keep_alive(outlet: &mut Outlet<'_>, now_ms: u64, begun_ms: u64, written_ms: u64) {
    let quiet_ms = if outlet.is_event_stream() { KEEP_ALIVE_MS } else { EVENTS_AFTER_MS };
    let since_ms = if outlet.is_event_stream() { written_ms } else { begun_ms };
    if now_ms.saturating_sub(since_ms) >= quiet_ms {
        outlet.keep_alive();
    }
}

impl<A> Core<'_, A> {
    /// A worker has nothing to do: it takes the connection that has waited longest, if it may.
    pub(super) fn worker_is_free(&self, index: usize) {
        let reserved = self.workers.get(index).is_none_or(|worker| worker.reserved);
        self.assign_queued(index, reserved);
    }
}
