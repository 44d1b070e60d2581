//! What the table answers: references, who was admitted, who had to go, and why not.

use core::num::NonZeroU32;

use super::{ClientId, SessionId};

/// A reference to a live session: its slot, and which of the slot's sessions it is.
///
/// It goes stale when the session leaves, and is then answered with `None` or `false`. (It could be
/// mistaken after 2^32 sessions in one slot.)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SessionRef {
    // Counted from 1, so that no session is as small as one.
    slot: NonZeroU32,
    pub(super) generation: u32,
}

impl SessionRef {
    /// The session in this slot.
    pub(super) fn new(slot: usize, generation: u32) -> Self {
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        Self { slot: NonZeroU32::MIN.saturating_add(slot), generation }
    }

    /// The place of its slot.
    pub(super) const fn index(self) -> usize {
        self.slot.get() as usize - 1
    }

    /// One of no table.
    #[cfg(test)]
    pub(crate) const fn of_test(slot: u32) -> Self {
        Self { slot: NonZeroU32::MIN.saturating_add(slot), generation: 0 }
    }
}

/// A session that has its slot.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The session.
    pub(crate) session: SessionRef,
    /// Who made room, to be logged.
    pub(crate) evicted: Option<Evicted>,
}

/// A session that made room for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Evicted {
    /// The reference by which it was known, which is stale now.
    pub(crate) session: SessionRef,
    /// The number of its client.
    pub(crate) client: ClientId,
    /// Milliseconds since its last use.
    pub(crate) idle_ms: u64,
    /// Whether it lost a log level.
    pub(crate) lost_state: bool,
    /// Whether the application was told that it came.
    pub(crate) announced: bool,
}

/// A session that was let go, as its client stayed away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Expired {
    /// The number of its client.
    pub(crate) client: ClientId,
    /// Whether the application was told that it came.
    pub(crate) announced: bool,
}

/// A session that was ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ended {
    /// The reference by which it was known, which is stale now.
    pub(crate) session: SessionRef,
    /// Its id.
    pub(crate) id: SessionId,
    /// The number of its client.
    pub(crate) client: ClientId,
    /// The stream that was open, to be closed.
    pub(crate) stream: Option<u32>,
    /// Whether the application was told that it came.
    pub(crate) announced: bool,
}

/// The session of the reference has left. Answered like an id that is not known: 404.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stale;

/// Every slot is taken by a session that must stay. Answered with 503 and `Retry-After`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TableFull;

/// Why a session is not restored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RestoreRefusal {
    /// Every slot is taken by a session that must stay. Answered with 503 and `Retry-After`.
    Full,
    /// The session was ended by DELETE. Answered with 404.
    Ended,
    /// It is an HTTP+SSE session, which ended with its stream. Answered with 404.
    StreamGone,
}

/// What happened in a table since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    /// Sessions that were opened.
    pub(crate) opened: u64,
    /// Sessions that were restored from their ids.
    pub(crate) restored: u64,
    /// Sessions that made room.
    pub(crate) evicted: u64,
    /// Of these, those that lost a log level or subscriptions.
    pub(crate) evicted_with_state: u64,
    /// Sessions whose clients stayed away.
    pub(crate) expired: u64,
    /// Sessions that were ended.
    pub(crate) ended: u64,
    /// The most that were there at once.
    pub(crate) most: u64,
}

impl Counts {
    /// Sessions that are there.
    pub(crate) const fn now(&self) -> u64 {
        self.opened + self.restored - self.evicted - self.expired - self.ended
    }

    pub(super) fn reach(&mut self) {
        self.most = self.most.max(self.now());
    }
}
