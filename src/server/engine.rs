//! The engine: one future that polls what woke. It accepts, gives connections to workers, writes streams, and looks at the
//! deadlines; everything else happens in the workers.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use async_io::{Async, Timer};
use smol::stream::Stream as _;

use super::conns::State;
use super::core::{COMMANDS, Core, LISTENER, TICK, WORKERS};
use super::handle::{Command, Commands, PROMPTS_CHANGED, RESOURCES_CHANGED, SHUTDOWN, TOOLS_CHANGED};
use super::notices::Notice;
use super::socket::Socket;
use super::stream_table::StreamRef;
use crate::app::{Announce, Application};
use crate::http;
use crate::hub::Kind;
use crate::limits::{
    ACCEPT_BACKOFF_MS, ACCEPTS_PER_TURN, CLOCK_SET_MIN_UNIX_S, COMMANDS_MAX, LINGER_BYTES_MAX, SHUTDOWN_GRACE_MS,
    TICK_IDLE_MS, TICK_MS,
};

/// Rounds over what woke before others on the executor get their turn.
const ROUNDS_PER_TURN: usize = 8;
/// Milliseconds between two looks while the server shuts down.
const SHUTDOWN_TICK_MS: u64 = 50;

/// Where the time comes from.
pub(super) enum Clock {
    /// The machine's.
    Machine { start: Instant, tick: Timer, every_ms: u64 },
    /// A test's.
    Test,
}

/// A server's tasks.
pub(super) struct Engine<'e, 'm, A, F, G> {
    pub(super) core: &'e Core<'m, A>,
    pub(super) workers: Vec<Pin<Box<F>>>,
    pub(super) runners: Vec<Pin<Box<G>>>,
    pub(super) listener: Option<Async<TcpListener>>,
    pub(super) commands: &'e Commands,
    pub(super) clock: Clock,
    /// No connection is accepted before this.
    pub(super) accept_after_ms: u64,
    /// The tick came in this turn.
    pub(super) ticked: bool,
    /// When the server must be gone.
    pub(super) end_ms: Option<u64>,
}

impl Clock {
    /// The machine's clock, from now on.
    pub(super) fn machine() -> Self {
        Clock::Machine { start: Instant::now(), tick: Timer::never(), every_ms: 0 }
    }
}

