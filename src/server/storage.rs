//! The memory of a server: lent by the application as a `static`, or allocated once at start.

use std::sync::{Mutex, MutexGuard};

use super::budget::{Futures, MemoryBudget};
use super::conns::Conn;
use super::inputs::Input;
use super::plan::{Capacities, Plan, Settings};
use super::streams::{Rest, Stream};
use crate::hub::Uri;
use crate::limits::{
    CALLS_MAX, CLIENT_NAMES_MAX, CONNECTIONS_FOR_CALLS_MIN, HEAD_BYTES_MAX, INPUT_BYTES_MAX, INPUTS_STORED, PLACES_MAX,
    REFUSALS_MAX, RESERVED_BUFFERS, RING_BYTES, SUBSCRIBED_URIS_MAX, TASK_BYTES_MAX, TASK_INPUT_BYTES_MAX, TASKS_MAX,
    TRANSMIT_BYTES,
};
use crate::pool::Pool;
use crate::session::Name;
use crate::{session, tasks};

/// A server's memory as a value, for those who want all of it in the program's image:
///
/// ```
/// static STORAGE: smol_mcp::Storage<16, 8, 16, 4, 32768> = smol_mcp::Storage::new();
/// ```
/// Its capacities are those of the server that uses it, instead of the configuration's: connections (of which four only
/// tell that the house is full), streams, sessions, request buffers (of which one is a reserve) and their bytes (head and body);
/// and, if they are given, questions to clients of older revisions that can be open at once, and tasks (none, if not).
pub struct Storage<
    const CONNECTIONS: usize,
    const STREAMS: usize,
    const SESSIONS: usize,
    const BUFFERS: usize,
    const REQUEST_BYTES: usize,
    const INPUTS: usize = INPUTS_STORED,
    const TASKS: usize = 0,
> {
    parts: Mutex<Parts<CONNECTIONS, STREAMS, SESSIONS, BUFFERS, REQUEST_BYTES, INPUTS, TASKS>>,
}

pub(super) struct Parts<
    const C: usize,
    const S: usize,
    const N: usize,
    const B: usize,
    const R: usize,
    const I: usize,
    const T: usize,
> {
    conns: [Conn; C],
    streams: [Stream; S],
    rests: [Rest; S],
    sessions: [session::Slot; N],
    names: [Name; CLIENT_NAMES_MAX],
    requests: [[u8; R]; B],
    answers: [[u8; TRANSMIT_BYTES]; B],
    ring: [u8; RING_BYTES],
    uris: [Uri; SUBSCRIBED_URIS_MAX],
    inputs: [Input; I],
    input_bytes: [[u8; INPUT_BYTES_MAX]; I],
    tasks: [tasks::Slot; T],
    task_inboxes: [tasks::Inbox; T],
    task_inputs: [[u8; TASK_INPUT_BYTES_MAX]; T],
    task_requests: [[u8; TASK_BYTES_MAX]; T],
    task_results: [[u8; TASK_BYTES_MAX]; T],
}

impl<const C: usize, const S: usize, const N: usize, const B: usize, const R: usize, const I: usize, const T: usize>
    Storage<C, S, N, B, R, I, T>
{
    const CHECKED: () = {
        assert!(C > REFUSALS_MAX + 2, "a storage needs more connections: four are for refusals");
        assert!(B > RESERVED_BUFFERS, "a storage needs at least two request buffers: one is a reserve");
        assert!(N > 0 && S > 0, "a storage needs a session and a stream");
        assert!(C >= S + REFUSALS_MAX + CONNECTIONS_FOR_CALLS_MIN, "streams must leave connections for calls");
        assert!(C <= PLACES_MAX && N <= PLACES_MAX, "a storage has at most 65,535 connections and sessions");
        assert!(B <= CALLS_MAX + RESERVED_BUFFERS, "a storage has at most 1,025 request buffers");
        assert!(T <= TASKS_MAX, "a storage has at most 64 tasks");
        assert!(R >= HEAD_BYTES_MAX * 2, "a request buffer must hold a head, and a body of that size");
    };

    /// What it has room for.
    pub(super) const CAPACITIES: Capacities = Capacities {
        connections: C,
        streams: S,
        sessions: N,
        names: CLIENT_NAMES_MAX,
        buffers: B,
        request_bytes: R,
        inputs: I,
        tasks: T,
    };

    /// What a server in it can take of the machine's memory, but for the futures of its handlers and its settings, which
    /// [`Server::memory_budget_in`](crate::Server::memory_budget_in) adds.
    pub const fn memory_budget() -> MemoryBudget {
        Self::budget_with(Settings::NONE, None)
    }

    /// The same for a server of which more is known.
    pub(super) const fn budget_with(settings: Settings, futures: Option<Futures>) -> MemoryBudget {
        MemoryBudget::of(Self::CAPACITIES, settings, futures)
    }

    /// Empty memory.
    #[allow(clippy::large_stack_arrays)] // for a `static`, whose value never is on a stack
    pub const fn new() -> Self {
        let () = Self::CHECKED;
        Self {
            parts: Mutex::new(Parts {
                conns: [const { Conn::EMPTY }; C],
                streams: [const { Stream::EMPTY }; S],
                rests: [const { Rest::Free }; S],
                sessions: [const { session::Slot::EMPTY }; N],
                names: [const { Name::EMPTY }; CLIENT_NAMES_MAX],
                requests: [[0; R]; B],
                answers: [[0; TRANSMIT_BYTES]; B],
                ring: [0; RING_BYTES],
                uris: [const { Uri::EMPTY }; SUBSCRIBED_URIS_MAX],
                inputs: [const { Input::EMPTY }; I],
                input_bytes: [[0; INPUT_BYTES_MAX]; I],
                tasks: [const { tasks::Slot::EMPTY }; T],
                task_inboxes: [const { tasks::Inbox::EMPTY }; T],
                task_inputs: [[0; TASK_INPUT_BYTES_MAX]; T],
                task_requests: [[0; TASK_BYTES_MAX]; T],
                task_results: [[0; TASK_BYTES_MAX]; T],
            }),
        }
    }
}

