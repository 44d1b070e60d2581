//! What is done when something happened to a socket: who has to do with its connection is woken, or the connection is looked at.

use std::task::{Context, Poll};

use super::conns::{ConnRef, State};
use super::core::Core;
use super::sockets::News;
use super::stream_table::StreamRef;
use crate::limits::LINGER_BYTES_MAX;

impl<A> Core<'_, A> {
    /// Something happened to the socket of a connection, which may be closed by now. Gives its place where it is to be looked at; `goes_on` polls a
    /// worker that has it.
    pub(super) fn hear(&self, place: ConnRef, news: News, mut goes_on: impl FnMut(usize)) -> Option<usize> {
        let mut conns = self.conns.borrow_mut();
        let conn = conns.get(place)?;
        conn.socket.heard(news);
        let (state, index) = (conn.state, place.index());
        drop(conns);
        match state {
            State::Busy { .. } => {
                // At once: what others said later must not be done before what this one said. (One that goes on for a stream (2024-11-05) came by this
                // connection, too, and another has it now.)
                for (index, worker) in self.workers.iter().enumerate() {
                    if worker.job.get() == Some(place) {
                        goes_on(index);
                    }
                }
                return None;
            }
            State::Stream(stream) if news.writable => {
                if let Some(stream) = self.streams.borrow().reference(stream.into()) {
                    self.wake_writers(stream);
                }
            }
            _ => {}
        }
        Some(index)
    }

    /// Something happened to a connection that no worker has.
    pub(super) fn look_at(&self, index: usize) {
        let state = self.conns.borrow_mut().at(index).map(|conn| conn.state);
        match state {
            Some(State::New | State::Idle) => self.look_for_bytes(index),
            Some(State::Waiting) => self.look_at_waiting(index),
            Some(State::Stream(stream)) => self.look_at_stream(index, stream),
            Some(State::Lingering { read }) => self.drain(index, read),
            Some(State::Free | State::Queued(_) | State::Busy { .. }) | None => {}
        }
    }

    // A stream's client says nothing more; what comes all the same is dropped. Its end is the stream's end.
    fn look_at_stream(&self, index: usize, stream: u16) {
        let Some(stream) = self.streams.borrow().reference(stream.into()) else { return };
        let mut cx = Context::from_waker(self.waker(self.conn_bit(index)));
        let mut sink = [0; 1024];
        for _ in 0..4 {
            let read = {
                let mut conns = self.conns.borrow_mut();
                let Some(socket) = conns.at(index).and_then(|conn| conn.socket()) else { return };
                // It may be a neighbour that woke: of a TCP connection that costs no call of the system.
                match socket.poll_readable(&mut cx) {
                    Poll::Ready(Ok(())) => socket.poll_read(&mut cx, &mut sink),
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    Poll::Pending => Poll::Pending,
                }
            };
            match read {
                Poll::Pending => {
                    self.write_stream(stream);
                    return;
                }
                Poll::Ready(Ok(n)) if n > 0 && self.ignores(stream, n) => {}
                Poll::Ready(_) => return self.close_stream(stream, false),
            }
        }
        self.write_stream(stream);
        self.ready.set(self.conn_bit(index));
    }

    // False when a client sends without end to a stream that expects nothing.
    fn ignores(&self, stream: StreamRef, bytes: usize) -> bool {
        let mut streams = self.streams.borrow_mut();
        let Some(open) = streams.get(stream) else { return false };
        open.ignored_bytes = open.ignored_bytes.saturating_add(u16::try_from(bytes).unwrap_or(u16::MAX));
        open.ignored_bytes < LINGER_BYTES_MAX
    }

    fn drain(&self, index: usize, read: u16) {
        let mut cx = Context::from_waker(self.waker(self.conn_bit(index)));
        let mut conns = self.conns.borrow_mut();
        let mut sink = [0; 2048];
        let Some(conn) = conns.at(index) else { return };
        let Some(socket) = conn.socket() else { return };
        match socket.poll_read(&mut cx, &mut sink) {
            Poll::Pending => {}
            Poll::Ready(Ok(n)) if n > 0 && read < LINGER_BYTES_MAX => {
                conn.state = State::Lingering { read: read.saturating_add(u16::try_from(n).unwrap_or(u16::MAX)) };
                self.ready.set(self.conn_bit(index));
            }
            Poll::Ready(_) => conns.close(index),
        }
    }
}