impl<A: Application, F: Future<Output = ()>, G: Future<Output = ()>> Engine<'_, '_, A, F, G> {
    /// Does what is due. Ready when the server has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.look_at_clock();
        let core = self.core;
        let ready = core.ready.clone();
        self.ticked = false;
        for _ in 0..ROUNDS_PER_TURN {
            if !ready.drain(|bit| self.wake(bit)) {
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

    fn wake(&mut self, bit: usize) {
        let workers = self.workers.len();
        match bit {
            LISTENER => self.accept(),
            COMMANDS => self.obey(),
            TICK => self.tick(),
            _ if bit < WORKERS + workers => {
                let mut cx = Context::from_waker(self.core.waker(bit));
                if let Some(worker) = self.workers.get_mut(bit - WORKERS) {
                    // Workers never end.
                    let _ = worker.as_mut().poll(&mut cx);
                }
            }
            _ if bit < self.core.conn_bit(0) => self.run_task(bit - WORKERS - workers),
            _ => self.core.look_at(bit - self.core.conn_bit(0)),
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

    fn look_at_clock(&mut self) {
        let Clock::Machine { start, every_ms, .. } = &self.clock else { return };
        if *every_ms == 0 {
            set_wall_clock(self.core);
        }
        let now_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.core.now_ms.set(now_ms);
    }

    // The tick runs only while there is something to look at.
    fn keep_ticking(&mut self) {
        let wanted_ms = if self.core.stopping.get() {
            SHUTDOWN_TICK_MS
        } else if self.core.conns.borrow().open() > 0 || self.accept_after_ms > 0 {
            u64::from(TICK_MS)
        } else if self.core.sessions.borrow().is_empty() && self.core.board.tasks.borrow().is_empty() {
            0
        } else {
            u64::from(TICK_IDLE_MS)
        };
        let Clock::Machine { tick, every_ms, .. } = &mut self.clock else { return };
        // It slows down only on a tick: a client that opens a connection for each request shall not arm it each time.
        let slower = *every_ms > 0 && (wanted_ms == 0 || wanted_ms > *every_ms);
        if wanted_ms == *every_ms || (slower && !self.ticked) {
            return;
        }
        *every_ms = wanted_ms;
        if wanted_ms > 0 {
            tick.set_interval(Duration::from_millis(wanted_ms));
            self.core.ready.set(TICK);
            set_wall_clock(self.core);
        } else {
            *tick = Timer::never();
        }
    }

    fn tick(&mut self) {
        self.ticked = true;
        if let Clock::Machine { tick, .. } = &mut self.clock {
            let mut cx = Context::from_waker(self.core.waker(TICK));
            while Pin::new(&mut *tick).poll_next(&mut cx).is_ready() {}
            set_wall_clock(self.core);
        }
        if self.accept_after_ms > 0 && self.core.now_ms.get() >= self.accept_after_ms {
            self.accept_after_ms = 0;
            self.core.ready.set(LISTENER);
        }
        self.count_lost();
        self.core.keep_house();
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
                // Who asked may have stopped waiting.
                Some(Command::Stats { reply }) => {
                    self.count_lost();
                    let _ = reply.try_send(self.core.stats());
                }
                Some(Command::Connect { io, peer, local }) => self.core.admit(Socket::other(io, local), peer, local),
                Some(Command::Tick(now_ms)) => {
                    self.core.now_ms.set(now_ms);
                    self.core.unix_s.set(CLOCK_SET_MIN_UNIX_S + now_ms / 1000);
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

    fn accept(&mut self) {
        let Some(listener) = &self.listener else { return };
        if self.accept_after_ms > 0 {
            return;
        }
        let mut cx = Context::from_waker(self.core.waker(LISTENER));
        for _ in 0..ACCEPTS_PER_TURN {
            let accepted = listener.get_ref().accept().and_then(|(tcp, peer)| {
                let local = tcp.local_addr().ok();
                tcp.set_nodelay(true)?;
                Ok((Async::new(tcp)?, peer, local))
            });
            match accepted {
                Ok((tcp, peer, local)) => self.core.admit(Socket::Tcp(tcp), Some(peer.ip()), local),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => match listener.poll_readable(&mut cx) {
                    Poll::Pending => return,
                    Poll::Ready(_) => {}
                },
                Err(error) if is_the_peers(&error) => self.core.tally.connections.accept_aborted.add(),
                Err(error) => {
                    self.core.tally.connections.accept_errors.add();
                    let accept = Notice::Accept;
                    self.core.notice(accept, format_args!("no connection can be accepted for now: {error}"));
                    self.accept_after_ms = self.core.now_ms.get() + ACCEPT_BACKOFF_MS;
                    return;
                }
            }
        }
        self.core.ready.set(LISTENER);
    }
}

// The newcomer went before it was served; nothing is wrong here.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, InvalidInput, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | InvalidInput | NotConnected)
}

fn set_wall_clock<A>(core: &Core<'_, A>) {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if unix == core.unix_s.get() {
        return;
    }
    core.unix_s.set(unix);
    let mut date = [0; http::HTTP_DATE_BYTES];
    http::http_date(i64::try_from(unix).unwrap_or(i64::MAX), &mut date);
    // A board without a clock starts in 1970: no date is better than a wrong one (RFC 9110, section 6.6.1).
    core.date.set((unix >= CLOCK_SET_MIN_UNIX_S).then_some(date));
}

impl<A> Core<'_, A> {
    /// Something happened to a connection that no worker has.
    fn look_at(&self, index: usize) {
        let state = self.conns.borrow_mut().at(index).map(|conn| conn.state);
        match state {
            Some(State::New | State::Idle) => self.look_for_bytes(index),
            Some(State::Stream(stream)) => self.look_at_stream(index, stream),
            Some(State::Lingering { read }) => self.drain(index, read),
            Some(State::Free | State::Queued | State::Busy { .. }) | None => {}
        }
    }

    // A stream's client says nothing more; what comes all the same is dropped. Its end is the stream's end.
    fn look_at_stream(&self, index: usize, stream: u32) {
        let Some(stream) = self.streams.borrow().reference(stream as usize) else { return };
        let mut cx = Context::from_waker(self.waker(self.conn_bit(index)));
        let mut sink = [0; 1024];
        for _ in 0..4 {
            let read = {
                let mut conns = self.conns.borrow_mut();
                let Some(socket) = conns.at(index).and_then(|conn| conn.socket()) else { return };
                socket.poll_read(&mut cx, &mut sink)
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
        open.ignored_bytes = open.ignored_bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        open.ignored_bytes <= LINGER_BYTES_MAX
    }

    fn drain(&self, index: usize, read: u32) {
        let mut cx = Context::from_waker(self.waker(self.conn_bit(index)));
        let mut conns = self.conns.borrow_mut();
        let mut sink = [0; 2048];
        let Some(conn) = conns.at(index) else { return };
        let Some(socket) = conn.socket() else { return };
        match socket.poll_read(&mut cx, &mut sink) {
            Poll::Pending => {}
            Poll::Ready(Ok(n)) if n > 0 && read < LINGER_BYTES_MAX => {
                conn.state = State::Lingering { read: read.saturating_add(u32::try_from(n).unwrap_or(u32::MAX)) };
                self.ready.set(self.conn_bit(index));
            }
            Poll::Ready(_) => conns.close(index),
        }
    }
}
