//! The answer to one request, on its way out through one fixed transmit buffer.
//!
//! A handler writes its response into the [`Outlet`]; whoever owns the socket takes [`Outlet::pending`] bytes out of it.
//! What form the answer takes is decided as late as possible (DESIGN D7):
//!
//! ```text
//!              finish, it fits                      → JSON with Content-Length, one write
//! Undecided ── the buffer is full                   → JSON, chunked (HTTP/1.0: until close)
//!              a notification, or the call is slow  → event stream, comments while it is silent
//! ```
//! The buffer: room for a head and a chunk head, the part of the message that was not sent yet, and behind it, while
//! the message waits, room for notifications that overtake it.
//!
//! Pure: no socket, no clock. A handler that must wait for room leaves its waker here.

mod chunk;
mod frame;
mod out;
mod resume;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_resume;
mod turn;

pub(crate) use chunk::{CHUNK_HEAD_BYTES, Wire, chunk};
pub(crate) use out::{Out, Pen};
pub(crate) use resume::{Kept, Resumable};
pub(crate) use turn::Turn;

use core::ops::Range;
use core::task::{Context, Poll, Waker};

use self::chunk::CRLF;
use self::frame::Piece;
use self::resume::Resume;
use crate::http::{Framing, LAST_CHUNK, ResponseHead, Status};
use crate::json::Writer;
use crate::limits::{EVENT_ID_LINE_BYTES_MAX, RESPONSE_HEAD_BYTES_MAX};
use crate::session::IdText;
use crate::sse;

/// Where the message begins in the buffer: behind the longest head, a chunk head, an event's id and field names.
const BODY_AT: usize = RESPONSE_HEAD_BYTES_MAX + CHUNK_HEAD_BYTES + EVENT_ID_LINE_BYTES_MAX + sse::MESSAGE.len();
/// Behind the message: the end of its event, of its chunk, and of the stream.
const TAIL_BYTES: usize = sse::END.len() + CRLF.len() + LAST_CHUNK.len();

const _: () = assert!(Outlet::BYTES_MIN <= crate::limits::TRANSMIT_BYTES);

/// A place in a response, to go back to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    flushes: u32,
    body: usize,
}

impl Mark {
    /// The beginning.
    pub(crate) const START: Self = Self { flushes: 0, body: 0 };

    /// So many bytes behind the beginning, where nothing is ever sent.
    pub(crate) const fn at(body: usize) -> Self {
        Self { flushes: 0, body }
    }

    /// How many bytes of what was not sent lie before it.
    pub(crate) const fn bytes(self) -> usize {
        self.body
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Undecided,
    Length,
    Json(Wire),
    Events(Wire),
}

/// One answer in the making. See the module's text.
pub(crate) struct Outlet<'b> {
    buf: &'b mut [u8],
    /// Bytes of the message that wait at `BODY_AT`.
    body: usize,
    /// What the owner of the socket is to write.
    queue: Range<usize>,
    /// The queue holds the message: when it is sent, its place is free again.
    queue_is_body: bool,
    form: Form,
    /// The head, but for what only the end of the response decides.
    template: ResponseHead<'b>,
    session_id: Option<IdText>,
    /// The client reads event streams, so the answer may become one.
    events: bool,
    /// The request was HTTP/1.0.
    http10: bool,
    /// The answer to HEAD: its head alone.
    head_only: bool,
    /// Answers go to the session's stream (2024-11-05): no head, and the stream outlives them.
    relayed: bool,
    /// A part of the message was sent: nothing may come in between.
    message_open: bool,
    flush: bool,
    /// Pieces of the message that were framed for sending.
    flushes: u32,
    /// The handler has said all, whatever it still tries to.
    sealed: bool,
    finished: bool,
    ended: bool,
    gone: bool,
    broken: bool,
    partly: bool,
    /// What its events need to be resumed.
    resume: Option<Resume<'b>>,
    waiter: Option<Waker>,
    turn: Turn,
}

