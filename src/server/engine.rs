//! The engine: one future that polls what woke. It accepts, gives connections to workers, writes streams, and looks at the
//! deadlines; everything else happens in the workers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::accept::Door;
use super::clock::{Clock, look_at_calendar, set_calendar};
use super::conns::{ConnRef, State};
use super::core::{COMMANDS, Core, SOCKETS, TICK, WORKERS};
use super::handle::{Command, Commands, PROMPTS_CHANGED, RELOAD, RESOURCES_CHANGED, SHUTDOWN, TOOLS_CHANGED};
use super::notices::Notice;
use super::socket::Socket;
use super::sockets::{News, Place, Sockets};
use super::stream_table::StreamRef;
use crate::app::{Announce, Application, caught};
use crate::hub::Kind;
use crate::limits::{
    CLOCK_SET_MIN_UNIX_S, COMMANDS_MAX, LINGER_BYTES_MAX, SHUTDOWN_GRACE_MS, TICK_IDLE_MS, TICK_MS, TICK_PRESSED_MS,
};

/// Rounds over what woke before others on the executor get their turn.
const ROUNDS_PER_TURN: usize = 8;
const IDLE_MS: u64 = TICK_IDLE_MS as u64;
/// Milliseconds between two looks while the server shuts down.
const SHUTDOWN_TICK_MS: u64 = 50;

/// A server's tasks.
pub(super) struct Engine<'e, 'm, A, F, G> {
    pub(super) core: &'e Core<'m, A>,
    pub(super) workers: Vec<Pin<Box<F>>>,
    pub(super) runners: Vec<Pin<Box<G>>>,
    pub(super) door: Door,
    pub(super) commands: &'e Commands,
    pub(super) clock: Clock,
    /// The tick came in this turn.
    pub(super) ticked: bool,
    /// What happens to sockets could not be waited for: async-io may never tell of it again, and the tick goes on looking.
    pub(super) is_deaf: bool,
    /// When the server must be gone.
    pub(super) end_ms: Option<u64>,
}

// The server ends, or its owner drops it, with calls that still run: a handler that panics as it is dropped does that to itself alone.
impl<A, F, G> Drop for Engine<'_, '_, A, F, G> {
    fn drop(&mut self) {
        drop_each(&mut self.workers);
        drop_each(&mut self.runners);
    }
}

fn drop_each<F>(futures: &mut Vec<Pin<Box<F>>>) {
    for future in futures.drain(..).rev() {
        caught(|| drop(future)).unwrap_or_else(|| log::error!("a handler panicked when it was dropped"));
    }
}

