//! An answer that outlives its connection (2025-03-26 to 2025-11-25): its events have ids, and once the connection is gone
//! they are kept, one by one, by the owner of the outlet, until the client comes back for them.
//!
//! ```text
//! Attached ── the client sends no more ──→ Doubled ─┐   to the connection, which may be gone, and kept
//!     └────── the connection broke, or the handler ─┴→ Detached   only kept
//!             let it go
//! ```

use core::ops::Range;
use core::task::{Context, Poll};

use super::chunk::{Wire, put};
use super::frame::Piece;
use super::{BODY_AT, Form, Mark, Outlet, TAIL_BYTES};
use crate::http::LAST_CHUNK;
use crate::json::Writer;
use crate::limits::KEPT_BYTES_MAX;
use crate::rpc::{self, Code};
use crate::sse::{self, END_OF_CALL, EventId, Place, RequestTail};

/// What makes the events of an answer resumable.
#[derive(Debug)]
pub(crate) struct Resumable<'b> {
    /// The beginning of the stream; its request is added where the id is told, as few ever are.
    pub(crate) id: EventId,
    /// The id of the request, as JSON: an answer that is lost is told by an error.
    pub(crate) request: &'b [u8],
    /// The stream begins with an event without data (2025-11-25), so that the client can come back from the first moment.
    pub(crate) primed: bool,
    /// Milliseconds that the client is to wait before it comes back.
    pub(crate) retry_ms: u32,
}

/// How far a resumable answer is.
pub(super) struct Resume<'b> {
    what: Resumable<'b>,
    mode: Mode,
    /// Events so far, the answer not counted.
    events: u32,
    /// The queue has an id.
    id_queued: bool,
    /// The client was sent an id.
    id_sent: bool,
    /// It was told when to come back.
    retry_told: bool,
    /// The JSON of the newest event, where it is still to be sent or kept.
    kept: Range<usize>,
    /// The end of the stream is queued, as the handler lets the connection go.
    leaving: bool,
    /// A part of the answer is gone: there can't be a whole one.
    lost: bool,
    /// The answer was kept, or said to be lost.
    told: bool,
}

/// Where events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Attached,
    Doubled,
    Detached,
}

/// An event that is to be kept.
#[derive(Debug)]
pub(crate) struct Kept<'k> {
    /// Its id.
    pub(crate) id: EventId,
    /// The message; empty where the call ends without one.
    pub(crate) json: &'k [u8],
}

/// What a client is told whose answer there is not.
const TOO_LONG: &str =
    "the answer is lost: the connection broke, and the answer is too long to be kept until the client comes back";

impl Resume<'_> {
    // The id of what is at this place of the stream.
    fn id(&self, place: Place) -> EventId {
        EventId { place, request: RequestTail::of(self.what.request), ..self.what.id }
    }

    /// What the stream begins with.
    pub(super) fn prime(&self, w: &mut Writer<'_>) {
        if self.what.primed {
            sse::write_priming(w, &self.id(self.what.id.place), self.what.retry_ms);
        }
    }

    /// How many events there were.
    pub(super) fn count(&self) -> u32 {
        self.events
    }

    /// The number of the next event.
    pub(super) fn next(&self) -> u32 {
        self.events.saturating_add(1)
    }

    /// The first lines of an event. A client that was not primed learns here when to come back.
    pub(super) fn write_id(&self, w: &mut Writer<'_>, event: u32) {
        sse::write_id(w, &self.id(Place::Call(event)));
        if !self.what.primed && !self.retry_told && event != END_OF_CALL {
            w.str("retry: ").uint(u64::from(self.what.retry_ms)).str("\n");
        }
    }

    /// A piece was queued; `begins`: it has what an event or a stream begins with.
    pub(super) fn queued(&mut self, piece: Piece, begins: bool, json: Range<usize>) {
        self.id_queued = piece == Piece::Message || (begins && (self.what.primed || self.retry_told));
        if piece == Piece::Message {
            self.events = self.next();
            self.retry_told = true;
            self.kept = json;
        }
    }
}

