//! The start: from the parts of a server and its memory to what runs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::hash::RandomState;
use std::io;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Waker;

use super::Parts;
use super::accept::Door;
use super::access::Access;
use super::budget::Futures;
use super::clock::Clock;
use super::conns::Conns;
use super::core::{COMMANDS, Core, SOCKETS, TICK, WorkerSlot};
use super::engine::Engine;
use super::handle::Commands;
use super::inputs::Inputs;
use super::listen::Listening;
use super::notices::Notices;
use super::oauth::Watch;
use super::plan::{Capacities, Plan};
use super::ready::Ready;
use super::resume::Numbers;
use super::runner::Runner;
use super::sockets::Sockets;
use super::stats::Tally;
use super::storage::{Lend, Memory, Views};
use super::stream_table::Streams;
use super::worker::Worker;
use crate::app::{Application, Catalog};
use crate::endpoint::Endpoint;
use crate::http;
use crate::hub::Hub;
use crate::limits::{
    CHUNKED_SLACK_BYTES, CONNECTIONS_PER_WAKER, HEAD_BYTES_MAX, HEADERS_MAX, LISTEN_BACKLOG, RESERVED_BUFFERS,
    TARGET_BYTES_MAX,
};
use crate::mcp::{self, slips::Slips};
use crate::session::Table;
use crate::tasks::Board;

/// Serves in this memory until the end.
///
/// # Errors
/// `ResourceBusy` while another server has the memory.
pub(super) async fn run<A: Application>(
    mut parts: Box<Parts<A>>,
    memory: &impl Memory,
    listener: Option<Listening>,
    clock: Clock,
) -> io::Result<()> {
    let busy = || io::Error::new(io::ErrorKind::ResourceBusy, "another server runs in this storage");
    let mut guard = memory.take().ok_or_else(busy)?;
    let mut views = guard.lend();
    let capacities = memory.capacities();
    // A storage may have room for tasks that nobody makes.
    let plan = Plan::of(Capacities { tasks: if A::HAS_TASKS { capacities.tasks } else { 0 }, ..capacities });
    let (requests, answers) = (mem::take(&mut views.requests), mem::take(&mut views.answers));
    let task_requests = mem::take(&mut views.task_requests);
    let key_file = parts.key_file.take();
    let (listener, sockets) = listener.map(|Listening { listener, sockets, .. }| (listener, sockets)).unzip();
    let (core, commands) = core(parts, views, &plan, sockets);
    let core = &*core;
    if let Some(file) = &key_file {
        core.sessions.borrow_mut().remember_ended(&file.ended);
    }
    let workers = requests.into_iter().zip(answers).enumerate();
    let workers = workers.map(|(index, (rx, tx))| in_place(|| work(core, index, rx, tx)));
    let workers = workers.collect();
    let runners = task_requests.into_iter().take(core.runners).enumerate();
    let runners = runners.map(|(place, request)| in_place(|| run_tasks(core, place, request)));
    let runners = runners.collect();
    commands.attach(core.waker(COMMANDS).clone());
    for bit in [SOCKETS, COMMANDS, TICK] {
        core.ready.set(bit);
    }
    let mut engine = Engine {
        core,
        workers,
        runners,
        door: Door::new(listener),
        commands: &commands,
        clock,
        waker: Waker::noop().clone(),
        ticked: false,
        looks: 0,
        is_deaf: false,
        end_ms: None,
        last: LISTEN_BACKLOG,
    };
    poll_fn(|cx| engine.poll(cx)).await;
    core.end_all_streams();
    if let Some(file) = key_file {
        file.keep(core.sessions.borrow().ended());
    }
    Ok(())
}

/// The sizes of the futures that a server of this application makes, its own (`server`) included.
pub(super) fn futures<A: Application>(server: usize) -> Futures {
    let task = if A::HAS_TASKS { bytes_of_task(run_tasks::<A>) } else { 0 };
    Futures { call: bytes_of_call(work::<A>), task, server }
}

fn bytes_of_call<C, R, T, F: Future>(_: fn(C, usize, R, T) -> F) -> usize {
    size_of::<F>()
}

fn bytes_of_task<C, R, F: Future>(_: fn(C, usize, R) -> F) -> usize {
    size_of::<F>()
}

