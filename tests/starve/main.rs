//! Buffers can't be starved: whoever sends slowly, reads slowly, or lets calls wait for an answer, in any number, leaves room for the next call, and
//! for what frees others.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the figures are to be read")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is all tests")]

#[path = "../support/mod.rs"]
mod support;

mod attack;
mod house;
mod rates;

use std::time::Duration;

use smol_mcp::limits::{QUEUE_TIMEOUT_MS, RETRY_AFTER_S};

use attack::{Attack, Kind};
use house::House;

/// How long a request may take to be served in whatever siege: the time that one waits for a buffer before it is refused. One that is refused, as
/// the house is full, comes again at once.
const BOUND: Duration = Duration::from_millis(QUEUE_TIMEOUT_MS);
const _: () = assert!(RETRY_AFTER_S as u64 * 1000 <= QUEUE_TIMEOUT_MS);

/// More than there are buffers and connections.
const MANY: usize = 40;

// Buffers and connections are taken by these when the good client comes.
fn siege(kinds: &[(Kind, usize)], askers: usize) {
    let house = House::start();
    let mut waiting = house.askers(askers);
    let attacks: Vec<Attack> =
        kinds.iter().map(|(kind, number)| Attack::begin(*kind, *number, house.address)).collect();
    // Long enough for those who come first to have all there is, and not so long that they have lost it.
    std::thread::sleep(Duration::from_millis(1_200));
    for round in 0..2 {
        house.must_serve_calls(&format!("{kinds:?}, round {round}"));
        house.must_serve_what_frees(&format!("{kinds:?}, round {round}"));
        if let Some(asker) = waiting.pop() {
            house.must_take_answer(asker, &format!("{kinds:?}, round {round}"));
        }
    }
    drop(attacks);
}

#[test]
fn slow_heads() {
    siege(&[(Kind::Heads, MANY)], 1);
}

#[test]
fn slow_bodies() {
    siege(&[(Kind::Bodies, MANY)], 1);
}

#[test]
fn bodies_that_stop_short_of_their_end() {
    siege(&[(Kind::Short, MANY)], 1);
}

#[test]
fn readers_that_stop() {
    siege(&[(Kind::Readers, MANY)], 1);
}

#[test]
fn readers_of_2024_that_stop() {
    siege(&[(Kind::Streams, MANY)], 1);
}

#[test]
fn readers_of_lists_and_pings_that_stop() {
    siege(&[(Kind::Pings, MANY)], 1);
}

#[test]
fn calls_that_wait_for_answers() {
    siege(&[], 6);
}

#[test]
fn all_at_once() {
    let kinds = [Kind::Heads, Kind::Bodies, Kind::Short, Kind::Readers, Kind::Streams, Kind::Pings];
    siege(&kinds.map(|kind| (kind, 12)), 6);
}
