//! How a server is set up.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::storage::Heap;
use crate::limits::{
    self, CALLS_MAX, CHUNKED_SLACK_BYTES, CONNECTIONS_FOR_CALLS_MIN, HEAD_BYTES_MAX, INPUTS_MAX, PLACES_MAX,
    RESERVED_BUFFERS, TASKS_MAX,
};

/// How a server is set up: where it listens, who may come in, and how much it holds.
///
/// The default listens on `127.0.0.1:8000`, lets in this machine alone, and holds what a household needs.
#[derive(Clone)]
pub struct Config {
    pub(super) listen: SocketAddr,
    pub(super) tokens: Vec<String>,
    pub(super) allow_origins: Vec<String>,
    pub(super) allow_hosts: Vec<String>,
    pub(super) public_base: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) connections: usize,
    pub(super) connections_per_address: Option<usize>,
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
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            tokens: Vec::new(),
            allow_origins: Vec::new(),
            allow_hosts: Vec::new(),
            public_base: None,
            key_file: None,
            connections: limits::CONNECTIONS_DEFAULT,
            connections_per_address: None,
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
        }
    }
}

impl Config {
    /// The default configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// The address to listen on. Beyond loopback, set a [`token`](Self::token) as well.
    #[must_use]
    pub fn listen(self, listen: SocketAddr) -> Self {
        Self { listen, ..self }
    }

    /// Asks every request for this bearer token (or for one of several).
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.tokens.push(token.into());
        self
    }

    /// Lets pages of this origin (`https://app.example`) use the server from a browser. `*` lets in every page: only with
    /// a token, or for a server whose tools anyone may use.
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
    /// readable by its owner alone. Two servers that use the same file know each other's sessions.
    #[must_use]
    pub fn key_file(self, path: impl Into<PathBuf>) -> Self {
        Self { key_file: Some(path.into()), ..self }
    }

    /// Connections at once. A client uses two or three.
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// Connections of one address at once, so that one machine can't keep all others out; half of all by default. An IPv6 household (/64)
    /// counts as one address. This machine, and the [`trusted_proxy`](Self::trusted_proxy), are not counted.
    #[must_use]
    pub fn connections_per_address(self, connections: usize) -> Self {
        Self { connections_per_address: Some(connections), ..self }
    }

    /// The address (`192.0.2.7`) or network (`10.0.0.0/8`) of a proxy behind which many clients come by one address: it is not held to
    /// what one address may have. May be repeated; proxies on this machine need not be named.
    #[must_use]
    pub fn trusted_proxy(mut self, address: impl Into<String>) -> Self {
        self.trusted_proxies.push(address.into());
        self
    }

    /// Calls that run at once; each has a request buffer and a transmit buffer.
    #[must_use]
    pub fn calls(self, calls: usize) -> Self {
        Self { calls, ..self }
    }

    /// Streams open at once; fewer than connections, or else as many as leave two for calls.
    #[must_use]
    pub fn streams(self, streams: usize) -> Self {
        Self { streams: Some(streams), ..self }
    }

    /// Sessions alive at once. One that made room for another is restored when its client is heard again.
    #[must_use]
    pub fn sessions(self, sessions: usize) -> Self {
        Self { sessions, ..self }
    }

    /// Bytes of a request body; a larger one is refused with 413.
    #[must_use]
    pub fn body_bytes(self, body_bytes: usize) -> Self {
        Self { body_bytes, ..self }
    }

    /// Tasks at once, running or kept for their results: at most 64. None cost anything where no tool runs as a task; with 0 the extension is
    /// not offered, and those tools run as plain calls.
    #[must_use]
    pub fn tasks(self, tasks: usize) -> Self {
        Self { tasks, ..self }
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
    pub fn inputs(self, inputs: usize) -> Self {
        Self { inputs, ..self }
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

    /// The capacities, checked.
    ///
    /// # Errors
    /// Which is wrong, and what would be right.
    pub(super) fn heap(&self, has_tasks: bool) -> Result<Heap, String> {
        let connections = self.connections;
        let streams_max = connections.saturating_sub(CONNECTIONS_FOR_CALLS_MIN);
        if !(CONNECTIONS_FOR_CALLS_MIN + 1..=PLACES_MAX).contains(&connections) {
            return Err(format!("connections: expected 3 to {PLACES_MAX}, got {connections}"));
        }
        let streams = self.streams.unwrap_or(limits::STREAMS_DEFAULT.min(streams_max));
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
        let request_bytes = HEAD_BYTES_MAX + self.body_bytes + CHUNKED_SLACK_BYTES;
        // Where an address has 32 bits, these two can be more than there are.
        if request_bytes.checked_mul(self.calls + RESERVED_BUFFERS).is_none() {
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
        let (sessions, calls, inputs) = (self.sessions, self.calls, self.inputs);
        let tasks = if has_tasks { self.tasks } else { 0 };
        Ok(Heap { connections, streams, sessions, calls, inputs, request_bytes, tasks })
    }
}
