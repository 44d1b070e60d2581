//! The table of open streams. A stream is a cursor into the event ring, what it wants to hear, and how far the event at
//! its cursor was written: nothing is queued for it.

use super::conns::ConnRef;
use crate::app::Identity;
use crate::http;
use crate::hub::{Event, Filter, Hub, Kind, Next};
use crate::json::Writer;
use crate::limits::{KEEP_ALIVE_MS, LISTENER_ID_BYTES_MAX, SILENT_STREAM_MS};
use crate::mcp::{self, subscriptions};
use crate::outlet::{CHUNK_HEAD_BYTES, Wire, chunk};
use crate::session::{ClientText, SessionRef};
use crate::sse::{self, END_OF_CALL, EventId, Place, RequestTail};
use crate::tasks::{self, Board, Stamp};

/// A slot for a stream.
pub(super) struct Stream {
    open: Option<Open>,
    generation: u32,
}

/// An open stream.
pub(super) struct Open {
    pub(super) conn: ConnRef,
    pub(super) wire: Wire,
    /// The session whose stream it is; none for a `subscriptions/listen`.
    pub(super) session: Option<SessionRef>,
    /// 2024-11-05's own: the session ends with it.
    pub(super) http_sse: bool,
    /// A message came for the session of a 2024-11-05 stream.
    pub(super) heard: bool,
    pub(super) filter: Filter,
    pub(super) opened_ms: u64,
    /// What the client of a `subscriptions/listen` calls itself.
    pub(super) client_name: ClientText,
    pub(super) client_version: ClientText,
    /// When something was last written.
    pub(super) written_ms: u64,
    /// Since when the socket has taken nothing of what is due.
    pub(super) stalled_ms: Option<u64>,
    /// Bytes that its client sent and nobody reads.
    pub(super) ignored_bytes: u32,
    /// Its head is still being written.
    pub(super) opening: bool,
    /// The worker that writes an answer here (2024-11-05).
    pub(super) writer: Option<usize>,
    /// What its events need to have ids.
    ids: Option<Ids>,
    /// The id of the `subscriptions/listen` request, as JSON; for a call's stream, its request's as event ids have it; empty for a session's
    /// stream.
    listener: heapless::Vec<u8, LISTENER_ID_BYTES_MAX>,
    cursor: u64,
    due: Due,
    offset: usize,
    /// What there was to see of a task when its event was begun.
    shown: Stamp,
}

/// The part of its event ids that all have.
#[derive(Clone, Copy)]
struct Ids {
    boot: u32,
    stream: u64,
}

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

/// A stream, and which of its slot's streams it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamRef {
    pub(super) index: usize,
    generation: u32,
}

/// What there is to write to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rendered {
    /// This part of the buffer.
    Bytes { from: usize, to: usize },
    /// Nothing now.
    Nothing,
    /// Nothing more: the call that it belongs to was answered.
    Ended,
    /// The ring went on without it.
    Lost,
}

impl Stream {
    /// A free slot.
    pub(super) const EMPTY: Self = Self { open: None, generation: 0 };
}

impl Open {
    /// A stream that hears what happens from `cursor` on.
    pub(super) fn new(conn: ConnRef, wire: Wire, filter: Filter, cursor: u64, now_ms: u64) -> Self {
        Self {
            conn,
            wire,
            session: None,
            http_sse: false,
            heard: false,
            filter,
            opened_ms: now_ms,
            client_name: ClientText::new(),
            client_version: ClientText::new(),
            written_ms: now_ms,
            stalled_ms: None,
            ignored_bytes: 0,
            opening: true,
            writer: None,
            ids: None,
            listener: heapless::Vec::new(),
            cursor,
            due: Due::Nothing,
            offset: 0,
            shown: Stamp::default(),
        }
    }

    /// Makes it the stream of this `subscriptions/listen`. False when the id is too long to be kept.
    pub(super) fn listen(&mut self, id: &[u8]) -> bool {
        self.listener.clear();
        self.listener.extend_from_slice(id).is_ok()
    }

    /// Gives its events ids: those of this stream, whose boot, number and request are meant.
    pub(super) fn identify(&mut self, id: &EventId) {
        self.ids = Some(Ids { boot: id.boot, stream: id.stream });
        if self.filter.call.is_some() {
            // It is shorter than a listener's id may be.
            self.listen(id.request.as_str().as_bytes());
        }
    }

    /// The call whose stream this is: its client, and the number of its stream.
    pub(super) fn call(&mut self) -> Option<(u64, u64)> {
        self.filter.call.map(|call| (self.filter.client, call.stream))
    }

