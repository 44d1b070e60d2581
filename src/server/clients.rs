//! Who is connected, as the application sees it.

use core::net::IpAddr;

use crate::session::Revision;

/// A connected client: the session of an older revision, or a 2026-07-28 client's open `subscriptions/listen`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// Its number, which is never used again while the server runs.
    pub id: u64,
    /// What it calls itself, cut to 32 bytes; empty when it did not say, was restored from its session id, or is one more than the 64 names (with
    /// their versions) that are kept at once.
    pub name: String,
    /// Its version, likewise.
    pub version: String,
    /// The revision that was negotiated.
    pub revision: Revision,
    /// Milliseconds since the second in which it came.
    pub connected_ms: u64,
    /// It has a stream open, on which it can be sent messages.
    pub listens: bool,
    /// Where its stream goes: the address of its connection, or the one that a trusted proxy named. Of an IPv6 address only the network (the
    /// first 64 bits) is kept. None while no stream is open, as a session may come by any connection.
    pub address: Option<IpAddr>,
}

/// A client came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent<'a> {
    /// A client finished its handshake, or made its first call without one, came back with a session that had been forgotten, or began to listen.
    Came {
        /// Its number.
        id: u64,
        /// What it calls itself; empty when it did not say.
        name: &'a str,
        /// The revision that was negotiated.
        revision: Revision,
    },
    /// A client ended its session, closed its stream, or made room for another. (A session that made room comes back when
    /// its client is heard again.)
    Went {
        /// Its number.
        id: u64,
    },
}
