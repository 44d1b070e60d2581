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
mod slot;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_inbox;

pub(crate) use board::{Board, Memory, Stamp};
pub(crate) use id::TaskId;
pub(crate) use inbox::Inbox;
pub(crate) use slot::{End, Job, Lives, NoTask, Now, Slot, Status, View};

use core::task::Poll;

use self::slot::State;
use crate::json::Writer;
use crate::limits::{TASK_BYTES_MAX, TASK_TOLD_MS, TASKS_MAX};
use crate::rpc::ANSWERED_NULL;
use crate::session::PrincipalId;

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

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.iter().filter(|slot| slot.state != State::Free || slot.busy).count()
    }

    /// Creates a task for a request, whose text comes in pieces. Gives its place, which is its runner's too.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn create(&mut self, id: TaskId, job: Job, request: &[&[u8]], now: Now) -> Result<usize, NoTask> {
        let place = self.room(request.iter().map(|piece| piece.len()).sum(), now)?;
        let lives = self.lives;
        let (Some(slot), buffer) = self.both(place) else { return Err(NoTask::Full) };
        let (principal, tool) = (job.principal.id(), job.tool);
        let mut w = Writer::new(buffer);
        for piece in request {
            w.raw(piece);
        }
        let bytes = w.written();
        let limit_ms = now.ms.saturating_add(lives.run_ms);
        *slot = Slot {
            state: State::Working,
            busy: true,
            job: Some(job),
            id,
            principal,
            tool,
            created_ms: now.ms,
            created_unix_s: now.unix_s,
            limit_ms,
            expires_ms: limit_ms.saturating_add(lives.kept_ms),
            bytes,
            stamp: slot.stamp,
            news: slot.news,
            ..Slot::EMPTY
        };
        slot.change(now);
        Ok(place)
    }

    /// The tool of a task, by its place in the list.
    pub(crate) fn tool(&self, place: usize) -> Option<usize> {
        self.slots.get(place).filter(|slot| slot.state != State::Free).map(|slot| slot.tool)
    }

    /// On whose behalf a task runs.
    pub(crate) fn runs_for(&self, place: usize) -> Option<PrincipalId> {
        self.slots.get(place).filter(|slot| slot.state == State::Working).map(|slot| slot.principal)
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
    pub(crate) fn note(&mut self, place: usize, note: &str, unix_s: u64) {
        let Some(slot) = self.slots.get_mut(place).filter(|slot| slot.state == State::Working) else { return };
        slot.note.clear();
        // What does not fit is cut.
        let _ = note.chars().try_for_each(|char| slot.note.push(char));
        slot.changed_unix_s = unix_s;
        slot.stamp = slot.stamp.wrapping_add(1);
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
    pub(crate) fn find(&self, id: &[u8], principal: PrincipalId, now: Now) -> Option<usize> {
        let id = TaskId::parse(id)?;
        // One that is late, and that nobody has looked at yet, is still there.
        let lives = |slot: &Slot| slot.state == State::Working || (slot.has_ended() && now.ms < slot.expires_ms);
        self.slots.iter().position(|slot| lives(slot) && slot.principal == principal && slot.id.is(&id))
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
            *slot = Slot { stamp: slot.stamp.wrapping_add(1), news: slot.news.wrapping_add(1), ..Slot::EMPTY };
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

    fn news(&self, place: usize) -> u32 {
        self.slots.get(place).map_or(0, |slot| slot.news)
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
