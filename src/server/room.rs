//! Admission of streams (DESIGN D4): who gets a place, and who must give it up when all are taken.

use super::conns::State;
use super::core::{Core, SOCKETS};
use super::notices::Notice;
use super::peers::Shown;
use super::sockets::{News, Place};
use super::stream_table::{StreamRef, Streams};
use super::streams::Open;
use crate::endpoint::{Answer, Cause};
use crate::guard::{Household, Peer};
use crate::limits::SILENT_STREAM_MS;

/// How a stream gets its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// A free one, or that of the stream which it follows.
    Free,
    /// That of this stream, which is to be closed first.
    Of(StreamRef),
    /// None.
    Refusal(NoRoom),
}

/// Why there is no place for a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// All streams are taken.
    House,
    /// Those that one address may have.
    Share,
}

impl NoRoom {
    /// What the client is told.
    pub(super) fn answer(self) -> Answer<'static> {
        match self {
            Self::House => Answer::unavailable("all streams of this server are taken").because(Cause::Streams),
            Self::Share => {
                let why = "your address has as many streams of this server open as one may have (streams_per_address)";
                Answer::unavailable(why).because(Cause::StreamsShare)
            }
        }
    }
}

impl Streams<'_> {
    /// Where a new stream goes. `follows` is the stream of the same session, or call, whose place it takes in any case: it does not count.
    /// First its address must have room: one that has `share` streams already (`is_own` tells which; none for those that are not
    /// counted) gets the place 2 of its own streams only, whatever else is free. Then:
    ///
    /// | | its place | who loses it |
    /// |-|-----------|--------------|
    /// | 1 | a free one, or that of the stream which it follows | |
    /// | 2 | of the oldest of 2024-11-05 whose client has sent nothing for half a minute | that client, which opens another if it is there |
    /// | 3 | none: 503 and `Retry-After` | the newcomer |
    ///
    /// Others are never touched. As there are fewer streams than connections, calls have the rest.
    pub(super) fn room(
        &self,
        now_ms: u64,
        share: usize,
        is_own: Option<&dyn Fn(&Open) -> bool>,
        follows: Option<StreamRef>,
    ) -> Room {
        let others = || self.iter().filter(|(stream, _)| Some(*stream) != follows);
        let silent = |which: &dyn Fn(&Open) -> bool| {
            let silent = others().filter_map(|(at, open)| Some((at, open.silent_since_ms().filter(|_| which(open))?)));
            let silent = silent.filter(|(_, since_ms)| now_ms.saturating_sub(*since_ms) >= SILENT_STREAM_MS);
            silent.min_by_key(|(_, since_ms)| *since_ms).map(|(at, _)| at)
        };
        if let Some(is_own) = is_own.filter(|is_own| others().filter(|(_, open)| is_own(open)).count() >= share) {
            return silent(is_own).map_or(Room::Refusal(NoRoom::Share), Room::Of);
        }
        if !self.is_full() || follows.is_some() {
            return Room::Free;
        }
        silent(&|_| true).map_or(Room::Refusal(NoRoom::House), Room::Of)
    }
}

impl<A> Core<'_, A> {
    /// Whether a stream of this peer has a place; `follows`: the one that it takes the place of.
    ///
    /// # Errors
    /// What its client is told.
    pub(super) fn has_room(&self, peer: Option<Peer>, follows: Option<StreamRef>) -> Result<(), NoRoom> {
        match self.room_now(peer, follows) {
            Room::Refusal(why) => Err(why),
            Room::Free | Room::Of(_) => Ok(()),
        }
    }

    /// Makes room for a stream of this peer: closes the one that it follows, and who must make room.
    ///
    /// # Errors
    /// What its client is told.
    pub(super) fn make_room(&self, peer: Option<Peer>, follows: Option<StreamRef>) -> Result<(), NoRoom> {
        match self.room_now(peer, follows) {
            Room::Refusal(why) => return Err(why),
            Room::Free => {}
            Room::Of(victim) => {
                self.tally.streams.reclaimed.add();
                let peer = self.peer_of_stream(victim);
                self.notice(
                    Notice::Reclaimed,
                    format_args!("a stream of {} makes room for another: its client has sent nothing", Shown(peer)),
                );
                self.close_stream(victim, true);
            }
        }
        if let Some(follows) = follows {
            self.tally.streams.replaced.add();
            self.close_stream(follows, true);
        }
        Ok(())
    }

    // Nobody is refused a place, or loses one, for those whose clients have gone: where none is free, what happened meanwhile is looked at.
    fn room_now(&self, peer: Option<Peer>, follows: Option<StreamRef>) -> Room {
        let room = self.room(peer, follows);
        let Some(sockets) = self.sockets.as_ref().filter(|_| room != Room::Free) else { return room };
        let _ = sockets.look(|place, news| self.hear_beside(place, news));
        // Whether there was more, or an error, is seen in its turn.
        self.ready.set(SOCKETS);
        self.room(peer, follows)
    }

    // While a worker is at work, nothing begins but the end of streams.
    fn hear_beside(&self, place: Place, news: News) {
        // Newcomers are told of again.
        let Place::Conn(conn) = place else { return };
        let Some(index) = self.hear(conn, news, |worker| self.wake_worker(worker)) else { return };
        let is_stream = self.conns.borrow().slot(index).is_some_and(|conn| matches!(conn.state, State::Stream(_)));
        if is_stream {
            self.look_at(index);
        } else {
            self.ready.set(self.conn_bit(index));
        }
    }

    fn room(&self, peer: Option<Peer>, follows: Option<StreamRef>) -> Room {
        let (streams, conns) = (self.streams.borrow(), self.conns.borrow());
        let household = |conn: usize| conns.peer_at(conn).and_then(Peer::counted);
        let own = peer.and_then(Peer::counted);
        let is_own = |open: &Open| household(open.conn()) == own;
        let counted: Option<Household> = own;
        let is_own: Option<&dyn Fn(&Open) -> bool> = if counted.is_some() { Some(&is_own) } else { None };
        streams.room(self.now_ms.get(), self.shares.streams(), is_own, follows)
    }
}
