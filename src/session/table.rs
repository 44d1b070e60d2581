//! The table of live sessions: who is admitted, and who makes room.
//!
//! A newcomer (an `initialize`, or an authentic id that the table does not know) is given the first
//! of these:
//!
//! |   | the slot                                                      | and its owner loses |
//! |---|---------------------------------------------------------------|---------------------|
//! | 1 | a free one                                                    |                     |
//! | 2 | of an abandoned session: nothing came after `initialize`, or  | nothing             |
//! |   | it is an HTTP+SSE session whose stream closed                 |                     |
//! | 3 | of a session without log level and subscriptions              | nothing: its id     |
//! |   |                                                               | restores it         |
//! | 4 | of a session with one of them                                 | both                |
//! | 5 | none: [`TableFull`], to be answered 503 with `Retry-After`    |                     |
//!
//! In 2 to 4 it is the slot of the session whose last use lies furthest back, among those with no
//! call in flight, with no open stream, and with
//! [`SESSION_IDLE_MIN_MS`](crate::limits::SESSION_IDLE_MIN_MS) since their last use; others are
//! never evicted, however long they live. Nothing is evicted for a newcomer that is not admitted.
//! An id that was ended by DELETE is not admitted again for as long as it is remembered
//! ([`DELETED_IDS_MAX`] of them, the oldest is forgotten first).
//!
//! A crowd of strangers that only send `initialize` thus evicts its own sessions (2) before those
//! of anybody who came to stay.

use core::cell::Cell;

use heapless::HistoryBuf;

use crate::limits::{DELETED_IDS_MAX, SESSION_HINTS};
use crate::pool::Pool;

use super::{
    Admitted, ClientId, Counts, Ended, Evicted, Expired, LogLevel, Name, NameRef, Names, RANDOM_BYTES, RestoreRefusal,
    Revision, Session, SessionId, SessionRef, Slot, Stale, TableFull, Transport,
};

/// The live sessions, in slots that the caller lends.
#[derive(Debug)]
pub(crate) struct Table<'m> {
    slots: Pool<'m, Slot>,
    names: Names<'m>,
    clients: u64,
    counts: Counts,
    ended: HistoryBuf<[u8; RANDOM_BYTES], DELETED_IDS_MAX>,
    /// Where sessions were found last, by a byte of their ids. What is there now is looked at.
    hints: [Cell<u16>; SESSION_HINTS],
}

const _: () = assert!(SESSION_HINTS == u8::MAX as usize + 1, "each byte has a hint");

impl<'m> Table<'m> {
    /// A table with nobody in it, of as many sessions as there are slots, and places for the names of clients.
    pub(crate) fn new(slots: impl Into<Pool<'m, Slot>>, names: impl Into<Pool<'m, Name>>) -> Self {
        Self {
            slots: slots.into(),
            names: Names::new(names.into()),
            clients: 0,
            counts: Counts::default(),
            ended: HistoryBuf::new(),
            hints: [const { Cell::new(0) }; SESSION_HINTS],
        }
    }

    /// Admits the session of an `initialize`, or of an HTTP+SSE stream, by the policy of this
    /// module.
    ///
    /// The id must have been issued just now; name and version are the client's own, of any length
    /// and content (empty where they are not known yet: see [`Self::set_negotiated`]).
    pub(crate) fn open(
        &mut self,
        id: SessionId,
        client_name: &str,
        client_version: &str,
        now_ms: u64,
    ) -> Result<Admitted, TableFull> {
        let admitted = self.admit(now_ms, |client| Session::opened(id, client, NameRef::NONE, now_ms))?;
        self.counts.opened += 1;
        self.counts.reach();
        self.set_negotiated(
            admitted.session,
            id.fields().revision,
            id.fields().capabilities,
            (client_name, client_version),
        );
        Ok(admitted)
    }

    /// Admits a session whose id was verified, but is not known (DESIGN, "Sessions cannot be
    /// lost"): evicted, or from before a restart. Revision, capabilities and principal are those of
    /// the id; a live session is found, not doubled.
    pub(crate) fn restore(&mut self, id: SessionId, now_ms: u64) -> Result<Admitted, RestoreRefusal> {
        if let Some(session) = self.find(&id) {
            return Ok(Admitted { session, evicted: None });
        }
        if self.is_ended(&id) {
            return Err(RestoreRefusal::Ended);
        }
        if id.fields().transport == Transport::HttpSse {
            return Err(RestoreRefusal::StreamGone);
        }
        let admitted = self.admit(now_ms, |client| Session::restored(id, client, now_ms));
        let admitted = admitted.map_err(|TableFull| RestoreRefusal::Full)?;
        self.counts.restored += 1;
        self.counts.reach();
        Ok(admitted)
    }

