//! One slot of the session table, and the session in it.

use core::num::NonZeroU16;

use crate::limits::{SESSION_IDLE_MAX_MS, SESSION_IDLE_MIN_MS, SESSION_SLOT_BYTES_MAX, SESSION_UNPROVED_MAX_MS};

use super::{LogLevel, NameRef, Revision, SessionId, Transport};

/// A place for one session. The array of them is lent to the table, and may lie in a `static`.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(super) session: Option<Session>,
}

impl Slot {
    /// A slot with nobody in it.
    pub(crate) const EMPTY: Self = Self { session: None };
}

const _: () = assert!(size_of::<Slot>() <= SESSION_SLOT_BYTES_MAX);

/// The number of a client, counting up from 1. It is never used twice while the server runs: a
/// client that is restored gets a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ClientId(pub(crate) u64);

/// The live state of a session. Times are those of the server's monotonic clock.
#[derive(Debug)]
pub(crate) struct Session {
    id: SessionId,
    revision: Revision,
    capabilities: u16,
    client: ClientId,
    // For people to read: seconds will do, and take half the memory.
    opened_at_s: u32,
    last_used_ms: u64,
    calls_in_flight: u16,
    // Its place, counted from 1.
    stream: Option<NonZeroU16>,
    log_level: Option<LogLevel>,
    subscriptions: u64,
    /// Something came after `initialize`.
    proved: bool,
    announced: bool,
    name: NameRef,
}

/// Who goes first when a slot is needed: the lesser rank.
///
/// First the class of [`Class`], then the time of last use, then the order of arrival, so that no
/// two are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct EvictionRank(Class, u64, ClientId);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Class {
    /// It will not come back: an HTTP+SSE session without its stream, or one of which nothing came
    /// after `initialize`.
    Abandoned,
    /// It loses nothing, because its id restores it.
    Restorable,
    /// It would lose its log level or its subscriptions.
    Holding,
}

impl Session {
    pub(super) fn opened(id: SessionId, client: ClientId, name: NameRef, now_ms: u64) -> Self {
        Self {
            id,
            revision: id.fields().revision,
            capabilities: id.fields().capabilities,
            client,
            opened_at_s: u32::try_from(now_ms / 1000).unwrap_or(u32::MAX),
            last_used_ms: now_ms,
            calls_in_flight: 0,
            stream: None,
            log_level: None,
            subscriptions: 0,
            proved: false,
            announced: false,
            name,
        }
    }

    /// A restored session: its client has been here before, so the handshake is long over.
    pub(super) fn restored(id: SessionId, client: ClientId, now_ms: u64) -> Self {
        Self { proved: true, ..Self::opened(id, client, NameRef::NONE, now_ms) }
    }

    /// The id, which holds the transport, the capabilities and the principal.
    pub(crate) const fn id(&self) -> &SessionId {
        &self.id
    }

    /// The revision that was negotiated.
    pub(crate) const fn revision(&self) -> Revision {
        self.revision
    }

    /// What the client declared in `initialize`, one bit each.
    pub(crate) const fn capabilities(&self) -> u16 {
        self.capabilities
    }

    /// The number of the client.
    pub(crate) const fn client(&self) -> ClientId {
        self.client
    }

    /// Where it is kept what the client calls itself; nowhere if it was restored.
    pub(crate) const fn name(&self) -> NameRef {
        self.name
    }

    pub(super) fn set_negotiated(&mut self, revision: Revision, capabilities: u16, name: NameRef) {
        self.revision = revision;
        self.capabilities = capabilities;
        self.name = name;
    }

    /// The second in which it was opened or restored.
    pub(crate) const fn opened_at_s(&self) -> u32 {
        self.opened_at_s
    }

    /// When something last came from the client or went to it.
    pub(crate) const fn last_used_ms(&self) -> u64 {
        self.last_used_ms
    }

    /// Calls that have begun and not ended.
    #[cfg(test)]
    pub(crate) const fn calls_in_flight(&self) -> u16 {
        self.calls_in_flight
    }

