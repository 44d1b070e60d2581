//! What all tasks of a server share. One thread: cells, no locks. Nothing here waits.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::hash::RandomState;
use std::sync::Arc;
use std::task::Waker;

use super::access::Access;
use super::admit::Shares;
use super::audit::Audit;
use super::clients::{ClientEvent, ClientInfo};
use super::conns::{ConnRef, Conns, State};
use super::inputs::Inputs;
use super::notices::{Notice, Notices};
use super::peers::Shown;
use super::ready::Ready;
use super::resume::Numbers;
use super::sockets::Sockets;
use super::stats::Tally;
use super::stream_table::{StreamRef, Streams};
use super::streams::Open;
use crate::app::{Identity, Ran, caught};
use crate::endpoint::{Changes, Endpoint, Moment};
use crate::guard::{Household, Peer};
use crate::http::{self, HttpDate};
use crate::hub::Hub;
use crate::json::Value;
use crate::limits::{
    CONNECTIONS_PER_WAKER, EARLY_CANCELS_MAX, EVENT_BYTES_MAX, MESSAGE_PARAMS_BYTES_MAX, PRINCIPAL_NAME_BYTES_MAX,
    QUEUE_TIMEOUT_MS,
};
use crate::mcp::slips::Slips;
use crate::session::{Ended, PrincipalId, SessionRef, Table};
use crate::tasks::Board;

/// The bits of the engine's set, in the order in which they are looked at: these, then the workers, the runners of tasks, the connections. Commands are
/// first: what was asked for before a request came is done before it.
pub(super) const COMMANDS: usize = 0;
pub(super) const SOCKETS: usize = 1;
pub(super) const TICK: usize = 2;
pub(super) const WORKERS: usize = 3;

/// A slot of a table, and which of those that it had in turn: one number, as it is often copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotRef(pub(super) u64);

impl SlotRef {
    /// The place of the slot, and the number of who has it.
    pub(super) const fn new(index: u32, generation: u32) -> Self {
        Self((index as u64) << 32 | generation as u64)
    }

