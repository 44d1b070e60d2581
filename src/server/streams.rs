//! An open stream. It is a cursor into the event ring, what it wants to hear, and how far the event at
//! its cursor was written: nothing is queued for it.

mod render;
mod rest;

pub(super) use render::{News, Rendered};
pub(super) use rest::Rest;

use core::num::NonZeroU16;

use super::conns::ConnRef;
use super::core::index16;
use crate::hub::{Filter, UriSet};
use crate::limits::{
    CALLS_MAX, KEEP_ALIVE_MS, LISTENER_ID_BYTES_MAX, RESERVED_BUFFERS, STREAM_SLOT_BYTES_MAX, TASK_EVENT_BYTES_MAX,
};
use crate::outlet::Wire;
use crate::session::{ClientId, LogLevel, NameRef, PrincipalId, SessionRef};
use crate::since::Since;
use crate::sse::EventId;

/// A slot for a stream.
pub(super) enum Stream {
    Free {
        /// Counts the streams that left it.
        generation: u32,
    },
    Open(Open),
}

const _: () = assert!(size_of::<Stream>() <= STREAM_SLOT_BYTES_MAX);
const _: () = assert!(CALLS_MAX + RESERVED_BUFFERS < u16::MAX as usize, "a stream keeps its writer in 16 bits");
const _: () = assert!(TASK_EVENT_BYTES_MAX <= u16::MAX as usize, "and how far it came with an event");

/// A stream that is to be opened.
pub(super) struct NewStream {
    pub(super) conn: ConnRef,
    pub(super) wire: Wire,
    /// The session whose stream it is; none for a `subscriptions/listen`.
    pub(super) session: Option<SessionRef>,
    /// 2024-11-05's own: the session ends with it.
    pub(super) http_sse: bool,
    pub(super) filter: Filter,
    /// It hears what happens from here on.
    pub(super) cursor: u64,
    pub(super) now_ms: u64,
    /// Its number, where its events have ids.
    pub(super) number: Option<u64>,
    /// What the client of a `subscriptions/listen` calls itself.
    pub(super) name: NameRef,
    /// The id of the `subscriptions/listen` request, as JSON; for a call's stream, its request's as event ids have it; empty for a
    /// session's stream.
    pub(super) request: RequestId,
    /// Who listens, where it is a `subscriptions/listen`.
    pub(super) principal: PrincipalId,
}

/// The id of the request that a stream belongs to.
pub(super) type RequestId = heapless::Vec<u8, LISTENER_ID_BYTES_MAX, u8>;

/// An open stream: what all have. There may be thousands, so it is small.
pub(super) struct Open {
    /// Which of its slot's streams it is.
    generation: u32,
    /// The client's number.
    pub(super) client: u64,
    /// The resources whose updates it is told.
    pub(super) uris: UriSet,
    /// Its number, if its events have ids; if not, when it was opened.
    mark: u64,
    cursor: u64,
    /// When something was last written; if it is stalled, since when the socket has taken nothing of what is due.
    since: Since,
    /// Bytes of the event at the cursor that were written.
    offset: u16,
    /// The place of its connection.
    conn: u16,
    /// Bytes that its client sent and nobody reads.
    pub(super) ignored_bytes: u16,
    /// The slot of the session whose stream it is, counted from 1; none for a `subscriptions/listen`.
    session: Option<NonZeroU16>,
    /// Where the rest is that few streams have, counted from 1.
    pub(super) rest: Option<NonZeroU16>,
    /// The worker that writes an answer here (2024-11-05), counted from 1.
    writer: Option<NonZeroU16>,
    pub(super) wire: Wire,
    due: Due,
    /// The least severe level of the messages that it is told.
    pub(super) messages: Option<LogLevel>,
    flags: u8,
}

// What is true of a stream: lists whose changes it is told, and
const TOOLS: u8 = 1;
const PROMPTS: u8 = 1 << 1;
const RESOURCES: u8 = 1 << 2;
/// that it is 2024-11-05's own: the session ends with it,
const HTTP_SSE: u8 = 1 << 3;
/// that a message came for the session of such a stream,
const HEARD: u8 = 1 << 4;
/// that its head is still being written,
const OPENING: u8 = 1 << 5;
/// that it is stalled,
const STALLED: u8 = 1 << 6;
/// and that its events have ids.
const NUMBERED: u8 = 1 << 7;

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    Comment,
    /// The event at the cursor.
    Event,
    /// What ends the stream.
    Last,
    /// Nothing more.
    Ended,
}

impl Stream {
    /// A free slot.
    pub(super) const EMPTY: Self = Stream::Free { generation: 0 };

    /// The stream, if there is one.
    pub(super) const fn open(&self) -> Option<&Open> {
        match self {
            Stream::Free { .. } => None,
            Stream::Open(open) => Some(open),
        }
    }

    /// The stream, to be changed.
    pub(super) const fn open_mut(&mut self) -> Option<&mut Open> {
        match self {
            Stream::Free { .. } => None,
            Stream::Open(open) => Some(open),
        }
    }

    /// How many streams left it.
    pub(super) const fn generation(&self) -> u32 {
        match self {
            Stream::Free { generation } | Stream::Open(Open { generation, .. }) => *generation,
        }
    }

    /// Takes the stream out.
    pub(super) fn take(&mut self) -> Option<Open> {
        let free = Stream::Free { generation: self.generation().wrapping_add(1) };
        match core::mem::replace(self, free) {
            Stream::Open(open) => Some(open),
            Stream::Free { generation } => {
                *self = Stream::Free { generation };
                None
            }
        }
    }
}

