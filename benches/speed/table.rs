//! All that was measured, as a table of Markdown.

use std::fmt::Write;

use crate::figures::Figures;
use crate::report::Report;
use crate::servers::Server;
use crate::workload::{Kind, Workload};

const HEAD: &str = "\
| what | server | CPU of the server, each | × raw | of them per CPU-second | p50 | p99 | p99.9 | system calls, each | instructions, each \
| allocations, each | `Private_Dirty`, idle and after |
|---|---|---|---|---|---|---|---|---|---|---|---|
";

const NOTE: &str = "\
`× raw` is the CPU time as a multiple of the floor's in the same round. Each is a request; a stream where streams are opened, or told something: there \
what clients wait for is that the last of them has heard it. `Private_Dirty` of opened streams is compared with that of a server that had a few.";

/// The table.
pub(crate) fn render(report: &Report) -> String {
    let mut table = HEAD.to_owned();
    for (workload, all) in &report.rows {
        for (server, figures) in all {
            table.push_str(&row(workload, *server, figures, &all[0].1));
        }
    }
    format!("{table}\n{NOTE}\n\n{}.", report.machine)
}

fn row(workload: &Workload, server: Server, figures: &Figures, floor: &Figures) -> String {
    let title = workload.title();
    let name = server.name();
    let mut row = format!("| {title} | {name} | {} | {:.2} |", time(figures.cpu_ns_each()), figures.ratio(floor));
    write!(row, " {} |", grouped(1e9 / figures.cpu_ns_each())).expect("a string takes all");
    for wait in figures.waits_ns() {
        write!(row, " {} |", time(wait)).expect("a string takes all");
    }
    let counts = [(figures.counts.system_calls, 1), (figures.counts.instructions, 0), (figures.counts.allocations, 1)];
    for (count, digits) in counts {
        let count = count.map_or(String::new(), |count| match digits {
            0 => grouped(count),
            _ => format!("{count:.digits$}"),
        });
        write!(row, " {count} |").expect("a string takes all");
    }
    let Figures { idle, after, .. } = figures;
    let mut memory = format!("{} kB, {} kB", grouped_kb(idle.private_dirty_kb), grouped_kb(after.private_dirty_kb));
    if workload.kind == Kind::Open {
        write!(memory, ": {} B each", grouped(figures.bytes_each(workload.clients))).expect("a string takes all");
    }
    format!("{row} {memory} |\n")
}

/// A time, in the unit that suits it.
pub(crate) fn time(ns: f64) -> String {
    match ns {
        ns if ns >= 1e6 => format!("{:.1} ms", ns / 1e6),
        ns if ns >= 1e5 => format!("{:.0} µs", ns / 1e3),
        ns => format!("{:.1} µs", ns / 1e3),
    }
}

/// A whole number, its digits in groups of three.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join(",")
}

fn grouped_kb(kb: u64) -> String {
    grouped(kb as f64)
}
