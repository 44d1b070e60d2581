//! How a server is set up.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;

use super::audit::AuditSetting;
use super::budget::{Futures, MemoryBudget};
use super::oauth::{self, Setup};
use super::plan::{Capacities, Offer, Settings};
use crate::guard::Token;
use crate::limits::{
    self, CALLS_MAX, CHUNKED_SLACK_BYTES, CLIENT_NAMES_MAX, CONNECTIONS_FOR_CALLS_MIN, CONNECTIONS_MAX, HEAD_BYTES_MAX,
    INPUTS_MAX, PLACES_MAX, REFUSALS_MAX, RESERVED_BUFFERS, TASKS_MAX,
};
use crate::rate::RateLimits;

/// How a server is set up: where it listens, who may come in, and how much it holds.
///
/// The default listens on `127.0.0.1:8000`, lets in this machine alone, and holds what a household needs.
#[derive(Clone)]
pub struct Config {
    pub(super) listen: SocketAddr,
    pub(super) tokens: Vec<Token>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) oauth: Option<Setup>,
    pub(super) allow_origins: Vec<String>,
    pub(super) allow_hosts: Vec<String>,
    pub(super) public_base: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) connections: usize,
    pub(super) connections_per_address: Option<usize>,
    pub(super) streams_per_address: Option<usize>,
    pub(super) trusted_proxies: Vec<String>,
    pub(super) calls: usize,
    pub(super) streams: Option<usize>,
    pub(super) sessions: usize,
    pub(super) body_bytes: usize,
    pub(super) tasks: usize,
    pub(super) task_timeout_ms: u64,
    pub(super) task_ttl_ms: u64,
    pub(super) idle_timeout_ms: u64,
    pub(super) tool_timeout_ms: u64,
    pub(super) inputs: usize,
    pub(super) input_timeout_ms: u64,
    pub(super) http_sse: bool,
    pub(super) lenient_version_header: bool,
    pub(super) rates: RateLimits,
    pub(super) audit: Option<AuditSetting>,
    pub(super) max_memory: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// The default configuration.
    pub const fn new() -> Self {
        Self {
            listen: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8000)),
            tokens: Vec::new(),
            token_file: None,
            oauth: None,
            allow_origins: Vec::new(),
            allow_hosts: Vec::new(),
            public_base: None,
            key_file: None,
            connections: limits::CONNECTIONS_DEFAULT,
            connections_per_address: None,
            streams_per_address: None,
            trusted_proxies: Vec::new(),
            calls: limits::CALLS_DEFAULT,
            streams: None,
            sessions: limits::SESSIONS_DEFAULT,
            body_bytes: limits::BODY_BYTES_DEFAULT,
            tasks: limits::TASKS_DEFAULT,
            task_timeout_ms: limits::TASK_TIMEOUT_MS_DEFAULT,
            task_ttl_ms: limits::TASK_TTL_MS_DEFAULT,
            idle_timeout_ms: limits::IDLE_TIMEOUT_MS_DEFAULT,
            tool_timeout_ms: limits::TOOL_TIMEOUT_MS_DEFAULT,
            inputs: limits::INPUTS_DEFAULT,
            input_timeout_ms: limits::INPUT_TIMEOUT_MS_DEFAULT,
            http_sse: true,
            lenient_version_header: false,
            rates: RateLimits::DEFAULT,
            audit: None,
            max_memory: None,
        }
    }

    /// The address to listen on. Beyond loopback, set a [`token`](Self::token) as well.
    #[must_use]
    pub fn listen(self, listen: SocketAddr) -> Self {
        Self { listen, ..self }
    }

    /// Asks every request for this bearer token (or for one of several). Who brings it may do everything; [`access`](Self::access) is for those
    /// who may not.
    #[must_use]
    pub fn token(self, token: impl AsRef<str>) -> Self {
        self.access(Token::new(token))
    }

    /// Lets pages of this origin (`https://app.example`) use the server from a browser. May be repeated.
    ///
    /// `*` lets in every page, also those of files and sandboxes (`Origin: null`), with all headers, and without the credentials that browsers
    /// keep: only with a token, or for a server whose tools anyone may use. `Host` is checked all the same.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.allow_origins.push(origin.into());
        self
    }

    /// A further name (`name` or `name:port`) under which clients may address the server. Known without: loopback, the
    /// machine's own name, `<name>.local`, and the addresses it is reached at.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.allow_hosts.push(host.into());
        self
    }

    /// The URL under which a proxy publishes this server (`https://example.org/board`): its host is allowed, and its path
    /// stands in front of what 2024-11-05 clients are told to POST to.
    #[must_use]
    pub fn public_base(mut self, url: impl Into<String>) -> Self {
        self.public_base = Some(url.into());
        self
    }

    /// A file that keeps the secret of the session ids, so that clients go on with their sessions over a restart. It is made where it is not there,
    /// readable by its owner alone. Two servers that use the same file, or copies of it, know each other's sessions, but not what is live state:
    /// streams, log levels, subscriptions, tasks. Of a session that was ended at one, the other hears when both have started again with one file.
    #[must_use]
    pub fn key_file(self, path: impl Into<PathBuf>) -> Self {
        Self { key_file: Some(path.into()), ..self }
    }

    /// Connections at once. A client uses two or three.
    #[must_use]
    pub const fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Connections of one address at once, so that one machine can't keep all others out; half of all by default. An IPv6 household (/64)
    /// counts as one address. This machine, and the [`trusted_proxy`](Self::trusted_proxy), are not counted.
    #[must_use]
    pub fn connections_per_address(self, connections: usize) -> Self {
        Self { connections_per_address: Some(connections), ..self }
    }

    /// Streams of one address at once, so that one machine can't keep all others from listening; half of all by default. Addresses are
    /// counted as by [`connections_per_address`](Self::connections_per_address); behind a [`trusted_proxy`](Self::trusted_proxy), those that it
    /// names are.
    #[must_use]
    pub fn streams_per_address(self, streams: usize) -> Self {
        Self { streams_per_address: Some(streams), ..self }
    }

    /// The address (`192.0.2.7`) or network (`10.0.0.0/8`) of a proxy behind which many clients come by one address: it is not held to
    /// what one address may have, and is believed whom it names in `Forwarded` or `X-Forwarded-For`. So it must write one of these itself,
    /// and have nobody but clients in front of it. May be repeated.
    ///
    /// A proxy on this machine is not held to a share in any case. It is believed when it is named too: `127.0.0.1`.
    #[must_use]
    pub fn trusted_proxy(mut self, address: impl Into<String>) -> Self {
        self.trusted_proxies.push(address.into());
        self
    }

    /// Calls that run at once; each has a request buffer and a transmit buffer.
    #[must_use]
    pub const fn calls(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// Streams open at once; fewer than connections, or else as many as leave two for calls.
    #[must_use]
    pub const fn streams(mut self, streams: usize) -> Self {
        self.streams = Some(streams);
        self
    }

    /// Sessions alive at once. One that made room for another is restored when its client is heard again.
    #[must_use]
    pub const fn sessions(mut self, sessions: usize) -> Self {
        self.sessions = sessions;
        self
    }

    /// Bytes of a request body; a larger one is refused with 413.
    #[must_use]
    pub const fn body_bytes(mut self, body_bytes: usize) -> Self {
        self.body_bytes = body_bytes;
        self
    }

    /// Tasks at once, running or kept for their results: at most 64. None cost anything where no tool runs as a task; with 0 the extension is
    /// not offered, and those tools run as plain calls.
    #[must_use]
    pub const fn tasks(mut self, tasks: usize) -> Self {
        self.tasks = tasks;
        self
    }

    /// Milliseconds that a task may run before it fails, with the time that it waits for its client's answers; `u64::MAX` for ever.
    #[must_use]
    pub fn task_timeout_ms(self, task_timeout_ms: u64) -> Self {
        Self { task_timeout_ms, ..self }
    }

    /// Milliseconds that a task is kept after its end, for its client to come for the result. Once the client has read it, it is kept for half a
    /// minute at most.
    #[must_use]
    pub fn task_ttl_ms(self, task_ttl_ms: u64) -> Self {
        Self { task_ttl_ms, ..self }
    }

    /// Milliseconds that an idle keep-alive connection is kept.
    #[must_use]
    pub fn idle_timeout_ms(self, idle_timeout_ms: u64) -> Self {
        Self { idle_timeout_ms, ..self }
    }

    /// Milliseconds after which a running tool is dropped, and its call answered with an error.
    #[must_use]
    pub fn tool_timeout_ms(self, tool_timeout_ms: u64) -> Self {
        Self { tool_timeout_ms, ..self }
    }

    /// Questions to clients of older revisions that can be open at once; those of 2026-07-28 need no place. The calls that wait for an answer are
    /// also fewer than [`calls`](Self::calls) (or one).
    #[must_use]
    pub const fn inputs(mut self, inputs: usize) -> Self {
        self.inputs = inputs;
        self
    }

    /// Milliseconds that a call waits for its client's answer (elicitation, sampling, roots) in older revisions. The time limit of the tool stops
    /// meanwhile.
    #[must_use]
    pub fn input_timeout_ms(self, input_timeout_ms: u64) -> Self {
        Self { input_timeout_ms, ..self }
    }

    /// Whether 2024-11-05's own transport (HTTP+SSE) is served. It is, by default.
    #[must_use]
    pub fn http_sse(self, http_sse: bool) -> Self {
        Self { http_sse, ..self }
    }

    /// Lets a 2026-07-28 request through whose `MCP-Protocol-Version` header names a known older revision, which the
    /// specification forbids and some connectors send. Off by default.
    #[must_use]
    pub fn lenient_version_header(self, lenient_version_header: bool) -> Self {
        Self { lenient_version_header, ..self }
    }

    /// Bytes of memory that the server may take, by its [`memory_budget`](Self::memory_budget): the process' and the kernel's. A server whose
    /// capacities add up to more does not start, and says which of them to lower.
    #[must_use]
    pub const fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = Some(bytes);
        self
    }

    /// What a server with these settings can take of the machine's memory, but for the futures of its handlers and the list of
    /// its tools, which [`Server::memory_budget`](crate::Server::memory_budget) adds. Tasks are in it, which a server without a `#[task]` has no memory for.
    pub const fn memory_budget(&self) -> MemoryBudget {
        self.budget_with(Offer::UNKNOWN, None)
    }

    /// The same for a server of which more is known.
    pub(super) const fn budget_with(&self, offer: Offer, futures: Option<Futures>) -> MemoryBudget {
        MemoryBudget::of(self.capacities(offer.has_tasks), self.settings(offer), futures)
    }

    /// What the settings take beside the capacities, with an application that offers this.
    pub(super) const fn settings(&self, offer: Offer) -> Settings {
        let entries = if let Some(audit) = &self.audit { audit.entries } else { 0 };
        let bytes_per_stream = if self.oauth.is_some() { oauth::BYTES_PER_STREAM } else { 0 };
        Settings {
            bytes: self.settings_bytes(),
            bytes_per_stream,
            buckets: self.rates.buckets() + offer.rated,
            entries,
            listed_bytes: offer.listed_bytes,
        }
    }

    /// Event streams at once, said or not.
    pub(super) const fn streams_at_once(&self) -> usize {
        if let Some(streams) = self.streams {
            return streams;
        }
        let most = self.connections.saturating_sub(CONNECTIONS_FOR_CALLS_MIN);
        if limits::STREAMS_DEFAULT < most { limits::STREAMS_DEFAULT } else { most }
    }

    /// Bytes of the settings that are texts, of what is made of them, and of the machine's three names.
    const fn settings_bytes(&self) -> usize {
        // While a file of tokens is read, there are the new ones and the old ones, and its text.
        let tokens = match self.token_file {
            Some(_) => 2 * limits::TOKENS_MAX * size_of::<Token>() + limits::TOKEN_FILE_BYTES_MAX,
            None => 2 * self.tokens.as_slice().len() * size_of::<Token>(),
        };
        let oauth = match &self.oauth {
            Some(setup) => setup.bytes(),
            None => 0,
        };
        let mut bytes = 3 * limits::SETTING_BYTES + tokens + oauth;
        let lists = [&self.allow_origins, &self.allow_hosts, &self.trusted_proxies];
        let mut rest = lists.as_slice();
        while let Some((list, others)) = rest.split_first() {
            let mut texts = list.as_slice();
            while let Some((text, others)) = texts.split_first() {
                bytes = bytes.saturating_add(limits::SETTING_BYTES + text.len());
                texts = others;
            }
            rest = others;
        }
        bytes
    }

    /// The capacities, as they are.
    const fn capacities(&self, has_tasks: bool) -> Capacities {
        let (streams, clients) = (self.streams_at_once(), self.sessions.saturating_add(self.streams_at_once()));
        Capacities {
            connections: self.connections.saturating_add(REFUSALS_MAX),
            streams,
            sessions: self.sessions,
            names: if clients < CLIENT_NAMES_MAX { clients } else { CLIENT_NAMES_MAX },
            buffers: self.calls.saturating_add(RESERVED_BUFFERS),
            request_bytes: self.body_bytes.saturating_add(HEAD_BYTES_MAX + CHUNKED_SLACK_BYTES),
            inputs: self.inputs,
            tasks: if has_tasks { self.tasks } else { 0 },
        }
    }

    /// The capacities, checked.
    ///
    /// # Errors
    /// Which is wrong, and what would be right.
    pub(super) fn checked(&self, has_tasks: bool) -> Result<Capacities, String> {
        let connections = self.connections;
        let streams_max = connections.saturating_sub(CONNECTIONS_FOR_CALLS_MIN);
        if !(CONNECTIONS_FOR_CALLS_MIN + 1..=CONNECTIONS_MAX).contains(&connections) {
            return Err(format!("connections: expected 3 to {CONNECTIONS_MAX}, got {connections}"));
        }
        let streams = self.streams_at_once();
        if !(1..=streams_max).contains(&streams) {
            return Err(format!(
                "streams: expected 1 to {streams_max}, as {connections} connections leave at least two for calls; got {streams}"
            ));
        }
        for (name, value, most) in [
            ("calls", self.calls, CALLS_MAX),
            ("sessions", self.sessions, PLACES_MAX),
            ("body_bytes", self.body_bytes, 1 << 30),
        ] {
            if !(1..=most).contains(&value) {
                return Err(format!("{name}: expected 1 to {most}, got {value}"));
            }
        }
        let capacities = self.capacities(has_tasks);
        // Where an address has 32 bits, these two can be more than there are.
        if capacities.request_bytes.checked_mul(capacities.buffers).is_none() {
            return Err(format!(
                "body_bytes: {} for each of {} calls is more than this machine can address; lower one of them",
                self.body_bytes, self.calls
            ));
        }
        if self.inputs > INPUTS_MAX {
            return Err(format!("inputs: expected 0 to {INPUTS_MAX}, got {}", self.inputs));
        }
        if self.tasks > TASKS_MAX {
            return Err(format!("tasks: expected 0 to {TASKS_MAX}, got {}", self.tasks));
        }
        Ok(capacities)
    }
}
