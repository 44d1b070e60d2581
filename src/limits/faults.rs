//! The limits of what goes wrong: accepting, pauses, handlers that do not wait.

/// Calls of `accept` for each time that somebody is there, of which one gives a newcomer, and all others an error: others get their share.
pub const ACCEPTS_PER_KNOCK: usize = 8;

/// Sockets of which one look at all of them tells; more are told of by the next. On the stack, 12 to 16 bytes each.
pub const SOCKET_EVENTS_PER_LOOK: usize = 64;

/// Milliseconds to wait when accepting fails for want of files or memory.
pub const ACCEPT_BACKOFF_MS: u64 = 100;

/// Newcomers in a row that were gone before they were accepted, after which there is a pause: they may come from an error that stays.
pub const ACCEPTS_IN_VAIN_MAX: u32 = 64;

/// Files that a server needs beside its connections: its own, the application's, and what the program had before.
pub const FILES_BESIDE_CONNECTIONS: u64 = 16;

/// Milliseconds that a look at the clock may come late and still be counted: what goes beyond is time in which the server did not run. No longer, so
/// that nobody has been slow for want of being looked at; a clock that is late itself on a loaded board makes all deadlines a little longer.
pub const PAUSE_MIN_MS: u64 = 250;
const _: () = assert!(super::TICK_MS as u64 + PAUSE_MIN_MS < super::HEAD_GRACE_MS, "a step is less than any deadline");

/// Steps of a handler (a piece that is written, a progress that is told) after which others get their turn, where it did not wait in between.
pub const TURN_STEPS: u8 = 128;

/// Files that [`block_on`](crate::block_on) waits for itself: two of each server that runs by it. Those of more servers are waited for by async-io.
pub const PARKED_FILES_MAX: usize = 8;

/// Milliseconds that [`block_on`](crate::block_on) sleeps where the kernel has no memory to wait for files.
pub const PARK_AGAIN_MS: u64 = 10;