impl<const C: usize, const S: usize, const N: usize, const B: usize, const R: usize, const I: usize, const T: usize>
    Default for Storage<C, S, N, B, R, I, T>
{
    fn default() -> Self {
        Self::new()
    }
}

/// Memory that a server can take for as long as it runs.
pub(super) trait Memory {
    type Guard<'s>: Lend
    where
        Self: 's;

    /// How much it is.
    fn capacities(&self) -> Capacities;

    /// Takes the memory; `None` while another server has it.
    fn take(&self) -> Option<Self::Guard<'_>>;
}

/// Memory that was taken.
pub(super) trait Lend {
    /// Its parts.
    fn lend(&mut self) -> Views<'_>;
}

/// The parts of a server's memory, as slices: what is below does not know their capacities as types.
pub(super) struct Views<'m> {
    pub(super) conns: Pool<'m, Conn>,
    pub(super) streams: Pool<'m, Stream>,
    pub(super) rests: Pool<'m, Rest>,
    pub(super) sessions: Pool<'m, session::Slot>,
    pub(super) names: Pool<'m, Name>,
    pub(super) requests: Vec<&'m mut [u8]>,
    pub(super) answers: Vec<&'m mut [u8]>,
    pub(super) ring: &'m mut [u8],
    pub(super) uris: Pool<'m, Uri>,
    pub(super) inputs: &'m mut [Input],
    pub(super) input_bytes: &'m mut [u8],
    pub(super) tasks: tasks::Memory<'m>,
    pub(super) task_requests: Vec<&'m mut [u8]>,
}

impl<const C: usize, const S: usize, const N: usize, const B: usize, const R: usize, const I: usize, const T: usize>
    Memory for Storage<C, S, N, B, R, I, T>
{
    type Guard<'s> = Taken<'s, C, S, N, B, R, I, T>;

    fn capacities(&self) -> Capacities {
        Self::CAPACITIES
    }

    fn take(&self) -> Option<Self::Guard<'_>> {
        match self.parts.try_lock() {
            Ok(guard) => Some(Taken(guard)),
            // A server that panicked left its connections here; the next one clears them.
            Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(Taken(poisoned.into_inner())),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }
}

impl<const C: usize, const S: usize, const N: usize, const B: usize, const R: usize, const I: usize, const T: usize>
    Lend for Taken<'_, C, S, N, B, R, I, T>
{
    fn lend(&mut self) -> Views<'_> {
        let parts = &mut *self.0;
        Views {
            conns: Pool::from(&mut parts.conns),
            streams: Pool::from(&mut parts.streams),
            rests: Pool::from(&mut parts.rests),
            sessions: Pool::from(&mut parts.sessions),
            names: Pool::from(&mut parts.names),
            requests: parts.requests.iter_mut().map(<[u8; R]>::as_mut_slice).collect(),
            answers: parts.answers.iter_mut().map(<[u8; TRANSMIT_BYTES]>::as_mut_slice).collect(),
            ring: &mut parts.ring,
            uris: Pool::from(&mut parts.uris),
            inputs: &mut parts.inputs,
            input_bytes: parts.input_bytes.as_flattened_mut(),
            tasks: tasks::Memory {
                slots: &mut parts.tasks,
                inboxes: &mut parts.task_inboxes,
                results: parts.task_results.as_flattened_mut(),
                inputs: parts.task_inputs.as_flattened_mut(),
            },
            task_requests: parts.task_requests.iter_mut().map(<[u8; TASK_BYTES_MAX]>::as_mut_slice).collect(),
        }
    }
}

