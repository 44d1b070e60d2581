//! The rim: the only sockets, clock and tasks of the crate.
//!
//! ```text
//!   accept ──→ conns (slots) ──bytes──→ worker (buffers) ──→ endpoint decides ──→ calls, drive ──→ the socket
//!                 ↑  └ idle, polled by the engine ┘                 └──→ streams (slots) ←── hub, handle
//!                                                                      └──→ runners (tasks)
//!   tick ──→ house (deadlines)
//! ```
//! One future ([`Bound::run`]) polls all of it; see `engine`.

mod accept;
mod access;
mod admit;
mod afford;
mod announce;
mod audit;
mod batch;
mod budget;
mod calls;
mod clients;
mod clock;
mod config;
mod conns;
mod core;
mod drive;
mod engine;
mod events;
mod handle;
mod handler;
mod house;
mod inputs;
mod introduce;
mod key_file;
mod lease;
mod listen;
mod log_bridge;
mod look;
mod names;
mod notices;
mod oauth;
mod open;
mod park;
mod peek;
mod peeked;
mod peers;
mod plan;
mod queue;
mod rates;
mod readable;
mod ready;
mod refuse;
mod resume;
mod room;
mod runner;
mod secret_file;
mod socket;
mod sockets;
mod start;
mod storage;
mod stream_table;
mod streams;
mod tasks;
#[cfg(test)]
mod tests_admission;
#[cfg(test)]
mod tests_budget;
#[cfg(test)]
mod tests_inputs;
#[cfg(test)]
mod tests_peek;
#[cfg(test)]
mod tests_room;
mod tick;
mod times;
mod token_file;
mod vacancy;
mod waited;
mod worker;

pub mod stats;
pub mod testing;

pub use audit::{AuditEntry, AuditOutcome};
pub use budget::{BudgetRow, MemoryBudget};
pub use clients::{ClientEvent, ClientInfo};
pub use config::Config;
pub use handle::{Handle, Message};
pub use log_bridge::ClientLogger;
pub use park::block_on;
pub use readable::Readable;
pub use socket::Duplex;
pub use storage::Storage;

use std::borrow::Cow;
use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use self::admit::Shares;
use self::audit::Audit;
use self::clock::Clock;
use self::core::OnClient;
use self::handle::Commands;
use self::key_file::KeyFile;
use self::listen::{Listening, adopt, listen_on};
use self::oauth::KeepKeys;
use self::plan::{Offer, Settings};
use self::start::run;
use self::storage::Heap;
use crate::app::{
    App, Application, Catalog, Check, Identity, NoCheck, NoPrompts, NoResources, Prompts, PromptsOf, Resources,
    ResourcesOf, Tools, WithPrompts, WithResources,
};
use crate::endpoint::Endpoint;
use crate::guard::{Guard, GuardOptions, PublicBase};
use crate::limits::SESSION_RESTORE_AGE_MAX_S;
use crate::rate::Rates;
use crate::rpc::KeptRequests;
use crate::session::{Key, RANDOM_BYTES, Seen};
use crate::tasks::Lives;

/// An MCP server: an application's tools, resources and prompts, and what the server says of itself.
///
/// `Server<Board>` is one with the tools of a `Board`; [`resources`](Self::resources) and [`prompts`](Self::prompts) make the rest of it known.
pub struct Server<A, R = NoResources, P = NoPrompts, H = NoCheck> {
    app: App<A, R, P, H>,
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

impl<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>, H: Check<A>> Server<A, R, P, H> {
    /// Serves the application's resources too.
    #[must_use]
    pub fn resources(self) -> Server<A, WithResources, P, H>
    where
        A: Resources,
    {
        self.with(App::with)
    }

    /// Serves the application's prompts too.
    #[must_use]
    pub fn prompts(self) -> Server<A, R, WithPrompts, H>
    where
        A: Prompts,
    {
        self.with(App::with)
    }