impl<A: Application, F: Future<Output = ()>, G: Future<Output = ()>> Engine<'_, '_, A, F, G> {
    /// Does what is due. Ready when the server has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.look_at_clock();
        self.look_around();
        let core = self.core;
        let ready = &core.ready;
        self.ticked = false;
        for round in 1..=ROUNDS_PER_TURN {
            let woke = ready.drain(|bit| self.wake(bit));
            let knocked = self.door.is_knocked();
            // Who woke goes first: what ends now leaves room for those who come.
            if knocked && (!ready.is_any() || round == ROUNDS_PER_TURN) {
                let workers = &mut self.workers;
                self.door.accept(core, |worker| work(core, workers, worker));
            }
            let lent = core.assigned.take().inspect(|worker| core.wake_worker(*worker)).is_some();
            if !woke && !knocked && !lent {
                break;
            }
        }
        self.keep_ticking();
        if self.has_ended() {
            return Poll::Ready(());
        }
        ready.sleep(cx.waker());
        Poll::Pending
    }

    // Something happened to sockets: who has to do with them is woken.
    fn hear(&mut self) {
        let core = self.core;
        let Some(sockets) = &core.sockets else { return };
        let mut cx = Context::from_waker(core.waker(SOCKETS));
        // Taken note of first, as what happens from then on is told again.
        let told = sockets.poll(&mut cx);
        let mut count = 0;
        let more = sockets.look(|place, news| {
            count += 1;
            match place {
                Place::Listener => self.door.knock(),
                Place::Conn(conn) => {
                    if let Some(index) = core.hear(conn, news) {
                        self.look_at(index);
                    }
                }
            }
        });
        // Where several came at once, others come while those are served: a look is one call of the system, to wait in the reactor is seven.
        let more = more.map(|more| more || count > 1 && !sockets.is_near());
        let told = if told.is_ready() { sockets.poll(&mut cx) } else { told };
        match (more, told) {
            (Ok(false), Poll::Pending) => {}
            (Ok(_), Poll::Pending | Poll::Ready(Ok(()))) => core.ready.set(SOCKETS),
            // The tick looks again.
            (Err(error), _) | (_, Poll::Ready(Err(error))) => {
                self.is_deaf = true;
                self.door.pause(core, &error);
            }
        }
    }

    fn wake(&mut self, bit: usize) {
        let workers = self.workers.len();
        match bit {
            SOCKETS => self.hear(),
            COMMANDS => self.obey(),
            TICK => self.tick(),
            _ if bit < WORKERS + workers => work(self.core, &mut self.workers, bit - WORKERS),
            _ if bit < self.core.conn_bit(0) => self.run_task(bit - WORKERS - workers),
            _ => self.look_at(bit - self.core.conn_bit(0)),
        }
    }

    // Something happened to a connection.
    fn look_at(&mut self, index: usize) {
        self.core.look_at(index);
        // Who has a buffer now is served at once: most are done then, and the next that has bytes need neither wait nor be looked at.
        if let Some(worker) = self.core.assigned.take() {
            work(self.core, &mut self.workers, worker);
        }
    }

    fn run_task(&mut self, place: usize) {
        // So that a program without tasks has no code for them.
        if A::HAS_TASKS {
            let mut cx = Context::from_waker(self.core.waker(self.core.task_bit(place)));
            if let Some(runner) = self.runners.get_mut(place) {
                // Runners never end.
                let _ = runner.as_mut().poll(&mut cx);
            }
        }
    }

    // Who sleeps until something happens need not be who did so before.
    fn look_around(&self) {
        if self.core.sockets.as_ref().is_some_and(Sockets::has_moved) {
            self.core.ready.set(SOCKETS);
        }
        if matches!(&self.clock, Clock::Machine { tick, .. } if tick.has_moved()) {
            self.core.ready.set(TICK);
        }
    }

    fn look_at_clock(&mut self) {
        // While many ticks come, they look. Who comes when few do is judged by the time that it is, not by that of the last one.
        if matches!(self.clock, Clock::Machine { every_ms: 0 | IDLE_MS, .. }) {
            look_at_calendar(self.core);
        }
        if let Some(now_ms) = self.clock.now_ms() {
            self.core.now_ms.set(now_ms);
        }
    }

    // The tick runs only while there is something to look at.
    fn keep_ticking(&mut self) {
        let wanted_ms = if self.core.stopping.get() {
            SHUTDOWN_TICK_MS
        } else if !self.core.queue.borrow().is_empty() {
            u64::from(TICK_PRESSED_MS)
        } else if self.core.conns.borrow().open() > 0 || self.door.pauses() {
            u64::from(TICK_MS)
        } else if !self.is_deaf && self.core.sessions.borrow().is_empty() && self.core.board.tasks.borrow().is_empty() {
            0
        } else {
            IDLE_MS
        };
        let Clock::Machine { tick, every_ms, .. } = &mut self.clock else { return };
        // It slows down only on a tick: a client that opens a connection for each request shall not arm it each time.
        let slower = *every_ms > 0 && (wanted_ms == 0 || wanted_ms > *every_ms);
        if wanted_ms == *every_ms || (slower && !self.ticked) {
            return;
        }
        *every_ms = wanted_ms;
        tick.set(wanted_ms);
        if wanted_ms > 0 {
            self.core.ready.set(TICK);
            look_at_calendar(self.core);
        }
    }

    fn tick(&mut self) {
        self.ticked = true;
        if let Clock::Machine { tick, .. } = &mut self.clock {
            let mut cx = Context::from_waker(self.core.waker(TICK));
            tick.heed(&mut cx);
            look_at_calendar(self.core);
        }
        self.door.open_again(self.core);
        // Should it ever not be told of what happens, it is heard late, and not never.
        self.core.ready.set(SOCKETS);
        self.count_lost();
        self.core.keep_house();
        self.core.keep_access();
        self.core.keep_tasks();
    }

    // What handles could not hand over.
    fn count_lost(&self) {
        let (connections, events) = self.commands.lost();
        let tally = &self.core.tally;
        tally.events.not_taken.add_many(events.into());
        tally.connections.not_taken.add_many(connections.into());
        if connections > 0 {
            let why = "as the queue of commands was full";
            self.core.notice(
                Notice::NotTaken,
                format_args!("{connections} connections of the application were closed, {why}"),
            );
        }
    }

    fn obey(&mut self) {
        let flags = self.commands.flags();
        if flags & TOOLS_CHANGED != 0 {
            self.core.tools_changed();
        }
        if flags & RESOURCES_CHANGED != 0 {
            self.core.resources_changed();
        }
        if flags & PROMPTS_CHANGED != 0 {
            self.core.prompts_changed();
        }
        if flags & RELOAD != 0 {
            self.core.reload();
        }
        for _ in 0..COMMANDS_MAX {
            match self.commands.next() {
                Some(Command::Message { audience, level, params }) => {
                    self.core.append(Kind::Message(level), audience, params.as_bytes());
                }
                Some(Command::ResourceUpdated(uri)) => self.core.resource_updated(&uri),
                Some(Command::Clients { mut list, reply }) => {
                    self.core.list_clients(&mut list);
                    // Who asked may have stopped waiting.
                    drop(reply.try_send(list));
                }
                Some(Command::Connect { io, peer, local }) => {
                    // Only the kernel can refuse to tell of one, and it has not to do with these.
                    let _ = self.core.admit(Socket::other(io, peer, local), peer, local);
                }
                // Who asked may have stopped waiting.
                Some(Command::Stats { reply }) => {
                    self.count_lost();
                    let _ = reply.try_send(self.core.stats());
                }
                Some(Command::Audit { mut list, reply }) => {
                    self.core.list_audit(&mut list);
                    let _ = reply.try_send(list);
                }
                Some(Command::Watched { mut list, reply }) => {
                    self.core.list_watched(&mut list);
                    let _ = reply.try_send(list);
                }
                Some(Command::Tokens(tokens)) => self.core.take_tokens(Some(&tokens), None),
                Some(Command::Tick { now_ms, unix_s }) => {
                    self.core.now_ms.set(now_ms);
                    match unix_s {
                        Some(unix_s) => set_calendar(self.core, unix_s),
                        None => self.core.unix_s.set(CLOCK_SET_MIN_UNIX_S + now_ms / 1000),
                    }
                    self.tick();
                }
                None => break,
            }
        }
        if flags & SHUTDOWN != 0 && self.end_ms.is_none() {
            log::info!("shutting down");
            self.core.stopping.set(true);
            self.end_ms = Some(self.core.now_ms.get() + SHUTDOWN_GRACE_MS);
            self.core.end_tasks();
            self.core.inputs.borrow_mut().end(None);
            self.core.end_streams();
        }
    }

    fn has_ended(&self) -> bool {
        let Some(end_ms) = self.end_ms else { return false };
        self.core.now_ms.get() >= end_ms || self.core.workers.iter().all(|worker| worker.job.get().is_none())
    }
}

// A worker goes on.
fn work<A, F: Future<Output = ()>>(core: &Core<'_, A>, workers: &mut [Pin<Box<F>>], index: usize) {
    let Some(worker) = workers.get_mut(index) else { return };
    // Workers never end.
    let _ = worker.as_mut().poll(&mut Context::from_waker(core.waker(WORKERS + index)));
}

impl<A> Core<'_, A> {
    /// Something happened to the socket of a connection, which may be closed by now. Gives its place where it is to be looked at.
    pub(super) fn hear(&self, place: ConnRef, news: News) -> Option<usize> {
        let mut conns = self.conns.borrow_mut();
        let conn = conns.get(place)?;
        conn.socket.heard(news);
        let (state, index) = (conn.state, place.index());
        drop(conns);
        match state {
            State::Busy { .. } => {
                // One that goes on for a stream (2024-11-05) came by this connection, too, and another has it now.
                for (index, worker) in self.workers.iter().enumerate() {
                    if worker.job.get() == Some(place) {
                        self.wake_worker(index);
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
