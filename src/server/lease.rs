//! What a worker does with the connection that it was lent: reads, writes, waits no longer than it may, gives it back.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll};

use super::conns::{ConnRef, State};
use super::core::COMMANDS;
use super::drive::{Flush, Target};
use super::worker::{After, Worker};
use crate::app::Application;
use crate::limits::{TRANSFER_GRACE_MS, TRANSFER_PRESSED_MS, TRANSFER_PRESSED_RATE_MIN, TRANSFER_RATE_MIN};
use crate::outlet::Outlet;
use crate::since::Since;

impl<A: Application> Worker<'_, '_, A> {
    /// Gives the connection to whoever has it next.
    pub(super) fn leave(&self, conn: ConnRef, after: After) {
        if after == After::Elsewhere {
            return;
        }
        let core = self.core;
        let mut conns = core.conns.borrow_mut();
        let Some(slot) = conns.get(conn).filter(|slot| matches!(slot.state, State::Busy { .. })) else { return };
        slot.since = Since::at(core.now_ms.get());
        match after {
            After::Elsewhere => {}
            // What a newcomer asks is answered, if only by a refusal.
            After::Silent if matches!(slot.state, State::Busy { new: true, .. }) => {
                slot.state = State::New;
                if slot.socket.is_quiet() {
                    return;
                }
            }
            After::Idle | After::Silent if core.stopping.get() => conns.close(conn.index()),
            After::Idle | After::Silent => {
                slot.state = State::Idle;
                if slot.socket.is_quiet() {
                    return;
                }
            }
            After::Close => conns.close(conn.index()),
            After::Linger => {
                slot.state = State::Lingering { read: 0 };
                let waker = core.waker(core.conn_bit(conn.index()));
                if let Some(socket) = slot.socket() {
                    socket.shutdown_write(&mut Context::from_waker(waker));
                }
            }
        }
        core.ready.set(core.conn_bit(conn.index()));
    }

    /// Lets the engine look at everything else once.
    pub(super) async fn give_way(&self) {
        let mut given = false;
        poll_fn(|_| {
            if std::mem::replace(&mut given, true) {
                return Poll::Ready(());
            }
            self.core.wake_worker(self.index);
            Poll::Pending
        })
        .await;
    }

    /// What the application asked for before this request came is done before it.
    pub(super) async fn let_commands_pass(&self) {
        // Twice: the bit of a worker may be in a word that is looked at in the same round.
        for _ in 0..2 {
            if !self.core.ready.is_set(COMMANDS) {
                return;
            }
            self.give_way().await;
        }
    }

    pub(super) fn set_state(&self, conn: ConnRef, state: State) {
        if let Some(slot) = self.core.conns.borrow_mut().get(conn) {
            slot.state = state;
            slot.since = Since::at(self.core.now_ms.get());
        }
    }

    /// What is waited for is overdue after this time; `pressed_ms`: while others wait for the buffer, after this time, or less when they are many.
    pub(super) fn set_deadline(&self, after_ms: u64, pressed_ms: u64) {
        let now_ms = self.core.now_ms.get();
        self.slot.expired.set(false);
        self.slot.deadline_ms.set(now_ms + after_ms);
        self.slot.pressed_ms.set(now_ms + pressed_ms);
        self.slot.patience_ms.set(pressed_ms);
    }

    /// So many bytes came or went: they earn time, but not more than there was at the beginning, so that none can be saved.
    pub(super) fn earn(&self, bytes: usize) {
        let (slot, now_ms) = (self.slot, self.core.now_ms.get());
        let more = |deadline_ms: &Cell<u64>, grace_ms: u64, rate: u64| {
            if deadline_ms.get() != 0 {
                let earned_ms = (bytes as u64).saturating_mul(1000) / rate;
                deadline_ms.set(deadline_ms.get().saturating_add(earned_ms).min(now_ms + grace_ms));
            }
        };
        more(&slot.deadline_ms, TRANSFER_GRACE_MS, TRANSFER_RATE_MIN);
        more(&slot.pressed_ms, TRANSFER_PRESSED_MS, TRANSFER_PRESSED_RATE_MIN);
    }

    /// Another answer goes out first, as long as nobody waits for the buffer.
    pub(super) fn wait_for_stream(&self) {
        let slot = self.slot;
        slot.deadline_ms.set(0);
        if slot.pressed_ms.get() == 0 {
            slot.pressed_ms.set(self.core.now_ms.get() + TRANSFER_PRESSED_MS);
            slot.patience_ms.set(TRANSFER_PRESSED_MS);
        }
    }

    /// No deadline runs.
    pub(super) fn wait_for_nothing(&self) {
        let slot = self.slot;
        slot.deadline_ms.set(0);
        slot.pressed_ms.set(0);
        slot.expired.set(false);
    }

    /// Nothing is done for anybody.
    pub(super) fn calm(&self) {
        self.wait_for_nothing();
        let slot = self.slot;
        slot.cancelled.set(false);
        slot.running.set(false);
        slot.batch.set(false);
        slot.principal.set(None);
        slot.call.set(None);
        slot.relay.set(None);
        slot.resumable.set(None);
        slot.resumed.set(None);
        slot.detached.set(false);
        slot.ran.set(None);
    }

    /// Reads what is there. `eager`: does not wait when there is nothing.
    pub(super) async fn read(&self, conn: ConnRef, buf: &mut [u8], eager: bool) -> Read {
        poll_fn(|cx| {
            if self.slot.expired.get() {
                return Poll::Ready(Read::Late);
            }
            let mut conns = self.core.conns.borrow_mut();
            let Some(socket) = conns.get(conn).and_then(|slot| slot.socket()) else {
                return Poll::Ready(Read::End);
            };
            match socket.poll_read(cx, buf) {
                Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Read::End),
                Poll::Ready(Ok(n)) => Poll::Ready(Read::Bytes(n)),
                // The wake-up was for nothing: the buffer is better used elsewhere.
                Poll::Pending if eager => Poll::Ready(Read::Nothing),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Writes what an outlet has queued, and no more; false when the connection is gone or takes nothing for long.
    pub(super) async fn write_out(&self, conn: ConnRef, outlet: &RefCell<Outlet<'_>>) -> bool {
        self.set_deadline(TRANSFER_GRACE_MS, TRANSFER_PRESSED_MS);
        poll_fn(|cx| match self.flush(cx, Target::Conn(conn), outlet) {
            Flush::Done => Poll::Ready(true),
            Flush::Broken => Poll::Ready(false),
            Flush::Blocked if self.slot.expired.get() => {
                self.core.tally.deadlines.write.add();
                Poll::Ready(false)
            }
            Flush::Blocked | Flush::Waiting => Poll::Pending,
        })
        .await
    }

    /// Writes a few bytes; false when the connection is gone.
    pub(super) async fn write(&self, conn: ConnRef, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        poll_fn(|cx| {
            while !rest.is_empty() {
                let mut conns = self.core.conns.borrow_mut();
                let Some(socket) = conns.get(conn).and_then(|slot| slot.socket()) else {
                    return Poll::Ready(false);
                };
                match socket.poll_write(cx, self.core.sockets.as_ref(), rest) {
                    Poll::Ready(Ok(n)) => rest = rest.get(n..).unwrap_or_default(),
                    Poll::Ready(Err(_)) => return Poll::Ready(false),
                    Poll::Pending if self.slot.expired.get() => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(true)
        })
        .await
    }
}

/// What reading gave.
pub(super) enum Read {
    Bytes(usize),
    /// Nothing is there.
    Nothing,
    /// The connection has ended.
    End,
    /// The deadline went by.
    Late,
}
