//! Input from the client, over real sockets: answers that come, that do not, and clients that go.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../support/mod.rs"]
mod support;

mod again;
mod answers;
mod ends;
mod house;
mod once;
mod resumed;