    /// What happened since the table was made.
    pub(crate) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many sessions there can be.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// The live session of a verified id. The principal is a part of the id, so nobody finds
    /// another's session.
    pub(crate) fn find(&self, id: &SessionId) -> Option<SessionRef> {
        let [byte, ..] = id.random();
        let hint = self.hints.get(usize::from(byte));
        let hinted = hint.and_then(|hint| {
            let index = usize::from(hint.get());
            let session = self.slots.get(index)?.session.as_ref()?;
            (session.id() == id).then(|| SessionRef::new(index, session.client()))
        });
        hinted.or_else(|| {
            let found = self.iter().find(|(_, session)| session.id() == id)?.0;
            if let (Some(hint), Ok(index)) = (hint, u16::try_from(found.index())) {
                hint.set(index);
            }
            Some(found)
        })
    }

    /// The session, unless the reference is stale.
    pub(crate) fn get(&self, session: SessionRef) -> Option<&Session> {
        let slot = self.slots.get(session.index())?;
        slot.session.as_ref().filter(|live| live.client() == session.client())
    }

    /// The session, to be changed, unless the reference is stale. What changes its standing goes
    /// through the table.
    fn get_mut(&mut self, session: SessionRef) -> Option<&mut Session> {
        let slot = self.slots.get_mut(session.index())?;
        slot.session.as_mut().filter(|live| live.client() == session.client())
    }

    /// Notes that the client was heard.
    pub(crate) fn touch(&mut self, session: SessionRef, now_ms: u64) {
        if let Some(session) = self.get_mut(session) {
            session.touch(now_ms);
        }
    }

    /// Counts a call that begins: until [`Self::call_ended`] the session is not evicted. `false` if
    /// the reference is stale, or the session has 65,535 calls in flight; then the call must not be
    /// begun.
    pub(crate) fn call_started(&mut self, session: SessionRef, now_ms: u64) -> bool {
        self.get_mut(session).is_some_and(|session| session.call_started(now_ms))
    }

    /// Counts a call that ended, however it did. Nothing happens if the session ended before its
    /// call.
    pub(crate) fn call_ended(&mut self, session: SessionRef, now_ms: u64) {
        if let Some(session) = self.get_mut(session) {
            session.call_ended(now_ms);
        }
    }

    /// Makes the stream the session's own: until [`Self::stream_closed`] the session is not
    /// evicted. Returns the stream whose place it takes, which is to be closed: the newest wins,
    /// because a 409 sends some clients into a loop. With a stale reference the stream must not be
    /// opened.
    pub(crate) fn stream_opened(
        &mut self,
        session: SessionRef,
        stream: u16,
        now_ms: u64,
    ) -> Result<Option<u16>, Stale> {
        let session = self.get_mut(session).ok_or(Stale)?;
        Ok(session.stream_opened(stream, now_ms))
    }

    /// Notes that the stream closed. Whether it was the session's own still; an HTTP+SSE session is
    /// then to be ended.
    pub(crate) fn stream_closed(&mut self, session: SessionRef, stream: u16, now_ms: u64) -> bool {
        self.get_mut(session).is_some_and(|session| session.stream_closed(stream, now_ms))
    }

    /// Subscribes a session to the resources of these bits (`resources/subscribe`).
    pub(crate) fn subscribe(&mut self, session: SessionRef, bits: u64) {
        if let Some(session) = self.get_mut(session) {
            session.set_subscriptions(session.subscriptions() | bits);
        }
    }

    /// Ends a session's subscriptions to the resources of these bits (`resources/unsubscribe`).
    pub(crate) fn unsubscribe(&mut self, session: SessionRef, bits: u64) {
        if let Some(session) = self.get_mut(session) {
            session.set_subscriptions(session.subscriptions() & !bits);
        }
    }

    /// Sets the level of log messages that the client wants (`logging/setLevel`). `false` if the
    /// reference is stale.
    pub(crate) fn set_log_level(&mut self, session: SessionRef, level: Option<LogLevel>) -> bool {
        self.get_mut(session).map(|session| session.set_log_level(level)).is_some()
    }

    /// Sets what `initialize` negotiated on an HTTP+SSE stream, whose id had to be issued before
    /// it. `false` if the reference is stale. (For Streamable HTTP the id says it, and would say
    /// otherwise after a restore.)
    pub(crate) fn set_negotiated(
        &mut self,
        session: SessionRef,
        revision: Revision,
        capabilities: u16,
        client: (&str, &str),
    ) -> bool {
        let Some(known) = self.get(session) else { return false };
        self.names.let_go(known.name());
        let name = self.names.keep(client.0, client.1);
        self.get_mut(session).map(|session| session.set_negotiated(revision, capabilities, name)).is_some()
    }

    /// What a client calls itself, and its version, shortened; empty if its session was restored.
    pub(crate) fn client(&self, session: &Session) -> (&str, &str) {
        self.names.get(session.name())
    }

