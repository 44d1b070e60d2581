//! A task's slot, and what is said of it.

use super::TaskId;
use super::inbox::Requests;
use crate::limits::TASK_NOTE_BYTES_MAX;
use crate::rpc::Envelope;
use crate::session::{ClientText, Principal, PrincipalId};

/// A slot for a task.
pub(crate) struct Slot {
    pub(super) state: State,
    /// A runner has it, or is to take it.
    pub(super) busy: bool,
    pub(super) job: Option<Job>,
    pub(super) id: TaskId,
    pub(super) principal: PrincipalId,
    /// The tool that it runs, by its place in the list.
    pub(super) tool: usize,
    pub(super) created_ms: u64,
    pub(super) created_unix_s: u64,
    pub(super) changed_unix_s: u64,
    /// When it must have ended.
    pub(super) limit_ms: u64,
    /// When it is forgotten.
    pub(super) expires_ms: u64,
    /// A client has read how it ended.
    pub(super) told: bool,
    /// Changes with everything that a client can see of the task, and with the task.
    pub(super) stamp: u32,
    /// Changes with what a client is told of unasked.
    pub(super) news: u32,
    /// Bytes in the buffer.
    pub(super) bytes: usize,
    /// The tool wrote more than that.
    pub(super) overflow: bool,
    /// What the tool says of how far it is.
    pub(super) note: heapless::String<TASK_NOTE_BYTES_MAX>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
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
        principal: PrincipalId::ANYONE,
        tool: 0,
        created_ms: 0,
        created_unix_s: 0,
        changed_unix_s: 0,
        limit_ms: 0,
        expires_ms: 0,
        told: false,
        stamp: 0,
        news: 0,
        bytes: 0,
        overflow: false,
        note: heapless::String::new(),
    };

    /// It runs no more.
    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.state, State::Free | State::Working)
    }

    /// Something that a client is told of unasked.
    pub(super) fn change(&mut self, now: Now) {
        self.changed_unix_s = now.unix_s;
        self.stamp = self.stamp.wrapping_add(1);
        self.news = self.news.wrapping_add(1);
    }
}

/// What a runner is to do.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Where in the request things are.
    pub(crate) envelope: Envelope,
    /// Bytes of the request. What follows it is what an earlier pass over the tool keeps: a JSON object, or nothing.
    pub(crate) bytes: usize,
    /// The tool, by its place in the list.
    pub(crate) tool: usize,
    /// What the client calls itself.
    pub(crate) client: ClientText,
    /// On whose behalf it runs.
    pub(crate) principal: Principal,
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
