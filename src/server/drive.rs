//! Runs what writes an answer, beside the socket that takes it: writes what is due, watches for the client that goes, keeps
//! the answer alive while it is silent, and ends it when it must.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::conns::ConnRef;
use super::core::index16;
use super::handler::Handler;
use super::notices::Notice;
use super::stream_table::StreamRef;
use super::times::Times;
use super::worker::{After, Worker};
use crate::app::{Application, Ran, caught};
use crate::limits::{TRANSFER_GRACE_MS, TRANSFER_PRESSED_MS};
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

impl<A: Application> Worker<'_, '_, A> {
    /// Drives `handler`, which writes to `outlet`, and the socket that empties it. With `watch` it is a call: it can be
    /// cancelled, it has a time limit, and its client is watched.
    pub(super) async fn drive(
        &self,
        target: &Target,
        outlet: &RefCell<Outlet<'_>>,
        mut handler: Pin<&mut dyn Handler>,
        mut watch: Option<&mut Watch<'_>>,
    ) -> Outcome {
        let mut times = Times::new(self.core.now_ms.get(), self.core.tool_timeout_ms);
        self.wait_for_nothing();
        self.slot.running.set(true);
        let outcome = poll_fn(|cx| {
            let asks = self.core.inputs.borrow().waits(self.index);
            times.go_on(self.core.now_ms.get(), asks);
            if handler.is_there() {
                if let Some(why) = self.ends(*target, outlet, times.late_ms).filter(|_| watch.is_some()) {
                    return Poll::Ready(why);
                }
                if self.poll_handler(handler.as_mut(), cx, outlet).is_ready() {
                    self.drop_handler(handler.as_mut());
                    if watch.as_ref().is_some_and(|watch| watch.more) {
                        return Poll::Ready(Outcome::Sent);
                    }
                    self.finish(cx, *target, watch.as_deref_mut(), outlet);
                }
            }
            self.core.keep(outlet);
            let running = handler.is_there();
            if running && matches!(*target, Target::Conn(_)) {
                times.keep_alive(&mut outlet.borrow_mut(), asks && watch.as_ref().is_some_and(|watch| !watch.open));
            }
            if !outlet.borrow_mut().pending().is_empty() {
                times.written_ms = times.now_ms;
            }
            // In older revisions a call outlives its connection.
            let outlives = running && watch.as_ref().is_some_and(|watch| !watch.cancels);
            if let Some(why) = self.write_on(cx, *target, outlet, outlives) {
                return Poll::Ready(why);
            }
            if !running {
                self.core.keep(outlet);
                return sent(&outlet.borrow());
            }
            if let Some(watch) = watch.as_ref().filter(|_| outlet.borrow().has_left()) {
                self.let_go(*target, watch, outlet);
            }
            let gone = match (&mut watch, *target) {
                (Some(watch), Target::Conn(conn)) => self.has_gone(cx, conn, watch, outlet),
                _ => false,
            };
            if gone { Poll::Ready(Outcome::Gone) } else { Poll::Pending }
        })
        .await;
        self.drop_handler(handler);
        // Half an event was sent: nothing can follow it.
        if let (Target::Stream(stream), false) = (*target, outcome == Outcome::Sent) {
            if outlet.borrow().was_begun() {
                self.core.close_stream(stream, false);
            }
        }
        self.release_stream(*target);
        outcome
    }

    // The handler has said all.
    fn finish(
        &self,
        cx: &mut Context<'_>,
        target: Target,
        watch: Option<&mut Watch<'_>>,
        outlet: &RefCell<Outlet<'_>>,
    ) {
        let has_ids = outlet.borrow().has_ids();
        if let (Some(watch), Target::Conn(conn), true) = (watch, target, has_ids) {
            // Who has gone already gets its answer when it comes back.
            self.has_gone(cx, conn, watch, outlet);
        }
        let mut outlet = outlet.borrow_mut();
        // An answer while the server shuts down is the last one of its connection.
        outlet.template().close |= self.core.stopping.get();
        outlet.finish();
    }

