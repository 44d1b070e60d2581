//! smol-mcp: skeleton. The map is written as the house is built.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

// The macros name the crate from outside; its own tests use them too.
extern crate self as smol_mcp;

pub use heapless;
pub use smol::block_on;

pub use app::{Annotations, Arg, Call, Done, Field, NoRange, Schema, Tool, ToolError, ToolResult, Tools, Variant};
pub use server::{Bound, ClientEvent, ClientInfo, Config, Duplex, Handle, Message, Server, Storage, testing};
pub use session::{LogLevel, Revision};

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
mod outlet;
mod rpc;
mod server;
mod session;
mod sse;