    fn with<R2, P2, H2>(self, more: impl FnOnce(App<A, R, P, H>) -> App<A, R2, P2, H2>) -> Server<A, R2, P2, H2> {
        let Self { app, identity, handle, commands, on_client, key } = self;
        Server { app: more(app), identity, handle, commands, on_client, key }
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
    pub fn bind(self, config: Config) -> io::Result<Bound<A, R, P, H>> {
        let address = config.listen;
        let listener = listen_on(address)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
        self.bind_to(listener, config)
    }

    /// As [`bind`](Self::bind), on a socket that listens already: that of a service manager (socket activation), where clients wait while the server
    /// starts, and starts again. [`Config::listen`] is not looked at. The kernel's buffers are set for who comes from now on; who opens the socket
    /// sets them for who comes earlier (`ReceiveBuffer=16K`, `SendBuffer=16K` and `NoDelay=true` in a systemd unit).
    ///
    /// # Errors
    /// As [`bind`](Self::bind); and `InvalidInput` where the socket does not listen.
    pub fn bind_to(self, listener: TcpListener, config: Config) -> io::Result<Bound<A, R, P, H>> {
        let local = adopt(&listener)?;
        accept::warn_of_few_files(config.connections);
        let mut bound = self.prepare(config)?;
        bound.listener = Some((Listening::new(listener)?, local));
        if bound.parts.endpoint.guard.is_open_to_pages() && bound.parts.endpoint.guard.is_open() {
            log::warn!(
                "every web page that somebody on this network opens may use the tools, as all origins are allowed and no token \
                 is set. Name the origins (--allow-origin https://app.example, Config::allow_origin), or set a token."
            );
        }
        if !local.ip().is_loopback() && bound.parts.endpoint.guard.is_open() {
            log::warn!(
                "{local} can be reached from other machines, and no token is set: everyone on the network may use the \
                 tools. Set a token (--token, SMOL_MCP_TOKEN, Config::token), or listen on 127.0.0.1."
            );
        }
        Ok(bound)
    }

    // Everything but the listener.
    fn prepare(self, config: Config) -> io::Result<Bound<A, R, P, H>> {
        let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
        let heap = Heap(config.checked(<App<A, R, P, H> as Application>::HAS_TASKS).map_err(invalid)?);
        self.check(&config).map_err(invalid)?;
        let offer = Offer::of::<App<A, R, P, H>>();
        let (max_memory, settings) = (config.max_memory, config.settings(offer));
        let base = config.public_base.as_deref().map(PublicBase::parse).transpose();
        let base = base.map_err(|error| invalid(error.to_string()))?;
        let file_tokens = config.token_file.as_deref().map(token_file::read_at_start).transpose()?;
        let name_shown = self.identity.title.as_deref().unwrap_or(&self.identity.name);
        let oauth = config.oauth.as_ref().map(|oauth| oauth.begin(base.as_ref(), name_shown)).transpose()?;
        let guard = Guard::new(&GuardOptions {
            allow_hosts: config.allow_hosts,
            allow_origins: config.allow_origins,
            tokens: config.tokens,
            file_tokens,
            is_checked: H::ASKS,
            oauth: oauth.as_ref().map(|oauth| oauth.protected.clone()),
            resource: oauth.as_ref().map(|oauth| &oauth.resource),
            host_name: Some(names::host_name(str::to_owned)),
            public_base: base.as_ref(),
        });
        let guard = guard.map_err(|error| invalid(error.to_string()))?;
        let catalog = Catalog { audit: config.audit.map(|audit| audit.resource), ..Catalog::of(&self.app) };
        let wrong_scopes = |name| invalid(format!("the scopes of {name:?} can't be scopes, or are too many"));
        catalog.check_scopes().map_err(wrong_scopes)?;
        let shares = Shares::new(config.connections_per_address, config.streams_per_address, &config.trusted_proxies);
        let shares = shares.map_err(invalid)?;
        let key_file = config.key_file.map(|path| KeyFile::open(&path, random_key)).transpose();
        let key_file = key_file.map_err(|error| io::Error::new(error.kind(), format!("the key file: {error}")))?;
        let key = self.key.or(key_file.as_ref().map(|file| file.key)).map_or_else(random_key, Ok)?;
        self.identity.settle(guard.is_open());
        let (told, keys) = oauth.map(|oauth| (oauth.told, oauth.keys)).unzip();
        let endpoint = Endpoint {
            guard,
            resource: told,
            rates: Rates::new(config.rates, offer.rated),
            key: Key::new(key),
            seen: Seen::new(),
            kept_requests: RefCell::new(KeptRequests::new()),
            catalog,
            public_path: base.as_ref().map_or(String::new(), |base| base.prefix().to_owned()),
            http_sse: config.http_sse,
            lenient_version_header: config.lenient_version_header,
            session_age_max_s: SESSION_RESTORE_AGE_MAX_S,
        };
        Ok(Bound {
            parts: Box::new(Parts {
                app: self.app,
                identity: self.identity,
                endpoint,
                on_client: self.on_client,
                commands: self.commands,
                shares,
                key_file,
                token_file: config.token_file,
                keys,
                idle_timeout_ms: config.idle_timeout_ms,
                tool_timeout_ms: config.tool_timeout_ms,
                input_timeout_ms: config.input_timeout_ms,
                audit: Audit::new(config.audit),
                task_lives: Lives { run_ms: config.task_timeout_ms, kept_ms: config.task_ttl_ms },
            }),
            heap,
            max_memory,
            settings,
            listener: None,
            handle: self.handle,
        })
    }

    // What can be said of the settings before anything is made of them.
    fn check(&self, config: &Config) -> Result<(), String> {
        self.afford(config)?;
        config.check_rates()?;
        config.check_audit(<App<A, R, P, H> as Application>::RESOURCES)?;
        introduce::check(&self.identity)
    }
}

/// Fresh random bytes, for what nobody must guess; `None` when the system has none.
fn random() -> Option<[u8; RANDOM_BYTES]> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).ok().map(|()| random)
}

