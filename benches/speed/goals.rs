//! What was promised, and what was reached: the table in README.md.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::Command;

use crate::report::Report;
use crate::servers::{Server, target};
use crate::table::{grouped, time};

const README: &str = "README.md";
const PICTURE: &str = "benches/speed/speed.svg";
/// Between these lines README.md has what this program writes.
const MARKS: [&str; 2] =
    ["<!-- speed: from here on written by `cargo bench --bench speed -- --readme` -->", "<!-- speed: end -->"];

/// One line: a figure, or several of which each has its goal.
struct Goal {
    measure: &'static str,
    /// The best of the MCP servers that were measured before this one was written.
    best: &'static str,
    wanted: &'static str,
    reached: Vec<Reached>,
    rmcp: Vec<Reached>,
}

/// A figure of this run; none where the run has none.
struct Reached {
    figure: Option<f64>,
    most: f64,
    show: fn(f64) -> String,
}

/// Writes the table and the picture where people find them.
pub(crate) fn write(report: &Report, picture: &str) {
    let readme = fs::read_to_string(README).expect("README.md, in the folder that cargo runs this in");
    let [from, to] = MARKS.map(|mark| readme.find(mark).unwrap_or_else(|| panic!("{README} has no line {mark}")));
    let head = &readme[..from + MARKS[0].len()];
    fs::write(README, format!("{head}\n{}\n{}", render(report), &readme[to..])).expect("README.md is written");
    fs::write(PICTURE, picture).expect("the picture is written");
}

fn render(report: &Report) -> String {
    let head = "| measure | best MCP server before | to reach | reached | short by | rmcp 3.9, same run |\n|---|---|---|---|---|---|\n";
    let rows: String = goals(report).iter().map(row).collect();
    format!("{}.\n\n{head}{rows}", report.machine)
}

fn row(goal: &Goal) -> String {
    let show = |all: &[Reached]| {
        let one = |reached: &Reached| reached.figure.map_or("not measured".to_owned(), reached.show);
        all.iter().map(one).collect::<Vec<_>>().join("; ")
    };
    let excess = |reached: &Reached| reached.figure.map_or(0.0, |figure| (figure / reached.most - 1.0) * 100.0);
    let worst = goal.reached.iter().map(excess).fold(0.0, f64::max);
    let short = if worst > 0.0 { format!("{worst:.0} %") } else { String::new() };
    let Goal { measure, best, wanted, reached, rmcp } = goal;
    format!("| {measure} | {best} | {wanted} | {} | {short} | {} |\n", show(reached), show(rmcp))
}

fn goals(report: &Report) -> Vec<Goal> {
    let ratio = |workload: &str, server, most| Reached {
        figure: report.ratio(workload, server),
        most,
        show: |x| format!("{x:.2} × raw"),
    };
    let both = |workloads: &[&str], most| {
        let of = |server| workloads.iter().map(|workload| ratio(workload, server, most)).collect();
        (of(Server::Ours), of(Server::Rmcp))
    };
    let counted = |server, most, which: fn(&crate::counts::Counts) -> Option<f64>, show| {
        let figure = report.find("call-8", server).and_then(|(figures, _)| which(&figures.counts));
        vec![Reached { figure, most, show }]
    };
    let instructions = |server| counted(server, 9_000.0, |counts| counts.instructions, grouped);
    let allocations = |server| counted(server, 1.0, |counts| counts.allocations, |x| format!("{x:.1}"));
    let bytes = |server| {
        let of = |workload: &str, count| Reached {
            figure: report.find(workload, server).map(|(figures, _)| figures.bytes_each(count)),
            most: 512.0,
            show: |x| format!("{} B", grouped(x)),
        };
        vec![of("open-1000", 1_000), of("open-10000", 10_000)]
    };
    let memory = |server| {
        let kb = |kb: f64| format!("{kb:.0} kB");
        let of = |workload: &str| report.find(workload, server).map(|(figures, _)| figures);
        let idle = of("call-1").map(|figures| figures.idle.private_dirty_kb as f64);
        let more = of("call-256").map(|figures| figures.bytes_each(1) / 1024.0);
        vec![
            Reached { figure: idle, most: 600.0, show: kb },
            Reached { figure: more, most: 100.0, show: |kb| format!("+{kb:.0} kB") },
        ]
    };
    let start = |server| {
        let figure = report.find("start", server).map(|(figures, _)| figures.waits_ns()[0]);
        vec![Reached { figure, most: 5e6, show: time }]
    };
    let fixed = |figure, most, show| vec![Reached { figure: Some(figure), most, show }];
    let goal = |measure, best, wanted, (reached, rmcp)| Goal { measure, best, wanted, reached, rmcp };
    let pair = |of: &dyn Fn(Server) -> Vec<Reached>| (of(Server::Ours), of(Server::Rmcp));
    vec![
        goal(
            "CPU of a `tools/call` with all checks, 2026-07-28: 8, and 64 connections",
            "1.7 × raw (mcpkit), 4.9 × (rmcp)",
            "≤ 1.2 × raw",
            both(&["call-8", "call-64"], 1.2),
        ),
        goal(
            "the same in a session of 2025-11-25",
            "the same",
            "≤ 1.2 × raw",
            both(&["session-call-8", "session-call-64"], 1.2),
        ),
        goal(
            "instructions of a `tools/call` outside the kernel (2026-07-28, all header checks)",
            "45,900 (mcpkit), 148,600 (rmcp)",
            "≤ 9,000",
            pair(&instructions),
        ),
        goal("allocations of a call, async-io's among them", "71 (mcpkit), 234 (rmcp)", "≤ 1", pair(&allocations)),
        goal("CPU of a call by a connection of its own", "2.4 × raw (rmcp)", "≤ 1.1 × raw", both(&["once-8"], 1.1)),
        goal("CPU of a call, one lone connection", "2.9 × raw (rmcp)", "≤ 1.2 × raw", both(&["call-1"], 1.2)),
        goal(
            "memory of the process for each event stream, of 1,000, and of 10,000",
            "52,500 B",
            "≤ 512 B",
            pair(&bytes),
        ),
        goal("CPU of a notification to 1,000 streams, each", "3.2 × raw", "≤ 1.3 × raw", both(&["notify-1000"], 1.3)),
        goal(
            "`Private_Dirty` when idle; more after 256 connections of load",
            "1.7 MB; 10 MB (mcpkit)",
            "≤ 600 kB; ≤ 100 kB",
            pair(&memory),
        ),
        goal(
            "`minimal`, stripped, profile small",
            "544,320 B (litemcp, far less in it)",
            "≤ 500,000 B",
            (fixed(small_bytes(), 5e5, |x| format!("{} B", grouped(x))), vec![]),
        ),
        goal("crates in the normal tree", "91 (rmcp)", "≤ 52", (fixed(crates(), 52.0, grouped), vec![])),
        goal("start to first answer", "10 ms", "≤ 5 ms", pair(&start)),
    ]
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

// Built as one builds it for a board with little flash.
fn small_bytes() -> f64 {
    let build = cargo().args(["build", "--quiet", "--profile", "small", "--example", "minimal"]).status();
    assert!(build.expect("cargo runs").success(), "the example could not be built");
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