    /// The stream by which the server speaks to this client, if one is open.
    pub(crate) const fn stream(&self) -> Option<u16> {
        match self.stream {
            Some(place) => Some(place.get() - 1),
            None => None,
        }
    }

    /// The least severe level of log message that the client asked for, if it did.
    pub(crate) const fn log_level(&self) -> Option<LogLevel> {
        self.log_level
    }

    /// The resources that it is subscribed to: a bit for each place in the hub's table.
    pub(crate) const fn subscriptions(&self) -> u64 {
        self.subscriptions
    }

    /// Sets what it is subscribed to.
    pub(super) const fn set_subscriptions(&mut self, subscriptions: u64) {
        self.subscriptions = subscriptions;
        self.proved = true;
    }

    /// It has state that its id does not restore.
    pub(crate) const fn holds_state(&self) -> bool {
        self.log_level.is_some() || self.subscriptions != 0
    }

    /// Sets the level (`logging/setLevel`).
    pub(super) const fn set_log_level(&mut self, level: Option<LogLevel>) {
        self.log_level = level;
        self.proved = true;
    }

    pub(super) fn touch(&mut self, now_ms: u64) {
        self.last_used_ms = self.last_used_ms.max(now_ms);
        self.proved = true;
    }

    /// Counts a call. `false` if there are more than can be counted.
    pub(super) fn call_started(&mut self, now_ms: u64) -> bool {
        self.touch(now_ms);
        let Some(calls) = self.calls_in_flight.checked_add(1) else {
            return false;
        };
        self.calls_in_flight = calls;
        true
    }

    pub(super) fn call_ended(&mut self, now_ms: u64) {
        self.touch(now_ms);
        self.calls_in_flight = self.calls_in_flight.saturating_sub(1);
    }

    /// Makes this the session's stream, and returns the one it takes the place of.
    pub(super) fn stream_opened(&mut self, stream: u16, now_ms: u64) -> Option<u16> {
        self.touch(now_ms);
        let replaced = self.stream();
        self.stream = NonZeroU16::new(stream.saturating_add(1));
        replaced.filter(|replaced| *replaced != stream)
    }

    /// Forgets the stream, unless a newer one took its place. Whether it was the session's stream.
    pub(super) fn stream_closed(&mut self, stream: u16, now_ms: u64) -> bool {
        let current = self.stream() == Some(stream);
        if current {
            self.stream = None;
            self.touch(now_ms);
        }
        current
    }

    /// Whether the application was told of this client.
    pub(crate) const fn announced(&self) -> bool {
        self.announced
    }

    /// Notes that it is told. False when it was before.
    pub(super) fn announce(&mut self) -> bool {
        !core::mem::replace(&mut self.announced, true)
    }

    /// Nothing came from its client for longer than a client stays away.
    pub(super) fn has_expired(&self, now_ms: u64) -> bool {
        let idle_max_ms = if self.proved { SESSION_IDLE_MAX_MS } else { SESSION_UNPROVED_MAX_MS };
        let busy = self.calls_in_flight > 0 || self.stream.is_some();
        !busy && now_ms.saturating_sub(self.last_used_ms) >= idle_max_ms
    }

    /// The place in the order of eviction; `None` for a session that must stay. This is the policy
    /// at the head of `table`.
    pub(super) fn eviction_rank(&self, now_ms: u64) -> Option<EvictionRank> {
        let busy = self.calls_in_flight > 0 || self.stream.is_some();
        if busy || now_ms.saturating_sub(self.last_used_ms) < SESSION_IDLE_MIN_MS {
            return None;
        }
        let class = if !self.proved || self.id.fields().transport == Transport::HttpSse {
            Class::Abandoned
        } else if self.holds_state() {
            Class::Holding
        } else {
            Class::Restorable
        };
        Some(EvictionRank(class, self.last_used_ms, self.client))
    }
}
