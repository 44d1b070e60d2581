//! Housekeeping, on the tick: every deadline there is.

use super::conns::State;
use super::core::{Core, WorkerSlot};
use super::notices::Notice;
use super::peers::Shown;
use crate::limits::{HEAD_TIMEOUT_MS, LINGER_MS, QUEUE_TIMEOUT_MS, TRANSFER_GRACE_MS};

impl<A> Core<'_, A> {
    /// Looks at every deadline. Its cost is that of the tables' sizes, once a tick.
    pub(super) fn keep_house(&self) {
        self.look_at_queue();
        self.hurry_workers();
        let expired = self.inputs.borrow_mut().expire(self.now_ms.get(), self.input_timeout_ms);
        self.tally.inputs.timed_out.add_many(expired as u64);
        self.close_overdue();
        self.serve_from_reserve();
        self.keep_streams_alive();
        self.forget_sessions();
        self.settle_notices();
        self.keep_name();
    }

    /// Ends all streams, as the server shuts down.
    pub(super) fn end_streams(&self) {
        let slots = self.streams.borrow().len();
        for index in 0..slots {
            let stream = self.streams.borrow().reference(index);
            // One to which a running call will answer ends with that.
            let awaited = |stream| {
                let call = self.streams.borrow().call(stream);
                let answers = |worker: &WorkerSlot| {
                    worker.relay.get() == Some(stream) || (call.is_some() && worker.resumable.get() == call)
                };
                self.workers.iter().any(answers)
            };
            if let Some(stream) = stream.filter(|stream| !awaited(*stream)) {
                self.close_stream(stream, true);
            }
        }
        let slots = self.conns.borrow().len();
        for index in 0..slots {
            let mut conns = self.conns.borrow_mut();
            let Some(conn) = conns.at(index).filter(|conn| conn.state == State::Idle) else { continue };
            let has_asked = conn.has_bytes();
            // Nobody may have told of it yet.
            conn.socket.ask_again();
            drop(conns);
            if has_asked {
                self.look_at(index);
            } else {
                self.close_conn(index);
            }
        }
    }

    /// The same, when all calls have had their time.
    pub(super) fn end_all_streams(&self) {
        for worker in &self.workers {
            worker.relay.set(None);
            worker.resumable.set(None);
        }
        self.end_streams();
    }

    // Those who are slow lose their buffer, sooner while others wait for one. Workers look for themselves at what they wait
    // for; those that run a call look at every tick.
    fn hurry_workers(&self) {
        let now_ms = self.now_ms.get();
        let waiting = self.waiting();
        for (index, worker) in self.workers.iter().enumerate() {
            let is_past = |deadline_ms: u64| deadline_ms != 0 && now_ms >= deadline_ms;
            let overdue = is_past(worker.deadline_ms.get()) || self.patience_ends(worker, waiting);
            if overdue {
                worker.expired.set(true);
            }
            if overdue || worker.running.get() {
                self.wake_worker(index);
            }
        }
    }

    fn close_overdue(&self) {
        let now_ms = self.now_ms.get();
        let slots = self.conns.borrow().len();
        for index in 0..slots {
            let conn = self.conns.borrow_mut().at(index).map(|conn| (conn.state, conn.since.age_ms(now_ms)));
            match conn {
                Some((State::New | State::Waiting, for_ms)) if for_ms >= HEAD_TIMEOUT_MS => {
                    self.tally.deadlines.silent.add();
                    self.close_conn(index);
                }
                Some((State::Waiting, _)) => self.look_again_at_waiting(index),
                Some((State::Idle, for_ms)) if for_ms >= self.idle_timeout_ms => {
                    self.tally.deadlines.idle.add();
                    self.close_conn(index);
                }
                Some((State::Lingering { .. }, for_ms)) if for_ms >= LINGER_MS => self.close_conn(index),
                Some((State::Queued(_), for_ms)) if for_ms >= QUEUE_TIMEOUT_MS => self.turn_away_unserved(index),
                _ => {}
            }
        }
    }

    // Each round lets one go, so there are at most as many as there are slots.
    fn forget_sessions(&self) {
        loop {
            let gone = self.sessions.borrow_mut().expire(self.now_ms.get());
            let Some(gone) = gone else { return };
            if gone.announced {
                self.went(gone.client.0);
            }
        }
    }

    fn keep_streams_alive(&self) {
        let now_ms = self.now_ms.get();
        let slots = self.streams.borrow().len();
        for index in 0..slots {
            let Some(stream) = self.streams.borrow().reference(index) else { continue };
            let (due, stalled) = {
                let mut streams = self.streams.borrow_mut();
                let Some(open) = streams.get(stream) else { continue };
                let stalled = open.stalled_for_ms(now_ms).is_some_and(|for_ms| for_ms > TRANSFER_GRACE_MS);
                (open.keep_alive(now_ms), stalled)
            };
            if stalled {
                self.tally.deadlines.stream.add();
                let peer = self.peer_of_stream(stream);
                self.notice(
                    Notice::Stalled,
                    format_args!("a stream of {} is closed: its client has read nothing for long", Shown(peer)),
                );
                self.close_stream(stream, false);
            } else if due {
                self.write_stream(stream);
            }
        }
    }
}
