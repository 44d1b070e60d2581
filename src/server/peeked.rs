//! A connection that the application brings (`Handle::connect`): anything that reads and writes.
//!
//! It may be a stack of layers (TLS), so what it was given is pushed on until it says that all is through; and it is the application's code, so
//! nothing that it does harms others: what it says is not trusted, and its panic is the end of its own connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use smol::io::AsyncWrite;

use super::socket::Duplex;
use crate::app::caught;

/// A stream that has no way to ask whether there is something to read: one byte is read ahead.
pub(super) struct Peeked {
    /// None once it broke.
    io: Option<Box<dyn Duplex>>,
    peer: Option<IpAddr>,
    local: Option<SocketAddr>,
    byte: Option<u8>,
    /// There is nothing more to read: it said so, and is not asked again, as it may say so only once.
    ended: bool,
    behind: Behind,
}

/// What is still to be pushed through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    Nothing,
    /// What was written.
    Bytes,
    /// That, and the end of the direction to the client.
    End,
}

impl Peeked {
    /// A connection, from and to these addresses.
    pub(super) fn new(io: Box<dyn Duplex>, peer: Option<IpAddr>, local: Option<SocketAddr>) -> Self {
        Self { io: Some(io), peer, local, byte: None, ended: false, behind: Behind::Nothing }
    }

    /// The address of its peer.
    pub(super) const fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// The address that its peer connected to.
    pub(super) const fn local(&self) -> Option<SocketAddr> {
        self.local
    }

    /// Whether a read would give something (or the end, or an error).
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.byte.is_none() {
            let mut byte = [0];
            if ready!(self.poll_read(cx, &mut byte))? > 0 {
                self.byte = Some(byte[0]);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what is there; 0 at the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        // Who waits for what comes in has nothing else to do.
        self.push(cx)?;
        if let (Some(first), Some(byte)) = (buf.first_mut(), self.byte) {
            *first = byte;
            self.byte = None;
            return Poll::Ready(Ok(1));
        }
        if self.ended {
            return Poll::Ready(Ok(0));
        }
        let read = ready!(self.poll(cx, |io, cx| io.poll_read(cx, buf)))?.min(buf.len());
        self.ended = read == 0 && !buf.is_empty();
        Poll::Ready(Ok(read))
    }

    /// Writes what there is room for.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(self.poll(cx, |io, cx| io.poll_write(cx, buf)))?.min(buf.len());
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.behind = Behind::Bytes;
        self.push(cx)?;
        Poll::Ready(Ok(written))
    }

    /// Ends the direction to the client.
    pub(super) fn shutdown_write(&mut self, cx: &mut Context<'_>) {
        self.behind = Behind::End;
        // An error means that the connection is gone, which the next read will tell.
        let _ = self.push(cx);
    }

    /// Pushes on what was written, as far as it goes now.
    pub(super) fn push(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let pushed = match self.behind {
            Behind::Nothing => return Ok(()),
            Behind::Bytes => self.poll(cx, AsyncWrite::poll_flush),
            Behind::End => self.poll(cx, AsyncWrite::poll_close),
        };
        match pushed {
            Poll::Pending => Ok(()),
            Poll::Ready(result) => {
                self.behind = Behind::Nothing;
                result
            }
        }
    }

    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut (dyn Duplex + 'static)>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let Some(io) = &mut self.io else { return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) };
        let Some(polled) = caught(|| poll(Pin::new(&mut **io), cx)) else {
            log::error!("a connection of the application panicked");
            self.let_go();
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        match polled {
            // It should not say this; it means that it can go on.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(Err(error)) => {
                self.let_go();
                Poll::Ready(Err(error))
            }
            polled => polled,
        }
    }

    fn let_go(&mut self) {
        let io = self.io.take();
        if caught(|| drop(io)).is_none() {
            log::error!("a connection of the application panicked when it was dropped");
        }
    }
}

impl Drop for Peeked {
    fn drop(&mut self) {
        self.let_go();
    }
}
