//! The event ring (DESIGN D3): every event from the server to its clients is stored once, encoded as little as needed,
//! and each stream has a cursor into it. The ring is the queue and the fan-out at once: nothing is copied per client,
//! a slow reader slows nobody, and one that the ring has passed by is told so ([`Next::Lost`]).
//!
//! ```text
//!   tail                                    head
//!    |  [event][event][event][event][event]  |        positions count bytes since the start, and never repeat
//!            ^ cursor of a slow stream       ^ cursor of one that has all
//! ```
//! Pure: bytes in, events out.

mod replay;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_replay;
#[cfg(test)]
mod tests_uris;
mod uris;

pub(crate) use uris::{NoPlace, Uri, UriSet, Uris, bit};

use crate::json::Writer;
use crate::pool::Pool;
use crate::rpc::META_SUBSCRIPTION_ID;
use crate::session::LogLevel;
use crate::sse;

/// The bytes in front of an event's payload: length (2), kind (1), level (1), client (8).
const FRAME_BYTES: usize = 12;
/// The bytes in front of the JSON in the payload of a call's event: stream (8), event (4).
const CALL_BYTES: usize = 12;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `notifications/tools/list_changed`.
    ToolsChanged,
    /// `notifications/prompts/list_changed`.
    PromptsChanged,
    /// `notifications/resources/list_changed`.
    ResourcesChanged,
    /// `notifications/resources/updated`; the place of the URI, and the payload is the URI, which needs no escapes.
    ResourceUpdated(u8),
    /// `notifications/tasks`; the place of the task, and the payload tells which change it was. What is told is how far the task is when
    /// that is written.
    TaskChanged(u8),
    /// `notifications/message`; the payload is its `params` as JSON.
    Message(LogLevel),
    /// A message of a call whose connection broke; the payload is all of it, as JSON, and empty where there is no answer to tell.
    Call {
        /// The number of the call's stream.
        stream: u64,
        /// Which of its events, [`END_OF_CALL`](sse::END_OF_CALL) for the answer.
        event: u32,
    },
}

/// For whom an event is: every client, or the one of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Every client.
    All,
    /// The client of this number, which is never 0.
    Client(u64),
}

/// An event in the ring. Its payload may lie around the ring's end: two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event<'r> {
    /// What happened.
    pub(crate) kind: Kind,
    /// For whom.
    pub(crate) audience: Audience,
    payload: (&'r [u8], &'r [u8]),
}

/// What a cursor finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'r> {
    /// An event, and the cursor behind it.
    Event(Event<'r>, u64),
    /// Nothing new.
    UpToDate,
    /// The ring has overwritten what came next: the stream has lost events.
    Lost,
}

/// The ring over lent bytes.
pub(crate) struct Hub<'m> {
    ring: &'m mut [u8],
    uris: Uris<'m>,
    tail: u64,
    head: u64,
}

impl<'m> Hub<'m> {
    /// An empty ring over `ring`, whose length is the bound, and no subscriptions, of which there is a place in `uris` for each.
    pub(crate) fn new(ring: &'m mut [u8], uris: impl Into<Pool<'m, Uri>>) -> Self {
        Self { ring, uris: Uris::new(uris), tail: 0, head: 0 }
    }

