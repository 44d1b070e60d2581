//! Answers of any length through the fixed transmit buffer, to a client that reads slowly: correct to the byte in every revision and framing, in
//! memory that does not grow, while others are served. And requests up to their limit.
#![allow(clippy::print_stdout, reason = "the figures are to be read")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../support/mod.rs"]
mod support;
mod torn;

#[path = "../memory/counting.rs"]
mod counting;

mod answers;
mod app;
mod bodies;
mod check;
mod forms;
mod lists;
mod slow;
mod structured;

use std::sync::{Mutex, MutexGuard, PoisonError};

use counting::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One at a time: they would count each other's server.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed leaves nothing behind that is wrong.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
