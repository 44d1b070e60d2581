//! What a request costs whatever the machine's load is: the instructions that the server runs for it (callgrind), and its calls of the system
//! (strace). `cargo bench --bench cost`.
//!
//! The server is the example `minimal`, built as for release, with symbols. Each kind of traffic is sent to it twice, with few and with many
//! requests: the difference, by their number, is what one of them costs, without the start and the end. The instructions that are known stand in
//! `known`, beside this: more of them by more than [`WORSE_PERCENT`] fail. Who makes that so writes the new figure there, and says why in the
//! commit; who makes one better writes that too. (A client that is late, on a busy machine, wakes the server for less: what looks worse is counted
//! again, and the least counts.) Calls of the system are only told: how often async-io's own thread looks in is a matter of time,
//! of which strace takes a lot. (Another processor has other string functions in its libc, and other compilers make other code: the file is about
//! one machine, whose checks these are.)
//!
//! ```text
//! cargo bench --bench cost                          the table
//! cargo bench --bench cost -- --profile call        one kind alone, and where its instructions go, by callgrind_annotate
//! ```
//! Allocations for each request are counted by `cargo test --test memory`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is all that a bench does")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a figure that can't be had is no figure")]

#[path = "../../tests/support/mod.rs"]
mod support;

mod counter;
mod traffic;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use counter::Counter;
use traffic::Kind;

/// A figure may be worse than what is known by so much.
const WORSE_PERCENT: u64 = 3;
/// The requests of which the difference is taken.
const FEW: u32 = 100;
const MANY: u32 = 700;
/// What looks worse is counted so often at most.
const TRIES: u32 = 4;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let profiled = arguments.iter().position(|argument| argument == "--profile").map(|at| &arguments[at + 1]);
    for counter in Counter::ALL {
        counter.must_be_there();
    }
    if let Some(name) = profiled {
        let program = counter::build("cost");
        let kind = *Kind::ALL.iter().find(|kind| kind.name() == name).expect("the name of a kind of traffic");
        let counts = Counter::Instructions.count(&program, kind, MANY);
        let status = Command::new("callgrind_annotate").arg(&counts.file).status().expect("callgrind_annotate runs");
        return ExitCode::from(u8::from(!status.success()));
    }
    let program = counter::build("release");
    let known = Known::read();
    let mut worse = Vec::new();
    println!("| of one request | user instructions | known | calls of the system, of 100 |\n|---|---|---|---|");
    for kind in Kind::ALL {
        let before = known.figure(*kind);
        let limit = before + before * WORSE_PERCENT / 100;
        let instructions = of_one(Counter::Instructions, &program, *kind, limit);
        let calls = of_one(Counter::Calls, &program, *kind, u64::MAX);
        println!("| {} | {instructions} | {before} | {calls} |", kind.text());
        if instructions > limit {
            worse.push(format!("{} {instructions}", kind.name()));
        }
    }
    for line in &worse {
        println!(
            "FAIL {line} is worse than benches/cost/known has it: make it better, or write this there, and say why"
        );
    }
    ExitCode::from(u8::from(!worse.is_empty()))
}

/// What one request costs: of several counts, if the first is over the limit.
fn of_one(counter: Counter, program: &Path, kind: Kind, limit: u64) -> u64 {
    let mut least = [u64::MAX; 2];
    let mut figure = u64::MAX;
    for _ in 0..TRIES {
        for (requests, total) in [FEW, MANY].into_iter().zip(&mut least) {
            *total = counter.count(program, kind, requests).total.min(*total);
        }
        let [few, many] = least;
        figure = many.saturating_sub(few) * counter.per() / u64::from(MANY - FEW);
        if figure <= limit {
            break;
        }
    }
    figure
}

/// What is known: lines of a kind of traffic, and the instructions of one request.
struct Known(String);

impl Known {
    fn read() -> Self {
        Self(fs::read_to_string("benches/cost/known").expect("benches/cost/known is there"))
    }

    fn figure(&self, kind: Kind) -> u64 {
        let mut figures = self.0.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
        let figure = figures.find(|(name, _)| *name == kind.name());
        let (_, figure) = figure.unwrap_or_else(|| panic!("benches/cost/known says nothing of {}", kind.name()));
        figure.trim().parse().expect("a number")
    }
}
