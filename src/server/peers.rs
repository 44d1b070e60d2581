//! Who a request, a connection or a stream comes from: for shares, listings and the log.

use std::fmt;
use std::hash::BuildHasher;
use std::net::IpAddr;

use super::conns::ConnRef;
use super::core::Core;
use super::stream_table::StreamRef;
use crate::guard::{Peer, Sender, Standing, is_on_link, sender};
use crate::http::{self, Known};

/// A peer in a sentence.
pub(super) struct Shown(pub(super) Option<Peer>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(peer) => match peer.household.address() {
                IpAddr::V6(network) if !network.is_loopback() => write!(f, "{network}/64"),
                address => address.fmt(f),
            },
            None => f.write_str("a peer without an address"),
        }
    }
}

impl<A> Core<'_, A> {
    /// Who sent a request: who is at the other end of its connection or, where that is a trusted proxy, whom the proxy names (`Forwarded`,
    /// `X-Forwarded-For`). A proxy that names nobody is exempt from shares, as its connections are. Where it can't be understood what it says,
    /// its own address counts, held to one share: a client may have brought that about.
    pub(super) fn peer_of(&self, conn: ConnRef, request: http::Request<'_>) -> Option<Peer> {
        let peer = self.conns.borrow().peer(conn)?;
        if peer.standing != Standing::Proxy {
            return Some(peer);
        }
        Some(match self.named_by_proxy(request) {
            Sender::Address(address) => self.shares.peer(address),
            Sender::Unsaid => peer,
            Sender::Garbled => Peer { standing: Standing::Counted, ..peer },
        })
    }

    /// By what a request of this peer is counted for its address, where it is: its household or, where its /64 is the server's own link, and so
    /// that of strangers too, the whole of its address.
    pub(super) fn counted_by(
        &self,
        conn: ConnRef,
        peer: Option<Peer>,
        request: http::Request<'_>,
        local: Option<IpAddr>,
    ) -> Option<u64> {
        let household = peer?.counted()?;
        let address = match household.address() {
            IpAddr::V4(_) => None,
            IpAddr::V6(_) => self.address_of(conn, request),
        };
        Some(match address {
            // Under a secret, so that nobody can choose an address that is counted as another.
            Some(IpAddr::V6(address)) if is_on_link(address, local) => self.hasher.hash_one(address),
            _ => household.key(),
        })
    }

    // Its whole address, which a connection does not keep.
    fn address_of(&self, conn: ConnRef, request: http::Request<'_>) -> Option<IpAddr> {
        let standing = self.conns.borrow().peer(conn)?.standing;
        match standing {
            Standing::Proxy => match self.named_by_proxy(request) {
                Sender::Address(address) => Some(address.to_canonical()),
                Sender::Unsaid | Sender::Garbled => None,
            },
            _ => self.conns.borrow_mut().get(conn)?.socket.peer(),
        }
    }

    fn named_by_proxy(&self, request: http::Request<'_>) -> Sender {
        let (forwarded, x_forwarded_for) = (request.all(Known::Forwarded), request.all(Known::XForwardedFor));
        sender(forwarded, x_forwarded_for, |address| self.shares.is_trusted(address))
    }

    /// Who is at the other end of a stream, or whom a proxy named when it was opened.
    pub(super) fn peer_of_stream(&self, stream: StreamRef) -> Option<Peer> {
        let conn = self.streams.borrow_mut().get(stream).map(|open| open.conn())?;
        self.conns.borrow().peer_at(conn)
    }
}