impl<'b> Outlet<'b> {
    /// Gives the events of the answer ids, if it becomes an event stream.
    pub(crate) fn set_resumable(&mut self, what: Resumable<'b>) {
        self.resume = Some(Resume {
            what,
            mode: Mode::Attached,
            events: 0,
            id_queued: false,
            id_sent: false,
            retry_told: false,
            kept: 0..0,
            leaving: false,
            lost: false,
            told: false,
        });
    }

    /// The client sends nothing more, and may be gone: what it is sent from here on is kept, too.
    pub(crate) fn double(&mut self) {
        if let Some(resume) = self.resume.as_mut().filter(|resume| resume.mode == Mode::Attached) {
            resume.mode = Mode::Doubled;
        }
    }

    /// The connection is gone: what was not sent, and all that comes, is kept. False where the client could not come back
    /// for it, as it has no id: then nothing has changed.
    pub(crate) fn detach(&mut self) -> bool {
        let whole = self.is_whole();
        // An event that was sent but for the end of its chunk may have been read.
        let partly = self.partly;
        let has_id = |resume: &&mut Resume<'_>| resume.id_sent || (resume.id_queued && partly);
        let Some(resume) = self.resume.as_mut().filter(has_id) else { return false };
        if resume.mode == Mode::Detached {
            return true;
        }
        resume.mode = Mode::Detached;
        self.queue = 0..0;
        self.queue_is_body = false;
        self.message_open = false;
        self.ended = false;
        if self.flush || !whole {
            self.lose();
        }
        self.wake();
        true
    }

    /// It is an event stream whose events have ids.
    pub(crate) fn has_ids(&self) -> bool {
        self.resume.is_some() && self.is_event_stream()
    }

    /// It goes on without a connection.
    pub(crate) fn is_detached(&self) -> bool {
        self.mode() == Some(Mode::Detached)
    }

    /// The handler has let the connection go; its part of the answer was sent whole.
    pub(crate) fn has_left(&self) -> bool {
        self.is_detached() && self.resume.as_ref().is_some_and(|resume| resume.leaving)
    }