    /// The place of the slot.
    pub(super) const fn index(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// Which of those it is that the slot had.
    pub(super) const fn generation(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }
}

/// The application's ear for clients that come and go.
pub(super) type OnClient = Box<dyn Fn(&ClientEvent<'_>)>;

/// What a server is made of, but for its tasks.
pub(super) struct Core<'m, A> {
    pub(super) app: A,
    pub(super) identity: Identity,
    pub(super) endpoint: Endpoint,
    pub(super) limits: http::Limits,
    pub(super) shares: Shares,
    pub(super) idle_timeout_ms: u64,
    pub(super) tool_timeout_ms: u64,
    pub(super) input_timeout_ms: u64,
    pub(super) on_client: Option<OnClient>,
    pub(super) access: Access,
    pub(super) audit: Option<Audit>,
    pub(super) now_ms: Cell<u64>,
    pub(super) unix_s: Cell<u64>,
    pub(super) date: Cell<Option<HttpDate>>,
    /// What tells of sockets; none where nothing is listened to.
    pub(super) sockets: Option<Sockets>,
    pub(super) conns: RefCell<Conns<'m>>,
    pub(super) streams: RefCell<Streams<'m>>,
    pub(super) sessions: RefCell<Table<'m>>,
    pub(super) hub: RefCell<Hub<'m>>,
    pub(super) board: Board<'m>,
    /// The slots for tasks; each has a runner.
    pub(super) runners: usize,
    pub(super) inputs: RefCell<Inputs<'m>>,
    pub(super) workers: Vec<WorkerSlot>,
    /// The worker that was given a connection last, if nobody has seen to it: it is to be woken.
    pub(super) assigned: Cell<Option<usize>>,
    pub(super) queue: RefCell<VecDeque<u32>>,
    /// The place in it from which on those are looked at next that had not come whole.
    pub(super) looked_at: Cell<usize>,
    pub(super) ready: Arc<Ready>,
    /// One for each bit, and for each few connections one.
    pub(super) wakers: Vec<Waker>,
    pub(super) scratch: RefCell<Vec<u8>>,
    /// Cancellations that came before their call had a buffer, with their time.
    pub(super) early_cancels: RefCell<heapless::Deque<((SessionRef, u64), u64), EARLY_CANCELS_MAX>>,
    /// What event ids are made of.
    pub(super) numbers: Numbers,
    /// What lets a confirmed call run once.
    pub(super) slips: Slips,
    pub(super) stopping: Cell<bool>,
    pub(super) hasher: RandomState,
    pub(super) tally: Tally,
    pub(super) notices: Notices,
}

/// What others may know of a worker, and tell it.
#[derive(Default)]
pub(super) struct WorkerSlot {
    /// Serves only what frees others.
    pub(super) reserved: bool,
    pub(super) job: Cell<Option<ConnRef>>,
    /// When what it waits for is overdue (0: never), and that it is.
    pub(super) deadline_ms: Cell<u64>,
    pub(super) expired: Cell<bool>,
    /// The same, while others wait for its buffer.
    pub(super) pressed_ms: Cell<u64>,
    /// How much patience there is with it then, when it has used none.
    pub(super) patience_ms: Cell<u64>,
    /// The call that it runs: its session, and a hash of its id.
    pub(super) call: Cell<Option<(SessionRef, u64)>>,
    pub(super) cancelled: Cell<bool>,
    pub(super) running: Cell<bool>,
    /// On whose behalf it works.
    pub(super) principal: Cell<Option<PrincipalId>>,
    /// The same for the audit ring: by name, where from, and since when its call runs.
    pub(super) who: RefCell<heapless::String<PRINCIPAL_NAME_BYTES_MAX>>,
    pub(super) household: Cell<Option<Household>>,
    pub(super) begun_ms: Cell<u64>,
    /// When the token ends that its request came with, in seconds of the wall clock; `u64::MAX`: never, or the guard knows.
    pub(super) ends_unix_s: Cell<u64>,
    /// Its call is one of an array (2025-03-26).
    pub(super) batch: Cell<bool>,
    /// The stream that it writes its answer to (2024-11-05).
    pub(super) relay: Cell<Option<StreamRef>>,
    /// The call that it runs and whose events have ids: its client, and the number of its stream.
    pub(super) resumable: Cell<Option<(u64, u64)>>,
    /// Its client came back for it by another connection, and has the events up to this one.
    pub(super) resumed: Cell<Option<u32>>,
    /// It goes on without a connection.
    pub(super) detached: Cell<bool>,
    /// How the handler of its call ended.
    pub(super) ran: Cell<Option<Ran>>,
    /// Its request was refused.
    pub(super) refused: Cell<bool>,
}

impl<A> Core<'_, A> {
    /// The bit of a connection.
    pub(super) fn conn_bit(&self, index: usize) -> usize {
        WORKERS + self.workers.len() + self.runners + index
    }

    /// Wakes a worker.
    pub(super) fn wake_worker(&self, index: usize) {
        self.ready.set(WORKERS + index);
    }

    /// The waker of a bit: a connection's is its neighbours', too.
    pub(super) fn waker(&self, bit: usize) -> &Waker {
        let first = self.conn_bit(0);
        let at = bit.checked_sub(first).map_or(bit, |conn| first + conn / CONNECTIONS_PER_WAKER);
        self.wakers.get(at).unwrap_or(Waker::noop())
    }

    /// What is true now, for a request that came by this connection.
    pub(super) fn moment(&self, conn: ConnRef) -> Moment {
        Moment {
            now_ms: self.now_ms.get(),
            unix_s: self.unix_s.get(),
            local: self.conns.borrow_mut().local(conn),
            counted: None,
            stopping: self.stopping.get(),
            random: super::random,
        }
    }

