//! A connection's two directions, polled: a TCP socket, or anything else that reads and writes.

use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::task::{Context, Poll};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use smol::io::{AsyncRead, AsyncWrite};

use super::conns::ConnRef;
use super::peeked::Peeked;
use super::sockets::{News, Sockets};
use crate::limits::SOCKET_BYTES_MAX;

/// What can be served as a connection. What it reads and writes must keep to the contract of those traits: an error, also `WouldBlock`, is its end. It is
/// flushed after each write, so it may be a stack of layers that keep bytes on their way, such as TLS.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// One connection, or none: as small as a TCP socket is.
pub(super) enum Socket {
    Tcp(Tcp),
    Other(Option<Box<Peeked>>),
}

/// A TCP socket, which does not block, and what is known of it. Its slot is looked at when something happens to it, whoever asked.
pub(super) struct Tcp {
    stream: TcpStream,
    /// Whose it is.
    conn: ConnRef,
    /// There may be something to read.
    readable: bool,
    /// A read that gives less than there was room for need not be the last: its peer says nothing more, or has sent urgent data, at which reads stop.
    doubtful: bool,
    /// There may be room to write.
    writable: bool,
    /// What it is told of.
    told: ToldOf,
}

/// What a socket is told of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ToldOf {
    Nothing,
    /// That there is something to read.
    Reads,
    /// That there is room to write, too.
    Writes,
}

const _: () = assert!(size_of::<Socket>() <= SOCKET_BYTES_MAX);

impl Socket {
    /// A connection over anything that reads and writes, from and to these addresses.
    pub(super) fn other(io: Box<dyn Duplex>, peer: Option<IpAddr>, local: Option<SocketAddr>) -> Self {
        Socket::Other(Some(Box::new(Peeked::new(io, peer, local))))
    }

    /// A TCP connection, which does not block.
    pub(super) fn tcp(stream: TcpStream) -> Self {
        Socket::Tcp(Tcp {
            stream,
            conn: ConnRef::of_number(0),
            readable: false,
            doubtful: false,
            writable: true,
            told: ToldOf::Nothing,
        })
    }

    /// It came, or something happened to it: whether there is something to read is asked. False where it has gone.
    pub(super) fn come(&mut self) -> bool {
        let Socket::Tcp(tcp) = self else { return true };
        let there = tcp.peek(&mut [0]);
        tcp.readable = matches!(there, Ok(1..));
        !is_end(there)
    }

    /// It is this connection's.
    pub(super) fn belong_to(&mut self, conn: ConnRef) {
        if let Socket::Tcp(tcp) = self {
            tcp.conn = conn;
        }
    }

    /// It is told of what comes from now on, and of what is there already.
    ///
    /// # Errors
    /// Those of the system: so many can't be waited for.
    pub(super) fn wait(&mut self, sockets: &Sockets) -> io::Result<()> {
        match self {
            Socket::Tcp(tcp) if tcp.told == ToldOf::Nothing => {
                sockets.add(&tcp.stream, tcp.conn)?;
                tcp.told = ToldOf::Reads;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Something happened to it.
    pub(super) fn heard(&mut self, news: News) {
        let Socket::Tcp(tcp) = self else { return };
        tcp.readable |= news.readable;
        tcp.doubtful |= news.doubtful;
        tcp.writable |= news.writable;
    }

    /// The next read asks the kernel, as what happened last may not have been told yet.
    pub(super) fn ask_again(&mut self) {
        if let Socket::Tcp(tcp) = self {
            tcp.readable = true;
        }
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
            Socket::Tcp(tcp) => tcp.stream.local_addr().ok(),
            Socket::Other(peeked) => peeked.as_ref()?.local(),
        }
    }

    /// The address of its peer.
    pub(super) fn peer(&self) -> Option<IpAddr> {
        match self {
            Socket::Tcp(tcp) => tcp.stream.peer_addr().ok().map(|peer| peer.ip().to_canonical()),
            Socket::Other(peeked) => peeked.as_ref()?.peer(),
        }
    }

    /// Whether a read would give something (or the end, or an error).
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Socket::Tcp(Tcp { readable: true, .. }) => Poll::Ready(Ok(())),
            Socket::Tcp(_) => Poll::Pending,
            Socket::Other(None) => none(),
            Socket::Other(Some(peeked)) => peeked.poll_readable(cx),
        }
    }

    /// There is nothing to read; it is told of what comes, or of what came before it [waited](Self::wait).
    pub(super) const fn is_quiet(&self) -> bool {
        matches!(self, Socket::Tcp(Tcp { readable: false, .. }))
    }

    /// Looks at what is there, and leaves it there. `None` where that can't be done.
    pub(super) fn peek(&self, buf: &mut [u8]) -> Option<usize> {
        match self {
            Socket::Tcp(tcp) => tcp.peek(buf).ok(),
            Socket::Other(_) => None,
        }
    }

    /// How many bytes could be read now; 0 where that can't be asked.
    pub(super) fn readable_bytes(&self) -> usize {
        let Socket::Tcp(tcp) = self else { return 0 };
        rustix::io::ioctl_fionread(&tcp.stream).ok().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default()
    }

    /// Its peer says nothing more behind what is there, or else has sent urgent data.
    pub(super) const fn says_no_more(&self) -> bool {
        matches!(self, Socket::Tcp(Tcp { doubtful: true, .. }))
    }

    /// Its peer has gone and left nothing to read, as far as that can be seen without reading.
    pub(super) fn is_gone(&self) -> bool {
        let Socket::Tcp(tcp) = self else { return false };
        is_end(tcp.peek(&mut [0]))
    }

