//! smol-mcp: skeleton. The map is written as the house is built.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

// The macros name the crate from outside; its own tests use them too.
extern crate self as smol_mcp;

pub use heapless;

pub use app::{Annotations, Arg, Call, Done, Field, NoRange, Schema, Tool, ToolError, ToolResult, Tools, Variant};

#[doc(hidden)]
pub use app::private as __private;

pub mod limits;

mod json;
mod http;
mod guard;
mod session;
mod app;