    /// The names of all clients: those without a session have theirs here, too.
    pub(crate) fn names(&mut self) -> &mut Names<'m> {
        &mut self.names
    }

    /// What a client without a session calls itself, and its version.
    pub(crate) fn named(&self, name: NameRef) -> (&str, &str) {
        self.names.get(name)
    }

    /// Ends a session (DELETE, or the stream of an HTTP+SSE session closed). Its id is remembered,
    /// so that it gets 404. `None` if the reference is stale.
    pub(crate) fn end(&mut self, session: SessionRef) -> Option<Ended> {
        let ended = self.let_go(session)?;
        self.end_unknown(&ended.id);
        Some(ended)
    }

    /// Lets go of a session whose principal may not come in any more, or may do less. Its id is not remembered: should the principal be let in
    /// again, it brings the session back, without what it was subscribed to. `None` if the reference is stale.
    pub(crate) fn let_go(&mut self, session: SessionRef) -> Option<Ended> {
        self.get(session)?;
        let gone = self.slots.get_mut(session.index())?.session.take()?;
        self.names.let_go(gone.name());
        self.counts.ended += 1;
        Some(Ended {
            session,
            id: *gone.id(),
            client: gone.client(),
            stream: gone.stream(),
            announced: gone.announced(),
        })
    }

    /// Lets go of a session that has been idle for long, without a call or a stream: its client counts as gone, and its id
    /// brings it back. `None` when there is none.
    pub(crate) fn expire(&mut self, now_ms: u64) -> Option<Expired> {
        let slot = self.slots.iter_mut().find(|slot| slot.session.as_ref().is_some_and(|s| s.has_expired(now_ms)))?;
        let gone = slot.session.take()?;
        self.names.let_go(gone.name());
        self.counts.expired += 1;
        Some(Expired { client: gone.client(), announced: gone.announced() })
    }

    /// Notes that the application is told of this client. False when it was told before, or the reference is stale.
    pub(crate) fn announce(&mut self, session: SessionRef) -> bool {
        self.get_mut(session).is_some_and(Session::announce)
    }

    /// Nobody is in the table.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| slot.session.is_none())
    }

    /// Ends the session of a verified id that the table does not know: a DELETE for one that was
    /// evicted.
    pub(crate) fn end_unknown(&mut self, id: &SessionId) {
        // An HTTP+SSE session is never restored, so there is nothing to remember.
        if id.fields().transport == Transport::Streamable {
            let random = id.random();
            if !self.ended.contains(&random) {
                self.ended.write(random);
            }
        }
    }

    /// Whether the id was ended, as far as is remembered.
    pub(crate) fn is_ended(&self, id: &SessionId) -> bool {
        self.ended.contains(&id.random())
    }

    /// Remembers ids that were ended before this table was made, by their random parts.
    pub(crate) fn remember_ended(&mut self, ended: &[[u8; RANDOM_BYTES]]) {
        self.ended.extend_from_slice(ended);
    }

    /// The random parts of the ended ids, oldest first.
    pub(crate) fn ended(&self) -> impl Iterator<Item = &[u8; RANDOM_BYTES]> {
        self.ended.oldest_ordered()
    }

    /// The live sessions, in the order of their slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionRef, &Session)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let session = slot.session.as_ref()?;
            Some((SessionRef::new(index, session.client()), session))
        })
    }

    /// A number for a client that has no session (2026-07-28).
    pub(crate) fn next_client(&mut self) -> ClientId {
        self.clients = self.clients.saturating_add(1);
        ClientId(self.clients)
    }

    fn admit(&mut self, now_ms: u64, session: impl FnOnce(ClientId) -> Session) -> Result<Admitted, TableFull> {
        let index = self.place(now_ms).ok_or(TableFull)?;
        let slot = self.slots.get_mut(index).ok_or(TableFull)?;
        let gone = slot.session.take();
        if let Some(gone) = &gone {
            self.names.let_go(gone.name());
        }
        let evicted = gone.map(|gone| Evicted {
            session: SessionRef::new(index, gone.client()),
            client: gone.client(),
            idle_ms: now_ms.saturating_sub(gone.last_used_ms()),
            lost_state: gone.holds_state(),
            announced: gone.announced(),
        });
        if let Some(evicted) = &evicted {
            self.counts.evicted += 1;
            self.counts.evicted_with_state += u64::from(evicted.lost_state);
        }
        // A client a nanosecond would take five centuries to come to the end of these numbers.
        self.clients = self.clients.saturating_add(1);
        let client = ClientId(self.clients);
        slot.session = Some(session(client));
        Ok(Admitted { session: SessionRef::new(index, client), evicted })
    }

    /// The slot for a newcomer: a free one, or the one whose session is the first in the order of
    /// eviction.
    fn place(&mut self, now_ms: u64) -> Option<usize> {
        let free = self.slots.iter().position(|slot| slot.session.is_none());
        if let Some(free) = free.or_else(|| self.slots.add(Slot::EMPTY)) {
            return Some(free);
        }
        let ranks = self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let rank = slot.session.as_ref()?.eviction_rank(now_ms)?;
            Some((rank, index))
        });
        ranks.min().map(|(_, index)| index)
    }
}
