//! Admission (DESIGN D4): who of those that connect gets a slot, and what the others are told.
//!
//! The policy, each part of it where it is decided: connections in `vacancy`, streams in `Streams::room`, sessions in the table of
//! sessions, buffers in `queue`. In short: who is being answered, who listens (and was heard once), and who holds a session with a call or a
//! stream, is never touched; who only takes up a place makes room when somebody else wants it, the one that has been idle longest first;
//! nobody has more than the share of an address, but for this machine and the proxies that are named; and whoever finds no room is told when
//! to come again. All of it is counted (`stats`), and logged once in a while (`notices`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Context;

use super::accept::is_full;
use super::conns::{Conn, Full, State};
use super::core::{Core, index32};
use super::notices::Notice;
use super::peers::Shown;
use super::socket::Socket;
use super::vacancy::{Brings, Vacancy};
use crate::guard::{Household, Network, Peer, Standing};
use crate::json::Writer;
use crate::limits::{HEAD_GRACE_MS, REFUSALS_MAX, RETRY_AFTER_S};
use crate::since::Since;

/// How much one address may take.
pub(super) struct Shares {
    /// Connections of one address; half of all where it is not said.
    connections: Option<usize>,
    /// Streams of one address; half of all where it is not said.
    streams: Option<usize>,
    /// Those who are not counted beside this machine: proxies, behind which many come by one address.
    trusted: Vec<Network>,
}

impl Shares {
    /// Checks the settings. The error says which is wrong, and what would be right.
    pub(super) fn new(connections: Option<usize>, streams: Option<usize>, trusted: &[String]) -> Result<Self, String> {
        for (name, share) in [("connections_per_address", connections), ("streams_per_address", streams)] {
            if share == Some(0) {
                return Err(format!("{name}: expected at least 1, got 0"));
            }
        }
        let network = |text: &String| text.parse().map_err(|why| format!("trusted_proxy: {why}; got {text:?}"));
        Ok(Self { connections, streams, trusted: trusted.iter().map(network).collect::<Result<_, _>>()? })
    }

    /// The shares of this many connections, of which some only tell that there is no room, and streams.
    pub(super) fn of(self, connections: usize, streams: usize) -> Self {
        let half = connections.saturating_sub(REFUSALS_MAX).div_ceil(2);
        Self {
            connections: Some(self.connections.unwrap_or(half)),
            streams: Some(self.streams.unwrap_or(streams.div_ceil(2))),
            ..self
        }
    }

    /// Streams that one address may have.
    pub(super) fn streams(&self) -> usize {
        self.streams.unwrap_or(usize::MAX)
    }

    /// How a peer of this address is treated. A proxy on this machine is believed only where it is named: what else passes bytes on here (a
    /// tunnel, say) passes on what anybody wrote.
    pub(super) fn peer(&self, address: IpAddr) -> Peer {
        let address = address.to_canonical();
        let standing = match () {
            () if self.is_trusted(address) => Standing::Proxy,
            () if address.is_loopback() => Standing::Exempt,
            () => Standing::Counted,
        };
        Peer { household: Household::of(address), standing }
    }

    /// It is the address of a proxy.
    pub(super) fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }
}

