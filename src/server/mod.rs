//! The rim: the only sockets, clock and tasks of the crate.
//!
//! ```text
//!   accept ──→ conns (slots) ──bytes──→ worker (buffers) ──→ endpoint decides ──→ calls, drive ──→ the socket
//!                 ↑  └ idle, polled by the engine ┘                 └──→ streams (slots) ←── hub, handle
//!   tick ──→ house (deadlines)
//! ```
//! One future ([`Bound::run`]) polls all of it; see `engine`.

mod admit;
mod announce;
mod batch;
mod calls;
mod clients;
mod config;
mod conns;
mod core;
mod drive;
mod engine;
mod events;
mod handle;
mod house;
mod introduce;
mod key_file;
mod lease;
mod log_bridge;
mod open;
mod queue;
mod ready;
mod resume;
mod socket;
mod storage;
mod streams;
#[cfg(test)]
mod tests_admission;
mod worker;

pub mod testing;

pub use clients::{ClientEvent, ClientInfo};
pub use config::Config;
pub use handle::{Handle, Message};
pub use log_bridge::ClientLogger;
pub use socket::Duplex;
pub use storage::Storage;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::hash::RandomState;
use std::io;
use std::net::{SocketAddr, TcpListener};

use async_io::Async;

use self::admit::Shares;
use self::conns::Conns;
use self::core::{COMMANDS, Core, LISTENER, OnClient, TICK, WORKERS, WorkerSlot};
use self::engine::{Clock, Engine};
use self::handle::Commands;
use self::key_file::KeyFile;
use self::ready::Ready;
use self::resume::Numbers;
use self::storage::{Heap, Lend, Memory, Views};
use self::streams::Streams;
use self::worker::Worker;
use crate::app::{
    App, Application, Catalog, Identity, NoPrompts, NoResources, Prompts, PromptsOf, Resources, ResourcesOf, Tools,
    WithPrompts, WithResources,
};
use crate::endpoint::Endpoint;
use crate::guard::{Guard, GuardOptions, PublicBase};
use crate::hub::Hub;
use crate::limits::{
    CHUNKED_SLACK_BYTES, CONNECTIONS_FOR_CALLS_MIN, EVENT_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, RESERVED_BUFFERS,
    SESSION_RESTORE_AGE_MAX_S, TARGET_BYTES_MAX,
};
use crate::session::{Key, Table};
use crate::{http, limits};

/// An MCP server: an application's tools, resources and prompts, and what the server says of itself.
///
/// `Server<Board>` is one with the tools of a `Board`; [`resources`](Self::resources) and [`prompts`](Self::prompts) make the rest of it known.
pub struct Server<A, R = NoResources, P = NoPrompts> {
    app: App<A, R, P>,
    identity: Identity,
    handle: Handle,
    commands: Commands,
    on_client: Option<OnClient>,
    key: Option<[u8; 32]>,
}

impl<A: Tools> Server<A> {
    /// A server of this name and version (`serverInfo`), with this application's tools.
    pub fn new(name: impl Into<Cow<'static, str>>, version: impl Into<Cow<'static, str>>, app: A) -> Self {
        let (handle, commands) = Handle::new();
        let identity = Identity { name: name.into(), version: version.into(), ..Identity::default() };
        Self { app: App::new(app), identity, handle, commands, on_client: None, key: None }
    }
}

impl<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>> Server<A, R, P> {
    /// Serves the application's resources too.
    #[must_use]
    pub fn resources(self) -> Server<A, WithResources, P>
    where
        A: Resources,
    {
        self.with()
    }

    /// Serves the application's prompts too.
    #[must_use]
    pub fn prompts(self) -> Server<A, R, WithPrompts>
    where
        A: Prompts,
    {
        self.with()
    }

    fn with<R2, P2>(self) -> Server<A, R2, P2> {
        let Self { app, identity, handle, commands, on_client, key } = self;
        Server { app: app.with(), identity, handle, commands, on_client, key }
    }

