//! The listening socket. What is set here, every connection inherits: that nothing waits to be sent together with more, and the sizes of the
//! kernel's buffers, so that its share of the memory is a number too (DESIGN D12). They must be set before the first connection comes, as TCP tells
//! the peer then how far its window can go.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

use super::sockets::Sockets;
use super::tick::Tick;
use crate::limits::{LISTEN_BACKLOG, RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES};

/// A listening socket, and what tells of it and of those that come by it.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) sockets: Sockets,
    /// What tells of time, until the clock has it.
    pub(super) tick: Option<Tick>,
}

impl Listening {
    /// Nobody was accepted so far.
    ///
    /// # Errors
    /// Those of the system: there are no more files.
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let sockets = Sockets::new()?;
        sockets.add_listener(&listener)?;
        let tick = Some(Tick::new());
        Ok(Self { listener, sockets, tick })
    }
}

/// Listens on an address.
///
/// # Errors
/// Those of the system: the address is in use, is not this machine's, may not be used.
pub(super) fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // So that a server can be started again at once.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    set_options(&socket);
    bind(&socket, &address)?;
    listen(&socket, i32::try_from(LISTEN_BACKLOG).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// Takes a socket over on which somebody else listens; its address.
///
/// # Errors
/// `InvalidInput`: it does not listen. Others: it can't be used.
pub(super) fn adopt(listener: &TcpListener) -> io::Result<SocketAddr> {
    if !sockopt::socket_acceptconn(listener)? {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket that was given does not listen"));
    }
    // What this program starts has nothing to do with it.
    fcntl_setfd(listener, FdFlags::CLOEXEC)?;
    set_options(listener);
    listener.local_addr()
}

fn set_options(socket: &impl AsFd) {
    // A kernel that lacks one of these goes on with its default; without the first, answers are slower.
    let _ = sockopt::set_tcp_nodelay(socket, true);
    let _ = sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER_BYTES);
    let _ = sockopt::set_socket_recv_buffer_size(socket, RECEIVE_BUFFER_BYTES);
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;
    use crate::limits::KERNEL_DOUBLES;

    #[test]
    fn connections_inherit_the_options() {
        let listener = listen_on(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        // What the kernel says, which is what it counts against: never more than is summed.
        let sizes = [
            (sockopt::socket_send_buffer_size(&accepted).unwrap(), SEND_BUFFER_BYTES),
            (sockopt::socket_recv_buffer_size(&accepted).unwrap(), RECEIVE_BUFFER_BYTES),
        ];
        for (size, asked) in sizes {
            assert_eq!(size, asked * KERNEL_DOUBLES);
        }
        assert!(accepted.nodelay().unwrap());
        drop(client);
    }

    #[test]
    fn an_address_in_use_is_refused() {
        let listener = listen_on(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let again = listen_on(listener.local_addr().unwrap()).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_socket_of_others_is_taken_over_with_the_same_sizes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(adopt(&listener).unwrap(), listener.local_addr().unwrap());
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert_eq!(sockopt::socket_send_buffer_size(&accepted).unwrap(), SEND_BUFFER_BYTES * KERNEL_DOUBLES);
        assert_eq!(sockopt::socket_recv_buffer_size(&accepted).unwrap(), RECEIVE_BUFFER_BYTES * KERNEL_DOUBLES);
        // It never was told to listen.
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        assert_eq!(adopt(&socket.into()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
