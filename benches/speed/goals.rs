//! What was promised, and what was reached: the table in README.md.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::Command;

use crate::report::Report;
use crate::servers::{Server, target};
use crate::table::{grouped, time};
use crate::workload::WORKLOADS;

const README: &str = "README.md";
const PICTURE: &str = "benches/speed/speed.svg";
const TABLE: &str = "benches/speed/speed.md";
/// Between these lines README.md has what this program writes.
const MARKS: [&str; 2] =
    ["<!-- speed: from here on written by `cargo bench --bench speed -- --readme` -->", "<!-- speed: end -->"];

/// One line: a figure, or several of which each has its own goal.
struct Goal {
    measure: &'static str,
    /// The best of the MCP servers that were measured before this one was written.
    best: &'static str,
    wanted: &'static str,
    /// What they are, and the most that each may be.
    figures: &'static [(Figure, f64)],
}

enum Figure {
    /// CPU of this workload, as a multiple of the floor's.
    Ratio(&'static str),
    /// Of a call, outside the kernel.
    Instructions,
    /// Of a call.
    Allocations,
    /// Memory of a stream of this workload, in bytes.
    StreamBytes(&'static str),
    /// `Private_Dirty` before any client came, in kB.
    IdleKb,
    /// How much more it is after 256 connections.
    LoadedKb,
    /// `minimal` of the profile small.
    FileBytes,
    /// Below this one.
    Crates,
    /// From the start to the first answer, in nanoseconds.
    StartNs,
}

const GOALS: &[Goal] = &[
    Goal {
        measure: "CPU of a `tools/call` with all checks, 2026-07-28: 8, and 64 connections",
        best: "1.7 × raw (mcpkit), 4.9 × (rmcp)",
        wanted: "≤ 1.2 × raw",
        figures: &[(Figure::Ratio("call-8"), 1.2), (Figure::Ratio("call-64"), 1.2)],
    },
    Goal {
        measure: "the same, where the server has to wake clients that sleep",
        best: "the same",
        wanted: "–",
        figures: &[(Figure::Ratio("call-8-asleep"), f64::INFINITY), (Figure::Ratio("call-64-asleep"), f64::INFINITY)],
    },
    Goal {
        measure: "the same as the first in a session of 2025-11-25",
        best: "the same",
        wanted: "≤ 1.2 × raw",
        figures: &[(Figure::Ratio("session-call-8"), 1.2), (Figure::Ratio("session-call-64"), 1.2)],
    },
    Goal {
        measure: "instructions of a `tools/call` outside the kernel (2026-07-28, all header checks)",
        best: "45,900 (mcpkit), 148,600 (rmcp)",
        wanted: "≤ 9,000",
        figures: &[(Figure::Instructions, 9_000.0)],
    },
    Goal {
        measure: "allocations of a call, whoever makes them",
        best: "71 (mcpkit), 234 (rmcp)",
        wanted: "≤ 1",
        figures: &[(Figure::Allocations, 1.0)],
    },
    Goal {
        measure: "CPU of a call by a connection of its own",
        best: "2.4 × raw (rmcp)",
        wanted: "≤ 1.1 × raw",
        figures: &[(Figure::Ratio("once-8"), 1.1)],
    },
    Goal {
        measure: "CPU of a call, one lone connection",
        best: "2.9 × raw (rmcp)",
        wanted: "≤ 1.2 × raw",
        figures: &[(Figure::Ratio("call-1"), 1.2)],
    },
    Goal {
        measure: "memory of the process for each event stream, of 1,000, and of 10,000",
        best: "52,500 B",
        wanted: "≤ 512 B",
        figures: &[(Figure::StreamBytes("open-1000"), 512.0), (Figure::StreamBytes("open-10000"), 512.0)],
    },
    Goal {
        measure: "CPU of a notification to 1,000 streams, each",
        best: "3.2 × raw",
        wanted: "≤ 1.3 × raw",
        figures: &[(Figure::Ratio("notify-1000"), 1.3)],
    },
    Goal {
        measure: "`Private_Dirty` when idle; more after 256 connections of load",
        best: "1.7 MB; 10 MB in all (mcpkit)",
        wanted: "≤ 600 kB; ≤ 100 kB",
        figures: &[(Figure::IdleKb, 600.0), (Figure::LoadedKb, 100.0)],
    },
    Goal {
        measure: "`minimal`, stripped, profile small",
        best: "544,320 B (litemcp, far less in it)",
        wanted: "≤ 500,000 B",
        figures: &[(Figure::FileBytes, 500_000.0)],
    },
    Goal {
        measure: "crates in the normal tree",
        best: "91 (rmcp)",
        wanted: "≤ 52",
        figures: &[(Figure::Crates, 52.0)],
    },
    Goal { measure: "start to first answer", best: "10 ms", wanted: "≤ 5 ms", figures: &[(Figure::StartNs, 5e6)] },
];

/// Builds what is weighed: the example, as one builds it for a board with little flash.
pub(crate) fn build() {
    let build = cargo().args(["build", "--quiet", "--profile", "small", "--example", "minimal"]).status();
    assert!(build.expect("cargo runs").success(), "the example could not be built");
}

/// Writes what was reached, the picture, and the table of all that was measured, where people find them.
pub(crate) fn write(report: &Report, picture: &str, table: &str) {
    let readme = fs::read_to_string(README).expect("README.md, in the folder that cargo runs this in");
    let [from, to] = MARKS.map(|mark| readme.find(mark).unwrap_or_else(|| panic!("{README} has no line {mark}")));
    let head = &readme[..from + MARKS[0].len()];
    fs::write(README, format!("{head}\n{}\n{}", render(report), &readme[to..])).expect("README.md is written");
    fs::write(PICTURE, picture).expect("the picture is written");
    fs::write(TABLE, format!("# One run of `cargo bench --bench speed`\n\n{table}\n")).expect("the table is written");
}

fn render(report: &Report) -> String {
    let mut table = format!("{}.\n\n", report.machine);
    table.push_str("| measure | best MCP server before | to reach | reached | short by | hyper's hello, same run | rmcp 3.9, same run |\n");
    table.push_str("|---|---|---|---|---|---|---|\n");
    table.extend(GOALS.iter().map(|goal| row(goal, report)));
    table
}

fn row(goal: &Goal, report: &Report) -> String {
    let Goal { measure, best, wanted, figures } = goal;
    let of = |server| -> Vec<Option<f64>> { figures.iter().map(|(figure, _)| figure.of(report, server)).collect() };
    let [reached, hyper, rmcp] = [Server::Ours, Server::Hyper, Server::Rmcp].map(of);
    let show = |all: &[Option<f64>]| {
        let one = |((figure, _), reached): (&(Figure, f64), &Option<f64>)| {
            reached.map_or("–".to_owned(), |reached| figure.show(reached))
        };
        figures.iter().zip(all).map(one).collect::<Vec<_>>().join("; ")
    };
    let excess = reached.iter().zip(*figures).filter_map(|(reached, (_, most))| Some((*reached)? / most - 1.0));
    let worst = excess.fold(0.0, f64::max);
    let short = if worst > 0.0 { format!("{:.0} %", worst * 100.0) } else { String::new() };
    format!("| {measure} | {best} | {wanted} | {} | {short} | {} | {} |\n", show(&reached), show(&hyper), show(&rmcp))
}

impl Figure {
    // None where the run has none of it.
    fn of(&self, report: &Report, server: Server) -> Option<f64> {
        let figures = |workload| report.find(workload, server).map(|(figures, _)| figures);
        match self {
            Self::Ratio(workload) => report.find(workload, server).map(|(figures, floor)| figures.ratio(floor)),
            Self::Instructions => figures("call-8")?.counts.instructions,
            Self::Allocations => figures("call-8")?.counts.allocations,
            Self::StreamBytes(name) => {
                let workload = WORKLOADS.iter().find(|workload| workload.name == *name)?;
                Some(figures(name)?.bytes_each(workload.clients))
            }
            Self::IdleKb => Some(figures("call-1")?.idle.private_dirty_kb as f64),
            Self::LoadedKb => Some(figures("call-256")?.bytes_each(1) / 1024.0),
            Self::FileBytes => (server == Server::Ours).then(small_bytes),
            Self::Crates => (server == Server::Ours).then(crates),
            Self::StartNs => Some(figures("start")?.waits_ns()[0]),
        }
    }

    fn show(&self, figure: f64) -> String {
        match self {
            Self::Ratio(_) => format!("{figure:.2} × raw"),
            Self::Instructions | Self::Crates => grouped(figure),
            Self::Allocations => format!("{figure:.1}"),
            Self::StreamBytes(_) | Self::FileBytes => format!("{} B", grouped(figure)),
            Self::IdleKb => format!("{} kB", grouped(figure)),
            Self::LoadedKb => format!("+{} kB", grouped(figure)),
            Self::StartNs => time(figure),
        }
    }
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn small_bytes() -> f64 {
    fs::metadata(target().join("small/examples/minimal")).expect("it was built").len() as f64
}

// Those below this one, each once.
fn crates() -> f64 {
    let said = cargo().args(["tree", "-e", "normal", "--prefix", "none", "--locked"]).output().expect("cargo runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8(said.stdout).expect("UTF-8");
    let all: BTreeSet<&str> =
        text.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    (all.len() - 1) as f64
}