async fn work<A: Application>(core: &Core<'_, A>, index: usize, rx: &mut [u8], tx: &mut [u8]) {
    pin!(Worker::new(core, index).run(rx, tx)).await;
}

async fn run_tasks<A: Application>(core: &Core<'_, A>, place: usize, request: &mut [u8]) {
    pin!(Runner { core, place }.run(request)).await;
}

// Made after its place is there, a future is not copied into it: of its pages, which it fills later, it touches one.
fn in_place<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let place = Box::new_uninit();
    Box::into_pin(Box::write(place, make()))
}

// One for each bit below `connections`, and one for each few of those from there on, which are those of connections.
fn wakers(ready: &Arc<Ready>, plan: &Plan) -> Vec<Waker> {
    let (connections, bits) = (plan.bits_before_connections(), plan.bits());
    let mut wakers = Vec::with_capacity(plan.wakers());
    wakers.extend((0..connections).map(|bit| ready.waker(bit..bit + 1)));
    let groups = (connections..bits).step_by(CONNECTIONS_PER_WAKER);
    wakers.extend(groups.map(|first| ready.waker(first..bits.min(first + CONNECTIONS_PER_WAKER))));
    wakers
}

// What all tasks share. The parts' own place is free again when this returns.
#[expect(clippy::boxed_local, reason = "it would stay until its owner ends")]
fn core<'m, A: Application>(
    parts: Box<Parts<A>>,
    views: Views<'m>,
    plan: &Plan,
    sockets: Option<Sockets>,
) -> (Box<Core<'m, A>>, Commands) {
    let parts = *parts;
    let Views { conns, streams, rests, sessions, names, ring, uris, inputs, input_bytes, tasks, .. } = views;
    let (buffers, request_bytes) = (plan.requests.count(), plan.requests.row());
    let (connections, runners) = (plan.conns.count(), plan.tasks.count());
    let ready = Ready::new(plan.bits());
    let numbers = Numbers::new();
    let inputs = Inputs::new(inputs, input_bytes, buffers.saturating_sub(RESERVED_BUFFERS));
    let core = Core {
        app: parts.app,
        identity: parts.identity,
        endpoint: Endpoint { catalog: Catalog { tasks: runners > 0, ..parts.endpoint.catalog }, ..parts.endpoint },
        limits: http::Limits {
            head_bytes_max: HEAD_BYTES_MAX,
            target_bytes_max: TARGET_BYTES_MAX,
            headers_max: HEADERS_MAX,
            body_bytes_max: request_bytes.saturating_sub(HEAD_BYTES_MAX + CHUNKED_SLACK_BYTES),
        },
        shares: parts.shares.of(connections, streams.capacity()),
        idle_timeout_ms: parts.idle_timeout_ms,
        tool_timeout_ms: parts.tool_timeout_ms,
        input_timeout_ms: parts.input_timeout_ms,
        on_client: parts.on_client,
        access: Access::new(parts.token_file, Watch::new(parts.keys, streams.capacity())),
        audit: parts.audit,
        now_ms: Cell::new(0),
        unix_s: Cell::new(0),
        date: Cell::new(None),
        sockets,
        conns: RefCell::new(Conns::new(conns)),
        streams: RefCell::new(Streams::new(streams, rests)),
        sessions: RefCell::new(Table::new(sessions, names)),
        hub: RefCell::new(Hub::new(ring, uris)),
        inputs: RefCell::new(inputs),
        board: Board::new(tasks, parts.task_lives, if A::HAS_TASKS { Some(mcp::tasks::write) } else { None }),
        runners,
        workers: plan
            .workers
            .all(|index| WorkerSlot { reserved: index + RESERVED_BUFFERS >= buffers, ..WorkerSlot::default() }),
        assigned: Cell::new(None),
        queue: RefCell::new(VecDeque::from(plan.queue.room())),
        looked_at: Cell::new(0),
        wakers: wakers(&ready, plan),
        ready,
        scratch: RefCell::new(plan.scratch.zeroed()),
        slips: Slips::new(numbers.boot()),
        numbers,
        early_cancels: RefCell::new(heapless::Deque::new()),
        stopping: Cell::new(false),
        hasher: RandomState::new(),
        tally: Tally::default(),
        notices: Notices::default(),
    };
    (Box::new(core), parts.commands)
}
