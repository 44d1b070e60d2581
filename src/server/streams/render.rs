//! What a stream writes: the events that it wants to hear, and how far the one at its cursor was written.

use super::{Due, NUMBERED, OPENING, Open, PROMPTS, RESOURCES, Rest, STALLED, TOOLS};
use crate::app::Identity;
use crate::http;
use crate::hub::{Event, Filter, Hub, Kind, Next, Resumed};
use crate::json::Writer;
use crate::mcp::{self, subscriptions};
use crate::outlet::{CHUNK_HEAD_BYTES, Wire, chunk};
use crate::since::Since;
use crate::sse::{self, END_OF_CALL, EventId, Place, RequestTail};
use crate::tasks::{self, Board};

/// What streams tell of.
#[derive(Clone, Copy)]
pub(in crate::server) struct News<'n, 'm> {
    pub(in crate::server) hub: &'n Hub<'m>,
    pub(in crate::server) board: &'n Board<'m>,
    pub(in crate::server) identity: &'n Identity,
    /// Which start of the server this is, as event ids have it.
    pub(in crate::server) boot: u32,
}

/// What there is to write to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Rendered {
    /// This part of the buffer.
    Bytes { from: usize, to: usize },
    /// Nothing now.
    Nothing,
    /// Nothing more: the call that it belongs to was answered.
    Ended,
    /// The ring went on without it.
    Lost,
}

impl Open {
    /// Renders what is due into `buf`, and tells which part of it is still to be written.
    pub(in crate::server) fn render(&mut self, rest: &mut Rest, news: &News<'_, '_>, buf: &mut [u8]) -> Rendered {
        let News { hub, board, identity, boot } = *news;
        loop {
            match self.due {
                _ if self.is(OPENING) => return Rendered::Nothing,
                Due::Ended if rest.after().is_some() => return Rendered::Ended,
                Due::Ended => return Rendered::Nothing,
                Due::Nothing => match hub.next(self.cursor) {
                    Next::UpToDate => return Rendered::Nothing,
                    Next::Lost => return Rendered::Lost,
                    Next::Event(event, next) => {
                        let is_current = match event.kind {
                            Kind::TaskChanged(place) => event.carries(&board.news(place.into())),
                            _ => hub.is_current(&event, self.cursor),
                        };
                        if !is_current || !self.filter(rest).wants(&event) {
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
                        let rendered = self.task(rest, place.into(), board, buf);
                        if rendered != Rendered::Nothing {
                            return rendered;
                        }
                        (self.due, self.cursor) = (Due::Nothing, next);
                        continue;
                    }
                    let id = self.id(rest, boot, &event, next);
                    return self.framed(buf, |w| {
                        if let Some(id) = &id {
                            sse::write_id(w, id);
                        }
                        event.render(w, rest.request());
                    });
                }
                Due::Last => {
                    let rendered = self.framed(buf, |w| {
                        if let Rest::Listener { id, .. } = &*rest {
                            subscriptions::complete(w, id, identity);
                        }
                    });
                    return self.with_last_chunk(rendered, buf);
                }
            }
        }
    }

    // Tells how far a task is; nothing where it was forgotten, or its place is another's by now. It must be the same until it is written.
    fn task(&mut self, rest: &mut Rest, place: usize, board: &Board<'_>, buf: &mut [u8]) -> Rendered {
        let stamp = board.stamp(place);
        let shown = rest.shown((self.offset == 0).then_some(stamp));
        let (is_heard, mut written) = (rest.tasks() & tasks::bit(place) != 0, false);
        let rendered = self.framed(buf, |w| written = is_heard && mcp::tasks::notify(w, board, place, rest.request()));
        match written {
            true if shown == stamp => rendered,
            false if self.offset == 0 => Rendered::Nothing,
            _ => Rendered::Lost,
        }
    }

    /// `n` bytes of what was rendered were written; true when that was all of it.
    pub(in crate::server) fn wrote(&mut self, n: usize, all: bool, hub: &Hub<'_>, now_ms: u64) {
        self.offset = self.offset.saturating_add(u16::try_from(n).unwrap_or(u16::MAX));
        self.since = Since::at(now_ms);
        self.flags &= !STALLED;
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
        Rendered::Bytes { from: from + usize::from(self.offset), to }
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

    fn filter(&self, rest: &Rest) -> Filter {
        Filter {
            tools: self.is(TOOLS),
            prompts: self.is(PROMPTS),
            resources: self.is(RESOURCES),
            uris: self.uris,
            tasks: rest.tasks(),
            messages: self.messages,
            client: self.client,
            call: rest.after().map(|after| Resumed { stream: self.mark, after }),
        }
    }

    // The id of the event that lies in front of this position.
    fn id(&self, rest: &Rest, boot: u32, event: &Event<'_>, behind: u64) -> Option<EventId> {
        if !self.is(NUMBERED) {
            return None;
        }
        let (place, request) = match event.kind {
            Kind::Call { event, .. } => {
                (Place::Call(event), str::from_utf8(rest.request()).ok().and_then(RequestTail::parse))
            }
            _ => (Place::Ring(behind), None),
        };
        Some(EventId { boot, client: self.client, stream: self.mark, place, request: request.unwrap_or_default() })
    }
}
