//! How many of what a server has, before it is there. One source for two: what is summed ([`MemoryBudget`](super::MemoryBudget)) is what is
//! allocated.

use std::marker::PhantomData;

use super::conns::Conn;
use super::core::{WORKERS, WorkerSlot};
use super::inputs::Input;
use super::streams::{Rest, Stream};
use crate::app::{Application, Listed};
use crate::hub::Uri;
use crate::limits::{
    CONNECTIONS_PER_WAKER, EVENT_BYTES_MAX, INPUT_BYTES_MAX, RING_BYTES, SUBSCRIBED_URIS_MAX, TASK_BYTES_MAX,
    TASK_EVENT_BYTES_MAX, TASK_INPUT_BYTES_MAX, TRANSMIT_BYTES,
};
use crate::session::Name;
use crate::{session, tasks};

/// The capacities of a server, with those that it adds of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capacities {
    /// Connections, of which [`REFUSALS_MAX`](crate::limits::REFUSALS_MAX) only tell that the house is full.
    pub(super) connections: usize,
    pub(super) streams: usize,
    pub(super) sessions: usize,
    /// Names of clients.
    pub(super) names: usize,
    /// Request buffers: one for each call, and the reserve.
    pub(super) buffers: usize,
    /// Bytes of each: head, body, slack.
    pub(super) request_bytes: usize,
    pub(super) inputs: usize,
    pub(super) tasks: usize,
}

/// What an application needs memory for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// Tools run as tasks.
    pub(super) has_tasks: bool,
    /// So many tools have a rate of their own.
    pub(super) rated: usize,
    /// Bytes of its tools as they are listed.
    pub(super) listed_bytes: usize,
}

impl Offer {
    /// It is not known: the most that the settings alone can tell.
    pub(super) const UNKNOWN: Self = Self { has_tasks: true, rated: 0, listed_bytes: 0 };

    /// What this application says; of tools that are not offered, too.
    pub(super) fn of<A: Application>() -> Self {
        Self { has_tasks: A::HAS_TASKS, rated: A::RATED, listed_bytes: Listed::bytes_max(A::TOOLS) }
    }
}

/// What settings and the application take beside the capacities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// Bytes of texts, and of what is made of them.
    pub(super) bytes: usize,
    /// Bytes beside each stream.
    pub(super) bytes_per_stream: usize,
    /// Places for those whose rates are counted.
    pub(super) buckets: usize,
    /// Entries of the audit ring.
    pub(super) entries: usize,
    /// Bytes of the tools as they are listed.
    pub(super) listed_bytes: usize,
}

impl Settings {
    /// They are not known.
    pub(super) const NONE: Self = Self { bytes: 0, bytes_per_stream: 0, buckets: 0, entries: 0, listed_bytes: 0 };
}

/// So many of a thing, or of rows of things.
pub(super) struct Many<T> {
    count: usize,
    /// Things in a row.
    row: usize,
    things: PhantomData<fn() -> T>,
}

impl<T> Many<T> {
    const fn of(count: usize) -> Self {
        Self::rows(count, 1)
    }

    const fn rows(count: usize, row: usize) -> Self {
        Self { count, row, things: PhantomData }
    }

    /// How many rows.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Things in a row.
    pub(super) const fn row(&self) -> usize {
        self.row
    }

    /// How many things, in all rows.
    pub(super) const fn things(&self) -> usize {
        self.count * self.row
    }

    /// Bytes of a row.
    pub(super) const fn bytes(&self) -> usize {
        self.row.saturating_mul(size_of::<T>())
    }

    /// Room for them, which is not touched yet.
    pub(super) fn room(&self) -> Vec<T> {
        Vec::with_capacity(self.things())
    }

    /// All of them.
    pub(super) fn all(&self, thing: impl Fn(usize) -> T) -> Vec<T> {
        let mut all = self.room();
        all.extend((0..self.things()).map(thing));
        all
    }
}

impl Many<u8> {
    /// Bytes that are zeroed by the kernel, page by page, when they are first used.
    pub(super) fn zeroed(&self) -> Vec<u8> {
        vec![0; self.things()]
    }
}

/// All that is allocated when a server starts, but for its futures.
pub(super) struct Plan {
    pub(super) conns: Many<Conn>,
    pub(super) streams: Many<Stream>,
    pub(super) rests: Many<Rest>,
    pub(super) sessions: Many<session::Slot>,
    /// Names of clients, which sessions and streams share.
    pub(super) names: Many<Name>,
    pub(super) requests: Many<u8>,
    pub(super) answers: Many<u8>,
    pub(super) ring: Many<u8>,
    pub(super) uris: Many<Uri>,
    pub(super) inputs: Many<Input>,
    pub(super) input_bytes: Many<u8>,
    pub(super) tasks: Many<tasks::Slot>,
    pub(super) task_inboxes: Many<tasks::Inbox>,
    pub(super) task_inputs: Many<u8>,
    pub(super) task_requests: Many<u8>,
    pub(super) task_results: Many<u8>,
    pub(super) workers: Many<WorkerSlot>,
    /// Places in the queue for a buffer.
    pub(super) queue: Many<u32>,
    pub(super) scratch: Many<u8>,
}

impl Plan {
    /// What a server of these capacities has.
    pub(super) const fn of(capacities: Capacities) -> Self {
        let Capacities { connections, streams, sessions, names, buffers, request_bytes, inputs, tasks } = capacities;
        Self {
            conns: Many::of(connections),
            streams: Many::of(streams),
            rests: Many::of(streams),
            sessions: Many::of(sessions),
            names: Many::of(names),
            requests: Many::rows(buffers, request_bytes),
            answers: Many::rows(buffers, TRANSMIT_BYTES),
            ring: Many::rows(1, RING_BYTES),
            uris: Many::of(SUBSCRIBED_URIS_MAX),
            inputs: Many::of(inputs),
            input_bytes: Many::rows(inputs, INPUT_BYTES_MAX),
            tasks: Many::of(tasks),
            task_inboxes: Many::of(tasks),
            task_inputs: Many::rows(tasks, TASK_INPUT_BYTES_MAX),
            task_requests: Many::rows(tasks, TASK_BYTES_MAX),
            task_results: Many::rows(tasks, TASK_BYTES_MAX),
            workers: Many::of(buffers),
            queue: Many::of(connections),
            scratch: Many::rows(1, if tasks > 0 { TASK_EVENT_BYTES_MAX } else { EVENT_BYTES_MAX }),
        }
    }

    /// The bits of the engine's set that are not a connection's.
    pub(super) const fn bits_before_connections(&self) -> usize {
        WORKERS.saturating_add(self.workers.count).saturating_add(self.tasks.count)
    }

    /// All bits of the engine's set.
    pub(super) const fn bits(&self) -> usize {
        self.bits_before_connections().saturating_add(self.conns.count)
    }

    /// The wakers for those bits: one for each few connections, one for each other.
    pub(super) const fn wakers(&self) -> usize {
        self.bits_before_connections().saturating_add(self.conns.count.div_ceil(CONNECTIONS_PER_WAKER))
    }
}
