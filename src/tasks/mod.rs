//! The table of tasks (extension `io.modelcontextprotocol/tasks`, 2026-07-28): calls that outlive their request, each in a slot of its own
//! with its id, its times and a buffer. Pure: time and random bytes are given.
//!
//! ```text
//!                                          ┌→ completed ─┐
//!   free ──create──→ working ──end─────────┼→ failed ────┼── its life is over ──→ free
//!     the request      │  ↑ begin:         │             │   (a fresh task may take the place of the oldest one)
//!     lies in the      │    the buffer is  │             │
//!     buffer           │    the result's   │             │
//!                      └───cancel──────────┴→ cancelled ─┘
//! ```
//! A slot has one buffer: it holds the request until its runner takes that ([`Tasks::begin`]), and from then on what the tool writes. A
//! cancelled task's slot is free only when its runner has let go of it ([`Tasks::end`]).

mod board;
mod id;
mod inbox;
#[cfg(test)]
mod tests;

pub(crate) use board::{Board, Memory, Stamp};
pub(crate) use id::TaskId;
pub(crate) use inbox::{Inbox, Requests};

use core::task::Poll;

use crate::limits::{TASK_BYTES_MAX, TASK_NOTE_BYTES_MAX, TASK_TOLD_MS, TASKS_MAX};
use crate::rpc::{ANSWERED_NULL, Envelope};
use crate::session::{ClientText, Principal};

/// A slot for a task.
pub(crate) struct Slot {
    state: State,
    /// A runner has it, or is to take it.
    busy: bool,
    job: Option<Job>,
    id: TaskId,
    principal: Principal,
    created_ms: u64,
    created_unix_s: u64,
    changed_unix_s: u64,
    /// When it must have ended.
    limit_ms: u64,
    /// When it is forgotten.
    expires_ms: u64,
    /// A client has read how it ended.
    told: bool,
    /// Changes with everything that a client can see of the task, and with the task.
    stamp: u32,
    /// Bytes in the buffer.
    bytes: usize,
    /// The tool wrote more than that.
    overflow: bool,
    /// What the tool says of how far it is.
    note: heapless::String<TASK_NOTE_BYTES_MAX>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Working,
    Completed,
    /// The request was answered with a JSON-RPC error.
    Refused,
    /// The server had to end it.
    Failed(&'static str),
    Cancelled,
}

impl Slot {
    /// A free slot.
    pub(crate) const EMPTY: Self = Self {
        state: State::Free,
        busy: false,
        job: None,
        id: TaskId::NONE,
        principal: Principal::ANYONE,
        created_ms: 0,
        created_unix_s: 0,
        changed_unix_s: 0,
        limit_ms: 0,
        expires_ms: 0,
        told: false,
        stamp: 0,
        bytes: 0,
        overflow: false,
        note: heapless::String::new(),
    };

    fn has_ended(&self) -> bool {
        !matches!(self.state, State::Free | State::Working)
    }

    fn change(&mut self, now: Now) {
        self.changed_unix_s = now.unix_s;
        self.stamp = self.stamp.wrapping_add(1);
    }
}

/// What a runner is to do.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Where in the request things are.
    pub(crate) envelope: Envelope,
    /// The tool, by its place in the list.
    pub(crate) tool: usize,
    /// What the client calls itself.
    pub(crate) client: ClientText,
}

/// What time it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now {
    /// Milliseconds of the server's monotonic clock.
    pub(crate) ms: u64,
    /// Seconds of the wall clock.
    pub(crate) unix_s: u64,
}

/// How long tasks run, and how long they are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lives {
    /// Milliseconds that a task may run; `u64::MAX` for ever.
    pub(crate) run_ms: u64,
    /// Milliseconds that it is kept after its end.
    pub(crate) kept_ms: u64,
}

/// How a task's handler ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It has written a JSON-RPC response, with the id `null`.
    Answered,
    /// It was dropped, or had nothing to say: why, for the client.
    Failed(&'static str),
}