    /// What is to be kept now; [`Self::kept`] must follow.
    pub(crate) fn next_kept(&mut self) -> Option<Kept<'_>> {
        let whole = self.is_whole();
        let resume = self.resume.as_mut().filter(|resume| match resume.mode {
            Mode::Attached => false,
            Mode::Doubled => resume.id_sent || resume.id_queued,
            Mode::Detached => true,
        })?;
        if !resume.kept.is_empty() {
            let id = resume.id(Place::Call(resume.events));
            return Some(Kept { id, json: self.buf.get(resume.kept.clone()).unwrap_or_default() });
        }
        if !self.finished || resume.told {
            return None;
        }
        if resume.mode == Mode::Doubled && !(whole && matches!(self.form, Form::Events(_))) {
            // It is on its way in pieces, or is no event.
            return None;
        }
        if resume.lost {
            let mut w = Writer::new(self.buf.get_mut(BODY_AT..).unwrap_or_default());
            rpc::error(&mut w, resume.what.request, Code::INTERNAL_ERROR, TOO_LONG);
            self.body = w.written();
        }
        let id = resume.id(Place::Call(END_OF_CALL));
        Some(Kept { id, json: self.buf.get(BODY_AT..BODY_AT + self.body).unwrap_or_default() })
    }

    /// It was kept, or (`false`) is too long for that.
    pub(crate) fn kept(&mut self, whole: bool) {
        let Some(resume) = &mut self.resume else { return };
        if !resume.kept.is_empty() {
            resume.kept = 0..0;
        } else if whole || resume.lost {
            resume.told = true;
        } else if resume.mode == Mode::Detached {
            resume.lost = true;
        } else {
            // The client may get it yet; if not, it is told when it comes back that the answer is lost.
            resume.told = true;
        }
        if resume.mode == Mode::Detached {
            self.wake();
        }
    }

    /// Ends an answer whose handler was dropped, and that has no connection: nothing is said, but that nothing comes.
    pub(crate) fn end_silently(&mut self) {
        if let Some(resume) = &mut self.resume {
            resume.lost = false;
            resume.kept = 0..0;
        }
        self.body = 0;
        self.finished = true;
    }

    // All of the answer, as far as it was written, is in the buffer.
    fn is_whole(&self) -> bool {
        self.flushes == 0 || (self.ended && self.flushes == 1 && self.queue_is_body)
    }

    fn mode(&self) -> Option<Mode> {
        self.resume.as_ref().map(|resume| resume.mode)
    }

    // Without a connection all was said.
    pub(super) fn is_told(&self) -> bool {
        self.finished && self.resume.as_ref().is_some_and(|resume| resume.mode == Mode::Detached && resume.told)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.resume.as_ref().is_some_and(|resume| resume.lost)
    }

    // No event waits to be kept in the place of the next.
    pub(super) fn has_kept_all(&self) -> bool {
        !self.is_detached() || self.resume.as_ref().is_none_or(|resume| resume.kept.is_empty())
    }

    // There will be no whole answer.
    pub(super) fn lose(&mut self) {
        if let Some(resume) = &mut self.resume {
            resume.lost = true;
        }
        self.body = 0;
        self.flush = false;
    }

    // What was lost since `mark` is not missed; false when what stood before it is lost too.
    pub(super) fn rewind_lost(&mut self, mark: Mark) -> bool {
        if !self.is_lost() {
            return true;
        }
        let all = mark.body == 0;
        if let Some(resume) = self.resume.as_mut().filter(|_| all) {
            resume.lost = false;
        }
        all
    }

    // All of the queue was sent.
    pub(super) fn resume_sent(&mut self) {
        let Some(resume) = &mut self.resume else { return };
        resume.id_sent |= core::mem::take(&mut resume.id_queued);
        resume.kept = 0..0;
        if resume.leaving {
            resume.mode = Mode::Detached;
        }
    }

    // Without a connection an event is only its JSON, until it is kept.
    pub(super) fn keep(&mut self, at: usize, piece: Piece, render: impl FnOnce(&mut Writer<'_>)) -> bool {
        let (Some(resume), Some(free)) = (&mut self.resume, self.buf.get_mut(at..)) else { return false };
        let mut w = Writer::new(free);
        render(&mut w);
        let written = w.written();
        // What is too long to be kept would never be seen.
        if !w.is_complete() || written > KEPT_BYTES_MAX || piece == Piece::Plain {
            return false;
        }
        resume.queued(piece, false, at..at + written);
        true
    }

    /// Ends what the connection carries, and goes on without it.
    pub(super) fn poll_leave(&mut self, cx: &Context<'_>) -> Poll<bool> {
        let can =
            self.events && !self.gone && !self.message_open && matches!(self.form, Form::Undecided | Form::Events(_));
        let Some(resume) = self.resume.as_mut().filter(|_| can) else { return Poll::Ready(false) };
        if resume.mode == Mode::Detached {
            return Poll::Ready(true);
        }
        if self.flush || !self.queue.is_empty() {
            self.wait(cx);
            return Poll::Pending;
        }
        if !resume.id_sent {
            // Only a primed stream can begin without a message.
            if !resume.what.primed || !self.overtake(Piece::Plain, |_| {}) {
                return Poll::Ready(false);
            }
        } else if matches!(self.form, Form::Events(Wire::Chunked)) {
            let at = BODY_AT + self.body + TAIL_BYTES;
            if self.buf.len() < at + LAST_CHUNK.len() {
                return Poll::Ready(false);
            }
            put(self.buf, at, LAST_CHUNK);
            self.queue = at..at + LAST_CHUNK.len();
            self.queue_is_body = false;
            resume.leaving = true;
        } else {
            resume.leaving = true;
            resume.mode = Mode::Detached;
            return Poll::Ready(true);
        }
        self.wait(cx);
        Poll::Pending
    }
}