impl<A> Core<'_, A> {
    /// A newcomer gets a slot, and a worker if it can be served: `serve` polls that one. What the kernel has of a connection is at hand then; and most have
    /// sent their request by now, which is read before the kernel is asked to tell of them, so that it has nothing to tell.
    ///
    /// # Errors
    /// Those of the system: so many sockets can't be waited for. The newcomer's is closed.
    pub(super) fn admit(
        &self,
        mut socket: Socket,
        peer: Option<IpAddr>,
        local: Option<SocketAddr>,
        serve: impl FnOnce(usize),
    ) -> io::Result<()> {
        let now_ms = self.now_ms.get();
        let peer = peer.map(|address| self.shares.peer(address));
        if self.conns.borrow().is_full() {
            if !socket.come() {
                return Ok(());
            }
            let least = self.conns.borrow().least(now_ms);
            if let Some(index) = least {
                self.reclaim(index);
            }
        }
        let Some(index) = self.conns.borrow_mut().open_in(socket, peer, local, now_ms) else { return Ok(()) };
        let conn = self.conns.borrow().reference(index);
        self.tally.connections.accepted.add();
        self.tally.connections.most.reach(self.conns.borrow().open());
        self.settle(index, Brings::Nothing);
        if let Some(worker) = self.assigned.take() {
            serve(worker);
        }
        let wait = || self.conns.borrow_mut().wait(conn, self.sockets.as_ref());
        let mut waited = wait();
        if waited.as_ref().is_err_and(is_full) && self.let_one_go() {
            waited = wait();
        }
        waited.inspect_err(|_| {
            self.tally.connections.accept_errors.add();
            self.close_conn(index);
        })
    }

    /// Nobody has to leave for a newcomer, and none is refused, whatever its address.
    pub(super) fn lets_anyone_in(&self) -> bool {
        let conns = self.conns.borrow();
        !conns.is_nearly_full() && self.shares.connections.is_none_or(|share| conns.open() < share)
    }

    /// Something came from one that waits.
    pub(super) fn look_at_waiting(&self, index: usize) {
        let mut cx = Context::from_waker(self.waker(self.conn_bit(index)));
        let came = {
            let mut conns = self.conns.borrow_mut();
            let Some(conn) = conns.at(index) else { return };
            conn.socket.poll_readable(&mut cx).is_ready().then(|| conn.socket.is_gone())
        };
        match came {
            None => {}
            Some(true) => self.close_conn(index),
            Some(false) => self.settle(index, Brings::Part),
        }
    }

    /// The rest of what one that waits has begun to say may have come. It is not told so as the beginning lies there unread.
    pub(super) fn look_again_at_waiting(&self, index: usize) {
        let has_begun = self.conns.borrow().slot(index).is_some_and(|conn| conn.socket.peek(&mut [0]).is_some());
        if has_begun {
            self.look_at_waiting(index);
        }
    }

    // One that came, and has sent this `at_least`, is served if there is room or somebody makes room for it. If not, it waits until it has sent a
    // whole request, for a moment; then it is told.
    fn settle(&self, index: usize, at_least: Brings) {
        let now_ms = self.now_ms.get();
        let share = self.shares.connections.unwrap_or(usize::MAX);
        let mut brings = at_least;
        let (vacancy, may_wait, has_gone) = {
            let (conns, mut scratch) = (self.conns.borrow(), self.scratch.borrow_mut());
            let Some(conn) = conns.slot(index) else { return };
            let look = |scratch: &mut [u8]| {
                brings = brings.max(Brings::of(conn, scratch));
                brings
            };
            let vacancy = conns.vacancy(now_ms, conn.counted(), share, look, &mut scratch);
            let has_gone = vacancy != Vacancy::Free && conn.socket.is_gone();
            let waits = vacancy == Vacancy::None(Full::House) && conn.since.age_ms(now_ms) < HEAD_GRACE_MS;
            (vacancy, waits && conn.socket.peek(&mut [0]).is_some(), has_gone)
        };
        match vacancy {
            // Nobody makes room for one that came and went while the server was busy.
            _ if has_gone => self.close_conn(index),
            Vacancy::Free => self.serve_newcomer(index),
            Vacancy::Of(spare) => {
                self.reclaim(spare);
                self.serve_newcomer(index);
            }
            // It is looked at when something comes; what the application brought has to be asked for that.
            Vacancy::None(Full::House) if brings == Brings::Nothing => self.ready.set(self.conn_bit(index)),
            // It is looked at again on the tick.
            Vacancy::None(Full::House) if brings == Brings::Part && may_wait => {}
            Vacancy::None(full) => {
                let (counter, notice) = match full {
                    Full::House => (&self.tally.refused.house, Notice::House),
                    Full::Share => (&self.tally.refused.share, Notice::Share),
                };
                counter.add();
                let peer = self.conns.borrow().peer_at(index);
                self.notice(notice, format_args!("{} is refused a connection: {}", Shown(peer), full.why()));
                self.turn_away(index, full);
                self.ready.set(self.conn_bit(index));
            }
        }
    }

    fn serve_newcomer(&self, index: usize) {
        if let Some(conn) = self.conns.borrow_mut().at(index) {
            conn.state = State::New;
            conn.since = Since::at(self.now_ms.get());
            // To read takes no longer than to ask whether there is something.
            conn.socket.ask_again();
        }
        self.look_for_bytes(index);
    }

    // Closes a connection whose place another gets.
    fn reclaim(&self, index: usize) {
        let found = self.conns.borrow_mut().at(index).map(|conn| (conn.state, conn.peer()));
        let Some((state, peer)) = found else { return };
        match state {
            State::Idle => {
                self.tally.connections.reclaimed_idle.add();
                log::debug!("an idle connection of {} makes room for another", Shown(peer));
            }
            State::New | State::Busy { .. } | State::Queued(_) => {
                self.tally.connections.reclaimed_slow.add();
                log::debug!("a connection of {} that brought no request makes room for another", Shown(peer));
            }
            State::Waiting => {
                self.tally.refused.house.add();
                let why = Full::House.why();
                self.notice(Notice::House, format_args!("{} is refused a connection: {why}", Shown(peer)));
            }
            _ => {}
        }
        if matches!(state, State::New | State::Waiting) {
            // It has not begun to speak, so that it may hear this.
            self.tell_full(index, Full::House);
        }
        self.close_conn(index);
    }

    /// A request has waited for a buffer for as long as it may.
    pub(super) fn turn_away_unserved(&self, index: usize) {
        let peer = self.conns.borrow_mut().at(index).and_then(|conn| conn.peer());
        self.tally.refused.buffers.add();
        let why = "all calls are taken, and it has waited for long";
        self.notice(Notice::Buffers, format_args!("{} is refused a request: {why}", Shown(peer)));
        self.turn_away(index, Full::House);
        self.ready.set(self.conn_bit(index));
    }

    /// Closes the connection that is needed least, where there is one that is not being served: there are no more files. False where there is none.
    pub(super) fn let_one_go(&self) -> bool {
        let index = self.conns.borrow().needed_least(self.now_ms.get(), &mut self.scratch.borrow_mut());
        if let Some(index) = index {
            self.reclaim(index);
        }
        index.is_some()
    }

    /// Answers 503 without reading anything, and closes.
    fn turn_away(&self, index: usize, full: Full) {
        // It may have waited for a buffer.
        self.queue.borrow_mut().retain(|queued| *queued != index32(index));
        if let Some(conn) = self.conns.borrow_mut().at(index) {
            conn.state = State::Lingering { read: 0 };
            conn.since = Since::at(self.now_ms.get());
        }
        self.tell_full(index, full);
    }

    // Says that it can't be served, and nothing more.
    fn tell_full(&self, index: usize, full: Full) {
        let mut cx = Context::from_waker(self.waker(self.conn_bit(index)));
        let mut conns = self.conns.borrow_mut();
        let Some(socket) = conns.at(index).and_then(Conn::socket) else { return };
        let mut answer = [0; ANSWER_BYTES_MAX];
        let length = full.answer(&mut answer);
        // A socket that takes not even this is closed without a word.
        let _ = socket.poll_write(&mut cx, self.sockets.as_ref(), answer.get(..length).unwrap_or_default());
        socket.shutdown_write(&mut cx);
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