    /// What is subscribed to.
    pub(crate) fn uris(&mut self) -> &mut Uris<'m> {
        &mut self.uris
    }

    /// The URIs of a set.
    pub(crate) fn uris_of(&self, set: UriSet) -> impl Iterator<Item = &str> {
        self.uris.of(set)
    }

    /// Whether the event at `cursor` is still worth telling: not where a later one says the same.
    pub(crate) fn is_current(&self, event: &Event<'_>, cursor: u64) -> bool {
        match event.kind {
            Kind::ResourceUpdated(place) => self.uris.latest(usize::from(place)) == Some(cursor),
            _ => true,
        }
    }

    /// The cursor of a stream that opens now: it sees what happens from here on.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Stores an event, in the place of the oldest ones. False when it is larger than a quarter of the ring (one event
    /// must not push out all others) or than a frame's length can say.
    pub(crate) fn append(&mut self, kind: Kind, audience: Audience, payload: &[u8]) -> bool {
        let mut call = [0; CALL_BYTES];
        let call = match kind {
            Kind::Call { stream, event } => {
                call[..8].copy_from_slice(&stream.to_le_bytes());
                call[8..].copy_from_slice(&event.to_le_bytes());
                call.as_slice()
            }
            _ => &[],
        };
        let inside = call.len() + payload.len();
        let size = FRAME_BYTES + inside;
        let (Ok(length), true) = (u16::try_from(inside), size <= self.ring.len() / 4) else { return false };
        while self.head + size as u64 - self.tail > self.ring.len() as u64 {
            self.tail = self.behind(self.tail);
        }
        let (code, level) = encode(kind);
        if let Kind::ResourceUpdated(place) = kind {
            self.uris.set_latest(usize::from(place), self.head);
        }
        let client = match audience {
            Audience::All => 0,
            Audience::Client(number) => number,
        };
        let mut frame = [0; FRAME_BYTES];
        frame[..2].copy_from_slice(&length.to_le_bytes());
        frame[2] = code;
        frame[3] = level;
        frame[4..].copy_from_slice(&client.to_le_bytes());
        for part in [&frame, call, payload] {
            self.put(self.head, part);
            self.head += part.len() as u64;
        }
        true
    }

    /// What `cursor` finds next.
    pub(crate) fn next(&self, cursor: u64) -> Next<'_> {
        if cursor >= self.head {
            return Next::UpToDate;
        }
        if cursor < self.tail {
            return Next::Lost;
        }
        let frame: [u8; FRAME_BYTES] = self.bytes(cursor);
        let length = usize::from(u16::from_le_bytes([frame[0], frame[1]]));
        let client = frame[4..].try_into().map(u64::from_le_bytes).unwrap_or_default();
        let audience = if client == 0 { Audience::All } else { Audience::Client(client) };
        let begin = cursor + FRAME_BYTES as u64;
        let mut kind = decode(frame[2], frame[3]);
        let mut skipped = 0;
        if let Kind::Call { stream, event } = &mut kind {
            *stream = u64::from_le_bytes(self.bytes(begin));
            *event = u32::from_le_bytes(self.bytes(begin + 8));
            skipped = CALL_BYTES.min(length);
        }
        let payload = self.get(begin + skipped as u64, length - skipped);
        Next::Event(Event { kind, audience, payload }, begin + length as u64)
    }

    // Where the event at this place ends.
    fn behind(&self, position: u64) -> u64 {
        position + FRAME_BYTES as u64 + u64::from(u16::from_le_bytes(self.bytes(position)))
    }

    fn index(&self, position: u64) -> usize {
        // Less than the ring's length, which is a usize.
        usize::try_from(position % (self.ring.len().max(1) as u64)).unwrap_or_default()
    }

    fn bytes<const N: usize>(&self, position: u64) -> [u8; N] {
        core::array::from_fn(|at| self.ring.get(self.index(position + at as u64)).copied().unwrap_or_default())
    }

    fn put(&mut self, position: u64, bytes: &[u8]) {
        let at = self.index(position);
        let first = bytes.len().min(self.ring.len() - at);
        let (whole, around) = bytes.split_at(first);
        self.ring[at..at + first].copy_from_slice(whole);
        self.ring[..around.len()].copy_from_slice(around);
    }

    fn get(&self, position: u64, length: usize) -> (&[u8], &[u8]) {
        let at = self.index(position);
        let first = length.min(self.ring.len() - at);
        (self.ring.get(at..at + first).unwrap_or_default(), self.ring.get(..length - first).unwrap_or_default())
    }
}

/// What a stream wants to hear, and how it must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// `notifications/tools/list_changed`.
    pub(crate) tools: bool,
    /// `notifications/prompts/list_changed`.
    pub(crate) prompts: bool,
    /// `notifications/resources/list_changed`.
    pub(crate) resources: bool,
    /// `notifications/resources/updated` of these.
    pub(crate) uris: UriSet,
    /// `notifications/tasks` of these: one bit for each place.
    pub(crate) tasks: u64,
    /// `notifications/message` of this level and above (older revisions only: DESIGN D16).
    pub(crate) messages: Option<LogLevel>,
    /// The client's number.
    pub(crate) client: u64,
    /// Nothing but what follows this event of this call: the stream is a call's that was resumed.
    pub(crate) call: Option<Resumed>,
}

/// A call whose stream was resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resumed {
    /// The number of the call's stream.
    pub(crate) stream: u64,
    /// The last of its events that the client has.
    pub(crate) after: u32,
}

