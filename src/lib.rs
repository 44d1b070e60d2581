//! An MCP server for small Linux devices: one thread, fixed memory, every protocol revision on one port.
//!
//! ```no_run
//! use smol_mcp::{Call, Config, Server, ToolResult, args, tools};
//!
//! args! {
//!     struct Greet {
//!         /// Whom to greet.
//!         name: String,
//!     }
//! }
//!
//! struct App;
//!
//! tools! {
//!     impl App {
//!         /// Greets somebody.
//!         #[read_only]
//!         async fn greet(&self, call: &mut Call<'_>, args: Greet) -> ToolResult {
//!             call.reply(format_args!("Hello, {}!", args.name)).await
//!         }
//!     }
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     smol_mcp::block_on(Server::new("greeter", "1.0.0", App).serve(Config::default()))
//! }
//! ```
//!
//! # In scope
//! The tools, resources and prompts of an application, served by HTTP to clients of MCP 2024-11-05 (HTTP+SSE), 2025-03-26, 2025-06-18, 2025-11-25
//! (Streamable HTTP with sessions) and 2026-07-28 (stateless), on one port; completion, progress, cancellation, change notifications and
//! log messages; input from the client (elicitation, sampling, roots), and its user's confirmation; streams and calls that are resumed (2025
//! revisions); tasks (the extension of 2026-07-28); Host, Origin, CORS; bearer tokens with names and scopes, access tokens of an OAuth
//! authorization server, or the application's own check; rates and an audit ring; a fixed number of everything.
//!
//! # Out of scope
//! TLS (a proxy or tunnel terminates it), an OAuth authorization server, HTTP/2, stdio, the tasks of 2025-11-25, Windows, `no_std`.
//!
//! # The map
//! Arrows point down only; `tests/tidy.rs` holds them.
//!
//! ```text
//!   server     sockets, clock, tasks: accept, slots, workers, streams, housekeeping; Server, Config, Storage, Handle;
//!              the plan of the memory, and its sum: MemoryBudget
//!   endpoint   an HTTP request -> Answer | Job | Listen | Open: the decision table of the five revisions
//!   guard      who may come in: Host, Origin, token          mcp   what the protocol's methods answer
//!   oauth      access tokens that others have signed, and the metadata by which clients find those
//!   tasks      calls that outlive their request: their table, and what they ask
//!   app        the face for authors: args!, tools!, resources!, prompts!
//!   outlet     an answer on its way out through one buffer   hub   the ring of events, and who wants them
//!   http       decoder, questions to a head, response heads  rpc   the JSON-RPC envelope    session  signed ids, the table
//!   json       scanner, views, writer, typed access          sse   framing of event streams
//!   pool       slots that are not touched before they are needed   since  ages in few bytes   rate  how often
//!   limits     every number
//! ```
//!
//! # Invariants
//! - Everything but `server` is pure: bytes in, decisions out; no socket, no clock, no task.
//! - Nothing grows: every table, queue and buffer has a capacity that is fixed when the server starts.
//! - No byte from the network can panic; a handler's panic ends its own call. There is no `unsafe`.
//! - The library starts no thread (where async-io waits for something, that keeps one, asleep), installs no logger and no signal handler, and
//!   never blocks on a future: it gives one to run, by [`block_on`] or any other executor.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

// The macros name the crate from outside; its own tests use them too.
extern crate self as smol_mcp;

pub use heapless;

pub use app::{
    Annotations, App, Application, Arg, AsyncCheck, Binary, Call, Capability, Check, Completing, CompletionText,
    Content, ContentAnnotations, Data, Denied, Done, Elicit, ElicitJson, ElicitUrl, Elicited, Failure, Field, Icon,
    InputError, ListRoots, NoCheck, NoPrompts, NoRange, NoResources, Numbers, Prompt, PromptResult, Prompting, Prompts,
    PromptsOf, Questions, ReadResult, Reading, Resource, ResourceLink, Resources, ResourcesOf, Role, Root, Roots,
    Sample, Sampled, Sampling, Schema, SyncCheck, TaskSupport, Tool, ToolError, ToolResult, Tools, Trace, Variant,
    Visit, WithPrompts, WithResources,
};
pub use guard::Token;
pub use oauth::{Issuer, OAuth};
pub use rate::Rate;
pub use server::{
    AuditEntry, AuditOutcome, Bound, BudgetRow, ClientEvent, ClientInfo, ClientLogger, Config, Duplex, Handle,
    MemoryBudget, Message, Readable, Server, Storage, block_on, stats, testing,
};
pub use session::{LogLevel, Principal, Revision};
pub use stats::Stats;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[doc(hidden)]
pub use app::private as __private;

pub mod limits;

mod app;
mod endpoint;
mod guard;
mod http;
mod hub;
mod json;
mod mcp;
mod oauth;
mod outlet;
mod pool;
mod rate;
mod rpc;
mod server;
mod session;
mod since;
mod sse;
mod tasks;