fn random_key() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|error| io::Error::other(format!("the system gives no random bytes: {error}")))?;
    Ok(key)
}

/// A server that listens, and is not running yet.
pub struct Bound<A, R = NoResources, P = NoPrompts, H = NoCheck> {
    // Boxed, so that little is moved, and no stack is deep, until it runs.
    parts: Box<Parts<App<A, R, P, H>>>,
    heap: Heap,
    max_memory: Option<u64>,
    settings: Settings,
    listener: Option<(Listening, SocketAddr)>,
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
    token_file: Option<PathBuf>,
    keys: Option<Box<dyn KeepKeys>>,
    idle_timeout_ms: u64,
    tool_timeout_ms: u64,
    input_timeout_ms: u64,
    audit: Option<Audit>,
    task_lives: Lives,
}

impl<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>, H: Check<A>> Bound<A, R, P, H> {
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
        let mut listener = listener.map(|(listener, _)| listener);
        let clock = Clock::machine(listener.as_mut().and_then(|listening| listening.tick.take()));
        run(parts, &heap, listener, clock).await
    }

    /// As [`run`](Self::run), in memory that the program brings; its capacities are those of the storage.
    ///
    /// # Errors
    /// `ResourceBusy` while another server runs in that storage, `InvalidInput` where it is more than [`Config::max_memory`].
    pub async fn run_in<
        const C: usize,
        const S: usize,
        const N: usize,
        const B: usize,
        const Q: usize,
        const I: usize,
        const T: usize,
    >(
        self,
        storage: &Storage<C, S, N, B, Q, I, T>,
    ) -> io::Result<()> {
        self.afford_in(storage)?;
        let Self { parts, listener, .. } = self;
        let mut listener = listener.map(|(listener, _)| listener);
        let clock = Clock::machine(listener.as_mut().and_then(|listening| listening.tick.take()));
        run(parts, storage, listener, clock).await
    }
}