    /// Drops the call of a session that has this id, if it runs.
    pub(super) fn cancel(&self, session: SessionRef, id: &[u8]) {
        let call = (session, hash_id(id));
        let running = self.workers.iter().position(|worker| worker.call.get() == Some(call));
        let Some(index) = running else {
            if self.queue.borrow().is_empty() {
                return;
            }
            // It may be among those that wait for a buffer: see `was_cancelled`.
            let mut early = self.early_cancels.borrow_mut();
            if early.is_full() {
                early.pop_front();
            }
            // There is room now.
            let _ = early.push_back((call, self.now_ms.get()));
            return;
        };
        if let Some(worker) = self.workers.get(index) {
            worker.cancelled.set(true);
            self.wake_worker(index);
        }
    }

    /// A call that begins was cancelled while it waited for a buffer.
    pub(super) fn was_cancelled(&self, call: (SessionRef, u64)) -> bool {
        let now_ms = self.now_ms.get();
        let mut early = self.early_cancels.borrow_mut();
        while early.front().is_some_and(|(_, at_ms)| now_ms.saturating_sub(*at_ms) > QUEUE_TIMEOUT_MS) {
            early.pop_front();
        }
        let mut found = false;
        for _ in 0..early.len() {
            let Some(entry) = early.pop_front() else { break };
            if !found && entry.0 == call {
                found = true;
            } else {
                let _ = early.push_back(entry);
            }
        }
        found
    }

    /// Tells the application who came, by this peer's request, and went.
    pub(super) fn tell(&self, changes: Changes, peer: Option<Peer>) {
        if let Some(evicted) = changes.evicted {
            if evicted.lost_state {
                self.notice(
                    Notice::Evicted,
                    format_args!(
                        "the session of client {} makes room, and loses its log level or subscriptions",
                        evicted.client.0
                    ),
                );
            }
            if evicted.announced {
                self.went(evicted.client.0);
            }
        }
        let Some(came) = changes.came.filter(|came| self.sessions.borrow_mut().announce(*came)) else { return };
        let sessions = self.sessions.borrow();
        if let Some(session) = sessions.get(came) {
            self.came(session.client().0, sessions.client(session).0, session.revision(), peer);
        }
    }

    pub(super) fn came(&self, id: u64, name: &str, revision: crate::session::Revision, peer: Option<Peer>) {
        self.notice(Notice::Came, format_args!("client {id} came: {name:?}, {revision}, from {}", Shown(peer)));
        self.call_on_client(&ClientEvent::Came { id, name, revision });
    }

    pub(super) fn went(&self, id: u64) {
        self.notice(Notice::Went, format_args!("client {id} went"));
        self.call_on_client(&ClientEvent::Went { id });
    }

    // Its panic is its own.
    fn call_on_client(&self, event: &ClientEvent<'_>) {
        let Some(on_client) = &self.on_client else { return };
        if caught(|| on_client(event)).is_none() {
            self.notice(Notice::OnClient, format_args!("on_client panicked"));
        }
    }

    /// A session was ended by its client: its stream closes.
    pub(super) fn ended(&self, ended: Ended) {
        self.inputs.borrow_mut().end(Some(ended.session));
        if ended.announced {
            self.went(ended.client.0);
        }
        let stream = ended.stream.and_then(|index| self.streams.borrow().reference(index.into()));
        if let Some(stream) = stream {
            self.close_stream(stream, true);
        }
        self.forget_calls(ended.client.0);
    }

    /// Closes a stream and its connection, and forgets it everywhere. `politely`: its end is written first, if the socket
    /// takes it at once.
    pub(super) fn close_stream(&self, stream: StreamRef, politely: bool) {
        // What waits in the ring goes out first.
        if politely && self.write_stream(stream) && self.streams.borrow_mut().get(stream).is_some_and(Open::end) {
            self.write_stream(stream);
        }
        let closed = self.streams.borrow_mut().close(stream, self.sessions.borrow_mut().names());
        let Some(open) = closed else { return };
        self.hub.borrow_mut().uris().leave(open.uris);
        self.conns.borrow_mut().close(open.conn());
        for (index, worker) in self.workers.iter().enumerate().filter(|(_, w)| w.relay.get() == Some(stream)) {
            // Nobody will ever read that answer.
            worker.cancelled.set(true);
            self.wake_worker(index);
        }
        let Some(session) = open.session() else { return self.went(open.client) };
        let mut sessions = self.sessions.borrow_mut();
        let current = sessions.stream_closed(session, index16(stream.index()), self.now_ms.get());
        if current && open.is_http_sse() {
            let ended = sessions.end(session);
            drop(sessions);
            if let Some(ended) = ended.filter(|ended| ended.announced) {
                self.went(ended.client.0);
            }
        }
    }

