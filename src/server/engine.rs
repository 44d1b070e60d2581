//! The engine: one future that polls what woke. It accepts, gives connections to workers, writes streams, and looks at the
//! deadlines; everything else happens in the workers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::accept::Door;
use super::clock::{Clock, look_at_calendar, set_calendar};
use super::core::{COMMANDS, Core, SOCKETS, TICK, WORKERS};
use super::handle::{Command, Commands, PROMPTS_CHANGED, RELOAD, RESOURCES_CHANGED, SHUTDOWN, TOOLS_CHANGED};
use super::notices::Notice;
use super::socket::Socket;
use super::sockets::{Place, Sockets};
use crate::app::{Announce, Application, caught};
use crate::hub::Kind;
use crate::limits::{CLOCK_SET_MIN_UNIX_S, COMMANDS_MAX, SHUTDOWN_GRACE_MS, TICK_IDLE_MS, TICK_MS, TICK_PRESSED_MS};

/// Rounds over what woke before others on the executor get their turn.
const ROUNDS_PER_TURN: usize = 8;
/// Looks in vain after which it sleeps at once when all is done.
const LOOKS_IN_VAIN_MAX: u8 = 8;
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
    /// Who is woken for it.
    pub(super) waker: Waker,
    /// The tick came in this turn.
    pub(super) ticked: bool,
    /// How often it still looks whether more has happened, though nothing had.
    pub(super) looks: u8,
    /// What happens to sockets can't be waited for: the tick looks.
    pub(super) is_deaf: bool,
    /// When the server must be gone.
    pub(super) end_ms: Option<u64>,
    /// How many of those who wait to be accepted are let in though the server ends.
    pub(super) last: usize,
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
        let core = self.core;
        let ready = &core.ready;
        ready.runs();
        self.look_at_clock();
        self.ticked = false;
        self.look_around(cx.waker());
        for round in 1..=ROUNDS_PER_TURN {
            ready.drain(|bit| self.wake(bit));
            // No bit is set for what most wake-ups are for.
            if core.sockets.as_ref().is_some_and(Sockets::is_told) {
                self.hear();
            }
            // Who woke goes first: what ends now leaves room for those who come.
            if self.door.is_knocked() && (!ready.is_any() || round == ROUNDS_PER_TURN) {
                self.let_in(true);
            }
            let lent = core.assigned.take().inspect(|worker| core.wake_worker(*worker)).is_some();
            if !ready.is_any() && !lent && (round == ROUNDS_PER_TURN || !self.hear_more()) {
                break;
            }
        }
        self.keep_ticking();
        if self.has_ended() {
            return Poll::Ready(());
        }
        ready.sleep();
        Poll::Pending
    }

    // Something happened to sockets: who has to do with them is woken.
    fn hear(&mut self) {
        let core = self.core;
        let Some(sockets) = &core.sockets else { return };
        let mut cx = Context::from_waker(core.waker(SOCKETS));
        // Taken note of first, as what happens from then on is told again.
        let told = sockets.poll(&mut cx, &self.waker);
        if self.look(sockets) > 1 {
            self.looks = LOOKS_IN_VAIN_MAX;
        }
        let told = if told.is_ready() { sockets.poll(&mut cx, &self.waker) } else { told };
        self.is_deaf = matches!(told, Poll::Ready(Err(_)));
        match told {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => core.ready.set(SOCKETS),
            Poll::Ready(Err(error)) => core.notice(
                Notice::Deaf,
                format_args!("what clients send is looked at now and then, as it can't be waited for: {error}"),
            ),
        }
    }

    // Where several things happened at once, others do while those are seen to: to look is one call of the system, and to sleep is a turn of the
    // executor, and seven calls where async-io does. False where nothing did.
    fn hear_more(&mut self) -> bool {
        let Some(sockets) = self.core.sockets.as_ref().filter(|_| self.looks > 0) else { return false };
        let happened = self.look(sockets) > 0;
        self.looks = if happened { LOOKS_IN_VAIN_MAX } else { self.looks - 1 };
        happened
    }

    // Sees to what happened to sockets: to how many.
    fn look(&mut self, sockets: &Sockets) -> usize {
        let core = self.core;
        let mut count = 0;
        let more = sockets.look(|place, news| {
            count += 1;
            // A handler that ran meanwhile may have asked for something: what comes now is not to overtake that.
            if core.ready.take(COMMANDS) {
                self.obey();
            }
            match place {
                Place::Listener => {
                    self.door.knock();
                    // The first of them in its turn, unless somebody might have to leave for it: who leaves anyway may come behind.
                    if core.lets_anyone_in() && self.door.is_knocked() {
                        self.let_in(false);
                    }
                }
                Place::Conn(conn) => {
                    if let Some(index) = core.hear(conn, news, |worker| work(core, &mut self.workers, worker)) {
                        self.look_at(index);
                    }
                }
            }
        });
        match more {
            Ok(false) => {}
            Ok(true) => core.ready.set(SOCKETS),
            Err(error) => self.door.pause(core, &error),
        }
        count
    }

    // The one who has waited longest is accepted. False where nobody was.
    fn let_in(&mut self, makes_room: bool) -> bool {
        let (core, workers) = (self.core, &mut self.workers);
        self.door.accept(core, makes_room, |worker| work(core, workers, worker))
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
    fn look_around(&mut self, waker: &Waker) {
        let is_another = !self.waker.will_wake(waker);
        if is_another {
            self.waker.clone_from(waker);
            self.core.ready.wakes(waker);
        }
        let sockets = self.core.sockets.as_ref();
        if is_another || sockets.is_some_and(Sockets::has_moved) {
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
        } else if self.core.conns.borrow().open() > 0 || self.door.pauses() || self.is_deaf {
            u64::from(TICK_MS)
        } else if self.core.sessions.borrow().is_empty() && self.core.board.tasks.borrow().is_empty() {
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
        // Should it not be told of what happens, it is heard late, and not never.
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
                    let serve = |worker| self.core.wake_worker(worker);
                    let _ = self.core.admit(Socket::other(io, peer, local), peer, local, serve);
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

    fn has_ended(&mut self) -> bool {
        let Some(end_ms) = self.end_ms else { return false };
        let is_late = self.core.now_ms.get() >= end_ms;
        is_late || !self.is_at_work() && !self.has_more()
    }

    fn is_at_work(&self) -> bool {
        self.core.workers.iter().any(|worker| worker.job.get().is_some())
    }

    // Who asked or connected before the end is told of it, by an answer or by a whole end: the kernel breaks what was not read, or accepted. False
    // when there is nobody.
    fn has_more(&mut self) -> bool {
        let core = self.core;
        if let Some(sockets) = &core.sockets {
            self.look(sockets);
        }
        while self.last > 0 && !self.is_at_work() {
            self.last -= 1;
            if !self.let_in(true) {
                self.last = 0;
            }
        }
        self.is_at_work() || core.ready.is_any()
    }
}

// A worker goes on.
fn work<A, F: Future<Output = ()>>(core: &Core<'_, A>, workers: &mut [Pin<Box<F>>], index: usize) {
    let Some(worker) = workers.get_mut(index) else { return };
    // Workers never end.
    let _ = worker.as_mut().poll(&mut Context::from_waker(core.waker(WORKERS + index)));
}

#[cfg(test)]
#[path = "tests_engine.rs"]
pub(super) mod tests;