impl NewStream {
    /// A stream that hears what happens from `cursor` on.
    pub(super) fn new(conn: ConnRef, wire: Wire, filter: Filter, cursor: u64, now_ms: u64) -> Self {
        Self {
            conn,
            wire,
            session: None,
            http_sse: false,
            filter,
            cursor,
            now_ms,
            number: None,
            name: NameRef::NONE,
            request: RequestId::new(),
            principal: PrincipalId::ANYONE,
        }
    }

    /// Makes it the stream of this `subscriptions/listen`. False when the id is too long to be kept.
    pub(super) fn listen(&mut self, id: &[u8]) -> bool {
        self.request.clear();
        self.request.extend_from_slice(id).is_ok()
    }

    /// Gives its events ids: those of this stream, whose number and request are meant.
    pub(super) fn identify(&mut self, id: &EventId) {
        self.number = Some(id.stream);
        if self.filter.call.is_some() {
            // It is shorter than a listener's id may be.
            self.listen(id.request.as_str().as_bytes());
        }
    }
}

impl Open {
    /// A stream whose rest is at that place, the next in a slot of this generation.
    pub(super) fn new(new: &NewStream, rest: Option<NonZeroU16>, generation: u32) -> Self {
        let filter = new.filter;
        let flags = [
            (TOOLS, filter.tools),
            (PROMPTS, filter.prompts),
            (RESOURCES, filter.resources),
            (HTTP_SSE, new.http_sse),
            (OPENING, true),
            (NUMBERED, new.number.is_some()),
        ];
        Self {
            generation,
            client: filter.client,
            uris: filter.uris,
            mark: new.number.unwrap_or(new.now_ms),
            cursor: new.cursor,
            since: Since::at(new.now_ms),
            offset: 0,
            conn: index16(new.conn.index()),
            ignored_bytes: 0,
            session: new.session.map(SessionRef::slot),
            rest,
            writer: None,
            wire: new.wire,
            due: Due::Nothing,
            messages: filter.messages,
            flags: flags.into_iter().filter(|(_, set)| *set).fold(0, |flags, (flag, _)| flags | flag),
        }
    }

    const fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The place of its connection.
    pub(super) fn conn(&self) -> usize {
        self.conn.into()
    }

    /// The session whose stream it is; none for a `subscriptions/listen`.
    pub(super) fn session(&self) -> Option<SessionRef> {
        self.session.map(|slot| SessionRef::of(slot, ClientId(self.client)))
    }

    /// It is 2024-11-05's own: the session ends with it.
    pub(super) const fn is_http_sse(&self) -> bool {
        self.is(HTTP_SSE)
    }

    /// A message came for the session of a 2024-11-05 stream.
    pub(super) const fn hear(&mut self) {
        self.flags |= HEARD;
    }

    /// Its head was written.
    pub(super) const fn opened(&mut self) {
        self.flags &= !OPENING;
    }

    /// When a 2024-11-05 stream was opened whose client has sent nothing.
    pub(super) fn silent_since_ms(&self) -> Option<u64> {
        (self.is_http_sse() && !self.is(HEARD)).then(|| self.opened_ms())
    }

    /// When it was opened. Of one whose events have ids this is not known.
    pub(super) const fn opened_ms(&self) -> u64 {
        if self.is(NUMBERED) { 0 } else { self.mark }
    }

    /// The call whose stream this is: its client, and the number of its stream.
    pub(super) fn call(&self, rest: &Rest) -> Option<(u64, u64)> {
        rest.after().map(|_| (self.client, self.mark))
    }

    /// A worker writes an answer here.
    pub(super) const fn is_held(&self) -> bool {
        self.writer.is_some()
    }

    /// This worker does.
    pub(super) fn is_held_by(&self, worker: usize) -> bool {
        self.writer.is_some_and(|writer| usize::from(writer.get()) == worker + 1)
    }

    /// Lets a worker write an answer, between two events.
    pub(super) fn hold(&mut self, worker: usize) {
        let worker = u16::try_from(worker).unwrap_or(u16::MAX);
        self.writer = Some(NonZeroU16::MIN.saturating_add(worker));
        self.flags &= !STALLED;
    }

    /// The answer was written.
    pub(super) const fn release(&mut self, now_ms: u64) {
        self.writer = None;
        self.since = Since::at(now_ms);
    }

    /// The socket takes nothing now.
    pub(super) const fn stall(&mut self, now_ms: u64) {
        if !self.is(STALLED) {
            self.flags |= STALLED;
            self.since = Since::at(now_ms);
        }
    }

    /// For how many milliseconds the socket has taken nothing of what is due.
    pub(super) fn stalled_for_ms(&self, now_ms: u64) -> Option<u64> {
        self.is(STALLED).then(|| self.since.age_ms(now_ms))
    }

    /// Between two events: an answer may be written here.
    pub(super) fn is_between(&self) -> bool {
        !self.is(OPENING) && (self.due == Due::Nothing || self.offset == 0)
    }

    /// The event at this place of the ring is still to be sent, all of it.
    pub(super) fn is_before(&self, position: u64) -> bool {
        self.cursor < position || (self.cursor == position && self.offset == 0)
    }

    /// Asks for a comment if the stream has been silent for long.
    pub(super) fn keep_alive(&mut self, now_ms: u64) -> bool {
        let silent = self.since.age_ms(now_ms) >= KEEP_ALIVE_MS;
        let wanted = silent && self.due == Due::Nothing && !self.is_held();
        if wanted {
            self.due = Due::Comment;
        }
        wanted
    }

    /// Asks for the end of the stream: what was begun is given up unless it is the end.
    pub(super) fn end(&mut self) -> bool {
        let clean = self.is_between() && !self.is_held();
        if clean {
            self.due = Due::Last;
        }
        clean
    }
}