    /// Reads what is there; 0 at the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Socket::Tcp(tcp) => tcp.poll_read(buf),
            Socket::Other(None) => none(),
            Socket::Other(Some(peeked)) => peeked.poll_read(cx, buf),
        }
    }

    /// Writes what there is room for.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        sockets: Option<&Sockets>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Socket::Tcp(tcp) => tcp.poll_write(sockets, buf),
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
            Socket::Tcp(tcp) => drop(tcp.stream.shutdown(Shutdown::Write)),
            Socket::Other(None) => {}
            Socket::Other(Some(peeked)) => peeked.shutdown_write(cx),
        }
    }

    /// Bounds how long the kernel waits for a peer that does not answer (DESIGN D12); what it keeps is bounded by the listener.
    pub(super) fn prepare_stream(&self) {
        use rustix::net::sockopt;
        let Socket::Tcp(tcp) = self else { return };
        // A kernel that lacks one of these goes on with its default.
        let _ = sockopt::set_tcp_user_timeout(&tcp.stream, crate::limits::STREAM_USER_TIMEOUT_MS);
        let _ = sockopt::set_socket_keepalive(&tcp.stream, true);
    }
}

// Past libc: its calls are points at which a thread may be cancelled, and prepare for that each time.
impl Tcp {
    fn peek(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        recv(&self.stream, buf, RecvFlags::PEEK).map(|(there, _)| there)
    }

    fn poll_read(&mut self, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if !self.readable {
            return Poll::Pending;
        }
        loop {
            match recv(&self.stream, &mut *buf, RecvFlags::empty()) {
                Err(Errno::AGAIN) => {
                    self.readable = false;
                    return Poll::Pending;
                }
                Err(Errno::INTR) => {}
                // Less than there was room for: that was all, and what comes is told of (of a newcomer, once it waits).
                Ok((read, _)) if read < buf.len() => {
                    self.readable = self.doubtful || read == 0;
                    return Poll::Ready(Ok(read));
                }
                result => return Poll::Ready(result.map(|(read, _)| read).map_err(Into::into)),
            }
        }
    }

    fn poll_write(&mut self, sockets: Option<&Sockets>, buf: &[u8]) -> Poll<io::Result<usize>> {
        while self.writable {
            match send(&self.stream, buf, SendFlags::NOSIGNAL) {
                Err(Errno::AGAIN) => {
                    self.writable = false;
                    self.tell_writes(sockets)?;
                }
                Err(Errno::INTR) => {}
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                result => return Poll::Ready(result.map_err(Into::into)),
            }
        }
        Poll::Pending
    }

    // Most never have to wait for room, so that this is not asked for before.
    fn tell_writes(&mut self, sockets: Option<&Sockets>) -> io::Result<()> {
        let Some(sockets) = sockets else { return Ok(()) };
        match self.told {
            ToldOf::Nothing => sockets.add_all(&self.stream, self.conn)?,
            ToldOf::Reads => sockets.add_writes(&self.stream, self.conn)?,
            ToldOf::Writes => {}
        }
        self.told = ToldOf::Writes;
        Ok(())
    }
}

// What `peek` says of a connection that is gone.
fn is_end(there: Result<usize, Errno>) -> bool {
    match there {
        Ok(bytes) => bytes == 0,
        Err(error) => !matches!(error, Errno::AGAIN | Errno::INTR),
    }
}

fn none<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::task::Waker;

    use super::*;

    fn pair() -> (TcpStream, Socket) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nonblocking(true).unwrap();
        (client, Socket::tcp(server))
    }

    fn read(socket: &mut Socket, room: usize) -> Option<usize> {
        match socket.poll_read(&mut Context::from_waker(Waker::noop()), &mut vec![0; room]) {
            Poll::Ready(read) => Some(read.unwrap()),
            Poll::Pending => None,
        }
    }

    const READABLE: News = News { readable: true, doubtful: false, writable: false };

    #[test]
    fn it_is_read_until_there_is_less_than_room() {
        let (mut client, mut socket) = pair();
        assert!(socket.come());
        client.write_all(b"hello").unwrap();
        // Nobody told of it.
        assert_eq!(read(&mut socket, 4), None);
        socket.heard(READABLE);
        assert_eq!(read(&mut socket, 4), Some(4));
        assert_eq!(read(&mut socket, 4), Some(1));
        client.write_all(b"more").unwrap();
        assert_eq!(read(&mut socket, 4), None);
        socket.heard(READABLE);
        assert_eq!(read(&mut socket, 4), Some(4));
        // As much as there was room for: there may be more, and there is not.
        assert_eq!(read(&mut socket, 4), None);
        drop(client);
        socket.heard(News { doubtful: true, ..READABLE });
        assert_eq!([read(&mut socket, 4), read(&mut socket, 4)], [Some(0), Some(0)]);
    }

    #[test]
    fn what_came_before_the_end_is_read_before_it() {
        let (mut client, mut socket) = pair();
        client.write_all(b"last").unwrap();
        drop(client);
        socket.heard(News { doubtful: true, ..READABLE });
        assert_eq!([read(&mut socket, 16), read(&mut socket, 16)], [Some(4), Some(0)]);
    }

    #[test]
    fn who_comes_is_read_without_being_told_of() {
        let (mut client, mut socket) = pair();
        client.write_all(b"early").unwrap();
        // Loopback delivers before `write` returns.
        assert!(socket.come());
        assert_eq!(read(&mut socket, 16), Some(5));
        let (client, mut socket) = pair();
        drop(client);
        assert!(!socket.come());
    }

    #[test]
    fn the_next_read_asks_where_it_must() {
        let (mut client, mut socket) = pair();
        client.write_all(b"x").unwrap();
        assert_eq!(read(&mut socket, 4), None);
        socket.ask_again();
        assert_eq!(read(&mut socket, 4), Some(1));
    }
}
