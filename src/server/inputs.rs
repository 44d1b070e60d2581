//! The table of questions to the clients of older revisions, which a running call has put and whose answers come in messages of their own.
//!
//! ```text
//!            open                 reply                     read, forget
//! Free ───────────────→ Asked ───────────────→ Answered ───────────────→ Free
//!                         └── refused, too large, timed out, gone ──→ Failed ──↗
//! ```
//! A place has a generation, which is a part of the request's id: an answer that comes late, or twice, or to the question of another session, is
//! none. (The first generations are random, so that answers to questions from before a restart are none either.)

use std::hash::{BuildHasher, RandomState};
use std::task::{Context, Poll, Waker};

use super::core::Core;
use crate::app::{Ask, InputError, Question, Ticket, Way};
use crate::json::{Value, Writer};
use crate::limits::INPUT_BYTES_MAX;
use crate::session::{Session, SessionRef};

/// A place for one question. The array of them may lie in a `static`.
pub(super) struct Input {
    generation: u32,
    state: State,
    session: Option<SessionRef>,
    /// The worker whose call asks.
    worker: usize,
    asked_ms: u64,
    /// The number of its event on the call's stream, where that can be resumed.
    event: u32,
    /// It is to be sent again.
    missed: bool,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Asked,
    /// The answer has as many bytes.
    Answered(usize),
    Failed(InputError),
}

impl Input {
    /// A place without a question.
    pub(super) const EMPTY: Self = Self {
        generation: 0,
        state: State::Free,
        session: None,
        worker: 0,
        asked_ms: 0,
        event: 0,
        missed: false,
        waker: None,
    };

    fn end(&mut self, state: State) {
        self.state = state;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The table.
pub(super) struct Inputs<'m> {
    slots: &'m mut [Input],
    /// The answers, [`INPUT_BYTES_MAX`] for each place.
    bytes: &'m mut [u8],
    /// Calls that may wait at once.
    calls_max: usize,
}

impl<'m> Inputs<'m> {
    /// An empty table. `calls`: the buffers that calls have; one of them is left for others, if there are several.
    pub(super) fn new(slots: &'m mut [Input], bytes: &'m mut [u8], calls: usize) -> Self {
        let hasher = RandomState::new();
        for (at, slot) in slots.iter_mut().enumerate() {
            let [a, b, c, d, ..] = hasher.hash_one(at).to_be_bytes();
            *slot = Input { generation: u32::from_be_bytes([a, b, c, d]), ..Input::EMPTY };
        }
        Self { slots, bytes, calls_max: calls.saturating_sub(1).max(1) }
    }

    /// A place for a question of this session, by the call that this worker runs.
    ///
    /// # Errors
    /// [`InputError::Full`].
    pub(super) fn open(&mut self, session: SessionRef, worker: usize, now_ms: u64) -> Result<Ticket, InputError> {
        let taken = |slot: &Input| slot.state != State::Free;
        let is_first = |at: usize, slot: &Input| {
            let before = self.slots.get(..at).unwrap_or_default();
            !before.iter().any(|other| taken(other) && other.worker == slot.worker)
        };
        let others = self
            .slots
            .iter()
            .enumerate()
            .filter(|(at, slot)| taken(slot) && slot.worker != worker && is_first(*at, slot));
        if others.count() >= self.calls_max {
            return Err(InputError::Full);
        }
        let free = self.slots.iter_mut().enumerate().find(|(_, slot)| !taken(slot)).ok_or(InputError::Full);
        let (at, slot) = free?;
        *slot = Input {
            generation: slot.generation.wrapping_add(1),
            state: State::Asked,
            session: Some(session),
            worker,
            asked_ms: now_ms,
            ..Input::EMPTY
        };
        Ok(Ticket(u32::try_from(at).unwrap_or(u32::MAX), slot.generation))
    }

    fn slot(&mut self, ticket: Ticket) -> Option<&mut Input> {
        let slot = self.slots.get_mut(ticket.0 as usize)?;
        (slot.generation == ticket.1 && slot.state != State::Free).then_some(slot)
    }

    /// It went out as this event.
    pub(super) fn sent(&mut self, ticket: Ticket, event: u32) {
        if let Some(slot) = self.slot(ticket) {
            slot.event = event;
        }
    }

