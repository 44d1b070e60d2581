//! The requests of all conversations, cut and changed at random, against the whole server without sockets.
//!
//! Every method and revision of `tests/conversations` is the stuff; bits are flipped, pieces deleted, repeated and swapped
//! between requests, numbers become extreme, headers and envelopes disagree, and all of it comes in pieces of any size, with
//! clients that close, break off, and stay. What must hold, whatever came:
//! - nothing panics but the tool and the check that are made to;
//! - what is sent is HTTP by the letter, its bodies and events are JSON by the letter, and the status fits them;
//! - no request is answered twice, and where the framing is in doubt (by a second reading of RFC 9112, `framing.rs`) the
//!   connection is closed and nothing behind is answered;
//! - a good request on a new connection is answered at once, with what it asked for.
//!
//! A seed is a whole story:
//!
//! ```text
//! MUTATION_SEED=7 MUTATION_CASES=1 cargo test --test conversations mutation -- --nocapture
//! ```

#[path = "../simulation/random.rs"]
mod random;

mod answers;
mod corpus;
mod framing;
mod house;
mod judge;
mod mutate;

use std::collections::BTreeMap;
use std::env;
use std::path::Path;

use house::House;
use random::Random;

/// Cases of a plain `cargo test`: some seconds. CI has more.
const CASES: u64 = 2_000;
/// A server takes this many, so that what one leaves behind meets the next.
const CASES_PER_SERVER: u64 = 50;

#[test]
fn whatever_is_sent() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let cases = number("MUTATION_CASES").unwrap_or(CASES);
    let first = number("MUTATION_SEED").unwrap_or(1);
    let books = corpus::books(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut tally = BTreeMap::<String, u64>::new();
    let mut done = 0;
    for seed in first.. {
        if done >= cases {
            break;
        }
        // What is printed is shown only when the test fails.
        println!("# seed {seed}, after {done} cases");
        let mut random = Random::new(seed);
        let book = &books[random.below(books.len())];
        let mut house = House::open(book, &books, random);
        for _ in 0..CASES_PER_SERVER.min(cases - done) {
            house.case(&mut tally);
            done += 1;
        }
        house.close();
    }
    println!("# {done} cases: {tally:?}");
    // The changes are neither too mild nor too wild to tell something.
    if cases >= CASES {
        let per_mille = |what: &str| tally.get(what).copied().unwrap_or(0) * 1_000 / done;
        let share = |what| per_mille(what) / 10;
        assert!(share("200") > 10 && share("400") > 10 && share("404") > 0 && per_mille("202") > 1, "{tally:?}");
        assert!(share("late") < 1, "{tally:?}");
        assert!(share("events") > 0 && share("in doubt") > 2 && share("served all") > 20, "{tally:?}");
    }
}
