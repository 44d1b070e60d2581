//! What goes wrong around a server, made to go wrong: nothing of it ends the server, none of its clients suffers for another, and when it is over
//! every file, slot and buffer is back.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "this is all tests")]

#[path = "../../examples/common/mod.rs"]
mod common;
#[path = "../support/mod.rs"]
mod support;

mod app;
mod beside;
mod child;
mod clocks;
mod duplex;
mod files;
mod handlers;
mod keys;
mod resets;
mod signals;
mod stalls;
mod stdio;