impl<'b> Outlet<'b> {
    /// The least transmit buffer that this can work with, in bytes: head, framing, and 2 KiB of message.
    pub(crate) const BYTES_MIN: usize = BODY_AT + TAIL_BYTES + 2048;

    /// An answer on the request's own connection, under a head like `template`; `events`: the client reads event streams.
    pub(crate) fn new(buf: &'b mut [u8], template: ResponseHead<'b>, events: bool) -> Self {
        Self {
            buf,
            body: 0,
            queue: 0..0,
            queue_is_body: false,
            form: Form::Undecided,
            template,
            session_id: None,
            events,
            http10: false,
            head_only: false,
            relayed: false,
            message_open: false,
            flush: false,
            flushes: 0,
            sealed: false,
            finished: false,
            ended: false,
            gone: false,
            broken: false,
            partly: false,
            resume: None,
            waiter: None,
            turn: Turn::default(),
        }
    }

    /// An answer on the session's stream, which is framed as `wire` says (2024-11-05).
    pub(crate) fn relay(buf: &'b mut [u8], wire: Wire) -> Self {
        let mut outlet = Self::new(buf, ResponseHead::new(Status::OK, Framing::None), true);
        outlet.form = Form::Events(wire);
        outlet.relayed = true;
        outlet
    }

    /// The status of the head, as long as none was written.
    pub(crate) fn set_status(&mut self, status: Status) {
        self.template.status = status;
    }

    /// The request was HTTP/1.0, whose clients know no chunks.
    pub(crate) fn set_http10(&mut self) {
        self.http10 = true;
    }

    /// The answer to HEAD: only the head of what is written is sent.
    pub(crate) fn set_head_only(&mut self) {
        self.head_only = true;
    }

