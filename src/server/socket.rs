//! A connection's two directions, polled: a TCP socket, or anything else that reads and writes.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::task::{Context, Poll, ready};

use async_io::Async;
use smol::io::{AsyncRead, AsyncWrite};

use super::peeked::Peeked;
use crate::limits::SOCKET_BYTES_MAX;

/// What can be served as a connection. What it reads and writes must keep to the contract of those traits: an error, also `WouldBlock`, is its end. It is
/// flushed after each write, so it may be a stack of layers that keep bytes on their way, such as TLS.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// One connection, or none: as small as a TCP socket is.
pub(super) enum Socket {
    Tcp(Async<TcpStream>),
    Other(Option<Box<Peeked>>),
}

const _: () = assert!(size_of::<Socket>() <= SOCKET_BYTES_MAX);

impl Socket {
    /// A connection over anything that reads and writes, from and to these addresses.
    pub(super) fn other(io: Box<dyn Duplex>, peer: Option<IpAddr>, local: Option<SocketAddr>) -> Self {
        Socket::Other(Some(Box::new(Peeked::new(io, peer, local))))
    }

    /// No connection.
    pub(super) const NONE: Self = Socket::Other(None);

    /// There is none.
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Socket::Other(None))
    }

    /// The address that its peer connected to.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        match self {
            Socket::Tcp(tcp) => tcp.get_ref().local_addr().ok(),
            Socket::Other(peeked) => peeked.as_ref()?.local(),
        }
    }

    /// The address of its peer.
    pub(super) fn peer(&self) -> Option<IpAddr> {
        match self {
            Socket::Tcp(tcp) => tcp.get_ref().peer_addr().ok().map(|peer| peer.ip().to_canonical()),
            Socket::Other(peeked) => peeked.as_ref()?.peer(),
        }
    }

    /// Whether a read would give something (or the end, or an error).
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Socket::Tcp(tcp) => tcp.poll_readable(cx),
            Socket::Other(None) => none(),
            Socket::Other(Some(peeked)) => peeked.poll_readable(cx),
        }
    }

    /// Looks at what is there, and leaves it there. `None` where that can't be done.
    pub(super) fn peek(&self, buf: &mut [u8]) -> Option<usize> {
        match self {
            Socket::Tcp(tcp) => tcp.get_ref().peek(buf).ok(),
            Socket::Other(_) => None,
        }
    }

    /// How many bytes could be read now; 0 where that can't be asked.
    pub(super) fn readable_bytes(&self) -> usize {
        let Socket::Tcp(tcp) = self else { return 0 };
        rustix::io::ioctl_fionread(tcp).ok().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default()
    }

    /// Its peer has gone and left nothing to read, as far as that can be seen without reading.
    pub(super) fn is_gone(&self) -> bool {
        let Socket::Tcp(tcp) = self else { return false };
        match tcp.get_ref().peek(&mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        }
    }

    /// Reads what is there; 0 at the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Socket::Tcp(tcp) => loop {
                match tcp.get_ref().read(buf) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    result => return Poll::Ready(result),
                }
                ready!(tcp.poll_readable(cx))?;
            },
            Socket::Other(None) => none(),
            Socket::Other(Some(peeked)) => peeked.poll_read(cx, buf),
        }
    }

    /// Writes what there is room for.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Socket::Tcp(tcp) => loop {
                match tcp.get_ref().write(buf) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    result => return Poll::Ready(result),
                }
                ready!(tcp.poll_writable(cx))?;
            },
            Socket::Other(None) => none(),
            Socket::Other(Some(peeked)) => peeked.poll_write(cx, buf),
        }
    }

    /// Pushes on what was written, where that is kept on its way. An error is told by the next read or write.
    pub(super) fn push(&mut self, cx: &mut Context<'_>) {
        if let Socket::Other(Some(peeked)) = self {
            let _ = peeked.push(cx);
        }
    }

    /// Ends the direction to the client; what it still sends can be read.
    pub(super) fn shutdown_write(&mut self, cx: &mut Context<'_>) {
        match self {
            // An error means that the connection is gone, which the next read will tell.
            Socket::Tcp(tcp) => drop(tcp.get_ref().shutdown(Shutdown::Write)),
            Socket::Other(None) => {}
            Socket::Other(Some(peeked)) => peeked.shutdown_write(cx),
        }
    }

    /// Bounds how long the kernel waits for a peer that does not answer (DESIGN D12); what it keeps is bounded by the listener.
    pub(super) fn prepare_stream(&self) {
        use rustix::net::sockopt;
        let Socket::Tcp(tcp) = self else { return };
        // A kernel that lacks one of these goes on with its default.
        let _ = sockopt::set_tcp_user_timeout(tcp, crate::limits::STREAM_USER_TIMEOUT_MS);
        let _ = sockopt::set_socket_keepalive(tcp, true);
    }
}

fn none<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}