    // Writes what is due. `outlives`: the answer is worth its while without a connection. Why it must end where it must.
    fn write_on(
        &self,
        cx: &mut Context<'_>,
        target: Target,
        outlet: &RefCell<Outlet<'_>>,
        outlives: bool,
    ) -> Option<Outcome> {
        let late = self.slot.expired.get();
        if let Some(after) = self.slot.resumed.take() {
            // Its client came back by another connection.
            if self.part(target, outlet) {
                self.core.ask_again(self.index, after);
            }
        }
        match self.flush(cx, target, outlet) {
            Flush::Broken if self.part(target, outlet) => {}
            Flush::Blocked if late && self.part(target, outlet) => {}
            Flush::Broken if outlives => outlet.borrow_mut().abandon(),
            Flush::Broken => return Some(Outcome::Gone),
            Flush::Blocked if late => {
                self.core.tally.deadlines.write.add();
                return Some(Outcome::Gone);
            }
            Flush::Blocked if self.slot.deadline_ms.get() == 0 => {
                self.set_deadline(TRANSFER_GRACE_MS, TRANSFER_PRESSED_MS);
            }
            Flush::Blocked => {}
            Flush::Waiting if late => {
                // Its client has more answers under way than it takes, and others have none.
                if let Target::Stream(stream) = target {
                    self.core.close_stream(stream, false);
                }
                return Some(Outcome::Gone);
            }
            Flush::Waiting => self.wait_for_stream(),
            Flush::Done => self.wait_for_nothing(),
        }
        None
    }

    // Why a running call must end before its handler does.
    fn ends(&self, target: Target, outlet: &RefCell<Outlet<'_>>, late_ms: u64) -> Option<Outcome> {
        // What others share is not left within an event.
        let can_stop = || match target {
            Target::Conn(_) => !outlet.borrow().is_open(),
            Target::Stream(_) => !outlet.borrow().was_begun() || self.has_lost_stream(target),
        };
        if self.slot.cancelled.get() && can_stop() {
            return Some(Outcome::Cancelled);
        }
        (self.core.now_ms.get() >= late_ms).then_some(Outcome::Late)
    }

