//! Admission (DESIGN D4): who of those that connect gets a slot, and what the others are told.

use std::net::{IpAddr, SocketAddr};
use std::task::Context;

use super::conns::{Full, Place, State};
use super::core::{Core, index32};
use super::socket::Socket;
use crate::guard::{Household, Network};
use crate::json::Writer;
use crate::limits::{REFUSALS_MAX, RETRY_AFTER_S};
use crate::since::Since;

/// How much one address may take.
pub(super) struct Shares {
    /// Connections of one address; half of all where it is not said.
    connections: Option<usize>,
    /// Those who are not counted beside this machine: proxies, behind which many come by one address.
    trusted: Vec<Network>,
}

impl Shares {
    /// Checks the settings. The error says which is wrong, and what would be right.
    pub(super) fn new(connections: Option<usize>, trusted: &[String]) -> Result<Self, String> {
        if connections == Some(0) {
            return Err("connections_per_address: expected at least 1, got 0".into());
        }
        let network = |text: &String| text.parse().map_err(|why| format!("trusted_proxy: {why}; got {text:?}"));
        Ok(Self { connections, trusted: trusted.iter().map(network).collect::<Result<_, _>>()? })
    }

    /// The shares of this many connections, of which some only tell that there is no room.
    pub(super) fn of(self, connections: usize) -> Self {
        let half = connections.saturating_sub(REFUSALS_MAX).div_ceil(2);
        Self { connections: Some(self.connections.unwrap_or(half)), ..self }
    }

    /// What a peer is counted by; none for those that are exempt, and those that have none.
    fn counted(&self, peer: Option<IpAddr>) -> Option<Household> {
        let peer = peer?.to_canonical();
        let exempt = peer.is_loopback() || self.trusted.iter().any(|network| network.contains(peer));
        (!exempt).then(|| Household::of(peer))
    }
}

impl<A> Core<'_, A> {
    /// A newcomer gets a slot, or is told that there is none.
    pub(super) fn admit(&self, socket: Socket, peer: Option<IpAddr>, local: Option<SocketAddr>) {
        if socket.is_gone() {
            // Nobody loses a slot to a crowd that came and went while the server was busy.
            return;
        }
        let now_ms = self.now_ms.get();
        let peer = self.shares.counted(peer);
        let place = self.conns.borrow().place(now_ms, peer, self.shares.connections.unwrap_or(usize::MAX));
        if let Place::Of(index) | Place::RefusalOf(index, _) = place {
            self.close_conn(index);
        }
        let Some(index) = self.conns.borrow_mut().open_in(socket, peer, local, now_ms) else { return };
        if let Place::Refusal(full) | Place::RefusalOf(_, full) = place {
            self.turn_away(index, full);
        }
        self.ready.set(self.conn_bit(index));
    }

    /// Closes the connection that is needed least, where there is one that is not being served: there are no more files. False where there is none.
    pub(super) fn let_one_go(&self) -> bool {
        let index = self.conns.borrow().needed_least(self.now_ms.get());
        if let Some(index) = index {
            log::debug!("a connection is closed: there are no more files");
            self.close_conn(index);
        }
        index.is_some()
    }

    /// Answers 503 without reading anything, and closes.
    pub(super) fn turn_away(&self, index: usize, full: Full) {
        // It may have waited for a buffer.
        self.queue.borrow_mut().retain(|queued| *queued != index32(index));
        log::debug!("a connection is turned away: {}", full.why());
        let waker = self.waker(self.conn_bit(index)).clone();
        let mut cx = Context::from_waker(&waker);
        let mut conns = self.conns.borrow_mut();
        let Some(conn) = conns.at(index) else { return };
        conn.state = State::Lingering { read: 0 };
        conn.since = Since::at(self.now_ms.get());
        if let Some(socket) = conn.socket() {
            let mut answer = [0; ANSWER_BYTES_MAX];
            let length = full.answer(&mut answer);
            // A socket that takes not even this is closed without a word.
            let _ = socket.poll_write(&mut cx, answer.get(..length).unwrap_or_default());
            socket.shutdown_write(&mut cx);
        }
    }
}

impl Full {
    fn why(self) -> &'static str {
        match self {
            Full::House => "all connections of this server are taken",
            Full::Share => "your address has as many connections to this server as one may have",
        }
    }

    // A whole answer, as no request was read that it could fit; its length.
    fn answer(self, buf: &mut [u8]) -> usize {
        let body = |w: &mut Writer<'_>| {
            w.str(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":""#).str(self.why());
            w.str(r#"; come again"}}"#);
        };
        let mut measure = Writer::new(&mut []);
        body(&mut measure);
        let mut w = Writer::new(buf);
        w.str("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: ");
        w.uint(measure.total() as u64).str("\r\nRetry-After: ").uint(u64::from(RETRY_AFTER_S));
        w.str("\r\nConnection: close\r\n\r\n");
        body(&mut w);
        w.written()
    }
}

/// Room for the longest answer that is given without a request, in bytes.
const ANSWER_BYTES_MAX: usize = 512;
