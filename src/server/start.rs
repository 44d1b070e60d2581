//! The start: from the parts of a server and its memory to what runs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::hash::RandomState;
use std::io;
use std::mem;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;

use async_io::Async;

use super::Parts;
use super::accept::Door;
use super::clock::Clock;
use super::conns::Conns;
use super::core::{COMMANDS, Core, LISTENER, TICK, WORKERS, WorkerSlot};
use super::engine::Engine;
use super::handle::Commands;
use super::inputs::Inputs;
use super::ready::Ready;
use super::resume::Numbers;
use super::runner::Runner;
use super::storage::{Lend, Memory, Views};
use super::stream_table::Streams;
use super::worker::Worker;
use crate::app::{Application, Catalog};
use crate::endpoint::Endpoint;
use crate::http;
use crate::hub::Hub;
use crate::limits::{
    CHUNKED_SLACK_BYTES, CONNECTIONS_PER_WAKER, EVENT_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, RESERVED_BUFFERS,
    TARGET_BYTES_MAX, TASK_EVENT_BYTES_MAX,
};
use crate::mcp;
use crate::session::Table;
use crate::tasks::Board;

/// Serves in this memory until the end.
///
/// # Errors
/// `ResourceBusy` while another server has the memory.
pub(super) async fn run<A: Application>(
    mut parts: Box<Parts<A>>,
    memory: &impl Memory,
    listener: Option<Async<TcpListener>>,
    clock: Clock,
) -> io::Result<()> {
    let busy = || io::Error::new(io::ErrorKind::ResourceBusy, "another server runs in this storage");
    let mut guard = memory.take().ok_or_else(busy)?;
    let mut views = guard.lend();
    let (requests, answers) = (mem::take(&mut views.requests), mem::take(&mut views.answers));
    let task_requests = mem::take(&mut views.task_requests);
    let buffers = requests.len();
    let request_bytes = requests.first().map_or(0, |request| request.len());
    let key_file = parts.key_file.take();
    let (core, commands) = core(*parts, views, buffers, request_bytes);
    let core = &*core;
    if let Some(file) = &key_file {
        core.sessions.borrow_mut().remember_ended(&file.ended);
    }
    let workers = requests.into_iter().zip(answers).enumerate();
    let workers = workers.map(|(index, (rx, tx))| in_place(|| async move { Worker { core, index }.run(rx, tx).await }));
    let workers = workers.collect();
    let runners = task_requests.into_iter().take(core.runners).enumerate();
    let runners = runners.map(|(place, request)| in_place(|| async move { Runner { core, place }.run(request).await }));
    let runners = runners.collect();
    commands.attach(core.waker(COMMANDS).clone());
    for bit in [LISTENER, COMMANDS, TICK] {
        core.ready.set(bit);
    }
    let mut engine = Engine {
        core,
        workers,
        runners,
        door: Door::new(listener),
        commands: &commands,
        clock,
        ticked: false,
        end_ms: None,
    };
    poll_fn(|cx| engine.poll(cx)).await;
    core.end_all_streams();
    if let Some(file) = key_file {
        file.keep(core.sessions.borrow().ended());
    }
    Ok(())
}

// Made after its place is there, a future is not copied into it: of its pages, which it fills later, it touches one.
fn in_place<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let place = Box::new_uninit();
    Box::into_pin(Box::write(place, make()))
}

// One for each bit below `connections`, and one for each few of those from there on, which are those of connections.
fn wakers(ready: &Arc<Ready>, connections: usize, bits: usize) -> Vec<Waker> {
    let mut wakers = Vec::with_capacity(connections + (bits - connections).div_ceil(CONNECTIONS_PER_WAKER));
    wakers.extend((0..connections).map(|bit| ready.waker(bit..bit + 1)));
    let groups = (connections..bits).step_by(CONNECTIONS_PER_WAKER);
    wakers.extend(groups.map(|first| ready.waker(first..bits.min(first + CONNECTIONS_PER_WAKER))));
    wakers
}

// What all tasks share, for so many request buffers of so many bytes.
fn core<A: Application>(
    parts: Parts<A>,
    views: Views<'_>,
    buffers: usize,
    request_bytes: usize,
) -> (Box<Core<'_, A>>, Commands) {
    let Views { conns, streams, rests, sessions, names, ring, uris, inputs, input_bytes, tasks, .. } = views;
    let runners = if A::HAS_TASKS { tasks.slots.len() } else { 0 };
    let connections = conns.capacity();
    let bits = WORKERS + buffers + runners + connections;
    let ready = Ready::new(bits);
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
        shares: parts.shares.of(connections),
        idle_timeout_ms: parts.idle_timeout_ms,
        tool_timeout_ms: parts.tool_timeout_ms,
        input_timeout_ms: parts.input_timeout_ms,
        on_client: parts.on_client,
        now_ms: Cell::new(0),
        unix_s: Cell::new(0),
        date: Cell::new(None),
        conns: RefCell::new(Conns::new(conns)),
        streams: RefCell::new(Streams::new(streams, rests)),
        sessions: RefCell::new(Table::new(sessions, names)),
        hub: RefCell::new(Hub::new(ring, uris)),
        inputs: RefCell::new(inputs),
        board: Board::new(tasks, parts.task_lives, if A::HAS_TASKS { Some(mcp::tasks::write) } else { None }),
        runners,
        workers: (0..buffers)
            .map(|index| WorkerSlot { reserved: index + RESERVED_BUFFERS >= buffers, ..WorkerSlot::default() })
            .collect(),
        queue: RefCell::new(VecDeque::with_capacity(connections)),
        looked_at: Cell::new(0),
        wakers: wakers(&ready, bits - connections, bits),
        ready,
        scratch: RefCell::new(vec![0; if runners > 0 { TASK_EVENT_BYTES_MAX } else { EVENT_BYTES_MAX }]),
        numbers: Numbers::new(),
        early_cancels: RefCell::new(heapless::Deque::new()),
        stopping: Cell::new(false),
        hasher: RandomState::new(),
    };
    (Box::new(core), parts.commands)
}
