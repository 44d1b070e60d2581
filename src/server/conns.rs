//! The table of connections: who holds which slot, and who of them came when. Who must give it up when all are
//! taken is `vacancy`.
//!
//! ```text
//!  accept → New ──bytes──→ Queued? → Busy (a worker has it) ─┬→ Idle ──bytes──→ Busy
//!         ↘ Waiting ↗                                        ├→ Stream
//!                    ↘ Lingering                             └→ Lingering → free
//! ```

use std::io;
use std::net::SocketAddr;

use super::core::{SlotRef, index32};
use super::socket::Socket;
use super::sockets::Sockets;
use crate::guard::{Household, Peer, Standing};
use crate::limits::{CONNECTION_SLOT_BYTES_MAX, LOCAL_ADDRESSES_MAX};
use crate::pool::Pool;
use crate::since::Since;

/// A slot for a connection.
pub(super) struct Conn {
    pub(super) socket: Socket,
    pub(super) state: State,
    generation: u32,
    /// Where the address stands that its peer connected to.
    local: u8,
    /// Who it comes from, where that is known; of a stream, for whom a proxy passes it on.
    household: Option<Household>,
    standing: Standing,
    /// When it came to its state.
    pub(super) since: Since,
}

const _: () = assert!(size_of::<Conn>() <= CONNECTION_SLOT_BYTES_MAX);

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    /// Nothing came yet.
    New,
    /// The same of one that came to a full house: when something comes, it is admitted or not.
    Waiting,
    /// Between two requests.
    Idle,
    /// Bytes are there, and no buffer.
    Queued(Sort),
    /// A worker has it; `head`: it has not brought a whole head yet; `new`: nothing came before.
    Busy {
        head: bool,
        new: bool,
    },
    /// It is the connection of the stream in this slot.
    Stream(u16),
    /// It was refused, and is read for a moment so that its client can read why.
    Lingering {
        read: u16,
    },
}

/// What waits for a buffer, as far as can be seen without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A part of a request: whoever has all of its own goes first.
    Begun,
    /// It can't be looked at.
    Unseen,
    /// A request that runs the application's code, or as much of one as can be seen.
    Call,
    /// A request that does not.
    Light,
    /// What frees others: an answer, a notification, `ping`, the end of a session, `server/discover`.
    Frees,
}

/// A connection, and which of its slot's connections it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnRef(SlotRef);

impl ConnRef {
    /// The place of its slot.
    pub(super) const fn index(self) -> usize {
        self.0.index()
    }

    /// As one number: below 2⁶³, as there are not so many slots.
    pub(super) const fn number(self) -> u64 {
        self.0.0
    }

    /// The one that has this number.
    pub(super) const fn of_number(number: u64) -> Self {
        Self(SlotRef(number))
    }
}

/// What a newcomer is told is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// All connections are taken.
    House,
    /// Those that one address may have.
    Share,
}

impl Conn {
    /// A free slot.
    pub(super) const EMPTY: Self = Self {
        socket: Socket::NONE,
        state: State::Free,
        generation: 0,
        local: ASK,
        household: None,
        standing: Standing::Exempt,
        since: Since::START,
    };

    /// Its socket.
    pub(super) fn socket(&mut self) -> Option<&mut Socket> {
        Some(&mut self.socket).filter(|socket| !socket.is_none())
    }

    /// Who it comes from.
    pub(super) fn peer(&self) -> Option<Peer> {
        self.household.map(|household| Peer { household, standing: self.standing })
    }

    /// It is for this peer.
    pub(super) fn set_peer(&mut self, peer: Option<Peer>) {
        self.household = peer.map(|peer| peer.household);
        self.standing = peer.map_or(Standing::Exempt, |peer| peer.standing);
    }

    /// What it is counted by; none where it is not.
    pub(super) fn counted(&self) -> Option<Household> {
        self.peer().and_then(Peer::counted)
    }

    /// Something came that was not read yet, as far as that can be seen.
    pub(super) fn has_bytes(&self) -> bool {
        self.socket.peek(&mut [0]).is_some_and(|bytes| bytes > 0)
    }

    /// It was refused, and is served no more.
    pub(super) fn lingers(&self) -> bool {
        matches!(self.state, State::Lingering { .. })
    }
}

/// All connections.
pub(super) struct Conns<'m> {
    slots: Pool<'m, Conn>,
    open: usize,
    /// The addresses that peers connected to: few, so that a connection need not keep its own.
    locals: heapless::Vec<SocketAddr, LOCAL_ADDRESSES_MAX>,
}

/// In the place of an address: it is not kept, and the socket knows it.
const ASK: u8 = u8::MAX;
const _: () = assert!(LOCAL_ADDRESSES_MAX <= ASK as usize);

