//! The time that an answer takes: how long its handler may, and when it must show life.

use crate::limits::{EVENTS_AFTER_MS, KEEP_ALIVE_MS, KEEP_ALIVE_OFTEN_MS};
use crate::outlet::Outlet;

/// The time that an answer takes.
#[allow(clippy::struct_field_names)] // which end in their unit
pub(super) struct Times {
    pub(super) begun_ms: u64,
    pub(super) now_ms: u64,
    /// When something was last written.
    pub(super) written_ms: u64,
    /// When its handler has had all of its time.
    pub(super) late_ms: u64,
}

impl Times {
    /// It begins now.
    pub(super) fn new(now_ms: u64, timeout_ms: u64) -> Self {
        Self { begun_ms: now_ms, now_ms, written_ms: now_ms, late_ms: now_ms.saturating_add(timeout_ms) }
    }

    /// It is `now_ms`. The time that a client takes to answer a question is not the handler's.
    pub(super) fn go_on(&mut self, now_ms: u64, asks: bool) {
        let since_ms = now_ms.saturating_sub(self.now_ms);
        self.late_ms = self.late_ms.saturating_add(if asks { since_ms } else { 0 });
        self.now_ms = now_ms;
    }

    /// A call that takes its time becomes an event stream, and shows life while it is silent. A client that is half gone, and has to answer, may
    /// be gone: what is written to it will tell.
    pub(super) fn keep_alive(&self, outlet: &mut Outlet<'_>, half_gone: bool) {
        let (quiet_ms, since_ms) = match outlet.is_event_stream() {
            true if half_gone => (KEEP_ALIVE_OFTEN_MS, self.written_ms),
            true => (KEEP_ALIVE_MS, self.written_ms),
            false => (EVENTS_AFTER_MS, self.begun_ms),
        };
        if self.now_ms.saturating_sub(since_ms) >= quiet_ms {
            outlet.keep_alive();
        }
    }
}