impl Filter {
    /// Whether the stream is to get `event`.
    pub(crate) fn wants(&self, event: &Event<'_>) -> bool {
        let meant = match event.audience {
            Audience::All => true,
            Audience::Client(number) => number == self.client,
        };
        if let Some(call) = self.call {
            return meant
                && matches!(event.kind, Kind::Call { stream, event } if stream == call.stream && event > call.after);
        }
        meant
            && match event.kind {
                Kind::Call { .. } => false,
                Kind::ToolsChanged => self.tools,
                Kind::PromptsChanged => self.prompts,
                Kind::ResourcesChanged => self.resources,
                Kind::ResourceUpdated(place) => self.uris & bit(usize::from(place)) != 0,
                Kind::TaskChanged(place) => self.tasks & bit(usize::from(place)) != 0,
                Kind::Message(level) => self.messages.is_some_and(|least| level >= least),
            }
    }
}

impl<'r> Event<'r> {
    /// An event for all that is not in the ring.
    pub(crate) fn of(kind: Kind, payload: &'r [u8]) -> Self {
        Self { kind, audience: Audience::All, payload: (payload, &[]) }
    }

    /// Whether these bytes are its payload.
    pub(crate) fn carries(&self, bytes: &[u8]) -> bool {
        self.payload.0.iter().chain(self.payload.1).eq(bytes)
    }

    /// There is nothing to tell: the call that it is of ended without an answer.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.kind, Kind::Call { .. }) && self.payload.0.is_empty() && self.payload.1.is_empty()
    }

    /// Writes the event as one event of an event stream. `subscription` is the id of the `subscriptions/listen` request
    /// that asked for it, as JSON; empty on the streams of older revisions.
    pub(crate) fn render(&self, w: &mut Writer<'_>, subscription: &[u8]) {
        if let Kind::Call { .. } = self.kind {
            w.raw(sse::MESSAGE).raw(self.payload.0).raw(self.payload.1).raw(sse::END);
            return;
        }
        w.raw(sse::MESSAGE).str(r#"{"jsonrpc":"2.0","method":"#);
        w.str(match self.kind {
            Kind::ToolsChanged => r#""notifications/tools/list_changed""#,
            Kind::PromptsChanged => r#""notifications/prompts/list_changed""#,
            Kind::ResourcesChanged => r#""notifications/resources/list_changed""#,
            Kind::ResourceUpdated(_) => r#""notifications/resources/updated","params":{"uri":""#,
            Kind::Message(_) => r#""notifications/message","params":"#,
            Kind::TaskChanged(_) => r#""notifications/tasks""#,
            Kind::Call { .. } => "",
        });
        if let Kind::Message(_) | Kind::ResourceUpdated(_) = self.kind {
            w.raw(self.payload.0).raw(self.payload.1);
        }
        if let Kind::ResourceUpdated(_) = self.kind {
            w.str("\"");
            if !subscription.is_empty() {
                w.str(r#","_meta":{"#).string(META_SUBSCRIPTION_ID).str(":").raw(subscription).str("}");
            }
            w.str("}");
        } else if matches!(self.kind, Kind::Message(_)) {
            // Its payload is all of it.
        } else if !subscription.is_empty() {
            w.str(r#","params":{"_meta":{"#).string(META_SUBSCRIPTION_ID).str(":").raw(subscription).str("}}");
        }
        w.str("}").raw(sse::END);
    }
}

fn encode(kind: Kind) -> (u8, u8) {
    match kind {
        Kind::ToolsChanged => (0, 0),
        Kind::PromptsChanged => (1, 0),
        Kind::ResourcesChanged => (2, 0),
        Kind::Message(level) => (3, level as u8),
        Kind::ResourceUpdated(place) => (4, place),
        Kind::Call { .. } => (5, 0),
        Kind::TaskChanged(place) => (6, place),
    }
}

fn decode(code: u8, level: u8) -> Kind {
    match code {
        0 => Kind::ToolsChanged,
        1 => Kind::PromptsChanged,
        2 => Kind::ResourcesChanged,
        4 => Kind::ResourceUpdated(level),
        // Its numbers stand in the payload.
        5 => Kind::Call { stream: 0, event: 0 },
        6 => Kind::TaskChanged(level),
        _ => Kind::Message(LogLevel::ALL.get(usize::from(level)).copied().unwrap_or(LogLevel::Info)),
    }
}
