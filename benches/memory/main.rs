//! What a server costs in memory, as the kernel counts it (`/proc/PID/smaps_rollup`): idle, for each idle connection and
//! each stream, and after a million calls, many abandoned sessions and hostile connections. The server is the example
//! `minimal` in a process of its own, built by this program; all of it in one run:
//!
//! ```text
//! cargo bench --bench memory                the whole
//! cargo bench --bench memory -- --clients   what each client costs
//! cargo bench --bench memory -- --quick     a hundredth of the whole
//! ```
#![allow(clippy::print_stdout, reason = "it is made to print")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that can't be made is no figure"
)]

mod endure;
mod hostile;
mod load;
mod process;
mod promise;

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use load::{Client, Wire};
use process::{Memory, Process};
use promise::Promises;
use smol_mcp::limits::{IDLE_CLIENT_BYTES_MAX, SESSION_IDLE_MIN_MS, STREAMS_DEFAULT};

/// Starts of the server of which the median is taken.
const STARTS: usize = 11;
/// What `minimal` may have resident when it is idle, with default capacities, as the one static file that a board gets.
const IDLE_RESIDENT_KB_MAX: i64 = 2_355; // 2.3 MB
/// The same where the system's libc, its loader and libgcc are files beside it: without what of these is in memory anyway, for all processes, of
/// which the kernel maps more or less of into each, 64 kB around what is touched. A static C program that does nothing has 700 kB of the same.
const IDLE_OWN_KB_MAX: i64 = IDLE_RESIDENT_KB_MAX - 700;
/// What it may have written to.
const IDLE_PRIVATE_DIRTY_KB_MAX: i64 = 600;

fn main() -> ExitCode {
    // `cargo bench` adds a flag of its own.
    let quick = env::args().any(|arg| arg == "--quick");
    let clients_only = env::args().any(|arg| arg == "--clients");
    let part = if quick { 100 } else { 1 };
    let mut promises = Promises::default();
    let programs = [process::build_minimal(), process::build_static_minimal()];
    println!("| measure | figure |\n|---|---|");
    for (program, how) in programs.iter().zip(["", ", in one static file"]) {
        idle(&mut promises, program, how);
    }
    // A page is a byte for each of 4,000.
    for count in [4_000, 10_000].into_iter().filter(|count| !quick || *count < 10_000) {
        each(&mut promises, count);
    }
    if !clients_only {
        endure::endurance(&mut promises, part);
        endure::stalled(&mut promises, 1_000);
    }
    promises.tell()
}

fn row(measure: &str, figure: &str) {
    println!("| {measure} | {figure} |");
}

// The median of many starts: which pages of its file and of libc a program finds mapped beside the one it touches depends on where they come
// to lie, anew at each start.
fn idle(promises: &mut Promises, program: &Path, how: &str) {
    let starts: Vec<(Memory, usize)> = (0..STARTS)
        .map(|_| {
            let server = Process::start_program(program, &[]);
            (server.memory(), server.threads())
        })
        .collect();
    let kb = |name: &str, figure: fn(&Memory) -> u64| {
        let mut all: Vec<u64> = starts.iter().map(|(memory, _)| figure(memory)).collect();
        all.sort_unstable();
        let median = all[STARTS / 2];
        row(&format!("{name}{how}"), &format!("{median} kB ({} to {} in {STARTS} starts)", all[0], all[STARTS - 1]));
        i64::try_from(median).unwrap()
    };
    let resident_kb = kb("`minimal`, default capacities, idle: resident", |memory| memory.resident_kb);
    let dirty_kb = kb("the same: private and dirty", |memory| memory.private_dirty_kb);
    let own_kb = kb("the same: private, clean or dirty", |memory| memory.private_kb);
    let threads = starts.iter().map(|(_, threads)| *threads).max().unwrap();
    row(&format!("threads{how}"), &threads.to_string());
    if how.is_empty() {
        promises.at_most("idle, of its own", own_kb, IDLE_OWN_KB_MAX, "kB");
    } else {
        promises.at_most(&format!("idle{how}, resident"), resident_kb, IDLE_RESIDENT_KB_MAX, "kB");
    }
    promises.at_most(&format!("idle{how}, private and dirty"), dirty_kb, IDLE_PRIVATE_DIRTY_KB_MAX, "kB");
    promises.at_most(&format!("idle{how}, threads"), threads.try_into().unwrap(), 2, "");
}

const WIRES: [(&str, Wire); 4] = [
    ("idle keep-alive connection", Wire::Idle),
    ("GET stream of a session (2025-11-25)", Wire::Get),
    ("2024-11-05 stream", Wire::HttpSse),
    ("subscriptions/listen (2026-07-28)", Wire::Listen),
];

// Bytes for each of many idle connections, and for each of many streams: what a server that has them takes more than a server of the default
// capacities that has none. In new servers, whose slots are not touched before they are used; and in used ones, where every slot of every
// table was, whichever the client has.
fn each(promises: &mut Promises, count: usize) {
    let mut measure = |server: &Process, what: String, wire, (small, there): (Memory, Memory)| {
        let clients = open(server, wire, count);
        let full = server.settled();
        let bytes = |from: Memory, to: Memory| {
            (to.private_dirty_kb.saturating_sub(from.private_dirty_kb)) * 1024 / count as u64
        };
        let (all, before) = (bytes(small, full), bytes(small, there));
        promises.at_most(&what, all.try_into().unwrap(), IDLE_CLIENT_BYTES_MAX.try_into().unwrap(), "B");
        row(&format!("each {what}"), &format!("{all} B, of which {before} B before it came"));
        leave(clients);
    };
    let small = Process::start(&[]).memory();
    for (name, wire) in WIRES {
        let server = Process::start(&room_for(count));
        measure(&server, format!("{name}, of {count}"), wire, (small, server.memory()));
    }
    let small = used(STREAMS_DEFAULT).settled();
    let server = used(count);
    for (name, wire) in WIRES {
        measure(&server, format!("{name}, of {count} of a used server"), wire, (small, server.settled()));
    }
}

// A server of which every slot of a stream, a session and a listener was used, by clients that had nothing in common.
fn used(count: usize) -> Process {
    let server = Process::start(&room_for(count));
    for wire in [Wire::Get, Wire::Listen, Wire::Idle, Wire::HttpSse] {
        leave(open(&server, wire, count));
    }
    server
}

// So many clients, each with a name and an id of its own.
fn open(server: &Process, wire: Wire, count: usize) -> Vec<Client> {
    (0..count).map(|number| Client::open_as(server.address, wire, number)).collect()
}

// They go, and are gone for long enough that others may have their sessions.
fn leave(clients: Vec<Client>) {
    drop(clients);
    thread::sleep(Duration::from_millis(SESSION_IDLE_MIN_MS + 500));
}

// The capacities for so many clients.
fn room_for(count: usize) -> Vec<String> {
    let capacities = [("--connections", count + 16), ("--streams", count), ("--sessions", count)];
    capacities.iter().flat_map(|(flag, n)| [(*flag).to_owned(), n.to_string()]).collect()
}
