//! smol-mcp: skeleton. The map is written as the house is built.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod limits;

mod json;
mod http;
mod guard;
mod sse;
mod session;
mod app;
