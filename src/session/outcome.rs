//! What the table answers: references, who was admitted, who had to go, and why not.

use core::num::NonZeroU16;

use super::{ClientId, SessionId};

/// A reference to a live session: its slot, and the number of its client, which is never used twice.
///
/// It goes stale when the session leaves, and is then answered with `None` or `false`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SessionRef {
    // Counted from 1, so that no session is as small as one.
    slot: NonZeroU16,
    client: ClientId,
}

impl SessionRef {
    /// The session of this client, in the slot that is so many places behind the first. A table has at most
    /// [`PLACES_MAX`](crate::limits::PLACES_MAX).
    pub(super) fn new(slot: usize, client: ClientId) -> Self {
        let slot = u16::try_from(slot).unwrap_or(u16::MAX);
        Self { slot: NonZeroU16::MIN.saturating_add(slot), client }
    }

    /// The session of this client, in the slot that [`Self::slot`] told.
    pub(crate) const fn of(slot: NonZeroU16, client: ClientId) -> Self {
        Self { slot, client }
    }

    /// Its slot, counted from 1: what is to be kept where the client's number is kept anyway.
    pub(crate) const fn slot(self) -> NonZeroU16 {
        self.slot
    }

    /// The place of its slot.
    pub(super) const fn index(self) -> usize {
        self.slot.get() as usize - 1
    }

    /// Whose session it is.
    pub(crate) const fn client(self) -> ClientId {
        self.client
    }

    /// One of no table.
    #[cfg(test)]
    pub(crate) const fn of_test(slot: u16) -> Self {
        Self { slot: NonZeroU16::MIN.saturating_add(slot), client: ClientId(0) }
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
    pub(crate) stream: Option<u16>,
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
