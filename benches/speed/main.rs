//! What a request costs: ours, the kernel alone (a loop over epoll that parses nothing), hyper's hello and rmcp's server, by turns, in one run.
//!
//! ```text
//! cargo bench --bench speed                       the whole, some ten minutes
//! cargo bench --bench speed -- --quick            a minute
//! cargo bench --bench speed -- --only call-8      this workload; several by how they begin (call, session)
//! cargo bench --bench speed -- --alone            ours and the kernel alone: nothing else is built
//! cargo bench --bench speed -- --readme           the whole; what was reached goes into README.md, the rest beside this file
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is made to print")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that can't be made is no figure"
)]
#![allow(clippy::cast_precision_loss, reason = "figures are of a few digits")]

mod app;
mod counts;
mod cpus;
mod figures;
mod floor;
mod goals;
mod http;
mod load;
mod measure;
mod plot;
mod records;
mod report;
mod servers;
mod streams;
mod table;
mod wire;
mod workload;

#[allow(dead_code, reason = "here not all of it is looked at")]
#[path = "../memory/process.rs"]
mod process;

#[path = "../flood/files.rs"]
mod files;

use std::env;
use std::fs;
use std::time::{Duration, Instant};

use counts::Tools;
use cpus::Cpus;
use measure::{Bench, Effort};
use report::Report;
use servers::{Programs, Server};
use workload::{WORKLOADS, Workload};

const QUICK: Effort = Effort {
    rounds: 3,
    fresh_rounds: 2,
    turn: Duration::from_millis(200),
    warm_up: Duration::from_millis(50),
    repeats: 3,
    counts: false,
};
const WHOLE: Effort = Effort {
    rounds: 7,
    fresh_rounds: 3,
    turn: Duration::from_millis(500),
    warm_up: Duration::from_millis(100),
    repeats: 10,
    counts: true,
};

/// What client and server have open beside their connections.
const FILES_BESIDE: usize = 200;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(what) = values(&arguments, "--serve").first() {
        serve(what, &arguments);
    }
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let quick = has("--quick");
    let only = values(&arguments, "--only");
    let servers: &[Server] = if has("--alone") { &Server::OURS } else { &Server::ALL };
    let programs = Programs::build(servers);
    if has("--readme") {
        goals::build();
    }
    let clients = WORKLOADS.iter().map(|workload| workload.clients).max().expect("there are workloads");
    files::allow_files(clients + FILES_BESIDE);
    let effort = if quick { QUICK } else { WHOLE };
    let bench = Bench { programs, servers, cpus: Cpus::choose(), tools: Tools::find(), effort };
    let machine = report::machine(&bench.cpus, effort.rounds);
    let wanted = wanted(&only, quick);
    let measure = |workload: &Workload| {
        let started = Instant::now();
        let figures = bench.run(workload);
        eprintln!("{} ({:.1} s)", workload.name, started.elapsed().as_secs_f64());
        (*workload, figures)
    };
    let report = Report { rows: wanted.into_iter().map(measure).collect(), machine };
    let table = table::render(&report);
    println!("{table}");
    let path = servers::target().join("speed.svg");
    let picture = plot::render(&report);
    fs::write(&path, &picture).expect("the picture is written");
    println!("{}", path.display());
    if has("--readme") {
        goals::write(&report, &picture, &table);
    }
}

// Those that are named, by their whole name or by how several begin; all that the effort has, where none is.
fn wanted(only: &[String], quick: bool) -> Vec<&'static Workload> {
    if only.is_empty() {
        return WORKLOADS.iter().filter(|workload| workload.is_quick || !quick).collect();
    }
    let named = |name: &String| {
        let is_whole = WORKLOADS.iter().any(|workload| workload.name == name);
        let fits =
            |workload: &&Workload| workload.name == name || !is_whole && workload.name.starts_with(name.as_str());
        let named: Vec<&Workload> = WORKLOADS.iter().filter(fits).collect();
        if named.is_empty() {
            let names: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
            eprintln!("speed: {name} is none of: {}", names.join(" "));
            std::process::exit(2);
        }
        named
    };
    only.iter().flat_map(named).collect()
}

// The servers of this program, in processes of their own.
fn serve(what: &str, arguments: &[String]) -> ! {
    let listen = &values(arguments, "--listen")[0];
    if what == "floor" {
        floor::serve(listen, &values(arguments, "--rule"))
    }
    app::serve(listen.parse().expect("an address"))
}

fn values(arguments: &[String], flag: &str) -> Vec<String> {
    let pairs = arguments.windows(2).filter(|pair| pair[0] == flag);
    pairs.map(|pair| pair[1].clone()).collect()
}