    // The id of the event that lies in front of this position.
    fn id(&self, event: &Event<'_>, behind: u64) -> Option<EventId> {
        let Ids { boot, stream } = self.ids?;
        let (place, request) = match event.kind {
            Kind::Call { event, .. } => {
                (Place::Call(event), str::from_utf8(&self.listener).ok().and_then(RequestTail::parse))
            }
            _ => (Place::Ring(behind), None),
        };
        Some(EventId { boot, client: self.filter.client, stream, place, request: request.unwrap_or_default() })
    }

    /// Between two events: an answer may be written here.
    pub(super) fn is_between(&self) -> bool {
        !self.opening && (self.due == Due::Nothing || self.offset == 0)
    }

    /// The event at this place of the ring is still to be sent, all of it.
    pub(super) fn is_before(&self, position: u64) -> bool {
        self.cursor < position || (self.cursor == position && self.offset == 0)
    }

    /// Asks for a comment if the stream has been silent for long.
    pub(super) fn keep_alive(&mut self, now_ms: u64) -> bool {
        let silent = now_ms.saturating_sub(self.written_ms) >= KEEP_ALIVE_MS;
        let wanted = silent && self.due == Due::Nothing && self.writer.is_none();
        if wanted {
            self.due = Due::Comment;
        }
        wanted
    }

    /// Asks for the end of the stream: what was begun is given up unless it is the end.
    pub(super) fn end(&mut self) -> bool {
        let clean = self.is_between() && self.writer.is_none();
        if clean {
            self.due = Due::Last;
        }
        clean
    }

    /// Renders what is due into `buf`, and tells which part of it is still to be written.
    pub(super) fn render(&mut self, hub: &Hub<'_>, board: &Board<'_>, identity: &Identity, buf: &mut [u8]) -> Rendered {
        loop {
            match self.due {
                _ if self.opening => return Rendered::Nothing,
                Due::Ended if self.filter.call.is_some() => return Rendered::Ended,
                Due::Ended => return Rendered::Nothing,
                Due::Nothing => match hub.next(self.cursor) {
                    Next::UpToDate => return Rendered::Nothing,
                    Next::Lost => return Rendered::Lost,
                    Next::Event(event, next) => {
                        let is_current = match event.kind {
                            Kind::TaskChanged(place) => event.carries(&board.news(place.into())),
                            _ => hub.is_current(&event, self.cursor),
                        };
                        if !is_current || !self.filter.wants(&event) {
                            self.cursor = next;
                        } else {
                            self.due = if event.is_silent() { Due::Last } else { Due::Event };
                        }
                    }
                },
                Due::Comment => {
                    return self.framed(buf, |w| {
                        w.raw(sse::KEEP_ALIVE);
                    });
                }
                Due::Event => {
                    // An event that was written in part can't be left out any more.
                    let Next::Event(event, next) = hub.next(self.cursor) else { return Rendered::Lost };
                    if let Kind::TaskChanged(place) = event.kind {
                        let rendered = self.task(place.into(), board, buf);
                        if rendered != Rendered::Nothing {
                            return rendered;
                        }
                        (self.due, self.cursor) = (Due::Nothing, next);
                        continue;
                    }
                    let id = self.id(&event, next);
                    return self.framed(buf, |w| {
                        if let Some(id) = &id {
                            sse::write_id(w, id);
                        }
                        event.render(w, &self.listener);
                    });
                }
                Due::Last => {
                    let rendered = self.framed(buf, |w| {
                        if !self.listener.is_empty() && self.filter.call.is_none() {
                            subscriptions::complete(w, &self.listener, identity);
                        }
                    });
                    return self.with_last_chunk(rendered, buf);
                }
            }
        }
    }

    // Tells how far a task is; nothing where it was forgotten, or its place is another's by now. It must be the same until it is written.
    fn task(&mut self, place: usize, board: &Board<'_>, buf: &mut [u8]) -> Rendered {
        let stamp = board.stamp(place);
        if self.offset == 0 {
            self.shown = stamp;
        }
        let is_heard = self.filter.tasks & tasks::bit(place) != 0;
        let (id, mut written) = (self.listener.clone(), false);
        let rendered = self.framed(buf, |w| written = is_heard && mcp::tasks::notify(w, board, place, &id));
        match written {
            true if self.shown == stamp => rendered,
            false if self.offset == 0 => Rendered::Nothing,
            _ => Rendered::Lost,
        }
    }

    /// `n` bytes of what was rendered were written; true when that was all of it.
    pub(super) fn wrote(&mut self, n: usize, all: bool, hub: &Hub<'_>, now_ms: u64) {
        self.offset += n;
        self.written_ms = now_ms;
        self.stalled_ms = None;
        if !all {
            return;
        }
        self.offset = 0;
        let mut answered = false;
        if let (Due::Event, Next::Event(event, next)) = (self.due, hub.next(self.cursor)) {
            self.cursor = next;
            answered = matches!(event.kind, Kind::Call { event: END_OF_CALL, .. });
        }
        self.due = match self.due {
            Due::Last | Due::Ended => Due::Ended,
            _ if answered => Due::Last,
            _ => Due::Nothing,
        };
    }

