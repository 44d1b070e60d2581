//! Events on their way: from the application into the ring, and from the ring to the streams.

use std::task::{Context, Poll};

use super::core::{Core, index16};
use super::notices::Notice;
use super::peers::Shown;
use super::stream_table::StreamRef;
use super::streams::{News, Rendered};
use crate::hub::{Audience, Kind};
use crate::limits::EVENTS_PER_TURN;

impl<A> Core<'_, A> {
    /// Writes what is in the ring to every stream, as far as its socket takes it. Closes none, as this may happen within a
    /// tool: those that are broken are looked at by the engine.
    fn write_streams(&self) {
        let slots = self.streams.borrow().len();
        for index in 0..slots {
            let stream = self.streams.borrow().reference(index);
            let Some(stream) = stream else { continue };
            for _ in 0..EVENTS_PER_TURN {
                match self.write_event(stream) {
                    Written::Event => {}
                    Written::NoMore => break,
                    Written::Broken(_) | Written::Lost => {
                        self.wake_stream(stream);
                        break;
                    }
                }
            }
        }
    }

    // The engine looks at it.
    fn wake_stream(&self, stream: StreamRef) {
        let conn = self.streams.borrow_mut().get(stream).map(|open| open.conn());
        if let Some(conn) = conn {
            self.ready.set(self.conn_bit(conn));
        }
    }

    /// Writes what is due to a stream, as far as its socket takes it. False when the stream is no more: it was closed.
    pub(super) fn write_stream(&self, stream: StreamRef) -> bool {
        for _ in 0..EVENTS_PER_TURN {
            match self.write_event(stream) {
                Written::Event => {}
                Written::NoMore => return true,
                Written::Lost => {
                    self.tally.streams.lost.add();
                    let peer = self.peer_of_stream(stream);
                    self.notice(
                        Notice::Lost,
                        format_args!("a stream of {} is closed: it reads too slowly", Shown(peer)),
                    );
                    self.close_stream(stream, false);
                    return false;
                }
                Written::Broken(why) => {
                    log::debug!("a stream is closed: {why}");
                    self.close_stream(stream, false);
                    return false;
                }
            }
        }
        self.wake_stream(stream);
        true
    }

    fn write_event(&self, stream: StreamRef) -> Written {
        let mut streams = self.streams.borrow_mut();
        let hub = self.hub.borrow();
        let mut scratch = self.scratch.borrow_mut();
        if streams.get(stream).is_none_or(|open| open.is_held()) {
            return Written::NoMore;
        }
        let news = News { hub: &hub, board: &self.board, identity: &self.identity, boot: self.numbers.boot() };
        let (from, to) = match streams.render(stream, &news, &mut scratch) {
            Rendered::Bytes { from, to } => (from, to),
            Rendered::Nothing => {
                self.wake_writers(stream);
                return Written::NoMore;
            }
            Rendered::Ended => return Written::Broken("its call was answered"),
            Rendered::Lost => return Written::Lost,
        };
        let Some(open) = streams.get(stream) else { return Written::NoMore };
        let bytes = scratch.get(from..to).unwrap_or_default();
        if bytes.is_empty() {
            // The end of a stream that only the end of its connection ends.
            open.wrote(0, true, &hub, self.now_ms.get());
            return Written::Event;
        }
        let mut conns = self.conns.borrow_mut();
        let conn = conns.of_stream(open.conn(), index16(stream.index()));
        let Some(socket) = conn.and_then(|conn| conns.get(conn)).and_then(|conn| conn.socket()) else {
            return Written::Broken("its connection is gone");
        };
        let bit = self.conn_bit(open.conn());
        match socket.poll_write(&mut Context::from_waker(self.waker(bit)), self.sockets.as_ref(), bytes) {
            Poll::Ready(Ok(n)) => {
                open.wrote(n, n >= bytes.len(), &hub, self.now_ms.get());
                Written::Event
            }
            Poll::Ready(Err(_)) => Written::Broken("its connection broke"),
            Poll::Pending => {
                open.stall(self.now_ms.get());
                self.wake_writers(stream);
                Written::NoMore
            }
        }
    }

    /// A stream may be free for the answers that wait for it.
    pub(super) fn wake_writers(&self, stream: StreamRef) {
        for (index, worker) in self.workers.iter().enumerate() {
            if worker.relay.get() == Some(stream) {
                self.wake_worker(index);
            }
        }
    }

    /// Stores an event and writes it to those who listen: what follows may need its place in the ring. False when it is too
    /// large.
    pub(super) fn append(&self, kind: Kind, audience: Audience, payload: &[u8]) -> bool {
        let stored = self.hub.borrow_mut().append(kind, audience, payload);
        if stored {
            self.tally.events.appended.add();
            self.write_streams();
        }
        stored
    }
}

enum Written {
    Event,
    NoMore,
    Broken(&'static str),
    /// What it had not got was overwritten.
    Lost,
}
