//! A server of few slots, and random clients that do everything clients do: well, badly, in pieces, slowly, and not at all.
//! Without sockets and with a clock of its own, so that a seed is a whole story: each failure prints its seed, and
//!
//! ```text
//! SIMULATION_SEED=7 SIMULATION_STEPS=1000000 cargo test --release --test simulation -- --nocapture
//! ```
//! tells it again. What must hold, whatever happens:
//! - an answer answers the request that it follows, on the connection where that was sent;
//! - a session that was not ended by its client is found, however many others came since;
//! - a message to one client is seen by no other;
//! - what the server counts adds up: what began has ended in one way, or goes on;
//! - when all clients are gone, every slot can be had again: of connections, calls, streams and sessions.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the seed is to be read")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../support/mod.rs"]
mod support;

mod counts;
mod house;
mod peer;
mod random;
mod world;

use std::env;

use counts::{must_add_up, must_be_at_rest};
use random::Random;
use world::World;

/// Steps of a plain `cargo test`: some seconds. CI runs a million.
const STEPS: u64 = 40_000;
/// Steps between two looks whether every slot came back.
const STEPS_PER_EPOCH: u64 = 2_000;
/// Steps between two looks whether what was counted adds up.
const STEPS_PER_LOOK: u64 = 20;

#[test]
fn whatever_clients_do() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let steps = number("SIMULATION_STEPS").unwrap_or(STEPS);
    let first = number("SIMULATION_SEED").unwrap_or(1);
    let mut done = 0;
    for seed in first.. {
        if done >= steps {
            break;
        }
        println!("# seed {seed}, after {done} steps");
        let mut world = World::new(Random::new(seed));
        for _ in 0..10 {
            (0..STEPS_PER_EPOCH).for_each(|step| {
                world.step();
                if step % STEPS_PER_LOOK == 0 {
                    must_add_up(&world.stats());
                }
            });
            world.empty_and_look();
            must_be_at_rest(&world.stats());
            done += STEPS_PER_EPOCH;
        }
        println!("# {}", world.tally());
    }
}
