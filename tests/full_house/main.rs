//! A full house: every table, queue and buffer at its capacity, over real sockets. Full is an ordinary case with a
//! written policy, and nobody is locked out.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod connections;
mod resume;
mod sessions;
mod storms;
mod streams;