    fn framed(&self, buf: &mut [u8], render: impl FnOnce(&mut Writer<'_>)) -> Rendered {
        let begin = if self.wire == Wire::Chunked { CHUNK_HEAD_BYTES } else { 0 };
        let room = buf.len().saturating_sub(2 + http::LAST_CHUNK.len());
        let Some(free) = buf.get_mut(begin..room) else { return Rendered::Lost };
        let mut w = Writer::new(free);
        render(&mut w);
        if !w.is_complete() {
            // Events are held to a size that fits: see EVENT_BYTES_MAX.
            return Rendered::Lost;
        }
        let end = begin + w.written();
        let to = match self.wire {
            Wire::Chunked if end > begin => chunk(buf, begin, end),
            _ => end,
        };
        // A chunk without data would be the last one.
        let from = if end == begin { begin } else { 0 };
        Rendered::Bytes { from: from + self.offset, to }
    }

    fn with_last_chunk(&self, rendered: Rendered, buf: &mut [u8]) -> Rendered {
        let Rendered::Bytes { from, to } = rendered else { return rendered };
        if self.wire != Wire::Chunked {
            return rendered;
        }
        let end = to + http::LAST_CHUNK.len();
        if let Some(place) = buf.get_mut(to..end) {
            place.copy_from_slice(http::LAST_CHUNK);
        }
        Rendered::Bytes { from, to: end }
    }
}

/// All streams.
pub(super) struct Streams<'m> {
    slots: &'m mut [Stream],
}

impl<'m> Streams<'m> {
    /// No streams, in these slots.
    pub(super) fn new(slots: &'m mut [Stream]) -> Self {
        slots.fill_with(|| Stream::EMPTY);
        Self { slots }
    }

    /// Opens a stream. `None` when there is no slot.
    pub(super) fn open(&mut self, stream: Open) -> Option<StreamRef> {
        let index = self.slots.iter().position(|slot| slot.open.is_none())?;
        let slot = self.slots.get_mut(index)?;
        slot.open = Some(stream);
        Some(StreamRef { index, generation: slot.generation })
    }

    /// The stream that makes room for a new one when all slots are taken: the oldest of 2024-11-05 whose client has sent
    /// nothing for half a minute. Others are never touched.
    pub(super) fn victim(&self, now_ms: u64) -> Option<StreamRef> {
        let silent = |stream: &Open| {
            stream.http_sse && !stream.heard && now_ms.saturating_sub(stream.opened_ms) >= SILENT_STREAM_MS
        };
        self.iter().filter(|(_, stream)| silent(stream)).min_by_key(|(_, stream)| stream.opened_ms).map(|(at, _)| at)
    }

    /// Nobody listens to these tasks any more.
    pub(super) fn forget_task(&mut self, task: u64) {
        for open in self.slots.iter_mut().filter_map(|slot| slot.open.as_mut()) {
            open.filter.tasks &= !task;
        }
    }

    /// The slots, in order.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Every slot is taken.
    pub(super) fn is_full(&self) -> bool {
        self.slots.iter().all(|slot| slot.open.is_some())
    }

    /// Frees a slot.
    pub(super) fn close(&mut self, stream: StreamRef) -> Option<Open> {
        let slot = self.slots.get_mut(stream.index).filter(|slot| slot.generation == stream.generation)?;
        let open = slot.open.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        Some(open)
    }

    /// The stream in this slot.
    pub(super) fn at(&mut self, index: usize) -> Option<&mut Open> {
        self.slots.get_mut(index)?.open.as_mut()
    }

    /// A stream that may have been closed since.
    pub(super) fn get(&mut self, stream: StreamRef) -> Option<&mut Open> {
        let slot = self.slots.get_mut(stream.index).filter(|slot| slot.generation == stream.generation)?;
        slot.open.as_mut()
    }

    /// A reference that goes stale when the stream closes.
    pub(super) fn reference(&self, index: usize) -> Option<StreamRef> {
        let slot = self.slots.get(index).filter(|slot| slot.open.is_some())?;
        Some(StreamRef { index, generation: slot.generation })
    }

    /// The open streams.
    pub(super) fn iter(&self) -> impl Iterator<Item = (StreamRef, &Open)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let open = slot.open.as_ref()?;
            Some((StreamRef { index, generation: slot.generation }, open))
        })
    }
}