    /// Is called when a client came or went. It must not wait; it runs between two requests.
    #[must_use]
    pub fn on_client(mut self, on_client: impl Fn(&ClientEvent<'_>) + 'static) -> Self {
        self.on_client = Some(Box::new(on_client));
        self
    }

    /// The secret that session ids are signed with. With the same key, sessions outlive a restart; without one, a new key
    /// is made at start.
    #[must_use]
    pub fn session_key(mut self, key: [u8; 32]) -> Self {
        self.key = Some(key);
        self
    }

    /// The way to the server once it runs, from anywhere.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Listens, and serves until [`Handle::shutdown`].
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn serve(self, config: Config) -> io::Result<()> {
        self.bind(config)?.run().await
    }

    /// Checks the configuration and listens: what can fail, fails here.
    ///
    /// # Errors
    /// `InvalidInput`: a setting is wrong, and the text says which, and what would be right. Others: the address can't be
    /// listened on.
    pub fn bind(self, config: Config) -> io::Result<Bound<A, R, P>> {
        let address = config.listen;
        let listener = TcpListener::bind(address)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
        let local = listener.local_addr()?;
        let mut bound = self.prepare(config)?;
        bound.listener = Some((Async::new(listener)?, local));
        if !local.ip().is_loopback() && bound.parts.endpoint.guard.is_open() {
            log::warn!(
                "{local} can be reached from other machines, and no token is set: everyone on the network may use the \
                 tools. Set a token (--token, SMOL_MCP_TOKEN, Config::token), or listen on 127.0.0.1."
            );
        }
        Ok(bound)
    }

    // Everything but the listener.
    fn prepare(mut self, config: Config) -> io::Result<Bound<A, R, P>> {
        let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
        let heap = heap(&config).map_err(invalid)?;
        let base = config.public_base.as_deref().map(PublicBase::parse).transpose();
        let base = base.map_err(|error| invalid(error.to_string()))?;
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let guard = Guard::new(&GuardOptions {
            allow_hosts: config.allow_hosts,
            allow_origins: config.allow_origins,
            tokens: config.tokens,
            host_name: Some(name),
            public_base: base.as_ref(),
        });
        let guard = guard.map_err(|error| invalid(error.to_string()))?;
        introduce::check(&self.identity).map_err(invalid)?;
        let shares = Shares::new(config.connections_per_address, &config.trusted_proxies).map_err(invalid)?;
        let key_file = config.key_file.map(|path| KeyFile::open(&path, random_key)).transpose();
        let key_file = key_file.map_err(|error| io::Error::new(error.kind(), format!("the key file: {error}")))?;
        let key = self.key.or(key_file.as_ref().map(|file| file.key)).map_or_else(random_key, Ok)?;
        self.identity.public = guard.is_open();
        let endpoint = Endpoint {
            guard,
            key: Key::new(key),
            catalog: Catalog::of::<App<A, R, P>>(),
            public_path: base.as_ref().map_or(String::new(), |base| base.prefix().to_owned()),
            http_sse: config.http_sse,
            lenient_version_header: config.lenient_version_header,
            session_age_max_s: SESSION_RESTORE_AGE_MAX_S,
        };
        Ok(Bound {
            parts: Parts {
                app: self.app,
                identity: self.identity,
                endpoint,
                on_client: self.on_client,
                commands: self.commands,
                shares,
                key_file,
                idle_timeout_ms: config.idle_timeout_ms,
                tool_timeout_ms: config.tool_timeout_ms,
            },
            heap,
            listener: None,
            handle: self.handle,
        })
    }
}

fn random_key() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|error| io::Error::other(format!("the system gives no random bytes: {error}")))?;
    Ok(key)
}

// The capacities, checked.
fn heap(config: &Config) -> Result<Heap, String> {
    let connections = config.connections;
    let streams_max = connections.saturating_sub(CONNECTIONS_FOR_CALLS_MIN);
    if !(CONNECTIONS_FOR_CALLS_MIN + 1..=65_535).contains(&connections) {
        return Err(format!("connections: expected 3 to 65535, got {connections}"));
    }
    let streams = config.streams.unwrap_or(limits::STREAMS_DEFAULT.min(streams_max));
    if !(1..=streams_max).contains(&streams) {
        return Err(format!(
            "streams: expected 1 to {streams_max}, as {connections} connections leave at least two for calls; got {streams}"
        ));
    }
    for (name, value, most) in [
        ("calls", config.calls, 1024),
        ("sessions", config.sessions, 65_535),
        ("body_bytes", config.body_bytes, 1 << 30),
    ] {
        if !(1..=most).contains(&value) {
            return Err(format!("{name}: expected 1 to {most}, got {value}"));
        }
    }
    let request_bytes = HEAD_BYTES_MAX + config.body_bytes + CHUNKED_SLACK_BYTES;
    // Where an address has 32 bits, these two can be more than there are.
    if request_bytes.checked_mul(config.calls + RESERVED_BUFFERS).is_none() {
        return Err(format!(
            "body_bytes: {} for each of {} calls is more than this machine can address; lower one of them",
            config.body_bytes, config.calls
        ));
    }
    Ok(Heap { connections, streams, sessions: config.sessions, calls: config.calls, request_bytes })
}

/// A server that listens, and is not running yet.
pub struct Bound<A, R = NoResources, P = NoPrompts> {
    parts: Parts<App<A, R, P>>,
    heap: Heap,
    listener: Option<(Async<TcpListener>, SocketAddr)>,
    handle: Handle,
}

