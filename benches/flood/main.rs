//! A well-behaved client on a server of 64 connections that is besieged: `cargo bench --bench flood`.
//!
//! In one run, by turns: the quiet server; then 2,000 connections that say nothing, 300 that send a byte now and then, and a flood of what is
//! no request, all at once: from one address, and from several of 127.0.0.0/8. Whoever is put out comes back. Of the clients that behave, one keeps its
//! connection, and one opens another for each call; both come again when they are told to, and not sooner.
//!
//! Loopback is exempt from what one address may take: all of this has to be borne by what is done for everybody.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is all that a bench does")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that can't go on stops")]

mod client;
mod files;
mod siege;

#[allow(dead_code, reason = "here no memory is looked at")]
#[path = "../memory/process.rs"]
mod process;

use std::env;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use client::{Manner, Waits};
use process::Process;
use siege::Siege;

/// What the server is to hold out against.
const IDLE: usize = 2_000;
const SLOW: usize = 300;
/// Of the flood, at once.
const BAD: usize = 16;
/// Sources of the siege that comes from several.
const SOURCES: u8 = 8;
/// The server under siege has as many slots as one has that nobody configured.
const CONNECTIONS: &str = "64";
/// No answer of a client that behaves may take longer, its retries among it.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let quick = env::args().any(|arg| arg == "--quick");
    let seconds = if quick { 3 } else { 20 };
    files::allow_files(IDLE + SLOW + BAD + 200);
    process::build_minimal();
    let server = Process::start(&["--connections".to_owned(), CONNECTIONS.to_owned()]);
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let several: Vec<IpAddr> = (2..2 + SOURCES).map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))).collect();
    println!("| siege | client | calls | p50 | p99 | longest | put off (503) | connections lost | unanswered |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut unanswered = 0;
    for (name, sources) in [("none", None), ("from one address", Some(vec![local])), ("from several", Some(several))] {
        let siege = sources.map(|sources| Siege::lay(server.address, &sources));
        if siege.is_some() {
            // All of it stands.
            thread::sleep(Duration::from_secs(2));
        }
        let both = thread::scope(|scope| {
            let address = server.address;
            let run = |manner| scope.spawn(move || client::run(address, manner, Duration::from_secs(seconds)));
            [run(Manner::Keeps), run(Manner::Anew)].map(|client| client.join().unwrap())
        });
        for (client, waits) in ["keeps its connection", "opens one a call"].into_iter().zip(both) {
            row(name, client, &waits);
            unanswered += waits.unanswered;
        }
        if let Some(siege) = siege {
            println!("<!-- {} -->", siege.raise());
        }
    }
    println!("{} passed, {} failed", u32::from(unanswered == 0), u32::from(unanswered != 0));
    ExitCode::from(u8::from(unanswered != 0))
}

fn row(siege: &str, client: &str, waits: &Waits) {
    let Waits { put_off, lost, unanswered, .. } = waits;
    let calls = waits.answered.len();
    let [p50, p99, longest] = [500, 990, 1_000].map(|per_mille| waits.at(per_mille).as_secs_f64() * 1e3);
    println!(
        "| {siege} | {client} | {calls} | {p50:.2} ms | {p99:.2} ms | {longest:.2} ms | {put_off} | {lost} | {unanswered} |"
    );
}
