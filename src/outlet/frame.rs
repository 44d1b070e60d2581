//! How an outlet's pieces are framed: head, chunks, events.

use super::chunk::{CHUNK_HEAD_BYTES, CRLF, Wire, chunk, put};
use super::{BODY_AT, Form, Outlet, TAIL_BYTES};
use crate::http::{Framing, LAST_CHUNK, ResponseHead, Status};
use crate::json::Writer;
use crate::limits::EVENT_ID_LINE_BYTES_MAX;
use crate::sse::{self, END_OF_CALL};

/// What overtakes the message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// Something that is framed already.
    Plain,
    /// A JSON-RPC message, as an event.
    Message,
}

impl Outlet<'_> {
    /// Queues a piece of the event stream behind the message that still waits. False when there is no room, or when the
    /// answer can't be (or become) an event stream.
    pub(super) fn overtake(&mut self, piece: Piece, render: impl FnOnce(&mut Writer<'_>)) -> bool {
        let at = BODY_AT + self.body + TAIL_BYTES;
        if self.is_detached() {
            return self.keep(at, piece, render);
        }
        let (wire, head) = match self.form {
            Form::Events(wire) => (wire, 0),
            Form::Undecided if self.events => {
                let wire = self.wire();
                let Some(head) = self.head(wire.framing(), at, true) else { return false };
                (wire, head)
            }
            _ => return false,
        };
        let chunked = wire == Wire::Chunked;
        let begin = at + head + if chunked { CHUNK_HEAD_BYTES } else { 0 };
        let room = self.buf.len().saturating_sub(CRLF.len());
        let Some(free) = self.buf.get_mut(begin..room) else { return false };
        let mut w = Writer::new(free);
        if let Some(resume) = self.resume.as_ref().filter(|_| head > 0) {
            resume.prime(&mut w);
        }
        let mut json = 0..0;
        if piece == Piece::Message {
            if let Some(resume) = &self.resume {
                resume.write_id(&mut w, resume.next());
            }
            w.raw(sse::MESSAGE);
            let from = w.written();
            render(&mut w);
            json = begin + from..begin + w.written();
            w.raw(sse::END);
        } else {
            render(&mut w);
        }
        let (written, complete) = (w.written(), w.is_complete());
        if !complete || written == 0 {
            return false;
        }
        self.form = Form::Events(wire);
        let end = if chunked { chunk(self.buf, begin, begin + written) } else { begin + written };
        self.queue = at..end;
        self.queue_is_body = false;
        if let Some(resume) = &mut self.resume {
            resume.queued(piece, head > 0, json);
        }
        true
    }

    fn wire(&self) -> Wire {
        if self.http10 { Wire::UntilClose } else { Wire::Chunked }
    }

    // Renders the head at `at`; its length.
    fn head(&mut self, framing: Framing, at: usize, event_stream: bool) -> Option<usize> {
        // The head in front of a message must not reach into it.
        let end = if at == 0 { BODY_AT } else { self.buf.len() };
        let place = self.buf.get_mut(at..end)?;
        // What is only this head's is put into the template for a moment, as a copy of that takes longer than to render it.
        let head = &mut self.template;
        let before = (head.content_type, head.close);
        head.content_type = match framing {
            Framing::None | Framing::Length(0) => None,
            _ if event_stream => Some("text/event-stream"),
            _ => Some(head.content_type.unwrap_or("application/json")),
        };
        head.close |= framing == Framing::UntilClose;
        head.framing = framing;
        head.event_stream = event_stream;
        let length = match &self.session_id {
            None => head.render(place),
            Some(id) => ResponseHead { session_id: Some(id), ..*head }.render(place),
        };
        (head.content_type, head.close) = before;
        length
    }

    /// Frames the message (or the part of it that is there) into the queue.
    #[inline(never)] // once for many looks at what is pending
    pub(super) fn frame_message(&mut self, last: bool) {
        let events = matches!(self.form, Form::Events(_));
        let mut begin = BODY_AT;
        let mut end = BODY_AT + self.body;
        if events && !self.message_open && self.body > 0 {
            begin -= sse::MESSAGE.len();
            put(self.buf, begin, sse::MESSAGE);
            begin -= self.put_id(begin);
        }
        if events && last && (end > begin || self.message_open) {
            put(self.buf, end, sse::END);
            end += sse::END.len();
        }
        let head_framing = match self.form {
            Form::Undecided if last => {
                self.form = Form::Length;
                let no_content = self.template.status == Status::NO_CONTENT;
                Some(if no_content { Framing::None } else { Framing::Length(self.body) })
            }
            Form::Undecided => {
                let wire = self.wire();
                self.form = Form::Json(wire);
                Some(wire.framing())
            }
            _ => None,
        };
        let chunked = matches!(self.form, Form::Json(Wire::Chunked) | Form::Events(Wire::Chunked));
        if chunked && end > begin {
            end = chunk(self.buf, begin, end);
            begin -= CHUNK_HEAD_BYTES;
        }
        if chunked && last && !self.relayed {
            put(self.buf, end, LAST_CHUNK);
            end += LAST_CHUNK.len();
        }
        if let Some(framing) = head_framing {
            let message = begin;
            begin = self.put_head(framing, message, end);
            end = if self.head_only { message } else { end };
        }
        self.queue = begin..end;
        self.queue_is_body = true;
        self.flushes = self.flushes.saturating_add(1);
        self.message_open = !last;
        self.ended = last;
    }

    // Puts the id of the answer right in front of it; gives its length.
    fn put_id(&mut self, end: usize) -> usize {
        let Some(resume) = &mut self.resume else { return 0 };
        let mut line = [0; EVENT_ID_LINE_BYTES_MAX];
        let mut w = Writer::new(&mut line);
        resume.write_id(&mut w, END_OF_CALL);
        let length = w.written();
        resume.queued(Piece::Plain, true, 0..0);
        put(self.buf, end - length, line.get(..length).unwrap_or_default());
        length
    }

    // Puts the head right in front of the message at `begin..end`; gives where it starts.
    fn put_head(&mut self, framing: Framing, begin: usize, end: usize) -> usize {
        let length = self.head(framing, 0, false).filter(|length| *length <= begin);
        let Some(length) = length else {
            // RESPONSE_HEAD_BYTES_MAX holds the longest head there is. Without a head nothing may be sent.
            self.abandon();
            self.broken = true;
            return end;
        };
        self.buf.copy_within(0..length, begin - length);
        begin - length
    }
}