struct Parts<A> {
    app: A,
    identity: Identity,
    endpoint: Endpoint,
    on_client: Option<OnClient>,
    commands: Commands,
    shares: Shares,
    key_file: Option<KeyFile>,
    idle_timeout_ms: u64,
    tool_timeout_ms: u64,
}

impl<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>> Bound<A, R, P> {
    /// The address that it listens on: with port 0 in the configuration, the one that was given.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.as_ref().map(|(_, local)| *local)
    }

    /// The way to the server once it runs, from anywhere.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves until [`Handle::shutdown`]. All of the application's code runs in this future.
    ///
    /// # Errors
    /// None today: what can fail has failed in [`Server::bind`].
    pub async fn run(self) -> io::Result<()> {
        let Self { parts, heap, listener, .. } = self;
        let listener = listener.map(|(listener, _)| listener);
        run(parts, &heap, listener, Clock::machine()).await
    }

    /// As [`run`](Self::run), in memory that the program brings; its capacities are those of the storage.
    ///
    /// # Errors
    /// `ResourceBusy` while another server runs in that storage.
    pub async fn run_in<const C: usize, const S: usize, const N: usize, const B: usize, const Q: usize>(
        self,
        storage: &Storage<C, S, N, B, Q>,
    ) -> io::Result<()> {
        let Self { parts, listener, .. } = self;
        let listener = listener.map(|(listener, _)| listener);
        run(parts, storage, listener, Clock::machine()).await
    }
}

async fn run<A: Application>(
    parts: Parts<A>,
    memory: &impl Memory,
    listener: Option<Async<TcpListener>>,
    clock: Clock,
) -> io::Result<()> {
    let busy = || io::Error::new(io::ErrorKind::ResourceBusy, "another server runs in this storage");
    let mut guard = memory.take().ok_or_else(busy)?;
    let Views { conns, streams, sessions, requests, answers, ring, uris } = guard.lend();
    let buffers = requests.len();
    let connections = conns.len();
    let ready = Ready::new(WORKERS + buffers + connections);
    let request_bytes = requests.first().map_or(0, |request| request.len());
    let commands = parts.commands;
    let core = Core {
        app: parts.app,
        identity: parts.identity,
        endpoint: parts.endpoint,
        limits: http::Limits {
            head_bytes_max: HEAD_BYTES_MAX,
            target_bytes_max: TARGET_BYTES_MAX,
            headers_max: HEADERS_MAX,
            body_bytes_max: request_bytes.saturating_sub(HEAD_BYTES_MAX + CHUNKED_SLACK_BYTES),
        },
        shares: parts.shares.of(connections),
        idle_timeout_ms: parts.idle_timeout_ms,
        tool_timeout_ms: parts.tool_timeout_ms,
        on_client: parts.on_client,
        now_ms: Cell::new(0),
        unix_s: Cell::new(0),
        date: Cell::new(None),
        conns: RefCell::new(Conns::new(conns)),
        streams: RefCell::new(Streams::new(streams)),
        sessions: RefCell::new(Table::new(sessions)),
        hub: RefCell::new(Hub::new(ring, uris)),
        workers: (0..buffers)
            .map(|index| WorkerSlot { reserved: index + RESERVED_BUFFERS >= buffers, ..WorkerSlot::default() })
            .collect(),
        queue: RefCell::new(VecDeque::with_capacity(connections)),
        wakers: (0..WORKERS + buffers + connections).map(|bit| ready.waker(bit)).collect(),
        ready,
        scratch: RefCell::new(vec![0; EVENT_BYTES_MAX]),
        early_cancels: RefCell::new(heapless::Deque::new()),
        numbers: Numbers::new(),
        stopping: Cell::new(false),
        hasher: RandomState::new(),
    };
    let core = &core;
    if let Some(file) = &parts.key_file {
        core.sessions.borrow_mut().remember_ended(&file.ended);
    }
    // Each future is made in its place on the heap.
    let workers = requests.into_iter().zip(answers).enumerate();
    let workers = workers.map(|(index, (rx, tx))| Box::pin(async move { Worker { core, index }.run(rx, tx).await }));
    let workers = workers.collect();
    commands.attach(core.waker(COMMANDS).clone());
    for bit in [LISTENER, COMMANDS, TICK] {
        core.ready.set(bit);
    }
    (0..buffers).for_each(|index| core.wake_worker(index));
    let mut engine =
        Engine { core, workers, listener, commands: &commands, clock, accept_after_ms: 0, ticked: false, end_ms: None };
    poll_fn(|cx| engine.poll(cx)).await;
    core.end_all_streams();
    if let Some(file) = parts.key_file {
        file.keep(core.sessions.borrow().ended());
    }
    Ok(())
}