/// A task, as a client may see it.
#[derive(Clone, Copy)]
pub(crate) struct View<'t> {
    /// Its id.
    pub(crate) id: &'t str,
    /// How far it is.
    pub(crate) status: Status<'t>,
    /// When it was created, in seconds of the wall clock.
    pub(crate) created_unix_s: u64,
    /// When it last changed, in seconds of the wall clock.
    pub(crate) changed_unix_s: u64,
    /// Milliseconds from its creation until it may be forgotten; `None`: nobody knows yet.
    pub(crate) ttl_ms: Option<u64>,
    /// What the tool says of how far it is; empty where it says nothing.
    pub(crate) note: &'t str,
}

/// How far a task is.
#[derive(Clone, Copy)]
pub(crate) enum Status<'t> {
    /// It runs.
    Working,
    /// It waits for these answers.
    InputRequired(Requests<'t>),
    /// It has a result: this JSON.
    Completed(&'t [u8]),
    /// Its request was answered with an error: this JSON object.
    Refused(&'t [u8]),
    /// The server had to end it: why.
    Failed(&'static str),
    /// Its client had it ended.
    Cancelled,
}

/// Why there is no task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTask {
    /// All slots have tasks that run, or whose life is not over.
    Full,
    /// The request has more than [`TASK_BYTES_MAX`] bytes.
    Large,
}

/// All tasks, over lent memory.
pub(crate) struct Tasks<'m> {
    slots: &'m mut [Slot],
    /// [`TASK_BYTES_MAX`] for each slot.
    buffers: &'m mut [u8],
    lives: Lives,
}

impl<'m> Tasks<'m> {
    /// No tasks, in these slots: at most [`TASKS_MAX`] of them, and as many as there are buffers for.
    pub(crate) fn new(slots: &'m mut [Slot], buffers: &'m mut [u8], lives: Lives) -> Self {
        slots.fill_with(|| Slot::EMPTY);
        let most = (buffers.len() / TASK_BYTES_MAX).min(TASKS_MAX).min(slots.len());
        let slots = slots.get_mut(..most).unwrap_or_default();
        Self { slots, buffers, lives }
    }

    /// How many there can be.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// A request of so many bytes would get a slot.
    ///
    /// # Errors
    /// Why it would not.
    pub(crate) fn room(&self, bytes: usize, now: Now) -> Result<usize, NoTask> {
        if bytes > TASK_BYTES_MAX {
            return Err(NoTask::Large);
        }
        let free = self.slots.iter().position(|slot| slot.state == State::Free && !slot.busy);
        let is_over = |slot: &Slot| slot.has_ended() && !slot.busy && now.ms >= slot.expires_ms;
        let over = self.slots.iter().enumerate().filter(|(_, slot)| is_over(slot));
        free.or_else(|| over.min_by_key(|(_, slot)| slot.expires_ms).map(|(at, _)| at)).ok_or(NoTask::Full)
    }

    /// Creates a task for a request. Gives its place, which is its runner's too.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn create(
        &mut self,
        id: TaskId,
        principal: Principal,
        job: Job,
        request: &[u8],
        now: Now,
    ) -> Result<usize, NoTask> {
        let place = self.room(request.len(), now)?;
        let lives = self.lives;
        let (Some(slot), buffer) = self.both(place) else { return Err(NoTask::Full) };
        let Some(start) = buffer.get_mut(..request.len()) else { return Err(NoTask::Large) };
        start.copy_from_slice(request);
        let limit_ms = now.ms.saturating_add(lives.run_ms);
        *slot = Slot {
            state: State::Working,
            busy: true,
            job: Some(job),
            id,
            principal,
            created_ms: now.ms,
            created_unix_s: now.unix_s,
            limit_ms,
            expires_ms: limit_ms.saturating_add(lives.kept_ms),
            bytes: request.len(),
            stamp: slot.stamp,
            ..Slot::EMPTY
        };
        slot.change(now);
        Ok(place)
    }

    /// The runner takes its task: copies the request to the beginning of `request`, and tells how long it is.
    pub(crate) fn begin(&mut self, place: usize, request: &mut [u8]) -> Poll<(Job, usize)> {
        let (Some(slot), buffer) = self.both(place) else { return Poll::Pending };
        let Some(job) = slot.job.take() else { return Poll::Pending };
        let bytes = slot.bytes.min(request.len());
        if let (Some(to), Some(from)) = (request.get_mut(..bytes), buffer.get(..bytes)) {
            to.copy_from_slice(from);
        }
        slot.bytes = 0;
        Poll::Ready((job, bytes))
    }

    /// The task runs, and nobody wants it to end.
    pub(crate) fn is_wanted(&self, place: usize) -> bool {
        self.slots.get(place).is_some_and(|slot| slot.state == State::Working)
    }

    /// The task has run for longer than it may.
    pub(crate) fn is_late(&self, place: usize, now: Now) -> bool {
        self.slots.get(place).is_some_and(|slot| now.ms >= slot.limit_ms && slot.limit_ms != u64::MAX)
    }

    /// The tool wrote more than [`TASK_BYTES_MAX`].
    pub(crate) fn is_too_large(&self, place: usize) -> bool {
        self.slots.get(place).is_some_and(|slot| slot.overflow)
    }

    /// Lends the free part of the buffer to `fill`, which tells how much it wrote, and whether that was all. False when it was not: the task
    /// is too large from then on.
    pub(crate) fn fill(&mut self, place: usize, fill: impl FnOnce(&mut [u8]) -> (usize, bool)) -> bool {
        let (Some(slot), buffer) = self.both(place) else { return false };
        if slot.overflow {
            return false;
        }
        let (written, complete) = fill(buffer.get_mut(slot.bytes..).unwrap_or_default());
        slot.bytes = buffer.len().min(slot.bytes.saturating_add(written));
        slot.overflow = !complete;
        complete
    }

    /// How much was written.
    pub(crate) fn written(&self, place: usize) -> usize {
        self.slots.get(place).map_or(0, |slot| slot.bytes)
    }

    /// Forgets what was written behind this.
    pub(crate) fn rewind(&mut self, place: usize, bytes: usize) {
        if let Some(slot) = self.slots.get_mut(place) {
            slot.bytes = slot.bytes.min(bytes);
        }
    }

    /// The tool says how far it is: as much of it as is kept.
    pub(crate) fn note(&mut self, place: usize, note: &str, now: Now) {
        let Some(slot) = self.slots.get_mut(place).filter(|slot| slot.state == State::Working) else { return };
        slot.note.clear();
        let fits = note.chars().try_for_each(|char| slot.note.push(char));
        // What does not fit is cut.
        let _ = fits;
        slot.change(now);
    }

    /// The runner has let go of its task. True when that is news: a cancelled one was ended before.
    pub(crate) fn end(&mut self, place: usize, end: End, now: Now) -> bool {
        let kept_ms = self.lives.kept_ms;
        let (Some(slot), buffer) = self.both(place) else { return false };
        slot.busy = false;
        slot.job = None;
        if slot.state != State::Working {
            return false;
        }
        let written = buffer.get(..slot.bytes).unwrap_or_default();
        slot.state = match end {
            End::Failed(why) => State::Failed(why),
            End::Answered if payload(written, RESULT).is_some() => State::Completed,
            End::Answered if payload(written, ERROR).is_some() => State::Refused,
            End::Answered => State::Failed("the tool gave no answer"),
        };
        slot.expires_ms = now.ms.saturating_add(kept_ms);
        slot.change(now);
        true
    }

    /// A client does not want a task any more. True when it ran: its runner is to be woken.
    pub(crate) fn cancel(&mut self, place: usize, now: Now) -> bool {
        let kept_ms = self.lives.kept_ms;
        let running = self.slots.get_mut(place).filter(|slot| slot.state == State::Working);
        let Some(slot) = running else { return false };
        slot.state = State::Cancelled;
        slot.note.clear();
        // Who cancels need not ask again.
        slot.told = true;
        slot.expires_ms = now.ms.saturating_add(kept_ms.min(TASK_TOLD_MS));
        slot.change(now);
        true
    }

    /// The server ends: no task goes on. Gives those that ran, one bit each.
    pub(crate) fn end_all(&mut self, why: &'static str, now: Now) -> u64 {
        let mut ended = 0;
        for (at, slot) in self.slots.iter_mut().enumerate().filter(|(_, slot)| slot.state == State::Working) {
            slot.state = State::Failed(why);
            slot.change(now);
            ended |= bit(at);
        }
        ended
    }

    /// The task of this id, for whoever created it.
    pub(crate) fn find(&self, id: &[u8], principal: Principal, now: Now) -> Option<usize> {
        let id = TaskId::parse(id)?;
        self.slots.iter().position(|slot| {
            slot.state != State::Free && now.ms < slot.expires_ms && slot.principal == principal && slot.id.is(&id)
        })
    }

    /// A client is about to read how far a task is. Once it has read how the task ended, that need not be kept for long.
    pub(crate) fn tell(&mut self, place: usize, now: Now) {
        let Some(slot) = self.slots.get_mut(place).filter(|slot| slot.has_ended() && !slot.told) else { return };
        slot.told = true;
        slot.expires_ms = slot.expires_ms.min(now.ms.saturating_add(TASK_TOLD_MS));
        slot.stamp = slot.stamp.wrapping_add(1);
    }

    /// Forgets the tasks whose life is over.
    pub(crate) fn expire(&mut self, now: Now) {
        let is_over = |slot: &&mut Slot| slot.has_ended() && !slot.busy && now.ms >= slot.expires_ms;
        for slot in self.slots.iter_mut().filter(is_over) {
            *slot = Slot { stamp: slot.stamp.wrapping_add(1), ..Slot::EMPTY };
        }
    }

    /// Every slot is free.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| slot.state == State::Free && !slot.busy)
    }

    /// Tells one state of one task from all others (until four billion changes later).
    fn stamp(&self, place: usize) -> u32 {
        self.slots.get(place).map_or(0, |slot| slot.stamp)
    }

    /// What a client may see of a task, but for what it asks.
    fn view(&self, place: usize) -> Option<View<'_>> {
        let slot = self.slots.get(place)?;
        let buffer = self.buffers.get(place * TASK_BYTES_MAX..)?;
        let written = buffer.get(..slot.bytes).unwrap_or_default();
        let status = match slot.state {
            State::Free => return None,
            State::Working => Status::Working,
            State::Completed => Status::Completed(payload(written, RESULT).unwrap_or(b"{}")),
            State::Refused => Status::Refused(payload(written, ERROR).unwrap_or(b"{}")),
            State::Failed(why) => Status::Failed(why),
            State::Cancelled => Status::Cancelled,
        };
        let ttl_ms = (slot.expires_ms != u64::MAX).then(|| slot.expires_ms.saturating_sub(slot.created_ms));
        Some(View {
            id: slot.id.as_str(),
            status,
            created_unix_s: slot.created_unix_s,
            changed_unix_s: slot.changed_unix_s,
            ttl_ms,
            note: &slot.note,
        })
    }

    // A slot and its buffer.
    fn both(&mut self, place: usize) -> (Option<&mut Slot>, &mut [u8]) {
        let buffer = self.buffers.chunks_exact_mut(TASK_BYTES_MAX).nth(place);
        (self.slots.get_mut(place), buffer.unwrap_or_default())
    }
}

/// The set with this task alone.
pub(crate) fn bit(place: usize) -> u64 {
    u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place)).unwrap_or(0)
}

const _: () = assert!(TASKS_MAX <= u64::BITS as usize, "one bit for each task");

const RESULT: &[u8] = br#""result":"#;
const ERROR: &[u8] = br#""error":"#;

// The member of a response that says how the request went.
fn payload<'t>(response: &'t [u8], member: &[u8]) -> Option<&'t [u8]> {
    response.strip_prefix(ANSWERED_NULL.as_bytes())?.strip_prefix(member)?.strip_suffix(b"}")
}
