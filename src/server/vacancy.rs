//! Who makes room for a newcomer when as many connections are served as may be (DESIGN D4).
//!
//! A place is worth what its holder has shown. In this order it is lost by
//!
//! | | whose | to whom |
//! |-|-------|---------|
//! | 1 | one that has gone since it came, and was not looked at | anybody |
//! | 2 | the longest idle between two requests, for [`IDLE_KEPT_MS`] or more | anybody |
//! | 3 | the oldest that has not brought a whole request within [`HEAD_GRACE_MS`] | anybody |
//! | 4 | the oldest of a crowd that has said nothing yet | anybody: who has something to say says it at once |
//! | 5 | the longest idle, for however short a time | anybody |
//! | 6 | the oldest that has not brought a whole request yet | who brings one |
//!
//! Those that have said nothing are a crowd when they are more than a quarter of all that there may be, and than [`SILENT_CROWD_MIN`].
//!
//! A connection that is being answered, a whole request that waits for a buffer, and a stream, are never touched. Where nobody makes room, a
//! newcomer that has not said all waits in one of the slots that are kept beside those that are served, until it does, for [`HEAD_GRACE_MS`] where
//! it has begun to; all others are told to come again. So a crowd that opens connections and says nothing, or spells out its requests, takes the
//! places of its own kind, and whoever comes with a request is served, as long as there are buffers (`queue`).
//!
//! An address that has its share already gets the places 1 to 6 of its own connections only, whatever else is free.

use std::cmp::Reverse;

use super::conns::{Conn, Conns, Full, Sort, State};
use super::peek;
use crate::guard::Household;
use crate::limits::{HEAD_GRACE_MS, IDLE_KEPT_MS, PEEKS_PER_TURN, REFUSALS_MAX, SILENT_CROWD_MIN};

/// Whether a newcomer can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vacancy {
    /// There is room.
    Free,
    /// There is when this connection is closed.
    Of(usize),
    /// There is none.
    None(Full),
}

/// What a newcomer has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Brings {
    /// Nothing, as far as can be seen.
    Nothing,
    /// A part of a request, or it can't be looked at.
    Part,
    /// A whole one.
    Whole,
}

impl Brings {
    /// Looks at what has come, without reading it.
    pub(super) fn of(conn: &Conn, scratch: &mut [u8]) -> Self {
        if !conn.has_bytes() {
            return Self::Nothing;
        }
        match peek::sort(&conn.socket, scratch) {
            Sort::Begun => Self::Part,
            Sort::Unseen => Self::Nothing,
            Sort::Call | Sort::Light | Sort::Frees => Self::Whole,
        }
    }
}

