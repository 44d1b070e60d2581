//! What the tests of the rim share: blocking clients over real sockets, and a server on a thread of its own.
#![allow(dead_code, reason = "shared by path: each test uses a part of it")]

pub(crate) mod board;
pub(crate) mod client;
pub(crate) mod example;
pub(crate) mod machine;
pub(crate) mod server;
pub(crate) mod wire;

use std::time::{Duration, Instant};

/// The longest that a test waits for one thing to happen: it bounds the test, and measures nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Tries again until there is something, for what happens soon and tells nobody.
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