    /// Fills `list` with the connected clients, up to the capacity that its caller gave it.
    pub(super) fn list_clients(&self, list: &mut Vec<ClientInfo>) {
        let now_ms = self.now_ms.get();
        // Sessions know the second, so listeners are told of no better.
        let since_second = |opened_s: u64| now_ms.saturating_sub(opened_s * 1000);
        let sessions = self.sessions.borrow();
        let streams = self.streams.borrow();
        let conns = self.conns.borrow();
        let address = |open: &Open| conns.peer_at(open.conn()).map(|peer| peer.household.address());
        for (_, session) in sessions.iter().take(list.capacity() - list.len()) {
            let stream = session.stream().and_then(|index| streams.look(index as usize));
            list.push(ClientInfo {
                id: session.client().0,
                name: sessions.client(session).0.into(),
                version: sessions.client(session).1.into(),
                revision: session.revision(),
                connected_ms: since_second(session.opened_at_s().into()),
                listens: session.stream().is_some(),
                address: stream.and_then(address),
            });
        }
        let listeners = streams.iter().filter(|(_, stream)| stream.session().is_none());
        for (_, stream) in listeners.take(list.capacity() - list.len()) {
            let (name, version) = sessions.named(streams.name(stream));
            list.push(ClientInfo {
                id: stream.client,
                name: name.into(),
                version: version.into(),
                revision: crate::session::Revision::V2026_07_28,
                connected_ms: since_second(stream.opened_ms() / 1000),
                listens: true,
                address: address(stream),
            });
        }
    }

    /// Closes a connection, and the stream that it carries.
    pub(super) fn close_conn(&self, index: usize) {
        let state = self.conns.borrow_mut().at(index).map(|conn| conn.state);
        let stream = match state {
            Some(State::Stream(stream)) => self.streams.borrow().reference(stream.into()),
            _ => None,
        };
        if let Some(stream) = stream {
            return self.close_stream(stream, false);
        }
        if matches!(state, Some(State::Queued(_))) {
            self.queue.borrow_mut().retain(|queued| *queued != index32(index));
        }
        let conn = self.conns.borrow().reference(index);
        self.conns.borrow_mut().close(index);
        // Who reads from it must look: a socket that is dropped wakes nobody.
        for (at, _) in self.workers.iter().enumerate().filter(|(_, w)| conn.is_some() && w.job.get() == conn) {
            self.wake_worker(at);
        }
    }
}

/// A hash of a request's id, equal for equal ids of one type however they are written. (FNV-1a: it need not be secret, as who finds two ids with the
/// same hash can cancel a call of his own session with the other one.)
pub(super) fn hash_id(id: &[u8]) -> u64 {
    const TEXT: u64 = 0xcbf2_9ce4_8422_2325;
    let step = |hash: u64, unit: u32| (hash ^ u64::from(unit)).wrapping_mul(0x0100_0000_01b3);
    match Value::new(id).as_text() {
        Some(text) => text.chars().fold(TEXT, |hash, char| step(hash, char.into())),
        None => id.iter().fold(!TEXT, |hash, byte| step(hash, (*byte).into())),
    }
}

/// A place as references keep it.
pub(super) fn index32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A place of a connection, a stream or its rest, of which there are at most [`PLACES_MAX`](crate::limits::PLACES_MAX).
pub(super) fn index16(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

const _: () = assert!(EVENT_BYTES_MAX > MESSAGE_PARAMS_BYTES_MAX);