impl Conns<'_> {
    /// Whether a newcomer of this address can be served, of which `share` connections may be (`peer` is none for those that are not counted).
    /// `brings` is asked only where it matters.
    pub(super) fn vacancy(
        &self,
        now_ms: u64,
        peer: Option<Household>,
        share: usize,
        brings: impl FnOnce(&mut [u8]) -> Brings,
        scratch: &mut [u8],
    ) -> Vacancy {
        let is_own = |conn: &Conn| conn.counted() == peer;
        let (full, spare) = if peer.is_some() && self.served().filter(|(_, conn)| is_own(conn)).count() >= share {
            let brings = brings(scratch);
            (Full::Share, self.spare(now_ms, is_own, brings, scratch))
        } else if self.is_nearly_full() && self.served().count() + REFUSALS_MAX >= self.capacity() {
            let brings = brings(scratch);
            (Full::House, self.spare(now_ms, |_| true, brings, scratch))
        } else {
            return Vacancy::Free;
        };
        spare.map_or(Vacancy::None(full), Vacancy::Of)
    }

    /// There may be no room for a newcomer among those who are served.
    pub(super) fn is_nearly_full(&self) -> bool {
        self.open() + REFUSALS_MAX >= self.capacity()
    }

    /// When every slot is taken: the one whose connection is served no more, or not yet. The oldest of those that were refused, or else of those
    /// that wait.
    pub(super) fn least(&self, now_ms: u64) -> Option<usize> {
        self.oldest(now_ms, Conn::lingers).or_else(|| self.oldest(now_ms, |conn| conn.state == State::Waiting))
    }

    /// The one that is let go where there are no more files.
    pub(super) fn needed_least(&self, now_ms: u64, scratch: &mut [u8]) -> Option<usize> {
        self.spare(now_ms, |_| true, Brings::Nothing, scratch).or_else(|| self.least(now_ms))
    }

    // All but those that are served no more, or not yet.
    fn served(&self) -> impl Iterator<Item = (usize, &Conn)> {
        self.iter().filter(|(_, conn)| !conn.lingers() && conn.state != State::Waiting)
    }

    // The one among `which` that makes room: the table above.
    fn spare(&self, now_ms: u64, which: impl Fn(&Conn) -> bool, brings: Brings, scratch: &mut [u8]) -> Option<usize> {
        // One whose next request has come already is idle no more, and one whose first has come is not silent.
        let is_silent = |conn: &Conn| !conn.has_bytes();
        let is = |state: State, for_ms: u64| {
            let which = &which;
            move |conn: &Conn| which(conn) && conn.state == state && conn.since.age_ms(now_ms) >= for_ms
        };
        let brought_none = |conn: &Conn| {
            which(conn)
                && matches!(conn.state, State::New | State::Queued(Sort::Begun) | State::Busy { head: true, .. })
        };
        let slow = |conn: &Conn| brought_none(conn) && conn.since.age_ms(now_ms) >= HEAD_GRACE_MS;
        // The rest may have come: then it is being read, or is seen when it is looked at again.
        let mut is_still = |conn: &Conn| match conn.state {
            State::New | State::Busy { .. } => is_silent(conn),
            _ => Brings::of(conn, scratch) != Brings::Whole,
        };
        let silent = self.iter().filter(|(_, conn)| conn.state == State::New).count();
        let is_crowd = silent > SILENT_CROWD_MIN.max(self.capacity() / 4);
        self.oldest_seen(now_ms, is(State::New, 0), |conn| conn.socket.is_gone())
            .or_else(|| self.oldest_seen(now_ms, is(State::Idle, IDLE_KEPT_MS), is_silent))
            .or_else(|| self.oldest_seen(now_ms, slow, &mut is_still))
            .or_else(|| is_crowd.then(|| self.oldest_seen(now_ms, is(State::New, 0), is_silent)).flatten())
            .or_else(|| self.oldest_seen(now_ms, is(State::Idle, 0), is_silent))
            .or_else(|| {
                (brings == Brings::Whole).then(|| self.oldest_seen(now_ms, brought_none, &mut is_still)).flatten()
            })
    }

    // The oldest of those `which` it is that is so when its socket is looked at; that is done for a few only.
    fn oldest_seen(
        &self,
        now_ms: u64,
        which: impl Fn(&Conn) -> bool,
        mut is_so: impl FnMut(&Conn) -> bool,
    ) -> Option<usize> {
        let mut after = None;
        for _ in 0..PEEKS_PER_TURN {
            let order = |(index, conn): &(usize, &Conn)| (Reverse(conn.since.age_ms(now_ms)), *index);
            let rest = self.iter().filter(|one| which(one.1) && after.is_none_or(|after| order(one) > after));
            let next = rest.min_by_key(order)?;
            if is_so(next.1) {
                return Some(next.0);
            }
            after = Some(order(&next));
        }
        None
    }

    fn oldest(&self, now_ms: u64, which: impl Fn(&Conn) -> bool) -> Option<usize> {
        let fitting = self.iter().filter(|(_, conn)| which(conn));
        fitting.min_by_key(|(_, conn)| Reverse(conn.since.age_ms(now_ms))).map(|(index, _)| index)
    }
}
