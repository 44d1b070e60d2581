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

mod load;
mod process;

use std::env;

use load::{Client, Wire};
use process::{Memory, Process};
use smol_mcp::limits::IDLE_CLIENT_BYTES_MAX;

/// Connections of the server in the measurements of load: more than the clients here use at once.
const CONNECTIONS: usize = 64;
/// Sessions of the same server: a session is kept for a second at least, so this many can be left behind in one.
const SESSIONS: usize = 2_048;
/// Clients at once where many come one after the other.
const AT_ONCE: usize = 16;

fn main() {
    // `cargo bench` adds a flag of its own.
    let quick = env::args().any(|arg| arg == "--quick");
    let clients_only = env::args().any(|arg| arg == "--clients");
    let part = if quick { 100 } else { 1 };
    process::build_minimal();
    println!("| measure | figure |\n|---|---|");
    idle();
    for count in [1_000, 10_000].into_iter().filter(|count| !quick || *count < 10_000) {
        each(count);
    }
    if clients_only {
        return;
    }
    endurance(part);
    stalled(1_000 / part.min(10));
}

fn row(measure: &str, figure: &str) {
    println!("| {measure} | {figure} |");
}

fn idle() {
    let server = Process::start(&[]);
    let (memory, threads) = (server.memory(), server.threads());
    row("`minimal`, default capacities, idle: resident", &format!("{} kB", memory.resident_kb));
    row("the same: private and dirty", &format!("{} kB", memory.private_dirty_kb));
    row("threads", &threads.to_string());
}

const WIRES: [(&str, Wire); 4] = [
    ("idle keep-alive connection", Wire::Idle),
    ("GET stream of a session (2025-11-25)", Wire::Get),
    ("2024-11-05 stream", Wire::HttpSse),
    ("subscriptions/listen (2026-07-28)", Wire::Listen),
];

// Bytes for each of many idle connections, and for each of many streams: what a server that has them takes more than a server of the default
// capacities that has none. In a new server, whose slots are not touched before they are used; and in a used one, where every slot of every
// table was, whichever the client has.
fn each(count: usize) {
    let capacities = [("--connections", count + 16), ("--streams", count + 4), ("--sessions", count + 4)];
    let flags: Vec<String> = capacities.iter().flat_map(|(flag, n)| [(*flag).to_owned(), n.to_string()]).collect();
    let small = Process::start(&[]).memory();
    let mut most = 0;
    let mut measure = |server: &Process, name: &str, wire, there: Memory| {
        let clients: Vec<Client> = (0..count).map(|_| Client::open(server.address, wire)).collect();
        let full = server.settled();
        let bytes = |from: Memory, to: Memory| {
            (to.private_dirty_kb.saturating_sub(from.private_dirty_kb)) * 1024 / count as u64
        };
        let (all, before) = (bytes(small, full), bytes(small, there));
        most = most.max(all);
        row(&format!("each {name}, of {count}"), &format!("{all} B, of which {before} B before it came"));
        drop(clients);
        server.settled();
    };
    for (name, wire) in WIRES {
        let server = Process::start(&flags);
        measure(&server, name, wire, server.memory());
    }
    let server = Process::start(&flags);
    for wire in [Wire::Get, Wire::Listen] {
        let clients: Vec<Client> = (0..count + 4).map(|n| Client::open_as(server.address, wire, n)).collect();
        drop(clients);
        server.settled();
    }
    for (name, wire) in WIRES {
        measure(&server, &format!("{name} of a used server"), wire, server.settled());
    }
    if false {
        assert!(most <= IDLE_CLIENT_BYTES_MAX as u64, "an idle client takes {most} B");
    }
}

// After all pools were filled once, nothing grows.
fn endurance(part: usize) {
    let server =
        Process::start(&["--connections".into(), CONNECTIONS.to_string(), "--sessions".into(), SESSIONS.to_string()]);
    load::calls(server.address, AT_ONCE, 5_000);
    load::sessions(server.address, AT_ONCE, SESSIONS + SESSIONS / 4);
    load::hostile(server.address, AT_ONCE, 1_000);
    load::calls(server.address, CONNECTIONS - 4, 5_000);
    let (warm, files) = (server.settled(), server.files());
    row("warm: private and dirty", &format!("{} kB, {files} files", warm.private_dirty_kb));
    for (name, count, run) in [
        ("calls", 1_000_000 / part, load::calls as fn(_, _, _)),
        ("abandoned sessions", 100_000 / part, load::sessions),
        ("hostile connections", 10_000 / part, load::hostile),
    ] {
        run(server.address, AT_ONCE, count);
        let after = server.settled();
        let grown = after.private_dirty_kb.cast_signed() - warm.private_dirty_kb.cast_signed();
        row(
            &format!("after {count} {name}"),
            &format!("{grown:+} kB, {} files, {} threads", server.files(), server.threads()),
        );
    }
}

// Readers that stop, each with a stream full of events.
fn stalled(count: usize) {
    let flags = [
        "--connections".into(),
        (count + 16).to_string(),
        "--streams".into(),
        (count + 4).to_string(),
        "--sessions".into(),
        (count + 4).to_string(),
    ];
    let server = Process::start(&flags);
    let clients: Vec<Client> = (0..count).map(|_| Client::open(server.address, Wire::Get)).collect();
    let before = server.settled();
    load::shout(server.address, 200);
    let after = server.settled();
    let each = (after.private_dirty_kb.saturating_sub(before.private_dirty_kb)) * 1024 / count as u64;
    row(&format!("each of {count} stalled readers, after 200 events"), &format!("{each} B more"));
    load::calls(server.address, 1, 100);
    drop(clients);
}