impl<'m> Conns<'m> {
    /// No connections, in these slots.
    pub(super) fn new(slots: impl Into<Pool<'m, Conn>>) -> Self {
        Self { slots: slots.into(), open: 0, locals: heapless::Vec::new() }
    }

    /// The slots that were in use so far, in order.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Connections open.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// The slots there are.
    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// Who the connection in this slot comes from.
    pub(super) fn peer_at(&self, index: usize) -> Option<Peer> {
        self.slots.get(index)?.peer()
    }

    /// Who a connection comes from.
    pub(super) fn peer(&self, conn: ConnRef) -> Option<Peer> {
        let slot = self.slots.get(conn.index()).filter(|slot| slot.generation == conn.0.generation())?;
        slot.peer()
    }

    /// Takes a free slot; it is to be seen whether it is served.
    pub(super) fn open_in(
        &mut self,
        socket: Socket,
        peer: Option<Peer>,
        local: Option<SocketAddr>,
        now_ms: u64,
    ) -> Option<usize> {
        // There is none to look for among thousands while all that were in use still are.
        let has_free = self.open < self.slots.len();
        let free = has_free.then(|| self.slots.iter().position(|conn| conn.state == State::Free)).flatten();
        let index = free.or_else(|| self.slots.add(Conn::EMPTY))?;
        let local = local.map_or(ASK, |local| self.place_of(local));
        let reference = self.reference(index)?;
        let conn = self.slots.get_mut(index)?;
        conn.socket = socket;
        conn.socket.belong_to(reference);
        conn.state = State::Waiting;
        conn.since = Since::at(now_ms);
        conn.set_peer(peer);
        conn.local = local;
        self.open += 1;
        Some(index)
    }

    /// A connection that may have been closed since is told of from now on.
    ///
    /// # Errors
    /// Those of the system: so many can't be waited for.
    pub(super) fn wait(&mut self, conn: Option<ConnRef>, sockets: Option<&Sockets>) -> io::Result<()> {
        match (conn.and_then(|conn| self.get(conn)), sockets) {
            (Some(conn), Some(sockets)) => conn.socket.wait(sockets),
            _ => Ok(()),
        }
    }

    // Where an address stands among those that are kept.
    fn place_of(&mut self, local: SocketAddr) -> u8 {
        let known = self.locals.iter().position(|known| *known == local);
        let place = known.or_else(|| self.locals.push(local).ok().map(|()| self.locals.len() - 1));
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(ASK)
    }

    /// The address that the peer of a connection connected to.
    pub(super) fn local(&mut self, conn: ConnRef) -> Option<SocketAddr> {
        let conn = self.get(conn)?;
        match usize::from(conn.local) {
            place if place == usize::from(ASK) => conn.socket.local(),
            place => self.locals.get(place).copied(),
        }
    }

    /// Closes a connection and frees its slot.
    pub(super) fn close(&mut self, index: usize) {
        let Some(conn) = self.slots.get_mut(index) else { return };
        if conn.state != State::Free {
            let generation = conn.generation.wrapping_add(1);
            *conn = Conn { generation, ..Conn::EMPTY };
            self.open = self.open.saturating_sub(1);
        }
    }

    /// A connection by its place, to be looked at.
    pub(super) fn slot(&self, index: usize) -> Option<&Conn> {
        self.slots.get(index).filter(|conn| conn.state != State::Free)
    }

    /// A connection by its place.
    pub(super) fn at(&mut self, index: usize) -> Option<&mut Conn> {
        self.slots.get_mut(index).filter(|conn| conn.state != State::Free)
    }

    /// A connection that may have been closed since.
    pub(super) fn get(&mut self, conn: ConnRef) -> Option<&mut Conn> {
        self.at(conn.index()).filter(|slot| slot.generation == conn.0.generation())
    }

    /// A reference that goes stale when the connection closes.
    pub(super) fn reference(&self, index: usize) -> Option<ConnRef> {
        let slot = self.slots.get(index)?;
        Some(ConnRef(SlotRef::new(index32(index), slot.generation)))
    }

    /// The connection in this slot, if it is this stream's: a stream does not keep which of its slot's connections its own is.
    pub(super) fn of_stream(&self, index: usize, stream: u16) -> Option<ConnRef> {
        self.slots.get(index).filter(|conn| conn.state == State::Stream(stream)).and_then(|_| self.reference(index))
    }

    /// All slots, with their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Conn)> {
        self.slots.iter().enumerate().filter(|(_, conn)| conn.state != State::Free)
    }

    /// Every slot is taken.
    pub(super) fn is_full(&self) -> bool {
        self.open >= self.slots.capacity()
    }
}