/// A storage that a server has. What it leaves there when it ends, or is dropped half-way, is closed.
pub(super) struct Taken<
    's,
    const C: usize,
    const S: usize,
    const N: usize,
    const B: usize,
    const R: usize,
    const I: usize,
    const T: usize,
>(MutexGuard<'s, Parts<C, S, N, B, R, I, T>>);

impl<const C: usize, const S: usize, const N: usize, const B: usize, const R: usize, const I: usize, const T: usize>
    Drop for Taken<'_, C, S, N, B, R, I, T>
{
    fn drop(&mut self) {
        self.0.streams.fill_with(|| Stream::EMPTY);
        self.0.conns.fill_with(|| Conn::EMPTY);
        self.0.inputs.fill_with(|| Input::EMPTY);
    }
}

/// Memory from the heap, allocated once.
pub(super) struct Heap(pub(super) Capacities);

/// The heap's memory, taken.
pub(super) struct Allocated {
    conns: Vec<Conn>,
    streams: Vec<Stream>,
    rests: Vec<Rest>,
    sessions: Vec<session::Slot>,
    names: Vec<Name>,
    requests: Vec<u8>,
    request_bytes: usize,
    /// What answers, the ring and the questions to clients are written to.
    written: Vec<u8>,
    uris: Vec<Uri>,
    inputs: Vec<Input>,
    tasks: Vec<tasks::Slot>,
    task_inboxes: Vec<tasks::Inbox>,
    task_inputs: Vec<u8>,
    task_requests: Vec<u8>,
    task_results: Vec<u8>,
}

impl Memory for Heap {
    type Guard<'s> = Allocated;

    fn capacities(&self) -> Capacities {
        self.0
    }

    fn take(&self) -> Option<Allocated> {
        let plan = Plan::of(self.0);
        Some(Allocated {
            // Room that is not touched yet.
            conns: plan.conns.room(),
            streams: plan.streams.room(),
            rests: plan.rests.room(),
            sessions: plan.sessions.room(),
            names: plan.names.room(),
            requests: plan.requests.zeroed(),
            request_bytes: plan.requests.row(),
            // In one piece: an allocator zeroes small ones itself, and touches all of their pages.
            written: vec![0; plan.answers.things() + plan.ring.things() + plan.input_bytes.things()],
            uris: plan.uris.room(),
            inputs: plan.inputs.all(|_| Input::EMPTY),
            tasks: plan.tasks.all(|_| tasks::Slot::EMPTY),
            task_inboxes: plan.task_inboxes.all(|_| tasks::Inbox::EMPTY),
            task_inputs: plan.task_inputs.zeroed(),
            task_requests: plan.task_requests.zeroed(),
            task_results: plan.task_results.zeroed(),
        })
    }
}

impl Lend for Allocated {
    fn lend(&mut self) -> Views<'_> {
        let input_bytes = self.inputs.len() * INPUT_BYTES_MAX;
        // It is as long as these are together: see `take`.
        let answer_bytes = self.written.len().saturating_sub(RING_BYTES + input_bytes);
        let (answers, rest) = self.written.split_at_mut(answer_bytes);
        let (ring, input_bytes) = rest.split_at_mut(RING_BYTES.min(rest.len()));
        Views {
            conns: Pool::from(&mut self.conns),
            streams: Pool::from(&mut self.streams),
            rests: Pool::from(&mut self.rests),
            sessions: Pool::from(&mut self.sessions),
            names: Pool::from(&mut self.names),
            requests: self.requests.chunks_exact_mut(self.request_bytes).collect(),
            answers: answers.chunks_exact_mut(TRANSMIT_BYTES).collect(),
            ring,
            uris: Pool::from(&mut self.uris),
            inputs: &mut self.inputs,
            input_bytes,
            tasks: tasks::Memory {
                slots: &mut self.tasks,
                inboxes: &mut self.task_inboxes,
                results: &mut self.task_results,
                inputs: &mut self.task_inputs,
            },
            task_requests: self.task_requests.chunks_exact_mut(TASK_BYTES_MAX).collect(),
        }
    }
}