    /// The head to come.
    pub(crate) fn template(&mut self) -> &mut ResponseHead<'b> {
        &mut self.template
    }

    /// The session id that the head gives to the client, if it gives one (`initialize`).
    pub(crate) fn set_session_id(&mut self, id: Option<IdText>) {
        self.session_id = id;
    }

    /// The bytes to write now, empty when there is nothing to do before the handler goes on.
    #[inline]
    pub(crate) fn pending(&mut self) -> &[u8] {
        if self.is_detached() {
            return &[];
        }
        let is_last = self.finished && !self.ended;
        if self.queue.is_empty() && !self.gone && (is_last || self.flush) {
            self.frame_message(is_last);
        }
        self.buf.get(self.queue.clone()).unwrap_or_default()
    }

    /// `n` bytes of what is pending were written.
    pub(crate) fn sent(&mut self, n: usize) {
        self.queue.start = self.queue.end.min(self.queue.start.saturating_add(n));
        self.partly = !self.queue.is_empty();
        if self.partly {
            return;
        }
        self.queue = 0..0;
        if self.queue_is_body {
            self.queue_is_body = false;
            self.body = 0;
            self.flush = false;
        }
        self.resume_sent();
        self.wake();
    }

    /// Nobody is there to read: what is written from now on is dropped.
    pub(crate) fn abandon(&mut self) {
        self.gone = true;
        self.queue = 0..0;
        self.queue_is_body = false;
        self.body = 0;
        self.flush = false;
        self.wake();
    }

    /// Nothing more is sent, and the connection must be closed: a part of the response is out, and there is no right end to it.
    pub(crate) fn break_off(&mut self) {
        if self.is_detached() {
            return self.lose();
        }
        self.abandon();
        self.broken = true;
    }

    /// The handler has written all of its response.
    pub(crate) fn finish(&mut self) {
        self.finished = true;
    }

    /// The answer could not be framed: nothing may be sent in its place.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// All of a finished answer was handed out.
    pub(crate) fn is_done(&self) -> bool {
        self.gone || self.is_told() || (self.ended && self.queue.is_empty())
    }

    /// Between the pieces of one event: its stream must not carry anything else (2024-11-05's lock).
    pub(crate) fn holds_stream(&self) -> bool {
        !self.queue.is_empty() || self.message_open
    }

    /// A piece was sent in part, or a message without its end.
    pub(crate) fn was_begun(&self) -> bool {
        self.message_open || (!self.queue.is_empty() && self.partly)
    }

    /// Only the end of the connection ends the answer.
    pub(crate) fn ends_with_connection(&self) -> bool {
        matches!(self.form, Form::Json(Wire::UntilClose) | Form::Events(Wire::UntilClose))
    }

    /// A part of the message was sent, and not its end.
    pub(crate) fn is_open(&self) -> bool {
        self.message_open
    }

    /// The answer is an event stream.
    pub(crate) fn is_event_stream(&self) -> bool {
        matches!(self.form, Form::Events(_))
    }

    /// The answer is one JSON text, however long it takes.
    pub(crate) fn set_json_only(&mut self) {
        self.events = false;
    }

    /// How many events with ids there were so far.
    fn events(&self) -> u32 {
        self.resume.as_ref().map_or(0, Resume::count)
    }

    /// A notification can be sent, as long as there is room for it.
    fn can_notify(&self) -> bool {
        let events = self.is_event_stream() || (self.form == Form::Undecided && self.events);
        events && !self.gone && !self.message_open
    }

    /// The head is that of an event stream, whatever the request said that it accepts.
    pub(crate) fn set_event_stream(&mut self) {
        self.events = true;
    }

    /// How far the response has come.
    pub(crate) fn mark(&self) -> Mark {
        Mark { flushes: self.flushes, body: self.body }
    }

    /// Forgets what was written since `mark`, as long as none of it was sent. False when some was.
    pub(crate) fn rewind(&mut self, mark: Mark) -> bool {
        let whole = self.flushes == mark.flushes && self.rewind_lost(mark);
        if whole {
            self.body = self.body.min(mark.body);
            self.flush = false;
        }
        whole
    }

    /// The call takes its time: makes the answer an event stream if it may be one, or, where it is one, keeps it alive
    /// with a comment (WHATWG HTML, section 9.2.6). Does nothing while bytes wait to be written.
    pub(crate) fn keep_alive(&mut self) {
        if self.gone || self.is_detached() || self.finished || self.flush || self.message_open || !self.queue.is_empty()
        {
            return;
        }
        self.overtake(Piece::Plain, |w| {
            w.raw(sse::KEEP_ALIVE);
        });
    }

    /// Opens an event stream that will be handed over to its listener: head, then what `first` writes.
    /// False when that does not fit the buffer.
    pub(crate) fn open_stream(&mut self, first: impl FnOnce(&mut Writer<'_>)) -> bool {
        self.overtake(Piece::Plain, first)
    }

    /// Room for the message, behind the part of it that waits.
    fn free(&mut self) -> &mut [u8] {
        let end = self.buf.len().saturating_sub(TAIL_BYTES);
        self.buf.get_mut(BODY_AT + self.body..end).unwrap_or_default()
    }

    // Fills what is free; asks for a flush when that was not enough. `fill` tells how much it wrote, and whether that was all.
    fn poll_fill(&mut self, cx: &Context<'_>, fill: impl FnOnce(&mut [u8]) -> (usize, bool)) -> Poll<()> {
        if self.gone || self.is_lost() {
            return Poll::Ready(());
        }
        if self.sealed {
            return Poll::Pending;
        }
        // What is in the queue lies where the message would grow to.
        if !self.flush && self.queue.is_empty() && self.has_kept_all() {
            let (written, complete) = fill(self.free());
            self.body += written;
            if complete {
                return Poll::Ready(());
            }
            if self.is_detached() {
                self.lose();
                return Poll::Ready(());
            }
            self.flush = true;
        }
        self.wait(cx);
        Poll::Pending
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waiter.take() {
            waker.wake();
        }
    }

    fn wait(&mut self, cx: &Context<'_>) {
        match &self.waiter {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => self.waiter = Some(cx.waker().clone()),
        }
    }
}