    // Writes what the outlet has. One piece at a time: the handler that waits for room goes on in the next turn.
    pub(super) fn flush(&self, cx: &mut Context<'_>, target: Target, outlet: &RefCell<Outlet<'_>>) -> Flush {
        let mut outlet = outlet.borrow_mut();
        loop {
            let due = outlet.pending();
            if due.is_empty() {
                if !outlet.holds_stream() {
                    self.release_stream(target);
                }
                self.push(cx, target);
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
            let Some(socket) = conns.get(conn).and_then(|slot| slot.socket()) else { return Flush::Broken };
            match socket.poll_write(cx, self.core.sockets.as_ref(), due) {
                Poll::Ready(Ok(n)) => {
                    outlet.sent(n);
                    self.earn(n);
                }
                Poll::Ready(Err(_)) => return Flush::Broken,
                Poll::Pending => return Flush::Blocked,
            }
        }
    }

    // What the socket took may be kept on its way. (What was written to a session's stream is pushed on where that is watched.)
    fn push(&self, cx: &mut Context<'_>, target: Target) {
        let Target::Conn(conn) = target else { return };
        if let Some(socket) = self.core.conns.borrow_mut().get(conn).and_then(|slot| slot.socket()) {
            socket.push(cx);
        }
    }

    // Takes the session's stream for this answer, between two events.
    fn hold_stream(&self, stream: StreamRef) -> Hold {
        let mut streams = self.core.streams.borrow_mut();
        let Some(open) = streams.get(stream) else { return Hold::Gone };
        if !open.is_held_by(self.index) {
            if open.is_held() || !open.is_between() {
                return Hold::Later;
            }
            open.hold(self.index);
        }
        let conn = self.core.conns.borrow().of_stream(open.conn(), index16(stream.index()));
        conn.map_or(Hold::Gone, Hold::Mine)
    }

    fn has_lost_stream(&self, target: Target) -> bool {
        matches!(target, Target::Stream(stream) if self.core.streams.borrow_mut().get(stream).is_none())
    }

    fn release_stream(&self, target: Target) {
        let Target::Stream(stream) = target else { return };
        let mut streams = self.core.streams.borrow_mut();
        let Some(open) = streams.get(stream).filter(|open| open.is_held_by(self.index)) else { return };
        open.release(self.core.now_ms.get());
        let conn = open.conn();
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
        while watch.open && !self.slot.detached.get() {
            let Some(free) = watch.free.get_mut(watch.got..).filter(|free| !free.is_empty()) else { return false };
            let read = {
                let mut conns = self.core.conns.borrow_mut();
                let socket = conns.get(conn).and_then(|slot| slot.socket());
                socket.map(|socket| {
                    if self.slot.resumable.get().is_some() {
                        // It may be answered in this turn, and whether its client has gone decides whether the answer is kept.
                        socket.ask_again();
                    }
                    socket.poll_read(cx, free)
                })
            };
            match read {
                Some(Poll::Pending) => return false,
                Some(Poll::Ready(Ok(n))) if n > 0 => watch.got += n,
                // Half-closed: an older revision is still answered. It may be closed, too: its answer is kept as well.
                Some(Poll::Ready(Ok(_))) => {
                    watch.open = false;
                    outlet.borrow_mut().double();
                }
                Some(Poll::Ready(Err(_))) | None => {
                    watch.open = false;
                    if !self.part(Target::Conn(conn), outlet) {
                        outlet.borrow_mut().abandon();
                    }
                }
            }
        }
        watch.cancels
    }

    // The connection is gone, or may as well be: the call goes on without it. False where its client could not come back.
    fn part(&self, target: Target, outlet: &RefCell<Outlet<'_>>) -> bool {
        let Target::Conn(conn) = target else { return false };
        if !outlet.borrow_mut().detach() {
            return false;
        }
        if !self.slot.detached.replace(true) {
            log::debug!("a call goes on without its connection");
            self.leave(conn, After::Close);
        }
        self.core.keep(outlet);
        true
    }

    // The handler let the connection go: it is free for the next request, unless that was read already.
    fn let_go(&self, target: Target, watch: &Watch<'_>, outlet: &RefCell<Outlet<'_>>) {
        let Target::Conn(conn) = target else { return };
        if self.slot.detached.replace(true) {
            return;
        }
        let mut outlet = outlet.borrow_mut();
        let close =
            outlet.template().close || outlet.ends_with_connection() || watch.pipelined || watch.got > 0 || !watch.open;
        self.leave(conn, if close { After::Linger } else { After::Idle });
    }

    // A handler catches the panics of the application. One that passes by it leaves half an answer.
    fn poll_handler(
        &self,
        handler: Pin<&mut dyn Handler>,
        cx: &mut Context<'_>,
        outlet: &RefCell<Outlet<'_>>,
    ) -> Poll<()> {
        caught(|| handler.poll(cx)).unwrap_or_else(|| {
            self.core.notice(Notice::Broken, format_args!("an answer is broken off: what writes it panicked"));
            self.slot.ran.set(Some(Ran::Panicked));
            outlet.borrow_mut().break_off();
            Poll::Ready(())
        })
    }

    // A handler that is dropped before its end may panic in doing so: that is its own affair.
    fn drop_handler(&self, handler: Pin<&mut dyn Handler>) {
        if caught(|| handler.end()).is_none() {
            self.core.notice(Notice::Panicked, format_args!("a handler panicked when it was dropped"));
        }
    }
}

enum Hold {
    Mine(ConnRef),
    Later,
    Gone,
}

fn sent(outlet: &Outlet<'_>) -> Poll<Outcome> {
    match outlet.is_done() {
        true if outlet.is_broken() => Poll::Ready(Outcome::Gone),
        true => Poll::Ready(Outcome::Sent),
        false => Poll::Pending,
    }
}
