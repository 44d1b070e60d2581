//! What a request costs: ours, the kernel alone (a loop over epoll that parses nothing), hyper's hello and rmcp's server, by turns, in one run.
//!
//! ```text
//! cargo bench --bench speed                       the whole, some ten minutes
//! cargo bench --bench speed -- --quick            a minute
//! cargo bench --bench speed -- --only call-8      this workload, and those whose names begin so
//! cargo bench --bench speed -- --alone            ours and the kernel alone: nothing else is built
//! cargo bench --bench speed -- --readme           the whole, and what was reached goes into README.md, the picture beside this file
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

use std::env;
use std::fs;
use std::time::Duration;

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
    turn: Duration::from_millis(600),
    warm_up: Duration::from_millis(100),
    repeats: 10,
    counts: true,
};

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
    let effort = if quick { QUICK } else { WHOLE };
    let bench = Bench { programs, servers, cpus: Cpus::choose(), tools: Tools::find(), effort };
    let machine = report::machine(&bench.cpus, effort.rounds);
    let is_wanted = |workload: &&Workload| {
        let is_named = only.iter().any(|name| workload.name.starts_with(name.as_str()));
        is_named || only.is_empty() && (workload.is_quick || !quick)
    };
    let measure = |workload: &Workload| {
        eprintln!("{}", workload.name);
        (*workload, bench.run(workload))
    };
    let report = Report { rows: WORKLOADS.iter().filter(is_wanted).map(measure).collect(), machine };
    println!("{}\n{}", table::render(&report), report.machine);
    let path = servers::target().join("speed.svg");
    let picture = plot::render(&report);
    fs::write(&path, &picture).expect("the picture is written");
    println!("{}", path.display());
    if has("--readme") {
        goals::write(&report, &picture);
    }
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