    /// The client of this worker's call came back; whatever it asks, and went out as an event that is `missed`, is to be sent again.
    pub(super) fn resume(&mut self, worker: usize, missed: impl Fn(u32) -> bool) {
        let asked = self.slots.iter_mut().filter(|slot| slot.state == State::Asked && slot.worker == worker);
        for slot in asked.filter(|slot| slot.event > 0 && missed(slot.event)) {
            slot.missed = true;
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }

    /// Whether a question is to be sent again now.
    pub(super) fn poll_missed(&mut self, cx: &Context<'_>, ticket: Ticket) -> bool {
        let Some(slot) = self.slot(ticket).filter(|slot| slot.state == State::Asked) else { return false };
        slot.waker = Some(cx.waker().clone());
        std::mem::take(&mut slot.missed)
    }

    /// Waits for the answer.
    pub(super) fn poll(&mut self, cx: &Context<'_>, ticket: Ticket) -> Poll<Result<(), InputError>> {
        let Some(slot) = self.slot(ticket) else { return Poll::Ready(Err(InputError::Gone)) };
        match slot.state {
            State::Asked => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            State::Answered(_) => Poll::Ready(Ok(())),
            State::Failed(error) => Poll::Ready(Err(error)),
            State::Free => Poll::Ready(Err(InputError::Gone)),
        }
    }

    /// An answer came (`None`: a refusal). False when nobody waits for it.
    pub(super) fn reply(&mut self, session: SessionRef, ticket: Ticket, answer: Option<&[u8]>) -> bool {
        let place = self.bytes.chunks_exact_mut(INPUT_BYTES_MAX).nth(ticket.0 as usize).unwrap_or_default();
        let Some(slot) = self.slots.get_mut(ticket.0 as usize) else { return false };
        if slot.generation != ticket.1 || slot.state != State::Asked || slot.session != Some(session) {
            return false;
        }
        slot.end(match answer.map(|answer| (answer, place.get_mut(..answer.len()))) {
            None => State::Failed(InputError::Refused),
            Some((_, None)) => State::Failed(InputError::TooLarge),
            Some((answer, Some(place))) => {
                place.copy_from_slice(answer);
                State::Answered(answer.len())
            }
        });
        true
    }

    /// The answer, if it came.
    pub(super) fn answer(&self, ticket: Ticket) -> Option<&[u8]> {
        let slot = self.slots.get(ticket.0 as usize).filter(|slot| slot.generation == ticket.1)?;
        let State::Answered(length) = slot.state else { return None };
        self.bytes.chunks_exact(INPUT_BYTES_MAX).nth(ticket.0 as usize)?.get(..length)
    }

    /// The place is free.
    pub(super) fn forget(&mut self, ticket: Ticket) {
        if let Some(slot) = self.slot(ticket) {
            slot.state = State::Free;
            slot.waker = None;
        }
    }

    /// A call waits for an answer.
    pub(super) fn waits(&self, worker: usize) -> bool {
        self.slots.iter().any(|slot| slot.state == State::Asked && slot.worker == worker)
    }

    /// What was asked more than `timeout_ms` ago is not waited for any longer. How many questions these are.
    pub(super) fn expire(&mut self, now_ms: u64, timeout_ms: u64) -> usize {
        let asked = self.slots.iter_mut().filter(|slot| slot.state == State::Asked);
        let late = asked.filter(|slot| now_ms.saturating_sub(slot.asked_ms) >= timeout_ms);
        late.map(|slot| slot.end(State::Failed(InputError::TimedOut))).count()
    }

    /// Places that are taken.
    pub(super) fn open_now(&self) -> usize {
        self.slots.iter().filter(|slot| slot.state != State::Free).count()
    }

    /// All places.
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Nobody will answer: of this session, or (`None`) of any.
    pub(super) fn end(&mut self, session: Option<SessionRef>) {
        let asked = self.slots.iter_mut().filter(|slot| slot.state == State::Asked);
        asked
            .filter(|slot| session.is_none() || slot.session == session)
            .for_each(|slot| slot.end(State::Failed(InputError::Gone)));
    }
}

/// The questions of one call.
pub(super) struct Asking<'c, 'm, A> {
    pub(super) core: &'c Core<'m, A>,
    pub(super) worker: usize,
    pub(super) session: SessionRef,
}

impl<A> Ask for Asking<'_, '_, A> {
    fn way(&self) -> Way {
        Way::Send
    }

    fn capabilities(&self) -> u16 {
        self.core.sessions.borrow().get(self.session).map_or(0, Session::capabilities)
    }

    fn open(&self, _: &Question<'_>) -> Result<Ticket, InputError> {
        if self.core.stopping.get() || self.core.sessions.borrow().get(self.session).is_none() {
            return Err(InputError::Gone);
        }
        let opened = self.core.inputs.borrow_mut().open(self.session, self.worker, self.core.now_ms.get());
        let tally = &self.core.tally.inputs;
        match opened {
            Ok(_) => {
                tally.asked.add();
                tally.most.reach(self.core.inputs.borrow().open_now());
            }
            Err(_) => tally.refused.add(),
        }
        opened
    }

    fn write_id(&self, ticket: Ticket, w: &mut Writer<'_>) {
        w.str("\"smol-").uint(u64::from(ticket.0)).str("-").uint(u64::from(ticket.1)).str("\"");
    }

    fn sent(&self, ticket: Ticket, event: u32) {
        self.core.inputs.borrow_mut().sent(ticket, event);
    }

    fn poll_missed(&self, cx: &mut Context<'_>, ticket: Ticket) -> bool {
        self.core.inputs.borrow_mut().poll_missed(cx, ticket)
    }

    fn poll_answer(&self, cx: &mut Context<'_>, ticket: Ticket) -> Poll<Result<(), InputError>> {
        self.core.inputs.borrow_mut().poll(cx, ticket)
    }

    fn read(&self, ticket: Ticket, look: &mut dyn FnMut(&[u8])) {
        if let Some(answer) = self.core.inputs.borrow().answer(ticket) {
            look(answer);
        }
    }

    fn forget(&self, ticket: Ticket) {
        self.core.inputs.borrow_mut().forget(ticket);
    }
}

impl<A> Core<'_, A> {
    /// A client of an older revision answered a question (`None`: it refuses). Answers to nothing are dropped.
    pub(super) fn reply(&self, session: SessionRef, id: &[u8], result: Option<&[u8]>) {
        let taken = ticket(id).is_some_and(|ticket| self.inputs.borrow_mut().reply(session, ticket, result));
        if taken {
            self.tally.inputs.answered.add();
        } else {
            log::debug!("an answer to no question of this server was dropped");
        }
    }
}

/// The place that a request's id names.
pub(super) fn ticket(id: &[u8]) -> Option<Ticket> {
    let mut text = heapless::String::<32>::new();
    Value::new(id).as_text()?.chars().try_for_each(|char| text.push(char)).ok()?;
    let (place, generation) = text.strip_prefix("smol-")?.split_once('-')?;
    Some(Ticket(place.parse().ok()?, generation.parse().ok()?))
}
